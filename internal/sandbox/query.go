package sandbox

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// query reads the query parameters of a call as leniently as upstream, whose
// own SDK sends the words undefined and null, repeats limit, and mistypes
// flags: a value that does not fit is no value.
type query struct{ values url.Values }

// text is the first real value of a parameter, "" when there is none.
func (q query) text(name string) string {
	for _, v := range q.values[name] {
		if v != "" && v != "undefined" && v != "null" {
			return v
		}
	}
	return ""
}

// words splits a parameter that may hold several values, separated by blanks
// (admin API) or commas (device categories), or be repeated.
func (q query) words(name string) []string {
	var list []string
	for _, v := range q.values[name] {
		if v != "undefined" && v != "null" {
			list = append(list, strings.FieldsFunc(v, func(r rune) bool { return r == ' ' || r == ',' })...)
		}
	}
	return list
}

// number is the first value that is a number; the DDI list of the Rainbow Node
// SDK sends limit twice, the second time by mistake.
func (q query) number(name string, otherwise int) int {
	for _, v := range q.values[name] {
		if n, err := strconv.Atoi(v); err == nil {
			return n
		}
	}
	return otherwise
}

// flag is nil when the parameter is neither true nor false.
func (q query) flag(name string) *bool {
	for _, v := range q.values[name] {
		if b, err := strconv.ParseBool(v); err == nil {
			return &b
		}
	}
	return nil
}

// flagFilter keeps the documents whose property equals the flag; nil, which
// keeps all, when the flag is absent.
func flagFilter[T any](q query, name string, property func(*T) bool) func(*T) bool {
	want := q.flag(name)
	if want == nil {
		return nil
	}
	return func(d *T) bool { return property(d) == *want }
}

// maxPage is the largest page (rainbow-cli caps limit at it).
const maxPage = 1000

func (q query) limit() int {
	n := q.number("limit", 100)
	if n <= 0 {
		return 100
	}
	return min(n, maxPage)
}

func (q query) offset() int { return max(q.number("offset", 0), 0) }

func (q query) descending() bool { return q.number("sortOrder", 1) == -1 }

// sortBy orders a copy of a list by sortField and sortOrder when the field is
// one of keys; else the list keeps its default order, reversed for sortOrder -1.
func sortBy[T any](q query, list []*T, keys map[string]func(*T) string) []*T {
	key := keys[q.text("sortField")]
	if key == nil && !q.descending() {
		return list
	}
	list = slices.Clone(list)
	if key != nil {
		sortByKey(list, key)
	}
	if q.descending() {
		slices.Reverse(list)
	}
	return list
}

// sortByKey sorts a list in place; each key is made once.
func sortByKey[T any](list []*T, key func(*T) string) {
	type keyed struct {
		key string
		d   *T
	}
	all := make([]keyed, len(list))
	for i, d := range list {
		all[i] = keyed{key(d), d}
	}
	slices.SortStableFunc(all, func(a, b keyed) int { return cmp.Compare(a.key, b.key) })
	for i, k := range all {
		list[i] = k.d
	}
}

// filter keeps the documents that every condition accepts; nil conditions
// accept all.
func filter[T any](list []*T, conditions []func(*T) bool) []*T {
	conditions = slices.DeleteFunc(conditions, func(f func(*T) bool) bool { return f == nil })
	if len(conditions) == 0 {
		return list
	}
	var kept []*T
	for _, d := range list {
		if !slices.ContainsFunc(conditions, func(f func(*T) bool) bool { return !f(d) }) {
			kept = append(kept, d)
		}
	}
	return kept
}

// page is the envelope of paged lists: data, limit, offset and total stand
// next to each other.
type page struct {
	Data   []any `json:"data"`
	Limit  int   `json:"limit"`
	Offset int   `json:"offset"`
	Total  int   `json:"total"`
}

// paged cuts the asked page; an offset beyond the total gives an empty one.
func paged[T, V any](list []*T, q query, view func(*T) V) page {
	return pageOf(len(list), q, func(i int) any { return view(list[i]) })
}

// pageOf makes a page of total documents that are rendered by position.
func pageOf(total int, q query, render func(i int) any) page {
	p := page{Data: []any{}, Limit: q.limit(), Offset: q.offset(), Total: total}
	for i := p.Offset; i < min(p.Offset+p.Limit, total); i++ {
		p.Data = append(p.Data, render(i))
	}
	return p
}
