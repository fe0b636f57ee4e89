package manifest

import (
	"strconv"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// defaultMaxFaults is how many faults are listed one by one: more than anybody reads, less than a terminal holds.
const defaultMaxFaults = 1000

// findings collects the faults of all sources of a manifest.
type findings struct {
	max     int
	faults  bulksync.Faults
	dropped int
	first   bulksync.Fault // the first one dropped
}

func (f *findings) add(fault bulksync.Fault) {
	if len(f.faults) < f.max {
		f.faults = append(f.faults, fault)
		return
	}
	if f.dropped == 0 {
		f.first = fault
	}
	f.dropped++
}

// err is nil without findings, else all of them in order, the ones above the limit summed up in a last one.
func (f *findings) err() error {
	if len(f.faults) == 0 {
		return nil
	}
	faults := f.faults.Sort()
	if f.dropped > 0 {
		faults = append(faults, bulksync.Fault{
			Position: f.first.Position,
			Code:     codeTooManyFaults,
			Message:  "and " + plural(f.dropped, "more fault", "more faults"),
			Hint:     "mend the ones above first and read the manifest again; this is where the first one not listed stands",
		})
	}
	return faults
}

// problem is what is wrong with a value, before it is known where the value stands.
type problem struct {
	code, message, hint string
}

// plural writes a count with thousands separators and its noun.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s + " " + many
}

// quote shows a value in a message, cut short when it is long.
func quote(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		s = string(r[:most-1]) + "…"
	}
	return strconv.Quote(s)
}
