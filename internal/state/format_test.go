package state_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"

	"github.com/rainbow-gateway/rainbow-gateway/internal/state"
	"github.com/rainbow-gateway/rainbow-gateway/internal/state/storetest"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

var update = flag.Bool("update", false, "write the fixture of the current format anew")

// TestFormats opens files that earlier versions wrote, and one of the current format, which -update writes anew. A change of
// the format leaves the old fixtures alone, upgrades them on opening, and adds one of its own.
func TestFormats(t *testing.T) {
	const current = "testdata/format3.db"
	if *update {
		writeFixture(t, current)
	}
	for fixture, sources := range map[string][]string{"testdata/format1.db": nil, "testdata/format2.db": nil, current: {"a.csv"}} {
		t.Run(filepath.Base(fixture), func(t *testing.T) {
			b, err := os.ReadFile(fixture)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "state.db")
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			s := open(t, path)
			checkFixture(t, s)
			if fixture != "testdata/format1.db" {
				checkHistory(t, s, sources)
			}
		})
	}
}

// TestFormat1Outcomes upgrades a file in which runs held their outcomes.
func TestFormat1Outcomes(t *testing.T) {
	b, err := os.ReadFile("testdata/format1.db")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "state.db")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	ended := storetest.NewRun("r1", 2)
	ended.Outcomes = fixtureCall(true).Outcomes
	doc, err := json.Marshal(ended)
	if err != nil {
		t.Fatal(err)
	}
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte("companies")).Bucket([]byte(storetest.Company)).Bucket([]byte("runs")).Put([]byte("r1"), doc)
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	got, err := s.Run(context.Background(), storetest.Company, "r1")
	if diff := cmp.Diff(ended, got); err != nil || diff != "" {
		t.Errorf("run: %v (-want +got):\n%s", err, diff)
	}
	list, err := s.Runs(context.Background(), storetest.Company)
	if err != nil || len(list) != 1 || list[0].Outcomes != nil {
		t.Errorf("Runs = %+v, %v, want one run without outcomes", list, err)
	}
}

func fixtureCall(ended bool) bulksync.JournalEntry {
	e := bulksync.JournalEntry{
		Company: storetest.Company, Run: "r1", Number: 1, Operations: []int{1, 2}, Began: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC),
	}
	if ended {
		e.Ended = e.Began.Add(time.Second)
		e.Outcomes = []bulksync.Outcome{
			{Operation: 1, Status: bulksync.Done, ID: "5b7d0c0ffee1000000000077", Attempts: 2},
			{Operation: 2, Status: bulksync.Failed, Code: 2003, Message: "already assigned to someone else"},
		}
	}
	return e
}

func fixtureChanges() []bulksync.RecordChange {
	return []bulksync.RecordChange{
		{Key: storetest.DDI(1).Key(), Record: storetest.FreeDDI(1)}, {Key: storetest.Device(2).Key()},
	}
}

func writeFixture(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	s, err := state.Open(path, state.Options{UpstreamURL: upstreamURL})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	storetest.Refresh(t, s, storetest.NewCompany("2026-01-01T00:00:00Z"), storetest.Populate(4))
	plan := storetest.NewStoredPlan("p2", 1, 2)
	plan.Desired = storetest.NewDesired(2)
	ended := storetest.NewRun("r2", 2)
	ended.Outcomes = fixtureCall(true).Outcomes
	for _, err := range []error{
		s.CreatePlan(ctx, storetest.NewStoredPlan("p1", 1, 2)),
		s.CreatePlan(ctx, plan),
		s.ApprovePlan(ctx, storetest.Company, "p2", storetest.NewApproval(2)),
		s.CreateRun(ctx, storetest.NewRun("r1", 2)),
		s.CreateRun(ctx, ended),
		s.Begin(ctx, fixtureCall(false)),
		s.End(ctx, storetest.Company, fixtureChanges(), fixtureCall(true)),
		s.SetApplied(ctx, fixtureApplied()),
		s.Close(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func fixtureApplied() bulksync.Applied {
	return bulksync.Applied{Company: storetest.Company, Run: "r2", Plan: "p2", Manifest: "d1ce", Mode: "rainbowvoice"}
}

// checkHistory checks what the current format keeps beyond the first.
func checkHistory(t *testing.T, s *state.Store, sources []string) {
	t.Helper()
	ctx := context.Background()
	p, err := s.Plan(ctx, storetest.Company, "p2")
	if err != nil || len(p.Approvals) != 1 || !cmp.Equal(p.Approvals[0], storetest.NewApproval(2)) {
		t.Errorf("plan %+v, %v, want one with an approval", p, err)
	}
	r, err := s.Run(ctx, storetest.Company, "r2")
	if err != nil || !cmp.Equal(r.Outcomes, fixtureCall(true).Outcomes) {
		t.Errorf("run %+v, %v, want one with outcomes", r, err)
	}
	want := fixtureApplied()
	want.Sources = sources // of its plan, since format 3
	a, err := s.Applied(ctx, storetest.Company)
	if diff := cmp.Diff([]*bulksync.Applied{&want}, a); err != nil || diff != "" {
		t.Errorf("applied manifests: %v (-want +got):\n%s", err, diff)
	}
	desired, err := s.AppliedDesired(ctx, storetest.Company, want.Run)
	if diff := cmp.Diff(storetest.NewDesired(2), desired); err != nil || diff != "" {
		t.Errorf("what it desires: %v (-want +got):\n%s", err, diff)
	}
	traced := 0
	for trace, err := range s.Traces(ctx, storetest.Company, "r1") {
		if traced++; err != nil || trace.Before == nil {
			t.Errorf("trace %+v, %v, want a record before", trace, err)
		}
	}
	if traced != len(fixtureChanges()) {
		t.Errorf("%d traces, want %d", traced, len(fixtureChanges()))
	}
}

func checkFixture(t *testing.T, s *state.Store) {
	t.Helper()
	ctx := context.Background()
	want := bulksync.NewWorld(storetest.NewCompany("2026-01-01T00:00:00Z"), storetest.Populate(4)...)
	want.Apply(fixtureChanges())
	storetest.CheckView(t, storetest.Observe(t, s, storetest.Company), want, storetest.Populate(4))
	p, err := s.Plan(ctx, storetest.Company, "p1")
	plan := storetest.NewStoredPlan("p1", 1, 2)
	if err == nil { // the plan's own format, and so its hash, is that of its day
		plan.Plan.Format, plan.Hash = p.Plan.Format, p.Hash
	}
	if diff := cmp.Diff(plan, p); err != nil || diff != "" {
		t.Errorf("plan: %v (-want +got):\n%s", err, diff)
	}
	r, err := s.Run(ctx, storetest.Company, "r1")
	if diff := cmp.Diff(storetest.NewRun("r1", 2), r); err != nil || diff != "" {
		t.Errorf("run: %v (-want +got):\n%s", err, diff)
	}
	for e, err := range s.Journal(ctx, storetest.Company, "r1") {
		if diff := cmp.Diff(fixtureCall(true), e); err != nil || diff != "" {
			t.Errorf("call: %v (-want +got):\n%s", err, diff)
		}
	}
	if s.Upstream() != upstreamURL {
		t.Errorf("upstream = %q, want %q", s.Upstream(), upstreamURL)
	}
}
