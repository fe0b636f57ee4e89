package upstream_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// portal is an upstream that answers as a test says and remembers what it was asked.
type portal struct {
	*httptest.Server
	t *testing.T

	mu     sync.Mutex
	seen   []seen
	logins int
	token  string // the token of the last login
	life   time.Duration
}

// seen is one request.
type seen struct {
	method, target, body string
	header               http.Header
}

// newPortal starts a portal. answer gets every request but logins; n counts them from 1.
func newPortal(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, n int)) *portal {
	t.Helper()
	p := &portal{t: t, life: time.Hour}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/rainbow/authentication/v1.0/login" {
			p.login(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client went away
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		p.mu.Lock()
		p.seen = append(p.seen, seen{r.Method, r.RequestURI, string(body), r.Header})
		n := len(p.seen)
		p.mu.Unlock()
		answer(w, r, n)
	}))
	t.Cleanup(p.Close)
	return p
}

const (
	accountLogin    = "admin@sandbox.example"
	accountPassword = "Sandbox-Pass-1"
)

func account() *upstream.Account {
	return &upstream.Account{Login: accountLogin, Password: accountPassword, AppID: "sandbox-app", AppSecret: "sandbox-secret"}
}

func (p *portal) login(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.logins++
	user, password, ok := r.BasicAuth()
	// hex(sha256("sandbox-secret" + "Sandbox-Pass-1")), counted with sha256sum
	app := "Basic " + base64.StdEncoding.EncodeToString([]byte("sandbox-app:"+appHash))
	if !ok || user != accountLogin || password != accountPassword || r.Header.Get("X-Rainbow-App-Auth") != app {
		answerError(w, 401, 401500, `"Unknown login or wrong password"`)
		return
	}
	p.token = jwt(time.Now(), p.life, p.logins, 5)
	answerJSON(w, 200, fmt.Sprintf(`{"token":%q,"loggedInUser":{"id":"1"}}`, p.token))
}

// jwt is a token of the given lifetime; n makes it different from others.
func jwt(issued time.Time, life time.Duration, n, renewals int) string {
	payload := fmt.Sprintf(`{"countRenewed":0,"maxTokenRenew":%d,"iat":%d,"exp":%d,"n":%d}`, renewals, issued.Unix(), issued.Add(life).Unix(), n)
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".x"
}

func answerJSON(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// answerError answers the portals' error envelope; details is JSON.
func answerError(w http.ResponseWriter, status, code int, details string) {
	body := fmt.Sprintf(`{"errorCode":%d,"errorMsg":%q,"errorDetails":%s`, status, http.StatusText(status), details)
	if code != 0 {
		body += fmt.Sprintf(`,"errorDetailsCode":%d`, code)
	}
	answerJSON(w, status, body+"}")
}

func answerExpired(w http.ResponseWriter) { answerError(w, 401, 0, `"jwt expired"`) }

// requests returns what was asked so far, logins not counted.
func (p *portal) requests() []seen {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]seen(nil), p.seen...)
}

// one returns the only request.
func (p *portal) one() seen {
	p.t.Helper()
	all := p.requests()
	if len(all) != 1 {
		p.t.Fatalf("upstream was asked %d times, want once: %v", len(all), all)
	}
	return all[0]
}

func (p *portal) loginCount() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.logins
}

// client returns a client of the portal with the service account and quick retries.
func (p *portal) client(change ...func(*upstream.Options)) *upstream.Client {
	p.t.Helper()
	opts := upstream.Options{
		BaseURL:  p.URL,
		Bindings: bindings(p.t),
		Account:  account(),
		Retry:    upstream.Retry{First: time.Millisecond, Longest: 5 * time.Millisecond},
	}
	for _, f := range change {
		f(&opts)
	}
	c, err := upstream.New(opts)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = c.Close() })
	return c
}

const appHash = "7b1a99cd9fdd474e3bcc8fa945ef9b2df124a55cdfa5025116cf849c7868ad13"

func pemOf(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// number reads a JSON number; an absent one is 0.
func number(t *testing.T, v any) int64 {
	t.Helper()
	if v == nil {
		return 0
	}
	n, err := v.(json.Number).Int64()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func equalJSON(t *testing.T, want any, got string) bool {
	t.Helper()
	return cmp.Equal(want, plain(t, []byte(got)))
}
