package rainbow

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// maxPage is the most that upstream puts in a page (Rainbow CLI).
const maxPage = 1000

// list is a paged list of upstream, to be read as a whole.
type list[T any] struct {
	// what the items are, for errors
	what string
	// fetch gets one page: its items, and how many there are in all.
	fetch func(ctx context.Context, offset, limit int32) (items []T, total int32, err error)
	// id tells items apart.
	id func(T) string
	// take gets every item once, from one goroutine at a time.
	take func(T) error
	// page is the page size to ask for, parallel the number of pages asked for at once.
	page, parallel int
	log            *slog.Logger
}

// rounds is how often a list is read when it changes while being read.
const rounds = 3

// read walks the list. Offsets are all that upstream has to page with, so what is created or deleted meanwhile shifts
// items from page to page. Repeated items are passed over; when the list became shorter, so that one may have slipped by,
// or had fewer distinct items than it says, it is read again.
func (l list[T]) read(ctx context.Context) error {
	w := &walk[T]{list: l, seen: map[string]bool{}}
	for n := 1; ; n++ {
		if err := w.round(ctx); err != nil {
			return fmt.Errorf("list of %s: %w", l.what, err)
		}
		if !w.shrank && len(w.fresh) >= int(w.total) {
			return nil
		}
		if n == rounds {
			l.log.Warn("list changed while it was read; a thing may be missing", "list", l.what, "items", len(w.seen), "total", w.total)
			return nil
		}
	}
}

// walk is a list on its way. mu guards what is below it and is held while take runs.
type walk[T any] struct {
	list[T]

	mu     sync.Mutex
	total  int32
	seen   map[string]bool // of all rounds
	fresh  map[string]bool // of this round
	shrank bool            // the total fell in this round
}

// round reads the list once: the first page tells how long the list is and how much upstream puts in a page, the others
// are then read side by side.
func (w *walk[T]) round(ctx context.Context) error {
	w.fresh, w.shrank, w.total = map[string]bool{}, false, 0
	stride, err := w.get(ctx, 0, int32(w.page))
	if err != nil {
		return err
	}
	first := w.total
	if stride == 0 && first > 0 {
		return fmt.Errorf("%w: the first page is empty though there are %d", upstream.ErrAnswer, first)
	}
	g, parallel := errgroup.WithContext(ctx)
	g.SetLimit(w.parallel)
	for at := stride; at < first; at += stride {
		g.Go(func() error { return w.span(parallel, at, min(at+stride, first)) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return w.span(ctx, max(first, stride), w.total) // what was added meanwhile
}

// span reads the items from offset to until, in as many pages as upstream makes of it.
func (w *walk[T]) span(ctx context.Context, offset, until int32) error {
	for offset < until {
		n, err := w.get(ctx, offset, until-offset)
		if err != nil {
			return err
		}
		if n == 0 {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.total > offset {
				return fmt.Errorf("%w: the page at %d is empty though there are %d", upstream.ErrAnswer, offset, w.total)
			}
			return nil
		}
		offset += n
	}
	return nil
}

// get fetches a page and hands on what is new; it tells how many items the page had.
func (w *walk[T]) get(ctx context.Context, offset, limit int32) (n int32, err error) {
	items, total, err := w.fetch(ctx, offset, limit)
	if err != nil {
		return 0, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shrank = w.shrank || total < w.total
	w.total = total
	moved := false
	for i, item := range items {
		id := w.id(item)
		if id == "" { // left out, the thing would be taken for one that does not exist
			return 0, fmt.Errorf("%w: item %d of the page at %d has no id", upstream.ErrAnswer, i+1, offset)
		}
		if !w.fresh[id] {
			w.fresh[id], moved = true, true
		}
		if w.seen[id] {
			continue
		}
		w.seen[id] = true
		if err := w.take(item); err != nil {
			return 0, err
		}
	}
	if !moved && len(items) > 1 && len(items) == int(limit) {
		return 0, fmt.Errorf("%w: the page at %d repeats items that came before: the list does not advance", upstream.ErrAnswer, offset)
	}
	return int32(len(items)), nil
}
