package sync

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Rules whose blocks follow one another, or change places, would move the numbers on if they were planned once more. The books
// tell whether an earlier run has carried them out, so that a second plan of them is refused. Where the books are lost, the
// remark of the first plan is all that warns.

// chained tells whether a rule moves numbers into a block from which it, or another one, moves them out.
func chained(rules []Renumbering) bool {
	return slices.ContainsFunc(rules, func(into Renumbering) bool {
		return slices.ContainsFunc(rules, func(from Renumbering) bool {
			others := into.Attribute == from.Attribute && !strings.EqualFold(into.Value, from.Value) // of whom the one is, the other is not
			return !others && overlap(into.To, from.From)
		})
	})
}

// overlap tells whether a number can be of both patterns.
func overlap(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if a[i] != b[i] && a[i] != 'x' && b[i] != 'x' {
			return false
		}
	}
	return true
}

// renumberedBy finds, for each of the rules that an earlier run has carried out, in part at least, that run. Runs that were
// undone don't count.
func (e *Engine) renumberedBy(ctx context.Context, company string, rules []Renumbering) (map[Renumbering]string, error) {
	if !chained(rules) {
		return nil, nil
	}
	plans, err := e.Store.Plans(ctx, company)
	if err != nil {
		return nil, err
	}
	runs, err := e.Store.Runs(ctx, company)
	if err != nil {
		return nil, err
	}
	of := make(map[string]*Plan, len(plans))
	for _, p := range plans {
		of[p.Name] = p.Plan
	}
	undone := map[string]bool{} // newest first: whether an undoing was undone is known before it counts
	by := map[Renumbering]string{}
	for _, r := range runs {
		plan := of[r.Plan]
		if plan == nil || r.Counts.Done == 0 || undone[r.Name] {
			continue
		}
		if plan.Undoes != "" && r.State == RunSucceeded {
			undone[plan.Undoes] = true
		}
		for _, rule := range plan.Policy.Renumber {
			if slices.Contains(rules, rule) {
				by[rule] = r.Name
			}
		}
	}
	return by, nil
}

// checkRenumbered refuses rules that an earlier run has carried out and that would move numbers on.
func (p *planner) checkRenumbered(rules []Renumbering, moved []*stance) {
	at := slices.IndexFunc(moved, func(s *stance) bool { return p.desired.Renumbered[*s.rule] != "" })
	if at < 0 || !chained(rules) {
		return
	}
	s := moved[at]
	run := p.desired.Renumbered[*s.rule]
	p.faults = append(p.faults, Fault{Position: s.rule.position(), Code: "renumber-done",
		Hint:    "resume that run if it stopped, or undo it; numbers that are to move once more are moved by one rule at a time, the free block first",
		Message: fmt.Sprintf("%s has carried out rule %s, whose block follows on another: carried out again it would move the numbers on, such as extension %s of %s to %s", run, s.rule, s.now.subscriber, s.login, s.then.subscriber)})
}
