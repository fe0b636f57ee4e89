package syncserver_test

import (
	"strings"
	"testing"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

// TestAPlanThatNeedsNothingStands plans a manifest that holds again and again: as long as nothing is another, the first plan
// is found again.
func TestAPlanThatNeedsNothingStands(t *testing.T) {
	g := newGateway(t, 3)
	holds := header + "upsert;user0000@demo.example;;No 0;81000;;\nupsert;user0001@demo.example;;No 1;81001;;\n"
	first := g.plan(holds)
	if first.GetOperationCount() != 0 || first.GetUnchangedCount() != 2 {
		t.Fatalf("plan is %v", first)
	}
	again := g.plan(holds)
	if again.GetName() != first.GetName() || again.GetUnchangedCount() != 2 || again.GetHash() != first.GetHash() {
		t.Errorf("the same manifest again gives %s with %d unchanged, want %s", again.GetName(), again.GetUnchangedCount(), first.GetName())
	}
	state := g.refresh()
	if again := g.plan(holds); again.GetName() != first.GetName() || !again.GetStateTime().AsTime().Equal(state.GetRecordTime().AsTime()) {
		t.Errorf("after a refresh that found nothing new: %s of the state at %s, want %s of that at %s", again.GetName(), again.GetStateTime().AsTime(), first.GetName(), state.GetRecordTime().AsTime())
	}
	for name, req := range map[string]*syncv1.CreatePlanRequest{
		"another policy":   {Strict: true},
		"a lineage":        {Lineage: "hr"},
		"a refresh before": {Refresh: true},
	} {
		req.Parent, req.Manifest = "companies/-", []*syncv1.ManifestFile{{Name: "users.csv", Content: []byte(holds)}}
		plan, err := g.plans.CreatePlan(g.ctx(), req)
		if err != nil || plan.GetName() == first.GetName() {
			t.Errorf("%s: got %s, %v", name, plan.GetName(), err)
		}
	}
	secret := strings.Replace(holds, "81001;;", "81001;;Passw0rd!-1", 1)
	if a, b := g.plan(secret), g.plan(secret); a.GetName() == b.GetName() {
		t.Error("a manifest with a password has a fingerprint")
	}
	changes := header + "upsert;user0000@demo.example;;Otherwise;81000;;\n"
	g.rest(g.apply(g.plan(changes), changes))
	later := g.plan(holds)
	if later.GetName() == first.GetName() || later.GetOperationCount() != 1 {
		t.Errorf("after another change: %s with %d operations", later.GetName(), later.GetOperationCount())
	}
}

// TestAForgottenPlanStandsNoMore plans anew when the plan that needed nothing is deleted.
func TestAForgottenPlanStandsNoMore(t *testing.T) {
	g := newGateway(t, 1)
	holds := header + "upsert;user0000@demo.example;;No 0;81000;;\n"
	first := g.plan(holds)
	if _, err := g.plans.DeletePlan(g.ctx(), &syncv1.DeletePlanRequest{Name: first.GetName()}); err != nil {
		t.Fatal(err)
	}
	if again := g.plan(holds); again.GetName() == first.GetName() || again.GetUnchangedCount() != 1 {
		t.Errorf("got %v", again)
	}
}
