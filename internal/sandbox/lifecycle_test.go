package sandbox_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

// careful is a client as one writes it for a Rainbow that fails: over plain
// net/http it repeats what is safe to repeat, waits when it is told to, signs in
// again when its token has expired, and looks whether a lost creation took
// effect before it makes it again.
type careful struct {
	t       *testing.T
	rainbow *rainbow // signs in
	login   string
	token   string
	http    *http.Client
	lost    int // answers that never came, or came as a 5xx
	waits   int // refusals for now, with Retry-After
	renewed int // logins because of an expired token
	repeats int // creations that had to be made again
}

// settledAnswer is a settled answer; unsure means that the call may have been done
// before, by a try whose answer was lost.
type settledAnswer struct {
	status int
	body   []byte
	unsure bool
}

const tries = 60

// try sends one request: done is false when nobody knows what became of it.
func (c *careful) try(method, path, contentType string, body []byte) (resp *http.Response, answer []byte, done bool) {
	c.t.Helper()
	req, err := http.NewRequest(method, c.rainbow.url+path, bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", contentType)
	resp, err = c.http.Do(req)
	if err != nil {
		return nil, nil, false
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 500 || !json.Valid(answer) {
		return resp, answer, false
	}
	return resp, answer, true
}

// settle sends a request until its outcome is known; once stops at the first
// loss, for a request that must not be repeated blindly.
func (c *careful) settle(method, path, contentType string, body []byte, once bool) (a settledAnswer, known bool) {
	c.t.Helper()
	for range tries {
		resp, answer, done := c.try(method, path, contentType, body)
		switch {
		case !done:
			c.lost++
			if once {
				return a, false
			}
			a.unsure = true
		case resp.StatusCode == 429:
			c.waits++
			seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
			time.Sleep(min(time.Duration(max(seconds, 0))*time.Second, 50*time.Millisecond)) // the tests have no time for whole seconds
		case resp.StatusCode == 401 && strings.Contains(string(answer), "jwt expired"):
			c.renewed++
			c.token = c.signIn()
		default:
			a.status, a.body = resp.StatusCode, answer
			return a, true
		}
	}
	c.t.Fatalf("%s %s: no answer after %d tries", method, path, tries)
	return a, false
}

func (c *careful) signIn() string {
	c.t.Helper()
	for range tries {
		if a, err := c.rainbow.trySignIn(c.login); err == nil {
			return a
		}
	}
	c.t.Fatalf("no login after %d tries", tries)
	return ""
}

// trySignIn sends a login and answers the token.
func (r *rainbow) trySignIn(login string) (string, error) {
	req, err := http.NewRequest("GET", r.url+authent+"/login", nil)
	if err != nil {
		return "", err
	}
	req.SetBasicAuth(login, sandbox.AdminPassword)
	req.Header.Set("X-Rainbow-App-Auth", appAuth(sandbox.AdminPassword, sandbox.AppSecret))
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var answer struct{ Token string }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return "", err
	}
	if answer.Token == "" {
		return "", fmt.Errorf("status %d", resp.StatusCode)
	}
	return answer.Token, nil
}

func (c *careful) json(body any) []byte {
	c.t.Helper()
	if body == nil {
		return nil
	}
	raw, err := json.Marshal(body)
	if err != nil {
		c.t.Fatal(err)
	}
	return raw
}

// do makes a call that may be repeated (GET, PUT, DELETE, assignments) and
// must succeed. A DELETE whose answer was lost may find nothing left.
func (c *careful) do(method, path string, body any) answer {
	c.t.Helper()
	a, _ := c.settle(method, path, "application/json", c.json(body), false)
	if a.status != 200 && !(method == "DELETE" && a.unsure && a.status == 404) {
		c.t.Fatalf("%s %s: %d %s", method, path, a.status, a.body)
	}
	return answer{t: c.t, what: method + " " + path, status: a.status, body: a.body}
}

// look reads a list that may not be there yet, because what it belongs to is
// as new as what is looked for.
func (c *careful) look(path string) answer {
	c.t.Helper()
	a, _ := c.settle("GET", path, "application/json", nil, false)
	if a.status != 200 && a.status != 404 {
		c.t.Fatalf("GET %s: %d %s", path, a.status, a.body)
	}
	return answer{t: c.t, what: "GET " + path, status: a.status, body: a.body}
}

// refused makes a call that must be refused with a code.
func (c *careful) refused(method, path string, body any, status, code int) {
	c.t.Helper()
	a, _ := c.settle(method, path, "application/json", c.json(body), false)
	answer{t: c.t, what: method + " " + path, status: a.status, contentType: "application/json", body: a.body}.fails(status, code)
}

// create makes something and answers its id, which find finds by what names
// it. When the answer is lost it looks before it tries again, and a conflict
// then means that it was made: lists may lag behind.
func (c *careful) create(method, path, contentType string, body []byte, member string, find func() string) string {
	c.t.Helper()
	lost := false
	for range tries {
		a, known := c.settle(method, path, contentType, body, true)
		made := answer{t: c.t, what: method + " " + path, status: a.status, body: a.body}
		switch {
		case known && a.status == 200:
			return made.text(member)
		case known && (!lost || a.status != 409):
			c.t.Fatalf("%s %s: %d %s", method, path, a.status, a.body)
		}
		for range 4 { // a replica may need some reads to catch up
			if id := find(); id != "" {
				return id
			}
		}
		lost = true
		c.repeats++
	}
	c.t.Fatalf("%s %s: not made after %d tries", method, path, tries)
	return ""
}

// make is create with a JSON body and POST.
func (c *careful) make(path string, body map[string]any, list, member string) string {
	c.t.Helper()
	return c.create("POST", path, "application/json", c.json(body), "data.id", func() string { return c.look(list).unless(member) })
}

// unless is text, and "" where the list on the way is shorter.
func (a answer) unless(path string) string {
	a.t.Helper()
	if list, _, found := strings.Cut(path, ".0."); found {
		if elements, _ := a.at(list).([]any); len(elements) == 0 {
			return ""
		}
	}
	return a.text(path)
}

// first answers the id of the element of a list whose member has a value.
func (a answer) first(list, member, value, id string) string {
	a.t.Helper()
	elements, _ := a.at(list).([]any)
	for _, e := range elements {
		if m, ok := e.(map[string]any); ok && fmt.Sprint(m[member]) == value {
			return fmt.Sprint(m[id])
		}
	}
	return ""
}

// misfortunes are the faults of the walk with faults on: each kind that a
// client can survive, all at once.
func misfortunes() []sandbox.Fault {
	const all = "/api/rainbow/**"
	return []sandbox.Fault{
		// What has to come up, then what chance brings.
		{Operation: "CreateDdi", Cut: sandbox.CutBeforeRead, Skip: 2, Times: 1},
		{Operation: "CreateDdi", Lost: sandbox.LostClose, Skip: 4, Times: 1},
		{Operation: "CreateSubscriber", Expire: sandbox.ExpireOnce, Times: 1},
		{Operation: "CreateUser", Status: 429, RetryAfter: 1, Times: 1},
		{Path: all, Latency: sandbox.Fixed(time.Millisecond), Probability: 0.5},
		{Path: all, ExtraMembers: 2},
		{Path: all, Method: "GET", Stale: &sandbox.Stale{Reads: 2}},
		{Path: all, SlowAnswer: &sandbox.Pace{Bytes: 512, Every: sandbox.Duration(time.Millisecond), Max: sandbox.Duration(5 * time.Millisecond)}, Probability: 0.05},
		{Path: all, Status: 503, RetryAfter: 1, Probability: 0.08},
		{Path: all, Status: 502, Format: "html", Probability: 0.03},
		{Path: all, Status: 429, RetryAfter: 1, Probability: 0.06},
		{Path: all, Cut: sandbox.CutBeforeRead, Probability: 0.04},
		{Path: all, Cut: sandbox.CutMidBody, Probability: 0.05},
		{Path: all, Cut: sandbox.CutShortBody, Probability: 0.04},
		{Path: "/api/rainbow/rvcpprovisioning/**", Lost: sandbox.LostClose, Probability: 0.06},
		{Path: "/api/rainbow/rvcpprovisioning/**", Lost: sandbox.LostReset, Probability: 0.06},
		{Path: "/api/rainbow/admin/**", Lost: sandbox.Lost502, Probability: 0.1},
		{Path: "/api/rainbow/rvcpprovisioning/**", Expire: sandbox.ExpireOnce, Probability: 0.05},
		{Path: "/api/rainbow/rvcpprovisioning/**", Limit: &sandbox.Limit{Rate: 2000, Burst: 20}},
	}
}

// TestATelephonyLifecycle builds a company's telephony and takes it down again,
// with the refusals on the way, without and with faults: what is left in the
// end is the same.
func TestATelephonyLifecycle(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what   string
		faults []sandbox.Fault
	}{{"calm", nil}, {"with faults", misfortunes()}} {
		t.Run(c.what, func(t *testing.T) {
			r := start(t, sandbox.Options{FaultSeed: 11})
			if err := r.sandbox.SetFaults(c.faults); err != nil {
				t.Fatal(err)
			}
			client := func(login string) *careful {
				k := &careful{t: t, rainbow: r, login: login, http: &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}}
				k.token = k.signIn()
				return k
			}
			partner, k := client("bpadmin@vad.example"), client("admin@vineyard.example")
			walk(k, partner)
			t.Logf("%d answers lost, %d waits, %d tokens expired, %d creations repeated", k.lost+partner.lost, k.waits+partner.waits, k.renewed+partner.renewed, k.repeats+partner.repeats)
			if c.faults != nil && (k.lost < 10 || k.waits == 0 || k.renewed == 0 || k.repeats == 0) {
				t.Error("the faults did not come up")
			}
			if err := r.sandbox.SetFaults(nil); err != nil {
				t.Fatal(err)
			}
			k.token = k.signIn()
			k.do("GET", admin+"/users?loginEmail=vera@vineyard.example", nil).want("total", "0")
			k.do("GET", voice+"/cloudpbxs", nil).want("total", "0")
		})
	}
}

// walk is the lifecycle itself: partner makes the Cloud PBX, the company's
// administrator all that is on it.
func walk(c, partner *careful) {
	c.t.Helper()
	pbx := newPbx(partner)
	numbers, devices, subscribers := pbx+"/phone-numbers/ddi", pbx+"/devices", pbx+"/subscribers"

	// DDIs: one, then a range of ten.
	ddi := func(n int) string {
		return c.make(numbers, map[string]any{"number": fmt.Sprintf("01990009%02d", n)}, numbers+fmt.Sprintf("?numberE164StartWith=%%2B331990009%02d", n), "data.0.id")
	}
	main := ddi(0)
	var block []string
	for n := 10; n < 20; n++ {
		block = append(block, ddi(n))
	}
	c.refused("POST", numbers, map[string]any{"number": "0199000910"}, 409, 409000)
	c.eventually(numbers, "total", "11")

	// A user, his extension, his DDI.
	user := c.make(admin+"/users", map[string]any{"loginEmail": "vera@vineyard.example", "firstName": "Vera", "lastName": "Vine", "password": "Passw0rd!"},
		admin+"/users?loginEmail=vera@vineyard.example", "data.0.id")
	c.refused("POST", numbers+"/"+block[3]+"/users/"+user, nil, 400, 400000) // not a subscriber
	c.refused("POST", subscribers, map[string]any{"userId": user, "shortNumber": "9999"}, 400, 400000)
	extension := c.make(subscribers, map[string]any{"userId": user, "shortNumber": "5001"}, admin+"/users/"+user, "data.phoneNumbers.0.phoneNumberId")
	c.refused("POST", subscribers, map[string]any{"userId": user, "shortNumber": "5002"}, 409, 409000) // one extension a user
	c.do("POST", numbers+"/"+block[3]+"/users/"+user, nil).want("data.userId", user)

	// His phone: a desk phone needs a MAC address, is assigned once, and is not
	// deleted in use.
	c.refused("POST", devices, map[string]any{"description": "Desk", "deviceTypeId": 23}, 400, 400000)
	phone := c.make(devices, map[string]any{"description": "Desk of Vera", "deviceTypeId": 23, "macAddress": "02:00:fe:00:00:01"}, devices+"?macAddress=0200fe000001", "data.0.id")
	c.refused("POST", devices, map[string]any{"description": "Again", "deviceTypeId": 23, "macAddress": "0200fe000001"}, 409, 409000)
	c.do("POST", subscribers+"/"+extension+"/devices", map[string]any{"deviceId": phone})
	c.refused("DELETE", devices+"/"+phone, nil, 409, 409000)

	// Programmable keys.
	keys := devices + "/" + phone + "/programmable-keys"
	key := map[string]any{"keyNum": 4, "keyType": "speeddial", "displayName": "Cellar", "number": "+33199000077"}
	c.create("POST", keys, "application/json", c.json(key), "data.keyNum", func() string { return c.look(keys).first("data.keys", "keyNum", "4", "keyNum") })
	c.refused("POST", keys, key, 409, 409000)
	c.refused("POST", keys, map[string]any{"keyNum": 999, "keyType": "speeddial", "displayName": "F", "number": "1"}, 400, 400000)

	// Forwards.
	c.do("PUT", subscribers+"/"+extension+"/callforwardoptions/externalcallforward", map[string]any{"externalCallForward": "authorized"})
	c.refused("PUT", subscribers+"/"+extension+"/callforwardoptions/externalcallforward", map[string]any{"externalCallForward": "perhaps"}, 400, 400000)
	c.do("PUT", subscribers+"/"+extension+"/overflow", map[string]any{"value": "disabled", "unavailableOverflow": "default"})

	greetingsOf(c, pbx, user)

	// Recordings.
	c.do("PUT", pbx+"/recordings/"+extension, map[string]any{"recordingProfile": "all"})
	c.eventually(pbx+"/recordings", "total", "0")

	// Down again, in order.
	c.refused("DELETE", numbers+"/"+main, nil, 409, 409000) // the default goes last
	c.refused("DELETE", pbx, nil, 409, 409000)              // not while something is attached
	c.do("DELETE", keys+"/4", nil)
	c.do("DELETE", subscribers+"/"+extension+"/devices/"+phone, nil)
	c.do("DELETE", devices+"/"+phone, nil)
	c.do("DELETE", numbers+"/"+block[3]+"/users/"+user, nil)
	c.do("DELETE", subscribers+"/"+extension, nil)
	for _, id := range block {
		c.do("DELETE", numbers+"/"+id, nil)
	}
	c.do("DELETE", numbers+"/"+main, nil)
	c.do("DELETE", admin+"/users/"+user, nil)
	partner.do("DELETE", pbx, nil)
}

// newPbx replaces the seeded Cloud PBX of the vineyard: a company has one.
func newPbx(partner *careful) (path string) {
	partner.t.Helper()
	wanted := map[string]any{
		"companyId": sandbox.VineyardCompanyID, "country": "FRA", "numberingDigits": 4, "numberingPlan": []any{map[string]any{"prefix": "5", "description": "Everybody"}},
	}
	list := voice + "/cloudpbxs?companyId=" + sandbox.VineyardCompanyID
	partner.refused("POST", voice+"/cloudpbxs", wanted, 409, 409000)
	partner.do("DELETE", voice+"/cloudpbxs/"+sandbox.VineyardPbxID+"?forceDelete=true", nil)
	partner.eventually(list, "total", "0")
	path = voice + "/cloudpbxs/" + partner.make(voice+"/cloudpbxs", wanted, list, "data.0.id")
	partner.eventually(list, "total", "1") // what is below it cannot be listed before
	return path
}

// greetingsOf uploads two greetings for a user, switches between them and
// takes them away.
func greetingsOf(c *careful, pbx, user string) {
	c.t.Helper()
	scope := "?userId=" + user
	upload := func(name string) string {
		return c.create("PUT", pbx+"/greetings/user_busy"+scope+"&fileName="+name, "audio/wav", []byte(audioOf(2)), "data.fileId", func() string {
			return c.look(pbx+"/greetings"+scope).first("data.greetings", "fileName", name, "fileId")
		})
	}
	busy, lunch := upload("busy.wav"), upload("lunch.wav")
	c.do("POST", pbx+"/greetings/"+busy+"/activate", nil).want("data.isActive", "true", "data.duration", "2")
	c.refused("DELETE", pbx+"/greetings/"+busy, nil, 409, 409000)
	c.do("DELETE", pbx+"/greetings/"+lunch, nil)
	c.do("POST", pbx+"/greetings/user_busy/restore"+scope, nil)
	c.do("DELETE", pbx+"/greetings/"+busy, nil)
}

// eventually reads a list until a member has the value: lists may lag behind.
func (c *careful) eventually(path, member, want string) {
	c.t.Helper()
	got := ""
	for range tries {
		if got = c.do("GET", path, nil).text(member); got == want {
			return
		}
	}
	c.t.Errorf("%s: %s is %q, want %q", path, member, got, want)
}
