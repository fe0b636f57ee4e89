package sandboxtest_test

import (
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/sandboxtest"
)

// failing is a test that remembers how it failed.
type failing struct {
	*testing.T
	message string
}

func (f *failing) Fatalf(format string, args ...any) {
	f.message = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// failure runs a test and answers the message it failed with.
func failure(t *testing.T, test func(tb sandboxtest.TB)) string {
	f := &failing{T: t}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		test(f)
	}()
	<-ended
	return f.message
}

func TestOptions(t *testing.T) {
	at := time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)
	file := filepath.Join(t.TempDir(), "world.jsonl")
	rainbow := sandboxtest.Start(t, sandboxtest.SeedUsers(0), sandboxtest.Clock(func() time.Time { return at }), sandboxtest.KeptIn(file),
		sandboxtest.TokenLifetime(time.Minute), sandboxtest.TokenRenewals(1), sandboxtest.ImportDelay(time.Millisecond),
		sandboxtest.ImportRowDelay(time.Millisecond), sandboxtest.OrderDelay(time.Minute), sandboxtest.FaultSeed(3),
		sandboxtest.Faults(sandboxtest.Fault{Method: "POST", Status: 500, Times: 1}))
	if status, answer := call(rainbow, "GET", "/api/rainbow/admin/v1.0/users", ""); status != 200 || answer["total"] != 1.0 {
		t.Errorf("users: %d %v, want the administrator alone", status, answer)
	}
	if status, _ := call(rainbow, "POST", ddis, `{"number":"0298300777"}`); status != 500 {
		t.Errorf("the fault that was in force from the start: %d", status)
	}
	_, answer := call(rainbow, "POST", ddis, `{"number":"0298300777"}`)
	if made := answer["data"].(map[string]any)["creationDate"]; made != "2025-01-02T03:04:05.000Z" {
		t.Errorf("made at %v", made)
	}
	if err := rainbow.Close(); err != nil {
		t.Fatal(err)
	}
	again := sandboxtest.Start(t, sandboxtest.KeptIn(file))
	if _, answer := call(again, "GET", ddis, ""); answer["total"] != 101.0 {
		t.Errorf("the kept world has %v DDIs", answer["total"])
	}
}

func TestEveryAccountSignsIn(t *testing.T) {
	rainbow := sandboxtest.Start(t)
	list := rainbow.Accounts()
	if len(list) < 20 || list[0].Login != sandboxtest.AdminLogin || list[0].CompanyID != sandboxtest.CompanyID {
		t.Fatalf("accounts: %+v", list)
	}
	for _, a := range list {
		if a.Password != sandboxtest.AdminPassword || len(a.Roles) == 0 || a.CompanyName == "" || rainbow.Token(a.Login) == "" {
			t.Errorf("account %+v", a)
		}
	}
	for _, role := range []string{"superadmin", "support", "business_admin", "bp_admin", "bp_finance", "organization_admin", "company_admin", "site_admin", "user"} {
		if a := rainbow.Account(role); !slices.Contains(a.Roles, role) {
			t.Errorf("%s: %+v", role, a)
		}
	}
	if rainbow.Token(sandboxtest.SeedLogin(20)) == "" {
		t.Error("the last seeded user has no token")
	}
}

func TestMisuseFailsTheTest(t *testing.T) {
	for _, c := range []struct {
		what, message string
		test          func(tb sandboxtest.TB)
	}{
		{"an unknown snapshot", `snapshot "x": no such snapshot`, func(tb sandboxtest.TB) { sandboxtest.Start(tb).Restore("x") }},
		{"a snapshot without a name", "not a snapshot name", func(tb sandboxtest.TB) { sandboxtest.Start(tb).Snapshot("") }},
		{"an impossible fault", "status: 7 is outside", func(tb sandboxtest.TB) { sandboxtest.Start(tb).SetFaults(sandboxtest.Fault{Status: 7}) }},
		{"an impossible fault at the start", "status: 7 is outside", func(tb sandboxtest.TB) {
			sandboxtest.Start(tb, sandboxtest.Faults(sandboxtest.Fault{Status: 7}))
		}},
		{"too many users", "1,000,000", func(tb sandboxtest.TB) { sandboxtest.Start(tb, sandboxtest.SeedUsers(2_000_000)) }},
		{"an unknown role", `role "king"`, func(tb sandboxtest.TB) { sandboxtest.Start(tb).Account("king") }},
		{"an unknown login", "login of nobody@nowhere.example: status 401", func(tb sandboxtest.TB) { sandboxtest.Start(tb).Token("nobody@nowhere.example") }},
	} {
		if got := failure(t, c.test); !strings.Contains(got, c.message) {
			t.Errorf("%s: %q, want %q", c.what, got, c.message)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a server without a test did not panic")
		}
	}()
	rainbow := sandboxtest.New()
	defer rainbow.Close()
	rainbow.Restore("x")
}

func TestResetAndClearedFaults(t *testing.T) {
	rainbow := sandboxtest.Start(t)
	rainbow.SetFaults(sandboxtest.Fault{Method: "POST", Status: 503})
	if status, _ := call(rainbow, "POST", ddis, `{"number":"0298300777"}`); status != 503 {
		t.Errorf("with a fault: %d", status)
	}
	rainbow.ClearFaults()
	if status, _ := call(rainbow, "POST", ddis, `{"number":"0298300777"}`); status != 200 {
		t.Errorf("without: %d", status)
	}
	rainbow.Reset()
	if n := len(rainbow.Requests(sandboxtest.Journal{})); n != 0 {
		t.Errorf("%d requests after a reset", n)
	}
	if _, answer := call(rainbow, "GET", ddis, ""); answer["total"] != 100.0 {
		t.Errorf("%v DDIs after a reset", answer["total"])
	}
}
