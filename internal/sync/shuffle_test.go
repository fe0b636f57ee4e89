package sync

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestTheOrderOfEntriesChangesNoOperation plans drawn manifests with their entries in another order, as when rows are
// sorted or files named the other way round: the steps may come in another order, and are the same.
func TestTheOrderOfEntriesChangesNoOperation(t *testing.T) {
	moved := 0
	rapid.Check(t, func(t *rapid.T) {
		world, desired, plan := drawPlan(t)
		shuffled := *desired
		shuffled.Users = EntriesOf(rapid.Permutation(usersOf(desired)).Draw(t, "another order")...)
		other, err := MakePlan(&shuffled, world, plan.Policy)
		if err != nil {
			t.Fatalf("in another order the manifest can't be planned: %v", err)
		}
		want, got := effectsOf(plan), effectsOf(other)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("another order makes other operations (-before +after):\n%s", diff)
		}
		if plan.Hash() != other.Hash() {
			moved++
		}
		again, err := MakePlan(&shuffled, world, plan.Policy)
		if err != nil || again.Hash() != other.Hash() {
			t.Fatalf("planned twice: hash %s, then %s, error %v", other.Hash(), again.Hash(), err)
		}
	})
	if moved == 0 {
		t.Error("no order ever made another plan: the drawing is too tame")
	}
}

// effectsOf lists what a plan does, without the order.
func effectsOf(p *Plan) []string {
	all := make([]string, len(p.Operations))
	for i := range p.Operations {
		op := &p.Operations[i]
		all[i] = fmt.Sprintf("%s %s %s %v held %v", op.Action, op.Key, op.Login, op.Changes, op.Held != "")
	}
	slices.Sort(all)
	return all
}
