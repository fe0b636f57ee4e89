package sync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	gosync "sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestAKilledRunResumesToTheSameEnd carries drawn plans out against a model of upstream that refuses, loses and garbles
// answers, while the store fails at drawn calls, and the run is stopped and cut off at drawn moments. However often that
// happens: resuming ends where an undisturbed run ends, nothing takes effect twice, and the recorded state is what
// upstream holds.
func TestAKilledRunResumesToTheSameEnd(t *testing.T) {
	ends, mishaps := map[RunState]int{}, map[mishap]int{}
	var cases cases
	defer cases.log(t)
	rapid.Check(t, func(t *rapid.T) {
		start, _, plan := drawPlan(t)
		if len(plan.Operations) == 0 {
			return
		}
		cases.met++
		want := Overlay(start)
		for i := range plan.Operations {
			want.Apply(Effects(&plan.Operations[i], want, createdID(&plan.Operations[i])))
		}

		stage := newRehearsal(t, start, plan)
		for try := 0; stage.run.State != RunSucceeded; try++ {
			if try > 60 {
				t.Fatalf("run never ends: %+v", stage.run)
			}
			if try > 30 {
				stage.calmDown()
			}
			ends[stage.goOn(t)]++
		}
		for m, n := range stage.target.met {
			mishaps[m] += n
		}
		for _, op := range plan.Operations {
			if n := stage.target.done[op.ID]; n != 1 {
				t.Fatalf("operation %d (%s) took effect %d times", op.ID, op.Title(), n)
			}
		}
		if diff := difference(want, stage.target.world); diff != "" {
			t.Fatalf("upstream is not as after an undisturbed run: %s", diff)
		}
		checkSettings(t, start, stage.target, plan)
		if diff := difference(stage.target.world, stage.store.world); diff != "" {
			t.Fatalf("the recorded state is not what upstream holds: %s", diff)
		}
		if !slices.Contains(stage.store.applied, "run-1") && stage.store.alive() {
			t.Fatal("the run succeeded and its manifest is not in force")
		}
	})
	for _, s := range []RunState{RunFailed, RunCancelled, RunInterrupted, RunWaiting} {
		if ends[s] == 0 {
			t.Errorf("no run ended as %s (%v): the drawing is too tame", s, ends)
		}
	}
	for m := range none {
		if mishaps[m] == 0 {
			t.Errorf("mishap %d never came (%v): the drawing is too tame", m, mishaps)
		}
	}
}

// TestAStalePlanIsNeverTakenUp changes, before a drawn go at a run, something that operations rely on that are left and
// that nothing done so far concerns: the run waits then, and does nothing more.
func TestAStalePlanIsNeverTakenUp(t *testing.T) {
	stale, moved := map[bool]int{}, map[bool]int{}
	var cases cases
	defer cases.log(t)
	rapid.Check(t, func(t *rapid.T) {
		start, _, plan := drawPlan(t)
		if len(plan.Operations) == 0 {
			return
		}
		stage := newRehearsal(t, start, plan)
		for range rapid.IntRange(0, 2).Draw(t, "goes before") {
			if stage.run.State != RunSucceeded {
				stage.goOn(t)
			}
		}
		other, ok := drawMeddling(t, stage.target.world, plan, stage.target.done)
		key := other.key
		if !ok || key != DefaultDDIKey() && stage.target.world.Record(key) == nil {
			return
		}
		stage.calmDown()
		other.do(stage.target.world)
		before := maps.Clone(stage.target.done)
		stage.goOn(t)
		if stage.run.State != RunWaiting || !strings.Contains(stage.run.Message, "the plan is stale") || !strings.Contains(stage.run.Message, other.names) {
			t.Fatalf("%s was changed by somebody else, and the run is %s: %q", key, stage.run.State, stage.run.Message)
		}
		if !maps.Equal(before, stage.target.done) {
			t.Fatalf("%s was changed by somebody else, and operations were done: %v, then %v", key, before, stage.target.done)
		}
		cases.met++
		stale[len(before) > 0]++
		if key == DefaultDDIKey() {
			moved[len(before) > 0]++
		}
	})
	if stale[false] == 0 || stale[true] == 0 || moved[false] == 0 || moved[true] == 0 {
		t.Errorf("stale before anything was done: %d times, after: %d; by another default DDI: %d and %d; the drawing is too narrow", stale[false], stale[true], moved[false], moved[true])
	}
}

// drawRelied draws the key of an operation that is left, of a thing that has a holder, that no operation done concerns.
func drawRelied(t *rapid.T, plan *Plan, done map[int]int) (Key, bool) {
	free := map[Key]bool{}
	for _, op := range plan.Operations {
		held := op.Key.Kind == KindDevice || op.Key.Kind == KindDDI
		free[op.Key] = held && done[op.ID] == 0 && !slices.ContainsFunc(op.Needs, func(n int) bool { return done[n] > 0 })
	}
	for _, op := range plan.Operations {
		if done[op.ID] > 0 || slices.ContainsFunc(op.Needs, func(n int) bool { return done[n] > 0 }) {
			delete(free, op.Key)
		}
	}
	maps.DeleteFunc(free, func(_ Key, ok bool) bool { return !ok })
	if len(free) == 0 {
		return Key{}, false
	}
	return rapid.SampledFrom(slices.SortedFunc(maps.Keys(free), Key.Compare)).Draw(t, "meddled with"), true
}

// meddle gives a device or DDI to somebody of whom nothing is known.
func meddle(w *World, k Key) {
	switch r := w.Record(k).(type) {
	case *Device:
		next := *r
		next.Holder, next.HolderID = "", "u-else"
		w.put(&next)
	case *DDI:
		next := *r
		next.Holder, next.HolderID = "", "u-else"
		w.put(&next)
	}
}

// rehearsal is a run against the model.
type rehearsal struct {
	store  *books
	target *model
	engine *Engine
	run    *Run
	plan   *Plan
	calm   bool
}

func newRehearsal(t *rapid.T, start *World, plan *Plan) *rehearsal {
	target := newModel(start)
	target.applies, target.confirms = drawMishaps(t, "answers"), drawMishaps(t, "lookups")
	s := &rehearsal{
		store: newBooks(start), target: target, plan: plan,
		run: &Run{Name: "run-1", Company: "c1", Plan: "plan-1", Hash: plan.Hash(), State: RunRunning, Options: RunOption{Parallel: rapid.IntRange(1, 4).Draw(t, "parallel")}},
	}
	s.store.most = s.run.Options.Parallel
	s.engine = &Engine{Store: s.store, Target: target, Pause: time.Nanosecond, Patience: time.Minute}
	if err := s.store.CreateRun(context.Background(), s.run); err != nil {
		t.Fatal(err)
	}
	return s
}

func drawMishaps(t *rapid.T, label string) []mishap {
	return rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 3*int(none)), func(n int) mishap { return min(mishap(n), none) }), 40, 40).Draw(t, label)
}

// calmDown lets everything go well from now on.
func (s *rehearsal) calmDown() {
	s.calm = true
	s.target.applies, s.target.confirms = nil, nil
}

// goOn makes one go at the run, of which the store may die, and which may be stopped at a drawn moment.
func (s *rehearsal) goOn(t *rapid.T) RunState {
	ctx, cut := context.WithCancel(context.Background())
	defer cut()
	s.target.cut = cut
	s.store.dieAfter(rapid.IntRange(0, 12).Draw(t, "calls of the store before it dies"), s.calm)
	stop, events := make(chan struct{}), rapid.IntRange(0, 8).Draw(t, "events before the stop")
	watch := func(Event) {
		if events--; events == 0 && !s.calm {
			close(stop)
			s.store.stopped = true
		}
	}
	if events == 0 && !s.calm {
		close(stop)
	}
	s.store.stopped, s.store.late = events == 0 && !s.calm, 0
	if rapid.Bool().Draw(t, "refreshed before") {
		s.store.world = NewWorld(s.target.world.Company(), all(s.target.world)...)
	}
	s.run.State = RunRunning
	known := s.run.Outcomes
	shown := slices.Clone(known)
	err := s.engine.Execute(ctx, Execution{Run: s.run, Plan: s.plan, Secrets: anySecret{}, Stop: stop, Watch: watch})
	if err != nil && !errors.Is(err, errDied) && !errors.Is(err, context.Canceled) {
		t.Fatalf("execute: %v", err)
	}
	if !s.run.State.Ended() {
		t.Fatalf("the run came back and has not ended: error %v, %+v", err, s.run)
	}
	if s.run.State != RunSucceeded && s.run.State != RunFailed && s.run.Message == "" {
		t.Fatalf("the run is %s and does not say why: error %v, %+v", s.run.State, err, s.run)
	}
	if s.store.crowded {
		t.Fatalf("more than %d calls were begun and not ended at a time", s.run.Options.Parallel)
	}
	if s.store.late > 0 {
		t.Fatalf("%d calls were begun after the run was asked to stop", s.store.late)
	}
	if !slices.Equal(known, shown) {
		t.Fatal("outcomes of an earlier go were changed under its watchers")
	}
	s.checkOutcomes(t)
	return s.run.State
}

// checkOutcomes holds what the run says of its operations against what upstream did.
func (s *rehearsal) checkOutcomes(t *rapid.T) {
	for _, o := range s.run.Outcomes {
		n := s.target.done[o.Operation]
		if n > 1 {
			t.Fatalf("operation %d took effect %d times", o.Operation, n)
		}
		read := s.plan.Operations[o.Operation-1].Action == ActionSave // which may be done again
		if o.Status == Done && n == 0 || !read && (o.Status == Failed || o.Status == NotDone || o.Status == Skipped) && n > 0 && s.store.alive() {
			t.Fatalf("operation %d took effect %d times, and the run says %s: %s", o.Operation, n, o.Status, o.Message)
		}
	}
}

// createdID is the id that the model gives to what an operation creates.
func createdID(op *Operation) string { return fmt.Sprintf("made-%d", op.ID) }

func difference(want, got *World) string {
	for _, kind := range Kinds() {
		if kind == KindRelease { // the books alone keep these
			continue
		}
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

// mishap is what goes wrong with a call to the model.
type mishap int

const (
	lostBefore   mishap = iota // no answer, nothing done
	lostAfter                  // no answer, all done
	cutBefore                  // the run is cut off, nothing done
	cutAfter                   // the run is cut off, all done
	refusal                    // refused
	noService                  // the call as a whole is not taken, or the lookup fails
	tooFew                     // all done, and an outcome is missing
	stranger                   // all done, and an outcome names another operation
	throttled                  // too many calls, nothing done
	downBefore                 // no connection, nothing done
	downAfter                  // no answer for lack of a connection, all done
	wholeRefused               // the batch is refused as a whole
	none
)

// model is an upstream that does what it is asked, unless a mishap is drawn for its next answer. Users go in batches of
// two.
type model struct {
	mu                gosync.Mutex
	world             *World
	done              map[int]int
	applies, confirms []mishap
	met               map[mishap]int
	cut               func()
	// settings are those of the subscribers, by id: they go with them.
	settings map[string]string
}

func newModel(start *World) *model {
	m := &model{world: Overlay(start), done: map[int]int{}, met: map[mishap]int{}, settings: map[string]string{}}
	for r := range start.Records(KindExtension) {
		if e := r.(*Extension); e.Role == RoleSubscriber {
			m.settings[e.ID] = settingsOf(e)
		}
	}
	return m
}

func (m *model) Observe(context.Context, string, func(Record) error) (Company, error) {
	return Company{}, errors.New("the model is not observed")
}

func (m *model) Batch(step *Step, _ UsersBy) Batch {
	if step.Operation.Key.Kind == KindUser {
		return Batch{Group: "users", Size: 2}
	}
	return Batch{Size: 1}
}

func (m *model) Read(_ context.Context, _ Company, _ Observed, keys []Key) (map[Key]Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := map[Key]Record{}
	for _, k := range keys {
		r := m.world.Record(k)
		if k == DefaultDDIKey() {
			r = defaultOf(m.world)
		}
		if r != nil {
			found[k] = r
		}
	}
	return found, nil
}

func settingsOf(e *Extension) string { return "settings of " + e.ID }

// pointed is what the model's save reads that is of no subscriber.
const pointed = "what points to extensions"

// read is what a save reads.
func (m *model) read(op *Operation) string {
	if op.Login == "" {
		return pointed
	}
	return m.settings[find[Extension](m.world, op.Key).ID]
}

// write does to the settings what an operation does to them.
func (m *model) write(s *Step) {
	op := &s.Operation
	e := find[Extension](m.world, op.Key)
	switch {
	case op.Action == ActionDelete && e != nil:
		delete(m.settings, e.ID)
	case op.Action == ActionRestore:
		for _, saved := range s.Saved {
			if saved != pointed {
				m.settings[e.ID] = saved
			}
		}
	}
}

// next takes the next mishap of a list.
func (m *model) next(list *[]mishap) mishap {
	if len(*list) == 0 {
		return none
	}
	next := (*list)[0]
	*list = (*list)[1:]
	m.met[next]++
	return next
}

func (m *model) Apply(_ context.Context, call Call) ([]Outcome, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	what := m.next(&m.applies)
	switch what {
	case lostBefore:
		return call.all(Unknown, "connection reset"), nil
	case cutBefore:
		m.cut()
		return call.all(Unknown, "context canceled"), nil
	case refusal:
		return call.all(Failed, "not today"), nil
	case noService:
		return nil, errors.New("no service")
	case throttled:
		return nil, &Trouble{Kind: Throttled, Cause: errors.New("too many")}
	case downBefore:
		return nil, &Trouble{Kind: Down, Cause: errors.New("no route")}
	case wholeRefused:
		all := call.all(Failed, "not today")
		if len(all) > 1 {
			all = call.all(NotDone, "not these")
			for i := range all {
				all[i].Split = true
			}
		}
		return all, nil
	}
	outcomes := call.all(Done, "")
	for i, s := range call.Steps {
		op := s.Operation
		if op.Action == ActionSave {
			m.done[op.ID] = 1
			outcomes[i].Saved = m.read(&op)
			continue
		}
		if op.Key.Kind == KindDDI && op.Action == ActionDelete && isDefault(m.world.Record(op.Key)) && len(listed(m.world, KindDDI)) > 1 {
			outcomes[i].Status, outcomes[i].Message = Failed, "it is the default one"
			continue
		}
		m.done[op.ID]++
		m.write(&s)
		m.world.Apply(Effects(&op, m.world, createdID(&op)))
		outcomes[i].ID = createdID(&op)
	}
	switch what {
	case lostAfter:
		return call.all(Unknown, "connection reset"), nil
	case downAfter:
		all := call.all(Unknown, "connection reset")
		for i := range all {
			all[i].Trouble = &Trouble{Kind: Down, Cause: errors.New("connection reset")}
		}
		return all, nil
	case cutAfter:
		m.cut()
		return call.all(Unknown, "context canceled"), nil
	}
	return garbled(what, outcomes), nil
}

func garbled(what mishap, outcomes []Outcome) []Outcome {
	switch what {
	case tooFew:
		return outcomes[1:]
	case stranger:
		outcomes[0].Operation = 1000
	}
	return outcomes
}

func (m *model) Confirm(ctx context.Context, call Call) ([]Outcome, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	what := m.next(&m.confirms)
	switch what {
	case lostBefore, lostAfter:
		return call.all(Unknown, "connection reset"), nil
	case cutBefore, cutAfter:
		m.cut()
		return nil, context.Canceled
	case noService:
		return nil, errors.New("no service")
	case throttled, downBefore, downAfter, wholeRefused:
		return nil, &Trouble{Kind: Down, Cause: errors.New("no route")}
	}
	outcomes := call.all(NotDone, "")
	for i, s := range call.Steps {
		if m.done[s.Operation.ID] > 0 && s.Operation.Action != ActionSave {
			outcomes[i].Status, outcomes[i].ID = Done, createdID(&s.Operation)
		}
	}
	return garbled(what, outcomes), nil
}

var errDied = errors.New("the process died")

// books is a Store in memory that dies after a given number of calls: from then on all fail.
type books struct {
	Store
	mu      gosync.Mutex
	world   *World
	runs    map[string]Run
	journal map[int]JournalEntry
	traces  map[Key]Trace
	applied []string // runs whose manifests were put into force
	left    int
	immune  bool
	stopped bool // nothing is to be begun any more
	late    int  // calls that were begun all the same
	most    int  // of calls that are begun and not ended; 0: nobody counts
	crowded bool // there were more
}

func newBooks(start *World) *books {
	return &books{world: Overlay(start), runs: map[string]Run{}, journal: map[int]JournalEntry{}, traces: map[Key]Trace{}, immune: true}
}

func (b *books) dieAfter(calls int, immune bool) { b.left, b.immune = calls, immune }

// alive tells whether the process still lives.
func (b *books) alive() bool { return b.immune || b.left > 0 }

// call counts a call; it says whether the process still lives before it.
func (b *books) call() error {
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
	if err := b.call(); err != nil {
		return nil, err
	}
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
	if err := b.call(); err != nil {
		return err
	}
	b.runs[r.Name] = *r
	return nil
}

func (b *books) Begin(_ context.Context, entries ...JournalEntry) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.call(); err != nil {
		return err
	}
	for _, e := range entries {
		b.journal[e.Number] = e
		if b.stopped {
			b.late++
		}
	}
	if b.most > 0 {
		open := 0
		for _, e := range b.journal {
			if e.Ended.IsZero() {
				open++
			}
		}
		b.crowded = b.crowded || open > b.most
	}
	return nil
}

func (b *books) End(_ context.Context, _ string, changes []RecordChange, entries ...JournalEntry) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.call(); err != nil {
		return err
	}
	for _, c := range changes {
		if c.Record != nil {
			c.Key = c.Record.Key()
		}
		if len(entries) == 0 || c.Key.Kind == KindLicence {
			continue
		}
		trace, ok := b.traces[c.Key]
		if !ok {
			trace = Trace{Key: c.Key, Before: b.world.Record(c.Key)}
		}
		trace.After = c.Record
		b.traces[c.Key] = trace
	}
	b.world.Apply(changes)
	for _, e := range entries {
		b.journal[e.Number] = e
	}
	return nil
}

func (b *books) SetApplied(_ context.Context, a Applied) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.call(); err != nil {
		return err
	}
	b.applied = append(b.applied, a.Run)
	return nil
}

func (b *books) UndoApplied(_ context.Context, _, run, _ string) error {
	b.applied = slices.DeleteFunc(b.applied, func(r string) bool { return r == run })
	return nil
}

// Turn is a call of the store like any other: it dies before or after, never in between.
func (b *books) Turn(ctx context.Context, company string, changes []RecordChange, ended, begun []JournalEntry) error {
	b.mu.Lock()
	if err := b.call(); err != nil {
		b.mu.Unlock()
		return err
	}
	immune := b.immune
	b.immune = true
	b.mu.Unlock()
	err := errors.Join(b.End(ctx, company, changes, ended...), b.Begin(ctx, begun...))
	b.mu.Lock()
	defer b.mu.Unlock()
	b.immune = immune
	return err
}

func (b *books) Journal(context.Context, string, string) iter.Seq2[JournalEntry, error] {
	entries := slices.SortedFunc(maps.Values(b.journal), func(x, y JournalEntry) int { return cmp.Compare(x.Number, y.Number) })
	return func(yield func(JournalEntry, error) bool) {
		if err := b.call(); err != nil {
			yield(JournalEntry{}, err)
			return
		}
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
	plan, err := MakePlan(&Desired{Users: EntriesOf([]DesiredUser{planCases[0].users[0], planCases[5].users[0]}...)}, world, Policy{})
	if err != nil {
		t.Fatal(err)
	}
	store := newBooks(world)
	engine := &Engine{Store: store, Target: &refusing{model: newModel(world), key: ExtensionKey(cloudID, "2003")}}
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
	plan, err := MakePlan(&Desired{Users: EntriesOf(planCases[0].users...)}, world, Policy{})
	if err != nil {
		t.Fatal(err)
	}
	engine := &Engine{Store: newBooks(world), Target: newModel(world)}
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
	plan, err := MakePlan(&Desired{Users: EntriesOf(planCases[4].users...)}, world, Policy{})
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
	plan, err := MakePlan(&Desired{Users: EntriesOf(planCases[2].users...)}, world, Policy{})
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	engine := &Engine{Store: newBooks(world), Target: &slow{newModel(world), stop}, Parallel: 1}
	run := &Run{Name: "run-1", Company: "c1", State: RunRunning}
	if err := engine.Execute(context.Background(), Execution{Run: run, Plan: plan, Stop: stop}); err != nil {
		t.Fatal(err)
	}
	if run.State != RunCancelled || run.Counts.Done != 1 || run.Counts.NotDone != len(plan.Operations)-1 {
		t.Errorf("run is %s with %+v, want cancelled after one operation", run.State, run.Counts)
	}
}

// TestWhatIsSentAgainIsSentLater: a lost answer that turns out not done is not sent again at once, and a run that is
// stopped meanwhile does not wait.
func TestWhatIsSentAgainIsSentLater(t *testing.T) {
	world := demoWorld()
	plan, err := MakePlan(&Desired{Users: EntriesOf(planCases[4].users...)}, world, Policy{})
	if err != nil {
		t.Fatal(err)
	}
	target := newModel(world)
	target.applies = []mishap{lostBefore, lostBefore}
	run := &Run{Name: "run-1", Company: "c1", State: RunRunning}
	engine := &Engine{Store: newBooks(world), Target: target, Pause: 10 * time.Millisecond, Random: func() float64 { return 1 }}
	began := time.Now()
	if err := engine.Execute(t.Context(), Execution{Run: run, Plan: plan}); err != nil || run.State != RunSucceeded {
		t.Fatalf("run is %s: %s, error %v", run.State, run.Message, err)
	}
	if took := time.Since(began); took < 30*time.Millisecond || run.Outcomes[0].Attempts != 3 {
		t.Errorf("the run took %s and says that the first operation was sent %d times; want pauses of 10 and 20 ms, and 3", took, run.Outcomes[0].Attempts)
	}

	target = newModel(world)
	target.applies = []mishap{lostBefore}
	run = &Run{Name: "run-1", Company: "c1", State: RunRunning}
	stop := make(chan struct{})
	time.AfterFunc(20*time.Millisecond, func() { close(stop) })
	engine = &Engine{Store: newBooks(world), Target: target, Pause: time.Hour}
	if err := engine.Execute(t.Context(), Execution{Run: run, Plan: plan, Stop: stop}); err != nil || run.State != RunCancelled || len(target.done) != 0 {
		t.Errorf("run is %s: %s, error %v, done %v; want it cancelled and nothing done", run.State, run.Message, err, target.done)
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
	plan, err := MakePlan(&Desired{Users: EntriesOf([]DesiredUser{u}...)}, world, Policy{})
	if err != nil || len(plan.Operations) != 2 {
		t.Fatalf("plan %+v, error %v; want an update and a licence", plan, err)
	}
	store := newBooks(world)
	target := &early{model: newModel(world), licensed: make(chan struct{})}
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
