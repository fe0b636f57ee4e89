package sync

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Pruning: what becomes of users in the manifest's scope whom it does not name. It is expressed by adding entries to what
// is desired, so that all that holds for a user whom the manifest deletes holds for him too.
//
// It is off by default, and three things keep a wrong manifest from deleting a company: without a scope nothing is pruned,
// a manifest that wants no user at all prunes nobody, and the ceilings (guards.go) hold for pruned users as for others.
// Administrators, the gateway's own account, protected users and those that an ignore rule names are never pruned.

// prune adds what becomes of the users in scope whom the manifest does not name.
func (p *planner) prune() {
	if p.policy.Prune == PruneOff {
		return
	}
	whole := Position{File: p.file()}
	if len(p.policy.Scope) == 0 && len(p.desired.Complete) > 0 {
		return // lists of devices and DDIs alone are pruned (provision.go)
	}
	if len(p.policy.Scope) == 0 {
		p.faults = append(p.faults, Fault{Position: whole, Code: "prune-without-scope", Message: "users are to be pruned, and nothing says of which users the manifest speaks",
			Hint: "give a scope: all, owned, domain=DOMAIN, tag=TAG, or an attribute such as department=Sales"})
		return
	}
	if p.policy.Scope.owned() && p.policy.Lineage == "" {
		p.faults = append(p.faults, Fault{Position: whole, Code: "prune-without-scope", Message: "users whom the manifest owns are to be pruned, and the manifest has no name",
			Hint: "give the manifest a name: users that an earlier applied manifest of that name named are its own"})
		return
	}
	if !p.manages.users {
		p.remarks = append(p.remarks, Fault{Position: whole, Code: "empty-manifest", Message: "nobody is pruned: the manifest wants no user at all"})
		return
	}
	p.pruneUsers(whole)
}

// file names the manifest's first file.
func (p *planner) file() string {
	if p.desired.Users.Len() == 0 {
		return ""
	}
	return p.desired.Users.Position(0).File
}

func (p *planner) pruneUsers(at Position) {
	spared := map[string][]Login{}
	var entries []DesiredUser
	for r := range p.obs.Records(KindUser) {
		u := r.(*User)
		if p.names(u.Login) || !p.inScope(u.Login, u) {
			continue
		}
		if why := p.spare(u); why != "" {
			spared[why] = append(spared[why], u.Login)
			continue
		}
		if want, loses := p.pruned(u); loses {
			want.Position = at
			entries = append(entries, want)
		}
	}
	for i := range entries { // the stances keep pointers into it
		p.takePruned(&entries[i])
	}
	for _, why := range slices.Sorted(maps.Keys(spared)) {
		if who := spared[why]; len(who) > 0 {
			p.remarks = append(p.remarks, Fault{Position: at, Code: "not-pruned", Message: fmt.Sprintf("not pruned though the manifest does not name them: %s (%s)", someOf(who), why)})
		}
	}
}

// takePruned takes the stance of a user to prune.
func (p *planner) takePruned(want *DesiredUser) {
	s := &stance{login: want.Login, want: want, at: want.Position, order: p.nextOrder()}
	s.user = find[User](p.obs, want.Login.Key())
	s.now = holdingOf(p.obs, want.Login)
	s.then = s.now
	p.stances[want.Login] = s
	p.queue = append(p.queue, s)
	if want.Presence == Absent {
		p.compareAbsent(s)
		return
	}
	p.compareExisting(s)
}

// someOf names the first of some users or things.
func someOf[T ~string](who []T) string {
	const most = 5
	names := make([]string, 0, most)
	for _, l := range who[:min(len(who), most)] {
		names = append(names, fmt.Sprint(l))
	}
	if n := len(who) - len(names); n > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names, ", "), n)
	}
	return strings.Join(names, ", ")
}

// Why a user is not pruned.
const (
	sparedAccount   = "the account that the gateway works under"
	sparedAdmin     = "administrators"
	sparedProtected = "protected"
	sparedIgnored   = "an ignore rule names them or what they hold"
)

func (p *planner) spare(u *User) string {
	switch why := p.spared[u.Login]; {
	case why != "":
		return why
	case u.Login == p.company.Account:
		return sparedAccount
	case u.Admin:
		return sparedAdmin
	case p.protects(u.Login):
		return sparedProtected
	case p.ignores(u.Login.Key()) || slices.ContainsFunc(p.obs.Held(u.Login), p.ignores):
		return sparedIgnored
	}
	return ""
}

// inScope tells whether the manifest speaks for a user who exists.
func (p *planner) inScope(l Login, u *User) bool {
	id, owned := p.desired.Owned[l]
	return p.policy.Scope.selects(l, u.Attribute, owned && (id == "" || id == u.ID))
}

// pruneAction is the action of an entry that pruning adds.
const pruneAction = "prune"

// pruned is the entry for a user to prune; false when he has nothing to lose.
func (p *planner) pruned(u *User) (DesiredUser, bool) {
	want := DesiredUser{Login: u.Login, Action: pruneAction, Presence: Absent}
	if p.policy.Prune == PruneDelete {
		return want, true
	}
	want.Presence = Existing
	h := holdingOf(p.obs, u.Login)
	loses := false
	if p.manages.subscriber && h.subscriber != "" {
		want.Subscriber, loses = Without[Number](), true
	}
	if p.manages.devices && len(h.devices) > 0 {
		want.Devices, loses = Without[DeviceKey](), true
	}
	if p.manages.ddis && len(h.ddis) > 0 {
		want.DDIs, loses = Without[E164](), true
	}
	if p.manages.pairings && len(h.pairings) > 0 {
		want.Pairings, loses = Without[Pairing](), true
	}
	if p.manages.licences {
		want.Licences, loses = Without[Offer](), true
	}
	return want, loses
}

// checkScope remarks on entries for users of whom the manifest does not speak: when they are dropped from it, nobody
// prunes them.
func (p *planner) checkScope() {
	if p.policy.Prune == PruneOff || p.policy.Scope.owned() {
		return
	}
	var outside []Login
	var at Position
	for _, s := range p.queue {
		if s.want == nil || s.want.Presence == Absent || s.want.Action == pruneAction || p.policy.Scope.selects(s.login, s.attribute, false) {
			continue
		}
		if outside = append(outside, s.login); len(outside) == 1 {
			at = s.at
		}
	}
	if len(outside) > 0 {
		p.remarks = append(p.remarks, Fault{Position: at, Code: "outside-scope", Message: fmt.Sprintf("named by the manifest and not in its scope (%s): %s", p.policy.Scope, someOf(outside)),
			Hint: "widen the scope, or give them what it asks for"})
	}
}

// attribute is the value that an attribute of the user shall have.
func (s *stance) attribute(name string) string {
	for _, a := range s.want.Attributes {
		if a.Name == name {
			return a.Value
		}
	}
	if s.user == nil {
		return ""
	}
	return s.user.Attribute(name)
}
