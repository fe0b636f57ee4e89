package manifest

import (
	"maps"
	"slices"
	"strings"
)

// The form of YAML manifests: which keys an object has, and what may stand behind them. The reader, the published schema
// (yamlschema.go) and the reference in docs/manifests.md are all made from these tables, so that they can't differ.

// shapeKind is the kind of a value.
type shapeKind uint8

const (
	shapeText shapeKind = iota
	shapeWhole
	shapeBoolean
	shapeList
	shapeObject
	// shapeNames is a mapping of names that the writer chooses, each to a value of the shape's item.
	shapeNames
	// shapeEither is one of several shapes, told apart by being a scalar, a list or an object.
	shapeEither
)

// shape is what may stand behind a key.
type shape struct {
	kind shapeKind
	// null: the value may be null or empty, which clears what it names. blank: it may be null, which says nothing.
	null, blank bool
	// long: a list that grows with the company.
	long bool
	// choices are the only texts allowed; check gives a text in its normal form, or what is wrong with it.
	choices []string
	check   func(*values, string) (string, *problem)
	// pattern describes a text to editors; check decides.
	pattern string
	// least and most bound a whole number.
	least, most int
	item        *shape
	form        *form
	either      []shape
}

// formField is a key of an object.
type formField struct {
	name     string
	doc      string
	shape    shape
	required bool
}

// inPassing is the field's doc as the end of a sentence that begins with something else.
func (f *formField) inPassing() string {
	doc := strings.TrimSuffix(f.doc, ".")
	if len(doc) > 1 && strings.ToUpper(doc[1:2]) == doc[1:2] && doc[1] != ' ' { // MAC
		return doc
	}
	return strings.ToLower(doc[:1]) + doc[1:]
}

// form is an object of the manifest.
type form struct {
	// name is that of its definition in the schema.
	name   string
	doc    string
	fields []formField
	// exactly lists fields of which an object has one.
	exactly []string
	// places are those of the fields, once one was asked for.
	places map[string]int
}

// index is the place of a field; -1 without one.
func (f *form) index(name string) int {
	if f.places == nil {
		f.places = make(map[string]int, len(f.fields))
		for i := range f.fields {
			f.places[f.fields[i].name] = i
		}
	}
	if i, ok := f.places[name]; ok {
		return i
	}
	return -1
}

func (f *form) names() []string {
	names := make([]string, len(f.fields))
	for i := range f.fields {
		names[i] = f.fields[i].name
	}
	return names
}

func textOf(check func(*values, string) (string, *problem)) shape {
	return shape{kind: shapeText, check: check}
}

func oneOf(choices ...string) shape { return shape{kind: shapeText, choices: choices} }

func whole(least, most int) shape { return shape{kind: shapeWhole, least: least, most: most} }

func listOf(item shape) shape { return shape{kind: shapeList, item: &item} }

func namesOf(item shape) shape { return shape{kind: shapeNames, item: &item} }

func objectOf(f *form) shape { return shape{kind: shapeObject, form: f} }

func eitherOf(shapes ...shape) shape { return shape{kind: shapeEither, either: shapes} }

// clearable is the shape with null allowed.
func (s shape) clearable() shape {
	s.null = true
	return s
}

// orBlank is the shape with null allowed where it says nothing.
func (s shape) orBlank() shape {
	s.blank = true
	return s
}

// growing is a list that grows with the company.
func (s shape) growing() shape {
	s.long = true
	return s
}

func (s shape) like(pattern string) shape {
	s.pattern = pattern
	return s
}

// The patterns that editors check while typing. They are wider than what is read: ${name} may stand anywhere.
const (
	patternNumber = `^([0-9]{1,10}|.*\$\{.*)$`
	patternMAC    = `^(([0-9A-Fa-f]{2}[:.-]?){5}[0-9A-Fa-f]{2}|.*\$\{.*)$`
	patternMACs   = `^(([0-9A-Fa-f]{2}[:.-]?){5}[0-9A-Fa-f]{2}( *- *([0-9A-Fa-f]{2}[:.-]?){5}[0-9A-Fa-f]{2})?|.*\$\{.*)$`
	patternE164   = `^(\+?[0-9 ().\-/]{7,25}|.*\$\{.*)$`
	patternIPEI   = `^([0-9A-Fa-f ]{10,14}|.*\$\{.*)$`
	patternLogin  = `^(.+@.+|.*\$\{.*)$`
)

// forms are the objects of the manifest.
type forms struct {
	manifest, user, pairing, device, module, ddiRange, key, options, settings, pattern, pools, extensionPool, ddiPool, devicePool, fromPool *form
	// templates and defaults hold values to take over; inheriting are the forms of these by the list that they are for.
	templates, defaults *form
	inheriting          map[string]*form
}

func newForms() *forms {
	f := &forms{}
	f.pairing = &form{name: "pairing", doc: "A number of an equipped PBX that the user is paired with.", fields: []formField{
		{name: "pbxId", doc: "pbxId of the PBX; may be left out when the number exists on one PBX only.", shape: textOf((*values).text)},
		{name: "shortNumber", doc: "Extension on that PBX.", required: true, shape: textOf(nil).like(patternNumber)},
		{name: "internalNumber", doc: "Private number of the extension; left out: left alone.", shape: textOf((*values).text)},
		{name: "number", doc: "Public number of the extension; left out: left alone.", shape: textOf((*values).text)},
	}}
	f.optionForms()
	f.poolForms()
	f.deviceForms()
	f.user = f.userForm()
	f.inheriting = map[string]*form{"devices": inheritingForm(f.device, "deviceTemplate", "macAddress", "count", "ipei", "template", "absent"), "users": inheritingForm(f.user, "userTemplate", "login", "absent", "template", "password")}
	f.templates = &form{name: "templates", doc: "Named sets of values that entries take over by template: name."}
	f.defaults = &form{name: "defaults", doc: "Values that every entry takes over which does not say otherwise."}
	for _, kind := range slices.Sorted(maps.Keys(f.inheriting)) {
		f.templates.fields = append(f.templates.fields, formField{name: kind, doc: "Templates for " + kind + ", by name.", shape: namesOf(objectOf(f.inheriting[kind])).orBlank()})
		f.defaults.fields = append(f.defaults.fields, formField{name: kind, doc: "Defaults for " + kind + ".", shape: objectOf(f.inheriting[kind]).orBlank()})
	}
	f.manifest = f.manifestForm()
	return f
}

// userForm is the form of a user, of a template and of the defaults, as far as each may have a key (yamluser.go).
func (f *forms) userForm() *form {
	u := &form{name: "user", doc: "A user of the company, and all that he shall have. What is left out is left alone; null, or an empty list, clears.",
		fields: []formField{
			{name: "login", required: true, doc: "Login e-mail address: the user's key, compared without case.", shape: textOf(nil).like(patternLogin)},
			{name: "template", doc: "Templates whose values he takes over, where he says nothing himself; of several a later one goes first.",
				shape: eitherOf(textOf(nil), listOf(textOf(nil))).orBlank()},
			{name: "absent", doc: "true: the user shall not exist. He is deleted with what he holds; nothing else is said of him then.", shape: shape{kind: shapeBoolean}},
			{name: "password", doc: "Password of a user who is to be created: env:NAME or file:PATH, looked up where the command runs. " +
				"The password itself is taken too, with a remark. At least 8 characters, with a capital letter, a digit and a special character.", shape: textOf(nil)},
			{name: "extension", doc: "Short number of his Cloud PBX extension, or pool: NAME for one of a pool. null: none; what he has is deleted.", shape: eitherOf(textOf(nil).like(patternNumber), objectOf(f.fromPool)).clearable()},
			{name: "devices", doc: "All SIP devices of his extension: MAC addresses of devices that are there or listed elsewhere, or devices as they are listed under devices.",
				shape: listOf(eitherOf(textOf(nil).like(patternMAC), objectOf(f.device), objectOf(f.fromPool))).clearable()},
			{name: "ddis", doc: "All public numbers that are his, in E.164 form, or pool: NAME for one of a pool.", shape: listOf(eitherOf(textOf(nil).like(patternE164), objectOf(f.fromPool))).clearable()},
			{name: "pairings", doc: "All numbers of equipped PBXs that he is paired with.", shape: listOf(objectOf(f.pairing)).clearable()},
			{name: "licences", doc: "Names of the offers of which he shall have a licence: all of them, but for that of the default offer, which everybody has.",
				shape: listOf(textOf((*values).text)).clearable()},
			{name: "options", doc: f.options.doc, shape: objectOf(f.options)},
		}}
	for i := range columns {
		def := &columns[i]
		if def.role != roleAttribute {
			continue
		}
		field := formField{name: def.name, doc: attributeDocs[def.name], shape: textOf(def.check).clearable()}
		if def.numbered {
			field.shape = listOf(textOf(def.check)).clearable()
		}
		u.fields = append(u.fields, field)
	}
	return u
}

// attributeDocs describe the columns that stand for themselves (columns.go).
var attributeDocs = map[string]string{
	"title": "Title, such as Mrs.", "firstName": "First name.", "lastName": "Last name.", "nickName": "Nickname.",
	"businessPhone": "All business phone numbers of his card, in order, in E.164 form.",
	"mobilePhone":   "All mobile phone numbers of his card, in order, in E.164 form.",
	"email":         "All personal e-mail addresses, in order; the login is not one of them.",
	"tags":          "All tags, in order; at most 5 of at most 64 characters.",
	"jobTitle":      "Job title.", "department": "Department.", "userInfo1": "Free text for the administrator.", "userInfo2": "Free text for the administrator.",
	"country":                              "Country, ISO 3166-1 alpha-3: FRA.",
	"language":                             "Language, ISO 639-1, with a country or without: fr, en-US.",
	"timezone":                             "Time zone of the IANA database: Europe/Paris.",
	"visibility":                           "Who sees him: same_than_company, public, private, closed, isolated or none.",
	"isInitialized":                        "true or false: the user is asked for nothing at his first login.",
	"authenticationType":                   "DEFAULT, RAINBOW, SAML or OIDC.",
	"accountType":                          "free, basic or advanced.",
	"photoUrl":                             "Web address of his picture; written, never read back.",
	"selectedAppCustomisationTemplateName": "Name of an application customisation template; written, never read back.",
	"ldap_id":                              "objectGUID of his directory entry, for directory connectors; written, never read back.",
}

// inheritingForm is the form of what entries take over: that of the entries, less what each has for himself.
func inheritingForm(of *form, name string, own ...string) *form {
	in := &form{name: name, doc: "Values for entries that say nothing themselves."}
	for _, field := range of.fields {
		if !slices.Contains(own, field.name) {
			field.required = false
			in.fields = append(in.fields, field)
		}
	}
	return in
}

func (f *forms) manifestForm() *form {
	return &form{name: "manifest", doc: "A manifest of Rainbow Gateway: what a company shall have.", fields: []formField{
		{name: "version", doc: "Version of the form: 1.", required: true, shape: oneOf("1")},
		{name: "company", doc: "Id of the company; a plan for any other is refused.", shape: textOf((*values).text)},
		{name: "variables", doc: "Names that may stand as ${name} in any value, each with its default; null: it must be given on the command line.", shape: namesOf(textOf(nil).clearable()).orBlank()},
		{name: "include", doc: "Files of the same manifest, in this file's folder or below it.", shape: listOf(textOf(nil)).orBlank().growing()},
		{name: "templates", doc: f.templates.doc, shape: objectOf(f.templates).orBlank()},
		{name: "defaults", doc: f.defaults.doc, shape: objectOf(f.defaults).orBlank()},
		{name: "name", doc: "The manifest's name, by which it is known which users an earlier one named; --lineage goes before it.", shape: textOf(nil)},
		{name: "scope", doc: "The users whom the manifest speaks for: all, owned, domain=DOMAIN, tag=TAG or an attribute such as department=Sales; of several all must hold.",
			shape: eitherOf(textOf(nil), listOf(textOf(nil))).orBlank()},
		{name: "prune", doc: "What becomes of users of the scope whom the manifest does not name, and of devices and DDIs that complete lists leave out: off, delete or detach.",
			shape: oneOf("off", "delete", "detach")},
		{name: "complete", doc: "Lists that are all that the company shall have: devices, ddis. With prune: delete, what they leave out and nobody holds is deleted.",
			shape: listOf(oneOf("devices", "ddis")).orBlank()},
		{name: "ignore", doc: "Patterns of what is left alone: ext-*@demo.example, 23*, +332983*, aa:bb:cc:*. A manifest that names what it ignores is at fault.", shape: listOf(textOf(nil)).orBlank()},
		{name: "match", doc: "Attributes whose values identify a user whose login is new, such as userInfo1.", shape: listOf(textOf(nil)).orBlank()},
		{name: "matchNumbers", doc: "What an extension or DDI proves of a user whose login is new: names, always or never.", shape: oneOf("names", "always", "never")},
		{name: "renumber", doc: "Rules that give extensions other numbers: 23xx=43xx, 23xx=43xx@department=Brest.", shape: listOf(textOf(nil)).orBlank()},
		{name: "pools", doc: f.pools.doc, shape: objectOf(f.pools).orBlank()},
		{name: "settings", doc: f.settings.doc, shape: objectOf(f.settings).orBlank()},
		{name: "devices", doc: "SIP devices that the company shall have, beside those listed with users.", shape: listOf(objectOf(f.device)).clearable().growing()},
		{name: "ddis", doc: "Public numbers that the company shall have: each in E.164 form, or a range of them.",
			shape: listOf(eitherOf(textOf(nil).like(patternE164), objectOf(f.ddiRange))).clearable().growing()},
		{name: "users", doc: "Users, in any order; each once.", shape: listOf(objectOf(f.user)).clearable().growing()},
	}}
}
