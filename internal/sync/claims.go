package sync

import (
	"cmp"
	"slices"
)

// settleClaims is the second pass: what a user is to hold and does not hold yet is taken from whoever has it. A device, a
// DDI or a paired number moves by itself; an extension can't, for it is deleted with its subscriber: its holder must give
// it up in the same manifest.
func (p *planner) settleClaims() {
	p.claimed = map[Key]*stance{}
	for _, s := range p.queue { // who is asked for by name, before anything is taken
		if s.want != nil && !s.faulty {
			p.claimNamed(s)
		}
	}
	for _, s := range p.queue {
		if s.rule != nil && !s.faulty {
			p.claimByRule(s)
		}
	}
	for i := 0; i < len(p.queue); i++ { // the queue grows by those who lose something
		if s := p.queue[i]; (s.want != nil || s.rule != nil) && !s.faulty {
			p.takeFromOthers(s)
		}
	}
	slices.SortFunc(p.queue, func(a, b *stance) int { return cmp.Compare(a.order, b.order) })
}

func (p *planner) claimNamed(s *stance) {
	for _, n := range s.want.Subscriber.named() {
		p.claim(s, "shortNumber", p.subscriberKey(n), n == s.now.subscriber)
	}
	for _, k := range s.want.Devices.named() {
		p.claim(s, "macAddress", k.Key(), slices.Contains(s.now.devices, k))
	}
	for _, n := range s.want.DDIs.named() {
		p.claim(s, "ddiE164Number", n.Key(), slices.Contains(s.now.ddis, n))
	}
	for _, k := range s.paired {
		p.claim(s, "pbxShortNumber", k, slices.Contains(s.now.pairings, k))
	}
}

// claim notes that a user is to hold a thing; two users who are to hold the same one are a fault. What is his already no entry
// that was set aside asks for: they ask for what their own users have.
func (p *planner) claim(s *stance, column string, k Key, his bool) {
	other := p.claimed[k]
	if other == nil && !his {
		other = p.claimant(k)
	}
	if other == nil || other == s {
		p.claimed[k] = s
		return
	}
	if other.order > s.order { // the later one is at fault
		s, other = other, s
	}
	p.fault(s, column, "claimed-twice", "keep it at one of the two", "%s %s is asked for by two users: %s and, at %s, %s", k.Kind, k.ID, s.login, other.at, other.login)
}

func (p *planner) takeFromOthers(s *stance) {
	if n := s.then.subscriber; n != "" && n != s.now.subscriber {
		p.takeNumber(s, n)
	}
	for _, k := range gains(s.now.devices, s.then.devices) {
		if loser := p.loser(s, k.Key()); loser != nil {
			loser.then.devices = without(loser.then.devices, k)
		}
	}
	for _, n := range gains(s.now.ddis, s.then.ddis) {
		if loser := p.loser(s, n.Key()); loser != nil {
			loser.then.ddis = without(loser.then.ddis, n)
		}
	}
	for _, k := range gains(s.now.pairings, s.then.pairings) {
		if loser := p.loser(s, k); loser != nil && !p.checkTaken(s, k, loser) {
			loser.then.pairings = without(loser.then.pairings, k)
		}
	}
}

// loser is the stance of another user who holds a thing that s is to hold; nil when nobody does.
func (p *planner) loser(s *stance, k Key) *stance {
	r := p.obs.Record(k)
	if r == nil || r.HeldBy() == "" || r.HeldBy() == s.recorded() {
		return nil
	}
	return p.stanceOf(r.HeldBy(), s)
}

// takeNumber checks that a Cloud PBX number is free, or becomes free by this very plan.
func (p *planner) takeNumber(s *stance, n Number) {
	e := find[Extension](p.obs, p.subscriberKey(n))
	p.touched[p.subscriberKey(n)] = true
	if e == nil {
		return
	}
	if holder := p.stances[e.Holder]; e.Role == RoleSubscriber && holder != nil && holder != s && holder.then.subscriber != n {
		return
	}
	who := e.Label
	if e.Role == RoleSubscriber {
		who = "user " + orWords(string(e.Holder), "with id "+e.HolderID)
	}
	p.fault(s, "shortNumber", "number-taken", "choose a free number, or give its holder another one in the same manifest",
		"extension %s is held by %s (Rainbow: 2003)", n, orWords(who, string(e.Role)))
}
