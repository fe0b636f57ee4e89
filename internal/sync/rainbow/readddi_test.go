package rainbow

import (
	"strings"
	"testing"

	rvcpprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// makeDefault makes a DDI the default one, by somebody else's hand.
func (s *stage) makeDefault(n bulksync.E164) {
	s.Helper()
	d := s.world().Record(n.Key()).(*bulksync.DDI)
	req := &rvcpprovisioningv1.SetDefaultDdiRequest{SystemId: sandbox.CloudPbxID, PhoneNumberId: d.ID}
	if _, err := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(s.client).SetDefaultDdi(s.Context(), req); err != nil {
		s.Fatal(err)
	}
}

// TestTheDefaultDDIIsReadOnlyWherePlansRelyOnIt plans to make another DDI the default one and to delete the old one, while
// somebody else makes a third one so: the plan waits, and the next one is carried out without a refresh. It costs one call to
// see that nothing moved, and none for plans that do not mind.
func TestTheDefaultDDIIsReadOnlyWherePlansRelyOnIt(t *testing.T) {
	s := newStage(t, 3, Options{})
	planned := func(change func(*bulksync.Desired)) *bulksync.Plan {
		t.Helper()
		desired := &bulksync.Desired{Mode: "yaml", Digest: "digest", Users: &bulksync.Entries{}}
		change(desired)
		plan, err := s.engine.Plan(t.Context(), sandbox.CompanyID, desired, bulksync.Policy{})
		if err != nil {
			t.Fatal(err)
		}
		return plan
	}
	renew := func(d *bulksync.Desired) {
		d.DefaultDDI = &bulksync.DesiredDDI{Number: ddi(40)}
		d.DDIs = []bulksync.DesiredDDI{{Number: ddi(0), Absent: true}}
	}
	plan := planned(renew)
	s.client.reset()
	if stale, err := s.engine.CheckPlan(t.Context(), plan); err != nil || len(stale) != 0 {
		t.Fatalf("CheckPlan of a fresh plan = %+v, %v", stale, err)
	}
	if calls := s.client.reset(); calls["ListDdis"] != 2 || len(calls) != 1 { // the default one is one of the two that the plan names
		t.Errorf("a fresh plan is checked with %v, want 2 look-ups of DDIs", calls)
	}

	s.makeDefault(ddi(41))
	run := s.execute(plan)
	if run.State != bulksync.RunWaiting || !strings.Contains(run.Message, "the plan is stale, make a new one: since it was made, DDI +33298300541 is the default one now") {
		t.Fatalf("run is %s: %s; want that it waits, and why", run.State, run.Message)
	}
	s.recordedIsReal()
	again := planned(renew)
	s.succeed(again)
	s.recordedIsReal()
	if n := len(planned(renew).Operations); n != 0 {
		t.Errorf("%d operations are planned again", n)
	}

	gone := planned(func(d *bulksync.Desired) { d.DDIs = []bulksync.DesiredDDI{{Number: ddi(42), Absent: true}} })
	s.client.reset()
	if stale, err := s.engine.CheckPlan(t.Context(), gone); err != nil || len(stale) != 0 {
		t.Fatalf("CheckPlan of a deletion = %+v, %v", stale, err)
	}
	if calls := s.client.reset(); calls["ListDdis"] != 2 || len(calls) != 1 {
		t.Errorf("a deletion is checked with %v, want 2 look-ups of DDIs", calls)
	}
	s.makeDefault(ddi(42))
	if stale, err := s.engine.CheckPlan(t.Context(), gone); err != nil || len(stale) != 1 || len(stale[0].Operations) != 1 {
		t.Errorf("CheckPlan = %+v, %v; want that the deletion went stale", stale, err)
	}
	s.recordedIsReal()

	other := s.plan(bulksync.Policy{}, user(seeded(1), func(u *bulksync.DesiredUser) { u.Attributes = attrs("jobTitle", "Cook") }))
	s.makeDefault(ddi(43))
	s.client.reset()
	if stale, err := s.engine.CheckPlan(t.Context(), other); err != nil || len(stale) != 0 {
		t.Errorf("a plan that has nothing to do with DDIs went stale: %+v, %v", stale, err)
	}
	if calls := s.client.reset(); calls["ListDdis"] != 0 {
		t.Errorf("a plan that has nothing to do with DDIs is checked with %v", calls)
	}
}

// TestReadFindsTheDefaultDDI asks for it with and without knowing it, and among all else.
func TestReadFindsTheDefaultDDI(t *testing.T) {
	s := newStage(t, 3, Options{})
	w, standard := s.world(), bulksync.DefaultDDIKey()
	for _, c := range []struct {
		name     string
		observed bulksync.Observed
		more     []bulksync.Key
	}{
		{"recorded", w, nil},
		{"not recorded", bulksync.NewWorld(w.Company()), nil},
		{"among many", w, allKeys(w)},
	} {
		t.Run(c.name, func(t *testing.T) {
			found, err := s.target.Read(t.Context(), w.Company(), c.observed, append(c.more, standard))
			if err != nil {
				t.Fatal(err)
			}
			if d := found[standard]; d == nil || d.Key() != ddi(0).Key() {
				t.Errorf("the default DDI is %+v, want %s", d, ddi(0))
			}
			if len(c.more) == 0 && len(found) != 1 {
				t.Errorf("what was not asked for was found: %v", found)
			}
		})
	}
}
