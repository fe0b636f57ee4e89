package sandbox_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

func basic(name, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password))
}

// authorize asks for an authorisation and answers where it redirects to.
func (r *rainbow) authorize(query, authorization string) *url.URL {
	r.t.Helper()
	req, err := http.NewRequest("GET", r.url+authent+"/oauth/authorize?"+query, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", authorization)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 302 {
		r.t.Fatalf("authorize: status %d", resp.StatusCode)
	}
	location, err := resp.Location()
	if err != nil {
		r.t.Fatal(err)
	}
	return location
}

func (r *rainbow) oauthToken(secret string, form ...string) answer {
	r.t.Helper()
	values := url.Values{}
	for i := 0; i < len(form); i += 2 {
		values.Set(form[i], form[i+1])
	}
	return r.send("POST", authent+"/oauth/token", values.Encode(), http.Header{
		"Authorization": {basic(sandbox.AppID, secret)}, "Content-Type": {"application/x-www-form-urlencoded"},
	})
}

func TestOAuthCodeAndRefresh(t *testing.T) {
	clk := newClock()
	r := start(t, sandbox.Options{Clock: clk.time, TokenLifetime: 5000 * time.Hour})
	credentials := basic(sandbox.AdminLogin, sandbox.AdminPassword)
	callback := "http://127.0.0.1:49152/callback"
	query := "response_type=code&client_id=" + sandbox.AppID + "&state=s+1&redirect_uri=" + url.QueryEscape(callback)
	to := r.authorize(query, credentials)
	if to.Host != "127.0.0.1:49152" || to.Path != "/callback" || to.Query().Get("state") != "s 1" || to.Query().Get("code") == "" {
		t.Fatalf("redirected to %s", to)
	}
	code := to.Query().Get("code")
	exchange := func(code string) answer {
		return r.oauthToken(sandbox.AppSecret, "grant_type", "authorization_code", "code", code, "redirect_uri", callback)
	}
	r.oauthToken("wrong", "grant_type", "authorization_code", "code", code).fails(401, 0).want("error", "invalid_client")
	r.oauthToken(sandbox.AppSecret, "grant_type", "authorization_code", "code", code, "redirect_uri", "http://localhost/callback").fails(400, 400000).want("error", "invalid_grant")
	first := exchange(code).ok().want("expires_in", "3600", "token_type", "Bearer", "scope", "all")
	r.token = first.text("access_token")
	r.get(admin+"/users?limit=1").ok().want("total", "21")
	r.get(authent+"/renew").fails(403, 403100)
	refresh := func(token string) answer {
		return r.oauthToken(sandbox.AppSecret, "grant_type", "refresh_token", "refresh_token", token)
	}
	clk.move(time.Hour + time.Second)
	r.get(admin+"/users").fails(401, 0).want("errorDetails", "jwt expired")
	second := refresh(first.text("refresh_token")).ok()
	r.token = second.text("refresh_token")
	r.get(admin+"/users").fails(401, 0) // a refresh token opens nothing
	r.token = second.text("access_token")
	r.get(admin + "/users").ok()
	clk.move(89 * 24 * time.Hour)
	third := refresh(second.text("refresh_token")).ok()
	refresh(second.text("refresh_token")).fails(400, 400000).want("error", "invalid_grant") // used: the family ends
	refresh(third.text("refresh_token")).fails(400, 400000)
	refresh("x").fails(400, 400000)

	late := r.authorize(query, credentials).Query().Get("code")
	clk.move(10 * time.Minute)
	exchange(late).fails(400, 400000)
	last := r.authorize(query, credentials).Query().Get("code")
	tokens := exchange(last).ok()
	exchange(last).fails(400, 400000).want("error", "invalid_grant") // a code works once
	refresh(tokens.text("refresh_token")).fails(400, 400000)
	refresh(r.token).fails(400, 400000) // an access token is no refresh token
	r.oauthToken(sandbox.AppSecret, "grant_type", "password").fails(400, 400000).want("error", "unsupported_grant_type")
}

func TestOAuthRedirects(t *testing.T) {
	r := start(t, sandbox.Options{})
	credentials := basic(sandbox.AdminLogin, sandbox.AdminPassword)
	base := "client_id=" + sandbox.AppID + "&response_type="
	implicit := r.authorize(base+"token&state=x", "Bearer "+r.token)
	values, err := url.ParseQuery(implicit.Fragment)
	if err != nil || values.Get("token_type") != "access_token" || values.Get("expires_in") != "3600" || values.Get("state") != "x" {
		t.Fatalf("redirected to %s", implicit)
	}
	if !strings.HasPrefix(implicit.String(), sandbox.OAuthRedirectURI+"#") {
		t.Errorf("no redirect_uri goes to the registered one, got %s", implicit)
	}
	other := *r
	other.token = values.Get("access_token")
	other.get(enduser+"/users/me").ok().want("data.loginEmail", sandbox.AdminLogin)
	for query, want := range map[string]string{
		base + "code&redirect_uri=https%3A%2F%2Fevil.example%2Fcallback": "invalid_client", base + "device": "unsupported_response_type",
		base + "code&scope=some": "invalid_scope", base + "code&redirect_uri=http%3A%2F%2F127.0.0.1%2Fother": "invalid_client",
	} {
		to := r.authorize(query, credentials)
		if to.Query().Get("error") != want || to.Query().Get("error_description") == "" || to.Hostname() != "127.0.0.1" {
			t.Errorf("%s: redirected to %s, want error %s", query, to, want)
		}
	}
	path := authent + "/oauth/authorize?" + base + "code"
	a := r.send("GET", path, "", nil).fails(401, 0)
	if !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Basic ") {
		t.Errorf("a browser is not asked for credentials: %v", a.header)
	}
	r.send("GET", path, "", http.Header{"Authorization": {basic(sandbox.AdminLogin, "Wrong-Pass-1")}}).fails(401, 401500)
	r.send("GET", authent+"/oauth/authorize?client_id=other&response_type=code", "", nil).fails(400, 400000)
}

// withKey sends a call that is authenticated by an API key.
func (r *rainbow) withKey(method, path, key, challenge, secret string) answer {
	r.t.Helper()
	sum := sha256.Sum256([]byte(secret + challenge))
	return r.send(method, path, "", http.Header{
		"X-Rainbow-Api-Key": {key}, "X-Rainbow-Challenge": {challenge}, "X-Rainbow-App-Auth": {basic(sandbox.AppID, hex.EncodeToString(sum[:]))},
	})
}

func TestAPIKeys(t *testing.T) {
	clk := newClock()
	r := start(t, sandbox.Options{Clock: clk.time, TokenLifetime: 1000 * time.Hour})
	const challenge = "abcdefghijklmnopqrstuv"
	keys := authent + "/apikeys"
	a := r.post(keys, map[string]any{"scope": []string{"all"}, "description": "nightly", "isActive": true, "expirationDate": "2026-03-10"}).ok()
	a.want("data.userId", r.userID(sandbox.AdminLogin), "data.isActive", "true", "data.expirationDate", "2026-03-10T00:00:00.000Z")
	key, one := a.text("data.apiKey"), keys+"/"+a.text("data.id")
	good := func(path string) answer { return r.withKey("GET", path, key, challenge, sandbox.AppSecret) }
	good(admin+"/users?limit=1").ok().want("total", "21")
	good(enduser+"/users/me").ok().want("data.loginEmail", sandbox.AdminLogin)
	good(keys+"/current").ok().want("data.description", "nightly", "data.apiKey", "")
	good(authent+"/renew").fails(403, 403100)
	good(authent+"/logout").fails(403, 403100)
	r.get(keys+"/current").fails(404, 404000) // this call has a token
	r.withKey("GET", admin+"/users", key, challenge, "wrong").fails(401, 0)
	r.withKey("GET", admin+"/users", key, "short", sandbox.AppSecret).fails(401, 0)
	r.withKey("GET", admin+"/users", "unknown", challenge, sandbox.AppSecret).fails(401, 0)
	r.get(one).ok().want("data.apiKey", "", "data.sandboxHash", "")

	user := r.as(seeded(1))
	user.get(one).fails(403, 403100)
	user.delete(one).fails(403, 403100)
	user.get(keys).ok().want("total", "0")
	mine := user.post(keys, map[string]any{}).ok()
	r.withKey("GET", admin+"/users", mine.text("data.apiKey"), challenge, sandbox.AppSecret).fails(403, 403000) // roles hold
	r.get(keys+"?userId="+r.userID(seeded(1))).ok().want("total", "1", "data.0.id", mine.text("data.id"))
	user.get(keys+"?userId="+r.userID(sandbox.AdminLogin)).fails(403, 403100)

	clk.move(time.Minute)
	second := r.post(keys, map[string]any{"isActive": false}).ok().text("data.id")
	r.get(keys).ok().want("total", "2", "data.0.id", second) // the newest first
	r.get(keys+"?sortOrder=1").ok().want("data.1.id", second)
	r.get(keys+"?isActive=false").ok().want("total", "1")
	r.put(one, map[string]any{"isActive": false, "description": "off"}).ok().want("data.description", "off")
	good(admin+"/users").fails(401, 0)
	r.put(one, map[string]any{"isActive": true}).ok()
	clk.move(10 * 24 * time.Hour)
	if got := good(admin+"/users").fails(401, 0).text("errorDetails"); got == "jwt expired" {
		t.Error("an expired API key must not look like an expired token")
	}
	r.put(one, map[string]any{"expirationDate": nil}).ok().want("data.expirationDate", "")
	good(admin + "/users").ok()
	r.delete(one).ok()
	good(admin+"/users").fails(401, 0)
	r.get(one).fails(404, 404000)
	r.post(keys, map[string]any{"scope": []string{"some"}}).fails(400, 400000)
	r.post(keys, map[string]any{"expirationDate": "soon"}).fails(400, 400000)
}

// TestPartnersSurviveARestart keeps what is beside telephony: orders that are
// synchronising, API keys, refresh tokens, directories.
func TestPartnersSurviveARestart(t *testing.T) {
	clk := newClock()
	options := sandbox.Options{
		DataFile: filepath.Join(t.TempDir(), "world.jsonl"), SeedUsers: 2, Clock: clk.time, OrderDelay: time.Minute, TokenLifetime: 100 * time.Hour,
	}
	r, stop := world(t, options)
	id := r.as("bpfinance@dr.example").post(subscriptions, order(r.offerID("Voice Enterprise"), 3)).ok().text("data.id")
	key := r.post(authent+"/apikeys", nil).ok().text("data.apiKey")
	code := r.authorize("response_type=code&client_id="+sandbox.AppID, basic(sandbox.AdminLogin, sandbox.AdminPassword)).Query().Get("code")
	refresh := r.oauthToken(sandbox.AppSecret, "grant_type", "authorization_code", "code", code).ok().text("refresh_token")
	r.post(directories+"/imports/synchronize?commandId=kept", "ldap_id;lastName;workPhoneNumber0\na1;Adams;+33199009911\n").ok()
	stop(false)

	r, stop = world(t, options)
	r.get(subscriptions+"/"+id).ok().want("data.status", "creating")
	clk.move(2 * time.Minute)
	r.get(subscriptions+"/"+id).ok().want("data.status", "active")
	r.withKey("GET", enduser+"/users/me", key, "abcdefghijklmnopqrstuv", sandbox.AppSecret).ok()
	r.oauthToken(sandbox.AppSecret, "grant_type", "refresh_token", "refresh_token", refresh).ok()
	r.get(directories+"/synchronize").ok().want("data.a1.lastName", "Adams")
	r.get(directories+"/imports/synchronize/kept/report").ok().want("status", "success", "report.created", "1")
	stop(true)

	r, stop = world(t, options)
	defer stop(true)
	r.oauthToken(sandbox.AppSecret, "grant_type", "refresh_token", "refresh_token", refresh).fails(400, 400000) // it was used
	if next := r.as("bpfinance@dr.example").post(subscriptions, order(r.offerID("Business 1Year"), 3)).ok().text("data.id"); next <= id {
		t.Errorf("id %s was given again after %s", next, id)
	}
	if err := r.sandbox.Reset(); err != nil {
		t.Fatal(err)
	}
	if n := r.get(subscriptions).ok().size("data"); n != 4 {
		t.Errorf("%d subscriptions after the reset, want 4", n)
	}
	r.withKey("GET", enduser+"/users/me", key, "abcdefghijklmnopqrstuv", sandbox.AppSecret).fails(401, 0)
}
