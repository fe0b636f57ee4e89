package state

import (
	"bytes"
	"maps"
	"slices"
	"sync"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// pin names the generation that a snapshot is a view of.
type pin struct{ company, generation string }

// views knows the open snapshots, to hand them what is about to change.
type views struct {
	mu   sync.Mutex // guards the rest
	open map[pin]map[*snapshot]struct{}
	// doomed are generations to be removed when their last snapshot closes.
	doomed map[pin]struct{}
	// writing: a writer is at work. closed: the store is.
	writing, closed bool
}

// begin begins a transaction of a snapshot, and tells whether the snapshot may keep it until pause ends it. While a writer
// is at work it may not: when the file outgrows its map, the writer waits for all open transactions.
func (vs *views) begin(db *bolt.DB) (tx *bolt.Tx, keep bool, err error) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if vs.closed {
		return nil, false, berrors.ErrDatabaseNotOpen
	}
	tx, err = db.Begin(false)
	return tx, !vs.writing, err
}

// pause ends the transactions that snapshots keep, before a writer begins his.
func (vs *views) pause() {
	vs.mu.Lock()
	vs.writing = true
	vs.mu.Unlock()
	vs.yield()
}

func (vs *views) resume() {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	vs.writing = false
}

// shut ends the transactions that snapshots keep, and no other will begin.
func (vs *views) shut() {
	vs.mu.Lock()
	vs.closed = true
	vs.mu.Unlock()
	vs.yield()
}

func (vs *views) yield() {
	vs.mu.Lock()
	var all []*snapshot
	for _, of := range vs.open {
		all = slices.AppendSeq(all, maps.Keys(of))
	}
	vs.mu.Unlock()
	for _, v := range all {
		v.yield()
	}
}

func (vs *views) add(v *snapshot) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if vs.open == nil {
		vs.open, vs.doomed = map[pin]map[*snapshot]struct{}{}, map[pin]struct{}{}
	}
	if vs.open[v.pin] == nil {
		vs.open[v.pin] = map[*snapshot]struct{}{}
	}
	vs.open[v.pin][v] = struct{}{}
}

// remove forgets a snapshot, and tells whether its generation is now to be removed.
func (vs *views) remove(v *snapshot) (last bool) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	delete(vs.open[v.pin], v)
	if len(vs.open[v.pin]) > 0 {
		return false
	}
	delete(vs.open, v.pin)
	_, last = vs.doomed[v.pin]
	delete(vs.doomed, v.pin)
	return last
}

// doom marks a generation for removal and tells whether that must wait for a snapshot.
func (vs *views) doom(p pin) (waits bool) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if len(vs.open[p]) == 0 {
		return false
	}
	vs.doomed[p] = struct{}{}
	return true
}

func (vs *views) of(p pin) []*snapshot {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	return slices.Collect(maps.Keys(vs.open[p]))
}

// change carries out changes in a generation, after its snapshots have kept what was there before. Should the
// transaction then fail, what they kept is still true.
func (s *Store) change(gen generation, company string, changes []replacement) error {
	for _, v := range s.views.of(pin{company, gen.name}) {
		if err := v.keep(gen, changes); err != nil {
			return err
		}
	}
	if err := gen.revise(len(changes) > 0); err != nil {
		return err
	}
	return gen.apply(changes)
}

// keep remembers the records and holdings that changes concern as they are now, unless it did so before.
func (v *snapshot) keep(gen generation, changes []replacement) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range changes {
		v.keepRecord(c.key, c.before)
		for _, stored := range [][]byte{c.before, c.stored} {
			if err := v.keepHeld(gen, stored); err != nil {
				return err
			}
		}
	}
	return nil
}

func (v *snapshot) keepRecord(k bulksync.Key, stored []byte) {
	of := v.before[k.Kind]
	if of == nil {
		of = map[string][]byte{}
		v.before[k.Kind] = of
	}
	if _, kept := of[k.ID]; !kept {
		of[k.ID] = bytes.Clone(stored)
	}
}

// keepHeld remembers what the holder of a stored record holds.
func (v *snapshot) keepHeld(gen generation, stored []byte) error {
	if stored == nil {
		return nil
	}
	r, err := splitRecord(stored)
	if err != nil {
		return err
	}
	login := bulksync.Login(r.holder)
	if _, kept := v.held[login]; kept || login == "" {
		return nil
	}
	keys, err := gen.heldBy(r.holder)
	v.held[login] = keys
	return err
}
