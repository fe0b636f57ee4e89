package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// list is a sorted list that others change whenever a page of it was read.
type list struct {
	rows   []string
	random *rand.Rand
	moves  int // rows created or deleted after each page, at most
	made   int
	gone   map[string]bool
}

func (l *list) page(_ context.Context, offset, limit int32) ([]string, int32, error) {
	from := min(int(offset), len(l.rows))
	page := slices.Clone(l.rows[from:min(from+int(limit), len(l.rows))])
	total := int32(len(l.rows))
	for range l.random.IntN(l.moves + 1) {
		l.move()
	}
	return page, total, nil
}

func (l *list) move() {
	at := l.random.IntN(len(l.rows))
	if l.random.IntN(2) == 0 {
		l.gone[l.rows[at]] = true
		l.rows = slices.Delete(l.rows, at, at+1)
		return
	}
	l.made++
	l.rows = slices.Insert(l.rows, at+1, fmt.Sprintf("%s+%06d", l.rows[at], l.made))
}

func itself(row string) string { return row }

func TestARowThatIsThereAllTheTimeComesOnce(t *testing.T) {
	for seed := range uint64(500) {
		l := &list{random: rand.New(rand.NewPCG(seed, 1)), moves: 5, gone: map[string]bool{}}
		for i := range 200 {
			l.rows = append(l.rows, fmt.Sprintf("row%06d", i))
		}
		started := slices.Clone(l.rows)
		came := map[string]int{}
		for row, err := range All(t.Context(), int32(6+seed%20), itself, l.page) {
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			came[row]++
		}
		for _, row := range started {
			if came[row] != 1 && !l.gone[row] {
				t.Errorf("seed %d: %s came %d times", seed, row, came[row])
			}
		}
		for row, times := range came {
			if times > 1 {
				t.Errorf("seed %d: %s came %d times", seed, row, times)
			}
		}
	}
}

func TestAWalk(t *testing.T) {
	refused := errors.New("refused")
	numbers := func(n, largest int32, err error) (Page[int32], *int) {
		calls := 0
		return func(_ context.Context, offset, limit int32) (rows []int32, total int32, _ error) {
			calls++
			for i := offset; i < min(offset+min(limit, largest), n); i++ {
				rows = append(rows, i)
			}
			if calls > 1 {
				return rows, n, err
			}
			return rows, n, nil
		}, &calls
	}
	for _, c := range []struct {
		name       string
		n, largest int32
		err        error
		want, call int
	}{
		{"of nothing", 0, 100, nil, 0, 1},
		{"of one page", 10, 100, nil, 10, 1},
		{"of three pages", 28, 100, nil, 28, 3},
		{"of pages smaller than asked for", 9, 5, nil, 9, 2},
		{"that is refused", 28, 100, refused, 10, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			page, calls := numbers(c.n, c.largest, c.err)
			var rows int
			var failed error
			for row, err := range All(t.Context(), 10, func(i int32) string { return fmt.Sprint(i) }, page) {
				if failed = err; err != nil {
					break
				}
				if row != int32(rows) {
					t.Errorf("row %d is %d", rows, row)
				}
				rows++
			}
			if rows != c.want || *calls != c.call || !errors.Is(failed, c.err) {
				t.Errorf("got %d rows in %d calls, %v; want %d in %d, %v", rows, *calls, failed, c.want, c.call, c.err)
			}
		})
	}
}

func TestAListThatIsReplacedMeanwhileIsNoticed(t *testing.T) {
	calls := 0
	page := func(_ context.Context, offset, limit int32) (rows []string, total int32, _ error) {
		calls++
		for i := offset; i < min(offset+limit, 100); i++ {
			rows = append(rows, fmt.Sprintf("%d of %d", i, min(calls, 2)))
		}
		return rows, 100, nil
	}
	var failed error
	for _, err := range All(t.Context(), 10, itself, page) {
		failed = err
	}
	if !errors.Is(failed, ErrMoved) || calls > 4 {
		t.Errorf("got %v after %d calls, want ErrMoved", failed, calls)
	}
}
