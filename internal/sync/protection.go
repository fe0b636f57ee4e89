package sync

import (
	"fmt"
	"slices"
)

// What a plan must leave alone. The account that the gateway works under and administrators are never deleted
// (compare.go). Whom the policy protects is never deleted either, and never without an extension or public number that he
// has, not even between two calls. What the policy ignores is not touched at all.

// protects tells whether the policy protects a user.
func (p *planner) protects(l Login) bool {
	_, ok := matching(p.policy.Protect, l.Key())
	return ok
}

// ignores tells whether the policy leaves a thing alone.
func (p *planner) ignores(k Key) bool {
	if len(p.policy.Ignore) == 0 {
		return false
	}
	_, ok := matching(p.policy.Ignore, k)
	return ok
}

// checkProtected finds operations that would leave a protected user without a number that he has, held ones too.
func (p *planner) checkProtected(ops []Operation) {
	if len(p.policy.Protect) == 0 {
		return
	}
	now := map[Login]lines{}
	for i := range ops {
		op := &ops[i]
		by := lineChange(op)
		if by == (lines{}) || !p.protects(op.Login) && !p.protects(p.acting[op.Login].recorded()) {
			continue
		}
		before := p.lines(op.Login)
		l, known := now[op.Login]
		if !known {
			l = before
		}
		next := l.plus(by)
		now[op.Login] = next
		what := ""
		switch {
		case before.extensions > 0 && l.extensions > 0 && next.extensions == 0:
			what = "extension"
		case before.ddis > 0 && l.ddis > 0 && next.ddis == 0:
			what = "public number"
		default:
			continue
		}
		s := p.acting[op.Login]
		p.fault(s, "", "protected-unreachable", "leave him what he has, or protect him no longer for this plan",
			"user %s is protected and would be without %s from operation %d on (%s)", op.Login, what, op.ID, op.Title())
	}
}

// checkNamed finds what a manifest asks for though the policy leaves it alone.
func (p *planner) checkNamed(s *stance) {
	if len(p.policy.Ignore) == 0 || s.want.Action == pruneAction {
		return
	}
	p.checkIgnored(s, "loginEmail", s.login.Key())
	for _, n := range s.want.Subscriber.Keys {
		p.checkIgnored(s, "shortNumber", p.subscriberKeyOrNone(n))
	}
	for _, k := range s.want.Devices.Keys {
		p.checkIgnored(s, "macAddress", k.Key())
	}
	for _, n := range s.want.DDIs.Keys {
		p.checkIgnored(s, "ddiE164Number", n.Key())
	}
	for _, pairing := range s.want.Pairings.Keys {
		p.checkIgnored(s, "pbxShortNumber", ExtensionKey(pairing.PbxID, pairing.Number))
	}
}

// namedKeys lists what an entry names, an extension of an unknown PBX as far as it is known.
func (p *planner) namedKeys(u *DesiredUser) []Key {
	keys := []Key{u.Login.Key()}
	for _, n := range u.Subscriber.Keys {
		keys = append(keys, p.subscriberKeyOrNone(n))
	}
	for _, k := range u.Devices.Keys {
		keys = append(keys, k.Key())
	}
	for _, n := range u.DDIs.Keys {
		keys = append(keys, n.Key())
	}
	for _, pairing := range u.Pairings.Keys {
		keys = append(keys, ExtensionKey(pairing.PbxID, pairing.Number))
	}
	return keys
}

func (p *planner) checkIgnored(s *stance, column string, k Key) {
	if rule, ok := matching(p.policy.Ignore, k); ok {
		p.fault(s, column, "ignored", "remove it from the manifest, or the rule", "%s %s is left alone by the ignore rule %s, and the manifest names it", k.Kind, thingName(k), rule)
	}
}

// subscriberKeyOrNone is subscriberKey in a company that may have no Cloud PBX.
func (p *planner) subscriberKeyOrNone(n Number) Key {
	if p.company.CloudPbx == nil {
		return ExtensionKey("", n)
	}
	return p.subscriberKey(n)
}

// keepIgnored lets a user keep what he holds and an ignore rule names.
func (p *planner) keepIgnored(s *stance) {
	if len(p.policy.Ignore) == 0 {
		return
	}
	s.then.devices = keep(p, s.now.devices, s.then.devices)
	s.then.ddis = keep(p, s.now.ddis, s.then.ddis)
	for _, k := range s.now.pairings {
		if p.ignores(k) && !slices.Contains(s.then.pairings, k) {
			s.then.pairings = append(slices.Clone(s.then.pairings), k)
			slices.SortFunc(s.then.pairings, Key.Compare)
		}
	}
}

func keep[K interface {
	~string
	Key() Key
}](p *planner, now, then []K) []K {
	for _, k := range now {
		if p.ignores(k.Key()) && !slices.Contains(then, k) {
			then = append(slices.Clone(then), k)
			slices.Sort(then)
		}
	}
	return then
}

// checkUntouched finds drafts that touch what the policy leaves alone, directly or with what goes along.
func (p *planner) checkUntouched() {
	if len(p.policy.Ignore) == 0 {
		return
	}
	along := map[*draft][]Key{}
	for k, d := range p.frees {
		if k != d.op.Key && p.ignores(k) {
			along[d] = append(along[d], k)
		}
	}
	for _, d := range p.drafts {
		touched := append([]Key{d.op.Login.Key(), d.op.Key}, slices.SortedFunc(slices.Values(along[d]), Key.Compare)...)
		for _, k := range touched {
			rule, ok := matching(p.policy.Ignore, k)
			if !ok {
				continue
			}
			if d.owner.faulty { // it is named, which says enough
				break
			}
			d.owner.faulty = true
			p.faults = append(p.faults, Fault{
				Position: d.owner.at, Code: "ignored", Hint: "leave it where it is in the manifest, or remove the rule",
				Message: fmt.Sprintf("%s %s is left alone by the ignore rule %s, and the plan would %s", k.Kind, thingName(k), rule, d.op.Title()),
			})
			break
		}
	}
}
