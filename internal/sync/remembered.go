package sync

// remembered is an Observed that decodes a record once. A planner looks at the same few records again and again: those
// of users in whom something changes, and what they hold. Of the others it only takes glimpses.
type remembered struct {
	Observed
	records map[Key]Record
	// lacking are the kinds of which there is nothing at all, as of most details: each is looked for with each user.
	lacking map[Kind]bool
}

// remember makes an Observed that decodes a record once, for a single goroutine.
func remember(obs Observed) *remembered { return &remembered{obs, map[Key]Record{}, map[Kind]bool{}} }

// Record implements Observed.
func (m *remembered) Record(k Key) Record {
	r, known := m.records[k]
	if !known && !m.lacks(k.Kind) {
		r = m.Observed.Record(k)
		m.records[k] = r
	}
	return r
}

// lacks tells whether there is nothing of a kind.
func (m *remembered) lacks(kind Kind) bool {
	none, known := m.lacking[kind]
	if !known {
		none = true
		for range m.Observed.Records(kind) {
			none = false
			break
		}
		m.lacking[kind] = none
	}
	return none
}

// Glimpse implements Glimpser.
func (m *remembered) Glimpse(l Login, look func(*Glimpse)) bool { return glimpse(m.Observed, l, look) }

// Count tells how many records of a kind there are.
func (m *remembered) Count(kind Kind) int { return countOf(m.Observed, kind) }

// counter is implemented by an Observed that knows how many records of a kind it has without reading them.
type counter interface{ Count(Kind) int }

// countOf counts the records of a kind.
func countOf(obs Observed, kind Kind) int {
	if c, ok := obs.(counter); ok {
		return c.Count(kind)
	}
	n := 0
	for range obs.Records(kind) {
		n++
	}
	return n
}
