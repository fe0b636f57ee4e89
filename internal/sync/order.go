package sync

import (
	"cmp"
	"fmt"
	"slices"
)

// The order of operations. Drafts that need one another, directly or over others, form a group; groups follow one
// another in manifest order, so that what takes a user's number away and what gives him the next stand close together
// and he is unreachable for as few calls as can be. Within a group the order is a table, read from top to bottom; every
// need points upwards in it, and a draft comes after all that it needs:
//
//	0  detach   ddi        ─┐
//	1  detach   device      │ what frees a value
//	2  detach   extension   │
//	3  detach   licence     │
//	4  delete   extension   │
//	5  delete   user       ─┘
//	6  create   user       ─┐
//	7  update   user        │
//	8  attach   licence     │ what takes a value
//	9  create   extension   │
//	10 attach   extension   │
//	11 update   extension   │
//	12 attach   device      │
//	13 attach   ddi        ─┘
//
// A sort by dependency alone (Kahn) was rejected: its order depends on the order of edges and scatters a user's steps.
var table = map[Kind]map[Action]int{
	KindDDI:       {ActionDetach: 0, ActionAttach: 13},
	KindDevice:    {ActionDetach: 1, ActionAttach: 12},
	KindExtension: {ActionDetach: 2, ActionDelete: 4, ActionCreate: 9, ActionAttach: 10, ActionUpdate: 11},
	KindLicence:   {ActionDetach: 3, ActionAttach: 8},
	KindUser:      {ActionDelete: 5, ActionCreate: 6, ActionUpdate: 7},
}

func (d *draft) rank() int { return table[d.op.Key.Kind][d.op.Action] }

// plan is the last pass: drafts become numbered operations.
func (p *planner) plan() (*Plan, error) {
	p.groupDrafts()
	slices.SortFunc(p.drafts, func(a, b *draft) int {
		return cmp.Or(
			cmp.Compare(a.root().owner.order, b.root().owner.order),
			cmp.Compare(a.rank(), b.rank()),
			cmp.Compare(a.owner.order, b.owner.order),
			a.op.Key.Compare(b.op.Key))
	})
	plan := &Plan{
		Format: PlanFormat, Company: p.company.ID, Manifest: p.desired.Digest, Mode: p.desired.Mode, Policy: p.policy,
		Operations: make([]Operation, len(p.drafts)), Unchanged: p.unchanged, Remarks: p.remarks.Sort(),
	}
	ids := make(map[*draft]int, len(p.drafts))
	for i, d := range p.drafts {
		ids[d] = i + 1
	}
	for i, d := range p.drafts {
		d.op.ID = i + 1
		for _, need := range d.needs {
			if ids[need] >= d.op.ID {
				return nil, fmt.Errorf("plan: operation %d (%s) needs the later operation %d (%s)", d.op.ID, d.op.Title(), ids[need], need.op.Title())
			}
			d.op.Needs = append(d.op.Needs, ids[need])
		}
		slices.Sort(d.op.Needs)
		plan.Operations[i] = d.op
	}
	p.noteUnchanged(plan)
	plan.Touched = p.touches(plan)
	return plan, nil
}

// groupDrafts unites drafts with what they need, and all drafts of one user; the representative of a group is the draft
// whose user comes first.
func (p *planner) groupDrafts() {
	last := map[*stance]*draft{}
	for _, d := range p.drafts {
		if prev := last[d.owner]; prev != nil {
			unite(prev, d)
		}
		last[d.owner] = d
		for _, need := range d.needs {
			unite(d, need)
		}
	}
}

func (d *draft) root() *draft {
	for d.group != nil {
		if d.group.group != nil {
			d.group = d.group.group
		}
		d = d.group
	}
	return d
}

func unite(a, b *draft) {
	a, b = a.root(), b.root()
	switch {
	case a == b:
	case a.owner.order <= b.owner.order:
		b.group = a
	default:
		a.group = b
	}
}

// noteUnchanged lists the entries that needed no operation.
func (p *planner) noteUnchanged(plan *Plan) {
	plan.Unchanged = slices.Grow(plan.Unchanged, len(p.queue))
	for _, s := range p.queue {
		if s.want != nil && !s.drafted {
			plan.Unchanged = append(plan.Unchanged, Unchanged{Login: s.login, Position: s.at, Note: orWords(s.why, unchangedNote(s.want))})
		}
	}
	slices.SortStableFunc(plan.Unchanged, func(a, b Unchanged) int { return a.Position.Compare(b.Position) })
}

func unchangedNote(want *DesiredUser) string {
	if want.Presence == Existing && !want.Pairings.claims() {
		return "nothing to detach"
	}
	return "is as the manifest wants it"
}
