package jsoncodec

import (
	"bytes"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// SyntaxError says where a text stops being JSON. It never holds the text.
type SyntaxError struct {
	Offset int // bytes from the beginning
	Reason string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("%s at byte %d", e.Reason, e.Offset) }

func syntax(offset int, reason string) error { return &SyntaxError{Offset: offset, Reason: reason} }

// The reasons that are met in more than one place.
const (
	reasonEnd     = "unexpected end of JSON"
	reasonValue   = "invalid JSON value"
	reasonString  = "invalid JSON string"
	reasonNumber  = "invalid JSON number"
	reasonName    = "expected a member name"
	reasonColon   = "expected ':'"
	reasonComma   = "expected ',' or the closing bracket"
	reasonTrailer = "something after the JSON value"
	reasonDepth   = "JSON nested too deep"
)

// skipSpace returns the position of the next byte that isn't white space.
func skipSpace(src []byte, pos int) int {
	for pos < len(src) && (src[pos] == ' ' || src[pos] == '\n' || src[pos] == '\t' || src[pos] == '\r') {
		pos++
	}
	return pos
}

// text says what is in a string.
type text uint8

const (
	hasEscape   text = 1 << iota // a backslash
	hasNonASCII                  // a byte above 0x7f; not known to be UTF-8
)

// plain tells which bytes of a string need no attention.
var plain = func() (t [256]bool) {
	for c := 0x20; c < 0x80; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// scanString returns the position behind the string that begins at pos.
func scanString(src []byte, pos int) (int, text, error) {
	var what text
	if pos >= len(src) {
		return pos, 0, syntax(pos, reasonEnd)
	}
	if src[pos] != '"' {
		return pos, 0, syntax(pos, reasonString)
	}
	pos++
	for pos < len(src) {
		c := src[pos]
		switch {
		case plain[c]:
			pos++
		case c == '"':
			return pos + 1, what, nil
		case c == '\\':
			what |= hasEscape
			n := escapeLength(src[pos:])
			if n == 0 {
				return pos, 0, syntax(pos, reasonString)
			}
			pos += n
		case c < 0x20:
			return pos, 0, syntax(pos, reasonString)
		default:
			what |= hasNonASCII
			pos++
		}
	}
	return pos, 0, syntax(pos, reasonEnd)
}

// escapeLength is the length of the escape that src begins with, 0 if it is none.
func escapeLength(src []byte) int {
	if len(src) < 2 {
		return 0
	}
	switch src[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hex4(src[2:]); ok {
			return 6
		}
	}
	return 0
}

func hex4(src []byte) (rune, bool) {
	if len(src) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range src[:4] {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// appendUnquoted appends the value of the body of a scanned string (without its quotes). ok is false when that is
// not text: a lone surrogate or invalid UTF-8; dst is then returned as it was.
func appendUnquoted(dst, body []byte, what text) (out []byte, ok bool) {
	if what&hasNonASCII != 0 && !utf8.Valid(body) {
		return dst, false
	}
	if what&hasEscape == 0 {
		return append(dst, body...), true
	}
	start := len(dst)
	for len(body) > 0 {
		i := bytes.IndexByte(body, '\\')
		if i < 0 {
			return append(dst, body...), true
		}
		dst = append(dst, body[:i]...)
		r, n := unescape(body[i:])
		if n == 0 {
			return dst[:start], false
		}
		dst = utf8.AppendRune(dst, r)
		body = body[i+n:]
	}
	return dst, true
}

// unescape decodes the well-formed escape that src begins with; n is 0 for a lone surrogate.
func unescape(src []byte) (r rune, n int) {
	switch src[1] {
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
	default:
		return rune(src[1]), 2
	}
	r, _ = hex4(src[2:])
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if len(src) >= 12 && src[6] == '\\' && src[7] == 'u' {
		if low, ok := hex4(src[8:]); ok {
			if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
				return r, 12
			}
		}
	}
	return 0, 0
}

const hexDigits = "0123456789abcdef"

// appendString appends s, which is UTF-8, as a JSON string. Only what must be escaped is.
func appendString[T string | []byte](dst []byte, s T) []byte {
	dst = append(dst, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if plain[c] || c >= 0x80 {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"')
}

// skipValue returns the position behind the value that begins at pos. It needs no stack of its own, so that any depth
// will do.
func skipValue(src []byte, pos int) (int, error) {
	var nesting []byte // the open brackets
	for {
		var err error
		if pos = skipSpace(src, pos); pos >= len(src) {
			return pos, syntax(pos, reasonEnd)
		}
		switch c := src[pos]; c {
		case '{', '[':
			nesting = append(nesting, c)
			next := skipSpace(src, pos+1)
			if next < len(src) && src[next] == c+2 { // ASCII: '{'+2 is '}', '['+2 is ']'
				nesting, pos = nesting[:len(nesting)-1], next+1
				break
			}
			if pos = next; c == '{' {
				if pos, err = skipName(src, pos); err != nil {
					return pos, err
				}
			}
			continue
		default:
			if pos, err = skipScalar(src, pos); err != nil {
				return pos, err
			}
		}
		if pos, nesting, err = skipClosing(src, pos, nesting); err != nil || len(nesting) == 0 {
			return pos, err
		}
	}
}

// skipClosing goes behind what follows a value: closing brackets, then a comma and in an object the next name.
func skipClosing(src []byte, pos int, nesting []byte) (int, []byte, error) {
	for len(nesting) > 0 {
		open := nesting[len(nesting)-1]
		if pos = skipSpace(src, pos); pos >= len(src) {
			return pos, nil, syntax(pos, reasonEnd)
		}
		switch src[pos] {
		case open + 2:
			nesting = nesting[:len(nesting)-1]
			pos++
			continue
		case ',':
			pos++
		default:
			return pos, nil, syntax(pos, reasonComma)
		}
		if open == '[' {
			return pos, nesting, nil
		}
		pos, err := skipName(src, skipSpace(src, pos))
		return pos, nesting, err
	}
	return pos, nesting, nil
}

// skipName goes behind a member name and its colon.
func skipName(src []byte, pos int) (int, error) {
	if pos < len(src) && src[pos] != '"' {
		return pos, syntax(pos, reasonName)
	}
	pos, _, err := scanString(src, pos)
	if err != nil {
		return pos, err
	}
	return skipColon(src, pos)
}

func skipColon(src []byte, pos int) (int, error) {
	if pos = skipSpace(src, pos); pos >= len(src) {
		return pos, syntax(pos, reasonEnd)
	}
	if src[pos] != ':' {
		return pos, syntax(pos, reasonColon)
	}
	return pos + 1, nil
}

func skipScalar(src []byte, pos int) (int, error) {
	switch src[pos] {
	case '"':
		pos, _, err := scanString(src, pos)
		return pos, err
	case 't':
		return skipLiteral(src, pos, "true")
	case 'f':
		return skipLiteral(src, pos, "false")
	case 'n':
		return skipLiteral(src, pos, "null")
	default:
		return scanNumber(src, pos)
	}
}

func skipLiteral(src []byte, pos int, literal string) (int, error) {
	if len(src)-pos < len(literal) || string(src[pos:pos+len(literal)]) != literal {
		return pos, syntax(pos, reasonValue)
	}
	return pos + len(literal), nil
}
