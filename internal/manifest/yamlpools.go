package manifest

import (
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
				formField{name: "ranges", doc: "Numbers of the pool, in the order in which they are given: 2300-2399, or a single one.", required: true, shape: listOf(textOf(nil))},
				formField{name: "reserved", doc: "Numbers that are never given: 2300, 2390-2399.", shape: listOf(textOf(nil))})
		} else {
			p.fields = append(p.fields, formField{name: "devices", doc: "MAC addresses of the devices of the pool, in the order in which they are given.", required: true, shape: listOf(textOf(nil).like(patternMAC))})
		}
		p.fields = append(p.fields, formField{name: "quarantine", doc: "Days that what somebody gave up rests before somebody else gets it; left out: none.", shape: whole(0, bulksync.MaxQuarantine)})
		return p
	}
	f.extensionPool, f.ddiPool, f.devicePool = pool("extensionPool", "extensions", true), pool("ddiPool", "public numbers", true), pool("devicePool", "devices", false)
	f.pools = &form{name: "pools", doc: "Pools to give users from, by name.", fields: []formField{
		{name: "extensions", doc: "Pools of extensions.", shape: namesOf(objectOf(f.extensionPool))},
		{name: "ddis", doc: "Pools of public numbers, which exist or are listed under ddis.", shape: namesOf(objectOf(f.ddiPool))},
		{name: "devices", doc: "Pools of devices, which exist or are listed under devices.", shape: namesOf(objectOf(f.devicePool))},
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
	if pool.Kind == bulksync.KindDevice {
		texts, _ := o.texts("devices")
		for _, t := range texts {
			k, p := parseDeviceKey(t.text)
			if p != nil {
				r.report(t.at, "devices", p)
				continue
			}
			pool.Ranges = append(pool.Ranges, bulksync.KeyRange{First: string(k), Last: string(k)})
		}
	} else {
		pool.Ranges = r.ranges(o, "ranges", pool.Kind)
		pool.Reserved = r.ranges(o, "reserved", pool.Kind)
	}
	r.desired.Pools = append(r.desired.Pools, pool)
}

// ranges reads spans of numbers: 2300-2399, +33298300500-+33298300549, or a single number.
func (r *yamlReader) ranges(o *object, name string, kind bulksync.Kind) []bulksync.KeyRange {
	texts, _ := o.texts(name)
	var all []bulksync.KeyRange
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
		if p == nil && (len(a) != len(b) || a > b) {
			p = &problem{codeBadRange, "range " + quote(t.text) + " does not go from a number to a later one of the same length", "write it like 2300-2399"}
		}
		if p != nil {
			r.report(t.at, name, p)
			continue
		}
		all = append(all, bulksync.KeyRange{First: a, Last: b})
	}
	return all
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
	i := slices.IndexFunc(u.r.desired.Pools, func(p bulksync.Pool) bool { return p.Name == name && p.Kind == kind })
	if i < 0 {
		p := &problem{codeUnknownPool, "there is no pool " + quote(name) + " of that kind", "declare it under pools"}
		var names []string
		for _, known := range u.r.desired.Pools {
			if known.Kind == kind {
				names = append(names, known.Name)
			}
		}
		if near := nearest(strings.ToLower(name), names); near != "" {
			p.hint = "did you mean " + near + "?"
		}
		o.fault("pool", p)
		return true
	}
	u.user.Pools = append(u.user.Pools, bulksync.PoolWish{Kind: kind, Pool: name})
	return true
}
