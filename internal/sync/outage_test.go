package sync

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// rotating is a company of users with an extension each, and a manifest that gives each the next one's; the last gets the
// first's, or a free one when it is a chain.
func rotating(n int, chain bool, extras func(i int, u *DesiredUser) []Record) (*World, *Desired) {
	w := NewWorld(Company{ID: "c1", CloudPbx: &CloudPbx{ID: "s1", PbxID: cloudID, Ranges: []Range{{"2000", "2999"}}}})
	d := &Desired{Mode: "rainbowvoice", Digest: "d16e57", Users: &Entries{}}
	number := func(i int) Number { return Number(fmt.Sprintf("%d", 2301+i)) }
	for i := range n {
		w.put(&User{ID: fmt.Sprintf("u%d", i), Login: login(i)})
		w.put(&Extension{ID: fmt.Sprintf("e%d", i), SystemID: "s1", PbxID: cloudID, Number: number(i), Role: RoleSubscriber, Holder: login(i), HolderID: fmt.Sprintf("u%d", i)})
		next := (i + 1) % n
		if chain {
			next = i + 1
		}
		u := entry(2+i, login(i), "upsert")
		u.Subscriber = Having(number(next))
		if extras != nil {
			for _, r := range extras(i, &u) {
				w.put(r)
			}
		}
		d.Users.Append(&u)
	}
	return w, d
}

// TestRotationsTakeTheLeastCallsAndTheShortestOutage holds swaps, rotations and chains of extensions against the known
// minimum of calls, and their outage against every order in which the same operations can be carried out.
func TestRotationsTakeTheLeastCallsAndTheShortestOutage(t *testing.T) {
	for _, c := range []struct {
		name     string
		users    int
		chain    bool
		calls    int
		sum, max int
	}{
		{"a single user gets a free number", 1, true, 2, 0, 0},
		{"two users swap", 2, false, 4, 2, 1},
		{"three users rotate", 3, false, 6, 4, 2},
		{"four users rotate", 4, false, 8, 6, 2},
		{"a chain of two", 2, true, 4, 0, 0},
		{"a chain of four", 4, true, 8, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, d := rotating(c.users, c.chain, nil)
			plan, err := MakePlan(d, w, Policy{})
			if err != nil {
				t.Fatal(err)
			}
			if got := len(moves(plan)); got != c.calls {
				t.Errorf("%d calls take and give numbers, want %d", got, c.calls)
			}
			if r := plan.Reach(); r.Sum != c.sum || r.Max != c.max || r.Users != c.users {
				t.Errorf("outage of %d users, %d calls in all, %d at most; want %d, %d, %d", r.Users, r.Sum, r.Max, c.users, c.sum, c.max)
			}
			best := leastOutage(plan, func(Login) lines { return lines{extensions: 1} })
			if got := plan.Reach(); got.Sum != best.Sum || got.Max != best.Max {
				t.Errorf("outage %+v, and another order has %+v", got, best)
			}
		})
	}
}

// moves are the operations of a plan that take and give: what a subscriber's deletion would lose is read before all of
// them and put back after, so it does not bear on how long anybody is without a number.
func moves(plan *Plan) []Operation {
	return slices.DeleteFunc(slices.Clone(plan.Operations), func(op Operation) bool { return lineChange(&op) == lines{} })
}

// leastOutage searches all orders of a plan for the one with the smallest sum, and the smallest longest outage among those.
func leastOutage(plan *Plan, before func(Login) lines) Reach {
	best := Reach{Sum: -1}
	all := moves(plan)
	var left int // what is not moved does not hold anything up
	for _, op := range plan.Operations {
		if !slices.ContainsFunc(all, func(m Operation) bool { return m.ID == op.ID }) {
			left |= 1 << op.ID
		}
	}
	order := make([]Operation, 0, len(all))
	var search func(done int)
	search = func(done int) {
		if len(order) == len(all) {
			r := (&Plan{Outages: outagesOf(order, before)}).Reach()
			if best.Sum < 0 || r.Sum < best.Sum || r.Sum == best.Sum && r.Max < best.Max {
				best = r
			}
			return
		}
		for _, op := range all {
			if done&(1<<op.ID) == 0 && !slices.ContainsFunc(op.Needs, func(n int) bool { return done&(1<<n) == 0 }) {
				order = append(order, op)
				search(done | 1<<op.ID)
				order = order[:len(order)-1]
			}
		}
	}
	search(left)
	return best
}

func TestALongRotationLeavesNobodyOutForLong(t *testing.T) {
	w, d := rotating(300, false, nil)
	plan, err := MakePlan(d, w, Policy{})
	if err != nil {
		t.Fatal(err)
	}
	if r := plan.Reach(); r.Users != 300 || r.Sum != 2*299 || r.Max != 2 {
		t.Errorf("outage %+v, want 300 users, 598 calls in all, 2 at most", r)
	}
	want := "2301 -> 2302 -> 2303 -> 2304 -> 2305 -> … -> 2600 -> 2301: extensions rotated among 300 users (user00@demo.example, user01@demo.example, user02@demo.example, " +
		"user03@demo.example, user04@demo.example, user05@demo.example and 294 more): 1200 steps, each unreachable for at most 2 calls"
	if !slices.ContainsFunc(plan.Remarks, func(f Fault) bool { return f.Code == "rotation" && f.Message == want }) {
		t.Errorf("remarks %+v, want %q", plan.Remarks, want)
	}
}

// TestWhatIsPutBackComesWithTheExtension has users with a DDI and a device each rotate: nobody waits for another user's
// device, and the DDI is back before the device.
func TestWhatIsPutBackComesWithTheExtension(t *testing.T) {
	w, d := rotating(3, false, func(i int, _ *DesiredUser) []Record {
		return []Record{
			&DDI{ID: fmt.Sprintf("n%d", i), Number: ddi(i), Holder: login(i), HolderID: fmt.Sprintf("u%d", i)},
			&Device{ID: fmt.Sprintf("d%d", i), Address: device(i), Holder: login(i), HolderID: fmt.Sprintf("u%d", i), SubscriberID: fmt.Sprintf("e%d", i)},
		}
	})
	plan, err := MakePlan(d, w, Policy{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, op := range plan.Operations {
		if op.Action == ActionSave || op.Action == ActionRestore {
			continue
		}
		got = append(got, fmt.Sprintf("%s %s %s", op.Action, op.Key.Kind, strings.TrimSuffix(string(op.Login), "@demo.example")))
	}
	want := []string{
		"detach ddi user00", "delete extension user00",
		"detach ddi user01", "delete extension user01", "create extension user00", "attach ddi user00", "attach device user00",
		"detach ddi user02", "delete extension user02", "create extension user01", "attach ddi user01", "attach device user01",
		"create extension user02", "attach ddi user02", "attach device user02",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestRotationsOfDDIsAndDevicesAreToldInWords(t *testing.T) {
	w, d := rotating(3, false, func(i int, u *DesiredUser) []Record {
		u.Subscriber = Wish[Number]{}
		u.DDIs, u.Devices = Having(ddi((i+1)%3)), Having(device((i+2)%3))
		return []Record{
			&DDI{ID: fmt.Sprintf("n%d", i), Number: ddi(i), Holder: login(i), HolderID: fmt.Sprintf("u%d", i)},
			&Device{ID: fmt.Sprintf("d%d", i), Address: device(i), Holder: login(i), HolderID: fmt.Sprintf("u%d", i), SubscriberID: fmt.Sprintf("e%d", i)},
		}
	})
	plan, err := MakePlan(d, w, Policy{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range plan.Remarks {
		got = append(got, r.Message)
	}
	want := []string{
		"+33298300500 -> +33298300501 -> +33298300502 -> +33298300500: DDIs rotated among 3 users (user00@demo.example, user01@demo.example, user02@demo.example): 6 steps, each unreachable for at most 2 calls",
		"aa:bb:cc:dd:ee:00 -> aa:bb:cc:dd:ee:02 -> aa:bb:cc:dd:ee:01 -> aa:bb:cc:dd:ee:00: devices rotated among 3 users (user00@demo.example, user02@demo.example, user01@demo.example): 6 steps",
	}
	if !slices.Equal(got, want) {
		t.Errorf("remarks:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestOutageBudget(t *testing.T) {
	for _, c := range []struct {
		name   string
		budget int
		faults []int // lines
	}{
		{"two calls are enough for a rotation", 2, nil},
		{"one is too few for the one in the middle", 1, []int{3}},
		{"none is too few for all", 0, []int{2, 3, 4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, d := rotating(3, false, nil)
			_, err := MakePlan(d, w, Policy{OutageBudget: &c.budget})
			var lines []int
			for _, f := range faultsIn(err) {
				if f.Code != "outage-budget" {
					t.Errorf("fault %+v", f)
				}
				lines = append(lines, f.Position.Line)
			}
			if !slices.Equal(lines, c.faults) {
				t.Errorf("faults at lines %v, want %v: %v", lines, c.faults, err)
			}
		})
	}
}

func TestSharedImportsAreOneCall(t *testing.T) {
	ops := []Operation{
		{Cost: Cost{1, SharedPairings}}, {Cost: Cost{1, SharedPairings}}, {Cost: Cost{1, ""}},
		{Cost: Cost{1, SharedPairings}}, {Cost: Cost{1, SharedUsers}}, {Cost: Cost{2, ""}},
	}
	if got, want := calls(ops), []int{1, 1, 2, 3, 4, 6}; !slices.Equal(got, want) {
		t.Errorf("calls %v, want %v", got, want)
	}
}

func faultsIn(err error) Faults {
	if err == nil {
		return nil
	}
	faults, ok := err.(Faults)
	if !ok {
		return Faults{{Code: err.Error()}}
	}
	return faults
}
