package sandbox_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

// raw sends a request over a bare connection and answers all that came back,
// and how it ended.
func (f *faulty) raw(method, path, body string) (string, error) {
	f.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
	if err != nil {
		f.t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: rainbow\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s", method, path, f.token, len(body), body)
	got, err := io.ReadAll(bufio.NewReader(conn))
	return string(got), err
}

func TestBrokenConnectionsOnTheWire(t *testing.T) {
	for _, c := range []struct {
		rule, starts, ends string
		err                error
	}{
		{rule: "cut: before-read", err: syscall.ECONNRESET},
		{rule: "cut: after-read", err: syscall.ECONNRESET},
		{rule: "cut: silence, hold: 20ms"},
		{rule: "lost: close"},
		{rule: "lost: reset", err: syscall.ECONNRESET},
		{rule: "cut: mid-body", starts: "HTTP/1.1 200 OK\r\n", err: syscall.ECONNRESET},
		{rule: "cut: short-body", starts: "HTTP/1.1 200 OK\r\n"},
		{rule: "cut: open-chunk", starts: "HTTP/1.1 200 OK\r\n", ends: "\r\n"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			f := startFaulty(t, "fault 1", "{"+c.rule+"}")
			got, err := f.raw("GET", admin+"/users", "")
			if !errors.Is(err, c.err) || !strings.HasPrefix(got, c.starts) || c.starts == "" && got != "" || !strings.HasSuffix(got, c.ends) {
				t.Errorf("got %q and %v, want %q and %v", got, err, c.starts, c.err)
			}
			if strings.HasSuffix(got, "0\r\n\r\n") {
				t.Error("the chunked body is whole")
			}
			f.hits(1)
		})
	}
}

// TestASlowAnswerComesInPieces counts what comes in one go.
func TestASlowAnswerComesInPieces(t *testing.T) {
	f := startFaulty(t, "drip", `{name: drip, slowAnswer: {bytes: 200, every: 4ms}}`)
	conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: rainbow\r\nAuthorization: Bearer %s\r\nConnection: close\r\n\r\n", aUser, f.token)
	pieces, all, buffer := 0, 0, make([]byte, 1<<16)
	for {
		n, err := conn.Read(buffer)
		all += n
		if n > 0 {
			pieces++
		}
		if err != nil {
			break
		}
	}
	if pieces < 4 || all < 1000 {
		t.Errorf("%d bytes came in %d pieces", all, pieces)
	}
}

// TestAWaitEndsWhenTheCallerLeaves: nothing waits for who is gone, and nothing
// outlives the sandbox.
func TestAWaitEndsWhenTheCallerLeaves(t *testing.T) {
	for _, rule := range []string{"latency: 10m", "cut: silence", "lost: timeout, hold: 10m", "slowAnswer: {bytes: 1, every: 10m, max: 10m}"} {
		t.Run(rule, func(t *testing.T) {
			f := startFaulty(t, "fault 1", "{"+rule+"}")
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(30*time.Millisecond, cancel)
			req, err := http.NewRequestWithContext(ctx, "GET", f.url+aUser, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+f.token)
			resp, err := http.DefaultClient.Do(req)
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				resp.Body.Close()
			}
			if !errors.Is(err, context.Canceled) {
				t.Errorf("error %v", err)
			}
			f.eventually(func() bool { return f.sandbox.FindJournal(sandbox.JournalQuery{Path: aUser}) != nil })
		})
	}
}

// TestRulesEndWaits: who waits for an answer that never comes is let go when
// the rules are gone.
func TestRulesEndWaits(t *testing.T) {
	f := startFaulty(t, "fault 1", "{cut: silence, hold: 10m}")
	time.AfterFunc(30*time.Millisecond, func() { f.sandbox.SetFaults(nil) })
	f.breaks("GET", aUser, "", io.EOF)
	f.get(aUser).ok()
}

// TestRulesAddUp: shaping rules all apply, the first that decides is the last.
func TestRulesAddUp(t *testing.T) {
	f := startFaulty(t, "", `
- {name: slow, latency: 15ms}
- {name: slower, latency: 15ms}
- {name: second call, status: 503, skip: 1, times: 1}
- {name: new, operation: ListUsers, extraMembers: 2}
- {name: never, status: 500, skip: 2}
`)
	f.took(30*time.Millisecond, time.Second, func() {
		if a := f.get(admin + "/users").ok(); strings.Count(string(a.body), `"undocumented`) != 2 {
			t.Errorf("no new members in %s", a.body)
		}
	})
	f.get(admin+"/users").fails(503, 0)
	journal := f.sandbox.FindJournal(sandbox.JournalQuery{Path: admin + "/users"})
	want := [][]string{{"slow", "slower", "new"}, {"slow", "slower", "second call"}}
	for i, e := range journal {
		if !slices.Equal(e.Faults, want[i]) {
			t.Errorf("call %d met %v, want %v", i, e.Faults, want[i])
		}
	}
	var listed []struct {
		Rule          map[string]any
		Matched, Hits int
	}
	raw := f.control("GET", "/faults", "").ok().body
	if err := json.Unmarshal(raw, &listed); err != nil || len(listed) != 5 || listed[2].Matched != 2 || listed[2].Hits != 1 ||
		listed[0].Rule["latency"] != "15ms" || listed[3].Rule["operation"] != "ListUsers" {
		t.Errorf("%v in %s", err, raw)
	}
	if left := string(f.control("DELETE", "/faults", "").ok().body); left != "[]" {
		t.Errorf("left: %s", left)
	}
	f.get(admin + "/users").ok()
}

func TestEverythingWrongWithRulesAtOnce(t *testing.T) {
	for _, c := range []struct {
		rules string
		want  []string
	}{
		{"[{}]", []string{"fault 1: does nothing: give one of latency, slowRequest"}},
		{"- {operation: ListUser, status: 99, times: -1, method: get, path: users}", []string{
			`fault 1: operation: "ListUser" is no operation of the catalogue; did you mean ListUsers?`, `fault 1: method: "get" is spelled GET`,
			`fault 1: path: "users" does not begin with /; the whole path is compared`, "fault 1: times: -1 is outside 0 to 1000000000",
			"fault 1: status: 99 is outside 200 to 599",
		}},
		{"- {name: a, status: 500}\n- {name: a, probabilty: 1, latency: soon, status: five}", []string{
			`fault 2 (a): latency: "soon" is not a duration such as 250ms or 10s`, "fault 2 (a): probabilty: unknown field; did you mean probability?",
			`fault 2 (a): status: "five" is not a whole number`,
		}},
		{"- {name: a, status: 500}\n- {name: a, status: 500}", []string{`fault 2 (a): name: "a" is the name of fault 1, too`}},
		{"- {status: 500, lost: 502}", []string{"fault 1: status and lost exclude each other: one rule decides the answer in one way"}},
		{"- {retryAfter: 2, format: xml, latency: 11m}", []string{
			`fault 1: format: "xml" is none of json, html, text, empty`, "fault 1: retryAfter: means nothing without status or limit",
			"fault 1: latency.value: 11m0s is not between 0 and 10m0s",
		}},
		{"- {latency: {distribution: normal, median: 20ms, p99: 10ms, value: 1s}}", []string{
			"fault 1: latency.value: means nothing in a normal latency", "fault 1: latency.p99: 10ms is less than median, 20ms",
		}},
		{"- {latency: {distribution: cauchy}}", []string{`fault 1: latency.distribution: "cauchy" is none of fixed, uniform, normal, lognormal`}},
		{"- {limit: {rate: 0, burst: -1, per: user}, retryAfter: 3}", []string{
			"fault 1: retryAfter: follows from limit", "fault 1: limit.rate: 0 is not a number of requests a second, 0.00001 to 1000000",
			"fault 1: limit.burst: -1 is outside 0 to 1000000", `fault 1: limit.per: "user" is none of all, account, token`,
		}},
		{"- {cut: later, hold: 1s}", []string{
			`fault 1: cut: "later" is none of before-read, after-read, silence, mid-body, short-body, open-chunk`,
			"fault 1: hold: means nothing without cut: silence or lost: timeout",
		}},
		{"- {slowAnswer: {bytes: 0}, slowRequest: 5, drift: {to: int}, extraMembers: 1000}", []string{
			"fault 1: slowRequest: 5 is not a mapping of fields to values", "fault 1: slowAnswer.bytes: 0 is not a number of bytes, 1 or more",
			"fault 1: slowAnswer.every: 0s is not a pause such as 20ms", "fault 1: extraMembers: 1000 is outside 0 to 100",
			`fault 1: drift.to: "int" is none of string, number, bool, null, list`,
		}},
		{"- {stale: {collection: user}}", []string{`fault 1: stale.collection: "user" is none of apikeys, cloudpbxs,`, "fault 1: stale: needs either for, a time, or reads"}},
		{"- {expire: now, lock: 25h}", []string{
			"fault 1: expire and lock exclude each other", `fault 1: expire: "now" is none of once, token, all`, "fault 1: lock: 25h0m0s is not between 0 and 24h",
		}},
		{"- {rowCode: 1, status: 500}", []string{"fault 1: rowCode and pending are about imports", "fault 1: rowCode: 1 is none of [1001 1002"}},
		{strings.Repeat("- {stale: {reads: 1}}\n", 5), []string{"stale: 5 rules have a replica each, at most 4 may"}},
		{"7", []string{"7 is not a mapping of fields to values"}},
		{"[", []string{"neither JSON nor YAML: "}},
		{"--- {}\n--- {}", []string{"more than one document"}},
	} {
		t.Run(c.rules, func(t *testing.T) {
			rules, err := sandbox.ParseFaults([]byte(c.rules))
			if err == nil { // what is wrong with the rules as a whole
				_, err = sandbox.New(sandbox.Options{Faults: rules})
			}
			if err == nil {
				t.Fatal("nothing is wrong")
			}
			lines := strings.Split(strings.TrimPrefix(err.Error(), "sandbox: "), "\n")
			if c.rules == "[" {
				lines = lines[:1]
			}
			slices.Sort(lines)
			slices.Sort(c.want)
			if len(lines) != len(c.want) {
				t.Fatalf("got\n%s", strings.Join(lines, "\n"))
			}
			for i := range lines {
				if !strings.HasPrefix(lines[i], c.want[i]) {
					t.Errorf("got  %s\nwant %s", lines[i], c.want[i])
				}
			}
		})
	}
}

func TestRefusedRulesReplaceNothing(t *testing.T) {
	f := startFaulty(t, "fault 1", "{operation: ListUsers, status: 503}")
	a := f.control("POST", "/faults", `[{"operation":"ListDdis","status":503},{"status":1},{"statuss":500}]`)
	if a.status != 400 || a.size("problems") != 2 {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := f.control("POST", "/faults?seed=x", "[]"); a.status != 400 {
		t.Errorf("%d %s", a.status, a.body)
	}
	for _, nothing := range []string{"", "\n", "# all rules are commented out\n# - status: 503\n", "---\n", "null", "~"} {
		if a := f.control("POST", "/faults", nothing); a.status != 400 || !strings.Contains(string(a.body), "DELETE /sandbox/faults") {
			t.Errorf("body %q: %d %s", nothing, a.status, a.body)
		}
	}
	f.get(ddis).ok()
	f.get(admin+"/users").fails(503, 0)
}

func TestRulesOfFlagsAndFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "faults.yaml")
	if err := os.WriteFile(file, []byte("# a bad day\n- {operation: ListUsers, status: 503}\n- operation: ListDdis\n  latency: 5ms\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	rules, err := sandbox.CollectFaults([]string{"method: POST, lost: 502", `{"path":"/api/rainbow/**","limit":{"rate":1}}`}, file)
	if err != nil || len(rules) != 4 || rules[0].Lost != sandbox.Lost502 || rules[1].Limit.Rate != 1 || rules[2].Status != 503 || *rules[3].Latency != *sandbox.Fixed(5 * time.Millisecond) {
		t.Errorf("%+v, %v", rules, err)
	}
	_, err = sandbox.CollectFaults([]string{"status: 1", "lost: never, hold: x"}, file+"x")
	for _, want := range []string{`fault "status: 1": status: 1 is outside`, `fault "lost: never, hold: x": lost: "never" is none of`, `fault "lost: never, hold: x": hold: "x" is not a duration`, "faults: open "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
}

// TestFaultsUnderLoad has rules of all kinds in force while they are replaced,
// for the race detector to look at.
func TestFaultsUnderLoad(t *testing.T) {
	t.Parallel()
	r := start(t, sandbox.Options{})
	rules, err := sandbox.ParseFaults([]byte(`
- {latency: {distribution: uniform, max: 2ms}, slowAnswer: {bytes: 500, every: 1ms}, slowRequest: {bytes: 10, every: 1ms, max: 3ms}}
- {stale: {reads: 3, byId: true}, probability: 0.5}
- {stale: {collection: ddis, for: 3ms}}
- {extraMembers: 2, drift: {}, probability: 0.5}
- {probability: 0.1, status: 502, format: html}
- {probability: 0.1, limit: {rate: 100, burst: 2, per: token}}
- {probability: 0.1, cut: mid-body}
- {probability: 0.1, lost: reset}
- {probability: 0.1, expire: once}
`))
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}, Timeout: 10 * time.Second}
	var callers sync.WaitGroup
	for n := range 6 {
		callers.Go(func() {
			for i := range 25 {
				method, path, body := "GET", []string{admin + "/users", ddis, aUser}[i%3], ""
				if i%5 == 0 {
					method, path, body = "POST", ddis, fmt.Sprintf(`{"number":"02983006%d%d"}`, n, i/5)
				}
				req, err := http.NewRequestWithContext(t.Context(), method, r.url+path, strings.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				req.Header.Set("Authorization", "Bearer "+r.token)
				if resp, err := client.Do(req); err == nil {
					io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
			}
		})
	}
	for range 5 {
		if err := r.sandbox.SetFaults(rules); err != nil {
			t.Error(err)
		}
		r.sandbox.Faults()
		time.Sleep(10 * time.Millisecond)
	}
	callers.Wait()
	if err := r.sandbox.SetFaults(nil); err != nil {
		t.Fatal(err)
	}
	r.get(ddis).ok()
}

// TestFaultsNameEveryOperation: a rule can name each operation of the
// catalogue, and hits it.
func TestFaultsNameEveryOperation(t *testing.T) {
	r := start(t, sandbox.Options{})
	for _, module := range modules() {
		c := readCatalogue(t, module)
		for _, o := range c.all() {
			rule := fmt.Sprintf("{name: %s, operation: %s, status: 599}", o.ID, o.ID)
			if a := r.control("POST", "/faults", rule); a.status != 200 {
				t.Errorf("%s: %s", o.ID, a.body)
				continue
			}
			path := c.BasePath + variable().ReplaceAllString(o.Path, "5b7d0c0ffee0000000000101")
			if got := r.send(o.Method, path, "", nil).status; got != 599 {
				t.Errorf("a rule for %s (%s %s) does not hit it: %d", o.ID, o.Method, path, got)
			}
		}
	}
}
