package manifest

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"
)

// The tokenizer is written by hand because encoding/csv refuses the padded quotes of the vendor's own sample
// ("Enterprise Demo" ;), has no column of a cell in characters, and, made lazy, swallows the rows after a quote that is
// never closed. This one reports such a quote once, at the cell that opens it, and goes on with the next line.

const (
	// maxQuoted is the most bytes that a quoted cell may have: a quote that is not closed by then never will be. No value
	// of Rainbow is nearly as long.
	maxQuoted = 64 << 10
	// maxRecord is the most bytes that a row may have.
	maxRecord = 1 << 20
)

// mark is what the tokenizer noticed in a cell; whoever reads the row makes faults of it.
type mark uint8

const (
	markQuoted   mark = 1 << iota // stood in quotes: blanks inside belong to the value
	markQuote                     // a quote inside an unquoted cell
	markComment                   // the comment character inside an unquoted cell
	markControl                   // a control character
	markHigh                      // a byte above ASCII
	markEncoding                  // not UTF-8
	markBreak                     // a line break inside quotes
)

// cell is one cell of the current record.
type cell struct {
	text  string
	start int // byte offset in the record of the value's first character, or of its opening quote
	marks mark
	// from and to are where the value stands in the record, as it is written.
	from, to int
}

// breakage is what keeps a record from being cut into cells. The tokenizer has gone on to the next line already.
type breakage struct {
	code  string
	start int // byte offset in the record
}

// class says what a byte means to the tokenizer.
type class uint8

const (
	ordinary class = iota
	delimiting
	breaking
	quoting
	commenting
	controlling
	high
)

// tokenizer cuts a CSV text into records of cells, holding no more of the text than the record at hand.
type tokenizer struct {
	name      string
	in        io.Reader
	window    []byte // read and not yet consumed
	buf       []byte // what window lies in
	eof       bool
	err       error // of reading, other than io.EOF
	delimiter byte
	comment   byte
	classes   [256]class
	line      int // of the window's first byte, from 1

	record []byte // the current record; valid until next
	at     int    // its first line
	cells  []cell
	spans  []span
	// passed, if set, is given what next passes over: comment lines, in pieces, and blank records.
	passed func([]byte)
	// marked: the text began with a byte order mark. decoded: it is converted on the way.
	marked, decoded bool
	marks           mark  // of all cells
	rows            int64 // records with cells so far
	taken           int64 // bytes of records so far
	copies          kept  // what the cells are parts of
}

// span is a cell before its text is taken.
type span struct {
	start, from, to int
	marks           mark
	doubled         bool
}

func newTokenizer(name string, in io.Reader) *tokenizer {
	return &tokenizer{name: name, in: in, line: 1}
}

// setSyntax fixes the delimiter and the comment character; it must be called before next.
func (t *tokenizer) setSyntax(delimiter, comment byte) {
	t.delimiter, t.comment = delimiter, comment
	for i := range t.classes {
		switch {
		case i >= utf8.RuneSelf:
			t.classes[i] = high
		case i < ' ' && i != '\t', i == 0x7f:
			t.classes[i] = controlling
		default:
			t.classes[i] = ordinary
		}
	}
	t.classes['\n'], t.classes['\r'], t.classes['"'] = breaking, breaking, quoting
	t.classes[comment], t.classes[delimiter] = commenting, delimiting
}

// fill reads more of the text; false when there is no more.
func (t *tokenizer) fill() bool {
	if t.eof {
		return false
	}
	free := len(t.buf) - len(t.window)
	if free < 32<<10 {
		size := max(128<<10, 2*len(t.buf))
		buf := make([]byte, size)
		copy(buf, t.window)
		t.buf = buf
	} else {
		copy(t.buf, t.window)
	}
	have := len(t.window)
	for range 100 {
		n, err := t.in.Read(t.buf[have:])
		t.window = t.buf[:have+n]
		if err != nil {
			t.eof = true
			if err != io.EOF {
				t.err = err
			}
			return n > 0
		}
		if n > 0 {
			return true
		}
	}
	t.eof, t.err = true, io.ErrNoProgress
	return false
}

// next gives the next record that is neither blank nor a comment line; false at the end. With a breakage, the record
// has no cells.
func (t *tokenizer) next() (bool, *breakage) {
	for {
		for len(t.window) == 0 {
			if !t.fill() {
				return false, nil
			}
		}
		if t.window[0] == t.comment {
			if !t.skipLine() {
				return false, nil
			}
			continue
		}
		n, broken := t.cut()
		if t.err != nil {
			return false, nil
		}
		t.record, t.window = t.window[:n], t.window[n:]
		t.at = t.line
		t.line += countBreaks(t.record)
		t.taken += int64(n)
		if broken != nil {
			t.cells, t.marks = t.cells[:0], markHigh
			return true, broken
		}
		if !t.blank() {
			t.take()
			return true, nil
		}
		t.pass(t.record)
	}
}

// cut finds the cells of the record at the start of the window and gives the record's length with its line break.
func (t *tokenizer) cut() (int, *breakage) {
	for {
		n, broken := t.scan(t.window)
		if n > 0 {
			return n, broken
		}
		if len(t.window) > maxRecord {
			n := len(t.window)
			t.eof = true
			return n, &breakage{code: codeRowTooLong}
		}
		if !t.fill() && t.err != nil {
			return 0, nil
		}
	}
}

// scan cuts one record off b; 0 means that b ends too early.
func (t *tokenizer) scan(b []byte) (int, *breakage) {
	t.spans = t.spans[:0]
	i := 0
	for {
		s := span{start: i}
		for i < len(b) && (b[i] == ' ' || b[i] == '\t') && b[i] != t.delimiter {
			i++
		}
		if i < len(b) && b[i] == '"' {
			s.start = i
			next, state := t.scanQuoted(b, &s)
			switch state {
			case cutShort:
				return 0, nil
			case unclosed:
				return t.resync(b, s.start, codeUnclosedQuote)
			case trailed:
				return t.resync(b, s.start, codeBadQuote)
			}
			i = next
		} else {
			i = t.scanPlain(b, i, &s)
		}
		if i == len(b) && !t.eof {
			return 0, nil
		}
		t.spans = append(t.spans, s)
		if i == len(b) {
			return i, nil
		}
		if b[i] == t.delimiter {
			i++
			continue
		}
		n := breakLength(b[i:], t.eof)
		if n == 0 {
			return 0, nil
		}
		return i + n, nil
	}
}

// scanPlain runs over an unquoted cell and gives the offset of what ends it.
func (t *tokenizer) scanPlain(b []byte, i int, s *span) int {
	from := i
loop:
	for ; i < len(b); i++ {
		switch t.classes[b[i]] {
		case ordinary:
		case delimiting, breaking:
			break loop
		case quoting:
			s.marks |= markQuote
		case commenting:
			s.marks |= markComment
		case controlling:
			s.marks |= markControl
		case high:
			s.marks |= markHigh
		}
	}
	to := i
	for to > from && (b[to-1] == ' ' || b[to-1] == '\t') {
		to--
	}
	s.from, s.to = from, to
	if from < to {
		s.start = from
	}
	return i
}

// The ways in which a quoted cell ends.
type ending uint8

const (
	closed ending = iota
	cutShort
	unclosed
	trailed
)

// scanQuoted runs over a quoted cell and the padding behind it.
func (t *tokenizer) scanQuoted(b []byte, s *span) (int, ending) {
	i := s.start + 1
	s.from, s.marks = i, markQuoted
	for {
		for i < len(b) && b[i] != '"' {
			switch t.classes[b[i]] {
			case breaking:
				s.marks |= markBreak
			case controlling:
				s.marks |= markControl
			case high:
				s.marks |= markHigh
			}
			i++
		}
		if i-s.from > maxQuoted || i == len(b) && t.eof {
			return 0, unclosed
		}
		if i == len(b) || i+1 == len(b) && !t.eof {
			return 0, cutShort
		}
		if i+1 == len(b) || b[i+1] != '"' {
			break
		}
		s.doubled = true
		i += 2
	}
	s.to = i
	i++
	for i < len(b) && (b[i] == ' ' || b[i] == '\t') && b[i] != t.delimiter {
		i++
	}
	if i == len(b) {
		if t.eof {
			return i, closed
		}
		return 0, cutShort
	}
	if b[i] == t.delimiter || b[i] == '\n' || b[i] == '\r' {
		return i, closed
	}
	return 0, trailed
}

// resync drops the record up to the end of the line on which the bad quote stands, so that the rows after it are read.
func (t *tokenizer) resync(b []byte, quote int, code string) (int, *breakage) {
	i := bytes.IndexAny(b[quote:], "\r\n")
	if i < 0 {
		if !t.eof {
			return 0, nil
		}
		return len(b), &breakage{code, quote}
	}
	n := breakLength(b[quote+i:], t.eof)
	if n == 0 {
		return 0, nil
	}
	return quote + i + n, &breakage{code, quote}
}

// blank tells whether the record says nothing: no cell has a value. Spreadsheets leave such rows behind the last one.
func (t *tokenizer) blank() bool {
	for i := range t.spans {
		if s := &t.spans[i]; s.from < s.to || s.marks != 0 {
			return false
		}
	}
	return true
}

// take makes the cells of the record's spans. The record is copied once, behind others; cells are parts of the copy.
func (t *tokenizer) take() {
	text := t.copies.keep(t.record)
	t.cells, t.marks = t.cells[:0], 0
	t.rows++
	for _, s := range t.spans {
		c := cell{text: text[s.from:s.to], start: s.start, marks: s.marks, from: s.from, to: s.to}
		if s.marks&markHigh != 0 {
			if !utf8.ValidString(c.text) {
				c.marks |= markEncoding
			} else if s.marks&markQuoted == 0 {
				c.text = strings.TrimSpace(c.text) // no-break spaces are padding, too
			}
		}
		if s.doubled {
			c.text = strings.ReplaceAll(c.text, `""`, `"`)
		}
		if s.marks&markQuoted != 0 && strings.TrimSpace(c.text) == "" {
			c.text = ""
		}
		t.marks |= c.marks
		t.cells = append(t.cells, c)
	}
}

// pass gives away what is passed over.
func (t *tokenizer) pass(b []byte) {
	if t.passed != nil {
		t.passed(b)
	}
}

// release lets go of what only reading needs: positions go on naming the file.
func (t *tokenizer) release() {
	t.in, t.window, t.buf, t.record, t.cells, t.spans = nil, nil, nil, nil, nil, nil
}

// left estimates how many more records there are, 0 when the reader does not tell how much it holds.
func (t *tokenizer) left() int {
	in, ok := t.in.(interface{ Len() int })
	if !ok || t.taken == 0 {
		return 0
	}
	return int(int64(in.Len()+len(t.window)) * t.rows / t.taken)
}
