package facade

import (
	"context"
	"errors"
	"net/http"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// Domain is the domain of every ErrorInfo that the gateway makes.
const Domain = "rainbow-gateway"

// rainbowCodes translates the HTTP status of an upstream answer. Google's table of HTTP statuses is the model; where
// it is silent the reason stands beside.
var rainbowCodes = map[int]codes.Code{
	http.StatusBadRequest:                   codes.InvalidArgument,
	http.StatusUnauthorized:                 codes.Unauthenticated,
	http.StatusPaymentRequired:              codes.FailedPrecondition,
	http.StatusForbidden:                    codes.PermissionDenied,
	http.StatusNotFound:                     codes.NotFound,
	http.StatusMethodNotAllowed:             codes.Unimplemented,
	http.StatusNotAcceptable:                codes.InvalidArgument,
	http.StatusRequestTimeout:               codes.Unavailable,   // a front end stopped waiting for the request
	http.StatusConflict:                     codes.AlreadyExists, // every documented 409 says "already"
	http.StatusGone:                         codes.NotFound,
	http.StatusLengthRequired:               codes.InvalidArgument,
	http.StatusPreconditionFailed:           codes.FailedPrecondition,
	http.StatusRequestEntityTooLarge:        codes.InvalidArgument, // smaller is the cure, not later
	http.StatusRequestURITooLong:            codes.InvalidArgument,
	http.StatusUnsupportedMediaType:         codes.InvalidArgument,
	http.StatusRequestedRangeNotSatisfiable: codes.OutOfRange,
	http.StatusUnprocessableEntity:          codes.InvalidArgument,
	http.StatusLocked:                       codes.FailedPrecondition,
	http.StatusPreconditionRequired:         codes.FailedPrecondition,
	http.StatusTooManyRequests:              codes.ResourceExhausted,
	http.StatusInternalServerError:          codes.Internal,
	http.StatusNotImplemented:               codes.Unimplemented,
	http.StatusBadGateway:                   codes.Unavailable,
	http.StatusServiceUnavailable:           codes.Unavailable,
	http.StatusGatewayTimeout:               codes.DeadlineExceeded,
}

// rainbowCode translates any status that is not a success.
func rainbowCode(httpStatus int) codes.Code {
	if code, ok := rainbowCodes[httpStatus]; ok {
		return code
	}
	switch {
	case httpStatus >= 500:
		return codes.Unavailable // 52x of a content delivery network: upstream is not reached
	case httpStatus >= 400:
		return codes.FailedPrecondition
	}
	return codes.Unknown // a redirect, which is not followed
}

// fault is how a failure that is not an upstream answer shows at the doors.
type fault struct {
	kind   error
	code   codes.Code
	status int    // HTTP
	reason string // of ErrorInfo
	text   string // what the caller reads; empty: the error's own text, which says where and why, scrubbed
}

// faults is read from the top; the first kind that the error is, counts.
var faults = []fault{
	{ErrNotTrusted, codes.PermissionDenied, http.StatusForbidden, "NOT_TRUSTED", ""},
	{ErrOwnCredentials, codes.PermissionDenied, http.StatusForbidden, "OWN_CREDENTIALS", ""},
	{ErrIdentity, codes.Unauthenticated, http.StatusUnauthorized, "IDENTITY_REFUSED", ""},
	{ErrBody, codes.InvalidArgument, http.StatusBadRequest, "INVALID_BODY", ""},
	{ErrBodySize, codes.ResourceExhausted, http.StatusRequestEntityTooLarge, "BODY_TOO_LARGE", ""},
	{ErrEncoding, codes.InvalidArgument, http.StatusUnsupportedMediaType, "UNSUPPORTED_ENCODING", ""},
	{ErrPath, codes.InvalidArgument, http.StatusBadRequest, "INVALID_PATH", ""},
	{ErrNoRoute, codes.NotFound, http.StatusNotFound, "NO_ROUTE", ""},
	{ErrMethod, codes.Unimplemented, http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", ""},
	{ErrRawOff, codes.Unimplemented, http.StatusNotImplemented, "RAW_OFF", ""},
	{ErrConstraints, codes.InvalidArgument, http.StatusBadRequest, "CONSTRAINTS_VIOLATED", ""},
	{upstream.ErrInvalid, codes.InvalidArgument, http.StatusBadRequest, "INVALID_REQUEST", ""},
	{upstream.ErrNoAccount, codes.Unauthenticated, http.StatusUnauthorized, "NO_ACCOUNT", upstream.ErrNoAccount.Error()},
	{upstream.ErrCredentials, codes.FailedPrecondition, http.StatusBadGateway, "ACCOUNT_REFUSED", ""},
	{upstream.ErrLogin, codes.Unavailable, http.StatusBadGateway, "ACCOUNT_NO_TOKEN", ""},
	{upstream.ErrTooLarge, codes.ResourceExhausted, http.StatusBadGateway, "ANSWER_TOO_LARGE", "Rainbow's answer is larger than the gateway takes or sends"},
	{upstream.ErrAnswer, codes.Internal, http.StatusBadGateway, "MALFORMED_ANSWER", ""},
	{context.DeadlineExceeded, codes.DeadlineExceeded, http.StatusGatewayTimeout, "DEADLINE_EXCEEDED", "the call's time is over"},
	{context.Canceled, codes.Canceled, statusClientClosed, "CANCELLED", "the caller went away"},
	{upstream.ErrUnreachable, codes.Unavailable, http.StatusBadGateway, "UPSTREAM_UNREACHABLE", ""},
}

// statusClientClosed is nginx's status for a caller that is no longer there.
const statusClientClosed = 499

// unknownFault is everything else; its text stays in the log.
var unknownFault = fault{code: codes.Internal, status: http.StatusInternalServerError, reason: "INTERNAL", text: "internal error"}

// The refusals of the doors and of the policies.
var (
	// ErrNotTrusted: the call would act as the service account and comes neither from this machine's own programs nor from a
	// holder of a certificate who is listed.
	ErrNotTrusted = errors.New("only programs of this machine may use the gateway's service account: loopback listener, loopback Host, no foreign Origin; or who has a client certificate that tls-client-allow names")
	// ErrOwnCredentials: the call brings Rainbow credentials to a service that acts as the service account.
	ErrOwnCredentials = errors.New("this service acts as the gateway's service account; call it without Rainbow credentials")
	// ErrBody: the body is not the JSON that it should be.
	ErrBody = errors.New("body")
	// ErrBodySize: the body is larger than the listener takes.
	ErrBodySize = errors.New("body too large")
	// ErrEncoding: a JSON body came with a Content-Encoding.
	ErrEncoding = errors.New("content encoding not supported for JSON bodies")
	// ErrPath: the path holds dot segments or is malformed.
	ErrPath = errors.New("path")
	// ErrNoRoute: nothing is served at the path.
	ErrNoRoute = errors.New("no such route")
	// ErrMethod: the path is served, but not with this method.
	ErrMethod = errors.New("method not allowed")
	// ErrRawOff: RawService is called where the catch-all is off.
	ErrRawOff = errors.New("raw calls are off on this listener; --catch-all=on (GATEWAY_CATCH_ALL) turns them on")
)

func faultOf(err error) fault {
	for _, f := range faults {
		if errors.Is(err, f.kind) {
			if f.text == "" {
				f.text = Scrub(err.Error())
			}
			return f
		}
	}
	return unknownFault
}

// Status turns an error of the dispatcher into what a gRPC caller gets: a canonical code with google.rpc details, and
// rainbow.errors.v1.UpstreamError when upstream answered. A gRPC status of a local service stays as it is.
func Status(err error) *status.Status {
	if err == nil {
		return nil
	}
	if answered := upstreamError(err); answered != nil {
		return answeredStatus(answered)
	}
	if st, ok := status.FromError(err); ok {
		return st
	}
	if refused := (*Violations)(nil); errors.As(err, &refused) {
		return refused.status(faultOf(err))
	}
	return faultOf(err).grpcStatus()
}

// HTTP is what a REST caller gets for an error of which there is no answer to pass on: the HTTP status and a sentence.
func HTTP(err error) (httpStatus int, text string) {
	if answered := upstreamError(err); answered != nil { // held back by the rate limit, in upstream's words
		return answered.Status, answeredText(answered)
	}
	if st, ok := status.FromError(err); ok {
		return httpFromCode(st.Code()), st.Message()
	}
	f := faultOf(err)
	return f.status, f.text
}

// upstreamError returns upstream's answer in err, unless the answer was to the gateway's own login.
func upstreamError(err error) *upstream.Error {
	var answered *upstream.Error
	if errors.Is(err, upstream.ErrCredentials) || errors.Is(err, upstream.ErrLogin) || !errors.As(err, &answered) {
		return nil
	}
	return answered
}

// Answered tells whether err is upstream's own answer to the call.
func Answered(err error) bool { return upstreamError(err) != nil }

// RetryAfter is when upstream's refusal in err asks to come back; 0 when it doesn't say.
func RetryAfter(err error) time.Duration {
	if answered := upstreamError(err); answered != nil {
		return retryAfter(answered)
	}
	return 0
}

// httpFromCode is the inverse that google.api.http's transcoding prescribes.
func httpFromCode(code codes.Code) int {
	switch code {
	case codes.OK:
		return http.StatusOK
	case codes.Canceled:
		return statusClientClosed
	case codes.InvalidArgument, codes.FailedPrecondition, codes.OutOfRange:
		return http.StatusBadRequest
	case codes.DeadlineExceeded:
		return http.StatusGatewayTimeout
	case codes.NotFound:
		return http.StatusNotFound
	case codes.AlreadyExists, codes.Aborted:
		return http.StatusConflict
	case codes.PermissionDenied:
		return http.StatusForbidden
	case codes.Unauthenticated:
		return http.StatusUnauthorized
	case codes.ResourceExhausted:
		return http.StatusTooManyRequests
	case codes.Unimplemented:
		return http.StatusNotImplemented
	case codes.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
