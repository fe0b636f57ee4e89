package sandbox_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)} }

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func TestLoginAnswersATokenAClientCanPlanWith(t *testing.T) {
	r := start(t, sandbox.Options{TokenLifetime: 90 * time.Second})
	a := r.signIn(sandbox.AdminLogin, sandbox.AdminPassword, sandbox.AppSecret).ok()
	a.want("loggedInUser.loginEmail", sandbox.AdminLogin, "loggedInUser.companyId", sandbox.CompanyID, "loggedInApplication.id", sandbox.AppID)
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(a.text("token"), ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		IAT, EXP                    int64
		CountRenewed, MaxTokenRenew int
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	if claims.EXP-claims.IAT != 90 || claims.CountRenewed != 0 || claims.MaxTokenRenew != 5 {
		t.Errorf("payload is %s", payload)
	}
	if a.header.Get("x-rainbow-request-id") == "" {
		t.Error("no x-rainbow-request-id")
	}
}

func TestLoginRefusesWhatIsWrong(t *testing.T) {
	r := start(t, sandbox.Options{})
	r.signIn(sandbox.AdminLogin, "Wrong-Pass-1", sandbox.AppSecret).fails(401, 401500)
	r.signIn("nobody@sandbox.example", sandbox.AdminPassword, sandbox.AppSecret).fails(401, 401500)
	r.signIn(sandbox.AdminLogin, sandbox.AdminPassword, "other-secret").fails(401, 0)
	r.send("GET", authent+"/login", "", nil).fails(401, 0)
	basic := http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(sandbox.AdminLogin+":"+sandbox.AdminPassword))}}
	r.send("GET", authent+"/login", "", basic).fails(401, 0)
}

func TestFiveFailuresLockTheAccount(t *testing.T) {
	clk := newClock()
	r := start(t, sandbox.Options{Clock: clk.time, TokenLifetime: 10 * time.Hour})
	try := func(password string) answer { return r.signIn(seeded(1), password, sandbox.AppSecret) }
	for range 5 {
		try("Wrong-Pass-1").fails(401, 401500)
	}
	try(sandbox.UserPassword).fails(401, 401501)
	clk.move(50 * time.Minute)
	try("Wrong-Pass-1").fails(401, 401501) // restarts the hour
	clk.move(50 * time.Minute)
	try(sandbox.UserPassword).fails(401, 401501)
	clk.move(11 * time.Minute)
	try(sandbox.UserPassword).ok()
	for range 5 {
		try("Wrong-Pass-1").fails(401, 401500)
	}
	r.put(admin+"/users/"+r.userID(seeded(1)), map[string]any{"password": "Fresh-Pass-9"}).ok() // unlocks
	try("Fresh-Pass-9").ok()
}

func TestRenewalsAreCounted(t *testing.T) {
	clk := newClock()
	r := start(t, sandbox.Options{Clock: clk.time, TokenRenewals: 2, TokenLifetime: time.Minute})
	for range 2 {
		clk.move(50 * time.Second)
		r.token = r.get(authent+"/renew").ok().want("loggedInUser.loginEmail", sandbox.AdminLogin).text("token")
	}
	r.get(authent+"/renew").fails(401, 0)
	r.get(authent+"/validator").ok().want("status", "OK")
}

func TestOnlyAnExpiredTokenSaysSo(t *testing.T) {
	clk := newClock()
	r := start(t, sandbox.Options{Clock: clk.time, TokenLifetime: time.Minute})
	good := r.token
	for name, token := range map[string]string{"garbage": "null", "tampered": good[:len(good)-4] + "AAAA"} {
		r.token = token
		if got := r.get(admin+"/users").fails(401, 0).text("errorDetails"); got == "jwt expired" || got == "" {
			t.Errorf("%s token: errorDetails is %q", name, got)
		}
	}
	r.send("GET", admin+"/users", "", nil).fails(401, 0)
	r.token = good
	r.get(admin + "/users").ok()
	clk.move(time.Minute + time.Second)
	r.get(admin+"/users").fails(401, 0).want("errorDetails", "jwt expired")
	r.get(authent+"/renew").fails(401, 0).want("errorDetails", "jwt expired")
}

func TestLogoutEndsTheToken(t *testing.T) {
	r := start(t, sandbox.Options{})
	r.get(authent+"/logout").ok().want("status", "User admin@sandbox.example successfully logged out")
	if got := r.get(admin+"/users").fails(401, 0).text("errorDetails"); got == "jwt expired" {
		t.Error("a logged-out token must not look expired")
	}
}

func TestSignInSideCalls(t *testing.T) {
	r := start(t, sandbox.Options{})
	null := http.Header{"Authorization": {"Bearer null"}}
	r.send("GET", authent+"/urls?useBackchannelPolling=false&uid=", "", null).ok()
	r.get(enduser+"/companies/"+sandbox.CompanyID+"?format=full&selectedThemeObj=false").ok().want("data.id", sandbox.CompanyID)
	r.get(enduser+"/settings/apis").ok().want("data.additionalHeaders", "[]")
	r.get(enduser+"/users/me").ok().want("data.loginEmail", sandbox.AdminLogin)
	for _, portal := range []string{authent, admin, voice, mass, licence, enduser} {
		if r.send("GET", portal+"/about", "", nil).ok().text("version") == "" {
			t.Errorf("%s/about has no version", portal)
		}
	}
}

func TestUsersWithoutTheRoleAreRefused(t *testing.T) {
	r := start(t, sandbox.Options{})
	r.token = r.login(seeded(3), sandbox.UserPassword)
	r.get(enduser+"/users/me").ok().want("data.loginEmail", seeded(3))
	r.get(admin+"/users").fails(403, 403000)
	r.post(cloud+"/phone-numbers/ddi", map[string]string{"number": "0298300777"}).fails(403, 403000)
}

func TestOtherCompaniesAreOutOfReach(t *testing.T) {
	r := start(t, sandbox.Options{})
	r.get(admin+"/users?companyId="+sandbox.NeighbourCompanyID).fails(403, 403301)
	r.get(voice+"/cloudpbxs/5b7d0c0ffee0000000000103").fails(403, 403301)
	r.get(licence+"/companies/"+sandbox.NeighbourCompanyID+"/subscriptions").fails(403, 403301)
	r.get(admin+"/users?companyId=5b7d0c0ffee0000000000009").fails(404, 404000)
}
