package state

import (
	"bufio"
	"bytes"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"slices"
	"sync"
)

// spool takes rows in any order and gives them back sorted by key, in bounded memory: an external merge sort. Rows
// gather in memory up to a limit; then they are sorted and appended, as one run, to a nameless file beside the state
// file. Reading merges the runs. A company of ordinary size never touches the disk.
//
// add may be called by several goroutines; walking may begin when the last add has returned.
type spool struct {
	folder string
	limit  int // bytes in memory before a run is written

	mu    sync.Mutex // guards the rest until the first walk
	arena []byte
	rows  []spoolRow
	file  *os.File
	runs  []section
	size  int64
}

// spoolRow is a row's place in the arena: the key begins at start, the value at key's end.
type spoolRow struct{ start, value, end uint32 }

// section is the place of a run in the file.
type section struct{ offset, size int64 }

// row is a key with its value; the bytes are valid until the next step of the walk.
type row struct{ key, value []byte }

const spoolLimit = 16 << 20

// maxRow bounds a row, so that the arena's offsets fit 32 bits.
const maxRow = 1 << 30

func newSpool(folder string) *spool { return &spool{folder: folder, limit: spoolLimit} }

// add copies a row into the spool. Of rows with equal keys, the one added last stays.
func (s *spool) add(key, value []byte) error {
	if len(key)+len(value) > maxRow {
		return fmt.Errorf("row of %d bytes: want at most %d", len(key)+len(value), maxRow)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	start := len(s.arena)
	s.arena = append(append(s.arena, key...), value...)
	s.rows = append(s.rows, spoolRow{uint32(start), uint32(start + len(key)), uint32(len(s.arena))})
	if len(s.arena) < s.limit && len(s.rows) < math.MaxInt32 {
		return nil
	}
	return s.spill()
}

// spill writes what is in memory as one sorted run.
func (s *spool) spill() error {
	if s.file == nil {
		f, err := os.CreateTemp(s.folder, ".refresh-*.tmp")
		if err != nil {
			return fmt.Errorf("refresh: temporary file: %w", err)
		}
		_ = os.Remove(f.Name()) // nameless from now on, so that nothing is left of a killed process
		s.file = f
	}
	s.sort()
	out := bufio.NewWriterSize(io.NewOffsetWriter(s.file, s.size), 1<<16)
	var size int64
	var lengths [2 * binary.MaxVarintLen64]byte
	for _, r := range s.rows {
		head := binary.AppendUvarint(lengths[:0], uint64(r.value-r.start))
		head = binary.AppendUvarint(head, uint64(r.end-r.value))
		if _, err := out.Write(head); err != nil {
			return fmt.Errorf("refresh: temporary file: %w", err)
		}
		if _, err := out.Write(s.arena[r.start:r.end]); err != nil {
			return fmt.Errorf("refresh: temporary file: %w", err)
		}
		size += int64(len(head)) + int64(r.end-r.start)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("refresh: temporary file: %w", err)
	}
	s.runs = append(s.runs, section{s.size, size})
	s.size += size
	s.arena, s.rows = s.arena[:0], s.rows[:0]
	return nil
}

// sort orders the rows in memory; of equal keys the one added last comes first, and so is the one that a walk gives.
func (s *spool) sort() {
	slices.SortFunc(s.rows, func(a, b spoolRow) int {
		if c := bytes.Compare(s.arena[a.start:a.value], s.arena[b.start:b.value]); c != 0 {
			return c
		}
		return int(b.start) - int(a.start)
	})
}

// sorted walks the rows in key order, each key once. It may be walked more than once.
func (s *spool) sorted() iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		m, err := s.merge()
		if err != nil {
			yield(row{}, err)
			return
		}
		var last []byte
		first := true
		for len(m) > 0 {
			r := m[0].row
			if first || !bytes.Equal(r.key, last) {
				first = false
				last = append(last[:0], r.key...)
				if !yield(r, nil) {
					return
				}
			}
			if err := m.advance(); err != nil {
				yield(row{}, err)
				return
			}
		}
	}
}

// merge opens a reader on every run.
func (s *spool) merge() (merger, error) {
	s.sort()
	var m merger
	for i, sec := range s.runs {
		in := bufio.NewReaderSize(io.NewSectionReader(s.file, sec.offset, sec.size), 1<<16)
		m = append(m, &runReader{age: i, next: fileRows(in)})
	}
	m = append(m, &runReader{age: len(s.runs), next: s.memoryRows()})
	live := m[:0]
	for _, r := range m {
		switch err := r.step(); {
		case err == nil:
			live = append(live, r)
		case !errors.Is(err, io.EOF):
			return nil, err
		}
	}
	heap.Init(&live)
	return live, nil
}

// close removes the spool's file.
func (s *spool) close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if rm := os.Remove(s.file.Name()); rm != nil && !errors.Is(rm, os.ErrNotExist) {
		err = errors.Join(err, rm) // where an open file could not be removed at once
	}
	return err
}

// fileRows reads a run from the file; io.EOF ends it.
func fileRows(in *bufio.Reader) func(*row) error {
	var buf []byte
	return func(r *row) error {
		key, err := binary.ReadUvarint(in)
		if err != nil {
			return err
		}
		value, err := binary.ReadUvarint(in)
		if err != nil {
			return noEOF(err)
		}
		if key > maxRow || value > maxRow {
			return errors.New("refresh: temporary file: damaged")
		}
		buf = slices.Grow(buf[:0], int(key+value))[:key+value]
		if _, err := io.ReadFull(in, buf); err != nil {
			return noEOF(err)
		}
		r.key, r.value = buf[:key], buf[key:]
		return nil
	}
}

// noEOF keeps an end of file in the middle of a row from looking like the end of the run.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("refresh: temporary file: %w", err)
}

// memoryRows reads the run that is still in memory.
func (s *spool) memoryRows() func(*row) error {
	i := 0
	return func(r *row) error {
		if i == len(s.rows) {
			return io.EOF
		}
		at := s.rows[i]
		r.key, r.value = s.arena[at.start:at.value], s.arena[at.value:at.end]
		i++
		return nil
	}
}

// runReader stands on a row of one run.
type runReader struct {
	age  int // runs written later have newer rows
	next func(*row) error
	row  row
}

func (r *runReader) step() error { return r.next(&r.row) }

// merger is a heap of runs by their current key; of equal keys the newest comes first.
type merger []*runReader

func (m merger) Len() int { return len(m) }

func (m merger) Less(i, j int) bool {
	if c := bytes.Compare(m[i].row.key, m[j].row.key); c != 0 {
		return c < 0
	}
	return m[i].age > m[j].age
}

func (m merger) Swap(i, j int) { m[i], m[j] = m[j], m[i] }

// Push adds a run.
func (m *merger) Push(x any) { *m = append(*m, x.(*runReader)) }

// Pop takes the last run out.
func (m *merger) Pop() any {
	last := (*m)[len(*m)-1]
	*m = (*m)[:len(*m)-1]
	return last
}

// advance steps the first run and puts it where it belongs, or drops it when it has ended.
func (m *merger) advance() error {
	err := (*m)[0].step()
	switch {
	case err == nil:
		heap.Fix(m, 0)
	case errors.Is(err, io.EOF):
		heap.Pop(m)
	default:
		return err
	}
	return nil
}
