package sandbox_test

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

// documentedFaults are the examples of docs/sandbox.md by name, each a rule in
// YAML.
func documentedFaults(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile("../../docs/sandbox.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(page), "\n## Faults\n")
	if !found {
		t.Fatal("docs/sandbox.md has no section on faults")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	rules := map[string]string{}
	for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(section, -1) {
		var list []map[string]any
		if err := yaml.Unmarshal([]byte(block[1]), &list); err != nil {
			t.Fatalf("%v in %s", err, block[1])
		}
		for _, rule := range list {
			text, err := yaml.Marshal(rule)
			if err != nil {
				t.Fatal(err)
			}
			name := rule["name"].(string)
			if rules[name] != "" {
				t.Errorf("two examples are called %q", name)
			}
			rules[name] = string(text)
		}
	}
	return rules
}

// faulty is a sandbox with one fault in force, its clock in the test's hand.
type faulty struct {
	*rainbow
	name string
	late atomic.Int64 // how far the clock is ahead, in nanoseconds
}

func startFaulty(t *testing.T, name, rule string) *faulty {
	t.Helper()
	f := &faulty{name: name}
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.rainbow = start(t, sandbox.Options{Clock: func() time.Time { return began.Add(time.Duration(f.late.Load())) }})
	if rule != "" {
		f.control("POST", "/faults?seed=1", rule).ok()
	}
	return f
}

func (f *faulty) pass(d time.Duration) { f.late.Add(int64(d)) }

// try sends a call over a connection of its own, so that nobody repeats it, and
// answers what went wrong on the way.
func (f *faulty) try(method, path, body string) (answer, error) {
	f.t.Helper()
	req, err := http.NewRequest(method, f.url+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+f.token)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	return answer{f.t, method + " " + path, resp.StatusCode, resp.Header.Get("Content-Type"), resp.Header, raw}, err
}

// hits fails the test unless the rule has hit so often, and the journal says so.
func (f *faulty) hits(want int) {
	f.t.Helper()
	states := f.sandbox.Faults()
	if len(states) != 1 || states[0].Hits != want || states[0].Rule.Name != f.name {
		f.t.Errorf("rules in force: %+v, want %d hits", states, want)
	}
	if states[0].Rule.RowCode != 0 || states[0].Rule.Pending != 0 {
		return
	}
	journaled := 0
	for _, e := range f.sandbox.Journal() {
		if slices.Equal(e.Faults, []string{f.name}) && e.Fault {
			journaled++
		}
	}
	if journaled != want {
		f.t.Errorf("%d requests of the journal name the rule, want %d", journaled, want)
	}
}

// breaks fails the test unless the call ends in an error of the connection.
func (f *faulty) breaks(method, path, body string, want error) answer {
	f.t.Helper()
	a, err := f.try(method, path, body)
	if !errors.Is(err, want) {
		f.t.Errorf("%s %s: error %v, want %v", method, path, err, want)
	}
	return a
}

func (f *faulty) took(atLeast, atMost time.Duration, call func()) {
	f.t.Helper()
	began := time.Now()
	call()
	if took := time.Since(began); took < atLeast || took > atMost {
		f.t.Errorf("took %s, want %s to %s", took, atLeast, atMost)
	}
}

func TestTheDocumentedFaults(t *testing.T) {
	t.Parallel()
	checks := map[string]func(*testing.T, *faulty){}
	for _, group := range []map[string]func(*testing.T, *faulty){latencyChecks(), errorChecks(), connectionChecks(), sessionChecks(), replicaChecks(), documentChecks(), importChecks()} {
		maps.Copy(checks, group)
	}
	rules := documentedFaults(t)
	for _, name := range slices.Sorted(maps.Keys(rules)) {
		check := checks[name]
		if check == nil {
			t.Errorf("the example %q has no check", name)
			continue
		}
		delete(checks, name)
		t.Run(name, func(t *testing.T) {
			f := startFaulty(t, name, rules[name])
			check(t, f)
		})
	}
	for name := range checks {
		t.Errorf("the check %q has no example", name)
	}
	all := strings.Join(slices.Collect(maps.Values(rules)), "\n")
	for field := range reflect.TypeFor[sandbox.Fault]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if !regexp.MustCompile(`(?m)^` + name + `:`).MatchString(all) {
			t.Errorf("no example of docs/sandbox.md has the field %s", name)
		}
	}
}

// The paths that the examples are about.
const aUser = admin + "/users/5b7d0c0ffee1000000000001"

func latencyChecks() map[string]func(*testing.T, *faulty) {
	waits := func(path string, atLeast time.Duration) func(*testing.T, *faulty) {
		return func(_ *testing.T, f *faulty) {
			f.took(atLeast, 2*time.Second, func() { f.get(path).ok() })
			f.hits(1)
		}
	}
	return map[string]func(*testing.T, *faulty){
		"fixed": waits(ddis, 30*time.Millisecond), "uniform": waits(admin+"/users", 10*time.Millisecond),
		"lognormal": waits(aUser, time.Millisecond), "normal": waits(ddis, 10*time.Millisecond),
		"drip": func(_ *testing.T, f *faulty) {
			// Some 1,300 bytes, 100 each 5 ms, but no longer than 60 ms.
			f.took(40*time.Millisecond, 2*time.Second, func() { f.get(aUser).ok().want("data.loginEmail", seeded(1)) })
			f.hits(1)
		},
		"slow reader": func(_ *testing.T, f *faulty) {
			f.took(50*time.Millisecond, 2*time.Second, func() {
				f.post(imports, "loginEmail\n"+strings.Repeat("% a comment\n", 500)+"ana@sandbox.example\n").ok()
			})
			f.hits(1)
		},
	}
}

func errorChecks() map[string]func(*testing.T, *faulty) {
	pages := func(want int, contentType, body, retryAfter string) func(*testing.T, *faulty) {
		return func(t *testing.T, f *faulty) {
			a := f.get(aUser)
			if a.status != want || !strings.HasPrefix(a.contentType, contentType) || (contentType == "") != (a.contentType == "") ||
				!strings.Contains(string(a.body), body) || (body == "") != (len(a.body) == 0) || a.header.Get("Retry-After") != retryAfter {
				t.Errorf("got %d %q %v %s", a.status, a.contentType, a.header, a.body)
			}
			f.get(aUser).ok()
			f.hits(1)
		}
	}
	pattern := func(f *faulty, path string, n int) (seen string) {
		for range n {
			seen += strconv.Itoa(f.get(path).status / 100)
		}
		return seen
	}
	return map[string]func(*testing.T, *faulty){
		"envelope":    func(_ *testing.T, f *faulty) { f.get(aUser).fails(500, 0); f.get(aUser).ok(); f.hits(1) },
		"proxy page":  pages(502, "text/html", "<h1>502 Bad Gateway</h1>", ""),
		"maintenance": pages(503, "text/plain", "Service Unavailable", "2"),
		"until then":  pages(503, "", "", "Sun, 01 Mar 2026 12:02:00 GMT"),
		"own body":    pages(409, "application/json", `{"errorCode":409,"errorMsg":"Conflict"}`, ""),
		"now and then": func(t *testing.T, f *faulty) {
			if seen := pattern(f, admin+"/users", 20); seen != "52252222222222222252" {
				t.Errorf("answers %s are not those of seed 1", seen)
			}
			f.hits(3)
		},
		"third and fourth": func(t *testing.T, f *faulty) {
			if seen := pattern(f, ddis, 6); seen != "225522" {
				t.Errorf("answers %s", seen)
			}
			f.hits(2)
		},
		"a bad minute": func(_ *testing.T, f *faulty) {
			f.get(admin + "/systems").ok()
			f.pass(time.Minute)
			f.get(admin+"/systems").fails(503, 0)
			f.get(aUser).ok()
			f.pass(time.Minute)
			f.get(admin + "/systems").ok()
			f.hits(1)
		},
		"one account": func(_ *testing.T, f *faulty) {
			f.get(devices).ok()
			f.token = f.login("admin@neighbour.example", sandbox.AdminPassword)
			f.get(devices).fails(503, 0)
			f.hits(1)
		},
		"limit": func(t *testing.T, f *faulty) {
			if seen := pattern(f, aUser, 4); seen != "2224" {
				t.Errorf("answers %s, want a burst of 3", seen)
			}
			a := f.get(aUser)
			if a.status != 429 || a.header.Get("Retry-After") != "2" || string(a.body) != "Too Many Requests" || !strings.HasPrefix(a.contentType, "text/plain") {
				t.Errorf("got %d %v %s", a.status, a.header, a.body)
			}
			f.pass(2 * time.Second)
			if seen := pattern(f, aUser, 2); seen != "24" {
				t.Errorf("answers %s, want one more", seen)
			}
			f.token = f.login("admin@subsidiary.example", sandbox.AdminPassword)
			f.get(admin + "/users").ok() // a bucket of its own
			f.hits(3)
		},
		"limit until": func(t *testing.T, f *faulty) {
			f.get(subscriptions).ok()
			f.pass(500 * time.Millisecond)
			a := f.get(subscriptions).fails(429, 0)
			if until := a.header.Get("Retry-After"); until != "Sun, 01 Mar 2026 12:00:11 GMT" {
				t.Errorf("Retry-After: %s", until) // the token is there at 12:00:10
			}
			f.hits(1)
		},
	}
}

func connectionChecks() map[string]func(*testing.T, *faulty) {
	const newUser = `{"loginEmail":"ana@sandbox.example","password":"Secret-Pass-77"}`
	// undone: the call breaks and has done nothing; the next one works.
	undone := func(want error) func(*testing.T, *faulty) {
		return func(_ *testing.T, f *faulty) {
			f.breaks("POST", admin+"/users", newUser, want)
			f.get(admin+"/users?loginEmail=ana@sandbox.example").ok().want("total", "0")
			f.hits(1)
			f.post(admin+"/users", map[string]string{"loginEmail": "ana@sandbox.example", "password": "Secret-Pass-77"}).ok()
		}
	}
	// parts: the head and some of the body come.
	parts := func(want error, chunked bool) func(*testing.T, *faulty) {
		return func(t *testing.T, f *faulty) {
			a := f.breaks("GET", admin+"/users?limit=1", "", want)
			whole := f.get(admin + "/users?limit=1").ok()
			if a.status != 200 || len(a.body) == 0 || len(a.body) >= len(whole.body) || !strings.HasPrefix(string(whole.body), string(a.body)) {
				t.Errorf("got %d %s", a.status, a.body)
			}
			if promised := a.header.Get("Content-Length"); !chunked && promised != strconv.Itoa(len(whole.body)) || chunked && promised != "" {
				t.Errorf("Content-Length %q", promised)
			}
			f.hits(1)
		}
	}
	// done: the call has done its work, and the journal knows its answer.
	done := func(call func(f *faulty)) func(*testing.T, *faulty) {
		return func(t *testing.T, f *faulty) {
			call(f)
			f.get(ddis+"?numberE164StartWith=%2B33298300777").ok().want("total", "1")
			f.post(ddis, map[string]string{"number": "0298300777"}).fails(409, 409000)
			f.hits(1)
			lost := f.sandbox.FindJournal(sandbox.JournalQuery{Method: "POST", Path: ddis})[0]
			if !lost.Dropped || lost.Status != 200 {
				t.Errorf("the journal has %+v", lost)
			}
		}
	}
	const newDdi = `{"number":"0298300777"}`
	proxied := func(status int) func(f *faulty) {
		return func(f *faulty) {
			if a, err := f.try("POST", ddis, newDdi); err != nil || a.status != status || !strings.HasPrefix(a.contentType, "text/html") {
				f.t.Errorf("got %d %s, %v", a.status, a.contentType, err)
			}
		}
	}
	return map[string]func(*testing.T, *faulty){
		"before read": undone(syscall.ECONNRESET), "after read": undone(syscall.ECONNRESET), "silence": undone(io.EOF),
		"mid body": parts(syscall.ECONNRESET, false), "short body": parts(io.ErrUnexpectedEOF, false), "open chunk": parts(io.ErrUnexpectedEOF, true),
		"lost":                done(func(f *faulty) { f.breaks("POST", ddis, newDdi, io.EOF) }),
		"lost by reset":       done(func(f *faulty) { f.breaks("POST", ddis, newDdi, syscall.ECONNRESET) }),
		"lost behind a proxy": done(proxied(502)),
		"lost at the gate":    done(proxied(504)),
		"lost in time": done(func(f *faulty) {
			f.took(50*time.Millisecond, 2*time.Second, func() { f.breaks("POST", ddis, newDdi, io.EOF) })
		}),
	}
}
