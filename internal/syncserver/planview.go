package syncserver

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// Plans as callers see them.

const (
	remarksShown    = 100
	operationsShown = 1000 // in the answer to validate_only
)

var kindProtos = map[bulksync.Kind]syncv1.Kind{
	bulksync.KindUser:      syncv1.Kind_KIND_USER,
	bulksync.KindExtension: syncv1.Kind_KIND_EXTENSION,
	bulksync.KindDevice:    syncv1.Kind_KIND_DEVICE,
	bulksync.KindDDI:       syncv1.Kind_KIND_DDI,
	bulksync.KindLicence:   syncv1.Kind_KIND_LICENCE,
	bulksync.KindOptions:   syncv1.Kind_KIND_OPTIONS,
	bulksync.KindKeys:      syncv1.Kind_KIND_KEYS,
	bulksync.KindSettings:  syncv1.Kind_KIND_SETTINGS,
	bulksync.KindRelease:   syncv1.Kind_KIND_RELEASE,
}

var actionProtos = map[bulksync.Action]syncv1.Action{
	bulksync.ActionCreate: syncv1.Action_ACTION_CREATE,
	bulksync.ActionUpdate: syncv1.Action_ACTION_UPDATE,
	bulksync.ActionDelete: syncv1.Action_ACTION_DELETE,
	bulksync.ActionAttach: syncv1.Action_ACTION_ATTACH,
	bulksync.ActionDetach: syncv1.Action_ACTION_DETACH,

	bulksync.ActionSave:    syncv1.Action_ACTION_SAVE,
	bulksync.ActionRestore: syncv1.Action_ACTION_RESTORE,
}

// tallied are the actions in the order in which they are counted.
var tallied = []bulksync.Action{bulksync.ActionCreate, bulksync.ActionUpdate, bulksync.ActionDelete, bulksync.ActionAttach, bulksync.ActionDetach, bulksync.ActionSave, bulksync.ActionRestore}

// kindOf is the engine's kind, empty when a caller names none.
func kindOf(k syncv1.Kind) bulksync.Kind {
	for kind, p := range kindProtos {
		if p == k {
			return kind
		}
	}
	return ""
}

// figures are what a plan's overview tells beyond what its store entry holds.
type figures struct {
	operations, unchanged, remarks, held int
	tallies                              []*syncv1.Tally
	summary                              string
}

func figuresOf(p *bulksync.Plan) figures {
	f := figures{operations: len(p.Operations), unchanged: p.Unchanged.Len(), remarks: len(p.Remarks), held: p.HeldBack(), summary: p.Summary()}
	tally := p.Tally()
	for _, kind := range bulksync.Kinds() {
		for _, action := range tallied {
			if n := tally[kind][action]; n > 0 {
				f.tallies = append(f.tallies, &syncv1.Tally{Kind: kindProtos[kind], Action: actionProtos[action], Count: int32(n)})
			}
		}
	}
	return f
}

// overview is a plan without operations and remarks.
func (s *Server) overview(stored *bulksync.StoredPlan, f figures) *syncv1.Plan {
	p := stored.Plan
	view := &syncv1.Plan{
		Etag: stored.Hash, Hash: stored.Hash, CreateTime: timestamp(stored.CreateTime), StateTime: timestamp(stored.RecordTime), Creator: stored.Creator,
		Mode: p.Mode, ManifestDigest: p.Manifest, Sources: stored.Sources,
		Strict: p.Policy.Strict, ResetPasswords: p.Policy.ResetPasswords,
		OperationCount: int32(f.operations), UnchangedCount: int32(f.unchanged), RemarkCount: int32(f.remarks),
		Tallies: f.tallies, Summary: f.summary, HeldCount: int32(f.held), Guards: guardsProto(p.Policy),
	}
	addIdentity(view, p)
	s.addHistory(view, stored)
	if stored.Name != "" {
		view.Name = planName(p.Company, stored.Name)
	}
	return view
}

// planProto is a plan with its first remarks.
func (s *Server) planProto(stored *bulksync.StoredPlan) *syncv1.Plan {
	view := s.overview(stored, figuresOf(stored.Plan))
	for _, r := range stored.Plan.Remarks[:min(len(stored.Plan.Remarks), remarksShown)] {
		view.Remarks = append(view.Remarks, faultProto(r))
	}
	addSafety(view, stored.Plan)
	addDoubts(view, stored.Plan)
	return view
}

func operationProto(op *bulksync.Operation) *syncv1.PlanOperation {
	view := &syncv1.PlanOperation{
		Id: int32(op.ID), Action: actionProtos[op.Action], Kind: kindProtos[op.Key.Kind], Key: op.Key.String(),
		Login: string(op.Login), Title: op.Title(), Reason: op.Reason, Calls: int32(op.Cost.Calls), Shared: op.Cost.Shared, Held: op.Held,
	}
	for _, c := range op.Changes {
		view.Changes = append(view.Changes, &syncv1.Change{Name: c.Name, Before: c.Before, After: c.After})
	}
	for _, p := range op.Positions {
		view.Positions = append(view.Positions, positionProto(p))
	}
	for _, n := range op.Needs {
		view.Needs = append(view.Needs, int32(n))
	}
	if op.Secret != nil {
		view.Secret = &syncv1.SecretPlace{Position: positionProto(op.Secret.Position), Field: op.Secret.Field}
	}
	return view
}

// timestamp is absent for the zero time.
func timestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// recorded reads the time of a recorded state; zero when it has none.
func recorded(c bulksync.Company) time.Time {
	t, err := time.Parse(time.RFC3339, c.RecordedAt)
	if err != nil {
		return time.Time{}
	}
	return t
}
