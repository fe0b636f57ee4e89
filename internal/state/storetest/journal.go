package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// intent is a call of one operation, of the call's number.
func intent(run string, number int) bulksync.JournalEntry {
	return bulksync.JournalEntry{Company: Company, Run: run, Number: number, Operations: []int{number}, Began: noon}
}

// ended is the call with its outcome.
func ended(run string, number int, status bulksync.Status) bulksync.JournalEntry {
	e := intent(run, number)
	e.Ended = noon.Add(time.Second)
	e.Outcomes = []bulksync.Outcome{{Operation: number, Status: status, ID: fmt.Sprint("id", number), Attempts: 1}}
	return e
}

// begun creates a run and begins calls.
func begun(t *testing.T, h harness, run string, numbers ...int) {
	t.Helper()
	ctx := context.Background()
	if err := h.store.CreateRun(ctx, NewRun(run, 0)); err != nil {
		t.Fatalf("CreateRun: %v", err)
	}
	for _, n := range numbers {
		if err := h.store.Begin(ctx, intent(run, n)); err != nil {
			t.Fatalf("Begin: %v", err)
		}
	}
}

func checkJournal(t *testing.T, s bulksync.Store, run string, want ...bulksync.JournalEntry) {
	t.Helper()
	var got []bulksync.JournalEntry
	for e, err := range s.Journal(context.Background(), Company, run) {
		if err != nil {
			t.Fatalf("Journal: %v", err)
		}
		got = append(got, e)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("journal of %s (-want +got):\n%s", run, diff)
	}
}

func calls(t *testing.T, h harness) {
	ctx := context.Background()
	records := Populate(3)
	Refresh(t, h.store, NewCompany(""), records)
	begun(t, h, "r1")
	if err := h.store.Begin(ctx, intent("r1", 1), intent("r1", 2), intent("r1", 3)); err != nil {
		t.Fatalf("Begin: %v", err)
	}
	changes := []bulksync.RecordChange{
		{Key: Login(9).Key(), Record: User(9)}, {Key: DDI(1).Key(), Record: FreeDDI(1)}, {Key: Device(2).Key()},
	}
	withSeen := ended("r1", 2, bulksync.Done)
	withSeen.Outcomes[0].Seen = User(9) // not stored: it is among the changes
	if err := h.store.End(ctx, Company, changes, ended("r1", 1, bulksync.Done), withSeen); err != nil {
		t.Fatalf("End: %v", err)
	}
	h.store = h.reopen(t, h.store)
	checkJournal(t, h.store, "r1", ended("r1", 1, bulksync.Done), ended("r1", 2, bulksync.Done), intent("r1", 3))
	want := bulksync.NewWorld(NewCompany(""), records...)
	want.Apply(changes)
	CheckView(t, Observe(t, h.store, Company), want, records)
	if err := errors.Join(h.store.Begin(ctx), h.store.End(ctx, Company, nil)); err != nil {
		t.Errorf("Begin and End of nothing: %v", err)
	}
}

func journalOrder(t *testing.T, h harness) {
	ctx := context.Background()
	begun(t, h, "r1")
	var entries, want []bulksync.JournalEntry
	for n := range 700 {
		want = append(want, intent("r1", n))
	}
	for _, i := range rand.New(rand.NewPCG(3, 4)).Perm(700) {
		entries = append(entries, want[i])
	}
	if err := h.store.Begin(ctx, entries...); err != nil {
		t.Fatalf("Begin: %v", err)
	}
	checkJournal(t, h.store, "r1", want...)
	n := 0
	for e, err := range h.store.Journal(ctx, Company, "r1") {
		if err != nil {
			t.Fatalf("Journal: %v", err)
		}
		if n++; n%100 == 0 {
			if err := h.store.End(ctx, Company, nil, ended("r1", e.Number, bulksync.Failed)); err != nil {
				t.Fatalf("End during a walk: %v", err)
			}
		}
	}
	if n != 700 {
		t.Errorf("a walk during which calls end gave %d calls, want 700", n)
	}
}

func refusedBegins(t *testing.T, h harness) {
	ctx := context.Background()
	begun(t, h, "r1", 1)
	if err := h.store.Begin(ctx, intent("r1", 2), intent("r1", 1)); !errors.Is(err, bulksync.ErrConflict) {
		t.Errorf("Begin of a call that was begun = %v, want ErrConflict", err)
	}
	if err := h.store.Begin(ctx, intent("r1", 3), intent("r1", 3)); !errors.Is(err, bulksync.ErrConflict) {
		t.Errorf("Begin of one call twice = %v, want ErrConflict", err)
	}
	if err := h.store.Begin(ctx, intent("r2", 1)); !errors.Is(err, bulksync.ErrNotFound) {
		t.Errorf("Begin for an absent run = %v, want ErrNotFound", err)
	}
	if err := h.store.Begin(ctx, intent("r1", -1)); err == nil {
		t.Error("Begin of call -1 was accepted")
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if err := h.store.Begin(cancelled, intent("r1", 4)); !errors.Is(err, context.Canceled) {
		t.Errorf("Begin with a cancelled context = %v, want context.Canceled", err)
	}
	checkJournal(t, h.store, "r1", intent("r1", 1))
	for _, err := range h.store.Journal(ctx, Company, "r2") {
		if !errors.Is(err, bulksync.ErrNotFound) {
			t.Errorf("Journal of an absent run = %v, want ErrNotFound", err)
		}
	}
}

func refusedEnds(t *testing.T, h harness) {
	ctx := context.Background()
	begun(t, h, "r1", 1, 2)
	if err := h.store.End(ctx, Company, nil, ended("r1", 1, bulksync.Done)); err != nil {
		t.Fatalf("End: %v", err)
	}
	user := []bulksync.RecordChange{{Key: Login(9).Key(), Record: User(9)}}
	cases := []struct {
		what    string
		changes []bulksync.RecordChange
		entry   bulksync.JournalEntry
		want    error
	}{
		{"a call that was not begun", nil, ended("r1", 3, bulksync.Done), bulksync.ErrNotFound},
		{"a call of an absent run", nil, ended("r2", 1, bulksync.Done), bulksync.ErrNotFound},
		{"a call that has ended otherwise", nil, ended("r1", 1, bulksync.Failed), bulksync.ErrConflict},
		{"changes of a company never recorded", user, ended("r1", 2, bulksync.Done), bulksync.ErrNotFound},
	}
	for _, c := range cases {
		if err := h.store.End(ctx, Company, c.changes, c.entry); !errors.Is(err, c.want) {
			t.Errorf("End of %s = %v, want %v", c.what, err, c.want)
		}
	}
	if err := h.store.End(ctx, Company, nil, ended("r1", 1, bulksync.Done), ended("r1", 2, bulksync.Done)); !errors.Is(err, bulksync.ErrConflict) {
		t.Errorf("End of calls of which one has ended = %v, want ErrConflict", err)
	}
	if err := h.store.End(ctx, "another", nil, ended("r1", 2, bulksync.Done)); err == nil {
		t.Error("End of another company's call was accepted")
	}
	if err := h.store.End(ctx, Company, []bulksync.RecordChange{{Key: Login(1).Key(), Record: User(2)}}, ended("r1", 2, bulksync.Done)); err == nil {
		t.Error("a change with another record's key was accepted")
	}
	checkJournal(t, h.store, "r1", ended("r1", 1, bulksync.Done), intent("r1", 2))
}

func repeatedEnd(t *testing.T, h harness) {
	ctx := context.Background()
	Refresh(t, h.store, NewCompany(""), nil)
	begun(t, h, "r1", 1, 2)
	create := []bulksync.RecordChange{{Key: Login(9).Key(), Record: User(9)}}
	remove := []bulksync.RecordChange{{Key: Login(9).Key()}}
	for i, err := range []error{
		h.store.End(ctx, Company, create, ended("r1", 1, bulksync.Done)),
		h.store.End(ctx, Company, remove, ended("r1", 2, bulksync.Done)),
		h.store.End(ctx, Company, create, ended("r1", 1, bulksync.Done)),
	} {
		if err != nil {
			t.Errorf("End %d: %v", i, err)
		}
	}
	if r := Observe(t, h.store, Company).Record(Login(9).Key()); r != nil {
		t.Error("the repeated end was carried out again and brought back a deleted user")
	}
}

func unknownOutcome(t *testing.T, h harness) {
	ctx := context.Background()
	begun(t, h, "r1", 1)
	for _, status := range []bulksync.Status{bulksync.Unknown, bulksync.NotDone} {
		if err := h.store.End(ctx, Company, nil, ended("r1", 1, status)); err != nil {
			t.Errorf("End with status %s: %v", status, err)
		}
	}
	checkJournal(t, h.store, "r1", ended("r1", 1, bulksync.NotDone))
}

func endAfterCancel(t *testing.T, h harness) {
	begun(t, h, "r1", 1)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := h.store.End(ctx, Company, nil, ended("r1", 1, bulksync.Done)); err != nil {
		t.Errorf("End: %v", err)
	}
	checkJournal(t, h.store, "r1", ended("r1", 1, bulksync.Done))
}

// changesInOrder: one number goes from hand to hand within one transaction.
func changesInOrder(t *testing.T, h harness) {
	var changes []bulksync.RecordChange
	for _, holder := range []bulksync.Login{Login(1), Login(2), "", Login(3), Login(1), Login(2)} {
		d := DDI(5)
		d.Holder = holder
		changes = append(changes, bulksync.RecordChange{Key: d.Key(), Record: d}, bulksync.RecordChange{Key: Login(4).Key()},
			bulksync.RecordChange{Key: Login(4).Key(), Record: User(4)})
	}
	Refresh(t, h.store, NewCompany(""), Populate(6))
	begun(t, h, "r1", 1)
	if err := h.store.End(context.Background(), Company, changes, ended("r1", 1, bulksync.Done)); err != nil {
		t.Fatalf("End: %v", err)
	}
	want := bulksync.NewWorld(NewCompany(""), Populate(6)...)
	want.Apply(changes)
	CheckView(t, Observe(t, h.store, Company), want, Populate(6))
}

func refusedEndChangesNothing(t *testing.T, h harness) {
	ctx := context.Background()
	records := Populate(3)
	Refresh(t, h.store, NewCompany(""), records)
	begun(t, h, "r1", 1)
	err := h.store.End(ctx, Company, []bulksync.RecordChange{{Key: Login(1).Key()}}, ended("r1", 1, bulksync.Done), ended("r1", 2, bulksync.Done))
	if !errors.Is(err, bulksync.ErrNotFound) {
		t.Errorf("End = %v, want ErrNotFound", err)
	}
	checkJournal(t, h.store, "r1", intent("r1", 1))
	CheckState(t, h.store, NewCompany(""), records)
}

// parallelWorkers lets good and bad calls meet in one write to disk: a bad one must not take others with it.
func parallelWorkers(t *testing.T, h harness) {
	const workers, each = 8, 20
	ctx := context.Background()
	Refresh(t, h.store, NewCompany(""), Populate(workers*each))
	begun(t, h, "r1")
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				n := w*each + i
				change := []bulksync.RecordChange{{Key: DDI(n).Key(), Record: FreeDDI(n)}}
				if err := h.store.Begin(ctx, intent("r1", n)); err != nil {
					t.Errorf("Begin: %v", err)
				}
				if err := h.store.Begin(ctx, intent("r1", n)); !errors.Is(err, bulksync.ErrConflict) {
					t.Errorf("second Begin = %v, want ErrConflict", err)
				}
				if err := h.store.End(ctx, Company, change, ended("r1", n, bulksync.Done)); err != nil {
					t.Errorf("End: %v", err)
				}
			}
		})
	}
	wg.Wait()
	var want []bulksync.JournalEntry
	records := []bulksync.Record{Licence(1)}
	for n := range workers * each {
		want = append(want, ended("r1", n, bulksync.Done))
		records = append(records, User(n), Extension(n), Device(n), FreeDDI(n))
	}
	checkJournal(t, h.store, "r1", want...)
	CheckState(t, h.store, NewCompany(""), records)
}

// heldProperty makes random changes, and refreshes among them, and compares with the engine's own world.
func heldProperty(t *testing.T, h harness) {
	ctx := context.Background()
	rng := rand.New(rand.NewPCG(5, 6))
	records := Populate(8)
	Refresh(t, h.store, NewCompany(""), records)
	begun(t, h, "r1")
	world := bulksync.NewWorld(NewCompany(""), records...)
	for n := range 60 {
		var changes []bulksync.RecordChange
		for range 1 + rng.IntN(6) {
			changes = append(changes, randomChange(rng))
		}
		if err := h.store.Begin(ctx, intent("r1", n)); err != nil {
			t.Fatalf("Begin: %v", err)
		}
		if err := h.store.End(ctx, Company, changes, ended("r1", n, bulksync.Done)); err != nil {
			t.Fatalf("End: %v", err)
		}
		world.Apply(changes)
		if n%20 == 19 {
			records := shuffled(Populate(6 + rng.IntN(4)))
			Refresh(t, h.store, NewCompany(""), records)
			world = bulksync.NewWorld(NewCompany(""), records...)
		}
		if n%5 == 0 {
			CheckWorld(t, h.store, world)
		}
	}
	CheckWorld(t, h.store, world)
}

// CheckWorld compares a store with a world for the holders and records of the first users.
func CheckWorld(t testing.TB, s bulksync.Store, world *bulksync.World) {
	t.Helper()
	view, err := s.Observed(context.Background(), Company)
	if err != nil {
		t.Fatalf("Observed: %v", err)
	}
	CheckView(t, view, world, Populate(10))
	if err := view.Close(); err != nil {
		t.Errorf("snapshot: %v", err)
	}
}

func randomChange(rng *rand.Rand) bulksync.RecordChange {
	n := rng.IntN(8)
	holder := Login(rng.IntN(8))
	if rng.IntN(4) == 0 {
		holder = ""
	}
	extension, device, ddi := Extension(n), Device(n), DDI(n)
	extension.Holder, device.Holder, ddi.Holder = holder, holder, holder
	r := []bulksync.Record{User(n), extension, device, ddi}[rng.IntN(4)]
	if rng.IntN(3) == 0 {
		return bulksync.RecordChange{Key: r.Key()}
	}
	return bulksync.RecordChange{Key: r.Key(), Record: r}
}
