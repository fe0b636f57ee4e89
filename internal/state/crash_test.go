package state_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/state"
	"github.com/rainbow-gateway/rainbow-gateway/internal/state/storetest"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// The environment that makes the test binary a process to be killed, or one whose disk is full.
const (
	envChild = "STATE_TEST_CHILD"
	envFile  = "STATE_TEST_FILE"
)

func TestMain(m *testing.M) {
	switch os.Getenv(envChild) {
	case "kill":
		os.Exit(exitCode(liveUntilKilled(os.Getenv(envFile))))
	case "full":
		os.Exit(exitCode(fillTheDisk(os.Getenv(envFile))))
	}
	os.Exit(m.Run())
}

func exitCode(err error) int {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// child prepares this test binary to run as another process.
func child(role, path string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), envChild+"="+role, envFile+"="+path)
	cmd.Stderr = os.Stderr
	return cmd
}

const (
	crashUsers   = 3_000 // enough for a generation of its own in each refresh
	crashWorkers = 4
)

// liveUntilKilled refreshes, and begins and ends calls, and says on standard output what has become durable.
func liveUntilKilled(path string) error {
	s, err := state.Open(path, state.Options{UpstreamURL: upstreamURL, Address: "127.0.0.1:9090", Timeout: 5 * time.Second})
	if err != nil {
		return err
	}
	ctx, run := context.Background(), fmt.Sprint("r", os.Getpid())
	if err := crashRefresh(ctx, s, 0); err != nil {
		return err
	}
	if err := s.CreateRun(ctx, &bulksync.Run{Name: run, Company: storetest.Company, State: bulksync.RunRunning}); err != nil {
		return err
	}
	fmt.Println("run", run)
	errs := make(chan error)
	for w := range crashWorkers {
		go func() { errs <- crashCalls(ctx, s, run, w) }()
	}
	go func() {
		for n := 1; ; n++ {
			if err := crashRefresh(ctx, s, n); err != nil {
				errs <- err
			}
			fmt.Println("refreshed", n)
		}
	}()
	return <-errs
}

// crashRefresh records a state in which everything carries the refresh's number.
func crashRefresh(ctx context.Context, s *state.Store, n int) error {
	mark := fmt.Sprint("refresh ", n)
	return s.Record(ctx, func(put func(bulksync.Record) error) (bulksync.Company, error) {
		for i := range crashUsers {
			e, d, ddi := storetest.Extension(i), storetest.Device(i), storetest.DDI(i)
			e.Label, d.Description, ddi.Label = mark, mark, mark
			ddi.Holder = storetest.Login((i + n) % crashUsers)
			for _, r := range []bulksync.Record{e, d, ddi} {
				if err := put(r); err != nil {
					return bulksync.Company{}, err
				}
			}
		}
		for i := range 2_000 {
			if err := put(&bulksync.Licence{ID: fmt.Sprint(i), Status: mark}); err != nil {
				return bulksync.Company{}, err
			}
		}
		return storetest.NewCompany(mark), nil
	})
}

// crashCalls creates users, whom no refresh knows, call by call.
func crashCalls(ctx context.Context, s *state.Store, run string, worker int) error {
	for n := worker; ; n += crashWorkers {
		e := bulksync.JournalEntry{Company: storetest.Company, Run: run, Number: n, Operations: []int{n}, Began: time.Now()}
		if err := s.Begin(ctx, e); err != nil {
			return err
		}
		fmt.Println("began", n)
		e.Ended, e.Outcomes = time.Now(), []bulksync.Outcome{{Operation: n, Status: bulksync.Done}}
		d := &bulksync.Device{ID: run, Address: bulksync.DeviceKey(fmt.Sprintf("id:%s-%d", run, n)), Holder: bulksync.Login(run)}
		if err := s.End(ctx, storetest.Company, []bulksync.RecordChange{{Record: d, Key: d.Key()}}, e); err != nil {
			return err
		}
		fmt.Println("ended", n)
	}
}

// durable is what a killed process said it had made durable.
type durable struct {
	run          string
	began, ended map[int]bool
	refreshed    int
	// since are the calls that were begun after that refresh.
	since map[int]bool
}

func TestKilledProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	for _, after := range []time.Duration{350, 480, 620, 810} {
		said := killAfter(t, path, after*time.Millisecond)
		s, err := state.Open(path, state.Options{UpstreamURL: upstreamURL, Timeout: 5 * time.Second})
		if err != nil {
			t.Fatalf("Open after a kill: %v", err)
		}
		checkSurvival(t, s, said)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); err != nil || len(left) != 1 {
		t.Errorf("after the kills the folder holds %v, %v; want the state file alone", left, err)
	}
}

// killAfter runs the process, kills it some time after it began its run, and gives what it said.
func killAfter(t *testing.T, path string, after time.Duration) durable {
	t.Helper()
	cmd := child("kill", path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := durable{began: map[int]bool{}, ended: map[int]bool{}, since: map[int]bool{}}
	var once sync.Once
	for lines := bufio.NewScanner(out); lines.Scan(); {
		once.Do(func() { time.AfterFunc(after, func() { _ = cmd.Process.Kill() }) })
		var n int
		switch what, arg, _ := strings.Cut(lines.Text(), " "); what {
		case "run":
			said.run = arg
		case "began":
			_, err = fmt.Sscan(arg, &n)
			said.began[n], said.since[n] = true, true
		case "ended":
			_, err = fmt.Sscan(arg, &n)
			said.ended[n] = true
		case "refreshed":
			_, err = fmt.Sscan(arg, &said.refreshed)
			clear(said.since)
		}
		if err != nil {
			t.Fatalf("line %q: %v", lines.Text(), err)
		}
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.Exited() || said.run == "" {
		t.Fatalf("child ended by itself or said nothing: %v, run %q", err, said.run)
	}
	if len(said.ended) == 0 {
		t.Fatal("the process was killed before it did anything")
	}
	return said
}

// checkSurvival checks that nothing that was durable is lost and that what is there is whole.
func checkSurvival(t *testing.T, s *state.Store, said durable) {
	t.Helper()
	view, err := s.Observed(context.Background(), storetest.Company)
	if err != nil {
		t.Fatal(err)
	}
	latest := view.Company().RecordedAt == fmt.Sprint("refresh ", said.refreshed)
	began, ended := map[int]bool{}, 0
	for e, err := range s.Journal(context.Background(), storetest.Company, said.run) {
		if err != nil {
			t.Fatalf("Journal: %v", err)
		}
		began[e.Number] = true
		device := bulksync.DeviceKey(fmt.Sprintf("id:%s-%d", said.run, e.Number)).Key()
		switch recorded := view.Record(device) != nil; {
		case said.ended[e.Number] && len(e.Outcomes) == 0:
			t.Errorf("call %d had ended and its outcome is lost", e.Number)
		case len(e.Outcomes) == 0 && recorded:
			t.Errorf("call %d has an effect and no outcome", e.Number)
		case len(e.Outcomes) > 0 && !recorded && latest && said.since[e.Number]:
			t.Errorf("call %d has an outcome and no effect", e.Number)
		}
		if len(e.Outcomes) > 0 {
			ended++
		}
	}
	for n := range said.began {
		if !began[n] {
			t.Errorf("call %d was begun and is lost", n)
		}
	}
	checkOneRefresh(t, view, said)
	if err := view.Close(); err != nil {
		t.Errorf("snapshot: %v", err)
	}
	t.Logf("%d calls begun, %d ended, refresh %d or later survived", len(began), ended, said.refreshed)
}

// checkOneRefresh checks that all records are of one refresh, that it is none before the last one known to be durable,
// and that the index agrees with the records.
func checkOneRefresh(t *testing.T, view bulksync.Observed, said durable) {
	t.Helper()
	var n int
	mark := view.Company().RecordedAt
	if _, err := fmt.Sscanf(mark, "refresh %d", &n); err != nil || n < said.refreshed {
		t.Errorf("the company is of %q, want refresh %d or later", mark, said.refreshed)
	}
	holdings := map[bulksync.Login]int{}
	for _, kind := range bulksync.Kinds() {
		count := 0
		for r := range view.Records(kind) {
			count++
			if holder := r.HeldBy(); holder != "" {
				holdings[holder]++
			}
			if got, ofRun := markOf(r); !ofRun && got != mark {
				t.Fatalf("%s is of %q, the company of %q", r.Key(), got, mark)
			}
		}
		if count == 0 && kind != bulksync.KindUser && bulksync.Refreshed(kind) {
			t.Errorf("no records of kind %s", kind)
		}
	}
	for login, want := range holdings {
		held := view.Held(login)
		for _, k := range held {
			if r := view.Record(k); r == nil || r.HeldBy() != login {
				t.Fatalf("the index says that %s holds %s; the record says %v", login, k, r)
			}
		}
		if len(held) != want {
			t.Fatalf("the index has %d things of %s, the records %d", len(held), login, want)
		}
	}
}

// markOf is the refresh of a record, or says that a run made it.
func markOf(r bulksync.Record) (mark string, ofRun bool) {
	switch r := r.(type) {
	case *bulksync.Extension:
		return r.Label, false
	case *bulksync.Device:
		return r.Description, strings.HasPrefix(string(r.Address), "id:")
	case *bulksync.DDI:
		return r.Label, false
	case *bulksync.Licence:
		return r.Status, false
	}
	return "", false
}

// fillTheDisk opens the file with room for little more than it has, and expects a large refresh and a plan to fail.
func fillTheDisk(path string) error {
	s, err := state.Open(path, state.Options{UpstreamURL: upstreamURL, Timeout: 5 * time.Second})
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	signal.Ignore(syscall.SIGXFSZ)
	limit := uint64(info.Size())
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
		return err
	}
	if err := crashRefresh(context.Background(), s, 1); err == nil {
		return errors.New("a refresh succeeded on a full disk")
	}
	view, err := s.Observed(context.Background(), storetest.Company)
	if err != nil {
		return fmt.Errorf("after a refresh that failed: %w", err)
	}
	if view.Record(storetest.Login(1).Key()) == nil {
		return errors.New("after a refresh that failed: the old state is gone")
	}
	return errors.Join(view.Close(), s.Close())
}

func TestFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, path)
	before := storetest.Populate(50)
	storetest.Refresh(t, s, storetest.NewCompany("before"), before)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if out, err := child("full", path).Output(); err != nil {
		t.Fatalf("child: %v\n%s", err, out)
	}
	storetest.CheckState(t, open(t, path), storetest.NewCompany("before"), before)
}
