package sync

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// meddling is something that somebody else does between plan and apply.
type meddling struct {
	// key is what goes stale by it, names how the run names it.
	key   Key
	names string
	do    func(*World)
}

// drawMeddling draws one that operations of a plan rely on which are left, as far as no operation done concerns it.
func drawMeddling(t *rapid.T, now *World, plan *Plan, done map[int]int) (meddling, bool) {
	if moves := defaultMoves(now, plan, done); len(moves) > 0 && rapid.Bool().Draw(t, "the default DDI moves") {
		to := rapid.SampledFrom(moves).Draw(t, "default now")
		return meddling{DefaultDDIKey(), "DDI " + string(to), func(w *World) { moveDefault(w, to) }}, true
	}
	k, ok := drawRelied(t, plan, done)
	return meddling{k, k.String(), func(w *World) { meddle(w, k) }}, ok
}

// defaultMoves lists the DDIs that what is left of a plan minds becoming the default one by somebody else's hand; none once the
// plan itself has moved it.
func defaultMoves(now *World, plan *Plan, done map[int]int) (to []E164) {
	var is Key
	if r := defaultOf(now); r != nil {
		is = r.Key()
	}
	deleted, made, chosen := map[Key]bool{}, map[Key]bool{}, false
	for _, op := range plan.Operations {
		switch {
		case op.Key.Kind != KindDDI:
		case done[op.ID] > 0 && (op.setsDefault() || op.Key == is || is == Key{}):
			return nil
		case done[op.ID] == 0:
			chosen = chosen || op.setsDefault()
			deleted[op.Key] = deleted[op.Key] || op.Action == ActionDelete
			made[op.Key] = made[op.Key] || op.setsDefault() || op.Action == ActionCreate
		}
	}
	for r := range now.Records(KindDDI) {
		k := r.Key()
		if k != is && !made[k] && (chosen || deleted[k] || deleted[is]) {
			to = append(to, E164(k.ID))
		}
	}
	if len(listed(now, KindDDI)) == 0 && len(made) > 0 {
		to = append(to, ddi(9)) // somebody was first
	}
	return to
}

// moveDefault makes a DDI the default one, and creates it if need be.
func moveDefault(w *World, to E164) {
	if w.Record(to.Key()) == nil {
		w.put(&DDI{ID: "n-else", Number: to})
	}
	w.Apply(defaultEffects(&Operation{Key: to.Key()}, w))
}

// TestADefaultDDIThatMovedMakesAPlanStale plans over a company with three DDIs, of which the first is the default one, and has
// somebody make another the default one before the plan is applied.
func TestADefaultDDIThatMovedMakesAPlanStale(t *testing.T) {
	ddis := func(absent ...int) (list []DesiredDDI) {
		for i := range 3 {
			list = append(list, DesiredDDI{Number: ddi(i), Absent: slices.Contains(absent, i)})
		}
		return list
	}
	default1 := &DesiredDDI{Number: ddi(1)}
	for _, tt := range []struct {
		name    string
		desired Desired
		now     int // 3: somebody creates the first one
		stale   []int
	}{
		{"another one is to be it", Desired{DefaultDDI: default1}, 2, []int{1}},
		{"the one that is to be it is it already", Desired{DefaultDDI: default1}, 1, []int{1}},
		{"one that is to go", Desired{DDIs: ddis(1, 2)}, 1, []int{1}},
		{"one that is left, while others are to go", Desired{DDIs: ddis(1)}, 2, nil},
		{"the one that is to go at last, and another that goes", Desired{DDIs: ddis(0, 1, 2)}, 2, []int{1, 2, 3}},
		{"the one that is to go once another is it", Desired{DDIs: ddis(0), DefaultDDI: default1}, 2, []int{1, 2}},
		{"the first one was to be created", Desired{DDIs: []DesiredDDI{{Number: ddi(1)}, {Number: ddi(2)}}, DefaultDDI: default1}, 3, []int{1, 2}},
		{"DDIs are only created", Desired{DDIs: append(ddis(), DesiredDDI{Number: ddi(4)})}, 1, nil},
		{"a device is to be created", Desired{Devices: []DesiredDevice{{Address: device(6), Model: "M5", Description: "x"}}}, 1, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			start := models(NewWorld(Company{ID: "c1", CloudPbx: &CloudPbx{ID: "s1", PbxID: cloudID}}))
			for i := 0; i < 3 && tt.now < 3; i++ {
				start.put(&DDI{ID: fmt.Sprint("n", i), Number: ddi(i), Default: i == 0})
			}
			tt.desired.Users = &Entries{}
			plan, err := MakePlan(&tt.desired, start, Policy{})
			if err != nil || len(plan.Operations) == 0 {
				t.Fatalf("MakePlan = %+v, %v; want operations", plan, err)
			}
			moved := Overlay(start)
			moveDefault(moved, ddi(tt.now))
			books := newBooks(start)
			engine := &Engine{Store: books, Target: newModel(moved)}
			for _, time := range []string{"first", "second"} {
				stale, err := engine.CheckPlan(context.Background(), plan)
				switch {
				case err != nil:
					t.Fatal(err)
				case tt.stale == nil && len(stale) > 0:
					t.Fatalf("the %s CheckPlan = %+v, want that nothing is stale", time, stale)
				case tt.stale == nil:
				case len(stale) != 1 || !slices.Equal(stale[0].Operations, tt.stale) || stale[0].Words != fmt.Sprintf("DDI %s is the default one now", ddi(tt.now)):
					t.Fatalf("the %s CheckPlan = %+v, want operations %v", time, stale, tt.stale)
				}
			}
			if tt.stale == nil {
				return
			}
			if diff := difference(moved, books.world); diff != "" {
				t.Errorf("the recorded state is not what upstream holds: %s", diff)
			}
			run := &Run{Name: "run-1", Company: "c1", State: RunRunning}
			if err := engine.Execute(context.Background(), Execution{Run: run, Plan: plan}); err != nil {
				t.Fatal(err)
			}
			if run.State != RunWaiting || !strings.Contains(run.Message, "DDI "+string(ddi(tt.now))+" is the default one now") {
				t.Errorf("run is %s: %s; want that it waits, and why", run.State, run.Message)
			}
		})
	}
}

// TestPlansThatDoNotMindTheDefaultDDI do not look which one it is.
func TestPlansThatDoNotMindTheDefaultDDI(t *testing.T) {
	var cases cases
	defer cases.log(t)
	rapid.Check(t, func(t *rapid.T) {
		start, _, plan := drawPlan(t)
		minds := slices.ContainsFunc(plan.Operations, func(op Operation) bool {
			return op.Key.Kind == KindDDI && (op.setsDefault() || op.Action == ActionDelete || op.Action == ActionCreate && len(listed(start, KindDDI)) == 0)
		})
		if _, looks := plan.touch(DefaultDDIKey()); looks != minds {
			t.Fatalf("looks which DDI is the default one: %t, want %t\n%s", looks, minds, encode(t, plan))
		}
		if minds {
			cases.met++
		}
	})
	if cases.met == 0 {
		t.Error("no plan minds the default DDI: the drawing is too narrow")
	}
}
