package sync

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// peopleWorld is a company of four: ann (2001, a DDI, a device, staff number E1), bob (2002, E2), cleo (no extension, E3)
// and dan (2004, no staff number).
func peopleWorld() *World {
	user := func(id string, l Login, first, last, staff string) *User {
		u := &User{ID: id, Login: l, Attributes: []Attribute{{"firstName", first}, {"lastName", last}}, Licences: []string{"l0"}}
		if staff != "" {
			u.Attributes = append(u.Attributes, Attribute{"userInfo1", staff})
		}
		return u
	}
	subscriber := func(id string, n Number, l Login, user string) *Extension {
		return &Extension{ID: id, SystemID: "s1", PbxID: cloudID, Number: n, Role: RoleSubscriber, Holder: l, HolderID: user}
	}
	return NewWorld(Company{ID: "c1", CloudPbx: &CloudPbx{ID: "s1", PbxID: cloudID, Ranges: []Range{{"2000", "2999"}}}, Account: "root@demo.example"},
		&User{ID: "u0", Login: "root@demo.example", Attributes: []Attribute{{"firstName", "Root"}, {"lastName", "Root"}, {"userInfo1", "E0"}}, Licences: []string{"l0"}},
		user("u1", "ann@demo.example", "Ann", "Archer", "E1"),
		user("u2", "bob@demo.example", "Bob", "Baker", "E2"),
		user("u3", "cleo@demo.example", "Cleo", "Cook", "E3"),
		user("u4", "dan@demo.example", "Dan", "Dyer", ""),
		subscriber("e0", "2000", "root@demo.example", "u0"),
		subscriber("e1", "2001", "ann@demo.example", "u1"),
		subscriber("e2", "2002", "bob@demo.example", "u2"),
		subscriber("e4", "2004", "dan@demo.example", "u4"),
		&Device{ID: "d0", Address: device(0), Holder: "ann@demo.example", HolderID: "u1", SubscriberID: "e1"},
		&DDI{ID: "n0", Number: ddi(0), Holder: "ann@demo.example", HolderID: "u1"},
		&DDI{ID: "n1", Number: ddi(1), Holder: "bob@demo.example", HolderID: "u2"},
		&DDI{ID: "n2", Number: ddi(2)},
		&Licence{ID: "l0", Offer: "Essential", Max: -1, Assigned: 5, Status: "active", Default: true},
	)
}

// person is an entry with names; what says "2001", "+33…" or "E1".
func person(line int, login, first, last string, what ...string) DesiredUser {
	u := entry(line, Login(login+"@demo.example"), "upsert")
	if first != "" {
		u.Attributes = append(u.Attributes, Attribute{"firstName", first})
	}
	if last != "" {
		u.Attributes = append(u.Attributes, Attribute{"lastName", last})
	}
	for _, w := range what {
		switch {
		case w[0] == 'E':
			u.Attributes = append(u.Attributes, Attribute{"userInfo1", w})
		case w[0] == 'F':
			u.Attributes = append(u.Attributes, Attribute{"userInfo2", w})
		case w[0] == '+':
			u.DDIs = Having(E164(w))
		default:
			u.Subscriber = Having(Number(w))
		}
	}
	return u
}

var byStaff = Policy{Match: []string{"userInfo1"}}

func TestWhoIsWho(t *testing.T) {
	gone := func(line int, login string) DesiredUser { return entry(line, Login(login+"@demo.example"), "delete") }
	for _, c := range []struct {
		name   string
		policy Policy
		users  []DesiredUser
		want   []string
		doubts []string // login: candidates
	}{
		{"a new login with the value of a matching column is a rename", byStaff,
			[]DesiredUser{person(2, "anna", "Ann", "Smith", "E1")}, []string{"rename ann -> anna"}, nil},
		{"the deletion of the old login is part of it", byStaff,
			[]DesiredUser{person(2, "anna", "Ann", "Archer", "E1"), gone(3, "ann")}, []string{"rename ann -> anna"}, nil},
		{"a rename keeps numbers and gets what differs", byStaff,
			[]DesiredUser{person(2, "anna", "Ann", "Archer", "E1", "2001", string(ddi(2)))},
			[]string{"rename ann -> anna", "detach DDI " + string(ddi(0)) + " from anna", "attach DDI " + string(ddi(2)) + " to anna"}, nil},
		{"without the column nobody is the same", Policy{MatchNumbers: MatchNever},
			[]DesiredUser{person(2, "anna", "Ann", "Archer", "E1"), gone(3, "ann")}, []string{"create user anna", "delete user ann"}, nil},
		{"a value that two entries have is a doubt", byStaff,
			[]DesiredUser{person(2, "anna", "Ann", "Archer", "E1"), person(3, "anne", "Ann", "Archer", "E1"), gone(4, "ann")},
			nil, []string{"anna: ann", "anne: ann", "ann: "}},
		{"two columns that name different users are a doubt", Policy{Match: []string{"userInfo1", "lastName"}},
			[]DesiredUser{person(2, "anna", "Ann", "Baker", "E1")}, nil, []string{"anna: ann bob"}},
		{"a column that contradicts is a doubt", Policy{Match: []string{"userInfo1", "lastName"}},
			[]DesiredUser{person(2, "anna", "Ann", "Smith", "E1")}, nil, []string{"anna: ann"}},
		{"two users swap logins", byStaff,
			[]DesiredUser{person(2, "bob", "Ann", "Archer", "E1"), person(3, "ann", "Bob", "Baker", "E2")},
			[]string{"rename ann -> moving1.ann", "rename bob -> ann", "rename moving1.ann -> bob"}, nil},
		{"logins move round", byStaff,
			[]DesiredUser{person(2, "bob", "Ann", "Archer", "E1"), person(3, "cleo", "Bob", "Baker", "E2"), person(4, "ann", "Cleo", "Cook", "E3")},
			[]string{"rename ann -> moving1.ann", "rename cleo -> ann", "rename bob -> cleo", "rename moving1.ann -> bob"}, nil},
		{"a chain of logins goes from its free end", byStaff,
			[]DesiredUser{person(2, "bob", "Ann", "Archer", "E1"), person(3, "cleo", "Bob", "Baker", "E2"), person(4, "carl", "Cleo", "Cook", "E3")},
			[]string{"rename cleo -> carl", "rename bob -> cleo", "rename ann -> bob"}, nil},
		{"a column that gives a login to somebody else is a doubt while its user goes nowhere", byStaff,
			[]DesiredUser{person(2, "bob", "Ann", "Archer", "E1")}, nil, []string{"bob: ann"}},
		{"so is one whose old login another entry keeps", byStaff,
			[]DesiredUser{person(2, "anna", "Ann", "Archer", "E1"), person(3, "ann", "New", "Comer", "E9")}, nil, []string{"ann: ", "anna: ann"}},
		{"a chain that breaks is in doubt as a whole", byStaff,
			[]DesiredUser{person(2, "bob", "Ann", "Archer", "E1"), person(3, "cleo", "Bob", "Baker", "E2")}, nil, []string{"bob: ann", "cleo: bob"}},
		{"the account does not change its own login", byStaff,
			[]DesiredUser{person(2, "boss", "Root", "Root", "E0")}, nil, []string{"boss: root"}},
		{"the same extension and the same name is a rename", Policy{},
			[]DesiredUser{person(2, "anna", "ANN", "Archer", "2001"), gone(3, "ann")}, []string{"rename ann -> anna"}, nil},
		{"the same DDI and the same name is a rename", Policy{},
			[]DesiredUser{person(2, "anna", "Ann", "Archer", string(ddi(0)))}, []string{"rename ann -> anna"}, nil},
		{"another name is a successor", Policy{},
			[]DesiredUser{person(2, "eve", "Eve", "Evans", "2001"), gone(3, "ann")},
			[]string{"delete user ann", "create user eve", "create extension 2001 of eve"}, nil},
		{"half a name is a doubt", Policy{},
			[]DesiredUser{person(2, "anna", "Ann", "Smith", "2001"), gone(3, "ann")}, nil, []string{"anna: ann", "ann: "}},
		{"no name is a doubt", Policy{},
			[]DesiredUser{person(2, "anna", "", "", "2001"), gone(3, "ann")}, nil, []string{"anna: ann", "ann: "}},
		{"no name is no doubt when numbers always tell", Policy{MatchNumbers: MatchAlways},
			[]DesiredUser{person(2, "anna", "", "", "2001"), gone(3, "ann")}, []string{"rename ann -> anna"}, nil},
		{"another name is a successor even so", Policy{MatchNumbers: MatchAlways},
			[]DesiredUser{person(2, "eve", "Eve", "Evans", "2001"), gone(3, "ann")},
			[]string{"delete user ann", "create user eve", "create extension 2001 of eve"}, nil},
		{"numbers of different users are a doubt", Policy{MatchNumbers: MatchAlways},
			[]DesiredUser{person(2, "anna", "", "", "2001", string(ddi(1)))}, nil, []string{"anna: ann bob"}},
		{"two entries with numbers of one user are a doubt", Policy{MatchNumbers: MatchAlways},
			[]DesiredUser{person(2, "anna", "", "", "2001"), person(3, "anne", "", "", string(ddi(0)))}, nil, []string{"anna: ann", "anne: ann"}},
		{"a number of a user whom the manifest names moves", Policy{},
			[]DesiredUser{person(2, "eve", "", "", "2005", string(ddi(0))), person(3, "ann", "", "")},
			[]string{"create user eve", "create extension 2005 of eve", "detach DDI " + string(ddi(0)) + " from ann", "attach DDI " + string(ddi(0)) + " to eve"}, nil},
		{"the column is stronger than the number", byStaff,
			[]DesiredUser{person(2, "dave", "", "", "2005", string(ddi(1)), "E3")},
			[]string{"rename cleo -> dave", "create extension 2005 of dave", "detach DDI " + string(ddi(1)) + " from bob", "attach DDI " + string(ddi(1)) + " to dave"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			world := peopleWorld()
			desired := &Desired{Users: EntriesOf(c.users...)}
			plan, err := MakePlan(desired, world, c.policy)
			if err != nil {
				t.Fatal(err)
			}
			var got, doubts []string
			for i := range plan.Operations {
				got = append(got, strings.ReplaceAll(plan.Operations[i].Title(), "@demo.example", ""))
			}
			slices.Sort(got)
			want := slices.Sorted(slices.Values(c.want))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("operations (-want +got):\n%s", diff)
			}
			for _, d := range plan.Doubtful {
				var who []string
				for _, k := range d.Candidates {
					who = append(who, string(k.Login))
				}
				doubts = append(doubts, strings.ReplaceAll(string(d.Login)+": "+strings.Join(who, " "), "@demo.example", ""))
			}
			slices.Sort(doubts)
			if diff := cmp.Diff(slices.Sorted(slices.Values(c.doubts)), doubts); diff != "" {
				t.Errorf("doubts (-want +got):\n%s\nremarks: %v", diff, plan.Remarks)
			}
			for i := range plan.Operations {
				world.Apply(Effects(&plan.Operations[i], world, fmt.Sprintf("new-%d", i)))
			}
			again, err := MakePlan(desired, world, c.policy)
			if err != nil || len(again.Operations) > 0 {
				t.Errorf("planned again: %v, %+v; want no operation", err, again)
			}
		})
	}
}

// TestARenamedUserKeepsWhatHeHas: his id, licences, extension, device and DDI stay, and follow his login.
func TestARenamedUserKeepsWhatHeHas(t *testing.T) {
	world := peopleWorld()
	plan, err := MakePlan(&Desired{Users: EntriesOf([]DesiredUser{person(2, "anna", "Ann", "Archer", "E1")}...)}, world, byStaff)
	if err != nil || len(plan.Operations) != 1 {
		t.Fatalf("plan %+v, error %v; want one operation", plan, err)
	}
	op := &plan.Operations[0]
	if want := `matched by userInfo1 "E1"`; op.Reason != want || op.Title() != "rename ann@demo.example -> anna@demo.example" {
		t.Errorf("%s: %s; want the reason %s", op.Title(), op.Reason, want)
	}
	before := holdingOf(world, "ann@demo.example")
	world.Apply(Effects(op, world, ""))
	if diff := cmp.Diff(before, holdingOf(world, "anna@demo.example"), cmp.AllowUnexported(holding{})); diff != "" {
		t.Errorf("she holds (-before +after):\n%s", diff)
	}
	if u := find[User](world, Login("anna@demo.example").Key()); u == nil || u.ID != "u1" || find[User](world, Login("ann@demo.example").Key()) != nil {
		t.Errorf("she is recorded as %+v", u)
	}
	if e := SubscriberOf(world, "anna@demo.example"); e == nil || e.HolderID != "u1" {
		t.Errorf("her extension is %+v", e)
	}
	if got := Effects(op, world, ""); got != nil {
		t.Errorf("seen again, the rename changes %v; want nothing", got)
	}
}

func TestAColumnThatCannotMatchIsAFault(t *testing.T) {
	for _, column := range []string{"password", "loginEmail", "photoUrl", "userInfo9"} {
		_, err := MakePlan(&Desired{Users: EntriesOf([]DesiredUser{person(2, "anna", "Ann", "Archer", "E1")}...)}, peopleWorld(), Policy{Match: []string{column}})
		if err == nil || !strings.Contains(err.Error(), "[match-column]") || !strings.Contains(err.Error(), column) {
			t.Errorf("%s: error %v, want match-column", column, err)
		}
	}
}

// drawIdentities draws how a manifest's users are recognised, and rules by which extensions change.
func drawIdentities(t *rapid.T, d *Desired) {
	if rapid.Bool().Draw(t, "by staff number") {
		d.Match = []string{"userInfo1"}
	}
	d.MatchNumbers = rapid.SampledFrom([]MatchNumbers{MatchNever, MatchNames, MatchAlways}).Draw(t, "by numbers")
	rules := rapid.SampledFrom([]string{"", "", "", "200x=8000x", "8000x=200x", "2001=2009", "200x=8000x@firstName=First1", "2000=2001 2001=2002"}).Draw(t, "rules")
	for _, rule := range strings.Fields(rules) {
		r, err := ParseRenumbering(rule)
		if err != nil {
			t.Fatal(err)
		}
		d.Renumber = append(d.Renumber, r)
	}
}

// movesOn tells whether a plan moves numbers that the same rules would move on.
func movesOn(p *Plan) bool {
	return slices.ContainsFunc(p.Remarks, func(f Fault) bool { return f.Code == "renumber-again" })
}
