package sync

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRowCodes goes through every row error that is documented for imports (mass provisioning guide; Rainbow Node SDK,
// importRainbowVoiceUsersWithCSVdata) and says what becomes of such a row here: a fault of the plan, a plan, or no change
// with a note. What upstream refuses only when it is asked (1004, "cannot lookup") is met by the operation that is planned.
func TestRowCodes(t *testing.T) {
	ann := func(action string, f func(*DesiredUser)) DesiredUser {
		return with(entry(2, "ann@demo.example", action), f)
	}
	bob := func(action string, f func(*DesiredUser)) DesiredUser {
		return with(entry(3, "bob@demo.example", action), f)
	}
	boss := func(action string, f func(*DesiredUser)) DesiredUser {
		return with(entry(6, "boss@demo.example", action), f)
	}
	cleo := func(action string, f func(*DesiredUser)) DesiredUser {
		return with(entry(4, "cleo@demo.example", action), f)
	}
	dora := func(f func(*DesiredUser)) DesiredUser { return with(entry(5, "dora@demo.example", "upsert"), f) }
	device5 := func(u *DesiredUser) { u.Devices = Having(device(0)) }
	pair := func(pbx string, n Number) func(*DesiredUser) {
		return func(u *DesiredUser) {
			u.Pairings = Having(Pairing{PbxID: pbx, Number: n})
			if u.Action == "attach" || u.Action == "force_attach" {
				u.Presence, u.Password = Existing, nil
			}
		}
	}
	unpair := func(keys ...Pairing) func(*DesiredUser) {
		return func(u *DesiredUser) { u.Pairings = Without(keys...) }
	}
	paired := func(change func(*Extension)) func(*World) {
		return func(w *World) {
			e := *find[Extension](w, ExtensionKey(oxeID, "3001"))
			change(&e)
			w.put(&e)
		}
	}
	two := paired(func(e *Extension) { e.Holder, e.HolderID = "cleo@demo.example", "u3" })
	for _, c := range []struct {
		code  int
		what  string
		world func(*World)
		users []DesiredUser
		want  string // without strict
		// strict is what a strict policy makes of it; empty: the same.
		strict string
	}{
		{code: 1001, what: "a number without system id", world: paired(func(e *Extension) { e.SystemID = "" }), users: []DesiredUser{ann("attach", pair("", "3001"))}, want: "fault number-incomplete"},
		{code: 1002, what: "a number without id", world: paired(func(e *Extension) { e.ID = "" }), users: []DesiredUser{ann("attach", pair("", "3001"))}, want: "fault number-incomplete"},
		{code: 1003, what: "a number that the PBX does not have", users: []DesiredUser{ann("attach", pair(oxeID, "3999"))}, want: "fault unknown-number"},
		{code: 1003, what: "a PBX that does not exist", users: []DesiredUser{ann("attach", pair("PBXnone", "3001"))}, want: "fault unknown-pbx"},
		{code: 1004, what: "a number that can't be looked up when its turn comes", users: []DesiredUser{boss("attach", pair("", "3001"))}, want: "attach extension/" + oxeID + "/3001 boss"},
		{code: 1005, what: "a number that no PBX has", users: []DesiredUser{ann("attach", pair("", "3999"))}, want: "fault unknown-number"},
		{code: 1005, what: "a number that two PBXs have", world: secondPBX, users: []DesiredUser{ann("attach", pair("", "3001"))}, want: "fault ambiguous-number"},
		{code: 1006, what: "a company without equipped PBX", world: func(w *World) { w.company.Systems = nil }, users: []DesiredUser{ann("attach", pair("", "3001"))}, want: "fault unknown-pbx"},
		{code: 1007, what: "attach for a user who has another", users: []DesiredUser{cleo("attach", pair("", "3001"))}, want: "fault has-number"},
		{code: 1007, what: "attach of what he has", users: []DesiredUser{cleo("attach", pair("", "3000"))}, want: "no change: user cleo@demo.example has number " + oxeID + "/3000 already", strict: "fault has-number"},
		{code: 1007, what: "force_attach for a user who has another", users: []DesiredUser{cleo("force_attach", pair("", "3001"))}, want: "detach extension/" + oxeID + "/3000 cleo, attach extension/" + oxeID + "/3001 cleo"},
		{code: 1007, what: "force_attach of what he has", users: []DesiredUser{cleo("force_attach", pair("", "3000"))}, want: "no change: is as the manifest wants it"},
		{code: 1008, what: "attach of a number that another has", users: []DesiredUser{boss("attach", pair("", "3000"))}, want: "fault number-held"},
		{code: 1008, what: "attach of a number that another gives up", users: []DesiredUser{boss("attach", pair("", "3000")), cleo("detach", unpair())}, want: "detach extension/" + oxeID + "/3000 cleo, attach extension/" + oxeID + "/3000 boss"},
		{code: 1008, what: "force_attach of a number that another has", users: []DesiredUser{boss("force_attach", pair("", "3000"))}, want: "detach extension/" + oxeID + "/3000 cleo, attach extension/" + oxeID + "/3000 boss"},
		{code: 1009, what: "an attach that fails when its turn comes", users: []DesiredUser{boss("force_attach", pair("", "3001"))}, want: "attach extension/" + oxeID + "/3001 boss"},
		{code: 1009, what: "a number for a user who has an extension", users: []DesiredUser{bob("force_attach", pair("", "3001"))}, want: "fault is-subscriber"},
		{code: 1009, what: "a number for a user whose extension goes", users: []DesiredUser{with(bob("upsert", pair("", "3001")), func(u *DesiredUser) { u.Subscriber = Having[Number]() })}, want: "detach ddi/" + string(ddi(1)) + " bob, delete extension/" + cloudID + "/2002 bob, attach extension/" + oxeID + "/3001 bob"},
		{code: 1010, what: "a detach of a user without number", users: []DesiredUser{ann("detach", unpair())}, want: "no change: user ann@demo.example has no number of a PBX to detach", strict: "fault not-held"},
		{code: 1011, what: "a detach that names none of several", world: two, users: []DesiredUser{cleo("detach", unpair())}, want: "detach extension/" + oxeID + "/3000 cleo, detach extension/" + oxeID + "/3001 cleo", strict: "fault several-numbers"},
		{code: 1012, what: "a detach of another's number", users: []DesiredUser{cleo("detach", unpair(Pairing{Number: "3001"}))}, want: "no change: user cleo@demo.example does not have number " + oxeID + "/3001", strict: "fault not-held"},

		{code: 2001, what: "no Cloud PBX", world: func(w *World) { w.company.CloudPbx = nil }, users: []DesiredUser{cleo("upsert", func(u *DesiredUser) { u.Subscriber = Having[Number]("2003") })}, want: "fault no-cloud-pbx"},
		{code: 2002, what: "a number outside the numbering plan", users: []DesiredUser{cleo("upsert", func(u *DesiredUser) { u.Subscriber = Having[Number]("5001") })}, want: "fault number-outside-plan"},
		{code: 2003, what: "a number of a user who keeps it", users: []DesiredUser{cleo("upsert", func(u *DesiredUser) { u.Subscriber = Having[Number]("2001") })}, want: "fault number-taken"},
		{code: 2004, what: "a user with a number of another PBX", users: []DesiredUser{cleo("upsert", func(u *DesiredUser) { u.Subscriber = Having[Number]("2003") })}, want: "create extension/" + cloudID + "/2003 cleo", strict: "fault other-pbx"},
		{code: 2005, what: "a subscriber that can't be created when its turn comes", users: []DesiredUser{dora(func(u *DesiredUser) { u.Subscriber = Having[Number]("2003") })}, want: "create user/dora@demo.example dora, create extension/" + cloudID + "/2003 dora"},
		{code: 2006, what: "another number for a subscriber", users: []DesiredUser{bob("upsert", func(u *DesiredUser) { u.Subscriber, u.DDIs = Having[Number]("2003"), Having[E164]() })}, want: "detach ddi/" + string(ddi(1)) + " bob, restore extension/" + cloudID + "/2003 bob, save extension/" + cloudID + "/2002 bob, delete extension/" + cloudID + "/2002 bob, create extension/" + cloudID + "/2003 bob"},
		{code: 2007, what: "a device that does not exist", users: []DesiredUser{ann("upsert", func(u *DesiredUser) { u.Devices = Having(device(99)) })}, want: "fault unknown-device"},
		{code: 2007, what: "a detach of a device that does not exist", users: []DesiredUser{ann("detach", func(u *DesiredUser) { u.Devices = Without(device(99)) })}, want: "no change: there is no SIP device " + device(99).String() + " to detach", strict: "fault unknown-device"},
		{code: 2008, what: "a device of another company is not seen", users: []DesiredUser{ann("upsert", func(u *DesiredUser) { u.Devices = Having(device(98)) })}, want: "fault unknown-device"},
		{code: 2009, what: "a device of somebody else moves", users: []DesiredUser{bob("upsert", device5)}, want: "detach device/" + string(device(0)) + " ann, attach device/" + string(device(0)) + " bob"},
		{code: 2010, what: "another device is replaced", users: []DesiredUser{ann("upsert", func(u *DesiredUser) { u.Devices = Having(device(1)) })}, want: "detach device/" + string(device(0)) + " ann, attach device/" + string(device(1)) + " ann"},
		{code: 2011, what: "a device for a user without extension", users: []DesiredUser{cleo("upsert", device5)}, want: "fault not-subscriber"},
		{code: 2011, what: "a detach of a device from a user without extension", users: []DesiredUser{cleo("detach", func(u *DesiredUser) { u.Devices = Without(device(0)) })}, want: "no change: user cleo@demo.example has no extension, so no device " + device(0).String(), strict: "fault not-subscriber"},
		{code: 2012, what: "a device that can't be attached when its turn comes", users: []DesiredUser{bob("upsert", func(u *DesiredUser) { u.Devices = Having(device(1)) })}, want: "attach device/" + string(device(1)) + " bob"},
		{code: 2013, what: "a DDI for a user without extension", users: []DesiredUser{cleo("upsert", func(u *DesiredUser) { u.DDIs = Having(ddi(2)) })}, want: "fault not-subscriber"},
		{code: 2014, what: "a DDI that does not exist", users: []DesiredUser{ann("upsert", func(u *DesiredUser) { u.DDIs = Having(E164("+33298309999")) })}, want: "fault unknown-ddi"},
		{code: 2014, what: "a detach of a DDI that does not exist", users: []DesiredUser{ann("detach", func(u *DesiredUser) { u.DDIs = Without(E164("+33298309999")) })}, want: "no change: there is no DDI +33298309999 to detach", strict: "fault unknown-ddi"},
		{code: 2015, what: "a DDI of somebody else moves", users: []DesiredUser{ann("upsert", func(u *DesiredUser) { u.DDIs = Having(ddi(1)) })}, want: "detach ddi/" + string(ddi(0)) + " ann, detach ddi/" + string(ddi(1)) + " bob, attach ddi/" + string(ddi(1)) + " ann"},
		{code: 2016, what: "another DDI is replaced", users: []DesiredUser{ann("upsert", func(u *DesiredUser) { u.DDIs = Having(ddi(2)) })}, want: "detach ddi/" + string(ddi(0)) + " ann, attach ddi/" + string(ddi(2)) + " ann"},
		{code: 2017, what: "a DDI that can't be attached when its turn comes", users: []DesiredUser{bob("upsert", func(u *DesiredUser) { u.DDIs = Having(ddi(2)) })}, want: "detach ddi/" + string(ddi(1)) + " bob, attach ddi/" + string(ddi(2)) + " bob"},
		{code: 2018, what: "a detach that names nothing is refused by the reader; one of a user without extension", users: []DesiredUser{cleo("detach", func(u *DesiredUser) { u.Subscriber = Without[Number]() })}, want: "no change: user cleo@demo.example has no extension to detach", strict: "fault not-subscriber"},
		{code: 2019, what: "another number than the user's", users: []DesiredUser{ann("detach", func(u *DesiredUser) { u.Subscriber = Without[Number]("2002") })}, want: "fault other-number"},
		{code: 2020, what: "a detach of a DDI from a user without extension", users: []DesiredUser{cleo("detach", func(u *DesiredUser) { u.DDIs = Without(ddi(0)) })}, want: "no change: user cleo@demo.example has no extension, so no DDI " + string(ddi(0)), strict: "fault not-subscriber"},
		{code: 2021, what: "a detach of a DDI that the user does not have", users: []DesiredUser{ann("detach", func(u *DesiredUser) { u.DDIs = Without(ddi(1)) })}, want: "no change: user ann@demo.example does not have DDI " + string(ddi(1)) + "; bob@demo.example has it", strict: "fault not-held"},
		{code: 2022, what: "a detach of a device that the user does not have", users: []DesiredUser{ann("detach", func(u *DesiredUser) { u.Devices = Without(device(1)) })}, want: "no change: user ann@demo.example does not have device " + device(1).String(), strict: "fault not-held"},

		{what: "create of a user who exists as the row says", users: []DesiredUser{ann("create", func(u *DesiredUser) { u.Attributes = []Attribute{{"firstName", "Ann"}} })}, want: "no change: the user exists already: nothing to create", strict: "fault user-exists"},
		{what: "create of a user who exists otherwise", users: []DesiredUser{ann("create", func(u *DesiredUser) { u.Attributes = []Attribute{{"firstName", "Anna"}} })}, want: "no change: the user exists already and differs in firstName, which create leaves alone; update changes it", strict: "fault user-exists"},
		{what: "update of a missing user", users: []DesiredUser{with(entry(2, "dora@demo.example", "update"), func(u *DesiredUser) { u.Password = nil })}, want: "fault user-missing"},
		{what: "delete of a missing user", users: []DesiredUser{entry(2, "dora@demo.example", "delete")}, want: "no change: no such user: nothing to delete", strict: "fault user-missing"},
		{what: "attach for a missing user", users: []DesiredUser{with(entry(2, "dora@demo.example", "attach"), pair("", "3001"))}, want: "fault user-missing"},
	} {
		for _, strict := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d %s, strict %t", c.code, c.what, strict), func(t *testing.T) {
				world := demoWorld()
				if c.world != nil {
					c.world(world)
				}
				want := c.want
				if strict && c.strict != "" {
					want = c.strict
				}
				if diff := cmp.Diff(want, outcome(t, world, c.users, strict, c.code)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}

// outcome says in short what planning gives. A fault must name the code of Rainbow's, if it has one.
func outcome(t *testing.T, world *World, users []DesiredUser, strict bool, code int) string {
	t.Helper()
	plan, err := MakePlan(&Desired{Users: EntriesOf(users...)}, world, Policy{Strict: strict})
	var faults Faults
	if errors.As(err, &faults) {
		if len(faults) != 1 {
			t.Fatalf("want one fault: %v", faults)
		}
		f := faults[0]
		if code != 0 && code != 2008 && code != 2018 && !strings.Contains(f.Message, fmt.Sprint(code)) {
			t.Errorf("fault does not name Rainbow's %d: %v", code, f)
		}
		if f.Hint == "" || f.Field == "" || f.Position.Line == 0 {
			t.Errorf("incomplete fault %+v", f)
		}
		return "fault " + f.Code
	}
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, op := range plan.Operations {
		user, _, _ := strings.Cut(string(op.Login), "@")
		words = append(words, fmt.Sprintf("%s %s %s", op.Action, op.Key, user))
	}
	slices.Sort(words)
	if len(words) > 0 {
		return strings.Join(sortedLike(words), ", ")
	}
	for u := range plan.Unchanged.All() {
		words = append(words, u.Note)
	}
	return "no change: " + strings.Join(words, "; ")
}

// sortedLike puts what frees before what takes: how a plan orders the rest is the subject of other tests.
func sortedLike(words []string) []string {
	ranks := map[string]int{"detach": 0, "delete": 1, "create": 2, "attach": 3}
	slices.SortStableFunc(words, func(a, b string) int {
		x, _, _ := strings.Cut(a, " ")
		y, _, _ := strings.Cut(b, " ")
		if x == y && strings.Contains(a, "user/") != strings.Contains(b, "user/") {
			if strings.Contains(a, "user/") {
				return -1
			}
			return 1
		}
		return ranks[x] - ranks[y]
	})
	return words
}

// secondPBX gives the company another equipped PBX, which has the number 3001, too.
func secondPBX(w *World) {
	w.company.Systems = append(slices.Clone(w.company.Systems), System{ID: "s3", PbxID: "PBXsecond"})
	w.put(&Extension{ID: "q1", SystemID: "s3", PbxID: "PBXsecond", Number: "3001", Role: RolePairing})
}

// TestLostZerosAreNamed: a number that looks right and is not there, and one that is with zeros before it.
func TestLostZerosAreNamed(t *testing.T) {
	world := demoWorld()
	world.company.CloudPbx.Ranges = []Range{{"2000", "2999"}, {"0100", "0199"}}
	world.put(&Extension{ID: "p9", SystemID: "s2", PbxID: oxeID, Number: "0042", Role: RolePairing})
	for _, c := range []struct {
		name, says string
		wish       func(*DesiredUser)
	}{
		{"an extension of the numbering plan", "write 0123", func(u *DesiredUser) { u.Subscriber = Having[Number]("123") }},
		{"an extension of a PBX", "write 0042", func(u *DesiredUser) { u.Pairings = Having(Pairing{PbxID: oxeID, Number: "42"}) }},
		{"a DDI without its country code", "probably " + string(ddi(2)), func(u *DesiredUser) { u.DDIs = Having(E164("+" + string(ddi(2))[3:])) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := MakePlan(&Desired{Users: EntriesOf([]DesiredUser{with(entry(2, "ann@demo.example", "upsert"), c.wish)}...)}, world, Policy{})
			var faults Faults
			if !errors.As(err, &faults) || len(faults) != 1 || !strings.Contains(faults[0].Hint, c.says) {
				t.Errorf("got %v, want one fault that says %q", err, c.says)
			}
		})
	}
}

// TestHintsNameActionsThatTheModeHas: rows of mode user have no upsert.
func TestHintsNameActionsThatTheModeHas(t *testing.T) {
	for _, c := range []struct{ mode, login, action, want string }{
		{"user", "nobody@demo.example", "update", "use create"},
		{"useranddevice", "nobody@demo.example", "update", "use upsert to create the user"},
		{"user", "zoe@demo.example", "create", "use update"},
		{"useranddevice", "zoe@demo.example", "create", "use upsert or update"},
	} {
		w := demoWorld()
		w.put(&User{ID: "u-zoe", Login: "zoe@demo.example"})
		u := entry(2, Login(c.login), c.action)
		u.Password = &SecretPlace{Field: "password"}
		_, err := MakePlan(&Desired{Mode: c.mode, Users: EntriesOf(u)}, w, Policy{Strict: true})
		var faults Faults
		if !errors.As(err, &faults) || len(faults) != 1 || faults[0].Hint != c.want {
			t.Errorf("mode %s, %s: %+v, want the hint %q", c.mode, c.action, err, c.want)
		}
	}
}
