package sync

import (
	"maps"
	"slices"
)

// Several manifests are in force at once: one of the whole company, say, and a list of moves that was applied after it. Each
// holds where none that was applied later says anything. So the older ones are looked at without what the newer ones speak
// of: an attribute, the kind of a thing that a user holds, a number or phone that a newer one gives to somebody else.
//
// To merge them into one manifest was rejected: each has a policy of its own (whom it prunes, what it leaves alone), and a
// difference has to name the manifest that wants it otherwise.

// spoken is what newer manifests speak of.
type spoken struct {
	users    map[Login]*said
	given    map[Key]Login // numbers, DDIs and devices by whom they are given to
	paired   map[Number]Login
	devices  map[DeviceKey]bool
	ddis     map[E164]bool
	settings map[Group]bool
	complete map[Kind]bool
	standard bool          // which DDI is the default one
	gone     map[E164]bool // DDIs that are to be absent
}

// said is what they say of one user.
type said struct {
	absent                                             bool
	attributes                                         map[string]bool
	options                                            map[Group]bool
	subscriber, pairings, wantsDevices, ddis, licences bool
	// lineless: they take the user's extension, and with it what hangs on it.
	lineless bool
}

func newSpoken() *spoken {
	return &spoken{
		users: map[Login]*said{}, given: map[Key]Login{}, paired: map[Number]Login{}, devices: map[DeviceKey]bool{}, ddis: map[E164]bool{},
		settings: map[Group]bool{}, complete: map[Kind]bool{}, gone: map[E164]bool{},
	}
}

// add notes what a manifest speaks of. Manifests come newest first: who is given a thing by a newer one has it.
func (s *spoken) add(d *Desired) {
	for _, u := range d.Users.All() {
		s.addUser(u)
	}
	for i := range d.Devices {
		s.devices[d.Devices[i].Address] = true
	}
	for i := range d.DDIs {
		n := d.DDIs[i].Number
		s.gone[n] = s.gone[n] || d.DDIs[i].Absent && !s.ddis[n]
		s.ddis[n] = true
	}
	for i := range d.Settings {
		s.settings[d.Settings[i].Group] = true
	}
	for _, kind := range d.Complete {
		s.complete[kind] = true
	}
	s.standard = s.standard || d.DefaultDDI != nil
}

func (s *spoken) addUser(u *DesiredUser) {
	about := s.users[u.Login]
	if about == nil {
		about = &said{attributes: map[string]bool{}, options: map[Group]bool{}}
		s.users[u.Login] = about
		about.absent = u.Presence == Absent
	}
	if u.Was != "" && s.users[u.Was] == nil {
		s.users[u.Was] = &said{absent: true} // he is called otherwise now
	}
	for _, a := range u.Attributes {
		about.attributes[aspect(a.Name)] = true
	}
	for _, list := range u.Lists {
		about.attributes[list] = true
	}
	for _, o := range u.Options {
		about.options[o.Group] = true
	}
	about.subscriber = about.subscriber || u.Subscriber.Mood != Keep
	about.lineless = about.lineless || u.Subscriber.Mood == Exclude || u.Subscriber.Mood == Exactly && len(u.Subscriber.Keys) == 0
	about.pairings = about.pairings || u.Pairings.Mood != Keep
	about.wantsDevices = about.wantsDevices || u.Devices.Mood != Keep
	about.ddis = about.ddis || u.DDIs.Mood != Keep
	about.licences = about.licences || u.Licences.Mood != Keep
	for _, p := range u.Pools {
		switch p.Kind {
		case KindExtension:
			about.subscriber = true
		case KindDevice:
			about.wantsDevices = true
		case KindDDI:
			about.ddis = true
		}
	}
	s.give(u)
}

// aspect is what an attribute belongs to: the places of a list belong together.
func aspect(name string) string {
	if list, _, ok := ListItem(name); ok {
		return list
	}
	return name
}

// give notes what a user is given.
func (s *spoken) give(u *DesiredUser) {
	give := func(k Key) {
		if s.given[k] == "" {
			s.given[k] = u.Login
		}
	}
	if wants(u.Subscriber.Mood) {
		for _, n := range u.Subscriber.Keys {
			give(Key{Kind: KindExtension, ID: string(n)})
		}
	}
	if wants(u.DDIs.Mood) {
		for _, n := range u.DDIs.Keys {
			give(n.Key())
		}
	}
	if wants(u.Devices.Mood) {
		for _, n := range u.Devices.Keys {
			give(n.Key())
		}
	}
	if wants(u.Pairings.Mood) {
		for _, p := range u.Pairings.Keys {
			if s.paired[p.Number] == "" {
				s.paired[p.Number] = u.Login
			}
		}
	}
}

// wants tells whether a wish of a mood gives its keys.
func wants(m Mood) bool { return m == Exactly || m == Include }

// unwanted tells whether a DDI is to be absent, or not in a complete list.
func (s *spoken) unwanted(n E164) bool { return s.gone[n] || s.complete[KindDDI] && !s.ddis[n] }

// rest is what is left of an older manifest, which was applied under a policy. exists tells whether a user is recorded. Where
// the manifest prunes, users whom newer ones name are named in it too, so that it does not want them gone.
func (s *spoken) rest(d *Desired, policy Policy, exists func(Login) bool) (*Desired, Policy) {
	policy = d.policy(policy)
	left := *d
	left.Users = &Entries{}
	named, valued := map[Login]bool{}, map[string]bool{}
	for _, u := range d.Users.All() {
		named[u.Login] = true
		if s.subtract(u, exists) {
			left.Users.Append(u)
			for _, a := range u.Attributes {
				valued[a.Name] = valued[a.Name] || a.Value != ""
			}
		}
	}
	unasked := func(column string) bool { return !valued[column] } // nobody is recognised by it any more
	left.Match, policy.Match = slices.DeleteFunc(slices.Clone(d.Match), unasked), slices.DeleteFunc(slices.Clone(policy.Match), unasked)
	if policy.Prune != PruneOff {
		for _, l := range slices.Sorted(maps.Keys(s.users)) {
			if _, ignored := matching(policy.Ignore, l.Key()); !ignored && !named[l] && !s.users[l].absent && exists(l) {
				left.Users.Append(&DesiredUser{Login: l, Presence: Existing, Action: "attach"})
			}
		}
	}
	left.Devices = slices.DeleteFunc(slices.Clone(d.Devices), func(x DesiredDevice) bool { return s.devices[x.Address] || s.complete[KindDevice] })
	left.DDIs = slices.DeleteFunc(slices.Clone(d.DDIs), func(x DesiredDDI) bool { return s.ddis[x.Number] || s.complete[KindDDI] })
	if s.standard || d.DefaultDDI != nil && s.unwanted(d.DefaultDDI.Number) {
		left.DefaultDDI = nil
	}
	left.Settings = slices.DeleteFunc(slices.Clone(d.Settings), func(x DesiredGroup) bool { return s.settings[x.Group] })
	left.Complete = slices.DeleteFunc(slices.Clone(d.Complete), func(k Kind) bool {
		return s.complete[k] || k == KindDevice && len(s.devices) > 0 || k == KindDDI && len(s.ddis) > 0
	})
	if len(left.Complete) == 0 && len(d.Complete) > 0 && len(policy.Scope) == 0 { // nothing is left of which it has all
		left.Prune, policy.Prune = PruneOff, PruneOff
	}
	return &left, policy
}

// subtract takes from an entry what newer manifests speak of; false when it has nothing more to say.
func (s *spoken) subtract(u *DesiredUser, exists func(Login) bool) bool {
	about := s.users[u.Login]
	if about != nil && (about.absent || u.Presence == Absent || !exists(u.Login)) {
		return false // whether he is there is the newer one's word
	}
	if about == nil {
		about = &said{}
	}
	u.Attributes = slices.DeleteFunc(slices.Clone(u.Attributes), func(a Attribute) bool { return about.attributes[aspect(a.Name)] })
	u.Lists = slices.DeleteFunc(slices.Clone(u.Lists), func(list string) bool { return about.attributes[list] })
	u.Options = slices.DeleteFunc(slices.Clone(u.Options), func(o DesiredGroup) bool { return about.options[o.Group] })
	lost := taken(u.Subscriber, u.Login, func(n Number) Login { return s.given[Key{Kind: KindExtension, ID: string(n)}] })
	if about.subscriber || lost {
		u.Subscriber = Wish[Number]{}
		u.Pools = withoutPool(u.Pools, KindExtension)
	}
	if about.lineless || lost && !about.subscriber { // what hung on the extension went with it
		u.Devices, u.DDIs, u.Options, u.Pools = Wish[DeviceKey]{}, Wish[E164]{}, nil, nil
	}
	if about.pairings || taken(u.Pairings, u.Login, func(p Pairing) Login { return s.paired[p.Number] }) {
		u.Pairings = Wish[Pairing]{}
	}
	if about.wantsDevices || taken(u.Devices, u.Login, func(k DeviceKey) Login { return s.given[k.Key()] }) {
		u.Devices = Wish[DeviceKey]{}
		u.Pools = withoutPool(u.Pools, KindDevice)
	}
	if about.ddis || taken(u.DDIs, u.Login, func(n E164) Login { return s.given[n.Key()] }) {
		u.DDIs = Wish[E164]{}
		u.Pools = withoutPool(u.Pools, KindDDI)
	}
	if about.licences {
		u.Licences = Wish[Offer]{}
	}
	return true
}

// taken tells whether a newer manifest gives one of a wish's keys to somebody else.
func taken[K any](w Wish[K], l Login, to func(K) Login) bool {
	return wants(w.Mood) && slices.ContainsFunc(w.Keys, func(k K) bool { t := to(k); return t != "" && t != l })
}

func withoutPool(pools []PoolWish, kind Kind) []PoolWish {
	return slices.DeleteFunc(slices.Clone(pools), func(p PoolWish) bool { return p.Kind == kind })
}
