package sandbox

import "strings"

// reach says which companies a partner's role (bp_admin, bp_finance) covers in
// an operation; the guides word it differently for each portal.
type reach int

const (
	ownCompany   reach = 1 << iota // the partner's own
	endCustomers                   // companies that have the partner as their BP
	resellers                      // BP IR companies that have the partner as their BP

	allOfPartner = ownCompany | endCustomers | resellers
)

// permission is who may call an operation. An operation of an adminOnly route
// that is not listed is open to every administrator: the guides name no roles.
type permission struct {
	method, path string // below /api/rainbow
	roles        string // as the guides list them, separated by blanks
	partner      reach
}

// permissions is the one table of roles. "admin" stands for company_admin,
// organization_admin and site_admin, and lets a superadmin pass, as the error
// of the admin portal says (required role(s) admin,superadmin).
func permissions() []permission {
	list := append(voicePermissions(), adminPermissions()...)
	list = append(list, importPermissions()...)
	return append(list, commercePermissions()...)
}

const (
	readers = "superadmin support bp_admin organization_admin company_admin site_admin"
	writers = "superadmin bp_admin organization_admin company_admin"
)

func voicePermissions() []permission {
	const pbxs = "/rvcpprovisioning/v1.0/cloudpbxs"
	const pbx = pbxs + "/{systemId}"
	const extension = pbx + "/subscribers/{phoneNumberId}"
	return []permission{
		{"GET", pbxs, "superadmin support sales_analytics customer_success_admin bp_admin bp_analytics organization_admin company_admin site_admin", endCustomers},
		{"POST", pbxs, writers, endCustomers},
		{"GET", pbx, readers, endCustomers},
		{"PUT", pbx, writers, endCustomers},
		{"DELETE", pbx, "superadmin support bp_admin organization_admin company_admin", endCustomers},
		{"GET", pbx + "/barring-options", readers, endCustomers},
		{"GET", pbx + "/barring-options/custom-numbers-restriction", readers, endCustomers},
		{"PUT", pbx + "/barring-options/custom-numbers-restriction", writers, endCustomers},
		{"GET", pbx + "/cli-options", readers, endCustomers},
		{"PUT", pbx + "/cli-options", writers, endCustomers},
		{"GET", pbx + "/devicemodels", readers, endCustomers},
		{"GET", pbx + "/emergency-numbers", readers, endCustomers},
		{"GET", pbx + "/numbering-plan", readers, endCustomers},
		{"GET", pbx + "/languages", readers, endCustomers},
		{"GET", pbx + "/peer-authentication-options", readers, endCustomers},
		{"PUT", pbx + "/peer-authentication-options", writers, endCustomers},
		{"PUT", pbx + "/overflow", writers, endCustomers},
		{"GET", pbx + "/devices", readers, endCustomers},
		{"GET", extension + "/devices", readers, endCustomers},
		{"GET", extension + "/devices/{deviceId}", readers, endCustomers},
		{"GET", extension + "/registrations", readers, endCustomers},
		{"GET", "/rvcpprovisioning/v1.0/recordings", "superadmin organization_admin", 0},
		{"GET", "/rvcpprovisioning/v1.0/external-trunks", writers, allOfPartner},
	}
}

// adminPermissions: "support may only change the password" of a user is
// checked by updateUser.
func adminPermissions() []permission {
	const users = "/admin/v1.0/users"
	const user = users + "/{userId}"
	const systems = "/admin/v1.0/systems"
	const numbers = systems + "/{systemId}/phone-numbers"
	const userReaders = "superadmin support bp_admin bp_finance organization_admin company_admin site_admin"
	const userWriters = "superadmin bp_admin bp_finance organization_admin company_admin"
	return []permission{
		{"GET", users, userReaders, allOfPartner},
		{"POST", users, userWriters, allOfPartner},
		{"GET", user, userReaders, allOfPartner},
		{"PUT", user, "superadmin support bp_admin bp_finance organization_admin company_admin", allOfPartner},
		{"DELETE", user, userWriters, allOfPartner},
		{"GET", systems, readers, allOfPartner},
		{"GET", systems + "/{systemId}", readers, allOfPartner},
		{"GET", systems + "/pbxid/{pbxId}", readers, allOfPartner},
		{"GET", numbers, readers, allOfPartner},
		{"GET", numbers + "/{phoneNumberId}", readers, allOfPartner},
		{"PUT", numbers + "/{phoneNumberId}", writers + " site_admin", allOfPartner},
		{"GET", user + "/profiles", "superadmin support bp_admin bp_finance organization_admin company_admin", allOfPartner},
		{"POST", user + "/profiles/subscriptions/{subscriptionId}", userWriters, allOfPartner},
		{"DELETE", user + "/profiles/subscriptions/{subscriptionId}", userWriters, allOfPartner},
	}
}

// importPermissions: the guide speaks of the administrator and of his company.
func importPermissions() []permission {
	const users = "/massprovisioning/v1.0/users"
	const imports = users + "/imports"
	var list []permission
	for _, operation := range []string{
		"POST " + imports + "/check", "POST " + imports + "/synchronize/check", "DELETE " + imports + "/{reqId}/details",
		"GET " + imports + "/{reqId}/details", "GET " + imports + "/synchronize/check/{commandId}/report", "GET " + imports,
		"POST " + imports, "GET " + imports + "/synchronize/{commandId}/report", "POST " + imports + "/synchronize/{commandId}/report",
		"POST " + imports + "/synchronize", "GET " + users + "/template",
	} {
		method, path, _ := strings.Cut(operation, " ")
		list = append(list, permission{method, path, "admin", allOfPartner})
	}
	return list
}

// commercePermissions are those of the subscription and invoicing portals.
// Both further narrow them: see invoices, orders and quotations.
func commercePermissions() []permission {
	const company = "/subscription/v1.0/companies/{companyId}"
	const subscriptions = company + "/subscriptions"
	const one = subscriptions + "/{subscriptionId}"
	const all = "superadmin support business_admin bp_admin bp_finance organization_admin company_admin"
	const invoices = "/invoicing/v1.0/invoices"
	return []permission{
		{"GET", company + "/invoices", "superadmin bp_finance organization_admin", ownCompany},
		{"GET", company + "/invoices/files/{fileId}", "superadmin bp_finance organization_admin", ownCompany},
		{"GET", company + "/offers", all, allOfPartner},
		{"POST", company + "/quotations", "superadmin bp_finance", allOfPartner},
		{"GET", subscriptions, all, endCustomers},
		{"POST", subscriptions, "superadmin business_admin bp_finance", allOfPartner},
		{"GET", one, all, endCustomers},
		{"PUT", one, "superadmin business_admin bp_finance company_admin", endCustomers},
		{"DELETE", one, "superadmin business_admin bp_finance", endCustomers},
		{"GET", subscriptions + "/features", "superadmin support bp_admin bp_finance organization_admin company_admin user", endCustomers},
		{"GET", subscriptions + "/default", all, endCustomers},
		{"GET", subscriptions + "/prepaid", "superadmin support bp_finance company_admin", endCustomers},
		{"GET", one + "/users", "superadmin support bp_admin bp_finance organization_admin company_admin", endCustomers},
		{"GET", invoices, "superadmin bp_finance admin", ownCompany},
		{"GET", invoices + "/{invoicePath=**}", "superadmin bp_finance admin", ownCompany},
	}
}
