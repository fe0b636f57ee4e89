package manifest

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// exportYAML writes the recorded state of a company as a YAML manifest: settings, options and keys as far as they are
// recorded, all public numbers and devices, and every user with all that he has. Read gives back a Desired that asks for
// nothing that is not so already.
//
// What can't be said is left out, with a remark, and so left alone: values that Read would refuse, licences that can't be
// named, devices without MAC address and IPEI.
func exportYAML(w io.Writer, obs bulksync.Observed) ([]bulksync.Fault, error) {
	out := bufio.NewWriter(w)
	e := &yamlExporter{
		exporter: exporter{obs: obs, mode: anyMode, values: newValues(), used: map[string]bool{}, unknown: map[string]int{}},
		out:      out,
	}
	e.nameOffers()
	e.line(0, "# The company as it is recorded; docs/manifest.schema.json describes the form.")
	e.line(0, "version: 1")
	company := obs.Company()
	e.line(0, "company: "+yamlText(company.ID))
	e.settings()
	e.ddis()
	e.devices()
	e.users()
	e.remarkUnknown()
	if err := out.Flush(); err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	return e.remarks, nil
}

type yamlExporter struct {
	exporter
	out *bufio.Writer
}

// line writes a line; the writer keeps the first error.
func (e *yamlExporter) line(indent int, text string) {
	_, _ = e.out.WriteString(strings.Repeat(" ", indent))
	_, _ = e.out.WriteString(text)
	_ = e.out.WriteByte('\n')
}

var plainScalar = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./@ -]*$`)

// yamlText writes a text so that every reader of YAML takes it for one, and Read for itself.
func yamlText(s string) string {
	switch strings.ToLower(s) {
	case "yes", "no", "on", "off", "y", "n", "true", "false", "null":
		return strconv.Quote(s)
	}
	if plainScalar.MatchString(s) && s == strings.TrimSpace(s) {
		return s
	}
	return strconv.Quote(strings.ReplaceAll(s, "${", "$${"))
}

// sayable tells whether a text comes back from Read as it is.
func sayable(s string) bool {
	return len(s) <= maxValue && isPlain(s) && s == strings.TrimSpace(s) && !strings.ContainsAny(s, "\r\n") && !strings.ContainsFunc(s, isInvisible) && errorValue(s) == nil
}

func (e *yamlExporter) settings() {
	first := true
	head := func() {
		if first {
			e.line(0, "settings:")
			first = false
		}
	}
	for r := range e.obs.Records(bulksync.KindDDI) {
		if d := r.(*bulksync.DDI); d.Default {
			head()
			e.line(2, defaultDDI+": "+yamlText(string(d.Number)))
		}
	}
	for r := range e.obs.Records(bulksync.KindSettings) {
		s := r.(*bulksync.Settings)
		if s.Group == bulksync.GroupBarringPatterns {
			e.patterns(s, head)
			continue
		}
		if len(s.Values) > 0 {
			head()
			e.line(2, string(s.Group)+": "+flowMap(s.Values))
		}
	}
}

func (e *yamlExporter) patterns(s *bulksync.Settings, head func()) {
	if len(s.Values) == 0 {
		return
	}
	patterns, err := bulksync.ParsePatterns(s.Values[0].Value)
	if err != nil || slices.ContainsFunc(patterns, func(p bulksync.BarringPattern) bool {
		return !sayable(p.Pattern) || !sayable(p.Description) || p.Pattern == ""
	}) {
		e.remark(codeExportValue, "barringPatterns", "barringPatterns of the Cloud PBX cannot stand in a manifest", "they stay as they are")
		return
	}
	head()
	e.line(2, "barringPatterns:")
	for _, p := range patterns {
		values := []bulksync.Attribute{{Name: "pattern", Value: p.Pattern}}
		if p.Description != "" {
			values = append(values, bulksync.Attribute{Name: "description", Value: p.Description})
		}
		e.line(4, "- "+flowMap(values))
	}
}

// flowMap writes values on one line.
func flowMap(values []bulksync.Attribute) string {
	pairs := make([]string, len(values))
	for i, v := range values {
		pairs[i] = v.Name + ": " + flowText(v.Value)
	}
	return "{" + strings.Join(pairs, ", ") + "}"
}

// flowText is a text in a flow collection: numbers stand bare, all else in quotes where a comma or bracket would end it.
func flowText(s string) string {
	if n, err := strconv.Atoi(s); err == nil && strconv.Itoa(n) == s && n < 1000 || s == "true" || s == "false" {
		return s
	}
	return yamlText(s)
}

// ddis writes all public numbers, those that follow one another as ranges.
func (e *yamlExporter) ddis() {
	var first, last string
	count := 0
	begun := false
	flush := func() {
		if count == 0 {
			return
		}
		if !begun {
			e.line(0, "ddis:")
			begun = true
		}
		if count == 1 {
			e.line(2, "- "+strconv.Quote(first))
		} else {
			e.line(2, fmt.Sprintf("- {first: %q, count: %d}", first, count))
		}
	}
	for r := range e.obs.Records(bulksync.KindDDI) {
		d := r.(*bulksync.DDI)
		n := string(d.Number)
		if k, err := bulksync.ParseE164(n); err != nil || string(k) != n {
			e.remark(codeExportValue, "ddis", "DDI "+quote(n)+" is left out: it is not an E.164 number", "")
			continue
		}
		if next, ok := plusNumber(last, 1); ok && count > 0 && next == n && count < maxRange {
			last = n
			count++
			continue
		}
		flush()
		first, last, count = n, n, 1
	}
	flush()
}

// devices writes all devices, whoever holds them.
func (e *yamlExporter) devices() {
	begun := false
	company := e.obs.Company()
	for r := range e.obs.Records(bulksync.KindDevice) {
		d := r.(*bulksync.Device)
		key := ""
		switch ipei, isIPEI := strings.CutPrefix(string(d.Address), "ipei:"); {
		case isIPEI && nameable(d.Address):
			key = "ipei: " + strconv.Quote(ipei)
		case nameable(d.Address):
			key = "macAddress: " + strconv.Quote(d.Address.String())
		default:
			e.remark(codeExportValue, "devices", "device "+quote(string(d.Address))+" is left out: it has neither MAC address nor IPEI", "it stays as it is")
			continue
		}
		if !begun {
			e.line(0, "devices:")
			begun = true
		}
		e.line(2, "- "+key)
		if _, known := company.FindModel(d.Model); sayable(d.Model) && d.Model != "" && (known || len(company.DeviceModels) == 0) {
			e.line(4, "model: "+yamlText(d.Model))
		}
		if sayable(d.Description) && d.Description != "" {
			e.line(4, "description: "+yamlText(d.Description))
		}
		e.modules(d)
		e.keys(d.Address)
	}
}

// nameable tells whether a device has a MAC address, or an IPEI, by which a manifest can name it.
func nameable(k bulksync.DeviceKey) bool {
	plain, size := string(k), 12
	if ipei, is := strings.CutPrefix(plain, "ipei:"); is {
		plain, size = ipei, 10
	}
	return len(plain) == size && strings.Trim(plain, "0123456789abcdef") == ""
}

func (e *yamlExporter) modules(d *bulksync.Device) {
	if len(d.Modules) == 0 {
		return
	}
	e.line(4, "modules:")
	for _, m := range d.Modules {
		values := []bulksync.Attribute{{Name: "moduleId", Value: strconv.Itoa(m.ID)}, {Name: "type", Value: m.Type}}
		if m.Name != "" {
			values = append(values, bulksync.Attribute{Name: "name", Value: m.Name})
		}
		e.line(6, "- "+flowMap(values))
	}
}

// keys writes a device's programmable keys when they are recorded.
func (e *yamlExporter) keys(device bulksync.DeviceKey) {
	recorded, ok := e.obs.Record(bulksync.KeysOf(device)).(*bulksync.DeviceKeys)
	if !ok {
		return
	}
	var lines []string
	for _, k := range recorded.Keys {
		values := []bulksync.Attribute{{Name: "keyNum", Value: strconv.Itoa(k.Number)}}
		if k.Module > 0 {
			values = append(values, bulksync.Attribute{Name: "moduleId", Value: strconv.Itoa(k.Module)})
		}
		values = append(values, bulksync.Attribute{Name: "keyType", Value: k.Type})
		number := "number"
		if k.PhoneNumberID != "" {
			number = "extension"
		}
		for _, v := range []bulksync.Attribute{{Name: "displayName", Value: k.DisplayName}, {Name: number, Value: k.Destination}, {Name: "groupId", Value: k.GroupID}} {
			if v.Value != "" && !(v.Name == "groupId" && k.PhoneNumberID != "") && !(v.Name == "displayName" && k.PhoneNumberID != "") {
				values = append(values, v)
			}
		}
		lines = append(lines, "- "+flowMap(values))
	}
	if len(lines) == 0 {
		e.line(4, "keys: []")
		return
	}
	e.line(4, "keys:")
	for _, l := range lines {
		e.line(6, l)
	}
}

func (e *yamlExporter) users() {
	begun := false
	for r := range e.obs.Records(bulksync.KindUser) {
		u := r.(*bulksync.User)
		if login, err := bulksync.ParseLogin(string(u.Login)); err != nil || login != u.Login || !sayable(string(u.Login)) {
			e.remark(codeExportLogin, "login", "user "+quote(string(u.Login))+" is left out: the login is no e-mail address", "")
			continue
		}
		if !begun {
			e.line(0, "users:")
			begun = true
		}
		e.line(2, "- login: "+yamlText(string(u.Login)))
		e.attributes(u)
		e.holdings(u)
		e.licencesOf(u)
		e.options(u.Login)
	}
}

// attributes writes what describes a user; numbered ones as lists.
func (e *yamlExporter) attributes(u *bulksync.User) {
	lists := map[string][]string{}
	broken := map[string]bool{}
	for _, a := range u.Attributes {
		def, n, ok := lookupColumn(a.Name)
		if !ok || n > def.top || def.role != roleAttribute {
			if e.unknown[a.Name]++; ok && def.numbered { // the list without it would take it away
				broken[def.name] = true
			}
			continue
		}
		good := e.good(def, a.Value)
		if !good && strings.TrimSpace(a.Value) != "" {
			e.remark(codeExportValue, a.Name, "value of "+a.Name+" of "+string(u.Login)+" cannot stand in a manifest", "it is left out, and stays as it is")
		}
		switch {
		case def.numbered && (!good || n != len(lists[def.name])):
			broken[def.name] = true
		case def.numbered:
			lists[def.name] = append(lists[def.name], a.Value)
		case good:
			e.line(4, a.Name+": "+yamlText(a.Value))
		}
	}
	for i := range columns {
		if name := columns[i].name; len(lists[name]) > 0 && !broken[name] {
			e.list(name, lists[name])
		}
	}
}

// good tells whether a value of a column comes back as it is.
func (e *yamlExporter) good(def *columnDef, value string) bool {
	if strings.TrimSpace(value) == "" || !sayable(value) {
		return false
	}
	normal, p := def.check(e.values, value)
	return p == nil && normal == value
}

func (e *yamlExporter) list(name string, texts []string) {
	quoted := make([]string, len(texts))
	for i, t := range texts {
		quoted[i] = strconv.Quote(strings.ReplaceAll(t, "${", "$${"))
	}
	e.line(4, name+": ["+strings.Join(quoted, ", ")+"]")
}

// holdings writes extension, devices, DDIs and pairings, each kind complete.
func (e *yamlExporter) holdings(u *bulksync.User) {
	var devices, ddis []string
	var pairings []*bulksync.Extension
	extension := ""
	unsayable := false
	for _, key := range e.obs.Held(u.Login) {
		switch rec := e.obs.Record(key).(type) {
		case *bulksync.Extension:
			if rec.Role == bulksync.RoleSubscriber {
				extension = string(rec.Number)
			} else {
				pairings = append(pairings, rec)
			}
		case *bulksync.Device:
			unsayable = unsayable || !nameable(rec.Address)
			devices = append(devices, rec.Address.String())
		case *bulksync.DDI:
			ddis = append(ddis, string(rec.Number))
		}
	}
	if extension != "" {
		e.line(4, "extension: "+strconv.Quote(extension))
	}
	if unsayable {
		e.remark(codeExportValue, "devices", "devices of "+string(u.Login)+" are left out: one has neither MAC address nor IPEI", "they stay as they are")
	} else if len(devices) > 0 {
		e.list("devices", devices)
	}
	if len(ddis) > 0 {
		e.list("ddis", ddis)
	}
	if len(pairings) > 0 {
		e.line(4, "pairings:")
	}
	for _, p := range pairings {
		values := []bulksync.Attribute{{Name: "pbxId", Value: p.PbxID}, {Name: "shortNumber", Value: string(p.Number)}}
		for _, v := range []bulksync.Attribute{{Name: "internalNumber", Value: p.InternalNumber}, {Name: "number", Value: p.PublicNumber}} {
			if v.Value != "" && sayable(v.Value) {
				values = append(values, v)
			}
		}
		for i := range values {
			values[i].Value = strconv.Quote(strings.ReplaceAll(values[i].Value, "${", "$${"))
		}
		pairs := make([]string, len(values))
		for i, v := range values {
			pairs[i] = v.Name + ": " + v.Value
		}
		e.line(6, "- {"+strings.Join(pairs, ", ")+"}")
	}
}

// licencesOf writes a user's licences, unless one can't be named: the list would take it away.
func (e *yamlExporter) licencesOf(u *bulksync.User) {
	var names []string
	held := map[string]int{}
	for _, id := range u.Licences {
		held[strings.ToLower(strings.TrimSpace(e.offerName(id)))]++
	}
	for _, id := range u.Licences {
		l, _ := e.obs.Record(bulksync.Key{Kind: bulksync.KindLicence, ID: id}).(*bulksync.Licence)
		once := held[strings.ToLower(strings.TrimSpace(e.offerName(id)))] == 1 // of several of one offer its name means the first
		if name, ok := e.offers[id]; ok && once && sayable(name) {
			names = append(names, name)
			continue
		}
		if l != nil && l.Default && once {
			continue
		}
		e.remark(codeExportLicence, "licences", "licences of "+string(u.Login)+" are left out: "+quote(e.offerName(id))+" cannot be named",
			"its subscription is not active, or the company has several of that offer; the user keeps them all")
		return
	}
	if len(names) > 0 {
		slices.Sort(names)
		e.list("licences", names)
	}
}

// options writes the options of a user's extension that are recorded and shown by upstream.
func (e *yamlExporter) options(l bulksync.Login) {
	begun := false
	for _, g := range []bulksync.Group{bulksync.GroupBarring, bulksync.GroupOverflow, bulksync.GroupPSTNDevice, bulksync.GroupSIPHeaders} {
		o, ok := e.obs.Record(bulksync.OptionsKey(g, l)).(*bulksync.Options)
		if !ok || len(o.Values) == 0 || slices.ContainsFunc(o.Values, func(v bulksync.Attribute) bool { return !sayable(v.Value) }) {
			continue
		}
		if !begun {
			e.line(4, "options:")
			begun = true
		}
		e.line(6, string(g)+": "+flowMap(o.Values))
	}
}
