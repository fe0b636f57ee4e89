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
	// APIKey) and, for calls that are not raw exchanges, the other X-Rainbow-* headers that shall go upstream. Nothing else
	// of it is looked at, so that for a raw exchange it may be the header of the request. It is only read.
	Header http.Header
}

// CallerFrom takes what a Caller holds from the headers of a request. Found is false when the call does not pass through.
func CallerFrom(h http.Header) (caller Caller, found bool) {
	out := http.Header{}
	for name, values := range h {
		c := http.CanonicalHeaderKey(name)
		if isCredential(c) || (len(c) > len(rainbowPrefix) && c[:len(rainbowPrefix)] == rainbowPrefix) {
			out[c] = values[:len(values):len(values)]
		}
	}
	return Caller{Header: out}, PassesThrough(out)
}

// PassesThrough tells whether headers, their names in canonical form, make a call pass through: whether there is any of
// Authorization, x-rainbow-api-key, x-rainbow-app-auth and APIKey.
func PassesThrough(h http.Header) bool {
	for _, name := range [...]string{headerAuthorization, headerAPIKey, headerAppAuth, headerAppToken} {
		if _, found := h[name]; found {
			return true
		}
	}
	return false
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
