package upstream

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Paths of the authentication portal (the guides quote login; renew is from the Rainbow S2S starter kit).
const (
	loginPath = "/api/rainbow/authentication/v1.0/login"
	renewPath = "/api/rainbow/authentication/v1.0/renew"
)

// lockedPause is a little more than the hour for which upstream locks an account; a try within it restarts the hour.
const lockedPause = 65 * time.Minute

// codeLocked is errorDetailsCode of a locked account (Rainbow S2S starter kit).
const codeLocked = 401501

var errClosed = errors.New("client is closed")

// signIn gets a token: by login when token is "", else by renewing it.
type signIn func(ctx context.Context, account Account, token string) (string, error)

// session keeps the service account signed in. Its token is in memory only. It is renewed after half of its lifetime
// plus a random share, as the vendor's SDK does, but by the first call after that moment and beside it: an idle
// gateway makes no calls. When the token can't be renewed (maxTokenRenew, 401) the account logs in again.
//
// All callers that need a token wait for one flight. A refused login is remembered for a pause, so that wrong
// credentials don't lock the account. mu guards everything below it.
type session struct {
	account Account
	pause   time.Duration // after the first refused login
	signIn  signIn
	now     func() time.Time
	ctx     context.Context // ends with close; of the flights
	cancel  context.CancelFunc
	flights sync.WaitGroup

	mu      sync.Mutex
	current token
	flight  *flight
	refused *refusedLogin
	inRow   int // refused logins since the last success
}

// flight is a sign-in under way. err is set before done is closed.
type flight struct {
	done chan struct{}
	err  error
}

func newSession(account Account, pause time.Duration, do signIn) *session {
	ctx, cancel := context.WithCancel(context.Background())
	return &session{account: account, pause: pause, signIn: do, now: time.Now, ctx: ctx, cancel: cancel}
}

func (s *session) close() {
	s.cancel()
	s.mu.Lock()
	s.current = token{}
	s.mu.Unlock()
	s.flights.Wait()
}

// token returns a token that is not known to be expired.
func (s *session) token(ctx context.Context) (string, error) {
	for {
		text, f, err := s.tokenOrFlight()
		if f == nil {
			return text, err
		}
		select {
		case <-f.done:
			if f.err != nil {
				return "", f.err
			}
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// tokenOrFlight returns the token, or why there is none, or what to wait for.
func (s *session) tokenOrFlight() (string, *flight, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if s.ctx.Err() != nil {
		return "", nil, errClosed
	}
	if s.current.valid(now) {
		if s.current.due(now) && s.flight == nil && !s.refused.holds(now) {
			s.start(s.current)
		}
		return s.current.text, nil, nil
	}
	if s.flight == nil && s.refused.holds(now) {
		return "", nil, s.refused
	}
	if s.flight == nil {
		s.start(token{})
	}
	return "", s.flight, nil
}

// start begins a flight that renews old, or logs in when there is none. The caller holds mu.
func (s *session) start(old token) {
	f := &flight{done: make(chan struct{})}
	s.flight = f
	s.flights.Go(func() {
		fresh, err := s.fly(old)
		s.mu.Lock()
		f.err = s.land(old, fresh, err)
		s.flight = nil
		s.mu.Unlock()
		close(f.done)
	})
}

// fly gets a token.
func (s *session) fly(old token) (string, error) {
	if old.renewable() {
		text, err := s.signIn(s.ctx, s.account, old.text)
		if answered := (*Error)(nil); !errors.As(err, &answered) || answered.Status/100 != 4 || answered.Status == http.StatusTooManyRequests {
			return text, err
		}
	}
	return s.signIn(s.ctx, s.account, "")
}

// land takes the outcome of a flight and returns its error, a *refusedLogin when it was refused. The caller holds mu.
func (s *session) land(old token, fresh string, err error) error {
	now := s.now()
	switch {
	case err == nil:
		s.current, s.refused, s.inRow = parseToken(fresh, now), nil, 0
	case isRefusal(err):
		pause := s.pause << min(s.inRow, 3)
		if answered := (*Error)(nil); errors.As(err, &answered) && answered.Code == codeLocked {
			pause = max(pause, lockedPause)
		}
		s.inRow++
		s.refused = &refusedLogin{cause: err, until: now.Add(pause)}
		return s.refused
	case s.current.text == old.text:
		s.current.renewAt = now.Add(max(s.current.expires.Sub(now)/8, time.Second)) // a later call tries again
	}
	return err
}

// isRefusal tells whether trying again would not help: credentials that aren't taken, or an answer without a token.
func isRefusal(err error) bool {
	if answered := (*Error)(nil); errors.As(err, &answered) {
		return answered.Status == http.StatusUnauthorized || answered.Status == http.StatusForbidden
	}
	return errors.Is(err, ErrAnswer)
}

// drop forgets a token that upstream calls expired.
func (s *session) drop(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current.text == text {
		s.current = token{}
	}
}

// refusedLogin is the error of calls that need a token after upstream refused to give one.
type refusedLogin struct {
	cause error // an *Error, or an answer without a token
	until time.Time
}

func (r *refusedLogin) holds(now time.Time) bool { return r != nil && now.Before(r.until) }

func (r *refusedLogin) Error() string {
	return fmt.Sprintf("%v; no further login before %s", r.cause, r.until.UTC().Format(time.RFC3339))
}

func (r *refusedLogin) Unwrap() []error { return []error{ErrCredentials, r.cause} }

// token is a JWT with what its payload says.
type token struct {
	text    string
	expires time.Time // zero: the payload doesn't say
	renewAt time.Time // zero: never
	left    int       // renewals that upstream still grants; -1: not said
}

// valid tells whether the token is there and has some seconds left.
func (t token) valid(now time.Time) bool {
	return t.text != "" && (t.expires.IsZero() || now.Before(t.expires))
}

func (t token) due(now time.Time) bool { return !t.renewAt.IsZero() && !now.Before(t.renewAt) }

func (t token) renewable() bool { return t.text != "" && t.left != 0 }

// parseToken reads the payload of a JWT just received. Lifetimes count from now, not from iat, so that the clocks
// need not agree. A text that is no JWT is a token of unknown lifetime: it is used until upstream calls it expired.
func parseToken(text string, now time.Time) token {
	t := token{text: text, left: -1}
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return t
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return t
	}
	var claims struct {
		Issued   float64 `json:"iat"`
		Expires  float64 `json:"exp"`
		Renewed  *int    `json:"countRenewed"`
		MaxRenew *int    `json:"maxTokenRenew"`
	}
	if json.Unmarshal(payload, &claims) != nil || claims.Expires <= claims.Issued || claims.Issued <= 0 {
		return t
	}
	life := time.Duration((claims.Expires - claims.Issued) * float64(time.Second))
	t.expires = now.Add(life - min(life/20, 5*time.Second)) // a call takes some time to arrive
	t.renewAt = now.Add(life/2 + rand.N(life/16+1))
	if claims.MaxRenew != nil {
		t.left = *claims.MaxRenew
		if claims.Renewed != nil {
			t.left = max(t.left-*claims.Renewed, 0)
		}
	}
	return t
}

// signIn calls login or renew, once: a lost answer to a login may have been a refusal, and five lock the account.
func (c *Client) signIn(ctx context.Context, account Account, old string) (string, error) {
	k := &call{method: http.MethodGet, path: loginPath, buffered: true, noAccount: true}
	h := http.Header{"Accept": {"application/json"}}
	if old == "" {
		h.Set(headerAuthorization, basic(account.Login, account.Password))
		h.Set(headerAppAuth, appAuth(account))
	} else {
		k.path = renewPath
		h.Set(headerAuthorization, "Bearer "+old)
	}
	k.request = &wireRequest{method: k.method, target: k.path, header: h}
	ctx, cancel := context.WithTimeout(ctx, c.opts.DialTimeout+c.opts.AnswerTimeout)
	defer cancel()
	a, err := c.send(ctx, k)
	if err != nil {
		return "", err
	}
	if a.status/100 != 2 {
		return "", k.refusal(a, c.opts.MaxAnswer)
	}
	var reply struct {
		Token string `json:"token"`
	}
	if json.Unmarshal(a.body, &reply) != nil || reply.Token == "" {
		return "", k.failed(errors.New("no token in it; a second factor may be asked for"))
	}
	return reply.Token, nil
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// appAuth authenticates the application at login: the hash is of secret and password, just joined, in lower case hex
// (Rainbow S2S starter kit, Rainbow Node SDK).
func appAuth(a Account) string {
	sum := sha256.Sum256([]byte(a.AppSecret + a.Password))
	return basic(a.AppID, hex.EncodeToString(sum[:]))
}
