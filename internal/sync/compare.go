package sync

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// passwordField is the column that holds a user's password.
const passwordField = "password"

// writeOnly are attributes that upstream takes and never shows (no user document has them): they make no difference of
// their own and travel along when the user is created or otherwise changed.
func writeOnly(name string) bool {
	return name == "photoUrl" || name == "selectedAppCustomisationTemplateName" || name == "ldap_id"
}

// takeStances is the first pass: every entry of the manifest against what is observed, once it is known who is who.
func (p *planner) takeStances() {
	p.settle(func(entry int) { p.takeStance(entry) })
	p.identify(p.queue)
	p.queue = slices.DeleteFunc(p.queue, func(s *stance) bool { return s.held })
	for _, s := range p.queue {
		s.now = holdingOf(p.obs, s.recorded())
		s.then = s.now
	}
	p.allocate()
	for i := 0; i < len(p.queue); i++ { // the queue may grow
		s := p.queue[i]
		p.checkNamed(s)
		switch s.want.Presence {
		case Absent:
			p.compareAbsent(s)
		case Existing:
			p.compareExisting(s)
		default:
			p.comparePresent(s)
		}
	}
}

// takeStance takes the stance of an entry that is not settled; nil for one whose login an earlier one has.
func (p *planner) takeStance(entry int) *stance {
	want := p.desired.Users.At(entry)
	s := &stance{login: want.Login, want: want, at: want.Position, order: entry}
	if first, found := p.desired.Users.Find(want.Login); found && first != entry {
		p.fault(s, "loginEmail", "duplicate-login", "keep one entry for each user", "user %s comes twice, first at %s", want.Login, p.desired.Users.Position(first))
		return nil
	}
	p.meet(s, find[User](p.obs, want.Login.Key()))
	p.stances[want.Login] = s
	p.queue = append(p.queue, s)
	return s
}

// meet gives a stance the user that its entry names, if he exists. Of one in whom nothing differs only that is kept: nearly
// all are such in a large company, and their attributes are most of what a plan would take in memory. Where the policy
// tells users by attributes, they stay.
func (p *planner) meet(s *stance, u *User) {
	s.user = u
	if u == nil || s.want.Presence != Present || s.want.Action == actionCreate || s.want.Password != nil && p.policy.ResetPasswords ||
		len(p.policy.Match)+len(p.policy.Scope)+len(p.policy.Renumber) > 0 {
		return
	}
	if changes, _ := attributeChanges(s.want.completed(u), u); len(changes) == 0 {
		s.same = true
		s.user = &User{ID: u.ID, Login: u.Login, Licences: u.Licences, Admin: u.Admin}
	}
}

func (p *planner) compareAbsent(s *stance) {
	switch {
	case s.user == nil && p.policy.Strict:
		p.fault(s, "loginEmail", "user-missing", "remove the entry", "user %s is to be deleted and does not exist", s.login)
	case s.user == nil:
		p.note(s, "no such user: nothing to delete")
	case s.login == p.company.Account:
		p.fault(s, "loginEmail", "user-protected", "remove the entry", "user %s is the account that the gateway works under and can't be deleted", s.login)
	case s.user.Admin:
		p.fault(s, "loginEmail", "user-protected", "take the administrator role away first, or remove the entry", "user %s is an administrator and is not deleted by a manifest", s.login)
	case p.protects(s.recorded()):
		p.fault(s, "loginEmail", "user-protected", "remove the entry, or protect him no longer for this plan", "user %s is protected by the policy and is not deleted", s.login)
	default:
		s.then = holding{}
	}
}

func (p *planner) compareExisting(s *stance) {
	w := s.want
	claims := w.Subscriber.claims() || w.Devices.claims() || w.DDIs.claims() || w.Pairings.claims() || w.Licences.claims()
	if s.user != nil {
		p.compareHolding(s)
		return
	}
	if claims || p.policy.Strict {
		p.fault(s, "loginEmail", "user-missing", "create the user first, with upsert", "user %s does not exist", s.login)
		return
	}
	p.note(s, "no such user: nothing to detach")
}

func (p *planner) comparePresent(s *stance) {
	if s.user == nil && s.want.Action == "update" {
		hint := "use upsert to create the user"
		if p.desired.Mode == modeUser {
			hint = "use create"
		}
		p.fault(s, "loginEmail", "user-missing", hint, "user %s is to be updated and does not exist", s.login)
		return
	}
	if s.user != nil && s.was == "" && s.want.Action == actionCreate {
		if p.policy.Strict {
			hint := "use upsert or update"
			if p.desired.Mode == modeUser {
				hint = "use update"
			}
			p.fault(s, "loginEmail", "user-exists", hint, "user %s is to be created and exists already", s.login)
		} else {
			p.passOver(s)
		}
		return
	}
	if s.user == nil && s.want.Password == nil {
		p.fault(s, passwordField, "password-required", "fill the password column: at least 8 characters with a capital, a digit and a special character",
			"user %s does not exist yet, and a user is not created without a password", s.login)
	}
	p.compareHolding(s)
}

// compareHolding works out what the user shall hold; what he is to take from others is settled in the second pass.
func (p *planner) compareHolding(s *stance) {
	p.compareSubscriber(s)
	p.compareDevices(s)
	p.compareDDIs(s)
	p.comparePairings(s)
	p.compareLicences(s)
	p.compareVain(s)
	p.keepIgnored(s)
	if s.renumbered() && s.then.subscriber == "" { // he loses his devices and DDIs with his subscriber
		s.then.devices, s.then.ddis = nil, nil
	}
}

func (p *planner) compareSubscriber(s *stance) {
	w := s.want.Subscriber
	switch w.Mood {
	case Exactly, Include:
		if len(w.Keys) == 0 {
			s.then.subscriber = ""
			return
		}
		s.then.subscriber = w.Keys[0]
		p.checkNumber(s, w.Keys[0])
	case Exclude:
		if s.now.subscriber == "" {
			return
		}
		if len(w.Keys) > 0 && !slices.Contains(w.Keys, s.now.subscriber) {
			p.fault(s, "shortNumber", "other-number", fmt.Sprintf("write %s to detach the subscriber", s.now.subscriber),
				"user %s has the extension %s, not %s (Rainbow: 2019)", s.login, s.now.subscriber, w.Keys[0])
			return
		}
		s.then.subscriber = ""
	}
}

// checkNumber holds a number against the Cloud PBX and its numbering plan.
func (p *planner) checkNumber(s *stance, n Number) {
	pbx := p.company.CloudPbx
	if pbx == nil {
		p.fault(s, "shortNumber", "no-cloud-pbx", "create the Cloud PBX first, or leave the column empty", "company %s has no Cloud PBX (Rainbow: 2001)", p.company.ID)
		s.then.subscriber = s.now.subscriber
		return
	}
	if n != s.now.subscriber && !slices.ContainsFunc(pbx.Ranges, func(r Range) bool { return r.Contains(n) }) {
		hint := "use a number in " + rangesInWords(pbx.Ranges)
		if longer, ok := lostInPlan(n, pbx.Ranges); ok {
			hint = zerosLost(string(longer))
		}
		p.fault(s, "shortNumber", "number-outside-plan", hint, "extension %s is outside the numbering plan of the Cloud PBX (Rainbow: 2002)", n)
	}
}

func rangesInWords(ranges []Range) string {
	words := make([]string, len(ranges))
	for i, r := range ranges {
		words[i] = string(r.First) + "-" + string(r.Last)
	}
	return strings.Join(words, ", ")
}

func (p *planner) compareDevices(s *stance) {
	w := s.want.Devices
	s.then.devices = fulfil(s.now.devices, w, cmp.Compare)
	for _, k := range w.named() {
		if !s.renumbered() && slices.Contains(s.now.devices, k) {
			continue
		}
		d := find[Device](p.obs, k.Key())
		_, provided := p.provides(k.Key())
		switch {
		case d == nil && provided:
		case d == nil:
			p.fault(s, "macAddress", "unknown-device", "declare the device first, or correct the address", "there is no SIP device %s in the company (Rainbow: 2007)", k)
		case d.Holder == "" && d.HolderID != "":
			p.fault(s, "macAddress", "device-held", "free the device first", "device %s is held by an unknown user with id %s (Rainbow: 2009)", k, d.HolderID)
		}
		if s.then.subscriber == "" {
			p.fault(s, "macAddress", "not-subscriber", "fill shortNumber too", "user %s would have no extension, so device %s can't be attached (Rainbow: 2011)", s.login, k)
		}
	}
}

func (p *planner) compareDDIs(s *stance) {
	w := s.want.DDIs
	s.then.ddis = fulfil(s.now.ddis, w, cmp.Compare)
	for _, n := range w.named() {
		if !s.renumbered() && slices.Contains(s.now.ddis, n) {
			continue
		}
		d := find[DDI](p.obs, n.Key())
		_, provided := p.provides(n.Key())
		switch {
		case d == nil && provided:
		case d == nil:
			hint := "declare the number first, or correct it"
			if full, ok := p.lostDDI(n); ok {
				hint = "the country code is missing: probably " + string(full)
			}
			p.fault(s, "ddiE164Number", "unknown-ddi", hint, "there is no DDI %s in the company (Rainbow: 2014)", n)
		case d.Label != "":
			p.fault(s, "ddiE164Number", "ddi-held", "free the number first, or use another", "DDI %s is held by %s (Rainbow: 2015)", n, d.Label)
		case d.Holder == "" && d.HolderID != "":
			p.fault(s, "ddiE164Number", "ddi-held", "free the number first, or use another", "DDI %s is held by an unknown user with id %s (Rainbow: 2015)", n, d.HolderID)
		}
		if s.then.subscriber == "" {
			p.fault(s, "ddiE164Number", "not-subscriber", "fill shortNumber too", "user %s would have no extension, so DDI %s can't be assigned (Rainbow: 2013)", s.login, n)
		}
	}
}

func (p *planner) comparePairings(s *stance) {
	w := s.want.Pairings
	keys := Wish[Key]{Mood: w.Mood}
	for _, pairing := range w.Keys {
		k, ok := p.resolvePairing(s, pairing)
		if !ok {
			continue
		}
		keys.Keys = append(keys.Keys, k)
		p.checkComplete(s, k)
		if e := find[Extension](p.obs, k); w.Mood != Exclude && e.Holder == "" && e.HolderID != "" {
			p.fault(s, "pbxShortNumber", "number-held", "free the number first, or use another", "number %s is held by an unknown user with id %s (Rainbow: 1008)", k.ID, e.HolderID)
		}
	}
	if len(keys.Keys) == len(w.Keys) {
		p.comparePolite(s, keys)
	}
	s.paired = keys.named()
	s.then.pairings = fulfil(s.now.pairings, keys, Key.Compare)
}

// resolvePairing finds the system number that a pairing means.
func (p *planner) resolvePairing(s *stance, pairing Pairing) (Key, bool) {
	var found []Key
	for _, system := range p.company.Systems {
		if pairing.PbxID != "" && pairing.PbxID != system.PbxID {
			continue
		}
		k := ExtensionKey(system.PbxID, pairing.Number)
		if e := find[Extension](p.obs, k); e != nil && e.Role == RolePairing {
			found = append(found, k)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], true
	case len(found) > 1:
		p.fault(s, "pbxShortNumber", "ambiguous-number", "fill pbxId", "number %s exists on %d PBXs of the company (Rainbow: 1005)", pairing.Number, len(found))
	case pairing.PbxID != "" && !slices.ContainsFunc(p.company.Systems, func(x System) bool { return x.PbxID == pairing.PbxID }):
		p.fault(s, "pbxId", "unknown-pbx", "correct pbxId", "there is no PBX %s in the company (Rainbow: 1003)", pairing.PbxID)
	case len(p.company.Systems) == 0:
		p.fault(s, "pbxShortNumber", "unknown-pbx", "declare the PBX and its numbers first", "the company has no PBX whose number %s could be (Rainbow: 1006)", pairing.Number)
	default:
		hint, code := "declare the number on the PBX first, or correct it", "1003"
		if longer, ok := p.lostOnPBX(pairing); ok {
			hint = zerosLost(string(longer))
		}
		if pairing.PbxID == "" {
			code = "1005"
		}
		p.fault(s, "pbxShortNumber", "unknown-number", hint, "there is no number %s on %s (Rainbow: %s)", pairing.Number, orWords(pairing.PbxID, "any PBX of the company"), code)
	}
	return Key{}, false
}

func orWords(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// note records that an entry needs nothing.
func (p *planner) note(s *stance, words string) {
	s.drafted = true
	p.unchanged = append(p.unchanged, Unchanged{Login: s.login, Position: s.at, Note: words})
}

// attributeChanges lists what differs between the wished-for and the observed attributes, and what is only written.
func attributeChanges(want []Attribute, user *User) (changes, along []Change) {
	for _, a := range want {
		if writeOnly(a.Name) {
			if a.Value != "" {
				along = append(along, Change{Name: a.Name, After: a.Value})
			}
			continue
		}
		before := ""
		if user != nil {
			before = user.Attribute(a.Name)
		}
		if !SameAttribute(a.Name, before, a.Value) {
			changes = append(changes, Change{Name: a.Name, Before: before, After: a.Value})
		}
	}
	return changes, along
}

// DefaultOf is the value that upstream gives an attribute that is cleared or never set; empty for most (admin guide,
// CreateUser; the login sample for visibility).
func DefaultOf(attribute string) string {
	switch attribute {
	case "isInitialized":
		return "false"
	case "visibility":
		return "same_than_company"
	case "accountType":
		return "free"
	case "authenticationType":
		return "DEFAULT"
	}
	return ""
}

// SameAttribute compares two values of an attribute: an absent one is its default; numbers go without separators and
// plus sign, e-mails and country codes without case.
func SameAttribute(name, a, b string) bool {
	a, b = cmp.Or(a, DefaultOf(name)), cmp.Or(b, DefaultOf(name))
	if a == b {
		return true
	}
	switch {
	case strings.HasPrefix(name, "businessPhone"), strings.HasPrefix(name, "mobilePhone"):
		return SamePhone(a, b)
	case strings.HasPrefix(name, "email"), name == loginAttribute, name == "country", name == "isInitialized":
		return strings.EqualFold(a, b)
	}
	return false
}

// SamePhone compares two numbers without the signs that people put between digits, and without plus sign.
func SamePhone(a, b string) bool { return a == b || plainPhone(a) == plainPhone(b) }

func plainPhone(s string) string { return strings.TrimPrefix(phoneSeparators.Replace(s), "+") }
