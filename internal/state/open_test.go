package state_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/rainbow-gateway/rainbow-gateway/internal/state"
	"github.com/rainbow-gateway/rainbow-gateway/internal/state/storetest"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

func options() state.Options {
	return state.Options{UpstreamURL: upstreamURL, Timeout: 60 * time.Millisecond}
}

func TestNewFilesArePrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "state.db")
	s := open(t, path)
	for name, want := range map[string]fs.FileMode{
		path: 0o600, path + ".lock": 0o600, filepath.Dir(path): fs.ModeDir | 0o700, filepath.Dir(filepath.Dir(path)): fs.ModeDir | 0o700,
	} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("mode of %s = %v, want %v", name, info.Mode(), want)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + ".lock"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("side file after Close: %v, want none", err)
	}
}

func TestLockedFileNamesItsHolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	holder, err := state.Open(path, options())
	if err != nil {
		t.Fatal(err)
	}
	_, err = state.Open(path, options())
	var locked *state.LockedError
	if !errors.As(err, &locked) || !errors.Is(err, state.ErrLocked) || locked.Holder == nil || locked.Holder.PID != os.Getpid() {
		t.Fatalf("Open = %v, want a LockedError with this process", err)
	}
	if strings.Contains(err.Error(), "--server") {
		t.Errorf("error %q hints at a server, though there is none", err)
	}
	if err := holder.Announce("127.0.0.1:9090"); err != nil {
		t.Fatal(err)
	}
	for _, readOnly := range []bool{false, true} {
		o := options()
		o.ReadOnly = readOnly
		_, err = state.Open(path, o)
		if !errors.Is(err, state.ErrLocked) || !strings.Contains(err.Error(), "--server 127.0.0.1:9090") || !strings.Contains(err.Error(), path) {
			t.Errorf("Open (read only: %v) = %v, want ErrLocked with the path and --server 127.0.0.1:9090", readOnly, err)
		}
	}
	run := storetest.NewRun("run-7", 1)
	run.Actor, run.State = "ann@demo.example", bulksync.RunRunning
	if err := holder.CreateRun(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	_, err = state.Open(path, options())
	for _, want := range []string{"run-7", storetest.Company, "ann@demo.example", run.StartTime.UTC().Format(time.RFC3339), "--server 127.0.0.1:9090"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open = %v, want it to name %s", err, want)
		}
	}
	run.State = bulksync.RunFailed
	if err := holder.UpdateRun(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	if _, err = state.Open(path, options()); err == nil || strings.Contains(err.Error(), "run-7") {
		t.Errorf("Open = %v, want no word of a run that has ended", err)
	}
	if err := holder.Announce("x"); err != nil { // shorter than what was there
		t.Fatal(err)
	}
	if _, err = state.Open(path, options()); !strings.Contains(err.Error(), "gateway at x (") {
		t.Errorf("Open = %v, want the new address", err)
	}
	if err := holder.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, path)
}

func TestSideFileLeftBehindIsNotBelieved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	o := options()
	o.ReadOnly = true
	reader, err := state.Open(path, o) // readers write no side file
	if err != nil {
		t.Fatal(err)
	}
	left := `{"pid":1,"grpc":"127.0.0.1:9090","since":"2026-01-01T00:00:00Z"}`
	if err := os.WriteFile(path+".lock", []byte(left), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = state.Open(path, options())
	var locked *state.LockedError
	if !errors.As(err, &locked) || locked.Holder != nil {
		t.Errorf("Open = %v, want a LockedError without a holder", err)
	}
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, path)
	b, err := os.ReadFile(path + ".lock")
	if err != nil || strings.Contains(string(b), "9090") {
		t.Errorf("side file after opening = %q, %v; want this process's own", b, err)
	}
}

func TestFileWaitsForItsHolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	holder := open(t, path)
	time.AfterFunc(150*time.Millisecond, func() { _ = holder.Close() })
	s, err := state.Open(path, state.Options{UpstreamURL: upstreamURL, Timeout: 10 * time.Second})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestFileIsBoundToItsUpstream(t *testing.T) {
	cases := []struct {
		bound, asked string
		same         bool
	}{
		{"https://openrainbow.example", "https://OpenRainbow.example:443/", true},
		{"http://127.0.0.1:8090/base/", "http://127.0.0.1:8090/base", true},
		{"http://h:80", "http://h", true},
		{"https://ann:s3cret@h?token=t0ken", "https://h", true},
		{"sandbox", "sandbox", true},
		{"https://a", "", true},
		{"https://a", "https://b", false},
		{"https://a", "http://a", false},
		{"https://a", "https://a:444", false},
		{"https://a", "sandbox", false},
		{"https://a/x", "https://a/X", false},
	}
	for _, c := range cases {
		path := filepath.Join(t.TempDir(), "state.db")
		s, err := state.Open(path, state.Options{UpstreamURL: c.bound})
		if err != nil {
			t.Fatalf("%s: %v", c.bound, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s, err = state.Open(path, state.Options{UpstreamURL: c.asked})
		switch {
		case c.same && err != nil:
			t.Errorf("bound to %s, opened for %q: %v", c.bound, c.asked, err)
		case !c.same && (!errors.Is(err, state.ErrOtherUpstream) || !strings.Contains(err.Error(), c.bound) || !strings.Contains(err.Error(), c.asked)):
			t.Errorf("bound to %s, opened for %q: %v; want ErrOtherUpstream that names both", c.bound, c.asked, err)
		}
		if s != nil {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
		b, err := os.ReadFile(path)
		if err != nil || strings.Contains(string(b), "s3cret") || strings.Contains(string(b), "t0ken") {
			t.Errorf("the file holds what the URL holds of secrets (%v)", err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	cases := []struct {
		name string
		file func(t *testing.T, path string)
		o    func(*state.Options)
		want error
		text string
	}{
		{name: "a text file", file: content("not a database, but long enough\n", 1000), want: state.ErrNotState},
		{name: "a short file", file: content("x", 1), want: state.ErrNotState},
		{name: "zeroes", file: content("\x00", 65536), want: state.ErrNotState},
		{name: "a copy that was cut off", file: cutOff, want: state.ErrNotState},
		{name: "a copy that lacks its last page", file: lacksLastPage, want: state.ErrNotState, text: "should have"},
		{name: "a file whose pages are nonsense", file: scribbled, want: state.ErrNotState},
		{name: "another program's bbolt file", file: foreign, want: state.ErrNotState, text: "something else"},
		{name: "a folder", file: func(t *testing.T, path string) { mkdir(t, path) }, text: "is a directory"},
		{name: "a new file without an upstream", o: func(o *state.Options) { o.UpstreamURL = "" }, text: "needs the upstream"},
		{name: "a bad upstream URL", o: func(o *state.Options) { o.UpstreamURL = "https://ann:hush%zz@" }, text: "not a URL"},
		{name: "to read what does not exist", o: func(o *state.Options) { o.ReadOnly = true }, want: fs.ErrNotExist},
		{name: "to read an empty file", file: content("", 0), o: func(o *state.Options) { o.ReadOnly = true }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			if c.file != nil {
				c.file(t, path)
			}
			before := readAll(path)
			o := options()
			if c.o != nil {
				c.o(&o)
			}
			s, err := state.Open(path, o)
			if err == nil {
				_ = s.Close()
				t.Fatal("Open succeeded")
			}
			if c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "hush") {
				t.Errorf("Open = %v, want %v with %q", err, c.want, c.text)
			}
			if !strings.Contains(err.Error(), path) {
				t.Errorf("Open = %v, want it to name the file", err)
			}
			if after := readAll(path); after != before {
				t.Errorf("a refused file was changed or made")
			}
			if _, err := os.Stat(path + ".lock"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("side file after a refusal: %v", err)
			}
		})
	}
}

// readAll gives a file's content, or a mark that there is none.
func readAll(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return "unreadable"
	}
	return string(b)
}

func content(text string, times int) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		if err := os.WriteFile(path, []byte(strings.Repeat(text, times)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func mkdir(t *testing.T, path string) {
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
}

// filled makes a state file with something in it.
func filled(t *testing.T, path string) {
	s := open(t, path)
	storetest.Refresh(t, s, storetest.NewCompany(""), storetest.Populate(200))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func cutOff(t *testing.T, path string) {
	filled(t, path)
	if err := os.Truncate(path, 3*4096); err != nil {
		t.Fatal(err)
	}
}

func lacksLastPage(t *testing.T, path string) {
	filled(t, path)
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	var size int64
	nothing := func(*bolt.Tx) error { return nil }
	err = errors.Join(db.Update(nothing), db.Update(nothing), db.View(func(tx *bolt.Tx) error { // the list of free pages moves
		size = tx.Size()
		return nil
	}), db.Close())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size-int64(os.Getpagesize())); err != nil {
		t.Fatal(err)
	}
}

func scribbled(t *testing.T, path string) {
	filled(t, path)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	for at := int64(2 * 4096); at < info.Size(); at += 4096 {
		if _, err := f.WriteAt([]byte(strings.Repeat("\xa5", 4096)), at); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func foreign(t *testing.T, path string) {
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucket([]byte("theirs"))
		return err
	}), db.Close())
	if err != nil {
		t.Fatal(err)
	}
}

func TestFolderThatCannotBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	content("x", 1)(t, file)
	if _, err := state.Open(filepath.Join(file, "state.db"), options()); err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("Open = %v, want not a directory", err)
	}
}

func TestReadOnlyStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	filled(t, path)
	o := options()
	o.ReadOnly = true
	var readers []*state.Store
	for range 2 {
		s, err := state.Open(path, o)
		if err != nil {
			t.Fatalf("Open: %v", err)
		}
		readers = append(readers, s)
	}
	ctx, s := context.Background(), readers[1]
	storetest.CheckState(t, s, storetest.NewCompany(""), storetest.Populate(200))
	filling := func(func(bulksync.Record) error) (bulksync.Company, error) {
		t.Error("a refresh that cannot be stored read upstream")
		return storetest.NewCompany(""), nil
	}
	for what, err := range map[string]error{
		"Record":     s.Record(ctx, filling),
		"CreatePlan": s.CreatePlan(ctx, storetest.NewStoredPlan("p", 0, 1)),
		"CreateRun":  s.CreateRun(ctx, storetest.NewRun("r", 0)),
		"Begin":      s.Begin(ctx, bulksync.JournalEntry{Company: "c", Run: "r"}),
		"Announce":   s.Announce("127.0.0.1:9090"),
	} {
		if !errors.Is(err, state.ErrReadOnly) {
			t.Errorf("%s = %v, want ErrReadOnly", what, err)
		}
	}
	for _, s := range readers {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
}

func TestClosedStore(t *testing.T) {
	s := openNew(t)
	storetest.Refresh(t, s, storetest.NewCompany(""), storetest.Populate(2))
	ctx := context.Background()
	view, err := s.Observed(ctx, storetest.Company)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Errorf("Close: %v", err)
	}
	if r := view.Record(storetest.Login(1).Key()); r != nil {
		t.Errorf("a view of a closed store gave %v", r)
	}
	_, plansErr := s.Plans(ctx, storetest.Company)
	for what, err := range map[string]error{
		"Plans": plansErr, "CreateRun": s.CreateRun(ctx, storetest.NewRun("r", 0)), "snapshot's Close": view.Close(),
	} {
		if !errors.Is(err, state.ErrClosed) {
			t.Errorf("%s = %v, want ErrClosed", what, err)
		}
	}
}
