package rainbow

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	"github.com/rainbow-gateway/rainbow-gateway/internal/state"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

var (
	kills = flag.Int("kills", 6, "how many of the positions to kill a run at, evenly spread; 0: all")
	shard = flag.String("shard", "0/1", "which of the kills to do: the first of two shards is 0/2")
)

// TestMain lets the test binary be started as a process that is to be killed.
func TestMain(m *testing.M) {
	if os.Getenv(victimEnv) != "" {
		os.Exit(victim())
	}
	os.Exit(m.Run())
}

// TestARunKilledAnywhereResumesToTheSameEnd starts a process that carries out a plan of 200 operations and more, and kills it
// with SIGKILL at a position: before or after a write of the journal, before or after a request that changes something. The
// run is then resumed, and ends as one that nobody disturbed: with the same company, after the same changes, none of them twice.
func TestARunKilledAnywhereResumesToTheSameEnd(t *testing.T) {
	t.Parallel()
	for _, parallel := range []int{1, 4} {
		t.Run(fmt.Sprintf("%d calls at a time", parallel), func(t *testing.T) {
			t.Parallel()
			killAnywhere(t, parallel)
		})
	}
}

func killAnywhere(t *testing.T, parallel int) {
	g := newGallows(t, parallel)
	positions := g.positions
	if *kills > 0 {
		positions = *kills
	}
	first, shards := readShard(t)
	killed := 0
	for i := range positions {
		if i%shards != first {
			continue
		}
		at := 1 + i*g.positions/positions
		if !g.kill(t, at) {
			continue // the run had fewer positions this time, as batches fell
		}
		killed++
		if t.Failed() {
			t.Fatalf("killed at position %d of %d", at, g.positions)
		}
	}
	t.Logf("%d operations, %d positions, killed at %d of them", len(g.plan.Operations), g.positions, killed)
	if killed < positions/shards*8/10 {
		t.Errorf("killed at %d positions, want about %d", killed, positions/shards)
	}
}

func readShard(t *testing.T) (first, of int) {
	t.Helper()
	if _, err := fmt.Sscanf(*shard, "%d/%d", &first, &of); err != nil || of < 1 || first < 0 || first >= of {
		t.Fatalf("shard %q is none: want one such as 0/2", *shard)
	}
	return first, of
}

// gallows is a company and a run to be killed, again and again from the same beginning.
type gallows struct {
	*hall
	plan      *bulksync.Plan
	desired   *bulksync.Desired
	parallel  int
	positions int
	want      map[string]string
	effects   map[string]int
}

const runName = "run-kill"

func newGallows(t *testing.T, parallel int) *gallows {
	t.Helper()
	g := &gallows{hall: newHall(t, 14, false), parallel: parallel}
	g.calmly(t, staffed())
	g.desired = everything(t)
	s := g.on(t)
	var err error
	if g.plan, err = s.engine.Plan(t.Context(), sandbox.CompanyID, g.desired, bulksync.Policy{}); err != nil {
		t.Fatal(err)
	}
	if n := len(g.plan.Operations); n < 200 {
		t.Fatalf("%d operations, want 200 or more: %v", n, titles(g.plan))
	}
	if err := s.engine.Store.CreatePlan(t.Context(), &bulksync.StoredPlan{Name: "plan-kill", Plan: g.plan, Hash: g.plan.Hash(), Desired: g.desired}); err != nil {
		t.Fatal(err)
	}
	if err := s.engine.Store.CreateRun(t.Context(), &bulksync.Run{Name: runName, Company: sandbox.CompanyID, Plan: "plan-kill", Hash: g.plan.Hash(), State: bulksync.RunRunning, Options: bulksync.RunOption{Parallel: parallel}}); err != nil {
		t.Fatal(err)
	}
	g.keep(t, s)

	began := g.now()
	books := g.fresh(t)
	out, err := g.child(t, books, 0).Output()
	if err != nil {
		t.Fatalf("undisturbed run: %v\n%s", err, out)
	}
	if g.positions, err = strconv.Atoi(strings.TrimSpace(string(out))); err != nil || g.positions < 2*len(g.plan.Operations) {
		t.Fatalf("%d operations have %d positions, error %v", len(g.plan.Operations), g.positions, err)
	}
	g.want, g.effects = g.essence(), g.stage.effects(began, false)
	return g
}

// calmly applies a manifest to the company of the beginning.
func (g *gallows) calmly(t *testing.T, users []bulksync.DesiredUser) {
	t.Helper()
	s := g.on(t)
	s.succeed(s.plan(bulksync.Policy{}, users...))
	s.recordedIsReal()
	g.keep(t, s)
}

// on opens a copy of the books of the beginning.
func (g *gallows) on(t *testing.T) *stage {
	t.Helper()
	s := *g.stage
	s.tester = t
	store, err := state.Open(g.fresh(t), state.Options{UpstreamURL: s.sandbox.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	s.engine = &bulksync.Engine{Store: store, Target: s.target, Pause: time.Millisecond}
	return &s
}

// keep makes what is there now the beginning, and closes the stage.
func (g *gallows) keep(t *testing.T, s *stage) {
	t.Helper()
	if _, err := g.sandbox.Sandbox.Snapshot("start"); err != nil {
		t.Fatal(err)
	}
	g.copyBooks(t, s.engine.Store.(*state.Store), g.books)
}

// fresh brings the company of the beginning back, and gives a copy of its books.
func (g *gallows) fresh(t *testing.T) string {
	t.Helper()
	if err := g.sandbox.Sandbox.Restore("start"); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(g.books)
	if err != nil {
		t.Fatal(err)
	}
	g.cases++
	path := filepath.Join(g.folder, fmt.Sprintf("kill%d.db", g.cases))
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// kill has a run killed at a position, resumes it, and holds the end against the undisturbed one. False when the run had no
// such position and ended.
func (g *gallows) kill(t *testing.T, at int) bool {
	t.Helper()
	began := g.now()
	books := g.fresh(t)
	child := g.child(t, books, at)
	out, err := child.CombinedOutput()
	var exit *exec.ExitError
	if err == nil {
		return false
	}
	if !errors.As(err, &exit) || exit.ExitCode() != -1 {
		t.Fatalf("position %d: the run was not killed, but ended with %v\n%s", at, err, out)
	}
	store, err := state.Open(books, state.Options{UpstreamURL: g.sandbox.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(books)
	defer store.Close()
	s := *g.stage
	s.tester = t
	s.engine = &bulksync.Engine{Store: store, Target: s.target, Pause: time.Millisecond}
	if lost, err := s.engine.Recover(t.Context(), sandbox.CompanyID); err != nil || len(lost) > 1 {
		t.Fatalf("recovered %v, error %v", lost, err)
	}
	run, err := store.Run(t.Context(), sandbox.CompanyID, runName)
	if err != nil {
		t.Fatal(err)
	}
	run.State = bulksync.RunRunning
	if err := s.engine.Execute(t.Context(), bulksync.Execution{Run: run, Plan: g.plan, Secrets: s.secrets}); err != nil || run.State != bulksync.RunSucceeded {
		t.Fatalf("position %d: resumed, the run is %s: %s, error %v\n%v", at, run.State, run.Message, err, troubles(run))
	}
	if diff := gocmp.Diff(g.want, s.essence()); diff != "" {
		t.Errorf("position %d: the company is not as after an undisturbed run (-want +got):\n%s", at, diff)
	}
	if diff := gocmp.Diff(g.effects, s.effects(began, false)); diff != "" {
		t.Errorf("position %d: other things took effect than in an undisturbed run (-want +got):\n%s", at, diff)
	}
	s.settled(g.plan, g.desired)
	return true
}

// The environment of a process that is to be killed.
const (
	victimEnv   = "GATEWAY_TEST_VICTIM" // the position
	upstreamEnv = "GATEWAY_TEST_UPSTREAM"
	booksEnv    = "GATEWAY_TEST_BOOKS"
)

func (g *gallows) child(t *testing.T, books string, at int) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(self)
	child.Env = append(os.Environ(), fmt.Sprintf("%s=%d", victimEnv, at), upstreamEnv+"="+g.sandbox.URL, booksEnv+"="+books)
	return child
}

// victim carries out the run in the books and is killed at its position. Undisturbed it prints how many there were.
func victim() int {
	at, err := strconv.Atoi(os.Getenv(victimEnv))
	if err == nil {
		var positions int64
		if positions, err = carryOutRun(int64(at)); err == nil {
			fmt.Println(positions)
			return 0
		}
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func carryOutRun(killAt int64) (positions int64, err error) {
	ctx := context.Background()
	bindings, err := upstream.CompileBindings(upstream.RainbowServices())
	if err != nil {
		return 0, err
	}
	c, err := newClient(os.Getenv(upstreamEnv), sandbox.AdminPassword, bindings)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	store, err := state.Open(os.Getenv(booksEnv), state.Options{UpstreamURL: os.Getenv(upstreamEnv)})
	if err != nil {
		return 0, err
	}
	defer store.Close()
	run, err := store.Run(ctx, sandbox.CompanyID, runName)
	if err != nil {
		return 0, err
	}
	plan, err := store.Plan(ctx, sandbox.CompanyID, run.Plan)
	if err != nil {
		return 0, err
	}
	h := &hangman{at: killAt}
	target := New(mortal{c, h}, Options{Account: sandbox.AdminLogin, PollInterval: time.Millisecond, Settle: 100 * time.Millisecond, ImportBatch: 5})
	engine := &bulksync.Engine{Store: mortalBooks{store, h}, Target: target, Pause: time.Millisecond}
	if err := engine.Execute(ctx, bulksync.Execution{Run: run, Plan: plan.Plan, Secrets: passwords{}}); err != nil {
		return 0, err
	}
	if run.State != bulksync.RunSucceeded {
		return 0, fmt.Errorf("run is %s: %s: %v", run.State, run.Message, troubles(run))
	}
	return h.passed.Load(), nil
}

// hangman counts the positions of a run and kills its process at one of them.
type hangman struct {
	passed atomic.Int64
	at     int64
}

func (h *hangman) pass() {
	if h.passed.Add(1) != h.at {
		return
	}
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	if err != nil {
		panic(err)
	}
	select {} // until the signal comes
}

// mortal is a connection that has a position before and after each request that changes something.
type mortal struct {
	grpc.ClientConnInterface
	h *hangman
}

func (m mortal) Invoke(ctx context.Context, method string, req, reply any, opts ...grpc.CallOption) error {
	name := method[strings.LastIndexByte(method, '/')+1:]
	if strings.HasPrefix(name, "Get") || strings.HasPrefix(name, "List") {
		return m.ClientConnInterface.Invoke(ctx, method, req, reply, opts...)
	}
	m.h.pass()
	err := m.ClientConnInterface.Invoke(ctx, method, req, reply, opts...)
	m.h.pass()
	return err
}

// mortalBooks are books that have a position before and after each write.
type mortalBooks struct {
	*state.Store
	h *hangman
}

func (b mortalBooks) Begin(ctx context.Context, entries ...bulksync.JournalEntry) error {
	b.h.pass()
	defer b.h.pass()
	return b.Store.Begin(ctx, entries...)
}

func (b mortalBooks) End(ctx context.Context, company string, changes []bulksync.RecordChange, entries ...bulksync.JournalEntry) error {
	b.h.pass()
	defer b.h.pass()
	return b.Store.End(ctx, company, changes, entries...)
}

func (b mortalBooks) Turn(ctx context.Context, company string, changes []bulksync.RecordChange, ended, begun []bulksync.JournalEntry) error {
	b.h.pass()
	defer b.h.pass()
	return b.Store.Turn(ctx, company, changes, ended, begun)
}

func (b mortalBooks) UpdateRun(ctx context.Context, r *bulksync.Run) error {
	b.h.pass()
	defer b.h.pass()
	return b.Store.UpdateRun(ctx, r)
}

func (b mortalBooks) SetApplied(ctx context.Context, a bulksync.Applied) error {
	b.h.pass()
	defer b.h.pass()
	return b.Store.SetApplied(ctx, a)
}
