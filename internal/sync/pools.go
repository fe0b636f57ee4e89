package sync

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Pools: numbers and devices from which a manifest gives to users without saying which. Who has one of the pool keeps it,
// so that what was given once stays, whatever order the manifest is in and whoever joins; who has none gets the one that he
// had last, if it is free, else the first free one in the order of the pool. Users are served in the order of their logins.
//
// Free is what nobody has or is to have, no rule reserves, and what was not given up less than the quarantine ago. What
// this very plan frees is not given again by it: who had it has it until then, and a plan that fails halfway must not leave
// two users with one number.
//
// A table of allocations beside the recorded state was rejected: who has a number of the pool is the allocation, and a
// second book could contradict it.

// Pool is a set of numbers, DDIs or devices to give from.
type Pool struct {
	Name string
	Kind Kind
	// Ranges in the order in which they are given from, each with both ends; one device is a range too.
	Ranges []KeyRange
	// Reserved ones are never given; who has one keeps it.
	Reserved []KeyRange
	// Quarantine is how many days what was given up rests.
	Quarantine int
	Position   Position
}

// PoolWish asks for one thing of a pool for a user.
type PoolWish struct {
	Kind Kind
	Pool string
}

// poolPlace is a place in a pool: the range, and the thing of it. Without a thing it is where the range begins.
type poolPlace struct {
	nth int
	id  string
}

// from walks the things of a pool in its order, from a place on, until yield wants no more.
func (p *Pool) from(at poolPlace) func(yield func(poolPlace) bool) {
	return func(yield func(poolPlace) bool) {
		for ; at.nth < len(p.Ranges); at = (poolPlace{at.nth + 1, ""}) {
			r := p.Ranges[at.nth]
			for ok := true; ok; at.id, ok = p.following(at.id) {
				if at.id == "" {
					at.id = r.First
				}
				if !r.contains(at.id) {
					break
				}
				if !yield(at) {
					return
				}
			}
		}
	}
}

// following is the number after another of the same length, of a device the MAC address; false after the last, and of what
// is neither.
func (p *Pool) following(id string) (string, bool) {
	digits := "0123456789"
	if p.Kind == KindDevice {
		digits += "abcdef"
	}
	b := []byte(id)
	for i := len(b) - 1; i >= 0; i-- {
		switch at := strings.IndexByte(digits, b[i]); at {
		case -1:
			return "", false
		case len(digits) - 1:
			b[i] = '0'
		default:
			b[i] = digits[at+1]
			return string(b), true
		}
	}
	return "", false
}

// allocator gives from pools during one plan.
type allocator struct {
	*planner
	pools map[string]*Pool
	// given are the things that users keep, get or are to have by name.
	given map[Key]Login
	// progress tells how far each pool has been given from.
	progress map[string]*poolProgress
	// released are the things that users gave up, by login.
	released map[Login][]*Release
}

// poolProgress is a pool and how far it has been given from: what stands before the place is not free, and never is again in the
// course of a plan, or rests.
type poolProgress struct {
	poolPlace
	// things are all that the pool has, reserved those that are never given.
	things, reserved keyRanges
	// resting is how many rest before the place, until the first day on which one does no more.
	resting int
	until   string
}

// allocate turns what users ask of pools into things. It comes when it is known who is who, and what each has.
func (p *planner) allocate() {
	if !slices.ContainsFunc(p.queue, func(s *stance) bool { return len(s.want.Pools) > 0 }) {
		return
	}
	a := &allocator{planner: p, pools: map[string]*Pool{}, given: map[Key]Login{}, progress: map[string]*poolProgress{}, released: map[Login][]*Release{}}
	for i := range p.desired.Pools {
		pool := &p.desired.Pools[i]
		a.pools[pool.Name] = pool
		a.progress[pool.Name] = &poolProgress{things: keyRangesOf(pool.Ranges), reserved: keyRangesOf(pool.Reserved)}
	}
	for r := range p.obs.Records(KindRelease) {
		release := r.(*Release)
		a.released[release.Login] = append(a.released[release.Login], release)
	}
	a.names()
	asking := slices.DeleteFunc(slices.Clone(p.queue), func(s *stance) bool { return len(s.want.Pools) == 0 || s.want.Presence == Absent })
	slices.SortFunc(asking, func(x, y *stance) int { return strings.Compare(string(x.login), string(y.login)) })
	got := map[*stance][]Key{}
	for _, s := range asking { // all keep before anybody gets
		got[s] = a.kept(s)
	}
	for _, s := range asking {
		a.give(s, got[s])
	}
}

// names notes what users ask for by name.
func (a *allocator) names() {
	for _, s := range a.queue {
		for _, n := range s.want.Subscriber.named() {
			a.given[a.subscriberKeyOrNone(n)] = s.login
		}
		for _, d := range s.want.Devices.named() {
			a.given[d.Key()] = s.login
		}
		for _, n := range s.want.DDIs.named() {
			a.given[n.Key()] = s.login
		}
	}
}

// key is the key of a pool's thing.
func (a *allocator) key(pool *Pool, id string) Key {
	if pool.Kind == KindExtension {
		return a.subscriberKeyOrNone(Number(id))
	}
	return Key{pool.Kind, id}
}

// kept lists, for each of a user's wishes, what he has of the pool; a zero key where he has nothing.
func (a *allocator) kept(s *stance) []Key {
	var has []Key
	if s.now.subscriber != "" {
		has = append(has, a.subscriberKeyOrNone(s.now.subscriber))
	}
	for _, d := range s.now.devices {
		has = append(has, d.Key())
	}
	for _, n := range s.now.ddis {
		has = append(has, n.Key())
	}
	keep := make([]Key, len(s.want.Pools))
	for i, w := range s.want.Pools {
		pool := a.pools[w.Pool]
		if pool == nil {
			continue
		}
		for _, k := range has {
			if k.Kind == pool.Kind && a.progress[pool.Name].things.has(thingID(k)) && a.given[k] == "" {
				keep[i], a.given[k] = k, s.login
				break
			}
		}
	}
	return keep
}

// thingID is what a pool calls a thing.
func thingID(k Key) string {
	if k.Kind == KindExtension {
		return k.ID[strings.LastIndexByte(k.ID, '/')+1:]
	}
	return k.ID
}

// give gives a user what he asks of pools, and makes it part of what he asks for by name.
func (a *allocator) give(s *stance, kept []Key) {
	next := *s.want
	for i, w := range s.want.Pools {
		pool := a.pools[w.Pool]
		if pool == nil || pool.Kind != w.Kind {
			a.fault(s, poolColumn[w.Kind], "unknown-pool", "declare it under pools", "there is no pool %q of the kind %s", w.Pool, w.Kind)
			continue
		}
		k := kept[i]
		if k == (Key{}) {
			k = a.first(s, pool)
		}
		if k == (Key{}) {
			continue // reported
		}
		switch k.Kind {
		case KindExtension:
			next.Subscriber = Having(Number(thingID(k)))
		case KindDevice:
			next.Devices = Wish[DeviceKey]{Exactly, append(slices.Clone(next.Devices.Keys), DeviceKey(k.ID))}
		case KindDDI:
			next.DDIs = Wish[E164]{Exactly, append(slices.Clone(next.DDIs.Keys), E164(k.ID))}
		}
	}
	slices.Sort(next.Devices.Keys)
	slices.Sort(next.DDIs.Keys)
	s.want = &next
}

// poolColumn is the column of a row that a thing of a pool stands in.
var poolColumn = map[Kind]string{KindExtension: "shortNumber", KindDevice: "macAddress", KindDDI: "ddiE164Number"}

// first finds what a user gets of a pool: what he had last, else the first that is free.
func (a *allocator) first(s *stance, pool *Pool) Key {
	var had *Release
	for _, release := range a.released[s.recorded()] {
		if id := thingID(release.Thing); release.Thing == a.key(pool, id) && a.progress[pool.Name].things.has(id) && a.free(pool, id) && (had == nil || release.Time > had.Time) {
			had = release
		}
	}
	if had != nil {
		a.given[had.Thing] = s.login
		return had.Thing
	}
	so := a.progress[pool.Name]
	begin := so.poolPlace
	so.poolPlace = poolPlace{nth: len(pool.Ranges)} // the end, unless something is found
	for at := range pool.from(begin) {
		if !a.free(pool, at.id) {
			continue
		}
		k := a.key(pool, at.id)
		if until := a.rests(pool, k); until != "" {
			if so.resting++; so.until == "" || until < so.until {
				so.until = until
			}
			continue
		}
		so.poolPlace = at
		a.given[k] = s.login
		return k
	}
	hint := "widen the pool, or take something of it from others"
	if so.resting > 0 {
		hint = fmt.Sprintf("wait until %s, when the next quarantine ends (%d rest), or widen the pool", so.until, so.resting)
	}
	a.fault(s, poolColumn[pool.Kind], "pool-exhausted", hint, "pool %q has nothing left for user %s", pool.Name, s.login)
	return Key{}
}

// free tells whether nobody has or is to have a thing, and nothing reserves it. A DDI or device must be there, or be listed.
func (a *allocator) free(pool *Pool, id string) bool {
	k := a.key(pool, id)
	if a.given[k] != "" || a.progress[pool.Name].reserved.has(id) || a.ignores(k) {
		return false
	}
	switch r := a.obs.Record(k).(type) {
	case *Extension:
		return false
	case *Device:
		return r.Holder == "" && r.HolderID == ""
	case *DDI:
		return r.Holder == "" && r.HolderID == "" && r.Label == "" && !r.Default
	}
	if pool.Kind == KindExtension {
		pbx := a.company.CloudPbx
		return pbx != nil && slices.ContainsFunc(pbx.Ranges, func(r Range) bool { return r.Contains(Number(id)) })
	}
	_, listed := a.provides(k)
	return listed
}

// rests gives the day until which a thing rests; empty when it does not.
func (a *allocator) rests(pool *Pool, k Key) string {
	release := find[Release](a.obs, ReleaseKey(k))
	if release == nil || pool.Quarantine == 0 {
		return ""
	}
	at, err := time.Parse(time.RFC3339, release.Time)
	if err != nil {
		return ""
	}
	until := at.UTC().AddDate(0, 0, pool.Quarantine).Format(time.DateOnly)
	if a.desired.Today != "" && until <= a.desired.Today {
		return ""
	}
	return until
}
