package jsoncodec

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/proto"
)

// looked are the fields that the part of these tests has.
var looked = []string{"id", "codes", "manager.id", "manager.manager", "phoneNumbers.number"}

func TestAPartReadsWhatIsNamedAndNothingElse(t *testing.T) {
	s := newSchema(t)
	part, err := s.codec.Part(looked...)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, doc, want string }{
		{"what is named", `{"id":"a","number":1,"codes":[1,2],"x":null}`, `{"id":"a","codes":[1,2]}`},
		{"within a message", `{"manager":{"id":"m","number":1,"x":[]}}`, `{"manager":{"id":"m"}}`},
		{"a message that is named itself", `{"manager":{"manager":{"number":1,"x":[1.10]}}}`, `{"manager":{"manager":{"number":1,"x":[1.10]}}}`},
		{"in each element of a list", `{"phoneNumbers":[{"number":"1","x":1},{"y":2}]}`, `{"phoneNumbers":[{"number":"1"},{}]}`},
		{"what its field can't hold", `{"id":4,"codes":[],"manager":{"id":null,"x":1},"tags":[]}`, `{"manager":{"id":null},"id":4,"codes":[]}`},
		{"a named list with an odd element", `{"phoneNumbers":[{"number":"1","x":1},null]}`, `{"phoneNumbers":[{"number":"1","x":1},null]}`},
		{"a name that repeats", `{"id":"a","number":1,"id":"b","number":2}`, `{"id":"a","id":"b"}`},
		{"no object", `[{"number":1}]`, `[{"number":1}]`},
	} {
		t.Run(test.name, func(t *testing.T) {
			msg := s.new()
			if err := part.Unmarshal([]byte(test.doc), msg); err != nil {
				t.Fatal(err)
			}
			out, err := s.codec.Append(nil, msg)
			if test.name == "a name that repeats" { // which Append refuses to write
				out, err = msg.ProtoReflect().Get(s.user.Fields().ByNumber(ExtraNumber)).Bytes(), nil
			}
			if err != nil || string(out) != test.want {
				t.Errorf("got %s, %v, want %s", out, err, test.want)
			}
		})
	}
	for _, doc := range []string{`{"x":tru}`, `{"number":01}`, `{"manager":{"x":"\q"}}`, `{"x":1`} {
		var at *SyntaxError
		if err := part.Unmarshal([]byte(doc), s.new()); !errors.As(err, &at) {
			t.Errorf("%s, which is passed over: %v, want that it is no JSON", doc, err)
		}
	}
}

func TestAPartNamesFields(t *testing.T) {
	s := newSchema(t)
	for name, want := range map[string]string{
		"f_id": `no field "f_id"`, "manager.x": `no field "x"`, "id.x": `field "id" is no message, and has no "x"`, "": `no field ""`, "manager.": `no field ""`,
	} {
		if _, err := s.codec.Part("id", name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("part %q: %v, want %s", name, err, want)
		}
	}
}

// FuzzPart: a part reads of a document what the whole codec reads of the same one without the members that it passes over.
func FuzzPart(f *testing.F) {
	for _, seed := range fuzzSeeds {
		f.Add([]byte(seed))
	}
	s := newSchema(f)
	part, err := s.codec.Part(looked...)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		got, want := s.new(), s.new()
		err := part.Unmarshal(doc, got)
		if json.Valid(doc) != (err == nil) {
			t.Fatalf("Unmarshal(%q): %v", doc, err)
		}
		if err != nil {
			return
		}
		if err := s.codec.Unmarshal(pruned(doc, looked), want); err != nil {
			t.Fatal(err)
		}
		if !proto.Equal(got, want) {
			t.Fatalf("%q\n got %v\nwant %v", doc, got, want)
		}
	})
}

// pruned is a document without the members that are not named; what no field can hold stays as it is.
func pruned(doc []byte, names []string) []byte {
	doc = bytes.Trim(doc, " \t\r\n")
	if doc[0] != '{' {
		return doc
	}
	within, times := map[string][]string{}, map[string]int{}
	for _, name := range names {
		first, rest, _ := strings.Cut(name, ".")
		within[first] = append(within[first], rest)
	}
	members(doc, func(name string, _, _ []byte) { times[name]++ })
	out := []byte{'{'}
	members(doc, func(name string, quoted, value []byte) {
		inner, named := within[name]
		if !named {
			return
		}
		if times[name] == 1 && inner[0] != "" {
			value = prunedValue(value, inner)
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, quoted...), ':'), value...)
	})
	return append(out, '}')
}

// prunedValue prunes an object, and the elements of a list if all are objects.
func prunedValue(value []byte, names []string) []byte {
	if value[0] == '{' && names[0] != "number" {
		return pruned(value, names)
	}
	var all []json.RawMessage
	if value[0] != '[' || names[0] != "number" || json.Unmarshal(value, &all) != nil || len(all) == 0 {
		return value
	}
	out := []byte{'['}
	for i, element := range all {
		if element[0] != '{' {
			return value
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, pruned(element, names)...)
	}
	return append(out, ']')
}

// members hands on the members of an object: the name, decoded and as it is spelt, and the value.
func members(object []byte, each func(name string, quoted, value []byte)) {
	d := jsontext.NewDecoder(bytes.NewReader(object), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	_, _ = d.ReadToken()
	for d.PeekKind() != '}' {
		quoted, err := d.ReadValue()
		if err != nil {
			panic(err) // it is JSON
		}
		quoted = bytes.Clone(quoted)
		name, err := jsontext.AppendUnquote(nil, quoted)
		if err != nil {
			name = nil // a lone surrogate or such, which no field has
		}
		value, err := d.ReadValue()
		if err != nil {
			panic(err)
		}
		each(string(name), quoted, bytes.Clone(value))
	}
}
