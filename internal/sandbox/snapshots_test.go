package sandbox_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

func TestSnapshotsOverTheControlPaths(t *testing.T) {
	r := start(t, sandbox.Options{SeedUsers: 3})
	r.control("PUT", "/snapshots/clean", "").ok().want("name", "clean")
	made := r.post(ddis, map[string]string{"number": "0298300777"}).ok().text("data.id")
	r.delete(admin + "/users/" + r.userID(seeded(1))).ok()
	r.control("PUT", "/snapshots/later", "").ok()
	if names := string(r.control("GET", "/snapshots", "").ok().body); strings.Index(names, `"clean"`) > strings.Index(names, `"later"`) || !strings.Contains(names, `"later"`) {
		t.Errorf("snapshots: %s", names)
	}
	before := len(r.sandbox.Journal())
	r.control("POST", "/snapshots/clean/restore", "").ok()
	if after := len(r.sandbox.Journal()); after != before {
		t.Errorf("a restore left %d entries of %d in the journal", after, before)
	}
	// The token of before still works, and ids go on where they stood.
	r.get(ddis+"?numberE164StartWith=%2B33298300777").ok().want("total", "0")
	r.get(admin+"/users").ok().want("total", "4")
	r.post(ddis, map[string]string{"number": "0298300778"}).ok().want("data.id", made)
	// A picture can be used again, and outlives a reset.
	r.control("POST", "/snapshots/later/restore", "").ok()
	r.get(admin+"/users").ok().want("total", "3")
	r.control("POST", "/reset", "").ok()
	r.get(admin+"/users").ok().want("total", "4")
	r.control("POST", "/snapshots/later/restore", "").ok()
	r.get(ddis+"?numberE164StartWith=%2B33298300777").ok().want("total", "1")
	r.control("DELETE", "/snapshots/later", "").ok()
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"POST", "/snapshots/later/restore", 404}, {"DELETE", "/snapshots/later", 404}, {"PUT", "/snapshots/a%20b", 400}, {"PUT", "/snapshots/..", 400},
		{"PUT", "/snapshots/" + strings.Repeat("x", 65), 400}, {"PATCH", "/snapshots/clean", 404}, {"POST", "/snapshots", 404}, {"POST", "/snapshots/clean/other", 404},
	} {
		if a := r.control(c.method, c.path, ""); a.status != c.status || a.text("error") == "" {
			t.Errorf("%s: %d %s, want %d", a.what, a.status, a.body, c.status)
		}
	}
}

func TestSnapshotsAreBounded(t *testing.T) {
	r := start(t, sandbox.Options{SeedUsers: -1})
	for n := range 32 {
		if _, err := r.sandbox.Snapshot(fmt.Sprint(n)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.sandbox.Snapshot("one more"); !errors.Is(err, sandbox.ErrSnapshotName) {
		t.Errorf("a name with a blank: %v", err)
	}
	if _, err := r.sandbox.Snapshot("one-more"); !errors.Is(err, sandbox.ErrTooManySnapshots) {
		t.Errorf("the 33rd: %v", err)
	}
	if _, err := r.sandbox.Snapshot("7"); err != nil {
		t.Errorf("taking one again: %v", err)
	}
	if a := r.control("PUT", "/snapshots/one-more", ""); a.status != 409 {
		t.Errorf("the 33rd over the control path: %d %s", a.status, a.body)
	}
}

// TestImportsAndSnapshots: a picture taken in the middle of an import resumes
// it at its row, one taken before makes it never have been.
func TestImportsAndSnapshots(t *testing.T) {
	t.Parallel()
	r := start(t, sandbox.Options{SeedUsers: 3, ImportRowDelay: 5 * time.Millisecond})
	sheet := "__action__;loginEmail;jobTitle\n"
	for n := range 30 {
		sheet += fmt.Sprintf("create;import%02d@sandbox.example;Buyer\n", n)
	}
	if _, err := r.sandbox.Snapshot("before"); err != nil {
		t.Fatal(err)
	}
	reqID := r.post(imports, sheet).ok().text("data.reqId")
	details := imports + "/" + reqID + "/details"
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if a := r.get(details).ok(); a.size("data.report") >= 5 {
			if a.text("data.status") != "Pending" {
				t.Fatalf("the import ended before a picture could be taken: %s", a.body)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the import does not start")
		}
	}
	if _, err := r.sandbox.Snapshot("middle"); err != nil {
		t.Fatal(err)
	}
	if err := r.sandbox.Restore("before"); err != nil {
		t.Fatal(err)
	}
	r.get(details).fails(404, 404000)
	time.Sleep(20 * time.Millisecond)
	r.get(admin+"/users").ok().want("total", "4") // no row of it is carried out any more
	if err := r.sandbox.Restore("middle"); err != nil {
		t.Fatal(err)
	}
	if done := r.get(details).ok(); done.text("data.status") != "Pending" || done.size("data.report") > 20 {
		t.Errorf("restored in the middle: %s", done.body)
	}
	r.report(reqID).want("data.counters.succeeded", "30", "data.counters.failed", "0")
	r.get(admin+"/users").ok().want("total", "34")
	// The same bytes run again once the world does not know them.
	if err := r.sandbox.Restore("before"); err != nil {
		t.Fatal(err)
	}
	if again := r.post(imports, sheet).ok().text("data.reqId"); again != reqID {
		t.Errorf("reqId %s, then %s", reqID, again)
	}
	r.report(reqID).want("data.counters.succeeded", "30")
}

func TestTheJournalCanBeAsked(t *testing.T) {
	now := time.Date(2025, 3, 4, 5, 6, 7, 0, time.UTC)
	r := start(t, sandbox.Options{SeedUsers: 3, Clock: func() time.Time { return now }})
	r.post(ddis, map[string]string{"number": "0298300777"}).ok()
	r.post(ddis, map[string]string{"number": "0298300777"}).fails(409, 409000)
	now = now.Add(time.Minute)
	since := now
	r.get(ddis).ok()
	r.get(cloud).ok()
	ask := func(query url.Values) []sandbox.JournalEntry {
		var entries []sandbox.JournalEntry
		if err := json.Unmarshal(r.control("GET", "/journal?"+query.Encode(), "").ok().body, &entries); err != nil {
			t.Fatal(err)
		}
		return entries
	}
	for _, c := range []struct {
		what  string
		query url.Values
		size  int
	}{
		{"all, the login too", nil, 5},
		{"by method", url.Values{"method": {"POST"}}, 2},
		{"by path", url.Values{"path": {ddis}}, 3},
		{"by pattern", url.Values{"path": {"/api/rainbow/rvcpprovisioning/**"}}, 4},
		{"by status", url.Values{"status": {"409"}}, 1},
		{"since", url.Values{"since": {since.Format(time.RFC3339)}}, 2},
		{"after an entry", url.Values{"after": {"3"}}, 2},
		{"the newest", url.Values{"limit": {"1"}}, 1},
		{"together", url.Values{"method": {"POST"}, "status": {"200"}, "path": {ddis}}, 1},
		{"none", url.Values{"method": {"PATCH"}}, 0},
	} {
		if got := len(ask(c.query)); got != c.size {
			t.Errorf("%s: %d entries, want %d", c.what, got, c.size)
		}
	}
	if newest := ask(url.Values{"limit": {"1"}})[0]; newest.Seq != 5 || newest.Path != cloud {
		t.Errorf("the newest is %+v", newest)
	}
	for _, query := range []string{"status=x", "since=yesterday", "limit=ten", "path=%5B", "methods=GET"} {
		if a := r.control("GET", "/journal?"+query, ""); a.status != 400 || a.text("error") == "" {
			t.Errorf("%s: %d %s, want 400 with an error", query, a.status, a.body)
		}
	}
}
