package syncserver

import (
	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// How a plan's users were recognised, and by which rules extensions change.

// addIdentity shows by what users were matched.
func addIdentity(view *syncv1.Plan, p *bulksync.Plan) {
	view.Match, view.MatchNumbers, view.DoubtCount = p.Policy.Match, p.Policy.MatchNumbers.String(), int32(len(p.Doubtful))
	for _, r := range p.Policy.Renumber {
		view.Renumber = append(view.Renumber, r.String())
	}
}

// doubtsShown is how many doubts a plan shows.
const doubtsShown = 100

// addDoubts shows the entries that were held back for a human to say who they are.
func addDoubts(view *syncv1.Plan, p *bulksync.Plan) {
	for _, d := range p.Doubtful[:min(len(p.Doubtful), doubtsShown)] {
		doubt := &syncv1.Doubt{Login: string(d.Login), Position: positionProto(d.Position), Why: d.Why}
		for _, c := range d.Candidates {
			doubt.Candidates = append(doubt.Candidates, &syncv1.Candidate{Login: string(c.Login), Evidence: c.For, Objections: c.Against})
		}
		view.Doubts = append(view.Doubts, doubt)
	}
}
