package sandbox_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

// control sends a call to a control path.
func (r *rainbow) control(method, path, body string) answer {
	r.t.Helper()
	return r.send(method, "/sandbox"+path, body, nil)
}

func TestFaults(t *testing.T) {
	r := start(t, sandbox.Options{})
	r.control("POST", "/faults", `[{"method":"GET","path":"/api/rainbow/admin/v1.0/users/*","status":503,"times":2,"skip":1},
		{"path":"/api/rainbow/rvcpprovisioning/**","status":429,"retryAfter":7,"body":"Too Many Requests","times":1},
		{"path":"/api/rainbow/subscription/**","status":500,"body":"{\"errorCode\":500}","times":1}]`).ok()
	user := admin + "/users/" + r.sandboxUser()
	r.get(user).ok() // skipped
	for range 2 {
		r.get(user).fails(503, 0)
	}
	r.get(user).ok()
	a := r.get(cloud)
	if a.status != 429 || a.header.Get("Retry-After") != "7" || string(a.body) != "Too Many Requests" || !strings.HasPrefix(a.contentType, "text/plain") {
		t.Errorf("429: %d %v %s", a.status, a.header, a.body)
	}
	r.get(cloud).ok()
	if a := r.get(subscriptions); a.status != 500 || !strings.HasPrefix(a.contentType, "application/json") {
		t.Errorf("500: %d %s %s", a.status, a.contentType, a.body)
	}
	r.control("POST", "/faults", "[]").ok()
	if rules := string(r.control("GET", "/faults", "").ok().body); rules != "[]" {
		t.Errorf("rules left: %s", rules)
	}
}

// sandboxUser is the id of a seeded user, found without a call.
func (r *rainbow) sandboxUser() string { return "5b7d0c0ffee1000000000001" }

func TestALostAnswerHasDoneItsWork(t *testing.T) {
	r := start(t, sandbox.Options{})
	if err := r.sandbox.SetFaults([]sandbox.Fault{{Method: "POST", Lost: sandbox.LostClose, Times: 1}}); err != nil {
		t.Fatal(err)
	}
	req, _ := http.NewRequest("POST", r.url+ddis, strings.NewReader(`{"number":"0298300777"}`))
	req.Header.Set("Authorization", "Bearer "+r.token)
	if resp, err := (&http.Client{Transport: &http.Transport{}}).Do(req); err == nil {
		resp.Body.Close()
		t.Fatal("the answer came")
	}
	r.get(ddis+"?numberE164StartWith=%2B33298300777").ok().want("total", "1")
	r.post(ddis, map[string]string{"number": "0298300777"}).fails(409, 409000)
	var dropped []sandbox.JournalEntry
	for _, e := range r.sandbox.Journal() {
		if e.Dropped {
			dropped = append(dropped, e)
		}
	}
	if len(dropped) != 1 || dropped[0].Status != 200 || dropped[0].Path != ddis {
		t.Errorf("journal shows %+v", dropped)
	}
}

func TestLatencyAndChance(t *testing.T) {
	failures := func(seed uint64) (pattern string) {
		r := start(t, sandbox.Options{FaultSeed: seed, Faults: []sandbox.Fault{{Path: admin + "/users", Status: 502, Probability: 0.5}}})
		for range 40 {
			pattern += string(rune('0' + r.get(admin+"/users").status/100))
		}
		return pattern
	}
	one, again, other := failures(1), failures(1), failures(2)
	if one != again || one == other || !strings.Contains(one, "5") || !strings.Contains(one, "2") {
		t.Errorf("chances: %s %s %s", one, again, other)
	}
	r := start(t, sandbox.Options{})
	if err := r.sandbox.SetFaults([]sandbox.Fault{{Path: cloud, Latency: sandbox.Fixed(60 * time.Millisecond)}}); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	r.get(cloud).ok()
	if took := time.Since(began); took < 60*time.Millisecond {
		t.Errorf("took %s", took)
	}
}

func TestFaultsThatCannotBeMeant(t *testing.T) {
	r := start(t, sandbox.Options{})
	for _, rule := range []string{
		`{"status":99}`, `{"probability":2}`, `{"path":"["}`, `{"lost":"close","status":500}`, `{"rowCode":1}`, `{"latency":"soon"}`,
		`{"limit":{"rate":1e-12}}`, // its Retry-After was beyond all times, and became 1
	} {
		if a := r.control("POST", "/faults", "["+rule+"]"); a.status != 400 {
			t.Errorf("%s: %d %s", rule, a.status, a.body)
		}
	}
	if a := r.control("POST", "/faults", "no list"); a.status != 400 {
		t.Errorf("no list: %d", a.status)
	}
	if a := r.control("GET", "/other", ""); a.status != 404 {
		t.Errorf("unknown control: %d", a.status)
	}
	if a := r.send("POST", "/sandbox/reset", "", http.Header{"Origin": {"https://elsewhere.example"}}); a.status != 403 {
		t.Errorf("a page elsewhere may reset: %d", a.status)
	}
	if _, err := sandbox.New(sandbox.Options{Faults: []sandbox.Fault{{Status: 1}}}); err == nil {
		t.Error("New takes a broken fault")
	}
}

func TestJournal(t *testing.T) {
	r := start(t, sandbox.Options{JournalSize: 5})
	for range 4 {
		r.get(admin + "/users?limit=1").ok()
	}
	r.post(ddis, map[string]string{"number": "0298300777"}).ok()
	r.post(ddis, map[string]string{"number": "0298300777"}).fails(409, 409000)
	r.post(admin+"/users", map[string]any{"loginEmail": "ana@sandbox.example", "password": "Secret-Pass-77"}).ok()
	var seen []sandbox.JournalEntry
	raw := r.control("GET", "/journal", "").ok().body
	if err := json.Unmarshal(raw, &seen); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 5 || seen[0].Seq != 4 || seen[4].Seq != 8 {
		t.Fatalf("journal: %s", raw)
	}
	if seen[0].Query != "limit=1" || seen[2].Status != 200 || seen[3].Status != 409 || seen[2].Digest == "" || seen[2].Digest != seen[3].Digest || seen[4].Method != "POST" {
		t.Errorf("journal: %s", raw)
	}
	for _, secret := range []string{"Secret-Pass-77", r.token, "Basic"} {
		if strings.Contains(string(raw), secret) {
			t.Errorf("the journal holds %q", secret)
		}
	}
}
