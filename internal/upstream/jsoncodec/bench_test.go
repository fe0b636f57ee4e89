package jsoncodec

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/dynamicpb"
)

// list returns a document of about 2 KB: a user with the users he manages, all members typed.
func benchDocument() []byte {
	var b strings.Builder
	b.WriteString(`{"id":"5b7d0c0ffee0000000000001","phoneNumbers":[`)
	for i := range 20 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"number":"+332983005%02d","shortNumber":"810%02d","isMonitored":true}`, i, i)
	}
	b.WriteString(`],"tags":["one","two","three"],"codes":[1,2,3],"number":42,"amount":1.5,"isActive":true,"login":"user@sandbox.example"}`)
	return []byte(b.String())
}

func BenchmarkUnmarshalDynamic(b *testing.B) {
	s, doc := newSchema(b), benchDocument()
	b.Run("jsoncodec", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := s.codec.Unmarshal(doc, dynamicpb.NewMessage(s.user)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("protojson", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := protojson.Unmarshal(doc, dynamicpb.NewMessage(s.user)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
