package sync

import (
	"cmp"
	"fmt"
	"slices"
)

// The order of operations. Drafts that need one another, directly or over others, form a group; groups follow one
// another in manifest order, so that what takes a user's number away and what gives him the next stand close together
// and he is unreachable for as few calls as can be. In which order the users of a group are dealt with is said in
// arrange.go. What concerns one user follows a table, read from top to bottom; every need points upwards in it:
//
//	0  detach   device     ─┐
//	1  detach   ddi         │
//	2  detach   extension   │ what frees a value
//	3  detach   licence     │
//	4  delete   extension   │
//	5  delete   user       ─┘
//	6  create   user       ─┐
//	7  update   user        │
//	8  attach   licence     │ what takes a value
//	9  create   extension   │
//	10 attach   extension   │
//	11 update   extension   │
//	12 attach   ddi         │
//	13 attach   device     ─┘
//
// Devices and DDIs are created with users, and deleted with them; each is of no user, and stands where those need it.
// Reading what a subscriber would lose comes before that, and putting it back behind; a new login comes first of all.
//
// Of a user who is without a number between two of these, what concerns himself and his licences comes before all else:
// nothing that can wait stands between losing a number and getting the next.
//
// A sort by dependency alone (Kahn) was rejected: its order depends on the order of edges and scatters a user's steps.
var table = map[Kind]map[Action]int{
	KindDDI:       {ActionDetach: 1, ActionAttach: 12, ActionCreate: 6, ActionUpdate: 7, ActionDelete: 5},
	KindDevice:    {ActionDetach: 0, ActionAttach: 13, ActionCreate: 6, ActionUpdate: 7, ActionDelete: 5},
	KindExtension: {ActionDetach: 2, ActionSave: -1, ActionDelete: 4, ActionCreate: 9, ActionAttach: 10, ActionUpdate: 11, ActionRestore: 14},
	KindLicence:   {ActionDetach: 3, ActionAttach: 8},
	KindSettings:  {ActionUpdate: -2},
	KindOptions:   {ActionUpdate: 15},
	KindKeys:      {ActionUpdate: 16},
	KindUser:      {ActionDelete: 5, ActionCreate: 6, ActionUpdate: 7},
}

// ranks is how many the table has.
const ranks = 14

func (d *draft) rank() int {
	if rename := d.renameOrder(); rename < 0 {
		return rename - 3*ranks
	}
	rank := table[d.op.Key.Kind][d.op.Action]
	if (d.op.Key.Kind == KindUser || d.op.Key.Kind == KindLicence) && d.owner.interrupted() {
		rank -= ranks
	}
	return rank
}

// interrupted tells whether the user loses a number and gets another, or the same one back.
func (s *stance) interrupted() bool {
	if s.user == nil || s.deleted() {
		return false
	}
	if s.renumbered() {
		return s.then.subscriber != ""
	}
	return len(gains(s.now.ddis, s.then.ddis)) > 0 && len(gains(s.then.ddis, s.now.ddis)) > 0 ||
		len(gains(s.now.pairings, s.then.pairings)) > 0 && len(gains(s.then.pairings, s.now.pairings)) > 0
}

// plan is the last pass: drafts become numbered operations.
func (p *planner) plan() (*Plan, error) {
	p.groupDrafts()
	p.arrangeGroups()
	plan := &Plan{
		Format: PlanFormat, Company: p.company.ID, Manifest: p.desired.Digest, Mode: p.desired.Mode, Policy: p.policy,
		Operations: make([]Operation, len(p.drafts)), Remarks: append(p.remarks, p.desired.Remarks...).Sort(), Doubtful: p.doubtful,
	}
	ids := make(map[*draft]int, len(p.drafts))
	for i, d := range p.drafts {
		ids[d] = i + 1
	}
	for i, d := range p.drafts {
		d.op.ID = i + 1
		d.op.Cost = p.costOf(&d.op)
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
	if err := p.judge(plan); err != nil {
		return nil, err
	}
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
			if need.op.Action != ActionSave || need.op.Login != "" { // what all of them need ties nobody together
				unite(d, need)
			}
		}
	}
}

// arrangeGroups puts the drafts in plan order.
func (p *planner) arrangeGroups() {
	slices.SortFunc(p.drafts, func(a, b *draft) int {
		return cmp.Or(
			cmp.Compare(a.root().owner.order, b.root().owner.order),
			cmp.Compare(a.owner.order, b.owner.order),
			cmp.Compare(a.rank(), b.rank()),
			a.op.Key.Compare(b.op.Key))
	})
	for rest := p.drafts; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].root() == rest[0].root() {
			n++
		}
		copy(rest, arrange(rest[:n]))
		rest = rest[n:]
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

// noteUnchanged lists the entries that needed no operation, by position.
func (p *planner) noteUnchanged(plan *Plan) {
	few := slices.Clone(p.unchanged)
	for _, s := range p.queue {
		if s.want != nil && !s.drafted {
			few = append(few, Unchanged{Login: s.login, Position: s.at, Note: orWords(s.why, unchangedNote(s.want))})
		}
	}
	byPosition := func(a, b Unchanged) int { return a.Position.Compare(b.Position) }
	slices.SortStableFunc(few, byPosition)
	users, list := p.desired.Users, &UnchangedList{}
	inOrder, last := true, Position{}
	add := func(u Unchanged) {
		inOrder, last = inOrder && last.Compare(u.Position) <= 0, u.Position
		list.add(u)
	}
	for i := range users.Len() {
		if !p.settled.has(i) {
			continue
		}
		u := Unchanged{Login: users.Login(i), Position: users.Position(i), Note: asWanted}
		for len(few) > 0 && byPosition(few[0], u) < 0 {
			add(few[0])
			few = few[1:]
		}
		add(u)
	}
	for _, u := range few {
		add(u)
	}
	switch {
	case list.Len() == 0:
	case inOrder:
		plan.Unchanged = list
	default: // files were not given in the order of their names
		plan.Unchanged = UnchangedOf(slices.SortedStableFunc(list.All(), byPosition)...)
	}
}

// asWanted is what is said of an entry that needs nothing.
const asWanted = "is as the manifest wants it"

func unchangedNote(want *DesiredUser) string {
	if want.Presence == Existing && !want.Pairings.claims() {
		return "nothing to detach"
	}
	return asWanted
}
