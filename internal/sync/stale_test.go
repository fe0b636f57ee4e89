package sync

import (
	"context"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestWhatWentStaleIsLeftOut changes something that a drawn plan relies on and runs it with StaleDrop: what relies on it is
// left out, nobody is left half way, and all else is done. What was read is recorded, so that the next plan needs no refresh.
func TestWhatWentStaleIsLeftOut(t *testing.T) {
	rest, byDefault := 0, 0
	var cases cases
	defer cases.log(t)
	rapid.Check(t, func(t *rapid.T) {
		start, desired, plan := drawPlan(t)
		other, ok := drawMeddling(t, start, plan, nil)
		if !ok {
			return
		}
		key := other.key
		moved := NewWorld(start.Company(), all(start)...)
		other.do(moved)
		switch {
		case key == DefaultDDIKey():
			byDefault++
		case reliance(moved.Record(key), nil) == reliance(start.Record(key), nil):
			return
		}
		cases.met++
		books, target := newBooks(start), newModel(moved)
		engine := &Engine{Store: books, Target: target}

		stale, err := engine.CheckPlan(context.Background(), plan)
		if err != nil || len(stale) != 1 || stale[0].Key != key || len(stale[0].Operations) == 0 {
			t.Fatalf("CheckPlan = %+v, %v; want %s with its operations", stale, err, key)
		}
		if again, err := engine.CheckPlan(context.Background(), plan); err != nil || len(again) != 1 || again[0].Words != stale[0].Words {
			t.Fatalf("the second CheckPlan = %+v, %v; want the same again", again, err)
		}
		run := &Run{Name: "run-1", Company: "c1", State: RunRunning, Options: RunOption{Stale: StaleDrop}}
		if err := engine.Execute(context.Background(), Execution{Run: run, Plan: plan, Secrets: anySecret{}}); err != nil {
			t.Fatal(err)
		}
		left := map[Login]bool{}
		for _, o := range run.Outcomes {
			op := plan.Operations[o.Operation-1]
			switch {
			case slices.Contains(stale[0].Operations, o.Operation) != (o.Status == Skipped):
				t.Fatalf("operation %d (%s) is %s: %s; left out are %v", op.ID, op.Title(), o.Status, o.Message, stale[0].Operations)
			case o.Status == Skipped:
				left[op.Login] = true
			case o.Status == Done:
				rest++
			default:
				t.Fatalf("operation %d (%s) is %s: %s", op.ID, op.Title(), o.Status, o.Message)
			}
		}
		for _, o := range run.Outcomes {
			if op := plan.Operations[o.Operation-1]; o.Status == Done && op.Login != "" && left[op.Login] {
				t.Fatalf("operation %d (%s) was done, and others of that user were left out: %v", op.ID, op.Title(), stale[0].Operations)
			}
		}
		if run.State != RunFailed {
			t.Fatalf("run is %s: %s; want failed, for something was left out", run.State, run.Message)
		}
		if diff := difference(target.world, books.world); diff != "" {
			t.Fatalf("the recorded state is not what upstream holds: %s", diff)
		}
		if again, err := MakePlan(desired, books.world, Policy{}); err == nil && encode(t, again) == encode(t, plan) {
			t.Fatal("the next plan is the stale one again")
		}
	})
	if cases.met == 0 || rest == 0 || byDefault == 0 {
		t.Errorf("%d plans went stale, %d by another default DDI, and %d operations were done all the same: the drawing is too narrow", cases.met, byDefault, rest)
	}
}

// TestAUserWhoIsGoneLeavesNothing: what CheckPlan records of a user who was deleted frees what he held.
func TestAUserWhoIsGoneLeavesNothing(t *testing.T) {
	world := demoWorld()
	plan, err := MakePlan(&Desired{Users: EntriesOf(planCases[4].users...)}, world, Policy{})
	if err != nil {
		t.Fatal(err)
	}
	l := plan.Operations[0].Login
	moved := NewWorld(world.Company(), all(world)...)
	moved.Apply(deleteEffects(l, moved))
	books := newBooks(world)
	stale, err := (&Engine{Store: books, Target: newModel(moved)}).CheckPlan(context.Background(), plan)
	if err != nil || len(stale) == 0 || !strings.Contains(stale[0].Words, "is gone") {
		t.Fatalf("CheckPlan = %+v, %v; want that the user is gone", stale, err)
	}
	if held := books.world.Held(l); len(held) > 0 || books.world.Record(l.Key()) != nil {
		t.Errorf("user %s, who is gone, holds %v", l, held)
	}
}
