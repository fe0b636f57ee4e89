package sync

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestKeyRangesHaveWhatOneOfThemHas: looking among sorted ranges finds what looking through all of them finds.
func TestKeyRangesHaveWhatOneOfThemHas(t *testing.T) {
	id := func(t *rapid.T, label string) string {
		return fmt.Sprintf("%0*d", rapid.IntRange(2, 3).Draw(t, label+" digits"), rapid.IntRange(0, 40).Draw(t, label))
	}
	rapid.Check(t, func(t *rapid.T) {
		ranges := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) KeyRange {
			first := id(t, "first")
			last := fmt.Sprintf("%0*d", len(first), rapid.IntRange(0, 40).Draw(t, "last"))
			return KeyRange{first, max(first, last)}
		}), 0, 8).Draw(t, "ranges")
		before := slices.Clone(ranges)
		all := keyRangesOf(ranges)
		if !slices.Equal(ranges, before) {
			t.Fatalf("the ranges are given from in another order now: %v", ranges)
		}
		for range 20 {
			one := id(t, "id")
			want := slices.ContainsFunc(ranges, func(r KeyRange) bool { return r.contains(one) })
			if got := all.has(one); got != want {
				t.Fatalf("%v has %s: %t, want %t", ranges, one, got, want)
			}
		}
	})
}
