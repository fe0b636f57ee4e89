package sync

import (
	"slices"
	"strconv"
	"strings"
)

// lists are the names of the attributes that a user has several of, numbered from 0: businessPhone0, businessPhone1, ...
// (massprovisioning guide, "Import users"). Upstream keeps each as a list, which has no gaps.
var lists = []string{"businessPhone", "mobilePhone", "email", "tags"}

// ListItem splits the name of an item of a list: "tags4" is 4 of tags.
func ListItem(name string) (list string, n int, ok bool) {
	for _, list := range lists {
		digits, found := strings.CutPrefix(name, list)
		if n, err := strconv.ParseUint(digits, 10, 16); found && err == nil {
			return list, int(n), true
		}
	}
	return "", 0, false
}

// completed lists the attributes that an entry asks for, with the places of its complete lists that are to be cleared.
func (u *DesiredUser) completed(user *User) []Attribute {
	if len(u.Lists) == 0 || user == nil {
		return u.Attributes
	}
	all := slices.Clone(u.Attributes)
	for _, a := range user.Attributes {
		list, _, ok := ListItem(a.Name)
		named := slices.ContainsFunc(u.Attributes, func(w Attribute) bool { return w.Name == a.Name })
		if ok && !named && slices.Contains(u.Lists, list) {
			all = append(all, Attribute{Name: a.Name})
		}
	}
	slices.SortFunc(all, func(a, b Attribute) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// checkLists refuses changes that leave a gap in a list. Upstream would close it, so that the manifest asked for something
// else again and again: a second business phone of a user who has no first becomes the first.
func (p *planner) checkLists(s *stance, changes []Change) {
	after := func(name string) string {
		for _, c := range changes {
			if c.Name == name {
				return c.After
			}
		}
		if s.user == nil {
			return ""
		}
		return s.user.Attribute(name)
	}
	for _, c := range changes {
		column := c.Name
		list, n, ok := ListItem(column)
		switch {
		case !ok:
		case c.After != "" && n > 0 && after(list+strconv.Itoa(n-1)) == "":
			p.fault(s, column, "list-gap", "fill the places in order and leave none out", "user %s would have a %s in place %d and none in place %d", s.login, list, n+1, n)
		case c.After == "" && after(list+strconv.Itoa(n+1)) != "":
			p.fault(s, column, "list-gap", "move the later ones up, and clear the last place", "user %s would keep a %s in place %d and lose that in place %d", s.login, list, n+2, n+1)
		}
	}
}
