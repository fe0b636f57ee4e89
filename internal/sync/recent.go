package sync

import gosync "sync"

// recent is an Observed that keeps the records that it was asked for last: a run asks for each several times, when the
// operation is sent, when its effects are worked out and when they are laid over what was there, and a store decodes it
// each time. Unlike remembered it forgets, for a run may touch every record of a large company. Records are never changed
// in place, so that sharing them is safe. It is safe for concurrent use, as far as its base is: a target reads it from several goroutines.
type recent struct {
	Observed
	mu gosync.Mutex // guards the rest
	// last fills up, and becomes before when it is full: what is asked for again moves back.
	last, before map[Key]Record
}

// recentMost is how many records each half holds, of some 500 bytes each.
const recentMost = 16 << 10

func recently(base Observed) *recent { return &recent{Observed: base, last: map[Key]Record{}} }

// Record implements Observed.
func (m *recent) Record(k Key) Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, known := m.last[k]
	if known {
		return r
	}
	if r, known = m.before[k]; !known {
		r = m.Observed.Record(k)
	}
	if len(m.last) >= recentMost {
		m.before, m.last = m.last, make(map[Key]Record, recentMost)
	}
	m.last[k] = r
	return r
}

// Count tells how many records of a kind there are.
func (m *recent) Count(kind Kind) int { return countOf(m.Observed, kind) }
