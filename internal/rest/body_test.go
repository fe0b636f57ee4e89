package rest

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// begin sends the head of a request that promises a body, and pieces of it, each after a pause. It returns the answer
// and how long that took to come.
func (d *door) begin(t *testing.T, line, framing string, pause time.Duration, pieces ...string) (*http.Response, time.Duration) {
	t.Helper()
	conn, err := net.Dial("tcp", d.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	began := time.Now()
	_, _ = io.WriteString(conn, line+" HTTP/1.1\r\nHost: "+d.Listener.Addr().String()+"\r\n"+framing+"\r\n\r\n")
	for _, piece := range pieces {
		time.Sleep(pause)
		_, _ = io.WriteString(conn, piece)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp, time.Since(began)
}

func TestACallerWhoPausesWithinABodyIsSentAway(t *testing.T) {
	d := setup(t, reply(200, "application/json", "{}"), func(o *Options, _ *facade.Dispatcher) { o.BodyPause = 200 * time.Millisecond })
	for name, tt := range map[string]struct {
		head string // method and path
		want int
	}{
		"JSON":      {"POST " + ddi, 400},
		"upload":    {"POST /api/rainbow/massprovisioning/v1.0/users/imports", 400},
		"not taken": {"POST /elsewhere", 404},
	} {
		resp, took := d.begin(t, tt.head, "Content-Length: 10", 0, "{")
		if resp.StatusCode != tt.want || took > 5*time.Second {
			t.Errorf("%s: %s after %s", name, resp.Status, took)
		}
	}
}

func TestPausesShorterThanTheLimitAndSlowAnswersAreFine(t *testing.T) {
	const pause = 300 * time.Millisecond
	d := setup(t, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(2 * pause) // the limit is for the body, not for the answer
		reply(200, "application/json", "{}")(w, r)
	}, func(o *Options, _ *facade.Dispatcher) { o.BodyPause = pause })
	for _, path := range []string{ddi, "/api/rainbow/massprovisioning/v1.0/users/imports"} {
		resp, _ := d.begin(t, "POST "+path+"", "Content-Length: 7", pause/3, `{"a"`, ":", "1", "}")
		if resp.StatusCode != 200 || d.upstream.got().body != `{"a":1}` {
			t.Errorf("%s: %s, upstream got %q", path, resp.Status, d.upstream.got().body)
		}
	}
}

func TestATornUploadIsTheCallersFault(t *testing.T) {
	d := setup(t, reply(200, "application/json", "{}"), nil)
	resp, _ := d.begin(t, "POST /api/rainbow/massprovisioning/v1.0/users/imports", "Transfer-Encoding: chunked", 0, "3\r\nabc\r\nzz\r\n")
	body, _ := io.ReadAll(resp.Body)
	if want := `{"param":"body","msg":"not received to its end"}`; resp.StatusCode != 400 || !strings.Contains(string(body), want) {
		t.Errorf("%s %s", resp.Status, body)
	}
}

// Neither who may not call at all, nor a mere promise, gets memory for a large body.
func TestAPromiseOfABodyTakesNoMemory(t *testing.T) {
	d := setup(t, nil, func(o *Options, dispatcher *facade.Dispatcher) {
		withLocals(o, dispatcher)
		o.Listener.Loopback = false
	})
	if resp, took := d.begin(t, "POST /v1/companies/c/plans", "Content-Length: 4000000", 0); resp.StatusCode != 403 || took > 5*time.Second {
		t.Errorf("%s after %s", resp.Status, took)
	}
	const promised = 64 << 20
	r := httptest.NewRequest("POST", "/", io.LimitReader(endless{}, 1000))
	r.ContentLength = promised
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	b, err := d.handler.readBody(httptest.NewRecorder(), r, promised)
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; err != nil || len(b) != 1000 || took > promised/8 {
		t.Errorf("%d bytes, %v, %d bytes of memory", len(b), err, took)
	}
}

func TestRefusedBodiesAreRecordedLikeOtherCalls(t *testing.T) {
	bindings, err := upstream.CompileBindings(upstream.RainbowServices())
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	record := func(ctx context.Context, call *facade.Call, next facade.Next) error {
		err := next(ctx)
		seen = append(seen, call.Operation.Name+" "+call.Code(err).String())
		return err
	}
	d := setup(t, nil, func(o *Options, _ *facade.Dispatcher) {
		o.Dispatcher = facade.NewDispatcher(bindings, nil, slog.New(slog.DiscardHandler), record, facade.Authenticate(false))
	})
	d.send(t, "POST "+ddi, "{")
	d.send(t, "POST "+users, `"`+strings.Repeat("x", 1<<20)+`"`)
	want := []string{"rainbow.rvcpprovisioning.v1.CloudPbxPhoneNumberService/CreateDdi " + codes.InvalidArgument.String(),
		"rainbow.admin.v1.UsersService/CreateUser " + codes.ResourceExhausted.String()}
	if strings.Join(seen, "; ") != strings.Join(want, "; ") {
		t.Errorf("got %v, want %v", seen, want)
	}
	if !errors.Is(errTorn, facade.ErrBody) {
		t.Error("a torn body is not a bad one")
	}
}
