package manifest

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// optionForms are the forms of subscribers' options, of the Cloud PBX's settings, and of keys (rvcp provisioning guide).
func (f *forms) optionForms() {
	barring := func(name, of string) *form {
		return &form{name: name, doc: "Traffic barring of " + of + ".", fields: []formField{
			{name: "permissions", doc: "Id of a permission as GetCloudPbxBarringOptions lists it: local, nat_local, int_nat_local; a subscriber's may be default.", shape: textOf((*values).text).clearable()},
			{name: "restrictions", doc: "Id of a restriction: no_restriction, surcharged_numbers, custom_numbers; a subscriber's may be default.", shape: textOf((*values).text).clearable()},
		}}
	}
	flag := shape{kind: shapeBoolean}
	f.options = &form{name: "options", doc: "Options of the user's Cloud PBX extension. What is left out is left alone; null sets the default.", fields: []formField{
		{name: "barring", doc: "Traffic barring.", shape: objectOf(barring("subscriberBarring", "a subscriber")).clearable()},
		{name: "overflow", doc: "Overflow to voicemail.", shape: objectOf(&form{name: "subscriberOverflow", doc: "Overflow of a subscriber to voicemail.", fields: []formField{
			{name: "value", doc: "On busy and no reply: default (the company's), custom (on) or disabled.", shape: oneOf("default", "custom", "disabled").clearable()},
			{name: "unavailableOverflow", doc: "When unavailable: default, custom or disabled.", shape: oneOf("default", "custom", "disabled").clearable()},
			{name: "noReplyDelay", doc: "Seconds before the no-reply overflow, from 10 to 60.", shape: whole(10, 60)},
		}}).clearable()},
		{name: "pstnDevice", doc: "PSTN device.", shape: objectOf(&form{name: "pstnDevice", doc: "PSTN device of a subscriber.", fields: []formField{
			{name: "policy", doc: "company_policy, none, subscriber_ddi or custom_ddi_number.", shape: oneOf("company_policy", "none", "subscriber_ddi", "custom_ddi_number").clearable()},
			{name: "numberE164", doc: "The number, with policy custom_ddi_number only.", shape: textOf((*values).phone).like(patternE164)},
		}}).clearable()},
		{name: "sipHeaders", doc: "Custom SIP headers on outgoing external calls.", shape: objectOf(&form{name: "sipHeaders", doc: "Custom SIP headers of a subscriber.", fields: []formField{
			{name: "customSipHeader_1", doc: "Value of header 1.", shape: textOf((*values).text).clearable()},
			{name: "customSipHeader_2", doc: "Value of header 2.", shape: textOf((*values).text).clearable()},
		}}).clearable()},
		{name: "externalForward", doc: "May he forward calls outside: company_policy, authorized or not_authorized. Upstream does not show it, so it is compared with what was applied last.",
			shape: oneOf("company_policy", "authorized", "not_authorized").clearable()},
	}}
	f.pattern = &form{name: "barringPattern", doc: "Numbers that the restriction custom_numbers prohibits.", fields: []formField{
		{name: "pattern", doc: "Regular expression.", required: true, shape: textOf((*values).text)},
		{name: "description", doc: "What it is for.", shape: textOf((*values).text)},
	}}
	f.settings = &form{name: "settings", doc: "Settings of the company's Cloud PBX, which exists. What is left out is left alone.", fields: []formField{
		{name: defaultDDI, doc: "The default DDI: the installation number, in E.164 form; one that there is, or that is listed under ddis.", shape: textOf(nil).like(patternE164)},
		{name: "cli", doc: "Calling line identity of outgoing calls.", shape: objectOf(&form{name: "cli", doc: "Calling line identity of outgoing calls.", fields: []formField{
			{name: "policy", doc: "installation_ddi_number or user_ddi_number.", shape: oneOf("installation_ddi_number", "user_ddi_number")},
			{name: "userCanManageItsCli", doc: "Users may set their own.", shape: flag},
			{name: "companyNumberCanBeSelectedByUserAsCli", doc: "Users may choose the installation number.", shape: flag},
		}})},
		{name: "overflow", doc: "Overflow to voicemail of the subscribers that follow the company.", shape: objectOf(&form{name: "companyOverflow", doc: "Overflow to voicemail of the subscribers that follow the company.", fields: []formField{
			{name: "activate", doc: "On busy and no reply.", shape: flag},
			{name: "activateUnavailableOverflow", doc: "When unavailable.", shape: flag},
			{name: "noReplyDelay", doc: "Seconds before the no-reply overflow, from 10 to 60.", shape: whole(10, 60)},
		}})},
		{name: "barring", doc: "Default traffic barring.", shape: objectOf(barring("companyBarring", "the company"))},
		{name: "barringPatterns", doc: "All numbers that the restriction custom_numbers prohibits.", shape: listOf(objectOf(f.pattern)).clearable().growing()},
	}}
	f.key = &form{name: "key", doc: "A programmable key of a desk phone or of one of its modules.", fields: []formField{
		{name: "keyNum", doc: "Number of the key, from 1.", required: true, shape: whole(1, 400)},
		{name: "moduleId", doc: "Module that has it; left out: the phone itself.", shape: whole(0, 3)},
		{name: "keyType", doc: "speeddial, monitor, forward, headset, huntgroup or audio_hub.", required: true, shape: oneOf("speeddial", "monitor", "forward", "headset", "huntgroup", "audio_hub")},
		{name: "displayName", doc: "Label; needed for a speeddial to an outside number.", shape: textOf((*values).text)},
		{name: "number", doc: "Outside number that it leads to.", shape: textOf((*values).text)},
		{name: "extension", doc: "Extension of the Cloud PBX that it leads to, instead of number.", shape: textOf(nil).like(patternNumber)},
		{name: "groupId", doc: "Id of the group of a huntgroup key.", shape: textOf((*values).text)},
	}}
}

// readSettings reads the settings of the Cloud PBX; each group may stand in one file.
func (r *yamlReader) readSettings() {
	seen := map[bulksync.Group]bulksync.Position{}
	for _, part := range r.parts {
		o := part.child("settings", r.forms.settings)
		if o == nil {
			continue
		}
		r.readDefaultDDI(o)
		for _, field := range o.form.fields {
			if field.name == defaultDDI {
				continue
			}
			group := bulksync.Group(field.name)
			want, ok := r.group(o, group)
			if !ok {
				continue
			}
			if first, twice := seen[group]; twice {
				o.fault(field.name, &problem{codeNameTwice, field.name + " is said twice, first at " + first.String(), "say it in one file"})
				continue
			}
			seen[group] = want.Position
			r.desired.Settings = append(r.desired.Settings, want)
		}
	}
	slices.SortFunc(r.desired.Settings, func(a, b bulksync.DesiredGroup) int { return strings.Compare(string(a.Group), string(b.Group)) })
}

// defaultDDI is the key of the default DDI among the settings.
const defaultDDI = "defaultDdi"

func (r *yamlReader) readDefaultDDI(o *object) {
	text, ok := o.text(defaultDDI)
	if !ok {
		return
	}
	number, p := parseE164(defaultDDI, text)
	switch first := r.desired.DefaultDDI; {
	case p != nil:
		o.fault(defaultDDI, p)
	case first != nil:
		o.fault(defaultDDI, &problem{codeNameTwice, defaultDDI + " is said twice, first at " + first.Position.String(), "say it in one file"})
	default:
		r.desired.DefaultDDI = &bulksync.DesiredDDI{Number: number, Position: o.at(defaultDDI)}
	}
}

// group reads a group of options or settings; false when the object does not say it.
func (r *yamlReader) group(o *object, group bulksync.Group) (bulksync.DesiredGroup, bool) {
	name := string(group)
	want := bulksync.DesiredGroup{Group: group, Position: o.at(name)}
	if !o.has(name) {
		return want, false
	}
	s := &o.field(name).shape
	switch s.kind {
	case shapeObject:
		if o.cleared(name) {
			for _, field := range s.form.fields {
				if field.shape.null {
					want.Values = append(want.Values, bulksync.Attribute{Name: field.name})
				}
			}
			break
		}
		c := o.child(name, s.form)
		if c == nil {
			return want, false
		}
		for _, field := range c.form.fields {
			if v, ok := c.text(field.name); ok {
				want.Values = append(want.Values, bulksync.Attribute{Name: field.name, Value: v})
			}
		}
	case shapeList:
		patterns, ok := r.patterns(o, name)
		if !ok {
			return want, false
		}
		want.Values = []bulksync.Attribute{{Name: "patterns", Value: bulksync.PatternsText(patterns)}}
	default:
		v, ok := o.text(name)
		if !ok {
			return want, false
		}
		want.Values = []bulksync.Attribute{{Name: "externalCallForward", Value: v}}
	}
	slices.SortFunc(want.Values, func(a, b bulksync.Attribute) int { return strings.Compare(a.Name, b.Name) })
	return want, len(want.Values) > 0
}

// patterns reads the complete list of prohibited numbers.
func (r *yamlReader) patterns(o *object, name string) ([]bulksync.BarringPattern, bool) {
	items, ok := o.list(name)
	var all []bulksync.BarringPattern
	for _, item := range items {
		p := r.object(item, r.forms.pattern, nil)
		if p == nil {
			continue
		}
		var entry bulksync.BarringPattern
		entry.Pattern, _ = p.text("pattern")
		entry.Description, _ = p.text("description")
		if _, err := regexp.Compile(entry.Pattern); err != nil {
			p.fault("pattern", &problem{codeBadPolicy, "pattern " + quote(entry.Pattern) + " is no regular expression: " + err.Error(), "write one such as ^338[129]"})
			continue
		}
		all = append(all, entry)
	}
	return all, ok
}

// options reads the options of a user's extension.
func (u *userEntry) options() {
	o := u.child("options", u.r.forms.options)
	if o == nil {
		return
	}
	u.mark("options", u.at("options"))
	for _, field := range o.form.fields {
		if want, ok := u.r.group(o, bulksync.Group(field.name)); ok {
			u.user.Options = append(u.user.Options, want)
		}
	}
	slices.SortFunc(u.user.Options, func(a, b bulksync.DesiredGroup) int { return strings.Compare(string(a.Group), string(b.Group)) })
}

// readKeys reads the complete list of a device's programmable keys.
func (r *yamlReader) readKeys(o *object) bulksync.Wish[bulksync.DesiredKey] {
	return shared(r.sharedKeys, o, "keys", func() bulksync.Wish[bulksync.DesiredKey] { return r.keysOf(o) })
}

func (r *yamlReader) keysOf(o *object) bulksync.Wish[bulksync.DesiredKey] {
	items, ok := o.list("keys")
	if !ok {
		return bulksync.Wish[bulksync.DesiredKey]{}
	}
	wish := bulksync.Wish[bulksync.DesiredKey]{Mood: bulksync.Exactly}
	for _, item := range items {
		k := r.object(item, r.forms.key, nil)
		if k == nil {
			continue
		}
		want, ok := r.readKey(k)
		if !ok {
			continue
		}
		if slices.ContainsFunc(wish.Keys, func(other bulksync.DesiredKey) bool {
			return other.Module == want.Module && other.Number == want.Number
		}) {
			k.fault("keyNum", &problem{codeNameTwice, "key " + strconv.Itoa(want.Number) + " comes twice", "a place has one key"})
			continue
		}
		wish.Keys = append(wish.Keys, want)
	}
	slices.SortFunc(wish.Keys, func(a, b bulksync.DesiredKey) int { return 1000*(a.Module-b.Module) + a.Number - b.Number })
	return wish
}

func (r *yamlReader) readKey(k *object) (want bulksync.DesiredKey, ok bool) {
	number, ok := k.text("keyNum")
	if !ok {
		return want, false
	}
	want.Number, _ = strconv.Atoi(number)
	if module, ok := k.text("moduleId"); ok {
		want.Module, _ = strconv.Atoi(module)
	}
	if want.Type, ok = k.text("keyType"); !ok {
		return want, false
	}
	want.DisplayName, _ = k.text("displayName")
	want.Destination, _ = k.text("number")
	want.GroupID, _ = k.text("groupId")
	if text, ok := k.text("extension"); ok {
		n, p := parseShortNumber("extension", text)
		if p != nil {
			k.fault("extension", p)
			return want, false
		}
		want.Extension = n
	}
	wrong := func(message, hint string) (bulksync.DesiredKey, bool) {
		r.report(k.self.position(), "keyType", &problem{codeBadKey, "key " + number + " of type " + want.Type + " " + message, hint})
		return want, false
	}
	targets := 0
	for _, set := range []bool{want.Destination != "", want.Extension != "", want.GroupID != ""} {
		if set {
			targets++
		}
	}
	switch want.Type {
	case "speeddial":
		if want.Destination != "" && want.DisplayName == "" {
			return wrong("has no displayName", "a speeddial to an outside number needs one")
		}
		fallthrough
	case "forward":
		if targets != 1 || want.GroupID != "" {
			return wrong("leads nowhere, or to several places", "give it number or extension")
		}
	case "monitor":
		if targets != 1 || want.Extension == "" {
			return wrong("names no extension, or more", "give it extension")
		}
	case "huntgroup":
		if targets != 1 || want.GroupID == "" {
			return wrong("names no group, or more", "give it groupId")
		}
	default:
		if targets != 0 {
			return wrong("leads somewhere", "such a key has no number, extension or groupId")
		}
	}
	return want, true
}
