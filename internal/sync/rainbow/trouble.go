package rainbow

import (
	"context"
	"errors"
	"net/http"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	errorsv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/errors/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// trouble tells whether an error is one that passes when upstream is left alone for a while; nil when it is not.
func trouble(err error) *bulksync.Trouble {
	var answered *upstream.Error
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, upstream.ErrNoAccount), errors.Is(err, upstream.ErrCredentials):
		return nil
	case errors.As(err, &answered):
		return answerTrouble(err, answered.Status, answered.RetryAfter)
	case errors.Is(err, upstream.ErrUnreachable), errors.Is(err, upstream.ErrLogin), errors.Is(err, context.DeadlineExceeded):
		return &bulksync.Trouble{Kind: bulksync.Down, Cause: err}
	}
	if st, ok := status.FromError(err); ok {
		return statusTrouble(err, st)
	}
	return nil
}

// throttledFor is how long a 429 without Retry-After keeps a run from calling (the vendor's SDK waits as long).
const throttledFor = 10 * time.Second

func answerTrouble(err error, httpStatus int, after time.Duration) *bulksync.Trouble {
	switch {
	case httpStatus == http.StatusTooManyRequests:
		if after == 0 {
			after = throttledFor
		}
		return &bulksync.Trouble{Kind: bulksync.Throttled, After: after, Cause: err}
	case httpStatus == http.StatusServiceUnavailable && after > 0:
		return &bulksync.Trouble{Kind: bulksync.Busy, After: after, Cause: err}
	case httpStatus >= 500 || httpStatus == http.StatusRequestTimeout:
		return &bulksync.Trouble{Kind: bulksync.Down, After: after, Cause: err}
	}
	return nil
}

// statusTrouble reads what the gateway's gRPC door made of an error.
func statusTrouble(err error, st *status.Status) *bulksync.Trouble {
	var answered *errorsv1.UpstreamError
	var after time.Duration
	reason := ""
	for _, d := range st.Details() {
		switch d := d.(type) {
		case *errorsv1.UpstreamError:
			answered = d
		case *errdetails.ErrorInfo:
			reason = d.GetReason()
		case *errdetails.RetryInfo:
			after = d.GetRetryDelay().AsDuration()
		}
	}
	switch {
	case answered != nil:
		return answerTrouble(err, int(answered.GetHttpStatus()), after)
	case reason == "NO_ACCOUNT" || reason == "ACCOUNT_REFUSED" || reason == "NOT_TRUSTED" || reason == "OWN_CREDENTIALS":
		return nil
	}
	switch st.Code() {
	case codes.ResourceExhausted:
		return answerTrouble(err, http.StatusTooManyRequests, after)
	case codes.Unavailable, codes.DeadlineExceeded:
		return &bulksync.Trouble{Kind: bulksync.Down, After: after, Cause: err}
	}
	return nil
}

// passing marks an error that the engine may wait out.
func passing(err error) error {
	if t := trouble(err); t != nil {
		return t
	}
	return err
}

// Probe sees whether upstream is there, by a list of one user.
func (t *Target) Probe(ctx context.Context, company bulksync.Company) error {
	one := int32(1)
	_, err := t.users.ListUsers(upstream.WithPatience(ctx, 0), &adminv1.ListUsersRequest{CompanyId: &company.ID, Limit: &one})
	return passing(err)
}
