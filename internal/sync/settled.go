package sync

import (
	"slices"
	"strings"
)

// Settled entries. In a large company nearly all entries ask for nothing but what is there. Such an entry gets no stance:
// that it is settled is one bit, told by a glimpse of its user that decodes no record. It gets its stance when another
// user is to have what its user has (planner.known).

// Glimpse is what is recorded of a user and what he holds, as bytes of the record itself: good only while they are looked at.
type Glimpse struct {
	ID         []byte
	Attributes []GlimpsedAttribute
	Licences   [][]byte
	Held       []GlimpsedKey
}

// GlimpsedAttribute is an attribute of a [Glimpse].
type GlimpsedAttribute struct{ Name, Value []byte }

// GlimpsedKey is the key of what a user of a [Glimpse] holds.
type GlimpsedKey struct {
	Kind Kind
	ID   []byte
}

// Glimpser is an Observed that can show a user without decoding him. It is quickest for logins in ascending order.
type Glimpser interface {
	// Glimpse calls look with the user of that login, if there is one. look must not ask the Observed for anything.
	Glimpse(l Login, look func(*Glimpse)) (found bool)
}

// glimpse shows a user of any Observed.
func glimpse(obs Observed, l Login, look func(*Glimpse)) (found bool) {
	if g, ok := obs.(Glimpser); ok {
		return g.Glimpse(l, look)
	}
	u := find[User](obs, l.Key())
	if u == nil {
		return false
	}
	look(NewGlimpse(u, obs.Held(l)))
	return true
}

// NewGlimpse is the glimpse of a decoded user.
func NewGlimpse(u *User, held []Key) *Glimpse {
	g := &Glimpse{ID: []byte(u.ID)}
	for _, a := range u.Attributes {
		g.Attributes = append(g.Attributes, GlimpsedAttribute{[]byte(a.Name), []byte(a.Value)})
	}
	for _, id := range u.Licences {
		g.Licences = append(g.Licences, []byte(id))
	}
	for _, k := range held {
		g.Held = append(g.Held, GlimpsedKey{k.Kind, []byte(k.ID)})
	}
	return g
}

// attribute gives the value of an attribute; from is where it is expected.
func (g *Glimpse) attribute(name string, from int) (value []byte, at int) {
	for i := range g.Attributes {
		at := (from + i) % len(g.Attributes)
		if string(g.Attributes[at].Name) == name {
			return g.Attributes[at].Value, at + 1
		}
	}
	return nil, from
}

// settled are the entries that are set aside.
type settled struct {
	// bits has one for each entry, count is how many are set.
	bits  []uint64
	count int
	// owners are the settled entries' users, if the plan has a lineage.
	owners []settledOwner
	// subscriber begins the keys of the Cloud PBX's numbers.
	subscriber string
	// offers are the subscriptions to the list of offers looked up last, which begins at first.
	first  *Offer
	offers [][]*Licence
}

type settledOwner struct {
	Owner
	entry int
}

func (t *settled) has(entry int) bool { return t.bits[entry/64]&(1<<(entry%64)) != 0 }

func (t *settled) flip(entry int) { t.bits[entry/64] ^= 1 << (entry % 64) }

// settle sets those entries aside that ask for nothing but what is there, and calls unsettled with the others.
//
// Where users may be others than their logins say, or have extensions by rules, every entry counts.
func (p *planner) settle(unsettled func(entry int)) {
	users, t := p.desired.Users, &p.settled
	t.bits = make([]uint64, (users.Len()+63)/64)
	if p.company.CloudPbx != nil {
		t.subscriber = p.company.CloudPbx.PbxID + "/"
	}
	all := len(p.policy.Match)+len(p.policy.Renumber) > 0
	var u DesiredUser
	same := false
	var owner Owner
	look := func(g *Glimpse) {
		if same = p.asIs(&u, g); same && p.policy.Lineage != "" {
			owner = Owner{Login: u.Login, ID: string(g.ID)}
		}
	}
	for i := range users.Len() {
		users.Read(i, &u)
		p.manages.add(&u)
		same = false
		if all || users.repeat(i) || !p.simple(&u) || !glimpse(p.obs, u.Login, look) || !same || !p.pairedAsIs(&u) || p.namesIgnored(&u) {
			unsettled(i)
			continue
		}
		t.flip(i)
		t.count++
		if p.policy.Lineage != "" {
			t.owners = append(t.owners, settledOwner{owner, i})
		}
	}
}

// simple tells whether an entry can be settled at all.
func (p *planner) simple(u *DesiredUser) bool {
	return u.Presence == Present && u.Action != actionCreate && u.Login != "" && u.Was == "" && len(u.Pools)+len(u.Options) == 0 &&
		(u.Password == nil || !p.policy.ResetPasswords) && len(u.Pairings.Keys) <= 1
}

// asIs tells whether a user is as an entry wants him, the numbers of equipped PBXs that it names aside.
func (p *planner) asIs(u *DesiredUser, g *Glimpse) bool {
	return attributesAsIs(u, g) && p.holdsAsIs(u, g) && p.licencesAsIs(u, g) && p.scopeAsIs(u, g)
}

func attributesAsIs(u *DesiredUser, g *Glimpse) bool {
	at := 0
	for i := range u.Attributes {
		a := &u.Attributes[i]
		var before []byte
		if before, at = g.attribute(a.Name, at); string(before) != a.Value && !writeOnly(a.Name) && !SameAttribute(a.Name, string(before), a.Value) {
			return false
		}
	}
	if len(u.Lists) == 0 {
		return true
	}
	return !slices.ContainsFunc(g.Attributes, func(a GlimpsedAttribute) bool { // a place of a complete list that is to be cleared
		list, _, ok := ListItem(string(a.Name))
		return ok && slices.Contains(u.Lists, list) && !slices.ContainsFunc(u.Attributes, func(w Attribute) bool { return w.Name == string(a.Name) })
	})
}

// holdsAsIs compares extension, devices and DDIs; of pairings it tells whether those are none that are to be none.
func (p *planner) holdsAsIs(u *DesiredUser, g *Glimpse) bool {
	var subscribers, devices, ddis, pairings tally
	for i := range g.Held {
		k := &g.Held[i]
		switch k.Kind {
		case KindExtension:
			if number, ok := strings.CutPrefix(string(k.ID), p.settled.subscriber); ok && p.settled.subscriber != "" {
				subscribers.add(slices.Contains(u.Subscriber.Keys, Number(number)))
			} else {
				pairings.add(len(u.Pairings.Keys) > 0 && strings.HasSuffix(string(k.ID), "/"+string(u.Pairings.Keys[0].Number)))
			}
		case KindDevice:
			devices.add(slices.Contains(u.Devices.Keys, DeviceKey(k.ID)))
		case KindDDI:
			ddis.add(slices.Contains(u.DDIs.Keys, E164(k.ID)))
		}
	}
	return subscribers.held <= 1 && // a user with two extensions is looked at closely
		subscribers.asWished(u.Subscriber.Mood, len(u.Subscriber.Keys)) && devices.asWished(u.Devices.Mood, len(u.Devices.Keys)) &&
		ddis.asWished(u.DDIs.Mood, len(u.DDIs.Keys)) && pairings.asWished(u.Pairings.Mood, len(u.Pairings.Keys))
}

// tally counts what a user holds of one kind, and how much of it an entry names.
type tally struct{ held, named int }

func (c *tally) add(named bool) {
	c.held++
	if named {
		c.named++
	}
}

// asWished tells whether what is held is what a wish with so many keys asks for.
func (c tally) asWished(m Mood, keys int) bool {
	switch m {
	case Keep:
		return true
	case Exactly:
		return c.held == keys && c.named == keys
	case Include:
		return c.named == keys
	}
	return false // what is taken away needs words
}

func (p *planner) licencesAsIs(u *DesiredUser, g *Glimpse) bool {
	w := u.Licences
	if w.Mood == Keep {
		return true
	}
	if w.Mood == Exclude {
		return false
	}
	has := func(l *Licence) bool {
		return slices.ContainsFunc(g.Licences, func(id []byte) bool { return string(id) == l.ID })
	}
	named := p.subscriptions(w.Keys)
	for _, of := range named {
		if !slices.ContainsFunc(of, has) {
			return false
		}
	}
	if w.Mood == Include {
		return true
	}
	for _, l := range p.licences { // none may be left over; of several to one offer the close look decides
		if has(l) && !l.Default && !slices.ContainsFunc(named, func(of []*Licence) bool { return len(of) == 1 && of[0] == l }) {
			return false
		}
	}
	return true
}

// subscriptions lists the company's subscriptions to each of some offers.
func (p *planner) subscriptions(offers []Offer) [][]*Licence {
	t := &p.settled
	if len(offers) == 0 || t.first == &offers[0] && len(t.offers) == len(offers) {
		return t.offers[:len(offers)]
	}
	t.first, t.offers = &offers[0], t.offers[:0]
	for _, offer := range offers {
		t.offers = append(t.offers, p.subscribed(offer))
	}
	return t.offers
}

// scopeAsIs tells whether there is nothing to say of the entry's place in the scope (checkScope).
func (p *planner) scopeAsIs(u *DesiredUser, g *Glimpse) bool {
	if p.policy.Prune == PruneOff || p.policy.Scope.owned() {
		return true
	}
	return p.policy.Scope.selects(u.Login, func(name string) string {
		for i := range u.Attributes {
			if u.Attributes[i].Name == name {
				return u.Attributes[i].Value
			}
		}
		value, _ := g.attribute(name, 0)
		return string(value)
	}, false)
}

// pairedAsIs tells whether the number of an equipped PBX that an entry names is the one that its user has, by all that is to
// be known of it.
func (p *planner) pairedAsIs(u *DesiredUser) bool {
	for _, w := range u.Pairings.Keys {
		pbx := w.PbxID
		if pbx == "" && len(p.company.Systems) == 1 {
			pbx = p.company.Systems[0].PbxID
		}
		e := find[Extension](p.obs, ExtensionKey(pbx, w.Number))
		if pbx == "" || e == nil || e.Role != RolePairing || e.Holder != u.Login || e.ID == "" || e.SystemID == "" ||
			w.InternalNumber != "" && w.InternalNumber != e.InternalNumber || w.PublicNumber != "" && !SamePhone(w.PublicNumber, e.PublicNumber) ||
			!slices.ContainsFunc(p.company.Systems, func(s System) bool { return s.PbxID == pbx }) {
			return false
		}
	}
	return true
}

// namesIgnored tells whether an entry names what an ignore rule leaves alone.
func (p *planner) namesIgnored(u *DesiredUser) bool {
	return len(p.policy.Ignore) > 0 && slices.ContainsFunc(p.namedKeys(u), p.ignores)
}

// known gives the stance of a user whom the manifest names, or who is drawn in already; nil of others. An entry that was set
// aside gets its stance now.
func (p *planner) known(l Login) *stance {
	if s := p.stances[l]; s != nil {
		return s
	}
	i, found := p.desired.Users.Find(l)
	if !found || !p.settled.has(i) {
		return nil
	}
	p.settled.flip(i)
	p.settled.count--
	s := p.takeStance(i)
	s.now = holdingOf(p.obs, l)
	s.then = s.now
	p.comparePresent(s)
	if p.claimed != nil {
		p.claimNamed(s)
	}
	return s
}

// names tells whether the manifest has an entry for a user that was not held back, or something was added for him.
func (p *planner) names(l Login) bool {
	if p.stances[l] != nil {
		return true
	}
	i, found := p.desired.Users.Find(l)
	return found && p.settled.has(i)
}

// claimant gives the user who is to hold a thing by name, or nil.
func (p *planner) claimant(k Key) *stance {
	if s := p.claimed[k]; s != nil {
		return s
	}
	if r := p.obs.Record(k); r != nil && r.HeldBy() != "" {
		p.known(r.HeldBy())
	}
	return p.claimed[k]
}

// managed are the kinds of things that a manifest gives or takes, and whether it wants any user.
type managed struct{ users, subscriber, devices, ddis, pairings, licences bool }

func (m *managed) add(u *DesiredUser) {
	m.users = m.users || u.Presence != Absent
	m.subscriber = m.subscriber || u.Subscriber.Mood != Keep
	m.devices = m.devices || u.Devices.Mood != Keep
	m.ddis = m.ddis || u.DDIs.Mood != Keep
	m.pairings = m.pairings || u.Pairings.Mood != Keep
	m.licences = m.licences || u.Licences.Mood != Keep
}
