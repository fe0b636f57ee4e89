package sync

// mostStranded is how many users a run names whom it left without a number.
const mostStranded = 100

// Stranded lists, in plan order, the users whom a run that ended before its time left without a number that they had before and
// were to have again: the call that takes it away was made, or may have been, and not the one that gives them one.
func (p *Plan) Stranded(run *Run, outcomes map[int]Outcome) []Login {
	others := run.others(p) // an earlier run has done them
	status := func(id int) Status {
		if others[id] {
			return Done
		}
		return outcomes[id].Status
	}
	var left []Login
	for _, o := range p.Outages {
		if lost := status(o.From); (lost == Done || lost == Unknown) && status(o.To) != Done {
			left = append(left, o.Login)
		}
	}
	return left
}

// Strand notes in a run that has ended whom it left without a number.
func (r *Run) Strand(p *Plan, outcomes map[int]Outcome) {
	left := p.Stranded(r, outcomes)
	r.StrandedCount, r.Stranded = len(left), left[:min(len(left), mostStranded)]
}
