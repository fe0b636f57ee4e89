package sync

import "strings"

// What only declarative manifests say (YAML): whom they are for, and their own words for Rainbow's columns.

// checkCompany refuses a manifest that is for another company.
func (p *planner) checkCompany() {
	if want := p.desired.Company; want != "" && want != p.company.ID {
		s := &stance{at: p.desired.CompanyPosition}
		p.fault(s, "company", "other-company", "plan it for the company that it names, or correct the id", "the manifest is for company %s, and the plan for company %s", want, p.company.ID)
	}
}

// modeYAML is the mode of declarative manifests.
const modeYAML = "yaml"

// modeUser is the mode of rows whose actions are create, update and delete alone (mass provisioning guide).
const modeUser = "user"

// declaredWords are the keys of a declarative manifest for the columns of a row.
var declaredWords = map[string]string{
	"loginEmail": "login", "shortNumber": "extension", "macAddress": "devices", "ddiE164Number": "ddis", "service": "licences", "pbxShortNumber": "pairings",
}

// inYAML puts a hint about rows into words about entries.
var inYAML = strings.NewReplacer(
	"loginEmail", "login", "pbxShortNumber", "the pairing's shortNumber", "shortNumber", "extension", "ddiE164Number", "ddis", "macAddress", "devices",
	"the password column", "password", "password cell", "password", "the column empty", "the key out", "with upsert", "with an entry", "use upsert", "use an entry",
)

// words gives a fault's field and hint in the words of the manifest's form.
func (d *Desired) words(column, hint string) (field, words string) {
	if d.Mode != modeYAML {
		return column, hint
	}
	if key, ok := declaredWords[column]; ok {
		column = key
	}
	return column, inYAML.Replace(hint)
}
