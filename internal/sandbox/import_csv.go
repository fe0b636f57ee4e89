package sandbox

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// sheet is a parsed CSV file of the mass provisioning portal.
type sheet struct {
	delimiter string
	columns   []column
	rows      []sheetRow
}

// column is one name of the header; a numbered one (businessPhone0) is split
// into its family and its position in the list of the family.
type column struct {
	name     string
	family   string // "" when the name has no number
	position int
}

// sheetRow is one data row.
type sheetRow struct {
	raw   string // the line as it came, for failingLines
	cells []string
	fault string // why the row cannot be read, "" when it can
}

// cells of a row by column name.
type cellsByName map[string]string

// parseSheet reads a CSV text. Cells are trimmed; a quoted cell may be padded,
// as in the vendor's own sample; a line that starts with the comment
// character, and what follows one outside quotes, is skipped; a cell with the
// comment character must be quoted (mass provisioning guide).
func parseSheet(text, delimiter, comment string) (*sheet, error) {
	s, err := parseTable(text, delimiter, comment)
	if err == nil && !s.has("loginEmail") {
		return nil, badParam("columns", "column loginEmail is mandatory", nil)
	}
	return s, err
}

// parseTable is parseSheet for any columns.
func parseTable(text, delimiter, comment string) (*sheet, error) {
	text = strings.TrimPrefix(text, "\ufeff")
	if !utf8.ValidString(text) {
		return nil, badRequest("CSV content is not UTF-8")
	}
	if comment == "" {
		comment = "%"
	}
	if len(comment) != 1 {
		return nil, badParam("comment", "comment must be one character", comment)
	}
	if delimiter == "" {
		delimiter = detectDelimiter(text, comment)
	}
	if len(delimiter) != 1 || delimiter == comment || delimiter == `"` {
		return nil, badParam("delimiter", "delimiter must be one character", delimiter)
	}
	t := &tokenizer{text: text, delimiter: delimiter[0], comment: comment[0]}
	header, ok := t.record()
	if !ok || header.fault != "" {
		return nil, badRequest("CSV content has no header line")
	}
	s := &sheet{delimiter: delimiter}
	if err := s.readHeader(header.cells); err != nil {
		return nil, err
	}
	for {
		row, ok := t.record()
		if !ok {
			return s, nil
		}
		if row.fault == "" && len(row.cells) != len(s.columns) {
			row.fault = fmt.Sprintf("line has %d cells, the header has %d", len(row.cells), len(s.columns))
		}
		s.rows = append(s.rows, row)
	}
}

// detectDelimiter takes the candidate that the first real line has most of.
func detectDelimiter(text, comment string) string {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, comment) {
			continue
		}
		best, most := ";", 0
		for _, candidate := range []string{";", ",", "\t", "|"} {
			if n := strings.Count(line, candidate); n > most {
				best, most = candidate, n
			}
		}
		return best
	}
	return ";"
}

// tokenizer cuts a CSV text into records.
type tokenizer struct {
	text               string
	at                 int
	delimiter, comment byte
}

// record answers the next line that holds something; ok is false at the end.
func (t *tokenizer) record() (row sheetRow, ok bool) {
	for t.at < len(t.text) {
		start := t.at
		row := sheetRow{}
		for more := true; more; {
			var cell string
			cell, more = t.cell(&row)
			row.cells = append(row.cells, cell)
		}
		row.raw = strings.TrimRight(t.text[start:t.at], "\r\n")
		plain := strings.TrimSpace(row.raw)
		if plain == "" || plain[0] == t.comment {
			continue
		}
		return row, true
	}
	return sheetRow{}, false
}

// cell reads up to the next delimiter (more is true) or the end of the line.
func (t *tokenizer) cell(row *sheetRow) (value string, more bool) {
	t.blanks()
	quoted := t.at < len(t.text) && t.text[t.at] == '"'
	if quoted {
		t.at++
		value = t.quoted(row)
	}
	start := t.at
	for t.at < len(t.text) {
		switch c := t.text[t.at]; {
		case c == t.delimiter, c == '\n', c == t.comment:
			plain := strings.TrimSpace(t.text[start:t.at])
			if quoted && plain != "" {
				row.fault = "text after a closing quote"
			}
			if !quoted {
				value = plain
			}
			return value, t.end(c)
		}
		t.at++
	}
	if plain := strings.TrimSpace(t.text[start:t.at]); !quoted {
		value = plain
	} else if plain != "" {
		row.fault = "text after a closing quote"
	}
	return value, false
}

// end steps over what ended a cell.
func (t *tokenizer) end(c byte) (more bool) {
	if c == t.comment {
		if i := strings.IndexByte(t.text[t.at:], '\n'); i >= 0 {
			t.at += i + 1
		} else {
			t.at = len(t.text)
		}
		return false
	}
	t.at++
	return c == t.delimiter
}

// quoted reads up to the closing quote; a doubled quote stands for one.
func (t *tokenizer) quoted(row *sheetRow) string {
	var b strings.Builder
	for t.at < len(t.text) {
		c := t.text[t.at]
		t.at++
		if c != '"' {
			b.WriteByte(c)
			continue
		}
		if t.at < len(t.text) && t.text[t.at] == '"' {
			b.WriteByte('"')
			t.at++
			continue
		}
		return b.String()
	}
	row.fault = "quote is never closed"
	return b.String()
}

func (t *tokenizer) blanks() {
	for t.at < len(t.text) && (t.text[t.at] == ' ' || (t.text[t.at] == '\t' && t.delimiter != '\t') || t.text[t.at] == '\r') {
		t.at++
	}
}

// numberedColumns are the families of columns that carry a number.
func numberedColumns() []string {
	return []string{"businessPhone", "mobilePhone", "email", "tags", "service"}
}

// readHeader splits the names and turns the number of each family into a
// position: families that start at 1 count from there (the guide: "n is a
// number starting from 0 or 1").
func (s *sheet) readHeader(names []string) error {
	lowest := map[string]int{}
	for _, name := range names {
		c := column{name: name}
		for _, family := range numberedColumns() {
			digits, ok := strings.CutPrefix(name, family)
			n, err := strconv.Atoi(digits)
			if ok && err == nil && n >= 0 {
				c.family, c.position = family, n
				if low, seen := lowest[family]; !seen || n < low {
					lowest[family] = n
				}
			}
		}
		if slices.ContainsFunc(s.columns, func(other column) bool { return other.name == name }) {
			return badParam("columns", "column appears twice", name)
		}
		s.columns = append(s.columns, c)
	}
	for i, c := range s.columns {
		if c.family != "" && lowest[c.family] >= 1 {
			s.columns[i].position--
		}
	}
	return nil
}

func (s *sheet) has(name string) bool {
	return slices.ContainsFunc(s.columns, func(c column) bool { return c.name == name })
}

// byName answers the cells of a row that can be read.
func (s *sheet) byName(row sheetRow) cellsByName {
	cells := cellsByName{}
	for i, c := range s.columns {
		cells[c.name] = row.cells[i]
	}
	return cells
}

// The import modes.
const (
	modeUser          = "user"
	modeDevice        = "device"
	modeUserAndDevice = "useranddevice"
	modeRainbowVoice  = "rainbowvoice"
)

// detectMode tells user and device sheets apart, which share one operation:
// columns or actions of pairing make it a device sheet.
func (s *sheet) detectMode() string {
	if s.has("pbxId") || s.has("pbxShortNumber") || s.has("pbxInternalNumber") {
		return modeDevice
	}
	for _, row := range s.rows {
		if row.fault == "" && slices.Contains([]string{"attach", "force_attach", "detach"}, s.byName(row)["__action__"]) {
			return modeDevice
		}
	}
	return modeUser
}

// modeColumns lists what a mode's sheet may hold; numbered families stand for
// all their columns.
func modeColumns(mode string) []string {
	user := []string{
		"__action__", "loginEmail", "password", "title", "firstName", "lastName", "nickName", "businessPhone", "mobilePhone",
		"email", "tags", "jobTitle", "department", "userInfo1", "userInfo2", "country", "language", "timezone", "visibility",
		"isInitialized", "authenticationType", "selectedAppCustomisationTemplateName", "service", "accountType", "photoUrl", "ldap_id", "state",
	}
	pairing := []string{"pbxId", "pbxShortNumber", "pbxInternalNumber", "number"}
	switch mode {
	case modeDevice:
		return append([]string{"__action__", "loginEmail"}, pairing...)
	case modeUserAndDevice:
		return append(user, pairing...)
	case modeRainbowVoice:
		return append(user, "shortNumber", "macAddress", "ddiE164Number")
	}
	return user
}

// checkColumns refuses a column the mode does not know. Upstream's behaviour
// is not documented; a misspelt column that is silently ignored would make a
// test pass that should not.
func (s *sheet) checkColumns(mode string) error {
	known := modeColumns(mode)
	var faults []paramError
	for _, c := range s.columns {
		if !slices.Contains(known, c.name) && !(c.family != "" && slices.Contains(known, c.family)) {
			faults = append(faults, paramError{"columns", "column is unknown in mode " + mode, c.name})
		}
	}
	if len(faults) > 0 {
		return badParams(faults)
	}
	return nil
}

// modeActions lists the actions of a mode, the default first; a device sheet
// has none.
func modeActions(mode string) []string {
	switch mode {
	case modeDevice:
		return []string{"", "attach", "force_attach", "detach"}
	case modeUserAndDevice:
		return []string{"upsert", "sync", "detach", "delete"}
	case modeRainbowVoice:
		return []string{"upsert", "detach", "delete"}
	}
	return []string{"create", "update", "delete"}
}

// action answers what a row asks for, and whether the mode knows it.
func (c cellsByName) action(mode string) (string, bool) {
	actions := modeActions(mode)
	a := c["__action__"]
	if a == "" {
		a = actions[0]
	}
	return a, a != "" && slices.Contains(actions, a)
}
