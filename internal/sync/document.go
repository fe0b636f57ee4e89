package sync

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
)

// Large JSON documents, written in pieces: that of a plan of 100,000 operations is 60 MB, and a buffer for all of it grows by
// doubling.

// WriteDocument writes a plan's JSON document without the entries that need nothing, byte for byte as json.Marshal gives it.
func (p *Plan) WriteDocument(w io.Writer) error {
	head := *p
	head.Unchanged, head.Remarks, head.Doubtful, head.Seats, head.Outages, head.Owned, head.Touched = nil, nil, nil, nil, nil, nil, nil
	if head.Operations != nil {
		head.Operations = head.Operations[:0]
	}
	b, err := json.Marshal(&head)
	if err != nil {
		return err
	}
	d := &documentWriter{out: w}
	if len(p.Operations) > 0 {
		d.write(bytes.TrimSuffix(b, []byte("[]}")))
		writeItems(d, p.Operations)
	} else {
		d.write(bytes.TrimSuffix(b, []byte("}")))
	}
	writeMember(d, "remarks", p.Remarks)
	writeMember(d, "doubtful", p.Doubtful)
	writeMember(d, "seats", p.Seats)
	writeMember(d, "outages", p.Outages)
	writeMember(d, "owned", p.Owned)
	writeMember(d, "touched", p.Touched)
	d.write([]byte("}"))
	return d.err
}

// writeDocument writes the JSON document of what is desired, byte for byte as json.Marshal gives it.
func (d *Desired) writeDocument(w io.Writer) error {
	rest := *d
	rest.Users = nil
	b, err := json.Marshal(&rest)
	if err != nil {
		return err
	}
	out := &documentWriter{out: w}
	before, after, _ := bytes.Cut(b, []byte(`"Users":null`)) // in strings, quotes are escaped
	out.write(before)
	out.write([]byte(`"Users":`))
	if d.Users.Len() == 0 {
		out.write([]byte("null"))
	} else {
		out.writeEntries(d.Users)
	}
	out.write(after)
	return out.err
}

// documentWriter writes until something fails.
type documentWriter struct {
	out io.Writer
	err error
}

func (d *documentWriter) write(b []byte) {
	if d.err == nil {
		_, d.err = d.out.Write(b)
	}
}

// writeEntries writes entries as a list, one after the other: they are unpacked for it.
func (d *documentWriter) writeEntries(e *Entries) {
	before := []byte("[")
	var u DesiredUser
	for i := range e.Len() {
		e.Read(i, &u)
		b, err := json.Marshal(&u)
		if err != nil && d.err == nil {
			d.err = err
		}
		d.write(before)
		d.write(b)
		before = []byte(",")
	}
	d.write([]byte("]"))
}

// writeMember writes a further member of an object, which is a list; nothing of an empty one.
func writeMember[T any](d *documentWriter, name string, items []T) {
	if len(items) == 0 {
		return
	}
	d.write([]byte(`,"` + name + `":`))
	writeItems(d, items)
}

// itemsAtOnce is how many items of a list are encoded at once.
const itemsAtOnce = 256

// writeItems writes a list that is not empty.
func writeItems[T any](d *documentWriter, items []T) {
	before := []byte("[")
	for some := range slices.Chunk(items, itemsAtOnce) {
		b, err := json.Marshal(some)
		if err != nil && d.err == nil {
			d.err = err
		}
		if d.err != nil {
			return
		}
		d.write(before)
		d.write(b[1 : len(b)-1])
		before = []byte(",")
	}
	d.write([]byte("]"))
}
