package sync

import (
	"fmt"
	"slices"
	"strings"
)

// A rename is an update of a user that changes loginEmail (admin guide, UpdateUser; imports know a user by his login and
// can't change it). His upstream id, licences, extension, devices and DDIs stay; only the name under which the state
// records him, and whatever he holds, changes.
//
//	key    user/ann@demo.example      as he is recorded
//	login  anna@demo.example          as he is called once it is done
//
// Every other operation on a renamed user waits for his rename and uses the new login. A chain (a takes b's login, b takes
// a free one) goes from its free end; a circle is broken by a third login for the user whose login comes first, so
// that n users cost n+1 calls, the least there is while no two users may have the same login.

// loginAttribute is the change that makes an update a rename.
const loginAttribute = "loginEmail"

// renames tells whether the operation gives a user another login.
func (o *Operation) renames() bool {
	_, ok := o.Renames()
	return ok
}

// Renames gives the login that the operation gives a user, or false.
func (o *Operation) Renames() (Login, bool) {
	if o.Key.Kind != KindUser || o.Action != ActionUpdate {
		return "", false
	}
	l, ok := o.After(loginAttribute)
	return Login(l), ok
}

// draftRenames drafts the new logins, before anything else of these users.
func (p *planner) draftRenames() {
	leaves := map[Login]*stance{} // by the login that becomes free
	var renamed []*stance
	for _, s := range p.queue {
		if s.was != "" {
			leaves[s.was] = s
			renamed = append(renamed, s)
		}
	}
	seen := map[*stance]*stance{} // by whom the walk that came by began
	for _, s := range renamed {
		if seen[s] != nil {
			continue
		}
		chain := []*stance{}
		at := s
		for ; at != nil && seen[at] == nil; at = leaves[at.login] {
			seen[at] = s
			chain = append(chain, at)
		}
		if at == s {
			p.draftCircle(chain)
			continue
		}
		for _, next := range slices.Backward(chain) { // its free end first
			p.draftRename(next, next.was, next.login)
		}
	}
}

// draftCircle drafts logins that move round: each of the users takes the login of the one after him.
func (p *planner) draftCircle(circle []*stance) {
	at := slices.Index(circle, slices.MinFunc(circle, func(a, b *stance) int { return strings.Compare(string(a.was), string(b.was)) }))
	circle = slices.Concat(circle[at:], circle[:at]) // whatever the order of the entries
	first := circle[0]
	between := p.spareLogin(first.was)
	p.draftRename(first, first.was, between)
	for _, s := range slices.Backward(circle[1:]) {
		p.draftRename(s, s.was, s.login)
	}
	p.draftRename(first, between, first.login)
	words := make([]string, len(circle))
	for i, s := range circle {
		words[i] = fmt.Sprintf("%s -> %s", s.was, s.login)
	}
	p.remark(first, "swap", "logins move round: %s; %s is %s for %s", strings.Join(words, ", "), first.was, between, steps(len(circle)-1))
}

func steps(n int) string {
	if n == 1 {
		return "one step"
	}
	return fmt.Sprintf("%d steps", n)
}

// spareLogin is a login that nobody has and the manifest does not name, in the same domain (which may be all that the
// company allows).
func (p *planner) spareLogin(l Login) Login {
	local, domain, _ := strings.Cut(string(l), "@")
	for n := 1; ; n++ {
		prefix := fmt.Sprintf("moving%d.", n)
		spare := Login(prefix + local[:min(len(local), 64-len(prefix))] + "@" + domain) // RFC 5321: 64 octets before the @
		if find[User](p.obs, spare.Key()) == nil && !p.asksFor(spare) {
			return spare
		}
	}
}

func (p *planner) asksFor(l Login) bool {
	_, found := p.desired.Users.Find(l)
	return found
}

// draftRename drafts one change of login. The first one of a user carries what else differs, the last one his password.
func (p *planner) draftRename(s *stance, from, to Login) {
	op := Operation{Action: ActionUpdate, Key: from.Key(), Changes: []Change{{Name: loginAttribute, Before: string(from), After: string(to)}}, Reason: s.because}
	if to != s.login {
		op.Reason = fmt.Sprintf("%s; %s is not free yet", s.because, s.login)
	}
	if from == s.was {
		changes, along := attributeChanges(s.want.Attributes, s.user)
		p.checkLists(s, changes)
		if len(changes) > 0 {
			op.Reason += "; differs in " + names(changes)
			op.Changes = append(op.Changes, append(changes, along...)...)
		}
	}
	if to == s.login {
		op.Secret = p.resetSecret(s)
	}
	var after *draft
	if holder := p.stances[to]; holder != nil && len(holder.rename) > 0 { // who has the login gives it up first
		after = holder.rename[0]
	}
	d := p.add(s, op, after)
	d.op.Login = to
	p.touched[to.Key()] = true
	s.rename = append(s.rename, d)
}

// renameEffects moves a user, and what he holds, to his new login.
func renameEffects(op *Operation, obs Observed) []RecordChange {
	u := find[User](obs, op.Key)
	if u == nil { // a refresh has seen him under the new login already
		return nil
	}
	next := *u
	next.Login = op.Login
	next.Attributes = slices.Clone(u.Attributes)
	setAttributes(&next, op.Changes)
	changes := []RecordChange{gone(op.Key), change(&next)}
	for _, k := range obs.Held(u.Login) {
		switch r := obs.Record(k).(type) {
		case *Extension:
			held := *r
			held.Holder = op.Login
			changes = append(changes, change(&held))
		case *Device:
			held := *r
			held.Holder = op.Login
			changes = append(changes, change(&held))
		case *DDI:
			held := *r
			held.Holder = op.Login
			changes = append(changes, change(&held))
		}
	}
	return changes
}

// called is the login that a recorded user has once the plan is done.
func (p *planner) called(l Login) Login {
	if s := p.stances[l]; s != nil && s.was != "" {
		return s.login
	}
	return l
}

// renameOrder puts a user's renames before all else of his, the one to a third login first.
func (d *draft) renameOrder() int {
	if !d.op.renames() {
		return 0
	}
	return slices.Index(d.owner.rename, d) - len(d.owner.rename)
}
