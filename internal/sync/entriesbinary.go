package sync

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Entries as bytes: as they are packed, behind the tables that they name. Passwords are not among them, only their places.
//
//	1, the number of words, and each as a string; the number of combinations, each with the number of its offers and these;
//	what few entries have, as JSON in one string; the number of entries, the lengths of all, and then these
//
// Numbers are uvarints, a string is its length and its bytes.
const entriesBinary = 1

// WriteTo writes the entries as UnmarshalBinary reads them.
func (e *Entries) WriteTo(out io.Writer) (written int64, err error) {
	var none Entries
	if e == nil {
		e = &none
	}
	few, err := json.Marshal(e.rest)
	if err != nil {
		return 0, err
	}
	b := binary.AppendUvarint(nil, entriesBinary)
	b = binary.AppendUvarint(b, uint64(len(e.words)))
	for _, w := range e.words {
		b = appendText(b, w)
	}
	b = binary.AppendUvarint(b, uint64(len(e.combinations)))
	for _, offers := range e.combinations {
		b = binary.AppendUvarint(b, uint64(len(offers)))
		for _, offer := range offers {
			b = appendText(b, string(offer))
		}
	}
	b = appendText(b, string(few))
	b = binary.AppendUvarint(b, uint64(len(e.at)))
	w := bufio.NewWriterSize(out, 64<<10)
	count := func(n int, failed error) {
		written += int64(n)
		err = errors.Join(err, failed)
	}
	for i := range e.at {
		b = binary.AppendUvarint(b, uint64(len(e.extent(i))))
	}
	count(w.Write(b))
	for i := range e.at {
		count(w.WriteString(e.extent(i)))
		if err != nil {
			return written, err
		}
	}
	return written, w.Flush()
}

// extent is an entry as it is packed, to its end.
func (e *Entries) extent(i int) string {
	text := e.packed(i).s
	if i+1 < len(e.at) && e.at[i+1]>>32 == e.at[i]>>32 {
		return text[:e.at[i+1]-e.at[i]]
	}
	return text
}

var errNoEntries = errors.New("these are no packed entries")

// UnmarshalBinary reads what WriteTo wrote. Of bytes that are cut off or of another kind it gives an error; that they were
// not changed within is for their keeper to see to.
func (e *Entries) UnmarshalBinary(b []byte) error {
	var next Entries
	if err := next.unpack(string(b)); err != nil {
		return err
	}
	for i := range next.at {
		next.enter(next.Login(i), i)
	}
	*e = next
	return nil
}

// unpack reads packed entries, without an index of their logins.
func (e *Entries) unpack(text string) error {
	in := unpacker{text: text, ok: true}
	if in.number() != entriesBinary {
		return errNoEntries
	}
	for range in.count() {
		e.words = append(e.words, in.string())
	}
	for range in.count() {
		var offers []Offer
		for range in.count() {
			offers = append(offers, Offer(in.string()))
		}
		e.combinations = append(e.combinations, offers)
	}
	few := in.string()
	n := in.count()
	if !in.ok {
		return errNoEntries
	}
	if err := json.Unmarshal([]byte(few), &e.rest); err != nil {
		return fmt.Errorf("%w: %w", errNoEntries, err)
	}
	e.at = make([]uint64, n)
	whole := uint64(0)
	for i := range n {
		e.at[i] = whole
		whole += uint64(in.count())
	}
	if !in.ok || whole != uint64(len(in.text)) {
		return errNoEntries
	}
	e.full = []string{in.text}
	return nil
}

// unpacker reads numbers and strings of bytes that may not be what they should.
type unpacker struct {
	text string
	ok   bool
}

func (u *unpacker) number() uint64 {
	n, size := uint64(0), 0
	for shift := 0; size < len(u.text) && size < binary.MaxVarintLen64; shift += 7 {
		c := u.text[size]
		size++
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			u.text = u.text[size:]
			return n
		}
	}
	u.ok, u.text = false, ""
	return 0
}

// count is a number of things that take a byte each at least.
func (u *unpacker) count() int {
	n := u.number()
	if n > uint64(len(u.text)) {
		u.ok, u.text = false, ""
		return 0
	}
	return int(n)
}

func (u *unpacker) skip(n int) string {
	text := u.text[:min(n, len(u.text))]
	u.text = u.text[len(text):]
	return text
}

func (u *unpacker) string() string { return strings.Clone(u.skip(u.count())) }
