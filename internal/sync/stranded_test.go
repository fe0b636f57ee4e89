package sync

import (
	"fmt"
	"slices"
	"testing"
)

// TestARunThatStopsNamesWhomItLeftWithoutANumber stops swaps, rotations and chains behind each of their operations.
func TestARunThatStopsNamesWhomItLeftWithoutANumber(t *testing.T) {
	for _, c := range []struct {
		users int
		chain bool
	}{{1, true}, {2, false}, {3, false}, {4, true}} {
		w, d := rotating(c.users, c.chain, nil)
		plan, err := MakePlan(d, w, Policy{})
		if err != nil {
			t.Fatal(err)
		}
		outcomes, now := map[int]Outcome{}, map[Login]int{}
		left := 0
		for i := range plan.Operations {
			op := &plan.Operations[i]
			outcomes[op.ID] = Outcome{Operation: op.ID, Status: Unknown} // it may have been done
			if lineChange(op).extensions < 0 && !slices.Contains(plan.Stranded(&Run{}, outcomes), op.Login) {
				t.Errorf("%d users: what became of operation %d is not known, and %s is not named", c.users, op.ID, op.Login)
			}
			outcomes[op.ID] = Outcome{Operation: op.ID, Status: Done}
			now[op.Login] += lineChange(op).extensions
			var want []Login
			for l, n := range now {
				if n < 0 {
					want = append(want, l)
				}
			}
			run := &Run{}
			run.Strand(plan, outcomes)
			got := slices.Sorted(slices.Values(run.Stranded))
			slices.Sort(want)
			if fmt.Sprint(got) != fmt.Sprint(want) || run.StrandedCount != len(want) {
				t.Errorf("%d users, stopped behind operation %d: %d left without a number, %v; want %v", c.users, op.ID, run.StrandedCount, got, want)
			}
			left = max(left, len(want))
		}
		if left == 0 {
			t.Errorf("%d users: nobody is ever without a number, so nothing was shown", c.users)
		}
	}
}

// TestTheRestOfARetryCountsAsDone: what the run before has taken away, a retry that fails leaves so.
func TestTheRestOfARetryCountsAsDone(t *testing.T) {
	w, d := rotating(1, true, nil)
	plan, err := MakePlan(d, w, Policy{})
	if err != nil {
		t.Fatal(err)
	}
	o := plan.Outages[0]
	retry := &Run{RetryOf: "run-1", Only: []int{o.To}}
	if got := plan.Stranded(retry, map[int]Outcome{o.To: {Operation: o.To, Status: Failed}}); len(got) != 1 || got[0] != o.Login {
		t.Errorf("a retry that fails leaves %v without a number, want %s", got, o.Login)
	}
	if got := plan.Stranded(retry, map[int]Outcome{o.To: {Operation: o.To, Status: Done}}); len(got) != 0 {
		t.Errorf("a retry that succeeds leaves %v without a number", got)
	}
}
