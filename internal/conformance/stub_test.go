package conformance_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
)

// replay is a plain HTTP server that answers what it is told and remembers what it was asked. A header that Rainbow's
// own clients send tells which case a request belongs to.
type replay struct {
	*httptest.Server

	mu    sync.Mutex
	last  int
	cases map[string]reply
	asked map[string][]asked
}

// asked is one request.
type asked struct {
	method, target, media string
	header                http.Header
	body                  []byte
}

const correlationID = "X-Rainbow-Correlation-Id"

func startReplay(t testing.TB) *replay {
	t.Helper()
	s := &replay{cases: map[string]reply{}, asked: map[string][]asked{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// expect prepares an answer and returns the id that asks for it.
func (s *replay) expect(answer reply) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	id := "case-" + strconv.Itoa(s.last)
	s.cases[id] = answer
	return id
}

// one returns the only request of a case.
func (s *replay) one(t testing.TB, id string) asked {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.asked[id]) != 1 {
		t.Fatalf("upstream was asked %d times, want once", len(s.asked[id]))
	}
	was := s.asked[id][0]
	delete(s.asked, id)
	delete(s.cases, id)
	return was
}

func (s *replay) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller went away
	}
	id := r.Header.Get(correlationID)
	s.mu.Lock()
	answer, known := s.cases[id]
	s.asked[id] = append(s.asked[id], asked{r.Method, r.RequestURI, r.Header.Get("Content-Type"), r.Header.Clone(), body})
	s.mu.Unlock()
	if !known {
		http.Error(w, "no such case", http.StatusTeapot)
		return
	}
	for name, values := range answer.header {
		w.Header()[name] = values
	}
	w.Header()["Content-Type"] = []string{answer.media}
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body)
}
