package sandbox

import (
	"slices"
	"time"
)

// replica is a second world that follows the first one late, as the read
// replica of a database does. It is always a world that has been: changes
// arrive whole, in their order, each write at once. So lists, totals, filters
// and references fit together, and a handler finds nothing it would not find
// in the first world; it only finds it late.
//
// Rejected: leaving single documents out of answers, which makes totals and
// pages lie; and a lag of single kinds of documents, which makes references
// point to nothing.
//
// Documents never change once they are in a table (see table), so both worlds
// share them; a replica costs its sorted orders and lookups, some 100 MiB for
// 100,000 users. The store's lock guards it.
type replica struct {
	lag    Stale
	clock  func() time.Time
	source *world // what it follows; a reset or a restored snapshot is another
	world  *world
	kinds  map[string]documentKind

	reads   int // so far
	pending []commit
	size    int // changes in pending
}

// commit is what one write changed.
type commit struct {
	at      time.Time
	reads   int // of the replica, before the write
	changes []change
}

// maxPendingChanges bounds what a replica may lag behind.
const maxPendingChanges = 500_000

// follow starts replicas of the present world, in place of the former ones. The
// store is locked for writing.
func (st *store) follow(list []*replica) {
	st.replicas = list
	st.world.dirty.following = len(list) > 0
	st.world.dirty.log = nil
	for _, p := range list {
		p.copy(st.world)
	}
}

func (p *replica) copy(w *world) {
	p.source, p.world, p.pending, p.size = w, newWorld(), nil, 0
	p.kinds = p.world.kinds()
	for kind, table := range w.kinds() {
		p.kinds[kind].load(table.documents())
	}
	w.dirty.following = true
}

// publish hands what a write changed to the replicas. The store is locked for
// writing.
func (st *store) publish() {
	changes := st.world.dirty.log
	st.world.dirty.log = nil
	if len(changes) == 0 {
		return
	}
	for _, p := range st.replicas {
		p.pending = append(p.pending, commit{p.clock(), p.reads, changes})
		p.size += len(changes)
		p.catchUp()
	}
}

// catchUp carries out the changes whose time has come.
func (p *replica) catchUp() {
	now, due := p.clock(), 0
	for due < len(p.pending) && (p.size > maxPendingChanges || p.isDue(p.pending[due], now)) {
		for _, c := range p.pending[due].changes {
			p.kinds[c.kind].apply(c.id, c.document)
		}
		p.size -= len(p.pending[due].changes)
		due++
	}
	p.pending = slices.Delete(p.pending, 0, due)
}

func (p *replica) isDue(c commit, now time.Time) bool {
	if p.lag.Reads > 0 {
		return p.reads-c.reads >= p.lag.Reads
	}
	return now.Sub(c.at) >= time.Duration(p.lag.For)
}

// replicaFor answers the world that a route reads when a rule says so, else nil.
func (st *store) replicaFor(h *hits, rt *boundRoute) *world {
	if h.replica == nil || rt.writes {
		return nil
	}
	return st.lagging(h.replica)
}

// lagging answers the world that a read of a replica sees, and counts the read.
func (st *store) lagging(p *replica) *world {
	st.mu.Lock()
	defer st.mu.Unlock()
	if p.source != st.world {
		p.copy(st.world)
	}
	p.catchUp()
	p.reads++
	return p.world
}
