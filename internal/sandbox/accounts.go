package sandbox

import (
	"cmp"
	"slices"
)

// Account is a seeded user whose password is known.
type Account struct {
	Login, Password string
	Roles           []string // as the guides name them: company_admin, not admin; user alone
	CompanyID       string
	CompanyName     string
}

// Accounts lists the seeded accounts that stand for a role and exist now, by
// company and login; the contract company's administrator is the first. The
// seeded users are not among them: see SeedLogin.
func (s *Sandbox) Accounts() []Account {
	s.store.mu.RLock()
	defer s.store.mu.RUnlock()
	w := s.store.world
	list := []Account{}
	for _, u := range w.usersByLogin.items {
		if seeded := u.ID > seedID(idUser, 0) && u.ID < seedID(idSubscriber, 0); seeded || u.PasswordHash != hashPassword(u.ID, AdminPassword) {
			continue
		}
		roles := u.actingRoles()
		if len(roles) > 1 {
			roles = slices.DeleteFunc(roles, func(r string) bool { return r == "user" }) // everybody is one
		}
		list = append(list, Account{u.LoginEmail, AdminPassword, roles, u.CompanyID, w.companyName(u.CompanyID)})
	}
	slices.SortStableFunc(list, func(a, b Account) int { return cmp.Compare(a.CompanyID, b.CompanyID) })
	return list
}
