package syncserver

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"regexp"
	"sync"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
)

// requestMemory remembers for an hour what requests with an id led to (AIP-155), so that one that is sent again is
// answered and not carried out again. Requests that failed are not remembered. Of a request it keeps a keyed hash only:
// a manifest in it may hold passwords.
type requestMemory struct {
	key []byte
	now func() time.Time

	mu      sync.Mutex // guards the rest
	entries map[requestKey]*requestEntry
}

const (
	requestLife = time.Hour
	requestMost = 10_000
)

type requestKey struct{ method, caller, company, id string }

type requestEntry struct {
	fingerprint string
	done        chan struct{}
	// Valid when done is closed: the name of what the request led to, empty when it failed.
	result  string
	expires time.Time
}

func newRequestMemory() *requestMemory {
	key := make([]byte, 32)
	rand.Read(key)
	return &requestMemory{key: key, now: time.Now, entries: map[requestKey]*requestEntry{}}
}

// requestID is what an id may look like.
var requestID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

func (v *violations) requestID(id string) {
	if id != "" && !requestID.MatchString(id) {
		v.add("request_id", "%s: want a UUID, or up to 64 letters, digits, dots, dashes and underscores", quoted(id))
	}
}

// once calls do, unless a request with the same id did before; it gives the name of what the request led to, and whether
// that was there already. A request that comes while its twin is under way waits for it.
func (m *requestMemory) once(ctx context.Context, key requestKey, req proto.Message, do func() (string, error)) (name string, again bool, err error) {
	if key.id == "" {
		name, err = do()
		return name, false, err
	}
	fingerprint := m.fingerprint(req)
	for {
		entry, mine := m.claim(key, fingerprint)
		if mine {
			defer func() { m.settle(key, entry, name) }()
			name, err = do()
			return name, false, err
		}
		if entry.fingerprint != fingerprint {
			return "", false, detailed(codes.AlreadyExists, "request_id was used for a different request in the last hour",
				&errdetails.ErrorInfo{Reason: "REQUEST_ID_USED", Domain: domain}).Err()
		}
		select {
		case <-entry.done:
		case <-ctx.Done():
			return "", false, ctx.Err()
		}
		if entry.result != "" {
			return entry.result, true, nil
		}
	}
}

// claim gives the entry of a key, and whether the caller is the one to settle it.
func (m *requestMemory) claim(key requestKey, fingerprint string) (entry *requestEntry, mine bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	if e := m.entries[key]; e != nil && (e.expires.IsZero() || now.Before(e.expires)) {
		return e, false
	}
	if len(m.entries) >= requestMost {
		m.sweep(now)
	}
	e := &requestEntry{fingerprint: fingerprint, done: make(chan struct{})}
	m.entries[key] = e
	return e, true
}

// settle ends an entry. name is empty when the request failed, or panicked.
func (m *requestMemory) settle(key requestKey, e *requestEntry, name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e.result, e.expires = name, m.now().Add(requestLife); name == "" {
		delete(m.entries, key)
	}
	close(e.done)
}

// sweep forgets what has expired, and when that is nothing, everything that is settled: forgetting early is better than
// growing for ever.
func (m *requestMemory) sweep(now time.Time) {
	before := len(m.entries)
	for _, all := range []bool{false, true} {
		for k, e := range m.entries {
			if !e.expires.IsZero() && (all || now.After(e.expires)) {
				delete(m.entries, k)
			}
		}
		if len(m.entries) < before {
			return
		}
	}
}

func (m *requestMemory) fingerprint(req proto.Message) string {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(req)
	if err != nil { // it has just been decoded
		return ""
	}
	h := hmac.New(sha256.New, m.key)
	h.Write(b)
	return string(h.Sum(nil))
}
