package sync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	gosync "sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestAKilledRunResumesToTheSameEnd carries drawn plans out against a model of upstream that loses answers, while the
// process dies at drawn writes to the store. However often that happens: resuming ends where an undisturbed run ends,
// nothing takes effect twice, and the recorded state is what upstream holds.
func TestAKilledRunResumesToTheSameEnd(t *testing.T) {
	crashes, lost := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		start, desired := drawWorld(t), drawDesired(t)
		plan, err := MakePlan(desired, start, Policy{})
		if err != nil || len(plan.Operations) == 0 {
			return
		}
		want := Overlay(start)
		for i := range plan.Operations {
			want.Apply(Effects(&plan.Operations[i], want, createdID(&plan.Operations[i])))
		}

		store := newBooks(start)
		target := &model{world: Overlay(start), done: map[int]int{}, loses: rapid.SliceOfN(rapid.IntRange(0, 5), 40, 40).Draw(t, "answers")}
		engine := &Engine{Store: store, Target: target}
		run := &Run{Name: "run-1", Company: "c1", Plan: "plan-1", Hash: plan.Hash(), State: RunRunning, Options: RunOption{Parallel: rapid.IntRange(1, 4).Draw(t, "parallel")}}
		if err := store.CreateRun(context.Background(), run); err != nil {
			t.Fatal(err)
		}
		for try := 0; ; try++ {
			if try > 60 {
				t.Fatalf("run never ends: %+v", run)
			}
			store.dieAfter(rapid.IntRange(0, 6).Draw(t, "writes before death"), try > 30)
			err := engine.Execute(context.Background(), Execution{Run: run, Plan: plan, Secrets: anySecret{}})
			if err == nil && run.State == RunSucceeded {
				break
			}
			if err != nil && !errors.Is(err, errDied) {
				t.Fatalf("execute: %v", err)
			}
			// A run may fail when the same answer is lost too often in a row; resuming tries again what failed.
			if err == nil && run.State != RunWaiting && run.State != RunFailed {
				t.Fatalf("run ended as %s: %s\n%+v", run.State, run.Message, run.Outcomes)
			}
			crashes++
		}
		lost += target.lost
		for _, op := range plan.Operations {
			if n := target.done[op.ID]; n != 1 {
				t.Fatalf("operation %d (%s) took effect %d times", op.ID, op.Title(), n)
			}
		}
		if diff := difference(want, target.world); diff != "" {
			t.Fatalf("upstream is not as after an undisturbed run: %s", diff)
		}
		if diff := difference(target.world, store.world); diff != "" {
			t.Fatalf("the recorded state is not what upstream holds: %s", diff)
		}
	})
	if crashes == 0 || lost == 0 {
		t.Fatalf("%d crashes, %d lost answers: the drawing is too tame", crashes, lost)
	}
}

// createdID is the id that the model gives to what an operation creates.
func createdID(op *Operation) string { return fmt.Sprintf("made-%d", op.ID) }

func difference(want, got *World) string {
	for _, kind := range Kinds() {
		a, b := listed(want, kind), listed(got, kind)
		for _, k := range slices.Sorted(maps.Keys(merge(a, b))) {
			if a[k] != b[k] {
				return fmt.Sprintf("%s: want hash %q, got %q", k, a[k], b[k])
			}
		}
	}
	return ""
}

func listed(w *World, kind Kind) map[string]string {
	all := map[string]string{}
	for r := range w.Records(kind) {
		all[r.Key().String()] = Hash(r)
	}
	return all
}

func merge(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

type anySecret struct{}

func (anySecret) Secret(Login, string) (string, bool) { return "Sample-Pass-1", true }

// model is an upstream that does what it is asked, unless its next answer is drawn to be lost: 0 before the effect, 1
// after it. Users go in batches of two.
type model struct {
	mu    gosync.Mutex
	world *World
	done  map[int]int
	loses []int
	lost  int
}

func (m *model) Observe(context.Context, string, func(Record) error) (Company, error) {
	return Company{}, errors.New("the model is not observed")
}

func (m *model) Batch(op *Operation) Batch {
	if op.Key.Kind == KindUser {
		return Batch{"users", 2}
	}
	return Batch{Size: 1}
}

func (m *model) Read(_ context.Context, _ Company, _ Observed, keys []Key) (map[Key]Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := map[Key]Record{}
	for _, k := range keys {
		if r := m.world.Record(k); r != nil {
			found[k] = r
		}
	}
	return found, nil
}

func (m *model) Apply(_ context.Context, call Call) ([]Outcome, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	answer := 5
	if len(m.loses) > 0 {
		answer, m.loses = m.loses[0], m.loses[1:]
	}
	if answer == 0 {
		m.lost++
		return call.all(Unknown, "connection reset"), nil
	}
	outcomes := call.all(Done, "")
	for i, s := range call.Steps {
		op := s.Operation
		m.done[op.ID]++
		m.world.Apply(Effects(&op, m.world, createdID(&op)))
		outcomes[i].ID = createdID(&op)
	}
	if answer == 1 {
		m.lost++
		return call.all(Unknown, "connection reset"), nil
	}
	return outcomes, nil
}

func (m *model) Confirm(_ context.Context, call Call) ([]Outcome, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	outcomes := call.all(NotDone, "")
	for i, s := range call.Steps {
		if m.done[s.Operation.ID] > 0 {
			outcomes[i].Status, outcomes[i].ID = Done, createdID(&s.Operation)
		}
	}
	return outcomes, nil
}

var errDied = errors.New("the process died")

// books is a Store in memory that dies after a given number of writes: from then on nothing is written any more.
type books struct {
	Store
	mu      gosync.Mutex
	world   *World
	runs    map[string]Run
	journal map[int]JournalEntry
	left    int
	immune  bool
}

func newBooks(start *World) *books {
	return &books{world: Overlay(start), runs: map[string]Run{}, journal: map[int]JournalEntry{}, immune: true}
}

func (b *books) dieAfter(writes int, immune bool) { b.left, b.immune = writes, immune }

// write counts a write; it says whether the process still lives before it.
func (b *books) write() error {
	if b.immune {
		return nil
	}
	if b.left == 0 {
		return errDied
	}
	b.left--
	return nil
}

func (b *books) Observed(context.Context, string) (Snapshot, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return frozen{NewWorld(b.world.Company(), all(b.world)...)}, nil
}

type frozen struct{ *World }

func (frozen) Close() error { return nil }

func all(w *World) []Record {
	var records []Record
	for _, kind := range Kinds() {
		records = slices.AppendSeq(records, w.Records(kind))
	}
	return records
}

func (b *books) CreateRun(_ context.Context, r *Run) error {
	return b.UpdateRun(context.Background(), r)
}

func (b *books) UpdateRun(_ context.Context, r *Run) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.write(); err != nil {
		return err
	}
	b.runs[r.Name] = *r
	return nil
}

func (b *books) Begin(_ context.Context, entries ...JournalEntry) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.write(); err != nil {
		return err
	}
	for _, e := range entries {
		b.journal[e.Number] = e
	}
	return nil
}

func (b *books) End(_ context.Context, _ string, changes []RecordChange, entries ...JournalEntry) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.write(); err != nil {
		return err
	}
	b.world.Apply(changes)
	for _, e := range entries {
		b.journal[e.Number] = e
	}
	return nil
}

func (b *books) Journal(context.Context, string, string) iter.Seq2[JournalEntry, error] {
	entries := slices.SortedFunc(maps.Values(b.journal), func(x, y JournalEntry) int { return cmp.Compare(x.Number, y.Number) })
	return func(yield func(JournalEntry, error) bool) {
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// TestAFailureStopsOnlyWhatNeedsIt: the operations that do not need the failed one are done all the same.
func TestAFailureStopsOnlyWhatNeedsIt(t *testing.T) {
	world := demoWorld()
	plan, err := MakePlan(&Desired{Users: []DesiredUser{planCases[0].users[0], planCases[5].users[0]}}, world, Policy{})
	if err != nil {
		t.Fatal(err)
	}
	store := newBooks(world)
	engine := &Engine{Store: store, Target: &refusing{model: &model{world: Overlay(world), done: map[int]int{}}, key: ExtensionKey(cloudID, "2003")}}
	run := &Run{Name: "run-1", Company: "c1", State: RunRunning}
	var last Event
	err = engine.Execute(context.Background(), Execution{Run: run, Plan: plan, Secrets: anySecret{}, Watch: func(e Event) { last = e }})
	if err != nil {
		t.Fatal(err)
	}
	if want := (RunCounts{Total: 5, Done: 2, Failed: 1, Skipped: 2}); run.State != RunFailed || run.Counts != want {
		t.Errorf("run ended as %s with %+v, want failed with %+v", run.State, run.Counts, want)
	}
	if last.Run.State != RunFailed {
		t.Errorf("the last event shows state %s, want failed", last.Run.State)
	}
	if got := run.Outcomes[2].Message; got != "needs operation 2 (create extension 2003 of dora@demo.example), which failed" {
		t.Errorf("skipped operation says %q", got)
	}
}

// refusing is a model that refuses operations on one key.
type refusing struct {
	*model
	key Key
}

func (r *refusing) Apply(ctx context.Context, call Call) ([]Outcome, error) {
	if call.Steps[0].Operation.Key == r.key {
		return []Outcome{{Operation: call.Steps[0].Operation.ID, Status: Failed, Code: 409550, Message: "short number already on the system"}}, nil
	}
	return r.model.Apply(ctx, call)
}

func TestWithoutItsManifestACreationIsSkipped(t *testing.T) {
	world := demoWorld()
	plan, err := MakePlan(&Desired{Users: planCases[0].users}, world, Policy{})
	if err != nil {
		t.Fatal(err)
	}
	engine := &Engine{Store: newBooks(world), Target: &model{world: Overlay(world), done: map[int]int{}}}
	run := &Run{Name: "run-1", Company: "c1", State: RunRunning}
	if err := engine.Execute(context.Background(), Execution{Run: run, Plan: plan}); err != nil {
		t.Fatal(err)
	}
	if run.Counts.Skipped != 4 || run.Outcomes[0].Message != "needs the manifest: its password stands at demo.csv:2:9" {
		t.Errorf("got %+v, %q; want all four skipped for want of the manifest", run.Counts, run.Outcomes[0].Message)
	}
	if err := engine.Execute(context.Background(), Execution{Run: run, Plan: plan, Secrets: anySecret{}}); err != nil || run.State != RunSucceeded {
		t.Errorf("resumed with the manifest: state %s, error %v; want succeeded", run.State, err)
	}
}

func TestAStalePlanWaits(t *testing.T) {
	world := demoWorld()
	plan, err := MakePlan(&Desired{Users: planCases[4].users}, world, Policy{})
	if err != nil {
		t.Fatal(err)
	}
	moved := Overlay(world)
	d := *find[Device](moved, device(0).Key())
	d.Holder, d.HolderID = "cleo@demo.example", "u3"
	moved.Apply([]RecordChange{change(&d)})
	target := &model{world: moved, done: map[int]int{}}
	run := &Run{Name: "run-1", Company: "c1", State: RunRunning}
	engine := &Engine{Store: newBooks(world), Target: target}
	if err := engine.Execute(context.Background(), Execution{Run: run, Plan: plan}); err != nil {
		t.Fatal(err)
	}
	want := "the plan is stale, make a new one: since it was made, device/aabbccddee00 changed, held by cleo@demo.example now"
	if run.State != RunWaiting || run.Message != want || len(target.done) != 0 {
		t.Errorf("run is %s: %q with %d operations done; want waiting: %q and none", run.State, run.Message, len(target.done), want)
	}
}

func TestAStoppedRunFinishesWhatIsInFlight(t *testing.T) {
	world := demoWorld()
	plan, err := MakePlan(&Desired{Users: planCases[2].users}, world, Policy{})
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	engine := &Engine{Store: newBooks(world), Target: &slow{&model{world: Overlay(world), done: map[int]int{}}, stop}, Parallel: 1}
	run := &Run{Name: "run-1", Company: "c1", State: RunRunning}
	if err := engine.Execute(context.Background(), Execution{Run: run, Plan: plan, Stop: stop}); err != nil {
		t.Fatal(err)
	}
	if run.State != RunCancelled || run.Counts.Done != 1 || run.Counts.NotDone != len(plan.Operations)-1 {
		t.Errorf("run is %s with %+v, want cancelled after one operation", run.State, run.Counts)
	}
}

// slow stops the run while its first call is in flight.
type slow struct {
	*model
	stop chan struct{}
}

func (s *slow) Apply(ctx context.Context, call Call) ([]Outcome, error) {
	close(s.stop)
	time.Sleep(20 * time.Millisecond) // the coordinator takes the stop before the answer
	return s.model.Apply(ctx, call)
}

// TestAUserSeenEarlyKeepsALicenceGivenMeanwhile: a user's update reads him back before, and is noted after, another call
// gives him a licence.
func TestAUserSeenEarlyKeepsALicenceGivenMeanwhile(t *testing.T) {
	world := demoWorld()
	u := with(entry(2, "cleo@demo.example", "upsert"), func(u *DesiredUser) {
		u.Attributes = []Attribute{{"firstName", "Cleo"}}
		u.Licences = Adding[Offer]("Voice Enterprise")
	})
	plan, err := MakePlan(&Desired{Users: []DesiredUser{u}}, world, Policy{})
	if err != nil || len(plan.Operations) != 2 {
		t.Fatalf("plan %+v, error %v; want an update and a licence", plan, err)
	}
	store := newBooks(world)
	target := &early{model: &model{world: Overlay(world), done: map[int]int{}}, licensed: make(chan struct{})}
	run := &Run{Name: "run-1", Company: "c1", State: RunRunning}
	noted := make(chan struct{})
	target.noted = noted
	err = (&Engine{Store: store, Target: target}).Execute(context.Background(), Execution{Run: run, Plan: plan, Watch: func(e Event) {
		if e.Operation != nil && e.Operation.Key.Kind == KindLicence {
			close(noted)
		}
	}})
	if err != nil || run.State != RunSucceeded {
		t.Fatalf("run is %s, error %v", run.State, err)
	}
	if diff := difference(target.world, store.world); diff != "" {
		t.Errorf("the recorded state is not what upstream holds: %s", diff)
	}
}

// early is a model that reads a user back at once and answers only when a licence has been noted.
type early struct {
	*model
	licensed, noted chan struct{}
}

func (e *early) Apply(ctx context.Context, call Call) ([]Outcome, error) {
	op := call.Steps[0].Operation
	if op.Key.Kind != KindUser {
		<-e.licensed // the user is read back first
		return e.model.Apply(ctx, call)
	}
	outcomes, err := e.model.Apply(ctx, call)
	seen := *find[User](e.world, op.Key)
	outcomes[0].Seen = &seen
	close(e.licensed)
	<-e.noted
	return outcomes, err
}
