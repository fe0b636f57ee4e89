package manifest

import (
	"bytes"
	"unicode/utf8"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// skipLine drops the line at hand, however long it is; false when reading failed.
func (t *tokenizer) skipLine() bool {
	for {
		if i := bytes.IndexAny(t.window, "\r\n"); i >= 0 {
			if n := breakLength(t.window[i:], t.eof); n > 0 {
				t.pass(t.window[:i+n])
				t.window = t.window[i+n:]
				t.line++
				return true
			}
			t.pass(t.window[:i])
			t.window = t.window[i:]
		} else {
			t.pass(t.window)
			t.window = t.window[len(t.window):]
		}
		if !t.fill() {
			if len(t.window) > 0 { // a lone carriage return at the very end
				t.pass(t.window)
				t.window, t.line = nil, t.line+1
			}
			return t.err == nil
		}
	}
}

// breakLength is the length of the line break that b begins with; 0 when more of the text is needed to tell.
func breakLength(b []byte, eof bool) int {
	switch {
	case b[0] == '\n':
		return 1
	case len(b) > 1 && b[1] == '\n':
		return 2
	case len(b) > 1 || eof:
		return 1
	}
	return 0
}

// position is the place of a byte of the current record.
func (t *tokenizer) position(offset int) bulksync.Position {
	if t.marks&(markHigh|markBreak) == 0 { // a character is a byte
		return bulksync.Position{File: t.name, Line: t.at, Column: offset + 1}
	}
	before := t.record[:offset]
	line := t.at
	if start := bytes.LastIndexAny(before, "\r\n"); start >= 0 {
		line += countBreaks(before)
		before = before[start+1:]
	}
	return bulksync.Position{File: t.name, Line: line, Column: utf8.RuneCount(before) + 1}
}

// countBreaks counts line breaks: LF, CRLF and CR alone are one each.
func countBreaks(b []byte) int {
	n := bytes.Count(b, []byte{'\n'})
	for i := bytes.IndexByte(b, '\r'); i >= 0; {
		if i+1 == len(b) || b[i+1] != '\n' {
			n++
		}
		next := bytes.IndexByte(b[i+1:], '\r')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return n
}
