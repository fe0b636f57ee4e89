package rainbow

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// created counts the subscribers that were created; the sandbox's journal also knows those whose answer was lost.
func (s *stage) created() (n int) {
	s.Helper()
	for _, r := range s.sandbox.Sandbox.Journal() {
		if r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/subscribers") && r.Status >= 200 && r.Status < 300 {
			n++
		}
	}
	return n
}

// newcomers are users with all that a user can have.
func newcomers(n int) []bulksync.DesiredUser {
	var users []bulksync.DesiredUser
	for i := range n {
		users = append(users, user(bulksync.Login(fmt.Sprintf("new%d@sandbox.example", i)), func(u *bulksync.DesiredUser) {
			u.Attributes = attrs("firstName", "New", "lastName", fmt.Sprint(i), "userInfo1", "x", "tags0", "a")
			u.Subscriber, u.Devices, u.DDIs = bulksync.Having(bulksync.Number(fmt.Sprint(80500+i))), bulksync.Having(mac(i)), bulksync.Having(ddi(40+i))
			u.Licences = bulksync.Adding[bulksync.Offer]("Enterprise Demo")
		}))
	}
	return users
}

// TestInAnyWeatherTheEndIsTheSame carries the same manifest out under every kind of fault that the sandbox has. The run
// always succeeds, what is recorded is what upstream holds, and nothing is created twice.
func TestInAnyWeatherTheEndIsTheSame(t *testing.T) {
	second := func(f sandbox.Fault) sandbox.Fault { f.Skip, f.Times = 1, 3; return f }
	weathers := map[string][]sandbox.Fault{
		"calm":                      nil,
		"429 with Retry-After":      {second(sandbox.Fault{Path: "/api/rainbow/rvcpprovisioning/**", Status: 429, RetryAfter: 1})},
		"503 with Retry-After":      {second(sandbox.Fault{Method: "POST", Path: "/api/rainbow/**", Status: 503, RetryAfter: 1})},
		"503 without":               {second(sandbox.Fault{Method: "POST", Path: "/api/rainbow/rvcpprovisioning/**", Status: 503})},
		"502, a proxy's page":       {second(sandbox.Fault{Path: "/api/rainbow/rvcpprovisioning/**", Status: 502, Format: "html"})},
		"connections reset":         {second(sandbox.Fault{Path: "/api/rainbow/**", Cut: sandbox.CutAfterRead})},
		"connections reset early":   {second(sandbox.Fault{Path: "/api/rainbow/**", Cut: sandbox.CutBeforeRead})},
		"half bodies":               {second(sandbox.Fault{Path: "/api/rainbow/**", Cut: sandbox.CutMidBody})},
		"lost by reset":             {second(sandbox.Fault{Method: "POST", Path: "/api/rainbow/rvcpprovisioning/**", Lost: sandbox.LostReset})},
		"lost behind a proxy":       {second(sandbox.Fault{Method: "POST", Path: "/api/rainbow/**", Lost: sandbox.Lost502})},
		"tokens expire":             {{Path: "/api/rainbow/**", Expire: sandbox.ExpireAll, Skip: 1, Times: 1}, {Path: "/api/rainbow/rvcpprovisioning/**", Expire: sandbox.ExpireAll, Skip: 2, Times: 1}},
		"lists lag":                 {{Stale: &sandbox.Stale{Reads: 2}}},
		"lists and documents lag":   {{Stale: &sandbox.Stale{Reads: 1, ByID: true}}},
		"answers lost, lists lag":   {{Method: "POST", Path: "/api/rainbow/rvcpprovisioning/**", Lost: sandbox.LostClose, Times: 6}, {Stale: &sandbox.Stale{Reads: 3}}},
		"imports lost, lists lag":   {{Operation: "Import*", Lost: sandbox.LostClose, Times: 1}, {Stale: &sandbox.Stale{Reads: 3}}},
		"imports slow, reports lag": {{Pending: sandbox.Duration(50 * time.Millisecond)}, {Operation: "GetUsersImportReport", Stale: &sandbox.Stale{Reads: 2, ByID: true}}},
	}
	for _, by := range []bulksync.UsersBy{bulksync.UsersByImport, bulksync.UsersByAdmin} {
		for name, faults := range weathers {
			t.Run(string(by)+"/"+name, func(t *testing.T) {
				t.Parallel()
				s := newStage(t, 3, Options{UsersBy: by, ImportBatch: 2, Settle: time.Second})
				users := newcomers(4)
				plan := s.plan(bulksync.Policy{}, users...)
				s.faults(faults...)
				s.succeed(plan)
				s.faults()
				s.recordedIsReal()
				if again := s.plan(bulksync.Policy{}, users...); len(again.Operations) != 0 {
					t.Errorf("plans again: %+v", again.Operations)
				}
				if n := s.created(); n != 4 {
					t.Errorf("%d subscribers were created for 4 users", n)
				}
			})
		}
	}
}

// TestKeysThatAreNotShownWereMadeAllTheSame makes a key while the list that is read after it says that there is none.
func TestKeysThatAreNotShownWereMadeAllTheSame(t *testing.T) {
	s := newStage(t, 3, Options{})
	desired := &bulksync.Desired{Mode: "yaml", Digest: "digest", Users: &bulksync.Entries{}}
	desired.Devices = []bulksync.DesiredDevice{{Address: mac(2), Position: bulksync.Position{File: "keys.yaml", Line: 3, Column: 1},
		Keys: bulksync.Having(bulksync.DesiredKey{Number: 3, Type: "speeddial", Destination: "+33612345678", DisplayName: "Pat"})}}
	plan, err := s.engine.Plan(t.Context(), sandbox.CompanyID, desired, bulksync.Policy{})
	if err != nil || len(plan.Operations) != 1 {
		t.Fatalf("plan is %v, %v; want one operation", titles(plan), err)
	}
	const before = 3 // it is read when the run begins, and twice before the key is made
	s.faults(sandbox.Fault{Operation: "ListProgrammableKeys", Skip: before, Times: 1, Status: http.StatusNotFound})
	s.succeed(plan)
	s.faults()
	s.settled(plan, desired)
}
