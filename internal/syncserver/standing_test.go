package syncserver_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
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

// yamlManifest is a request for a plan of YAML files: each a name and its text.
func yamlManifest(variables map[string]string, files ...string) *syncv1.CreatePlanRequest {
	req := &syncv1.CreatePlanRequest{Parent: parent, Variables: variables}
	for i := 0; i < len(files); i += 2 {
		req.Manifest = append(req.Manifest, &syncv1.ManifestFile{Name: files[i], Content: []byte("version: 1\n" + files[i+1])})
	}
	return req
}

// TestAYAMLPlanThatNeedsNothingStands plans YAML manifests that hold, twice each. The second plan is the first one, or, where it
// may be another though the text is the same, made anew; either way it is what planning anew gives.
func TestAYAMLPlanThatNeedsNothingStands(t *testing.T) {
	const users = "users:\n- {login: user0000@demo.example, lastName: No 0, extension: 81000}\n- {login: user0001@demo.example, lastName: \"No ${one}\", extension: 81001}\n"
	one := map[string]string{"one": "1"}
	declared := "variables: {one: }\n"
	for _, tt := range []struct {
		name   string
		again  bool
		made   *syncv1.CreatePlanRequest
		second *syncv1.CreatePlanRequest // the same when nil
	}{
		{"the same file", true, yamlManifest(one, "m.yaml", declared+users), nil},
		{"several files", true, yamlManifest(one, "m.yaml", declared+"include: [u.yaml]\n", "u.yaml", users), nil},
		{"an included file that says the same in other words", false, yamlManifest(one, "m.yaml", declared+"include: [u.yaml]\n", "u.yaml", users), yamlManifest(one, "m.yaml", declared+"include: [u.yaml]\n", "u.yaml", users+"\n")},
		{"another value of a variable", false, yamlManifest(one, "m.yaml", declared+users), yamlManifest(map[string]string{"one": "one"}, "m.yaml", declared+users)},
		{"a password", false, yamlManifest(one, "m.yaml", declared+users+"- {login: user0002@demo.example, password: Passw0rd!-1}\n"), nil},
		{"a password whose key is spelt with an escape", false, yamlManifest(one, "m.yaml", declared+users+"- {login: user0002@demo.example, \"passwor\\x64\": Passw0rd!-1}\n"), nil},
		{"a name", false, yamlManifest(one, "m.yaml", declared+"name: hr\n"+users), nil},
		{"pools", false, yamlManifest(one, "m.yaml", declared+"pools: {extensions: {desk: {ranges: [81000-81009]}}}\n"+users), nil},
		{"rules for renumbering", false, yamlManifest(one, "m.yaml", declared+"renumber: [850xx=860xx]\n"+users), nil},
		{"options that upstream does not tell", false, yamlManifest(one, "m.yaml", declared+users+"- {login: user0002@demo.example, options: {barring: {permissions: \"\"}}}\n"), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := newGateway(t, 3)
			first, err := g.plans.CreatePlan(g.ctx(), tt.made)
			if err != nil || first.GetOperationCount() != 0 {
				t.Fatalf("plan is %v, %v; want one that needs nothing", first, err)
			}
			if tt.second == nil {
				tt.second = tt.made
			}
			second, err := g.plans.CreatePlan(g.ctx(), tt.second)
			if err != nil || (second.GetName() == first.GetName()) != tt.again {
				t.Errorf("first %s, then %s, %v; want the same: %t", first.GetName(), second.GetName(), err, tt.again)
			}
			anew := proto.CloneOf(tt.second)
			anew.ValidateOnly = true
			fresh, err := g.plans.CreatePlan(g.ctx(), anew)
			if err != nil || fresh.GetHash() != second.GetHash() || fresh.GetUnchangedCount() != second.GetUnchangedCount() {
				t.Errorf("planned anew %v, %v; want what was found, %v", fresh, err, second)
			}
		})
	}
}

// TestAPlanOfSettingsStandsOnceTheyAreRecorded: the first plan reads them upstream, the ones after it what is recorded, until
// something else is.
func TestAPlanOfSettingsStandsOnceTheyAreRecorded(t *testing.T) {
	g := newGateway(t, 1)
	settings := &bulksync.Settings{Group: bulksync.GroupOverflow, PbxID: "PBX712e", Values: []bulksync.Attribute{{Name: "activate", Value: "false"}}}
	record := func(value string) {
		next := *settings
		next.Values = []bulksync.Attribute{{Name: "activate", Value: value}}
		g.upstream.mu.Lock()
		defer g.upstream.mu.Unlock()
		g.upstream.world.Apply([]bulksync.RecordChange{{Key: next.Key(), Record: &next}})
	}
	record("false")
	var plans []*syncv1.Plan
	for range 3 {
		plan, err := g.plans.CreatePlan(g.ctx(), yamlManifest(nil, "m.yaml", "settings: {overflow: {activate: false}}\n"))
		if err != nil || plan.GetOperationCount() != 0 {
			t.Fatalf("plan is %v, %v; want one that needs nothing", plan, err)
		}
		plans = append(plans, plan)
	}
	if plans[0].GetName() == plans[1].GetName() || plans[1].GetName() != plans[2].GetName() {
		t.Errorf("plans are %s, %s and %s; want the third to be the second", plans[0].GetName(), plans[1].GetName(), plans[2].GetName())
	}
	record("true")
	g.refresh()
	plan, err := g.plans.CreatePlan(g.ctx(), yamlManifest(nil, "m.yaml", "settings: {overflow: {activate: false}}\n"))
	if err != nil || plan.GetOperationCount() != 1 {
		t.Errorf("after a change upstream the plan is %v, %v; want one operation", plan, err)
	}
}
