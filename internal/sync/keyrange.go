package sync

import (
	"cmp"
	"slices"
	"strings"
)

// KeyRange is a span of numbers of equal length, or of one thing, both ends included.
type KeyRange struct{ First, Last string }

// contains tells whether the range has a number, or a thing.
func (r KeyRange) contains(id string) bool {
	return len(id) == len(r.First) && r.First <= id && id <= r.Last
}

// keyRanges are ranges in their order and without overlaps, among which things are found by halving: a pool may list each of its
// phones as a range of its own.
type keyRanges []KeyRange

func keyRangesOf(ranges []KeyRange) keyRanges {
	all := slices.SortedFunc(slices.Values(ranges), func(a, b KeyRange) int { return compareIDs(a.First, b.First) })
	merged := all[:0]
	for _, r := range all {
		if n := len(merged); n > 0 && merged[n-1].contains(r.First) {
			merged[n-1].Last = max(merged[n-1].Last, r.Last)
		} else {
			merged = append(merged, r)
		}
	}
	return merged
}

// has tells whether one of the ranges has a thing.
func (all keyRanges) has(id string) bool {
	i, first := slices.BinarySearchFunc(all, id, func(r KeyRange, id string) int { return compareIDs(r.First, id) })
	return first || i > 0 && all[i-1].contains(id)
}

// compareIDs orders numbers of one length as numbers, and shorter ones before longer ones.
func compareIDs(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) }
