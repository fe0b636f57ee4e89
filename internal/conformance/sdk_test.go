package conformance_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

// clock is the sandbox's, so that a token's life takes no time.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)} }

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// sdk does on the wire what Rainbow's Node SDK and command line do, and reads answers as they do.
type sdk struct {
	t     testing.TB
	door  restDoor
	token string // "null" before the login, literally
}

// headers are those that each request of the SDK has.
func (c *sdk) headers() http.Header {
	return http.Header{
		"Authorization": {"Bearer " + c.token}, "Accept": {"application/json"}, "x-rainbow-client": {"sdk_node"},
		"x-rainbow-client-version": {"2.46.1"}, "x-rainbow-client-id": {sandbox.AppID}, correlationID: {"0123456789abcdef"},
	}
}

// answered is what a caller of the SDK gets.
type answered struct {
	reply
	what string
	json map[string]any // nil for a text
}

// send sends a request and reads the answer as the SDK does: broken says what would be a TypeError there.
func (c *sdk) send(method, target, media, body string) answered {
	c.t.Helper()
	return c.sendAs(c.headers(), method, target, media, body)
}

func (c *sdk) sendAs(h http.Header, method, target, media, body string) answered {
	c.t.Helper()
	var content []byte
	if media != "" {
		h.Set("Content-Type", media)
		content = []byte(body)
	}
	a := answered{reply: c.door.send(c.t, method, target, h, content), what: method + " " + target}
	if broken := broken(a.reply); broken != "" {
		c.t.Errorf("%s: the SDK would fail: %s", a.what, broken)
	}
	if strings.HasPrefix(a.media, "application/json") {
		_ = json.Unmarshal(a.body, &a.json) // a list stays nil
	}
	return a
}

// broken says how an answer would break the SDK, "" when it does not.
func broken(r reply) string {
	switch {
	case r.status == http.StatusNoContent:
		return "204: TypeError"
	case r.status < 200 || r.status > 206:
		return ""
	case r.media == "":
		return "no content type: TypeError"
	case !strings.Contains(r.media, "json") && !strings.Contains(r.media, "csv"):
		return "content type " + r.media + ": Bad content, please check your host"
	case strings.HasPrefix(r.media, "application/json") && !json.Valid(r.body):
		return fmt.Sprintf("JSON that is none: %.80q", r.body)
	}
	return ""
}

func (c *sdk) get(target string) answered { c.t.Helper(); return c.send("GET", target, "", "") }

func (c *sdk) post(target, body string) answered {
	c.t.Helper()
	return c.send("POST", target, "application/json", body)
}

// remove deletes with the body that the SDK sends.
func (c *sdk) remove(target string) answered {
	c.t.Helper()
	return c.send("DELETE", target, "application/json", "{}")
}

// ok fails the test unless the answer is a success.
func (a answered) ok(t testing.TB) answered {
	t.Helper()
	if a.status != http.StatusOK {
		t.Fatalf("%s: %d %.500s", a.what, a.status, a.body)
	}
	return a
}

// refused fails the test unless the answer is a refusal that the SDK can show.
func (a answered) refused(t testing.TB, status int, details string) answered {
	t.Helper()
	got, _ := a.json["errorDetails"].(string)
	if code, _ := a.json["errorCode"].(float64); a.status != status || int(code) != status || a.json["errorMsg"] == "" {
		t.Errorf("%s: got %d %.500s, want %d in Rainbow's envelope", a.what, a.status, a.body, status)
	}
	if details != "" && got != details {
		t.Errorf("%s: errorDetails is %q, want %q", a.what, got, details)
	}
	return a
}

func (a answered) data() map[string]any {
	d, _ := a.json["data"].(map[string]any)
	return d
}

// list is the data of a list.
func (a answered) list() []any {
	d, _ := a.json["data"].([]any)
	return d
}

const (
	authentication = "/api/rainbow/authentication/v1.0"
	admin          = "/api/rainbow/admin/v1.0"
	enduser        = "/api/rainbow/enduser/v1.0"
	mass           = "/api/rainbow/massprovisioning/v1.0"
	cloudPBX       = "/api/rainbow/rvcpprovisioning/v1.0/cloudpbxs/" + sandbox.CloudPbxID
)

// urls is the side call before the login, with a token that is none.
func (c *sdk) urls() answered {
	c.t.Helper()
	return c.get(authentication + "/urls?useBackchannelPolling=false&uid=")
}

// login signs in and keeps the token.
func (c *sdk) login(password string) answered {
	c.t.Helper()
	h := c.headers()
	h.Set("Authorization", basic(sandbox.AdminLogin, password))
	h.Set("x-rainbow-app-auth", basic(sandbox.AppID, hashed(sandbox.AppSecret+password)))
	a := c.sendAs(h, "GET", authentication+"/login", "", "")
	if token, is := a.json["token"].(string); is {
		c.token = token
	}
	return a
}

// lifetime is read from the token as the SDK decodes it; without iat and exp its survey of the token throws.
func (c *sdk) lifetime() (issued, expires time.Time) {
	c.t.Helper()
	parts := strings.Split(c.token, ".")
	var claims struct{ Iat, Exp int64 }
	if len(parts) != 3 {
		c.t.Fatalf("a token of %d parts is no JWT", len(parts))
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil {
		err = json.Unmarshal(payload, &claims)
	}
	if err != nil || claims.Iat == 0 || claims.Exp <= claims.Iat {
		c.t.Fatalf("the token's claims %+v: %v", claims, err)
	}
	return time.Unix(claims.Iat, 0), time.Unix(claims.Exp, 0)
}

func (c *sdk) renew() answered {
	c.t.Helper()
	a := c.get(authentication + "/renew")
	if token, is := a.json["token"].(string); is {
		c.token = token
	}
	return a
}
