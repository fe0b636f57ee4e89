package upstream_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	rvcpprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// A caller is told when to come back rather than kept for longer than he has patience, or time.
func TestCallersAreNotKeptWaitingForLong(t *testing.T) {
	p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Retry-After", "100")
		answerError(w, 429, 0, `"slow down"`)
	})
	ddis := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client())
	began := time.Now()
	for _, name := range []string{"the call that was refused", "the next one, which is not sent", "one with a deadline"} {
		ctx := upstream.WithPatience(t.Context(), time.Second)
		if name == "one with a deadline" {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(t.Context(), 90*time.Second)
			defer cancel()
		}
		err := get(ctx, ddis)
		var e *upstream.Error
		if !errors.As(err, &e) || e.Status != 429 || e.RetryAfter < 90*time.Second || e.RetryAfter > 100*time.Second {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if took := time.Since(began); took > 10*time.Second || len(p.requests()) != 1 {
		t.Errorf("took %v, %d requests", took, len(p.requests()))
	}
}

// TestPatienceIsForAllWaitsTogether: each wait was measured by itself, so that a caller with ten seconds waited for thirty.
func TestPatienceIsForAllWaitsTogether(t *testing.T) {
	p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Retry-After", "1")
		answerError(w, 429, 0, `"slow down"`)
	})
	ddis := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client())
	began := time.Now()
	err := get(upstream.WithPatience(t.Context(), 1500*time.Millisecond), ddis)
	if e := (*upstream.Error)(nil); !errors.As(err, &e) || e.Status != 429 {
		t.Errorf("got %v", err)
	}
	if took := time.Since(began); took < time.Second || took > 1900*time.Millisecond || len(p.requests()) != 2 {
		t.Errorf("took %v, %d requests", took, len(p.requests()))
	}
}

// An answer that never ends is a matter of time, not of a broken connection.
func TestAnAnswerThatDoesNotEndIsTooLate(t *testing.T) {
	p := newPortal(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"data":[`)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	c := p.client(func(o *upstream.Options) { o.AnswerTimeout, o.Retry.Attempts = 100*time.Millisecond, 1 })
	err := get(t.Context(), rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(c))
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, upstream.ErrUnreachable) {
		t.Errorf("got %v", err)
	}
}
