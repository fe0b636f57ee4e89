package jsoncodec

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// Limits bound a text. A limit of 0 is none for Bytes and 100 for Depth.
type Limits struct {
	Bytes int // size of the whole text
	Depth int // objects and arrays within each other
}

const defaultDepth = 100

// CheckError says what is wrong with a text and where. It holds no value of it.
type CheckError struct {
	Offset int // bytes from the beginning
	// Pointer is the JSON pointer of the value, or for a bad name of the object; "" is the document.
	Pointer string
	Reason  string
}

func (e *CheckError) Error() string {
	if e.Pointer == "" {
		return fmt.Sprintf("%s at byte %d", e.Reason, e.Offset)
	}
	return fmt.Sprintf("%s at byte %d (%s)", e.Reason, e.Offset, e.Pointer)
}

// Check makes sure that body may go upstream as it is: one well-formed JSON value, in UTF-8, within the limits, with
// no name twice in an object and nothing behind it. Names are compared decoded. Escapes of lone surrogates pass, since
// they are JSON and stay what they are. The error is a *CheckError.
func Check(body []byte, limits Limits) error {
	if limits.Bytes > 0 && len(body) > limits.Bytes {
		return &CheckError{Offset: limits.Bytes, Reason: fmt.Sprintf("JSON larger than %d bytes", limits.Bytes)}
	}
	c := checker{src: body, left: limits.Depth}
	if c.left == 0 {
		c.left = defaultDepth
	}
	pos, err := c.value(skipSpace(body, 0))
	if err != nil {
		return err
	}
	if pos = skipSpace(body, pos); pos < len(body) {
		return &CheckError{Offset: pos, Reason: reasonTrailer}
	}
	return nil
}

type checker struct {
	src  []byte
	left int // how much deeper it may go
}

func bad(offset int, reason string) *CheckError { return &CheckError{Offset: offset, Reason: reason} }

// fault makes a CheckError of a scanner's error.
func fault(err error) *CheckError {
	var e *SyntaxError
	if !errors.As(err, &e) {
		return bad(0, err.Error())
	}
	return bad(e.Offset, e.Reason)
}

func (c *checker) value(pos int) (int, *CheckError) {
	if pos >= len(c.src) {
		return pos, bad(pos, reasonEnd)
	}
	switch c.src[pos] {
	case '{', '[':
		return c.nested(pos)
	case '"':
		end, _, err := c.text(pos)
		return end, err
	}
	end, err := skipScalar(c.src, pos)
	if err != nil {
		return end, fault(err)
	}
	return end, nil
}

func (c *checker) nested(pos int) (end int, err *CheckError) {
	if c.left == 0 {
		return pos, bad(pos, reasonDepth)
	}
	c.left--
	if inner := skipSpace(c.src, pos+1); c.src[pos] == '{' {
		end, err = c.object(inner)
	} else {
		end, err = c.array(inner)
	}
	c.left++
	return end, err
}

func (c *checker) text(pos int) (int, text, *CheckError) {
	end, what, err := scanString(c.src, pos)
	if err != nil {
		return end, what, fault(err)
	}
	if what&hasNonASCII != 0 && !utf8.Valid(c.src[pos:end]) {
		return end, what, bad(pos, "string is not UTF-8")
	}
	return end, what, nil
}

func (c *checker) array(pos int) (int, *CheckError) {
	if pos < len(c.src) && c.src[pos] == ']' {
		return pos + 1, nil
	}
	for i := 0; ; i++ {
		end, err := c.value(pos)
		if err != nil {
			err.Pointer = "/" + strconv.Itoa(i) + err.Pointer
			return end, err
		}
		more := false
		if pos, more, err = c.next(end, ']'); err != nil || !more {
			return pos, err
		}
	}
}

func (c *checker) object(pos int) (int, *CheckError) {
	if pos < len(c.src) && c.src[pos] == '}' {
		return pos + 1, nil
	}
	var names names
	for {
		if pos < len(c.src) && c.src[pos] != '"' {
			return pos, bad(pos, reasonName)
		}
		end, what, err := c.text(pos)
		if err != nil {
			return end, err
		}
		name := c.src[pos+1 : end-1]
		if what&hasEscape != 0 {
			name = decodeName(name)
		}
		if !names.add(name) {
			return pos, &CheckError{Offset: pos, Pointer: pointerTo(name), Reason: "member name comes twice"}
		}
		colon, failure := skipColon(c.src, end)
		if failure != nil {
			return colon, fault(failure)
		}
		if end, err = c.value(skipSpace(c.src, colon)); err != nil {
			err.Pointer = pointerTo(name) + err.Pointer
			return end, err
		}
		more := false
		if pos, more, err = c.next(end, '}'); err != nil || !more {
			return pos, err
		}
	}
}

// next goes behind a comma (more) or the closing bracket.
func (c *checker) next(pos int, closing byte) (int, bool, *CheckError) {
	if pos = skipSpace(c.src, pos); pos >= len(c.src) {
		return pos, false, bad(pos, reasonEnd)
	}
	switch c.src[pos] {
	case ',':
		return skipSpace(c.src, pos+1), true, nil
	case closing:
		return pos + 1, false, nil
	}
	return pos, false, bad(pos, reasonComma)
}

// maxPointerName is how much of a name a pointer shows, in bytes.
const maxPointerName = 64

func pointerTo(name []byte) string {
	s := string(name)
	if len(s) > maxPointerName {
		s = s[:maxPointerName] + "..."
	}
	return "/" + escapePointer(s)
}

// decodeName gives the value of a name with escapes. A lone surrogate keeps its spelling, in lower case and behind a
// byte that no name can hold, so that it equals only itself.
func decodeName(body []byte) []byte {
	var out []byte
	for len(body) > 0 {
		i := bytes.IndexByte(body, '\\')
		if i < 0 {
			return append(out, body...)
		}
		out = append(out, body[:i]...)
		body = body[i:]
		r, n := unescape(body)
		if n == 0 {
			out = append(append(out, 0xff), bytes.ToLower(body[2:6])...)
			body = body[6:]
			continue
		}
		out = utf8.AppendRune(out, r)
		body = body[n:]
	}
	return out
}

// names is the set of names of one object: a list while it is short.
type names struct {
	few  [24][]byte
	n    int
	many map[string]struct{}
}

// add puts name into the set and tells whether it is new there.
func (s *names) add(name []byte) bool {
	if s.many != nil {
		if _, ok := s.many[string(name)]; ok {
			return false
		}
		s.many[string(name)] = struct{}{}
		return true
	}
	for _, other := range s.few[:s.n] {
		if bytes.Equal(other, name) {
			return false
		}
	}
	if s.n < len(s.few) {
		s.few[s.n] = name
		s.n++
		return true
	}
	s.many = map[string]struct{}{string(name): {}}
	for _, other := range s.few {
		s.many[string(other)] = struct{}{}
	}
	return true
}
