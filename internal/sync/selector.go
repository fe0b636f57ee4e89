package sync

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// How a policy names things: scopes select users, patterns name things of any kind, ceilings name a kind and an action.
// All of them have one written form, which flags, requests and stored plans share.

// Scope says which users a manifest speaks for: those that every one of its selectors selects. An empty scope is none.
type Scope []Selector

// Selector is one condition of a scope.
type Selector struct {
	// Name is "all", "owned", "domain", "tag", or the name of a user's attribute, such as department.
	Name string
	// Value to have; empty for all and owned.
	Value string
}

// The selectors that are no attribute.
const (
	ScopeAll    = "all"    // every user of the company
	ScopeOwned  = "owned"  // users whom an earlier applied manifest of the same name named (ownership.go)
	ScopeDomain = "domain" // users whose login is of that domain
	ScopeTag    = "tag"    // users who have that tag, in any place
)

// ParseSelector reads "all", "owned", "domain=demo.example", "tag=brest" or "department=Sales".
func ParseSelector(s string) (Selector, error) {
	name, value, valued := strings.Cut(s, "=")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	switch {
	case name == ScopeAll || name == ScopeOwned:
		if valued {
			return Selector{}, fmt.Errorf("scope %q: %s takes no value", s, name)
		}
	case !valued || name == "" || value == "":
		return Selector{}, fmt.Errorf("scope %q: want all, owned, domain=DOMAIN, tag=TAG, or a user's attribute such as department=Sales", s)
	case !userAttribute(name):
		return Selector{}, fmt.Errorf("scope %q: users have no attribute %q; there are domain, tag, %s", s, name, strings.Join(scopeAttributes(), ", "))
	}
	return Selector{name, value}, nil
}

// scopeAttributes are the attributes that a scope may ask for: text that says where a user belongs.
func scopeAttributes() []string {
	return []string{"country", "department", "jobTitle", "language", "timezone", "title", "userInfo1", "userInfo2"}
}

func userAttribute(name string) bool {
	return name == ScopeDomain || name == ScopeTag || slices.Contains(scopeAttributes(), name)
}

func (s Selector) String() string {
	if s.Value == "" {
		return s.Name
	}
	return s.Name + "=" + s.Value
}

// MarshalText writes the selector as it is read.
func (s Selector) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a selector.
func (s *Selector) UnmarshalText(b []byte) (err error) {
	*s, err = ParseSelector(string(b))
	return err
}

func (s Scope) String() string {
	all := make([]string, len(s))
	for i, selector := range s {
		all[i] = selector.String()
	}
	return strings.Join(all, " and ")
}

// owned tells whether the scope asks who owns a user.
func (s Scope) owned() bool {
	return slices.ContainsFunc(s, func(x Selector) bool { return x.Name == ScopeOwned })
}

// selects tells whether a user is in the scope. value gives an attribute of his; owned tells whether he is owned.
func (s Scope) selects(l Login, value func(attribute string) string, owned bool) bool {
	for _, selector := range s {
		var ok bool
		switch selector.Name {
		case ScopeAll:
			ok = true
		case ScopeOwned:
			ok = owned
		case ScopeDomain:
			_, domain, _ := strings.Cut(string(l), "@")
			ok = strings.EqualFold(domain, selector.Value)
		case ScopeTag:
			for i := range 5 {
				ok = ok || value("tags"+strconv.Itoa(i)) == selector.Value
			}
		default:
			ok = SameAttribute(selector.Name, value(selector.Name), selector.Value)
		}
		if !ok {
			return false
		}
	}
	return len(s) > 0
}

// Pattern names things of one kind: users by login, extensions by number, devices by address, DDIs by E.164 number. In
// its glob, * stands for any characters and ? for one.
type Pattern struct {
	Kind Kind
	Glob string
}

// ParsePattern reads a pattern: "ext-*@demo.example", "23*" (extensions), "+332983*" (DDIs), "aa:bb:cc:*" (devices), or with
// its kind in front: "user/svc-*", "extension/23*", "device/aabbcc*", "ddi/+332983*".
func ParsePattern(s string) (Pattern, error) {
	glob := strings.ToLower(strings.TrimSpace(s))
	if _, err := path.Match(glob, ""); err != nil || glob == "" {
		return Pattern{}, fmt.Errorf("pattern %q: want a login, number or address, in which * stands for any characters and ? for one", s)
	}
	if kind, rest, ok := strings.Cut(glob, "/"); ok {
		switch k := Kind(kind); k {
		case KindUser, KindExtension, KindDevice, KindDDI:
			return Pattern{k, plainGlob(k, rest)}, nil
		}
		return Pattern{}, fmt.Errorf("pattern %q: the kinds are user, extension, device and ddi", s)
	}
	k := guessKind(glob)
	return Pattern{k, plainGlob(k, glob)}, nil
}

// guessKind tells what a pattern without a kind is of.
func guessKind(glob string) Kind {
	switch {
	case strings.Contains(glob, "@"):
		return KindUser
	case strings.HasPrefix(glob, "+"):
		return KindDDI
	case strings.Trim(glob, "*?") == "":
		return KindUser
	case strings.Trim(glob, "0123456789*?") == "":
		return KindExtension
	case strings.ContainsAny(glob, ":") && strings.Trim(glob, "0123456789abcdef:*?") == "":
		return KindDevice
	}
	return KindUser
}

// plainGlob drops the signs that people put between the digits of an address.
func plainGlob(k Kind, glob string) string {
	if k == KindDevice && !strings.HasPrefix(glob, "ipei:") && !strings.HasPrefix(glob, "id:") {
		return macSeparators.Replace(glob)
	}
	return glob
}

func (p Pattern) String() string { return string(p.Kind) + "/" + p.Glob }

// MarshalText writes the pattern with its kind.
func (p Pattern) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads a pattern.
func (p *Pattern) UnmarshalText(b []byte) (err error) {
	*p, err = ParsePattern(string(b))
	return err
}

// Match tells whether the pattern names a thing. An extension is matched by its short number, on whatever PBX.
func (p Pattern) Match(k Key) bool {
	if k.Kind != p.Kind {
		return false
	}
	id := strings.ToLower(k.ID)
	if k.Kind == KindExtension {
		id = thingName(k)
	}
	ok, _ := path.Match(p.Glob, id) // checked when it was read
	return ok
}

// matching gives the first pattern that names a thing.
func matching(patterns []Pattern, k Key) (Pattern, bool) {
	for _, p := range patterns {
		if p.Match(k) {
			return p, true
		}
	}
	return Pattern{}, false
}

// Ceiling is how many operations of one kind and action a plan may have: the larger of Count and Percent of what is
// recorded.
type Ceiling struct {
	Kind   Kind
	Action Action
	Count  int
	// Percent of the recorded things of the kind.
	Percent float64
	// Off: there is no ceiling, not even the default one.
	Off bool
}

// ParseCeiling reads "delete-user=10", "detach-device=5%", "delete-user=10,5%" (the larger of the two) or
// "delete-user=off".
func ParseCeiling(s string) (Ceiling, error) {
	class, limit, ok := strings.Cut(strings.TrimSpace(s), "=")
	action, kind, _ := strings.Cut(class, "-")
	c := Ceiling{Kind: Kind(kind), Action: Action(action)}
	if _, known := table[c.Kind][c.Action]; !ok || !known {
		return Ceiling{}, fmt.Errorf("ceiling %q: want ACTION-KIND=LIMIT, such as delete-user=10, detach-device=5%%; a user is created, updated and deleted, "+
			"an extension that too, or attached and detached, a device, ddi and licence is attached and detached", s)
	}
	if limit == "off" {
		c.Off = true
		return c, nil
	}
	for _, part := range strings.Split(limit, ",") {
		percent, isPercent := strings.CutSuffix(strings.TrimSpace(part), "%")
		n, err := strconv.ParseFloat(percent, 64)
		if err != nil || n < 0 || n > 1e9 || isPercent && n > 100 || !isPercent && n != float64(int(n)) {
			return Ceiling{}, fmt.Errorf("ceiling %q: want a number, a share such as 5%%, both with a comma between (the larger counts), or off", s)
		}
		if isPercent {
			c.Percent = n
		} else {
			c.Count = int(n)
		}
	}
	return c, nil
}

// Class is the ceiling's kind and action as they are written: delete-user.
func (c Ceiling) Class() string { return string(c.Action) + "-" + string(c.Kind) }

func (c Ceiling) String() string {
	percent := strconv.FormatFloat(c.Percent, 'f', -1, 64) + "%"
	switch {
	case c.Off:
		return c.Class() + "=off"
	case c.Percent == 0:
		return c.Class() + "=" + strconv.Itoa(c.Count)
	case c.Count == 0:
		return c.Class() + "=" + percent
	}
	return c.Class() + "=" + strconv.Itoa(c.Count) + "," + percent
}

// MarshalText writes the ceiling as it is read.
func (c Ceiling) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads a ceiling.
func (c *Ceiling) UnmarshalText(b []byte) (err error) {
	*c, err = ParseCeiling(string(b))
	return err
}

// allows is how many operations the ceiling lets through when so many things are recorded.
func (c Ceiling) allows(recorded int) int {
	return max(c.Count, int(c.Percent*float64(recorded)/100))
}

// ParseMinimum reads "user=50": how many users must be left.
func ParseMinimum(s string) (int, error) {
	kind, count, _ := strings.Cut(strings.TrimSpace(s), "=")
	n, err := strconv.Atoi(count)
	if kind != string(KindUser) || err != nil || n < 0 {
		return 0, fmt.Errorf("minimum %q: want user=NUMBER, such as user=50", s)
	}
	return n, nil
}

// Prune says what becomes of users in the manifest's scope whom it does not name.
type Prune string

// The ways to prune.
const (
	// PruneOff: they are left alone.
	PruneOff Prune = ""
	// PruneDelete: they are deleted.
	PruneDelete Prune = "delete"
	// PruneDetach: they stay, and lose what the manifest gives and takes: extensions, devices, DDIs, pairings, licences.
	PruneDetach Prune = "detach"
)

// ParsePrune reads "off" (or nothing), "delete" or "detach".
func ParsePrune(s string) (Prune, error) {
	switch p := Prune(s); p {
	case PruneOff, PruneDelete, PruneDetach:
		return p, nil
	case "off":
		return PruneOff, nil
	}
	return PruneOff, fmt.Errorf("prune %q: want off, delete or detach", s)
}
