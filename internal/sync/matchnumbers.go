package sync

import (
	"fmt"
	"slices"
	"strings"
)

// What the extension and the DDIs of an entry prove of who its user is (match.go has the rest).

// byNumber are the users whose numbers an entry asks for, and with which of them its names agree.
type byNumber struct {
	found map[Login]*Candidate
	agree map[Login]bool
}

// askNumbers finds recorded users by the extension and the DDIs that entries with new logins ask for.
func (m *matcher) askNumbers(newcomers []*stance) {
	answers := map[*stance]byNumber{}
	rivals := map[Login]int{}
	for _, s := range newcomers {
		if m.sure[s.login] != nil || m.doubts[s] != nil {
			continue
		}
		if v := m.compareHolders(s); len(v.found) > 0 {
			answers[s] = v
			for l := range v.found {
				rivals[l]++
			}
		}
	}
	for _, s := range newcomers {
		v, found := answers[s]
		if !found {
			continue
		}
		if why := m.numbersDoubt(v, rivals); why != "" {
			m.doubt(s, why, v.found)
			continue
		}
		for l, c := range v.found { // the only one
			k := &claim{s, find[User](m.obs, l.Key()), "matched by " + strings.ReplaceAll(strings.Join(c.For, " and "), "the same ", "")}
			m.sure[s.login], m.owner[l] = k, k
		}
	}
}

// compareHolders compares an entry's names with those of the users whose numbers it asks for. Whose names both differ is
// somebody else.
func (m *matcher) compareHolders(s *stance) byNumber {
	v := byNumber{m.holders(s), map[Login]bool{}}
	for l, c := range v.found {
		agreement := compareNames(s.want, find[User](m.obs, l.Key()))
		switch {
		case agreement == namesDiffer || m.owner[l] != nil:
			delete(v.found, l)
		case agreement == namesAgree:
			v.agree[l] = true
			c.For = append(c.For, "the same first and last name")
		case agreement == namesPartly:
			c.Against = append(c.Against, "first or last name differs")
		default:
			c.Against = append(c.Against, "there are no names to compare")
		}
	}
	return v
}

// numbersDoubt says why numbers do not tell who an entry is; empty when they do.
func (m *matcher) numbersDoubt(v byNumber, rivals map[Login]int) string {
	if len(v.found) > 1 {
		return "its numbers are held by different users"
	}
	for l := range v.found {
		switch {
		case rivals[l] > 1:
			return fmt.Sprintf("%d entries may be %s", rivals[l], l)
		case m.doubted[l]:
			return "another entry may be " + string(l)
		case l == m.company.Account:
			return "nobody can change his own login, and that user is the account that the gateway works under"
		case !v.agree[l] && m.policy.MatchNumbers != MatchAlways:
			return "a number alone does not tell a new login from a successor"
		}
	}
	return ""
}

// holders are the users who hold a number that an entry asks for, and whom the manifest does not name, or deletes.
func (m *matcher) holders(s *stance) map[Login]*Candidate {
	found := map[Login]*Candidate{}
	add := func(k Key, words string) {
		r := m.obs.Record(k)
		if r == nil || r.HeldBy() == "" {
			return
		}
		if e, ok := r.(*Extension); ok && e.Role != RoleSubscriber {
			return
		}
		u := find[User](m.obs, r.HeldBy().Key())
		if other := m.stances[r.HeldBy()]; u == nil || other != nil && other.want.Presence != Absent || other == nil && m.planner.names(r.HeldBy()) || len(m.contradictions(s, u)) > 0 {
			return
		}
		c := candidate(found, u.Login)
		c.For = append(c.For, words)
	}
	if m.company.CloudPbx != nil {
		for _, n := range s.want.Subscriber.named() {
			add(m.subscriberKey(n), "the same extension "+string(n))
		}
	}
	for _, n := range s.want.DDIs.named() {
		add(n.Key(), "the same DDI "+string(n))
	}
	return found
}

// agreement is how the names of two people compare.
type agreement int

const (
	namesUnknown agreement = iota
	namesAgree
	namesPartly
	namesDiffer
)

// compareNames compares first and last names, without case and superfluous blanks. One that is missing on either side
// leaves it unknown.
func compareNames(want *DesiredUser, u *User) agreement {
	same := 0
	for _, name := range []string{"firstName", "lastName"} {
		a, b := strings.Fields(attributeOf(want, name)), strings.Fields(u.Attribute(name))
		if len(a) == 0 || len(b) == 0 {
			return namesUnknown
		}
		if slices.EqualFunc(a, b, strings.EqualFold) {
			same++
		}
	}
	return []agreement{namesDiffer, namesPartly, namesAgree}[same]
}
