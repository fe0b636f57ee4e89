package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox/sandboxtest"
)

// TestAKilledApplyResumes kills an apply with SIGKILL after each of its changes upstream in turn, resumes it, and holds
// the end against that of an apply that nobody disturbed: the same company, the same changes, none of them twice.
func TestAKilledApplyResumes(t *testing.T) {
	manifest, err := filepath.Abs("../../samples/rainbowvoice.csv")
	if err != nil {
		t.Fatal(err)
	}
	calm := newRehearsal(t)
	calm.must(t, 0, "refresh")
	calm.must(t, 0, "apply", "-f", manifest, "--yes", "--parallel", "3")
	want, wantChanges := calm.export(t), calm.changes(t)
	total := calm.count()
	if total < 10 || wantChanges["import rows"] < 5 {
		t.Fatalf("the undisturbed apply made %d changes: %v", total, wantChanges)
	}
	for after := range total {
		t.Run(fmt.Sprintf("after change %d", after), func(t *testing.T) {
			t.Parallel()
			r := newRehearsal(t)
			r.must(t, 0, "refresh")
			r.killAfter(t, after, "apply", "-f", manifest, "--yes", "--parallel", "3")
			r.must(t, 0, "runs", "resume", r.onlyRun(t), "-f", manifest)
			if diff := gocmp.Diff(want, r.export(t)); diff != "" {
				t.Errorf("the company differs from that of an undisturbed apply (-want +got):\n%s", diff)
			}
			if diff := gocmp.Diff(wantChanges, r.changes(t)); diff != "" {
				t.Errorf("the changes differ from those of an undisturbed apply (-want +got):\n%s", diff)
			}
			r.must(t, 0, "plan", "--refresh", "-f", manifest)
		})
	}
}

// rehearsal is a sandbox with a state file of its own, worked on by gateway processes.
type rehearsal struct {
	rainbow *sandboxtest.Server
	state   string
}

func newRehearsal(t *testing.T) *rehearsal {
	t.Helper()
	r := &rehearsal{rainbow: sandboxtest.Start(t, sandbox.Options{}), state: filepath.Join(t.TempDir(), "state.db")}
	// A little latency keeps several calls in flight when the kill comes.
	if err := r.rainbow.Sandbox.SetFaults([]sandbox.Fault{{Path: "/api/rainbow/rvcpprovisioning/**", Latency: sandbox.Fixed(3 * time.Millisecond)}}); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rehearsal) gateway(t *testing.T, args ...string) (child *exec.Cmd, stdout, stderr *bytes.Buffer) {
	t.Helper()
	child = program(t, args...)
	child.Env = append(os.Environ(),
		"GATEWAY_UPSTREAM="+r.rainbow.URL, "GATEWAY_STATE="+r.state, "GATEWAY_LOGIN="+sandbox.AdminLogin,
		"GATEWAY_PASSWORD="+sandbox.AdminPassword, "GATEWAY_APP_ID="+sandbox.AppID, "GATEWAY_APP_SECRET="+sandbox.AppSecret)
	stdout, stderr = new(bytes.Buffer), new(bytes.Buffer)
	child.Stdout, child.Stderr = stdout, stderr
	return child, stdout, stderr
}

// must runs a verb to its end and wants its exit code.
func (r *rehearsal) must(t *testing.T, want int, args ...string) string {
	t.Helper()
	child, stdout, stderr := r.gateway(t, args...)
	_ = child.Run()
	if got := child.ProcessState.ExitCode(); got != want {
		t.Fatalf("gateway %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, want, stdout, stderr)
	}
	return stdout.String()
}

// killAfter starts a verb and kills it once so many changes have reached upstream.
func (r *rehearsal) killAfter(t *testing.T, changes int, args ...string) {
	t.Helper()
	child, stdout, stderr := r.gateway(t, args...)
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	late := time.After(20 * time.Second)
	for began := false; !began || r.count() < changes; began = began || r.count() > 0 || changes == 0 && r.asked("/api/rainbow/massprovisioning/") {
		select {
		case <-ended: // rows shared imports so that it had fewer changes to make
			return
		case <-late:
			_ = child.Process.Kill()
			t.Fatalf("change %d never came\n%s%s", changes, stdout, stderr)
		case <-time.After(200 * time.Microsecond):
		}
	}
	_ = child.Process.Kill()
	<-ended
}

func (r *rehearsal) asked(prefix string) bool {
	for _, e := range r.rainbow.Sandbox.Journal() {
		if strings.HasPrefix(e.Path, prefix) {
			return true
		}
	}
	return false
}

// onlyRun is the name of the one run in the books.
func (r *rehearsal) onlyRun(t *testing.T) string {
	t.Helper()
	out := r.must(t, 0, "runs")
	names := regexp.MustCompile(`(?m)^run-\S+`).FindAllString(out, -1)
	if len(names) != 1 {
		t.Fatalf("want one run, got:\n%s", out)
	}
	return names[0]
}

// export is the company as a manifest, read afresh.
func (r *rehearsal) export(t *testing.T) string {
	t.Helper()
	return r.must(t, 0, "export", "--refresh")
}

func (r *rehearsal) count() int {
	n := 0
	for range r.effects() {
		n++
	}
	return n
}

// effects walks the requests that changed something upstream.
func (r *rehearsal) effects() map[int]sandbox.JournalEntry {
	all := map[int]sandbox.JournalEntry{}
	for _, e := range r.rainbow.Sandbox.Journal() {
		if e.Method != http.MethodGet && e.Status/100 == 2 {
			all[e.Seq] = e
		}
	}
	return all
}

var upstreamID = regexp.MustCompile(`[0-9a-f]{24}`)

// changes counts what changed upstream by method and path, ids left out, and of imports the rows that took effect: how
// many rows share an import depends on the moment. Two requests that are the same to the letter are a fault.
func (r *rehearsal) changes(t *testing.T) map[string]int {
	t.Helper()
	kinds, exact := map[string]int{}, map[string]int{}
	for e := range maps.Values(r.effects()) {
		if !strings.Contains(e.Path, "/users/imports") {
			kinds[e.Method+" "+upstreamID.ReplaceAllString(e.Path, "{id}")]++
		}
		exact[e.Method+" "+e.Path+" "+cmp.Or(e.Digest, "no body")]++
	}
	for change, n := range exact {
		if n > 1 {
			t.Errorf("%s took effect %d times", change, n)
		}
	}
	kinds["import rows"] = r.importedRows(t)
	return kinds
}

// importedRows counts the rows of all imports that took effect, as the sandbox reports them.
func (r *rehearsal) importedRows(t *testing.T) int {
	t.Helper()
	var login struct{ Token string }
	secret := sha256.Sum256([]byte(sandbox.AppSecret + sandbox.AdminPassword))
	r.get(t, "/api/rainbow/authentication/v1.0/login", &login, map[string]string{
		"Authorization":      "Basic " + base64.StdEncoding.EncodeToString([]byte(sandbox.AdminLogin+":"+sandbox.AdminPassword)),
		"x-rainbow-app-auth": "Basic " + base64.StdEncoding.EncodeToString([]byte(sandbox.AppID+":"+hex.EncodeToString(secret[:]))),
	})
	var imports struct {
		Data []struct {
			Counters struct{ Succeeded, Failed int }
		}
	}
	r.get(t, "/api/rainbow/massprovisioning/v1.0/users/imports?companyId="+sandbox.CompanyID, &imports, map[string]string{"Authorization": "Bearer " + login.Token})
	rows := 0
	for _, i := range imports.Data {
		rows += i.Counters.Succeeded
		if i.Counters.Failed > 0 {
			t.Errorf("%d import rows failed", i.Counters.Failed)
		}
	}
	return rows
}

func (r *rehearsal) get(t *testing.T, path string, answer any, header map[string]string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.rainbow.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if err := json.NewDecoder(resp.Body).Decode(answer); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s, %v", path, resp.Status, err)
	}
}
