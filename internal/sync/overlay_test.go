package sync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// overlaid carries manifests out one after another and gives an engine that knows all of them to be in force.
func overlaid(t interface{ Fatal(...any) }, world *World, policies []Policy, manifests ...*Desired) (*Engine, *World) {
	books := &driftBooks{desired: map[string]*Desired{}}
	after := Overlay(world)
	for i, desired := range manifests {
		var policy Policy
		if i < len(policies) {
			policy = policies[i]
		}
		plan, err := MakePlan(desired, after, policy)
		if err != nil {
			t.Fatal(fmt.Sprintf("manifest %d: %v", i+1, err))
		}
		for k := range plan.Operations {
			after.Apply(Effects(&plan.Operations[k], after, createdID(&plan.Operations[k])))
		}
		run := fmt.Sprintf("run-%d", i+1)
		books.desired[run] = desired
		books.applied = slices.Insert(books.applied, 0, &Applied{
			Company: "c1", Run: run, Mode: desired.Mode, Policy: policy, Sources: []string{fmt.Sprintf("m%d.csv", i+1)},
		})
	}
	books.world = after
	return &Engine{Store: books, Clock: func() time.Time { return time.Date(2026, 11, 22, 6, 0, 1, 0, time.UTC) }}, after
}

// TestANewerManifestHasTheLastWord: what it speaks of is no drift from an older one; all else is still held against that.
func TestANewerManifestHasTheLastWord(t *testing.T) {
	company := func() *Desired {
		d := demoManifest()
		d.Users = EntriesOf(slices.DeleteFunc(usersOf(d), func(u DesiredUser) bool { return u.Login == "boss@demo.example" })...)
		return d
	}
	one := func(login Login, action string, say func(*DesiredUser)) *Desired {
		return &Desired{Mode: "rainbowvoice", Users: EntriesOf(with(entry(2, login, action), say))}
	}
	for _, c := range []struct {
		name     string
		newer    *Desired
		policies []Policy
	}{
		{"another job title", one("ann@demo.example", "upsert", func(u *DesiredUser) { u.Attributes = []Attribute{{"jobTitle", "Nurse"}} }), nil},
		{"a DDI goes to somebody else", one("dora@demo.example", "upsert", func(u *DesiredUser) { u.Subscriber, u.DDIs = Having[Number]("2005"), Having(ddi(1)) }), nil},
		{"a DDI is taken away", one("bob@demo.example", "upsert", func(u *DesiredUser) { u.DDIs = Having[E164]() }), nil},
		{"a phone goes to somebody else", one("bob@demo.example", "upsert", func(u *DesiredUser) { u.Devices = Having(device(0)) }), nil},
		{"an extension changes", one("bob@demo.example", "upsert", func(u *DesiredUser) { u.Subscriber = Having[Number]("2007") }), nil},
		{"a user is deleted", one("bob@demo.example", "delete", func(*DesiredUser) {}), nil},
		{"a user who was deleted is hired again", one("eve@demo.example", "upsert", func(u *DesiredUser) { u.Attributes = []Attribute{{"firstName", "Eve"}} }), nil},
		{"a newcomer, where the older one prunes", one("zoe@demo.example", "upsert", func(u *DesiredUser) { u.Attributes = []Attribute{{"department", "Sales"}} }),
			[]Policy{{Prune: PruneDelete, Scope: Scope{mustSelect(t, "department=Sales")}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, after := overlaid(t, demoWorld(), c.policies, company(), c.newer)
			d, repairs, err := e.Drift(context.Background(), "c1")
			if err != nil || len(d.Differences) != 0 || len(repairs) != 0 {
				t.Fatalf("both were just applied, and there is drift: %s, %v", jsonText(d, ""), err)
			}
			edited(after, Login("ann@demo.example").Key(), func(u *User) { // only the older one speaks of it
				u.Attributes = slices.Clone(u.Attributes)
				for i := range u.Attributes {
					if u.Attributes[i].Name == "firstName" {
						u.Attributes[i].Value = "Anna"
					}
				}
			})
			d, repairs, err = e.Drift(context.Background(), "c1")
			if err != nil || len(d.Differences) != 1 || d.Differences[0].Manifest != "m1.csv" || len(d.Manifests) != 2 || d.Manifests[1].Differences != 1 || d.Manifests[0].Differences != 0 {
				t.Fatalf("ann's first name was changed, and drift is %s, %v", jsonText(d, ""), err)
			}
			if len(repairs) != 1 || repairs[0].Repairs != "run-1" || len(repairs[0].Plan.Operations) != 1 {
				t.Errorf("repairs are %+v, want one operation, of what run-1 applied", repairs)
			}
		})
	}
}

func mustSelect(t *testing.T, text string) Selector {
	t.Helper()
	s, err := ParseSelector(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestDriftFromSeveralManifestsIsShownByTitle in each form, with the plan that repairs each.
func TestDriftFromSeveralManifestsIsShownByTitle(t *testing.T) {
	moves := &Desired{Mode: "rainbowvoice", Users: EntriesOf(with(entry(2, "bob@demo.example", "upsert"), func(u *DesiredUser) { u.Attributes = []Attribute{{"jobTitle", "Porter"}} }))}
	e, after := overlaid(t, demoWorld(), nil, demoManifest(), moves)
	for _, l := range []Login{"ann@demo.example", "bob@demo.example"} {
		edited(after, l.Key(), func(u *User) { u.Attributes = []Attribute{{"jobTitle", "Spy"}} })
	}
	d, repairs, err := e.Drift(context.Background(), "c1")
	if err != nil || len(repairs) != 2 {
		t.Fatalf("%d repairs, %v", len(repairs), err)
	}
	for i, r := range repairs {
		d.Saved(r.Repairs, fmt.Sprintf("plan-%d", i+1))
	}
	for _, f := range DriftFormats() {
		var out strings.Builder
		if err := d.Render(&out, f, RenderOptions{}); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"m1.csv", "m2.csv", "plan-1", "plan-2"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s does not say %s:\n%s", f, want, out.String())
			}
		}
	}
}

// TestADefaultDDIThatANewerManifestDeletesIsNotMissed: the newer one has the last word on the number, and so on what it is for.
func TestADefaultDDIThatANewerManifestDeletesIsNotMissed(t *testing.T) {
	for name, newer := range map[string]*Desired{
		"listed as absent":              {Mode: "yaml", Users: &Entries{}, DDIs: []DesiredDDI{{Number: ddi(0), Absent: true}}},
		"left out of the complete list": {Mode: "yaml", Users: &Entries{}, DDIs: []DesiredDDI{{Number: ddi(1)}}, Complete: []Kind{KindDDI}, Prune: PruneDelete},
	} {
		w := NewWorld(Company{ID: "c1", CloudPbx: &CloudPbx{ID: "s1", PbxID: cloudID}}, &DDI{ID: "n0", Number: ddi(0), Default: true})
		older := &Desired{Mode: "yaml", Users: &Entries{}, DefaultDDI: &DesiredDDI{Number: ddi(0)}}
		e, after := overlaid(t, w, nil, older, newer)
		if len(newer.Complete) > 0 { // in between somebody made another one the default: then the list deletes it
			after.Apply([]RecordChange{gone(ddi(0).Key()), change(&DDI{ID: "n1", Number: ddi(1), Default: true})})
		}
		d, _, err := e.Drift(context.Background(), "c1")
		if err != nil || len(d.Differences) > 0 {
			t.Errorf("%s: drift %+v, error %v; want none", name, d, err)
		}
	}
}

// TestManifestsJustAppliedHaveNoDrift: drawn manifests, one applied after the other to a drawn company. What the second has taken
// away is not missed by the first.
func TestManifestsJustAppliedHaveNoDrift(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start, first, plan := drawPlan(t)
		_, after := inForce(t, start, first, plan.Policy)
		second := drawDesired(t)
		policy := plan.Policy
		second.Renumber, policy.Renumber = nil, nil // a rule moves numbers that the first names: that has to be corrected
		next, err := MakePlan(second, after, policy)
		for faults := (Faults)(nil); errors.As(err, &faults) && dropFaulty(second, faults); {
			next, err = MakePlan(second, after, policy)
		}
		if err != nil || unsettled(plan) || unsettled(next) {
			return // it can't be applied after the first
		}
		if slices.ContainsFunc(next.Operations, func(op Operation) bool { return op.renames() }) {
			return // the first names them by logins that they have no more: it has to be corrected
		}
		e, _ := overlaid(t, start, []Policy{plan.Policy, policy}, first, second)
		d, _, err := e.Drift(context.Background(), "c1")
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range d.Differences { // what can't be put back with a new extension is missed, and rightly so
			replaced := slices.ContainsFunc(next.Operations, func(op Operation) bool {
				return op.Action == ActionDelete && op.Key.Kind == KindExtension && op.Login == x.Login
			})
			if x.Kind != KindOptions || !replaced {
				t.Fatalf("both were just applied, and there is drift: %+v", x)
			}
		}
	})
}
