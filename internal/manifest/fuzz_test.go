package manifest

import (
	"bytes"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

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
	for _, name := range []string{"rainbowvoice.csv", "user-template.csv", "useranddevice.csv", "broken.csv"} {
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

// checkModel holds what the engine relies on.
func checkModel(t *testing.T, d *bulksync.Desired) {
	t.Helper()
	if findMode(d.Mode) == 0 || len(d.Digest) != 64 {
		t.Fatalf("mode %q, digest %q", d.Mode, d.Digest)
	}
	seen := map[bulksync.Login]bool{}
	for _, u := range d.Users {
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
