package sync

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// drawEntry draws a user with all that an entry can have.
func drawEntry(t *rapid.T) DesiredUser {
	text := rapid.StringN(0, 8, 40)
	place := func(label string) Position {
		return Position{File: rapid.SampledFrom([]string{"a.csv", "b/c.yaml"}).Draw(t, label), Line: rapid.IntRange(0, 1<<20).Draw(t, label), Column: rapid.IntRange(0, 300).Draw(t, label)}
	}
	u := DesiredUser{
		Login: Login(rapid.SampledFrom([]string{"", "ann@x.example", "bob@x.example", "cy@x.example"}).Draw(t, "login")), Was: Login(rapid.SampledFrom([]string{"", "old@x.example"}).Draw(t, "was")),
		Presence: Presence(rapid.IntRange(0, 2).Draw(t, "presence")), Action: rapid.SampledFrom([]string{"", "upsert", "sync"}).Draw(t, "action"), Position: place("place"),
		Lists: rapid.SliceOfN(rapid.SampledFrom([]string{"tags", "email"}), 0, 2).Draw(t, "lists"),
	}
	for range rapid.IntRange(0, 4).Draw(t, "attributes") {
		u.Attributes = append(u.Attributes, Attribute{rapid.SampledFrom([]string{"firstName", "lastName", "tags0", "jobTitle"}).Draw(t, "name"), text.Draw(t, "value")})
	}
	moods := []Mood{Keep, Exactly, Include, Exclude}
	u.Subscriber = drawWish(t, "subscriber", moods, []Number{"0123"})
	u.Devices = drawWish(t, "devices", moods, []DeviceKey{device(1), device(2)})
	u.DDIs = drawWish(t, "DDIs", moods, []E164{ddi(1)})
	u.Licences = drawWish(t, "licences", moods, rapid.SampledFrom([][]Offer{{"Voice"}, {"Voice", "Alpha"}}).Draw(t, "offers"))
	u.Pairings = drawWish(t, "pairings", moods, []Pairing{{PbxID: text.Draw(t, "pbx"), Number: "3001", InternalNumber: "1", PublicNumber: "+331"}})
	if rapid.Bool().Draw(t, "password") {
		u.Password = &SecretPlace{Position: place("password"), Field: passwordField, Drawn: rapid.Bool().Draw(t, "drawn")}
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "cells") {
		u.Cells = append(u.Cells, Cell{fmt.Sprintf("column%d", i), place("cell")})
	}
	if len(u.Lists) == 0 {
		u.Lists = nil
	}
	if rapid.Bool().Draw(t, "pool") {
		u.Pools = []PoolWish{{KindDDI, "brest"}}
		u.Options = []DesiredGroup{{Group: GroupBarring, Values: []Attribute{{"permissions", "local"}}, Position: u.Position}}
	}
	return u
}

// TestEntriesComeOutAsTheyWentIn packs drawn users, among them larger ones than a piece, and unpacks them in any order, also
// into a user who was another before; entries are found by login, the first of several.
func TestEntriesComeOutAsTheyWentIn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		users := rapid.SliceOfN(rapid.Custom(drawEntry), 0, 12).Draw(t, "users")
		e := EntriesOf(users...)
		if e.Len() != len(users) {
			t.Fatalf("%d entries, want %d", e.Len(), len(users))
		}
		first := map[Login]int{}
		reused := drawEntry(t)
		for i := range users {
			u := &users[i]
			if diff := cmp.Diff(u, e.At(i), cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("entry %d (-in +out):\n%s", i, diff)
			}
			e.Read(i, &reused)
			plain := *u
			plain.Cells = nil
			if diff := cmp.Diff(plain, reused, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("entry %d, written over another (-in +out):\n%s", i, diff)
			}
			if e.Login(i) != u.Login || e.Position(i) != u.Position {
				t.Fatalf("entry %d is %s at %s, want %s at %s", i, e.Login(i), e.Position(i), u.Login, u.Position)
			}
			if _, known := first[u.Login]; !known && u.Login != "" {
				first[u.Login] = i
			}
		}
		for _, l := range []Login{"", "ann@x.example", "bob@x.example", "cy@x.example", "dee@x.example"} {
			want, known := first[l]
			if at, found := e.Find(l); found != known || at != want {
				t.Fatalf("Find(%q) = %d, %v, want %d, %v", l, at, found, want, known)
			}
		}
		var packed bytes.Buffer
		if n, err := e.WriteTo(&packed); err != nil || n != int64(packed.Len()) {
			t.Fatalf("WriteTo: %d of %d bytes told, %v", n, packed.Len(), err)
		}
		whole := &Entries{}
		if err := whole.UnmarshalBinary(packed.Bytes()); err != nil || !whole.Equal(e) {
			t.Fatalf("bytes read as other entries (%v)", err)
		}
		for l, i := range first {
			if at, found := whole.Find(l); !found || at != i {
				t.Fatalf("read back, Find(%q) = %d, %v, want %d", l, at, found, i)
			}
		}
		doc, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		again, plain := &Entries{}, &Entries{}
		if err := json.Unmarshal(doc, again); err != nil {
			t.Fatal(err)
		}
		for _, u := range e.All() {
			u.Cells = nil
			plain.Append(u)
		}
		if len(users) > 0 && !again.Equal(plain) {
			t.Fatalf("JSON %s reads as other users", doc)
		}
	})
}

// TestEntriesLargerThanAPiece keeps what does not fit into a piece in one of its own.
func TestEntriesLargerThanAPiece(t *testing.T) {
	e := &Entries{}
	for i := range 2000 {
		u := DesiredUser{Login: login(i), Attributes: []Attribute{{"lastName", fmt.Sprintf("%0*d", 1+i*i%1000, i)}}}
		if i%700 == 0 {
			u.Attributes[0].Value = fmt.Sprintf("%0*d", pieceSize+i, i)
		}
		e.Append(&u)
	}
	for i, u := range e.All() {
		if n, err := strconv.Atoi(u.Attributes[0].Value); err != nil || n != i || u.Login != login(i) {
			t.Fatalf("entry %d is %s with %d (%v)", i, u.Login, n, err)
		}
	}
}

// FuzzEntriesBinary reads bytes that may not be entries: they are refused, or read as entries that can be walked.
func FuzzEntriesBinary(f *testing.F) {
	var packed bytes.Buffer
	if _, err := EntriesOf(DesiredUser{Login: "ann@x.example", Was: "a@x.example", Licences: Having[Offer]("Voice"), Attributes: []Attribute{{"title", "Dr"}}}).WriteTo(&packed); err != nil {
		f.Fatal(err)
	}
	f.Add(packed.Bytes())
	f.Add(packed.Bytes()[:packed.Len()-3])
	f.Add([]byte{1, 0, 0, 2, '[', ']', 0})
	f.Add([]byte{2})
	f.Fuzz(func(t *testing.T, b []byte) {
		e := &Entries{}
		if err := e.unpack(string(b)); err != nil {
			return
		}
		size := 0
		for i := range e.Len() {
			size += len(e.extent(i))
		}
		if size > len(b) {
			t.Fatalf("entries of %d bytes come from %d", size, len(b))
		}
	})
}
