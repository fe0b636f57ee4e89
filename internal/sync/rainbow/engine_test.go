package rainbow

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

func seeded(n int) bulksync.Login {
	return bulksync.Login(fmt.Sprintf("user%06d@sandbox.example", n))
}

func mac(n int) bulksync.DeviceKey { return bulksync.DeviceKey(fmt.Sprintf("aabbccddee%02x", n)) }

func ddi(n int) bulksync.E164 { return bulksync.E164(fmt.Sprintf("+33298300%03d", 500+n)) }

// stories are manifests, applied one after the other to a seeded company.
var stories = []struct {
	name  string
	users [][]bulksync.DesiredUser
	ops   []int
}{
	{"a new user with everything", [][]bulksync.DesiredUser{{user("new@sandbox.example", func(u *bulksync.DesiredUser) {
		u.Attributes = attrs("firstName", "Néw", "lastName", `O"Hara; 50% left`, "jobTitle", " Nurse, night ", "businessPhone0", "+33298300590", "businessPhone1", "+33298300591",
			"mobilePhone0", "+33612345678", "email0", "new@home.example", "tags0", "a", "tags1", "b", "country", "FRA", "language", "fr", "isInitialized", "true", "photoUrl", "https://demo.example/p.png")
		u.Attributes[2].Value = "Nurse, night"
		u.Subscriber, u.Devices, u.DDIs, u.Licences = bulksync.Having[bulksync.Number]("80500"), bulksync.Having(mac(1), mac(2)), bulksync.Having(ddi(10)), bulksync.Adding[bulksync.Offer]("voice attendant", "Enterprise Demo")
	})}}, []int{5}},
	{"a new user with second numbers only in the header of others", [][]bulksync.DesiredUser{{
		user("one@sandbox.example", func(u *bulksync.DesiredUser) { u.Attributes = attrs("tags0", "x", "tags1", "y") }),
		user("two@sandbox.example", func(u *bulksync.DesiredUser) { u.Attributes = attrs("email0", "two@home.example") }),
	}}, []int{2}},
	{"values change, are cleared and move in their lists", [][]bulksync.DesiredUser{
		{user(seeded(1), func(u *bulksync.DesiredUser) {
			u.Attributes = attrs("jobTitle", "Chef", "department", "Kitchen", "tags0", "a", "tags1", "b", "tags2", "c", "businessPhone0", "+33298300590", "mobilePhone0", "+33612345678", "email0", "x@home.example")
		}), user(seeded(2), func(u *bulksync.DesiredUser) { u.Attributes = attrs("jobTitle", "Cook") })},
		{user(seeded(1), func(u *bulksync.DesiredUser) {
			u.Attributes = attrs("jobTitle", "", "department", "Bar", "tags2", "", "businessPhone0", "+33298300591", "mobilePhone0", "", "email0", "")
		}), user(seeded(2), func(u *bulksync.DesiredUser) { u.Attributes = attrs("jobTitle", "Head cook", "title", "Mr") })},
		{user(seeded(1), func(u *bulksync.DesiredUser) { u.Attributes = attrs("tags0", "", "tags1", "") })},
	}, []int{2, 2, 1}},
	{"numbers without plus sign, a value of two lines and one that only changes its case", [][]bulksync.DesiredUser{
		{user(seeded(1), func(u *bulksync.DesiredUser) {
			u.Attributes = attrs("mobilePhone0", "33612345678", "businessPhone0", "33 2 98 30 05 90", "isInitialized", "false", "userInfo1", "two\nlines", "jobTitle", "chef")
		})},
		{user(seeded(1), func(u *bulksync.DesiredUser) { u.Attributes = attrs("jobTitle", "Chef", "tags0", "x") })},
	}, []int{1, 1}},
	{"extensions swapped, devices and numbers stay", [][]bulksync.DesiredUser{{
		user(seeded(1), func(u *bulksync.DesiredUser) { u.Subscriber = bulksync.Having[bulksync.Number]("80002") }),
		user(seeded(2), func(u *bulksync.DesiredUser) { u.Subscriber = bulksync.Having[bulksync.Number]("80001") }),
	}}, []int{14}},
	{"devices and numbers move and are freed", [][]bulksync.DesiredUser{{
		user(seeded(1), func(u *bulksync.DesiredUser) {
			u.Devices, u.DDIs = bulksync.Having(bulksync.DeviceKey("020000000002")), bulksync.Having(ddi(22))
		}),
		user(seeded(3), func(u *bulksync.DesiredUser) {
			u.Devices, u.DDIs = bulksync.Having[bulksync.DeviceKey](), bulksync.Having[bulksync.E164]()
		}),
	}}, []int{8}},
	{"an extension is taken away with all that hangs on it", [][]bulksync.DesiredUser{{
		user(seeded(1), func(u *bulksync.DesiredUser) {
			u.Action, u.Presence, u.Subscriber = "detach", bulksync.Existing, bulksync.Without[bulksync.Number]()
		}),
	}}, []int{2}},
	{"licences given and taken", [][]bulksync.DesiredUser{
		{user(seeded(1), func(u *bulksync.DesiredUser) { u.Licences = bulksync.Adding[bulksync.Offer]("Voice Attendant") })},
		{user(seeded(1), func(u *bulksync.DesiredUser) {
			u.Licences = bulksync.Without[bulksync.Offer]("Voice Attendant", "Voice Enterprise 3-Year prepaid")
		})},
	}, []int{1, 2}},
	{"numbers of an equipped PBX paired, changed, moved and freed", [][]bulksync.DesiredUser{
		{
			user("p1@sandbox.example", func(u *bulksync.DesiredUser) { u.Pairings = bulksync.Having(bulksync.Pairing{Number: "3000"}) }),
			user("p2@sandbox.example", func(u *bulksync.DesiredUser) {
				u.Pairings = bulksync.Having(bulksync.Pairing{PbxID: oxePbxID, Number: "3001", InternalNumber: "93001", PublicNumber: "+33298300595"})
			}),
		},
		{user("p2@sandbox.example", func(u *bulksync.DesiredUser) {
			u.Pairings = bulksync.Having(bulksync.Pairing{Number: "3001", InternalNumber: "93002"})
		})},
		{user("p2@sandbox.example", func(u *bulksync.DesiredUser) { u.Pairings = bulksync.Having(bulksync.Pairing{Number: "3000"}) })},
		{user("p2@sandbox.example", func(u *bulksync.DesiredUser) { u.Pairings = bulksync.Having[bulksync.Pairing]() })},
	}, []int{4, 1, 3, 1}},
	{"an extension gives way to a number of an equipped PBX, and that to another", [][]bulksync.DesiredUser{
		{user(seeded(1), func(u *bulksync.DesiredUser) {
			u.Subscriber, u.Pairings = bulksync.Having[bulksync.Number](), bulksync.Having(bulksync.Pairing{Number: "3000"})
		})},
		{user(seeded(1), func(u *bulksync.DesiredUser) { u.Pairings = bulksync.Having(bulksync.Pairing{Number: "3001"}) })},
		{user(seeded(1), func(u *bulksync.DesiredUser) {
			u.Subscriber, u.Pairings = bulksync.Having[bulksync.Number]("80001"), bulksync.Having[bulksync.Pairing]()
		})},
	}, []int{3, 2, 2}},
	{"users deleted, what they held goes to others", [][]bulksync.DesiredUser{{
		user(seeded(1), func(u *bulksync.DesiredUser) { u.Action, u.Presence = "delete", bulksync.Absent }),
		user(seeded(2), func(u *bulksync.DesiredUser) { u.Action, u.Presence = "delete", bulksync.Absent }),
		user("heir@sandbox.example", func(u *bulksync.DesiredUser) {
			u.Attributes = attrs("firstName", "Pat", "lastName", "Heir")
			u.Subscriber, u.Devices, u.DDIs = bulksync.Having[bulksync.Number]("80001"), bulksync.Having(bulksync.DeviceKey("020000000001")), bulksync.Having(ddi(21))
			u.Licences = bulksync.Adding[bulksync.Offer]("Voice Enterprise 3-Year prepaid")
		}),
	}}, []int{6}},
}

// TestWhatIsAppliedIsWhatWasRecorded carries out every kind of operation and holds the recorded state, which is made of
// the effects that the planner promised, against a fresh observation. The same manifest then plans nothing.
func TestWhatIsAppliedIsWhatWasRecorded(t *testing.T) {
	for _, story := range stories {
		t.Run(story.name, func(t *testing.T) { carryOut(t, story.users, story.ops, Options{}) })
		t.Run(story.name+", user by user", func(t *testing.T) {
			carryOut(t, story.users, story.ops, Options{UsersBy: bulksync.UsersByAdmin})
		})
	}
}

func carryOut(t *testing.T, manifests [][]bulksync.DesiredUser, ops []int, opts Options) {
	t.Helper()
	s := newStage(t, 5, opts)
	for i, users := range manifests {
		plan := s.plan(bulksync.Policy{}, users...)
		if n := len(plan.Operations); n != ops[i] {
			t.Errorf("step %d plans %d operations, want %d", i, n, ops[i])
		}
		s.succeed(plan)
		s.recordedIsReal()
		if again := s.plan(bulksync.Policy{}, users...); len(again.Operations) != 0 {
			t.Errorf("step %d plans again: %+v", i, again.Operations)
		}
	}
}

// TestLostAnswersAreLookedUp applies the same manifests while upstream loses one answer after the other: nothing is done
// twice, and the end is the same.
func TestLostAnswersAreLookedUp(t *testing.T) {
	for _, story := range stories {
		t.Run(story.name, func(t *testing.T) {
			s := newStage(t, 5, Options{})
			for i, users := range story.users {
				plan := s.plan(bulksync.Policy{}, users...)
				s.faults(
					sandbox.Fault{Method: http.MethodPost, Lost: sandbox.LostClose, Path: "/api/rainbow/massprovisioning/**", Times: 1},
					sandbox.Fault{Method: http.MethodPost, Lost: sandbox.LostClose, Path: "/api/rainbow/rvcpprovisioning/**"},
					sandbox.Fault{Method: http.MethodDelete, Lost: sandbox.LostClose, Path: "/api/rainbow/rvcpprovisioning/**"},
					sandbox.Fault{Method: http.MethodPost, Lost: sandbox.LostClose, Path: "/api/rainbow/admin/**"},
					sandbox.Fault{Method: http.MethodDelete, Lost: sandbox.LostClose, Path: "/api/rainbow/admin/**"},
					sandbox.Fault{Method: http.MethodPut, Lost: sandbox.LostClose, Path: "/api/rainbow/admin/**"},
				)
				s.succeed(plan)
				s.faults()
				s.recordedIsReal()
				if n := len(s.plan(bulksync.Policy{}, users...).Operations); n != 0 {
					t.Errorf("step %d plans %d operations again", i, n)
				}
			}
		})
	}
}

// TestWhatUpstreamDidNotDoIsDoneAgain: a 502 leaves open whether the work was done; here it was not.
func TestWhatUpstreamDidNotDoIsDoneAgain(t *testing.T) {
	s := newStage(t, 5, Options{})
	users := stories[0].users[0]
	plan := s.plan(bulksync.Policy{}, users...)
	s.faults(
		sandbox.Fault{Method: http.MethodPost, Path: "/api/rainbow/massprovisioning/**", Status: http.StatusBadGateway, Times: 1},
		sandbox.Fault{Method: http.MethodPost, Path: "/api/rainbow/rvcpprovisioning/v1.0/cloudpbxs/*/subscribers", Status: http.StatusBadGateway, Times: 1},
		sandbox.Fault{Method: http.MethodPost, Path: "/api/rainbow/rvcpprovisioning/v1.0/cloudpbxs/*/subscribers/*/devices", Status: http.StatusBadGateway, Times: 2},
	)
	s.succeed(plan)
	s.recordedIsReal()
}

// TestACutOffRunResumes cuts a run off at one moment after the other, in the middle of calls, and resumes it: it ends as if
// nothing had happened.
func TestACutOffRunResumes(t *testing.T) {
	s := newStage(t, 6, Options{ImportBatch: 2})
	var users []bulksync.DesiredUser
	for n := range 5 {
		users = append(users, user(bulksync.Login(fmt.Sprintf("new%d@sandbox.example", n)), func(u *bulksync.DesiredUser) {
			u.Subscriber, u.Devices, u.DDIs = bulksync.Having(bulksync.Number(fmt.Sprint(80500+n))), bulksync.Having(mac(n)), bulksync.Having(ddi(40+n))
			u.Licences = bulksync.Adding[bulksync.Offer]("Enterprise Demo")
		}))
	}
	users = append(users,
		user(seeded(1), func(u *bulksync.DesiredUser) { u.Subscriber = bulksync.Having[bulksync.Number]("80002") }),
		user(seeded(2), func(u *bulksync.DesiredUser) { u.Subscriber = bulksync.Having[bulksync.Number]("80001") }),
		user(seeded(3), func(u *bulksync.DesiredUser) { u.Action, u.Presence = "delete", bulksync.Absent }),
	)
	plan := s.plan(bulksync.Policy{}, users...)
	run := &bulksync.Run{Name: "run-1", Company: sandbox.CompanyID, Plan: "plan-1", Hash: plan.Hash(), State: bulksync.RunRunning, Options: bulksync.RunOption{Parallel: 3}}
	if err := s.engine.Store.CreateRun(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	cuts := 0
	for try := 0; run.State != bulksync.RunSucceeded; try++ {
		if try > 40 {
			t.Fatalf("run never ends: %s: %s", run.State, run.Message)
		}
		ctx, cut := context.WithTimeout(t.Context(), time.Duration(2+3*try)*time.Millisecond)
		err := s.engine.Execute(ctx, bulksync.Execution{Run: run, Plan: plan, Secrets: s.secrets})
		if ctx.Err() != nil && run.State != bulksync.RunSucceeded {
			cuts++
		} else if err != nil {
			t.Fatal(err)
		}
		cut()
		if err == nil && run.State == bulksync.RunFailed {
			t.Fatalf("run failed: %+v", run.Outcomes)
		}
	}
	if cuts == 0 {
		t.Error("the run was never cut off")
	}
	s.recordedIsReal()
	if again := s.plan(bulksync.Policy{}, users...); len(again.Operations) != 0 {
		t.Errorf("plans again: %+v", again.Operations)
	}
}

func TestAThousandUsersGoInFewImports(t *testing.T) {
	s := newStage(t, 1, Options{})
	var users []bulksync.DesiredUser
	for n := range 1000 {
		users = append(users, user(bulksync.Login(fmt.Sprintf("many%04d@sandbox.example", n)), func(u *bulksync.DesiredUser) {
			u.Attributes = attrs("firstName", "Many", "lastName", fmt.Sprint(n))
		}))
	}
	plan := s.plan(bulksync.Policy{}, users...)
	s.client.reset()
	s.succeed(plan)
	calls := s.client.reset()
	if calls["ImportRainbowVoice"] != 2 || calls["GetUser"] > 0 || calls["ListUserProfiles"] > 0 || calls["ListUsers"] > 30 {
		t.Errorf("requests: %v; want two imports, and users read back in lists", calls)
	}
	s.recordedIsReal()
}

func TestPasswordsAreResetOnDemand(t *testing.T) {
	s := newStage(t, 2, Options{})
	s.secrets[seeded(1)] = "Another-Pass-1"
	plan := s.plan(bulksync.Policy{ResetPasswords: true}, user(seeded(1), nil))
	if len(plan.Operations) != 1 {
		t.Fatalf("plan is %+v", plan.Operations)
	}
	s.succeed(plan)
	s.recordedIsReal()
}
