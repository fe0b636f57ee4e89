package sync

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// checkSettings holds the settings of all subscribers against those before: whoever has one in place of another has what
// that one had.
func checkSettings(t *rapid.T, before *World, m *model, plan *Plan) {
	replaced := map[Key]Key{}
	for _, op := range plan.Operations {
		if op.Action == ActionRestore {
			replaced[op.Key] = ExtensionKey(cloudID, Number(op.before("extension")))
		}
	}
	for r := range m.world.Records(KindExtension) {
		e := r.(*Extension)
		old, put := replaced[e.Key()]
		if !put {
			old = e.Key()
		}
		was := find[Extension](before, old)
		if e.Role != RoleSubscriber || was == nil || !put && was.ID != e.ID {
			continue
		}
		if got, want := m.settings[e.ID], settingsOf(was); got != want {
			t.Fatalf("extension %s of %s, which was %s, has %q; want %q", e.Number, e.Holder, old.ID, got, want)
		}
	}
}

func rules(t *testing.T, texts ...string) []Renumbering {
	t.Helper()
	var all []Renumbering
	for _, s := range texts {
		r, err := ParseRenumbering(s)
		if err != nil {
			t.Fatal(err)
		}
		if r.String() != s {
			t.Errorf("rule %s is written %s", s, r)
		}
		all = append(all, r)
	}
	return all
}

func TestRulesAreReadOrRefused(t *testing.T) {
	for text, want := range map[string]string{
		"23xx":                  "want FROM=TO such as 23xx=43xx",
		"23xx=43x":              `"23xx" has 2 x and "43x" has 1: want as many on both sides`,
		"23xx=23xx":             `both sides are "23xx": nothing would change`,
		"=43":                   `"" is not a pattern: want 1 to 10 signs, each a digit or x for any digit`,
		"23?x=43?x":             `"23?x" is not a pattern: want 1 to 10 signs, each a digit or x for any digit`,
		"12345678901=1":         `"12345678901" is not a pattern: want 1 to 10 signs, each a digit or x for any digit`,
		"23xx=43xx@department":  "want FROM=TO@ATTRIBUTE=VALUE such as 23xx=43xx@department=Brest",
		"23xx=43xx@=Brest":      "want FROM=TO@ATTRIBUTE=VALUE such as 23xx=43xx@department=Brest",
		"23xx=43xx@password=x":  `users can't be chosen by "password": upstream does not show it, or it is the login`,
		" 23XX = 43XX ":         "",
		"2x0x=4x1x@tags0=North": "",
	} {
		r, err := ParseRenumbering(text)
		switch {
		case want == "" && err != nil:
			t.Errorf("%q: %v", text, err)
		case want != "" && (err == nil || err.Error() != fmt.Sprintf("renumbering %q: %s", text, want)):
			t.Errorf("%q gives %v, error %v; want the error %s", text, r, err, want)
		}
	}
}

func TestARuleKeepsTheDigitsUnderX(t *testing.T) {
	for _, c := range []struct {
		rule     string
		from, to Number
	}{
		{"23xx=43xx", "2345", "4345"}, {"23xx=843xx", "2301", "84301"}, {"2x0x=4x1x", "2709", "4719"},
		{"23xx=43xx", "2245", ""}, {"23xx=43xx", "23456", ""}, {"2301=4000", "2301", "4000"}, {"xx=2xx", "07", "207"},
	} {
		to, ok := rules(t, c.rule)[0].Target(c.from)
		if to != c.to || ok != (c.to != "") {
			t.Errorf("%s makes %q of %s, want %q", c.rule, to, c.from, c.to)
		}
	}
}

func FuzzParseRenumbering(f *testing.F) {
	for _, s := range []string{"23xx=43xx", "23xx=43xx@department=Brest", "xx=2xx", "=", "@", "1=2@a=b=c@d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRenumbering(s)
		if err != nil {
			return
		}
		again, err := ParseRenumbering(r.String())
		if err != nil || again != r {
			t.Errorf("%q reads as %+v, which reads as %+v, error %v", s, r, again, err)
		}
		if to, ok := r.Target(Number(strings.ReplaceAll(r.From, "x", "7"))); !ok || string(to) != strings.ReplaceAll(r.To, "x", "7") {
			t.Errorf("%q makes %q of its own pattern", s, to)
		}
	})
}

// TestRulesRenumber goes over peopleWorld: ann 2001, bob 2002, dan 2004, root 2000.
func TestRulesRenumber(t *testing.T) {
	for _, c := range []struct {
		name  string
		rules []string
		users []DesiredUser
		want  map[string]string // extension by login; those that change
		fault string
	}{
		{"all in the block", []string{"200x=290x"}, nil, map[string]string{"root": "2900", "ann": "2901", "bob": "2902", "dan": "2904"}, ""},
		{"one by an attribute", []string{"200x=290x@lastName=ARCHER"}, nil, map[string]string{"ann": "2901"}, ""},
		{"a chain", []string{"2001=2002", "2002=2003"}, nil, map[string]string{"ann": "2002", "bob": "2003"}, ""},
		{"a swap", []string{"2001=2002", "2002=2001"}, nil, map[string]string{"ann": "2002", "bob": "2001"}, ""},
		{"an entry wins", []string{"200x=290x"}, []DesiredUser{person(2, "ann", "", "", "2001"), person(3, "bob", "", "", "2050")},
			map[string]string{"root": "2900", "bob": "2050", "dan": "2904"}, ""},
		{"an entry that says nothing of the extension leaves it to the rule", []string{"2001=2901"}, []DesiredUser{person(2, "ann", "Anna", "")}, map[string]string{"ann": "2901"}, ""},
		{"a renamed user", []string{"2001=2901"}, []DesiredUser{person(2, "anna", "Ann", "Archer", "E1")}, map[string]string{"anna": "2901"}, ""},
		{"a user who goes", []string{"200x=290x@lastName=Archer"}, []DesiredUser{entry(2, "ann@demo.example", "delete")}, map[string]string{}, ""},
		{"two rules for one", []string{"200x=290x", "2001=2555"}, nil, nil, "renumber-overlap"},
		{"two rules for one by attributes", []string{"2001=2901@lastName=Archer", "2001=2902@lastName=Baker"}, nil, map[string]string{"ann": "2901"}, ""},
		{"two numbers become one", []string{"2001=2555", "2002=2555"}, nil, nil, "renumber-collision"},
		{"a number that an entry asks for", []string{"2001=2555"}, []DesiredUser{person(2, "cleo", "", "", "2555")}, nil, "renumber-collision"},
		{"a number that somebody keeps", []string{"2001=2004"}, nil, nil, "number-taken"},
		{"a number outside the plan", []string{"200x=900x"}, nil, nil, "number-outside-plan"},
		{"a block without users", []string{"23xx=43xx"}, nil, map[string]string{}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			world := peopleWorld()
			desired := &Desired{Users: EntriesOf(c.users...), Match: byStaff.Match, Renumber: rules(t, c.rules...)}
			if !slices.ContainsFunc(c.users, func(u DesiredUser) bool { return attributeOf(&u, "userInfo1") != "" }) {
				desired.Match = nil
			}
			plan, err := MakePlan(desired, world, Policy{})
			if c.fault != "" {
				if err == nil || !strings.Contains(err.Error(), "["+c.fault+"]") || !strings.Contains(err.Error(), "--renumber "+c.rules[len(c.rules)-1]) {
					t.Fatalf("error %v, want %s at the rule", err, c.fault)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			before := extensions(world)
			devices, ddis := count(world, KindDevice), count(world, KindDDI)
			for i := range plan.Operations {
				world.Apply(Effects(&plan.Operations[i], world, fmt.Sprintf("new-%d", i)))
			}
			got := map[string]string{}
			for l, n := range extensions(world) {
				if before[l] != n {
					got[l] = n
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(c.users) == 0 && (count(world, KindDevice) != devices || count(world, KindDDI) != ddis) {
				t.Errorf("%d devices and %d DDIs are held, want %d and %d as before", count(world, KindDevice), count(world, KindDDI), devices, ddis)
			}
			if movesOn(plan) {
				return
			}
			again, err := MakePlan(desired, world, Policy{})
			if err != nil || len(again.Operations) > 0 {
				t.Errorf("planned again: %v, %+v; want no operation", err, again)
			}
		})
	}
}

func extensions(w *World) map[string]string {
	all := map[string]string{}
	for r := range w.Records(KindExtension) {
		e := r.(*Extension)
		all[strings.TrimSuffix(string(e.Holder), "@demo.example")] = string(e.Number)
	}
	return all
}

// count counts the things of a kind that somebody holds.
func count(w *World, kind Kind) int {
	n := 0
	for r := range w.Records(kind) {
		if r.HeldBy() != "" {
			n++
		}
	}
	return n
}

// TestNothingIsDeletedBeforeItIsRead: every subscriber that is replaced is read before, and put back after; what points to
// the extensions is read once, before all.
func TestNothingIsDeletedBeforeItIsRead(t *testing.T) {
	plan, err := MakePlan(&Desired{Renumber: rules(t, "200x=290x")}, peopleWorld(), Policy{})
	if err != nil {
		t.Fatal(err)
	}
	first := plan.Operations[0]
	if v, _ := first.After(PointedTo); first.Action != ActionSave || first.Login != "" || v != "2000 2001 2002 2004" {
		t.Errorf("the first operation is %s of %q, want the save of what points to the four", first.Title(), v)
	}
	deleted, restored := 0, 0
	for _, op := range plan.Operations {
		saves := 0
		for _, n := range op.Needs {
			if plan.Operations[n-1].Action == ActionSave {
				saves++
			}
		}
		switch {
		case op.Action == ActionDelete:
			deleted++
		case op.Action == ActionRestore:
			restored++
		default:
			continue
		}
		if saves != 2 {
			t.Errorf("%s needs %d saves, want its own and the one of what points to it", op.Title(), saves)
		}
	}
	if deleted != 4 || restored != 4 {
		t.Errorf("%d subscribers are deleted and %d restored, want 4 and 4", deleted, restored)
	}
}
