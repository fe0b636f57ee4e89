package sync

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Identity matching: who of the recorded users is an entry's user, when not the one with its login. It comes before
// everything else in planning, and asks two kinds of witnesses:
//
//   - A column that the policy or the manifest names as matching (userInfo1 with the staff number, say) is what the
//     administrator says identifies a person: a value that one entry and one recorded user have is sure. It is asked of
//     all entries, so that logins can move in chains and circles between users who exist.
//   - An extension or a DDI is asked only for an entry whose login does not exist, about a user whom the manifest does not
//     name, or deletes. Numbers go to successors too, so a number alone is never sure: when first and last name agree it
//     is the same person, when both differ it is another one and nothing is matched, and anything between is a doubt.
//
// A sure match is one rename. A doubt is listed for a human, and neither side is touched in that plan: the entry is held
// back, the recorded user is not deleted. That a wrong rename hands a mailbox to a stranger, and a wrong deletion loses
// it, while holding back costs one more look, is why doubts never resolve themselves.
//
// Rejected: scores (nobody can say beforehand what they will do), and devices as witnesses (phones stay at desks).

// MatchNumbers says what an extension or DDI proves of a user whose login is new.
type MatchNumbers string

// The values of MatchNumbers.
const (
	// MatchNames: the same user when first and last name agree, another when both differ, else a doubt. The default.
	MatchNames MatchNumbers = ""
	// MatchAlways: the same user unless first and last name differ.
	MatchAlways MatchNumbers = "always"
	// MatchNever: numbers prove nothing; the old user is deleted, and the new one created, as the manifest says.
	MatchNever MatchNumbers = "never"
)

// String is the word that ParseMatchNumbers reads.
func (m MatchNumbers) String() string { return cmp.Or(string(m), "names") }

// ParseMatchNumbers reads "names", "always" or "never"; empty is "names".
func ParseMatchNumbers(s string) (MatchNumbers, error) {
	switch m := MatchNumbers(s); m {
	case "names":
		return MatchNames, nil
	case MatchNames, MatchAlways, MatchNever:
		return m, nil
	}
	return "", fmt.Errorf("%q says nothing about numbers: want names, always or never", s)
}

// Doubt is an entry that may be a recorded user under another login. Neither is touched by the plan.
type Doubt struct {
	Login    Login    `json:"login"`
	Position Position `json:"position"`
	// Why in one sentence.
	Why string `json:"why"`
	// Candidates are the recorded users that it may be, by login.
	Candidates []Candidate `json:"candidates,omitempty"`
}

// Candidate is a recorded user who may be an entry's user, and what speaks for and against it.
type Candidate struct {
	Login   Login    `json:"login"`
	For     []string `json:"for"`
	Against []string `json:"against,omitempty"`
}

// claim is an entry that takes a recorded user for its own.
type claim struct {
	s       *stance
	user    *User
	because string
}

// matcher finds out who is who.
type matcher struct {
	*planner
	columns []string
	// entries lists the entries that have a value in a column, users the recorded users.
	entries map[Attribute][]*stance
	users   map[Attribute][]*User
	// claims are those made by columns, in manifest order.
	claims []*claim
	// sure are the claims that stand, by the entry's login; owner the same by the claimed user's login.
	sure, owner map[Login]*claim
	doubts      map[*stance]*Doubt
	// doubted are the recorded users that a doubtful entry may be.
	doubted map[Login]bool
}

// identify is the pass before the first: it gives entries the recorded users that they mean, and holds doubtful ones back.
func (p *planner) identify(queue []*stance) {
	m := &matcher{planner: p, sure: map[Login]*claim{}, owner: map[Login]*claim{}, doubts: map[*stance]*Doubt{}, doubted: map[Login]bool{}}
	m.columns = p.matchColumns(queue)
	var newcomers []*stance
	for _, s := range queue {
		if s.want.Presence == Present && s.user == nil {
			newcomers = append(newcomers, s)
		}
	}
	if len(m.columns) > 0 {
		m.index(queue)
		for _, s := range queue {
			if s.want.Presence == Present {
				m.askColumns(s)
			}
		}
	}
	for _, s := range queue {
		if s.want.Was == "" {
			continue
		}
		if u := find[User](p.obs, s.want.Was.Key()); u != nil {
			m.claims = append(m.claims, &claim{s, u, "called " + string(s.want.Was) + " now"})
		}
	}
	m.checkClaims()
	if p.policy.MatchNumbers != MatchNever {
		m.askNumbers(newcomers)
	}
	if len(m.sure)+len(m.doubts) > 0 {
		m.settle(queue)
	}
}

// matchColumns are the columns that the policy and the manifest name as matching. One that can't be compared is a fault.
func (p *planner) matchColumns(queue []*stance) []string {
	columns := slices.Clone(p.policy.Match)
	slices.Sort(columns)
	columns = slices.Compact(columns)
	for _, c := range columns {
		if !Matching(c) {
			p.faults = append(p.faults, Fault{Code: "match-column", Field: c, Message: fmt.Sprintf("column %q can't identify a user: upstream does not show it, or it is the login itself", c), Hint: "match by an attribute such as userInfo1"})
		} else if len(queue) > 0 && !slices.ContainsFunc(queue, func(s *stance) bool { return attributeOf(s.want, c) != "" }) {
			p.faults = append(p.faults, Fault{Code: "match-column", Field: c, Message: fmt.Sprintf("users are to be matched by column %q, and no entry of the manifest has a value in it", c), Hint: "fill the column, or match by another"})
		}
	}
	return columns
}

// Matching tells whether users can be matched by a column: an attribute that upstream shows.
func Matching(column string) bool {
	return column != "" && column != "loginEmail" && column != passwordField && !writeOnly(column)
}

// ParseMatch checks the name of a column by which users are to be matched.
func ParseMatch(column string) (string, error) {
	if !Matching(column) {
		return "", fmt.Errorf("%q can't identify a user: want an attribute that Rainbow shows, such as userInfo1", column)
	}
	return column, nil
}

func attributeOf(u *DesiredUser, name string) string {
	at, found := slices.BinarySearchFunc(u.Attributes, name, func(a Attribute, name string) int { return strings.Compare(a.Name, name) })
	if !found {
		return ""
	}
	return strings.TrimSpace(u.Attributes[at].Value)
}

// mark is a value as it is compared.
func mark(column, value string) Attribute {
	value = strings.TrimSpace(value)
	switch list, _, _ := ListItem(column); list {
	case "businessPhone", "mobilePhone":
		value = plainPhone(value)
	case "email":
		value = strings.ToLower(value)
	}
	return Attribute{column, value}
}

// index notes which entries and which recorded users have the same value in a matching column.
func (m *matcher) index(queue []*stance) {
	m.entries, m.users = map[Attribute][]*stance{}, map[Attribute][]*User{}
	for _, s := range queue {
		for _, c := range m.columns {
			if v := mark(c, attributeOf(s.want, c)); v.Value != "" && s.want.Presence == Present {
				m.entries[v] = append(m.entries[v], s)
			}
		}
	}
	for r := range m.obs.Records(KindUser) {
		u := r.(*User)
		for _, c := range m.columns {
			if v := mark(c, u.Attribute(c)); v.Value != "" && m.entries[v] != nil {
				m.users[v] = append(m.users[v], u)
			}
		}
	}
}

// askColumns finds the recorded user that an entry's matching columns name.
func (m *matcher) askColumns(s *stance) {
	found := map[Login]*Candidate{}
	users := map[Login]*User{}
	vague := ""
	for _, c := range m.columns {
		v := mark(c, attributeOf(s.want, c))
		for _, u := range m.users[v] {
			if u.Login == s.login {
				return // login and column agree
			}
			users[u.Login] = u
			candidate(found, u.Login).For = append(candidate(found, u.Login).For, fmt.Sprintf("the same %s %q", c, v.Value))
		}
		switch {
		case v.Value == "":
		case len(m.users[v]) > 1:
			vague = fmt.Sprintf("%d users have the %s %q", len(m.users[v]), c, v.Value)
		case len(m.users[v]) == 1 && len(m.entries[v]) > 1:
			vague = fmt.Sprintf("%d entries have the %s %q", len(m.entries[v]), c, v.Value)
		}
	}
	if len(found) == 0 {
		return
	}
	if vague == "" && len(found) > 1 {
		vague = "its columns name different users"
	}
	for l, c := range found {
		c.Against = m.contradictions(s, users[l])
		if vague == "" && len(c.Against) > 0 {
			vague = "its columns disagree"
		}
		if l == m.company.Account {
			vague = "nobody can change his own login, and that user is the account that the gateway works under"
		}
	}
	if vague != "" {
		m.doubt(s, vague, found)
		return
	}
	for l, c := range found {
		m.claims = append(m.claims, &claim{s, users[l], "matched by " + strings.ReplaceAll(strings.Join(c.For, " and "), "the same ", "")})
	}
}

func candidate(all map[Login]*Candidate, l Login) *Candidate {
	if all[l] == nil {
		all[l] = &Candidate{Login: l}
	}
	return all[l]
}

// contradictions lists the matching columns in which an entry and a user have different values.
func (m *matcher) contradictions(s *stance, u *User) []string {
	var all []string
	for _, c := range m.columns {
		a, b := attributeOf(s.want, c), u.Attribute(c)
		if a != "" && b != "" && mark(c, a) != mark(c, b) {
			all = append(all, fmt.Sprintf("%s is %q there and %q in the manifest", c, b, a))
		}
	}
	return all
}

// checkClaims keeps the claims by columns that agree with the logins of all who are concerned: the login that a user is to
// get is free or its user gets another one, and an entry with the login that he gives up means another user. Whatever
// hangs on a claim that falls, falls with it.
func (m *matcher) checkClaims() {
	rivals := map[Login]int{}
	for _, k := range m.claims {
		rivals[k.user.Login]++
		m.sure[k.s.login], m.owner[k.user.Login] = k, k
	}
	for left := slices.Clone(m.claims); len(left) > 0; {
		k := left[0]
		left = left[1:]
		if m.sure[k.s.login] != k {
			continue
		}
		why, against := m.obstacle(k)
		if n := rivals[k.user.Login]; n > 1 {
			why, against = fmt.Sprintf("%d entries may be %s", n, k.user.Login), "another entry claims him"
		}
		if why == "" {
			continue
		}
		delete(m.sure, k.s.login)
		delete(m.owner, k.user.Login)
		m.doubt(k.s, why, map[Login]*Candidate{k.user.Login: {Login: k.user.Login, For: []string{strings.Replace(k.because, "matched by", "the same", 1)}, Against: []string{against}}})
		for _, next := range []*claim{m.sure[k.user.Login], m.owner[k.s.login]} {
			if next != nil {
				left = append(left, next)
			}
		}
	}
}

// obstacle says why a claim can't stand.
func (m *matcher) obstacle(k *claim) (why, against string) {
	other := m.known(k.user.Login)
	switch {
	case m.doubted[k.user.Login]:
		return "another entry may be " + string(k.user.Login), "another entry may be him"
	case k.s.user != nil && m.owner[k.s.login] == nil:
		return "login and column name different users", fmt.Sprintf("%s exists, and no other entry is that user", k.s.login)
	case other != nil && other.want.Presence != Absent && m.sure[k.user.Login] == nil:
		return "login and column name different users", fmt.Sprintf("the entry at %s has his login, and is no other user", other.at)
	}
	return "", ""
}

// doubt holds an entry back.
func (m *matcher) doubt(s *stance, why string, candidates map[Login]*Candidate) {
	d := m.doubts[s]
	if d == nil {
		d = &Doubt{Login: s.login, Position: s.at, Why: why}
		m.doubts[s] = d
	}
	for _, l := range slices.Sorted(maps.Keys(candidates)) {
		d.Candidates = append(d.Candidates, *candidates[l])
		m.doubted[l] = true
	}
}

// settle carries the outcome over to the stances: renamed users are known by their recorded logins from here on, doubtful
// entries leave the plan, and whoever they may be is spared.
func (m *matcher) settle(queue []*stance) {
	for _, s := range queue {
		if m.doubts[s] == nil && m.doubted[s.login] && m.sure[s.login] == nil && m.blurs(s) {
			m.doubt(s, "another entry may be this user, and this one would change what tells them apart", nil)
		}
	}
	for _, s := range queue { // in manifest order
		if d := m.doubts[s]; d != nil {
			m.hold(s, *d)
		}
	}
	for _, s := range queue {
		if s.held || s.want.Presence != Absent || !m.doubted[s.login] {
			continue
		}
		m.hold(s, Doubt{Login: s.login, Position: s.at, Why: "another entry may be this user under a new login"})
	}
	for l := range m.doubted {
		m.spared[l] = "an entry of the manifest may be this user under a new login"
	}
	for _, s := range queue {
		k := m.sure[s.login]
		if k == nil {
			continue
		}
		if old := m.stances[k.user.Login]; old != nil && old.want.Presence == Absent {
			old.held = true
			m.note(old, fmt.Sprintf("is renamed to %s by the entry at %s, not deleted", s.login, s.at))
		}
		s.was, s.user, s.because = k.user.Login, k.user, k.because
		if m.stances[s.login] == s {
			delete(m.stances, s.login)
		}
	}
	for _, s := range queue {
		if s.was != "" {
			m.stances[s.was] = s
		}
	}
}

// blurs tells whether an entry changes a value by which its user is recognised.
func (m *matcher) blurs(s *stance) bool {
	return s.user != nil && slices.ContainsFunc(m.columns, func(c string) bool {
		return slices.ContainsFunc(s.want.Attributes, func(a Attribute) bool { return a.Name == c && mark(c, a.Value) != mark(c, s.user.Attribute(c)) })
	})
}

func (m *matcher) hold(s *stance, d Doubt) {
	s.held = true
	m.doubtful = append(m.doubtful, d)
	delete(m.stances, s.login)
	m.spared[s.login] = "its entry is held back"
	words := "neither is created, changed or deleted by this plan"
	if len(d.Candidates) == 0 {
		words = "it is left as it is"
	}
	var who []string
	for _, c := range d.Candidates {
		w := fmt.Sprintf("%s (%s", c.Login, strings.Join(c.For, ", "))
		if len(c.Against) > 0 {
			w += "; but " + strings.Join(c.Against, ", ")
		}
		who = append(who, w+")")
	}
	message := fmt.Sprintf("%s is held back: %s; %s", d.Login, d.Why, words)
	if len(who) > 0 {
		message = fmt.Sprintf("%s is held back, it may be %s: %s; %s", d.Login, strings.Join(who, " or "), d.Why, words)
	}
	m.remarks = append(m.remarks, Fault{Position: d.Position, Code: "match-doubtful", Message: message,
		Hint: "correct the manifest, or say who is who: --match COLUMN for a column that identifies people, --match-numbers always or never"})
}
