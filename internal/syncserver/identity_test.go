package syncserver_test

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

func TestRulesNeedNoManifest(t *testing.T) {
	g := newGateway(t, 3)
	plan, err := g.plans.CreatePlan(g.ctx(), &syncv1.CreatePlanRequest{Parent: parent, Renumber: []string{"8100x=8200x"}})
	if err != nil {
		t.Fatal(err)
	}
	if plan.GetMode() != "rules" || !slices.Equal(plan.GetRenumber(), []string{"8100x=8200x"}) || plan.GetMatchNumbers() != "names" {
		t.Errorf("plan is %v", plan)
	}
	actions := map[syncv1.Action]int32{}
	for _, tally := range plan.GetTallies() {
		actions[tally.GetAction()] += tally.GetCount()
	}
	if n := actions[syncv1.Action_ACTION_DELETE]; n == 0 || actions[syncv1.Action_ACTION_SAVE] != n+1 || actions[syncv1.Action_ACTION_RESTORE] != n {
		t.Errorf("tallies are %v; want every deletion between a save and a restore, and one save of what points to all", plan.GetTallies())
	}
}

func TestDoubtsAreShownWithBothSides(t *testing.T) {
	g := newGateway(t, 3)
	plan, err := g.plans.CreatePlan(g.ctx(), &syncv1.CreatePlanRequest{Parent: parent, Manifest: csv(header + "upsert;fresh@demo.example;;;81000;;Passw0rd!-1\n")})
	if err != nil {
		t.Fatal(err)
	}
	if plan.GetOperationCount() != 0 || plan.GetDoubtCount() != 1 || len(plan.GetDoubts()) != 1 {
		t.Fatalf("plan is %v; want one doubt and nothing to do", plan)
	}
	d := plan.GetDoubts()[0]
	if d.GetLogin() != "fresh@demo.example" || d.GetPosition().GetLine() != 2 || len(d.GetCandidates()) != 1 {
		t.Fatalf("doubt is %v", d)
	}
	if c := d.GetCandidates()[0]; c.GetLogin() != "user0000@demo.example" || !slices.Equal(c.GetEvidence(), []string{"the same extension 81000"}) || !slices.Equal(c.GetObjections(), []string{"there are no names to compare"}) {
		t.Errorf("candidate is %v", c)
	}
}

func TestWordsThatSayNothingOfIdentityAreRefused(t *testing.T) {
	g := newGateway(t, 1)
	for want, req := range map[string]*syncv1.CreatePlanRequest{
		"match[0]":      {Match: []string{"password"}},
		"match_numbers": {MatchNumbers: "perhaps"},
		"renumber[1]":   {Renumber: []string{"1x=2x", "1x=2xx"}},
		"manifest":      {},
	} {
		req.Parent = parent
		if want != "manifest" {
			req.Manifest = csv(newUsers(0, 1))
		}
		_, err := g.plans.CreatePlan(g.ctx(), req)
		if status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want INVALID_ARGUMENT that names %s", err, want)
		}
	}
}
