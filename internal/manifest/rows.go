package manifest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// row is the row being read. Its methods upsertVoice to nothing are the meanings of the actions; the modes' table
// names them.
type row struct {
	r *reader
	s *sheet
	// user is what the row becomes.
	user *bulksync.DesiredUser
}

// read makes a user of the tokenizer's current record and reports what is wrong with it.
func (w *row) read() {
	if !w.complete() {
		return
	}
	for i := range w.s.t.cells {
		if w.s.t.cells[i].marks&^(markQuoted|markHigh) != 0 {
			w.r.reportMarks(w.s, i, w.s.columns[i].name)
		}
	}
	user := bulksync.DesiredUser{Position: w.s.t.position(0)}
	w.user = &user
	user.Login = w.login()
	act := w.action()
	if act == nil {
		return
	}
	user.Action, user.Presence = act.name, act.presence
	act.read(w, &user)
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

// reportMarks makes faults of what the tokenizer noticed in a cell. None shows the cell: it may be a password.
func (r *reader) reportMarks(s *sheet, i int, field string) {
	c := s.t.cells[i]
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
		r.report(at, field, &problem{codeControlInCell, "cell holds a control character", "remove it; it is invisible in most editors"})
	}
	if c.marks&markBreak != 0 {
		r.report(at, field, &problem{codeBreakInCell, "cell holds a line break", "write the value on one line: what Rainbow makes of several is not documented"})
	}
	if c.marks&markEncoding != 0 && !s.misencoded {
		s.misencoded = true
		r.report(at, field, &problem{codeNotUTF8, "cell is not UTF-8, probably Latin-1 (Windows-1252); other cells may be likewise", saveAs})
	}
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

// keep remembers where a cell stands, for faults that only the planner can find.
func (w *row) keep(i int) { w.keepAs(w.s.columns[i].name, i) }

func (w *row) keepAs(name string, i int) {
	if w.user.Cells == nil {
		w.user.Cells = make(map[string]bulksync.Position, 4)
	}
	w.user.Cells[name] = w.s.t.position(w.s.t.cells[i].start)
}

// follows tells whether a numbered column comes right behind a filled one of its family.
func (w *row) follows(c *column, before bulksync.Attribute) bool {
	return before.Value != "" && before.Name == c.def.name+strconv.Itoa(c.place-1)
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
	if err == nil {
		return login
	}
	p := errorValue(text)
	if p == nil {
		p = &problem{codeBadLogin, "loginEmail " + quote(text) + " is not an e-mail address", "write one address such as ann@demo.example"}
	}
	w.fault(i, p)
	return ""
}

// action finds what the row asks for; nil when that is not known. Without the column, which was reported, rows are
// checked as upsert.
func (w *row) action() *action {
	text, i, ok := w.cell(roleAction)
	if i < 0 {
		return w.s.mode.action("upsert")
	}
	if !ok {
		if w.s.t.cells[i].text == "" {
			w.fault(i, &problem{codeMissingAction, "row asks for nothing: __action__ is empty",
				"no default is documented for mode " + w.s.mode.name + ": write " + w.s.mode.allowed()})
		}
		return nil
	}
	text = strings.TrimSpace(text)
	act := w.s.mode.action(text)
	if act == nil {
		w.fault(i, w.s.mode.refuse(text))
	}
	return act
}

// attributes reads the descriptive columns. An empty cell says nothing, or clears the value when cleared is set.
func (w *row) attributes(cleared bool) {
	r, start := w.r, len(w.r.attributes)
	if need := len(w.s.attributes); cap(r.attributes)-start < need {
		r.attributes, start = make([]bulksync.Attribute, 0, max(4096, need)), 0
	}
	for _, i := range w.s.attributes {
		text, ok := w.value(i)
		if !ok || text == "" && !cleared {
			continue
		}
		if text != "" {
			normal, p := w.s.columns[i].def.check(r.values, text)
			if p != nil {
				w.fault(i, p)
				continue
			}
			text = normal
		}
		if c := &w.s.columns[i]; c.place > 0 && (len(r.attributes) == start || !w.follows(c, r.attributes[len(r.attributes)-1])) {
			w.keepAs(c.attribute, i) // a gap unless the user has the ones before: the planner can tell
		}
		r.attributes = append(r.attributes, bulksync.Attribute{Name: w.s.columns[i].attribute, Value: text})
	}
	if end := len(r.attributes); end > start {
		w.user.Attributes = r.attributes[start:end:end]
	}
}

// password reads the secret of a user who may have to be created. It is taken as it stands, quotes and padding aside.
func (w *row) password() {
	i := w.s.at[rolePassword]
	if i < 0 || w.s.t.cells[i].text == "" || w.s.t.cells[i].marks&^(markQuoted|markHigh) != 0 {
		return
	}
	text := w.s.t.cells[i].text
	if p := checkPassword(text); p != nil {
		w.fault(i, p)
		return
	}
	w.keep(i)
	w.user.Password = &bulksync.SecretPlace{Position: w.user.Cells[fieldPassword], Field: fieldPassword}
	if w.user.Login != "" {
		w.r.secrets.passwords[w.user.Login] = strings.Clone(text)
	}
}

// services reads the offers that the user shall have among others: service{n} adds and never removes.
func (w *row) services() {
	var offers []bulksync.Offer
	for _, i := range w.s.services {
		text, ok := w.value(i)
		if !ok || text == "" {
			continue
		}
		if p := errorValue(text); p != nil {
			w.fault(i, p)
			continue
		}
		offer := bulksync.Offer(strings.TrimSpace(text))
		if slices.ContainsFunc(offers, offer.Same) {
			continue
		}
		offers = append(offers, offer)
		w.keep(i)
		if len(offers) == 1 { // the planner speaks of the family
			w.user.Cells[w.s.columns[i].def.name] = w.user.Cells[w.s.columns[i].name]
		}
	}
	if offers != nil {
		w.user.Licences = bulksync.Adding(offers...)
	}
}

// nothing is the meaning of delete: the other cells may be filled and are not read.
func (w *row) nothing(*bulksync.DesiredUser) {}
