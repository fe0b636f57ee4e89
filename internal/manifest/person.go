package manifest

import (
	"slices"
	"strings"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// What a row says of the user himself: the actions of mode user, and that part of the others.

// person: the user has the filled values and services. Whether he may exist already (create) or must (update) is the
// planner's to know.
func (w *row) person(*bulksync.DesiredUser) {
	w.attributes(false)
	w.password()
	w.services()
}

// upsert: the user exists with the filled values, services and extension; empty cells say nothing.
func (w *row) upsert(u *bulksync.DesiredUser) {
	w.person(u)
	w.voice(u)
	if p, ok := w.pairing(); ok {
		u.Pairings = bulksync.Having(p)
	}
}

// attributes reads the descriptive columns. An empty cell says nothing, or clears the value when cleared is set.
func (w *row) attributes(cleared bool) {
	all := w.user.Attributes
	for _, i := range w.s.attributes {
		text, ok := w.value(i)
		if !ok || text == "" && !cleared {
			continue
		}
		c := &w.s.columns[i]
		if text != "" {
			if text, ok = w.checked(i, text, c.def.check); !ok {
				continue
			}
		}
		if c.place > 0 && (len(all) == 0 || !c.follows(all[len(all)-1])) {
			w.keep(i) // a gap unless the user has the ones before: the planner can tell
		}
		all = append(all, bulksync.Attribute{Name: c.attribute, Value: text})
	}
	w.user.Attributes = all
}

// checked gives a cell's value in its normal form; false when it is wrong, which is reported.
func (w *row) checked(i int, text string, check func(*values, string) (string, *problem)) (string, bool) {
	known := &w.s.recent[i]
	if !known.useful() {
		return w.check(i, text, check)
	}
	slot := known.slot(text)
	if slot.raw == text {
		known.hits++
		return slot.normal, true
	}
	normal, ok := w.check(i, text, check)
	if ok {
		raw := w.r.kept.keepText(text)
		if normal == text {
			normal = raw
		} else {
			normal = w.r.kept.keepText(normal)
		}
		slot.raw, slot.normal = raw, normal
	}
	return normal, ok
}

// check gives a cell's value in its normal form; false when it is wrong, which is reported.
func (w *row) check(i int, text string, check func(*values, string) (string, *problem)) (string, bool) {
	normal, p := check(w.r.values, text)
	if p == nil && w.s.t.cells[i].marks&markHigh != 0 {
		p = lostCharacters(text)
	}
	if p != nil {
		w.fault(i, p)
		return "", false
	}
	return normal, true
}

// follows tells whether a numbered column comes right behind a filled one of its family.
func (c *column) follows(before bulksync.Attribute) bool {
	return before.Value != "" && before.Name == c.before
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
	if strings.HasPrefix(text, refEnv) || strings.HasPrefix(text, refFile) {
		w.remark(i, &problem{codeSecretByValue, "password looks like the place of one, and a CSV file has none: it is taken as it stands", "write the password, or name its place in a YAML manifest"})
	}
	w.keep(i)
	w.secret = bulksync.SecretPlace{Position: w.s.t.position(w.s.t.cells[i].start), Field: fieldPassword}
	w.user.Password = &w.secret
	if w.user.Login != "" {
		w.r.secrets.entries = append(w.r.secrets.entries, secretEntry{bulksync.Login(w.r.kept.keepText(string(w.user.Login))), w.r.kept.keepText(text)})
	}
}

// services reads the offers that the user shall have among others: service{n} adds and never removes.
func (w *row) services() {
	offers := w.offers[:0]
	for _, i := range w.s.services {
		text, ok := w.value(i)
		if !ok || text == "" {
			continue
		}
		if text, ok = w.checked(i, text, (*values).offer); !ok || slices.ContainsFunc(offers, bulksync.Offer(text).Same) {
			continue
		}
		offers = append(offers, bulksync.Offer(text))
		w.offers = offers
		w.keep(i)
	}
	if w.offers = offers; len(offers) > 0 {
		w.user.Licences = bulksync.Adding(offers...)
	}
}

// nothing is the meaning of delete: the other cells may be filled and are not read.
func (w *row) nothing(*bulksync.DesiredUser) {}
