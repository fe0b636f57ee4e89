package main

import (
	"context"
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/pprof"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/rainbow-gateway/rainbow-gateway/internal/manifest"
	"github.com/rainbow-gateway/rainbow-gateway/internal/state"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// job is one piece of work on the company in a folder.
type job struct {
	folder string
	users  int
	// sandbox is the upstream's URL, workers how many calls are in flight at most: of apply and bare.
	sandbox string
	workers int
	figures *figures
}

// figures are what a piece of work took: all of it, unless it says itself when it starts and stops.
type figures struct {
	from       time.Time
	before     time.Duration
	cpu, clock time.Duration
	stopped    bool
	// extra are figures of its own.
	extra []float64
	// profile is where a CPU profile of the time in between goes; empty: none.
	profile string
}

func (f *figures) start() {
	if f.profile != "" {
		file, err := os.Create(f.profile)
		if err == nil {
			err = pprof.StartCPUProfile(file)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "profile:", err)
		}
	}
	f.from, f.before, f.stopped = time.Now(), cpuTime(), false
}

func (f *figures) stop() {
	if !f.stopped {
		f.cpu, f.clock, f.stopped = cpuTime()-f.before, time.Since(f.from), true
		pprof.StopCPUProfile()
	}
}

// jobs are the pieces of work by their role.
func (j job) jobs() map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"manifests":      func(context.Context) error { return writeManifests(j.folder, j.users) },
		"record":         func(ctx context.Context) error { return j.record(ctx, stateFile, true) },
		"loop":           func(context.Context) error { return j.loop() },
		"plan":           func(ctx context.Context) error { return j.plan(ctx, changedCSV) },
		"hash":           func(context.Context) error { return j.hash() },
		"standing":       j.standing,
		"unchanged":      func(ctx context.Context) error { return j.plan(ctx, sameCSV) },
		"settle":         func(ctx context.Context) error { return j.settle(ctx) },
		"preview":        j.preview,
		"upstream":       func(ctx context.Context) error { return j.observe(ctx, false) },
		"refresh":        func(ctx context.Context) error { return j.record(ctx, "fresh.db", false) },
		"upstream-whole": func(ctx context.Context) error { return j.observe(ctx, true) },
		"refresh-whole":  func(ctx context.Context) error { return j.record(ctx, "fresh.db", true) },
		"record-apply":   j.recordApply,
		"apply":          func(ctx context.Context) error { return j.apply(ctx, false) },
		"journal":        func(ctx context.Context) error { return j.apply(ctx, true) },
		"bare":           j.bare,
	}
}

// work is the other half of the program: a process that does one piece of work, prints what it took, and then keeps its
// memory until its input ends.
func work(ctx context.Context, role string, args []string) error {
	j := job{figures: &figures{}}
	flags := flag.NewFlagSet(role, flag.ContinueOnError)
	flags.StringVar(&j.folder, "folder", "", "where the company is")
	flags.IntVar(&j.users, "users", 0, "users of the company")
	flags.StringVar(&j.sandbox, "sandbox", "", "where the sandbox is")
	flags.IntVar(&j.workers, "workers", 0, "calls in flight at most")
	cpuProfile := flags.String("cpuprofile", "", "write a CPU profile to this file")
	heapProfile := flags.String("memprofile", "", "write a heap profile to this file")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if role == "sandbox" {
		return serveSandbox(j.users)
	}
	do, known := j.jobs()[role]
	if !known {
		return fmt.Errorf("role %q: unknown", role)
	}
	j.figures.profile = *cpuProfile
	if role != "apply" && role != "journal" && role != "bare" { // these say themselves when they start
		j.figures.start()
	}
	if err := do(ctx); err != nil {
		return err
	}
	j.figures.stop()
	fmt.Printf("%d %d", j.figures.cpu, j.figures.clock)
	for _, v := range j.figures.extra {
		fmt.Printf(" %g", v)
	}
	fmt.Println()
	if *heapProfile != "" {
		return writeHeapProfile(*heapProfile)
	}
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

func writeHeapProfile(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(pprof.Lookup("allocs").WriteTo(f, 0), f.Close())
}

// cpuTime is the processor time that this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it takes no argument that could be wrong
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (j job) path(name string) string { return filepath.Join(j.folder, name) }

// loop is the unit: the rows of the file beside the users of the state file, both in key order.
func (j job) loop() error {
	f, err := os.Open(j.path(changedCSV))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	db, err := bolt.Open(j.path(stateFile), 0o600, &bolt.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	return db.View(func(tx *bolt.Tx) error {
		met, err := merge(f, userCursor(tx))
		if err == nil && met != j.users {
			err = fmt.Errorf("%d of %d users met", met, j.users)
		}
		return err
	})
}

// userCursor finds the recorded users; internal/state draws the tree.
func userCursor(tx *bolt.Tx) *bolt.Cursor {
	generations := tx.Bucket([]byte("companies")).Bucket([]byte(companyID)).Bucket([]byte("generations"))
	name, _ := generations.Cursor().First()
	return generations.Bucket(name).Bucket([]byte("records")).Bucket([]byte("user")).Cursor()
}

func merge(f io.Reader, users *bolt.Cursor) (met int, err error) {
	rows := csv.NewReader(f)
	rows.Comma, rows.ReuseRecord = ';', true
	if _, err := rows.Read(); err != nil {
		return 0, err
	}
	id, _ := users.First()
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return met, nil
		}
		if err != nil {
			return met, err
		}
		for id != nil && string(id) < row[1] {
			id, _ = users.Next()
		}
		if string(id) == row[1] {
			met++
		}
	}
}

// hash is the least that must be done to tell that a file is the one planned before.
func (j job) hash() error {
	f, err := os.Open(j.path(sameCSV))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	_, err = io.Copy(sha256.New(), f)
	return err
}

// made is a plan with what it was made from.
type made struct {
	plan    *bulksync.Plan
	desired *bulksync.Desired
}

// makePlan reads a manifest and plans it, as the gateway does.
func (j job) makePlan(ctx context.Context, store *state.Store, name string) (made, error) {
	f, err := os.Open(j.path(name))
	if err != nil {
		return made{}, err
	}
	defer func() { _ = f.Close() }()
	desired, _, err := manifest.Read(ctx, []manifest.Source{{Name: name, Reader: f}}, manifest.Options{})
	if err != nil {
		return made{}, err
	}
	engine := &bulksync.Engine{Store: store}
	plan, err := engine.Plan(ctx, companyID, desired, bulksync.Policy{})
	return made{plan, desired}, err
}

func (j job) plan(ctx context.Context, name string) error {
	store, err := state.Open(j.path(stateFile), state.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	m, err := j.makePlan(ctx, store, name)
	if err != nil {
		return errors.Join(err, store.Close())
	}
	if n := len(m.plan.Operations); name == sameCSV && n > 0 || name == changedCSV && (n < j.users/200 || n > j.users/20) {
		err = fmt.Errorf("%s: plan of %d operations", name, n)
	}
	return errors.Join(err, store.Close())
}

// preview plans, saves the plan, and writes until the first line is there.
func (j job) preview(ctx context.Context) error {
	store, err := state.Open(j.path(stateFile), state.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	m, err := j.makePlan(ctx, store, changedCSV)
	if err != nil {
		return err
	}
	stored := &bulksync.StoredPlan{Name: fmt.Sprintf("plan-%d", os.Getpid()), Plan: m.plan, Hash: m.plan.Hash(), CreateTime: time.Now(), Desired: m.desired}
	if err := store.CreatePlan(ctx, stored); err != nil {
		return err
	}
	err = m.plan.Render(firstWrite{}, bulksync.FormatText, bulksync.RenderOptions{Name: stored.Name})
	if !errors.Is(err, errWritten) {
		return fmt.Errorf("nothing was rendered: %w", err)
	}
	return nil
}

// same is the unchanged manifest with the engine, and the fingerprint of both.
func (j job) same(ctx context.Context, store *state.Store) (*bulksync.Engine, string, error) {
	content, err := os.ReadFile(j.path(sameCSV))
	if err != nil {
		return nil, "", err
	}
	engine := &bulksync.Engine{Store: store}
	print, err := engine.Fingerprint(ctx, companyID, manifest.Fingerprint([]manifest.Source{{Name: sameCSV, Content: content}}, manifest.Options{}), bulksync.Policy{})
	return engine, print, err
}

// settle plans the unchanged manifest and stores the plan, as it was done the day before.
func (j job) settle(ctx context.Context) error {
	store, err := state.Open(j.path(stateFile), state.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	m, err := j.makePlan(ctx, store, sameCSV)
	if err != nil {
		return err
	}
	_, print, err := j.same(ctx, store)
	if err != nil {
		return err
	}
	return store.CreatePlan(ctx, &bulksync.StoredPlan{Name: "settled", Plan: m.plan, Hash: m.plan.Hash(), CreateTime: time.Now(), Desired: m.desired, Fingerprint: print})
}

// standing plans the unchanged manifest again.
func (j job) standing(ctx context.Context) error {
	store, err := state.Open(j.path(stateFile), state.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	engine, print, err := j.same(ctx, store)
	if err != nil {
		return errors.Join(err, store.Close())
	}
	name, err := engine.Standing(ctx, companyID, print)
	if err != nil {
		return errors.Join(err, store.Close())
	}
	found, err := store.Plan(ctx, companyID, name)
	if err == nil && found.Plan.Unchanged.Len() != j.users {
		err = fmt.Errorf("%d users are unchanged", found.Plan.Unchanged.Len())
	}
	return errors.Join(err, store.Close())
}

// firstWrite ends a rendering with its first piece.
type firstWrite struct{}

var errWritten = errors.New("the first piece is written")

// Write fails, for that is all there is to see.
func (firstWrite) Write([]byte) (int, error) { return 0, errWritten }

// observe is what upstream costs.
func (j job) observe(ctx context.Context, whole bool) error {
	_, err := madeUp{users: j.users, whole: whole}.Observe(ctx, companyID, func(bulksync.Record) error { return nil })
	return err
}

// record refreshes into a new state file.
func (j job) record(ctx context.Context, name string, whole bool) error {
	if err := os.Remove(j.path(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	store, err := state.Open(j.path(name), state.Options{UpstreamURL: "https://rainbow.example"})
	if err != nil {
		return err
	}
	engine := &bulksync.Engine{Store: store, Target: madeUp{users: j.users, whole: whole}}
	_, err = engine.Refresh(ctx, companyID, nil)
	return errors.Join(err, store.Close())
}
