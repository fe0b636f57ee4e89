package sync

import (
	"encoding/json"
	"io"
	"iter"
	"slices"
)

// Unchanged is a manifest entry whose effect already holds.
type Unchanged struct {
	Login    Login    `json:"login"`
	Position Position `json:"position"`
	Note     string   `json:"note"`
}

// UnchangedList are the entries that need nothing. They are most of a large manifest, and kept packed as its users are: the
// note stands where an entry has its action. A nil list is empty.
type UnchangedList struct{ entries Entries }

// UnchangedOf packs a list; it gives nil without entries.
func UnchangedOf(all ...Unchanged) *UnchangedList {
	if len(all) == 0 {
		return nil
	}
	l := &UnchangedList{}
	for _, u := range all {
		l.add(u)
	}
	return l
}

func (l *UnchangedList) add(u Unchanged) {
	l.entries.pack(&DesiredUser{Login: u.Login, Position: u.Position, Action: u.Note})
}

// Len is how many entries there are.
func (l *UnchangedList) Len() int {
	if l == nil {
		return 0
	}
	return l.entries.Len()
}

// At gives an entry.
func (l *UnchangedList) At(i int) Unchanged {
	in := l.entries.packed(i)
	u := Unchanged{Login: Login(in.text())}
	_ = in.uint() // flags
	u.Note, u.Position = in.word(), in.position()
	return u
}

// All walks the entries, by position.
func (l *UnchangedList) All() iter.Seq[Unchanged] {
	return func(yield func(Unchanged) bool) {
		for i := range l.Len() {
			if !yield(l.At(i)) {
				return
			}
		}
	}
}

// Equal tells whether two lists have the same entries.
func (l *UnchangedList) Equal(o *UnchangedList) bool {
	return slices.Equal(slices.Collect(l.All()), slices.Collect(o.All()))
}

// WriteTo writes the list as UnmarshalBinary reads it.
func (l *UnchangedList) WriteTo(out io.Writer) (int64, error) {
	if l == nil {
		l = &UnchangedList{}
	}
	return l.entries.WriteTo(out)
}

// UnmarshalBinary reads what WriteTo wrote.
func (l *UnchangedList) UnmarshalBinary(b []byte) error { return l.entries.unpack(string(b)) }

// MarshalJSON writes a list.
func (l *UnchangedList) MarshalJSON() ([]byte, error) { return json.Marshal(slices.Collect(l.All())) }

// UnmarshalJSON reads a list.
func (l *UnchangedList) UnmarshalJSON(b []byte) error {
	var all []Unchanged
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	*l = UnchangedList{}
	for _, u := range all {
		l.add(u)
	}
	return nil
}
