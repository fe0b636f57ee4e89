package sandbox

import (
	"slices"
	"strings"
)

// administrativeRoles are the roles that make a user an administrator; admin
// is completed by his adminType.
func administrativeRoles() []string {
	return []string{
		"superadmin", "support", "business_admin", "bp_admin", "bp_finance", "admin", "sales_analytics", "customer_success_admin", "bp_analytics",
	}
}

// isAdmin tells whether the user may call the provisioning portals at all.
func (u *user) isAdmin() bool {
	return slices.ContainsFunc(u.Roles, func(r string) bool { return slices.Contains(administrativeRoles(), r) })
}

// actingRoles lists the roles of a user as the guides name them: admin is
// replaced by its adminType.
func (u *user) actingRoles() []string {
	var roles []string
	for _, r := range u.Roles {
		if r == "admin" {
			r = u.AdminType
		}
		roles = append(roles, r)
	}
	return roles
}

// admittedRoles answers those of the user's roles that an operation asks for,
// none when he may not call it. p is nil where no roles are named.
func (u *user) admittedRoles(p *permission) []string {
	if p == nil {
		if !u.isAdmin() {
			return nil
		}
		return slices.DeleteFunc(u.actingRoles(), func(r string) bool { return r == "user" })
	}
	asked := strings.Fields(p.roles)
	return slices.DeleteFunc(u.actingRoles(), func(r string) bool {
		switch r {
		case "company_admin", "organization_admin", "site_admin", "superadmin":
			return !slices.Contains(asked, r) && !slices.Contains(asked, "admin")
		}
		return !slices.Contains(asked, r)
	})
}

// admitRoles refuses a caller without a role that the operation asks for.
func (c *call) admitRoles(need access) error {
	if need == anyUser {
		c.roles = c.caller.actingRoles()
		return nil
	}
	if c.roles = c.caller.admittedRoles(c.permission); len(c.roles) > 0 {
		return nil
	}
	if c.permission == nil {
		return c.roleMissing("admin", "superadmin")
	}
	return c.roleMissing(strings.Fields(c.permission.roles)...)
}

// roleMissing is the refusal of a caller who has none of the roles.
func (c *call) roleMissing(roles ...string) error {
	return forbidden(codeRoleMissing, "Access denied: user %s does not have required role(s) %s", c.caller.LoginEmail, strings.Join(roles, ","))
}

// actsAs tells whether the call was admitted for one of the roles.
func (c *call) actsAs(roles ...string) bool {
	return slices.ContainsFunc(c.roles, func(r string) bool { return slices.Contains(roles, r) })
}

// actsOnlyAs tells whether the call was admitted for this role alone.
func (c *call) actsOnlyAs(role string) bool {
	return !slices.ContainsFunc(c.roles, func(r string) bool { return r != role && r != "user" })
}

// inCharge refuses a company that none of the roles reaches for which the call
// was admitted.
func (c *call) inCharge(companyID string) error {
	if slices.ContainsFunc(c.roles, func(role string) bool { return c.reaches(role, companyID) }) {
		return nil
	}
	return forbidden(codeNotInCharge, "Access denied: user %s is not administrator of company %s", c.caller.LoginEmail, companyID)
}

func (c *call) reaches(role, companyID string) bool {
	switch role {
	case "superadmin", "support", "business_admin", "sales_analytics", "customer_success_admin":
		return true
	case "bp_admin", "bp_finance", "bp_analytics":
		return c.partnerReaches(companyID)
	case "organization_admin":
		return c.sameOrganisation(companyID)
	}
	return c.caller.CompanyID == companyID
}

// partnerReaches answers for the roles of partners. Who is organization_admin,
// too, acts for every BP company of his organisation (subscription guide).
func (c *call) partnerReaches(companyID string) bool {
	far := allOfPartner
	if c.permission != nil {
		far = c.permission.partner
	}
	for _, partner := range c.partners() {
		target := c.world.companies.get(companyID)
		switch {
		case companyID == partner:
			if far&ownCompany != 0 {
				return true
			}
		case target == nil || target.BpID != partner:
		case target.IsBP && far&resellers != 0, !target.IsBP && far&endCustomers != 0:
			return true
		}
	}
	return false
}

// partners lists the BP companies for which the caller acts.
func (c *call) partners() []string {
	list := []string{c.caller.CompanyID}
	if !slices.Contains(c.caller.actingRoles(), "organization_admin") {
		return list
	}
	for _, other := range c.world.companies.rows {
		if other.IsBP && other.ID != c.caller.CompanyID && c.sameOrganisation(other.ID) {
			list = append(list, other.ID)
		}
	}
	return list
}

// sameOrganisation tells whether a company is in the caller's organisation;
// his own always counts.
func (c *call) sameOrganisation(companyID string) bool {
	own, other := c.world.companies.get(c.caller.CompanyID), c.world.companies.get(companyID)
	if own == nil || other == nil {
		return false
	}
	return own.ID == other.ID || (own.OrganisationID != "" && own.OrganisationID == other.OrganisationID)
}

// inChargeOfSystem is inCharge for a PBX: a site_admin has those of his site
// (rvcpprovisioning guide).
func (c *call) inChargeOfSystem(y *system) error {
	if err := c.inCharge(y.CompanyID); err != nil {
		return err
	}
	if c.actsOnlyAs("site_admin") && !slices.Contains(y.SiteID, c.caller.SiteID) {
		return forbidden(codeNotInCharge, "Access denied: user %s is not administrator of the site of system %s", c.caller.LoginEmail, y.ID)
	}
	return nil
}

// inChargeOfUser is inCharge for a user: a site_admin has those of his site.
func (c *call) inChargeOfUser(u *user) error {
	if err := c.inCharge(u.CompanyID); err != nil {
		return err
	}
	if c.actsOnlyAs("site_admin") && u.SiteID != c.caller.SiteID {
		return forbidden(codeNotInCharge, "Access denied: user %s is not administrator of the site of user %s", c.caller.LoginEmail, u.ID)
	}
	return nil
}

// companiesAsked answers the companies of a list: the one of the query
// parameter, else all that the caller is in charge of.
func (c *call) companiesAsked(w *world) ([]string, error) {
	if id := c.query.text("companyId"); id != "" {
		return []string{id}, c.knownCompany(w, id)
	}
	return c.companiesInCharge(w), nil
}

func (c *call) companiesInCharge(w *world) []string {
	var list []string
	for _, company := range w.companies.all() {
		if c.inCharge(company.ID) == nil {
			list = append(list, company.ID)
		}
	}
	return list
}

// systemsAsked lists the PBXs of companiesAsked, without those of other sites
// than a site_admin's.
func (c *call) systemsAsked(w *world) ([]*system, error) {
	companies, err := c.companiesAsked(w)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(w.systems.all(), func(y *system) bool {
		return !slices.Contains(companies, y.CompanyID) || c.inChargeOfSystem(y) != nil
	}), nil
}

// permissionTable finds the permission of a route, whatever its variables are
// called.
type permissionTable map[string]*permission

func newPermissionTable() permissionTable {
	t := permissionTable{}
	for _, p := range permissions() {
		t[operationKey(p.method, p.path)] = &p
	}
	return t
}

func operationKey(method, path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if strings.HasPrefix(s, "{") {
			segments[i] = "{}"
		}
	}
	return method + " " + strings.Join(segments, "/")
}

// of answers nil where no roles are named.
func (t permissionTable) of(r route) *permission { return t[operationKey(r.method, r.path)] }

// supportMayOnly refuses members other than one to a caller who acts as
// support alone: it changes nothing of a user but his password (S2S).
func (c *call) supportMayOnly(member string, o *object) error {
	if !c.actsOnlyAs("support") {
		return nil
	}
	for name := range o.members {
		if name != member {
			return forbidden(codeAccessDenied, "Access denied: support may only change the %s of a user", member)
		}
	}
	return nil
}

// organisationOf answers the organisation of a company, "" when it has none.
func (w *world) organisationOf(companyID string) string {
	if c := w.companies.get(companyID); c != nil {
		return c.OrganisationID
	}
	return ""
}

// mayMakeAdmin keeps a company_admin from making an organization_admin, who
// would reach further than himself (ours).
func (c *call) mayMakeAdmin(next, prior *user) error {
	const wider = "organization_admin"
	if next.AdminType != wider || (prior != nil && prior.AdminType == wider) || c.actsAs("superadmin", "bp_admin", wider) {
		return nil
	}
	return c.roleMissing("superadmin", "bp_admin", wider)
}
