package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// requestFacts is what rules look at. login and token are what the caller says
// of himself, unchecked.
type requestFacts struct {
	method, path  string
	operation     operation
	login         string // of Basic credentials or of a token
	token         string // digest of the credentials
	bearer, basic bool
}

func (s *Sandbox) factsOf(r *http.Request) *requestFacts {
	q := &requestFacts{method: r.Method, path: r.URL.Path}
	target, _ := splitTarget(r.URL)
	if rt := s.route(r.Method, target, map[string]string{}); rt != nil {
		q.operation = rt.operation
	}
	authorization := r.Header.Get("Authorization")
	if authorization == "" {
		authorization = r.Header.Get("X-Rainbow-Api-Key")
	}
	q.token = digest([]byte(authorization))
	if token, ok := strings.CutPrefix(authorization, "Bearer "); ok {
		q.bearer, q.login = true, loginOfToken(token)
	}
	if login, _, ok := r.BasicAuth(); ok {
		q.basic, q.login = true, login
	}
	q.login = strings.ToLower(q.login)
	return q
}

// loginOfToken reads the payload of a token without checking it.
func loginOfToken(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return ""
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return ""
	}
	var payload claims
	if json.Unmarshal(raw, &payload) != nil {
		return ""
	}
	return payload.User.LoginEmail
}

// issue is the place of a token in the order of issuing.
type issue struct {
	nanoseconds int64
	serial      int
}

func (i issue) before(other issue) bool {
	return i.nanoseconds < other.nanoseconds || i.nanoseconds == other.nanoseconds && i.serial < other.serial
}

func issueOf(tokenID string) (i issue) {
	_, _ = fmt.Sscanf(tokenID, "%d-%d", &i.nanoseconds, &i.serial) // an id of another form is the oldest
	return i
}

// expired tells whether a token that is good otherwise counts as expired,
// because a rule says so now (expire) or said so before.
func (t *sessions) expired(tokenID, expire string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch expire {
	case ExpireOnce:
		return true
	case ExpireToken:
		t.expiredTokens[tokenID] = true
	case ExpireAll:
		t.expiredBefore = issue{now.UnixNano(), t.issued + 1}
	}
	return t.expiredTokens[tokenID] || issueOf(tokenID).before(t.expiredBefore)
}

// expire is what the rule that decides the answer does to a token.
func (h *hits) expire() string {
	if h.end == nil {
		return ""
	}
	return h.end.Expire
}

// lock locks an account until a time.
func (t *sessions) lock(userID string, until time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failures[userID] = &failedLogins{count: maxLoginFailures, lockedUntil: until}
}

// lockAccount locks the account of a login; an unknown one is no account.
func (s *Sandbox) lockAccount(login string, d Duration) {
	s.store.mu.RLock()
	u := s.store.world.userByLogin(login)
	s.store.mu.RUnlock()
	if u != nil {
		s.sessions.lock(u.ID, s.options.Clock().Add(time.Duration(d)))
	}
}
