package upstream

import (
	"context"
	"net/http"
)

// Caller is who a call is made for when it passes through: the headers that go upstream as they came. They are
// never stored or logged. A Caller without headers makes an anonymous call, which upstream refuses by itself; a
// context without a Caller uses the service account.
type Caller struct {
	// Header holds the credentials (Authorization, x-rainbow-api-key, x-rainbow-challenge, x-rainbow-app-auth,
	// APIKey) and, for calls that are not raw exchanges, the other X-Rainbow-* headers that shall go upstream.
	Header http.Header
}

// CallerFrom takes what a Caller holds from the headers of a request. Found is false when none of Authorization,
// x-rainbow-api-key, x-rainbow-app-auth and APIKey is there, that is when the call does not pass through.
func CallerFrom(h http.Header) (caller Caller, found bool) {
	out := http.Header{}
	for name, values := range h {
		c := http.CanonicalHeaderKey(name)
		if isCredential(c) || (len(c) > len(rainbowPrefix) && c[:len(rainbowPrefix)] == rainbowPrefix) {
			out[c] = values[:len(values):len(values)]
			found = found || (isCredential(c) && c != headerChallenge)
		}
	}
	return Caller{Header: out}, found
}

type callerKey struct{}

// WithCaller returns a context whose calls pass through with the caller's own credentials.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// callerFrom returns the Caller of ctx and whether there is one.
func callerFrom(ctx context.Context) (Caller, bool) {
	c, ok := ctx.Value(callerKey{}).(Caller)
	return c, ok
}
