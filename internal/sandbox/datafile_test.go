package sandbox_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

// world starts a kept sandbox without a clean end: stop decides how it ends.
func world(t *testing.T, options sandbox.Options) (r *rainbow, stop func(clean bool)) {
	t.Helper()
	s, err := sandbox.New(options)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	r = &rainbow{t: t, url: server.URL, sandbox: s}
	r.token = r.login(sandbox.AdminLogin, sandbox.AdminPassword)
	return r, func(clean bool) {
		server.Close()
		if clean {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestAKeptWorldComesBack(t *testing.T) {
	for _, clean := range []bool{true, false} {
		t.Run(fmt.Sprintf("clean end %t", clean), func(t *testing.T) {
			options := sandbox.Options{DataFile: filepath.Join(t.TempDir(), "world.jsonl"), SeedUsers: 4}
			r, stop := world(t, options)
			user := r.post(admin+"/users", map[string]any{"loginEmail": "ana@sandbox.example", "password": "Passw0rd!"}).ok().text("data.id")
			extension := r.post(subscribers, map[string]any{"userId": user, "shortNumber": "81011"}).ok().text("data.id")
			gone := r.userID(seeded(3))
			r.delete(admin + "/users/" + gone).ok()
			r.put(cloud, map[string]any{"numberingPlan": []any{map[string]any{"prefix": "8", "digits": 5}, map[string]any{"prefix": "7", "digits": 3}}}).ok()
			reqID := r.importSheet(imports+"?label=kept", "loginEmail;service0", "bob@sandbox.example;Enterprise Demo", "x;").text("data.reqId")
			report := r.report(reqID).body
			before := r.get(admin + "/users?format=full&limit=1000").ok().body
			token := r.token
			stop(clean)

			options.SeedUsers = 99 // the file wins
			r, stop = world(t, options)
			defer stop(true)
			r.token = token // tokens survive, too
			if after := r.get(admin + "/users?format=full&limit=1000").ok().body; !sameButLogins(before, after) {
				t.Errorf("users differ:\n%s\n%s", before, after)
			}
			if after := r.report(reqID).body; string(after) != string(report) {
				t.Errorf("report differs:\n%s\n%s", report, after)
			}
			r.get(subscribers+"/"+extension).ok().want("data.userId", user)
			r.get(admin+"/users/"+gone).ok().want("data.isTerminated", "true")
			r.get(cloud+"/numbering-plan").ok().want("data.ranges.1.first", "700")
			r.login("ana@sandbox.example", "Passw0rd!")
			if next := r.post(admin+"/users", map[string]any{"loginEmail": "new@sandbox.example"}).ok().text("data.id"); next <= user {
				t.Errorf("id %s was given again after %s", next, user)
			}
			r.get(subscriptions+"?format=full").ok().want("data.1.numberAssignedUsers", "1", "data.2.numberAssignedUsers", "3")
		})
	}
}

// sameButLogins compares two lists after the dates of logins, which the second
// login changed, are blanked.
func sameButLogins(a, b []byte) bool {
	blank := func(raw []byte) string {
		var kept []string
		for _, member := range strings.Split(string(raw), ",") {
			if !strings.Contains(member, "oginDate") && !strings.Contains(member, "loggedSince") {
				kept = append(kept, member)
			}
		}
		return strings.Join(kept, ",")
	}
	return blank(a) == blank(b)
}

func TestATornLineIsCutOff(t *testing.T) {
	file := filepath.Join(t.TempDir(), "world.jsonl")
	options := sandbox.Options{DataFile: file, SeedUsers: 2}
	r, stop := world(t, options)
	r.post(ddis, map[string]string{"number": "0298300777"}).ok()
	r.post(ddis, map[string]string{"number": "0298300778"}).ok()
	stop(false)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// A kill inside the write of the last change leaves a part of its line.
	if err := os.WriteFile(file, raw[:len(raw)-20], 0o600); err != nil {
		t.Fatal(err)
	}
	r, stop = world(t, options)
	r.get(ddis+"?numberE164StartWith=%2B3329830077").ok().want("total", "1")
	r.post(ddis, map[string]string{"number": "0298300779"}).ok()
	stop(false)
	r, stop = world(t, options)
	defer stop(true)
	r.get(ddis+"?numberE164StartWith=%2B3329830077").ok().want("total", "2")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file with secrets has mode %v, %v", info.Mode(), err)
	}
}

func TestAPendingImportIsResumed(t *testing.T) {
	options := sandbox.Options{DataFile: filepath.Join(t.TempDir(), "world.jsonl"), SeedUsers: -1, ImportRowDelay: 30 * time.Millisecond}
	sheet := []string{"loginEmail"}
	for i := range 12 {
		sheet = append(sheet, fmt.Sprintf("new%02d@sandbox.example", i))
	}
	r, stop := world(t, options)
	reqID := r.post(imports, strings.Join(sheet, "\n")).ok().text("data.reqId")
	for r.get(imports+"/"+reqID+"/details").ok().text("data.counters.total") == "0" {
		time.Sleep(5 * time.Millisecond)
	}
	stop(true)
	options.ImportRowDelay = 0
	r, stop = world(t, options)
	defer stop(true)
	r.report(reqID).want("data.counters.total", "12", "data.counters.succeeded", "12", "data.counters.failed", "0")
	r.get(admin+"/users").ok().want("total", "13")
}

func TestAFileThatIsNoWorldIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"another file": "hello\n", "another version": `{"sandbox":"rainbow","version":2}` + "\n",
		"a broken line": `{"sandbox":"rainbow","version":1}` + "\n{]\n", "an unknown kind": `{"sandbox":"rainbow","version":1}` + "\n" + `[{"k":"ghost","id":"1","d":{}}]` + "\n",
		"nothing in it": `{"sandbox":"rainbow","version":1}` + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "world.jsonl")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := sandbox.New(sandbox.Options{DataFile: file}); err == nil || !strings.Contains(err.Error(), file) {
				t.Errorf("error %v does not name the file", err)
			}
			if kept, _ := os.ReadFile(file); string(kept) != text {
				t.Error("the refused file was changed")
			}
		})
	}
	if _, err := sandbox.New(sandbox.Options{DataFile: filepath.Join(t.TempDir(), "no", "folder", "w")}); err == nil {
		t.Error("a folder that is missing is no error")
	}
}

func TestResetPutsTheSeedBack(t *testing.T) {
	options := sandbox.Options{DataFile: filepath.Join(t.TempDir(), "world.jsonl"), SeedUsers: 3}
	r, stop := world(t, options)
	r.delete(admin + "/users/" + r.userID(seeded(1))).ok()
	r.post(ddis, map[string]string{"number": "0298300777"}).ok()
	resp, err := http.Post(r.url+"/sandbox/reset", "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != 200 || !bytes.Contains(body, []byte("reset")) {
		t.Fatalf("reset: %d %s", resp.StatusCode, body)
	}
	if n := len(r.sandbox.Journal()); n != 0 {
		t.Errorf("%d entries in the journal", n)
	}
	r.get(admin+"/users").ok().want("total", "4")
	stop(false)
	r, stop = world(t, options)
	defer stop(true)
	r.get(ddis).ok().want("total", "100")
}
