package sync

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestQueueIsAsASortedList draws what is done to a queue, and does the same to a list.
func TestQueueIsAsASortedList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q queue
		list := map[int]bool{}
		sent := map[int]int{}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch id := rapid.IntRange(1, 9).Draw(t, "id"); rapid.IntRange(0, 5).Draw(t, "step") {
			case 0, 1, 2:
				q.put(id)
				list[id] = true
			case 3:
				if len(list) == 0 {
					continue
				}
				want := slices.Min(slices.Collect(maps.Keys(list)))
				if got := q.first(); got != want && q.preferred == 0 {
					t.Fatalf("first is %d, want %d", got, want)
				}
				id = q.first()
				q.take()
				sent[id]++
				delete(list, id)
			case 4:
				q.prefer(sent)
				for other := range list {
					if first := q.first(); sent[other] < sent[first] || sent[other] == sent[first] && other < first {
						t.Fatalf("%d is preferred, which was sent %d times; %d was sent %d times", first, sent[first], other, sent[other])
					}
				}
			case 5:
				q.remove(map[int]bool{id: true})
				delete(list, id)
			}
			if q.len() != len(list) {
				t.Fatalf("%d operations, want %d", q.len(), len(list))
			}
		}
	})
}
