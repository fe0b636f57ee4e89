package sync

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// blind is an Observed that shows nobody at a glimpse, so that every entry gets its stance.
type blind struct{ Observed }

// Glimpse finds nobody.
func (blind) Glimpse(Login, func(*Glimpse)) bool { return false }

// planned is what a planner says: its plan as JSON, or its faults in words.
func planned(t *rapid.T, desired *Desired, obs Observed, policy Policy) string {
	plan, err := MakePlan(desired, obs, policy)
	var faults Faults
	switch {
	case errors.As(err, &faults):
		return faults.Error()
	case err != nil:
		t.Fatal(err)
	}
	doc, err := json.MarshalIndent(plan, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(doc)
}

// drawAsIs draws an entry that asks for what a user has.
func drawAsIs(t *rapid.T, w *World, u *User) DesiredUser {
	h := holdingOf(w, u.Login)
	want := DesiredUser{Login: u.Login, Action: "upsert", Attributes: slices.Clone(u.Attributes[:rapid.IntRange(0, len(u.Attributes)).Draw(t, "attributes")])}
	speaks := func(label string) Mood {
		return rapid.SampledFrom([]Mood{Keep, Exactly, Exactly, Include}).Draw(t, label)
	}
	if m := speaks("of his extension"); m != Keep && h.subscriber != "" {
		want.Subscriber = Wish[Number]{m, []Number{h.subscriber}}
	}
	if m := speaks("of his devices"); m != Keep {
		want.Devices = Wish[DeviceKey]{m, h.devices}
	}
	if m := speaks("of his DDIs"); m != Keep {
		want.DDIs = Wish[E164]{m, h.ddis}
	}
	if m := speaks("of his licences"); m != Keep {
		want.Licences.Mood = m
		for _, id := range u.Licences {
			want.Licences.Keys = append(want.Licences.Keys, Offer(id))
		}
	}
	if m := speaks("of his pairings"); m != Keep {
		want.Pairings.Mood = m
		for _, k := range h.pairings {
			pbx, number, _ := strings.Cut(k.ID, "/")
			want.Pairings.Keys = append(want.Pairings.Keys, Pairing{PbxID: pbx, Number: Number(number)})
		}
	}
	return want
}

// TestSettledEntriesChangeNoPlan plans drawn manifests twice, under drawn policies: with entries set aside, and with a stance
// for each. The plans, or faults, are the same to the letter. Most entries ask
// for what their users have.
func TestSettledEntriesChangeNoPlan(t *testing.T) {
	settled, woken := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		policy := Policy{}
		if rapid.Bool().Draw(t, "guarded") {
			policy = drawGuards(t)
		}
		policy.Strict = rapid.Bool().Draw(t, "strict")
		policy.ResetPasswords = rapid.IntRange(0, 3).Draw(t, "reset passwords") == 0
		policy.Lineage = rapid.SampledFrom([]string{"", "hr"}).Draw(t, "lineage")
		w, desired := drawWorld(t), drawDesired(t)
		if rapid.IntRange(0, 3).Draw(t, "plain") > 0 { // what keeps all entries from being settled
			desired.Match, desired.Renumber = nil, nil
		}
		users := usersOf(desired)
		for i := range users {
			if u := find[User](w, users[i].Login.Key()); u != nil && rapid.IntRange(0, 3).Draw(t, "is as wanted") > 0 {
				users[i] = drawAsIs(t, w, u)
			}
			users[i].Position.Line = i + 2
		}
		if rapid.IntRange(0, 9).Draw(t, "twice") == 0 {
			users = append(users, users[0])
			users[len(users)-1].Position.Line = len(users) + 1
		}
		desired.Users = EntriesOf(users...)
		if rapid.IntRange(0, 3).Draw(t, "ignoring") == 0 {
			policy.Ignore = []Pattern{rapid.SampledFrom([]Pattern{{KindDDI, "+3329830050*"}, {KindUser, "user0?@*"}, {KindDevice, string(device(1))}, {KindExtension, "*/2001"}}).Draw(t, "ignored")}
		}
		if diff := cmp.Diff(planned(t, desired, blind{w}, policy), planned(t, desired, w, policy)); diff != "" {
			t.Fatalf("entries set aside change the plan (-without +with):\n%s", diff)
		}
		p := newPlanner(desired, w, policy)
		p.settle(func(int) { woken++ })
		settled += p.settled.count
	})
	if settled < woken/8 {
		t.Errorf("%d entries were settled and %d not: too few to tell", settled, woken)
	}
}
