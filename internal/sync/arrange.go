package sync

import (
	"cmp"
	"slices"
)

// The order within a group of users who get things from one another, chosen so that a user who loses his number on the
// way to the next one is without for as few calls as can be:
//
//   - Who gives comes before who takes, as a whole: of a chain (A takes B's number, B takes C's, C takes a free one), C is
//     dealt with first, then B, then A, and each gives up his number in the call before the one that gives him the next.
//   - In a cycle nobody can be first. The user whom the manifest names first gives up his number; then, round the cycle,
//     whatever the next step needs is freed just before it, so that nobody but the first has given up anything before his
//     turn. Of n users with nothing but an extension, n-2 are then without for two calls and two for one: 2(n-1) calls in
//     all, the least that there is, and none for longer than two (the tests search all orders).
//
// Freeing everything first and giving everything after is as correct and was rejected: in a rotation of 300 users each
// would be without a number for 299 calls.
//
// A spare number for the first of a cycle was rejected too. He would have a number meanwhile, but none that anybody
// dials: 2301 rings nowhere from the call that takes it away to the one that gives it, whatever its old holder has. It
// would cost two calls more, and those that take his DDIs and devices away and put them back twice, since a subscriber
// can't be renumbered in place by a Cloud PBX call: his public numbers would be out for longer, not shorter.

// block is all that the plan does for one user of a group.
type block struct {
	owner  *stance
	drafts []*draft
	// gives are the blocks that free what this one takes, in the order in which it asks.
	gives []*block
	// index and low are Tarjan's; index 0 is not visited yet.
	index, low int
	stacked    bool
	finished   bool
}

// arrange orders a group's drafts, which come sorted by user and rank.
func arrange(group []*draft) []*draft {
	if inOrder(group) {
		return group
	}
	a := arranger{blocks: map[*stance]*block{}, order: make([]*draft, 0, len(group))}
	var all []*block
	for _, d := range group {
		b := a.blocks[d.owner]
		if b == nil {
			b = &block{owner: d.owner}
			a.blocks[d.owner] = b
			all = append(all, b)
		}
		b.drafts = append(b.drafts, d)
	}
	for _, b := range all {
		a.link(b)
	}
	for _, b := range all {
		if b.index == 0 {
			a.visit(b)
		}
	}
	return a.order
}

// inOrder tells whether a group of one user's drafts stands as it can be carried out, as nearly all do.
func inOrder(group []*draft) bool {
	if group[0].owner != group[len(group)-1].owner {
		return false
	}
	for i, d := range group {
		for _, need := range d.needs {
			if !slices.Contains(group[:i], need) {
				return false
			}
		}
	}
	return true
}

type arranger struct {
	blocks  map[*stance]*block
	order   []*draft
	visited int
	stack   []*block
	// begun are the blocks of which something was taken ahead of their turn, in that order.
	begun []*block
}

// link notes whose drafts a block needs.
func (a *arranger) link(b *block) {
	seen := map[*block]bool{b: true}
	for _, d := range b.drafts {
		for _, need := range d.needs {
			if g := a.blocks[need.owner]; g != nil && !seen[g] {
				seen[g] = true
				b.gives = append(b.gives, g)
			}
		}
	}
}

// visit finds the cycles (Tarjan): they come up with those first that the others need.
func (a *arranger) visit(b *block) {
	a.visited++
	b.index, b.low, b.stacked = a.visited, a.visited, true
	a.stack = append(a.stack, b)
	for _, g := range b.gives {
		switch {
		case g.index == 0:
			a.visit(g)
			b.low = min(b.low, g.low)
		case g.stacked:
			b.low = min(b.low, g.index)
		}
	}
	if b.low != b.index {
		return
	}
	at := len(a.stack) - 1
	for a.stack[at] != b {
		at--
	}
	cycle := slices.Clone(a.stack[at:])
	a.stack = a.stack[:at]
	for _, c := range cycle {
		c.stacked = false
	}
	slices.SortFunc(cycle, func(x, y *block) int { return cmp.Compare(x.owner.order, y.owner.order) })
	a.unroll(cycle)
}

// unroll puts the drafts of a cycle, or of a single block, in order.
func (a *arranger) unroll(cycle []*block) {
	for _, b := range cycle { // what is only read need not stand between losing a number and getting the next
		for _, d := range b.drafts {
			if d.op.Action == ActionSave && len(cycle) > 1 {
				a.put(d)
			}
		}
	}
	for _, b := range cycle {
		a.begun = append(a.begun[:0], b)
		for i := 0; i < len(a.begun); i++ { // it grows by those whom the steps before took something from
			a.finish(a.begun[i], len(cycle) > 1)
		}
	}
	for _, b := range cycle {
		for _, d := range b.drafts {
			a.put(d)
		}
	}
}

// finish puts all of a block's drafts; in a cycle, what concerns no number comes when everybody has one again.
func (a *arranger) finish(b *block, cycle bool) {
	if b.finished {
		return
	}
	b.finished = true
	for _, d := range b.drafts {
		if !cycle || !d.canWait() {
			a.put(d)
		}
	}
}

// canWait tells whether a draft concerns no number, and nobody misses anything by its coming later: settings that are put
// back, and phones that change hands by themselves.
func (d *draft) canWait() bool {
	return d.op.Action == ActionRestore || d.op.Key.Kind == KindDevice && !d.owner.renumbered()
}

// put appends a draft, after all that it needs.
func (a *arranger) put(d *draft) {
	if d.placed {
		return
	}
	d.placed = true
	for _, need := range d.needs {
		g := a.blocks[need.owner]
		if need.placed || g == nil { // one of no group comes before all
			continue
		}
		if need.owner != d.owner {
			a.begun = append(a.begun, g)
		}
		a.put(need)
	}
	a.order = append(a.order, d)
}
