package jsoncodec

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
)

var fuzzSeeds = []string{
	`{}`, `[]`, `null`, `{"id":"a","number":1,"amount":1.10,"amounts":[1,2.5,1e21],"isActive":true}`, `{"id":"a","id":"b"}`,
	`{"manager":{"manager":{"x":[]},"phoneNumbers":[{"number":null},{"y":1}]},"tags":[],"tags":["a"]}`, `{"login":"","level":0,"codes":[1,-0]}`,
	`{"id":"\ud83d\ude00\ud800","\u0069d":1}`, "{\"id\":\"\xff\"}", `{"x":1}y`, ` {"flags" : [ true , false ] , "ratio" : 0.1 } `, `{"count":4294967296}`,
	` true `, `[{"id":"a"},null]`, `"\ud800"`, `1.10`,
}

// FuzzRoundTrip: what Check lets pass comes back equal, what is no object even byte by byte; nothing else makes the codec
// panic, and Unmarshal takes exactly what the standard library takes.
func FuzzRoundTrip(f *testing.F) {
	for _, seed := range fuzzSeeds {
		f.Add([]byte(seed))
	}
	s := newSchema(f)
	f.Fuzz(func(t *testing.T, doc []byte) {
		msg := s.new()
		err := s.codec.Unmarshal(doc, msg)
		trimmed := bytes.Trim(doc, " \t\r\n")
		if json.Valid(doc) != (err == nil) {
			t.Fatalf("Unmarshal(%q): %v", doc, err)
		}
		passed := s.new()
		if wire, wireErr := s.codec.Wire(doc); (wireErr == nil) != (err == nil) {
			t.Fatalf("Wire(%q): %v, Unmarshal: %v", doc, wireErr, err)
		} else if err == nil && (proto.Unmarshal(wire, passed) != nil || !proto.Equal(passed, msg)) {
			t.Fatalf("Wire(%q) is %v, Unmarshal %v", doc, passed, msg)
		}
		if err != nil || Check(doc, Limits{}) != nil {
			return
		}
		out, err := s.codec.Append(nil, msg)
		if err != nil {
			t.Fatalf("Append after Unmarshal(%q): %v", doc, err)
		}
		if !sameJSON(t, string(doc), string(out)) {
			t.Fatalf("\n got %s\nwant %s", out, doc)
		}
		if trimmed[0] != '{' && !bytes.Equal(out, trimmed) {
			t.Fatalf("\n got %s\nwant %s", out, trimmed)
		}
		again := s.new()
		if err := s.codec.Unmarshal(out, again); err != nil {
			t.Fatal(err)
		}
		if second, err := s.codec.Append(nil, again); err != nil || !bytes.Equal(out, second) {
			t.Fatalf("second round trip: %s, then %s (%v)", out, second, err)
		}
	})
}

// FuzzCheck: Check takes a part of what the standard library takes, and what it takes is UTF-8.
func FuzzCheck(f *testing.F) {
	for _, seed := range fuzzSeeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		err := Check(body, Limits{})
		if err == nil && !(json.Valid(body) && utf8.Valid(body)) {
			t.Fatalf("Check(%q) took what is not JSON in UTF-8", body)
		}
		if e, ok := err.(*CheckError); ok && (e.Offset < 0 || e.Offset > len(body)) {
			t.Fatalf("Check(%q): offset %d", body, e.Offset)
		}
	})
}

// FuzzResponseBody: a document that is one field of the message comes back from that field or from extra_json.
func FuzzResponseBody(f *testing.F) {
	for _, seed := range append(fuzzSeeds, `[{"number":"1","x":1.10},{}]`, `[{},1]`, `[ ]`) {
		f.Add([]byte(seed))
	}
	s := newSchema(f)
	fd, extra := s.user.Fields().ByNumber(7), s.user.Fields().ByNumber(ExtraNumber)
	codec, err := s.tables.Message(fd.Message())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		msg := s.new()
		if err := codec.UnmarshalField(doc, fd, msg); json.Valid(doc) != (err == nil) {
			t.Fatalf("UnmarshalField(%q): %v", doc, err)
		} else if err != nil || Check(doc, Limits{}) != nil {
			return
		}
		out := msg.ProtoReflect().Get(extra).Bytes()
		if list := msg.ProtoReflect().Get(fd).List(); list.Len() > 0 {
			if len(out) > 0 {
				t.Fatalf("%s: both a list and %s", doc, out)
			}
			for i := range list.Len() {
				out = append(out, "[,"[min(i, 1)])
				if out, err = codec.Append(out, list.Get(i).Message().Interface()); err != nil {
					t.Fatal(err)
				}
			}
			out = append(out, ']')
		}
		if !sameJSON(t, string(doc), string(out)) {
			t.Fatalf("\n got %s\nwant %s", out, doc)
		}
	})
}
