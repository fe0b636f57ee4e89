package state

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	jsonv2 "github.com/go-json-experiment/json"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// storedEntry is a call of the journal as it is stored: with short names, and without what its place says already. Every
// call is written twice, and the fewer bytes it has, the fewer pages a write touches.
type storedEntry struct {
	Operations []int `json:"o"`
	// Began and Ended are nanoseconds since 1970; 0 when it has not ended.
	Began    int64              `json:"b"`
	Ended    int64              `json:"e,omitempty"`
	Outcomes []bulksync.Outcome `json:"r,omitempty"`
}

// callKey is the key of a call in its run's journal.
func callKey(number int) []byte { return uint64Key(uint64(number)) }

// marshalEntries gives the stored form of calls.
func marshalEntries(entries []bulksync.JournalEntry) ([][]byte, error) {
	docs := make([][]byte, len(entries))
	for i, e := range entries {
		if err := checkNames("journal", e.Company, e.Run); err != nil {
			return nil, err
		}
		if e.Number < 0 {
			return nil, fmt.Errorf("call %d of run %q: want a number from 0", e.Number, e.Run)
		}
		stored := storedEntry{Operations: e.Operations, Began: nanos(e.Began), Ended: nanos(e.Ended), Outcomes: e.Outcomes}
		var err error
		if docs[i], err = json.Marshal(stored); err != nil {
			return nil, fmt.Errorf("call %d of run %q: %w", e.Number, e.Run, err)
		}
	}
	return docs, nil
}

// nanos gives a time in nanoseconds since 1970; 0 for none.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// instant is the inverse of nanos.
func instant(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// wholeEntry begins the entries that were stored before format 3, which are JournalEntries as they are.
var wholeEntry = []byte(`{"company"`)

// readEntry reads a call at its place.
func readEntry(company, run string, key, b []byte) (bulksync.JournalEntry, error) {
	e := bulksync.JournalEntry{Company: company, Run: run}
	if bytes.HasPrefix(b, wholeEntry) {
		if err := jsonv2.Unmarshal(b, &e); err != nil {
			return e, fmt.Errorf("stored call: %w", err)
		}
		return e, nil
	}
	var stored storedEntry
	if err := jsonv2.Unmarshal(b, &stored); err != nil {
		return e, fmt.Errorf("stored call: %w", err)
	}
	e.Number, e.Operations, e.Outcomes = int(binary.BigEndian.Uint64(key)), stored.Operations, stored.Outcomes
	e.Began, e.Ended = instant(stored.Began), instant(stored.Ended)
	return e, nil
}

// onlyBegun tells of a stored call, without decoding it, that it was begun and nothing more: most are when they end.
func onlyBegun(b []byte) bool {
	return !bytes.HasPrefix(b, wholeEntry) && !bytes.Contains(b, []byte(`"r":`))
}
