package sync

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// ledger is a store of plans' and runs' heads over a recorded state.
type ledger struct {
	archive
	world *World
}

func (l *ledger) Observed(context.Context, string) (Snapshot, error) { return frozen{l.world}, nil }

// TestRulesThatFollowOneAnotherAreCarriedOutOnce: planned again they would move the numbers on. What was undone, was of other
// rules, or did nothing does not count.
func TestRulesThatFollowOneAnotherAreCarriedOutOnce(t *testing.T) {
	rules := func(words ...string) (all []Renumbering) {
		for _, w := range words {
			r, err := ParseRenumbering(w)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, r)
		}
		return all
	}
	world := func() *World { return demoWorld() } // ann has 2001, bob 2002
	chain := rules("2001=2002", "2002=2003")
	before := func(name string, renumber []Renumbering, undoes string, state RunState, done int) (*Run, *StoredPlan) {
		return &Run{Name: "run-" + name, Plan: "plan-" + name, State: state, Counts: RunCounts{Done: done}},
			&StoredPlan{Name: "plan-" + name, Plan: &Plan{Policy: Policy{Renumber: renumber}, Undoes: undoes}}
	}
	type past struct {
		name   string
		rules  []Renumbering
		undoes string
		state  RunState
		done   int
	}
	for _, c := range []struct {
		name    string
		rules   []Renumbering
		history []past // newest first
		by      string
	}{
		{"nothing went before", chain, nil, ""},
		{"a run has carried them out", chain, []past{{"1", chain, "", RunSucceeded, 9}}, "run-1"},
		{"a run has begun with them and failed", chain, []past{{"1", chain, "", RunFailed, 1}}, "run-1"},
		{"a run has not begun", chain, []past{{"1", chain, "", RunWaiting, 0}}, ""},
		{"it was undone", chain, []past{{"2", nil, "run-1", RunSucceeded, 9}, {"1", chain, "", RunSucceeded, 9}}, ""},
		{"the undoing failed", chain, []past{{"2", nil, "run-1", RunFailed, 3}, {"1", chain, "", RunSucceeded, 9}}, "run-1"},
		{"the undoing was undone", chain, []past{{"3", nil, "run-2", RunSucceeded, 9}, {"2", nil, "run-1", RunSucceeded, 9}, {"1", chain, "", RunSucceeded, 9}}, "run-1"},
		{"one of them went before", chain, []past{{"1", rules("2002=2003"), "", RunSucceeded, 9}}, "run-1"},
		{"other rules went before", chain, []past{{"1", rules("2005=2006"), "", RunSucceeded, 9}}, ""},
		{"rules that do not follow one another", rules("2001=2005", "2002=2006"), []past{{"1", rules("2001=2005", "2002=2006"), "", RunSucceeded, 9}}, ""},
		{"rules for different people", rules("2001=2005@jobTitle=Nurse", "2005=2006@jobTitle=Porter"), []past{{"1", rules("2001=2005@jobTitle=Nurse"), "", RunSucceeded, 9}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := &ledger{world: world()}
			for _, p := range c.history {
				run, plan := before(p.name, p.rules, p.undoes, p.state, p.done)
				l.runs, l.plans = append(l.runs, run), append(l.plans, plan)
			}
			_, err := (&Engine{Store: l}).Plan(context.Background(), "c1", &Desired{Mode: ModeRules}, Policy{Renumber: c.rules})
			var faults Faults
			switch {
			case c.by == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.by != "" && (!errors.As(err, &faults) || len(faults) != 1 || faults[0].Code != "renumber-done" || !strings.Contains(faults[0].Message, c.by)):
				t.Errorf("got %v, want a fault that names %s", err, c.by)
			}
		})
	}
}
