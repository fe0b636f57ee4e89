package sandbox

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
)

// importJob is one import: its request while it is Pending, its result after.
type importJob struct {
	ReqID       string         `json:"reqId"` // SHA-256 of the body, in hexadecimal
	Seq         int            `json:"seq"`   // order of arrival
	Mode        string         `json:"mode"`
	Status      string         `json:"status"`
	CompanyID   string         `json:"companyId"`
	UserID      string         `json:"userId"`
	DisplayName string         `json:"displayName"`
	Label       string         `json:"label"`
	StartTime   string         `json:"startTime"`
	EndTime     string         `json:"endTime,omitempty"`
	NoStrict    bool           `json:"nostrict,omitempty"`
	Delimiter   string         `json:"delimiter"`
	Comment     string         `json:"comment"`
	Body        string         `json:"body,omitempty"` // dropped when the import has ended
	Profiles    []profileUsage `json:"profiles,omitempty"`
}

const (
	statusPending    = "Pending"
	statusTerminated = "Terminated"
)

// importRow is the outcome of one data row.
type importRow struct {
	ReqID      string      `json:"reqId"`
	Index      int         `json:"index"`
	Status     string      `json:"status"` // succeeded or failed
	Action     string      `json:"action"`
	UserID     string      `json:"userId,omitempty"`
	Line       string      `json:"line,omitempty"` // of a failed row
	ErrorCode  int         `json:"errorCode,omitempty"`
	ErrorMsg   string      `json:"errorMsg,omitempty"`
	Warning    string      `json:"warning,omitempty"`
	Subscriber *partReport `json:"subscriberReport,omitempty"`
	SipDevice  *partReport `json:"sipDeviceReport,omitempty"`
	Ddi        *partReport `json:"ddiReport,omitempty"`
}

// partReport is the outcome of one part of a rainbowvoice row.
type partReport struct {
	Status  string `json:"status"`
	Code    int    `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
}

func (r *importRow) id() string { return fmt.Sprintf("%s/%08d", r.ReqID, r.Index) }

type importCounters struct {
	Succeeded int `json:"succeeded"`
	Failed    int `json:"failed"`
	Warnings  int `json:"warnings"`
	Total     int `json:"total"`
}

// wireImports keeps the rows of each import in order.
func (w *world) wireImports() {
	w.rowsOfImport = map[string][]*importRow{}
	w.importRows.changed = func(prior, next *importRow) {
		switch {
		case next != nil:
			w.rowsOfImport[next.ReqID] = append(w.rowsOfImport[next.ReqID], next)
		case prior != nil:
			delete(w.rowsOfImport, prior.ReqID)
		}
	}
}

func (w *world) countersOf(reqID string) importCounters {
	var n importCounters
	for _, r := range w.rowsOfImport[reqID] {
		n.Total++
		if r.Status == rowFailed {
			n.Failed++
		} else {
			n.Succeeded++
		}
		if r.Warning != "" {
			n.Warnings++
		}
	}
	return n
}

func importRoutes() []route {
	const base = "/massprovisioning/v1.0"
	const imports = base + "/users/imports"
	return []route{
		{http.MethodGet, base + "/about", open, false, about("1.170.1", "Rainbow Mass Provisioning Portal (sandbox)")},
		{http.MethodGet, base + "/users/template", adminOnly, false, getUsersTemplate},
		{http.MethodGet, base + "/users/synchronize", adminOnly, false, exportUsers},
		{http.MethodGet, imports, adminOnly, false, listUsersImports},
		{http.MethodPost, imports, adminOnly, true, startImport("")},
		{http.MethodPost, imports + "/check", adminOnly, false, checkImport("")},
		{http.MethodPost, imports + "/synchronize", adminOnly, true, startImport(modeUserAndDevice)},
		{http.MethodPost, imports + "/synchronize/check", adminOnly, true, checkImport(modeUserAndDevice)},
		{http.MethodGet, imports + "/synchronize/check/{commandId}/report", adminOnly, false, commandReport(commandCheck)},
		{http.MethodGet, imports + "/synchronize/{commandId}/report", adminOnly, false, commandReport(commandImport)},
		{http.MethodPost, imports + "/synchronize/{commandId}/report", adminOnly, true, createCommandReport},
		{http.MethodPost, imports + "/rainbowvoice", adminOnly, true, startImport(modeRainbowVoice)},
		{http.MethodPost, imports + "/rainbowvoice/check", adminOnly, false, checkImport(modeRainbowVoice)},
		{http.MethodGet, imports + "/{reqId}/details", adminOnly, false, getImportReport},
		{http.MethodDelete, imports + "/{reqId}/details", adminOnly, true, deleteImportReport},
	}
}

// importSummary is the answer of the import operations and the head of a
// report.
type importSummary struct {
	ReqID       string `json:"reqId"`
	Mode        string `json:"mode"`
	Status      string `json:"status"`
	UserID      string `json:"userId"`
	DisplayName string `json:"displayName"`
	Label       string `json:"label"`
	StartTime   string `json:"startTime"`
	EndTime     string `json:"endTime,omitempty"`
	CompanyID   string `json:"companyId"`
}

func (j *importJob) summary() importSummary {
	return importSummary{
		ReqID: j.ReqID, Mode: j.Mode, Status: j.Status, UserID: j.UserID, DisplayName: j.DisplayName, Label: j.Label,
		StartTime: j.StartTime, EndTime: j.EndTime, CompanyID: j.CompanyID,
	}
}

// requestID is the key of a sheet: the guide says a hash of the CSV data, 64
// hexadecimal digits in every public sample.
func requestID(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// readImport parses the sheet of a call; mode is empty where it follows from
// the columns.
func (c *call) readImport(w *world, mode string) (companyID string, s *sheet, readMode string, err error) {
	if companyID, err = c.companyID(w); err != nil {
		return "", nil, "", err
	}
	s, err = parseSheet(string(c.body), c.query.text("delimiter"), c.query.text("comment"))
	if err != nil {
		return "", nil, "", err
	}
	if mode == "" {
		mode = s.detectMode()
	}
	return companyID, s, mode, s.checkColumns(mode)
}

// startImport answers the three import operations. The same bytes while their
// report exists are answered with the stored summary, and nothing is run again.
func startImport(mode string) func(*world, *call) (any, error) {
	return func(w *world, c *call) (any, error) {
		companyID, s, mode, err := c.readImport(w, mode)
		if err != nil {
			return nil, err
		}
		reqID := requestID(c.body)
		if known := w.imports.get(reqID); known != nil {
			w.noteCommand(c, commandImport, command{ReqID: reqID})
			return data(known.summary()), nil
		}
		nostrict := c.query.flag("nostrict")
		job := &importJob{
			ReqID: reqID, Mode: mode, Status: statusPending, CompanyID: companyID, UserID: c.caller.ID,
			DisplayName: c.caller.DisplayName, Label: cmp.Or(c.query.text("label"), "none"), StartTime: timestamp(c.now),
			NoStrict: nostrict != nil && *nostrict, Delimiter: s.delimiter, Comment: cmp.Or(c.query.text("comment"), "%"),
			Body: string(c.body), Profiles: w.projectLicences(companyID, s, mode),
		}
		job.Seq = w.nextSeq()
		w.imports.put(job)
		w.noteCommand(c, commandImport, command{ReqID: reqID})
		c.sandbox.imports.poke()
		return data(job.summary()), nil
	}
}

// nextSeq numbers the imports as they come.
func (w *world) nextSeq() int {
	last := 0
	if c := w.counters.get("imports"); c != nil {
		last = c.Last
	}
	w.counters.put(&counter{ID: "imports", Last: last + 1})
	return last + 1
}

// importReport is the full report; the small one has no rows.
type importReport struct {
	importSummary
	Report       *[]reportRow   `json:"report,omitempty"`
	FailingLines []string       `json:"failingLines"`
	Counters     importCounters `json:"counters"`
	Profiles     any            `json:"profiles"`
}

// reportRow is a row as the report shows it.
type reportRow struct {
	Status     string      `json:"status"`
	Action     string      `json:"action"`
	UserID     string      `json:"userId,omitempty"`
	Line       string      `json:"line,omitempty"`
	ErrorCode  int         `json:"errorCode,omitempty"`
	ErrorMsg   string      `json:"errorMsg,omitempty"`
	Warning    string      `json:"warning,omitempty"`
	Subscriber *partReport `json:"subscriberReport,omitempty"`
	SipDevice  *partReport `json:"sipDeviceReport,omitempty"`
	Ddi        *partReport `json:"ddiReport,omitempty"`
}

func (w *world) report(j *importJob, small bool) importReport {
	r := importReport{
		importSummary: j.summary(), FailingLines: []string{}, Counters: w.countersOf(j.ReqID), Profiles: profilesDocument(j.Profiles),
	}
	rows := []reportRow{}
	for _, row := range w.rowsOfImport[j.ReqID] {
		if row.Status == rowFailed {
			r.FailingLines = append(r.FailingLines, row.Line)
		}
		rows = append(rows, reportRow{
			row.Status, row.Action, row.UserID, row.Line, row.ErrorCode, row.ErrorMsg, row.Warning, row.Subscriber, row.SipDevice, row.Ddi,
		})
	}
	if !small {
		r.Report = &rows
	}
	return r
}

// importInPath answers the import of the {reqId}.
func (c *call) importInPath(w *world) (*importJob, error) {
	j := w.imports.get(c.path["reqId"])
	if j == nil {
		return nil, notFound("Import with reqId %s does not exist.", c.path["reqId"])
	}
	return j, c.inCharge(j.CompanyID)
}

func getImportReport(w *world, c *call) (any, error) {
	j, err := c.importInPath(w)
	if err != nil {
		return nil, err
	}
	return data(w.report(j, c.query.text("format") == "small")), nil
}

// deleteImportReport answers DeleteUsersImportReport; a running import keeps
// its report.
func deleteImportReport(w *world, c *call) (any, error) {
	j, err := c.importInPath(w)
	if err != nil {
		return nil, err
	}
	if j.Status == statusPending {
		return nil, conflict(codeConflict, "Import with reqId %s is still running", j.ReqID)
	}
	for _, r := range slices.Clone(w.rowsOfImport[j.ReqID]) {
		w.importRows.remove(r.id())
	}
	w.imports.remove(j.ReqID)
	return data(map[string]string{"reqId": j.ReqID, "status": "deleted"}), nil
}

// listedImport is an element of the list of imports. rainbow-cli crashes when
// a counter, reqId or startTime is missing.
type listedImport struct {
	importSummary
	Counters importCounters `json:"counters"`
}

func listUsersImports(w *world, c *call) (any, error) {
	companyID, err := c.companyID(w)
	if err != nil {
		return nil, err
	}
	jobs := slices.DeleteFunc(w.imports.all(), func(j *importJob) bool { return j.CompanyID != companyID })
	slices.SortFunc(jobs, func(a, b *importJob) int { return cmp.Compare(a.Seq, b.Seq) })
	list := []listedImport{}
	for _, j := range jobs {
		list = append(list, listedImport{j.summary(), w.countersOf(j.ReqID)})
	}
	return data(list), nil
}
