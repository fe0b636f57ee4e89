package manifest

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"testing"
)

// largeManifest has so many users, each with extension, device, DDI and two licences.
func largeManifest(rows int) []byte {
	var b bytes.Buffer
	b.WriteString("__action__;loginEmail;shortNumber;macAddress;ddiE164Number;password;title;firstName;lastName;language;service0;service1\n")
	for n := range rows {
		fmt.Fprintf(&b, "upsert;user%06d@demo.example;8%06d;02:00:00:%02x:%02x:%02x;33199%06d;Password_1;Mr;First%d;Last;fr;\"Enterprise Demo\" ;\"Voice Enterprise 3-Year prepaid\"\n",
			n, n, n>>16, n>>8&0xff, n&0xff, n, n)
	}
	return b.Bytes()
}

func BenchmarkRead(b *testing.B) {
	text := largeManifest(100_000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		d, _, err := Read(b.Context(), []Source{{Name: "f", Reader: bytes.NewReader(text)}}, Options{})
		if err != nil || d.Users.Len() != 100_000 {
			b.Fatal(err)
		}
	}
}

// largeYAML says of the users what largeManifest does.
func largeYAML(users int) []byte {
	var b bytes.Buffer
	b.WriteString("version: 1\ndefaults: {users: {language: fr}}\nusers:\n")
	for n := range users {
		fmt.Fprintf(&b, "- login: user%06d@demo.example\n  extension: \"8%06d\"\n  devices: [\"02:00:00:%02x:%02x:%02x\"]\n  ddis: [\"+33199%06d\"]\n  password: Password_1\n"+
			"  title: Mr\n  firstName: First%d\n  lastName: Last\n  licences: [Enterprise Demo, Voice Enterprise 3-Year prepaid]\n",
			n, n, n>>16, n>>8&0xff, n&0xff, n, n)
	}
	return b.Bytes()
}

// BenchmarkReadYAML is BenchmarkRead's manifest in YAML; its piece "whole" holds all nodes at once, as a file is read whose
// entries can't be told apart.
func BenchmarkReadYAML(b *testing.B) {
	for _, way := range []struct {
		name  string
		users int
		piece int
	}{{"entries", 100_000, 0}, {"whole", 25_000, -1}} {
		b.Run(way.name, func(b *testing.B) {
			text := largeYAML(way.users)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				d, _, err := Read(b.Context(), []Source{{Name: "f.yaml", Content: text}}, Options{piece: way.piece})
				if err != nil || d.Users.Len() != way.users {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkEncodingCSV is the unit that Read and its tokenizer are compared with: the standard library over the same text.
func BenchmarkEncodingCSV(b *testing.B) {
	text := largeManifest(100_000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		r := csv.NewReader(bytes.NewReader(text))
		r.Comma, r.LazyQuotes, r.ReuseRecord, r.FieldsPerRecord = ';', true, true, -1
		for {
			if _, err := r.Read(); err != nil {
				break
			}
		}
	}
}

func BenchmarkTokenizer(b *testing.B) {
	text := largeManifest(100_000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		t := newTokenizer("f", bytes.NewReader(text))
		t.open(UTF8)
		t.setSyntax(';', '%')
		for {
			if ok, _ := t.next(); !ok {
				break
			}
		}
	}
}
