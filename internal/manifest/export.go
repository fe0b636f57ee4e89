package manifest

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/gocarina/gocsv"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// ExportOptions say how a manifest is written. The zero value writes rainbowvoice with semicolons, as the vendor does.
type ExportOptions struct {
	// Mode is one of [Modes], or [ModeYAML] for the whole company; empty means rainbowvoice.
	Mode string
	// Delimiter between cells; 0 means a semicolon.
	Delimiter rune
	// ByteOrderMark puts UTF-8's before the text: Excel needs it to read the file as UTF-8.
	ByteOrderMark bool
}

// Export writes the recorded state of a company as a manifest: one row for every user, in login order. Read gives back a
// Desired that asks for nothing that is not so already. Passwords are not recorded, so there are none.
//
// What a row cannot say stays an empty cell, which leaves things as they are, and is told in the remarks: several
// devices or DDIs of one user, values that Read would refuse, licences that cannot be named. Licences of the default
// offer, which everybody has, are left out without remark. Mode rainbowvoice speaks of users and subscribers, mode
// useranddevice of users and pairings, mode user of users, mode device of pairings, with a row for each user who has one.
//
// Values that a spreadsheet would run as formulas are protected by an apostrophe, which Read removes.
func Export(w io.Writer, obs bulksync.Observed, opts ExportOptions) ([]bulksync.Fault, error) {
	if opts.Mode == "" {
		opts.Mode = modeNames[0]
	}
	if opts.Delimiter == 0 {
		opts.Delimiter = ';'
	}
	if opts.Mode == ModeYAML {
		return exportYAML(w, obs)
	}
	m := findMode(opts.Mode)
	if m == 0 {
		return nil, fmt.Errorf("export mode %q: want %s", opts.Mode, orList(Modes()))
	}
	if err := checkSyntax(opts.Delimiter, '%'); err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	e := &exporter{obs: obs, mode: m, values: newValues(), used: map[string]bool{}, unknown: map[string]int{}}
	e.nameOffers()
	var rows []exportRow
	for rec := range obs.Records(bulksync.KindUser) {
		if user, ok := rec.(*bulksync.User); ok {
			if row := e.row(user); row != nil {
				rows = append(rows, row)
			}
		}
	}
	e.remarkUnknown()
	if opts.ByteOrderMark {
		if _, err := w.Write(byteOrderMark); err != nil {
			return nil, fmt.Errorf("export: %w", err)
		}
	}
	if err := writeRows(w, byte(opts.Delimiter), e.header(), rows); err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	return e.remarks, nil
}

// exported are the actions of the rows, by mode. Plain attach would be refused of what is attached already when a manifest
// is strict.
var exported = map[modeSet]string{voiceMode: "upsert", pairingMode: "upsert", userMode: "update", deviceMode: "force_attach"}

// exportRow is one user's values by column name.
type exportRow map[string]string

// exporter makes rows of users.
type exporter struct {
	obs    bulksync.Observed
	mode   modeSet
	values *values
	// offers gives the name under which a licence can be asked for, by the subscription's id.
	offers   map[string]string
	services int
	// used are the names of the columns that some row fills; unknown counts the attributes without a column.
	used    map[string]bool
	unknown map[string]int
	remarks []bulksync.Fault
}

func (e *exporter) remark(code, field, message, hint string) {
	e.remarks = append(e.remarks, bulksync.Fault{Code: code, Field: field, Message: message, Hint: hint})
}

// nameOffers finds the licences that a manifest can name: their offer has one assignable subscription.
func (e *exporter) nameOffers() {
	e.offers = map[string]string{}
	byName := map[string][]string{}
	for rec := range e.obs.Records(bulksync.KindLicence) {
		l, ok := rec.(*bulksync.Licence)
		if !ok || !l.Assignable() {
			continue
		}
		name := strings.ToLower(strings.TrimSpace(string(l.Offer)))
		byName[name] = append(byName[name], l.ID)
		if !l.Default && name != "" && textDamage(string(l.Offer)) == nil && lostCharacters(string(l.Offer)) == nil && isPlain(string(l.Offer)) {
			e.offers[l.ID] = strings.TrimSpace(string(l.Offer))
		}
	}
	for _, ids := range byName {
		if len(ids) > 1 {
			for _, id := range ids {
				delete(e.offers, id)
			}
		}
	}
}

// row makes one user's row; nil when the user cannot be named.
func (e *exporter) row(u *bulksync.User) exportRow {
	if login, err := bulksync.ParseLogin(string(u.Login)); err != nil || login != u.Login || !isPlain(string(u.Login)) || apostrophe("", string(u.Login)) != nil || lostCharacters(string(u.Login)) != nil {
		e.remark(codeExportLogin, "loginEmail", "user "+quote(string(u.Login))+" is left out: no row can name the login", "")
		return nil
	}
	row := exportRow{"__action__": exported[e.mode], "loginEmail": string(u.Login)}
	if e.mode&peopleModes != 0 {
		for _, a := range u.Attributes {
			e.attribute(row, u, a)
		}
		e.licences(row, u)
	}
	e.holdings(row, u)
	if e.mode == deviceMode && row["pbxShortNumber"] == "" {
		return nil
	}
	for name := range row {
		e.used[name] = true
	}
	return row
}

// attribute writes one attribute when Read would give back the same.
func (e *exporter) attribute(row exportRow, u *bulksync.User, a bulksync.Attribute) {
	def, n, ok := lookupColumn(a.Name)
	if !ok || n > def.top || def.role != roleAttribute || def.modes&e.mode == 0 {
		e.unknown[a.Name]++
		return
	}
	if strings.TrimSpace(a.Value) == "" {
		return
	}
	normal, p := def.check(e.values, a.Value)
	if p == nil {
		p = lostCharacters(a.Value)
	}
	if p != nil || normal != a.Value || !isPlain(a.Value) {
		hint := "the cell is left empty, which leaves the value as it is"
		if p != nil {
			hint = p.message + "; " + hint
		}
		e.remark(codeExportValue, a.Name, "value of "+a.Name+" of "+string(u.Login)+" cannot stand in a manifest", hint)
		return
	}
	row[a.Name] = a.Value
}

// isPlain tells whether a text can stand in a cell: UTF-8 without control characters other than tabs, and not longer than
// Read allows.
func isPlain(s string) bool {
	return strings.ToValidUTF8(s, "") == s && len(s) < maxQuoted/2 && !strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' && r != '\t' || r == 0x7f
	})
}

func (e *exporter) licences(row exportRow, u *bulksync.User) {
	n := 0
	for _, id := range u.Licences {
		name, ok := e.offers[id]
		if ok {
			row["service"+strconv.Itoa(n)] = name
			n++
			continue
		}
		if l, _ := e.obs.Record(bulksync.Key{Kind: bulksync.KindLicence, ID: id}).(*bulksync.Licence); l != nil && l.Default {
			continue
		}
		e.remark(codeExportLicence, "service"+strconv.Itoa(n), "licence "+quote(e.offerName(id))+" of "+string(u.Login)+" is left out",
			"its subscription is not active, or the company has several of that offer; the user keeps it")
	}
	e.services = max(e.services, n)
}

func (e *exporter) offerName(id string) string {
	if l, _ := e.obs.Record(bulksync.Key{Kind: bulksync.KindLicence, ID: id}).(*bulksync.Licence); l != nil {
		return string(l.Offer)
	}
	return id
}

// holdings writes extension, device and DDI. The row names one of each: of a user with several none is written, since
// naming one would take the others away.
func (e *exporter) holdings(row exportRow, u *bulksync.User) {
	var devices, ddis []string
	var pairings []*bulksync.Extension
	for _, key := range e.obs.Held(u.Login) {
		switch rec := e.obs.Record(key).(type) {
		case *bulksync.Extension:
			if rec.Role == bulksync.RoleSubscriber && e.mode == voiceMode {
				row["shortNumber"] = string(rec.Number)
			} else if rec.Role == bulksync.RolePairing && e.mode&(pairingMode|deviceMode) != 0 {
				pairings = append(pairings, rec)
			}
		case *bulksync.Device:
			devices = append(devices, rec.Address.String())
		case *bulksync.DDI:
			ddis = append(ddis, strings.TrimPrefix(string(rec.Number), "+"))
		}
	}
	switch e.mode {
	case voiceMode:
		e.one(row, u, "macAddress", "device", devices)
		e.one(row, u, "ddiE164Number", "DDI", ddis)
	case pairingMode, deviceMode:
		e.pairing(row, u, pairings)
	}
}

// one writes the only value of a column that holds one.
func (e *exporter) one(row exportRow, u *bulksync.User, column, kind string, values []string) {
	if len(values) == 0 {
		return
	}
	const hint = "the cell is left empty, which leaves them as they are"
	if len(values) > 1 {
		e.remark(codeExportSeveral, column, string(u.Login)+" has several of the kind "+kind+": "+strings.Join(values, ", "), hint)
		return
	}
	if _, err := bulksync.ParseMAC(values[0]); column == "macAddress" && err != nil {
		e.remark(codeExportValue, column, "device "+quote(values[0])+" of "+string(u.Login)+" has no MAC address", hint)
		return
	}
	if _, err := bulksync.ParseE164(values[0]); column == "ddiE164Number" && err != nil {
		e.remark(codeExportValue, column, "DDI "+quote(values[0])+" of "+string(u.Login)+" is not an E.164 number", hint)
		return
	}
	row[column] = values[0]
}

func (e *exporter) pairing(row exportRow, u *bulksync.User, paired []*bulksync.Extension) {
	if len(paired) > 1 {
		var numbers []string
		for _, p := range paired {
			numbers = append(numbers, p.PbxID+"/"+string(p.Number))
		}
		e.remark(codeExportSeveral, "pbxShortNumber", string(u.Login)+" is paired with several extensions: "+strings.Join(numbers, ", "),
			"the cells are left empty, which leaves them as they are")
	}
	if len(paired) != 1 || !isPlain(paired[0].PbxID) || errorValue(paired[0].PbxID) != nil || lostCharacters(paired[0].PbxID) != nil {
		return
	}
	p := paired[0]
	row["pbxId"], row["pbxShortNumber"] = p.PbxID, string(p.Number)
	for column, value := range map[string]string{"pbxInternalNumber": p.InternalNumber, "number": p.PublicNumber} {
		if value != "" && value == strings.TrimSpace(value) && isPlain(value) && damage(column, value) == nil && lostCharacters(value) == nil {
			row[column] = value
		}
	}
}

// remarkUnknown tells of attributes for which the mode has no column, once for each.
func (e *exporter) remarkUnknown() {
	var names []string
	for name := range e.unknown {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		e.remark(codeExportColumn, name, "mode "+e.mode.String()+" has no column "+quote(name)+", which "+plural(e.unknown[name], "user", "users")+" have",
			"the values stay as they are")
	}
}

// header lists the columns: the mode's keys always, the others when some user has a value. A family of numbered columns
// begins with 0, so that its numbers are positions.
func (e *exporter) header() []string {
	var names []string
	for i := range columns {
		def := &columns[i]
		switch {
		case def.modes&e.mode == 0, def.role == rolePassword:
		case def.role == roleService:
			for n := range e.services {
				names = append(names, def.name+strconv.Itoa(n))
			}
		case def.numbered:
			for n := range e.highest(def.name) + 1 {
				names = append(names, def.name+strconv.Itoa(n))
			}
		case def.role != roleAttribute || e.used[def.name]:
			names = append(names, def.name)
		}
	}
	return names
}

// highest is the highest number of a family that some row fills, -1 for none.
func (e *exporter) highest(family string) int {
	top := -1
	for name := range e.used {
		if def, n, ok := lookupColumn(name); ok && def.name == family {
			top = max(top, n)
		}
	}
	return top
}

// writeRows writes header and rows with gocsv. Which columns there are depends on the data, so the row's struct is made
// for them: one string field for each.
func writeRows(w io.Writer, delimiter byte, header []string, rows []exportRow) error {
	fields := make([]reflect.StructField, len(header))
	for i, name := range header {
		fields[i] = reflect.StructField{
			Name: "F" + strconv.Itoa(i), Type: reflect.TypeFor[string](), Tag: reflect.StructTag(`csv:` + strconv.Quote(name)),
		}
	}
	table := reflect.MakeSlice(reflect.SliceOf(reflect.StructOf(fields)), len(rows), len(rows))
	for i, row := range rows {
		for j, name := range header {
			table.Index(i).Field(j).SetString(protect(row[name]))
		}
	}
	out := &cellWriter{w: w, delimiter: delimiter}
	if err := gocsv.MarshalCSV(table.Interface(), out); err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

// cellWriter writes rows as the tokenizer reads them: encoding/csv does not quote the comment character.
type cellWriter struct {
	w         io.Writer
	delimiter byte
	buf       []byte
	err       error
}

var _ gocsv.CSVWriter = (*cellWriter)(nil)

// Write writes one row.
func (c *cellWriter) Write(row []string) error {
	for i, s := range row {
		if i > 0 {
			c.buf = append(c.buf, c.delimiter)
		}
		c.buf = appendCell(c.buf, s, c.delimiter, '%')
	}
	c.buf = append(c.buf, '\n')
	if len(c.buf) > 64<<10 {
		c.Flush()
	}
	return c.err
}

// appendCell writes a value so that the tokenizer gives it back.
func appendCell(b []byte, s string, delimiter, comment byte) []byte {
	if strings.IndexByte(s, delimiter) < 0 && strings.IndexByte(s, comment) < 0 && !strings.ContainsAny(s, "\"\r\n") && s == strings.TrimSpace(s) {
		return append(b, s...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(s, `"`, `""`)...)
	return append(b, '"')
}

// Flush writes what is buffered.
func (c *cellWriter) Flush() {
	if c.err != nil || len(c.buf) == 0 {
		return
	}
	n, err := c.w.Write(c.buf)
	if err == nil && n < len(c.buf) {
		err = errors.New("short write")
	}
	c.err, c.buf = err, c.buf[:0]
}

// Error is the first error of writing.
func (c *cellWriter) Error() error { return c.err }
