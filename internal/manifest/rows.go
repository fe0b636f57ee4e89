package manifest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// row is the row being read. The meanings of the actions are methods of it; their table names them (modes.go).
type row struct {
	r *reader
	s *sheet
	// user is what the row becomes; his lists are written over by the next row.
	user *bulksync.DesiredUser
	// offers is where the row's are collected; number, phone, public and secret are the row's, if it has them.
	offers []bulksync.Offer
	number [1]bulksync.Number
	phone  [1]bulksync.DeviceKey
	public [1]bulksync.E164
	secret bulksync.SecretPlace
}

func newRow(r *reader, s *sheet) *row {
	return &row{r: r, s: s, user: &bulksync.DesiredUser{}}
}

// read makes a user of the tokenizer's current record and reports what is wrong with it.
func (w *row) read() {
	if !w.complete() {
		return
	}
	if w.s.t.marks&^(markQuoted|markHigh) != 0 {
		for i := range w.s.t.cells {
			if w.s.t.cells[i].marks&^(markQuoted|markHigh) != 0 {
				w.r.reportMarks(w.s, i)
			}
		}
	}
	*w.user = bulksync.DesiredUser{Position: w.s.t.position(0), Attributes: w.user.Attributes[:0], Cells: w.user.Cells[:0]}
	w.user.Login = w.login()
	act := w.action()
	if act == nil {
		return
	}
	w.user.Action, w.user.Presence = act.name, act.presence
	act.read(w, w.user)
	w.r.claims.enter(w)
}

// complete tells whether the row has as many cells as the header (Rainbow CLI guide, mass provisioning: "the number of
// attributes should be always the same, so you have to add separator even if there is no more valuable information").
func (w *row) complete() bool {
	cells, want := w.s.t.cells, len(w.s.columns)
	if len(cells) == want {
		return true
	}
	p := &problem{code: codeCellCount, message: fmt.Sprintf("row has %s, the header has %d", plural(len(cells), "cell", "cells"), want)}
	d := string(rune(w.s.t.delimiter))
	at := len(cells) - 1
	switch {
	case len(cells) < want:
		p.hint = "empty cells keep their delimiter: add " + plural(want-len(cells), "delimiter", "delimiters") + " " + quote(d)
		if len(cells) == 1 {
			p.hint = "is this a comment? Then begin the line with " + string(w.r.opts.Comment) + "; otherwise " + p.hint
		}
	case !slices.ContainsFunc(cells[want:], func(c cell) bool { return c.text != "" }):
		at = want
		p.hint = "remove " + plural(len(cells)-want, "delimiter", "delimiters") + " from the end of the line"
	default:
		at = want
		p.hint = "a value that holds " + quote(d) + " must stand in double quotes"
	}
	w.r.report(w.s.t.position(cells[at].start), "", p)
	return false
}

// reportMarks makes faults of what the tokenizer noticed in a cell. What the cell holds is shown where it matters and can
// be no password.
func (r *reader) reportMarks(s *sheet, i int) {
	c, field := s.t.cells[i], s.columns[i].name
	raw := s.t.record[c.from:c.to]
	at := s.t.position(c.start)
	if c.marks&markQuote != 0 {
		r.report(at, field, &problem{codeBadQuote, "double quote inside a value that does not stand in quotes",
			`put the whole value into quotes and double those inside: "Jean ""JJ"" Martin"`})
	}
	if c.marks&markComment != 0 {
		sign := string(r.opts.Comment)
		r.report(at, field, &problem{codeCommentInCell, "comment character " + sign + " inside a value that does not stand in quotes",
			"put the value into double quotes; a comment has a line of its own, which begins with " + sign})
	}
	if c.marks&markControl != 0 {
		i := max(0, bytes.IndexFunc(raw, isControl))
		r.report(s.t.position(c.from+i), field, controlProblem(raw[i]))
	}
	if c.marks&markBreak != 0 {
		r.report(at, field, &problem{codeBreakInCell, "cell holds a line break", "write the value on one line: what Rainbow makes of several is not documented"})
	}
	if c.marks&markEncoding != 0 && !s.misencoded {
		s.misencoded = true
		show := s.columns[i].def != nil && s.columns[i].def.role != rolePassword
		r.report(s.t.position(c.from+invalidAt(raw)), field, notUTF8(raw, show))
	}
}

// isControl tells the characters that no value has; a tab and a line break are judged elsewhere.
func isControl(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f }

// controlProblem names a control character.
func controlProblem(c byte) *problem {
	if c == 0 {
		return &problem{codeControlInCell, "cell holds a NUL byte", "remove it; many of them mean that the file is damaged, or UTF-16 in part"}
	}
	return &problem{codeControlInCell, fmt.Sprintf("cell holds the control character U+%04X", c), "remove it; it is invisible in most editors"}
}

// cell gives the value of a column that stands alone and its index; ok is false when there is none to read: the column
// or the value is missing, or was reported already.
func (w *row) cell(as role) (text string, i int, ok bool) {
	if i = w.s.at[as]; i < 0 {
		return "", i, false
	}
	text, ok = w.value(i)
	return text, i, ok && text != ""
}

// value gives a cell's value, without the apostrophe that protects it; false when the cell was reported already.
func (w *row) value(i int) (string, bool) {
	c := &w.s.t.cells[i]
	if c.marks&^(markQuoted|markHigh) != 0 {
		return "", false
	}
	return unprotect(c.text), true
}

// fault reports what is wrong with a cell.
func (w *row) fault(i int, p *problem) {
	w.r.report(w.s.t.position(w.s.t.cells[i].start), w.s.columns[i].name, p)
}

func (w *row) login() bulksync.Login {
	text, i, ok := w.cell(roleLogin)
	if !ok {
		if i >= 0 && w.s.t.cells[i].text == "" {
			w.fault(i, &problem{codeMissingLogin, "row names no user: loginEmail is empty", "loginEmail is the key of the row"})
		}
		return ""
	}
	login, err := bulksync.ParseLogin(text)
	p := errorValue(text)
	if p == nil {
		p = apostrophe("loginEmail", text)
	}
	if p == nil && w.s.t.cells[i].marks&markHigh != 0 {
		p = lostCharacters(text)
	}
	if err == nil && p == nil {
		if w.s.t.cells[i].marks&markHigh != 0 && mixedAlphabets(text) {
			w.remark(i, mixedLogin(login))
		}
		return login
	}
	if p == nil {
		p = &problem{codeBadLogin, "loginEmail " + quote(text) + " is not an e-mail address", "write one address such as ann@demo.example"}
	}
	w.fault(i, p)
	return ""
}

// action finds what the row asks for; nil when that is not known. An action that few modes have settles the mode of the
// rows behind it.
func (w *row) action() *action {
	text, i, ok := w.cell(roleAction)
	modes := w.s.modes
	if !ok {
		switch {
		case i >= 0 && w.s.t.cells[i].text != "":
			return nil // reported
		case *modes&userMode != 0:
			text = defaultAction
		case i < 0:
			return findAction("upsert") // there is a fault already; the row is checked all the same
		default:
			w.fault(i, &problem{codeMissingAction, "row asks for nothing: __action__ is empty",
				"no default is documented for mode " + modes.String() + ": write " + orList(modes.actions())})
			return nil
		}
	}
	text = strings.TrimSpace(text)
	act := findAction(text)
	if act == nil || act.modes&*modes == 0 {
		w.fault(i, modes.refuse(text))
		return nil
	}
	*modes &= act.modes
	return act
}
