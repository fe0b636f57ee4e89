package upstream_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	massprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/massprovisioning/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

func part(request *massprovisioningv1.ImportUsersRequest) *massprovisioningv1.UploadImportUsersRequest {
	return &massprovisioningv1.UploadImportUsersRequest{Part: &massprovisioningv1.UploadImportUsersRequest_Request{Request: request}}
}

func chunk(data string) *massprovisioningv1.UploadImportUsersRequest {
	return &massprovisioningv1.UploadImportUsersRequest{Part: &massprovisioningv1.UploadImportUsersRequest_Chunk{Chunk: []byte(data)}}
}

func TestUploadIsOneRequest(t *testing.T) {
	p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("X-Rainbow-Request-Id", "r-1")
		answerJSON(w, 200, `{"data":{"reqId":"r1"}}`)
	})
	var header metadata.MD
	up, err := massprovisioningv1.NewUsersAndDevicesServiceClient(p.client()).UploadImportUsers(context.Background(), grpc.Header(&header))
	if err != nil {
		t.Fatal(err)
	}
	row := strings.Repeat("x", 1<<20)
	for _, m := range []*massprovisioningv1.UploadImportUsersRequest{part(&massprovisioningv1.ImportUsersRequest{CompanyId: proto.String("c 1")}), chunk("a;b\n"), chunk(""), chunk(row)} {
		if err := up.Send(m); err != nil {
			t.Fatal(err)
		}
	}
	reply, err := up.CloseAndRecv()
	if err != nil || reply.GetData().GetReqId() != "r1" {
		t.Fatalf("got %v, %v", reply, err)
	}
	got := p.one()
	if got.method != "POST" || got.body != "a;b\n"+row || got.header.Get("Content-Type") != "text/csv; charset=utf-8" || !strings.HasSuffix(got.target, "/users/imports?companyId=c%201") {
		t.Errorf("got %s %s, %d bytes as %s", got.method, got.target, len(got.body), got.header.Get("Content-Type"))
	}
	if v := header.Get("x-rainbow-request-id"); len(v) != 1 {
		t.Errorf("metadata is %v", header)
	}
	if err := up.RecvMsg(&massprovisioningv1.ImportUsersResponse{}); err != io.EOF {
		t.Errorf("a second reply: %v", err)
	}
}

func TestUploadWithoutChunksIsEmpty(t *testing.T) {
	p := newPortal(t, ok(`{}`))
	up, err := massprovisioningv1.NewUsersAndDevicesServiceClient(p.client()).UploadImportUsers(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	request := part(&massprovisioningv1.ImportUsersRequest{Body: &httpbody.HttpBody{ContentType: "text/csv"}})
	if err := up.Send(request); err != nil {
		t.Fatal(err)
	}
	if _, err := up.CloseAndRecv(); err != nil {
		t.Fatal(err)
	}
	if got := p.one(); got.body != "" || got.header.Get("Content-Type") != "text/csv" {
		t.Errorf("got %q as %s", got.body, got.header.Get("Content-Type"))
	}
}

func TestUploadsInBadOrder(t *testing.T) {
	p := newPortal(t, ok(`{}`))
	imports := massprovisioningv1.NewUsersAndDevicesServiceClient(p.client())
	for name, messages := range map[string][]*massprovisioningv1.UploadImportUsersRequest{
		"no parameters":           {chunk("a")},
		"an empty message":        {{}},
		"parameters twice":        {part(&massprovisioningv1.ImportUsersRequest{}), part(&massprovisioningv1.ImportUsersRequest{})},
		"a body with them":        {part(&massprovisioningv1.ImportUsersRequest{Body: &httpbody.HttpBody{Data: []byte("x")}})},
		"nothing but the closing": {},
	} {
		ctx, cancel := context.WithCancel(context.Background())
		up, err := imports.UploadImportUsers(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range messages {
			err = errors.Join(err, up.Send(m))
		}
		if err == nil {
			_, err = up.CloseAndRecv()
		}
		if !errors.Is(err, upstream.ErrInvalid) {
			t.Errorf("%s: got %v", name, err)
		}
		cancel()
	}
	for _, got := range p.requests() {
		t.Errorf("upstream got a whole request: %v", got)
	}
}

func TestUploadThatIsRefusedEarly(t *testing.T) {
	p := newPortal(t, nil)
	p.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/login") {
			p.login(w, r)
			return
		}
		w.Header().Set("Connection", "close")
		answerError(w, 413, 413000, `"too large"`) // the body is not read
	})
	up, err := massprovisioningv1.NewUsersAndDevicesServiceClient(p.client()).UploadImportUsers(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	err = up.Send(part(&massprovisioningv1.ImportUsersRequest{}))
	for range 1000 {
		if err != nil {
			break
		}
		err = up.Send(chunk(strings.Repeat("x", 64<<10)))
	}
	if err != io.EOF {
		t.Fatalf("sending went on: %v", err)
	}
	_, err = up.CloseAndRecv()
	var e *upstream.Error
	if !errors.As(err, &e) && !errors.Is(err, upstream.ErrUnreachable) { // net/http may see the broken pipe first
		t.Errorf("got %v", err)
	} else if e != nil && (e.Status != 413 || e.Code != 413000) {
		t.Errorf("got %v", err)
	}
}

func TestUploadThatIsGivenUpNeverEnds(t *testing.T) {
	ended := make(chan error, 1)
	p := newPortal(t, nil)
	p.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/login") {
			p.login(w, r)
			return
		}
		_, err := io.Copy(io.Discard, r.Body)
		ended <- err
	})
	ctx, cancel := context.WithCancel(context.Background())
	up, err := massprovisioningv1.NewUsersAndDevicesServiceClient(p.client()).UploadImportUsers(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []*massprovisioningv1.UploadImportUsersRequest{part(&massprovisioningv1.ImportUsersRequest{}), chunk("a;b\n")} {
		if err := up.Send(m); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if _, err := up.CloseAndRecv(); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := <-ended; err == nil {
		t.Error("upstream saw the end of the body, as if the file were whole")
	}
}

func TestDownloadComesInChunks(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789abcde\n"), 10_000)
	p := newPortal(t, func(w http.ResponseWriter, r *http.Request, n int) {
		if n == 1 {
			answerError(w, 503, 0, `""`)
			return
		}
		if r.Header.Get("Accept-Encoding") != "" {
			t.Errorf("accept-encoding is %q", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Type", "text/csv")
		_, _ = w.Write(body)
	})
	down, err := massprovisioningv1.NewUsersAndDevicesServiceClient(p.client()).DownloadGetUsersTemplate(context.Background(), &massprovisioningv1.GetUsersTemplateRequest{Mode: proto.String("user")})
	if err != nil {
		t.Fatal(err)
	}
	var got []byte
	for {
		piece, err := down.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(piece.GetData()) > 64<<10 || piece.GetContentType() != "text/csv" {
			t.Errorf("a chunk of %d bytes, %s", len(piece.GetData()), piece.GetContentType())
		}
		got = append(got, piece.GetData()...)
	}
	if !bytes.Equal(got, body) || len(p.requests()) != 2 {
		t.Errorf("got %d bytes in %d requests, want %d in 2", len(got), len(p.requests()), len(body))
	}
}

func TestDownloadsThatFail(t *testing.T) {
	for name, test := range map[string]struct {
		answer func(http.ResponseWriter)
		check  func(error) bool
		chunks int
	}{
		"refused": {func(w http.ResponseWriter) { answerError(w, 404, 404000, `"x"`) }, func(err error) bool {
			var e *upstream.Error
			return errors.As(err, &e) && e.Code == 404000
		}, 0},
		"empty": {func(w http.ResponseWriter) { w.Header().Set("Content-Type", "text/csv") }, func(err error) bool { return err == io.EOF }, 1},
		"cut": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "a")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, func(err error) bool { return errors.Is(err, upstream.ErrUnreachable) }, 1},
	} {
		p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, _ int) { test.answer(w) })
		down, err := massprovisioningv1.NewUsersAndDevicesServiceClient(p.client(func(o *upstream.Options) { o.Retry.Attempts = 1 })).
			DownloadGetUsersTemplate(context.Background(), &massprovisioningv1.GetUsersTemplateRequest{})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for ; ; n++ {
			if _, err = down.Recv(); err != nil {
				break
			}
		}
		if n != test.chunks || !test.check(err) {
			t.Errorf("%s: got %v after %d chunks", name, err, n)
		}
	}
}
