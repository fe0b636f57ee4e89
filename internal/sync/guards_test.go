package sync

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// crowd is a company of n users with an extension each; the first half of them is of department Sales.
func crowd(n int) *World {
	w := NewWorld(Company{ID: "c1", CloudPbx: &CloudPbx{ID: "s1", PbxID: cloudID, Ranges: []Range{{"2000", "2999"}}}, Account: "root@demo.example"},
		&User{ID: "u-root", Login: "root@demo.example"},
		&User{ID: "u-boss", Login: "boss@demo.example", Admin: true})
	for i := range n {
		department := "Support"
		if i < n/2 {
			department = "Sales"
		}
		u := &User{ID: fmt.Sprintf("u%d", i), Login: login(i), Attributes: []Attribute{{"department", department}, {"tags0", fmt.Sprintf("floor%d", i%3)}}}
		w.put(u)
		w.put(&Extension{ID: fmt.Sprintf("e%d", i), SystemID: "s1", PbxID: cloudID, Number: Number(fmt.Sprintf("%d", 2000+i)), Role: RoleSubscriber, Holder: u.Login, HolderID: u.ID})
	}
	return w
}

func deletions(from, to int) []DesiredUser {
	var users []DesiredUser
	for i := from; i < to; i++ {
		users = append(users, entry(2+i, login(i), "delete"))
	}
	return users
}

func keepers(from, to int) []DesiredUser {
	var users []DesiredUser
	for i := from; i < to; i++ {
		users = append(users, entry(2+i, login(i), "upsert"))
	}
	return users
}

func makePlan(t *testing.T, w *World, users []DesiredUser, policy Policy) *Plan {
	t.Helper()
	plan, err := MakePlan(&Desired{Mode: "rainbowvoice", Digest: "d16e57", Users: EntriesOf(users...)}, w, policy)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func ceilings(t *testing.T, words ...string) []Ceiling {
	t.Helper()
	var all []Ceiling
	for _, w := range words {
		c, err := ParseCeiling(w)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}

func TestCeilings(t *testing.T) {
	for _, c := range []struct {
		name     string
		recorded int // beside two who are never deleted
		deleted  int
		policy   Policy
		held     int
		says     string
	}{
		{"ten deletions are let through by default", 20, 10, Policy{}, 0, ""},
		{"an eleventh holds all of them back", 20, 11, Policy{}, 11, "11 operations of the class delete-user, of 22 recorded; at most 10 allowed (delete-user=10,10%)"},
		{"of many users a tenth may go", 298, 30, Policy{}, 0, ""},
		{"of many users more than a tenth may not go", 298, 31, Policy{}, 31, "at most 30 allowed"},
		{"a ceiling of one's own is lower", 20, 3, Policy{Ceilings: ceilings(t, "delete-user=2")}, 3, "at most 2 allowed (delete-user=2)"},
		{"a ceiling of one's own is higher", 20, 15, Policy{Ceilings: ceilings(t, "delete-user=15")}, 0, ""},
		{"a share", 38, 3, Policy{Ceilings: ceilings(t, "delete-user=5%")}, 3, "at most 2 allowed (delete-user=5%)"},
		{"none", 20, 20, Policy{Ceilings: ceilings(t, "delete-user=off")}, 0, ""},
		{"nothing may be deleted", 20, 1, Policy{Ceilings: ceilings(t, "delete-user=0")}, 1, "at most 0 allowed"},
		{"a population that may not be fallen below", 20, 3, Policy{MinUsers: 20}, 3, "3 of 22 users would be deleted and 19 left; at least 20 must be"},
		{"a population that is just kept", 20, 2, Policy{MinUsers: 20}, 0, ""},
		{"a population that was missed before, and nobody goes", 20, 0, Policy{MinUsers: 50}, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			users := append(deletions(0, c.deleted), with(entry(999, login(c.recorded-1), "upsert"), func(u *DesiredUser) { u.Attributes = []Attribute{{"title", "Dr"}} }))
			if c.deleted == c.recorded {
				users = users[:c.deleted]
			}
			plan := makePlan(t, crowd(c.recorded), users, c.policy)
			if got := plan.HeldBack(); got != c.held {
				t.Fatalf("%d held back, want %d: %+v", got, c.held, plan.Remarks)
			}
			for _, op := range plan.Operations {
				if op.Action == ActionUpdate && op.Held != "" {
					t.Errorf("operation %d (%s) is held: %s", op.ID, op.Title(), op.Held)
				}
			}
			said := ""
			for _, r := range plan.Remarks {
				said += r.Message
			}
			if !strings.Contains(said, c.says) || c.says == "" && strings.Contains(said, "held") {
				t.Errorf("remarks %q, want %q", said, c.says)
			}
		})
	}
}

// TestWhatIsLostCountsAndWhatIsReplacedDoesNot: renumbering a site is no loss of extensions.
func TestWhatIsLostCountsAndWhatIsReplacedDoesNot(t *testing.T) {
	var users []DesiredUser
	for i := range 30 {
		users = append(users, with(entry(2+i, login(i), "upsert"), func(u *DesiredUser) { u.Subscriber = Having(Number(fmt.Sprintf("%d", 2500+i))) }))
	}
	if n := makePlan(t, crowd(40), users, Policy{}).HeldBack(); n != 0 {
		t.Errorf("%d operations of a renumbering are held back", n)
	}
	for i := range users {
		users[i].Subscriber = Having[Number]()
	}
	if n := makePlan(t, crowd(40), users, Policy{}).HeldBack(); n != 30 {
		t.Errorf("%d of 30 lost extensions are held back", n)
	}
}

// TestWhoWasToGetAHeldNumberKeepsHis: the taker of a deleted user's number is held with all that made room for it, and
// nobody is left without a number.
func TestWhoWasToGetAHeldNumberKeepsHis(t *testing.T) {
	w := crowd(20)
	w.put(&DDI{ID: "n0", Number: ddi(0), Holder: login(12), HolderID: "u12"})
	w.put(&Device{ID: "d0", Address: device(0), Holder: login(14), HolderID: "u14", SubscriberID: "e14"})
	users := append(deletions(0, 11),
		with(entry(90, login(12), "upsert"), func(u *DesiredUser) { u.Subscriber = Having[Number]("2000") }), // a deleted user's
		with(entry(91, login(13), "upsert"), func(u *DesiredUser) { u.Subscriber = Having[Number]("2012") }), // user 12's
		with(entry(92, login(15), "upsert"), func(u *DesiredUser) { u.Subscriber = Having[Number]("2900") }), // free
		with(entry(93, "new@demo.example", "upsert"), func(u *DesiredUser) {
			u.Subscriber, u.Devices = Having[Number]("2001"), Having(device(0)) // a deleted user's, and user 14's
		}))
	plan := makePlan(t, w, users, Policy{MatchNumbers: MatchNever})
	after := Overlay(w)
	for i := range plan.Operations {
		op := &plan.Operations[i]
		if op.Held == "" {
			after.Apply(Effects(op, after, "new"))
		}
	}
	for l, want := range map[Login]Number{login(0): "2000", login(12): "2012", login(13): "2013", login(15): "2900"} {
		if e := SubscriberOf(after, l); e == nil || e.Number != want {
			t.Errorf("%s has extension %+v, want %s", l, e, want)
		}
	}
	if d := find[DDI](after, ddi(0).Key()); d.Holder != login(12) {
		t.Errorf("DDI is held by %q, want user 12 to keep it", d.Holder)
	}
	if d := find[Device](after, device(0).Key()); d.Holder != login(14) {
		t.Errorf("device is held by %q, want user 14 to keep it", d.Holder)
	}
	if after.Record(Login("new@demo.example").Key()) == nil {
		t.Error("the new user is held back too, though he needs nothing that is")
	}
	if s := plan.Summary(); !strings.Contains(s, "held back") {
		t.Errorf("summary %q does not tell what is held back", s)
	}
}

// TestWhoWasToGetAHeldPairingKeepsHisSubscriber: an extension of the Cloud PBX that gives way to a number of an equipped PBX
// is exchanged for it, though the two are of different PBXs.
func TestWhoWasToGetAHeldPairingKeepsHisSubscriber(t *testing.T) {
	users := []DesiredUser{
		entry(2, "cleo@demo.example", "delete"), // who has 3000
		with(entry(3, "bob@demo.example", "upsert"), func(u *DesiredUser) {
			u.Subscriber, u.Pairings = Having[Number](), Having(Pairing{Number: "3000"})
		}),
	}
	plan := makePlan(t, demoWorld(), users, Policy{Ceilings: ceilings(t, "delete-user=0")})
	for _, op := range plan.Operations {
		if op.Held == "" {
			t.Errorf("operation %d (%s) goes on", op.ID, op.Title())
		}
	}
}

func TestPrune(t *testing.T) {
	scope := func(words ...string) Scope {
		var s Scope
		for _, w := range words {
			selector, err := ParseSelector(w)
			if err != nil {
				t.Fatal(err)
			}
			s = append(s, selector)
		}
		return s
	}
	patterns := func(words ...string) []Pattern {
		var all []Pattern
		for _, w := range words {
			p, err := ParsePattern(w)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, p)
		}
		return all
	}
	all := Policy{Prune: PruneDelete, Scope: scope("all")}
	for _, c := range []struct {
		name   string
		users  []DesiredUser
		policy Policy
		owned  map[Login]string
		goes   []string
	}{
		{"off, nobody goes", keepers(0, 3), Policy{Scope: scope("all")}, nil, nil},
		{"of the whole company, all who are not named go but the account and administrators", keepers(0, 5), all, nil, []string{"delete user05", "delete user06", "delete user07"}},
		{"an empty manifest deletes nobody", nil, all, nil, nil},
		{"a manifest that only deletes prunes nobody", deletions(0, 1), all, nil, []string{"delete user00"}},
		{"by department", keepers(0, 3), Policy{Prune: PruneDelete, Scope: scope("department=Sales")}, nil, []string{"delete user03"}},
		{"by department and tag", keepers(1, 3), Policy{Prune: PruneDelete, Scope: scope("department=Sales", "tag=floor0")}, nil, []string{"delete user00", "delete user03"}},
		{"by domain", keepers(0, 7), Policy{Prune: PruneDelete, Scope: scope("domain=DEMO.example")}, nil, []string{"delete user07"}},
		{"of another domain", keepers(0, 7), Policy{Prune: PruneDelete, Scope: scope("domain=other.example")}, nil, nil},
		{"who is owned", keepers(0, 2), Policy{Prune: PruneDelete, Scope: scope("owned"), Lineage: "team"}, map[Login]string{login(1): "u1", login(5): "u5", login(6): ""}, []string{"delete user05", "delete user06"}},
		{"who was owned and made anew by somebody else", keepers(0, 2), Policy{Prune: PruneDelete, Scope: scope("owned"), Lineage: "team"}, map[Login]string{login(5): "u-before"}, nil},
		{"not who is protected", keepers(0, 5), Policy{Prune: PruneDelete, Scope: scope("all"), Protect: patterns("user06@*")}, nil, []string{"delete user05", "delete user07"}},
		{"not who is ignored, or holds what is", keepers(0, 5), Policy{Prune: PruneDelete, Scope: scope("all"), Ignore: patterns("user06@*", "2007")}, nil, []string{"delete user05"}},
		{"detached, users stay and lose what the manifest manages", append(keepers(1, 7), with(entry(90, login(0), "upsert"), func(u *DesiredUser) { u.Subscriber = Having[Number]("2000") })),
			Policy{Prune: PruneDetach, Scope: scope("all")}, nil, []string{"delete 2007"}},
		{"detached by a manifest that manages nothing, users lose nothing", keepers(0, 5), Policy{Prune: PruneDetach, Scope: scope("all")}, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan, err := MakePlan(&Desired{Users: EntriesOf(c.users...), Owned: c.owned}, crowd(8), c.policy)
			if err != nil {
				t.Fatal(err)
			}
			var goes []string
			for _, op := range plan.Operations {
				goes = append(goes, fmt.Sprintf("%s %s", op.Action, strings.TrimSuffix(thingName(op.Key), "@demo.example")))
			}
			if !slices.Equal(goes, c.goes) {
				t.Errorf("got %v, want %v\nremarks: %v", goes, c.goes, plan.Remarks)
			}
		})
	}
}

func TestPruneNeedsAScope(t *testing.T) {
	for _, policy := range []Policy{{Prune: PruneDelete}, {Prune: PruneDelete, Scope: Scope{{Name: ScopeOwned}}}} {
		_, err := MakePlan(&Desired{Users: EntriesOf(keepers(0, 1)...)}, crowd(8), policy)
		if f := faultsIn(err); len(f) != 1 || f[0].Code != "prune-without-scope" {
			t.Errorf("policy %+v: got %v, want prune-without-scope", policy, err)
		}
	}
}

func TestIgnoredAndProtected(t *testing.T) {
	pattern := func(s string) []Pattern {
		p, err := ParsePattern(s)
		if err != nil {
			t.Fatal(err)
		}
		return []Pattern{p}
	}
	upsert := func(l Login, f func(*DesiredUser)) []DesiredUser {
		return []DesiredUser{with(entry(2, l, "upsert"), f)}
	}
	for _, c := range []struct {
		name   string
		users  []DesiredUser
		policy Policy
		code   string // empty: no fault
	}{
		{"a user whom the manifest names is ignored", upsert("ann@demo.example", func(*DesiredUser) {}), Policy{Ignore: pattern("ann@*")}, "ignored"},
		{"an extension that it names is ignored", upsert("ann@demo.example", func(u *DesiredUser) { u.Subscriber = Having[Number]("2001") }), Policy{Ignore: pattern("20*")}, "ignored"},
		{"a device that it names is ignored", upsert("ann@demo.example", func(u *DesiredUser) { u.Devices = Having(device(0)) }), Policy{Ignore: pattern("AA:BB:cc:*")}, "ignored"},
		{"a number that it names is ignored", upsert("ann@demo.example", func(u *DesiredUser) { u.DDIs = Having(ddi(0)) }), Policy{Ignore: pattern("+332983005*")}, "ignored"},
		{"a deleted user's device is ignored", []DesiredUser{entry(2, "ann@demo.example", "delete")}, Policy{Ignore: pattern("device/aabbccddee00")}, "ignored"},
		{"a renumbered user's device is ignored", upsert("ann@demo.example", func(u *DesiredUser) { u.Subscriber = Having[Number]("2003") }), Policy{Ignore: pattern("device/aabbccddee00")}, "ignored"},
		{"a user who would lose something is ignored", upsert("bob@demo.example", func(u *DesiredUser) { u.DDIs = Having(ddi(0)) }), Policy{Ignore: pattern("ann@*")}, "ignored"},
		{"what a user holds beside is ignored, and he keeps it", upsert("bob@demo.example", func(u *DesiredUser) { u.DDIs = Having(ddi(2)) }), Policy{Ignore: pattern("+33298300501")}, ""},
		{"a protected user is deleted", []DesiredUser{entry(2, "ann@demo.example", "delete")}, Policy{Protect: pattern("ann@*")}, "user-protected"},
		{"a protected user loses his extension", []DesiredUser{with(entry(2, "ann@demo.example", "detach"), func(u *DesiredUser) { u.Subscriber = Without[Number]("2001") })}, Policy{Protect: pattern("ann@*")}, "protected-unreachable"},
		{"a protected user is renumbered", upsert("ann@demo.example", func(u *DesiredUser) { u.Subscriber = Having[Number]("2003") }), Policy{Protect: pattern("ann@*")}, "protected-unreachable"},
		{"a protected user loses his number to another", upsert("bob@demo.example", func(u *DesiredUser) { u.DDIs = Adding(ddi(0)) }), Policy{Protect: pattern("ann@*")}, "protected-unreachable"},
		{"a protected user loses a device", upsert("bob@demo.example", func(u *DesiredUser) { u.Devices = Having(device(0)) }), Policy{Protect: pattern("ann@*")}, ""},
		{"a protected user gets a title", upsert("ann@demo.example", func(u *DesiredUser) { u.Attributes = []Attribute{{"title", "Dr"}} }), Policy{Protect: pattern("*")}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan, err := MakePlan(&Desired{Users: EntriesOf(c.users...)}, demoWorld(), c.policy)
			codes := map[string]bool{}
			for _, f := range faultsIn(err) {
				codes[f.Code] = true
				if f.Position.Line != 2 || f.Hint == "" {
					t.Errorf("fault %+v, want it at line 2 with a hint", f)
				}
			}
			if c.code == "" && err != nil || c.code != "" && (len(codes) != 1 || !codes[c.code]) {
				t.Fatalf("got %v, want %q", err, c.code)
			}
			if c.code == "" && slices.ContainsFunc(plan.Operations, func(op Operation) bool { return op.Key == ddi(1).Key() }) {
				t.Errorf("the ignored DDI is touched: %+v", plan.Operations)
			}
		})
	}
}

func TestSelectorsReadAsTheyAreWritten(t *testing.T) {
	for in, want := range map[string]string{
		"23*": "extension/23*", "+332983*": "ddi/+332983*", "AA:BB:cc:*": "device/aabbcc*", "device/aa-bb-cc-*": "device/aabbcc*", "svc-*": "user/svc-*", "*@x.example": "user/*@x.example",
		"extension/2?": "extension/2?", "*": "user/*", "[": "", "": "", "licence/x": "", "ipei:*": "user/ipei:*", "device/ipei:*": "device/ipei:*",
	} {
		p, err := ParsePattern(in)
		if err != nil && want != "" || err == nil && p.String() != want {
			t.Errorf("pattern %q: got %q, %v; want %q", in, p, err, want)
		}
	}
	for in, want := range map[string]string{
		"delete-user=10": "delete-user=10", "detach-device=5%": "detach-device=5%", "delete-user= 10, 2.5%": "delete-user=10,2.5%", "delete-user=off": "delete-user=off", "delete-user=0": "delete-user=0",
		"delete-device=1": "delete-device=1", "detach-user=1": "", "user=1": "", "delete-user": "", "delete-user=x": "", "delete-user=-1": "", "delete-user=101%": "", "delete-user=1.5": "",
	} {
		c, err := ParseCeiling(in)
		if err != nil && want != "" || err == nil && c.String() != want {
			t.Errorf("ceiling %q: got %q, %v; want %q", in, c, err, want)
		}
	}
	for in, want := range map[string]string{
		"all": "all", "owned": "owned", " department = Sales ": "department=Sales", "domain=demo.example": "domain=demo.example", "tag=a=b": "tag=a=b",
		"all=1": "", "department": "", "department=": "", "shoesize=44": "", "": "",
	} {
		s, err := ParseSelector(in)
		if err != nil && want != "" || err == nil && s.String() != want {
			t.Errorf("selector %q: got %q, %v; want %q", in, s, err, want)
		}
	}
	if n, err := ParseMinimum("user=50"); n != 50 || err != nil {
		t.Errorf("minimum user=50: %d, %v", n, err)
	}
	for _, in := range []string{"50", "device=5", "user=-1", "user="} {
		if _, err := ParseMinimum(in); err == nil {
			t.Errorf("minimum %q is taken", in)
		}
	}
}

// TestGuardsLetNoMoreThroughThanTheyAllow draws companies, manifests and policies: what goes on keeps every ceiling, needs
// nothing that is held, loses nobody a number that he was to get another for, and an empty manifest deletes nobody.
func TestGuardsLetNoMoreThroughThanTheyAllow(t *testing.T) {
	heldBack, pruned := 0, 0
	var cases cases
	defer cases.log(t)
	rapid.Check(t, func(t *rapid.T) {
		policy := drawGuards(t)
		w, desired, plan := drawPlanBy(t, policy)
		if plan.HeldBack() > 0 {
			heldBack++
		}
		if len(plan.Operations) > 0 {
			cases.met++
		}
		counts := map[string]int{}
		for _, op := range plan.Operations {
			if op.Held != "" {
				continue
			}
			counts[string(op.Action)+"-"+string(op.Key.Kind)]++
			if slices.ContainsFunc(op.Needs, func(n int) bool { return plan.Operations[n-1].Held != "" }) {
				t.Fatalf("operation %d goes on and needs what is held: %v", op.ID, op.Needs)
			}
			if op.Action == ActionDelete && op.Key.Kind == KindUser && !slices.ContainsFunc(usersOf(desired), func(u DesiredUser) bool { return u.Login == op.Login }) {
				pruned++
			}
		}
		for _, c := range policy.Ceilings {
			if c.Action == ActionDelete && c.Kind == KindExtension || c.Action == ActionDetach || c.Off {
				continue // what is replaced does not count
			}
			if n := counts[c.Class()]; n > c.allows(9) {
				t.Fatalf("%d operations go on under the ceiling %s", n, c)
			}
		}
		checkNobodyStranded(t, w, plan)
		before := encode(t, plan)
		for i := range plan.Operations {
			if op := &plan.Operations[i]; op.Held == "" {
				carryOut(t, w, op)
			}
		}
		if movesOn(plan) {
			return
		}
		again, err := MakePlan(desired, w, policy)
		if err != nil {
			t.Fatalf("planning again: %v\nfirst plan: %s", err, before)
		}
		if n := len(again.Operations); plan.HeldBack() == 0 && n > 0 {
			t.Fatalf("planning again is not empty: %s\nfirst plan: %s", encode(t, again), before)
		}
		for _, op := range planEmpty(t, desired, w, policy) {
			t.Fatalf("an empty manifest does something: %s", op.Title())
		}
	})
	if heldBack == 0 || pruned == 0 {
		t.Errorf("%d plans held something back, %d users were pruned: the drawing is too tame", heldBack, pruned)
	}
}

// TestARunLeavesOutWhatIsHeldUnlessItOverridesThat carries drawn plans out, interrupted at drawn moments: what is held back
// is never done, the run succeeds without it, and with an override all is done.
func TestARunLeavesOutWhatIsHeldUnlessItOverridesThat(t *testing.T) {
	seen := map[bool]int{}
	var cases cases
	defer cases.log(t)
	rapid.Check(t, func(t *rapid.T) {
		start, _, plan := drawPlanBy(t, drawGuards(t))
		if plan.HeldBack() == 0 {
			return
		}
		stage := newRehearsal(t, start, plan)
		override := rapid.Bool().Draw(t, "override")
		stage.run.Options.Override = override
		seen[override]++
		cases.met++
		for try := 0; stage.run.State != RunSucceeded; try++ {
			if try > 60 {
				t.Fatalf("run never ends: %+v", stage.run)
			}
			if try > 10 {
				stage.calmDown()
			}
			stage.goOn(t)
		}
		for _, op := range plan.Operations {
			want, status := 1, Done
			if op.Held != "" && !override {
				want, status = 0, Held
			}
			if n := stage.target.done[op.ID]; n != want {
				t.Fatalf("operation %d (%s), held %q, took effect %d times, want %d", op.ID, op.Title(), op.Held, n, want)
			}
			if o := stage.run.Outcomes[op.ID-1]; o.Status != status || status == Held && o.Message != op.Held {
				t.Fatalf("outcome of operation %d is %+v, want %s", op.ID, o, status)
			}
		}
		if c := stage.run.Counts; c.Done+c.Held != c.Total || c.Held > 0 == override {
			t.Fatalf("counts %+v with override %v", c, override)
		}
	})
	if seen[true] == 0 || seen[false] == 0 {
		t.Errorf("%v: the drawing is too tame", seen)
	}
}

// TestAPlanIsWalkedThroughAgainBeforeItIsApplied: seats that somebody else took meanwhile stop a saved plan before its first
// step, though no single thing that it relies on changed.
func TestAPlanIsWalkedThroughAgainBeforeItIsApplied(t *testing.T) {
	w := demoWorld()
	plan := makePlan(t, w, []DesiredUser{with(entry(2, "cleo@demo.example", "upsert"), func(u *DesiredUser) { u.Licences = Adding[Offer]("Voice Enterprise") })}, Policy{})
	l := *find[Licence](w, Key{KindLicence, "l1"})
	l.Assigned = l.Max
	w.put(&l)
	target := newModel(w)
	run := &Run{Name: "run-1", Company: "c1", State: RunRunning}
	books := newBooks(w)
	books.dieAfter(0, true)
	if err := (&Engine{Store: books, Target: target}).Execute(t.Context(), Execution{Run: run, Plan: plan, Secrets: anySecret{}}); err != nil {
		t.Fatal(err)
	}
	if run.State != RunWaiting || !strings.Contains(run.Message, "4 seats of \"Voice Enterprise\" would be taken, and 3 were bought") || len(target.done) > 0 {
		t.Errorf("run is %s: %q, done %v", run.State, run.Message, target.done)
	}
}

// TestInvariantsFindWhatIsWrong breaks plans in the ways that a planner's fault would.
func TestInvariantsFindWhatIsWrong(t *testing.T) {
	swap := []DesiredUser{
		with(entry(2, "ann@demo.example", "upsert"), func(u *DesiredUser) { u.Subscriber = Having[Number]("2002") }),
		with(entry(3, "bob@demo.example", "upsert"), func(u *DesiredUser) { u.Subscriber = Having[Number]("2001") }),
	}
	drop := func(p *Plan, action Action, kind Kind) {
		p.Operations = slices.DeleteFunc(p.Operations, func(op Operation) bool { return op.Action == action && op.Key.Kind == kind })
		for i := range p.Operations {
			p.Operations[i].Needs = nil
		}
	}
	for _, c := range []struct {
		name  string
		spoil func(*Plan)
		says  string
	}{
		{"nothing", func(*Plan) {}, ""},
		{"a number is not given up before another gets it", func(p *Plan) { drop(p, ActionDelete, KindExtension) }, "exists already"},
		{"a number is not taken before it is given back", func(p *Plan) { drop(p, ActionDetach, KindDDI) }, ""}, // the subscriber takes them along
		{"an extension is not created before its device is attached", func(p *Plan) { drop(p, ActionCreate, KindExtension) }, "has no extension"},
		{"a need comes later", func(p *Plan) { p.Operations[0].Needs = []int{3} }, "does not come before it"},
		{"what goes on needs what is held", func(p *Plan) { p.Operations[0].Held = "x" }, "which is held back"},
		{"a protected user loses his number", func(p *Plan) { p.Policy.Protect = []Pattern{{KindUser, "ann@*"}} }, "without a number"},
		{"the default DDI is deleted first", func(p *Plan) {
			p.Operations = []Operation{{ID: 1, Action: ActionDelete, Key: ddi(2).Key(), Login: "ann@demo.example"}}
		}, "default DDI is deleted last"},
		{"a user is deleted who is gone", func(p *Plan) {
			p.Operations = []Operation{{ID: 1, Action: ActionDelete, Key: Login("gone@demo.example").Key(), Login: "gone@demo.example"}}
		}, "does not exist"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := demoWorld()
			n := *find[DDI](w, ddi(2).Key())
			n.Default = true
			w.put(&n)
			plan := makePlan(t, w, swap, Policy{})
			c.spoil(plan)
			err := Invariants(plan, w)
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
}

// planEmpty plans a manifest without entries.
func planEmpty(t *rapid.T, d *Desired, w *World, policy Policy) []Operation {
	empty := *d
	empty.Users, empty.Renumber, empty.Devices, empty.DDIs, empty.DefaultDDI = nil, nil, nil, nil, nil // a rule asks for something on its own
	plan, err := MakePlan(&empty, w, policy)
	if err != nil {
		t.Fatal(err)
	}
	return plan.Operations
}

// checkNobodyStranded holds that what goes on leaves nobody without an extension or DDI who has one and is to have one.
func checkNobodyStranded(t *rapid.T, w *World, plan *Plan) {
	partly, wholly := Overlay(w), Overlay(w)
	for i := range plan.Operations {
		op := &plan.Operations[i]
		wholly.Apply(Effects(op, wholly, "x"))
		if op.Held == "" {
			partly.Apply(Effects(op, partly, "x"))
		}
	}
	for r := range w.Records(KindUser) {
		l := r.(*User).Login
		before, part, whole := linesOf(holdingOf(w, l)), linesOf(holdingOf(partly, l)), linesOf(holdingOf(wholly, l))
		if part.without(before, whole) {
			t.Fatalf("user %s had %+v, is to have %+v, and has %+v because of what is held: %s", l, before, whole, part, encode(t, plan))
		}
	}
}

func drawGuards(t *rapid.T) Policy {
	var p Policy
	classes := []string{"delete-user=0", "delete-user=1", "delete-user=10%", "delete-extension=0", "create-extension=1", "attach-ddi=0", "detach-ddi=0", "detach-licence=0", "attach-licence=1", "create-user=0", "attach-device=0"}
	for _, w := range rapid.SliceOfNDistinct(rapid.SampledFrom(classes), 0, 3, func(s string) string { s, _, _ = strings.Cut(s, "="); return s }).Draw(t, "ceilings") {
		c, err := ParseCeiling(w)
		if err != nil {
			t.Fatal(err)
		}
		p.Ceilings = append(p.Ceilings, c)
	}
	p.MinUsers = rapid.IntRange(0, 5).Draw(t, "fewest users")
	p.Prune = rapid.SampledFrom([]Prune{PruneOff, PruneDelete, PruneDetach}).Draw(t, "prune")
	if p.Prune != PruneOff {
		p.Scope = Scope{rapid.SampledFrom([]Selector{{Name: ScopeAll}, {ScopeTag, "tag0"}, {ScopeDomain, "demo.example"}}).Draw(t, "scope")}
	}
	return p
}
