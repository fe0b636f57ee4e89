package rainbow

import (
	"cmp"
	"encoding/csv"
	"slices"
	"strconv"
	"strings"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// The signs of the CSV that imports are sent: both are also given as parameters of the request.
const (
	delimiter   = ";"
	commentSign = "%"
)

// The columns that every import has, and those that only one of its modes knows (mass provisioning guide; Rainbow Node
// SDK, importRainbowVoiceUsersWithCSVdata).
const (
	columnAction   = "__action__"
	columnLogin    = "loginEmail"
	columnPassword = "password"
	columnService  = "service"
)

// pairingColumns are the columns of users that mode useranddevice has and mode rainbowvoice has not.
var pairingColumns = []string{"selectedAppCustomisationTemplateName", "ldap_id"}

// sheet is the CSV of an import: one row for each step of a call, in their order.
type sheet struct {
	columns []string
	rows    []map[string]string
}

// sheetOf makes the import of a call.
func sheetOf(group string, call bulksync.Call) sheet {
	s := sheet{rows: make([]map[string]string, len(call.Steps))}
	for i := range call.Steps {
		if group == groupPairings {
			s.rows[i] = pairingRow(&call.Steps[i])
		} else {
			s.rows[i] = userRow(&call.Steps[i])
		}
	}
	if group == groupPairings {
		s.columns = []string{columnAction, columnLogin, "pbxId", "pbxShortNumber"}
	} else {
		s.columns = userColumns(s.rows)
	}
	return s
}

// userRow is the row of a user's operation: the password and the licences of a new user go with it.
func userRow(step *bulksync.Step) map[string]string {
	op := &step.Operation
	if op.Action == bulksync.ActionDelete {
		return map[string]string{columnAction: "delete", columnLogin: string(op.Login)}
	}
	row := map[string]string{columnAction: "upsert", columnLogin: string(op.Login)}
	if step.Password != "" {
		row[columnPassword] = step.Password
	}
	services := 0
	for _, c := range op.Changes {
		name := c.Name
		if strings.HasPrefix(name, licencePrefix) {
			name = columnService + strconv.Itoa(services)
			services++
		}
		if c.After != "" && !strings.Contains(name, " ") {
			row[name] = c.After
		}
	}
	return row
}

func pairingRow(step *bulksync.Step) map[string]string {
	op := &step.Operation
	pbxID, number, _ := strings.Cut(op.Key.ID, "/")
	return map[string]string{columnAction: string(op.Action), columnLogin: string(op.Login), "pbxId": pbxID, "pbxShortNumber": number}
}

// userColumns are those that some row fills. Families are filled up from number 0: a header that begins with number 1
// counts from 1 (mass provisioning guide).
func userColumns(rows []map[string]string) []string {
	used := map[string]bool{columnAction: true, columnLogin: true}
	for _, row := range rows {
		for name := range row {
			used[name] = true
			if f, n, ok := position(name); ok {
				for i := range n {
					used[f.name+strconv.Itoa(i)] = true
				}
			}
		}
	}
	columns := make([]string, 0, len(used))
	for name := range used {
		columns = append(columns, name)
	}
	slices.SortFunc(columns, func(a, b string) int {
		return cmp.Or(cmp.Compare(columnRank(a), columnRank(b)), cmp.Compare(len(a), len(b)), strings.Compare(a, b))
	})
	return columns
}

// columnRank orders columns: the row's own, attributes as in their table, lists, what only imports take, licences.
func columnRank(name string) int {
	if i := slices.Index([]string{columnAction, columnLogin, columnPassword}, name); i >= 0 {
		return i
	}
	if i := slices.IndexFunc(attributes, func(a attribute) bool { return a.name == name }); i >= 0 {
		return 10 + i
	}
	if f, _, ok := position(name); ok {
		return 100 + slices.IndexFunc(families, func(g family) bool { return g.name == f.name })
	}
	if strings.HasPrefix(name, columnService) {
		return 300
	}
	return 200
}

// voice tells whether mode rainbowvoice knows all columns.
func (s sheet) voice() bool {
	return !slices.ContainsFunc(s.columns, func(c string) bool { return slices.Contains(pairingColumns, c) })
}

// bytes writes the CSV: header, a comment that makes the bytes of every call unlike those of any other (an import of
// bytes that upstream knows is not run again), and the rows.
func (s sheet) bytes(comment string) []byte {
	var b strings.Builder
	b.WriteString(strings.Join(s.columns, delimiter) + "\n" + commentSign + " rainbow-gateway " + comment + "\n")
	for _, row := range s.rows {
		for i, c := range s.columns {
			if i > 0 {
				b.WriteString(delimiter)
			}
			b.WriteString(quoted(row[c]))
		}
		b.WriteString("\n")
	}
	return []byte(b.String())
}

// quoted writes a cell. Line ends become spaces: whether a quoted cell may have several lines is not documented.
func quoted(cell string) string {
	cell = strings.NewReplacer("\r\n", " ", "\r", " ", "\n", " ").Replace(cell)
	if !strings.ContainsAny(cell, delimiter+commentSign+"\",\t") && strings.TrimSpace(cell) == cell {
		return cell
	}
	return `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
}

// cells reads a line of the CSV back, as reports quote it; nil when it can't be read.
func (s sheet) cells(line string) map[string]string {
	r := csv.NewReader(strings.NewReader(line))
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = rune(delimiter[0]), true, -1
	fields, err := r.Read()
	if err != nil {
		return nil
	}
	row := map[string]string{}
	for i, f := range fields {
		if i < len(s.columns) {
			row[s.columns[i]] = strings.TrimSpace(f)
		}
	}
	return row
}
