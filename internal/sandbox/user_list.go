package sandbox

import (
	"slices"
	"strings"
)

// userSortKeys are the sort fields of a user list beside displayName, its
// default.
func userSortKeys() map[string]func(*user) string {
	return map[string]func(*user) string{
		"loginEmail":   func(u *user) string { return u.LoginEmail },
		"firstName":    func(u *user) string { return strings.ToLower(u.FirstName) },
		"lastName":     func(u *user) string { return strings.ToLower(u.LastName) },
		"creationDate": func(u *user) string { return u.CreationDate },
		"id":           func(u *user) string { return u.ID },
	}
}

// listUsers answers ListUsers: filters and sort look at every user, once for
// all pages (listOnce).
func listUsers(w *world, c *call) (any, error) {
	companies := c.query.words("companyId")
	if len(companies) == 0 {
		companies = c.companiesInCharge(w)
	}
	for _, id := range companies {
		if id == terminatedCompanyID {
			continue
		}
		if err := c.knownCompany(w, id); err != nil {
			return nil, err
		}
	}
	base, keys := w.usersByName, userSortKeys()
	if c.query.text("sortField") == "loginEmail" {
		base = w.usersByLogin
		delete(keys, "loginEmail")
	}
	format := c.query.text("format")
	list := listOnce(w, c, func() []*user {
		return sortBy(c.query, filter(w.candidates(c, base), w.userFilters(c, companies)), keys)
	})
	return paged(list, c.query, func(u *user) any { return w.view(u, format) }), nil
}

// candidates are the users a list starts from: those with the asked logins, or
// everybody; terminated ones only when asked for.
func (w *world) candidates(c *call, base *order[user]) []*user {
	if logins := c.query.words("loginEmail"); len(logins) > 0 && !asksTerminated(c) {
		var list []*user
		for _, login := range logins {
			if u := w.userByLogin(login); u != nil && !slices.Contains(list, u) {
				list = append(list, u)
			}
		}
		slices.SortFunc(list, base.compare)
		return list
	}
	if !asksTerminated(c) {
		return base.items
	}
	list := w.users.all()
	slices.SortStableFunc(list, base.compare)
	return list
}

func asksTerminated(c *call) bool {
	return slices.ContainsFunc(c.query.words("isTerminated"), func(v string) bool { return v == "true" })
}

// userFilters are the conditions of a user list; none when the list is simply
// the company's users and there is no other company.
func (w *world) userFilters(c *call, companies []string) []func(*user) bool {
	q := c.query
	var keep []func(*user) bool
	add := func(f func(*user) bool) { keep = append(keep, f) }
	if w.otherCompanyUsers(companies) || asksTerminated(c) {
		add(func(u *user) bool { return slices.Contains(companies, u.CompanyID) || u.IsTerminated })
	}
	if c.actsOnlyAs("site_admin") {
		add(func(u *user) bool { return u.SiteID == c.caller.SiteID })
	}
	if wanted := q.words("isTerminated"); asksTerminated(c) && !slices.Contains(wanted, "false") {
		add(func(u *user) bool { return u.IsTerminated })
	}
	if logins := q.words("loginEmail"); len(logins) > 0 && asksTerminated(c) {
		add(func(u *user) bool { return containsFold(logins, u.LoginEmail) })
	}
	if wanted := q.words("email"); len(wanted) > 0 {
		add(func(u *user) bool {
			return slices.ContainsFunc(u.Emails, func(e email) bool { return containsFold(wanted, e.Email) })
		})
	}
	if word := strings.ToLower(q.text("searchEmail")); word != "" {
		add(func(u *user) bool { return strings.Contains(strings.ToLower(u.LoginEmail), word) })
	}
	if words := strings.Fields(strings.ToLower(q.text("displayName"))); len(words) > 0 {
		useEmails := q.flag("useEmails")
		add(func(u *user) bool {
			text := u.nameKey
			if useEmails != nil && *useEmails {
				text += " " + strings.ToLower(u.LoginEmail)
			}
			return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) })
		})
	}
	if wanted := q.words("tags"); len(wanted) > 0 {
		add(func(u *user) bool {
			return slices.ContainsFunc(u.Tags, func(t string) bool { return slices.Contains(wanted, t) })
		})
	}
	if wanted := q.words("departments"); len(wanted) > 0 {
		add(func(u *user) bool { return slices.Contains(wanted, u.Department) })
	}
	if wanted := q.words("phoneNumbers"); len(wanted) > 0 {
		add(func(u *user) bool { return w.hasNumber(u, wanted) })
	}
	if start := q.text("phoneNumber"); start != "" {
		add(func(u *user) bool { return w.hasInternalNumber(u, start) })
	}
	if roles := q.words("roles"); len(roles) > 0 && !slices.Equal(roles, []string{"user"}) {
		add(func(u *user) bool {
			return slices.ContainsFunc(u.Roles, func(r string) bool { return slices.Contains(roles, r) })
		})
	}
	if excluded := q.words("excludeRoles"); len(excluded) > 0 {
		add(func(u *user) bool {
			return !slices.ContainsFunc(u.Roles, func(r string) bool { return slices.Contains(excluded, r) })
		})
	}
	if wanted := q.text("jid_im"); wanted != "" {
		add(func(u *user) bool { return jidOf(u.ID) == wanted })
	}
	if wanted := q.text("jid_tel"); wanted != "" {
		add(func(u *user) bool { return "tel_"+jidOf(u.ID) == wanted })
	}
	if words := strings.Fields(strings.ToLower(q.text("companyName"))); len(words) > 0 {
		add(func(u *user) bool {
			name := strings.ToLower(w.companyName(u.CompanyID))
			return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(name, word) })
		})
	}
	return append(keep,
		equals(q, "visibility", func(u *user) string { return u.Visibility }),
		equals(q, "selectedAppCustomisationTemplate", func(u *user) string { return u.AppTemplate }),
		equals(q, "organisationId", func(u *user) string { return w.organisationOf(u.CompanyID) }),
		equals(q, "siteId", func(u *user) string { return u.SiteID }),
		flagFilter(q, "isActivated", func(u *user) bool { return u.FirstLoginDate != "" }),
	)
}

// otherCompanyUsers tells whether live users outside the asked companies exist.
func (w *world) otherCompanyUsers(companies []string) bool {
	for _, id := range w.companies.all() {
		if id.ID != terminatedCompanyID && !slices.Contains(companies, id.ID) && w.userCount[id.ID] > 0 {
			return true
		}
	}
	return false
}

func containsFold(list []string, s string) bool {
	return slices.ContainsFunc(list, func(v string) bool { return strings.EqualFold(v, s) })
}

// hasNumber is the exact filter phoneNumbers: shortNumber, internalNumber,
// number or numberE164.
func (w *world) hasNumber(u *user, wanted []string) bool {
	has := func(numbers ...string) bool {
		return slices.ContainsFunc(numbers, func(n string) bool { return n != "" && slices.Contains(wanted, n) })
	}
	if b := w.subscriberOf(u.ID); b != nil && has(b.ShortNumber) {
		return true
	}
	for _, id := range w.numbersOfUser[u.ID] {
		if n := w.pbxNumbers.get(id); has(n.ShortNumber, n.InternalNumber, n.Number, n.NumberE164) {
			return true
		}
	}
	for _, id := range w.ddisOfUser[u.ID] {
		if n := w.ddis.get(id); has(n.Number, n.NumberE164) {
			return true
		}
	}
	return slices.ContainsFunc(u.Numbers, func(n personalNumber) bool { return has(n.Number, n.NumberE164) })
}

// hasInternalNumber is the filter phoneNumber: internalNumber starts with.
func (w *world) hasInternalNumber(u *user, start string) bool {
	if b := w.subscriberOf(u.ID); b != nil && strings.HasPrefix(b.ShortNumber, start) {
		return true
	}
	return slices.ContainsFunc(w.numbersOfUser[u.ID], func(id string) bool {
		return strings.HasPrefix(w.pbxNumbers.get(id).InternalNumber, start)
	})
}
