package state_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rainbow-gateway/rainbow-gateway/internal/state"
	"github.com/rainbow-gateway/rainbow-gateway/internal/state/storetest"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

var update = flag.Bool("update", false, "write the fixture of the current format anew")

// TestFormat1 opens a file that the first version wrote. A change of the format leaves this fixture alone, upgrades it on
// opening, and adds one of its own.
func TestFormat1(t *testing.T) {
	const fixture = "testdata/format1.db"
	if *update {
		writeFixture(t, fixture)
	}
	b, err := os.ReadFile(fixture)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "state.db")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	checkFixture(t, open(t, path))
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
	for _, err := range []error{
		s.CreatePlan(ctx, storetest.NewStoredPlan("p1", 1, 2)),
		s.CreateRun(ctx, storetest.NewRun("r1", 2)),
		s.Begin(ctx, fixtureCall(false)),
		s.End(ctx, storetest.Company, fixtureChanges(), fixtureCall(true)),
		s.Close(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func checkFixture(t *testing.T, s *state.Store) {
	t.Helper()
	ctx := context.Background()
	want := bulksync.NewWorld(storetest.NewCompany("2026-01-01T00:00:00Z"), storetest.Populate(4)...)
	want.Apply(fixtureChanges())
	storetest.CheckView(t, storetest.Observe(t, s, storetest.Company), want, storetest.Populate(4))
	p, err := s.Plan(ctx, storetest.Company, "p1")
	if diff := cmp.Diff(storetest.NewStoredPlan("p1", 1, 2), p); err != nil || diff != "" {
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
