package state

import (
	"bytes"

	bolt "go.etcd.io/bbolt"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// glimpses is where a snapshot's glimpses have come to. Most are asked for in the order of logins, so that the next user
// and what he holds stand where the last ones ended: two cursors that step on, instead of two searches from the root.
type glimpses struct {
	users, held *bolt.Cursor
	// id and stored are where users stands, key where held does. last is the prefix in the index that was looked for last:
	// whatever comes after it and before key, nobody holds.
	id, stored []byte
	key        []byte
	last       []byte
	prefix     []byte
	shown      bulksync.Glimpse
}

var _ bulksync.Glimpser = (*snapshot)(nil)

// Glimpse shows a user as he stands in the file, while the snapshot's lock keeps the transaction.
func (v *snapshot) Glimpse(l bulksync.Login, look func(*bulksync.Glimpse)) (found bool) {
	v.mu.Lock()
	if len(v.before)+len(v.held) > 0 || v.closed { // somebody has changed something since: no hurry any more
		v.mu.Unlock()
		return v.slowGlimpse(l, look)
	}
	defer v.mu.Unlock()
	keep, err := v.begin()
	if !keep {
		defer v.end()
	}
	if err == nil {
		found, err = v.glimpses.look(v.gen, l, look)
	}
	if err != nil {
		v.note(err)
	}
	return found
}

func (v *snapshot) slowGlimpse(l bulksync.Login, look func(*bulksync.Glimpse)) bool {
	u, ok := v.Record(l.Key()).(*bulksync.User)
	if ok {
		look(bulksync.NewGlimpse(u, v.Held(l)))
	}
	return ok
}

// look finds a user and shows him.
func (g *glimpses) look(gen generation, l bulksync.Login, look func(*bulksync.Glimpse)) (found bool, err error) {
	if g.users == nil {
		users, held := gen.getRecords(bulksync.KindUser), gen.getHeld()
		if users == nil {
			return false, nil
		}
		g.users = users.Cursor()
		if held != nil {
			g.held = held.Cursor()
		}
	}
	if g.id == nil || string(g.id) != string(l) {
		if g.id != nil {
			g.id, g.stored = g.users.Next()
		}
		if g.id == nil || string(g.id) != string(l) {
			g.id, g.stored = g.users.Seek([]byte(l))
		}
	}
	if g.id == nil || string(g.id) != string(l) {
		return false, nil
	}
	record, err := splitRecord(g.stored)
	if err != nil {
		return false, err
	}
	if !readGlimpse(record.json, &g.shown) {
		r, err := decodeRecord(bulksync.KindUser, g.stored)
		if err != nil {
			return false, err
		}
		g.shown = *bulksync.NewGlimpse(r.(*bulksync.User), nil)
	}
	if err := g.holdings(l); err != nil {
		return false, err
	}
	look(&g.shown)
	return true, nil
}

// holdings finds what a user holds.
func (g *glimpses) holdings(l bulksync.Login) error {
	g.shown.Held = g.shown.Held[:0]
	if g.held == nil {
		return nil
	}
	g.prefix = append(append(g.prefix[:0], l...), 0)
	ahead := g.key != nil && bytes.Compare(g.last, g.prefix) < 0 && bytes.Compare(g.prefix, g.key) <= 0
	if !ahead {
		g.key, _ = g.held.Seek(g.prefix)
	}
	for ; bytes.HasPrefix(g.key, g.prefix); g.key, _ = g.held.Next() {
		rest := g.key[len(g.prefix):]
		if len(rest) < 2 || kindOf(rest[0]) == "" {
			_, err := parseHeld(rest)
			return err
		}
		g.shown.Held = append(g.shown.Held, bulksync.GlimpsedKey{Kind: kindOf(rest[0]), ID: rest[1:]})
	}
	g.last, g.prefix = g.prefix, g.last
	return nil
}

// readGlimpse reads the JSON of a user as appendRecord writes it, without decoding it; false for any other, such as one
// with an escaped character.
func readGlimpse(doc []byte, g *bulksync.Glimpse) bool {
	if bytes.IndexByte(doc, '\\') >= 0 {
		return false
	}
	p := glimpsed{doc, true}
	p.want(`{"id":"`)
	g.ID = p.text()
	p.want(`,"login":"`)
	_ = p.text()
	g.Attributes, g.Licences = g.Attributes[:0], g.Licences[:0]
	if p.has(`,"attributes":[`) {
		for more := true; more && p.ok; more = p.has(`,`) {
			p.want(`{"name":"`)
			name := p.text()
			p.want(`,"value":"`)
			g.Attributes = append(g.Attributes, bulksync.GlimpsedAttribute{Name: name, Value: p.text()})
			p.want(`}`)
		}
		p.want(`]`)
	}
	if p.has(`,"licences":[`) {
		for more := true; more && p.ok; more = p.has(`,`) {
			p.want(`"`)
			g.Licences = append(g.Licences, p.text())
		}
		p.want(`]`)
	}
	_ = p.has(`,"admin":true`)
	p.want(`}`)
	return p.ok && len(p.rest) == 0
}

// glimpsed is what is left of a document.
type glimpsed struct {
	rest []byte
	ok   bool
}

// has passes a piece over, if it comes next.
func (p *glimpsed) has(piece string) bool {
	if len(p.rest) < len(piece) || string(p.rest[:len(piece)]) != piece {
		return false
	}
	p.rest = p.rest[len(piece):]
	return true
}

func (p *glimpsed) want(piece string) { p.ok = p.has(piece) && p.ok }

// text gives what comes before the next quote, and passes that over.
func (p *glimpsed) text() []byte {
	end := bytes.IndexByte(p.rest, '"')
	if end < 0 {
		p.ok = false
		return nil
	}
	text := p.rest[:end:end]
	p.rest = p.rest[end+1:]
	return text
}
