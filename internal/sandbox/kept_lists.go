package sandbox

import (
	"net/url"
	"slices"
	"strings"
	"sync"
)

// keptLists remembers the last filtered or sorted lists, so that who pages
// through one pays for the filter and the sort once and not per page. A list
// holds as long as nothing in its world changes; what the caller is and asks
// for is part of its key. It has its own lock, for readers share the world's.
//
// Rejected: a sorted order per sort field, which each write would pay for, and
// which would not help filters.
type keptLists struct {
	mu    sync.Mutex
	lists []keptList // the oldest use first
}

type keptList struct {
	key     string
	changes int // of the world when it was made
	items   any
}

const (
	maxKeptLists = 8    // of at most 800 KiB each at 100,000 documents
	maxKeptKey   = 2048 // bytes; longer queries are answered without
)

// listOnce answers the list of the call from the last page that asked for it,
// or else makes and keeps it. The list must not be changed.
func listOnce[T any](w *world, c *call, make func() []*T) []*T {
	key := listKey(c)
	if len(key) > maxKeptKey {
		return make()
	}
	k, now := &w.keptLists, w.dirty.count
	if list, found := k.find(key, now).([]*T); found {
		return list
	}
	list := make()
	k.keep(keptList{key, now, list})
	return list
}

// listKey is what a list depends on beside the world: the caller, the path,
// and the query but for what chooses and renders a page.
func listKey(c *call) string {
	values := url.Values{}
	for name, list := range c.query.values {
		if name != "limit" && name != "offset" && name != "format" {
			values[name] = list
		}
	}
	return strings.Join([]string{c.caller.ID, strings.Join(c.roles, " "), c.request.URL.Path, values.Encode()}, "\n")
}

func (k *keptLists) find(key string, changes int) any {
	k.mu.Lock()
	defer k.mu.Unlock()
	i := slices.IndexFunc(k.lists, func(l keptList) bool { return l.key == key && l.changes == changes })
	if i < 0 {
		return nil
	}
	found := k.lists[i]
	k.lists = append(slices.Delete(k.lists, i, i+1), found)
	return found.items
}

// keep adds a list and drops what is of an earlier state of the world, of the
// same key, or too much.
func (k *keptLists) keep(l keptList) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.lists = slices.DeleteFunc(k.lists, func(old keptList) bool { return old.changes != l.changes || old.key == l.key })
	if len(k.lists) >= maxKeptLists {
		k.lists = slices.Delete(k.lists, 0, 1)
	}
	k.lists = append(k.lists, l)
}
