package state

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/rainbow-gateway/rainbow-gateway/internal/state/storetest"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// waiting is a store with a run that has freed a DDI; the change waits to be worked in.
func waiting(t *testing.T) (*Store, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state.db")
	s, err := Open(path, Options{UpstreamURL: "https://rainbow.example"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	storetest.Refresh(t, s, storetest.NewCompany("2026-01-01T00:00:00Z"), storetest.Populate(4))
	e := bulksync.JournalEntry{Company: storetest.Company, Run: "r1", Number: 1, Operations: []int{1}, Began: time.Unix(1, 0).UTC()}
	done := e
	done.Ended, done.Outcomes = e.Began, []bulksync.Outcome{{Operation: 1, Status: bulksync.Done}}
	free := bulksync.RecordChange{Key: storetest.DDI(1).Key(), Record: storetest.FreeDDI(1)}
	if err := errors.Join(s.CreateRun(t.Context(), storetest.NewRun("r1", 1)), s.Begin(t.Context(), e), s.End(t.Context(), storetest.Company, []bulksync.RecordChange{free}, done)); err != nil {
		t.Fatal(err)
	}
	if n := pendingOf(t, s); n != 1 {
		t.Fatalf("%d changes wait, want 1", n)
	}
	return s, path
}

func pendingOf(t *testing.T, s *Store) (n int) {
	t.Helper()
	err := s.db.View(func(tx *bolt.Tx) error {
		if b := getPending(tx, storetest.Company); b != nil {
			n = b.Stats().KeyN
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestWhatWaitsIsSeen(t *testing.T) {
	for name, look := range map[string]func(*Store) bool{
		"in the recorded state": func(s *Store) bool {
			view, err := s.Observed(t.Context(), storetest.Company)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = view.Close() }()
			d, ok := view.Record(storetest.DDI(1).Key()).(*bulksync.DDI)
			return ok && d.Holder == "" && !slices.Contains(view.Held(storetest.Login(1)), d.Key())
		},
		"in the run's traces": func(s *Store) bool {
			n := 0
			for trace, err := range s.Traces(t.Context(), storetest.Company, "r1") {
				if err != nil || trace.Before == nil || trace.Key != storetest.DDI(1).Key() {
					t.Errorf("trace %+v, %v", trace, err)
				}
				n++
			}
			return n == 1
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := waiting(t)
			if !look(s) {
				t.Error("the change is not seen")
			}
			if n := pendingOf(t, s); n != 0 {
				t.Errorf("%d changes wait still", n)
			}
		})
	}
}

// TestAForgottenRunLeavesNoTraces: what waits of a run that is deleted stays part of the recorded state, and comes back as no
// trace.
func TestAForgottenRunLeavesNoTraces(t *testing.T) {
	s, _ := waiting(t)
	if err := s.DeleteRun(t.Context(), storetest.Company, "r1"); err != nil {
		t.Fatal(err)
	}
	view, err := s.Observed(t.Context(), storetest.Company)
	if err != nil {
		t.Fatal(err)
	}
	if d, ok := view.Record(storetest.DDI(1).Key()).(*bulksync.DDI); !ok || d.Holder != "" {
		t.Errorf("DDI is %+v, want it free", d)
	}
	if err := view.Close(); err != nil {
		t.Error(err)
	}
	_ = s.db.View(func(tx *bolt.Tx) error {
		if getTraces(tx, storetest.Company, "r1") != nil {
			t.Error("the run's traces are there again")
		}
		return nil
	})
}

// TestAFileThatWasNotClosed is read only once somebody has opened it for writing, and then holds what waited.
func TestAFileThatWasNotClosed(t *testing.T) {
	_, path := waiting(t)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(t.TempDir(), "left.db")
	if err := os.WriteFile(left, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(left, Options{ReadOnly: true}); !errors.Is(err, ErrFormat) {
		if err == nil {
			_ = s.Close()
		}
		t.Errorf("open read only: %v, want ErrFormat", err)
	}
	for _, readOnly := range []bool{false, true} {
		s, err := Open(left, Options{ReadOnly: readOnly})
		if err != nil {
			t.Fatal(err)
		}
		if n := pendingOf(t, s); n != 0 {
			t.Errorf("%d changes wait", n)
		}
		view, err := s.Observed(t.Context(), storetest.Company)
		if err != nil {
			t.Fatal(err)
		}
		if d, ok := view.Record(storetest.DDI(1).Key()).(*bulksync.DDI); !ok || d.Holder != "" {
			t.Errorf("read only %t: DDI is %+v, want it free", readOnly, d)
		}
		if err := errors.Join(view.Close(), s.Close()); err != nil {
			t.Error(err)
		}
	}
}

// FuzzPending: what waits is read back as it was written, and anything else is refused or is a change.
func FuzzPending(f *testing.F) {
	f.Add(joinPending("run-1", change{key: storetest.DDI(1).Key(), stored: []byte("x")}))
	f.Add(joinPending("", change{key: bulksync.Login("a@demo.example").Key()}))
	f.Add([]byte{1, 200})
	f.Fuzz(func(t *testing.T, b []byte) {
		run, c, err := splitPending(b)
		if err != nil {
			return
		}
		again, d, err := splitPending(joinPending(run, c))
		if err != nil || again != run || d.key != c.key || !bytes.Equal(d.stored, c.stored) || (d.stored == nil) != (c.stored == nil) {
			t.Errorf("%q %+v comes back as %q %+v, %v", run, c, again, d, err)
		}
	})
}
