package manifest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// RowResult is what became of one row of a manifest. All three are shown to people; none may hold a secret.
type RowResult struct {
	// Action is what was done: create, update, "detach, attach"; "none" when nothing was to be done.
	Action string
	// Result is one word, such as done, unchanged, failed or skipped.
	Result string
	// Message says more, such as Rainbow's refusal.
	Message string
}

// Annotate writes a CSV source back with three columns more, which say what became of each row. Results are found by the
// position of the row, as DesiredUser.Position and the operations of a plan have it; a row without one gets empty cells.
//
// All else stays as it is: comments, blank lines, order, delimiter, quotes, padding, line ends and byte order mark. Only
// the passwords are taken out, also those of rows that were made comments of. A source that was converted is written in
// UTF-8, with a byte order mark. What was written can be read as a manifest again: there the three columns are passed
// over, and Annotate replaces them.
//
// The source must be one that Read takes without a fault; any other is an error, and what was written of it is of no use.
func Annotate(ctx context.Context, w io.Writer, src Source, results map[bulksync.Position]RowResult, opts Options) error {
	r, err := newReader(opts)
	if err != nil {
		return err
	}
	a := &annotator{w: w, results: results, comment: byte(r.opts.Comment), password: -1}
	s, err := r.readHeader(src, a.head)
	if err != nil {
		return fmt.Errorf("manifest %s: %w", src.Name, err)
	}
	if err := r.findings.err(); err != nil {
		return err
	}
	if s == nil {
		return fmt.Errorf("manifest %s: no header", src.Name)
	}
	a.header(s)
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		found, broken := s.t.next()
		switch {
		case s.t.err != nil:
			return fmt.Errorf("manifest %s: %w", src.Name, s.t.err)
		case a.err != nil:
			return fmt.Errorf("manifest %s: its copy: %w", src.Name, a.err)
		case !found:
			return a.flush()
		case broken != nil || len(s.t.cells) != len(s.columns):
			return fmt.Errorf("%s: row can't be cut into the header's cells: the manifest is not the one that was applied", s.t.position(0))
		}
		result := results[s.t.position(0)]
		a.row([...]string{result.Action, result.Result, result.Message})
	}
}

// annotator copies one source.
type annotator struct {
	w        io.Writer
	results  map[bulksync.Position]RowResult
	t        *tokenizer
	comment  byte
	buf      []byte
	err      error
	columns  int // that are kept
	password int // index of its column, -1 without one
	// held are the comment lines before the header: only the header tells which of their cells may be passwords.
	held []byte
	line []byte
}

// head begins the copy, before the tokenizer passes anything over.
func (a *annotator) head(t *tokenizer) {
	a.t = t
	if t.marked || t.decoded {
		a.buf = append(a.buf, byteOrderMark...)
	}
	t.passed = func(b []byte) { a.held = append(a.held, b...) }
}

// header copies the header and knows the columns from now on.
func (a *annotator) header(s *sheet) {
	a.columns = len(s.columns)
	for i := range s.columns {
		switch s.columns[i].role() {
		case rolePassword:
			a.password = i
		case roleReport:
			a.columns = min(a.columns, i)
		}
	}
	a.t.passed = a.comments
	a.comments(a.held)
	a.held = nil
	password := a.password
	a.password = -1 // the header's own cell stays
	a.row(reportColumns)
	a.password = password
}

// comments copies what is passed over, line by line.
func (a *annotator) comments(b []byte) {
	for len(b) > 0 {
		i := bytes.IndexAny(b, "\r\n")
		if i < 0 {
			a.line = append(a.line, b...)
			return
		}
		a.line = append(a.line, b[:i]...)
		a.commentLine()
		a.buf = append(a.buf, b[i])
		b = b[i+1:]
	}
}

// commentLine copies a line that is passed over. A row that was made a comment of loses its password.
func (a *annotator) commentLine() {
	cells := bytes.Split(a.line, []byte{a.t.delimiter})
	if a.password >= 0 && len(cells) >= a.columns {
		cells[a.password] = nil
	}
	a.buf = append(a.buf, bytes.Join(cells, []byte{a.t.delimiter})...)
	a.line = a.line[:0]
}

// row copies the record at hand with more cells.
func (a *annotator) row(more [len(reportColumns)]string) {
	record := a.t.record
	end := a.endOf(a.columns - 1)
	from := 0
	if c := a.secret(); c != nil {
		a.buf = append(a.buf, record[:c.start]...)
		if from = c.to; c.marks&markQuoted != 0 {
			from++
		}
	}
	a.buf = append(a.buf, record[from:end]...)
	for _, text := range more {
		a.buf = append(a.buf, a.t.delimiter)
		a.buf = appendCell(a.buf, protect(strings.Join(strings.Fields(text), " ")), a.t.delimiter, a.comment)
	}
	a.buf = append(a.buf, record[len(bytes.TrimRight(record, "\r\n")):]...)
	if len(a.buf) > 64<<10 {
		a.write()
	}
}

// secret is the password cell of the record, nil when there is none or it is empty.
func (a *annotator) secret() *cell {
	if a.password < 0 || a.t.cells[a.password].from == a.t.cells[a.password].to {
		return nil
	}
	return &a.t.cells[a.password]
}

// endOf is where a cell of the record ends, with its padding.
func (a *annotator) endOf(i int) int {
	c := a.t.cells[i]
	end := c.to
	if c.marks&markQuoted != 0 {
		end++
	}
	for end < len(a.t.record) && a.t.record[end] != a.t.delimiter && a.t.record[end] != '\r' && a.t.record[end] != '\n' {
		end++
	}
	return end
}

func (a *annotator) flush() error {
	if len(a.line) > 0 {
		a.commentLine()
	}
	a.write()
	return a.err
}

func (a *annotator) write() {
	if a.err == nil {
		var n int
		if n, a.err = a.w.Write(a.buf); a.err == nil && n < len(a.buf) {
			a.err = errors.New("short write")
		}
	}
	a.buf = a.buf[:0]
}
