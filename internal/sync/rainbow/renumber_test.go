package rainbow

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	rvcpprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// furnish gives the subscribers of the first users settings of their own, keys that point to one another, and the groups
// forwards to them.
func (s *stage) furnish() {
	s.Helper()
	one, two := s.subscriber(seeded(1)), s.subscriber(seeded(2))
	must := func(err error) {
		s.Helper()
		if err != nil {
			s.Fatal(err)
		}
	}
	ctx := s.Context()
	_, err := s.target.subscribers.UpdateSubscriberOverflow(ctx, &rvcpprovisioningv1.UpdateSubscriberOverflowRequest{SystemId: sandbox.CloudPbxID, PhoneNumberId: one,
		Body: &rvcpprovisioningv1.UpdateSubscriberOverflowBody{Value: proto.String("custom"), UnavailableOverflow: proto.String("disabled"), NoReplyDelay: proto.Int32(35)}})
	must(err)
	_, err = s.target.subscribers.UpdateSubscriberBarringOptions(ctx, &rvcpprovisioningv1.UpdateSubscriberBarringOptionsRequest{SystemId: sandbox.CloudPbxID, PhoneNumberId: one,
		Body: &rvcpprovisioningv1.UpdateSubscriberBarringOptionsBody{Permissions: proto.String("nat_local")}})
	must(err)
	_, err = s.target.subscribers.UpdateSubscriberPstnDeviceOptions(ctx, &rvcpprovisioningv1.UpdateSubscriberPstnDeviceOptionsRequest{SystemId: sandbox.CloudPbxID, PhoneNumberId: two,
		Body: &rvcpprovisioningv1.UpdateSubscriberPstnDeviceOptionsBody{Policy: proto.String("custom_ddi_number"), NumberE164: proto.String("+33298300590")}})
	must(err)
	_, err = s.target.subscribers.UpdateSubscriberSipHeaders(ctx, &rvcpprovisioningv1.UpdateSubscriberSipHeadersRequest{SystemId: sandbox.CloudPbxID, PhoneNumberId: two,
		Body: &rvcpprovisioningv1.UpdateSubscriberSipHeadersBody{CustomSipHeader_2: proto.String("X-Site: Brest")}})
	must(err)
	for _, k := range []key{
		{Device: s.phone(seeded(1)), Place: 3, Type: "speeddial", Subscriber: two},
		{Device: s.phone(seeded(1)), Place: 4, Type: "speeddial", Number: "+33612345678", Label: "Taxi"},
		{Device: s.phone(seeded(2)), Place: 3, Type: "monitor", Subscriber: one},
		{Device: s.phone(seeded(3)), Place: 2, Type: "speeddial", Subscriber: one, Label: "The boss"},
		{Device: s.phone(seeded(3)), Place: 5, Type: "speeddial", Number: "80002", Label: "Two"},
	} {
		must(s.target.putKey(ctx, sandbox.CloudPbxID, k, k))
	}
	plan, err := s.target.numberingPlan(ctx, sandbox.CloudPbxID)
	must(err)
	for _, g := range plan.GetAllocatedNumbers().GetGroups() {
		if g.GetShortNumber() == "2990" {
			_, err := s.target.groups.UpdateGroupForward(ctx, &rvcpprovisioningv1.UpdateGroupForwardRequest{SystemId: sandbox.CloudPbxID, GroupId: g.GetRvcpGroupId(), CallForwardType: "overflow",
				Body: &rvcpprovisioningv1.UpdateGroupForwardBody{Activate: proto.Bool(true), DestinationType: proto.String(internalNumber), Number: proto.String("80001"), NoReplyDelay: proto.Int32(45)}})
			must(err)
		}
	}
}

func (s *stage) subscriber(l bulksync.Login) string {
	s.Helper()
	e := bulksync.SubscriberOf(s.world(), l)
	if e == nil {
		s.Fatalf("user %s has no extension", l)
	}
	return e.ID
}

func (s *stage) phone(l bulksync.Login) string {
	w := s.world()
	for _, k := range w.Held(l) {
		if d, ok := w.Record(k).(*bulksync.Device); ok {
			return d.ID
		}
	}
	s.Fatalf("user %s has no phone", l)
	return ""
}

// furniture shows settings, keys and forwards, with logins in place of the ids and numbers of subscribers.
func (s *stage) furniture(n int) string {
	s.Helper()
	w := s.world()
	var names []string
	var numbers []string
	for i := range n {
		e := bulksync.SubscriberOf(w, seeded(i+1))
		names = append(names, e.ID, "<"+string(seeded(i+1))+">")
		numbers = append(numbers, `"`+string(e.Number)+`"`, `"<extension of `+string(seeded(i+1))+`>"`)
	}
	all := map[string]any{}
	wanted := map[bulksync.Number]bool{}
	for i := range n {
		l := seeded(i + 1)
		e := bulksync.SubscriberOf(w, l)
		wanted[e.Number] = true
		options, err := s.target.options(s.Context(), sandbox.CloudPbxID, e.ID)
		if err != nil {
			s.Fatal(err)
		}
		keys, err := s.target.keys(s.Context(), sandbox.CloudPbxID, s.phone(l))
		if err != nil {
			s.Fatal(err)
		}
		all[string(l)] = []any{options, keys}
	}
	forwards, err := s.target.forwards(s.Context(), sandbox.CloudPbxID, wanted)
	if err != nil {
		s.Fatal(err)
	}
	all["forwards"] = forwards
	b, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		s.Fatal(err)
	}
	return strings.NewReplacer(append(numbers, names...)...).Replace(string(b))
}

func (s *stage) byRules(texts ...string) *bulksync.Plan {
	s.Helper()
	desired := &bulksync.Desired{Mode: bulksync.ModeRules}
	for _, text := range texts {
		r, err := bulksync.ParseRenumbering(text)
		if err != nil {
			s.Fatal(err)
		}
		desired.Renumber = append(desired.Renumber, r)
	}
	plan, err := s.engine.Plan(s.Context(), sandbox.CompanyID, desired, bulksync.Policy{})
	if err != nil {
		s.Fatal(err)
	}
	return plan
}

var ways = []struct {
	name  string
	rules []string
	users int
}{
	{"a block moves", []string{"8000x=8050x"}, 4},
	{"a chain", []string{"80001=80002", "80002=80003", "80003=80404"}, 4},
	{"a swap", []string{"80001=80002", "80002=80001"}, 4},
}

// TestARenumberingKeepsWhatCanBeKept: settings, keys and forwards are the same before and after, but for the numbers.
func TestARenumberingKeepsWhatCanBeKept(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			s := newStage(t, way.users, Options{})
			s.furnish()
			before := s.furniture(way.users)
			if !strings.Contains(before, "nat_local") || !strings.Contains(before, "X-Site: Brest") || !strings.Contains(before, "The boss") || !strings.Contains(before, `"number": "<extension of user000001@sandbox.example>"`) {
				t.Fatalf("nothing to lose: %s", before)
			}
			s.succeed(s.byRules(way.rules...))
			s.recordedIsReal()
			if diff := gocmp.Diff(before, s.furniture(way.users)); diff != "" {
				t.Errorf("(-before +after):\n%s", diff)
			}
		})
	}
}

// TestARenumberingSurvivesLostAnswers: the same while upstream loses every second answer.
func TestARenumberingSurvivesLostAnswers(t *testing.T) {
	s := newStage(t, 3, Options{})
	s.furnish()
	before := s.furniture(3)
	plan := s.byRules("8000x=8050x")
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete} {
		s.faults(sandbox.Fault{Method: method, Lost: sandbox.LostClose, Path: "/api/rainbow/rvcpprovisioning/**"})
	}
	s.succeed(plan)
	s.faults()
	s.recordedIsReal()
	if diff := gocmp.Diff(before, s.furniture(3)); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}

// TestACutOffRenumberingResumes cuts the run off whenever a subscriber is gone and not there again, and at one moment
// after the other: what was read of him is in the journal.
func TestACutOffRenumberingResumes(t *testing.T) {
	s := newStage(t, 4, Options{})
	s.furnish()
	before := s.furniture(4)
	plan := s.byRules("80001=80002", "80002=80003", "80003=80404")
	run := &bulksync.Run{Name: "run-1", Company: sandbox.CompanyID, Plan: "plan-1", Hash: plan.Hash(), State: bulksync.RunRunning}
	if err := s.engine.Store.CreateRun(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	gone := 0
	for try := 0; run.State != bulksync.RunSucceeded; try++ {
		if try > 60 {
			t.Fatalf("run never ends: %s: %s", run.State, run.Message)
		}
		ctx, cut := context.WithTimeout(t.Context(), time.Duration(20+5*try)*time.Millisecond)
		err := s.engine.Execute(ctx, bulksync.Execution{Run: run, Plan: plan, Watch: func(e bulksync.Event) {
			if e.Operation != nil && e.Operation.Action == bulksync.ActionDelete && e.Outcome.Status == bulksync.Done {
				gone++
				cut()
			}
		}})
		if err != nil && ctx.Err() == nil {
			t.Fatal(err)
		}
		cut()
		if run.State == bulksync.RunFailed {
			t.Fatalf("run failed: %+v", run.Outcomes)
		}
	}
	if gone != 3 {
		t.Errorf("the run was cut off %d times behind a deletion, want 3", gone)
	}
	s.recordedIsReal()
	if diff := gocmp.Diff(before, s.furniture(4)); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}

// TestNoPasswordIsSaved: upstream shows the subscriber's passwords in clear text; what is kept of him has none.
func TestNoPasswordIsSaved(t *testing.T) {
	s := newStage(t, 2, Options{})
	resp, err := s.target.subscribers.GetSubscriber(t.Context(), &rvcpprovisioningv1.GetSubscriberRequest{SystemId: sandbox.CloudPbxID, PhoneNumberId: s.subscriber(seeded(1))})
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{resp.GetData().GetPassword(), resp.GetData().GetJidPassword(), resp.GetData().GetJidIm()}
	op := bulksync.Operation{ID: 1, Action: bulksync.ActionSave, Key: bulksync.ExtensionKey(cloudPbxID, "80001"), Login: seeded(1)}
	saved, err := s.target.save(t.Context(), bulksync.Step{Operation: op, Refs: bulksync.Refs{SystemID: sandbox.CloudPbxID, SubscriberID: s.subscriber(seeded(1))}})
	if err != nil || !strings.Contains(saved.saved, `"overflow"`) {
		t.Fatalf("saved %q, error %v", saved.saved, err)
	}
	for _, secret := range secrets {
		if secret == "" || strings.Contains(saved.saved, secret) {
			t.Errorf("secret %q is in %s", secret, saved.saved)
		}
	}
}

// TestALoginMoves: users are renamed, alone, in a chain and in a circle, with what they hold, also while answers are lost.
func TestALoginMoves(t *testing.T) {
	for _, lost := range []bool{false, true} {
		s := newStage(t, 5, Options{})
		staff := func(l bulksync.Login, number string, more ...string) bulksync.DesiredUser {
			return user(l, func(u *bulksync.DesiredUser) { u.Attributes = attrs(append(more, "userInfo1", number)...) })
		}
		var first []bulksync.DesiredUser
		for n := range 5 {
			first = append(first, staff(seeded(n+1), string('A'+rune(n))))
		}
		s.succeed(s.plan(bulksync.Policy{}, first...))
		before := s.world()
		policy := bulksync.Policy{Match: []string{"userInfo1"}}
		users := []bulksync.DesiredUser{
			staff(seeded(2), "A"), staff(seeded(1), "B"), // swap
			staff(seeded(4), "C", "jobTitle", "Chef"), staff("fresh@sandbox.example", "D"), // chain
			staff(seeded(5), "E"),
		}
		plan := s.plan(policy, users...)
		if len(plan.Operations) != 5 {
			t.Fatalf("plan %+v, want five renames", plan.Operations)
		}
		if lost {
			s.faults(sandbox.Fault{Method: http.MethodPut, Lost: sandbox.LostClose, Path: "/api/rainbow/admin/**"})
		}
		s.succeed(plan)
		s.faults()
		s.recordedIsReal()
		after := s.world()
		for from, to := range map[bulksync.Login]bulksync.Login{seeded(1): seeded(2), seeded(2): seeded(1), seeded(3): seeded(4), seeded(4): "fresh@sandbox.example", seeded(5): seeded(5)} {
			a, b := before.Record(from.Key()).(*bulksync.User), after.Record(to.Key()).(*bulksync.User)
			if a.ID != b.ID || gocmp.Diff(a.Licences, b.Licences) != "" || gocmp.Diff(before.Held(from), after.Held(to)) != "" {
				t.Errorf("%s -> %s: %+v holding %v became %+v holding %v", from, to, a, before.Held(from), b, after.Held(to))
			}
		}
		if again := s.plan(policy, users...); len(again.Operations) != 0 {
			t.Errorf("plans again: %+v", again.Operations)
		}
	}
}
