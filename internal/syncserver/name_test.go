package syncserver

import (
	"slices"
	"strings"
	"testing"
)

func TestParseName(t *testing.T) {
	for _, c := range []struct {
		name, pattern string
		want          []string
	}{
		{"companies/c1/plans/plan-1", planPattern, []string{"c1", "plan-1"}},
		{"companies/-/plans/p.2", planPattern, []string{"-", "p.2"}},
		{"companies/c1/state", statePattern, []string{"c1"}},
		{"companies/c1/plans/plan-1", runPattern, nil},
		{"companies/c1/plans", planPattern, nil},
		{"companies/c1/plans/..", planPattern, nil},
		{"companies/c1/plans/.hidden", planPattern, nil},
		{"companies/c1/plans/a\x00b", planPattern, nil},
		{"companies/c1/plans/" + strings.Repeat("x", 129), planPattern, nil},
		{"companies/é/state", statePattern, nil},
		{"", statePattern, nil},
	} {
		got, err := parseName(c.name, c.pattern)
		if (err == nil) != (c.want != nil) || err == nil && !slices.Equal(got, c.want) {
			t.Errorf("%q by %s: got %q, %v; want %q", c.name, c.pattern, got, err, c.want)
		}
		if err != nil && !strings.Contains(err.Error(), spoken(c.pattern)) {
			t.Errorf("%q: error does not say what is right: %v", c.name, err)
		}
	}
	if got := spoken(refreshPattern); got != "operations/companies/{company}/refreshes/{refresh}" {
		t.Errorf("spoken pattern is %s", got)
	}
}

func FuzzParseName(f *testing.F) {
	for _, seed := range []string{"companies/c1/plans/p1", "companies//plans/", "companies/-/plans/..", "companies/a/plans/b/c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		ids, err := parseName(name, planPattern)
		if err == nil && planName(ids[0], ids[1]) != name {
			t.Errorf("%q comes apart as %q", name, ids)
		}
	})
}
