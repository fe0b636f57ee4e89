package main

import (
	"context"
	"errors"
	"iter"
)

// ErrMoved says that a list changed so much between two pages that the place in it is lost. Begin again.
var ErrMoved = errors.New("list: changed by more than a page while it was read")

// Page asks for the rows from offset on, at most limit of them, and says how many there are altogether.
type Page[T any] func(ctx context.Context, offset, limit int32) (rows []T, total int32, err error)

// All walks a list of Rainbow's from its first row to its last, size rows a call (2 to 1,000). It holds one page, and the
// keys of two. Page has to sort by something that no two rows share; key returns that, or an id.
//
// Rainbow's offsets count rows, so rows that others create or delete meanwhile move those that come after. Therefore each
// page begins with the last row of the one before. If that stands elsewhere now, All goes on behind it; if it is not on the
// page, All looks for it further ahead. Every row that is there all the time comes exactly once, no row comes twice.
func All[T any](ctx context.Context, size int32, key func(T) string, page Page[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		var last, older map[string]bool // the keys of the two pages that brought rows last
		for offset := int32(0); ; {
			rows, total, err := page(ctx, offset, size)
			if err != nil {
				yield(none, err)
				return
			}
			fresh := 0 // behind the last row that is known
			for i, row := range rows {
				if k := key(row); last[k] || older[k] {
					fresh = i + 1
				}
			}
			switch {
			case fresh > 0 || last == nil:
			case offset > 0: // rows before the place were deleted
				offset = max(0, offset-int32(len(last))+1)
				continue
			case len(rows) > 0:
				yield(none, ErrMoved)
				return
			}
			if fresh < len(rows) {
				last, older = map[string]bool{}, last
			}
			for i, row := range rows {
				last[key(row)] = true
				if i >= fresh && !yield(row, nil) {
					return
				}
			}
			if len(rows) == 0 || offset+int32(len(rows)) >= total {
				return
			}
			offset += max(1, int32(len(rows))-1)
		}
	}
}
