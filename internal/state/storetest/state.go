package storetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

func shuffled(records []bulksync.Record) []bulksync.Record {
	rng := rand.New(rand.NewPCG(1, 2))
	rng.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
	return records
}

func recordedIsObserved(t *testing.T, h harness) {
	records := append(shuffled(Populate(600)), FreeDDI(9000))
	Refresh(t, h.store, NewCompany("2026-01-01T00:00:00Z"), records)
	CheckState(t, h.store, NewCompany("2026-01-01T00:00:00Z"), records)
	h.store = h.reopen(t, h.store)
	CheckState(t, h.store, NewCompany("2026-01-01T00:00:00Z"), records)
}

// details are records of the kinds that a refresh does not read.
func details() []bulksync.Record {
	return []bulksync.Record{
		&bulksync.Options{Login: Login(1), Group: bulksync.GroupBarring, SubscriberID: "s1", Values: []bulksync.Attribute{{Name: "permissions", Value: "local"}}},
		&bulksync.Options{Login: Login(1), Group: bulksync.GroupExternalForward, SubscriberID: "s1", Applied: "0011"},
		&bulksync.DeviceKeys{Device: "aabbccddee01", Keys: []bulksync.ProgrammableKey{{Module: 1, Number: 2, Type: "monitor", Destination: "2301", PhoneNumberID: "p1"}}},
		&bulksync.Settings{PbxID: "PBX712e", Group: bulksync.GroupCLI, Values: []bulksync.Attribute{{Name: "policy", Value: "user_ddi_number"}}},
		&bulksync.Release{Thing: bulksync.E164("+33298300513").Key(), Login: Login(1), Time: "2026-01-02T03:04:05Z"},
	}
}

func detailsAreRecorded(t *testing.T, h harness) {
	Refresh(t, h.store, NewCompany("2026-01-01T00:00:00Z"), Populate(3))
	var changes []bulksync.RecordChange
	for _, r := range details() {
		changes = append(changes, bulksync.RecordChange{Key: r.Key(), Record: r})
	}
	if err := h.store.End(context.Background(), Company, changes); err != nil {
		t.Fatal(err)
	}
	h.store = h.reopen(t, h.store)
	CheckState(t, h.store, NewCompany("2026-01-01T00:00:00Z"), append(Populate(3), details()...))
	Refresh(t, h.store, NewCompany("2026-01-02T00:00:00Z"), Populate(3))
	CheckState(t, h.store, NewCompany("2026-01-02T00:00:00Z"), Populate(3))
}

func unknownCompany(t *testing.T, h harness) {
	Refresh(t, h.store, NewCompany(""), nil)
	if _, err := h.store.Observed(context.Background(), "nobody"); !errors.Is(err, bulksync.ErrNotFound) {
		t.Errorf("Observed = %v, want ErrNotFound", err)
	}
	view := Observe(t, h.store, Company)
	if got := view.Record(Login(1).Key()); got != nil {
		t.Errorf("Record of an absent user = %v, want nil", got)
	}
	if got := view.Held(Login(1)); len(got) > 0 {
		t.Errorf("Held of an absent user = %v, want nothing", got)
	}
}

func refreshReplaces(t *testing.T, h harness) {
	replaces(t, h, 300)
}

func largeRefreshReplaces(t *testing.T, h harness) {
	replaces(t, h, 3_500)
}

// replaces has a refresh remove a part of the records, change some, move some between holders, and add others.
func replaces(t *testing.T, h harness, users int) {
	Refresh(t, h.store, NewCompany("2026-01-01T00:00:00Z"), Populate(users))
	var after []bulksync.Record
	for i, r := range Populate(2 * users)[3*users:] {
		if d, ok := r.(*bulksync.Device); ok {
			d.Holder = Login(users + i%500)
		}
		if u, ok := r.(*bulksync.User); ok {
			u.Admin = true
		}
		after = append(after, r)
	}
	Refresh(t, h.store, NewCompany("2026-02-02T00:00:00Z"), shuffled(after))
	h.store = h.reopen(t, h.store)
	CheckState(t, h.store, NewCompany("2026-02-02T00:00:00Z"), after)
	view := Observe(t, h.store, Company)
	if got := view.Record(Login(0).Key()); got != nil {
		t.Errorf("a user that upstream no longer has is still recorded: %v", got)
	}
	if got := view.Held(Login(0)); len(got) > 0 {
		t.Errorf("a user that upstream no longer has still holds %v", got)
	}
}

func failedRefresh(t *testing.T, h harness) {
	before := Populate(10)
	Refresh(t, h.store, NewCompany(""), before)
	broken := errors.New("upstream went away")
	err := h.store.Record(context.Background(), func(put func(bulksync.Record) error) (bulksync.Company, error) {
		if err := put(User(77)); err != nil {
			return bulksync.Company{}, err
		}
		return NewCompany(""), broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("Record = %v, want fill's own error", err)
	}
	CheckState(t, h.store, NewCompany(""), before)
}

func cancelledRefresh(t *testing.T, h harness) {
	before := Populate(10)
	Refresh(t, h.store, NewCompany(""), before)
	ctx, cancel := context.WithCancel(context.Background())
	err := h.store.Record(ctx, func(put func(bulksync.Record) error) (bulksync.Company, error) {
		err := put(User(77))
		cancel()
		return NewCompany(""), err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Record = %v, want context.Canceled", err)
	}
	CheckState(t, h.store, NewCompany(""), before)
}

func recordPutTwice(t *testing.T, h harness) {
	first, last := DDI(1), DDI(1)
	first.Holder, last.Holder = Login(1), Login(2)
	Refresh(t, h.store, NewCompany(""), []bulksync.Record{first, User(1), last})
	CheckState(t, h.store, NewCompany(""), []bulksync.Record{User(1), last})
	if got := Observe(t, h.store, Company).Held(Login(1)); len(got) > 0 {
		t.Errorf("the first holder still holds %v", got)
	}
}

func concurrentPuts(t *testing.T, h harness) {
	records := Populate(500)
	err := h.store.Record(context.Background(), func(put func(bulksync.Record) error) (bulksync.Company, error) {
		var wg sync.WaitGroup
		errs := make([]error, 4)
		for w := range errs {
			wg.Go(func() {
				for i := w; i < len(records); i += len(errs) {
					errs[w] = errors.Join(errs[w], put(records[i]))
				}
			})
		}
		wg.Wait()
		return NewCompany(""), errors.Join(errs...)
	})
	if err != nil {
		t.Fatalf("Record: %v", err)
	}
	CheckState(t, h.store, NewCompany(""), records)
}

func refreshHoldsNoLock(t *testing.T, h harness) {
	ctx := context.Background()
	Refresh(t, h.store, NewCompany(""), Populate(3))
	err := h.store.Record(ctx, func(put func(bulksync.Record) error) (bulksync.Company, error) {
		err := h.store.CreateRun(ctx, &bulksync.Run{Name: "r1", Company: Company})
		return NewCompany(""), errors.Join(err, h.store.Begin(ctx, bulksync.JournalEntry{Company: Company, Run: "r1", Number: 1}))
	})
	if err != nil {
		t.Fatalf("a refresh that calls the store: %v", err)
	}
}

func refreshKeepsRunsChanges(t *testing.T, h harness) {
	keepsRunsChanges(t, h, 200)
}

func largeRefreshKeepsRunsChanges(t *testing.T, h harness) {
	keepsRunsChanges(t, h, 3_500)
}

// keepsRunsChanges lets a run create a user, delete one and move a device after the refresh has read them, and the whole
// company change otherwise.
func keepsRunsChanges(t *testing.T, h harness, users int) {
	ctx := context.Background()
	Refresh(t, h.store, NewCompany(""), Populate(users))
	begun(t, h, "r1", 1)
	moved := Device(2)
	moved.Holder = Login(3)
	read := Populate(users)
	for _, r := range read {
		switch r := r.(type) {
		case *bulksync.User:
			r.Licences = nil
		case *bulksync.Extension:
			r.InternalNumber = "81000"
		case *bulksync.Device:
			r.Description = "desk"
		case *bulksync.DDI:
			r.Default = true
		}
	}
	err := h.store.Record(ctx, func(put func(bulksync.Record) error) (bulksync.Company, error) {
		for _, r := range read {
			if err := put(r); err != nil {
				return bulksync.Company{}, err
			}
		}
		return NewCompany("later"), h.store.End(ctx, Company, []bulksync.RecordChange{
			{Key: Login(users + 1).Key(), Record: User(users + 1)}, {Key: Login(1).Key()}, {Key: moved.Key(), Record: moved},
		}, ended("r1", 1, bulksync.Done))
	})
	if err != nil {
		t.Fatalf("Record: %v", err)
	}
	want := bulksync.NewWorld(NewCompany("later"), read...)
	want.Apply([]bulksync.RecordChange{{Key: Login(1).Key()}, {Key: moved.Key(), Record: moved}, {Key: Login(users + 1).Key(), Record: User(users + 1)}})
	CheckView(t, Observe(t, h.store, Company), want, read)
}

func snapshotIsConsistent(t *testing.T, h harness) {
	before := Populate(20)
	Refresh(t, h.store, NewCompany("before"), before)
	first := Observe(t, h.store, Company)
	Refresh(t, h.store, NewCompany("between"), Populate(25)[6:])
	second := Observe(t, h.store, Company)
	Refresh(t, h.store, NewCompany("after"), Populate(3_000))
	CheckView(t, first, bulksync.NewWorld(NewCompany("before"), before...), Populate(25))
	CheckView(t, second, bulksync.NewWorld(NewCompany("between"), Populate(25)[6:]...), Populate(25))
}

// snapshotSeesNoRun changes records at both ends of the walks and between, adds some, and lets everything change hands.
func snapshotSeesNoRun(t *testing.T, h harness) {
	before := Populate(600)
	Refresh(t, h.store, NewCompany("before"), before)
	view := Observe(t, h.store, Company)
	ctx := context.Background()
	begun(t, h, "r1", 1, 2)
	for i, changes := range [][]bulksync.RecordChange{runChanges(10), runChanges(11)} {
		if err := h.store.End(ctx, Company, changes, ended("r1", i+1, bulksync.Done)); err != nil {
			t.Fatalf("End: %v", err)
		}
		CheckView(t, view, bulksync.NewWorld(NewCompany("before"), before...), Populate(605))
	}
	Refresh(t, h.store, NewCompany("after"), before[100:])
	CheckView(t, view, bulksync.NewWorld(NewCompany("before"), before...), Populate(605))
}

// runChanges are changes to every step-th of the suite's first 600 users and to some that come after them.
func runChanges(step int) []bulksync.RecordChange {
	var changes []bulksync.RecordChange
	for n := 0; n < 605; n += step {
		device, ddi := Device(n), DDI(n)
		device.Holder, ddi.Holder = Login(n+1), ""
		changes = append(changes, bulksync.RecordChange{Key: User(n).Key()}, bulksync.RecordChange{Key: device.Key(), Record: device},
			bulksync.RecordChange{Key: ddi.Key(), Record: ddi}, bulksync.RecordChange{Key: Extension(n).Key()})
	}
	return append(changes, bulksync.RecordChange{Key: User(604).Key(), Record: User(604)}, bulksync.RecordChange{Key: DDI(604).Key(), Record: DDI(604)})
}

// walkSeesNoRun removes, while it walks, the users before and after the one it has just seen.
func walkSeesNoRun(t *testing.T, h harness) {
	before := Populate(600)
	Refresh(t, h.store, NewCompany("before"), before)
	begun(t, h, "r1")
	ctx, n := context.Background(), 0
	for r := range Observe(t, h.store, Company).Records(bulksync.KindUser) {
		if want := Login(n).Key(); r.Key() != want {
			t.Fatalf("user %d of the walk is %s, want %s", n, r.Key(), want)
		}
		if n++; n%60 != 0 {
			continue
		}
		changes := []bulksync.RecordChange{{Key: Login(n - 3).Key()}, {Key: Login(n + 30).Key()}, {Key: Login(599).Key()}, {Key: Login(700 + n).Key(), Record: User(700 + n)}}
		err := errors.Join(h.store.Begin(ctx, intent("r1", n)), h.store.End(ctx, Company, changes, ended("r1", n, bulksync.Done)))
		if err != nil {
			t.Fatalf("call %d: %v", n, err)
		}
	}
	if n != 600 {
		t.Errorf("the walk gave %d users, want 600", n)
	}
}

func snapshotIsConcurrent(t *testing.T, h harness) {
	records := Populate(400)
	Refresh(t, h.store, NewCompany(""), records)
	view := Observe(t, h.store, Company)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if got := len(walk(view, bulksync.KindUser)); got != 400 {
				t.Errorf("a walk saw %d users, want 400", got)
			}
			for n := range 400 {
				if got := view.Held(Login(n)); len(got) != 3 {
					t.Errorf("Held(%s) = %v, want three things", Login(n), got)
				}
				if diff := cmp.Diff(bulksync.Record(DDI(n)), view.Record(DDI(n).Key())); diff != "" {
					t.Errorf("record (-want +got):\n%s", diff)
				}
			}
		})
	}
	wg.Wait()
}

func companiesAreApart(t *testing.T, h harness) {
	other := NewCompany("")
	other.ID = "5b7d0c0ffee0000000000002"
	Refresh(t, h.store, NewCompany(""), Populate(5))
	Refresh(t, h.store, other, Populate(2))
	Refresh(t, h.store, NewCompany(""), Populate(4))
	CheckState(t, h.store, other, Populate(2))
	CheckState(t, h.store, NewCompany(""), Populate(4))
}

func walksStop(t *testing.T, h harness) {
	ctx := context.Background()
	Refresh(t, h.store, NewCompany(""), Populate(600))
	view := Observe(t, h.store, Company)
	for _, stop := range []int{1, 256, 257, 600} {
		seen := 0
		for r := range view.Records(bulksync.KindUser) {
			if want := Login(seen).Key(); r.Key() != want {
				t.Fatalf("walk: user %d is %s, want %s", seen, r.Key(), want)
			}
			if seen++; seen == stop {
				break
			}
		}
		if seen != stop {
			t.Errorf("walk gave %d users, want %d", seen, stop)
		}
	}
	begun(t, h, "r1", 1, 2)
	for e, err := range h.store.Journal(ctx, Company, "r1") {
		if err != nil || e.Number != 1 {
			t.Fatalf("journal began with %v, %v", e, err)
		}
		break
	}
}

func badRecords(t *testing.T, h harness) {
	bad := map[string]bulksync.Record{
		"a user without a login":        &bulksync.User{ID: "1"},
		"a holder that holds zero byte": &bulksync.DDI{Number: "+33298300513", Holder: "a\x00b@demo.example"},
	}
	for name, r := range bad {
		err := h.store.Record(context.Background(), func(put func(bulksync.Record) error) (bulksync.Company, error) {
			return NewCompany(""), put(r)
		})
		if err == nil {
			t.Errorf("%s was stored", name)
		}
	}
	err := h.store.Record(context.Background(), func(func(bulksync.Record) error) (bulksync.Company, error) {
		return bulksync.Company{}, nil
	})
	if err == nil {
		t.Error("a company without an id was stored")
	}
}
