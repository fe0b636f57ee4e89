package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	"github.com/rainbow-gateway/rainbow-gateway/internal/state"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
	"github.com/rainbow-gateway/rainbow-gateway/internal/sync/rainbow"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// applying is the carrying out of a plan of as many operations as the sandbox has users, a call each.
type applying struct {
	store   *state.Store
	engine  *bulksync.Engine
	plan    *bulksync.Plan
	run     *bulksync.Run
	journal *metered
	client  *upstream.Client
}

// apply carries out the plan: what it takes is measured from the first thing that a run does to the last. Told so, it writes
// the journal alone: what the run changes of the recorded state is then dropped.
func (j job) apply(ctx context.Context, journalAlone bool) error {
	ballast := make([]byte, 48<<20) // as internal/server has it
	defer runtime.KeepAlive(ballast)
	a, err := j.prepareApply(ctx, nil)
	if err != nil {
		return err
	}
	a.journal.alone = journalAlone
	j.figures.start()
	err = a.execute(ctx)
	j.figures.stop()
	j.figures.extra = []float64{a.journal.cpu().Seconds(), a.journal.clock().Seconds(), float64(a.journal.writes.Load()), float64(a.run.Figures.HighestLimit)}
	return errors.Join(err, a.close())
}

// recordApply carries out the plan and writes down the requests that it makes, in the order in which they go.
func (j job) recordApply(ctx context.Context) error {
	requests := &recorder{}
	a, err := j.prepareApply(ctx, requests)
	if err != nil {
		return err
	}
	requests.forget()
	if err := errors.Join(a.execute(ctx), a.close()); err != nil {
		return err
	}
	b, err := json.Marshal(requests.all)
	if err != nil {
		return err
	}
	return os.WriteFile(j.path(requestsFile), b, 0o600)
}

// prepareApply records the sandbox's company in a new state file and plans one operation for each of its users: in turn
// his DDI goes, his device, he gets a licence, and another job.
func (j job) prepareApply(ctx context.Context, requests *recorder) (*applying, error) {
	name := j.path(applyFile)
	if err := os.RemoveAll(name); err != nil {
		return nil, err
	}
	bindings, err := upstream.CompileBindings(upstream.RainbowServices())
	if err != nil {
		return nil, err
	}
	opts := upstream.Options{
		BaseURL: j.sandbox, Bindings: bindings,
		Account: &upstream.Account{Login: sandbox.AdminLogin, Password: sandbox.AdminPassword, AppID: sandbox.AppID, AppSecret: sandbox.AppSecret},
	}
	if requests != nil {
		opts.Transport = requests
	}
	a := &applying{}
	if a.client, err = upstream.New(opts); err != nil {
		return nil, err
	}
	if a.store, err = state.Open(name, state.Options{UpstreamURL: j.sandbox}); err != nil {
		return nil, err
	}
	a.journal = &metered{Store: a.store}
	target := rainbow.New(a.client, rainbow.Options{Account: sandbox.AdminLogin, UsersBy: bulksync.UsersByAdmin})
	a.engine = &bulksync.Engine{Store: a.journal, Target: target, Parallel: j.workers}
	if _, err := a.engine.Refresh(ctx, sandbox.CompanyID, nil); err != nil {
		return nil, err
	}
	if a.plan, err = a.engine.Plan(ctx, sandbox.CompanyID, everyUser(j.users), bulksync.Policy{}); err != nil {
		return nil, err
	}
	if n := len(a.plan.Operations); n != j.users {
		return nil, fmt.Errorf("plan of %d operations, want %d", n, j.users)
	}
	a.run = &bulksync.Run{Name: "run-1", Company: sandbox.CompanyID, Plan: "plan-1", Hash: a.plan.Hash(), State: bulksync.RunRunning}
	return a, a.store.CreateRun(ctx, a.run)
}

// everyUser is a manifest that changes one thing of every seeded user.
func everyUser(users int) *bulksync.Desired {
	d := &bulksync.Desired{Mode: "rainbowvoice", Users: &bulksync.Entries{}}
	for i := range users {
		u := bulksync.DesiredUser{
			Login: bulksync.Login(sandbox.SeedLogin(i + 1)), Action: "upsert", Position: bulksync.Position{File: "bench.csv", Line: i + 2, Column: 1},
		}
		switch i % 4 {
		case 0:
			u.DDIs = bulksync.Having[bulksync.E164]()
		case 1:
			u.Devices = bulksync.Having[bulksync.DeviceKey]()
		case 2:
			u.Licences = bulksync.Adding[bulksync.Offer]("Enterprise Demo")
		case 3:
			u.Attributes = []bulksync.Attribute{{Name: "jobTitle", Value: "Surgeon"}}
		}
		d.Users.Append(&u)
	}
	return d
}

func (a *applying) execute(ctx context.Context) error {
	err := a.engine.Execute(ctx, bulksync.Execution{Run: a.run, Plan: a.plan})
	if err == nil && a.run.State != bulksync.RunSucceeded {
		err = fmt.Errorf("the run is %s: %s; %+v", a.run.State, a.run.Message, a.run.Counts)
	}
	return err
}

func (a *applying) close() error { return errors.Join(a.client.Close(), a.store.Close()) }

// metered is a store that measures what journal and recorded state take while a run goes on: the processor time of the
// thread that writes, fsync included. A commit is carried out by the goroutine that asks for it, which is bound to its
// thread meanwhile.
type metered struct {
	*state.Store
	// alone: changes of the recorded state are dropped.
	alone                bool
	used, passed, writes atomic.Int64
}

// kept are the changes that are written.
func (m *metered) kept(changes []bulksync.RecordChange) []bulksync.RecordChange {
	if m.alone {
		return nil
	}
	return changes
}

func (m *metered) cpu() time.Duration   { return time.Duration(m.used.Load()) }
func (m *metered) clock() time.Duration { return time.Duration(m.passed.Load()) }

func (m *metered) measure(write func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start, before := time.Now(), threadTime()
	err := write()
	m.used.Add(int64(threadTime() - before))
	m.passed.Add(int64(time.Since(start)))
	m.writes.Add(1)
	return err
}

// Begin implements bulksync.Store.
func (m *metered) Begin(ctx context.Context, entries ...bulksync.JournalEntry) error {
	return m.measure(func() error { return m.Store.Begin(ctx, entries...) })
}

// End implements bulksync.Store.
func (m *metered) End(ctx context.Context, company string, changes []bulksync.RecordChange, entries ...bulksync.JournalEntry) error {
	return m.measure(func() error { return m.Store.End(ctx, company, m.kept(changes), entries...) })
}

// Turn implements bulksync.Turner.
func (m *metered) Turn(ctx context.Context, company string, changes []bulksync.RecordChange, ended, begun []bulksync.JournalEntry) error {
	return m.measure(func() error { return m.Store.Turn(ctx, company, m.kept(changes), ended, begun) })
}

// threadTime is the processor time that the calling thread has used. getrusage would not do: what it tells of the thread
// that asks is as old as the last tick, up to several milliseconds, so that a write would be charged with what went before.
func threadTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		panic(err) // it takes no argument that could be wrong
	}
	return time.Duration(t.Nano())
}

// syncLatency is the median time of a write of 4 KiB with fsync into the folder, as a commit waits for.
func syncLatency(folder string) (time.Duration, error) {
	f, err := os.Create(filepath.Join(folder, "fsync"))
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }()
	page := make([]byte, 4096)
	times := make([]float64, 200)
	for i := range times {
		start := time.Now()
		if _, err := f.WriteAt(page, int64(i%16)*4096); err != nil {
			return 0, err
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			return 0, err
		}
		times[i] = time.Since(start).Seconds()
	}
	return time.Duration(median(times) * float64(time.Second)), nil
}

// measureApply lets the engine and the bare loop take turns, each on a sandbox that nobody has used, and prints how they
// compare.
func measureApply(ctx context.Context, folder string, opts options) error {
	if _, err := withSandbox(ctx, "record-apply", folder, opts); err != nil {
		return err
	}
	var rate, cpu, journal, share, waiting, writes, limit, requests []float64
	for round := range opts.rounds {
		roles := []string{"bare", "apply", "journal"}
		if round%2 == 1 {
			slices.Reverse(roles)
		}
		seen := map[string]result{}
		for _, role := range roles {
			r, err := withSandbox(ctx, role, folder, opts)
			if err != nil {
				return err
			}
			seen[role] = r
		}
		bare, engine := seen["bare"], seen["apply"]
		rate = append(rate, bare.clock.Seconds()/engine.clock.Seconds())
		cpu = append(cpu, engine.cpu.Seconds()/bare.cpu.Seconds())
		journal = append(journal, seen["journal"].extra[0]/engine.cpu.Seconds())
		share = append(share, engine.extra[0]/engine.cpu.Seconds())
		waiting = append(waiting, engine.extra[1]/engine.clock.Seconds())
		writes = append(writes, engine.extra[2])
		limit = append(limit, engine.extra[3])
		requests = append(requests, bare.extra[0])
	}
	latency, err := syncLatency(folder)
	if err != nil {
		return err
	}
	fmt.Printf("\napply of %d operations, a call each, %d workers, %d rounds; fsync takes %s here\n\n", opts.operations, opts.workers, opts.rounds, latency.Round(time.Microsecond))
	fmt.Print("| what | measured | goal |\n|---|---|---|\n")
	for _, l := range []struct {
		what   string
		values []float64
		format string
		goal   string
	}{
		{"operations a second, to those of the bare loop", rate, "%.2f", "≥ 0.5"},
		{"processor time of the process, to the loop's", cpu, "%.2f", ""},
		{"the journal, of the processor time of the process", journal, "%.2f", "≤ 0.1"},
		{"journal, recorded state and traces, of the same", share, "%.2f", ""},
		{"the same, of the clock", waiting, "%.2f", ""},
		{"writes to the state file", writes, "%.0f", ""},
		{"requests", requests, "%.0f", ""},
		{"calls in flight at most", limit, "%.0f", ""},
	} {
		fmt.Printf("| %s | %s | %s |\n", l.what, spread(l.values, l.format), l.goal)
	}
	return nil
}
