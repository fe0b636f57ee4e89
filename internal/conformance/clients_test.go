package conformance_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/config"
	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox/sandboxtest"
)

// world is a gateway with a service account before a sandbox whose clock can be moved, a client, and a gateway before
// a stub, for what the sandbox does not answer.
type world struct {
	*sdk
	clock    *clock
	sandbox  *sandbox.Sandbox
	stub     *replay
	scripted *sdk
}

func withAccount(c *config.Config) {
	c.Login, c.Password, c.AppID, c.AppSecret = sandbox.AdminLogin, sandbox.AdminPassword, sandbox.AppID, sandbox.AppSecret
}

func newWorld(t *testing.T, stub *replay, beforeStub restDoor) *world {
	t.Helper()
	w := &world{clock: newClock(), stub: stub, scripted: &sdk{t: t, door: beforeStub, token: "e30.e30.x"}}
	s := sandboxtest.Start(t, sandbox.Options{SeedUsers: 5, Clock: w.clock.time, TokenLifetime: time.Hour})
	w.sandbox, w.sdk = s.Sandbox, &sdk{t: t, door: restDoor{startGateway(t, s.URL, withAccount)}, token: "null"}
	w.login(sandbox.AdminPassword).ok(t)
	return w
}

// script answers a request of the SDK by the stub.
func (w *world) script(answer reply, method, target, media, body string) (asked, answered) {
	w.t.Helper()
	id := w.stub.expect(answer)
	h := w.scripted.headers()
	h.Set(correlationID, id)
	got := w.scripted.sendAs(h, method, target, media, body)
	return w.stub.one(w.t, id), got
}

// sent counts the requests that the sandbox got of a kind.
func (w *world) sent(method, suffix string) int {
	n := 0
	for _, e := range w.sandbox.Journal() {
		path, _, _ := strings.Cut(e.Path, "?")
		if e.Method == method && strings.HasSuffix(path, suffix) {
			n++
		}
	}
	return n
}

func (w *world) fault(f sandbox.Fault) {
	w.t.Helper()
	if err := w.sandbox.SetFaults([]sandbox.Fault{f}); err != nil {
		w.t.Fatal(err)
	}
}

// quirk is what a client does, with the words by which testdata/spec/clients.md tells it.
type quirk struct {
	words string
	show  func(t *testing.T, w *world)
}

// TestExistingClientsNoticeNothing goes over what is known of Rainbow's Node SDK and command line, through the gateway.
func TestExistingClientsNoticeNothing(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(specRoot, "clients.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(string(page)), " ")
	stub := startReplay(t)
	beforeStub := restDoor{startGateway(t, stub.URL, withAccount)}
	for _, part := range [][]quirk{signInQuirks(), answerQuirks(), requestQuirks(), importQuirks()} {
		for _, q := range part {
			t.Run(q.words, func(t *testing.T) {
				if !strings.Contains(text, q.words) {
					t.Errorf("clients.md does not say %q", q.words)
				}
				q.show(t, newWorld(t, stub, beforeStub))
			})
		}
	}
}

func signInQuirks() []quirk {
	return []quirk{
		{"sent BEFORE login with the literal header `Authorization: Bearer null`; must not count as an attack", func(t *testing.T, w *world) {
			w.token = "null"
			for range 8 { // five refused logins would lock the account
				w.urls().ok(t)
			}
			w.login(sandbox.AdminPassword).ok(t)
			if n := w.sent("GET", "/login"); n != 2 {
				t.Errorf("%d logins, want the client's two and none of the service account", n)
			}
		}},
		{"Every request carries `x-rainbow-client: sdk_node`", func(t *testing.T, w *world) {
			was, _ := w.script(reply{200, nil, "application/json", []byte(`{"data":{}}`)}, "GET", admin+"/users", "", "")
			for name, want := range map[string]string{
				"X-Rainbow-Client": "sdk_node", "X-Rainbow-Client-Version": "2.46.1", "X-Rainbow-Client-Id": sandbox.AppID,
				"Authorization": "Bearer e30.e30.x", "Accept": "application/json",
			} {
				if was.header.Get(name) != want {
					t.Errorf("%s is %q upstream, want %q", name, was.header.Get(name), want)
				}
			}
		}},
		{"The answer header the SDK logs is `x-rainbow-request-id`", func(t *testing.T, w *world) {
			if w.get(admin+"/users").ok(t).header.Get("X-Rainbow-Request-Id") == "" {
				t.Error("no x-rainbow-request-id")
			}
		}},
		{"Answer needed: `{token, loggedInUser:{id, companyId, loginEmail, jid_im, ...}, loggedInApplication}`", func(t *testing.T, w *world) {
			a := w.login(sandbox.AdminPassword).ok(t)
			user, _ := a.json["loggedInUser"].(map[string]any)
			for _, name := range []string{"id", "companyId", "loginEmail", "jid_im"} {
				if user[name] == nil {
					t.Errorf("loggedInUser has no %s", name)
				}
			}
			if a.json["loggedInApplication"] == nil {
				t.Error("no loggedInApplication")
			}
		}},
		{"the SDK decodes it and renews at half life", func(t *testing.T, w *world) {
			for range 3 {
				issued, expires := w.lifetime()
				was := w.token
				w.clock.move(expires.Sub(issued) / 2)
				w.renew().ok(t)
				if later, _ := w.lifetime(); w.token == was || !later.After(issued) {
					t.Errorf("renewed token is of %v, the former of %v", later, issued)
				}
				w.get(admin + "/users").ok(t)
			}
		}},
		{"Side calls at sign-in, failures tolerated", func(t *testing.T, w *world) {
			company := w.get(enduser + "/companies/" + sandbox.CompanyID + "?format=full&selectedThemeObj=false").ok(t)
			apis := w.get(enduser + "/settings/apis").ok(t)
			if company.data()["id"] != sandbox.CompanyID || apis.data()["additionalHeaders"] == nil {
				t.Errorf("company %s, settings %s", company.body, apis.body)
			}
			w.get(enduser+"/nothing/of/the/kind").refused(t, 404, "")
		}},
		{"API-key users send `x-rainbow-api-key`, `x-rainbow-challenge` (22 chars)", func(t *testing.T, w *world) {
			key, _ := w.post(authentication+"/apikeys", `{"isActive":true}`).ok(t).data()["apiKey"].(string)
			const challenge = "abcdefghijklmnopqrstuv"
			for _, target := range []string{enduser + "/users/me", enduser + "/companies/" + sandbox.CompanyID, admin + "/users", authentication + "/apikeys/current"} {
				h := w.headers()
				h.Del("Authorization")
				h.Set("x-rainbow-api-key", key)
				h.Set("x-rainbow-challenge", challenge)
				h.Set("x-rainbow-app-auth", basic(sandbox.AppID, hashed(sandbox.AppSecret+challenge)))
				w.sendAs(h, "GET", target, "", "").ok(t)
			}
			if n := w.sent("GET", "/login"); n != 1 {
				t.Errorf("%d logins, want the client's one", n)
			}
		}},
		{"keep that string for expiry, and never use it for a merely bad token", func(t *testing.T, w *world) {
			good := w.token
			for _, bad := range []string{"null", "undefined", "x", good[:len(good)-4] + "AAAA", "e30.e30.x"} {
				w.token = bad
				for _, target := range []string{admin + "/users", mass + "/users/template", enduser + "/users/me"} {
					if a := w.get(target).refused(t, 401, ""); a.json["errorDetails"] == "jwt expired" {
						t.Errorf("%s: a bad token is called an expired one", target)
					}
				}
			}
			w.token = good
			_, expires := w.lifetime()
			w.clock.move(expires.Sub(w.clock.time()) - time.Second)
			w.get(admin + "/users").ok(t)
			w.clock.move(2 * time.Second)
			w.get(admin+"/users").refused(t, 401, "jwt expired")
			w.get(mass+"/users/template").refused(t, 401, "jwt expired") // streamed, and all the same not mended by the service account
			w.get(enduser+"/users/me").refused(t, 401, "jwt expired")
			w.renew().refused(t, 401, "jwt expired")
			w.login(sandbox.AdminPassword).ok(t)
			w.get(admin + "/users").ok(t)
		}},
		{"Logout: `GET .../authentication/v1.0/logout`", func(t *testing.T, w *world) {
			w.get(authentication + "/logout").ok(t)
			if a := w.get(admin+"/users").refused(t, 401, ""); a.json["errorDetails"] == "jwt expired" {
				t.Error("a token that was given up is called an expired one")
			}
		}},
		{"log-in failure surfaced as a TypeError instead of the server's message", func(t *testing.T, w *world) {
			w.login("Wrong-Pass-1").refused(t, 401, "")
			if n := w.sent("GET", "/login"); n != 2 {
				t.Errorf("%d logins, want two: a refused one is not repeated", n)
			}
		}},
	}
}

func answerQuirks() []quirk {
	return []quirk{
		{"always send a JSON body, `application/json`, also for deletes (`{\"status\":\"...\"}`), never 204", func(t *testing.T, w *world) {
			for i, target := range []string{"/phone-numbers/ddi", "/devices"} {
				made := w.post(cloudPBX+target, []string{`{"number":"0298300777"}`, `{"description":"d","deviceTypeId":999998,"ipei":"0380700000"}`}[i]).ok(t)
				a := w.remove(fmt.Sprintf("%s%s/%v", cloudPBX, target, made.data()["id"])).ok(t)
				if a.json["status"] == nil {
					t.Errorf("%s: no status in %s", a.what, a.body)
				}
			}
			for name, answer := range map[string]reply{
				"a delete":        {200, nil, "application/json; charset=utf-8", []byte(`{"status":"gone"}`)},
				"a created thing": {201, nil, "application/json", []byte(`{"data":{}}`)},
			} {
				if _, got := w.script(answer, "DELETE", admin+"/users/1", "application/json", "{}"); got.status != answer.status || !bytes.Equal(got.body, answer.body) {
					t.Errorf("%s: %d %s", name, got.status, got.body)
				}
			}
		}},
		{"CSV downloads (template, user list, invoices) are therefore `text/csv`, although the request says `Accept: application/json`", func(t *testing.T, w *world) {
			for _, target := range []string{
				mass + "/users/template", "/api/rainbow/invoicing/v1.0/invoices/services?year=2024&month=1", "/api/rainbow/invoicing/v1.0/invoices/conference?year=2024&month=1",
			} {
				if a := w.get(target).ok(t); !strings.HasPrefix(a.media, "text/csv") || !strings.Contains(string(a.body), ";") {
					t.Errorf("%s: %q %.80q", target, a.media, a.body)
				}
			}
		}},
		{"Paged lists carry `data, limit, offset, total` next to each other (not nested)", func(t *testing.T, w *world) {
			for _, target := range []string{admin + "/users", cloudPBX + "/devices", cloudPBX + "/phone-numbers/ddi"} {
				a := w.get(target + "?limit=2&offset=1").ok(t)
				if len(a.list()) != 2 || a.json["limit"] != 2.0 || a.json["offset"] != 1.0 || a.json["total"] == nil {
					t.Errorf("%s: %.200s", target, a.body)
				}
			}
		}},
		{"Invoices: a bare JSON array", func(t *testing.T, w *world) {
			if a := w.get("/api/rainbow/invoicing/v1.0/invoices").ok(t); a.body[0] != '[' {
				t.Errorf("%.80s", a.body)
			}
		}},
		{"rainbow-cli shows three shapes of `errorDetails`: string; array of `{param, msg}` (validation: \"At least one parameter is incorrect\", one line each); object with `details`", func(t *testing.T, w *world) {
			for _, details := range []string{`"no"`, `[{"param":"number","msg":"too short","value":1.10}]`, `{"details":"no","timeToLive":-0}`, `null`} {
				answer := reply{409, http.Header{}, "application/json", []byte(` {"errorCode":409, "errorMsg":"Conflict","errorDetails":` + details + `,"errorDetailsCode":409000}`)}
				for _, method := range []string{"GET", "PUT", "DELETE"} {
					if _, got := w.script(answer, method, admin+"/users/1", "", ""); got.status != 409 || !bytes.Equal(got.body, answer.body) {
						t.Errorf("%s: %d %s", method, got.status, got.body)
					}
				}
			}
			w.get(cloudPBX+"/devices/1").refused(t, 400, "")
		}},
		{"A façade should use the array for parameter errors", func(t *testing.T, w *world) {
			for _, body := range []string{`{"a":1,"a":2}`, `{"a":`, `{} x`, "{\"a\":\"\xff\"}"} {
				a := w.post(admin+"/users", body).refused(t, 400, "")
				list, _ := a.json["errorDetails"].([]any)
				if len(list) != 1 || list[0].(map[string]any)["param"] != "body" || list[0].(map[string]any)["msg"] == "" || a.header.Get("X-Error-Origin") != "gateway" {
					t.Errorf("%q: %s", body, a.body)
				}
			}
			if n := w.sent("POST", "/users"); n != 0 {
				t.Errorf("%d of the bodies went upstream", n)
			}
		}},
		{"If the body is not JSON it becomes `error.errorMsg`", func(t *testing.T, w *world) {
			answer := reply{502, nil, "text/html", []byte("<html>Bad Gateway</html>")}
			if was, got := w.script(answer, "POST", admin+"/users", "application/json", "{}"); got.status != 502 || !bytes.Equal(got.body, answer.body) || got.media != "text/html" || string(was.body) != "{}" {
				t.Errorf("%d %q %s", got.status, got.media, got.body)
			}
		}},
		{"429: `retry-after` in seconds (default 10)", func(t *testing.T, w *world) {
			for _, answer := range []reply{
				{429, http.Header{"Retry-After": {"17"}}, "application/json", []byte(`{"errorCode":429,"errorMsg":"Too Many Requests"}`)},
				{429, http.Header{"Retry-After": {"17"}}, "text/plain", []byte("slow down")}, // "A text body is accepted"
			} {
				if _, got := w.script(answer, "GET", admin+"/users", "", ""); got.status != 429 || got.header.Get("Retry-After") != "17" || !bytes.Equal(got.body, answer.body) {
					t.Errorf("%d, retry after %q: %s", got.status, got.header.Get("Retry-After"), got.body)
				}
			}
			was, got := w.script(reply{200, nil, "application/json", []byte("{}")}, "GET", admin+"/users", "", "")
			if got.ok(t); was.method != "GET" {
				t.Error("one caller's 429 holds the next back")
			}
		}},
		{"a delete may arrive twice, the second time unasked; answer both cleanly and never let it hit a re-created object", func(t *testing.T, w *world) {
			make := func() string { // the same number each time, and another id
				return fmt.Sprint(cloudPBX, "/phone-numbers/ddi/", w.post(cloudPBX+"/phone-numbers/ddi", `{"number":"0298300777"}`).ok(t).data()["id"])
			}
			target := make()
			w.fault(sandbox.Fault{Method: "DELETE", Path: "/api/rainbow/**", Status: 503, Times: 1})
			w.remove(target).refused(t, 503, "")
			w.remove(target).ok(t) // the one that nobody waits for
			again := make()
			w.remove(target).refused(t, 404, "")
			if w.get(cloudPBX + "/phone-numbers/ddi?numberE164StartWith=%2B33298300777").ok(t).json["total"] != 1.0 {
				t.Error("a late delete hit what was created again")
			}
			w.fault(sandbox.Fault{Method: "DELETE", Path: "/api/rainbow/**", Lost: sandbox.LostReset, Times: 1})
			w.remove(again).refused(t, 502, "") // done, and nobody told
			w.remove(again).refused(t, 404, "")
			if n := w.sent("DELETE", again[strings.LastIndex(again, "/"):]); n != 2 {
				t.Errorf("the client's two deletes became %d", n)
			}
		}},
		{"Retries: 408, 413, 429, 500, 502, 503, 504, 521, 522, 524 and connection errors", func(t *testing.T, w *world) {
			for _, status := range []int{408, 413, 429, 500, 502, 503, 504, 521, 522, 524} {
				for _, method := range []string{"GET", "POST", "PUT", "DELETE"} {
					body := fmt.Appendf(nil, `{"errorCode":%d,"errorMsg":"m"}`, status)
					if _, got := w.script(reply{status, nil, "application/json", body}, method, admin+"/users/1", "", ""); got.status != status || !bytes.Equal(got.body, body) {
						t.Errorf("%s %d: %d %s", method, status, got.status, got.body)
					} // script fails when it was sent more than once: the client does the repeating
				}
			}
		}},
	}
}
