package manifest

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
	"github.com/rainbow-gateway/rainbow-gateway/samples"
)

// seeds adds texts worth mutating.
func seeds(f *testing.F) {
	for _, tt := range faultCases {
		if len(tt.text) < 1000 {
			f.Add([]byte(tt.text))
		}
	}
	for _, name := range []string{"rainbowvoice.csv", "user-template.csv", "useranddevice.csv", "user.csv", "device.csv", "sync.csv", "broken.csv"} {
		text, err := fs.ReadFile(samples.Files, name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, s := range []string{"\ufeff", "\"\"\"", "a\r\r\n\"\r\"\"\n%", "__action__;loginEmail;password\rupsert;a@b;\"Aa1!\r\n\"\"xyz\"", "loginEmail\n\"", "'=;'"} {
		f.Add([]byte(s))
	}
}

// FuzzTokenizer: cutting does not depend on how the text arrives, and every cell lies where it is said to.
func FuzzTokenizer(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 4<<10 {
			return
		}
		whole := tokens(t, bytes.NewReader(text), ';')
		parts := tokens(t, iotest.OneByteReader(bytes.NewReader(text)), ';')
		if strings.Join(whole, "\x00") != strings.Join(parts, "\x00") {
			t.Fatalf("whole %q\nbyte by byte %q", whole, parts)
		}
		lines := 1 + countBreaks(text)
		tk := newTokenizer("f", bytes.NewReader(text))
		if tk.open(UTF8) != nil {
			return
		}
		tk.setSyntax(';', '%')
		last := 0
		for {
			ok, broken := tk.next()
			if !ok {
				return
			}
			at := []int{0}
			if broken != nil {
				at = append(at, broken.start)
			}
			for _, c := range tk.cells {
				at = append(at, c.start)
			}
			for _, offset := range at {
				if p := tk.position(offset); p.Line < 1 || p.Line > lines || p.Column < 1 || p.Line < last {
					t.Fatalf("position %v of %d lines, after line %d", p, lines, last)
				}
			}
			last = tk.position(0).Line
		}
	})
}

// FuzzRead: no text makes Read panic; it gives a model or faults with valid positions, and the same again.
func FuzzRead(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 16<<10 {
			return
		}
		for _, opts := range []Options{{}, {Mode: "rainbowvoice", MaxFaults: 3}, {Mode: "useranddevice", Delimiter: ','}} {
			d, _, err := Read(t.Context(), []Source{{Name: "f", Reader: bytes.NewReader(text)}}, opts)
			var faults bulksync.Faults
			switch {
			case err == nil:
				checkModel(t, d)
			case !errors.As(err, &faults) || len(faults) == 0 || d != nil:
				t.Fatalf("got %v and error %v", d, err)
			}
			lines := 1 + countBreaks(text)
			for _, fault := range faults {
				p := fault.Position
				if p.File != "f" || p.Line > lines || (p.Line == 0) != (p.Column == 0) || p.Line < 0 || p.Column < 0 {
					t.Fatalf("position of %v", fault)
				}
				if fault.Code == "" || fault.Message == "" || fault.Hint == "" || !utf8.ValidString(fault.String()) {
					t.Fatalf("incomplete fault %+q", fault)
				}
			}
		}
	})
}

// FuzzEncodings: a text gives the same model, or the same faults at the same places, in whatever encoding it comes.
func FuzzEncodings(f *testing.F) {
	seeds(f)
	for _, s := range []string{"__action__;loginEmail;firstName\nupsert;a@b.c;Zo\u00e9\n", "% \u20ac\r__action__;loginEmail\r\ndelete;a@b.c", "\u00c3\u00bc", "\xe9", "_\x00_\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 4<<10 {
			return
		}
		read := func(b []byte, e Encoding) string {
			d, _, err := Read(t.Context(), []Source{{Name: "f", Reader: iotest.HalfReader(bytes.NewReader(b)), Encoding: e}}, Options{})
			if err != nil {
				return err.Error()
			}
			checkModel(t, d)
			return d.Digest
		}
		for _, e := range Encodings() { // whatever the bytes are, reading them ends
			read(text, Encoding(e))
		}
		if !utf8.Valid(text) || len(text) < 8 || !bytes.HasPrefix(text, []byte("__action__")) {
			return
		}
		plain := read(text, UTF8)
		if auto := read(text, Auto); auto != plain {
			t.Errorf("as UTF-8 %s\nas auto %s", plain, auto)
		}
		for _, order := range []unicode.Endianness{unicode.LittleEndian, unicode.BigEndian} {
			for _, mark := range []unicode.BOMPolicy{unicode.UseBOM, unicode.IgnoreBOM} {
				wide, err := unicode.UTF16(order, mark).NewEncoder().Bytes(text)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range []Encoding{UTF16, Auto} {
					if got := read(wide, e); got != plain {
						t.Errorf("as UTF-8 %s\nas UTF-16 in %s %s", plain, e, got)
					}
				}
			}
		}
		if narrow, err := charmap.Windows1252.NewEncoder().Bytes(text); err == nil {
			if got := read(narrow, Windows1252); got != plain {
				t.Errorf("as UTF-8 %s\nas Windows-1252 %s", plain, got)
			}
		}
	})
}

// FuzzAnnotate: what comes back asks for the same, holds no password, and comes back the same again.
func FuzzAnnotate(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 4<<10 {
			return
		}
		source := func(b []byte) Source { return Source{Name: "f", Reader: bytes.NewReader(b)} }
		before, secrets, err := Read(t.Context(), []Source{source(text)}, Options{})
		if err != nil {
			return
		}
		results := map[bulksync.Position]RowResult{}
		for _, u := range before.Users.All() {
			results[u.Position] = RowResult{u.Action, "done", "50%; \"so\""}
		}
		var back, again bytes.Buffer
		if err := Annotate(t.Context(), &back, source(text), results, Options{}); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		after, left, err := Read(t.Context(), []Source{source(back.Bytes())}, Options{})
		if err != nil || left.Len() != 0 || after.Users.Len() != before.Users.Len() {
			t.Fatalf("%q came back as %q: %v, %v", text, back.Bytes(), left, err)
		}
		for i := range after.Users.Len() {
			a, b := after.Users.At(i), before.Users.At(i)
			if a.Login != b.Login || a.Action != b.Action || !slices.Equal(a.Attributes, b.Attributes) || !slices.Equal(a.Subscriber.Keys, b.Subscriber.Keys) {
				t.Fatalf("%+v came back as %+v", b, a)
			}
		}
		for _, e := range secrets.entries {
			if bytes.Contains(back.Bytes(), []byte(e.password)) && bytes.Count(text, []byte(e.password)) == 1 {
				t.Fatalf("%q came back with a password: %q", text, back.Bytes())
			}
		}
		if err := Annotate(t.Context(), &again, source(back.Bytes()), results, Options{}); err != nil || !bytes.Equal(again.Bytes(), back.Bytes()) {
			t.Fatalf("%q came back as %q, then as %q: %v", text, back.Bytes(), again.Bytes(), err)
		}
	})
}

// checkModel holds what the engine relies on.
func checkModel(t *testing.T, d *bulksync.Desired) {
	t.Helper()
	if findMode(d.Mode) == 0 || len(d.Digest) != 64 {
		t.Fatalf("mode %q, digest %q", d.Mode, d.Digest)
	}
	seen := map[bulksync.Login]bool{}
	for _, u := range d.Users.All() {
		if u.Login == "" || seen[u.Login] || u.Action == "" || u.Position.Line < 2 {
			t.Fatalf("user %+v", u)
		}
		seen[u.Login] = true
		for i, a := range u.Attributes {
			if a.Name == "" || i > 0 && u.Attributes[i-1].Name >= a.Name || a.Value == "" && u.Action != "sync" {
				t.Fatalf("attributes %v", u.Attributes)
			}
		}
		if len(u.Subscriber.Keys) > 1 {
			t.Fatalf("subscriber %v", u.Subscriber)
		}
	}
}

// FuzzDigest: a password is in neither digest nor faults, and comes back as it stood.
func FuzzDigest(f *testing.F) {
	for _, s := range []string{"Passw0rd!", "\"", ";", "%", "'=Passw0rd", " a ", "\x00", "Pass\nw0rd!", "é", "\xff"} {
		f.Add(s, "Other-Passw0rd")
	}
	f.Fuzz(func(t *testing.T, one, other string) {
		read := func(password string) (*bulksync.Desired, *Secrets, error) {
			quoted := `"` + strings.ReplaceAll(password, `"`, `""`) + `"`
			text := "__action__;loginEmail;password;title\nupsert;a@demo.example;" + quoted + ";Mr\n"
			return Read(t.Context(), []Source{{Name: "f", Reader: strings.NewReader(text)}}, Options{})
		}
		if len(one) > maxQuoted/2 || len(other) > maxQuoted/2 {
			return
		}
		first, secrets, err1 := read(one)
		second, _, err2 := read(other)
		for _, err := range []error{err1, err2} {
			if err != nil && len(one) >= 8 && strings.Contains(err.Error(), one) {
				t.Fatalf("fault shows the password: %v", err)
			}
		}
		if err1 != nil || err2 != nil {
			return
		}
		if first.Digest != second.Digest {
			t.Fatal("digest depends on the password")
		}
		if got, ok := secrets.Secret("a@demo.example", "password"); ok && got != one || !ok && strings.TrimSpace(one) != "" {
			t.Fatalf("secret %q, read %q", one, got)
		}
	})
}
