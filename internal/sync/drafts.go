package sync

import (
	"fmt"
	"slices"
	"strings"
)

// draftReleases is the third pass, first half: everything that frees a value.
func (p *planner) draftReleases() {
	for _, s := range p.queue {
		if s.deleted() {
			p.draftDeletion(s)
			continue
		}
		p.draftDetaches(s)
	}
}

func (p *planner) draftDeletion(s *stance) {
	d := p.add(s, Operation{Action: ActionDelete, Key: s.login.Key(), Reason: deletionReason(s)})
	s.deletion = d
	for _, k := range p.obs.Held(s.login) {
		p.frees[k] = d
		p.touched[k] = true
	}
}

func deletionReason(s *stance) string {
	h, why := s.now, "the manifest deletes the user"
	if s.want.Action == pruneAction {
		why = "the manifest does not name the user, who is in its scope"
	}
	var goes []string
	if h.subscriber != "" {
		goes = append(goes, "extension "+string(h.subscriber))
	}
	for _, k := range h.pairings {
		goes = append(goes, "number "+k.ID)
	}
	for _, k := range h.devices {
		goes = append(goes, "device "+k.String())
	}
	for _, n := range h.ddis {
		goes = append(goes, "DDI "+string(n))
	}
	if len(goes) == 0 {
		return why
	}
	return why + "; frees " + strings.Join(goes, ", ")
}

// draftDetaches drafts what a user who stays loses. A subscriber that goes takes its devices with it (guide,
// DeleteSubscriber); whether it takes the user's DDIs too is not documented, so they are detached first.
func (p *planner) draftDetaches(s *stance) {
	var first []*draft
	for _, n := range s.now.ddis {
		if s.renumbered() || !slices.Contains(s.then.ddis, n) {
			d := p.add(s, Operation{Action: ActionDetach, Key: n.Key(), Changes: holderChange(s.login, ""), Reason: p.lossReason(s, n.Key(), slices.Contains(s.then.ddis, n))})
			p.frees[n.Key()] = d
			first = append(first, d)
		}
	}
	for _, k := range s.now.devices {
		if !s.renumbered() && !slices.Contains(s.then.devices, k) {
			p.frees[k.Key()] = p.add(s, Operation{Action: ActionDetach, Key: k.Key(), Changes: holderChange(s.login, ""), Reason: p.lossReason(s, k.Key(), false)})
		}
	}
	for _, k := range s.now.pairings {
		if !slices.Contains(s.then.pairings, k) {
			p.frees[k] = p.add(s, Operation{Action: ActionDetach, Key: k, Changes: holderChange(s.login, ""), Reason: p.lossReason(s, k, false)})
		}
	}
	if !s.renumbered() {
		return
	}
	key := p.subscriberKey(s.now.subscriber)
	d := p.add(s, Operation{Action: ActionDelete, Key: key, Changes: holderChange(s.login, ""), Reason: renumberReason(s)}, append(first, s.saves...)...)
	p.frees[key] = d
	for _, k := range s.now.devices {
		p.frees[k.Key()] = d
		p.touched[k.Key()] = true
	}
}

func renumberReason(s *stance) string {
	words := "the manifest detaches the extension"
	if s.want != nil && s.want.Action == pruneAction {
		words = "the manifest does not name the user, who is in its scope"
	}
	if s.then.subscriber != "" {
		words = fmt.Sprintf("the extension becomes %s, and a subscriber can't be renumbered in place", s.then.subscriber)
	}
	if s.rule != nil {
		words = fmt.Sprintf("rule %s: %s", s.rule, words)
	}
	if n := len(s.now.devices); n == 1 {
		words += fmt.Sprintf("; frees device %s", s.now.devices[0])
	} else if n > 1 {
		words += fmt.Sprintf("; frees %d devices", n)
	}
	return words
}

// lossReason says why a user loses a thing: he is to hold it again after his renumbering, another gets it, or he just
// shall not have it.
func (p *planner) lossReason(s *stance, k Key, returns bool) string {
	if to := p.claimed[k]; to != nil && to != s {
		return fmt.Sprintf("it moves to %s", to.login)
	}
	if returns {
		return "the extension is replaced; put back after"
	}
	if s.renumbered() && s.then.subscriber == "" {
		return "the extension goes"
	}
	if s.want != nil && s.want.Action == pruneAction {
		return "the manifest does not name the user, who is in its scope"
	}
	if s.want != nil && s.want.Presence == Existing {
		return "the manifest detaches it"
	}
	return "the manifest names another, or none"
}

func holderChange(before, after Login) []Change {
	return []Change{{Name: "holder", Before: string(before), After: string(after)}}
}

// draftTakes is the third pass, second half: users, and everything that takes a value.
func (p *planner) draftTakes() {
	for _, s := range p.queue {
		if s.deleted() || s.want != nil && s.want.Presence == Absent {
			continue
		}
		if s.want != nil && s.want.Presence == Present {
			p.draftUser(s)
		}
		p.draftSubscriber(s)
		p.draftAttaches(s)
		p.draftRestore(s)
		p.draftOptions(s)
		p.draftPairings(s)
	}
}

func (p *planner) draftUser(s *stance) {
	if s.idle || s.same && s.was == "" {
		return
	}
	changes, along := attributeChanges(s.want.completed(s.user), s.user)
	p.checkLists(s, changes)
	if s.user == nil {
		changes = slices.DeleteFunc(append(changes, along...), func(c Change) bool { return c.After == "" })
		s.creation = p.add(s, Operation{Action: ActionCreate, Key: s.login.Key(), Changes: changes, Secret: s.want.Password, Reason: "no such user yet"})
		return
	}
	if s.was != "" {
		return // his rename carries it all
	}
	secret := p.resetSecret(s)
	if len(changes) == 0 && secret == nil {
		return
	}
	reason := "differs in " + names(changes)
	if len(changes) == 0 {
		reason = "the password is to be reset"
	}
	p.add(s, Operation{Action: ActionUpdate, Key: s.login.Key(), Changes: append(changes, along...), Secret: secret, Reason: reason})
}

// resetSecret is the place of the password that an existing user is to get, if any.
func (p *planner) resetSecret(s *stance) *SecretPlace {
	if s.want.Password == nil || !p.policy.ResetPasswords {
		return nil
	}
	if s.login == p.company.Account {
		p.fault(s, passwordField, "user-protected", "empty the password cell", "user %s is the account that the gateway works under: a manifest does not reset its password", s.login)
	}
	return s.want.Password
}

func names(changes []Change) string {
	all := make([]string, len(changes))
	for i, c := range changes {
		all[i] = c.Name
	}
	return strings.Join(all, ", ")
}

func (p *planner) draftSubscriber(s *stance) {
	n := s.then.subscriber
	if n == "" || n == s.now.subscriber {
		return
	}
	p.checkOtherPBX(s)
	key := p.subscriberKey(n)
	reason := "no extension yet"
	needs := append(p.exchanged(s), s.creation, p.frees[key])
	if s.now.subscriber != "" {
		reason = fmt.Sprintf("replaces extension %s", s.now.subscriber)
	}
	if f := p.frees[key]; f != nil && f.owner != s {
		reason += fmt.Sprintf("; %s gives %s up", f.owner.login, n)
	}
	s.subscription = p.add(s, Operation{Action: ActionCreate, Key: key, Changes: holderChange("", s.login), Reason: reason}, needs...)
}

func (p *planner) draftAttaches(s *stance) {
	for _, k := range s.then.devices {
		if s.renumbered() || !slices.Contains(s.now.devices, k) {
			p.draftAttach(s, k.Key(), slices.Contains(s.now.devices, k))
		}
	}
	for _, n := range s.then.ddis {
		if s.renumbered() || !slices.Contains(s.now.ddis, n) {
			p.draftAttach(s, n.Key(), slices.Contains(s.now.ddis, n))
		}
	}
}

// draftAttach drafts giving a device or DDI. A device or DDI that the user had before his renumbering is put back.
func (p *planner) draftAttach(s *stance, k Key, putBack bool) {
	reason := "the manifest asks for it"
	from := Login("")
	created, _ := p.provides(k)
	if r := p.obs.Record(k); r != nil && r.HeldBy() != s.recorded() {
		from = p.called(r.HeldBy())
	}
	switch {
	case putBack:
		reason = "put back after the extension is replaced"
	case from != "":
		reason = fmt.Sprintf("moves from %s", from)
	}
	p.add(s, Operation{Action: ActionAttach, Key: k, Changes: holderChange(from, s.login), Reason: reason}, s.creation, s.subscription, p.frees[k], created)
}

func (p *planner) draftPairings(s *stance) {
	for _, k := range s.then.pairings {
		e := find[Extension](p.obs, k)
		changes := p.pairingChanges(s, k, e)
		if slices.Contains(s.now.pairings, k) {
			if len(changes) > 0 {
				p.add(s, Operation{Action: ActionUpdate, Key: k, Changes: changes, Reason: "differs in " + names(changes)})
			}
			continue
		}
		reason, from := "the manifest asks for it", p.called(e.Holder)
		if from != "" {
			reason = fmt.Sprintf("moves from %s", from)
		}
		p.checkPairable(s, k)
		p.add(s, Operation{Action: ActionAttach, Key: k, Changes: append(holderChange(from, s.login), changes...), Reason: reason}, append(p.exchanged(s), s.creation, p.frees[k])...)
	}
}

// pairingChanges lists what the manifest's entry says of a system number beyond who has it.
func (p *planner) pairingChanges(s *stance, k Key, e *Extension) []Change {
	var changes []Change
	if s.want == nil {
		return nil
	}
	for _, w := range s.want.Pairings.named() {
		if !strings.HasSuffix(k.ID, "/"+string(w.Number)) || w.PbxID != "" && w.PbxID != e.PbxID {
			continue
		}
		if w.InternalNumber != "" && w.InternalNumber != e.InternalNumber {
			changes = append(changes, Change{Name: "internalNumber", Before: e.InternalNumber, After: w.InternalNumber})
		}
		if w.PublicNumber != "" && !SamePhone(w.PublicNumber, e.PublicNumber) {
			changes = append(changes, Change{Name: "number", Before: e.PublicNumber, After: w.PublicNumber})
		}
	}
	return changes
}
