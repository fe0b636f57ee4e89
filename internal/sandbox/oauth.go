package sandbox

import (
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// OAuthRedirectURI is the redirect URI registered for the application. On the
// loopback addresses any port is accepted (RFC 8252, section 7.3).
const OAuthRedirectURI = "http://127.0.0.1/callback"

// oauthClaim marks the tokens of OAuth.
type oauthClaim struct {
	Type  string `json:"type"`
	Scope string `json:"scope"`
}

const (
	oauthAccess  = "access_token"
	oauthRefresh = "refresh_token"

	codeLifetime    = 10 * time.Minute
	accessLifetime  = time.Hour
	refreshLifetime = 90 * 24 * time.Hour
)

// grant is an authorization code (by its hash) or a refresh token (by its id)
// that was given. What came out of one authorisation is a family: a code that
// is used twice ends all of it (RFC 6749, section 4.1.2).
type grant struct {
	ID          string `json:"id"`
	Kind        string `json:"kind"` // code or refresh_token
	UserID      string `json:"userId"`
	RedirectURI string `json:"redirectUri,omitempty"`
	Expires     string `json:"expires"`
	Family      string `json:"family"`
	Used        bool   `json:"used,omitempty"`
}

const grantCode = "code"

func oauthRoutes() []route {
	const base = "/authentication/v1.0/oauth"
	return []route{
		{http.MethodGet, base + "/authorize", open, true, oauthAuthorize},
		{http.MethodPost, base + "/token", open, true, oauthToken},
	}
}

// oauthAuthorize answers OAuthAuthorize with a redirect. Upstream shows its
// login and consent pages in between; here the credentials come with the
// request (Basic login:password, which a browser asks for, or a bearer token)
// and the consent is taken for granted.
func oauthAuthorize(w *world, c *call) (any, error) {
	if id := c.query.text("client_id"); id != AppID {
		return nil, &apiError{Status: http.StatusBadRequest, Code: codeBadParameter, Details: "client_id is not that of an application", OAuth: "invalid_client"}
	}
	asked := c.query.text("redirect_uri")
	state := c.query.text("state")
	if asked != "" && !registeredRedirect(asked) {
		return redirect(OAuthRedirectURI, "?", url.Values{"error": {"invalid_client"}, "error_description": {"redirect_uri is not registered"}}, state), nil
	}
	target := asked
	if target == "" {
		target = OAuthRedirectURI
	}
	kind := c.query.text("response_type")
	if kind != "code" && kind != "token" {
		return redirect(target, "?", url.Values{"error": {"unsupported_response_type"}, "error_description": {"response_type must be code or token"}}, state), nil
	}
	if scope := c.query.text("scope"); scope != "" && scope != "all" {
		return redirect(target, "?", url.Values{"error": {"invalid_scope"}, "error_description": {"only the scope all exists"}}, state), nil
	}
	u, err := c.authorising(w)
	if err != nil {
		return nil, err
	}
	if kind == "token" {
		access, err := c.token(w, u, claims{OAuth: &oauthClaim{oauthAccess, "all"}}, accessLifetime)
		if err != nil {
			return nil, err
		}
		return redirect(target, "#", url.Values{"access_token": {access}, "token_type": {oauthAccess}, "expires_in": {"3600"}}, state), nil
	}
	code := secret()
	id := hashKey(code)
	w.dropExpiredGrants(c.now)
	w.grants.put(&grant{ID: id, Kind: grantCode, UserID: u.ID, RedirectURI: asked, Expires: timestamp(c.now.Add(codeLifetime)), Family: id})
	return redirect(target, "?", url.Values{"code": {code}}, state), nil
}

// registeredRedirect compares a redirect URI with the registered one, without
// the port of a loopback address.
func registeredRedirect(asked string) bool {
	u, err := url.Parse(asked)
	registered, _ := url.Parse(OAuthRedirectURI)
	if err != nil || u.Scheme != registered.Scheme || u.Path != registered.Path || u.User != nil || u.Fragment != "" || u.RawQuery != "" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || (ip != nil && ip.IsLoopback())
}

func redirect(target, separator string, values url.Values, state string) *rawAnswer {
	if state != "" {
		values.Set("state", state)
	}
	return &rawAnswer{contentType: "text/html; charset=utf-8", body: []byte("<!doctype html><title>Found</title>\n"), location: target + separator + values.Encode()}
}

// authorising answers the user who authorises the application.
func (c *call) authorising(w *world) (*user, error) {
	if c.request.Header.Get("Authorization") == "" {
		fault := &apiError{Status: http.StatusUnauthorized, Details: "Log in to authorise the application", Challenge: `Basic realm="Rainbow sandbox"`}
		return nil, fault
	}
	if name, password, ok := c.request.BasicAuth(); ok {
		return c.checkPassword(w, name, password)
	}
	if err := c.sandbox.admitBearer(w, c); err != nil {
		return nil, err
	}
	return c.caller, nil
}

// oauthTokens is the answer of OAuthToken: no data envelope.
type oauthTokens struct {
	AccessToken  string `json:"access_token"`
	ExpiresIn    int    `json:"expires_in"` // seconds
	TokenType    string `json:"token_type"`
	RefreshToken string `json:"refresh_token"`
	Scope        string `json:"scope"`
}

// oauthToken answers OAuthToken: a code works once, and so does a refresh
// token.
func oauthToken(w *world, c *call) (any, error) {
	id, password, ok := c.request.BasicAuth()
	if !ok || id != AppID || subtle.ConstantTimeCompare([]byte(password), []byte(AppSecret)) != 1 {
		return nil, &apiError{
			Status: http.StatusUnauthorized, OAuth: "invalid_client", Challenge: `Basic realm="Rainbow sandbox"`,
			Details: "Application authentication failed: unknown application or wrong application secret",
		}
	}
	form, err := url.ParseQuery(string(c.body))
	if err != nil {
		return nil, oauthFault("invalid_request", "body is not a form")
	}
	var g *grant
	switch kind := form.Get("grant_type"); kind {
	case "authorization_code":
		g = w.grants.get(hashKey(form.Get("code")))
		if g != nil && g.RedirectURI != form.Get("redirect_uri") && g.RedirectURI != "" {
			return nil, oauthFault("invalid_grant", "redirect_uri is not that of the authorisation")
		}
	case oauthRefresh:
		g = w.refreshGrant(c, form.Get(oauthRefresh))
	default:
		return nil, oauthFault("unsupported_grant_type", "grant_type must be authorization_code or refresh_token")
	}
	if g == nil || g.Expires <= timestamp(c.now) {
		return nil, oauthFault("invalid_grant", "the code or refresh token is unknown or expired")
	}
	if g.Used {
		w.revoke(g.Family)
		return nil, oauthFault("invalid_grant", "the code or refresh token was used before")
	}
	u := w.users.get(g.UserID)
	if u == nil || u.IsTerminated || !u.IsActive {
		return nil, oauthFault("invalid_grant", "the user is no longer active")
	}
	used := *g
	used.Used = true
	w.grants.put(&used)
	return w.issue(c, u, g.Family)
}

func oauthFault(code, sentence string) error {
	return &apiError{Status: http.StatusBadRequest, Code: codeBadParameter, Details: sentence, OAuth: code}
}

// refreshGrant finds the grant of a refresh token that is one of ours.
func (w *world) refreshGrant(c *call, token string) *grant {
	parsed := &claims{}
	_, err := jwt.ParseWithClaims(token, parsed,
		func(*jwt.Token) (any, error) { return w.meta.get(metaID).SigningKey, nil },
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithTimeFunc(func() time.Time { return c.now }))
	if err != nil || parsed.OAuth == nil || parsed.OAuth.Type != oauthRefresh {
		return nil
	}
	return w.grants.get(parsed.ID)
}

// issue makes an access token and the refresh token that follows it.
func (w *world) issue(c *call, u *user, family string) (any, error) {
	access, err := c.token(w, u, claims{OAuth: &oauthClaim{oauthAccess, "all"}}, accessLifetime)
	if err != nil {
		return nil, err
	}
	next := claims{OAuth: &oauthClaim{oauthRefresh, "all"}}
	next.ID = secret()
	refresh, err := c.token(w, u, next, refreshLifetime)
	if err != nil {
		return nil, err
	}
	w.grants.put(&grant{ID: next.ID, Kind: oauthRefresh, UserID: u.ID, Expires: timestamp(c.now.Add(refreshLifetime)), Family: family})
	return oauthTokens{access, int(accessLifetime.Seconds()), "Bearer", refresh, "all"}, nil
}

// revoke marks all grants of one authorisation as used.
func (w *world) revoke(family string) {
	for _, g := range w.grants.all() {
		if g.Family == family && !g.Used {
			next := *g
			next.Used = true
			w.grants.put(&next)
		}
	}
}

// dropExpiredGrants forgets what can't be used any more.
func (w *world) dropExpiredGrants(now time.Time) {
	for _, g := range w.grants.all() {
		if g.Expires <= timestamp(now) {
			w.grants.remove(g.ID)
		}
	}
}
