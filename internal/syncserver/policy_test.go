package syncserver_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

// leavers deletes two users and changes a third.
const leavers = header + "delete;user0000@demo.example;;;;;\ndelete;user0001@demo.example;;;;;\nupsert;user0002@demo.example;Ann;Other;81002;;\n"

func (g *gateway) planWith(manifest string, change func(*syncv1.CreatePlanRequest)) (*syncv1.Plan, error) {
	req := &syncv1.CreatePlanRequest{Parent: parent, Manifest: []*syncv1.ManifestFile{{Name: "users.csv", Content: []byte(manifest)}}}
	change(req)
	return g.plans.CreatePlan(g.ctx(), req)
}

// TestWhatAPlanHoldsBackIsDoneOnlyByItsHash makes a plan over its ceiling, applies it, and applies another with an override.
func TestWhatAPlanHoldsBackIsDoneOnlyByItsHash(t *testing.T) {
	g := newGateway(t, 4)
	order := func(req *syncv1.CreatePlanRequest) { req.Max = []string{"delete-user=1"} }
	plan, err := g.planWith(leavers, order)
	if err != nil {
		t.Fatal(err)
	}
	if plan.GetHeldCount() != 2 || plan.GetOperationCount() != 3 || !slices.Equal(plan.GetGuards().GetMax(), []string{"delete-user=1"}) || !strings.Contains(plan.GetSummary(), "2 held back") {
		t.Fatalf("plan is %v", plan)
	}
	if r := plan.GetRemarks(); len(r) != 1 || r[0].GetCode() != "ceiling" {
		t.Errorf("remarks are %v", r)
	}
	ops, err := g.plans.ListPlanOperations(g.ctx(), &syncv1.ListPlanOperationsRequest{Parent: plan.GetName()})
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range ops.GetOperations() {
		if held := op.GetAction() == syncv1.Action_ACTION_DELETE; held != (op.GetHeld() != "") || op.GetCalls() != 1 || op.GetShared() != "users" {
			t.Errorf("operation is %v", op)
		}
	}
	run := g.applied(&syncv1.ApplyPlanRequest{Name: plan.GetName()})
	if c := run.GetCounts(); run.GetState() != syncv1.Run_STATE_SUCCEEDED || c.GetDone() != 1 || c.GetHeld() != 2 || c.GetTotal() != 3 || run.GetOverride() {
		t.Fatalf("run is %v", run)
	}
	held, err := g.runs.ListRunOutcomes(g.ctx(), &syncv1.ListRunOutcomesRequest{Parent: run.GetName(), Statuses: []syncv1.RunOutcome_Status{syncv1.RunOutcome_STATUS_HELD}})
	if err != nil || len(held.GetOutcomes()) != 2 || !strings.Contains(held.GetOutcomes()[0].GetMessage(), "delete-user") {
		t.Errorf("held outcomes are %v, %v", held, err)
	}

	again, err := g.planWith(leavers, order)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.runs.ApplyPlan(g.ctx(), &syncv1.ApplyPlanRequest{Name: again.GetName(), Override: plan.GetHash()}); status.Code(err) != codes.InvalidArgument {
		t.Errorf("an override with another plan's hash: %v", err)
	}
	run = g.applied(&syncv1.ApplyPlanRequest{Name: again.GetName(), Override: again.GetHash()})
	if c := run.GetCounts(); run.GetState() != syncv1.Run_STATE_SUCCEEDED || c.GetDone() != 2 || c.GetHeld() != 0 || !run.GetOverride() {
		t.Fatalf("run is %v", run)
	}
}

// applied applies a plan and waits for the end of the run.
func (g *gateway) applied(req *syncv1.ApplyPlanRequest) *syncv1.Run {
	g.t.Helper()
	op, err := g.runs.ApplyPlan(g.ctx(), req)
	if err != nil {
		g.t.Fatal(err)
	}
	run := &syncv1.Run{}
	g.unpack(g.wait(op.GetName()), run)
	return run
}

// TestPlansShowSeatsOutagesAndGuards asks for all that a plan is held against, over REST with the manifest as the body.
func TestPlansShowSeatsOutagesAndGuards(t *testing.T) {
	g := newGateway(t, 4)
	url := door(t, g) + parent + "/plans?file=swap.csv&prune=detach&scope=domain%3Ddemo.example&scope=department%3DSales&lineage=team" +
		"&ignore=svc-*&protect=root@*&max=delete-user%3D5%25&min=user%3D1&outageBudget=9"
	body := header + "upsert;user0000@demo.example;Ann;No 0;81001;;\nupsert;user0001@demo.example;Ann;No 1;81000;;\n"
	resp, err := http.Post(url, "text/csv", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%d: %s, %v", resp.StatusCode, b, err)
	}
	var plan struct {
		Guards struct {
			Prune, Lineage                   string
			Scope, Ignore, Protect, Max, Min []string
			OutageBudget                     *int
		}
		Reach   struct{ Users, Sum, Max int }
		Outages []struct {
			Login           string
			From, To, Calls int
		}
	}
	if err := json.Unmarshal(b, &plan); err != nil {
		t.Fatal(err)
	}
	guards := plan.Guards
	got := fmt.Sprint(guards.Prune, guards.Lineage, guards.Scope, guards.Ignore, guards.Protect, guards.Max, guards.Min)
	want := "detachteam[domain=demo.example department=Sales] [user/svc-*] [user/root@*] [delete-user=5%] [user=1]"
	if got != want || guards.OutageBudget == nil || *guards.OutageBudget != 9 {
		t.Errorf("guards are %q, budget %v; want %q and 9", got, guards.OutageBudget, want)
	}
	if plan.Reach.Users != 2 || len(plan.Outages) != 2 || plan.Outages[0].Login == "" || plan.Outages[0].To <= plan.Outages[0].From {
		t.Errorf("outages are %s", b)
	}
}

func TestWrongGuardsAreAllNamedAtOnce(t *testing.T) {
	g := newGateway(t, 1)
	_, err := g.planWith(header, func(req *syncv1.CreatePlanRequest) {
		req.Prune, req.Scope, req.Ignore, req.Protect = "all", []string{"all", "shoesize=44"}, []string{"["}, []string{"23*"}
		req.Max, req.Min, req.OutageBudget = []string{"delete-user=1", "delete-user=2", "x"}, []string{"device=1"}, proto.Int32(-1)
		req.Lineage = strings.Repeat("x", 200)
	})
	if status.Code(err) != codes.InvalidArgument {
		t.Fatalf("got %v", err)
	}
	for _, field := range []string{"prune: ", "scope[1]: ", "ignore[0]: ", "protect[0]: ", "max[1]: ", "max[2]: ", "min[0]: ", "outage_budget: ", "lineage: "} {
		if !strings.Contains(err.Error(), field) {
			t.Errorf("%q is not named: %v", field, err)
		}
	}
}
