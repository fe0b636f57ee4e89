package manifest

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// poolForms are the forms of pools.
func (f *forms) poolForms() {
	pool := func(name, of string, numbers bool) *form {
		p := &form{name: name, doc: "A pool of " + of + " to give users from. Who has one of it keeps it; who has none gets the first that is free."}
		if numbers {
			p.fields = append(p.fields,
				formField{name: "ranges", doc: "Numbers of the pool, in the order in which they are given: 2300-2399, or a single one.", required: true, shape: listOf(textOf(nil)).growing()},
				formField{name: "reserved", doc: "Numbers that are never given: 2300, 2390-2399.", shape: listOf(textOf(nil)).orBlank().growing()})
		} else {
			p.fields = append(p.fields, formField{name: "devices", doc: "MAC addresses of the devices of the pool, in the order in which they are given: single ones, or aa:bb:cc:00:00:10-aa:bb:cc:00:00:1f.", required: true, shape: listOf(textOf(nil).like(patternMACs)).growing()})
		}
		p.fields = append(p.fields, formField{name: "quarantine", doc: "Days that what somebody gave up rests before somebody else gets it; left out: none.", shape: whole(0, bulksync.MaxQuarantine)})
		return p
	}
	f.extensionPool, f.ddiPool, f.devicePool = pool("extensionPool", "extensions", true), pool("ddiPool", "public numbers", true), pool("devicePool", "devices", false)
	f.pools = &form{name: "pools", doc: "Pools to give users from, by name.", fields: []formField{
		{name: "extensions", doc: "Pools of extensions.", shape: namesOf(objectOf(f.extensionPool)).orBlank()},
		{name: "ddis", doc: "Pools of public numbers, which exist or are listed under ddis.", shape: namesOf(objectOf(f.ddiPool)).orBlank()},
		{name: "devices", doc: "Pools of devices, which exist or are listed under devices.", shape: namesOf(objectOf(f.devicePool)).orBlank()},
	}}
	f.fromPool = &form{name: "fromPool", doc: "One thing of a pool.", fields: []formField{
		{name: "pool", doc: "Name of the pool.", required: true, shape: textOf(nil)},
	}}
}

// readPools reads the pools of all parts. A name is one pool's, whatever its kind.
func (r *yamlReader) readPools() {
	seen := map[string]bulksync.Position{}
	for _, part := range r.parts {
		pools := part.child("pools", r.forms.pools)
		if pools == nil {
			continue
		}
		for _, kind := range []struct {
			name string
			kind bulksync.Kind
			form *form
		}{{"extensions", bulksync.KindExtension, r.forms.extensionPool}, {"ddis", bulksync.KindDDI, r.forms.ddiPool}, {"devices", bulksync.KindDevice, r.forms.devicePool}} {
			for _, pair := range pools.pairs(kind.name) {
				name := pair.key.Value
				if first, twice := seen[name]; twice {
					r.report(pair.keyPosition(), name, &problem{codeNameTwice, "pool " + quote(name) + " comes twice, first at " + first.String(), "rename one of the two"})
					continue
				}
				seen[name] = pair.keyPosition()
				if o := r.object(pair, kind.form, nil); o != nil {
					r.readPool(o, bulksync.Pool{Name: name, Kind: kind.kind, Position: pair.keyPosition()})
				}
			}
		}
	}
	slices.SortFunc(r.desired.Pools, func(a, b bulksync.Pool) int { return strings.Compare(a.Name, b.Name) })
}

func (r *yamlReader) readPool(o *object, pool bulksync.Pool) {
	if days, ok := o.text("quarantine"); ok {
		pool.Quarantine, _ = strconv.Atoi(days)
	}
	from := "ranges"
	var all, reserved []poolRange
	if pool.Kind == bulksync.KindDevice {
		from = "devices"
		texts, _ := o.texts(from)
		for _, t := range texts {
			span, p := parseDevices(t.text)
			if p != nil {
				r.report(t.at, from, p)
				continue
			}
			all = append(all, poolRange{span, t})
		}
	} else {
		all = r.ranges(o, from, pool.Kind)
		reserved = r.ranges(o, "reserved", pool.Kind)
	}
	if items, ok := o.list(from); ok && len(items) == 0 {
		o.fault(from, &problem{codeWrongShape, from + " is empty", "say what the pool has, or take it away"})
	}
	sorted := r.overlapping(all, from)
	for _, held := range reserved {
		if !amongRanges(sorted, held) {
			r.report(held.at, "reserved", &problem{codeBadRange, "reserved " + quote(held.text) + " is not in the pool", "reserve numbers of its ranges"})
		}
		pool.Reserved = append(pool.Reserved, held.KeyRange)
	}
	for _, one := range all {
		pool.Ranges = append(pool.Ranges, one.KeyRange)
	}
	r.desired.Pools = append(r.desired.Pools, pool)
	r.pools[poolName{pool.Kind, pool.Name}] = true
}

// poolName tells a pool of one kind.
type poolName struct {
	kind bulksync.Kind
	name string
}

// poolRange is a range as it is written.
type poolRange struct {
	bulksync.KeyRange
	placed
}

func (p poolRange) overlaps(q poolRange) bool {
	return len(p.First) == len(q.First) && p.First <= q.Last && q.First <= p.Last
}

// comparePlaces orders numbers of one length as numbers, and shorter ones before longer ones.
func comparePlaces(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) }

// overlapping reports ranges that have something in common. It gives them in the order of their beginnings; where one goes on
// behind the end of the next, it stands there again instead of that.
func (r *yamlReader) overlapping(all []poolRange, name string) []poolRange {
	sorted := slices.SortedStableFunc(slices.Values(all), func(a, b poolRange) int { return comparePlaces(a.First, b.First) })
	for i := 1; i < len(sorted); i++ {
		before, next := sorted[i-1], sorted[i]
		if !before.overlaps(next) {
			continue
		}
		r.report(next.at, name, &problem{codeBadRange, quote(next.text) + " has something in common with " + quote(before.text) + " at " + before.at.String(), "name each number and device once"})
		if before.Last > next.Last {
			sorted[i] = before
		}
	}
	return sorted
}

// amongRanges tells whether a range has something in common with one of those that overlapping gave.
func amongRanges(sorted []poolRange, one poolRange) bool {
	i, _ := slices.BinarySearchFunc(sorted, one, func(of, one poolRange) int { // the first that begins behind it
		return cmp.Or(comparePlaces(of.First, one.Last), -1)
	})
	return i > 0 && sorted[i-1].overlaps(one)
}

// maxPool is how many numbers a range of a pool has at most.
const maxPool = 1_000_000

// ranges reads spans of numbers: 2300-2399, +33298300500-+33298300549, or a single number.
func (r *yamlReader) ranges(o *object, name string, kind bulksync.Kind) []poolRange {
	texts, _ := o.texts(name)
	var all []poolRange
	for _, t := range texts {
		first, last, span := strings.Cut(t.text, "-")
		if !span {
			last = first
		}
		a, p := parseBound(kind, first)
		b, q := parseBound(kind, last)
		if p == nil {
			p = q
		}
		if p == nil {
			p = checkRange(t.text, a, b)
		}
		if p != nil {
			r.report(t.at, name, p)
			continue
		}
		all = append(all, poolRange{bulksync.KeyRange{First: a, Last: b}, t})
	}
	return all
}

// maxSpan is how long a span of MAC addresses is at most, blanks included.
const maxSpan = 64

// parseDevices reads a device, or a span of MAC addresses. Dashes may also stand within an address, so that the dash between
// the two is the one that has an address on either side.
func parseDevices(s string) (bulksync.KeyRange, *problem) {
	for i, c := range []byte(s) {
		if c != '-' || len(s) > maxSpan {
			continue
		}
		first, p := parseMAC(strings.TrimSpace(s[:i]))
		last, q := parseMAC(strings.TrimSpace(s[i+1:]))
		if p != nil || q != nil {
			continue
		}
		a, _ := strconv.ParseUint(string(first), 16, 64) // 12 digits
		b, _ := strconv.ParseUint(string(last), 16, 64)
		switch {
		case a > b:
			return bulksync.KeyRange{}, &problem{codeBadRange, "range " + quote(s) + " does not go from a MAC address to a later one", "write it like aa:bb:cc:00:00:10-aa:bb:cc:00:00:1f"}
		case b-a >= maxPool:
			return bulksync.KeyRange{}, &problem{codeBadRange, "range " + quote(s) + " has more than 1,000,000 devices", "write a smaller one"}
		}
		return bulksync.KeyRange{First: string(first), Last: string(last)}, nil
	}
	k, p := parseDeviceKey(s)
	if p != nil && p.code == codeBadMAC {
		p.hint = "write it like aa:bb:cc:dd:ee:02, and a range like aa:bb:cc:00:00:10-aa:bb:cc:00:00:1f"
	}
	return bulksync.KeyRange{First: string(k), Last: string(k)}, p
}

// checkRange holds the ends of a range against each other.
func checkRange(written, first, last string) *problem {
	if len(first) != len(last) || first > last {
		return &problem{codeBadRange, "range " + quote(written) + " does not go from a number to a later one of the same length", "write it like 2300-2399"}
	}
	a, _ := strconv.ParseUint(strings.TrimPrefix(first, "+"), 10, 64) // at most 15 digits
	b, _ := strconv.ParseUint(strings.TrimPrefix(last, "+"), 10, 64)
	if b-a >= maxPool {
		return &problem{codeBadRange, "range " + quote(written) + " has more than 1,000,000 numbers", "write a smaller one"}
	}
	return nil
}

func parseBound(kind bulksync.Kind, s string) (string, *problem) {
	if kind == bulksync.KindDDI {
		n, p := parseE164("DDI", strings.TrimSpace(s))
		return string(n), p
	}
	n, p := parseShortNumber("extension", strings.TrimSpace(s))
	return string(n), p
}

// fromPool reads a wish for one thing of a pool; false when the value is something else.
func (u *userEntry) fromPool(item entry, kind bulksync.Kind) bool {
	if item.value.Kind != yaml.MappingNode || !slices.ContainsFunc(item.value.Content, func(n *yaml.Node) bool { return n.Value == "pool" }) {
		return false
	}
	o := u.r.object(item, u.r.forms.fromPool, nil)
	if o == nil {
		return true
	}
	name, ok := o.text("pool")
	if !ok {
		return true
	}
	if !u.r.pools[poolName{kind, name}] {
		p := &problem{codeUnknownPool, "there is no pool " + quote(name) + " of that kind", "declare it under pools"}
		var names []string
		for _, known := range u.r.desired.Pools {
			if known.Kind == kind {
				names = append(names, known.Name)
			}
		}
		if near := u.r.nearest(name, slices.Values(names)); near != "" {
			p.hint = "did you mean " + near + "?"
		}
		o.fault("pool", p)
		return true
	}
	u.user.Pools = append(u.user.Pools, bulksync.PoolWish{Kind: kind, Pool: name})
	return true
}
