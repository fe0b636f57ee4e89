package rest

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// maxSegments bounds the depth of a path; Rainbow's deepest has 12.
const maxSegments = 32

// path is a request's path, split into decoded segments. It lives on the stack of the handler.
type path struct {
	segments [maxSegments]string // decoded
	n        int
	colon    bool // the last segment, as sent, holds a colon: it may end in a verb
}

// split takes an escaped path apart. It refuses dot segments however they are escaped, also such as hide behind an
// escaped slash; deeper paths than maxSegments are reported by ok.
func (p *path) split(escaped string) (ok bool, err error) {
	rest, found := strings.CutPrefix(escaped, "/")
	if !found {
		return false, fmt.Errorf("%w: does not begin with a slash", facade.ErrPath)
	}
	p.n = 0
	for {
		segment, tail, more := strings.Cut(rest, "/")
		if p.n == maxSegments {
			return false, nil
		}
		decoded, err := decodeSegment(segment)
		if err != nil {
			return false, err
		}
		p.segments[p.n] = decoded
		p.n++
		if !more {
			p.colon = strings.IndexByte(segment, ':') >= 0
			return true, nil
		}
		rest = tail
	}
}

func decodeSegment(segment string) (string, error) {
	decoded := segment
	if strings.IndexByte(segment, '%') >= 0 {
		var err error
		if decoded, err = url.PathUnescape(segment); err != nil {
			return "", fmt.Errorf("%w: malformed percent-encoding", facade.ErrPath)
		}
	}
	if upstream.HasDotSegment(decoded) {
		return "", fmt.Errorf("%w: dot segments are not taken", facade.ErrPath)
	}
	return decoded, nil
}

// escapedPath is the path as the caller escaped it, and what he should have escaped escaped. net/url would escape all of
// it anew then, from its decoded form, in which an escaped slash is a separator.
func escapedPath(u *url.URL) string {
	escaped := u.EscapedPath()
	if u.RawPath == "" || escaped == u.RawPath {
		return escaped
	}
	var b strings.Builder
	for i := range len(u.RawPath) {
		if c := u.RawPath[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"#<>?\\^`{|}", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// value is the text of a variable: one segment decoded; of several the slashes inside a segment stay escaped, so
// that the resource name keeps its parts.
func (p *path) value(v variable) string {
	if v.to == v.from+1 {
		return p.segments[v.from]
	}
	to := v.to
	if to < 0 {
		to = p.n
	}
	var b strings.Builder
	for i := v.from; i < to; i++ {
		if i > v.from {
			b.WriteByte('/')
		}
		b.WriteString(strings.ReplaceAll(p.segments[i], "/", "%2F"))
	}
	return b.String()
}
