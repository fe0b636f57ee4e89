package upstream

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// throttle is the request budget of the service account. After a 429 everybody waits, not only the call that got it.
type throttle struct {
	limiter *rate.Limiter // nil: no limit
	until   atomic.Int64  // Unix nanoseconds before which nothing is sent
	longest time.Duration // a longer wait is refused at once
}

func newThrottle(perSecond float64, burst int, longest time.Duration) *throttle {
	t := &throttle{longest: longest}
	if perSecond > 0 {
		t.limiter = rate.NewLimiter(rate.Limit(perSecond), max(burst, 1))
	}
	return t
}

// longestHold bounds what one answer can do to the account: a Retry-After may be a date read by a wrong clock.
const longestHold = time.Hour

// hold makes everybody wait for d, at most an hour.
func (t *throttle) hold(d time.Duration) {
	until := time.Now().Add(min(d, longestHold)).UnixNano()
	for {
		old := t.until.Load()
		if old >= until || t.until.CompareAndSwap(old, until) {
			return
		}
	}
}

// wait returns when k may be sent. A wait that is longer than the context lasts, or than calls wait at all, fails at
// once: with a deadline error, or with a 429 in upstream's place.
func (t *throttle) wait(ctx context.Context, k *call) error {
	for {
		left := time.Until(time.Unix(0, t.until.Load()))
		if left <= 0 {
			break
		}
		busy := &Error{Status: http.StatusTooManyRequests, Msg: "upstream asked to wait", Method: k.method, Path: k.path, RetryAfter: left, unsure: k.unsure}
		if left > k.patience(ctx, t.longest) {
			return busy
		}
		k.held += left
		if err := sleep(ctx, left); ctx.Err() != nil {
			return k.unsent(err, nil)
		} else if err != nil { // the caller's time ends before that
			return busy
		}
	}
	if t.limiter == nil {
		return nil
	}
	if err := t.limiter.Wait(ctx); err != nil {
		if ctx.Err() != nil {
			return k.unsent(ctx.Err(), nil)
		}
		return k.unsent(context.DeadlineExceeded, err)
	}
	return nil
}

type patienceKey struct{}

// WithPatience bounds how long a call may be held back, in all, because upstream asked to wait: what would take longer is
// answered at once with a 429 and when to come back. Without it a call waits as long as Retry.Elapsed allows.
func WithPatience(ctx context.Context, longest time.Duration) context.Context {
	return context.WithValue(ctx, patienceKey{}, longest)
}

// patience is what is left of the caller's patience, if he has said how much he has, and at most longest.
func (k *call) patience(ctx context.Context, longest time.Duration) time.Duration {
	if own, ok := ctx.Value(patienceKey{}).(time.Duration); ok {
		return min(own-k.held, longest)
	}
	return longest
}

// sleep waits for d. It fails at once when ctx ends before that.
func sleep(ctx context.Context, d time.Duration) error {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
		return context.DeadlineExceeded
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
