package sandbox

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// JournalQuery chooses entries of the journal; its zero value chooses the last
// 1,000.
type JournalQuery struct {
	Method string    // exactly; empty: every method
	Path   string    // a pattern as of Fault.Path; empty: every path
	Status int       // exactly; 0: every status
	Since  time.Time // entries of that time or later; zero: all
	After  int       // entries with a higher Seq, which counts from 1; 0: all
	Limit  int       // at most that many, the newest; 0: 1,000, more than 10,000: 10,000
}

const (
	journalPage    = 1_000
	journalMaxPage = 10_000
)

// FindJournal lists the entries that a query chooses, oldest first.
func (s *Sandbox) FindJournal(q JournalQuery) []JournalEntry {
	limit := min(cmp.Or(max(q.Limit, 0), journalPage), journalMaxPage)
	pattern := Fault{Method: q.Method, Path: q.Path}
	found := []JournalEntry{}
	s.journal.newestFirst(func(e JournalEntry) bool {
		if (q.Status == 0 || e.Status == q.Status) && !e.Time.Before(q.Since) && e.Seq > q.After && pattern.matches(e.Method, e.Path) {
			found = append(found, e)
		}
		return len(found) < limit
	})
	slices.Reverse(found)
	return found
}

// newestFirst calls visit with each entry until it answers false.
func (j *journal) newestFirst(visit func(JournalEntry) bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := j.count - 1; i >= j.count-len(j.entries); i-- {
		if !visit(j.entries[i%j.size]) {
			return
		}
	}
}

// controlJournal answers GET /sandbox/journal.
func (s *Sandbox) controlJournal(w http.ResponseWriter, r *http.Request) {
	q, err := readJournalQuery(r.URL.Query())
	if err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	writeJSON(w, http.StatusOK, s.FindJournal(q))
}

// readJournalQuery reads the parameters of a query; unlike Rainbow's portals,
// it refuses what it does not know: a test that mistypes one must not pass.
func readJournalQuery(values url.Values) (JournalQuery, error) {
	q := JournalQuery{}
	for name, list := range values {
		value := list[len(list)-1]
		var err error
		switch name {
		case "method":
			q.Method = value
		case "path":
			q.Path = value
			err = checkPattern(value)
		case "status":
			q.Status, err = strconv.Atoi(value)
		case "limit":
			q.Limit, err = strconv.Atoi(value)
		case "after":
			q.After, err = strconv.Atoi(value)
		case "since":
			q.Since, err = time.Parse(time.RFC3339Nano, value)
		default:
			err = fmt.Errorf("no such parameter: method, path, status, since, after and limit are")
		}
		if err != nil {
			return JournalQuery{}, fmt.Errorf("parameter %s: %w", name, err)
		}
	}
	return q, nil
}
