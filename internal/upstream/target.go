package upstream

import (
	"errors"
	"net/url"
	"strings"
)

// checkTarget makes sure that a raw target is an origin-form request target whose path names what it seems to name:
// no dot segments however they are hidden, no backslashes, no blanks and control characters.
func checkTarget(target string) error {
	path, _, _ := strings.Cut(target, "?")
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		return errors.New("target does not begin with one '/'")
	}
	for i := range len(target) {
		if c := target[i]; c <= ' ' || c == 0x7f {
			return errors.New("target holds a blank or a control character")
		}
	}
	plain, err := url.PathUnescape(path)
	if err != nil {
		return errors.New("target holds a malformed escape")
	}
	if strings.ContainsAny(plain, "\\\x00") {
		return errors.New("target holds a backslash or a zero byte")
	}
	if HasDotSegment(plain) {
		return errors.New("target holds a dot segment")
	}
	return nil
}

// HasDotSegment tells whether a decoded path, or a part of one, has a segment "." or ".." in any reading that a server
// behind us may have: also behind a backslash, with parameters ("..;a=b", which servlet containers cut off), with
// blanks around it, or with escapes left, which some decode twice.
func HasDotSegment(plain string) bool {
	return anySegment(plain, func(segment string) bool { return segment == "." || segment == ".." })
}

// BelowAuthentication tells whether a path, escaped or not, may be one of the authentication portal, where the service
// account's token never goes. It errs on the safe side: a segment of that name anywhere, in any case, and in any of
// the readings of HasDotSegment.
func BelowAuthentication(path string) bool {
	return anySegment(path, func(segment string) bool { return strings.EqualFold(segment, "authentication") })
}

// anySegment tells whether one of the segments of a path is as asked, in the reading of the most lenient server.
func anySegment(path string, is func(segment string) bool) bool {
	path = unescapeAll(path)
	for more := true; more; {
		segment := path
		end := strings.IndexAny(path, `/\`)
		if more = end >= 0; more {
			segment, path = path[:end], path[end+1:]
		}
		name, _, _ := strings.Cut(segment, ";")
		if is(strings.TrimSpace(name)) {
			return true
		}
	}
	return false
}

// unescapeAll decodes what is escaped, up to three times over. A malformed escape stays as it is.
func unescapeAll(path string) string {
	for range 3 {
		if strings.IndexByte(path, '%') < 0 {
			break
		}
		path = unescapeOnce(path)
	}
	return path
}

func unescapeOnce(path string) string {
	var b strings.Builder
	for path != "" {
		i := strings.IndexByte(path, '%')
		if i < 0 {
			break
		}
		b.WriteString(path[:i])
		path = path[i:]
		part := path[:min(len(path), len("%XX"))]
		if plain, err := url.PathUnescape(part); err == nil {
			b.WriteString(plain)
		} else {
			part = part[:1]
			b.WriteString(part)
		}
		path = path[len(part):]
	}
	return b.String() + path
}
