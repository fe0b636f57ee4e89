package rainbow

import (
	"slices"
	"testing"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// lineage applies a manifest of a name that names the given users, and gives whom it deletes.
func (s *stage) lineage(name string, prune bool, users ...int) []bulksync.Login {
	s.Helper()
	policy := bulksync.Policy{Lineage: name, Scope: bulksync.Scope{{Name: bulksync.ScopeOwned}}}
	if prune {
		policy.Prune = bulksync.PruneDelete
	}
	entries := make([]bulksync.DesiredUser, len(users))
	for i, n := range users {
		entries[i] = user(seeded(n), func(u *bulksync.DesiredUser) { u.Attributes = attrs("title", name) })
	}
	plan := s.plan(policy, entries...)
	var goes []bulksync.Login
	for _, op := range plan.Operations {
		if op.Key.Kind == bulksync.KindUser && op.Action == bulksync.ActionDelete {
			goes = append(goes, op.Login)
		}
	}
	stored := &bulksync.StoredPlan{Name: s.engine.NewName("plan"), Plan: plan, Hash: plan.Hash(), CreateTime: s.engine.Clock(), Empty: len(plan.Operations) == 0}
	if err := s.engine.Store.CreatePlan(s.Context(), stored); err != nil {
		s.Fatal(err)
	}
	run := &bulksync.Run{Name: s.engine.NewName("run"), Company: sandbox.CompanyID, Plan: stored.Name, Hash: stored.Hash, State: bulksync.RunRunning, StartTime: s.engine.Clock()}
	if err := s.engine.Store.CreateRun(s.Context(), run); err != nil {
		s.Fatal(err)
	}
	if err := s.engine.Execute(s.Context(), bulksync.Execution{Run: run, Plan: plan, Secrets: s.secrets}); err != nil {
		s.Fatal(err)
	}
	if run.State != bulksync.RunSucceeded {
		s.Fatalf("run is %s: %+v", run.State, run)
	}
	return goes
}

// TestWhoIsOwned follows two manifests with names over several runs.
func TestWhoIsOwned(t *testing.T) {
	s := newStage(t, 8, Options{})
	s.refresh()
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	s.engine.Clock = func() time.Time {
		now = now.Add(time.Second)
		return now
	}
	want := func(what string, got []bulksync.Login, users ...int) {
		t.Helper()
		var all []bulksync.Login
		for _, n := range users {
			all = append(all, seeded(n))
		}
		if !slices.Equal(got, all) {
			t.Errorf("%s: %v go, want %v", what, got, all)
		}
	}
	want("the first manifest of a name owned nobody before", s.lineage("a", true, 1, 2, 3))
	want("without pruning nobody goes", s.lineage("a", false, 1, 2))
	want("another name owns nobody of the first", s.lineage("b", true, 2, 4))
	want("who was dropped without pruning is still owned, who another names is not", s.lineage("a", true, 1), 3)
	want("who is deleted is gone", s.lineage("a", true, 1))
	want("whom both had, the one that named him last deletes", s.lineage("b", true, 4), 2)
	want("and he is nobody's then", s.lineage("a", true, 1))
}
