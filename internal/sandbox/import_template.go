package sandbox

import (
	"slices"
	"strings"
)

// templateColumn documents one column of a template.
type templateColumn struct{ name, sample, text string }

func userTemplate() []templateColumn {
	return []templateColumn{
		{"loginEmail", "alice.johns@company.example", "e-mail address, login of the user (mandatory)"},
		{"password", "AzertY10*", "at least 8 characters with 1 capital, 1 digit, 1 special (optional for an existing user)"},
		{"title", "Mrs", "text (optional)"},
		{"firstName", "Alice", "text (optional)"},
		{"lastName", "Johns", "text (optional)"},
		{"nickName", "alicej", "text (optional)"},
		{"businessPhone0", "+33199000901", "E.164 number (optional)"},
		{"mobilePhone0", "+33639980901", "E.164 number (optional)"},
		{"email0", "alice@home.example", "e-mail address (optional)"},
		{"jobTitle", "Logistic", "text (optional)"},
		{"department", "Supply", "text (optional)"},
		{"country", "FRA", "ISO 3166-1 alpha-3 (optional)"},
		{"language", "fr-FR", "ISO 639-1, with an optional region (optional)"},
		{"timezone", "Europe/Paris", "IANA name (optional)"},
	}
}

func pairingTemplate() []templateColumn {
	return []templateColumn{
		{"pbxId", EquippedPbxPbxID, "PBX identifier"},
		{"pbxShortNumber", "3001", "PBX extension"},
		{"pbxInternalNumber", "", "private number when it differs from the extension (optional)"},
		{"number", "", "DDI number (optional)"},
	}
}

// template answers the columns of a mode, without __action__, and the actions
// of its three sample rows.
func template(mode string) (columns []templateColumn, actions []string) {
	switch mode {
	case modeDevice:
		return append(userTemplate()[:1], pairingTemplate()...), []string{"attach", "force_attach", "detach"}
	case modeUserAndDevice:
		return append(userTemplate(), pairingTemplate()...), []string{"sync", "upsert", "delete"}
	case modeRainbowVoice:
		voice := []templateColumn{
			{"shortNumber", "81011", "extension, within the numbering plan of the Cloud PBX (optional)"},
			{"macAddress", "aa:bb:cc:dd:ee:02", "MAC address of an existing SIP device (optional)"},
			{"ddiE164Number", "33298300513", "E.164 number of an existing DDI (optional)"},
			{"service0", "Enterprise Demo", "name of a company offer (optional)"},
		}
		return append(userTemplate(), voice...), []string{"upsert", "detach", "delete"}
	}
	return userTemplate(), []string{"create", "update", "delete"}
}

// getUsersTemplate answers GetUsersTemplate: header, three sample rows and a
// comment block that documents the columns; with comment=true only the block.
func getUsersTemplate(w *world, c *call) (any, error) {
	if _, err := c.companyID(w); err != nil {
		return nil, err
	}
	mode := c.query.text("mode")
	if mode == "" {
		mode = modeUser
	}
	if !slices.Contains([]string{modeUser, modeDevice, modeUserAndDevice, modeRainbowVoice}, mode) {
		return nil, badParam("mode", "mode must be one of user, device, useranddevice, rainbowvoice", mode)
	}
	columns, actions := template(mode)
	var b strings.Builder
	if only := c.query.flag("comment"); only == nil || !*only {
		writeSamples(&b, columns, actions)
	}
	b.WriteString("% __action__: " + strings.Join(actions, ", ") + "\n")
	for _, column := range columns {
		b.WriteString("% " + column.name + ": " + column.text + "\n")
	}
	return &rawAnswer{
		contentType: "text/csv; charset=utf-8", disposition: `attachment; filename="template.csv"`, body: []byte(b.String()),
	}, nil
}

func writeSamples(b *strings.Builder, columns []templateColumn, actions []string) {
	names := []string{"__action__"}
	for _, column := range columns {
		names = append(names, column.name)
	}
	b.WriteString(strings.Join(names, ";") + "\n")
	for i, action := range actions {
		row := []string{action}
		for j, column := range columns {
			switch {
			case j == 0:
				row = append(row, []string{column.sample, "eric.lasalle@company.example", "carol.jenkins@company.example"}[i])
			case i == 0, column.name == "pbxId" || column.name == "pbxShortNumber" && action != "delete":
				row = append(row, column.sample)
			case column.name == "shortNumber" && action == "detach":
				row = append(row, "81012")
			default:
				row = append(row, "")
			}
		}
		b.WriteString(strings.Join(row, ";") + "\n")
	}
	b.WriteString("\n")
}
