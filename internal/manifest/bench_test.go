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
