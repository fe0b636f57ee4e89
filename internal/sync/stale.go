package sync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// What becomes of a plan when upstream moved on. What was read is recorded in any case, so that the next plan starts from
// it without a refresh. With StaleDrop the run goes on without the operations that rely on what changed, and without all
// that hangs together with them: operations that need one another, and those of one user. To leave out only the stale ones
// and what depends on them was rejected: a user whose new number is taken meanwhile would lose the old one all the same.

// Stale is a thing that is no longer as a plan relies on it.
type Stale struct {
	Key Key
	// Words say what is different: "device/aabbccddee02 changed, held by ann@demo.example now".
	Words string
	// Operations are the ids of the operations that rely on it, with all that hangs together with them.
	Operations []int
	// relying tells which operations rely on it; nil: those that name it.
	relying func(*Operation) bool
}

// CheckPlan reads again what a plan relies on, records what it finds, and lists what is no longer so, in key order.
func (e *Engine) CheckPlan(ctx context.Context, plan *Plan) (stale []Stale, err error) {
	view, err := e.Store.Observed(ctx, plan.Company)
	if errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("company %s: %w", plan.Company, ErrNotRecorded)
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, view.Close()) }()
	world := Overlay(view)
	keys := make([]Key, len(plan.Touched))
	for i, t := range plan.Touched {
		keys[i] = t.Key
	}
	if len(keys) == 0 {
		return nil, nil
	}
	fresh, err := e.Target.Read(ctx, world.Company(), world, keys)
	if err != nil {
		return nil, fmt.Errorf("what the plan relies on: %w", err)
	}
	stale = plan.stale(fresh, keys)
	plan.rely(stale, world)
	return stale, e.learn(ctx, world, fresh, stale)
}

// learn records what is different from what a plan relied on.
func (e *Engine) learn(ctx context.Context, world *World, fresh map[Key]Record, stale []Stale) error {
	var changes []RecordChange
	lay := func(next ...RecordChange) {
		world.Apply(next)
		changes = append(changes, next...)
	}
	for _, s := range stale { // users who are gone first: what they held is free, unless it was read too
		if s.Key.Kind == KindUser && fresh[s.Key] == nil {
			lay(deleteEffects(Login(s.Key.ID), world)...)
		}
	}
	for _, s := range stale {
		switch r := fresh[s.Key]; {
		case s.Key == DefaultDDIKey():
			lay(defaultChanges(r, world)...)
		case r != nil:
			lay(change(r))
		case s.Key.Kind != KindUser && world.Record(s.Key) != nil:
			lay(gone(s.Key))
		}
	}
	if len(changes) == 0 {
		return nil
	}
	return e.Store.End(ctx, world.Company().ID, changes)
}

// together gives, for each operation, the group of those that hang together with it, by a number of the group.
func (p *Plan) together() []int {
	group := make([]int, len(p.Operations)+1)
	for i := range group {
		group[i] = i
	}
	root := func(i int) int {
		for group[i] != i {
			group[i] = group[group[i]]
			i = group[i]
		}
		return i
	}
	last := map[Login]int{}
	for i := range p.Operations {
		op := &p.Operations[i]
		if prev := last[op.Login]; prev != 0 && op.Login != "" {
			group[root(op.ID)] = root(prev)
		}
		last[op.Login] = op.ID
		for _, need := range op.Needs {
			group[root(op.ID)] = root(need)
		}
	}
	for i := range group {
		group[i] = root(i)
	}
	return group
}

// rely lists, with each thing, the operations that rely on it and all that hangs together with them, in plan order. world is
// what the plan was made from: what a deletion frees is relied on, too, and no operation names it.
func (p *Plan) rely(stale []Stale, world Observed) {
	group := p.together()
	members := map[int][]int{}
	naming := map[Key][]int{}
	deletions := map[Login][]int{}
	for i := range p.Operations {
		op := &p.Operations[i]
		of := group[op.ID]
		members[of] = append(members[of], op.ID)
		naming[op.Key] = append(naming[op.Key], of)
		naming[op.Login.Key()] = append(naming[op.Login.Key()], of)
		if op.Action == ActionDelete {
			deletions[op.Login] = append(deletions[op.Login], of)
		}
	}
	for i := range stale {
		k := stale[i].Key
		groups := slices.Clone(naming[k])
		if relying := stale[i].relying; relying != nil {
			for at := range p.Operations {
				if op := &p.Operations[at]; relying(op) {
					groups = append(groups, group[op.ID])
				}
			}
		}
		if r := world.Record(k); r != nil && r.HeldBy() != "" {
			groups = append(groups, deletions[r.HeldBy()]...)
		}
		slices.Sort(groups)
		groups = slices.Compact(groups)
		if len(groups) == 1 {
			stale[i].Operations = members[groups[0]]
			continue
		}
		for _, of := range groups {
			stale[i].Operations = append(stale[i].Operations, members[of]...)
		}
		slices.Sort(stale[i].Operations)
	}
}

// refuseStale says why a run with something stale does not go on.
func refuseStale(stale []Stale) string {
	words := make([]string, len(stale))
	for i, s := range stale {
		words[i] = s.Words
	}
	const most = 10
	more := ""
	if len(words) > most {
		more = fmt.Sprintf("; and %d more", len(words)-most)
		words = words[:most]
	}
	return "the plan is stale, make a new one: since it was made, " + strings.Join(words, "; ") + more
}

// dropStale skips the operations that rely on what changed. It tells what it can't assign to any operation.
func (c *coordinator) dropStale(stale []Stale) (left []Stale, err error) {
	skipped := map[int]bool{}
	for _, s := range stale {
		if len(s.Operations) == 0 {
			left = append(left, s)
			continue
		}
		for _, id := range s.Operations {
			if _, ended := c.outcomes[id]; ended || skipped[id] {
				continue
			}
			skipped[id] = true
			if err := c.skip(c.ops[id], "left out, for since the plan was made, "+s.Words); err != nil {
				return nil, err
			}
		}
	}
	c.ready.remove(skipped)
	return left, nil
}
