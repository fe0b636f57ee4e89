package facade

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"

	errorsv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/errors/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// TestRainbowsErrorsBecomeStatus goes over the documented codes of the portals.
func TestRainbowsErrorsBecomeStatus(t *testing.T) {
	tests := []struct {
		status, code int
		details      string
		want         codes.Code
		reason, text string
	}{
		{400, 400000, `"x is missing"`, codes.InvalidArgument, "RAINBOW_400000", "Msg: x is missing"},
		{401, 401500, `"wrong login"`, codes.Unauthenticated, "RAINBOW_401500", "Msg: wrong login"},
		{401, 0, `"jwt expired"`, codes.Unauthenticated, "JWT_EXPIRED", "Msg: jwt expired"},
		{403, 403000, `{"details":"no role"}`, codes.PermissionDenied, "RAINBOW_403000", "Msg: no role"},
		{404, 404000, `{"errorMsg":"gone","data":{}}`, codes.NotFound, "RAINBOW_404000", "Msg: gone"},
		{405, 0, ``, codes.Unimplemented, "RAINBOW_HTTP_405", "Msg"},
		{409, 409550, `"taken"`, codes.AlreadyExists, "RAINBOW_409550", "Msg: taken"},
		{412, 412000, `7`, codes.FailedPrecondition, "RAINBOW_412000", "Msg"},
		{413, 413000, ``, codes.InvalidArgument, "RAINBOW_413000", "Msg"},
		{423, 0, ``, codes.FailedPrecondition, "RAINBOW_HTTP_423", "Msg"},
		{429, 0, ``, codes.ResourceExhausted, "RAINBOW_HTTP_429", "Msg"},
		{451, 0, ``, codes.FailedPrecondition, "RAINBOW_HTTP_451", "Msg"},
		{500, 0, `[]`, codes.Internal, "RAINBOW_HTTP_500", "Msg"},
		{503, 503000, ``, codes.Unavailable, "RAINBOW_503000", "Msg"},
		{504, 0, ``, codes.DeadlineExceeded, "RAINBOW_HTTP_504", "Msg"},
		{522, 0, ``, codes.Unavailable, "RAINBOW_HTTP_522", "Msg"},
		{302, 0, ``, codes.Unknown, "RAINBOW_HTTP_302", "Msg"},
	}
	for _, tt := range tests {
		err := fmt.Errorf("wrapped: %w", &upstream.Error{Status: tt.status, Code: tt.code, Msg: "Msg", Details: []byte(tt.details), Method: "GET", Path: "/x/{id}"})
		st := Status(err)
		info := detail[*errdetails.ErrorInfo](st)
		if st.Code() != tt.want || info.GetReason() != tt.reason || info.GetDomain() != "rainbow-gateway" || st.Message() != tt.text {
			t.Errorf("%d/%d: got %v %q %v", tt.status, tt.code, st.Code(), st.Message(), info)
		}
		if codeOf(err) != tt.want {
			t.Errorf("%d: codeOf says %v", tt.status, codeOf(err))
		}
		if info.GetMetadata()["http_status"] != fmt.Sprint(tt.status) || info.GetMetadata()["path"] != "/x/{id}" {
			t.Errorf("%d: metadata %v", tt.status, info.GetMetadata())
		}
	}
}

// detail returns the detail of a type, or nil.
func detail[T proto.Message](st *status.Status) T {
	var none T
	for _, d := range st.Details() {
		if found, ok := d.(T); ok {
			return found
		}
	}
	return none
}

func TestDetailsHoldTheEnvelope(t *testing.T) {
	st := Status(&upstream.Error{
		Status: 400, Code: 400000, Msg: "Bad Request", RetryAfter: 3 * time.Second, RequestID: "r-1",
		Details: []byte(`[{"param":"number","msg":"too short","value":"1"},{"param":"x","msg":"y"}]`),
		Body:    []byte(`{"errorCode":400,"errorMsg":"Bad Request","errorDetails":[],"errorDetailsCode":400000,"errorDetailsData":{"conflictWith":1.0}}`),
	})
	var got []string
	for _, d := range st.Details() {
		got = append(got, strings.ReplaceAll(prototext.MarshalOptions{}.Format(d.(proto.Message)), "  ", " "))
	}
	want := []proto.Message{
		&errorsv1.UpstreamError{
			HttpStatus: 400, ErrorDetailsCode: 400000, ErrorMsg: "Bad Request",
			ErrorDetailsJson: `[{"param":"number","msg":"too short","value":"1"},{"param":"x","msg":"y"}]`,
			ExtraJson:        []byte(`{"errorDetailsData":{"conflictWith":1.0}}`),
		},
		&errdetails.ErrorInfo{Reason: "RAINBOW_400000", Domain: Domain, Metadata: map[string]string{
			"http_status": "400", "http_method": "", "path": "", "error_details_code": "400000",
		}},
		&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{
			{Field: "number", Description: "too short"}, {Field: "x", Description: "y"},
		}},
		&errdetails.RetryInfo{RetryDelay: durationpb.New(3 * time.Second)},
		&errdetails.RequestInfo{RequestId: "r-1"},
	}
	if len(st.Details()) != len(want) {
		t.Fatalf("got %v", got)
	}
	for i, d := range st.Details() {
		if diff := cmp.Diff(want[i], d, protocmp.Transform()); diff != "" {
			t.Error(diff)
		}
	}
	if st.Message() != "Bad Request: number: too short; x: y" {
		t.Errorf("message %q", st.Message())
	}
}

func TestWhatTheDetailsHaveNoFieldForIsKept(t *testing.T) {
	for body, want := range map[string]string{
		`{"errorCode":409,"errorMsg":"<b>","errorDetails":"x","errorDetailsCode":409000}`:                     ``,
		`{"z" : 1.10 , "errorMsg":"m","a":"<é\u00e9>","errorCode":409}`:                                       `{"z":1.10,"a":"<é\u00e9>"}`,
		`{"errorCode":"409","errorMsg":5,"errorDetails":null,"errorDetailsCode":"409550","é<":{"a" : 1e400}}`: `{"errorCode":"409","errorMsg":5,"errorDetails":null,"errorDetailsCode":"409550","é<":{"a" : 1e400}}`,
		`{"errorCode":500}`: `{"errorCode":500}`,
		`[1]`:               ``,
		`{"a":`:             ``,
	} {
		e := &upstream.Error{Status: 409, Code: 409000, Body: []byte(body)}
		if got := string(detail[*errorsv1.UpstreamError](Status(e)).GetExtraJson()); got != want {
			t.Errorf("%s: got %s, want %s", body, got, want)
		}
	}
}

func TestTooManyRequestsAlwaysSaysWhenToComeBack(t *testing.T) {
	if got := detail[*errdetails.RetryInfo](Status(&upstream.Error{Status: 429})).GetRetryDelay().AsDuration(); got != 10*time.Second {
		t.Errorf("got %v", got)
	}
}

// TestTheGatewaysOwnErrors also shows that an unknown error keeps its text to itself.
func TestTheGatewaysOwnErrors(t *testing.T) {
	answered := &upstream.Error{Status: 401, Code: 401500, Msg: "login refused", Method: "GET", Path: "/login"}
	tests := []struct {
		err    error
		code   codes.Code
		status int
		reason string
		text   string
	}{
		{upstream.ErrInvalid, codes.InvalidArgument, 400, "INVALID_REQUEST", "invalid request"},
		{upstream.ErrNoAccount, codes.Unauthenticated, 401, "NO_ACCOUNT", upstream.ErrNoAccount.Error()},
		{fmt.Errorf("%w: %w", upstream.ErrCredentials, answered), codes.FailedPrecondition, 502, "ACCOUNT_REFUSED", "service account refused: GET /login: upstream answered 401 Unauthorized, code 401500"},
		{fmt.Errorf("%w: %w", upstream.ErrLogin, &upstream.Error{Status: 503, Msg: "down", Method: "GET", Path: "/login"}), codes.Unavailable, 502, "ACCOUNT_NO_TOKEN", "service account could not log in: GET /login: upstream answered 503 Service Unavailable"},
		{fmt.Errorf("https://u:p@rainbow.example/x?token=y: %w", upstream.ErrUnreachable), codes.Unavailable, 502, "UPSTREAM_UNREACHABLE", "https://rainbow.example/x?[query] upstream unreachable"},
		{fmt.Errorf("%w: %w", upstream.ErrUnreachable, context.Canceled), codes.Canceled, 499, "CANCELLED", "the caller went away"},
		{context.DeadlineExceeded, codes.DeadlineExceeded, 504, "DEADLINE_EXCEEDED", "the call's time is over"},
		{upstream.ErrTooLarge, codes.ResourceExhausted, 502, "ANSWER_TOO_LARGE", "Rainbow's answer is larger than the gateway takes or sends"},
		{fmt.Errorf("%w: content type \"text/html\": invalid JSON value at byte 0", upstream.ErrAnswer), codes.Internal, 502, "MALFORMED_ANSWER", "malformed answer: content type \"text/html\": invalid JSON value at byte 0"},
		{ErrNotTrusted, codes.PermissionDenied, 403, "NOT_TRUSTED", ErrNotTrusted.Error()},
		{errors.New("password=hunter2"), codes.Internal, 500, "INTERNAL", "internal error"},
	}
	for _, tt := range tests {
		st := Status(tt.err)
		if st.Code() != tt.code || st.Message() != tt.text || detail[*errdetails.ErrorInfo](st).GetReason() != tt.reason {
			t.Errorf("%v: got %v %q %v", tt.err, st.Code(), st.Message(), st.Details())
		}
		if httpStatus, text := HTTP(tt.err); httpStatus != tt.status || text != tt.text {
			t.Errorf("%v: HTTP %d %q", tt.err, httpStatus, text)
		}
		if Answered(tt.err) {
			t.Errorf("%v: taken for an answer to the call", tt.err)
		}
	}
}

// A call that the rate limit holds back has a refusal of upstream, but no answer whose bytes could be passed on.
func TestHeldBackCallsAreUpstreamsRefusalOverRESTToo(t *testing.T) {
	held := &upstream.Error{Status: 429, Msg: "upstream asked to wait", RetryAfter: time.Minute}
	if httpStatus, text := HTTP(held); httpStatus != 429 || text != "upstream asked to wait" || RetryAfter(held) != time.Minute {
		t.Errorf("got %d %q, retry after %s", httpStatus, text, RetryAfter(held))
	}
}

func TestRawExchangesEndWithTheCodeOfTheirStatus(t *testing.T) {
	for _, tt := range []struct {
		status int
		err    error
		want   codes.Code
	}{
		{200, nil, codes.OK}, {304, nil, codes.OK}, {409, nil, codes.AlreadyExists}, {503, nil, codes.Unavailable},
		{503, context.Canceled, codes.Canceled},
	} {
		if got := (&Call{HTTPStatus: tt.status}).Code(tt.err); got != tt.want {
			t.Errorf("%d, %v: got %v, want %v", tt.status, tt.err, got, tt.want)
		}
	}
}

func TestStatusOfALocalServiceStays(t *testing.T) {
	st, err := status.New(codes.Aborted, "stale").WithDetails(&errdetails.ErrorInfo{Reason: "STALE"})
	if err != nil {
		t.Fatal(err)
	}
	if got := Status(st.Err()); got.Code() != codes.Aborted || len(got.Details()) != 1 {
		t.Errorf("got %v", got)
	}
	if httpStatus, _ := HTTP(st.Err()); httpStatus != http.StatusConflict {
		t.Errorf("HTTP %d", httpStatus)
	}
}

func TestEveryCodeHasAnHTTPStatus(t *testing.T) {
	for code := codes.OK; code <= codes.Unauthenticated; code++ {
		if got := httpFromCode(code); (got < 400) != (code == codes.OK) {
			t.Errorf("%v: %d", code, got)
		}
	}
}

func TestScrub(t *testing.T) {
	tests := []struct{ text, want string }{
		{"Authorization: Bearer abc.def-1", "Authorization: [secret] [secret]"},
		{"sent Basic YTpi= to upstream", "sent Basic [secret] to upstream"},
		{"token eyJhbGciOiJIUzI1NiJ9.eyJpYXQiOjE3fQ.sig end", "token [secret] end"},
		{`{"loginPassword":"p\"q","name":"n"}`, `{"loginPassword":[secret],"name":"n"}`},
		{"jid_im=x@y.example, next", "jid_im=[secret], next"},
		{"Get \"https://u:p@rainbow.example/a?token=x&b=c\": EOF", "Get \"https://rainbow.example/a?[query]\": EOF"},
		{"x-rainbow-app-auth: Basic Zm9v", "x-rainbow-app-auth: [secret] [secret]"},
		{"device \"aa:bb\": not found", "device \"aa:bb\": not found"},
		{"basic auth is missing", "basic [secret] is missing"}, // too much rather than too little
	}
	for _, tt := range tests {
		if got := Scrub(tt.text); got != tt.want {
			t.Errorf("%s\ngot  %s\nwant %s", tt.text, got, tt.want)
		}
	}
}
