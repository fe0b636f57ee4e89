package rest

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// loginAnswer lets the service account in; its token tells calls apart that use it.
const loginAnswer = `{"token":"eyJhbGciOiJIUzI1NiJ9.eyJpYXQiOjE3MDAwMDAwMDAsImV4cCI6OTk5OTk5OTk5OX0.x"}`

// TestWhoMayUseTheServiceAccount is the table of the rules for callers.
func TestWhoMayUseTheServiceAccount(t *testing.T) {
	tests := []struct {
		name     string
		target   string
		loopback bool
		account  bool
		headers  []string
		want     string // what upstream gets as Authorization, "account" for the service account's
	}{
		{"no credentials, loopback", users, true, true, nil, "account"},
		{"no credentials, own origin", users, true, true, []string{"Origin: http://HOST"}, "account"},
		{"no credentials, allowed origin", users, true, true, []string{"Origin: https://console.example"}, "account"},
		{"no credentials, unmodelled path", "/api/rainbow/enduser/v1.0/users/me", true, true, nil, "account"},
		{"Sec-Fetch-Site same-origin", users, true, true, []string{"Sec-Fetch-Site: same-origin"}, "account"},
		{"localhost as Host", users, true, true, []string{"Host: localhost:1"}, "account"},
		{"IPv6 loopback as Host", users, true, true, []string{"Host: [::1]:8080"}, "account"},

		{"own bearer", users, true, true, []string{"Authorization: Bearer mine"}, "Bearer mine"},
		{"own bearer, public listener", users, false, true, []string{"Authorization: Bearer mine"}, "Bearer mine"},
		{"own bearer, foreign origin", users, true, true, []string{"Authorization: Bearer mine", "Origin: https://evil.example"}, "Bearer mine"},
		{"empty Authorization is not a token", users, true, true, []string{"Authorization: Bearer null"}, "Bearer null"},
		{"API key", users, true, true, []string{"x-rainbow-api-key: k"}, ""},
		{"application authentication", users, true, true, []string{"x-rainbow-app-auth: Basic a"}, ""},
		{"APIKey", users, true, true, []string{"APIKey: k"}, ""},

		{"public listener", users, false, true, nil, ""},
		{"foreign origin", users, true, true, []string{"Origin: https://evil.example"}, ""},
		{"another port's origin", users, true, true, []string{"Origin: http://127.0.0.1:1"}, ""},
		{"null origin", users, true, true, []string{"Origin: null"}, ""},
		{"two origins", users, true, true, []string{"Origin: http://HOST", "Origin: https://evil.example"}, ""},
		{"foreign Host (DNS rebinding)", users, true, true, []string{"Host: evil.example:8080"}, ""},
		{"Host that begins like loopback", users, true, true, []string{"Host: 127.0.0.1.evil.example"}, ""},
		{"an image on a foreign page", users, true, true, []string{"Sec-Fetch-Site: cross-site"}, ""},
		{"a page on another port", users, true, true, []string{"Sec-Fetch-Site: same-site"}, ""},
		{"authentication route", "/api/rainbow/authentication/v1.0/validator", true, true, nil, ""},
		{"authentication route, escaped", "/api/rainbow/%61uthentication/v1.0/validator", true, true, nil, ""},
		{"unmodelled authentication route", "/api/rainbow/authentication/v1.0/urls", true, true, nil, ""},
		{"unmodelled authentication route, other case", "/api/rainbow/Authentication/v1.0/urls", true, true, nil, ""},
		{"unmodelled authentication route, with parameters", "/api/rainbow/authentication;a=b/v1.0/renew", true, true, nil, ""},
		{"unmodelled authentication route, escaped twice", "/api/rainbow/%2561uthentication/v1.0/renew", true, true, nil, ""},
		{"no account", users, true, false, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := setup(t, func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/login") {
					reply(200, "application/json", loginAnswer)(w, r)
					return
				}
				reply(200, "application/json", "{}")(w, r)
			}, func(o *Options, _ *facade.Dispatcher) {
				o.Listener = facade.Listener{Loopback: tt.loopback, Origins: []string{"https://console.example"}}
			})
			if tt.account {
				d.useAccount(t)
			}
			got := d.get(t, tt.target, tt.headers)
			auth := d.upstream.got().header.Get("Authorization")
			if strings.HasPrefix(auth, "Bearer eyJ") {
				auth = "account"
			}
			if got != 200 || auth != tt.want {
				t.Errorf("%d, upstream got %q, want %q", got, auth, tt.want)
			}
		})
	}
}

// useAccount gives the door a dispatcher with a service account.
func (d *door) useAccount(t *testing.T) {
	t.Helper()
	bindings, err := upstream.CompileBindings(upstream.RainbowServices())
	if err != nil {
		t.Fatal(err)
	}
	account := &upstream.Account{Login: "a@b.example", Password: "p", AppID: "i", AppSecret: "s"}
	client, err := upstream.New(upstream.Options{BaseURL: d.upstream.URL, Bindings: bindings, Account: account})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	opts := d.handler.opts
	opts.Dispatcher = facade.NewDispatcher(bindings, client, slog.New(slog.DiscardHandler), facade.Authenticate(true))
	handler, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	d.Config.Handler = handler
}

// get sends headers, among which Host replaces the door's own.
func (d *door) get(t *testing.T, target string, headers []string) int {
	t.Helper()
	req, err := http.NewRequest("GET", d.URL+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(strings.ReplaceAll(h, "HOST", d.Listener.Addr().String()), ": ")
		if name == "Host" {
			req.Host = value
			continue
		}
		req.Header.Add(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode
}

func TestCredentialsPassUntouched(t *testing.T) {
	d := setup(t, reply(200, "application/json", "{}"), nil)
	d.get(t, users, []string{
		"Authorization: Basic  a2V5 ", "x-rainbow-api-key: K", "x-rainbow-challenge: C", "x-rainbow-app-auth: Basic A", "APIKey: Z",
	})
	h := d.upstream.got().header
	for name, want := range map[string]string{
		"Authorization": "Basic  a2V5", "X-Rainbow-Api-Key": "K", "X-Rainbow-Challenge": "C", "X-Rainbow-App-Auth": "Basic A", "Apikey": "Z",
	} {
		if h.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, h.Get(name), want)
		}
	}
	if strings.Contains(d.log.String(), "a2V5") {
		t.Errorf("a credential is in the log: %s", d.log)
	}
}

// TestHeaderHygiene holds for mirrored routes, streams and the catch-all alike.
func TestHeaderHygiene(t *testing.T) {
	passed := []string{
		"Accept: application/json", "Accept-Language: fr", "Content-Type: application/json", "If-Match: x", "If-None-Match: y",
		"X-Rainbow-Client: sdk_node", "X-Rainbow-Client-Version: 2.46", "X-Rainbow-Correlation-Id: 1234567890123456", "User-Agent: sdk",
		"Range: bytes=0-1",
	}
	dropped := []string{
		"Connection: close, X-Hop", "X-Hop: 1", "Keep-Alive: 1", "Te: trailers", "Trailer: X", "Upgrade: websocket", "Proxy-Authorization: x",
		"Forwarded: for=1", "X-Forwarded-For: 1.2.3.4", "X-Forwarded-Host: h", "X-Forwarded-Proto: https", "X-Real-Ip: 1", "Via: 1.1 x",
		"Grpc-Metadata-X: 1", "Grpc-Timeout: 1n", "Grpc-Timeout: bad", "Cookie: a=b", "Origin: http://x.example", "Referer: http://x.example",
		"X-Http-Method-Override: DELETE", "Sec-Fetch-Site: none", "Expect: 100-continue",
	}
	answerPassed := []string{
		"ETag: e", "Retry-After: 1", "Content-Disposition: attachment", "Location: /x", "X-Rainbow-Request-Id: r", "Cache-Control: no-store",
		"Last-Modified: y", "WWW-Authenticate: Bearer",
	}
	answerDropped := []string{"Set-Cookie: s=1", "Server: nginx", "X-Powered-By: x", "Keep-Alive: 1", "Access-Control-Allow-Origin: *", "Strict-Transport-Security: 1", "Grpc-Metadata-X: 1"}

	d := setup(t, func(w http.ResponseWriter, r *http.Request) {
		for _, h := range slices.Concat(answerPassed, answerDropped) {
			name, value, _ := strings.Cut(h, ": ")
			w.Header().Add(name, value)
		}
		reply(200, "application/json", "{}")(w, r)
	}, nil)
	for _, target := range []string{users, "/api/rainbow/massprovisioning/v1.0/users/template?mode=user", "/api/rainbow/enduser/v1.0/x"} {
		t.Run(target, func(t *testing.T) {
			got := d.send(t, "GET "+target, "", append(slices.Concat(passed, dropped), "Authorization: Bearer x")...)
			if got.status != 200 {
				t.Fatalf("%d %s", got.status, got.body)
			}
			checkHeaders(t, "request", d.upstream.got().header, passed, dropped)
			checkHeaders(t, "answer", got.header, answerPassed, answerDropped)
		})
	}
}

func checkHeaders(t *testing.T, what string, h http.Header, passed, dropped []string) {
	t.Helper()
	for _, line := range passed {
		name, value, _ := strings.Cut(line, ": ")
		if h.Get(name) != value {
			t.Errorf("%s: %s lost: %q", what, line, h[http.CanonicalHeaderKey(name)])
		}
	}
	for _, line := range dropped {
		name, _, _ := strings.Cut(line, ": ")
		if values, there := h[http.CanonicalHeaderKey(name)]; there && name != "Connection" {
			t.Errorf("%s: %s passes: %q", what, name, values)
		}
	}
}

// TestACallerWhoGoesAwayCancelsUpstream holds for both ways through the gateway.
func TestACallerWhoGoesAwayCancelsUpstream(t *testing.T) {
	for _, target := range []string{users, "/api/rainbow/enduser/v1.0/x"} {
		t.Run(target, func(t *testing.T) {
			arrived, gone := make(chan struct{}), make(chan struct{})
			d := setup(t, func(_ http.ResponseWriter, r *http.Request) {
				close(arrived)
				<-r.Context().Done()
				close(gone)
			}, nil)
			ctx, cancel := context.WithCancel(context.Background())
			go func() { <-arrived; cancel() }()
			req, err := http.NewRequestWithContext(ctx, "GET", d.URL+target, nil)
			if err != nil {
				t.Fatal(err)
			}
			if resp, err := http.DefaultClient.Do(req); err == nil {
				_ = resp.Body.Close()
			}
			select {
			case <-gone:
			case <-time.After(5 * time.Second):
				t.Error("upstream still works")
			}
		})
	}
}

func TestUnreachableUpstream(t *testing.T) {
	d := setup(t, nil, nil)
	d.upstream.CloseClientConnections()
	d.upstream.Server.Close()
	for _, target := range []string{users, "/api/rainbow/enduser/v1.0/x"} {
		got := d.send(t, "GET "+target, "", "Authorization: Bearer x")
		host := strings.TrimPrefix(d.upstream.URL, "http://")
		if got.status != 502 || !strings.Contains(got.body, "upstream unreachable ("+host+")") || !strings.Contains(got.body, `"errorDetailsCode":502000`) || got.header.Get("X-Error-Origin") != "gateway" {
			t.Errorf("%s: %d %s", target, got.status, got.body)
		}
	}
}

func TestACallHeldBackByTheRateLimitSaysWhenToComeBack(t *testing.T) {
	d := setup(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/login") {
			reply(200, "application/json", loginAnswer)(w, r)
			return
		}
		w.Header().Set("Retry-After", "3600")
		reply(429, "text/plain", "slow down")(w, r)
	}, nil)
	d.useAccount(t)
	if got := d.send(t, "GET "+users, ""); got.status != 429 || got.body != "slow down" {
		t.Fatalf("upstream's own answer: %d %s", got.status, got.body)
	}
	for _, path := range []string{users, "/api/rainbow/enduser/v1.0/x"} {
		got := d.send(t, "GET "+path, "")
		wait, _ := strconv.Atoi(got.header.Get("Retry-After"))
		if got.status != 429 || wait < 3500 || wait > 3600 || !strings.Contains(got.body, `"errorDetails":"upstream asked to wait"`) {
			t.Errorf("%s: %d, Retry-After %d: %s", path, got.status, wait, got.body)
		}
	}
}

func TestALoginThatFailsIsNotTheAnswerToTheCall(t *testing.T) {
	d := setup(t, reply(400, "application/json", `{"errorCode":400,"errorMsg":"bad application","errorDetails":"app 7"}`), nil)
	d.useAccount(t)
	got := d.send(t, "GET "+users, "")
	if got.status != 502 || !strings.Contains(got.body, "service account could not log in: GET /api/rainbow/authentication/v1.0/login: upstream answered 400") ||
		strings.Contains(got.body, "app 7") {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestRequestIDIsTheCallersOrNew(t *testing.T) {
	d := setup(t, reply(200, "application/json", "{}"), nil)
	if got := d.send(t, "GET "+users, "", "X-Request-Id: abc-1").header.Get("X-Request-Id"); got != "abc-1" {
		t.Errorf("got %q", got)
	}
	if got := d.send(t, "GET "+users, "", `X-Request-Id: "><script>`).header.Get("X-Request-Id"); len(got) != 16 {
		t.Errorf("got %q", got)
	}
}

// TestPanicsAreInternalErrors also shows that the text stays in the log.
func TestPanicsAreInternalErrors(t *testing.T) {
	d := setup(t, nil, nil)
	d.handler.routes[0].generated = nil // calling it panics
	rt := d.handler.routes[0]
	path, _ := sample(rt.template)
	req := httptest.NewRequest(rt.method, path, nil)
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, req)
	want := `{"errorCode":500,"errorMsg":"Internal Server Error","errorDetails":"internal error","errorDetailsCode":500000}`
	if w.Code != 500 || w.Body.String() != want || !strings.Contains(d.log.String(), "nil pointer") {
		t.Errorf("%d %s\n%s", w.Code, w.Body, d.log)
	}
	if fmt.Sprint(w.Header()["X-Error-Origin"]) != "[gateway]" {
		t.Errorf("%v", w.Header())
	}
}
