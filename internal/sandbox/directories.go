package sandbox

import (
	"net/http"
	"strings"
	"time"
)

// directoryEntry is a contact in the directory of a company.
type directoryEntry struct {
	ID           string   `json:"id"`
	CompanyID    string   `json:"companyId"`
	FirstName    string   `json:"firstName,omitempty"`
	LastName     string   `json:"lastName,omitempty"`
	CompanyName  string   `json:"companyName,omitempty"`
	Department   string   `json:"department,omitempty"`
	JobTitle     string   `json:"jobTitle,omitempty"`
	Street       string   `json:"street,omitempty"`
	City         string   `json:"city,omitempty"`
	State        string   `json:"state,omitempty"`
	PostalCode   string   `json:"postalCode,omitempty"`
	Country      string   `json:"country,omitempty"`
	Mail         string   `json:"eMail,omitempty"`
	Custom1      string   `json:"custom1,omitempty"`
	Custom2      string   `json:"custom2,omitempty"`
	LdapID       string   `json:"ldap_id,omitempty"`
	WorkPhones   []string `json:"workPhoneNumbers,omitempty"`
	MobilePhones []string `json:"mobilePhoneNumbers,omitempty"`
	OtherPhones  []string `json:"otherPhoneNumbers,omitempty"`
	Tags         []string `json:"tags,omitempty"`
}

// directoryImport is the last import into the directory of a company.
type directoryImport struct {
	CompanyID   string `json:"companyId"`
	UserID      string `json:"userId"`
	DisplayName string `json:"displayName"`
	Label       string `json:"label"`
	CSVHeaders  string `json:"csvHeaders"`
	StartTime   string `json:"startTime"`
	EndTime     string `json:"sandboxEndTime"` // its state is Creating until then
	Created     int    `json:"created"`
	Updated     int    `json:"updated"`
	Deleted     int    `json:"deleted"`
	Failed      int    `json:"failed"`
}

// directoryReport is an import as GetDirectoryImportStatus and the command
// reports show it.
type directoryReport struct {
	State       string `json:"state"`
	CompanyID   string `json:"companyId"`
	UserID      string `json:"userId"`
	DisplayName string `json:"displayName"`
	Label       string `json:"label"`
	CSVHeaders  string `json:"csvHeaders"`
	StartTime   string `json:"startTime"`
	Created     int    `json:"created"`
	Updated     int    `json:"updated"`
	Deleted     int    `json:"deleted"`
	Failed      int    `json:"failed"`
}

// The states of a directory import (Rainbow Node SDK).
const (
	directoryInitializing = "Initializing"
	directoryCreating     = "Creating"
	directorySucceeded    = "Completed successfully"
	directoryFailed       = "Completed with failure"
)

func directoryRoutes() []route {
	const base = "/massprovisioning/v1.0/directories"
	const imports = base + "/imports"
	return []route{
		{http.MethodPost, imports, adminOnly, true, importDirectory},
		{http.MethodGet, imports + "/{companyId}", adminOnly, false, getDirectoryImport},
		{http.MethodPost, imports + "/synchronize", adminOnly, true, synchronizeDirectory},
		{http.MethodPost, imports + "/synchronize/check", adminOnly, true, checkDirectory},
		{http.MethodGet, imports + "/synchronize/{commandId}/report", adminOnly, false, getDirectoryReport},
		{http.MethodPost, imports + "/synchronize/{commandId}/report", adminOnly, true, createDirectoryReport},
		{http.MethodGet, base + "/synchronize", adminOnly, false, exportDirectory},
	}
}

// commandDirectory is the kind of the commands of directories.
const commandDirectory = "directory"

// importDirectory answers ImportDirectory: every row makes an entry. The rows
// are carried out at once, the state follows ImportDelay.
func importDirectory(w *world, c *call) (any, error) {
	companyID, err := c.companyID(w)
	if err != nil {
		return nil, err
	}
	s, err := c.directorySheet("create")
	if err != nil {
		return nil, err
	}
	i := w.runDirectory(c, s, companyID, func(cellsByName) string { return "create" })
	report := i.report(c.now)
	report.State = directoryInitializing
	return data(report), nil
}

// synchronizeDirectory answers SynchronizeDirectory: rows upsert or delete the
// entry of their ldap_id.
func synchronizeDirectory(w *world, c *call) (any, error) {
	s, err := c.directorySheet("")
	if err != nil {
		return nil, err
	}
	i := w.runDirectory(c, s, c.caller.CompanyID, directoryAction)
	report := i.report(c.now)
	w.noteCommand(c, commandDirectory, command{Status: i.outcome(), Report: report})
	return data(report), nil
}

// directoryAction is what a row of a synchronisation asks for.
func directoryAction(cells cellsByName) string {
	if a := cells["__action__"]; a != "" {
		return a
	}
	return "upsert"
}

// directorySheet parses the body; only "create" has no action column.
func (c *call) directorySheet(action string) (*sheet, error) {
	s, err := parseTable(string(c.body), c.query.text("delimiter"), c.query.text("comment"))
	if err != nil {
		return nil, err
	}
	var faults []paramError
	for _, column := range s.columns {
		family := strings.TrimRight(column.name, "0123456789")
		e := &directoryEntry{}
		known := e.texts()[column.name] != nil || (e.lists()[family] != nil && family != column.name) || (column.name == "__action__" && action == "")
		if !known {
			faults = append(faults, paramError{"columns", "column is unknown in a directory", column.name})
		}
	}
	if action == "" && !s.has("ldap_id") {
		faults = append(faults, paramError{"columns", "column ldap_id is mandatory", nil})
	}
	if len(faults) > 0 {
		return nil, badParams(faults)
	}
	return s, nil
}

// texts and lists name the columns of an entry; those of lists are numbered.
func (e *directoryEntry) texts() map[string]*string {
	return map[string]*string{
		"firstName": &e.FirstName, "lastName": &e.LastName, "companyName": &e.CompanyName, "department": &e.Department,
		"jobTitle": &e.JobTitle, "street": &e.Street, "city": &e.City, "state": &e.State, "postalCode": &e.PostalCode,
		"country": &e.Country, "eMail": &e.Mail, "custom1": &e.Custom1, "custom2": &e.Custom2, "ldap_id": &e.LdapID,
	}
}

func (e *directoryEntry) lists() map[string]*[]string {
	return map[string]*[]string{
		"workPhoneNumber": &e.WorkPhones, "mobilePhoneNumber": &e.MobilePhones, "otherPhoneNumber": &e.OtherPhones, "tags": &e.Tags,
	}
}

// runDirectory carries out a sheet and keeps its outcome.
func (w *world) runDirectory(c *call, s *sheet, companyID string, action func(cellsByName) string) *directoryImport {
	headers := []string{}
	for _, column := range s.columns {
		headers = append(headers, column.name)
	}
	label := c.query.text("label")
	if label == "" {
		label = "none"
	}
	i := &directoryImport{
		CompanyID: companyID, UserID: c.caller.ID, DisplayName: c.caller.DisplayName, Label: label, CSVHeaders: strings.Join(headers, s.delimiter),
		StartTime: timestamp(c.now), EndTime: timestamp(c.now.Add(c.sandbox.options.ImportDelay)),
	}
	for _, row := range s.rows {
		if row.fault != "" {
			i.Failed++
			continue
		}
		w.directoryRow(i, action(s.byName(row)), s, row)
	}
	w.directoryImports.put(i)
	return i
}

func (w *world) directoryRow(i *directoryImport, action string, s *sheet, row sheetRow) {
	prior := w.directoryEntryOf(i.CompanyID, s.byName(row)["ldap_id"])
	next := &directoryEntry{}
	if prior != nil && action != "create" {
		copied := *prior
		next = &copied
	}
	next.read(s, row)
	switch {
	case action == "delete" && prior != nil:
		w.directoryEntries.remove(prior.ID)
		i.Deleted++
	case action == "create" && next.complete(), action == "upsert" && next.LdapID != "" && prior == nil && next.complete():
		next.ID, next.CompanyID = w.newID(idPartner), i.CompanyID
		w.directoryEntries.put(next)
		i.Created++
	case action == "upsert" && prior != nil:
		w.directoryEntries.put(next)
		i.Updated++
	default:
		i.Failed++
	}
}

func (w *world) directoryEntryOf(companyID, ldapID string) *directoryEntry {
	for _, e := range w.directoryEntries.rows {
		if ldapID != "" && e.CompanyID == companyID && e.LdapID == ldapID {
			return e
		}
	}
	return nil
}

// read applies the filled cells of a row; a list that has a filled cell is
// replaced.
func (e *directoryEntry) read(s *sheet, row sheetRow) {
	fresh := map[string][]string{}
	for i, column := range s.columns {
		value := row.cells[i]
		if value == "" {
			continue
		}
		if text := e.texts()[column.name]; text != nil {
			*text = value
			continue
		}
		family := strings.TrimRight(column.name, "0123456789")
		fresh[family] = append(fresh[family], value)
	}
	for family, values := range fresh {
		if list := e.lists()[family]; list != nil {
			*list = values
		}
	}
}

// complete tells whether an entry can be shown: it has a name (of a person or
// of a company) and a phone number (ours).
func (e *directoryEntry) complete() bool {
	named := e.FirstName != "" || e.LastName != "" || e.CompanyName != ""
	return named && len(e.WorkPhones)+len(e.MobilePhones)+len(e.OtherPhones) > 0
}

func (i *directoryImport) report(now time.Time) directoryReport {
	state := directorySucceeded
	switch {
	case timestamp(now) < i.EndTime:
		state = directoryCreating
	case i.Failed > 0:
		state = directoryFailed
	}
	return directoryReport{
		state, i.CompanyID, i.UserID, i.DisplayName, i.Label, i.CSVHeaders, i.StartTime, i.Created, i.Updated, i.Deleted, i.Failed,
	}
}

func (i *directoryImport) outcome() string {
	if i.Failed > 0 {
		return "failure"
	}
	return "success"
}

func getDirectoryImport(w *world, c *call) (any, error) {
	company, err := c.companyInPath(w)
	if err != nil {
		return nil, err
	}
	i := w.directoryImports.get(company.ID)
	if i == nil {
		return nil, notFound("Company %s has no directory import.", company.ID)
	}
	return data(i.report(c.now)), nil
}

// checkDirectory answers CheckDirectorySynchronize: the actions of a sheet; it
// changes no entry.
func checkDirectory(w *world, c *call) (any, error) {
	s, err := c.directorySheet("")
	if err != nil {
		return nil, err
	}
	actions := map[string]int{}
	for _, row := range s.rows {
		if row.fault == "" {
			actions[directoryAction(s.byName(row))]++
		}
	}
	summary := map[string]any{
		"reqId": hashKey(string(c.body)), "mode": "directory", "actions": actions, "columns": len(s.columns), "delimiter": s.delimiter,
	}
	w.noteCommand(c, commandDirectory, command{Status: "success", Report: summary})
	return data(summary), nil
}

func getDirectoryReport(w *world, c *call) (any, error) {
	kept := w.commands.get(commandDirectory + "/" + c.path["commandId"])
	if kept == nil {
		return nil, notFound("No report exists for commandId %s.", c.path["commandId"])
	}
	return commandAnswer{kept.Status, kept.Report}, nil
}

// createDirectoryReport answers CreateDirectorySynchronizeReport.
func createDirectoryReport(w *world, c *call) (any, error) {
	o := c.object()
	o.require("status", "details")
	kept := command{ID: commandDirectory + "/" + c.path["commandId"]}
	o.enum("status", &kept.Status, "success", "failure")
	o.text("details", &kept.Details)
	if err := o.fault(); err != nil {
		return nil, err
	}
	kept.Report = map[string]any{"details": kept.Details}
	w.commands.put(&kept)
	return commandAnswer{kept.Status, kept.Report}, nil
}

// directoryColumns is the layout of ExportDirectory.
func directoryColumns() []string {
	return []string{
		"firstName", "lastName", "companyName", "department", "jobTitle", "street", "city", "state", "postalCode", "country", "eMail",
		"workPhoneNumber0", "mobilePhoneNumber0", "otherPhoneNumber0", "tags0", "custom1", "custom2", "ldap_id",
	}
}

// exportDirectory answers ExportDirectory, in the shapes of ExportUsers: json
// is an object keyed by ldap_id (else the id of the entry), csv a list of
// lines.
func exportDirectory(w *world, c *call) (any, error) {
	companyID, err := c.companyID(w)
	if err != nil {
		return nil, err
	}
	onlyLdap := c.query.flag("ldap_id")
	lines := []string{strings.Join(directoryColumns(), ";")}
	objects := map[string]map[string]string{}
	for _, e := range w.directoryEntries.all() {
		if e.CompanyID != companyID || (e.LdapID == "" && (onlyLdap == nil || *onlyLdap)) {
			continue
		}
		cells := e.cells()
		row := []string{}
		for _, name := range directoryColumns() {
			row = append(row, quoteCell(cells[name]))
		}
		lines = append(lines, strings.Join(row, ";"))
		key := e.LdapID
		if key == "" {
			key = e.ID
		}
		objects[key] = cells
	}
	return c.exported(objects, lines), nil
}

func (e *directoryEntry) cells() map[string]string {
	cells := map[string]string{}
	for name, text := range e.texts() {
		cells[name] = *text
	}
	for family, list := range e.lists() {
		if len(*list) > 0 {
			cells[family+"0"] = (*list)[0]
		}
	}
	return cells
}
