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

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// NewPlan is a plan of some operations.
func NewPlan(operations int) *bulksync.Plan {
	p := &bulksync.Plan{
		Format: bulksync.PlanFormat, Company: Company, Manifest: "d1ce", Mode: "rainbowvoice",
		Policy:    bulksync.Policy{Strict: true},
		Unchanged: bulksync.UnchangedOf(bulksync.Unchanged{Login: Login(1), Position: bulksync.Position{File: "a.csv", Line: 3}, Note: "as is"}),
		Remarks:   []bulksync.Fault{{Code: "ceiling", Message: "many"}},
		Touched:   []bulksync.Touch{{Key: Login(2).Key(), Hash: "abcd"}},
	}
	for i := range operations {
		p.Operations = append(p.Operations, bulksync.Operation{
			ID: i + 1, Action: bulksync.ActionUpdate, Key: Login(i).Key(), Login: Login(i), Reason: "jobTitle differs <&>\u2028",
			Changes:   []bulksync.Change{{Name: "jobTitle", Before: "a", After: fmt.Sprint("b", i)}},
			Positions: []bulksync.Position{{File: "a.csv", Line: i + 2, Column: 4}}, Needs: []int{i},
			Secret: &bulksync.SecretPlace{Position: bulksync.Position{File: "a.csv", Line: i + 2}, Field: "password"},
		})
	}
	return p
}

// NewStoredPlan is a plan with a name, made some hours after noon.
func NewStoredPlan(name string, hours, operations int) *bulksync.StoredPlan {
	p := NewPlan(operations)
	return &bulksync.StoredPlan{
		Name: name, Plan: p, Hash: p.Hash(), CreateTime: noon.Add(time.Duration(hours) * time.Hour), Creator: "ann",
		Sources: []string{"a.csv"},
	}
}

func plans(t *testing.T, h harness) {
	ctx := context.Background()
	for i, name := range []string{"p-b", "p-a", "p-c"} {
		if err := h.store.CreatePlan(ctx, NewStoredPlan(name, i, 3)); err != nil {
			t.Fatalf("CreatePlan: %v", err)
		}
	}
	if err := h.store.CreatePlan(ctx, NewStoredPlan("p-a", 9, 1)); !errors.Is(err, bulksync.ErrConflict) {
		t.Errorf("CreatePlan of a name that is taken = %v, want ErrConflict", err)
	}
	h.store = h.reopen(t, h.store)
	got, err := h.store.Plan(ctx, Company, "p-a")
	if diff := cmp.Diff(NewStoredPlan("p-a", 1, 3), got); err != nil || diff != "" {
		t.Errorf("Plan: %v (-want +got):\n%s", err, diff)
	}
	checkPlans(t, h, "p-c", "p-a", "p-b")
	if err := h.store.DeletePlan(ctx, Company, "p-a"); err != nil {
		t.Errorf("DeletePlan: %v", err)
	}
	checkPlans(t, h, "p-c", "p-b")
	for what, err := range map[string]error{
		"DeletePlan of a deleted plan":    h.store.DeletePlan(ctx, Company, "p-a"),
		"DeletePlan of an absent company": h.store.DeletePlan(ctx, "nobody", "p-b"),
		"Plan of a deleted plan":          second(h.store.Plan(ctx, Company, "p-a")),
		"Plan of an absent company":       second(h.store.Plan(ctx, "nobody", "p-b")),
	} {
		if !errors.Is(err, bulksync.ErrNotFound) {
			t.Errorf("%s = %v, want ErrNotFound", what, err)
		}
	}
}

// withdrawals: approvals that were taken back no longer count, and it is kept who took them back.
func withdrawals(t *testing.T, h harness) {
	ctx := context.Background()
	if err := h.store.CreatePlan(ctx, NewStoredPlan("p", 1, 1)); err != nil {
		t.Fatal(err)
	}
	for n := range 4 {
		if err := h.store.ApprovePlan(ctx, Company, "p", NewApproval(n)); err != nil {
			t.Fatal(err)
		}
	}
	w := bulksync.Withdrawal{By: bulksync.Principal{Name: "zoe", By: bulksync.VouchedByToken}, Time: noon, Comment: "wrong week"}
	odd := func(a bulksync.Approval) bool { return a == NewApproval(1) || a == NewApproval(3) }
	for _, want := range []int{2, 0} { // the second time there is nothing left
		if n, err := h.store.WithdrawApprovals(ctx, Company, "p", odd, w); n != want || err != nil {
			t.Errorf("WithdrawApprovals = %d, %v, want %d", n, err, want)
		}
	}
	if err := h.store.ApprovePlan(ctx, Company, "p", NewApproval(1)); err != nil { // again, after all
		t.Fatal(err)
	}
	h.store = h.reopen(t, h.store)
	want := NewStoredPlan("p", 1, 1)
	want.Approvals = []bulksync.Approval{NewApproval(0), NewApproval(2), NewApproval(1)}
	for _, n := range []int{1, 3} {
		w.Approval = NewApproval(n)
		want.Withdrawals = append(want.Withdrawals, w)
	}
	got, err := h.store.Plan(ctx, Company, "p")
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("Plan: %v (-want +got):\n%s", err, diff)
	}
	if _, err := h.store.WithdrawApprovals(ctx, Company, "absent", odd, w); !errors.Is(err, bulksync.ErrNotFound) {
		t.Errorf("WithdrawApprovals of an absent plan = %v, want ErrNotFound", err)
	}
}

func second[T any](_ T, err error) error { return err }

// checkPlans checks names and order of the list, and that it comes without operations.
func checkPlans(t *testing.T, h harness, want ...string) {
	t.Helper()
	list, err := h.store.Plans(context.Background(), Company)
	if err != nil {
		t.Fatalf("Plans: %v", err)
	}
	var names []string
	for _, p := range list {
		names = append(names, p.Name)
		if p.Plan == nil || p.Plan.Manifest != "d1ce" || p.Plan.Operations != nil {
			t.Errorf("listed plan %q has content %+v, want its head without operations", p.Name, p.Plan)
		}
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("Plans (-want +got):\n%s", diff)
	}
}

// planRoundTrip: the hash is over the JSON form, so that even the difference between no operations and none counts.
func planRoundTrip(t *testing.T, h harness) {
	ctx := context.Background()
	empty := NewPlan(0)
	empty.Operations = []bulksync.Operation{}
	for name, p := range map[string]*bulksync.Plan{
		"no operations": NewPlan(0), "an empty list": empty, "one": NewPlan(1), "many": NewPlan(20_000),
	} {
		if err := h.store.CreatePlan(ctx, &bulksync.StoredPlan{Name: name, Plan: p, Hash: p.Hash()}); err != nil {
			t.Fatalf("CreatePlan: %v", err)
		}
		got, err := h.store.Plan(ctx, Company, name)
		if err != nil {
			t.Fatalf("Plan: %v", err)
		}
		if got.Plan.Hash() != p.Hash() {
			t.Errorf("plan with %s came back with another hash", name)
		}
	}
}
