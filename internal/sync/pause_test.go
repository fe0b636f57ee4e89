package sync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	gosync "sync"
	"testing"
	"testing/synctest"
	"time"
)

// Runs against an upstream that is throttled, down or back, in time that is made (testing/synctest).

// weather is a model behind which the weather changes.
type weather struct {
	*model
	mu     gosync.Mutex
	sent   []time.Duration // since the beginning: when calls came
	probes []time.Duration
	began  time.Time
	// apply and probe say what upstream does at a moment; nil is fine weather. lost: the call is done and its answer lost.
	// apply is asked by one call at a time.
	apply func(at time.Duration, op Operation) (t *Trouble, lost bool)
	probe func(at time.Duration) *Trouble
}

func newWeather(w *World) *weather { return &weather{model: newModel(w), began: time.Now()} }

func (w *weather) Apply(ctx context.Context, call Call) ([]Outcome, error) {
	time.Sleep(10 * time.Millisecond)
	if t, lost := w.meet(call.Steps[0].Operation); t != nil {
		if !lost {
			return nil, t
		}
		all := call.all(Unknown, t.Error())
		for i := range all {
			all[i].Trouble = t
		}
		return all, nil
	}
	return w.model.Apply(ctx, call)
}

// meet notes that a call came, and asks apply what happens to it.
func (w *weather) meet(op Operation) (t *Trouble, lost bool) {
	at := time.Since(w.began)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, at)
	if w.apply == nil {
		return nil, false
	}
	return w.apply(at, op)
}

func (w *weather) Confirm(ctx context.Context, call Call) ([]Outcome, error) {
	if err := w.Probe(ctx, Company{}); err != nil {
		return nil, err
	}
	return w.model.Confirm(ctx, call)
}

func (w *weather) Probe(context.Context, Company) error {
	at := time.Since(w.began)
	w.mu.Lock()
	w.probes = append(w.probes, at)
	w.mu.Unlock()
	if w.probe != nil {
		if t := w.probe(at); t != nil {
			return t
		}
	}
	return nil
}

// manyPlan is a plan that gives each of n new users an extension: 2n operations.
func manyPlan(t *testing.T, n int) (*World, *Plan) {
	t.Helper()
	world := benchWorld(0)
	desired := &Desired{Mode: "rainbowvoice", Users: &Entries{}}
	for i := range n {
		desired.Users.Append(&DesiredUser{Login: benchLogin(i), Action: "upsert", Position: Position{"demo.csv", i + 2, 1}, Password: &SecretPlace{Field: passwordField},
			Subscriber: Having(benchNumber(i))})
	}
	plan, err := MakePlan(desired, world, Policy{})
	if err != nil {
		t.Fatal(err)
	}
	return world, plan
}

// journey is a run in made weather, with what its watcher saw.
type journey struct {
	run   *Run
	holds []Hold
}

func (j *journey) watch(e Event) {
	if h := e.Run.Hold; h != nil && (len(j.holds) == 0 || j.holds[len(j.holds)-1] != *h) {
		j.holds = append(j.holds, *h)
	}
}

func (j *journey) went(t *testing.T, target Target, world *World, plan *Plan, options RunOption, stop <-chan struct{}, pause <-chan bool) {
	t.Helper()
	j.run = &Run{Name: "run-1", Company: "c1", State: RunRunning, Options: options}
	engine := &Engine{Store: newBooks(world), Target: target, Random: func() float64 { return 1 }}
	err := engine.Execute(t.Context(), Execution{Run: j.run, Plan: plan, Secrets: anySecret{}, Watch: j.watch, Stop: stop, Pause: pause})
	if err != nil {
		t.Fatal(err)
	}
	if j.run.Hold != nil {
		t.Errorf("a run at rest stands still: %+v", j.run.Hold)
	}
}

func (j *journey) onceEach(t *testing.T, m *model, plan *Plan) {
	t.Helper()
	for _, op := range plan.Operations {
		if m.done[op.ID] != 1 {
			t.Fatalf("operation %d took effect %d times", op.ID, m.done[op.ID])
		}
	}
}

// TestARunWaitsOutAnOutage: upstream is away for ten minutes. The run sends a handful of calls into it, then only probes,
// at growing intervals, shows that it waits, and goes on by itself.
func TestARunWaitsOutAnOutage(t *testing.T) {
	for _, kind := range []string{"no connection", "answers lost"} {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				world, plan := manyPlan(t, 50)
				w := newWeather(world)
				gone := func(at time.Duration) bool { return at > 100*time.Millisecond && at < 10*time.Minute }
				down := &Trouble{Kind: Down, Cause: errors.New("503 Service Unavailable")}
				w.apply = func(at time.Duration, _ Operation) (*Trouble, bool) {
					if gone(at) {
						return down, kind == "answers lost"
					}
					return nil, false
				}
				w.probe = func(at time.Duration) *Trouble {
					if gone(at) {
						return down
					}
					return nil
				}
				var j journey
				j.went(t, w, world, plan, RunOption{Parallel: 4}, nil, nil)
				if j.run.State != RunSucceeded {
					t.Fatalf("run is %s: %s", j.run.State, j.run.Message)
				}
				j.onceEach(t, w.model, plan)
				into := 0
				for _, at := range w.sent {
					if gone(at) {
						into++
					}
				}
				if into > openAfter+4 {
					t.Errorf("%d calls were sent to an upstream that was away, want a handful", into)
				}
				if n := len(w.probes); n < 8 || n > 40 {
					t.Errorf("%d probes in ten minutes", n)
				}
				h := j.holds[0]
				if h.Reason != HoldUpstream || !strings.Contains(h.Message, "503") || h.Next.IsZero() || h.Until.Sub(h.Since) < 29*time.Minute {
					t.Errorf("while it waited it showed %+v", h)
				}
				if f := j.run.Figures; f.Waited.Duration() < 9*time.Minute || f.Waited.Duration() > 12*time.Minute {
					t.Errorf("it says that it waited %s", f.Waited.Duration())
				}
			})
		})
	}
}

// TestAnOutageOfWritesAlone: lists answer, changes do not. No operation fails over it.
func TestAnOutageOfWritesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		world, plan := manyPlan(t, 20)
		w := newWeather(world)
		w.apply = func(at time.Duration, _ Operation) (*Trouble, bool) {
			return &Trouble{Kind: Down, Cause: errors.New("502 Bad Gateway")}, at < 5*time.Minute
		}
		inner := w.apply
		w.apply = func(at time.Duration, op Operation) (*Trouble, bool) {
			if at < 5*time.Minute {
				return inner(at, op)
			}
			return nil, false
		}
		var j journey
		j.went(t, w, world, plan, RunOption{Parallel: 4}, nil, nil)
		if j.run.State != RunSucceeded {
			t.Fatalf("run is %s: %s, %+v", j.run.State, j.run.Message, j.run.Counts)
		}
		j.onceEach(t, w.model, plan)
		if len(w.sent) > len(plan.Operations)+60 {
			t.Errorf("%d calls were sent for %d operations", len(w.sent), len(plan.Operations))
		}
	})
}

// TestOneOperationThatUpstreamChokesOn fails alone: the others are done, and the circuit does not stay open for it.
func TestOneOperationThatUpstreamChokesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		world, plan := manyPlan(t, 20)
		w := newWeather(world)
		bad := slices.IndexFunc(plan.Operations, func(op Operation) bool { return op.Key.Kind == KindExtension })
		w.apply = func(_ time.Duration, op Operation) (*Trouble, bool) {
			if op.ID == plan.Operations[bad].ID {
				return &Trouble{Kind: Down, Cause: errors.New("500 Internal Server Error")}, true
			}
			return nil, false
		}
		var j journey
		j.went(t, w, world, plan, RunOption{Parallel: 4}, nil, nil)
		if c := j.run.Counts; j.run.State != RunFailed || c.Failed != 1 || c.Done != len(plan.Operations)-1 {
			t.Fatalf("run is %s with %+v: %s", j.run.State, c, j.run.Message)
		}
		if o := j.run.Outcomes[bad]; o.Attempts != tries || !strings.Contains(o.Message, "500 Internal Server Error") {
			t.Errorf("it ended as %+v", o)
		}
	})
}

// TestARefusalSaysWhenToComeBack: 429 and 503 with Retry-After keep the whole run from calling for so long, count against
// no operation, and make it more careful.
func TestARefusalSaysWhenToComeBack(t *testing.T) {
	for _, kind := range []TroubleKind{Throttled, Busy} {
		t.Run(string(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				world, plan := manyPlan(t, 40)
				w := newWeather(world)
				refused := 0
				w.apply = func(time.Duration, Operation) (*Trouble, bool) {
					if len(w.sent) > 20 && refused < 6 {
						refused++
						return &Trouble{Kind: kind, After: time.Minute, Cause: errors.New("429 Too Many Requests")}, false
					}
					return nil, false
				}
				var j journey
				j.went(t, w, world, plan, RunOption{Parallel: 8}, nil, nil)
				if j.run.State != RunSucceeded {
					t.Fatalf("run is %s: %s", j.run.State, j.run.Message)
				}
				j.onceEach(t, w.model, plan)
				gap := time.Duration(0)
				for i := 1; i < len(w.sent); i++ {
					gap = max(gap, w.sent[i]-w.sent[i-1])
				}
				if gap < time.Minute || gap > 70*time.Second {
					t.Errorf("longest silence %s, want the minute that was asked for", gap)
				}
				if f := j.run.Figures; f.Throttled.Duration() < time.Minute || f.Repeats < 2 || f.HighestLimit < 4 {
					t.Errorf("figures %+v", f)
				}
				if len(j.holds) == 0 || j.holds[0].Reason != HoldThrottled || j.holds[0].Next.Sub(j.holds[0].Since) < 59*time.Second {
					t.Errorf("it showed %+v", j.holds)
				}
			})
		})
	}
}

// TestThePatienceOfARunEnds: after it the run comes to rest and can be resumed, and then ends well.
func TestThePatienceOfARunEnds(t *testing.T) {
	for _, c := range []struct {
		name     string
		patience time.Duration
		trouble  Trouble
		least    time.Duration
		most     time.Duration
		says     string
	}{
		{"after ten minutes", 10 * time.Minute, Trouble{Kind: Down, Cause: errors.New("no route")}, 10 * time.Minute, 11 * time.Minute, "and the run waits 10m0s for it"},
		{"at once", -1, Trouble{Kind: Down, Cause: errors.New("no route")}, 0, time.Minute, "upstream has not been there since"},
		{"upstream wants to be left alone for longer", 10 * time.Minute, Trouble{Kind: Throttled, After: time.Hour}, 0, time.Minute, "longer than the run waits"},
		{"by default", 0, Trouble{Kind: Throttled, After: time.Minute}, 29 * time.Minute, 31 * time.Minute, "30m0s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				world, plan := manyPlan(t, 10)
				w := newWeather(world)
				w.apply = func(time.Duration, Operation) (*Trouble, bool) { return &c.trouble, false }
				w.probe = func(time.Duration) *Trouble { return &c.trouble }
				var j journey
				j.went(t, w, world, plan, RunOption{Parallel: 4, Patience: MillisOf(c.patience)}, nil, nil)
				if took := time.Since(w.began); took < c.least || took > c.most {
					t.Errorf("it waited %s", took)
				}
				if j.run.State != RunWaiting || !strings.Contains(j.run.Message, c.says) {
					t.Errorf("run is %s: %q, want it waiting and to say %q", j.run.State, j.run.Message, c.says)
				}
				if len(w.model.done) != 0 || j.run.Counts.NotDone != len(plan.Operations) {
					t.Errorf("done %v, counts %+v", w.model.done, j.run.Counts)
				}
			})
		})
	}
}

// TestAStopEndsTheWaiting: whoever cancels a run that waits for upstream need not wait for it.
func TestAStopEndsTheWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		world, plan := manyPlan(t, 10)
		w := newWeather(world)
		w.apply = func(time.Duration, Operation) (*Trouble, bool) { return &Trouble{Kind: Down}, true }
		w.probe = func(time.Duration) *Trouble { return &Trouble{Kind: Down} }
		stop := make(chan struct{})
		time.AfterFunc(5*time.Minute, func() { close(stop) })
		var j journey
		j.went(t, w, world, plan, RunOption{Parallel: 4}, stop, nil)
		if took := time.Since(w.began); took > 5*time.Minute+time.Second || j.run.State != RunCancelled {
			t.Errorf("it was %s after %s: %s", j.run.State, took, j.run.Message)
		}
		if c := j.run.Counts; c.Unknown == 0 || c.Unknown+c.NotDone != c.Total {
			t.Errorf("counts %+v; want what was sent and not looked up unknown, and the rest not done", c)
		}
	})
}

// TestAPausedRunStandsStill and goes on where it stood.
func TestAPausedRunStandsStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		world, plan := manyPlan(t, 60)
		w := newWeather(world)
		pause := make(chan bool)
		go func() {
			time.Sleep(105 * time.Millisecond)
			pause <- true
			time.Sleep(time.Hour)
			pause <- false
		}()
		var j journey
		j.went(t, w, world, plan, RunOption{Parallel: 4}, nil, pause)
		if j.run.State != RunSucceeded {
			t.Fatalf("run is %s: %s", j.run.State, j.run.Message)
		}
		j.onceEach(t, w.model, plan)
		for _, at := range w.sent {
			if at > 125*time.Millisecond && at < time.Hour {
				t.Errorf("a call was sent at %s", at)
			}
		}
		if f := j.run.Figures; f.Paused.Duration() < time.Hour-time.Second || len(j.holds) != 1 || j.holds[0].Reason != HoldPaused {
			t.Errorf("figures %+v, holds %+v", f, j.holds)
		}
	})
}

// TestAResumedRunWaitsForUpstreamToo: before it looks up what was lost, and before it reads what the plan relies on.
func TestAResumedRunWaitsForUpstreamToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		world, plan := manyPlan(t, 5)
		store := newBooks(world)
		run := &Run{Name: "run-1", Company: "c1", State: RunRunning}
		op := plan.Operations[0]
		err := store.Begin(t.Context(), JournalEntry{Company: "c1", Run: "run-1", Number: 1, Operations: []int{op.ID}})
		if err != nil {
			t.Fatal(err)
		}
		w := newWeather(world)
		w.probe = func(at time.Duration) *Trouble {
			if at < 3*time.Minute {
				return &Trouble{Kind: Down, Cause: errors.New("no route")}
			}
			return nil
		}
		var j journey
		engine := &Engine{Store: store, Target: w}
		if err := engine.Execute(t.Context(), Execution{Run: run, Plan: plan, Secrets: anySecret{}, Watch: j.watch}); err != nil {
			t.Fatal(err)
		}
		if run.State != RunSucceeded || len(j.holds) == 0 || j.holds[0].Reason != HoldUpstream || time.Since(w.began) > 5*time.Minute {
			t.Errorf("run is %s after %s: %s; holds %+v", run.State, time.Since(w.began), run.Message, j.holds)
		}
		j.onceEach(t, w.model, plan)
	})
}

// picky refuses batches that hold certain users as a whole.
type picky struct {
	*model
	bad   map[Login]bool
	all   bool
	calls [][]int
}

func (p *picky) Batch(step *Step, _ UsersBy) Batch {
	if step.Operation.Key.Kind == KindUser {
		return Batch{Group: "users", Size: 64}
	}
	return Batch{Size: 1}
}

func (p *picky) Apply(ctx context.Context, call Call) ([]Outcome, error) {
	if call.Steps[0].Operation.Key.Kind != KindUser {
		return p.model.Apply(ctx, call)
	}
	var ids []int
	bad := p.all
	for _, s := range call.Steps {
		ids = append(ids, s.Operation.ID)
		bad = bad || p.bad[s.Operation.Login]
	}
	p.mu.Lock()
	p.calls = append(p.calls, ids)
	p.mu.Unlock()
	if !bad {
		return p.model.Apply(ctx, call)
	}
	all := call.all(Failed, "400 the file is refused")
	if len(all) > 1 {
		all = call.all(NotDone, "400 the file is refused")
		for i := range all {
			all[i].Split = true
		}
	}
	return all, nil
}

// TestARefusedBatchIsSplit until the rows at fault stand alone: they fail, all others are done, in few calls.
func TestARefusedBatchIsSplit(t *testing.T) {
	for _, c := range []struct {
		bad, calls int
	}{{0, 1}, {1, 14}, {3, 40}} {
		t.Run(fmt.Sprint(c.bad), func(t *testing.T) {
			world, plan := manyPlan(t, 60)
			p := &picky{model: newModel(world), bad: map[Login]bool{}}
			for i := range c.bad {
				p.bad[benchLogin(7+20*i)] = true
			}
			run := &Run{Name: "run-1", Company: "c1", State: RunRunning, Options: RunOption{Parallel: 4}}
			if err := (&Engine{Store: newBooks(world), Target: p}).Execute(t.Context(), Execution{Run: run, Plan: plan, Secrets: anySecret{}}); err != nil {
				t.Fatal(err)
			}
			if want := (RunCounts{Total: 120, Done: 120 - 2*c.bad, Failed: c.bad, Skipped: c.bad}); run.Counts != want {
				t.Errorf("counts %+v, want %+v", run.Counts, want)
			}
			if len(p.calls) > c.calls {
				t.Errorf("%d calls, want at most %d", len(p.calls), c.calls)
			}
		})
	}
}

// TestABatchThatIsRefusedForNoRow is not sent row by row to the end.
func TestABatchThatIsRefusedForNoRow(t *testing.T) {
	world, plan := manyPlan(t, 60)
	p := &picky{model: newModel(world), all: true}
	run := &Run{Name: "run-1", Company: "c1", State: RunRunning, Options: RunOption{Parallel: 4}}
	if err := (&Engine{Store: newBooks(world), Target: p}).Execute(t.Context(), Execution{Run: run, Plan: plan, Secrets: anySecret{}}); err != nil {
		t.Fatal(err)
	}
	if want := (RunCounts{Total: 120, Failed: 60, Skipped: 60}); run.Counts != want {
		t.Errorf("counts %+v, want %+v", run.Counts, want)
	}
	if len(p.calls) > 70 {
		t.Errorf("%d calls for 60 rows that are all refused", len(p.calls))
	}
}
