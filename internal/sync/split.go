package sync

import "fmt"

// A batch that upstream refuses as a whole goes again in halves, each a call of its own, until what is at fault stands
// alone; it then fails, and all others are done. When the first few that stand alone are all refused, and nothing of the
// batch was taken, it is not a row that is at fault: the rest fails as they did, without being sent one by one.

// enoughAlone is how many of a batch must stand alone and be refused before the rest is given up.
const enoughAlone = 8

// splits knows the parts that refused batches were cut into. The zero value is ready.
type splits struct {
	part map[int]int // operation -> its part
	of   map[int]*cutBatch
	last int
}

// cutBatch is a batch that was cut.
type cutBatch struct{ alone, taken int }

// batch keeps an operation with those of its part.
func (s *splits) batch(id int, b Batch) Batch {
	if part, ok := s.part[id]; ok {
		b.Group = fmt.Sprintf("%s/%d", b.Group, part)
	}
	return b
}

// note counts what became of a part.
func (s *splits) note(outcomes []Outcome) {
	b := s.of[s.part[outcomes[0].Operation]]
	if b == nil {
		return
	}
	for _, o := range outcomes {
		switch {
		case o.Split:
		case o.Status == Done:
			b.taken++
		case o.Status == Failed && len(outcomes) == 1:
			b.alone++
		}
	}
}

// hopeless tells whether there is no point in cutting on.
func (s *splits) hopeless(id int) bool {
	b := s.of[s.part[id]]
	return b != nil && b.taken == 0 && b.alone >= enoughAlone
}

// halve cuts the operations of a refused call in two parts.
func (s *splits) halve(outcomes []Outcome) {
	if s.part == nil {
		s.part, s.of = map[int]int{}, map[int]*cutBatch{}
	}
	whole := s.of[s.part[outcomes[0].Operation]]
	if whole == nil {
		whole = &cutBatch{}
	}
	for half := range 2 {
		s.last++
		s.of[s.last] = whole
		middle := len(outcomes) / 2
		mine := outcomes[:middle]
		if half == 1 {
			mine = outcomes[middle:]
		}
		for _, o := range mine {
			s.part[o.Operation] = s.last
		}
	}
}
