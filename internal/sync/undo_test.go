package sync

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// lived is a run that took place on the model, with what it left in the books.
type lived struct {
	before *World
	plan   *Plan
	run    *Run
	books  *books
	target *model
}

// live carries a plan out on the model, which may refuse operations.
func live(t fataler, start *World, plan *Plan, refuse ...int) *lived {
	l := &lived{before: start, plan: plan, books: newBooks(start), target: newModel(start)}
	l.run = &Run{Name: "run-1", Company: "c1", Plan: "plan-1", Hash: plan.Hash(), State: RunRunning}
	target := &stubborn{l.target, refuse}
	if err := (&Engine{Store: l.books, Target: target}).Execute(context.Background(), Execution{Run: l.run, Plan: plan, Secrets: anySecret{}}); err != nil {
		t.Fatalf("run: %v", err)
	}
	return l
}

type fataler interface{ Fatalf(string, ...any) }

// stubborn is a model that refuses some operations.
type stubborn struct {
	*model
	refuse []int
}

func (s *stubborn) Batch(*Operation) Batch { return Batch{Size: 1} }

func (s *stubborn) Apply(ctx context.Context, call Call) ([]Outcome, error) {
	if id := call.Steps[0].Operation.ID; slices.Contains(s.refuse, id) {
		return call.all(Failed, "not today"), nil
	}
	return s.model.Apply(ctx, call)
}

// undoing is what undoing the run starts from.
func (l *lived) undoing(stale StalePolicy) Undoing {
	u := Undoing{Run: l.run, Operations: l.plan.Operations, Stale: stale}
	for _, k := range slices.SortedFunc(maps.Keys(l.books.traces), Key.Compare) {
		u.Traces = append(u.Traces, l.books.traces[k])
	}
	return u
}

// essence is what of a state can be brought back: all but upstream's ids.
func essence(w *World) map[string]string {
	all := map[string]string{}
	logins := map[string]Login{}
	for r := range w.Records(KindUser) {
		logins[r.(*User).ID] = r.(*User).Login
	}
	stranger := func(id string) string { // who holds a thing without a known user
		if logins[id] != "" {
			return ""
		}
		return id
	}
	for r := range w.Records(KindUser) {
		u := r.(*User)
		var licences []string
		for _, id := range u.Licences {
			if l := find[Licence](w, Key{KindLicence, id}); l != nil && l.Assignable() {
				licences = append(licences, id)
			}
		}
		all[u.Key().String()] = fmt.Sprint(u.Attributes, licences, u.Admin)
	}
	for r := range w.Records(KindExtension) {
		e := r.(*Extension)
		all[e.Key().String()] = fmt.Sprint(e.Role, e.Holder, e.Label)
	}
	for r := range w.Records(KindDevice) {
		d := r.(*Device)
		all[d.Key().String()] = fmt.Sprint(d.Model, d.Holder, stranger(d.HolderID))
	}
	for r := range w.Records(KindDDI) {
		n := r.(*DDI)
		all[n.Key().String()] = fmt.Sprint(n.Holder, n.Label, stranger(n.HolderID))
	}
	return all
}

func unequal(want, got map[string]string) string {
	for _, k := range slices.Sorted(maps.Keys(merge(want, got))) {
		if want[k] != got[k] {
			return fmt.Sprintf("%s: was %q, is %q", k, want[k], got[k])
		}
	}
	return ""
}

// TestUndoingARunLeadsBack carries drawn plans out, some of whose operations are refused, and then the plan that undoes the
// run: the company is as before, but for upstream's ids. What is undone needs nothing more.
func TestUndoingARunLeadsBack(t *testing.T) {
	undone, partly, unplannable := 0, 0, 0
	var cases cases
	defer cases.log(t)
	rapid.Check(t, func(t *rapid.T) {
		start, _, plan := drawPlan(t)
		var refused []int
		if rapid.Bool().Draw(t, "some are refused") {
			for _, op := range plan.Operations {
				if rapid.IntRange(0, 3).Draw(t, "refused") == 0 {
					refused = append(refused, op.ID)
				}
			}
		}
		want := essence(start)
		l := live(t, start, plan, refused...)
		undo, err := MakeUndo(l.undoing(StaleRefuse), l.books.world, Policy{})
		var faults Faults
		if errors.As(err, &faults) { // seats that were overdrawn before are not given out anew
			for _, f := range faults {
				if f.Code != "licences-short" || !overdrawn(start) {
					t.Fatalf("undo: %v", err)
				}
			}
			unplannable++
			return
		}
		if err != nil {
			t.Fatalf("undo: %v\nplan: %s", err, encode(t, plan))
		}
		if undo.Undoes != "run-1" || undo.Mode != ModeUndo {
			t.Fatalf("the plan undoes %q, in mode %q", undo.Undoes, undo.Mode)
		}
		if again, _ := MakeUndo(l.undoing(StaleRefuse), l.books.world, Policy{}); encode(t, again) != encode(t, undo) {
			t.Fatalf("the same input gives another plan:\n%s\n%s", encode(t, undo), encode(t, again))
		}
		back := NewWorld(l.books.world.Company(), all(l.books.world)...)
		for _, i := range drawOrder(t, undo) {
			carryOut(t, back, &undo.Operations[i])
		}
		got := essence(back)
		for _, k := range slices.Collect(maps.Keys(merge(want, got))) {
			if key, _ := ParseKey(k); slices.ContainsFunc(undo.Remarks, func(f Fault) bool {
				return f.Code == "not-undoable" && (key.Kind == KindDDI || key.Kind == KindExtension && !strings.HasPrefix(key.ID, cloudID)) && strings.Contains(f.Message, thingOf(key)+" ")
			}) {
				delete(want, k)
				delete(got, k)
			}
		}
		if diff := unequal(want, got); diff != "" {
			t.Fatalf("%s\nplan: %s\nundo: %s", diff, encode(t, plan), encode(t, undo))
		}
		rest, err := MakeUndo(l.undoing(StaleReplan), back, Policy{})
		if err != nil || len(rest.Operations) > 0 {
			t.Fatalf("undoing again: %v, %s\nplan: %s\nundo: %s", err, encode(t, rest), encode(t, plan), encode(t, undo))
		}
		if len(undo.Operations) > 0 {
			undone++
			cases.met++
			if len(refused) > 0 {
				partly++
			}
		}
	})
	t.Logf("%d runs undone, %d of them partly failed; %d could not be planned", undone, partly, unplannable)
	if undone == 0 || partly == 0 || unplannable > undone {
		t.Errorf("%d runs undone, %d of them partly failed, %d not: the drawing is too narrow", undone, partly, unplannable)
	}
}

func overdrawn(w *World) bool {
	for r := range w.Records(KindLicence) {
		if l := r.(*Licence); l.Max >= 0 && l.Assigned > l.Max {
			return true
		}
	}
	return false
}

// TestUndoingLeavesAloneWhatChangedSince meddles with a device or DDI that the run gave or took: undoing is refused, or
// leaves it alone, or puts it back, as asked; what it does can be carried out.
func TestUndoingLeavesAloneWhatChangedSince(t *testing.T) {
	var cases cases
	defer cases.log(t)
	rapid.Check(t, func(t *rapid.T) {
		start, _, plan := drawPlan(t)
		l := live(t, start, plan)
		var held []Key
		renames := newUndoer(l.undoing(""), l.books.world, nil)
		for _, trace := range l.undoing("").Traces {
			before, after := handsOf(trace.Before), handsOf(trace.After)
			after.login = renames.loginBefore(after.login)
			if (trace.Key.Kind == KindDevice || trace.Key.Kind == KindDDI) && before != after {
				held = append(held, trace.Key)
			}
		}
		if len(held) == 0 {
			return
		}
		k := rapid.SampledFrom(held).Draw(t, "meddled with")
		if l.books.world.Record(k) == nil {
			return // the run deleted it
		}
		meddle(l.books.world, k)
		if handsOf(l.books.world.Record(k)) == handsOf(start.Record(k)) {
			return
		}
		cases.met++
		_, err := MakeUndo(l.undoing(StaleRefuse), l.books.world, Policy{})
		var changed *ChangedSince
		if !errors.As(err, &changed) || !strings.Contains(err.Error(), thingOf(k)) {
			t.Fatalf("refusal is %v, want one that names %s", err, thingOf(k))
		}
		drop, err := MakeUndo(l.undoing(StaleDrop), l.books.world, Policy{})
		if err != nil {
			t.Fatalf("undo of the rest: %v", err)
		}
		back := NewWorld(l.books.world.Company(), all(l.books.world)...)
		for _, i := range drawOrder(t, drop) {
			carryOut(t, back, &drop.Operations[i])
		}
		if slices.ContainsFunc(drop.Operations, func(op Operation) bool { return op.Key == k }) {
			t.Fatalf("%s is not left alone: %s", k, encode(t, drop))
		}
		if !slices.ContainsFunc(drop.Remarks, func(f Fault) bool { return f.Code == "changed-since" || f.Code == "not-undoable" }) {
			t.Fatalf("no remark says what is left alone: %s", encode(t, drop))
		}
	})
	if cases.met == 0 {
		t.Error("nothing was ever meddled with: the drawing is too narrow")
	}
}

// TestWhatUndoingDoesNotBringBackIsSaid undoes single operations.
func TestWhatUndoingDoesNotBringBackIsSaid(t *testing.T) {
	world := func() *World {
		w := demoWorld()
		w.put(&User{ID: "u-zoe", Login: "zoe@demo.example", Attributes: []Attribute{{"firstName", "Zoe"}}, Licences: []string{}})
		return w
	}
	for _, c := range []struct {
		name string
		user DesiredUser
		// meddle changes the state after the run.
		meddle func(*World)
		stale  StalePolicy
		titles []string
		says   []string
		fails  string
	}{
		{
			name:   "a deleted user comes back with another id and a new password",
			user:   with(entry(2, "zoe@demo.example", "delete"), func(u *DesiredUser) { u.Presence = Absent }),
			titles: []string{"create user zoe@demo.example"},
			says:   []string{"under another id", "a password that nobody knows"},
		},
		{
			name:   "a created user goes with what came to him",
			user:   with(entry(2, "new@demo.example", "upsert"), func(u *DesiredUser) { u.Attributes = []Attribute{{"firstName", "New"}} }),
			titles: []string{"delete user new@demo.example"},
			says:   []string{"what user new@demo.example did and was sent"},
		},
		{
			name: "a created user who was changed since stays",
			user: with(entry(2, "new@demo.example", "upsert"), func(u *DesiredUser) { u.Attributes = []Attribute{{"firstName", "New"}} }),
			meddle: func(w *World) {
				u := *find[User](w, Login("new@demo.example").Key())
				u.Attributes = []Attribute{{"firstName", "Newer"}}
				w.put(&u)
			},
			stale: StaleDrop,
			says:  []string{`firstName is "Newer"; left alone`},
		},
		{
			name:   "an attribute is put back",
			user:   with(entry(2, "zoe@demo.example", "upsert"), func(u *DesiredUser) { u.Attributes = []Attribute{{"firstName", "Zora"}, {"jobTitle", "x"}} }),
			titles: []string{"update user zoe@demo.example"},
		},
		{
			name: "an attribute that changed since is refused",
			user: with(entry(2, "zoe@demo.example", "upsert"), func(u *DesiredUser) { u.Attributes = []Attribute{{"firstName", "Zora"}} }),
			meddle: func(w *World) {
				u := *find[User](w, Login("zoe@demo.example").Key())
				u.Attributes = []Attribute{{"firstName", "Third"}}
				w.put(&u)
			},
			fails: `since run run-1, firstName of user zoe@demo.example became "Third"`,
		},
		{
			name: "an attribute that changed since is put back all the same",
			user: with(entry(2, "zoe@demo.example", "upsert"), func(u *DesiredUser) { u.Attributes = []Attribute{{"firstName", "Zora"}} }),
			meddle: func(w *World) {
				u := *find[User](w, Login("zoe@demo.example").Key())
				u.Attributes = []Attribute{{"firstName", "Third"}}
				w.put(&u)
			},
			stale: StaleReplan, titles: []string{"update user zoe@demo.example"}, says: []string{"put back all the same"},
		},
		{
			name: "a user who was deleted since stays so",
			user: with(entry(2, "zoe@demo.example", "upsert"), func(u *DesiredUser) { u.Attributes = []Attribute{{"firstName", "Zora"}} }),
			meddle: func(w *World) {
				w.remove(Login("zoe@demo.example").Key())
			},
			stale: StaleReplan, says: []string{"user zoe@demo.example was deleted"},
		},
		{
			name: "what is only written stays",
			user: with(entry(2, "zoe@demo.example", "upsert"), func(u *DesiredUser) {
				u.Attributes = []Attribute{{"firstName", "Zora"}, {"photoUrl", "https://x.example/z.png"}}
			}),
			titles: []string{"update user zoe@demo.example"},
			says:   []string{"photoUrl of user zoe@demo.example stays"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.user.Password = &SecretPlace{Field: "password"}
			w := world()
			plan, err := MakePlan(&Desired{Users: EntriesOf([]DesiredUser{c.user}...)}, w, Policy{})
			if err != nil {
				t.Fatal(err)
			}
			l := live(t, w, plan)
			if c.meddle != nil {
				c.meddle(l.books.world)
			}
			undo, err := MakeUndo(l.undoing(c.stale), l.books.world, Policy{})
			if c.fails != "" {
				if err == nil || err.Error() != c.fails {
					t.Errorf("got error %v, want %s", err, c.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var titles []string
			for i := range undo.Operations {
				titles = append(titles, undo.Operations[i].Title())
				if strings.Contains(undo.Operations[i].Reason, "manifest") {
					t.Errorf("reason speaks of a manifest: %q", undo.Operations[i].Reason)
				}
			}
			if !slices.Equal(titles, c.titles) {
				t.Errorf("operations are %q, want %q", titles, c.titles)
			}
			remarks := Faults(undo.Remarks).Error()
			for _, words := range c.says {
				if !strings.Contains(remarks, words) {
					t.Errorf("remarks do not say %q: %s", words, remarks)
				}
			}
			if len(c.says) == 0 && remarks != "" {
				t.Errorf("remarks: %s; want none", remarks)
			}
		})
	}
}

// TestWhatManyUsersLoseIsToldOnce undoes the creation of seven users and the deletion of two, and that of two devices.
func TestWhatManyUsersLoseIsToldOnce(t *testing.T) {
	w := demoWorld()
	for _, l := range []Login{"zoe@demo.example", "amy@demo.example"} {
		w.put(&User{ID: "u-" + string(l), Login: l, Attributes: []Attribute{{"firstName", "Zoe"}}, Licences: []string{}})
	}
	var users []DesiredUser
	for i := range 7 {
		users = append(users, with(entry(i+2, Login(fmt.Sprintf("new%d@demo.example", i)), "upsert"), func(u *DesiredUser) {
			u.Attributes, u.Password = []Attribute{{"firstName", "New"}}, &SecretPlace{Field: "password"}
		}))
	}
	for i, l := range []Login{"zoe@demo.example", "amy@demo.example"} {
		users = append(users, with(entry(i+20, l, "delete"), func(u *DesiredUser) { u.Presence = Absent }))
	}
	var devices []DesiredDevice
	for i := 8; i < 10; i++ {
		w.put(&Device{ID: fmt.Sprint("d", i), Address: device(i), Model: "M5"})
		devices = append(devices, DesiredDevice{Address: device(i), Absent: true})
	}
	plan, err := MakePlan(&Desired{Users: EntriesOf(users...), Devices: devices}, w, Policy{})
	if err != nil {
		t.Fatal(err)
	}
	l := live(t, w, plan)
	undo, err := MakeUndo(l.undoing(StaleRefuse), l.books.world, Policy{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range undo.Remarks {
		got = append(got, r.Message)
	}
	want := []string{
		"what 7 users did and were sent since they were created goes with them: new0@demo.example, new1@demo.example, new2@demo.example, new3@demo.example, new4@demo.example and 2 more",
		`2 users are created anew: under other ids, with passwords that nobody knows (each sets one by "forgot password", or a manifest resets it), ` +
			"and without their messages, call logs, contacts and settings that the state does not record: amy@demo.example, zoe@demo.example",
		"2 devices are created anew: under other ids, and without their programmable keys: aa:bb:cc:dd:ee:08, aa:bb:cc:dd:ee:09",
	}
	if !slices.Equal(got, want) {
		t.Errorf("remarks are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}

	for i := range undo.Operations {
		l.books.world.Apply(Effects(&undo.Operations[i], l.books.world, fmt.Sprintf("again-%d", i)))
	}
	rest, err := MakeUndo(l.undoing(StaleReplan), l.books.world, Policy{})
	if err != nil {
		t.Fatal(err)
	}
	if got := rest.Summary(); !strings.HasPrefix(got, "No changes: upstream is as it was before run-1 (") {
		t.Errorf("undone again: %s", got)
	}
}

// TestARunThatIsNotKnownIsNotUndone: neither one that goes on, nor one with outcomes to be looked up.
func TestARunThatIsNotKnownIsNotUndone(t *testing.T) {
	for name, run := range map[string]*Run{
		"going on":        {Name: "r", State: RunRunning},
		"unknown outcome": {Name: "r", State: RunWaiting, Counts: RunCounts{Total: 1, Unknown: 1}},
	} {
		if err := undoable(run); !errors.Is(err, ErrNotUndoable) {
			t.Errorf("%s: %v, want ErrNotUndoable", name, err)
		}
	}
}

// TestNewPasswordsAreStrongAndStayTheSame holds them against what Rainbow asks of a password (admin guide, CreateUser).
func TestNewPasswordsAreStrongAndStayTheSame(t *testing.T) {
	secrets := NewPasswords()
	one, _ := secrets.Secret("ann@demo.example", "password")
	again, _ := secrets.Secret("ann@demo.example", "password")
	other, _ := secrets.Secret("bob@demo.example", "password")
	elsewhere, _ := NewPasswords().Secret("ann@demo.example", "password")
	if one != again || one == other || one == elsewhere || len(one) < 20 || len(one) > 64 {
		t.Errorf("passwords %q, %q, %q, %q: want the first two the same, the others different, of 20 to 64 characters", one, again, other, elsewhere)
	}
	for _, class := range []string{"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "0123456789", "-_"} {
		if !strings.ContainsAny(one, class) {
			t.Errorf("password %q has none of %s", one, class)
		}
	}
}

// TestUndoingAgainASwapOfLogins: two users swap logins and one of them loses what he had. Once that is undone, each has his
// old login, which is also the one that the run gave the other: what he holds again is his, and undoing has nothing more to do.
func TestUndoingAgainASwapOfLogins(t *testing.T) {
	world := peopleWorld()
	ann := with(person(2, "bob", "Ann", "Archer", "E1"), func(u *DesiredUser) { u.Subscriber, u.DDIs = Having[Number](), Having[E164]() })
	plan, err := MakePlan(&Desired{Users: EntriesOf([]DesiredUser{ann, person(3, "ann", "Bob", "Baker", "E2")}...)}, world, byStaff)
	if err != nil || len(plan.Operations) < 5 {
		t.Fatalf("plan %+v, error %v; want renames and what she loses", plan, err)
	}
	l := live(t, world, plan)
	undo, err := MakeUndo(l.undoing(StaleRefuse), l.books.world, Policy{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range undo.Operations {
		l.books.world.Apply(Effects(&undo.Operations[i], l.books.world, fmt.Sprintf("new-%d", i)))
	}
	if diff := unequal(essence(world), essence(l.books.world)); diff != "" {
		t.Fatalf("undone: %s", diff)
	}
	rest, err := MakeUndo(l.undoing(StaleRefuse), l.books.world, Policy{})
	if err != nil || len(rest.Operations) > 0 {
		t.Errorf("undoing again: %v, %+v; want nothing to do", err, rest)
	}
}
