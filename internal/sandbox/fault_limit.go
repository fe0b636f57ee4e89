package sandbox

import (
	"time"

	"golang.org/x/time/rate"
)

// Who shares a token bucket.
const (
	perAll     = "all"
	perAccount = "account"
	perToken   = "token"
)

// maxBuckets bounds what a rule remembers of callers. Beyond it all start with
// a full bucket again: a few requests too many pass.
const maxBuckets = 10_000

// buckets are the token buckets of one rule.
type buckets struct {
	limit Limit
	of    map[string]*rate.Limiter
}

// take takes a token out of the caller's bucket. When there is none, it answers
// false and how long it takes until there is.
func (b *buckets) take(q *requestFacts, now time.Time) (ok bool, retry time.Duration) {
	caller := ""
	switch b.limit.Per {
	case perAccount:
		caller = q.login
	case perToken:
		caller = q.token
	}
	bucket := b.of[caller]
	if bucket == nil {
		if len(b.of) >= maxBuckets || b.of == nil {
			b.of = map[string]*rate.Limiter{}
		}
		bucket = rate.NewLimiter(rate.Limit(b.limit.Rate), max(b.limit.Burst, 1))
		b.of[caller] = bucket
	}
	if bucket.AllowN(now, 1) {
		return true, 0
	}
	missing := 1 - bucket.TokensAt(now)
	return false, time.Duration(missing / b.limit.Rate * float64(time.Second))
}
