package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestANightAtTheGateway: somebody starts a run and goes home. Another looks at it, is told that it is in the way, pauses it
// over REST, takes it up from the command line, and watches it to its end.
func TestANightAtTheGateway(t *testing.T) {
	t.Parallel()
	g := serve(t, "--fault", "latency: 40ms")
	folder := t.TempDir()
	moves := filepath.Join(folder, "moves.csv")
	var rows strings.Builder
	rows.WriteString("__action__;loginEmail;shortNumber\n")
	for i := range 3 {
		rows.WriteString("upsert;user00000" + string(rune('1'+i)) + "@sandbox.example;8070" + string(rune('1'+i)) + "\n")
	}
	if err := os.WriteFile(moves, []byte(rows.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	gateway := func(args ...string) (code int, out, said string) {
		var stdout, stderr bytes.Buffer
		code = run(append(args, "--server", g.GRPC), strings.NewReader(""), &stdout, &stderr)
		return code, stdout.String(), stderr.String()
	}
	if code, _, said := gateway("refresh"); code != 0 {
		t.Fatal(said)
	}
	first := make(chan int, 1)
	go func() {
		code, _, _ := gateway("apply", "-f", moves, "--yes", "--parallel", "1")
		first <- code
	}()
	var name string
	for deadline := time.Now().Add(20 * time.Second); name == ""; time.Sleep(20 * time.Millisecond) {
		_, out, said := gateway("runs", "list", "--in", "running")
		name = regexp.MustCompile(`run-[0-9a-z-]+`).FindString(out)
		if time.Now().After(deadline) {
			t.Fatalf("no run goes on: %s%s", out, said)
		}
	}

	code, _, said := gateway("apply", "-f", moves, "--yes")
	if code != 1 || !strings.Contains(said, name) || !strings.Contains(said, "begun by local at 20") {
		t.Errorf("a second run: %d, %q; want a refusal that names the first one, whose, and since when", code, said)
	}
	resp, err := http.Post("http://"+g.HTTP+"/v1/companies/-/runs/"+name+":pause", "application/json", strings.NewReader("{}")) //nolint:noctx // ends with the gateway
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("pause: %s", resp.Status)
	}
	waitUntil(t, func() bool { _, out, _ := gateway("runs"); return strings.Contains(out, "paused") })
	if _, out, _ := gateway("runs", "show", name); !strings.Contains(out, ": paused.\n") || !regexp.MustCompile(`of \d+, since 20`).MatchString(out) {
		t.Errorf("a run that stands still is shown as %q, want that it is paused, and since when it goes on", out)
	}
	watched := make(chan string, 1)
	go func() {
		code, out, said := gateway("runs", "watch", name)
		if code != 0 {
			out += said
		}
		watched <- out
	}()
	if code, out, said := gateway("runs", "resume", name); code != 0 || !strings.Contains(out, "Entries of the manifest: 3 done.") {
		t.Errorf("resumed: %d, %s%s", code, out, said)
	}
	for _, end := range []struct {
		who string
		ok  bool
	}{{"who started it", <-first == 0}, {"who watches it", strings.Contains(<-watched, "Entries of the manifest: 3 done.")}} {
		if !end.ok {
			t.Errorf("%s is not told that it has succeeded", end.who)
		}
	}
}

func waitUntil(t *testing.T, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not come to hold within 20 s")
		}
	}
}
