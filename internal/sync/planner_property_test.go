package sync

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

const (
	cloudID = "PBX0000-cloud"
	oxeID   = "PBX0000-oxe"
	otherID = "PBX0000-oxe2"
)

// drawWorld draws a consistent company: subscribers, devices, DDIs, pairings and licences held by some of its users.
func drawWorld(t *rapid.T) *World {
	company := Company{
		ID:       "c1",
		CloudPbx: &CloudPbx{ID: "s1", PbxID: cloudID, Ranges: []Range{{"2000", "2009"}, {"80000", "80009"}}},
		Systems:  []System{{ID: "s2", PbxID: oxeID}, {ID: "s3", PbxID: otherID}},
		Account:  "admin@demo.example",
	}
	n := rapid.IntRange(2, 6).Draw(t, "users")
	records := []Record{
		&User{ID: "u-admin", Login: "admin@demo.example", Admin: true},
		&Licence{ID: "l0", Offer: "Essential", Max: -1, Status: "active", Default: true, Assigned: n + 1},
	}
	seats := []*Licence{
		{ID: "l1", Offer: "Voice", Status: "active"},
		{ID: "l2", Offer: "Alpha", Status: "active", Exclusive: true},
		{ID: "l3", Offer: "Beta", Status: "active", Exclusive: true},
		{ID: "l4", Offer: "Voice", Status: "expired"},
	}
	users := make([]*User, n)
	numbers := rapid.Permutation([]Number{"2000", "2001", "2002", "2003", "2004", "2005", "80000"}).Draw(t, "numbers")
	for i := range users {
		u := &User{ID: fmt.Sprintf("u%d", i), Login: login(i), Licences: []string{"l0"}, Attributes: []Attribute{{"firstName", fmt.Sprintf("First%d", i)}, {"lastName", fmt.Sprintf("Last%d", i)}}}
		for j := range rapid.IntRange(0, 3).Draw(t, "tags") {
			u.Attributes = append(u.Attributes, Attribute{fmt.Sprintf("tags%d", j), fmt.Sprintf("tag%d", j)})
		}
		for j, l := range seats {
			if rapid.Bool().Draw(t, "licensed") && !(j == 2 && slices.Contains(u.Licences, "l2")) {
				u.Licences = append(u.Licences, l.ID)
				l.Assigned++
			}
		}
		if staff := rapid.IntRange(-1, n).Draw(t, "staff number"); staff == n { // mostly his own, seldom another's or none
			u.Attributes = append(u.Attributes, Attribute{"userInfo1", "S0"})
		} else if staff >= 0 {
			u.Attributes = append(u.Attributes, Attribute{"userInfo1", fmt.Sprintf("S%d", i)})
		}
		users[i] = u
		records = append(records, u)
		if rapid.Bool().Draw(t, "subscribed") {
			records = append(records, &Extension{ID: "e-" + string(numbers[i]), SystemID: "s1", PbxID: cloudID, Number: numbers[i], Role: RoleSubscriber, Holder: u.Login, HolderID: u.ID})
		}
	}
	for _, l := range seats {
		l.Max = max(0, l.Assigned+rapid.IntRange(-1, 2).Draw(t, "free seats"))
		records = append(records, l)
	}
	w := NewWorld(company, records...)
	holder := func(label string, subscribersOnly bool) (Login, string) {
		i := rapid.IntRange(-3, n-1).Draw(t, label)
		switch {
		case i == -3 && rapid.Bool().Draw(t, "an unknown one"):
			return "", "u-unknown"
		case i < 0 || subscribersOnly && SubscriberOf(w, users[i].Login) == nil:
			return "", ""
		}
		return users[i].Login, users[i].ID
	}
	ddis := 5 // of which one is the default
	if rapid.IntRange(0, 9).Draw(t, "no DDIs") == 0 {
		ddis = 0
	}
	standard := rapid.IntRange(0, 4).Draw(t, "default DDI")
	for i := range 5 {
		d := &Device{ID: fmt.Sprintf("d%d", i), Address: device(i), Model: "M5", Description: "old"}
		if d.Holder, d.HolderID = holder("device holder", true); d.Holder != "" {
			d.SubscriberID = SubscriberOf(w, d.Holder).ID
		}
		w.put(d)
		n := &DDI{ID: fmt.Sprintf("n%d", i), Number: ddi(i), Default: i == standard}
		n.Holder, n.HolderID = holder("DDI holder", i > 0) // one may be held by a user without extension
		if i < ddis {
			w.put(n)
		}
		e := &Extension{ID: fmt.Sprintf("p%d", i), SystemID: "s2", PbxID: oxeID, Number: Number(fmt.Sprintf("300%d", i)), Role: RolePairing}
		e.Holder, e.HolderID = holder("pairing holder", false)
		w.put(e)
	}
	e := &Extension{ID: "q0", SystemID: "s3", PbxID: otherID, Number: "3000", Role: RolePairing}
	e.Holder, e.HolderID = holder("pairing holder", false)
	w.put(e)
	return w
}

func login(i int) Login      { return Login(fmt.Sprintf("user%02d@demo.example", i)) }
func device(i int) DeviceKey { return DeviceKey(fmt.Sprintf("aabbccddee%02x", i)) }
func ddi(i int) E164         { return E164(fmt.Sprintf("+3329830050%d", i)) }

// drawDesired draws a manifest over that world; it may be one that can't be planned.
func drawDesired(t *rapid.T) *Desired {
	d := &Desired{Mode: "yaml", Digest: "digest"}
	var users []DesiredUser
	logins := rapid.SliceOfNDistinct(rapid.IntRange(0, 8), 2, 7, rapid.ID).Draw(t, "logins")
	numbers := rapid.Permutation([]Number{"2000", "2001", "2002", "2003", "2004", "2005", "2006", "80000", "80001"}).Draw(t, "wanted numbers")
	devices := rapid.Permutation([]int{0, 1, 2, 3, 4}).Draw(t, "wanted devices")
	ddis := rapid.Permutation([]int{0, 1, 2, 3, 4}).Draw(t, "wanted DDIs")
	drawIdentities(t, d)
	staff := rapid.Permutation([]int{0, 1, 2, 3, 4, 5, 6, 7, 8}).Draw(t, "staff numbers")
	for row, i := range logins {
		u := DesiredUser{Login: login(i), Action: "upsert", Position: Position{File: "m.csv", Line: row + 2}, Password: &SecretPlace{Field: "password"}}
		u.Attributes = []Attribute{{"firstName", rapid.SampledFrom([]string{"First0", "First1", "New"}).Draw(t, "first name")}}
		for j := range 3 {
			if v := rapid.SampledFrom([]string{"keep", "keep", "", "tag0", "other"}).Draw(t, "tag"); v != "keep" {
				u.Attributes = append(u.Attributes, Attribute{fmt.Sprintf("tags%d", j), v})
			}
		}
		if name := rapid.SampledFrom([]string{"", "Last0", "Last1", "New"}).Draw(t, "last name"); name != "" {
			u.Attributes = slices.Insert(u.Attributes, 1, Attribute{"lastName", name})
		}
		if rapid.Bool().Draw(t, "has a staff number") {
			u.Attributes = append(u.Attributes, Attribute{"userInfo1", fmt.Sprintf("S%d", staff[row])})
		}
		switch rapid.SampledFrom([]string{"upsert", "upsert", "upsert", "delete", "detach"}).Draw(t, "action") {
		case "delete":
			u.Presence, u.Action = Absent, "delete"
		case "detach":
			u.Presence, u.Action, u.Attributes, u.Password = Existing, "detach", nil, nil
			u.Subscriber = drawWish(t, "detached", []Mood{Keep, Exclude}, []Number(nil))
			u.Devices = drawWish(t, "detached", []Mood{Keep, Exclude}, []DeviceKey{device(devices[row%5])})
			u.DDIs = drawWish(t, "detached", []Mood{Keep, Exclude}, []E164{ddi(ddis[row%5])})
		default:
			u.Subscriber = drawWish(t, "subscriber", []Mood{Keep, Exactly, Exactly}, []Number{numbers[row]})
			if row < 5 {
				u.Devices = drawWish(t, "devices", []Mood{Keep, Exactly, Include}, []DeviceKey{device(devices[row])})
				u.DDIs = drawWish(t, "DDIs", []Mood{Keep, Exactly, Include}, []E164{ddi(ddis[row])})
				pairing := Pairing{PbxID: rapid.SampledFrom([]string{"", oxeID, otherID}).Draw(t, "pbx"), Number: Number(fmt.Sprintf("300%d", devices[row]))}
				u.Pairings = drawWish(t, "pairings", []Mood{Keep, Keep, Exactly, Include, Exclude}, []Pairing{pairing})
			}
			offers := rapid.SliceOfNDistinct(rapid.SampledFrom([]Offer{"Voice", "Alpha", "Beta"}), 1, 2, rapid.ID).Draw(t, "offers")
			u.Licences = drawWish(t, "licences", []Mood{Keep, Keep, Include, Exactly, Exclude}, offers)
		}
		users = append(users, u)
	}
	drawProvisions(t, d, users)
	d.Users = EntriesOf(users...)
	return d
}

// usersOf unpacks the users of a manifest.
func usersOf(d *Desired) []DesiredUser {
	var users []DesiredUser
	for _, u := range d.Users.All() {
		users = append(users, *u)
	}
	return users
}

func drawWish[K any](t *rapid.T, label string, moods []Mood, keys []K) Wish[K] {
	w := Wish[K]{Mood: rapid.SampledFrom(moods).Draw(t, label+" mood")}
	if w.Mood != Keep && rapid.IntRange(0, 4).Draw(t, label+" none") > 0 {
		w.Keys = keys
	}
	return w
}

// drawPlan draws a company and a manifest over it, drops the entries that can't be planned, and plans the rest.
func drawPlan(t *rapid.T) (*World, *Desired, *Plan) { return drawPlanBy(t, Policy{}) }

func drawPlanBy(t *rapid.T, policy Policy) (*World, *Desired, *Plan) {
	w, desired := drawWorld(t), drawDesired(t)
	for {
		plan, err := MakePlan(desired, w, policy)
		if err == nil {
			return w, desired, plan
		}
		var faults Faults
		if !errors.As(err, &faults) || len(faults) == 0 {
			t.Fatalf("plan refused with %T %v, want faults", err, err)
		}
		if !dropFaulty(desired, faults) {
			t.Fatalf("plan refused for faults that are at no entry: %v", err)
		}
	}
}

// dropFaulty takes the entries out of a manifest that have faults, else its rules; false when nothing is left to take.
func dropFaulty(d *Desired, faults Faults) bool {
	faulty := func(at Position) bool {
		return slices.ContainsFunc(faults, func(f Fault) bool { return f.Position == at })
	}
	before := d.Users.Len() + len(d.Devices) + len(d.DDIs)
	d.Users = EntriesOf(slices.DeleteFunc(usersOf(d), func(u DesiredUser) bool { return faulty(u.Position) })...)
	d.Devices = slices.DeleteFunc(slices.Clone(d.Devices), func(v DesiredDevice) bool { return faulty(v.Position) })
	d.DDIs = slices.DeleteFunc(slices.Clone(d.DDIs), func(n DesiredDDI) bool { return faulty(n.Position) })
	if d.Users.Len()+len(d.Devices)+len(d.DDIs) < before {
		return true
	}
	if d.DefaultDDI != nil && faulty(d.DefaultDDI.Position) {
		d.DefaultDDI = nil
		return true
	}
	rules := len(d.Match) + len(d.Renumber)
	d.Match, d.Renumber = nil, nil
	return rules > 0
}

// TestPlanLeadsWhereTheManifestPoints carries drawn plans out on the model: every operation finds what it takes free, no
// prefix holds more seats than were bought, and the same manifest then plans nothing.
func TestPlanLeadsWhereTheManifestPoints(t *testing.T) {
	planned, empty := 0, 0
	var cases cases
	defer cases.log(t)
	rapid.Check(t, func(t *rapid.T) {
		w, desired, plan := drawPlan(t)
		planned++
		if again, _ := MakePlan(desired, w, Policy{}); encode(t, again) != encode(t, plan) {
			t.Fatalf("the same input gives another plan:\n%s\n%s", encode(t, plan), encode(t, again))
		}
		if len(plan.Operations) == 0 {
			empty++
		} else {
			cases.met++
		}
		for _, i := range drawOrder(t, plan) {
			carryOut(t, w, &plan.Operations[i])
		}
		if movesOn(plan) {
			return
		}
		after, err := MakePlan(desired, w, Policy{})
		if err != nil {
			t.Fatalf("planning again: %v\nfirst plan: %s", err, encode(t, plan))
		}
		if len(after.Operations) > 0 {
			t.Fatalf("planning again is not empty: %s\nfirst plan: %s", encode(t, after), encode(t, plan))
		}
	})
	t.Logf("%d cases planned, %d of them empty", planned, empty)
	if 4*empty > 3*planned {
		t.Fatalf("of %d plans %d were empty: the drawing is too narrow", planned, empty)
	}
}

// drawOrder draws an order in which a parallel apply could carry the operations out: plan order, or any other in which
// each comes after those that it needs.
func drawOrder(t *rapid.T, plan *Plan) []int {
	done, order := map[int]bool{}, []int{}
	inOrder := rapid.Bool().Draw(t, "in plan order")
	for len(order) < len(plan.Operations) {
		var ready []int
		for i, op := range plan.Operations {
			if !done[op.ID] && !slices.ContainsFunc(op.Needs, func(n int) bool { return !done[n] }) {
				ready = append(ready, i)
			}
		}
		next := ready[0]
		if !inOrder {
			next = rapid.SampledFrom(ready).Draw(t, "next")
		}
		done[plan.Operations[next].ID] = true
		order = append(order, next)
	}
	return order
}

// carryOut applies an operation to the model after checking what upstream would check.
func carryOut(t *rapid.T, w *World, op *Operation) {
	t.Helper()
	refuse := func(why string) { t.Fatalf("operation %d (%s): %s", op.ID, op.Title(), why) }
	r := w.Record(op.Key)
	switch {
	case op.Action == ActionCreate && r != nil:
		refuse("exists already")
	case op.Action == ActionSave && op.Login == "":
		return
	case op.renames() && w.Record(op.Login.Key()) != nil:
		refuse("its new login is taken")
	case op.detail():
		if op.Key.Kind == KindOptions && SubscriberOf(w, op.Login) == nil {
			refuse("no subscriber")
		}
		if op.Key.Kind == KindKeys && w.Record(DeviceKey(op.Key.ID).Key()) == nil {
			refuse("no device")
		}
	case op.Action != ActionCreate && r == nil:
		refuse("does not exist")
	case op.Key.Kind != KindUser && op.Login != "" && w.Record(op.Login.Key()) == nil:
		refuse("its user does not exist")
	case op.provisions() && op.Action == ActionDelete && (r.HeldBy() != "" || isDefault(r) && len(listed(w, KindDDI)) > 1):
		refuse("held, or the default")
	}
	subscriber := SubscriberOf(w, op.Login)
	switch op.Key.Kind {
	case KindExtension:
		if op.Action == ActionCreate && subscriber != nil {
			refuse("the user has a subscriber already")
		}
		if op.Action == ActionAttach && r.HeldBy() != "" {
			refuse("held by " + string(r.HeldBy()))
		}
		if op.Action == ActionAttach && len(holdingOf(w, op.Login).pairings) > 0 {
			refuse("the user has another number of an equipped PBX (1007)")
		}
		if op.Action == ActionAttach && subscriber != nil {
			refuse("the user has an extension of the Cloud PBX (1009)")
		}
	case KindDevice, KindDDI:
		if op.Action == ActionAttach && r.HeldBy() != "" {
			refuse("held by " + string(r.HeldBy()))
		}
		if op.Action == ActionAttach && subscriber == nil {
			refuse("the user has no subscriber")
		}
		if op.Action == ActionDetach && r.HeldBy() != op.Login {
			refuse("held by " + string(r.HeldBy()))
		}
	}
	before := map[Key]int{}
	for r := range w.Records(KindLicence) {
		before[r.Key()] = r.(*Licence).Assigned
	}
	w.Apply(Effects(op, w, fmt.Sprintf("new-%d", op.ID)))
	for r := range w.Records(KindLicence) {
		if l := r.(*Licence); l.Max >= 0 && l.Assigned > l.Max && l.Assigned > before[l.Key()] {
			refuse(fmt.Sprintf("%d of %d licences assigned", l.Assigned, l.Max))
		}
	}
	if u := find[User](w, op.Login.Key()); u != nil {
		checkUser(u, refuse)
	}
}

// checkUser holds what upstream holds of every user: at most one exclusive licence, and no gaps in lists.
func checkUser(u *User, refuse func(string)) {
	if slices.Contains(u.Licences, "l2") && slices.Contains(u.Licences, "l3") {
		refuse("two exclusive licences")
	}
	for i := range 2 {
		if u.Attribute(fmt.Sprintf("tags%d", i)) == "" && u.Attribute(fmt.Sprintf("tags%d", i+1)) != "" {
			refuse("a gap in the tags")
		}
	}
}

func encode(t *rapid.T, v any) string {
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
