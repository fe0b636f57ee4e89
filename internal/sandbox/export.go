package sandbox

import (
	"slices"
	"strconv"
	"strings"
)

// exportColumns is the layout of ExportUsers: that of a useranddevice sheet.
func exportColumns() []string {
	return []string{
		"loginEmail", "title", "firstName", "lastName", "nickName", "businessPhone0", "mobilePhone0", "email0", "jobTitle", "department",
		"userInfo1", "userInfo2", "country", "language", "timezone", "visibility", "isInitialized", "accountType", "ldap_id", "service0",
		"service1", "pbxId", "pbxShortNumber", "pbxInternalNumber", "number",
	}
}

// exportUsers answers ExportUsers. format json is an object keyed by login
// (the shape of the object is not documented), csv a list of lines, all both.
// Only users with an ldap_id are exported unless ldap_id=false.
func exportUsers(w *world, c *call) (any, error) {
	companyID, err := c.companyID(w)
	if err != nil {
		return nil, err
	}
	onlyLdap := c.query.flag("ldap_id")
	lines := []string{strings.Join(exportColumns(), ";")}
	objects := map[string]map[string]string{}
	for _, u := range w.usersByLogin.items {
		if u.CompanyID != companyID || (u.LdapID == "" && (onlyLdap == nil || *onlyLdap)) {
			continue
		}
		cells := w.exportCells(u)
		row := []string{}
		for _, name := range exportColumns() {
			row = append(row, quoteCell(cells[name]))
		}
		lines = append(lines, strings.Join(row, ";"))
		objects[u.LoginEmail] = cells
	}
	return c.exported(objects, lines), nil
}

func (w *world) exportCells(u *user) map[string]string {
	cells := map[string]string{
		"loginEmail": u.LoginEmail, "visibility": u.Visibility, "accountType": u.AccountType,
		"isInitialized": strconv.FormatBool(u.IsInitialized),
	}
	for name, field := range cellTexts(u) {
		cells[name] = *field
	}
	for _, n := range slices.Backward(u.Numbers) { // the first of each kind wins
		if n.Type == "work" && n.DeviceType == "landline" {
			cells["businessPhone0"] = n.NumberE164
		}
		if n.Type == "work" && n.DeviceType == "mobile" {
			cells["mobilePhone0"] = n.NumberE164
		}
	}
	for _, e := range slices.Backward(u.Emails) {
		if e.Type == "home" {
			cells["email0"] = e.Email
		}
	}
	for i, l := range u.Licences {
		if i < 2 {
			cells["service"+strconv.Itoa(i)] = w.offers.get(w.subscriptions.get(l.SubscriptionID).OfferID).Name
		}
	}
	for _, id := range slices.Backward(w.numbersOfUser[u.ID]) {
		n := w.pbxNumbers.get(id)
		cells["pbxId"], cells["pbxShortNumber"], cells["pbxInternalNumber"], cells["number"] = n.PbxID, n.ShortNumber, n.InternalNumber, n.Number
	}
	return cells
}

func quoteCell(s string) string {
	if strings.ContainsAny(s, ";\"%\n") {
		return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	return s
}

// exported renders the three formats of the exports: json, csv, all.
func (c *call) exported(objects any, lines []string) dataEnvelope {
	switch c.query.text("format") {
	case "csv":
		return dataEnvelope{lines}
	case "all":
		return dataEnvelope{map[string]any{"jsonContent": objects, "csvContent": lines}}
	}
	return dataEnvelope{objects}
}
