package upstream_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	rvcpprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

const createDdi = rvcpprovisioningv1.CloudPbxPhoneNumberService_CreateDdi_FullMethodName
const listDdis = rvcpprovisioningv1.CloudPbxPhoneNumberService_ListDdis_FullMethodName

// passing is a context of a caller with a bearer token.
func passing(headers ...string) context.Context {
	h := http.Header{"Authorization": {"Bearer caller"}}
	for i := 0; i+1 < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	caller, _ := upstream.CallerFrom(h)
	return upstream.WithCaller(context.Background(), caller)
}

func TestRawRequestGoesOutAsItCame(t *testing.T) {
	p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("X-Rainbow-Request-Id", "r-1")
		w.Header().Set("Set-Cookie", "a=b")
		w.Header().Set("Connection", "close")
		answerJSON(w, 200, ` {"data" : {"rank":1.10}} `)
	})
	c := p.client()
	for _, target := range []string{
		ddiPath, ddiPath + "?", ddiPath + "?limit=100&offset=undefined&limit=false", ddiPath + "?x=%2f%2F+%20&&y", "/api/rainbow/a%2fb/c%2Fd",
		"/users/imports&companyId=1", `/a"b{c}|d^e`, "/é?é", "/a:b@c;d,e=f!$'()*[]",
	} {
		body := `{"a" : 1.10,"b":null}`
		x := &upstream.Exchange{WantRaw: true, Request: &upstream.RawRequest{Method: "POST", Target: target, Body: []byte(body), Header: http.Header{
			"Content-Type": {"application/json; charset=utf-8"}, "X-Rainbow-Client": {"sdk_node"}, "Cookie": {"a=b"}, "X-Forwarded-For": {"1.2.3.4"}, "Te": {"trailers"},
			"Authorization": {"Bearer stolen"}, "Grpc-Metadata-X": {"y"}, "Accept": {"application/json"},
		}}}
		if err := c.Invoke(upstream.WithExchange(passing(), x), createDdi, nil, nil); err != nil {
			t.Fatalf("%s: %v", target, err)
		}
		all := p.requests()
		got := all[len(all)-1]
		if got.target != target || got.body != body || got.method != "POST" {
			t.Errorf("\n got %s %s %s\nwant POST %s %s", got.method, got.target, got.body, target, body)
		}
		for name, want := range map[string]string{"Content-Type": "application/json; charset=utf-8", "X-Rainbow-Client": "sdk_node", "Authorization": "Bearer caller",
			"Cookie": "", "X-Forwarded-For": "", "Te": "", "Grpc-Metadata-X": "", "Accept": "application/json", "Accept-Encoding": ""} {
			if got.header.Get(name) != want {
				t.Errorf("header %s is %q, want %q", name, got.header.Get(name), want)
			}
		}
		a := x.Answer
		if a.Status != 200 || string(a.Body) != ` {"data" : {"rank":1.10}} ` || a.Header.Get("X-Rainbow-Request-Id") != "r-1" || a.Header.Get("Set-Cookie") != "" || a.Header.Get("Connection") != "" {
			t.Errorf("answer is %d %s %v", a.Status, a.Body, a.Header)
		}
	}
	if p.loginCount() != 0 {
		t.Errorf("the service account was used")
	}
}

func TestRawAnswerOfAFailureIsKept(t *testing.T) {
	for _, status := range []int{400, 401, 404, 409, 429, 500, 503, 301} {
		p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "as it is")
		})
		x := &upstream.Exchange{WantRaw: true, Request: &upstream.RawRequest{Method: "GET", Target: ddiPath}}
		err := p.client().Invoke(upstream.WithExchange(passing(), x), listDdis, nil, nil)
		var e *upstream.Error
		if !errors.As(err, &e) || e.Status != status || x.Answer.Status != status || string(x.Answer.Body) != "as it is" {
			t.Errorf("%d: got %v, answer %d %s", status, err, x.Answer.Status, x.Answer.Body)
		}
		p.one() // not repeated
	}
}

func TestTheAccountAsksForWhatItCanRead(t *testing.T) {
	for given, want := range map[string]string{"br, GZIP;q=0.5": "gzip", "br": "", "": ""} {
		p := newPortal(t, ok(`{}`))
		x := &upstream.Exchange{WantRaw: true, Request: &upstream.RawRequest{Method: "GET", Target: ddiPath, Header: http.Header{}}}
		if given != "" {
			x.Request.Header.Set("Accept-Encoding", given)
		}
		for ctx, want := range map[context.Context]string{context.Background(): want, passing(): given} {
			if err := p.client().Invoke(upstream.WithExchange(ctx, x), listDdis, nil, nil); err != nil {
				t.Fatal(err)
			}
			all := p.requests()
			if got := all[len(all)-1].header.Get("Accept-Encoding"); got != want {
				t.Errorf("%q goes upstream as %q, want %q", given, got, want)
			}
		}
	}
}

func TestNotModifiedIsAnAnswerToWhoAskedForIt(t *testing.T) {
	p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Etag", `"1"`)
		w.WriteHeader(http.StatusNotModified)
	})
	x := &upstream.Exchange{WantRaw: true, Request: &upstream.RawRequest{Method: "GET", Target: ddiPath, Header: http.Header{"If-None-Match": {`"1"`}}}}
	err := p.client().Invoke(upstream.WithExchange(passing(), x), listDdis, nil, nil)
	if err != nil || x.Answer.Status != http.StatusNotModified || x.Answer.Header.Get("Etag") != `"1"` {
		t.Errorf("got %v, %v", err, x.Answer)
	}
}

func TestRawAnswerStaysCompressed(t *testing.T) {
	p := newPortal(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		if r.Header.Get("Accept-Encoding") != "gzip, br" {
			t.Errorf("accept-encoding is %q", r.Header.Get("Accept-Encoding"))
		}
		answerGzip(w, `{"data":[{"id":"d1"}]}`)
	})
	x := &upstream.Exchange{Request: &upstream.RawRequest{Method: "GET", Target: ddiPath, Header: http.Header{"Accept-Encoding": {"gzip, br"}}}}
	reply := &rvcpprovisioningv1.ListDdisResponse{}
	if err := p.client().Invoke(upstream.WithExchange(passing(), x), listDdis, nil, reply); err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(x.Answer.Body, []byte{0x1f, 0x8b}) || x.Answer.Header.Get("Content-Encoding") != "gzip" || len(reply.GetData()) != 1 {
		t.Errorf("raw answer is %q, reply %v", x.Answer.Body, reply)
	}
}

func TestRawRequestsOfTheAccountAreRepeated(t *testing.T) {
	p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, n int) {
		switch n {
		case 1:
			answerExpired(w)
		case 2:
			w.Header().Set("Retry-After", "0")
			answerError(w, 429, 0, `""`)
		default:
			answerJSON(w, 200, `{}`)
		}
	})
	x := &upstream.Exchange{WantRaw: true, Request: &upstream.RawRequest{Method: "POST", Target: ddiPath, Body: []byte(`{"number":"1"}`)}}
	if err := p.client().Invoke(upstream.WithExchange(context.Background(), x), createDdi, nil, nil); err != nil {
		t.Fatal(err)
	}
	all := p.requests()
	if len(all) != 3 || all[2].body != `{"number":"1"}` || p.loginCount() != 2 || x.Answer.Status != 200 {
		t.Errorf("got %d requests, %d logins, answer %d", len(all), p.loginCount(), x.Answer.Status)
	}
}

func TestTargetsThatLieAreRefused(t *testing.T) {
	p := newPortal(t, ok(`{}`))
	c := p.client()
	for _, target := range []string{"", "x", "//host/x", "/a/../b", "/a/./b", "/a/%2e%2E/b", "/a/.%2e", "/a/..", "/a%2f..%2fb", `/a\..\b`, "/a%5c..", "/a/..;b/c", "/a/%252e%252E/b", "/a/%25252e./b", "/a/%20..", "/a b", "/a\r\nX: y", "/a%", "/a%zz", "/a%00", "http://host/x"} {
		x := &upstream.Exchange{Request: &upstream.RawRequest{Method: "GET", Target: target}}
		if err := c.Do(passing(), x); !errors.Is(err, upstream.ErrInvalid) {
			t.Errorf("Do(%q): got %v", target, err)
		}
	}
	if n := len(p.requests()); n != 0 {
		t.Errorf("upstream was asked %d times", n)
	}
}

func TestAccountNeverGoesToTheAuthenticationPortal(t *testing.T) {
	p := newPortal(t, ok(`{}`))
	c := p.client()
	for _, target := range []string{"/api/rainbow/authentication/v1.0/logout", "/api/rainbow/%61uthentication/v1.0/renew", "/api/rainbow/AUTHENTICATION/v1.0/x", "/api/rainbow//authentication",
		"/api/rainbow/authentication;a=b/v1.0/renew", "/api/rainbow/%2561uthentication/v1.0/renew", "/api/rainbow/authentication%20/v1.0/renew", "/api/rainbow/x%2fauthentication%2fv1.0/%25zz"} {
		x := &upstream.Exchange{Request: &upstream.RawRequest{Method: "GET", Target: target}}
		if err := c.Do(context.Background(), x); err != nil {
			t.Fatalf("%s: %v", target, err)
		}
		_ = x.Answer.Stream.Close()
	}
	for _, got := range p.requests() {
		if got.header.Get("Authorization") != "" {
			t.Errorf("%s: authorization was sent", got.target)
		}
	}
	if p.loginCount() != 0 {
		t.Errorf("%d logins", p.loginCount())
	}
}

func TestDoStreamsBothWays(t *testing.T) {
	const size = 8 << 20
	p := newPortal(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		w.Header().Set("Content-Type", "audio/wav")
		w.WriteHeader(206)
		_, _ = io.Copy(w, r.Body)
	})
	body := bytes.Repeat([]byte{0, 1, 0xff, '\n'}, size/4)
	for _, length := range []int64{-1, size} {
		x := &upstream.Exchange{Request: &upstream.RawRequest{Method: "PUT", Target: "/api/rainbow/x", BodyReader: bytes.NewReader(body), ContentLength: length}}
		if err := p.client().Do(passing(), x); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(x.Answer.Stream)
		_ = x.Answer.Stream.Close()
		if err != nil || !bytes.Equal(got, body) || x.Answer.Status != 206 || x.Answer.Header.Get("Content-Type") != "audio/wav" {
			t.Errorf("length %d: got %d bytes, status %d, %v", length, len(got), x.Answer.Status, err)
		}
	}
}

func TestDoGivesEveryStatusAsItIs(t *testing.T) {
	for _, status := range []int{204, 302, 401, 500} {
		p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		})
		x := &upstream.Exchange{Request: &upstream.RawRequest{Method: "GET", Target: "/api/rainbow/x"}}
		if err := p.client().Do(passing(), x); err != nil || x.Answer.Status != status || x.Answer.Header.Get("Location") != "/elsewhere" {
			t.Errorf("got %v, answer %d", err, x.Answer.Status)
		}
		_ = x.Answer.Stream.Close()
		p.one()
	}
}

func TestDoRenewsAnExpiredTokenAndKeepsOtherRefusals(t *testing.T) {
	p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, n int) {
		if n == 1 {
			answerExpired(w)
			return
		}
		answerError(w, 401, 401523, `"expired user"`)
	})
	x := &upstream.Exchange{Request: &upstream.RawRequest{Method: "POST", Target: "/api/rainbow/x", Body: []byte("{}")}}
	if err := p.client().Do(context.Background(), x); err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(x.Answer.Stream)
	_ = x.Answer.Stream.Close()
	if !strings.Contains(string(body), "expired user") || p.loginCount() != 2 || len(p.requests()) != 2 {
		t.Errorf("got %s, %d logins, %d requests", body, p.loginCount(), len(p.requests()))
	}
}

func TestCallerHeaders(t *testing.T) {
	h := http.Header{"X-Rainbow-Api-Key": {"k"}, "x-rainbow-challenge": {"c"}, "Apikey": {"a"}, "X-Rainbow-Client": {"cli"}, "Cookie": {"x"}, "Accept": {"y"}}
	caller, found := upstream.CallerFrom(h)
	if !found || len(caller.Header) != 4 || caller.Header.Get("X-Rainbow-Challenge") != "c" {
		t.Errorf("got %v, %v", caller, found)
	}
	for _, h := range []http.Header{{}, {"X-Rainbow-Challenge": {"c"}}, {"X-Rainbow-Client": {"cli"}}} {
		if _, found := upstream.CallerFrom(h); found {
			t.Errorf("%v passes through", h)
		}
	}
	p := newPortal(t, ok(`{}`))
	ddis := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client())
	if _, err := ddis.ListDdis(upstream.WithCaller(context.Background(), caller), &rvcpprovisioningv1.ListDdisRequest{SystemId: "1"}); err != nil {
		t.Fatal(err)
	}
	got := p.one().header
	if got.Get("X-Rainbow-Api-Key") != "k" || got.Get("Apikey") != "a" || got.Get("X-Rainbow-Client") != "cli" || got.Get("Authorization") != "" {
		t.Errorf("upstream got %v", got)
	}
}

func TestHeadersThatConnectionNamesStayHere(t *testing.T) {
	p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Connection", "x-rainbow-hop")
		w.Header().Set("X-Rainbow-Hop", "1")
		w.Header().Set("X-Rainbow-Kept", "1")
		answerJSON(w, 200, `{}`)
	})
	x := &upstream.Exchange{Request: &upstream.RawRequest{Method: "GET", Target: "/api/rainbow/x", Header: http.Header{
		"Connection": {"close, X-Rainbow-Hop", "authorization"}, "X-Rainbow-Hop": {"1"}, "X-Rainbow-Kept": {"1"},
	}}}
	ctx := upstream.WithCaller(context.Background(), upstream.Caller{Header: http.Header{"Authorization": {"Bearer mine"}}})
	if err := p.client().Do(ctx, x); err != nil {
		t.Fatal(err)
	}
	_ = x.Answer.Stream.Close()
	got := p.one().header
	for which, h := range map[string]http.Header{"request": got, "answer": x.Answer.Header} {
		if h.Get("X-Rainbow-Hop") != "" || h.Get("X-Rainbow-Kept") == "" {
			t.Errorf("%s: %v", which, h)
		}
	}
	if got.Get("Authorization") != "Bearer mine" { // else a call could shed its credentials on the way
		t.Errorf("request: %v", got)
	}
}

// brokenBody ends before its time.
type brokenBody struct{ err error }

func (b brokenBody) Read([]byte) (int, error) { return 0, b.err }

func TestABodyThatBreaksOffIsNoFailureOfUpstream(t *testing.T) {
	p := newPortal(t, ok(`{}`))
	torn := errors.New("body torn")
	x := &upstream.Exchange{Request: &upstream.RawRequest{Method: "POST", Target: "/api/rainbow/x", BodyReader: brokenBody{torn}, ContentLength: 10}}
	err := p.client().Do(passing(), x)
	if !errors.Is(err, torn) || errors.Is(err, upstream.ErrUnreachable) || !upstream.Unknown(err) {
		t.Errorf("got %v", err)
	}
}
