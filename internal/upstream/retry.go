package upstream

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// What is repeated, and when:
//
//	failure                              repeated for
//	-----------------------------------------------------------------------------------------------------
//	no connection, no token              every method: nothing was sent
//	429                                  every method: nothing was done; after Retry-After, else 10 s
//	connection lost, answer too late     GET and what the option idempotent names
//	408, 500, 502, 503, 504              GET and what the option idempotent names; after Retry-After if given
//	401 "jwt expired"                    every method, once, with a new token of the service account
//
// Not repeated at all: raw exchanges that pass through (their caller gets what upstream says and decides), and
// requests whose body is a stream. Everything else goes upstream once.

// defaultRetryAfter is what the vendor's SDK waits after a 429 that doesn't say how long.
const defaultRetryAfter = 10 * time.Second

// send makes the call, with repetitions. The error is a *callError or, held back by the throttle, an *Error;
// answers of any status are no error.
func (c *Client) send(ctx context.Context, k *call) (*answer, error) {
	var pauses *backoff.ExponentialBackOff
	began := time.Now()
	renewed := false
	for n := 1; ; n++ {
		a, token, err := c.attempt(ctx, k)
		if err == nil && token != "" && !renewed && a.expired() {
			c.session.drop(token)
			if k.reader == nil {
				renewed = true
				a.discard()
				continue
			}
		}
		pause, again := k.again(a, err)
		if a != nil && a.status == http.StatusTooManyRequests && token != "" {
			c.throttle.hold(max(pause, retryAfter(a.status, a.header)))
		}
		if !again || n >= c.opts.Retry.Attempts {
			return a, err
		}
		if pauses == nil {
			pauses = c.opts.Retry.pauses()
		}
		pause = max(pause, pauses.NextBackOff())
		if time.Since(began)+pause > c.opts.Retry.Elapsed || pause > k.patience(ctx, pause) {
			return a, err
		}
		k.held += pause
		if failed := sleep(ctx, pause); failed != nil && ctx.Err() == nil {
			return a, err // no time left for another attempt: what there is counts
		} else if failed != nil {
			k.unsure = k.unsure || k.maybeDone(a, err)
			a.discard()
			return nil, k.unsent(ctx.Err(), nil)
		}
		k.unsure = k.unsure || k.maybeDone(a, err)
		a.discard()
	}
}

func (r Retry) pauses() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = r.First, r.Longest
	b.Reset()
	return b
}

// again judges an attempt: whether to make another, and what upstream wants to have passed before it.
func (k *call) again(a *answer, err error) (pause time.Duration, again bool) {
	if !k.retry || k.reader != nil {
		return 0, false
	}
	if err != nil {
		e := (*callError)(nil)
		if !errors.As(err, &e) || !e.again {
			return 0, false
		}
		if answered := (*Error)(nil); errors.As(err, &answered) { // the login's
			pause = answered.RetryAfter
		}
		return pause, true
	}
	return retryAfter(a.status, a.header), a.status == http.StatusTooManyRequests || (k.repeatable && mayPass(a.status))
}

// mayPass tells whether a status is of a trouble that passes by itself.
func mayPass(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// maybeDone tells whether an attempt that is repeated may have been carried out.
func (k *call) maybeDone(a *answer, err error) bool {
	if a == nil {
		return Unknown(err)
	}
	return (&Error{Status: a.status, RetryAfter: retryAfter(a.status, a.header)}).maybeDone()
}

// retryAfter reads the Retry-After header, in seconds or as a date. A 429 without one means 10 s.
func retryAfter(status int, h http.Header) time.Duration {
	text := strings.TrimSpace(h.Get(headerRetryAfter))
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if date, err := http.ParseTime(text); err == nil {
		return max(time.Until(date), 0)
	}
	if status == http.StatusTooManyRequests {
		return defaultRetryAfter
	}
	return 0
}

// expired tells whether upstream refused the call because its token ran out: a 401 whose errorDetails is exactly
// "jwt expired" (Rainbow Node SDK; no other 401 means that). The body can be read again afterwards.
func (a *answer) expired() bool {
	if a.status != http.StatusUnauthorized {
		return false
	}
	body := a.body
	if a.stream != nil {
		const peek = 64 << 10
		body, _ = io.ReadAll(io.LimitReader(a.stream, peek))
		a.stream = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(body), a.stream), a.stream}
	}
	plain, err := decompress(a.header, body, maxErrorText)
	return err == nil && string(parseEnvelope(plain).Details) == `"jwt expired"`
}
