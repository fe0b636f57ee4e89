package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// NewDesired is what a manifest of some users asks for.
func NewDesired(users int) *bulksync.Desired {
	d := &bulksync.Desired{Mode: "rainbowvoice", Digest: "d1ce", Users: &bulksync.Entries{}}
	for n := range users {
		d.Users.Append(&bulksync.DesiredUser{
			Login: Login(n), Action: "upsert", Attributes: []bulksync.Attribute{{Name: "jobTitle", Value: "operator"}, {Name: "lastName", Value: ""}},
			Subscriber: bulksync.Having(Extension(n).Number), Devices: bulksync.Having[bulksync.DeviceKey](),
			DDIs: bulksync.Adding(DDI(n).Number), Licences: bulksync.Without[bulksync.Offer]("Voice"),
			Pairings: bulksync.Having(bulksync.Pairing{PbxID: "PBX11aa", Number: "3000"}),
			Password: &bulksync.SecretPlace{Position: bulksync.Position{File: "a.csv", Line: n + 2, Column: 4}, Field: "password"},
			Position: bulksync.Position{File: "a.csv", Line: n + 2},
		})
	}
	return d
}

// NewApproval is an approval given some hours after noon.
func NewApproval(hours int) bulksync.Approval {
	return bulksync.Approval{
		Hash: "d1ce", Time: noon.Add(time.Duration(hours) * time.Hour), Comment: "looked at <it>",
		By: bulksync.Principal{Name: "bob@demo.example", ID: "5b7d0c0ffee1000000000002", Company: Company, By: bulksync.VouchedByToken},
	}
}

func approvals(t *testing.T, h harness) {
	ctx := context.Background()
	if err := h.store.CreatePlan(ctx, NewStoredPlan("p-a", 1, 3)); err != nil {
		t.Fatalf("CreatePlan: %v", err)
	}
	for i := range 12 {
		if err := h.store.ApprovePlan(ctx, Company, "p-a", NewApproval(i)); err != nil {
			t.Fatalf("ApprovePlan: %v", err)
		}
	}
	for what, err := range map[string]error{
		"ApprovePlan of an absent plan":    h.store.ApprovePlan(ctx, Company, "p-x", NewApproval(0)),
		"ApprovePlan of an absent company": h.store.ApprovePlan(ctx, "nobody", "p-a", NewApproval(0)),
	} {
		if !errors.Is(err, bulksync.ErrNotFound) {
			t.Errorf("%s = %v, want ErrNotFound", what, err)
		}
	}
	h.store = h.reopen(t, h.store)
	want := NewStoredPlan("p-a", 1, 3)
	for i := range 12 {
		want.Approvals = append(want.Approvals, NewApproval(i))
	}
	got, err := h.store.Plan(ctx, Company, "p-a")
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("Plan: %v (-want +got):\n%s", err, diff)
	}
	list, err := h.store.Plans(ctx, Company)
	if err != nil || len(list) != 1 || len(list[0].Approvals) != 12 {
		t.Errorf("Plans = %v, %v, want one plan with 12 approvals", list, err)
	}
}

func desiredOfPlans(t *testing.T, h harness) {
	ctx := context.Background()
	p := NewStoredPlan("p-a", 1, 3)
	p.Desired = NewDesired(5_000)
	for _, p := range []*bulksync.StoredPlan{p, NewStoredPlan("p-b", 2, 3)} {
		if err := h.store.CreatePlan(ctx, p); err != nil {
			t.Fatalf("CreatePlan: %v", err)
		}
	}
	h.store = h.reopen(t, h.store)
	got, err := h.store.PlanDesired(ctx, Company, "p-a")
	if diff := cmp.Diff(NewDesired(5_000), got); err != nil || diff != "" {
		t.Errorf("PlanDesired: %v (-want +got):\n%s", err, diff)
	}
	for what, err := range map[string]error{
		"PlanDesired of a plan stored without": second(h.store.PlanDesired(ctx, Company, "p-b")),
		"PlanDesired of an absent plan":        second(h.store.PlanDesired(ctx, Company, "p-x")),
		"PlanDesired of an absent company":     second(h.store.PlanDesired(ctx, "nobody", "p-a")),
	} {
		if !errors.Is(err, bulksync.ErrNotFound) {
			t.Errorf("%s = %v, want ErrNotFound", what, err)
		}
	}
}

func newApplied(run string) bulksync.Applied {
	return bulksync.Applied{
		Company: Company, Run: run, Plan: "p-" + run, Hash: "cafe", Manifest: "d1ce", Mode: "rainbowvoice",
		Sources: []string{"a.csv"}, Actor: "ann", Time: noon,
	}
}

// checkApplied checks which run put the one manifest in force into force; none when empty.
func checkApplied(t *testing.T, s bulksync.Store, run string, users int) {
	t.Helper()
	got, err := s.Applied(context.Background(), Company)
	if err != nil {
		t.Fatalf("Applied: %v", err)
	}
	var want []*bulksync.Applied
	if run != "" {
		a := newApplied(run)
		want = append(want, &a)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Applied (-want +got):\n%s", diff)
	}
	desired, err := s.AppliedDesired(context.Background(), Company, run)
	if users == 0 {
		if !errors.Is(err, bulksync.ErrNotFound) {
			t.Errorf("AppliedDesired = %v, %v, want ErrNotFound", desired, err)
		}
		return
	}
	if diff := cmp.Diff(NewDesired(users), desired); err != nil || diff != "" {
		t.Errorf("AppliedDesired: %v (-want +got):\n%s", err, diff)
	}
}

// titles: of each title the manifest applied last is in force, whatever others were applied since.
func titles(t *testing.T, h harness) {
	ctx := context.Background()
	put := func(run, lineage, repairs string) {
		t.Helper()
		p := NewStoredPlan("p-"+run, 1, 1)
		p.Desired, p.Repairs = NewDesired(len(run)), repairs
		a := newApplied(run)
		a.Policy.Lineage, a.Sources = lineage, []string{"./x/../a.csv"}
		if err := errors.Join(h.store.CreatePlan(ctx, p), h.store.SetApplied(ctx, a)); err != nil {
			t.Fatal(err)
		}
	}
	check := func(want ...string) {
		t.Helper()
		list, err := h.store.Applied(ctx, Company)
		var got []string
		for _, a := range list {
			got = append(got, a.Title()+" by "+a.Run)
		}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("Applied: %v (-want +got):\n%s", err, diff)
		}
	}
	put("r1", "company", "")
	put("r2", "", "")
	put("r3", "brest", "")
	check("brest by r3", "a.csv by r2", "company by r1")
	put("r40", "company", "")
	check("company by r40", "brest by r3", "a.csv by r2")
	put("r5", "brest", "r3") // a repair of what r3 put into force
	check("company by r40", "brest by r3", "a.csv by r2")
	h.store = h.reopen(t, h.store)
	for run, users := range map[string]int{"r40": 3, "r2": 2} {
		if got, err := h.store.AppliedDesired(ctx, Company, run); err != nil || got.Users.Len() != users {
			t.Errorf("what %s desires: %v, %v", run, got, err)
		}
	}
	if err := h.store.UndoApplied(ctx, Company, "r40", "u"); err != nil {
		t.Fatal(err)
	}
	check("brest by r3", "a.csv by r2", "company by r1")
	if err := h.store.ForgetApplied(ctx, Company, "company"); err != nil {
		t.Fatal(err)
	}
	check("brest by r3", "a.csv by r2")
	for what, err := range map[string]error{
		"ForgetApplied of what is not in force": h.store.ForgetApplied(ctx, Company, "company"),
		"ForgetApplied of an absent company":    h.store.ForgetApplied(ctx, "nobody", "brest"),
	} {
		if !errors.Is(err, bulksync.ErrNotFound) {
			t.Errorf("%s = %v, want ErrNotFound", what, err)
		}
	}
	for n := range 70 { // titles without end
		put(fmt.Sprintf("s%d", n), fmt.Sprintf("list %d", n), "")
	}
	if list, err := h.store.Applied(ctx, Company); err != nil || len(list) != 64 || list[0].Run != "s69" {
		t.Errorf("%d titles are kept, %v, want 64, the newest first", len(list), err)
	}
}

func applied(t *testing.T, h harness) {
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	checkApplied(t, h.store, "", 0)
	must(h.store.UndoApplied(ctx, Company, "r0", "r1"))
	for n := 1; n <= 3; n++ {
		p := NewStoredPlan(fmt.Sprintf("p-r%d", n), n, 1)
		p.Desired = NewDesired(n)
		must(h.store.CreatePlan(ctx, p))
		must(h.store.SetApplied(ctx, newApplied(fmt.Sprintf("r%d", n))))
	}
	must(h.store.SetApplied(ctx, newApplied("r3"))) // said again
	must(h.store.DeletePlan(ctx, Company, "p-r3"))  // what it desired is kept
	h.store = h.reopen(t, h.store)
	checkApplied(t, h.store, "r3", 3)

	must(h.store.UndoApplied(ctx, Company, "r3", "u3"))
	checkApplied(t, h.store, "r2", 2)
	must(h.store.UndoApplied(ctx, Company, "u3", "redo"))
	checkApplied(t, h.store, "r3", 3)
	must(h.store.UndoApplied(ctx, Company, "r2", "u2")) // not the last: nothing shows
	checkApplied(t, h.store, "r3", 3)
	must(h.store.UndoApplied(ctx, Company, "r3", "u3"))
	checkApplied(t, h.store, "r1", 1)
	must(h.store.UndoApplied(ctx, Company, "r1", "u1"))
	checkApplied(t, h.store, "", 0)
	for n := 4; n <= 20; n++ {
		must(h.store.SetApplied(ctx, newApplied(fmt.Sprintf("r%d", n))))
	}
	checkApplied(t, h.store, "r20", 0) // of a plan that is not stored
}

// tracedChanges moves a device, removes a DDI's holder, deletes an extension and creates another.
func tracedChanges() [][]bulksync.RecordChange {
	moved, moved2 := Device(1), Device(1)
	moved.Holder, moved2.Holder = Login(2), Login(3)
	made := Extension(9)
	return [][]bulksync.RecordChange{
		{{Key: moved.Key(), Record: moved}, {Key: DDI(1).Key(), Record: FreeDDI(1)}, {Key: Licence(1).Key(), Record: Licence(1)}},
		{{Key: Extension(1).Key()}, {Key: moved2.Key(), Record: moved2}, {Key: made.Key(), Record: made}},
	}
}

func traces(t *testing.T, h harness) {
	ctx := context.Background()
	Refresh(t, h.store, NewCompany("then"), Populate(4))
	if err := h.store.CreateRun(ctx, NewRun("r1", 1)); err != nil {
		t.Fatal(err)
	}
	for i, changes := range tracedChanges() {
		e := bulksync.JournalEntry{Company: Company, Run: "r1", Number: i + 1, Operations: []int{i + 1}, Began: noon}
		done := e
		done.Ended, done.Outcomes = noon, []bulksync.Outcome{{Operation: i + 1, Status: bulksync.Done}}
		for _, err := range []error{
			h.store.Begin(ctx, e), h.store.End(ctx, Company, changes, done), h.store.End(ctx, Company, changes, done),
			h.store.End(ctx, Company, []bulksync.RecordChange{{Key: Device(3).Key()}}), // by no run
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	h.store = h.reopen(t, h.store)
	moved := Device(1)
	moved.Holder = Login(3)
	want := []bulksync.Trace{
		{Key: Extension(1).Key(), Before: Extension(1)},
		{Key: Extension(9).Key(), After: Extension(9)},
		{Key: Device(1).Key(), Before: Device(1), After: moved},
		{Key: DDI(1).Key(), Before: DDI(1), After: FreeDDI(1)},
	}
	if diff := cmp.Diff(want, tracesOf(t, h.store, "r1")); diff != "" {
		t.Errorf("Traces (-want +got):\n%s", diff)
	}
	for _, err := range h.store.Traces(ctx, Company, "r-x") {
		if !errors.Is(err, bulksync.ErrNotFound) {
			t.Errorf("Traces of an absent run: %v, want ErrNotFound", err)
		}
	}
}

func tracesOf(t *testing.T, s bulksync.Store, run string) []bulksync.Trace {
	t.Helper()
	var all []bulksync.Trace
	for trace, err := range s.Traces(context.Background(), Company, run) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, trace)
	}
	return all
}

func deletedRuns(t *testing.T, h harness) {
	ctx := context.Background()
	Refresh(t, h.store, NewCompany("then"), Populate(4))
	for i, name := range []string{"r1", "r2"} {
		e := bulksync.JournalEntry{Company: Company, Run: name, Number: 1, Operations: []int{1}, Began: noon}
		done := e
		done.Ended, done.Outcomes = noon, []bulksync.Outcome{{Operation: 1, Status: bulksync.Done}}
		run := NewRun(name, i)
		ended := *run
		ended.Outcomes = done.Outcomes
		for _, err := range []error{
			h.store.CreateRun(ctx, run), h.store.Begin(ctx, e),
			h.store.End(ctx, Company, []bulksync.RecordChange{{Key: Device(i).Key()}}, done), h.store.UpdateRun(ctx, &ended),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := h.store.DeleteRun(ctx, Company, "r1"); err != nil {
		t.Fatalf("DeleteRun: %v", err)
	}
	h.store = h.reopen(t, h.store)
	for what, err := range map[string]error{
		"Run of a deleted run":           second(h.store.Run(ctx, Company, "r1")),
		"DeleteRun of a deleted run":     h.store.DeleteRun(ctx, Company, "r1"),
		"DeleteRun of an absent company": h.store.DeleteRun(ctx, "nobody", "r2"),
	} {
		if !errors.Is(err, bulksync.ErrNotFound) {
			t.Errorf("%s = %v, want ErrNotFound", what, err)
		}
	}
	left, err := h.store.Run(ctx, Company, "r2")
	if err != nil || len(left.Outcomes) != 1 || len(tracesOf(t, h.store, "r2")) != 1 {
		t.Errorf("the other run is %+v, %v, want it whole", left, err)
	}
	if err := h.store.CreateRun(ctx, NewRun("r1", 5)); err != nil || len(tracesOf(t, h.store, "r1")) != 0 {
		t.Errorf("a run of the same name: %v, with %d traces, want a new one without", err, len(tracesOf(t, h.store, "r1")))
	}
}

func companies(t *testing.T, h harness) {
	ctx := context.Background()
	if ids, err := h.store.Companies(ctx); err != nil || len(ids) > 0 {
		t.Errorf("Companies of an empty store = %v, %v", ids, err)
	}
	Refresh(t, h.store, NewCompany("then"), Populate(1))
	run := NewRun("r1", 1)
	run.Company = "another"
	if err := h.store.CreateRun(ctx, run); err != nil {
		t.Fatal(err)
	}
	ids, err := h.store.Companies(ctx)
	if diff := cmp.Diff([]string{Company, "another"}, ids); err != nil || diff != "" {
		t.Errorf("Companies: %v (-want +got):\n%s", err, diff)
	}
}
