package sync

import (
	"slices"
	"testing"
)

// TestOptionsThatUpstreamDoesNotShowComeAlongWithANewLogin sets an option that nobody can read, and renames its user: it is set
// again with the rename, and not once more behind it.
func TestOptionsThatUpstreamDoesNotShowComeAlongWithANewLogin(t *testing.T) {
	w := demoWorld()
	authorized := []DesiredGroup{{Group: GroupExternalForward, Values: []Attribute{{"externalCallForward", "authorized"}}, Position: Position{File: "a.yaml", Line: 3, Column: 1}}}
	named := func(login, was Login) *Desired {
		u := entry(2, login, "upsert")
		u.Was, u.Options = was, authorized
		return &Desired{Mode: modeYAML, Users: EntriesOf(u)}
	}
	for _, c := range []struct {
		what    string
		desired *Desired
		want    []string
	}{
		{"set", named("ann@demo.example", ""), []string{"update externalForward of ann@demo.example"}},
		{"set already", named("ann@demo.example", ""), nil},
		{"with another login", named("eve@demo.example", "ann@demo.example"), []string{"rename ann@demo.example -> eve@demo.example", "update externalForward of eve@demo.example"}},
		{"after that", named("eve@demo.example", "ann@demo.example"), nil},
	} {
		plan, err := MakePlan(c.desired, w, Policy{})
		if err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		var titles []string
		for i := range plan.Operations {
			titles = append(titles, plan.Operations[i].Title())
			w.Apply(Effects(&plan.Operations[i], w, "new"))
		}
		if !slices.Equal(titles, c.want) {
			t.Errorf("%s: operations are %q, want %q", c.what, titles, c.want)
		}
	}
}
