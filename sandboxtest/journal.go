package sandboxtest

import (
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

// Request is one request that the server got. It holds no header and no body,
// so no secret: two bodies are the same when their digests are.
type Request struct {
	Seq     int // counts from 1
	Time    time.Time
	Method  string
	Path    string
	Query   string
	Status  int      // 0: cut before an answer
	Dropped bool     // the work was done, the answer was lost
	Digest  string   // 16 hexadecimal digits of the SHA-256 of the body; empty: no body
	Bytes   int      // size of the body
	Fault   bool     // a fault applied
	Faults  []string // the names of those that did
}

// Journal chooses requests; its zero value chooses the last 1,000.
type Journal struct {
	Method string    // exactly; empty: every method
	Path   string    // a pattern as of Fault.Path; empty: every path
	Status int       // exactly; 0: every status
	Since  time.Time // of that time or later; zero: all
	After  int       // with a higher Seq; 0: all
	Limit  int       // at most that many, the newest; 0: 1,000; 10,000 is the most
}

// Requests lists the requests that the journal has and a query chooses, oldest
// first. The journal keeps the last 200,000 requests.
func (s *Server) Requests(query Journal) []Request {
	var list []Request
	for _, e := range s.sandbox.FindJournal(sandbox.JournalQuery(query)) {
		list = append(list, Request{
			Seq: e.Seq, Time: e.Time, Method: e.Method, Path: e.Path, Query: e.Query, Status: e.Status,
			Dropped: e.Dropped, Digest: e.Digest, Bytes: e.Bytes, Fault: e.Fault, Faults: e.Faults,
		})
	}
	return list
}
