package syncserver_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
	"github.com/rainbow-gateway/rainbow-gateway/internal/syncserver"
)

// tunedGateway is a gateway with other options, whose callers say in the metadata "who" who they are: a name, vouched for
// by a token of the company, unless "vouched" says by nothing or "company" another one.
func tunedGateway(t *testing.T, users int, tune func(*syncserver.Options)) *gateway {
	t.Helper()
	g := &gateway{t: t, upstream: newUpstream(users), path: filepath.Join(t.TempDir(), "state.db")}
	g.tune = func(o *syncserver.Options) {
		o.Principal = func(ctx context.Context) bulksync.Principal {
			md, _ := metadata.FromIncomingContext(ctx)
			names := md.Get("who")
			if len(names) == 0 {
				return bulksync.Principal{}
			}
			p := bulksync.Principal{Name: names[0], ID: "id-" + names[0], Company: companyID, By: bulksync.VouchedByToken}
			if company := md.Get("company"); len(company) > 0 {
				p.Company = company[0]
			}
			return p
		}
		if tune != nil {
			tune(o)
		}
	}
	g.start(true)
	g.refresh()
	return g
}

// as is a context of somebody's calls.
func (g *gateway) as(who string, more ...string) context.Context {
	return metadata.AppendToOutgoingContext(g.ctx(), append([]string{"who", who}, more...)...)
}

const renaming = header + "upsert;user0001@demo.example;Zoe;;;;\n"

// TestFourEyes: with --approval different a plan is applied once somebody else than its creator has approved it.
func TestFourEyes(t *testing.T) {
	g := tunedGateway(t, 3, func(o *syncserver.Options) { o.Approval = bulksync.ApprovalDifferent })
	plan, err := g.plans.CreatePlan(g.as("ann"), &syncv1.CreatePlanRequest{Parent: parent, Manifest: csv(renaming)})
	if err != nil {
		t.Fatal(err)
	}
	if plan.GetCreator() != "ann" || plan.GetCreatedBy().GetVoucher() != syncv1.Principal_VOUCHER_RAINBOW_TOKEN || plan.GetAwaitingApproval() == "" {
		t.Errorf("plan by %s (%v), awaiting %q; want ann's, by her token, awaiting one", plan.GetCreator(), plan.GetCreatedBy(), plan.GetAwaitingApproval())
	}
	apply := func() error {
		_, err := g.runs.ApplyPlan(g.as("ann"), &syncv1.ApplyPlanRequest{Name: plan.GetName(), Etag: plan.GetEtag()})
		return err
	}
	if reason := wantCode(t, apply(), codes.FailedPrecondition); reason != "PLAN_NOT_APPROVED" {
		t.Errorf("unapproved: %s", reason)
	}
	for _, c := range []struct {
		name   string
		ctx    context.Context
		etag   string
		code   codes.Code
		reason string
	}{
		{"by nobody known", g.ctx(), "", codes.FailedPrecondition, "IDENTITY_REQUIRED"},
		{"by the creator", g.as("ann"), "", codes.FailedPrecondition, "APPROVAL_REFUSED"},
		{"by somebody of another company", g.as("eve", "company", "5b7d0c0ffee0000000000009"), "", codes.FailedPrecondition, "APPROVAL_REFUSED"},
		{"of another content", g.as("bob"), strings.Repeat("0", 32), codes.Aborted, "ETAG_DIFFERS"},
	} {
		_, err := g.plans.ApprovePlan(c.ctx, &syncv1.ApprovePlanRequest{Name: plan.GetName(), Etag: c.etag})
		if reason := wantCode(t, err, c.code); reason != c.reason {
			t.Errorf("%s: reason %s, want %s", c.name, reason, c.reason)
		}
	}
	if reason := wantCode(t, apply(), codes.FailedPrecondition); reason != "PLAN_NOT_APPROVED" {
		t.Errorf("after refused approvals: %s", reason)
	}
	approved, err := g.plans.ApprovePlan(g.as("bob"), &syncv1.ApprovePlanRequest{Name: plan.GetName(), Etag: plan.GetEtag(), Comment: "fine"})
	if err != nil {
		t.Fatal(err)
	}
	if a := approved.GetApprovals(); len(a) != 1 || a[0].GetBy().GetName() != "bob" || a[0].GetComment() != "fine" || a[0].GetHash() != plan.GetHash() || approved.GetAwaitingApproval() != "" {
		t.Errorf("approved plan is %v", approved)
	}
	if list, err := g.plans.ListPlans(g.ctx(), &syncv1.ListPlansRequest{Parent: parent}); err != nil || len(list.GetPlans()[0].GetApprovals()) != 1 {
		t.Errorf("the list is %v, %v; want bob's approval in it", list, err)
	}
	if err := apply(); err != nil {
		t.Errorf("approved: %v", err)
	}
	if _, err := g.plans.ApprovePlan(g.as("bob"), &syncv1.ApprovePlanRequest{Name: plan.GetName(), Comment: strings.Repeat("x", 1001)}); wantCode(t, err, codes.InvalidArgument) == "" {
		t.Error("a comment without end is taken")
	}
}

// TestAPlanOfNobodyKnownIsNotApproved: whether its approver is somebody else can't be told then.
func TestAPlanOfNobodyKnownIsNotApproved(t *testing.T) {
	g := tunedGateway(t, 3, func(o *syncserver.Options) { o.Approval = bulksync.ApprovalDifferent })
	plan := g.plan(renaming)
	_, err := g.plans.ApprovePlan(g.as("bob"), &syncv1.ApprovePlanRequest{Name: plan.GetName()})
	if reason := wantCode(t, err, codes.FailedPrecondition); reason != "APPROVAL_REFUSED" || !strings.Contains(err.Error(), "nothing vouches for who that was (local)") {
		t.Errorf("%s: %v", reason, err)
	}
}

// TestUndoOverTheAPI applies a manifest, undoes the run, and undoes the undoing.
func TestUndoOverTheAPI(t *testing.T) {
	g := tunedGateway(t, 3, nil)
	manifest := header + "upsert;user0001@demo.example;Zoe;;;+33298300511;\ndelete;user0002@demo.example;;;;;\nupsert;new@demo.example;New;;82000;;Passw0rd!-1\n"
	before := g.worldNow()
	run := g.rest(g.apply(g.plan(manifest), manifest))
	if run.GetState() != syncv1.Run_STATE_SUCCEEDED {
		t.Fatalf("run is %v", run)
	}
	after := g.worldNow()
	undo, err := g.plans.CreateUndoPlan(g.as("bob"), &syncv1.CreateUndoPlanRequest{Name: run.GetName(), RequestId: "once"})
	if err != nil {
		t.Fatal(err)
	}
	if undo.GetUndoes() != run.GetName() || undo.GetCreator() != "bob" || undo.GetMode() != "undo" {
		t.Errorf("plan undoes %s, by %s, mode %s", undo.GetUndoes(), undo.GetCreator(), undo.GetMode())
	}
	if again, err := g.plans.CreateUndoPlan(g.as("bob"), &syncv1.CreateUndoPlanRequest{Name: run.GetName(), RequestId: "once"}); err != nil || again.GetName() != undo.GetName() {
		t.Errorf("the same request gives %s, %v; want %s", again.GetName(), err, undo.GetName())
	}
	if preview, err := g.plans.CreateUndoPlan(g.ctx(), &syncv1.CreateUndoPlanRequest{Name: run.GetName(), ValidateOnly: true}); err != nil || preview.GetName() != "" || len(preview.GetOperations()) == 0 {
		t.Errorf("preview is %v, %v", preview, err)
	}
	if !slices.ContainsFunc(undo.GetRemarks(), func(f *syncv1.ManifestFault) bool { return f.GetCode() == "not-undoable" }) {
		t.Errorf("remarks are %v; want that a password is lost", undo.GetRemarks())
	}
	undone := g.rest(g.apply(undo, ""))
	if undone.GetState() != syncv1.Run_STATE_SUCCEEDED {
		t.Fatalf("undoing is %v", undone)
	}
	if diff := worldsDiffer(before, g.worldNow()); diff != "" {
		t.Errorf("after undoing: %s", diff)
	}
	if secret := g.upstream.secrets["user0002@demo.example"]; len(secret) < 20 {
		t.Errorf("the user was created again with the password %q; want a drawn one", secret)
	}
	list, err := g.plans.ListPlans(g.ctx(), &syncv1.ListPlansRequest{Parent: parent, Undoes: run.GetName()})
	if err != nil || len(list.GetPlans()) != 1 || list.GetPlans()[0].GetName() != undo.GetName() {
		t.Errorf("plans that undo the run: %v, %v", list, err)
	}
	redo, err := g.plans.CreateUndoPlan(g.ctx(), &syncv1.CreateUndoPlanRequest{Name: undone.GetName()})
	if err != nil {
		t.Fatal(err)
	}
	if redone := g.rest(g.apply(redo, "")); redone.GetState() != syncv1.Run_STATE_SUCCEEDED {
		t.Fatalf("undoing the undoing is %v", redone)
	}
	if diff := worldsDiffer(after, g.worldNow()); diff != "" {
		t.Errorf("after undoing the undoing: %s", diff)
	}
}

// worldNow is what upstream holds that can be brought back.
func (g *gateway) worldNow() map[string]string {
	g.upstream.mu.Lock()
	defer g.upstream.mu.Unlock()
	all := map[string]string{}
	for _, kind := range []bulksync.Kind{bulksync.KindUser, bulksync.KindExtension, bulksync.KindDDI} {
		for r := range g.upstream.world.Records(kind) {
			words := string(r.HeldBy())
			if u, ok := r.(*bulksync.User); ok {
				words = fmt.Sprint(u.Attributes, u.Licences)
			}
			all[r.Key().String()] = words
		}
	}
	return all
}

func worldsDiffer(want, got map[string]string) string {
	for k, v := range want {
		if w, ok := got[k]; !ok || w != v {
			return fmt.Sprintf("%s: was %q, is %q", k, v, w)
		}
	}
	for k := range got {
		if _, ok := want[k]; !ok {
			return k + " was not there"
		}
	}
	return ""
}

// TestWhatCannotBeUndoneIsRefused: what changed since, a run that is going on, one that is not there.
func TestWhatCannotBeUndoneIsRefused(t *testing.T) {
	g := tunedGateway(t, 3, nil)
	run := g.rest(g.apply(g.plan(renaming), renaming))
	second := header + "upsert;user0001@demo.example;Ada;;;;\n"
	g.rest(g.apply(g.plan(second), second))
	_, err := g.plans.CreateUndoPlan(g.ctx(), &syncv1.CreateUndoPlanRequest{Name: run.GetName()})
	if reason := wantCode(t, err, codes.FailedPrecondition); reason != "CHANGED_SINCE" || !strings.Contains(err.Error(), `became "Ada"`) {
		t.Errorf("%s: %v", reason, err)
	}
	if plan, err := g.plans.CreateUndoPlan(g.ctx(), &syncv1.CreateUndoPlanRequest{Name: run.GetName(), Stale: syncv1.StalePolicy_STALE_POLICY_DROP}); err != nil || plan.GetOperationCount() != 0 {
		t.Errorf("dropped: %v, %v; want nothing to do", plan, err)
	}
	if plan, err := g.plans.CreateUndoPlan(g.ctx(), &syncv1.CreateUndoPlanRequest{Name: run.GetName(), Stale: syncv1.StalePolicy_STALE_POLICY_REPLAN}); err != nil || plan.GetOperationCount() != 1 {
		t.Errorf("put back: %v, %v; want one operation", plan, err)
	}
	_, err = g.plans.CreateUndoPlan(g.ctx(), &syncv1.CreateUndoPlanRequest{Name: parent + "/runs/run-x"})
	wantCode(t, err, codes.NotFound)
	_, err = g.plans.CreateUndoPlan(g.ctx(), &syncv1.CreateUndoPlanRequest{Name: run.GetName(), Stale: 99})
	wantCode(t, err, codes.InvalidArgument)

	third := header + "upsert;user0002@demo.example;Bea;;;;\n"
	plan := g.plan(third)
	release := g.upstream.hold()
	going := g.apply(plan, third)
	_, err = g.plans.CreateUndoPlan(g.ctx(), &syncv1.CreateUndoPlanRequest{Name: going.GetName()})
	if reason := wantCode(t, err, codes.FailedPrecondition); reason != "RUN_GOING_ON" {
		t.Errorf("going on: %s", reason)
	}
	release()
	g.rest(going)
}

// TestAStalePlanOverTheAPI checks a plan that went stale, makes another in its place, and runs the old one without what is
// stale.
func TestAStalePlanOverTheAPI(t *testing.T) {
	g := tunedGateway(t, 4, func(o *syncserver.Options) { o.Approval = bulksync.ApprovalOne })
	manifest := header + "upsert;user0001@demo.example;;;;+33298300511;\nupsert;user0002@demo.example;Bea;;;;\n"
	approve := func(plan *syncv1.Plan) {
		t.Helper()
		if _, err := g.plans.ApprovePlan(g.ctx(), &syncv1.ApprovePlanRequest{Name: plan.GetName()}); err != nil {
			t.Fatal(err)
		}
	}
	old := g.plan(manifest)
	approve(old)
	if check, err := g.plans.CheckPlan(g.ctx(), &syncv1.CheckPlanRequest{Name: old.GetName()}); err != nil || check.GetStaleCount() != 0 {
		t.Fatalf("fresh plan: %v, %v", check, err)
	}
	g.upstream.mu.Lock()
	g.upstream.world.Apply([]bulksync.RecordChange{{Record: &bulksync.DDI{ID: "d-1", Number: "+33298300511", Holder: userLogin(3), HolderID: "u-3"}}})
	g.upstream.mu.Unlock()

	check, err := g.plans.CheckPlan(g.ctx(), &syncv1.CheckPlanRequest{Name: old.GetName()})
	if err != nil || check.GetStaleCount() != 1 || check.GetStale()[0].GetKey() != "ddi/+33298300511" || check.GetDroppedCount() != 1 ||
		!strings.Contains(check.GetStale()[0].GetDifference(), "held by user0003@demo.example now") {
		t.Fatalf("stale plan: %v, %v", check, err)
	}
	resp, err := g.plans.Replan(g.as("ann"), &syncv1.ReplanRequest{Name: old.GetName()})
	if err != nil {
		t.Fatal(err)
	}
	made := resp.GetPlan()
	if made.GetReplaces() != old.GetName() || made.GetCreator() != "ann" || made.GetOperationCount() != 3 || made.GetAwaitingApproval() == "" {
		t.Errorf("new plan is %v; want ann's, with three operations, not approved", made)
	}
	if want := []string{"detach DDI +33298300511 from user0003@demo.example", "attach DDI +33298300511 to user0001@demo.example"}; !slices.Equal(resp.GetAdded(), want) || len(resp.GetGone()) != 1 {
		t.Errorf("gone %q, added %q; want one and %q", resp.GetGone(), resp.GetAdded(), want)
	}
	_, err = g.runs.ApplyPlan(g.ctx(), &syncv1.ApplyPlanRequest{Name: made.GetName()})
	if reason := wantCode(t, err, codes.FailedPrecondition); reason != "PLAN_NOT_APPROVED" {
		t.Errorf("new plan: %s", reason)
	}

	op, err := g.runs.ApplyPlan(g.ctx(), &syncv1.ApplyPlanRequest{Name: old.GetName(), Stale: syncv1.StalePolicy_STALE_POLICY_DROP})
	if err != nil {
		t.Fatal(err)
	}
	run := g.rest(runOf(t, op))
	if c := run.GetCounts(); run.GetState() != syncv1.Run_STATE_FAILED || c.GetDone() != 1 || c.GetSkipped() != 1 || run.GetStale() != syncv1.StalePolicy_STALE_POLICY_DROP {
		t.Errorf("run is %v; want one operation done and one left out", run)
	}
	_, err = g.runs.ApplyPlan(g.ctx(), &syncv1.ApplyPlanRequest{Name: old.GetName(), Stale: syncv1.StalePolicy_STALE_POLICY_REPLAN})
	wantCode(t, err, codes.InvalidArgument)
}

// TestTheHistoryIsFiltered lists runs and plans by who, when and how they ended.
func TestTheHistoryIsFiltered(t *testing.T) {
	g := tunedGateway(t, 3, nil)
	began := time.Now()
	var plans []*syncv1.Plan
	for i, who := range []string{"ann", "bob", "ann"} {
		manifest := header + fmt.Sprintf("upsert;user0001@demo.example;Name%d;;;;\n", i)
		plan, err := g.plans.CreatePlan(g.as(who), &syncv1.CreatePlanRequest{Parent: parent, Manifest: csv(manifest)})
		if err != nil {
			t.Fatal(err)
		}
		plans = append(plans, plan)
		g.upstream.mu.Lock()
		g.upstream.refuse[userLogin(1).Key()] = i == 2
		g.upstream.mu.Unlock()
		op, err := g.runs.ApplyPlan(g.as(who), &syncv1.ApplyPlanRequest{Name: plan.GetName()})
		if err != nil {
			t.Fatal(err)
		}
		g.rest(runOf(t, op))
	}
	for _, c := range []struct {
		name string
		req  *syncv1.ListRunsRequest
		want int
	}{
		{"all", &syncv1.ListRunsRequest{}, 3},
		{"by actor", &syncv1.ListRunsRequest{Actor: "ANN"}, 2},
		{"by state", &syncv1.ListRunsRequest{States: []syncv1.Run_State{syncv1.Run_STATE_FAILED}}, 1},
		{"by states", &syncv1.ListRunsRequest{States: []syncv1.Run_State{syncv1.Run_STATE_FAILED, syncv1.Run_STATE_SUCCEEDED}}, 3},
		{"by plan", &syncv1.ListRunsRequest{Plan: plans[1].GetName()}, 1},
		{"since", &syncv1.ListRunsRequest{Since: timestamppb.New(began)}, 3},
		{"until", &syncv1.ListRunsRequest{Until: timestamppb.New(began)}, 0},
	} {
		c.req.Parent, c.req.PageSize = parent, 1
		got := 0
		for {
			page, err := g.runs.ListRuns(g.ctx(), c.req)
			if err != nil {
				t.Fatal(err)
			}
			got += len(page.GetRuns())
			if c.req.PageToken = page.GetNextPageToken(); c.req.PageToken == "" {
				break
			}
		}
		if got != c.want {
			t.Errorf("runs %s: %d, want %d", c.name, got, c.want)
		}
	}
	if list, err := g.plans.ListPlans(g.ctx(), &syncv1.ListPlansRequest{Parent: parent, Creator: "ann", Since: timestamppb.New(began)}); err != nil || len(list.GetPlans()) != 2 {
		t.Errorf("ann's plans: %v, %v; want two", list, err)
	}
	_, err := g.runs.ListRuns(g.ctx(), &syncv1.ListRunsRequest{Parent: parent, Since: timestamppb.New(began), Until: timestamppb.New(began)})
	wantCode(t, err, codes.InvalidArgument)
}

// TestOldHistoryIsRemovedWhenAServerStarts keeps the last run only, and what it needs.
func TestOldHistoryIsRemovedWhenAServerStarts(t *testing.T) {
	g := tunedGateway(t, 3, nil)
	for i := range 3 {
		manifest := header + fmt.Sprintf("upsert;user0001@demo.example;Name%d;;;;\n", i)
		g.rest(g.apply(g.plan(manifest), manifest))
		g.plan(header + fmt.Sprintf("upsert;user0002@demo.example;Other%d;;;;\n", i))
	}
	g.close(5 * time.Second)
	tune := g.tune
	g.tune = func(o *syncserver.Options) {
		tune(o)
		o.Retention = bulksync.Retention{Runs: bulksync.Span{Last: 1}, Plans: bulksync.Span{Last: 1}}
	}
	g.start(true)
	deadline := time.Now().Add(10 * time.Second)
	for {
		runs, err := g.runs.ListRuns(g.ctx(), &syncv1.ListRunsRequest{Parent: parent})
		if err != nil {
			t.Fatal(err)
		}
		plans, err := g.plans.ListPlans(g.ctx(), &syncv1.ListPlansRequest{Parent: parent})
		if err != nil {
			t.Fatal(err)
		}
		if len(runs.GetRuns()) == 1 && len(plans.GetPlans()) == 2 {
			if runs.GetRuns()[0].GetPlan() != plans.GetPlans()[1].GetName() {
				t.Errorf("the plan of the run that is kept is gone: %v", plans)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d runs and %d plans are left, want 1 and 2", len(runs.GetRuns()), len(plans.GetPlans()))
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// TestAnApprovalIsTakenBack: it does not count any more, and the history keeps who did it.
func TestAnApprovalIsTakenBack(t *testing.T) {
	g := tunedGateway(t, 3, func(o *syncserver.Options) { o.Approval = bulksync.ApprovalDifferent })
	plan, err := g.plans.CreatePlan(g.as("ann"), &syncv1.CreatePlanRequest{Parent: parent, Manifest: csv(renaming)})
	if err != nil {
		t.Fatal(err)
	}
	withdraw := func(who, of string) (*syncv1.Plan, error) {
		return g.plans.WithdrawApproval(g.as(who), &syncv1.WithdrawApprovalRequest{Name: plan.GetName(), Of: of, Comment: "wrong week"})
	}
	approve := func(who string) {
		t.Helper()
		if _, err := g.plans.ApprovePlan(g.as(who), &syncv1.ApprovePlanRequest{Name: plan.GetName()}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := withdraw("bob", ""); wantCode(t, err, codes.FailedPrecondition) != "NOT_APPROVED" {
		t.Errorf("without an approval: %v", err)
	}
	approve("bob")
	if _, err := withdraw("eve", ""); wantCode(t, err, codes.FailedPrecondition) != "NOT_APPROVED" || !strings.Contains(err.Error(), "it has those of bob") {
		t.Errorf("eve takes back what she did not give: %v", err)
	}
	got, err := withdraw("bob", "")
	if err != nil {
		t.Fatal(err)
	}
	w := got.GetWithdrawals()
	if len(got.GetApprovals()) != 0 || len(w) != 1 || w[0].GetBy().GetName() != "bob" || w[0].GetApproval().GetBy().GetName() != "bob" || w[0].GetComment() != "wrong week" || got.GetAwaitingApproval() == "" {
		t.Errorf("after taking it back the plan is %v", got)
	}
	approve("bob")
	if got, err = withdraw("eve", "BOB"); err != nil || len(got.GetWithdrawals()) != 2 || got.GetWithdrawals()[1].GetBy().GetName() != "eve" {
		t.Errorf("eve takes back bob's: %v, %v", got, err)
	}
	_, err = g.runs.ApplyPlan(g.as("ann"), &syncv1.ApplyPlanRequest{Name: plan.GetName()})
	if reason := wantCode(t, err, codes.FailedPrecondition); reason != "PLAN_NOT_APPROVED" {
		t.Errorf("applied after all: %s", reason)
	}
}

// TestWhatIsTakenBackWhileARunWaitsCounts: a run that waits for its turn looks at its plan again before it begins.
func TestWhatIsTakenBackWhileARunWaitsCounts(t *testing.T) {
	for _, c := range []struct {
		name, reason string
		code         codes.Code
		meanwhile    func(g *gateway, plan string) error
	}{
		{"the approval is taken back", "PLAN_NOT_APPROVED", codes.FailedPrecondition, func(g *gateway, plan string) error {
			_, err := g.plans.WithdrawApproval(g.as("bob"), &syncv1.WithdrawApprovalRequest{Name: plan})
			return err
		}},
		{"the plan is deleted", "NOT_FOUND", codes.NotFound, func(g *gateway, plan string) error {
			_, err := g.plans.DeletePlan(g.ctx(), &syncv1.DeletePlanRequest{Name: plan})
			return err
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := tunedGateway(t, 3, func(o *syncserver.Options) { o.Approval = bulksync.ApprovalOne })
			approved := func(manifest string) *syncv1.Plan {
				plan := g.plan(manifest)
				if _, err := g.plans.ApprovePlan(g.as("bob"), &syncv1.ApprovePlanRequest{Name: plan.GetName()}); err != nil {
					t.Fatal(err)
				}
				return plan
			}
			first, second := approved(newUsers(1, 3)), approved(renaming)
			release := g.upstream.hold()
			run := g.apply(first, newUsers(1, 3))
			refused := make(chan error, 1)
			go func() {
				_, err := g.runs.ApplyPlan(g.as("ann"), &syncv1.ApplyPlanRequest{Name: second.GetName(), Wait: durationpb.New(10 * time.Second)})
				refused <- err
			}()
			time.Sleep(50 * time.Millisecond) // it waits
			if err := c.meanwhile(g, second.GetName()); err != nil {
				t.Fatal(err)
			}
			release()
			g.rest(run)
			if reason := wantCode(t, receive(t, refused), c.code); reason != c.reason {
				t.Errorf("reason %s, want %s", reason, c.reason)
			}
		})
	}
}

// TestARunIsForgotten: with all that is kept of it; what may still be wanted only by force.
func TestARunIsForgotten(t *testing.T) {
	g := tunedGateway(t, 3, nil)
	first := g.rest(g.apply(g.plan(renaming), renaming))
	again := strings.ReplaceAll(renaming, "Zoe", "Ada")
	last := g.rest(g.apply(g.plan(again), again))
	forget := func(run *syncv1.Run, force bool) error {
		_, err := g.runs.DeleteRun(g.ctx(), &syncv1.DeleteRunRequest{Name: run.GetName(), Force: force})
		return err
	}
	if err := forget(first, false); err != nil {
		t.Fatal(err)
	}
	_, err := g.runs.GetRun(g.ctx(), &syncv1.GetRunRequest{Name: first.GetName()})
	wantCode(t, err, codes.NotFound)
	wantCode(t, forget(first, true), codes.NotFound)
	if reason := wantCode(t, forget(last, false), codes.FailedPrecondition); reason != "RUN_IN_FORCE" {
		t.Errorf("the run in force: %s", reason)
	}
	if err := forget(last, true); err != nil {
		t.Fatal(err)
	}
	if drift, err := g.drifts.CheckDrift(g.ctx(), &syncv1.CheckDriftRequest{Name: parent + "/drift"}); err != nil || drift.GetDifferenceCount() != 0 {
		t.Errorf("its manifest is not in force any more: %v, %v", drift, err)
	}

	release := g.upstream.hold()
	going := g.apply(g.plan(newUsers(1, 3)), newUsers(1, 3))
	if reason := wantCode(t, forget(going, true), codes.FailedPrecondition); reason != "RUN_GOING_ON" {
		t.Errorf("a run that goes on: %s", reason)
	}
	if _, err := g.runs.CancelRun(g.ctx(), &syncv1.CancelRunRequest{Name: going.GetName()}); err != nil {
		t.Fatal(err)
	}
	release()
	g.rest(going)
	if reason := wantCode(t, forget(going, false), codes.FailedPrecondition); reason != "RUN_RESUMABLE" {
		t.Errorf("a run that can be resumed: %s", reason)
	}
	if err := forget(going, true); err != nil {
		t.Error(err)
	}
	if list, err := g.runs.ListRuns(g.ctx(), &syncv1.ListRunsRequest{Parent: parent}); err != nil || len(list.GetRuns()) != 0 {
		t.Errorf("runs left: %v, %v", list, err)
	}
}
