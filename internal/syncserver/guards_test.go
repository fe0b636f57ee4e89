package syncserver_test

import (
	"testing"

	"google.golang.org/grpc/codes"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

// TestUndoingIsGuarded: a plan that undoes a run is held against the same guards as any other.
func TestUndoingIsGuarded(t *testing.T) {
	g := newGateway(t, 2)
	run := g.rest(g.apply(g.plan(newUsers(1, 3)), newUsers(1, 3)))
	undo := func(change func(*syncv1.CreateUndoPlanRequest)) (*syncv1.Plan, error) {
		req := &syncv1.CreateUndoPlanRequest{Name: run.GetName()}
		change(req)
		return g.plans.CreateUndoPlan(g.ctx(), req)
	}
	for _, c := range []struct {
		name   string
		change func(*syncv1.CreateUndoPlanRequest)
		held   int32
		code   codes.Code
	}{
		{"without guards it deletes all three", func(*syncv1.CreateUndoPlanRequest) {}, 0, codes.OK},
		{"above a ceiling they are held back", func(r *syncv1.CreateUndoPlanRequest) { r.Max = []string{"delete-user=2"} }, 3, codes.OK},
		{"a minimum of users holds them back", func(r *syncv1.CreateUndoPlanRequest) { r.Min = []string{"user=4"} }, 3, codes.OK},
		{"who is protected is not deleted", func(r *syncv1.CreateUndoPlanRequest) { r.Protect = []string{"new00002@demo.example"} }, 0, codes.InvalidArgument},
		{"what is left alone is not undone", func(r *syncv1.CreateUndoPlanRequest) { r.Ignore = []string{"new00002@demo.example"} }, 0, codes.InvalidArgument},
		{"a ceiling that nobody understands is refused", func(r *syncv1.CreateUndoPlanRequest) { r.Max = []string{"delete-all=2"} }, 0, codes.InvalidArgument},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan, err := undo(c.change)
			wantCode(t, err, c.code)
			if err == nil && (plan.GetHeldCount() != c.held || plan.GetOperationCount() < 3) {
				t.Errorf("%d of %d operations are held back, want %d", plan.GetHeldCount(), plan.GetOperationCount(), c.held)
			}
		})
	}
}

// TestAManifestIsCheckedUnderItsPolicy: with against_state a manifest is at fault exactly when it could not be planned.
func TestAManifestIsCheckedUnderItsPolicy(t *testing.T) {
	g := newGateway(t, 4)
	budget := int32(0)
	for _, c := range []struct {
		name, manifest, code string
		change               func(*syncv1.ValidateManifestRequest)
	}{
		{"no policy, no fault", leavers, "", func(*syncv1.ValidateManifestRequest) {}},
		{"a protected user is deleted", leavers, "user-protected", func(r *syncv1.ValidateManifestRequest) { r.Protect = []string{"user0000@*"} }},
		{"a user that is left alone is named", leavers, "ignored", func(r *syncv1.ValidateManifestRequest) { r.Ignore = []string{"user/user0001@*"} }},
		{"an outage above the budget", header + "upsert;user0001@demo.example;;;81002;;\nupsert;user0002@demo.example;;;81001;;\n", "outage-budget", func(r *syncv1.ValidateManifestRequest) { r.OutageBudget = &budget }},
		{"rules that overlap, without a manifest", "", "renumber-overlap", func(r *syncv1.ValidateManifestRequest) {
			r.Manifest, r.Renumber = nil, []string{"810xx=811xx", "8100x=8200x"}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			req := &syncv1.ValidateManifestRequest{Parent: parent, AgainstState: true, Manifest: csv(c.manifest)}
			c.change(req)
			resp, err := g.plans.ValidateManifest(g.ctx(), req)
			if err != nil {
				t.Fatal(err)
			}
			if resp.GetValid() != (c.code == "") || c.code != "" && resp.GetFaults()[0].GetCode() != c.code {
				t.Errorf("faults are %v, want %q", resp.GetFaults(), c.code)
			}
		})
	}
	_, err := g.plans.ValidateManifest(g.ctx(), &syncv1.ValidateManifestRequest{Manifest: csv(leavers), Max: []string{"delete-all=2"}, MatchNumbers: "perhaps"})
	wantCode(t, err, codes.InvalidArgument)
}

// TestValidatingTakesWhatPlanningTakes holds the fields of the two requests against each other.
func TestValidatingTakesWhatPlanningTakes(t *testing.T) {
	validate := (&syncv1.ValidateManifestRequest{}).ProtoReflect().Descriptor().Fields()
	fields := (&syncv1.CreatePlanRequest{}).ProtoReflect().Descriptor().Fields()
	own := map[string]bool{"refresh": true, "validate_only": true, "request_id": true, "max_faults": true} // about the plan, not the manifest
	for i := range fields.Len() {
		if name := fields.Get(i).Name(); validate.ByName(name) == nil && !own[string(name)] {
			t.Errorf("ValidateManifestRequest has no %s", name)
		}
	}
}
