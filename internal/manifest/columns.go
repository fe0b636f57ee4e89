package manifest

import (
	"strconv"
	"strings"
)

// role is what a column's cells mean to a row.
type role uint8

const (
	roleAttribute role = iota // descriptive: goes to the user as it is
	roleService               // names an offer
	roleAction
	roleLogin
	rolePassword
	roleShortNumber
	roleMAC
	roleDDI
	rolePbxID
	rolePbxShortNumber
	rolePbxInternalNumber
	rolePbxNumber
	roleReport // what became of the row, in a manifest that came back
	roleCount
)

// columnDef is a column of Rainbow's CSV, or a family of numbered ones.
type columnDef struct {
	name  string
	role  role
	modes modeSet
	// check gives the value in its normal form, or what is wrong with it.
	check func(*values, string) (string, *problem)
	// numbered columns carry a number behind the name, up to top. shifts: numbering starts at 0 or at 1, as the guide
	// says of businessPhone{n}, mobilePhone{n} and email{n}; a header without number 0 counts from 1.
	numbered bool
	top      int
	shifts   bool
}

// topNumber bounds the numbered columns of which the guide states no bound.
const topNumber = 99

// columns are those of all modes (mass provisioning guide, "Import CSV data" and "synchronize with CSV data"; Rainbow Node
// SDK, importRainbowVoiceUsersWithCSVdata and getCSVTemplate), in the order in which Export writes them.
// ldap_id is the hidden column of directory connectors (Rainbow Node SDK, synchronizeUsersAndDeviceswithCSV).
var columns = []columnDef{
	{name: "__action__", role: roleAction, modes: anyMode},
	{name: "loginEmail", role: roleLogin, modes: anyMode},
	{name: "shortNumber", role: roleShortNumber, modes: voiceMode},
	{name: "macAddress", role: roleMAC, modes: voiceMode},
	{name: "ddiE164Number", role: roleDDI, modes: voiceMode},
	{name: "pbxId", role: rolePbxID, modes: deviceMode | pairingMode},
	{name: "pbxShortNumber", role: rolePbxShortNumber, modes: deviceMode | pairingMode},
	{name: "pbxInternalNumber", role: rolePbxInternalNumber, modes: deviceMode | pairingMode},
	{name: "number", role: rolePbxNumber, modes: deviceMode | pairingMode},
	{name: "password", role: rolePassword, modes: peopleModes},
	{name: "title", modes: peopleModes, check: (*values).word},
	{name: "firstName", modes: peopleModes, check: (*values).word},
	{name: "lastName", modes: peopleModes, check: (*values).word},
	{name: "nickName", modes: peopleModes, check: (*values).word},
	{name: "businessPhone", modes: peopleModes, check: (*values).phone, numbered: true, top: topNumber, shifts: true},
	{name: "mobilePhone", modes: peopleModes, check: (*values).phone, numbered: true, top: topNumber, shifts: true},
	{name: "email", modes: peopleModes, check: (*values).email, numbered: true, top: topNumber, shifts: true},
	{name: "tags", modes: peopleModes, check: (*values).tag, numbered: true, top: 4},
	{name: "jobTitle", modes: peopleModes, check: (*values).word},
	{name: "department", modes: peopleModes, check: (*values).word},
	{name: "userInfo1", modes: peopleModes, check: (*values).text},
	{name: "userInfo2", modes: peopleModes, check: (*values).text},
	{name: "country", modes: peopleModes, check: (*values).country},
	{name: "language", modes: peopleModes, check: (*values).language},
	{name: "timezone", modes: peopleModes, check: (*values).timezone},
	{name: "visibility", modes: peopleModes, check: (*values).visibility},
	{name: "isInitialized", modes: peopleModes, check: (*values).boolean},
	{name: "authenticationType", modes: peopleModes, check: (*values).authenticationType},
	{name: "accountType", modes: peopleModes, check: (*values).accountType},
	{name: "photoUrl", modes: peopleModes, check: (*values).url},
	{name: "selectedAppCustomisationTemplateName", modes: userMode | pairingMode, check: (*values).text},
	{name: "ldap_id", modes: pairingMode, check: (*values).text},
	{name: "service", role: roleService, modes: peopleModes, check: (*values).text, numbered: true, top: topNumber},
}

// reportColumns are those that Annotate appends. Only together, in this order and at the end of a header are they known.
var reportColumns = [...]string{"action", "result", "message"}

var reportColumn = columnDef{name: "action, result, message", role: roleReport, modes: anyMode}

// lookupColumn finds the column with exactly that name, and its number if it is numbered.
func lookupColumn(name string) (*columnDef, int, bool) {
	for i := range columns {
		def := &columns[i]
		if !def.numbered {
			if def.name == name {
				return def, 0, true
			}
			continue
		}
		if n, ok := columnNumber(def.name, name); ok {
			return def, n, true
		}
	}
	return nil, 0, false
}

// columnNumber reads the number of a numbered column: decimal, without leading zeros.
func columnNumber(family, name string) (int, bool) {
	digits, ok := strings.CutPrefix(name, family)
	if !ok || digits == "" || len(digits) > 6 || len(digits) > 1 && digits[0] == '0' {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	return int(n), err == nil
}
