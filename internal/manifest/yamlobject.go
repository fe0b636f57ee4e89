package manifest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// entry is a value of a YAML file, with the key that it stands behind, if one does.
type entry struct {
	key, value *yaml.Node
	file       string
	// depth counts the collections around it.
	depth int
	// aliased: it was reached through an alias. empty: a value that has to be there is empty, which was reported.
	aliased, empty bool
}

func (e entry) position() bulksync.Position {
	return bulksync.Position{File: e.file, Line: e.value.Line, Column: e.value.Column}
}

func (e entry) keyPosition() bulksync.Position {
	if e.key == nil {
		return e.position()
	}
	return bulksync.Position{File: e.file, Line: e.key.Line, Column: e.key.Column}
}

// isNull tells whether a value is YAML's null: nothing, ~ or null without quotes.
func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Tag == "!!null"
}

// object is a mapping of the manifest held against its form: its own entries by field, and those that it takes over from
// templates and defaults.
type object struct {
	r    *yamlReader
	form *form
	self entry
	own  []entry // by field; value nil: not there
	// over are what it falls back to, nearest first.
	over []*object
	// children are the objects behind its keys, once they were asked for.
	children map[string]*object
}

// object reads a mapping. Unknown and repeated keys are reported, and what is missing unless some object it falls back to
// has it. nil when the value is no mapping, which is reported.
func (r *yamlReader) object(e entry, f *form, over []*object) *object {
	e, ok := r.resolve(e)
	if !ok {
		return nil
	}
	if e.value.Kind != yaml.MappingNode {
		r.wrongShape(e, "a mapping of keys such as "+strings.Join(f.names()[:min(3, len(f.fields))], ", "))
		return nil
	}
	o := &object{r: r, form: f, self: e, own: make([]entry, len(f.fields)), over: over}
	o.take(e, false)
	for i := range f.fields {
		field := &f.fields[i]
		if _, has := o.get(field.name); !has && field.required && !o.own[i].empty {
			r.report(e.position(), field.name, &problem{codeMissingKey, f.name + " has no " + field.name, "add " + field.name + ": " + field.inPassing()})
		}
	}
	return o
}

// take enters the pairs of a mapping; merged ones do not replace what is there.
func (o *object) take(e entry, merged bool) {
	r := o.r
	seen := map[string]bulksync.Position{}
	var merges []entry
	for i := 0; i+1 < len(e.value.Content); i += 2 {
		pair := entry{key: e.value.Content[i], value: e.value.Content[i+1], file: e.file, depth: e.depth + 1, aliased: e.aliased}
		r.count(pair, 2)
		name := pair.key.Value
		if pair.key.Kind == yaml.AliasNode || pair.key.Kind != yaml.ScalarNode {
			r.report(pair.keyPosition(), "", &problem{codeWrongShape, "key is no text", "keys of the manifest are words"})
			continue
		}
		if pair.key.Tag == "!!merge" {
			merges = append(merges, pair)
			continue
		}
		if first, twice := seen[name]; twice {
			r.report(pair.keyPosition(), name, &problem{codeKeyTwice, "key " + quote(name) + " comes twice, first at " + first.String(), "keep one of the two"})
			continue
		}
		seen[name] = pair.keyPosition()
		at := o.form.index(name)
		if at < 0 {
			r.unknownKey(pair, o.form)
			continue
		}
		if merged && o.own[at].value != nil {
			continue
		}
		resolved, ok := r.resolve(pair)
		if !ok {
			continue
		}
		if o.own[at] = resolved; isNull(resolved.value) {
			o.checkEmpty(at)
		}
	}
	for _, m := range merges {
		o.merge(m)
	}
}

// checkEmpty reports an empty value of a field that has to have one, and takes it away.
func (o *object) checkEmpty(at int) {
	field, e := &o.form.fields[at], o.own[at]
	if field.shape.null || field.shape.blank {
		return
	}
	want := "a value, or leave " + field.name + " out"
	if field.required {
		want = "a value: " + field.inPassing()
	}
	o.r.wrongShape(e, want)
	o.own[at] = entry{empty: true}
}

// merge enters what a merge key names: one mapping, or a list of them.
func (o *object) merge(m entry) {
	m, ok := o.r.resolve(m)
	if !ok {
		return
	}
	if m.value.Kind == yaml.SequenceNode {
		for _, n := range m.value.Content {
			o.merge(entry{key: m.key, value: n, file: m.file, depth: m.depth + 1, aliased: m.aliased})
		}
		return
	}
	if m.value.Kind != yaml.MappingNode {
		o.r.wrongShape(m, "an alias of a mapping, such as <<: *desk")
		return
	}
	o.take(m, true)
}

// unknownKey reports a key that the form does not have.
func (r *yamlReader) unknownKey(pair entry, f *form) {
	name := pair.key.Value
	hint := f.name + " has " + orList(f.names())
	if near := suggestKey(name, f); near != "" {
		hint = "did you mean " + near + "?"
	}
	r.report(pair.keyPosition(), name, &problem{codeUnknownKey, "unknown key " + quote(name) + " in " + f.name, hint})
}

// otherkeys are what people, and Rainbow's CSV, call a key that YAML manifests call otherwise; in lower case without signs.
var otherkeys = map[string]string{
	"loginemail": "login", "mail": "login", "user": "login", "username": "login", "shortnumber": "extension", "subscriber": "extension", "number": "extension",
	"macaddress": "devices", "device": "devices", "ddie164number": "ddis", "ddi": "ddis", "did": "ddis", "dids": "ddis",
	"service": "licences", "services": "licences", "license": "licences", "licenses": "licences", "licence": "licences", "offers": "licences",
	"phone": "businessPhone", "phones": "businessPhone", "mobile": "mobilePhone", "surname": "lastName", "name": "lastName", "tag": "tags",
	"delete": "absent", "present": "absent", "var": "variables", "vars": "variables", "includes": "include", "import": "include",
	"mac": "macAddress", "type": "model", "pool": "pools", "template": "templates", "default": "defaults", "setting": "settings",
}

// suggestKey gives the key that a wrong name probably means, or nothing.
func suggestKey(name string, f *form) string {
	plain := strings.ToLower(strings.Map(func(r rune) rune {
		if strings.ContainsRune(" _-./", r) {
			return -1
		}
		return r
	}, name))
	names := f.names()
	for _, known := range names {
		if strings.EqualFold(known, plain) || strings.EqualFold(known, strings.TrimRight(plain, "0123456789")) {
			return known
		}
	}
	if known, ok := otherkeys[strings.TrimRight(plain, "0123456789")]; ok && slices.Contains(names, known) {
		return known
	}
	return nearest(plain, names)
}

// plainTags are the tags that say of a value what it is anyway.
var plainTags = []string{"!!str", "!!int", "!!float", "!!bool", "!!map", "!!seq"}

// resolve follows an alias, and holds the value against the limits; false when it was reported.
func (r *yamlReader) resolve(e entry) (entry, bool) {
	if r.bombed {
		return e, false
	}
	for hops := 0; e.value.Kind == yaml.AliasNode; hops++ {
		if hops > maxYAMLDepth {
			return e, r.tooMuch(e, "an alias names itself")
		}
		e.value, e.aliased = e.value.Alias, true
		r.count(e, 1)
	}
	if r.bombed {
		return e, false
	}
	if e.depth > maxYAMLDepth {
		return e, r.tooMuch(e, "values are nested more than "+strconv.Itoa(maxYAMLDepth)+" deep")
	}
	if e.value.Style&yaml.TaggedStyle != 0 && !slices.Contains(plainTags, e.value.Tag) {
		words, hint := "value has the tag "+quote(e.value.Tag), "write plain values: text, lists and mappings"
		if e.key != nil && e.key.Value == "password" {
			words, hint = "password begins with a sign of YAML, as a tag does", "put it into quotes, or better keep it elsewhere and write env:NAME or file:PATH"
		}
		r.report(e.position(), "", &problem{codeYAMLTag, words, hint})
		return e, false
	}
	return e, true
}

// count counts nodes that are reached through aliases.
func (r *yamlReader) count(e entry, nodes int) {
	if !e.aliased || r.bombed {
		return
	}
	if r.aliased += nodes; r.aliased > maxAliased {
		r.bombed = true
		r.tooMuch(e, "aliases name more than 4 million values")
	}
}

func (r *yamlReader) tooMuch(e entry, words string) bool {
	r.report(e.position(), "", &problem{codeYAMLLimit, words, "write the values out, or use templates"})
	return false
}

func (r *yamlReader) wrongShape(e entry, want string) {
	is := map[yaml.Kind]string{yaml.MappingNode: "a mapping", yaml.SequenceNode: "a list", yaml.ScalarNode: "a single value"}[e.value.Kind]
	if isNull(e.value) {
		is = "empty"
	}
	field := ""
	if e.key != nil {
		field = e.key.Value
	}
	message := "value is " + is
	if field != "" {
		message = field + " is " + is
	}
	r.report(e.position(), field, &problem{codeWrongShape, message, "write " + want})
}

// get finds the value of a key: the object's own, else the nearest that it takes over.
func (o *object) get(name string) (entry, bool) {
	if i := o.form.index(name); i >= 0 && o.own[i].value != nil {
		return o.own[i], true
	}
	for _, other := range o.over {
		if e, ok := other.get(name); ok {
			return e, true
		}
	}
	return entry{}, false
}

// has tells whether a key is there, empty or not.
func (o *object) has(name string) bool {
	_, ok := o.get(name)
	return ok
}

// at is where a key's value stands; the object's own place without one.
func (o *object) at(name string) bulksync.Position {
	if e, ok := o.get(name); ok {
		return e.position()
	}
	return o.self.position()
}

// field is the form's field of that name.
func (o *object) field(name string) *formField { return &o.form.fields[o.form.index(name)] }

// text reads a single value in its normal form; ok is false without the key, or when it was reported. A cleared value is
// the empty text.
func (o *object) text(name string) (string, bool) {
	e, ok := o.get(name)
	if !ok {
		return "", false
	}
	return o.r.value(e, name, &o.field(name).shape)
}

// value reads a single value of a shape.
func (r *yamlReader) value(e entry, name string, s *shape) (string, bool) {
	var v string
	if !isNull(e.value) {
		var ok bool
		if v, ok = r.scalar(e, name); !ok {
			return "", false
		}
	} else {
		r.watchNull(e, name)
	}
	if v == "" {
		if !s.null {
			want := "a value, or leave " + name + " out"
			if e.key == nil {
				want = "a value, or take the entry of " + name + " away"
			}
			r.wrongShape(entry{key: e.key, value: &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: e.value.Line, Column: e.value.Column}, file: e.file}, want)
			return "", false
		}
		return "", true
	}
	p := checkShape(r.values, name, s, &v)
	if p != nil {
		r.report(e.position(), name, p)
		return "", false
	}
	return v, true
}

// checkShape holds a text against a shape and puts it into its normal form.
func checkShape(values *values, name string, s *shape, v *string) (p *problem) {
	switch {
	case s.kind == shapeWhole:
		n, err := strconv.Atoi(*v)
		if err != nil || n < s.least || n > s.most || strconv.Itoa(n) != *v {
			return &problem{codeBadWhole, name + " " + quote(*v) + " is not a whole number from " + strconv.Itoa(s.least) + " to " + strconv.Itoa(s.most), "write one such as " + strconv.Itoa(s.least)}
		}
	case s.kind == shapeBoolean:
		if lower := strings.ToLower(*v); lower == "true" || lower == "false" {
			*v = lower
			return nil
		}
		return &problem{codeBadChoice, name + " " + quote(*v) + " is neither true nor false", "write true or false"}
	case s.choices != nil:
		_, p = choice(name, *v, s.choices...)
	case s.check != nil:
		*v, p = s.check(values, *v)
	default:
		p = errorValue(*v)
	}
	return p
}

// scalar reads the text of a single value as it is written, variables filled in.
func (r *yamlReader) scalar(e entry, name string) (string, bool) {
	v, ok := r.plain(e, name)
	if !ok {
		return "", false
	}
	if v, ok = r.expand(e, name, v); !ok {
		return "", false
	}
	if v = strings.TrimSpace(v); len(v) > maxValue {
		r.report(e.position(), name, &problem{codeYAMLLimit, name + " is longer than 4,096 bytes", "shorten it"})
		return "", false
	}
	if r.valued > maxValues {
		return "", false // reported
	}
	if r.valued += len(v); r.valued > maxValues {
		r.report(e.position(), name, &problem{codeYAMLLimit, "values are longer than 512 MiB in all, templates and variables filled in", "cut it into manifests of their own, each with a scope"})
		return "", false
	}
	return v, true
}

// plain reads the text of a single value as it is written.
func (r *yamlReader) plain(e entry, name string) (string, bool) {
	if e.value.Kind != yaml.ScalarNode {
		r.wrongShape(e, "one value")
		return "", false
	}
	r.watch(e, name)
	v := strings.TrimSpace(e.value.Value)
	if strings.ContainsFunc(v, func(c rune) bool { return c < ' ' && c != '\t' && c != '\n' || c == 0x7f }) {
		r.report(e.position(), name, &problem{codeControlInCell, name + " holds a control character", "remove it"})
		return "", false
	}
	if at := strings.IndexFunc(v, isInvisible); at >= 0 {
		c, _ := utf8.DecodeRuneInString(v[at:])
		r.report(e.position(), name, &problem{codeControlInCell, fmt.Sprintf("%s holds the character %U, which nobody sees", name, c), "remove it"})
		return "", false
	}
	if strings.Contains(v, "\n") {
		r.report(e.position(), name, &problem{codeBreakInCell, name + " holds a line break", "write the value on one line"})
		return "", false
	}
	return v, true
}

// isInvisible tells whether a character shows nothing and changes how the text around it shows: directions that are
// overridden, blanks without width. What joins the letters of some scripts is none of them.
func isInvisible(c rune) bool {
	return c == 0x200b || c >= 0x202a && c <= 0x202e || c == 0x2060 || c >= 0x2066 && c <= 0x2069 || c == 0xfeff
}

// list gives the items of a list; ok is false without the key, or when it was reported. null is an empty list.
func (o *object) list(name string) (items []entry, ok bool) {
	e, ok := o.get(name)
	if !ok || o.tooLong(e, name) {
		return nil, false
	}
	return o.r.items(e, name)
}

// tooLong tells whether a list is longer than one about one user or device ever is, which is reported.
func (o *object) tooLong(e entry, name string) bool {
	n := len(e.value.Content)
	if n <= maxItems || o.field(name).shape.long || e.value.Kind != yaml.SequenceNode {
		return false
	}
	o.r.report(e.position(), name, &problem{codeYAMLLimit, name + " has " + plural(n, "entry", "entries"), "write at most " + plural(maxItems, "entry", "entries")})
	return true
}

func (r *yamlReader) items(e entry, name string) (items []entry, ok bool) {
	if isNull(e.value) {
		return nil, true
	}
	if e.value.Kind != yaml.SequenceNode {
		r.wrongShape(e, "a list: "+name+": [a, b]")
		return nil, false
	}
	items = make([]entry, 0, len(e.value.Content))
	for _, n := range e.value.Content {
		item := entry{value: n, file: e.file, depth: e.depth + 1, aliased: e.aliased}
		r.count(item, 1)
		if item, ok = r.resolve(item); ok {
			items = append(items, item)
		}
	}
	return items, true
}

// pairs gives the pairs of a mapping of free names, in order; none without the key, or when it was reported.
func (o *object) pairs(name string) []entry {
	e, ok := o.get(name)
	if !ok || isNull(e.value) {
		return nil
	}
	if e.value.Kind != yaml.MappingNode {
		o.r.wrongShape(e, "a mapping: names, each with its value")
		return nil
	}
	var pairs []entry
	for i := 0; i+1 < len(e.value.Content); i += 2 {
		pair := entry{key: e.value.Content[i], value: e.value.Content[i+1], file: e.file, depth: e.depth + 1, aliased: e.aliased}
		o.r.count(pair, 2)
		if pair.key.Kind != yaml.ScalarNode || pair.key.Tag == "!!merge" {
			o.r.report(pair.keyPosition(), name, &problem{codeWrongShape, "name in " + name + " is no text", "names are words"})
			continue
		}
		if pair, ok := o.r.resolve(pair); ok {
			pairs = append(pairs, pair)
		}
	}
	return pairs
}
