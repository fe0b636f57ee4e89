package upstream_test

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	authenticationv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/authentication/v1"
	massprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/massprovisioning/v1"
	rvcpprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

const ddiPath = "/api/rainbow/rvcpprovisioning/v1.0/cloudpbxs/1/phone-numbers/ddi"

func ok(body string) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, _ *http.Request, _ int) { answerJSON(w, 200, body) }
}

func TestGetCarriesPathAndSetParameters(t *testing.T) {
	p := newPortal(t, ok(`{"data":[{"id":"d1"},{"id":"d2","x":null}],"total":2}`))
	ddis := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client())
	resp, err := ddis.ListDdis(context.Background(), &rvcpprovisioningv1.ListDdisRequest{
		SystemId: "a/b c%é", Offset: proto.Int32(0), Limit: proto.Int32(100), IsAssignedToIvr: proto.Bool(false), NumberE164StartWith: proto.String("+33&x= "),
	})
	if err != nil {
		t.Fatal(err)
	}
	got := p.one()
	want := "/api/rainbow/rvcpprovisioning/v1.0/cloudpbxs/a%2Fb%20c%25%C3%A9/phone-numbers/ddi?limit=100&offset=0&isAssignedToIVR=false&numberE164StartWith=%2B33%26x%3D%20"
	if got.method != "GET" || got.target != want || got.body != "" {
		t.Errorf("\n got %s %s %q\nwant GET %s", got.method, got.target, got.body, want)
	}
	if a := got.header.Get("Authorization"); a != "Bearer "+p.token {
		t.Errorf("authorization is %q", a)
	}
	if len(resp.GetData()) != 2 || resp.GetData()[0].GetId() != "d1" || string(resp.GetData()[1].GetExtraJson()) != `{"x":null}` {
		t.Errorf("reply is %v", resp)
	}
}

func TestPostCarriesTheBody(t *testing.T) {
	p := newPortal(t, ok(`{"data":{"id":"d1"}}`))
	ddis := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client())
	_, err := ddis.CreateDdi(context.Background(), &rvcpprovisioningv1.CreateDdiRequest{SystemId: "1",
		Body: &rvcpprovisioningv1.CreateDdiBody{Number: proto.String("0298300500"), ExtraJson: []byte(`{"label":null,"rank":1.10}`)}})
	if err != nil {
		t.Fatal(err)
	}
	got := p.one()
	if got.method != "POST" || got.target != ddiPath || got.body != `{"number":"0298300500","label":null,"rank":1.10}` {
		t.Errorf("got %s %s %s", got.method, got.target, got.body)
	}
	if c := got.header.Get("Content-Type"); c != "application/json" {
		t.Errorf("content type is %q", c)
	}
}

func TestBodiesThatAreNotJSON(t *testing.T) {
	p := newPortal(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		if r.Method == "POST" {
			answerJSON(w, 200, `{"data":{"reqId":"r1"}}`)
			return
		}
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		_, _ = io.WriteString(w, "a;b\n")
	})
	imports := massprovisioningv1.NewUsersAndDevicesServiceClient(p.client())
	reply, err := imports.ImportUsers(context.Background(), &massprovisioningv1.ImportUsersRequest{Body: &httpbody.HttpBody{Data: []byte("x;y\n")}})
	if err != nil || reply.GetData().GetReqId() != "r1" {
		t.Fatalf("got %v, %v", reply, err)
	}
	if got := p.one(); got.body != "x;y\n" || got.header.Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Errorf("got %q as %s", got.body, got.header.Get("Content-Type"))
	}
	csv, err := imports.GetUsersTemplate(context.Background(), &massprovisioningv1.GetUsersTemplateRequest{})
	if err != nil || string(csv.GetData()) != "a;b\n" || csv.GetContentType() != "text/csv; charset=utf-8" {
		t.Errorf("got %v, %v", csv, err)
	}
}

func TestRedirectIsTheAnswerOfAnOperationThatHasNoDocument(t *testing.T) {
	p := newPortal(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		http.Redirect(w, r, "https://client.example/?code=c", http.StatusFound)
	})
	var header metadata.MD
	_, err := authenticationv1.NewOAuthServiceClient(p.client()).OAuthAuthorize(upstream.WithCaller(context.Background(), upstream.Caller{}),
		&authenticationv1.OAuthAuthorizeRequest{ResponseType: proto.String("code"), ClientId: proto.String("a")}, grpc.Header(&header))
	if err != nil || len(header["location"]) != 1 || header["location"][0] != "https://client.example/?code=c" {
		t.Errorf("got %v, %v", header, err)
	}
	p.one() // not followed
}

func TestPathValuesThatNameAnotherOperationAreRefused(t *testing.T) {
	p := newPortal(t, ok(`{}`))
	ddis := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client())
	for _, id := range []string{"", ".", ".."} {
		_, err := ddis.ListDdis(context.Background(), &rvcpprovisioningv1.ListDdisRequest{SystemId: id})
		if !errors.Is(err, upstream.ErrInvalid) || !strings.Contains(err.Error(), "system_id") || upstream.Unknown(err) {
			t.Errorf("%q: got %v", id, err)
		}
	}
	_, err := ddis.CreateDdi(context.Background(), &rvcpprovisioningv1.CreateDdiRequest{SystemId: "1",
		Body: &rvcpprovisioningv1.CreateDdiBody{Number: proto.String("1"), ExtraJson: []byte(`{"number":"2"}`)}})
	if !errors.Is(err, upstream.ErrInvalid) || !strings.Contains(err.Error(), "/number") {
		t.Errorf("a name in both places: got %v", err)
	}
	if n := len(p.requests()); n != 0 {
		t.Errorf("upstream was asked %d times", n)
	}
}

func TestAnswerHeadersBecomeMetadata(t *testing.T) {
	p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("X-Rainbow-Request-Id", "r-1")
		w.Header().Set("Set-Cookie", "a=b")
		w.Header().Set("Retry-After", "3")
		w.Header().Set("Content-Disposition", `attachment; filename="é.csv"`) // gRPC can't carry it
		answerError(w, 409, 409550, `"taken"`)
	})
	var header metadata.MD
	ddis := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client())
	_, err := ddis.CreateDdi(context.Background(), &rvcpprovisioningv1.CreateDdiRequest{SystemId: "1"}, grpc.Header(&header))
	var e *upstream.Error
	if !errors.As(err, &e) || e.RequestID != "r-1" || e.RetryAfter != 3*time.Second {
		t.Fatalf("got %v", err)
	}
	if got := header.Get("x-rainbow-request-id"); len(got) != 1 || got[0] != "r-1" || len(header.Get("set-cookie")) != 0 ||
		len(header.Get("retry-after")) != 1 || len(header.Get("content-disposition")) != 0 {
		t.Errorf("metadata is %v", header)
	}
}

func TestDocumentedErrorsKeepTheirEnvelope(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(specRoot, "examples", "authentication", "error.*.json"))
	if err != nil || len(files) < 10 {
		t.Fatalf("found %d examples, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		doc := plain(t, text).(map[string]any)
		p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
			answerJSON(w, int(number(t, doc["errorCode"])), string(text))
		})
		ddis := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client(func(o *upstream.Options) { o.Retry.Attempts = 1 }))
		_, err = ddis.ListDdis(upstream.WithCaller(context.Background(), upstream.Caller{}), &rvcpprovisioningv1.ListDdisRequest{SystemId: "1"})
		var e *upstream.Error
		if !errors.As(err, &e) {
			t.Fatalf("%s: got %v", file, err)
		}
		if e.Status != int(number(t, doc["errorCode"])) || e.Code != int(number(t, doc["errorDetailsCode"])) || e.Msg != doc["errorMsg"] || string(e.Body) != string(text) {
			t.Errorf("%s: got %+v", file, e)
		}
		if diff := string(e.Details); !equalJSON(t, doc["errorDetails"], diff) {
			t.Errorf("%s: details are %s", file, e.Details)
		}
		if strings.Contains(err.Error(), "user1") || !strings.Contains(err.Error(), "/cloudpbxs/{system_id}/") {
			t.Errorf("%s: error text is %s", file, err)
		}
	}
}

func TestErrorsThatAreNotJSON(t *testing.T) {
	for body, msg := range map[string]string{
		"Too\nMany  Requests":   "Too Many Requests",
		"":                      "",
		"[1]":                   "[1]",
		"<html>\x00\xff</html>": "",
		" <!DOCTYPE html><HEAD><Title>502\n Bad\x00\xff Gateway</TITLE><body>nginx": "502 Bad Gateway",
		`{"errorMsg":4,"errorCode":"x"`:                                             `{"errorMsg":4,"errorCode":"x"`,
		`{"errorMsg":4}`:                                                            "",
		strings.Repeat("é", 400):                                                    strings.Repeat("é", 256),
	} {
		p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(404)
			_, _ = io.WriteString(w, body)
		})
		_, err := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client()).ListDdis(context.Background(), &rvcpprovisioningv1.ListDdisRequest{SystemId: "1"})
		var e *upstream.Error
		if !errors.As(err, &e) || e.Msg != msg || e.ContentType != "text/plain" {
			t.Errorf("%q: got %v, message %q, want %q", body, err, e.Msg, msg)
		}
	}
}

func TestAnswersThatCannotBeTaken(t *testing.T) {
	for name, test := range map[string]struct {
		answer func(http.ResponseWriter)
		want   error
	}{
		"malformed": {func(w http.ResponseWriter) { answerJSON(w, 200, `{"data":`) }, upstream.ErrAnswer},
		"no JSON":   {func(w http.ResponseWriter) { _, _ = io.WriteString(w, `<html>`) }, upstream.ErrAnswer},
		"too large": {func(w http.ResponseWriter) { answerJSON(w, 200, `{"x":"`+strings.Repeat("x", 2000)+`"}`) }, upstream.ErrTooLarge},
		"too large, length unknown": {func(w http.ResponseWriter) {
			w.(http.Flusher).Flush()
			_, _ = io.WriteString(w, `{"x":"`+strings.Repeat("x", 2000)+`"}`)
		}, upstream.ErrTooLarge},
		"too large, compressed": {func(w http.ResponseWriter) { answerGzip(w, `{"x":"`+strings.Repeat("x", 2000)+`"}`) }, upstream.ErrTooLarge},
		"not gzip": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			answerJSON(w, 200, `{}`)
		}, upstream.ErrAnswer},
		"another encoding": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "br")
			answerJSON(w, 200, `{}`)
		}, upstream.ErrAnswer},
		"another protocol": {func(w http.ResponseWriter) { w.WriteHeader(http.StatusSwitchingProtocols) }, upstream.ErrUnreachable},
		"no HTTP status":   {func(w http.ResponseWriter) { w.WriteHeader(999) }, upstream.ErrUnreachable},
	} {
		p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, _ int) { test.answer(w) })
		ddis := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client(func(o *upstream.Options) { o.MaxAnswer = 1000 }))
		_, err := ddis.CreateDdi(context.Background(), &rvcpprovisioningv1.CreateDdiRequest{SystemId: "1"})
		if !errors.Is(err, test.want) || !upstream.Unknown(err) {
			t.Errorf("%s: got %v, want %v and an unknown outcome", name, err, test.want)
		}
		p.one()
	}
}

func answerGzip(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Encoding", "gzip")
	w.Header().Set("Content-Type", "application/json")
	z := gzip.NewWriter(w)
	_, _ = io.WriteString(z, body)
	_ = z.Close()
}

func TestCompressedAnswersAreRead(t *testing.T) {
	p := newPortal(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("accept-encoding is %q", r.Header.Get("Accept-Encoding"))
		}
		answerGzip(w, `{"data":[{"id":"d1"}]}`)
	})
	resp, err := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client()).ListDdis(context.Background(), &rvcpprovisioningv1.ListDdisRequest{SystemId: "1"})
	if err != nil || len(resp.GetData()) != 1 {
		t.Errorf("got %v, %v", resp, err)
	}
}

func TestAnswersWithoutABodyAreEmptyDocuments(t *testing.T) {
	p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(204) })
	_, err := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client()).DeleteDdi(context.Background(), &rvcpprovisioningv1.DeleteDdiRequest{SystemId: "1", PhoneNumberId: "2"})
	if err != nil {
		t.Error(err)
	}
}

func TestUnreachableUpstreamIsNamed(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	c, err := upstream.New(upstream.Options{BaseURL: closed.URL, Bindings: bindings(t), Retry: upstream.Retry{Attempts: 2, First: time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_, err = rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(c).CreateDdi(upstream.WithCaller(context.Background(), upstream.Caller{}), &rvcpprovisioningv1.CreateDdiRequest{SystemId: "1"})
	if !errors.Is(err, upstream.ErrUnreachable) || !strings.Contains(err.Error(), strings.TrimPrefix(closed.URL, "http://")) || upstream.Unknown(err) {
		t.Errorf("got %v, unknown %v", err, upstream.Unknown(err))
	}
}

// TestAnAccountThatIsNotReachedSaysSoOnce: the call, its login, and what was the matter there.
func TestAnAccountThatIsNotReachedSaysSoOnce(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	c, err := upstream.New(upstream.Options{BaseURL: closed.URL, Bindings: bindings(t), Account: account(), Retry: upstream.Retry{Attempts: 1}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_, err = rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(c).CreateDdi(context.Background(), &rvcpprovisioningv1.CreateDdiRequest{SystemId: "1"})
	host := strings.TrimPrefix(closed.URL, "http://")
	want := "POST /api/rainbow/rvcpprovisioning/v1.0/cloudpbxs/{system_id}/phone-numbers/ddi: GET /api/rainbow/authentication/v1.0/login: upstream unreachable (" + host + "): "
	if !errors.Is(err, upstream.ErrUnreachable) || !strings.HasPrefix(err.Error(), want) || strings.Count(err.Error(), "unreachable") != 1 {
		t.Errorf("\n got %v\nwant %s…", err, want)
	}
}

func TestUnknownMethodsAreUnimplemented(t *testing.T) {
	p := newPortal(t, ok(`{}`))
	c := p.client()
	if err := c.Invoke(context.Background(), "/rainbow.x.v1.S/M", nil, nil); err == nil || !strings.Contains(err.Error(), "Unimplemented") {
		t.Errorf("Invoke: %v", err)
	}
	if err := c.Invoke(context.Background(), massprovisioningv1.UsersAndDevicesService_UploadImportUsers_FullMethodName, nil, nil); err == nil || !strings.Contains(err.Error(), "Unimplemented") {
		t.Errorf("Invoke of a twin: %v", err)
	}
	if _, err := c.NewStream(context.Background(), nil, rvcpprovisioningv1.CloudPbxPhoneNumberService_ListDdis_FullMethodName); err == nil || !strings.Contains(err.Error(), "Unimplemented") {
		t.Errorf("NewStream of a unary: %v", err)
	}
	if err := c.Invoke(context.Background(), rvcpprovisioningv1.CloudPbxPhoneNumberService_ListDdis_FullMethodName, &rvcpprovisioningv1.CreateDdiRequest{}, nil); !errors.Is(err, upstream.ErrInvalid) {
		t.Errorf("Invoke with another message: %v", err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, url := range []string{"", "localhost:80", "ftp://x", "http://", "http://u:p@x", "http://x?y", "http://x#y", "http://x\n"} {
		if _, err := upstream.New(upstream.Options{BaseURL: url, Bindings: bindings(t)}); err == nil || strings.Contains(err.Error(), "u:p") {
			t.Errorf("%q: got %v", url, err)
		}
	}
	if _, err := upstream.New(upstream.Options{BaseURL: "http://x"}); err == nil {
		t.Error("no bindings: no error")
	}
	if _, err := upstream.New(upstream.Options{BaseURL: "http://x", Bindings: bindings(t), CAFile: "client_test.go"}); err == nil {
		t.Error("a CA file without certificates: no error")
	}
}

func TestTLSWithAnOwnAuthority(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answerJSON(w, 200, `{"version":"`+r.Proto+`"}`) }))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshake that must fail
	server.StartTLS()
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pemOf(server.Certificate().Raw), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx := upstream.WithCaller(context.Background(), upstream.Caller{})
	for _, test := range []struct {
		file string
		want bool
	}{{file, true}, {"", false}} {
		c, err := upstream.New(upstream.Options{BaseURL: server.URL, Bindings: bindings(t), CAFile: test.file, Retry: upstream.Retry{Attempts: 1}})
		if err != nil {
			t.Fatal(err)
		}
		about, err := authenticationv1.NewAboutServiceClient(c).GetAbout(ctx, &authenticationv1.GetAboutRequest{})
		if (err == nil) != test.want || (test.want && about.GetVersion() != "HTTP/2.0") {
			t.Errorf("CA file %q: got %v, %v", test.file, about, err)
		}
		_ = c.Close()
	}
}
