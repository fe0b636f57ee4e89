package conformance_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"

	errorsv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/errors/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/config"
)

// canonical is what each HTTP status of Rainbow means to a gRPC caller. It is written down here a second time, since
// callers rely on it.
func canonical(httpStatus int) codes.Code {
	named := map[int]codes.Code{
		400: codes.InvalidArgument, 401: codes.Unauthenticated, 402: codes.FailedPrecondition, 403: codes.PermissionDenied,
		404: codes.NotFound, 405: codes.Unimplemented, 406: codes.InvalidArgument, 408: codes.Unavailable, 409: codes.AlreadyExists,
		410: codes.NotFound, 411: codes.InvalidArgument, 412: codes.FailedPrecondition, 413: codes.InvalidArgument,
		414: codes.InvalidArgument, 415: codes.InvalidArgument, 416: codes.OutOfRange, 422: codes.InvalidArgument,
		423: codes.FailedPrecondition, 428: codes.FailedPrecondition, 429: codes.ResourceExhausted, 500: codes.Internal,
		501: codes.Unimplemented, 502: codes.Unavailable, 503: codes.Unavailable, 504: codes.DeadlineExceeded,
	}
	if code, is := named[httpStatus]; is {
		return code
	}
	if httpStatus >= 500 {
		return codes.Unavailable
	}
	return codes.FailedPrecondition
}

// TestEveryStatusAndCodeReachesBothDoors answers each HTTP status that is an error with each kind of Rainbow code and
// each shape of errorDetails: REST passes the bytes, gRPC a canonical code with all details.
func TestEveryStatusAndCodeReachesBothDoors(t *testing.T) {
	stub := startReplay(t)
	g := startGateway(t, stub.URL)
	op := find(t, catalogue(t), "CreateUser") // a POST, which is never repeated
	shapes := []string{`"a sentence"`, `[{"param":"number","msg":"too short","value":1.10},{"param":"x","msg":"y"}]`, `{"details":"inner","timeToLive":-0}`, `7`}
	for httpStatus := 400; httpStatus < 600; httpStatus++ {
		for i, code := range []int{0, httpStatus * 1000, httpStatus*1000 + 550} {
			details := shapes[(httpStatus+i)%len(shapes)]
			body := fmt.Sprintf(`{ "errorCode":%d,"errorMsg":"Msg","errorDetails":%s,"extra":1e400`, httpStatus, details)
			if code != 0 {
				body += fmt.Sprintf(`,"errorDetailsCode":%d`, code)
			}
			header := http.Header{"X-Rainbow-Request-Id": {"r-1"}}
			if i == 1 {
				header.Set("Retry-After", "3")
			}
			answer := reply{httpStatus, header, "application/json; charset=utf-8", []byte(body + "}")}
			restDoor{g}.exchange(t, stub, fmt.Sprintf("%d, code %d", httpStatus, code), op.sent(t), answer)

			id := stub.expect(answer)
			// A 429 would be repeated after the pause that it asks for; a caller who has less time is told at once.
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			ctx = metadata.AppendToOutgoingContext(ctx, strings.ToLower(correlationID), id, "authorization", "Bearer e30.e30.x")
			in, out := dynamicpb.NewMessage(op.binding.Input.Descriptor()), dynamicpb.NewMessage(op.binding.Output.Descriptor())
			st := status.Convert(g.conn.Invoke(ctx, op.binding.FullMethod, in, out))
			cancel()
			stub.one(t, id)
			checkStatus(t, st, answer, code, details)
		}
	}
}

// detail returns the detail of a type, or nil.
func detail[T proto.Message](st *status.Status) T {
	var none T
	for _, d := range st.Details() {
		if found, is := d.(T); is {
			return found
		}
	}
	return none
}

func checkStatus(t *testing.T, st *status.Status, answer reply, code int, details string) {
	t.Helper()
	if st.Code() != canonical(answer.status) {
		t.Errorf("%d, code %d: %v, want %v", answer.status, code, st.Code(), canonical(answer.status))
	}
	up, info := detail[*errorsv1.UpstreamError](st), detail[*errdetails.ErrorInfo](st)
	if int(up.GetHttpStatus()) != answer.status || int(up.GetErrorDetailsCode()) != code || up.GetErrorMsg() != "Msg" ||
		up.GetErrorDetailsJson() != details || !bytes.Contains(up.GetExtraJson(), []byte(`"extra":1e400`)) {
		t.Errorf("%d, code %d: UpstreamError %v", answer.status, code, up)
	}
	reason := fmt.Sprintf("RAINBOW_%d", code)
	if code == 0 {
		reason = fmt.Sprintf("RAINBOW_HTTP_%d", answer.status)
	}
	if info.GetReason() != reason || info.GetDomain() != "rainbow-gateway" || info.GetMetadata()["http_status"] != fmt.Sprint(answer.status) ||
		info.GetMetadata()["http_method"] != "POST" || info.GetMetadata()["path"] != "/api/rainbow/admin/v1.0/users" {
		t.Errorf("%d, code %d: ErrorInfo %v", answer.status, code, info)
	}
	if got, want := len(detail[*errdetails.BadRequest](st).GetFieldViolations()), 2*strings.Count(details, `"param":"x"`); got != want {
		t.Errorf("%d, code %d: %d violations, want %d", answer.status, code, got, want)
	}
	wait := time.Duration(0)
	if answer.status == http.StatusTooManyRequests {
		wait = 10 * time.Second // as long as the SDK waits when it is not told
	}
	if answer.header.Get("Retry-After") != "" {
		wait = 3 * time.Second
	}
	if got := detail[*errdetails.RetryInfo](st).GetRetryDelay().AsDuration(); got != wait {
		t.Errorf("%d, code %d: RetryInfo %v, want %v", answer.status, code, got, wait)
	}
	if got := detail[*errdetails.RequestInfo](st).GetRequestId(); got != "r-1" {
		t.Errorf("%d, code %d: RequestInfo %q", answer.status, code, got)
	}
}

// silent is an upstream that takes calls and does not answer.
func silent(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// closedPort is an address at which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return "http://" + l.Addr().String()
}

// TestTheGatewaysOwnRefusalsSayWhoseTheyAre: what upstream did not say is never shown as if it had.
func TestTheGatewaysOwnRefusalsSayWhoseTheyAre(t *testing.T) {
	stub := startReplay(t)
	impatient := func(c *config.Config) { c.UpstreamTimeout = 200 * time.Millisecond }
	const users = "/api/rainbow/admin/v1.0/users"
	for _, tt := range []struct {
		name, upstream, method, target, body string
		change                               func(*config.Config)
		status                               int
	}{
		{"a body with a name twice", stub.URL, "POST", users, `{"a":1,"\u0061":2}`, nil, 400},
		{"a body that is too large", stub.URL, "POST", users, `{"a":"` + strings.Repeat("x", 3000) + `"}`, func(c *config.Config) { c.MaxBodyBytes = 2048 }, 413},
		{"dot segments", stub.URL, "GET", "/api/rainbow/admin/v1.0/users/%2e%2E/x", "", nil, 400},
		{"a path that is not modelled, without the catch-all", stub.URL, "GET", "/api/rainbow/other/v1.0/x", "", func(c *config.Config) { c.CatchAll = "off" }, 404},
		{"a method that the path has not, without the catch-all", stub.URL, "PATCH", users, "", func(c *config.Config) { c.CatchAll = "off" }, 405},
		{"upstream out of reach", closedPort(t), "POST", users, "{}", nil, 502},
		{"upstream out of reach of a stream", closedPort(t), "POST", "/api/rainbow/massprovisioning/v1.0/users/imports", "x", nil, 502},
		{"upstream that does not answer", silent(t), "POST", users, "{}", impatient, 504},
		{"upstream that does not answer a stream", silent(t), "POST", "/api/rainbow/massprovisioning/v1.0/users/imports", "x", impatient, 504},
		{"upstream that does not answer an unmodelled call", silent(t), "POST", "/api/rainbow/other/v1.0/x", "x", impatient, 504},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var change []func(*config.Config)
			if tt.change != nil {
				change = append(change, tt.change)
			}
			d := restDoor{startGateway(t, tt.upstream, change...)}
			header := http.Header{"Authorization": {"Bearer e30.e30.x"}, "Content-Type": {"application/json"}}
			got := d.send(t, tt.method, tt.target, header, []byte(tt.body))
			var envelope struct {
				ErrorCode        int    `json:"errorCode"`
				ErrorMsg         string `json:"errorMsg"`
				ErrorDetails     any    `json:"errorDetails"`
				ErrorDetailsCode int    `json:"errorDetailsCode"`
			}
			if err := json.Unmarshal(got.body, &envelope); err != nil || got.status != tt.status || got.media != "application/json" ||
				envelope.ErrorCode != tt.status || envelope.ErrorMsg == "" || envelope.ErrorDetails == nil || envelope.ErrorDetailsCode/1000 != tt.status {
				t.Errorf("got %d %q %s, want %d in Rainbow's shape", got.status, got.media, got.body, tt.status)
			}
			if origin := got.header.Get("X-Error-Origin"); origin != "gateway" {
				t.Errorf("X-Error-Origin is %q, want gateway", origin)
			}
			if strings.Contains(string(got.body), "e30.e30.x") {
				t.Errorf("the refusal shows the token: %s", got.body)
			}
		})
	}
}
