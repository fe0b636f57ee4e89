package sync

import "container/heap"

// queue holds the operations that can go now, once each, and gives the one that comes first in the plan. A run of a hundred
// thousand operations puts in and takes out as many.
type queue struct {
	ids ids
	in  map[int]struct{}
	// preferred goes before all others; 0 for none.
	preferred int
}

// ids is a heap of operations' ids.
type ids []int

// Len, Less, Swap, Push and Pop implement heap.Interface.
func (s ids) Len() int           { return len(s) }
func (s ids) Less(i, j int) bool { return s[i] < s[j] }
func (s ids) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }

// Push implements heap.Interface.
func (s *ids) Push(id any) { *s = append(*s, id.(int)) }

// Pop implements heap.Interface.
func (s *ids) Pop() any {
	last := len(*s) - 1
	id := (*s)[last]
	*s = (*s)[:last]
	return id
}

func (q *queue) len() int { return len(q.in) }

// put puts an operation in, unless it is in.
func (q *queue) put(id int) {
	if _, is := q.in[id]; is {
		return
	}
	if q.in == nil {
		q.in = map[int]struct{}{}
	}
	q.in[id] = struct{}{}
	heap.Push(&q.ids, id)
}

// first is the operation that goes next. There must be one.
func (q *queue) first() int {
	if q.preferred != 0 {
		return q.preferred
	}
	return q.ids[0]
}

// take takes the first operation out.
func (q *queue) take() {
	id := q.preferred
	if q.preferred = 0; id == 0 {
		id = heap.Pop(&q.ids).(int)
	}
	delete(q.in, id)
}

// prefer puts before all others the operation that by counts least; of equals, the one that comes first in the plan.
func (q *queue) prefer(by map[int]int) {
	if q.preferred != 0 {
		heap.Push(&q.ids, q.preferred)
		q.preferred = 0
	}
	least := -1
	for i, id := range q.ids {
		if least < 0 || by[id] < by[q.ids[least]] || by[id] == by[q.ids[least]] && id < q.ids[least] {
			least = i
		}
	}
	if least >= 0 {
		q.preferred = heap.Remove(&q.ids, least).(int)
	}
}

// remove takes operations out.
func (q *queue) remove(those map[int]bool) {
	kept := queue{}
	for id := range q.in {
		if !those[id] {
			kept.put(id)
		}
	}
	*q = kept
}
