package sandbox

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// claims is the payload of a token (vendor's S2S starter kit, login).
type claims struct {
	CountRenewed  int         `json:"countRenewed"`
	MaxTokenRenew int         `json:"maxTokenRenew"`
	User          claimedUser `json:"user"`
	App           claimedApp  `json:"app"`
	OAuth         *oauthClaim `json:"oauth,omitempty"` // of OAuth tokens only
	jwt.RegisteredClaims
}

type claimedUser struct {
	ID         string `json:"id"`
	LoginEmail string `json:"loginEmail"`
}

type claimedApp struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

const (
	maxLoginFailures = 5         // then the account is locked
	lockTime         = time.Hour // a wrong try while locked restarts it
)

// sessions remembers failed logins and tokens that were logged out. It has its
// own lock and is not kept across restarts.
type sessions struct {
	mu        sync.Mutex
	failures  map[string]*failedLogins // by user id
	loggedOut map[string]bool          // token ids
	issued    int

	expiredTokens map[string]bool // token ids that a fault rule ended
	expiredBefore issue           // as it did all tokens before that one
}

type failedLogins struct {
	count       int
	lockedUntil time.Time
}

func newSessions() *sessions {
	return &sessions{failures: map[string]*failedLogins{}, loggedOut: map[string]bool{}, expiredTokens: map[string]bool{}}
}

// clear forgets the failed logins of everybody.
func (t *sessions) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failures = map[string]*failedLogins{}
}

// unlock forgets the failed logins of a user; a password change does that.
func (t *sessions) unlock(userID string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.failures, userID)
}

// try counts a login attempt: nil when it may pass. Before the fifth failure
// the code is 401500, from then on 401501 even with good credentials, until
// the lock time is over.
func (t *sessions) try(u *user, good bool, now time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.failures[u.ID]
	if f == nil {
		f = &failedLogins{}
		t.failures[u.ID] = f
	}
	if now.Before(f.lockedUntil) {
		if !good {
			f.lockedUntil = now.Add(lockTime)
		}
		return unauthorized(codeAccountLocked, "Account of user %s is locked after %d failed logins", u.LoginEmail, maxLoginFailures)
	}
	if !f.lockedUntil.IsZero() { // the lock is over
		*f = failedLogins{}
	}
	if good {
		delete(t.failures, u.ID)
		return nil
	}
	f.count++
	if f.count >= maxLoginFailures {
		f.lockedUntil = now.Add(lockTime)
	}
	return unauthorized(codeWrongLogin, "Unknown login or wrong password for login %s, authentication is not authorized", u.LoginEmail)
}

func authRoutes() []route {
	const base = "/authentication/v1.0"
	return []route{
		{http.MethodGet, base + "/login", open, true, login},
		{http.MethodGet, base + "/renew", anyUser, false, withToken(renew)},
		{http.MethodGet, base + "/logout", anyUser, false, withToken(logout)},
		{http.MethodGet, base + "/validator", anyUser, false, validate},
		{http.MethodGet, base + "/about", open, false, about("1.239.2", "Rainbow Authentication Portal (sandbox)")},
		{http.MethodGet, base + "/urls", open, false, authURLs},
	}
}

func about(version, description string) func(*world, *call) (any, error) {
	return func(*world, *call) (any, error) {
		return map[string]string{"version": version, "description": description}, nil
	}
}

// authURLs answers what the Rainbow Node SDK asks before it logs in, with the
// literal header "Authorization: Bearer null"; without loginUrl and logoutUrl
// it goes on with the paths it knows.
func authURLs(*world, *call) (any, error) { return data(map[string]any{}), nil }

// signIn is the answer of login and renew: no data envelope.
type signIn struct {
	Token               string   `json:"token"`
	LoggedInUser        userView `json:"loggedInUser"`
	LoggedInApplication any      `json:"loggedInApplication"`
}

// application is the one application of the sandbox.
func application() map[string]any {
	return map[string]any{
		"id": AppID, "name": "Sandbox application", "type": "server", "activity": "J", "ownerId": seedID(idUser, 0),
		"env": "deployed", "state": "active", "platform": "official", "dateOfCreation": seedTime,
		"dateOfDeploymentRequest": seedTime, "dateOfDeployment": seedTime,
	}
}

// login answers Login: Authorization is Basic login:password, and
// x-rainbow-app-auth is Basic appId:sha256hex(appSecret+password).
func login(w *world, c *call) (any, error) {
	name, password, ok := c.request.BasicAuth()
	if !ok {
		return nil, unauthorized(0, "Authorization header is missing or is not Basic")
	}
	if err := checkApplication(c.request.Header.Get("x-rainbow-app-auth"), password); err != nil {
		return nil, err
	}
	u, err := c.checkPassword(w, name, password)
	if err != nil {
		return nil, err
	}
	next := *u
	next.LastLoginDate, next.LoggedSince = timestamp(c.now), timestamp(c.now)
	if next.FirstLoginDate == "" {
		next.FirstLoginDate = timestamp(c.now)
	}
	w.users.put(&next)
	return c.signIn(w, &next, 0)
}

// checkPassword answers the user of a login and password, and counts the
// failures.
func (c *call) checkPassword(w *world, name, password string) (*user, error) {
	u := w.userByLogin(name)
	if u == nil {
		return nil, unauthorized(codeWrongLogin, "Unknown login or wrong password for login %s, authentication is not authorized", name)
	}
	given := hashPassword(u.ID, password)
	good := subtle.ConstantTimeCompare([]byte(given), []byte(u.PasswordHash)) == 1 && u.IsActive
	return u, c.sandbox.sessions.try(u, good, c.now)
}

// checkApplication checks x-rainbow-app-auth: Basic of appId and the SHA-256
// of the application's secret and a password or challenge.
func checkApplication(header, password string) error {
	encoded, ok := strings.CutPrefix(header, "Basic ")
	plain, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil {
		return unauthorized(0, "x-rainbow-app-auth header is missing or is not Basic")
	}
	sum := sha256.Sum256([]byte(AppSecret + password))
	want := AppID + ":" + hex.EncodeToString(sum[:])
	if subtle.ConstantTimeCompare(plain, []byte(want)) != 1 {
		return unauthorized(0, "Application authentication failed: unknown application or wrong application secret")
	}
	return nil
}

// signIn issues a token.
func (c *call) signIn(w *world, u *user, renewed int) (any, error) {
	signed, err := c.token(w, u, claims{CountRenewed: renewed, MaxTokenRenew: c.sandbox.options.TokenRenewals}, c.sandbox.options.TokenLifetime)
	if err != nil {
		return nil, err
	}
	return signIn{Token: signed, LoggedInUser: w.fullUser(u), LoggedInApplication: application()}, nil
}

// token signs a token of a user that lives for a while; its id is new unless
// the claims have one.
func (c *call) token(w *world, u *user, of claims, lifetime time.Duration) (string, error) {
	s := c.sandbox
	s.sessions.mu.Lock()
	s.sessions.issued++
	serial := s.sessions.issued
	s.sessions.mu.Unlock()
	of.User, of.App = claimedUser{ID: u.ID, LoginEmail: u.LoginEmail}, claimedApp{ID: AppID, Name: "Sandbox application"}
	of.ID = cmp.Or(of.ID, fmt.Sprintf("%d-%d", c.now.UnixNano(), serial))
	of.IssuedAt, of.ExpiresAt = jwt.NewNumericDate(c.now), jwt.NewNumericDate(c.now.Add(lifetime))
	return jwt.NewWithClaims(jwt.SigningMethodHS256, of).SignedString(w.meta.get(metaID).SigningKey)
}

// renew answers Renew: a full new lifetime, maxTokenRenew times.
func renew(w *world, c *call) (any, error) {
	if c.claims.OAuth != nil {
		return nil, forbidden(codeAccessDenied, "Access denied: an OAuth token cannot be renewed here")
	}
	if c.claims.CountRenewed >= c.claims.MaxTokenRenew {
		return nil, unauthorized(0, "Token cannot be renewed more than %d times", c.claims.MaxTokenRenew)
	}
	return c.signIn(w, c.caller, c.claims.CountRenewed+1)
}

func logout(_ *world, c *call) (any, error) {
	s := c.sandbox.sessions
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loggedOut[c.claims.ID] = true
	return statusData("User %s successfully logged out", c.caller.LoginEmail), nil
}

// withToken refuses a call by API key: there is no token to renew or end.
func withToken(handle func(*world, *call) (any, error)) func(*world, *call) (any, error) {
	return func(w *world, c *call) (any, error) {
		if c.claims == nil {
			return nil, forbidden(codeAccessDenied, "Access denied: an API key has no token")
		}
		return handle(w, c)
	}
}

func validate(*world, *call) (any, error) { return map[string]string{"status": "OK"}, nil }

// admit checks the bearer token and the role a route asks for. The sentence of
// an expired token is exactly "jwt expired", which makes the Rainbow Node SDK
// sign in again; no other fault may use it.
func (s *Sandbox) admit(w *world, c *call, need access) error {
	if need == open {
		return nil
	}
	if c.byAPIKey() {
		if err := c.admitKey(w); err != nil {
			return err
		}
		return c.admitRoles(need)
	}
	if err := s.admitBearer(w, c); err != nil {
		return err
	}
	return c.admitRoles(need)
}

// admitBearer sets the caller by his token.
func (s *Sandbox) admitBearer(w *world, c *call) error {
	bearer, ok := strings.CutPrefix(c.request.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return unauthorized(0, "No authorization token was found")
	}
	parsed := &claims{}
	_, err := jwt.ParseWithClaims(bearer, parsed,
		func(*jwt.Token) (any, error) { return w.meta.get(metaID).SigningKey, nil },
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithExpirationRequired(), jwt.WithTimeFunc(func() time.Time { return c.now }))
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return unauthorized(0, "jwt expired")
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return unauthorized(0, "invalid signature")
	case err != nil:
		return unauthorized(0, "jwt malformed")
	case parsed.OAuth != nil && parsed.OAuth.Type != oauthAccess:
		return unauthorized(0, "a refresh token is no access token")
	case s.sessions.isLoggedOut(parsed.ID):
		return unauthorized(0, "jwt revoked")
	}
	u := w.users.get(parsed.User.ID)
	if u == nil || u.IsTerminated || !u.IsActive {
		return unauthorized(0, "User %s is no longer active", parsed.User.LoginEmail)
	}
	if s.sessions.expired(parsed.ID, c.expire, c.now) {
		return unauthorized(0, "jwt expired")
	}
	c.caller, c.claims = u, parsed
	return nil
}

func (t *sessions) isLoggedOut(tokenID string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.loggedOut[tokenID]
}
