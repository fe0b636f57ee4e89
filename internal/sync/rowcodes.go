package sync

import (
	"fmt"
	"slices"
	"strings"
)

// What Rainbow refuses a row for because its effect holds already, or because the row is not polite enough (row errors
// 1001 to 1012 and 2001 to 2022 of the mass provisioning guide and the Rainbow Node SDK). Here a row says what shall hold
// in the end, so that the first kind is "no change", with a note that says why; under Policy.Strict it is the documented
// error. The second kind is of mode device: attach takes a number from nobody and replaces none, force_attach does.

// The manifest's words that the planner must know apart from what they make of a user.
const (
	actionCreate = "create"
	actionAttach = "attach"
)

// passOver leaves a user who exists as he is: create says what a new user shall have.
func (p *planner) passOver(s *stance) {
	s.idle = true
	words := "the user exists already: nothing to create"
	if changes, _ := attributeChanges(s.want.Attributes, s.user); len(changes) > 0 {
		words = "the user exists already and differs in " + names(changes) + ", which create leaves alone; update changes it"
	}
	p.note(s, words)
}

// vain takes note of what is so already; true when that is a fault, because the policy is strict.
func (p *planner) vain(s *stance, words string) bool {
	if p.policy.Strict {
		return true
	}
	if s.why != "" {
		s.why += "; "
	}
	s.why += words
	return false
}

const leaveOut = "remove the entry, or empty the cell"

// compareVain looks for what an entry takes away from a user who does not have it.
func (p *planner) compareVain(s *stance) {
	p.vainSubscriber(s)
	if w := s.want.Devices; w.Mood == Exclude {
		for _, k := range w.Keys {
			if slices.Contains(s.now.devices, k) {
				continue
			}
			switch d := find[Device](p.obs, k.Key()); {
			case d == nil:
				if words := fmt.Sprintf("there is no SIP device %s to detach", k); p.vain(s, words) {
					p.fault(s, "macAddress", "unknown-device", leaveOut, "%s (Rainbow: 2007)", words)
				}
			case s.now.subscriber == "":
				if words := fmt.Sprintf("user %s has no extension, so no device %s", s.login, k); p.vain(s, words) {
					p.fault(s, "macAddress", "not-subscriber", leaveOut, "%s (Rainbow: 2011)", words)
				}
			default:
				if words := fmt.Sprintf("user %s does not have device %s%s", s.login, k, p.holderWords(d)); p.vain(s, words) {
					p.fault(s, "macAddress", "not-held", leaveOut, "%s (Rainbow: 2022)", words)
				}
			}
		}
	}
	if w := s.want.DDIs; w.Mood == Exclude {
		for _, n := range w.Keys {
			if slices.Contains(s.now.ddis, n) {
				continue
			}
			switch d := find[DDI](p.obs, n.Key()); {
			case d == nil:
				if words := fmt.Sprintf("there is no DDI %s to detach", n); p.vain(s, words) {
					p.fault(s, "ddiE164Number", "unknown-ddi", leaveOut, "%s (Rainbow: 2014)", words)
				}
			case s.now.subscriber == "":
				if words := fmt.Sprintf("user %s has no extension, so no DDI %s", s.login, n); p.vain(s, words) {
					p.fault(s, "ddiE164Number", "not-subscriber", leaveOut, "%s (Rainbow: 2020)", words)
				}
			default:
				if words := fmt.Sprintf("user %s does not have DDI %s%s", s.login, n, p.holderWords(d)); p.vain(s, words) {
					p.fault(s, "ddiE164Number", "not-held", leaveOut, "%s (Rainbow: 2021)", words)
				}
			}
		}
	}
}

// vainSubscriber: Rainbow documents no code of its own for a user without extension who is to give it up.
func (p *planner) vainSubscriber(s *stance) {
	if w := s.want.Subscriber; w.Mood == Exclude && s.now.subscriber == "" {
		if words := fmt.Sprintf("user %s has no extension to detach", s.login); p.vain(s, words) {
			p.fault(s, "shortNumber", "not-subscriber", leaveOut, "%s (Rainbow: 2019)", words)
		}
	}
}

// holderWords says who else has a thing.
func (p *planner) holderWords(r Record) string {
	if holder := r.HeldBy(); holder != "" {
		return "; " + string(holder) + " has it"
	}
	return ""
}

// comparePolite holds a pairing that is attached or detached against what Rainbow says of the user's numbers.
func (p *planner) comparePolite(s *stance, wish Wish[Key]) {
	const column = "pbxShortNumber"
	switch {
	case wish.Mood == Exclude && len(s.now.pairings) == 0:
		if words := fmt.Sprintf("user %s has no number of a PBX to detach", s.login); p.vain(s, words) {
			p.fault(s, column, "not-held", leaveOut, "%s (Rainbow: 1010)", words)
		}
	case wish.Mood == Exclude && len(wish.Keys) == 0 && len(s.now.pairings) > 1 && p.policy.Strict:
		p.fault(s, column, "several-numbers", "name the one to detach", "user %s has the numbers %s, and the entry names none (Rainbow: 1011)", s.login, keyWords(s.now.pairings))
	case wish.Mood == Exclude:
		for _, k := range wish.Keys {
			if !slices.Contains(s.now.pairings, k) {
				if words := fmt.Sprintf("user %s does not have number %s%s", s.login, k.ID, p.holderWords(p.obs.Record(k))); p.vain(s, words) {
					p.fault(s, column, "not-held", "write one of his: "+keyWords(s.now.pairings), "%s (Rainbow: 1012)", words)
				}
			}
		}
	case s.want.Action == actionAttach && len(wish.Keys) > 0:
		p.comparePoliteAttach(s, wish.Keys[0])
	}
}

func (p *planner) comparePoliteAttach(s *stance, k Key) {
	switch {
	case slices.Contains(s.now.pairings, k):
		if words := fmt.Sprintf("user %s has number %s already", s.login, k.ID); p.vain(s, words) {
			p.fault(s, "pbxShortNumber", "has-number", leaveOut, "%s (Rainbow: 1007)", words)
		}
	case len(s.now.pairings) > 0:
		p.fault(s, "pbxShortNumber", "has-number", "write force_attach to replace it, or detach it in an entry of its own before",
			"user %s has number %s already (Rainbow: 1007)", s.login, s.now.pairings[0].ID)
	}
}

// keyWords lists system numbers.
func keyWords(keys []Key) string {
	words := make([]string, len(keys))
	for i, k := range keys {
		words[i] = k.ID
	}
	return strings.Join(words, ", ")
}

// checkTaken refuses an attach of a number whose holder keeps it by all that the manifest says.
func (p *planner) checkTaken(s *stance, k Key, holder *stance) (refused bool) {
	if s.want == nil || s.want.Action != actionAttach || !slices.Contains(holder.then.pairings, k) {
		return false
	}
	p.fault(s, "pbxShortNumber", "number-held", "write force_attach to take it, or have its holder give it up in the same manifest",
		"number %s is held by user %s (Rainbow: 1008)", k.ID, holder.login)
	return true
}

// checkComplete refuses a number of a PBX that upstream shows without an id: no call can name it.
func (p *planner) checkComplete(s *stance, k Key) {
	switch e := find[Extension](p.obs, k); {
	case e == nil:
	case e.SystemID == "":
		p.fault(s, "pbxShortNumber", "number-incomplete", "record the company again; if it stays so, ask who runs the PBX", "number %s has no system id (Rainbow: 1001)", k.ID)
	case e.ID == "":
		p.fault(s, "pbxShortNumber", "number-incomplete", "record the company again; if it stays so, ask who runs the PBX", "number %s has no id (Rainbow: 1002)", k.ID)
	}
}

// checkOtherPBX refuses a subscriber for a user who has a number of an equipped PBX. The import of mode rainbowvoice does;
// the Cloud PBX portal's guide says nothing of it, so that only a strict policy holds it against the manifest.
func (p *planner) checkOtherPBX(s *stance) {
	if p.policy.Strict && s.then.subscriber != "" && s.then.subscriber != s.now.subscriber && len(s.then.pairings) > 0 {
		p.fault(s, "shortNumber", "other-pbx", "detach that number first", "user %s has the number %s of another PBX (Rainbow: 2004)", s.login, keyWords(s.then.pairings))
	}
}

// checkPairable refuses a number of an equipped PBX for a user who keeps an extension of the Cloud PBX, or another number of
// an equipped PBX. The import of mode device takes neither: it knows a user in one PBX only (2004 is its other half), and
// an attach of a second number is its 1007. Who has both already keeps them.
func (p *planner) checkPairable(s *stance, k Key) {
	const column = "pbxShortNumber"
	if n := s.then.subscriber; n != "" {
		p.fault(s, column, "is-subscriber", "detach the extension first, or leave the number out", "user %s has the extension %s of the Cloud PBX, so number %s can't be attached (Rainbow: 1009)", s.login, n, k.ID)
		return
	}
	if others := without(s.then.pairings, k); len(others) > 0 {
		p.fault(s, column, "has-number", "leave one of the two out", "user %s would have number %s beside %s (Rainbow: 1007)", s.login, k.ID, keyWords(others))
	}
}

// exchanged are the drafts that take from a user what keeps him from getting another: his extension, and numbers of equipped
// PBXs.
func (p *planner) exchanged(s *stance) []*draft {
	var all []*draft
	if s.renumbered() {
		all = append(all, p.frees[p.subscriberKey(s.now.subscriber)])
	}
	for _, k := range gains(s.then.pairings, s.now.pairings) {
		all = append(all, p.frees[k])
	}
	return all
}
