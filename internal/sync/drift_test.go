package sync

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// driftBooks are the books of a company in which manifests are in force.
type driftBooks struct {
	Store
	world   *World
	applied []*Applied // the newest first
	desired map[string]*Desired
}

func (b *driftBooks) Observed(context.Context, string) (Snapshot, error) {
	if b.world == nil {
		return nil, ErrNotFound
	}
	return frozen{b.world}, nil
}

func (b *driftBooks) Applied(context.Context, string) ([]*Applied, error) { return b.applied, nil }

func (b *driftBooks) AppliedDesired(_ context.Context, _, run string) (*Desired, error) {
	if b.desired[run] == nil {
		return nil, ErrNotFound
	}
	return b.desired[run], nil
}

// driftOf looks for drift of which one plan, at most, repairs all.
func driftOf(e *Engine) (*Drift, *StoredPlan, error) {
	d, repairs, err := e.Drift(context.Background(), "c1")
	if len(repairs) == 0 {
		return d, nil, err
	}
	return d, repairs[0], err
}

// inForce carries a manifest out on a world and gives the engine that knows it to be in force.
func inForce(t interface{ Fatal(...any) }, world *World, desired *Desired, policy Policy) (*Engine, *World) {
	plan, err := MakePlan(desired, world, policy)
	if err != nil {
		t.Fatal(err)
	}
	after := Overlay(world)
	for i := range plan.Operations {
		after.Apply(Effects(&plan.Operations[i], after, createdID(&plan.Operations[i])))
	}
	company := after.Company()
	company.RecordedAt = "2026-11-22T06:00:00Z"
	after.company = company
	books := &driftBooks{world: after, desired: map[string]*Desired{"run-1": desired}, applied: []*Applied{{
		Company: "c1", Run: "run-1", Plan: "plan-1", Hash: plan.Hash(), Manifest: desired.Digest, Mode: desired.Mode,
		Sources: []string{"demo.csv"}, Policy: policy, Time: time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC),
	}}}
	return &Engine{Store: books, Clock: func() time.Time { return time.Date(2026, 11, 22, 6, 0, 1, 0, time.UTC) }}, after
}

// demoManifest speaks of everything that a manifest can speak of.
func demoManifest() *Desired {
	return &Desired{Mode: "rainbowvoice", Digest: "d1", Users: EntriesOf([]DesiredUser{
		with(entry(2, "ann@demo.example", "upsert"), func(u *DesiredUser) {
			u.Attributes = []Attribute{{"firstName", "Ann"}, {"jobTitle", "Surgeon"}, {"photoUrl", "https://demo.example/ann.png"}}
			u.Subscriber, u.Devices, u.DDIs, u.Licences = Having[Number]("2001"), Having(device(0)), Having(ddi(0)), Adding[Offer]("Voice Enterprise")
			u.Password = nil
		}),
		with(entry(3, "bob@demo.example", "upsert"), func(u *DesiredUser) {
			u.Subscriber, u.DDIs = Having[Number]("2002"), Having(ddi(1))
		}),
		with(entry(4, "dora@demo.example", "upsert"), func(u *DesiredUser) { u.Attributes = []Attribute{{"firstName", "Dora"}} }),
		with(entry(5, "eve@demo.example", "delete"), func(*DesiredUser) {}),
		with(entry(6, "boss@demo.example", "upsert"), func(u *DesiredUser) { u.Pairings = Having(Pairing{Number: "3001", InternalNumber: "93001"}) }),
	}...)}
}

// edited gives a changed copy of a record.
func edited[R any, P interface {
	*R
	Record
}](w *World, k Key, edit func(*R)) {
	next := *(*R)(w.Record(k).(P))
	edit(&next)
	w.put(P(&next))
}

var driftCases = []struct {
	name string
	edit func(*World)
	want []string
}{
	{"nothing was touched", func(*World) {}, nil},
	{"what the manifest does not speak of is no drift", func(w *World) {
		edited(w, Login("ann@demo.example").Key(), func(u *User) {
			u.Attributes = []Attribute{{"firstName", "Ann"}, {"jobTitle", "Surgeon"}, {"lastName", "X"}}
		})
		edited(w, Login("cleo@demo.example").Key(), func(u *User) { u.Attributes = []Attribute{{"jobTitle", "Boss"}} })
		edited(w, device(1).Key(), func(d *Device) { d.Description = "spare" })
		w.put(&User{ID: "u9", Login: "new@demo.example"})
	}, nil},
	{"a value was changed and another cleared", func(w *World) {
		edited(w, Login("ann@demo.example").Key(), func(u *User) { u.Attributes = []Attribute{{"jobTitle", "Nurse"}} })
	}, []string{`ann@demo.example user changed: firstName is not set, the manifest wants "Ann"; jobTitle is "Nurse", the manifest wants "Surgeon" [1]`}},
	{"a device was detached", func(w *World) {
		edited(w, device(0).Key(), func(d *Device) { d.Holder, d.HolderID, d.SubscriberID = "", "", "" })
	}, []string{"ann@demo.example device missing: device aa:bb:cc:dd:ee:00 was detached from ann@demo.example [1]"}},
	{"a device was moved to a user of whom the manifest says nothing", func(w *World) {
		edited(w, device(0).Key(), func(d *Device) { d.Holder, d.HolderID = "cleo@demo.example", "u3" })
	}, []string{"ann@demo.example device moved: device aa:bb:cc:dd:ee:00 was moved from ann@demo.example to cleo@demo.example [1 2]"}},
	{"another device was attached", func(w *World) {
		edited(w, device(1).Key(), func(d *Device) { d.Holder, d.HolderID, d.SubscriberID = "ann@demo.example", "u1", "e1" })
	}, []string{"ann@demo.example device extra: device aa:bb:cc:dd:ee:01 was attached to ann@demo.example [1]"}},
	{"two users' DDIs were swapped", func(w *World) {
		edited(w, ddi(0).Key(), func(d *DDI) { d.Holder, d.HolderID = "bob@demo.example", "u2" })
		edited(w, ddi(1).Key(), func(d *DDI) { d.Holder, d.HolderID = "ann@demo.example", "u1" })
	}, []string{
		"ann@demo.example ddi moved: DDI +33298300500 was moved from ann@demo.example to bob@demo.example [2 3]",
		"bob@demo.example ddi moved: DDI +33298300501 was moved from bob@demo.example to ann@demo.example [1 4]",
	}},
	{"an extension was changed, and the phone came along", func(w *World) {
		w.remove(ExtensionKey(cloudID, "2001"))
		w.put(&Extension{ID: "e9", SystemID: "s1", PbxID: cloudID, Number: "2009", Role: RoleSubscriber, Holder: "ann@demo.example", HolderID: "u1"})
		edited(w, device(0).Key(), func(d *Device) { d.SubscriberID = "e9" })
	}, []string{"ann@demo.example extension changed: the extension of ann@demo.example was changed from 2001 to 2009"}},
	{"an extension was taken away with all that hangs on it", func(w *World) {
		w.remove(ExtensionKey(cloudID, "2002"))
		edited(w, ddi(1).Key(), func(d *DDI) { d.Holder, d.HolderID = "", "" })
	}, []string{
		"bob@demo.example extension missing: extension 2002 of bob@demo.example is gone [1]",
		"bob@demo.example ddi missing: DDI +33298300501 was detached from bob@demo.example [2]",
	}},
	{"two users' extensions were swapped", func(w *World) {
		edited(w, ExtensionKey(cloudID, "2001"), func(e *Extension) { e.Holder, e.HolderID = "bob@demo.example", "u2" })
		edited(w, ExtensionKey(cloudID, "2002"), func(e *Extension) { e.Holder, e.HolderID = "ann@demo.example", "u1" })
	}, []string{
		"ann@demo.example extension changed: the extension of ann@demo.example was changed from 2001 to 2002",
		"bob@demo.example extension changed: the extension of bob@demo.example was changed from 2002 to 2001",
	}},
	{"a pairing was loosened and its number changed", func(w *World) {
		edited(w, ExtensionKey(oxeID, "3001"), func(e *Extension) { e.Holder, e.HolderID, e.InternalNumber = "", "", "" })
	}, []string{"boss@demo.example extension missing: number 3001 (" + oxeID + ") was detached from boss@demo.example [1]"}},
	{"a paired number's internal number was changed", func(w *World) {
		edited(w, ExtensionKey(oxeID, "3001"), func(e *Extension) { e.InternalNumber = "5" })
	}, []string{"boss@demo.example extension changed: number 3001 (" + oxeID + `) of boss@demo.example: internalNumber is "5", the manifest wants "93001" [1]`}},
	{"a licence was taken away", func(w *World) {
		edited(w, Login("ann@demo.example").Key(), func(u *User) { u.Licences = []string{"l0"} })
	}, []string{`ann@demo.example licence missing: licence "Voice Enterprise" was taken from ann@demo.example [1]`}},
	{"a user was deleted, whom the manifest has a password for", func(w *World) {
		w.remove(Login("dora@demo.example").Key())
	}, []string{"dora@demo.example user missing: user dora@demo.example is gone [1]"}},
	{"a user is there again", func(w *World) {
		w.put(&User{ID: "u9", Login: "eve@demo.example"})
	}, []string{"eve@demo.example user extra: user eve@demo.example is there (the manifest deletes the user) [1]"}},
	{"what can't be planned does not hide what can", func(w *World) {
		w.remove(device(0).Key())
		edited(w, Login("ann@demo.example").Key(), func(u *User) { u.Attributes = []Attribute{{"firstName", "Ann"}, {"jobTitle", "Nurse"}} })
		edited(w, ddi(1).Key(), func(d *DDI) { d.Holder, d.HolderID, d.Label = "", "", "ivr 1" })
	}, []string{
		`ann@demo.example user changed: jobTitle is "Nurse", the manifest wants "Surgeon" [1]`,
		"ann@demo.example device blocked: there is no SIP device aa:bb:cc:dd:ee:00 in the company (Rainbow: 2007) unknown-device",
		"bob@demo.example ddi blocked: DDI +33298300501 is held by ivr 1 (Rainbow: 2015) ddi-held",
	}},
	{"a user without a password in the manifest was deleted", func(w *World) {
		w.Apply(deleteEffects("ann@demo.example", w))
	}, []string{"ann@demo.example user missing: user ann@demo.example is gone password-required"}},
}

func TestDriftIsToldInWords(t *testing.T) {
	for _, c := range driftCases {
		t.Run(c.name, func(t *testing.T) {
			e, world := inForce(t, demoWorld(), demoManifest(), Policy{})
			c.edit(world)
			d, repair, err := driftOf(e)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i, x := range d.Differences {
				line := string(x.Login) + " " + string(x.Kind) + " " + string(x.What) + ": " + x.Words
				if len(x.Operations) > 0 {
					if i < len(c.want) && strings.HasSuffix(c.want[i], "]") {
						line += " " + strings.ReplaceAll(jsonText(x.Operations, ""), "\n", "")
						line = strings.NewReplacer("[  ", "[", ",  ", " ").Replace(line)
					}
				}
				if x.Code != "" {
					line += " " + x.Code
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("differences (-want +got):\n%s", diff)
			}
			if (d.Hash == "") != (len(got) == 0) {
				t.Errorf("hash %q for %d differences", d.Hash, len(got))
			}
			if (repair == nil) != (d.Operations() == 0) || repair != nil && (len(repair.Plan.Operations) != d.Operations() || repair.Desired == nil) {
				t.Errorf("a repair %v and %d operations", repair, d.Operations())
			}
		})
	}
}

func TestDriftReadsAsGoldens(t *testing.T) {
	e, world := inForce(t, demoWorld(), demoManifest(), Policy{})
	for _, name := range []string{"what can't be planned does not hide what can", "a user is there again", "another device was attached"} {
		driftCases[slices.IndexFunc(driftCases, func(c struct {
			name string
			edit func(*World)
			want []string
		}) bool {
			return c.name == name
		})].edit(world)
	}
	d, _, err := e.Drift(context.Background(), "c1")
	if err != nil {
		t.Fatal(err)
	}
	d.Told = "not to be shown"
	for _, f := range DriftFormats() {
		var out bytes.Buffer
		if err := d.Render(&out, f, RenderOptions{}); err != nil {
			t.Fatal(err)
		}
		golden(t, "drift."+string(f), out.Bytes())
	}
	var none, back bytes.Buffer
	if err := d.Render(&none, FormatCSV, RenderOptions{}); err == nil {
		t.Error("drift is shown as CSV")
	}
	if err := d.Render(&back, FormatJSON, RenderOptions{}); err != nil {
		t.Fatal(err)
	}
	var read Drift
	if err := json.Unmarshal(back.Bytes(), &read); err != nil {
		t.Fatal(err)
	}
	d.Told = ""
	if diff := cmp.Diff(d, &read); diff != "" {
		t.Errorf("JSON read back (-want +got):\n%s", diff)
	}
}

func TestWithoutAManifestInForceThereIsNoDrift(t *testing.T) {
	world := demoWorld()
	for name, c := range map[string]struct {
		books *driftBooks
		want  error
	}{
		"nothing was applied":             {&driftBooks{world: world}, ErrNotApplied},
		"what was applied was not kept":   {&driftBooks{world: world, applied: []*Applied{{Run: "run-1"}}}, ErrNotApplied},
		"nothing is recorded of upstream": {&driftBooks{applied: []*Applied{{Run: "run-1"}}, desired: map[string]*Desired{"run-1": demoManifest()}}, ErrNotRecorded},
	} {
		if _, _, err := (&Engine{Store: c.books}).Drift(context.Background(), "c1"); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

// TestStrictManifestsDoNotDriftBySucceeding: what a strict manifest has brought about is no fault of it afterwards.
func TestStrictManifestsDoNotDriftBySucceeding(t *testing.T) {
	desired := &Desired{Mode: "useranddevice", Strict: true, Users: EntriesOf([]DesiredUser{
		entry(2, "dora@demo.example", "create"), entry(3, "cleo@demo.example", "delete"),
	}...)}
	e, _ := inForce(t, demoWorld(), desired, Policy{Strict: true, ResetPasswords: true})
	d, repair, err := driftOf(e)
	if err != nil || len(d.Differences) > 0 || repair != nil {
		t.Errorf("drift %+v, repair %v, error %v", d, repair, err)
	}
}

// TestARepairKeepsTheOutageBudget: no plan is offered that the manifest in force would not have been applied with.
func TestARepairKeepsTheOutageBudget(t *testing.T) {
	desired := &Desired{Mode: "rainbowvoice", Users: EntriesOf([]DesiredUser{with(entry(2, "ann@demo.example", "upsert"), func(u *DesiredUser) { u.Subscriber = Having[Number]("2001") })}...)}
	for _, budget := range []int{0, 9} {
		e, world := inForce(t, demoWorld(), desired, Policy{OutageBudget: &budget})
		world.remove(ExtensionKey(cloudID, "2001"))
		world.put(&Extension{ID: "e9", SystemID: "s1", PbxID: cloudID, Number: "2009", Role: RoleSubscriber, Holder: "ann@demo.example", HolderID: "u1"})
		d, repair, err := driftOf(e)
		if err != nil || len(d.Differences) != 1 {
			t.Fatalf("drift %+v, %v", d, err)
		}
		if (repair == nil) != (budget == 0) || (d.Obstacle == "") != (budget == 9) {
			t.Errorf("budget %d: repair %v, obstacle %q", budget, repair, d.Obstacle)
		}
		var out bytes.Buffer
		if err := d.Render(&out, FormatText, RenderOptions{}); err != nil || strings.Contains(out.String(), "No plan is offered") != (budget == 0) {
			t.Errorf("budget %d: %v\n%s", budget, err, out.String())
		}
	}
}

// TestWhatARepairHoldsBackIsSaid: the guards of the manifest in force hold for its repair too.
func TestWhatARepairHoldsBackIsSaid(t *testing.T) {
	desired := &Desired{Mode: "rainbowvoice", Users: EntriesOf([]DesiredUser{entry(2, "eve@demo.example", "delete")}...)}
	e, world := inForce(t, demoWorld(), desired, Policy{Ceilings: []Ceiling{{Kind: KindUser, Action: ActionDelete}}})
	world.put(&User{ID: "u9", Login: "eve@demo.example"})
	d, repair, err := driftOf(e)
	if err != nil || len(d.Differences) != 1 || d.Differences[0].Held == "" || repair.Plan.HeldBack() != 1 {
		t.Fatalf("drift %+v, %v", d, err)
	}
	for _, f := range DriftFormats() {
		var out bytes.Buffer
		if err := d.Render(&out, f, RenderOptions{}); err != nil || !strings.Contains(out.String(), "held") {
			t.Errorf("%s: %v\n%s", f, err, out.String())
		}
	}
}

// TestRepairsHeldBackAlikeAreToldOnce: what a complete list deletes above its ceiling is listed thing by thing, its reason once.
func TestRepairsHeldBackAlikeAreToldOnce(t *testing.T) {
	desired := &Desired{Mode: "yaml", Complete: []Kind{KindDevice}, Prune: PruneDelete, Devices: []DesiredDevice{{Address: device(9)}}, Users: EntriesOf()}
	e, world := inForce(t, NewWorld(Company{ID: "c1", CloudPbx: &CloudPbx{ID: "s1", PbxID: cloudID}}, &Device{ID: "d9", Address: device(9)}), desired, Policy{Ceilings: []Ceiling{{Kind: KindDevice, Action: ActionDelete}}})
	for i := range 3 {
		world.put(&Device{ID: fmt.Sprint("d", i), Address: device(i)})
	}
	d, _, err := driftOf(e)
	if err != nil {
		t.Fatal(err)
	}
	for format, times := range map[Format]int{FormatText: 1, FormatMarkdown: 3} {
		var out bytes.Buffer
		if err := d.Render(&out, format, RenderOptions{}); err != nil {
			t.Fatal(err)
		}
		for want, n := range map[string]int{
			"held back: 3 operations of the class delete-device": times, "is there (the complete list does not have it)": 3,
			"Of 3 differences the repair is held back": 1,
		} {
			if got := strings.Count(out.String(), want); got != n {
				t.Errorf("%s: %q %d times, want %d:\n%s", format, want, got, n, out.String())
			}
		}
	}
}

// TestDriftProperties: right after a drawn manifest was applied there is no drift. Whatever is then changed behind its back
// is drift if it concerns the manifest; the repair leads back to where there is none, but for what no plan repairs.
func TestDriftProperties(t *testing.T) {
	seen := map[DifferenceKind]int{}
	var cases cases
	defer cases.log(t)
	rapid.Check(t, func(t *rapid.T) {
		start, desired, plan := drawPlan(t)
		e, world := inForce(t, start, desired, plan.Policy)
		d, repair, err := driftOf(e)
		if unsettled(plan) {
			return
		}
		if err != nil || len(d.Differences) > 0 || repair != nil {
			t.Fatalf("drift right after the run: %+v, %v", d, err)
		}
		for range rapid.IntRange(1, 10).Draw(t, "changes") {
			drawOutsider(t, world)
		}
		d, repair, err = driftOf(e)
		if err != nil {
			t.Fatal(err)
		}
		again, _, _ := e.Drift(context.Background(), "c1")
		if diff := cmp.Diff(d, again); diff != "" {
			t.Fatalf("the same drift reads otherwise:\n%s", diff)
		}
		if len(plan.Operations)+len(d.Differences) > 0 {
			cases.met++
		}
		fixable := 0
		for _, x := range d.Differences {
			seen[x.What]++
			listed := x.Key.Kind == KindDevice || x.Key.Kind == KindDDI // of nobody
			if x.Words == "" || x.Login == "" && x.What != Blocked && !listed || (x.Login == "") != (x.Key == Key{}) && !listed {
				t.Fatalf("a difference says nothing: %+v", x)
			}
			if x.Code == "" {
				fixable++
			}
		}
		if (repair == nil) != (fixable == 0) {
			t.Fatalf("%d differences can be repaired, and the repair is %v:\n%s", fixable, repair, encode(t, d))
		}
		if repair == nil || unsettled(repair.Plan) {
			return
		}
		for i := range repair.Plan.Operations {
			world.Apply(Effects(&repair.Plan.Operations[i], world, createdID(&repair.Plan.Operations[i])+"-again"))
		}
		after, _, err := e.Drift(context.Background(), "c1")
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range after.Differences {
			if x.Code == "" && !slices.ContainsFunc(d.Differences, func(o Difference) bool { return o.Code != "" }) {
				t.Fatalf("repaired, and still differs: %s\nbefore: %s", encode(t, x), encode(t, d))
			}
		}
	})
	t.Logf("differences: %v", seen)
	for _, what := range []DifferenceKind{Missing, Extra, Moved, Changed, Blocked} {
		if seen[what] == 0 {
			t.Errorf("no difference was %s (%v): the drawing is too tame", what, maps.Clone(seen))
		}
	}
}

// unsettled tells whether the manifest asks for more once the plan is applied: it left doubtful entries alone.
func unsettled(p *Plan) bool { return len(p.Doubtful) > 0 }

// drawOutsider changes one thing as somebody would who does not know of the manifest.
func drawOutsider(t *rapid.T, w *World) {
	records := all(w)
	held := slices.DeleteFunc(slices.Clone(records), func(r Record) bool { k := r.Key().Kind; return r.HeldBy() == "" || k != KindDevice && k != KindDDI })
	if len(held) > 0 && rapid.IntRange(0, 2).Draw(t, "outsider moves") == 0 { // else what is moved is too seldom seen
		records = held
	}
	r := records[rapid.IntRange(0, len(records)-1).Draw(t, "outsider changes")]
	users := slices.Collect(w.Records(KindUser))
	if able := slices.DeleteFunc(slices.Clone(users), func(r Record) bool { return SubscriberOf(w, r.(*User).Login) == nil }); len(able) > 0 {
		users = able // who can be given a device or DDI
	}
	to := users[rapid.IntRange(0, len(users)-1).Draw(t, "for")].(*User)
	how := rapid.IntRange(0, 3).Draw(t, "how")
	switch r := r.(type) {
	case *User:
		next := *r
		switch {
		case how == 0 && !r.Admin && r.Login != w.Company().Account:
			w.Apply(deleteEffects(r.Login, w))
			return
		default:
			next.Attributes = []Attribute{{"jobTitle", "Outsider"}}
		}
		w.put(&next)
	case *Device:
		next := *r
		next.Holder, next.HolderID, next.SubscriberID = "", "", ""
		if s := SubscriberOf(w, to.Login); s != nil && how > 0 {
			next.Holder, next.HolderID, next.SubscriberID = to.Login, to.ID, s.ID
		}
		w.put(&next)
	case *DDI:
		next := *r
		next.Holder, next.HolderID, next.Label = "", "", ""
		switch {
		case how == 1:
			next.Label = "ivr 1"
		case how > 1 && SubscriberOf(w, to.Login) != nil:
			next.Holder, next.HolderID = to.Login, to.ID
		}
		w.put(&next)
	case *Extension:
		if r.Role == RoleSubscriber {
			for _, k := range w.Held(r.Holder) {
				if k.Kind == KindDevice || k.Kind == KindDDI {
					w.Apply([]RecordChange{release(k, w)})
				}
			}
			w.remove(r.Key())
		}
	}
}

// BenchmarkDrift compares 100,000 users, of whom one in a hundred was changed, with the manifest in force.
func BenchmarkDrift(b *testing.B) {
	desired := benchDesired(100_000)
	e := &Engine{Store: &driftBooks{world: benchWorld(100_000), applied: []*Applied{{Company: "c1", Run: "run-1"}}, desired: map[string]*Desired{"run-1": desired}}}
	b.ReportAllocs()
	for b.Loop() {
		d, _, err := e.Drift(context.Background(), "c1")
		if err != nil || len(d.Differences) < 100 {
			b.Fatalf("%d differences, %v", len(d.Differences), err)
		}
	}
}
