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
		if w.Mood == Exclude {
			s.licences = append(s.licences, p.heldOf(s, offer)...)
		} else if l := p.resolveOffer(s, offer); l != nil && !s.names(l) {
			s.licences = append(s.licences, l)
		}
	}
	for _, l := range s.licences {
		if w.Mood != Exclude && !s.holds(l) {
			p.checkExclusive(s, l)
		}
	}
}

// names tells whether the manifest names the licence for the user.
func (s *stance) names(l *Licence) bool {
	return slices.ContainsFunc(s.licences, func(o *Licence) bool { return o.ID == l.ID })
}

// holds tells whether the user has the licence now.
func (s *stance) holds(l *Licence) bool {
	return s.user != nil && slices.Contains(s.user.Licences, l.ID)
}

// draftUserLicences drafts what a user gives back and gets. An exclusive licence is got when the exclusive ones before it
// are given back.
func (p *planner) draftUserLicences(s *stance) {
	w := s.want.Licences
	onlyNamed := w.Mood == Exactly || w.Mood == Exclude && len(w.Keys) == 0
	var givenBack []*draft // exclusive ones
	for _, l := range p.licences {
		if !s.holds(l) || !(w.Mood == Exclude && s.names(l) || onlyNamed && !l.Default && !s.names(l)) {
			continue
		}
		if d := p.draftLicenceLoss(s, l); l.Exclusive {
			givenBack = append(givenBack, d)
		}
	}
	for _, l := range s.licences {
		if w.Mood == Exclude || s.holds(l) {
			continue
		}
		if d := p.draftLicenceGain(s, l); l.Exclusive {
			d.needs = append(d.needs, givenBack...)
		}
	}
}

func (p *planner) draftLicenceGain(s *stance, l *Licence) *draft {
	d := s.creation
	if d != nil {
		d.op.Changes = append(d.op.Changes, Change{Name: licenceChange(l.ID), After: string(l.Offer)})
	} else {
		d = p.add(s, Operation{Action: ActionAttach, Key: l.Key(), Changes: []Change{{Name: "offer", After: string(l.Offer)}}, Reason: "the manifest asks for it"})
	}
	p.seatTakes[l.Key()] = append(p.seatTakes[l.Key()], d)
	return d
}

func (p *planner) draftLicenceLoss(s *stance, l *Licence) *draft {
	reason := "the manifest does not name it"
	if s.want.Licences.Mood == Exclude {
		reason = "the manifest takes it away"
	}
	d := p.add(s, Operation{Action: ActionDetach, Key: l.Key(), Changes: []Change{{Name: "offer", Before: string(l.Offer)}}, Reason: reason})
	p.seatFrees[l.Key()] = append(p.seatFrees[l.Key()], d)
	return d
}

// heldOf lists the user's licences of an offer.
func (p *planner) heldOf(s *stance, offer Offer) []*Licence {
	return slices.DeleteFunc(slices.Clone(p.subscriptionsTo(s, offer)), func(l *Licence) bool { return !s.holds(l) })
}

// resolveOffer finds the subscription that an offer means for a user: one that is held already, whatever its status, else
// the company's only active one.
func (p *planner) resolveOffer(s *stance, offer Offer) *Licence {
	all := p.subscriptionsTo(s, offer)
	var active []*Licence
	for _, l := range all {
		if s.holds(l) {
			return l
		}
		if l.Assignable() {
			active = append(active, l)
		}
	}
	switch {
	case len(active) == 1:
		return active[0]
	case len(active) > 1:
		ids := make([]string, len(active))
		for i, l := range active {
			ids[i] = l.ID
		}
		p.fault(s, "service", "ambiguous-offer", "keep one of the subscriptions active", "the company has %d subscriptions to the offer %q: %s", len(active), offer, strings.Join(ids, ", "))
	case len(all) > 0:
		running := ""
		if all[0].Syncing {
			running = ", synchronisation running"
		}
		p.fault(s, "service", "licence-not-active", "wait until it is active", "the company's subscription to %q can't be assigned: its status is %s%s", offer, all[0].Status, running)
	}
	return nil
}

// subscriptionsTo lists the company's subscriptions to an offer; none is a fault. The undoing of a run names subscriptions
// by their ids, for it gives back just the one that was taken.
func (p *planner) subscriptionsTo(s *stance, offer Offer) []*Licence {
	all := p.subscribed(offer)
	if len(all) == 0 {
		p.fault(s, "service", "unknown-offer", "use one of: "+p.offerNames(), "the company has no subscription to an offer named %q", offer)
	}
	return all
}

// subscribed lists the company's subscriptions to an offer.
func (p *planner) subscribed(offer Offer) []*Licence {
	all, known := p.offers[offer]
	if !known {
		for _, l := range p.licences {
			if l.Offer.Same(offer) || l.ID == string(offer) {
				all = append(all, l)
			}
		}
		p.offers[offer] = all
	}
	return all
}

func (p *planner) offerNames() string {
	names := make([]string, len(p.licences))
	for i, l := range p.licences {
		names[i] = string(l.Offer)
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
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
		stays := s.holds(o) && (s.want.Licences.Mood != Exactly || o.Default)
		if stays || s.names(o) {
			p.fault(s, "service", "exclusive-licence", "keep one of the two", "a user holds at most one exclusive licence: %q and %q are both exclusive", o.Offer, l.Offer)
			return
		}
	}
}

// checkSeats makes sure that no prefix of the plan, in whatever order its operations run in parallel, needs more seats
// than were bought: the first takers use the seats that are free, each later one waits for a seat that is given back.
// Where more seats are taken than were bought, the first ones given back free none; each taker waits for these too.
func (p *planner) checkSeats(l *Licence) {
	takes, frees := p.seatTakes[l.Key()], p.seatFrees[l.Key()]
	left := l.Max - l.Assigned
	if l.Max < 0 || len(takes) == 0 || len(takes) <= left {
		return
	}
	free, owed := max(left, 0), max(-left, 0)
	if missing := len(takes) - left - len(frees); missing > 0 {
		first := takes[max(0, len(takes)-missing)].owner
		p.fault(first, "service", "licences-short", fmt.Sprintf("buy %d more, or take the licence from others", missing),
			"the plan needs %d licences of %q and %d are left: %d bought, %d assigned, %d given back by the plan",
			len(takes), l.Offer, max(0, left+len(frees)), l.Max, l.Assigned, len(frees))
		return
	}
	for i, d := range takes[free:] {
		d.need(frees[:owed]...)
		d.need(frees[owed+i])
	}
}
