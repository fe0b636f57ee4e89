package upstream

import (
	"net/http"
	"strings"
)

// The credential headers, in canonical form. A call that brings one of the first four of credentialHeaders is a
// pass-through call; the challenge only accompanies x-rainbow-api-key.
const (
	headerAuthorization = "Authorization"
	headerAPIKey        = "X-Rainbow-Api-Key"
	headerAppAuth       = "X-Rainbow-App-Auth"
	headerAppToken      = "Apikey"
	headerChallenge     = "X-Rainbow-Challenge"

	headerRequestID  = "X-Rainbow-Request-Id"
	headerRetryAfter = "Retry-After"

	rainbowPrefix = "X-Rainbow-"
)

// allowedRequest lists, beside X-Rainbow-*, the request headers that go upstream. Everything else stays here:
// hop-by-hop headers, Host, Cookie, Forwarded, X-Forwarded-*, Grpc-Metadata-*.
func allowedRequest(name string) bool {
	switch name {
	case "Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "Content-Disposition", "Content-Encoding",
		"Content-Language", "Content-Md5", "Content-Type", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range",
		"If-Unmodified-Since", "Pragma", "Range", "User-Agent":
		return true
	}
	return strings.HasPrefix(name, rainbowPrefix)
}

// allowedAnswer lists, beside X-Rainbow-* and X-Ratelimit-*, the answer headers that go to the caller.
func allowedAnswer(name string) bool {
	switch name {
	case "Accept-Ranges", "Age", "Allow", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language",
		"Content-Location", "Content-Range", "Content-Type", "Date", "Etag", "Expires", "Last-Modified", "Link", "Location",
		"Pragma", "Retry-After", "Vary", "Warning", "Www-Authenticate", "X-Request-Id":
		return true
	}
	return strings.HasPrefix(name, rainbowPrefix) || strings.HasPrefix(name, "X-Ratelimit-")
}

// IsCredential tells whether a header, its name in canonical form, is a credential of Rainbow's, the challenge included.
func IsCredential(name string) bool { return isCredential(name) }

func isCredential(name string) bool {
	switch name {
	case headerAuthorization, headerAPIKey, headerAppAuth, headerAppToken, headerChallenge:
		return true
	}
	return false
}

// ForwardRequest copies the headers of h that may go upstream into a new header, without credentials.
func ForwardRequest(h http.Header) http.Header {
	return filter(h, func(name string) bool { return allowedRequest(name) && !isCredential(name) })
}

// ForwardAnswer copies the headers of h that may go to the caller into a new header. Content-Length is not among
// them: it belongs to the body.
func ForwardAnswer(h http.Header) http.Header { return filter(h, allowedAnswer) }

// keepAllowed is ForwardAnswer on the header of an answer that is nobody else's: in place.
func keepAllowed(h http.Header) http.Header {
	if _, hop := h["Connection"]; hop {
		return ForwardAnswer(h)
	}
	for name := range h {
		if !allowedAnswer(name) {
			if c := http.CanonicalHeaderKey(name); c == name || !allowedAnswer(c) {
				delete(h, name)
				continue
			}
			return ForwardAnswer(h)
		}
	}
	return h
}

// filter leaves out what Connection names, too: that is for one hop (RFC 9110, 7.6.1). It shares the value slices with
// h; nobody writes to them.
func filter(h http.Header, allowed func(string) bool) http.Header {
	out := make(http.Header, len(h))
	for name, values := range h {
		if c := http.CanonicalHeaderKey(name); allowed(c) {
			out[c] = values[:len(values):len(values)]
		}
	}
	for _, value := range h["Connection"] {
		for name := range strings.SplitSeq(value, ",") {
			delete(out, http.CanonicalHeaderKey(strings.TrimSpace(name)))
		}
	}
	return out
}
