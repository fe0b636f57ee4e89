package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"time"
)

// JournalEntry is one request the sandbox got. It holds no header and no body,
// so no secret: two bodies are the same when their digests are.
type JournalEntry struct {
	Seq     int       `json:"seq"`
	Time    time.Time `json:"time"`
	Method  string    `json:"method"`
	Path    string    `json:"path"`
	Query   string    `json:"query,omitempty"`
	Status  int       `json:"status"`           // 0: cut before an answer
	Dropped bool      `json:"dropped"`          // the work was done, the answer was lost
	Digest  string    `json:"digest,omitempty"` // SHA-256 of the body, 16 hex digits; empty: no body
	Bytes   int       `json:"bytes"`            // size of the body
	Fault   bool      `json:"fault"`            // a fault rule applied
	Faults  []string  `json:"faults,omitempty"` // names of the rules that did
}

// journal is a ring of the last entries; it has its own lock.
type journal struct {
	mu      sync.Mutex
	entries []JournalEntry
	size    int
	count   int // of all entries ever
	answers int
}

func newJournal(size int) *journal { return &journal{size: size} }

func (j *journal) add(e JournalEntry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	e.Seq = j.count + 1
	if len(j.entries) < j.size {
		j.entries = append(j.entries, e)
	} else {
		j.entries[j.count%j.size] = e
	}
	j.count++
}

func (j *journal) list() []JournalEntry {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.entries) < j.size {
		return append([]JournalEntry{}, j.entries...)
	}
	start := j.count % j.size
	return append(append([]JournalEntry{}, j.entries[start:]...), j.entries[:start]...)
}

// nextID makes the x-rainbow-request-id of an answer.
func (j *journal) nextID() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.answers++
	return fmt.Sprintf("sandbox-%012d", j.answers)
}

func (j *journal) clear() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries, j.count = nil, 0
}

func digest(body []byte) string {
	if len(body) == 0 {
		return ""
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:8])
}
