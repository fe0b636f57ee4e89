package manifest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// column is one column of a sheet.
type column struct {
	// def is nil when the column cannot be read; there is a fault then.
	def *columnDef
	// name is the header's spelling and number the one in it; attribute is the engine's name, with the place counted from 0.
	name      string
	number    int
	attribute string
	place     int
	// before is the engine's name of the one before in its family.
	before string
}

// sheet is one source with its header understood.
type sheet struct {
	t       *tokenizer
	columns []column
	// at gives the cell of each single column, -1 without it; attributes and services the cells of those, by name and by
	// number.
	at         [roleCount]int
	attributes []int
	services   []int
	// told is the set of modes that the header's columns leave open; modes is what the whole manifest leaves open, or own
	// for a sheet that is at odds with it.
	told, own modeSet
	modes     *modeSet
	// misencoded: a cell that is not UTF-8 was reported; there would be one in every other row.
	misencoded bool
	// header is the position of the header.
	header bulksync.Position
	recent []recent
}

// readHeader reads the first row of a source; nil when the source cannot be read further. opened, if any, is called
// before the first line is looked at.
func (r *reader) readHeader(src Source, opened func(*tokenizer)) (*sheet, error) {
	s := &sheet{t: newTokenizer(src.Name, src.Reader)}
	file := bulksync.Position{File: src.Name}
	if p := refuseFormat(src); p != nil {
		r.report(file, "", p)
		return nil, nil
	}
	if src.Encoding != "" && !slices.Contains(Encodings(), string(src.Encoding)) {
		return nil, fmt.Errorf("encoding %q: want %s", src.Encoding, orList(Encodings()))
	}
	if p := s.t.open(src.Encoding); p != nil || s.t.err != nil {
		if p != nil {
			r.report(file, "", p)
		}
		return nil, s.t.err
	}
	if opened != nil {
		opened(s.t)
	}
	comment := byte(r.opts.Comment)
	delimiter := byte(r.opts.Delimiter)
	if delimiter == 0 {
		delimiter = s.t.detectDelimiter(comment)
	}
	s.t.setSyntax(delimiter, comment)
	found, broken := s.t.next()
	if s.t.err != nil {
		return nil, s.t.err
	}
	if !found {
		r.report(file, "", &problem{codeMissingHeader, "manifest has no header: it is empty, or holds comments only",
			"the first line names the columns: __action__;loginEmail;…"})
		return nil, nil
	}
	if broken != nil {
		r.report(s.t.position(broken.start), "", breakageProblem(broken))
		return nil, nil
	}
	if !r.resolve(s) {
		return nil, nil
	}
	return s, nil
}

// refuseFormat refuses what says of itself that it is not CSV in UTF-8.
func refuseFormat(src Source) *problem {
	kind, parameters, _ := strings.Cut(strings.ToLower(src.ContentType), ";")
	name := strings.ToLower(src.Name)
	switch {
	case strings.HasSuffix(name, ".json"), strings.HasSuffix(strings.TrimSpace(kind), "json"):
		return &problem{codeNotCSV, "JSON is not a supported form of manifest", "write the manifest as CSV or YAML"}
	}
	_, charset, ok := strings.Cut(parameters, "charset=")
	if charset = strings.Trim(strings.TrimSpace(charset), `"`); ok && charset != "utf-8" && charset != "us-ascii" && charset != "utf8" {
		return &problem{codeNotUTF8, "manifest is declared to be in " + quote(charset), saveAs}
	}
	return nil
}

// resolve understands the header row; false when it is none.
func (r *reader) resolve(s *sheet) bool {
	s.header = s.t.position(s.t.cells[0].start)
	s.columns = make([]column, len(s.t.cells))
	known := 0
	for i := range s.t.cells {
		name := s.t.cells[i].text
		s.columns[i].name = name
		if def, n, ok := lookupColumn(name); ok {
			s.columns[i].def, s.columns[i].number = def, n
			known++
		}
	}
	if known == 0 {
		r.report(s.header, "", noHeader(s))
		return false
	}
	s.returned()
	r.checkNames(s)
	s.told = anyMode
	for i := range s.columns {
		if def := s.columns[i].def; def != nil && def.modes != anyMode {
			s.told &= def.modes
		}
	}
	return true
}

// returned recognises a manifest that came back from an apply: its last columns tell what became of the rows, and are
// passed over.
func (s *sheet) returned() {
	n := len(s.columns) - len(reportColumns)
	if n < 1 {
		return
	}
	for i, name := range reportColumns {
		if s.columns[n+i].name != name {
			return
		}
	}
	for i := range reportColumns {
		s.columns[n+i].def = &reportColumn
	}
}

// noHeader says what is wrong with a first row without one known column. Its cells are not shown: they may be data, a
// password among them.
func noHeader(s *sheet) *problem {
	p := &problem{codeMissingHeader, "first row is not a header: none of its cells is the name of a column",
		"the first line names the columns: __action__;loginEmail;…"}
	first := s.columns[0].name
	if strings.HasPrefix(strings.ToLower(first), "sep=") {
		p.message = "first row is Excel's " + quote(first) + ", not a header"
		p.hint = "remove the line: Rainbow would take it for the header"
		return p
	}
	for i := range s.columns {
		if near := suggestColumn(s.columns[i].name); near != "" && strings.EqualFold(near, s.columns[i].name) {
			p.hint = "names are case-sensitive: write " + near
			return p
		}
	}
	for _, d := range delimiters {
		if byte(d) != s.t.delimiter && strings.ContainsRune(first, d) {
			p.hint = fmt.Sprintf("the delimiter is %q, the row looks as if it were %q", s.t.delimiter, d)
		}
	}
	return p
}

// checkNames reports columns that are unknown, unnamed, out of range or named twice, and gives them up.
func (r *reader) checkNames(s *sheet) {
	first := map[string]int{}
	for i := range s.columns {
		c := &s.columns[i]
		at := s.t.position(s.t.cells[i].start)
		if s.t.cells[i].marks&^(markQuoted|markHigh) != 0 {
			r.reportMarks(s, i)
			c.def = nil
			continue
		}
		var p *problem
		switch j, twice := first[c.name]; {
		case c.name == "":
			p = &problem{codeColumnUnnamed, "column " + strconv.Itoa(i+1) + " has no name", "name it, or remove its delimiter from every line"}
		case c.def == nil:
			p = unknownColumn(c.name)
		case c.def.numbered && c.number > c.def.top:
			p = &problem{codeColumnNumber, "column " + quote(c.name) + " does not exist", fmt.Sprintf("%s are numbered from 0 to %d", c.def.name, c.def.top)}
		case twice:
			p = &problem{codeColumnTwice, "column " + quote(c.name) + " stands twice in the header, first at " + s.t.position(s.t.cells[j].start).String(), "remove one of the two"}
		default:
			first[c.name] = i
		}
		if p != nil {
			r.report(at, c.name, p)
			c.def = nil
		}
	}
	if _, ok := first["loginEmail"]; !ok {
		r.lacks(s, "loginEmail")
	}
}

// lacks reports a column that is missing.
func (r *reader) lacks(s *sheet, name string) {
	if !s.guilty(name) {
		r.report(s.header, name, &problem{codeColumnMissing, "header lacks the column " + name, "add " + name})
	}
}

// guilty tells whether a column of the header was probably meant to be the given one: then its own fault says enough.
func (s *sheet) guilty(name string) bool {
	return slices.ContainsFunc(s.columns, func(c column) bool { return c.def == nil && suggestColumn(c.name) == name })
}

// unknownColumn says which column was probably meant.
func unknownColumn(name string) *problem {
	p := &problem{codeUnknownColumn, "unknown column " + quote(name), "the columns are listed in docs/manifests.md"}
	if near := suggestColumn(name); near != "" {
		p.hint = "did you mean " + near + "?"
		if strings.EqualFold(near, name) {
			p.hint = "names are case-sensitive: write " + near
		}
	}
	return p
}

// normalise gives every column its engine's name and sorts the ones that have a place in it.
func (s *sheet) normalise() {
	for i := range s.at {
		s.at[i] = -1
	}
	fromZero := map[*columnDef]bool{}
	for i := range s.columns {
		if c := &s.columns[i]; c.def != nil && c.number == 0 {
			fromZero[c.def] = true
		}
	}
	for i := range s.columns {
		c := &s.columns[i]
		switch {
		case c.def == nil:
			continue
		case c.def.role == roleService:
			s.services = append(s.services, i)
		case c.def.role == roleReport:
			continue
		case c.def.role != roleAttribute:
			s.at[c.def.role] = i
			continue
		default:
			s.attributes = append(s.attributes, i)
		}
		c.attribute = c.def.name
		if c.def.numbered {
			c.place = c.number
			if c.def.shifts && !fromZero[c.def] {
				c.place--
			}
			c.attribute += strconv.Itoa(c.place)
			c.before = c.def.name + strconv.Itoa(c.place-1)
		}
	}
	s.recent = make([]recent, len(s.columns))
	slices.SortFunc(s.attributes, func(a, b int) int { return strings.Compare(s.columns[a].attribute, s.columns[b].attribute) })
	slices.SortFunc(s.services, func(a, b int) int { return cmp.Compare(s.columns[a].number, s.columns[b].number) })
}
