package sync

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// drawRing draws a company all of whose users have an extension, up to two devices and two DDIs, and a staff number.
func drawRing(t *rapid.T) (w *World, n int) {
	n = rapid.IntRange(2, 7).Draw(t, "users")
	records := []Record{&Licence{ID: "l0", Offer: "Essential", Max: -1, Status: "active", Default: true, Assigned: n}}
	for i := range n {
		u := &User{ID: fmt.Sprintf("u%d", i), Login: login(i), Licences: []string{"l0"}, Attributes: []Attribute{{"firstName", fmt.Sprintf("First%d", i)}, {"userInfo1", fmt.Sprintf("S%d", i)}}}
		records = append(records, u, &Extension{ID: fmt.Sprintf("e%d", i), SystemID: "s1", PbxID: cloudID, Number: ringNumber(i), Role: RoleSubscriber, Holder: u.Login, HolderID: u.ID})
	}
	hold := func(label string) (Login, string, string) {
		i := rapid.IntRange(-1, n-1).Draw(t, label)
		if i < 0 {
			return "", "", ""
		}
		return login(i), fmt.Sprintf("u%d", i), fmt.Sprintf("e%d", i)
	}
	for i := range n + 1 {
		d := &Device{ID: fmt.Sprintf("d%d", i), Address: device(i)}
		d.Holder, d.HolderID, d.SubscriberID = hold("device of")
		number := &DDI{ID: fmt.Sprintf("n%d", i), Number: ddi(i), Default: i == 0}
		number.Holder, number.HolderID, _ = hold("DDI of")
		records = append(records, d, number)
	}
	return NewWorld(Company{ID: "c1", CloudPbx: &CloudPbx{ID: "s1", PbxID: cloudID, Ranges: []Range{{"2000", "2099"}}}, Account: "admin@demo.example"}, records...), n
}

func ringNumber(i int) Number { return Number(fmt.Sprint(2000 + i)) }

// drawMoves draws who has what belongs to whom now: a permutation of n and some more, which belong to nobody; part of the
// time nothing moves.
func drawMoves(t *rapid.T, label string, n, spare int) []int {
	to := make([]int, n+spare)
	for i := range to {
		to[i] = i
	}
	if rapid.Bool().Draw(t, label+" move") {
		to = rapid.Permutation(to).Draw(t, label)
	}
	return to[:n]
}

// TestNobodyNeedsFewerSteps moves extensions, devices and DDIs round among users in drawn circles and chains, and holds the
// number of operations against what somebody careful needs: to give a thing, and to take it where it is held; of an extension
// also to read what goes with it, and to put it back.
func TestNobodyNeedsFewerSteps(t *testing.T) {
	operations := 0
	rapid.Check(t, func(t *rapid.T) {
		w, n := drawRing(t)
		numbers := drawMoves(t, "extensions", n, 2)
		devices, ddis := drawMoves(t, "devices", n, 1), drawMoves(t, "DDIs", n, 1)
		gone := rapid.IntRange(-3, n-1).Draw(t, "who goes")
		d := &Desired{Mode: "yaml", Digest: "digest"}
		var users []DesiredUser
		needed := 0
		for i := range n {
			u := entry(i+2, login(i), "upsert")
			if i == gone { // which frees what he has, without a step
				u = entry(i+2, login(i), "delete")
				u.Presence = Absent
				users = append(users, u)
				needed++
				continue
			}
			u.Subscriber, u.Devices, u.DDIs = Having(ringNumber(numbers[i])), Having(device(devices[i])), Having(ddi(ddis[i]))
			users = append(users, u)
			needed += stepsOf(w, &u)
		}
		d.Users = EntriesOf(users...)
		before := Overlay(w)
		plan, err := MakePlan(d, w, Policy{})
		if err != nil {
			t.Fatal(err)
		}
		if len(plan.Operations) > needed {
			t.Fatalf("%d operations, and %d are needed: %s", len(plan.Operations), needed, encode(t, plan))
		}
		operations += len(plan.Operations)
		for _, i := range drawOrder(t, plan) {
			carryOut(t, before, &plan.Operations[i])
		}
		for _, u := range users {
			if u.Presence == Present {
				if e := SubscriberOf(before, u.Login); e == nil || e.Number != u.Subscriber.Keys[0] {
					t.Fatalf("user %s has extension %+v, want %s", u.Login, e, u.Subscriber.Keys[0])
				}
			}
		}
		if again, err := MakePlan(d, before, Policy{}); err != nil || len(again.Operations) > 0 {
			t.Fatalf("planning again: %v, %s", err, encode(t, again))
		}
	})
	if operations == 0 {
		t.Error("nothing ever moved")
	}
}

// stepsOf counts the operations that a user needs who stays.
func stepsOf(w *World, u *DesiredUser) int {
	now := holdingOf(w, u.Login)
	steps := 0
	replaced := now.subscriber != u.Subscriber.Keys[0]
	if replaced {
		steps += 4 // read, delete, create, put back
	}
	for _, k := range now.ddis {
		if replaced || !slices.Contains(u.DDIs.Keys, k) {
			steps++ // taken from him
		}
	}
	for _, k := range u.DDIs.Keys {
		if replaced || !slices.Contains(now.ddis, k) {
			steps++ // given to him; whoever has it counts the taking
		}
	}
	for _, k := range now.devices {
		if !replaced && !slices.Contains(u.Devices.Keys, k) {
			steps++ // a subscriber that is deleted frees its devices
		}
	}
	for _, k := range u.Devices.Keys {
		if replaced || !slices.Contains(now.devices, k) {
			steps++
		}
	}
	return steps
}

// TestEverybodyStaysWhoHeIs gives users other logins, in drawn circles and chains, and has them recognised by their staff
// numbers: nobody is created or deleted, each keeps what he has, and a circle takes one step more than it has users.
func TestEverybodyStaysWhoHeIs(t *testing.T) {
	circles := 0
	rapid.Check(t, func(t *rapid.T) {
		w, n := drawRing(t)
		logins := rapid.Permutation(slices.Collect(func(yield func(int) bool) {
			for i := range n + 2 {
				if !yield(i) {
					return
				}
			}
		})).Draw(t, "logins")[:n]
		d := &Desired{Mode: "yaml", Digest: "digest", Match: []string{"userInfo1"}}
		var users []DesiredUser
		needed := 0
		for i := range n {
			u := entry(i+2, login(logins[i]), "upsert")
			u.Attributes = []Attribute{{"userInfo1", fmt.Sprintf("S%d", i)}}
			users = append(users, u)
			if logins[i] != i {
				needed++
			}
		}
		round := circlesOf(logins)
		circles += round
		d.Users = EntriesOf(rapid.Permutation(users).Draw(t, "order")...)
		before := Overlay(w)
		plan, err := MakePlan(d, w, Policy{})
		if err != nil {
			t.Fatal(err)
		}
		if len(plan.Doubtful) > 0 || len(plan.Operations) != needed+round {
			t.Fatalf("%d operations and %d doubts, want %d for %d renames in %d circles: %s", len(plan.Operations), len(plan.Doubtful), needed+round, needed, round, encode(t, plan))
		}
		for _, i := range drawOrder(t, plan) {
			carryOut(t, before, &plan.Operations[i])
		}
		for i := range n {
			u := find[User](before, login(logins[i]).Key())
			if u == nil || u.ID != fmt.Sprintf("u%d", i) {
				t.Fatalf("%s is %+v, want the user with the id u%d", login(logins[i]), u, i)
			}
			if diff := cmp.Diff(holdingOf(w, login(i)), holdingOf(before, u.Login), cmp.AllowUnexported(holding{})); diff != "" {
				t.Fatalf("%s, who was %s, holds (-before +after):\n%s", u.Login, login(i), diff)
			}
		}
	})
	if circles == 0 {
		t.Error("no logins ever went round")
	}
}

// circlesOf counts the circles of a permutation, of two or more; what leads out of it is a chain.
func circlesOf(to []int) (circles int) {
	seen := map[int]bool{}
	for i := range to {
		at, length := i, 0
		for at < len(to) && !seen[at] {
			seen[at] = true
			at, length = to[at], length+1
		}
		if at == i && length > 1 {
			circles++
		}
	}
	return circles
}

// TestARuleMovesItsBlockAndNothingElse carries drawn rules out on the model: whose extension is of the block has the new one,
// with the settings, devices and DDIs that he had; nobody else is touched.
func TestARuleMovesItsBlockAndNothingElse(t *testing.T) {
	moved := 0
	var cases cases
	defer cases.log(t)
	rapid.Check(t, func(t *rapid.T) {
		w, n := drawRing(t)
		text := rapid.SampledFrom([]string{"200x=205x", "2001=2040", "2000=2001 2001=2002", "2000=2001 2001=2000", "2000=2003 2003=2005 2005=2060", "200x=205x@userInfo1=S1", "200x=206x@firstName=first0"}).Draw(t, "rules")
		d := &Desired{Mode: ModeRules}
		for _, rule := range strings.Fields(text) {
			r, err := ParseRenumbering(rule)
			if err != nil {
				t.Fatal(err)
			}
			d.Renumber = append(d.Renumber, r)
		}
		plan, err := MakePlan(d, w, Policy{})
		if err != nil {
			if len(faultsIn(err)) == 0 {
				t.Fatal(err)
			}
			return // somebody keeps the number
		}
		l := live(t, w, plan)
		if l.run.State != RunSucceeded {
			t.Fatalf("run is %s: %s", l.run.State, l.run.Message)
		}
		for i := range n {
			now, then := holdingOf(w, login(i)), holdingOf(l.target.world, login(i))
			for _, r := range d.Renumber {
				if to, ok := r.Target(now.subscriber); ok && applies(r, i) {
					now.subscriber = to
					moved++
					break
				}
			}
			if diff := cmp.Diff(now, then, cmp.AllowUnexported(holding{})); diff != "" {
				t.Fatalf("by %s, %s holds (-want +got):\n%s", text, login(i), diff)
			}
		}
		checkSettings(t, w, l.target, plan)
		if len(plan.Operations) > 0 {
			cases.met++
		}
	})
	if moved == 0 {
		t.Error("no extension ever moved")
	}
}

// applies tells whether a rule is for a user of a ring.
func applies(r Renumbering, i int) bool {
	switch r.Attribute {
	case "userInfo1":
		return i == 1
	case "firstName":
		return i == 0
	}
	return true
}
