package sandbox

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// dataFile keeps a world across restarts. The file is a log of JSON lines:
// the first line names the format, every other one is an array of changed
// documents, one line per write of the store. A line is written with a single
// write before the change is answered, so a killed process loses nothing that
// it answered; a torn last line (killed inside the write) is cut off when the
// file is opened. There is no fsync: a power cut may lose the last moments.
// Closing a changed world rewrites the file to one record per document
// (temporary file, then rename), as does growing beyond four times that size.
//
// Rejected: rewriting the whole file after each change (costs seconds per
// apply at 1,000 users), and a database (the sandbox must stay standard
// library, and the file readable).
type dataFile struct {
	path    string
	file    *os.File
	size    int64 // now
	compact int64 // after the last rewrite
}

const dataFormat = `{"sandbox":"rainbow","version":1}`

// record is one changed document of a line.
type record struct {
	Kind     string          `json:"k"`
	ID       string          `json:"id"`
	Document json.RawMessage `json:"d,omitempty"` // absent: deleted
}

// loadWorld reads the world kept at path, and how many bytes of the file are
// whole lines; nil when there is no such file.
func loadWorld(path string) (*world, int64, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("data file: %w", err)
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<20)
	head, err := r.ReadBytes('\n')
	if err != nil || string(bytes.TrimSpace(head)) != dataFormat {
		return nil, 0, fmt.Errorf("data file %s: not a sandbox world of version 1", path)
	}
	w := newWorld()
	kept, size, err := replay(r, w.kinds())
	if err != nil {
		return nil, 0, fmt.Errorf("data file %s: %w", path, err)
	}
	if kept[w.meta.kind][metaID] == nil {
		return nil, 0, fmt.Errorf("data file %s: holds no world", path)
	}
	for kind, k := range w.kinds() {
		list := make([]any, 0, len(kept[kind]))
		for _, id := range slices.Sorted(maps.Keys(kept[kind])) {
			list = append(list, kept[kind][id])
		}
		k.load(list)
	}
	return w, int64(len(head)) + size, nil
}

// replay reads the lines after the first and counts their bytes; the last
// record of a document wins.
func replay(r *bufio.Reader, kinds map[string]documentKind) (kept map[string]map[string]any, size int64, err error) {
	kept = map[string]map[string]any{}
	for line := 2; ; line++ {
		text, err := r.ReadBytes('\n')
		if err == io.EOF {
			return kept, size, nil // an unfinished line was never answered
		}
		if err != nil {
			return nil, 0, err
		}
		var records []record
		if err := json.Unmarshal(text, &records); err != nil {
			return nil, 0, fmt.Errorf("line %d: %w", line, err)
		}
		for _, rec := range records {
			if err := replayRecord(kept, kinds, rec); err != nil {
				return nil, 0, fmt.Errorf("line %d: %w", line, err)
			}
		}
		size += int64(len(text))
	}
}

func replayRecord(kept map[string]map[string]any, kinds map[string]documentKind, rec record) error {
	kind, known := kinds[rec.Kind]
	if !known {
		return fmt.Errorf("document kind %q is unknown", rec.Kind)
	}
	if kept[rec.Kind] == nil {
		kept[rec.Kind] = map[string]any{}
	}
	if rec.Document == nil {
		delete(kept[rec.Kind], rec.ID)
		return nil
	}
	document, err := kind.decode(rec.Document)
	if err != nil {
		return fmt.Errorf("%s %s: %w", rec.Kind, rec.ID, err)
	}
	kept[rec.Kind][rec.ID] = document
	return nil
}

// openDataFile starts keeping w at path: behind the size bytes it was read
// from, or in a new file when size is 0.
func openDataFile(path string, w *world, size int64) (*dataFile, error) {
	f := &dataFile{path: path, size: size, compact: size}
	w.dirty.tracking = true
	if size == 0 {
		return f, f.rewrite(w)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err == nil {
		err = file.Truncate(size)
	}
	if err != nil {
		return nil, fmt.Errorf("data file: %w", err)
	}
	f.file = file
	return f, nil
}

// save appends what the world collected since the last save.
func (f *dataFile) save(w *world) error {
	if len(w.dirty.list) == 0 {
		return nil
	}
	var line bytes.Buffer
	line.WriteByte('[')
	for i, c := range w.dirty.list {
		if i > 0 {
			line.WriteByte(',')
		}
		if err := writeRecord(&line, c.kind, c.id, c.document); err != nil {
			return err
		}
	}
	line.WriteString("]\n")
	w.dirty.clear()
	n, err := f.file.Write(line.Bytes())
	f.size += int64(n)
	if err != nil {
		return fmt.Errorf("data file: %w", err)
	}
	if f.size > 4*f.compact+1<<20 {
		return f.rewrite(w)
	}
	return nil
}

func writeRecord(b *bytes.Buffer, kind, id string, document any) error {
	rec := record{Kind: kind, ID: id}
	if document != nil {
		raw, err := json.Marshal(document)
		if err != nil {
			return fmt.Errorf("data file: %s %s: %w", kind, id, err)
		}
		rec.Document = raw
	}
	raw, err := json.Marshal(rec)
	if err != nil {
		return fmt.Errorf("data file: %s %s: %w", kind, id, err)
	}
	b.Write(raw)
	return nil
}

// rewrite replaces the file by one line per document. The file is readable by
// its owner only: it holds SIP passwords and the key of the tokens.
func (f *dataFile) rewrite(w *world) error {
	temp, err := os.CreateTemp(filepath.Dir(f.path), filepath.Base(f.path)+".*")
	if err != nil {
		return fmt.Errorf("data file: %w", err)
	}
	defer os.Remove(temp.Name())
	size, err := writeWorld(temp, w)
	if err != nil {
		temp.Close()
		return fmt.Errorf("data file: %w", err)
	}
	if err := os.Rename(temp.Name(), f.path); err != nil {
		temp.Close()
		return fmt.Errorf("data file: %w", err)
	}
	if f.file != nil {
		f.file.Close()
	}
	f.file, f.size, f.compact = temp, size, size
	w.dirty.clear()
	return nil
}

func writeWorld(out io.Writer, w *world) (int64, error) {
	buffered := bufio.NewWriterSize(out, 1<<20)
	size := int64(0)
	emit := func(line []byte) error {
		n, err := buffered.Write(line)
		size += int64(n)
		return err
	}
	if err := emit([]byte(dataFormat + "\n")); err != nil {
		return size, err
	}
	kinds := w.kinds()
	var line bytes.Buffer
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		err := kinds[kind].each(func(id string, document any) error {
			line.Reset()
			line.WriteByte('[')
			if err := writeRecord(&line, kind, id, document); err != nil {
				return err
			}
			line.WriteString("]\n")
			return emit(line.Bytes())
		})
		if err != nil {
			return size, err
		}
	}
	return size, buffered.Flush()
}

// close gives the file back, rewritten when it has grown.
func (f *dataFile) close(w *world) error {
	var err error
	if f.size > f.compact {
		err = f.rewrite(w)
	}
	return errors.Join(err, f.file.Close())
}
