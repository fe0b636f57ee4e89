package rainbow

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	errorsv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/errors/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

func grpcError(t *testing.T, code codes.Code, details ...protoadapt.MessageV1) error {
	t.Helper()
	st, err := status.New(code, "text").WithDetails(details...)
	if err != nil {
		t.Fatal(err)
	}
	return st.Err()
}

func TestErrorsAreJudged(t *testing.T) {
	answered := func(httpStatus, code int32) protoadapt.MessageV1 {
		return protoadapt.MessageV1Of(&errorsv1.UpstreamError{HttpStatus: httpStatus, ErrorDetailsCode: code, ErrorMsg: "Conflict", ErrorDetailsJson: `"shortNumber is taken"`})
	}
	reason := func(r string) protoadapt.MessageV1 {
		return protoadapt.MessageV1Of(&errdetails.ErrorInfo{Reason: r})
	}
	for _, c := range []struct {
		name string
		err  error
		want failure
	}{
		{"an answer", fmt.Errorf("call: %w", &upstream.Error{Status: 409, Code: 409550, Msg: "Conflict", Details: []byte(`"shortNumber is taken"`)}),
			failure{status: 409, code: 409550, message: "409 Conflict: shortNumber is taken"}},
		{"a list of faulty parameters, values left out", &upstream.Error{Status: 400, Code: 400000, Msg: "Bad Request", Details: []byte(`[{"param":"password","msg":"too weak","value":"hunter2"},{"param":"x","msg":"y"}]`)},
			failure{status: 400, code: 400000, message: "400 Bad Request: password: too weak; x: y"}},
		{"an answer that leaves it open", &upstream.Error{Status: 502, Msg: "Bad Gateway"}, failure{status: 502, message: "502 Bad Gateway", lost: true}},
		{"throttled", &upstream.Error{Status: 429, Msg: "Too Many Requests"}, failure{status: 429, message: "429 Too Many Requests", general: true}},
		{"no account", upstream.ErrNoAccount, failure{message: upstream.ErrNoAccount.Error(), general: true}},
		{"a status with an answer", grpcError(t, codes.AlreadyExists, answered(409, 409550)), failure{status: 409, code: 409550, message: "409 Conflict: shortNumber is taken"}},
		{"a status with an answer that leaves it open", grpcError(t, codes.Internal, answered(500, 0)), failure{status: 500, message: "500 Conflict: shortNumber is taken", lost: true}},
		{"a status that asks to come later", grpcError(t, codes.Unavailable, answered(503, 0), protoadapt.MessageV1Of(&errdetails.RetryInfo{})), failure{status: 503, message: "503 Conflict: shortNumber is taken", general: true}},
		{"a status without an account", grpcError(t, codes.FailedPrecondition, reason("ACCOUNT_REFUSED")), failure{message: "text", general: true}},
		{"a status without an answer", grpcError(t, codes.Unavailable, reason("UPSTREAM_UNREACHABLE")), failure{message: "text", lost: true}},
		{"a status of a malformed request", grpcError(t, codes.InvalidArgument, reason("INVALID_REQUEST")), failure{message: "text"}},
		{"a read before anything is sent", beforehand(&upstream.Error{Status: 502, Msg: "Bad Gateway"}), failure{status: 502, message: "502 Bad Gateway", general: true}},
		{"something else", errors.New("odd"), failure{message: "odd", lost: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := judge(c.err); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
	if f := judge(context.Canceled); f.general == f.lost {
		t.Errorf("a cancelled call is %+v", f)
	}
}

func TestMessagesHideThePassword(t *testing.T) {
	step := bulksync.Step{Password: `Sample"Pass-1\`}
	for _, text := range []string{
		`password Sample"Pass-1\ is too weak`,
		`row upsert;ann@demo.example;"Sample""Pass-1\" is refused`,
		`body {"password":"Sample\"Pass-1\\"} is refused`,
	} {
		if got := (failure{message: text}).outcome(step).Message; strings.Contains(got, "Pass-1") {
			t.Errorf("message is %q", got)
		}
		if got := hidden(errors.New(text), step).Error(); strings.Contains(got, "Pass-1") {
			t.Errorf("error is %q", got)
		}
	}
}
