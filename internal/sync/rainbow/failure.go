package rainbow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	errorsv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/errors/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// failure is what a failed request means to an operation.
type failure struct {
	// status is upstream's HTTP status, code its errorDetailsCode; 0 when it gave none.
	status, code int
	message      string
	// lost: the request may have been carried out.
	lost bool
	// general: nothing was done, and the reason is no fault of the operation: no account, no connection, cancelled,
	// throttled.
	general bool
}

// judge tells what an error of a request means. It knows the errors of package upstream, which the gateway's dispatcher
// hands on, and gRPC statuses with UpstreamError details, as the gateway's gRPC door sends them.
func judge(err error) failure {
	var answered *upstream.Error
	var before *readError
	switch {
	case errors.As(err, &before):
		f := judge(before.cause)
		f.general, f.lost = f.general || f.lost, false
		return f
	case errors.Is(err, upstream.ErrNoAccount):
		return failure{message: err.Error(), general: true}
	case errors.Is(err, upstream.ErrCredentials), errors.Is(err, upstream.ErrLogin):
		return failure{message: err.Error(), general: !upstream.Unknown(err), lost: upstream.Unknown(err)}
	case errors.As(err, &answered):
		return answeredFailure(answered.Status, answered.Code, answered.Msg, answered.Details, upstream.Unknown(err))
	case errors.Is(err, upstream.ErrUnreachable), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		lost := upstream.Unknown(err)
		return failure{message: err.Error(), general: !lost, lost: lost}
	}
	if st, ok := status.FromError(err); ok {
		return statusFailure(st)
	}
	return failure{message: err.Error(), lost: upstream.Unknown(err)}
}

func answeredFailure(httpStatus, code int, msg string, details []byte, lost bool) failure {
	f := failure{status: httpStatus, code: code, lost: lost}
	f.general = !lost && (httpStatus == http.StatusUnauthorized || httpStatus == http.StatusTooManyRequests || httpStatus == http.StatusServiceUnavailable)
	f.message = strings.TrimSpace(fmt.Sprintf("%d %s", httpStatus, msg))
	if text := sentence(details); text != "" {
		f.message += ": " + text
	}
	return f
}

// sentence reads errorDetails: a sentence, or a list of {param, msg, value}, whose values are left out.
func sentence(details []byte) string {
	var text string
	if json.Unmarshal(details, &text) == nil {
		return strings.TrimSpace(text)
	}
	var params []struct{ Param, Msg string }
	if json.Unmarshal(details, &params) != nil {
		return ""
	}
	var words []string
	for _, p := range params {
		words = append(words, strings.Trim(p.Param+": "+p.Msg, ": "))
	}
	return strings.Join(words, "; ")
}

// statusFailure reads what the gateway's gRPC door made of an error.
func statusFailure(st *status.Status) failure {
	var answered *errorsv1.UpstreamError
	reason, later := "", false
	for _, d := range st.Details() {
		switch d := d.(type) {
		case *errorsv1.UpstreamError:
			answered = d
		case *errdetails.ErrorInfo:
			reason = d.GetReason()
		case *errdetails.RetryInfo:
			later = true
		}
	}
	if answered != nil {
		s := int(answered.GetHttpStatus())
		lost := s == http.StatusRequestTimeout || s >= 500 && !(s == http.StatusServiceUnavailable && later)
		return answeredFailure(s, int(answered.GetErrorDetailsCode()), answered.GetErrorMsg(), []byte(answered.GetErrorDetailsJson()), lost)
	}
	f := failure{message: st.Message()}
	switch reason {
	case "NO_ACCOUNT", "ACCOUNT_REFUSED", "NOT_TRUSTED", "OWN_CREDENTIALS":
		f.general = true
		return f
	}
	switch st.Code() {
	case codes.InvalidArgument, codes.NotFound, codes.AlreadyExists, codes.FailedPrecondition, codes.OutOfRange, codes.Unimplemented:
	case codes.Unauthenticated, codes.PermissionDenied, codes.ResourceExhausted:
		f.general = true
	default:
		f.lost = true
	}
	return f
}

// missing tells whether upstream answered that the thing of the request is not there.
func missing(err error) bool { return err != nil && judge(err).status == http.StatusNotFound }

// outcome makes a failure that is not general the outcome of a step.
func (f failure) outcome(step bulksync.Step) bulksync.Outcome {
	o := bulksync.Outcome{Operation: step.Operation.ID, Status: bulksync.Failed, Code: f.code, Message: hide(f.message, step)}
	if f.lost {
		o.Status = bulksync.Unknown
	}
	return o
}

// hide takes the passwords of the steps out of a text of upstream: as they are, as they stand in a quoted cell, and as
// they stand in JSON.
func hide(text string, steps ...bulksync.Step) string {
	for _, s := range steps {
		if s.Password == "" {
			continue
		}
		inJSON := strconv.Quote(s.Password)
		for _, form := range []string{s.Password, strings.ReplaceAll(s.Password, `"`, `""`), inJSON[1 : len(inJSON)-1]} {
			text = strings.ReplaceAll(text, form, "[secret]")
		}
	}
	return text
}

// beforehand marks the failure of a reading request that comes before the request that changes something: whatever became
// of it, nothing was done.
func beforehand(err error) error { return &readError{err} }

type readError struct{ cause error }

func (e *readError) Error() string { return e.cause.Error() }
func (e *readError) Unwrap() error { return e.cause }

// hidden is an error whose text is without the passwords of the steps.
func hidden(err error, steps ...bulksync.Step) error {
	return &hiddenError{hide(err.Error(), steps...), err}
}

type hiddenError struct {
	text  string
	cause error
}

func (e *hiddenError) Error() string { return e.text }
func (e *hiddenError) Unwrap() error { return e.cause }
