package webhook_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/rainbow-gateway/rainbow-gateway/internal/webhook"
)

var key = []byte("a key of thirty-two bytes, no less")

func secret() string { return webhook.SecretPrefix + base64.StdEncoding.EncodeToString(key) }

// delivery is what a receiver got.
type delivery struct {
	header http.Header
	body   []byte
}

// receiver is a real HTTP server that answers with the given statuses in turn, then 204.
type receiver struct {
	*httptest.Server
	mu      sync.Mutex // guards the rest
	got     []delivery
	answers []func(http.ResponseWriter)
}

func newReceiver(t *testing.T, start func(http.Handler) *httptest.Server, answers ...func(http.ResponseWriter)) *receiver {
	t.Helper()
	r := &receiver{answers: answers}
	r.Server = start(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Errorf("body: %v", err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, delivery{req.Header.Clone(), body})
		if len(r.answers) == 0 {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		answer := r.answers[0]
		r.answers = r.answers[1:]
		answer(w)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) deliveries() []delivery {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got
}

func status(code int, headers ...string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
	}
}

func newSender(t *testing.T, o webhook.Options) *webhook.Sender {
	t.Helper()
	if o.Secret == "" {
		o.Secret = secret()
	}
	if o.Pause == 0 {
		o.Pause = time.Millisecond
	}
	if o.Patience == 0 {
		o.Patience = 5 * time.Second
	}
	s, err := webhook.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// signatureOf is computed by hand, from the words of the specification.
func signatureOf(d delivery) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(d.header.Get("webhook-id") + "." + d.header.Get("webhook-timestamp") + "."))
	mac.Write(d.body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func TestAMessageIsSignedAsReceiversVerifyIt(t *testing.T) {
	r := newReceiver(t, httptest.NewServer)
	s := newSender(t, webhook.Options{URL: r.URL + "/hook?token=t0ken", UserAgent: "rainbow-gateway"})
	body := `{"type":"drift.found"}`
	if err := s.Send(context.Background(), "msg-1", []byte(body)); err != nil {
		t.Fatal(err)
	}
	got := r.deliveries()
	if len(got) != 1 || string(got[0].body) != body || got[0].header.Get("Content-Type") != "application/json" ||
		got[0].header.Get("User-Agent") != "rainbow-gateway" || got[0].header.Get("webhook-id") != "msg-1" {
		t.Fatalf("got %+v", got)
	}
	if want := signatureOf(got[0]); got[0].header.Get("webhook-signature") != want {
		t.Errorf("signature = %s, want %s", got[0].header.Get("webhook-signature"), want)
	}
	verifier, err := standardwebhooks.NewWebhook(secret())
	if err != nil {
		t.Fatal(err)
	}
	if err := verifier.Verify(got[0].body, got[0].header); err != nil {
		t.Errorf("verify: %v", err)
	}
	if verifier.Verify([]byte(body+" "), got[0].header) == nil {
		t.Error("a changed body verifies")
	}
	old := got[0].header.Clone()
	old.Set("webhook-timestamp", strconv.FormatInt(time.Now().Add(-time.Hour).Unix(), 10))
	if verifier.Verify(got[0].body, old) == nil {
		t.Error("a replayed message with a new time verifies")
	}
}

func TestWhatIsTriedAgain(t *testing.T) {
	hangUp := func(w http.ResponseWriter) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			conn.Close()
		}
	}
	cases := []struct {
		name    string
		answers []func(http.ResponseWriter)
		tries   int
		err     string
	}{
		{"a receiver in trouble is tried again", []func(http.ResponseWriter){status(503), status(500)}, 3, ""},
		{"one that limits is tried again when it says", []func(http.ResponseWriter){status(429, "Retry-After", "1")}, 2, ""},
		{"one that hangs up is tried again", []func(http.ResponseWriter){hangUp}, 2, ""},
		{"a refusal is final", []func(http.ResponseWriter){status(401)}, 1, "answered 401"},
		{"a receiver that is gone is final", []func(http.ResponseWriter){status(410)}, 1, "answered 410"},
		{"a redirect is not followed", []func(http.ResponseWriter){status(307, "Location", "/elsewhere")}, 1, "redirects are not followed"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newReceiver(t, httptest.NewServer, c.answers...)
			err := newSender(t, webhook.Options{URL: r.URL}).Send(context.Background(), "msg-1", []byte("{}"))
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("Send = %v, want %q", err, c.err)
			}
			got := r.deliveries()
			if len(got) != c.tries {
				t.Fatalf("tried %d times, want %d", len(got), c.tries)
			}
			for _, d := range got {
				if d.header.Get("webhook-id") != "msg-1" || d.header.Get("webhook-signature") != signatureOf(d) {
					t.Errorf("a try has id %q and signature %q", d.header.Get("webhook-id"), d.header.Get("webhook-signature"))
				}
			}
		})
	}
}

func TestPatienceEnds(t *testing.T) {
	r := newReceiver(t, httptest.NewServer)
	r.answers = []func(http.ResponseWriter){}
	for range 1000 {
		r.answers = append(r.answers, status(502))
	}
	s := newSender(t, webhook.Options{URL: r.URL + "/hook?token=t0ken", Patience: 100 * time.Millisecond})
	err := s.Send(context.Background(), "msg-1", []byte("{}"))
	if err == nil || !strings.Contains(err.Error(), "answered 502") {
		t.Errorf("Send = %v, want what was answered", err)
	}
	if err != nil && (strings.Contains(err.Error(), "t0ken") || strings.Contains(err.Error(), "/hook")) {
		t.Errorf("the error %q shows path and query", err)
	}
	if n := len(r.deliveries()); n < 2 {
		t.Errorf("tried %d times", n)
	}
}

func TestSendEndsWithItsContext(t *testing.T) {
	hold := make(chan struct{})
	r := newReceiver(t, httptest.NewServer, func(http.ResponseWriter) { <-hold })
	defer close(hold)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	err := newSender(t, webhook.Options{URL: r.URL + "/hook?token=t0ken"}).Send(ctx, "msg-1", []byte("{}"))
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 3*time.Second {
		t.Errorf("Send = %v after %s, want the context's end", err, time.Since(began))
	}
	if err != nil && strings.Contains(err.Error(), "t0ken") {
		t.Errorf("the error %q shows the query", err)
	}
}

func TestASlowReceiverIsCutOff(t *testing.T) {
	hold := make(chan struct{})
	r := newReceiver(t, httptest.NewServer, func(http.ResponseWriter) { <-hold })
	s := newSender(t, webhook.Options{URL: r.URL, Timeout: 50 * time.Millisecond, Patience: time.Millisecond})
	err := s.Send(context.Background(), "msg-1", []byte("{}"))
	close(hold)
	if err == nil || !strings.Contains(err.Error(), "Timeout") && !strings.Contains(err.Error(), "deadline") {
		t.Errorf("Send = %v, want a time-out", err)
	}
}

func TestHTTPSIsVerified(t *testing.T) {
	r := newReceiver(t, httptest.NewTLSServer)
	if err := newSender(t, webhook.Options{URL: r.URL, Patience: time.Millisecond}).Send(context.Background(), "msg-1", []byte("{}")); err == nil {
		t.Error("a certificate of an unknown authority is taken")
	}
	trusting := newSender(t, webhook.Options{URL: r.URL, Transport: r.Client().Transport.(*http.Transport)})
	if err := trusting.Send(context.Background(), "msg-1", []byte("{}")); err != nil {
		t.Errorf("Send: %v", err)
	}
}

func TestPlainHTTPStaysOnThisMachine(t *testing.T) {
	// 192.0.2.1 is a documentation address (RFC 5737): it is refused before anything is sent.
	s := newSender(t, webhook.Options{URL: "http://192.0.2.1/hook"})
	err := s.Send(context.Background(), "msg-1", []byte("{}"))
	if err == nil || !strings.Contains(err.Error(), "want https") {
		t.Errorf("Send = %v, want a refusal", err)
	}
}

func TestBadOptionsAreRefused(t *testing.T) {
	long := webhook.SecretPrefix + base64.StdEncoding.EncodeToString(make([]byte, 65))
	for name, o := range map[string]webhook.Options{
		"another scheme":        {URL: "ftp://hooks.example/", Secret: secret()},
		"no host":               {URL: "https:///hook", Secret: secret()},
		"no URL":                {URL: "://", Secret: secret()},
		"no secret":             {URL: "https://hooks.example/"},
		"a secret of no prefix": {URL: "https://hooks.example/", Secret: base64.StdEncoding.EncodeToString(key)},
		"a secret of no base64": {URL: "https://hooks.example/", Secret: "whsec_%%%"},
		"a short secret":        {URL: "https://hooks.example/", Secret: "whsec_c2hvcnQ="},
		"a long secret":         {URL: "https://hooks.example/", Secret: long},
	} {
		_, err := webhook.New(o)
		if err == nil {
			t.Errorf("%s is taken", name)
			continue
		}
		if body := strings.TrimPrefix(o.Secret, webhook.SecretPrefix); body != "" && strings.Contains(err.Error(), body) {
			t.Errorf("%s: the error %q shows the secret", name, err)
		}
	}
}
