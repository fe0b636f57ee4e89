package jsoncodec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// parts decodes doc and returns what the typed fields and extra_json of the root hold.
func parts(t *testing.T, s *schema, doc string) (typed, extra string) {
	t.Helper()
	msg := s.new()
	if err := s.codec.Unmarshal([]byte(doc), msg); err != nil {
		t.Fatalf("Unmarshal(%s): %v", doc, err)
	}
	fd := s.user.Fields().ByNumber(ExtraNumber)
	extra = string(msg.ProtoReflect().Get(fd).Bytes())
	msg.ProtoReflect().Clear(fd)
	out, err := s.codec.Append(nil, msg)
	if err != nil {
		t.Fatalf("Append(%s): %v", doc, err)
	}
	return string(out), extra
}

func TestEachMemberIsInExactlyOnePlace(t *testing.T) {
	s := newSchema(t)
	for _, test := range []struct{ name, doc, typed, extra string }{
		{"typed members of every kind", `{"id":"a","number":-7,"amount":1.5,"isActive":false,"manager":{},"login":"l","tags":["x"],"count":4294967295,"ratio":0.1,"codes":[0,-1],"level":3,"amounts":[1,0.5],"flags":[true,false]}`,
			`{"id":"a","number":-7,"amount":1.5,"isActive":false,"manager":{},"login":"l","tags":["x"],"count":4294967295,"ratio":0.1,"codes":[0,-1],"level":3,"amounts":[1,0.5],"flags":[true,false]}`, ""},
		{"nothing", ` { } `, `{}`, ""},
		{"zero values that are set", `{"id":"","number":0,"amount":0,"isActive":false}`, `{"id":"","number":0,"amount":0,"isActive":false}`, ""},
		{"unknown names keep order and spelling", `{"z": [1, {"a" : null}],"id":"a","b":1.10}`, `{"id":"a"}`, `{"z": [1, {"a" : null}],"b":1.10}`},
		{"null", `{"id":null,"number":null,"manager":null,"tags":null}`, `{}`, `{"id":null,"number":null,"manager":null,"tags":null}`},
		{"mistyped values", `{"id":4,"number":"4","isActive":"true","manager":[],"tags":"x","phoneNumbers":{},"amount":true}`, `{}`, `{"id":4,"number":"4","isActive":"true","manager":[],"tags":"x","phoneNumbers":{},"amount":true}`},
		{"numbers that would be spelled differently", `{"number":1.0,"amount":1.10}`, `{}`, `{"number":1.0,"amount":1.10}`},
		{"numbers beyond the type", `{"number":2147483648,"count":-1,"amount":1e400}`, `{}`, `{"number":2147483648,"count":-1,"amount":1e400}`},
		{"numbers at the edge of the type", `{"number":-2147483648,"count":0,"amount":9007199254740992}`, `{"number":-2147483648,"amount":9007199254740992,"count":0}`, ``},
		{"number beyond a double's precision", `{"amount":9007199254740993}`, `{}`, `{"amount":9007199254740993}`},
		{"negative zero", `{"number":-0,"amount":-0}`, `{"amount":-0}`, `{"number":-0}`},
		{"exponents as ECMAScript spells them", `{"amounts":[1e+21,1e-7,1.5e+300,5e-324]}`, `{"amounts":[1e+21,1e-7,1.5e+300,5e-324]}`, ``},
		{"exponents spelled otherwise", `{"amount":1E3,"amounts":[1e21]}`, `{}`, `{"amount":1E3,"amounts":[1e21]}`},
		{"empty arrays", `{"tags":[],"phoneNumbers":[ ],"codes":[]}`, `{}`, `{"tags":[],"phoneNumbers":[ ],"codes":[]}`},
		{"arrays with an odd element", `{"tags":["a",null],"phoneNumbers":[{"number":"1"},null],"codes":[1,"2"]}`, `{}`, `{"tags":["a",null],"phoneNumbers":[{"number":"1"},null],"codes":[1,"2"]}`},
		{"escapes are decoded", `{"\u0069d":"\u00e9\n\/\ud83d\ude00"}`, `{"id":"é\n/😀"}`, ``},
		{"lone surrogates", `{"id":"\ud800","tags":["a","\udc00x"]}`, `{}`, `{"id":"\ud800","tags":["a","\udc00x"]}`},
		{"zero without presence", `{"login":"","level":0}`, `{}`, `{"login":"","level":0}`},
		{"a typed name that repeats", `{"id":"a","number":1,"id":"b"}`, `{"number":1}`, `{"id":"a","id":"b"}`},
		{"a list that repeats", `{"codes":[1,2],"tags":["a"],"codes":[3]}`, `{"tags":["a"]}`, `{"codes":[1,2],"codes":[3]}`},
		{"three times", `{"id":"a","id":"b","id":"c"}`, `{}`, `{"id":"a","id":"b","id":"c"}`},
		{"a repeated name, once mistyped", `{"id":1,"id":"b"}`, `{}`, `{"id":1,"id":"b"}`},
		{"name in another case", `{"ID":"a"}`, `{}`, `{"ID":"a"}`},
		{"proto field name is not the member's", `{"f_id":"a","extra_json":"x"}`, `{}`, `{"f_id":"a","extra_json":"x"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			typed, extra := parts(t, s, test.doc)
			if typed != test.typed || extra != test.extra {
				t.Errorf("\n got typed %s extra %s\nwant typed %s extra %s", typed, extra, test.typed, test.extra)
			}
		})
	}
}

func TestInvalidUTF8IsKeptAsText(t *testing.T) {
	s := newSchema(t)
	doc := "{\"id\":\"a\xff\",\"number\":1}"
	typed, extra := parts(t, s, doc)
	if typed != `{"number":1}` || extra != "{\"id\":\"a\xff\"}" {
		t.Errorf("got typed %s extra %q", typed, extra)
	}
}

func TestNestedObjectsKeepTheirOwnExtras(t *testing.T) {
	s := newSchema(t)
	doc := `{"a":1,"manager":{"b":2,"phoneNumbers":[{"c":3},{"number":"1","d":[]}],"e":4},"f":5}`
	if got := roundTrip(t, s, doc); !sameJSON(t, doc, got) {
		t.Errorf("\n got %s\nwant %s", got, doc)
	}
}

func TestUnmarshalReplacesTheMessage(t *testing.T) {
	s := newSchema(t)
	msg := s.new()
	for _, doc := range []string{`{"id":"a","x":1}`, `{"number":1}`} {
		if err := s.codec.Unmarshal([]byte(doc), msg); err != nil {
			t.Fatal(err)
		}
	}
	if out, _ := s.codec.Append(nil, msg); string(out) != `{"number":1}` {
		t.Errorf("got %s", out)
	}
}

func TestDepthNeverFails(t *testing.T) {
	s := newSchema(t)
	deep := strings.Repeat(`{"manager":`, 90) + `{}` + strings.Repeat(`}`, 90)
	if got := roundTrip(t, s, deep); got != deep {
		t.Errorf("typed nesting: got %s", got)
	}
	msg := s.new()
	if err := s.codec.Unmarshal([]byte(`{"x":`+strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000)+`}`), msg); err != nil {
		t.Errorf("untyped nesting: %v", err)
	}
	if err := s.codec.Unmarshal([]byte(strings.Repeat(`{"manager":`, 100_000)+`{}`+strings.Repeat(`}`, 100_000)), msg); err != nil {
		t.Errorf("endless typed nesting: %v", err)
	}
}

func TestManyFieldsAreKeptApart(t *testing.T) {
	var set seen
	for i := range 300 {
		if set.has(i) {
			t.Fatalf("%d is there before it was added", i)
		}
		set.add(i)
		if !set.has(i) || set.has(i+1) {
			t.Fatalf("after adding %d: it %v, the next %v", i, set.has(i), set.has(i+1))
		}
	}
}

func TestMalformedDocuments(t *testing.T) {
	s := newSchema(t)
	for _, doc := range []string{``, ` `, `{`, `{"id"`, `{"id":`, `{"id":"a"`, `{"id":"a",}`, `{"id" "a"}`, `{id:1}`, `{"id":"a"}x`, `{"id":"a"}{}`,
		`{"number":01}`, `{"number":1.}`, `{"number":-}`, `{"number":+1}`, `{"number":1e}`, `{"isActive":tru}`, `{"isActive":truex}`, `{"x":nul}`,
		`{"id":"\x"}`, `{"id":"\u12g4"}`, "{\"id\":\"a\nb\"}", `{"tags":["a"`, `{"tags":["a",]}`, `{"tags":["a" "b"]}`, `{"x":[1,]}`, `{"x":{,}}`, `{"x":[}`, `{"x":}`, "\ufeff{}"} {
		var e *SyntaxError
		if err := s.codec.Unmarshal([]byte(doc), s.new()); !errors.As(err, &e) {
			t.Errorf("Unmarshal(%q): got %v, want a syntax error", doc, err)
		}
	}
	for _, doc := range []string{`[`, `nul`, `"a`, `1.`, `true false`, `[] {}`, `<html>`} {
		var e *SyntaxError
		if err := s.codec.Unmarshal([]byte(doc), s.new()); !errors.As(err, &e) {
			t.Errorf("Unmarshal(%q): got %v, want a syntax error", doc, err)
		}
	}
}

func TestADocumentThatIsNoObjectIsKeptWhole(t *testing.T) {
	s := newSchema(t)
	for _, doc := range []string{`[]`, `null`, `"a\ud800"`, `1.10`, `1e400`, `true`, `[{"id":"a"},[ null , 9007199254740993]]`} {
		msg := user(t, s, `{"id":"old"}`, `{"old":1}`)
		if err := s.codec.Unmarshal([]byte(" \n"+doc+"\t"), msg); err != nil {
			t.Fatalf("Unmarshal(%s): %v", doc, err)
		}
		extra := s.user.Fields().ByNumber(ExtraNumber)
		if got := string(msg.ProtoReflect().Get(extra).Bytes()); got != doc {
			t.Errorf("extra_json is %s, want %s", got, doc)
		}
		if out, err := s.codec.Append([]byte("x"), msg); err != nil || string(out) != "x"+doc {
			t.Errorf("%s comes back as %s (%v)", doc, out, err)
		}
		msg.ProtoReflect().Clear(extra)
		if out, err := s.codec.Append(nil, msg); err != nil || string(out) != `{}` {
			t.Errorf("%s: typed fields are %s (%v)", doc, out, err)
		}
	}
}

func TestExtrasThatAreNoObjectStandForTheirMessage(t *testing.T) {
	s := newSchema(t)
	msg := user(t, s, `{"id":"a","manager":{},"phoneNumbers":[{},{"number":"1"}]}`, "")
	fields := s.user.Fields()
	setExtra(msg.ProtoReflect().Mutable(fields.ByNumber(5)).Message(), `null`)
	setExtra(msg.ProtoReflect().Get(fields.ByNumber(7)).List().Get(0).Message(), ` 7 `)
	if out, err := s.codec.Append(nil, msg); err != nil || string(out) != `{"id":"a","manager":null,"phoneNumbers":[7,{"number":"1"}]}` {
		t.Errorf("got %s (%v)", out, err)
	}
}

func TestResponseBodyField(t *testing.T) {
	s := newSchema(t)
	fd := s.user.Fields().ByNumber(7)
	codec, err := s.tables.Message(fd.Message())
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		doc   string
		want  int // elements; -1 is an error
		extra string
	}{
		{`[{"number":"1"},{"x":2}]`, 2, ``},
		{` [ ] `, 0, `[ ]`},
		{`[{"number":"1"}, 1.10]`, 0, `[{"number":"1"}, 1.10]`},
		{`{"number":"1"}`, 0, `{"number":"1"}`},
		{` null`, 0, `null`},
		{`[{}`, -1, ``},
		{`[{}]x`, -1, ``},
		{`[1`, -1, ``},
		{``, -1, ``},
	} {
		msg := user(t, s, `{"id":"old","phoneNumbers":[{}]}`, `{"old":1}`)
		var syntax *SyntaxError
		err := codec.UnmarshalField([]byte(test.doc), fd, msg)
		if test.want < 0 {
			if !errors.As(err, &syntax) {
				t.Errorf("%s: got %v, want a syntax error", test.doc, err)
			}
			continue
		}
		got, extra := msg.ProtoReflect().Get(fd).List().Len(), string(msg.ProtoReflect().Get(s.user.Fields().ByNumber(ExtraNumber)).Bytes())
		if err != nil || got != test.want || extra != test.extra {
			t.Errorf("%s: got %d elements and %s, error %v; want %d and %s", test.doc, got, extra, err, test.want, test.extra)
		}
	}
}

// user builds a message from a document that is typed throughout, and sets extra_json.
func user(t *testing.T, s *schema, doc, extra string) proto.Message {
	t.Helper()
	msg := s.new()
	if err := s.codec.Unmarshal([]byte(doc), msg); err != nil {
		t.Fatal(err)
	}
	if extra != "" {
		msg.ProtoReflect().Set(s.user.Fields().ByNumber(ExtraNumber), protoreflect.ValueOfBytes([]byte(extra)))
	}
	return msg
}

func TestAppendWritesFieldsThenExtras(t *testing.T) {
	s := newSchema(t)
	for _, test := range []struct{ typed, extra, want string }{
		{`{"tags":["b"],"id":"a"}`, ` { "x" : 1.10 , "number":null } `, `{"id":"a","tags":["b"],"x" : 1.10 , "number":null}`},
		{`{}`, `{"x":[]}`, `{"x":[]}`},
		{`{"id":"\"\\\b\f\n\r\t\u0001</é"}`, `{}`, `{"id":"\"\\\b\f\n\r\t\u0001</é"}`},
	} {
		out, err := s.codec.Append([]byte("> "), user(t, s, test.typed, test.extra))
		if err != nil || string(out) != "> "+test.want {
			t.Errorf("got %s, %v; want %s", out, err, test.want)
		}
	}
}

func TestAppendRefuses(t *testing.T) {
	s := newSchema(t)
	for _, test := range []struct{ name, typed, extra, pointer string }{
		{"a name in both places", `{"id":"a"}`, `{"x":1,"id":"b"}`, "/id"},
		{"an escaped name in both places", `{"id":"a"}`, `{"\u0069d":"b"}`, "/id"},
		{"extras that are no object, beside a field", `{"id":"a"}`, `[1]`, "/extra_json"},
		{"extras that are null, beside an empty message", `{"manager":{}}`, `null`, "/extra_json"},
		{"extras that are no JSON", `{}`, `{"x":}`, "/extra_json"},
		{"extras with something behind", `{}`, `{"x":1},"y":2`, "/extra_json"},
		{"extras with a name twice", `{}`, `{"x":1,"x":2}`, "/extra_json"},
		{"extras with a name twice, deeper", `{}`, `{"x":{"y":1,"y":2}}`, "/extra_json"},
		{"extras that are blank", `{}`, ` `, "/extra_json"},
	} {
		var e *ContentError
		_, err := s.codec.Append(nil, user(t, s, test.typed, test.extra))
		if !errors.As(err, &e) || e.Pointer != test.pointer {
			t.Errorf("%s: got %v, want a content error at %s", test.name, err, test.pointer)
		}
	}
}

func TestAppendNamesThePlace(t *testing.T) {
	s := newSchema(t)
	msg := user(t, s, `{"manager":{"phoneNumbers":[{},{"number":"1"}]}}`, "")
	manager := msg.ProtoReflect().Mutable(s.user.Fields().ByNumber(5)).Message()
	second := manager.Get(s.user.Fields().ByNumber(7)).List().Get(1).Message()
	second.Set(second.Descriptor().Fields().ByNumber(ExtraNumber), protoreflect.ValueOfBytes([]byte(`{"number":2}`)))
	_, err := s.codec.Append(nil, msg)
	if want := "body at /manager/phoneNumbers/1/number: member is both a field and in extra_json"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestAppendRefusesWhatJSONCannotHold(t *testing.T) {
	s := newSchema(t)
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		msg := s.new()
		msg.ProtoReflect().Set(s.user.Fields().ByNumber(3), protoreflect.ValueOfFloat64(f))
		if _, err := s.codec.Append(nil, msg); err == nil {
			t.Errorf("%v: no error", f)
		}
	}
	for name, wire := range map[string][]byte{
		"an unknown field":           protowire.AppendVarint(protowire.AppendTag(nil, 500, protowire.VarintType), 1),
		"an unknown high field":      protowire.AppendVarint(protowire.AppendTag(nil, 5000, protowire.VarintType), 1),
		"a field of another type":    protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 1),
		"extra_json of another type": protowire.AppendVarint(protowire.AppendTag(nil, ExtraNumber, protowire.VarintType), 1),
	} {
		msg := s.new()
		if err := proto.Unmarshal(wire, msg); err != nil {
			t.Fatal(err)
		}
		if out, err := s.codec.Append(nil, msg); err == nil {
			t.Errorf("%s: got %s and no error", name, out)
		}
	}
}

func TestCompileRefusesWhatHasNoPlace(t *testing.T) {
	var tables Tables
	_, err := tables.Message((&wrapperspb.StringValue{}).ProtoReflect().Descriptor())
	if err == nil || !strings.Contains(err.Error(), "extra_json") {
		t.Errorf("got %v, want an error that names extra_json", err)
	}
}

func setExtra(m protoreflect.Message, extra string) {
	m.Set(m.Descriptor().Fields().ByNumber(ExtraNumber), protoreflect.ValueOfBytes([]byte(extra)))
}

func roundTrip(t testing.TB, s *schema, doc string) string {
	t.Helper()
	msg := s.new()
	if err := s.codec.Unmarshal([]byte(doc), msg); err != nil {
		t.Fatalf("Unmarshal(%s): %v", doc, err)
	}
	out, err := s.codec.Append(nil, msg)
	if err != nil {
		t.Fatalf("Append(%s): %v", doc, err)
	}
	return string(out)
}

// sameJSON compares documents: names in any order, numbers as text.
func sameJSON(t testing.TB, a, b string) bool {
	t.Helper()
	return canonical(t, a) == canonical(t, b)
}

func canonical(t testing.TB, doc string) string {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader([]byte(doc)))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%s: %v", doc, err)
	}
	return fmt.Sprintf("%#v", v)
}
