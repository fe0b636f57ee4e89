package rainbow

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	gosync "sync"
	"testing"
)

// pager serves numbers as a list that may change while it is read.
type pager struct {
	mu     gosync.Mutex
	items  []int
	most   int // items in a page at most
	calls  int
	before func(call int, p *pager)
	page   func(offset, limit int) []int // instead of the items
}

func (p *pager) fetch(_ context.Context, offset, limit int32) ([]int, int32, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	if p.before != nil {
		p.before(p.calls, p)
	}
	total := int32(len(p.items))
	if p.page != nil {
		return p.page(int(offset), int(limit)), total, nil
	}
	from := min(int(offset), len(p.items))
	to := min(from+min(int(limit), p.most), len(p.items))
	return slices.Clone(p.items[from:to]), total, nil
}

func (p *pager) read(page, parallel int) (got []int, err error) {
	err = list[int]{what: "numbers", fetch: p.fetch, id: strconv.Itoa, page: page, parallel: parallel, log: slog.New(slog.DiscardHandler), take: func(n int) error {
		got = append(got, n)
		return nil
	}}.read(context.Background())
	slices.Sort(got)
	return got, err
}

func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func TestListsAreReadAsAWhole(t *testing.T) {
	for _, total := range []int{0, 1, 9, 10, 11, 95, 100} {
		for _, most := range []int{1, 3, 10, 1000} {
			for _, parallel := range []int{1, 4} {
				p := &pager{items: upTo(total), most: most}
				if got, err := p.read(10, parallel); err != nil || !slices.Equal(got, upTo(total)) {
					t.Errorf("total %d, pages of %d, %d at once: got %v, %v", total, most, parallel, got, err)
				}
			}
		}
	}
}

func TestAListThatGrowsIsReadToItsEnd(t *testing.T) {
	p := &pager{items: upTo(30), most: 10, before: func(call int, p *pager) {
		if call == 3 {
			p.items = upTo(37)
		}
	}}
	if got, err := p.read(10, 1); err != nil || !slices.Equal(got, upTo(37)) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestAListThatShiftsIsReadAgain(t *testing.T) {
	p := &pager{items: upTo(30), most: 10, before: func(call int, p *pager) {
		if call == 2 {
			p.items = p.items[1:] // 0 is deleted: 10 moves to the page that was read
		}
	}}
	if got, err := p.read(10, 1); err != nil || !slices.Equal(got, upTo(30)) {
		t.Errorf("got %v, %v; want all that were there at any time", got, err)
	}
}

func TestAListThatShrinksEnds(t *testing.T) {
	p := &pager{items: upTo(30), most: 10, before: func(call int, p *pager) {
		if call == 2 {
			p.items = upTo(10)
		}
	}}
	if got, err := p.read(10, 1); err != nil || len(got) != 10 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestAListThatDoesNotAdvanceIsAnError(t *testing.T) {
	for name, page := range map[string]func(offset, limit int) []int{
		"the same page again and again": func(_, limit int) []int { return upTo(min(limit, 10)) },
		"an empty page":                 func(offset, _ int) []int { return upTo(max(0, 10-offset)) },
		"no first page":                 func(int, int) []int { return nil },
	} {
		p := &pager{items: upTo(30), page: page}
		if got, err := p.read(10, 2); err == nil {
			t.Errorf("%s: got %v and no error", name, got)
		}
	}
}

func TestAListWithRepeatedItemsEnds(t *testing.T) {
	p := &pager{items: []int{1, 2, 2, 3, 3}, most: 2}
	if got, err := p.read(2, 1); err != nil || !slices.Equal(got, []int{1, 2, 3}) {
		t.Errorf("got %v, %v", got, err)
	}
	if p.calls > 3*rounds {
		t.Errorf("%d requests for five items", p.calls)
	}
}
