package sync

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestMain lets the property tests draw a few thousand cases unless told otherwise.
func TestMain(m *testing.M) {
	if os.Getenv(renderVariable) != "" {
		if err := renderEverything(); err != nil {
			panic(err)
		}
		os.Exit(0)
	}
	flag.Parse()
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		flag.Set("rapid.checks", "700")
	}
	os.Exit(m.Run())
}

// demoWorld is a small company: ann (2001, a device, a DDI), bob (2002, a DDI), cleo (no extension), a free device and
// DDI, a hunting group, an equipped PBX with one paired and one free number, and one free seat.
func demoWorld() *World {
	return NewWorld(Company{
		ID:       "c1",
		CloudPbx: &CloudPbx{ID: "s1", PbxID: cloudID, Ranges: []Range{{"2000", "2999"}}},
		Systems:  []System{{ID: "s2", PbxID: oxeID}},
		Account:  "root@demo.example",
	},
		&User{ID: "u0", Login: "root@demo.example"},
		&User{ID: "u1", Login: "ann@demo.example", Attributes: []Attribute{{"firstName", "Ann"}, {"jobTitle", "Nurse"}}, Licences: []string{"l0", "l1"}},
		&User{ID: "u2", Login: "bob@demo.example", Licences: []string{"l0", "l1"}},
		&User{ID: "u3", Login: "cleo@demo.example", Licences: []string{"l0"}},
		&User{ID: "u4", Login: "boss@demo.example", Admin: true},
		&Extension{ID: "e1", SystemID: "s1", PbxID: cloudID, Number: "2001", Role: RoleSubscriber, Holder: "ann@demo.example", HolderID: "u1"},
		&Extension{ID: "e2", SystemID: "s1", PbxID: cloudID, Number: "2002", Role: RoleSubscriber, Holder: "bob@demo.example", HolderID: "u2"},
		&Extension{SystemID: "s1", PbxID: cloudID, Number: "2100", Role: RoleGroup, Label: "hunting group sales"},
		&Extension{ID: "p0", SystemID: "s2", PbxID: oxeID, Number: "3000", Role: RolePairing, Holder: "cleo@demo.example", HolderID: "u3"},
		&Extension{ID: "p1", SystemID: "s2", PbxID: oxeID, Number: "3001", Role: RolePairing},
		&Device{ID: "d0", Address: device(0), Holder: "ann@demo.example", HolderID: "u1", SubscriberID: "e1"},
		&Device{ID: "d1", Address: device(1)},
		&DDI{ID: "n0", Number: ddi(0), Holder: "ann@demo.example", HolderID: "u1"},
		&DDI{ID: "n1", Number: ddi(1), Holder: "bob@demo.example", HolderID: "u2"},
		&DDI{ID: "n2", Number: ddi(2)},
		&DDI{ID: "n3", Number: ddi(3), Label: "ivr 60a6508df9462307abc29a32"},
		&Licence{ID: "l0", Offer: "Essential", Max: -1, Assigned: 5, Status: "active", Default: true},
		&Licence{ID: "l1", Offer: "Voice Enterprise", Max: 3, Assigned: 2, Status: "active", Exclusive: true},
		&Licence{ID: "l2", Offer: "Voice Attendant", Max: 1, Assigned: 0, Status: "active", Exclusive: true},
		&Licence{ID: "l3", Offer: "Alpha", Max: 9, Status: "creating", Syncing: true},
	)
}

func entry(line int, login Login, action string) DesiredUser {
	u := DesiredUser{Login: login, Action: action, Position: Position{"demo.csv", line, 1}}
	switch action {
	case "delete":
		u.Presence = Absent
	case "detach":
		u.Presence = Existing
	default:
		u.Password = &SecretPlace{Position: Position{"demo.csv", line, 9}, Field: passwordField}
	}
	return u
}

func with(u DesiredUser, f func(*DesiredUser)) DesiredUser {
	f(&u)
	return u
}

var planCases = []struct {
	name  string
	users []DesiredUser
}{
	{"a new user gets everything at once", []DesiredUser{with(entry(2, "dora@demo.example", "upsert"), func(u *DesiredUser) {
		u.Attributes = []Attribute{{"firstName", "Dora"}, {"photoUrl", "https://demo.example/dora.png"}}
		u.Subscriber, u.Devices, u.DDIs, u.Licences = Having[Number]("2003"), Having(device(1)), Having(ddi(2)), Adding[Offer]("voice enterprise ")
	})}},
	{"a deleted user frees what another gets", []DesiredUser{
		with(entry(2, "cleo@demo.example", "upsert"), func(u *DesiredUser) {
			u.Subscriber, u.Devices, u.DDIs = Having[Number]("2001"), Having(device(0)), Having(ddi(0))
		}),
		entry(3, "ann@demo.example", "delete"),
	}},
	{"two users swap extensions and keep the rest", []DesiredUser{
		with(entry(2, "ann@demo.example", "upsert"), func(u *DesiredUser) { u.Subscriber = Having[Number]("2002") }),
		with(entry(3, "bob@demo.example", "upsert"), func(u *DesiredUser) { u.Subscriber = Having[Number]("2001") }),
	}},
	{"two users swap DDIs", []DesiredUser{
		with(entry(2, "ann@demo.example", "upsert"), func(u *DesiredUser) { u.DDIs = Having(ddi(1)) }),
		with(entry(3, "bob@demo.example", "upsert"), func(u *DesiredUser) { u.DDIs = Having(ddi(0)) }),
	}},
	{"a device moves from a user who is not in the manifest", []DesiredUser{
		with(entry(2, "bob@demo.example", "upsert"), func(u *DesiredUser) { u.Devices = Having(device(0)) }),
	}},
	{"values change, are cleared and stay", []DesiredUser{with(entry(2, "ann@demo.example", "sync"), func(u *DesiredUser) {
		u.Attributes = []Attribute{{"firstName", "Anna"}, {"jobTitle", ""}, {"lastName", ""}}
	})}},
	{"a detached extension takes its devices and numbers along", []DesiredUser{
		with(entry(2, "ann@demo.example", "detach"), func(u *DesiredUser) { u.Subscriber = Without[Number]("2001") }),
	}},
	{"a paired number moves", []DesiredUser{
		with(entry(2, "boss@demo.example", "upsert"), func(u *DesiredUser) {
			u.Pairings = Having(Pairing{Number: "3000", InternalNumber: "93000"})
		}),
	}},
	{"nothing to do", []DesiredUser{
		with(entry(2, "ann@demo.example", "upsert"), func(u *DesiredUser) {
			u.Attributes = []Attribute{{"firstName", "Ann"}}
			u.Subscriber, u.Devices, u.DDIs, u.Licences = Having[Number]("2001"), Having(device(0)), Having(ddi(0)), Adding[Offer]("Voice Enterprise")
		}),
		entry(3, "gone@demo.example", "delete"),
		with(entry(4, "nobody@demo.example", "detach"), func(u *DesiredUser) { u.DDIs = Without(ddi(0)) }),
	}},
}

func TestPlansReadAsGoldens(t *testing.T) {
	for _, c := range planCases {
		t.Run(c.name, func(t *testing.T) {
			plan, err := MakePlan(&Desired{Mode: "rainbowvoice", Digest: "d16e57", Users: EntriesOf(c.users...)}, demoWorld(), Policy{})
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			for _, f := range []Format{FormatText, FormatJSON} { // the others: render_test.go
				got.WriteString("==== " + string(f) + "\n")
				if err := plan.Render(&got, f, RenderOptions{Name: "plan-1"}); err != nil {
					t.Fatal(err)
				}
			}
			golden(t, strings.ReplaceAll(c.name, " ", "-")+".golden", got.Bytes())
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got); rewrite with -update if this is meant:\n%s", path, diff)
	}
}

func TestPlanFaults(t *testing.T) {
	for _, c := range []struct {
		name   string
		user   DesiredUser
		code   string
		column string
	}{
		{"a number outside the plan", with(entry(2, "cleo@demo.example", "upsert"), func(u *DesiredUser) { u.Subscriber = Having[Number]("5001") }), "number-outside-plan", "shortNumber"},
		{"a number of a group", with(entry(2, "cleo@demo.example", "upsert"), func(u *DesiredUser) { u.Subscriber = Having[Number]("2100") }), "number-taken", "shortNumber"},
		{"a number of a user who keeps it", with(entry(2, "cleo@demo.example", "upsert"), func(u *DesiredUser) { u.Subscriber = Having[Number]("2001") }), "number-taken", "shortNumber"},
		{"an unknown device", with(entry(2, "ann@demo.example", "upsert"), func(u *DesiredUser) { u.Devices = Having(device(99)) }), "unknown-device", "macAddress"},
		{"a device without an extension", with(entry(2, "cleo@demo.example", "upsert"), func(u *DesiredUser) { u.Devices = Having(device(1)) }), "not-subscriber", "macAddress"},
		{"an unknown DDI", with(entry(2, "ann@demo.example", "upsert"), func(u *DesiredUser) { u.DDIs = Having(E164("+33298309999")) }), "unknown-ddi", "ddiE164Number"},
		{"a DDI of an IVR", with(entry(2, "ann@demo.example", "upsert"), func(u *DesiredUser) { u.DDIs = Having(ddi(3)) }), "ddi-held", "ddiE164Number"},
		{"a DDI without an extension", with(entry(2, "cleo@demo.example", "upsert"), func(u *DesiredUser) { u.DDIs = Having(ddi(2)) }), "not-subscriber", "ddiE164Number"},
		{"an unknown offer", with(entry(2, "ann@demo.example", "upsert"), func(u *DesiredUser) { u.Licences = Adding[Offer]("Voice Enterprize") }), "unknown-offer", "service"},
		{"a subscription that is being set up", with(entry(2, "ann@demo.example", "upsert"), func(u *DesiredUser) { u.Licences = Adding[Offer]("Alpha") }), "licence-not-active", "service"},
		{"a second exclusive offer", with(entry(2, "ann@demo.example", "upsert"), func(u *DesiredUser) { u.Licences = Adding[Offer]("Voice Attendant") }), "exclusive-licence", "service"},
		{"a new user without a password", with(entry(2, "dora@demo.example", "upsert"), func(u *DesiredUser) { u.Password = nil }), "password-required", "password"},
		{"another extension to detach than his", with(entry(2, "ann@demo.example", "detach"), func(u *DesiredUser) { u.Subscriber = Without[Number]("2002") }), "other-number", "shortNumber"},
		{"the account itself", entry(2, "root@demo.example", "delete"), "user-protected", "loginEmail"},
		{"an administrator", entry(2, "boss@demo.example", "delete"), "user-protected", "loginEmail"},
		{"a second phone without a first", with(entry(2, "ann@demo.example", "upsert"), func(u *DesiredUser) { u.Attributes = []Attribute{{"businessPhone1", "33298300511"}} }), "list-gap", "businessPhone1"},
		{"a second tag of a new user without a first", with(entry(2, "dora@demo.example", "upsert"), func(u *DesiredUser) { u.Attributes = []Attribute{{"tags1", "night"}} }), "list-gap", "tags1"},
		{"the extension goes and the DDI is to stay", with(entry(2, "ann@demo.example", "upsert"), func(u *DesiredUser) { u.Subscriber, u.DDIs = Having[Number](), Having(ddi(0)) }), "not-subscriber", "ddiE164Number"},
		{"a number of an equipped PBX beside an extension", with(entry(2, "ann@demo.example", "upsert"), func(u *DesiredUser) { u.Pairings = Having(Pairing{Number: "3001"}) }), "is-subscriber", "pbxShortNumber"},
		{"a number of an equipped PBX and a new extension", with(entry(2, "dora@demo.example", "upsert"), func(u *DesiredUser) {
			u.Subscriber, u.Pairings = Having[Number]("2009"), Having(Pairing{Number: "3001"})
		}), "is-subscriber", "pbxShortNumber"},
		{"a second number of an equipped PBX", with(entry(2, "cleo@demo.example", "upsert"), func(u *DesiredUser) { u.Pairings = Adding(Pairing{Number: "3001"}) }), "has-number", "pbxShortNumber"},
		{"an unknown PBX", with(entry(2, "ann@demo.example", "upsert"), func(u *DesiredUser) { u.Pairings = Having(Pairing{PbxID: "PBXnone", Number: "3000"}) }), "unknown-pbx", "pbxId"},
		{"an unknown PBX number", with(entry(2, "ann@demo.example", "upsert"), func(u *DesiredUser) { u.Pairings = Having(Pairing{Number: "3999"}) }), "unknown-number", "pbxShortNumber"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := MakePlan(&Desired{Users: EntriesOf([]DesiredUser{c.user}...)}, demoWorld(), Policy{})
			var faults Faults
			if !errors.As(err, &faults) || len(faults) != 1 {
				t.Fatalf("got %v, want one fault", err)
			}
			f := faults[0]
			if f.Code != c.code || f.Field != c.column || f.Position.Line != 2 || f.Hint == "" {
				t.Errorf("got %+v, want code %s, field %s, line 2 and a hint", f, c.code, c.column)
			}
		})
	}
}

func TestPlanFaultsComeAllAtOnce(t *testing.T) {
	_, err := MakePlan(&Desired{Users: EntriesOf([]DesiredUser{
		with(entry(3, "bob@demo.example", "upsert"), func(u *DesiredUser) { u.Devices = Having(device(1)) }),
		with(entry(2, "ann@demo.example", "upsert"), func(u *DesiredUser) { u.Devices, u.DDIs = Having(device(1)), Having(E164("+33298309999")) }),
		entry(4, "ann@demo.example", "delete"),
	}...)}, demoWorld(), Policy{})
	var faults Faults
	if !errors.As(err, &faults) {
		t.Fatalf("got %v, want faults", err)
	}
	var got []string
	for _, f := range faults {
		got = append(got, f.Position.String()+" "+f.Code)
	}
	want := []string{"demo.csv:2:1 unknown-ddi", "demo.csv:4:1 duplicate-login"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("faults differ (-want +got):\n%s", diff)
	}
}

func TestLicencesShortIsAFault(t *testing.T) {
	var users []DesiredUser
	for i, l := range []Login{"cleo@demo.example", "dora@demo.example"} {
		users = append(users, with(entry(2+i, l, "upsert"), func(u *DesiredUser) { u.Licences = Adding[Offer]("Voice Enterprise") }))
	}
	_, err := MakePlan(&Desired{Users: EntriesOf(users...)}, demoWorld(), Policy{})
	if err == nil || !strings.Contains(err.Error(), "licences-short") {
		t.Fatalf("got %v, want licences-short: one seat is left for two", err)
	}
	plan, err := MakePlan(&Desired{Users: EntriesOf(append(users, entry(4, "bob@demo.example", "delete"))...)}, demoWorld(), Policy{})
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range plan.Operations {
		if op.Key.Kind == KindUser && op.Login == "dora@demo.example" && len(op.Needs) != 1 {
			t.Errorf("the second taker needs %v, want the deletion that gives a seat back", op.Needs)
		}
	}
}

// TestOverbookedLicencesAreGivenBackFirst: two of one seat are taken, so that the first one given back frees none.
func TestOverbookedLicencesAreGivenBackFirst(t *testing.T) {
	world := demoWorld()
	overbooked := *find[Licence](world, Key{KindLicence, "l1"})
	overbooked.Max = 1
	world.put(&overbooked)
	users := []DesiredUser{
		with(entry(2, "cleo@demo.example", "upsert"), func(u *DesiredUser) { u.Licences = Adding[Offer]("Voice Enterprise") }),
		entry(3, "ann@demo.example", "delete"),
	}
	_, err := MakePlan(&Desired{Users: EntriesOf(users...)}, world, Policy{})
	if err == nil || !strings.Contains(err.Error(), "licences-short") {
		t.Fatalf("got %v, want licences-short: two of one are assigned and one is given back", err)
	}
	plan, err := MakePlan(&Desired{Users: EntriesOf(append(users, entry(4, "bob@demo.example", "delete"))...)}, world, Policy{})
	if err != nil {
		t.Fatal(err)
	}
	if taker := plan.Operations[len(plan.Operations)-1]; taker.Key.Kind != KindLicence || len(taker.Needs) != 2 {
		t.Errorf("the last operation is %s and needs %v, want the licence to wait for both deletions", taker.Title(), taker.Needs)
	}
}

// TestAnExclusiveLicenceWaitsForTheOneBefore: upstream refuses a second one (admin guide, AssignUserSubscription).
func TestAnExclusiveLicenceWaitsForTheOneBefore(t *testing.T) {
	u := with(entry(2, "ann@demo.example", "upsert"), func(u *DesiredUser) { u.Licences = Having[Offer]("Voice Attendant") })
	plan, err := MakePlan(&Desired{Users: EntriesOf([]DesiredUser{u}...)}, demoWorld(), Policy{})
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Operations) != 2 || plan.Operations[0].Action != ActionDetach || len(plan.Operations[1].Needs) != 1 {
		t.Errorf("plan is %+v; want the old licence given back, and the new one after it", plan.Operations)
	}
}

// TestALicenceThatIsHeldNeedsNoActiveSubscription: what a user has stays while its subscription is synchronised or has
// run out, and an inactive subscription does not stand in the way of an active one to the same offer.
func TestALicenceThatIsHeldNeedsNoActiveSubscription(t *testing.T) {
	world := demoWorld()
	held := *find[Licence](world, Key{KindLicence, "l1"})
	held.Syncing = true
	world.put(&held)
	ann := with(entry(2, "ann@demo.example", "upsert"), func(u *DesiredUser) { u.Licences = Adding[Offer]("Voice Enterprise") })
	plan, err := MakePlan(&Desired{Users: EntriesOf([]DesiredUser{ann}...)}, world, Policy{})
	if err != nil || len(plan.Operations) != 0 {
		t.Errorf("plan %+v, error %v; want nothing to do: ann has it", plan, err)
	}
	world.put(&Licence{ID: "l9", Offer: "Voice Enterprise", Max: 5, Status: "active"})
	cleo := with(entry(3, "cleo@demo.example", "upsert"), func(u *DesiredUser) { u.Licences = Adding[Offer]("Voice Enterprise") })
	plan, err = MakePlan(&Desired{Users: EntriesOf([]DesiredUser{ann, cleo}...)}, world, Policy{})
	if err != nil || len(plan.Operations) != 1 || plan.Operations[0].Key.ID != "l9" {
		t.Errorf("plan %+v, error %v; want cleo to get l9, the active one", plan, err)
	}
}

// TestWhatIsHeldWithoutAnExtensionStays: upstream may show a DDI at a user who has no subscriber.
func TestWhatIsHeldWithoutAnExtensionStays(t *testing.T) {
	world := demoWorld()
	n := *find[DDI](world, ddi(2).Key())
	n.Holder, n.HolderID = "cleo@demo.example", "u3"
	world.put(&n)
	u := with(entry(2, "cleo@demo.example", "upsert"), func(u *DesiredUser) { u.DDIs = Having(ddi(2)) })
	plan, err := MakePlan(&Desired{Users: EntriesOf([]DesiredUser{u}...)}, world, Policy{})
	if err != nil || len(plan.Operations) != 0 {
		t.Errorf("plan %+v, error %v; want nothing to do: cleo has the DDI", plan, err)
	}
}

// TestListsAreClearedFromTheirEnd: clearing a place before a filled one moves the later ones up, and would be asked for
// again and again.
func TestListsAreClearedFromTheirEnd(t *testing.T) {
	world := demoWorld()
	ann := *find[User](world, Login("ann@demo.example").Key())
	ann.Attributes = []Attribute{{"tags0", "night"}, {"tags1", "ward 4"}}
	world.put(&ann)
	for _, c := range []struct {
		attributes []Attribute
		gap        bool
	}{
		{[]Attribute{{"tags0", ""}}, true},
		{[]Attribute{{"tags0", ""}, {"tags1", "ward 4"}}, true},
		{[]Attribute{{"tags3", "day"}}, true},
		{[]Attribute{{"tags0", ""}, {"tags1", ""}}, false},
		{[]Attribute{{"tags1", ""}}, false},
		{[]Attribute{{"tags2", "day"}}, false},
		{[]Attribute{{"tags2", "day"}, {"tags3", "kitchen"}}, false},
	} {
		u := with(entry(2, "ann@demo.example", "sync"), func(u *DesiredUser) { u.Attributes = c.attributes })
		_, err := MakePlan(&Desired{Users: EntriesOf([]DesiredUser{u}...)}, world, Policy{})
		if gap := err != nil && strings.Contains(err.Error(), "list-gap"); gap != c.gap || err != nil != c.gap {
			t.Errorf("%v over tags night, ward 4: %v; want a gap: %v", c.attributes, err, c.gap)
		}
	}
}

func TestTheAccountsPasswordIsNotReset(t *testing.T) {
	u := entry(2, "root@demo.example", "upsert")
	if plan, err := MakePlan(&Desired{Users: EntriesOf([]DesiredUser{u}...)}, demoWorld(), Policy{ResetPasswords: true}); err == nil || !strings.Contains(err.Error(), "user-protected") {
		t.Errorf("plan %+v, error %v; want user-protected: the gateway would lock itself out", plan, err)
	}
}

func TestANumberOfAnUnknownUserIsAFault(t *testing.T) {
	world := demoWorld()
	e := *find[Extension](world, ExtensionKey(oxeID, "3001"))
	e.HolderID = "u-gone"
	world.put(&e)
	u := with(entry(2, "ann@demo.example", "upsert"), func(u *DesiredUser) { u.Pairings = Having(Pairing{Number: "3001"}) })
	if plan, err := MakePlan(&Desired{Users: EntriesOf([]DesiredUser{u}...)}, world, Policy{}); err == nil || !strings.Contains(err.Error(), "number-held") {
		t.Errorf("plan %+v, error %v; want number-held", plan, err)
	}
}

func TestStrictMakesRowErrors(t *testing.T) {
	for _, u := range []DesiredUser{
		entry(2, "gone@demo.example", "delete"),
		with(entry(2, "gone@demo.example", "detach"), func(u *DesiredUser) { u.DDIs = Without(ddi(0)) }),
		with(entry(2, "cleo@demo.example", "detach"), func(u *DesiredUser) { u.Subscriber = Without[Number]("2001") }),
		entry(2, "ann@demo.example", "create"),
	} {
		if _, err := MakePlan(&Desired{Users: EntriesOf([]DesiredUser{u}...), Strict: true}, demoWorld(), Policy{}); err == nil {
			t.Errorf("%s of %s passes under strict", u.Action, u.Login)
		}
		if plan, err := MakePlan(&Desired{Users: EntriesOf([]DesiredUser{u}...)}, demoWorld(), Policy{}); err != nil || len(plan.Operations) != 0 || plan.Unchanged.Len() != 1 {
			t.Errorf("%s of %s without strict: plan %+v, error %v; want one unchanged entry", u.Action, u.Login, plan, err)
		}
	}
}

func TestSameAttribute(t *testing.T) {
	for _, c := range []struct {
		name, a, b string
		want       bool
	}{
		{"businessPhone0", "+33 1 99 00 10 01", "33199001001", true},
		{"mobilePhone1", "+33639980001", "+33639980002", false},
		{"email0", "Ann@Demo.example", "ann@demo.example", true},
		{"country", "fra", "FRA", true},
		{"firstName", "ann", "Ann", false},
		{"isInitialized", "", "false", true},
		{"isInitialized", "", "true", false},
		{"visibility", "same_than_company", "", true},
	} {
		if got := SameAttribute(c.name, c.a, c.b); got != c.want {
			t.Errorf("%s: %q and %q same: %v, want %v", c.name, c.a, c.b, got, c.want)
		}
	}
}

// reread is an Observed that makes every record anew, as a store does.
type reread struct{ *World }

func (r reread) Record(k Key) Record {
	if l, ok := r.World.Record(k).(*Licence); ok && l != nil {
		next := *l
		return &next
	}
	return r.World.Record(k)
}

// TestLicencesAreComparedByWhatTheyAre: a store gives a new record at each reading.
func TestLicencesAreComparedByWhatTheyAre(t *testing.T) {
	u := with(entry(2, "ann@demo.example", "upsert"), func(u *DesiredUser) { u.Licences = Having[Offer]("Voice Enterprise") })
	plan, err := MakePlan(&Desired{Users: EntriesOf([]DesiredUser{u}...)}, reread{demoWorld()}, Policy{})
	if err != nil || len(plan.Operations) != 0 {
		t.Errorf("plan %+v, error %v; want nothing to do: she has just that licence", plan, err)
	}
}

// TestEveryPlannerCodeIsDocumented holds the codes in the planner's sources against the table in docs/errors.md.
func TestEveryPlannerCodeIsDocumented(t *testing.T) {
	inSource := map[string]bool{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	calls := regexp.MustCompile(`(?s)[ap]\.(?:fault\((?:s|v\.stance), (?:"?[A-Za-z0-9]*"?|poolColumn\[[a-zA-Z.]+\])|fault\(first, "[a-z]+"|fault\(s, ""|remark\((?:s|&stance\{[a-zA-Z:. ]*\})|hold\(h, class), "([a-z0-9-]+)"|Code: "([a-z0-9-]+)"`)
	files = slices.DeleteFunc(files, func(f string) bool { return strings.HasSuffix(f, "_test.go") })
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range calls.FindAllSubmatch(b, -1) {
			inSource[string(m[1])+string(m[2])] = true
		}
	}
	doc, err := os.ReadFile("../../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(doc), "\n## Faults in view of the company\n")
	if !found {
		t.Fatal("docs/errors.md has no section on faults in view of the company")
	}
	documented := map[string]bool{}
	section, _, _ = strings.Cut(section, "\n## ")
	for _, row := range regexp.MustCompile("(?m)^\\| (`[a-z0-9-`, ]+`) \\|").FindAllStringSubmatch(section, -1) {
		for _, code := range strings.Split(row[1], ", ") {
			documented[strings.Trim(code, "`")] = true
		}
	}
	if diff := cmp.Diff(inSource, documented); diff != "" || len(inSource) < 15 {
		t.Errorf("codes in the sources and in docs/errors.md differ (-source +doc), of %d:\n%s", len(inSource), diff)
	}
}
