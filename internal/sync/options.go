package sync

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Options of subscribers and settings of the Cloud PBX. Each comes in groups, which upstream reads and writes as a whole: a
// group of one subscriber, or of the Cloud PBX, is a record, and changing it is an operation.
//
// Upstream shows them one by one, so that reading those of every subscriber would cost as many calls as all else together.
// They are read only where a manifest names them, when it is planned first (details.go), and recorded from then on until
// the next refresh. One group, externalForward, upstream takes and never shows: what is recorded of it is a hash of what
// was applied last, keyed with the subscriber's id, so that a subscriber who was made anew has none.

// Group names a group of options or settings.
type Group string

// The groups. Those of subscribers come first, then those that Cloud PBXs have too, then those that only they have.
const (
	GroupPSTNDevice      Group = "pstnDevice"
	GroupSIPHeaders      Group = "sipHeaders"
	GroupExternalForward Group = "externalForward"
	GroupBarring         Group = "barring"
	GroupOverflow        Group = "overflow"
	GroupCLI             Group = "cli"
	GroupBarringPatterns Group = "barringPatterns"
)

// Shown tells whether upstream shows the group of a subscriber.
func (g Group) Shown() bool { return g != GroupExternalForward }

// DesiredGroup is what a manifest asks for in one group of options or settings.
type DesiredGroup struct {
	Group Group
	// Values to have, sorted by name; an empty value sets the default, one that is not listed is left alone.
	Values   []Attribute
	Position Position
}

// Options are the recorded options of a subscriber, of one group.
type Options struct {
	Login        Login  `json:"login"`
	Group        Group  `json:"group"`
	SubscriberID string `json:"subscriberId"`
	// Values, without empty ones, sorted by name.
	Values []Attribute `json:"values,omitempty"`
	// Applied is a hash of the values that were applied last, of a group that upstream does not show.
	Applied string `json:"applied,omitempty"`
}

// OptionsKey names the options of one group of a user's subscriber.
func OptionsKey(g Group, l Login) Key { return Key{KindOptions, string(g) + "/" + string(l)} }

// Key names the options.
func (o *Options) Key() Key { return OptionsKey(o.Group, o.Login) }

// HeldBy is empty: options go with their subscriber and are held by nobody.
func (o *Options) HeldBy() Login { return "" }

// Settings are the recorded settings of a Cloud PBX, of one group.
type Settings struct {
	PbxID string `json:"pbxId"`
	Group Group  `json:"group"`
	// Values, without empty ones, sorted by name.
	Values []Attribute `json:"values,omitempty"`
}

// SettingsKey names the settings of one group of a Cloud PBX.
func SettingsKey(g Group, pbxID string) Key { return Key{KindSettings, string(g) + "/" + pbxID} }

// Key names the settings.
func (s *Settings) Key() Key { return SettingsKey(s.Group, s.PbxID) }

// HeldBy is empty: nobody holds settings.
func (s *Settings) HeldBy() Login { return "" }

// GroupOf splits the key of options or settings into its group, and the login or pbxId.
func GroupOf(k Key) (Group, string) {
	group, rest, _ := strings.Cut(k.ID, "/")
	return Group(group), rest
}

// valueOf finds a value; empty without one.
func valueOf(values []Attribute, name string) string {
	for _, v := range values {
		if v.Name == name {
			return v.Value
		}
	}
	return ""
}

// DefaultOption is the value of an option that is cleared, or that upstream does not show (rvcp provisioning guide).
func DefaultOption(g Group, name string) string {
	switch string(g) + "." + name {
	case "barring.permissions", "barring.restrictions", "overflow.value", "overflow.unavailableOverflow":
		return "default"
	case "pstnDevice.policy", "externalForward.externalCallForward":
		return "company_policy"
	}
	return ""
}

// SameOption compares two values of an option: one that is absent is its default, numbers go without separators.
func SameOption(g Group, name, a, b string) bool {
	a, b = cmp.Or(a, DefaultOption(g, name)), cmp.Or(b, DefaultOption(g, name))
	return a == b || name == "numberE164" && SamePhone(a, b)
}

// groupChanges lists what differs between what is recorded of a group and what is wished for.
func groupChanges(g Group, now []Attribute, want []Attribute) []Change {
	var changes []Change
	for _, w := range want {
		before := valueOf(now, w.Name)
		if after := cmp.Or(w.Value, DefaultOption(g, w.Name)); !SameOption(g, w.Name, before, after) {
			changes = append(changes, Change{Name: w.Name, Before: before, After: after})
		}
	}
	return changes
}

// keyedHash is what is recorded of values that upstream does not show.
func keyedHash(subscriberID string, values []Attribute) string {
	mac := hmac.New(sha256.New, []byte(subscriberID))
	for _, v := range values {
		fmt.Fprintf(mac, "%s=%q\n", v.Name, v.Value)
	}
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// draftOptions drafts what a user's entry says of the options of his subscriber.
func (p *planner) draftOptions(s *stance) {
	if s.want == nil || len(s.want.Options) == 0 || s.faulty {
		return
	}
	if s.then.subscriber == "" {
		p.fault(s, "options", "not-subscriber", "fill shortNumber too", "user %s would have no extension, so there are no options to set", s.login)
		return
	}
	for i := range s.want.Options {
		p.draftOptionGroup(s, &s.want.Options[i])
	}
}

func (p *planner) draftOptionGroup(s *stance, want *DesiredGroup) {
	key := OptionsKey(want.Group, s.login)
	known := find[Options](p.obs, OptionsKey(want.Group, s.recorded()))
	switch {
	case s.subscription != nil && (s.now.subscriber == "" || !want.Group.Shown()):
		known = nil // nothing is known of a new subscriber; the old one's are put back, as far as upstream shows them
	case s.recorded() != s.login && !want.Group.Shown():
		known = nil // what was applied last is forgotten with the login (forgotten), and nobody can read it again
	}
	var now []Attribute
	if known != nil {
		now = known.Values
	}
	changes := groupChanges(want.Group, now, want.Values)
	if s.subscription != nil && s.now.subscriber == "" || known == nil && s.recorded() != s.login {
		changes = outright(want)
	}
	p.checkBarring(s.login, want, changes)
	reason := "differs in " + names(changes)
	if !want.Group.Shown() {
		sub := SubscriberOf(p.obs, s.recorded())
		if known != nil && sub != nil && known.Applied == keyedHash(sub.ID, applied(want)) {
			p.unverified++
			return
		}
		changes = nil
		for _, v := range applied(want) {
			changes = append(changes, Change{Name: v.Name, After: v.Value})
		}
		reason = "upstream does not show what is set"
	}
	if len(changes) == 0 {
		return
	}
	if s.subscription != nil && s.now.subscriber == "" {
		reason = "the new extension gets its options"
	}
	at := s.at
	s.at = want.Position
	d := p.add(s, Operation{Action: ActionUpdate, Key: key, Changes: changes, Reason: reason}, s.creation, s.subscription, s.restoration)
	s.at = at
	if !want.Group.Shown() {
		delete(p.touched, d.op.Key)
	}
	p.touched[p.subscriberKey(s.then.subscriber)] = true
}

// outright sets all that is wished for, also where it is the default, when nothing is known of the group: with what a new
// subscriber begins is not documented, and those of a user with another login were not read (details.go).
func outright(want *DesiredGroup) (changes []Change) {
	for _, v := range applied(want) {
		if v.Value != "" {
			changes = append(changes, Change{Name: v.Name, After: v.Value})
		}
	}
	return changes
}

// applied are the values that applying a group sets.
func applied(want *DesiredGroup) []Attribute {
	all := slices.Clone(want.Values)
	for i := range all {
		all[i].Value = cmp.Or(all[i].Value, DefaultOption(want.Group, all[i].Name))
	}
	return all
}

// remarkUnverified says that some options are taken for what was applied last.
func (p *planner) remarkUnverified() {
	if p.unverified > 0 {
		p.remark(&stance{}, "unverified", "externalForward is as it was applied last, of users: %d; upstream does not show it, so it is not verified", p.unverified)
	}
}

// draftSettings drafts what the manifest says of the Cloud PBX itself.
func (p *planner) draftSettings() {
	for i := range p.desired.Settings {
		want := &p.desired.Settings[i]
		s := &stance{at: want.Position, order: -2 - len(p.desired.Settings) + i}
		if p.company.CloudPbx == nil {
			p.fault(s, "settings", "no-cloud-pbx", "create the Cloud PBX first", "company %s has no Cloud PBX to have settings", p.company.ID)
			return
		}
		key := SettingsKey(want.Group, p.company.CloudPbx.PbxID)
		var now []Attribute
		if known := find[Settings](p.obs, key); known != nil {
			now = known.Values
		}
		if changes := groupChanges("", now, want.Values); len(changes) > 0 {
			p.checkBarring("", want, changes)
			p.add(s, Operation{Action: ActionUpdate, Key: key, Changes: changes, Reason: "differs in " + names(changes)})
			continue
		}
		p.note(s, string(want.Group)+" of the Cloud PBX is as the manifest wants it")
	}
}

// valueEffects are what changing options or settings leaves behind.
func valueEffects(op *Operation, obs Observed) []RecordChange {
	group, rest := GroupOf(op.Key)
	if op.Key.Kind == KindSettings {
		next := Settings{PbxID: rest, Group: group}
		if known := find[Settings](obs, op.Key); known != nil {
			next = *known
		}
		next.Values = laidOver(next.Values, op.Changes)
		return []RecordChange{change(&next)}
	}
	sub := SubscriberOf(obs, op.Login)
	if sub == nil {
		return nil
	}
	next := Options{Login: op.Login, Group: group, SubscriberID: sub.ID}
	if known := find[Options](obs, op.Key); known != nil && known.SubscriberID == sub.ID {
		next = *known
	}
	if !group.Shown() {
		next.Applied = keyedHash(sub.ID, laidOver(nil, op.Changes))
		return []RecordChange{change(&next)}
	}
	next.Values = laidOver(next.Values, op.Changes)
	return []RecordChange{change(&next)}
}

// laidOver lays changes over values.
func laidOver(values []Attribute, changes []Change) []Attribute {
	next := slices.Clone(values)
	for _, c := range changes {
		next = slices.DeleteFunc(next, func(v Attribute) bool { return v.Name == c.Name })
		if c.After != "" {
			next = append(next, Attribute{c.Name, c.After})
		}
	}
	slices.SortFunc(next, func(a, b Attribute) int { return strings.Compare(a.Name, b.Name) })
	return next
}

// forgotten are the options of a subscriber who goes, or whose user gets another login: they are read again when a manifest
// names them.
func forgotten(op *Operation, obs Observed) []RecordChange {
	l := op.Login
	switch {
	case op.Key.Kind == KindUser && op.Action == ActionDelete, op.Key.Kind == KindExtension && op.Action == ActionDelete:
	case op.renames():
		l = Login(op.Key.ID)
	default:
		return nil
	}
	var changes []RecordChange
	for _, g := range []Group{GroupPSTNDevice, GroupSIPHeaders, GroupExternalForward, GroupBarring, GroupOverflow} {
		if k := OptionsKey(g, l); obs.Record(k) != nil {
			changes = append(changes, gone(k))
		}
	}
	return changes
}

// valuesRelied is what a plan relies on in options and settings: the values that it changes.
func valuesRelied(values []Attribute, names []string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(slices.Values(names)) {
		fmt.Fprintf(&b, "\n%s=%q", name, valueOf(values, name))
	}
	return b.String()
}

// BarringPattern is a pattern of numbers that custom barring prohibits.
type BarringPattern struct {
	Pattern     string `json:"pattern"`
	Description string `json:"description,omitempty"`
}

// PatternsText is a list of patterns as a value; empty without any.
func PatternsText(all []BarringPattern) string {
	if len(all) == 0 {
		return ""
	}
	b, err := json.Marshal(all)
	if err != nil {
		panic(fmt.Sprintf("patterns do not encode: %v", err)) // they are plain data
	}
	return string(b)
}

// patternsAttribute is the value that holds the patterns.
const patternsAttribute = "patterns"

// patternWords is a list of patterns as people read it: "^089 (premium), ^338"; what is no list stays as it is.
func patternWords(s string) string {
	all, err := ParsePatterns(s)
	if err != nil {
		return s
	}
	return joined(all, ", ", func(p BarringPattern) string {
		if p.Description == "" {
			return p.Pattern
		}
		return p.Pattern + " (" + p.Description + ")"
	})
}

// ParsePatterns reads what PatternsText wrote.
func ParsePatterns(s string) (all []BarringPattern, err error) {
	if s == "" {
		return nil, nil
	}
	err = json.Unmarshal([]byte(s), &all)
	return all, err
}
