package sync

import (
	"fmt"
	"slices"
	"strings"
)

// draftLicences drafts which user gets and loses which licence, and holds the seats against what was bought. A creation
// carries its user's licences; for all others each is a step of its own.
func (p *planner) draftLicences() {
	p.seatFrees, p.seatTakes = map[Key][]*draft{}, map[Key][]*draft{}
	for _, s := range p.queue {
		if s.deleted() {
			for _, id := range s.user.Licences {
				k := Key{KindLicence, id}
				p.seatFrees[k] = append(p.seatFrees[k], s.deletion)
			}
			continue
		}
		if s.want != nil && s.want.Presence != Absent {
			p.draftUserLicences(s)
		}
	}
	for _, l := range p.licences {
		p.checkSeats(l)
	}
}

// compareLicences resolves the offers that the manifest names for a user.
func (p *planner) compareLicences(s *stance) {
	w := s.want.Licences
	for _, offer := range w.Keys {
		if l := p.resolveOffer(s, offer, w.Mood == Exclude); l != nil && !s.names(l) {
			s.licences = append(s.licences, l)
		}
	}
	for _, l := range s.licences {
		if w.Mood != Exclude && !slices.Contains(s.hasLicences(), l.ID) {
			p.checkExclusive(s, l)
		}
	}
}

// names tells whether the manifest names the licence for the user.
func (s *stance) names(l *Licence) bool {
	return slices.ContainsFunc(s.licences, func(o *Licence) bool { return o.ID == l.ID })
}

// hasLicences lists the ids of the licences that the user has now.
func (s *stance) hasLicences() []string {
	if s.user == nil {
		return nil
	}
	return s.user.Licences
}

func (p *planner) draftUserLicences(s *stance) {
	w, has := s.want.Licences, s.hasLicences()
	for _, l := range s.licences {
		holds := slices.Contains(has, l.ID)
		switch {
		case w.Mood == Exclude && holds:
			p.draftLicenceLoss(s, l)
		case w.Mood != Exclude && !holds:
			p.draftLicenceGain(s, l)
		}
	}
	if w.Mood != Exactly && (w.Mood != Exclude || len(w.Keys) > 0) {
		return
	}
	for _, id := range has {
		l := find[Licence](p.obs, Key{KindLicence, id})
		if l != nil && !l.Default && !s.names(l) {
			p.draftLicenceLoss(s, l)
		}
	}
}

func (p *planner) draftLicenceGain(s *stance, l *Licence) {
	d := s.creation
	if d != nil {
		d.op.Changes = append(d.op.Changes, Change{Name: licenceChange(l.ID), After: string(l.Offer)})
	} else {
		d = p.add(s, Operation{Action: ActionAttach, Key: l.Key(), Changes: []Change{{Name: "offer", After: string(l.Offer)}}, Reason: "the manifest asks for it"})
	}
	p.seatTakes[l.Key()] = append(p.seatTakes[l.Key()], d)
}

func (p *planner) draftLicenceLoss(s *stance, l *Licence) {
	d := p.add(s, Operation{Action: ActionDetach, Key: l.Key(), Changes: []Change{{Name: "offer", Before: string(l.Offer)}}, Reason: "the manifest does not name it"})
	p.seatFrees[l.Key()] = append(p.seatFrees[l.Key()], d)
}

// resolveOffer finds the company's active subscription of an offer.
func (p *planner) resolveOffer(s *stance, offer Offer, leaving bool) *Licence {
	var found []*Licence
	var other []string
	for _, l := range p.licences {
		switch {
		case !l.Offer.Same(offer):
			other = append(other, string(l.Offer))
		case l.Assignable() || leaving:
			found = append(found, l)
		default:
			p.fault(s, "service", "licence-not-active", "wait until it is active", "the company's subscription to %q can't be assigned: its status is %s%s", offer, l.Status, map[bool]string{true: ", synchronisation running"}[l.Syncing])
			return nil
		}
	}
	switch len(found) {
	case 1:
		return found[0]
	case 0:
		slices.Sort(other)
		p.fault(s, "service", "unknown-offer", "use one of: "+strings.Join(slices.Compact(other), ", "), "the company has no subscription to an offer named %q", offer)
	default:
		ids := make([]string, len(found))
		for i, l := range found {
			ids[i] = l.ID
		}
		p.fault(s, "service", "ambiguous-offer", "keep one of the subscriptions active", "the company has %d subscriptions to the offer %q: %s", len(found), offer, strings.Join(ids, ", "))
	}
	return nil
}

// checkExclusive holds the rule that a user has at most one exclusive offer (admin guide, AssignUserSubscription).
func (p *planner) checkExclusive(s *stance, l *Licence) {
	if !l.Exclusive {
		return
	}
	for _, o := range p.licences {
		if o.ID == l.ID || !o.Exclusive {
			continue
		}
		stays := slices.Contains(s.hasLicences(), o.ID) && s.want.Licences.Mood != Exactly
		if stays || s.names(o) {
			p.fault(s, "service", "exclusive-licence", "keep one of the two", "a user holds at most one exclusive licence: %q and %q are both exclusive", o.Offer, l.Offer)
			return
		}
	}
}

// checkSeats makes sure that no prefix of the plan, in whatever order its operations run in parallel, needs more seats
// than were bought: the first takers use the seats that are free, each later one waits for a seat that is given back.
func (p *planner) checkSeats(l *Licence) {
	takes, frees := p.seatTakes[l.Key()], p.seatFrees[l.Key()]
	free := l.Max - l.Assigned
	if l.Max < 0 || len(takes) <= free {
		return
	}
	free = max(free, 0)
	if missing := len(takes) - free - len(frees); missing > 0 {
		first := takes[len(takes)-missing].owner
		p.fault(first, "service", "licences-short", fmt.Sprintf("buy %d more, or take the licence from others", missing),
			"the plan needs %d licences of %q and %d are left: %d bought, %d assigned, %d given back by the plan",
			len(takes), l.Offer, free+len(frees), l.Max, l.Assigned, len(frees))
		return
	}
	for i, d := range takes[free:] {
		if !slices.Contains(d.needs, frees[i]) && d != frees[i] {
			d.needs = append(d.needs, frees[i])
		}
	}
}
