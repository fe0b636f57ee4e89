package sandbox

import (
	"slices"
	"strings"
)

// profileUsage projects a licence over a sheet.
type profileUsage struct {
	Name           string `json:"name"`
	Valid          bool   `json:"valid"`
	AssignedBefore int    `json:"assignedBefore"`
	AssignedAfter  int    `json:"assignedAfter"`
	Max            int    `json:"max"`
}

// profilesDocument renders the licences of a check or report: the documented
// sample shows one object; {} stands for none, and several are a list, as the
// Rainbow Node SDK's field table names them.
func profilesDocument(list []profileUsage) any {
	switch len(list) {
	case 0:
		return map[string]any{}
	case 1:
		return list[0]
	}
	return list
}

// checkSummary is the answer of the check operations.
type checkSummary struct {
	ReqID     string         `json:"reqId"`
	Mode      string         `json:"mode"`
	Actions   map[string]int `json:"actions"`
	Columns   int            `json:"columns"`
	Delimiter string         `json:"delimiter"`
	Profiles  any            `json:"profiles"`
}

// checkImport answers the three check operations: rows per action and what
// happens to the licences; nothing is changed.
func checkImport(mode string) func(*world, *call) (any, error) {
	return func(w *world, c *call) (any, error) {
		companyID, s, mode, err := c.readImport(w, mode)
		if err != nil {
			return nil, err
		}
		summary := checkSummary{
			ReqID: requestID(c.body), Mode: mode, Actions: s.countActions(mode), Columns: len(s.columns), Delimiter: s.delimiter,
			Profiles: profilesDocument(w.projectLicences(companyID, s, mode)),
		}
		w.noteCommand(c, commandCheck, command{Check: &summary})
		return data(summary), nil
	}
}

// countActions counts the rows per action; a counter that would be zero is
// absent, and user mode counts create as add and delete as remove.
func (s *sheet) countActions(mode string) map[string]int {
	counts := map[string]int{}
	for _, row := range s.rows {
		if row.fault != "" {
			continue
		}
		action, known := s.byName(row).action(mode)
		switch {
		case !known:
			continue
		case mode == modeUser && action == "create":
			action = "add"
		case mode == modeUser && action == "delete":
			action = "remove"
		}
		counts[action]++
	}
	return counts
}

// projectLicences computes what the service{n} cells and the deletions of a
// sheet do to the licences of the company, in order of their first naming.
func (w *world) projectLicences(companyID string, s *sheet, mode string) []profileUsage {
	holders := map[string]map[string]bool{} // offer name -> logins who newly get it
	var names []string
	gone := map[string]bool{}
	for _, row := range s.rows {
		if row.fault != "" {
			continue
		}
		cells := s.byName(row)
		login := strings.ToLower(cells["loginEmail"])
		action, _ := cells.action(mode)
		if action == "delete" {
			gone[login] = true
			continue
		}
		if !slices.Contains([]string{"create", "update", "upsert", "sync"}, action) {
			continue
		}
		for _, c := range s.columns {
			name := cells[c.name]
			if c.family != "service" || name == "" {
				continue
			}
			if holders[name] == nil {
				holders[name] = map[string]bool{}
				names = append(names, name)
			}
			holders[name][login] = true
		}
	}
	list := make([]profileUsage, 0, len(names))
	for _, name := range names {
		list = append(list, w.projectLicence(companyID, name, holders[name], gone))
	}
	return list
}

func (w *world) projectLicence(companyID, name string, logins, gone map[string]bool) profileUsage {
	p := w.activeSubscription(companyID, name)
	if p == nil {
		return profileUsage{Name: name, AssignedAfter: len(logins)}
	}
	usage := profileUsage{Name: name, AssignedBefore: w.assigned(p), Max: p.MaxNumberUsers}
	usage.AssignedAfter = usage.AssignedBefore
	for login := range logins {
		if u := w.userByLogin(login); u == nil || !u.holds(p.ID) {
			usage.AssignedAfter++
		}
	}
	for login := range gone {
		if u := w.userByLogin(login); u != nil && u.holds(p.ID) {
			usage.AssignedAfter--
		}
	}
	usage.Valid = p.MaxNumberUsers == 0 || usage.AssignedAfter <= p.MaxNumberUsers
	return usage
}

// usedLicences brings the projection of an import to what it really did.
func (w *world) usedLicences(job *importJob) []profileUsage {
	list := slices.Clone(job.Profiles)
	for i := range list {
		if p := w.activeSubscription(job.CompanyID, list[i].Name); p != nil {
			list[i].AssignedAfter = w.assigned(p)
			list[i].Valid = p.MaxNumberUsers == 0 || list[i].AssignedAfter <= p.MaxNumberUsers
		}
	}
	return list
}
