package upstream_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream/jsoncodec"
)

// renderings are samples that are no JSON bodies: the guides print what a binary or CSV answer looks like.
var renderings = map[string]bool{
	"GetGroupVoicemailGreeting": true,
	"GetUsersTemplate":          true,
	"GetInvoiceFile":            true,
}

// example is one documented document of a modelled operation.
type example struct {
	file    string
	binding *upstream.Binding
	message protoreflect.MessageDescriptor // that it is, nil for an error
	text    []byte
}

// examples returns the documented documents of the modelled operations.
func examples(t testing.TB) []example {
	t.Helper()
	all := bindings(t)
	var found []example
	for name, op := range catalogue(t) {
		files, err := filepath.Glob(filepath.Join(specRoot, "examples", op.module, op.ID+".*.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			b := all.ByMethod(name)
			if b == nil || renderings[op.ID] {
				continue // the catalogue test names what is missing
			}
			e := example{file: strings.TrimPrefix(file, specRoot+"/examples/"), binding: b, text: text}
			switch base := filepath.Base(file); {
			case strings.HasSuffix(base, ".response.json"):
				e.message = b.Output.Descriptor()
			case strings.HasSuffix(base, ".request.json") && b.Body != nil:
				e.message = b.Body.Message()
			case strings.HasSuffix(base, ".request.json"):
				t.Errorf("%s: the operation has no body", e.file)
				continue
			case !strings.Contains(base, ".error"):
				t.Errorf("%s: neither request, response nor error", e.file)
				continue
			}
			found = append(found, elements(t, e)...)
		}
	}
	if len(found) < 60 {
		t.Fatalf("found %d examples, want at least 60: is %s there?", len(found), specRoot)
	}
	return found
}

// elements are the documents of an example: itself, or of a bare list its elements.
func elements(t testing.TB, e example) []example {
	t.Helper()
	if e.message == nil || e.message != e.binding.Output.Descriptor() || e.binding.ResponseBody == nil {
		return []example{e}
	}
	var texts []json.RawMessage
	if err := json.Unmarshal(e.text, &texts); err != nil || len(texts) == 0 {
		t.Fatalf("%s: no list with elements: %v", e.file, err)
	}
	var all []example
	for i, text := range texts {
		all = append(all, example{fmt.Sprintf("%s[%d]", e.file, i), e.binding, e.binding.ResponseBody.Message(), text})
	}
	return all
}

// plain reads JSON with numbers as text.
func plain(t testing.TB, text []byte) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func TestDocumentedExamplesComeBackEqual(t *testing.T) {
	var tables jsoncodec.Tables
	for _, e := range examples(t) {
		if e.message == nil {
			continue
		}
		t.Run(e.file, func(t *testing.T) {
			codec, err := tables.Message(e.message)
			if err != nil {
				t.Fatal(err)
			}
			msg := dynamicpb.NewMessage(e.message)
			if err := codec.Unmarshal(e.text, msg); err != nil {
				t.Fatal(err)
			}
			out, err := codec.Append(nil, msg)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(plain(t, e.text), plain(t, out)); diff != "" {
				t.Errorf("(-documented +encoded)\n%s", diff)
			}
		})
	}
}

// untyped are members of documented examples that no field has, each with the reason. Every other documented member
// has one: extra_json is for what nobody wrote down.
var untyped = map[string]string{
	"Ddi.names":                    "an empty list in every sample; of what is not documented",
	"DeviceModel.keys":             "an empty list in every sample; of what is not documented",
	"DeviceModel.systemKeys":       "an empty list in every sample; of what is not documented",
	"OfficeHours.openhours":        "arrays within arrays, which no protobuf type holds",
	"OfficeHoursException.periods": "arrays within arrays, which no protobuf type holds",
	"StatusResponse.data":          "an empty list in every sample of a deletion",
}

func TestDocumentedMembersHaveFields(t *testing.T) {
	var tables jsoncodec.Tables
	met := map[string]bool{}
	for _, e := range examples(t) {
		if e.message == nil {
			continue
		}
		codec, err := tables.Message(e.message)
		if err != nil {
			t.Fatal(err)
		}
		msg := dynamicpb.NewMessage(e.message)
		if err := codec.Unmarshal(e.text, msg); err != nil {
			t.Fatal(err)
		}
		eachExtra(t, msg, func(md protoreflect.MessageDescriptor, name string) {
			if md.Fields().ByJSONName(name) != nil {
				return // a field, but not of this value: null, [] or mistyped
			}
			place := string(md.Name()) + "." + name
			if met[place] = true; untyped[place] == "" {
				t.Errorf("%s: %s (%s) has no field", e.file, place, md.FullName())
			}
		})
	}
	for place := range untyped {
		if !met[place] {
			t.Errorf("%s is listed as untyped, but no example has it so", place)
		}
	}
}

// eachExtra calls do for every member of extra_json in msg and below.
func eachExtra(t *testing.T, msg protoreflect.Message, do func(protoreflect.MessageDescriptor, string)) {
	t.Helper()
	msg.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.Name() == jsoncodec.ExtraName:
			for name := range plain(t, v.Bytes()).(map[string]any) {
				do(msg.Descriptor(), name)
			}
		case fd.Message() != nil && fd.IsList():
			for i := range v.List().Len() {
				eachExtra(t, v.List().Get(i).Message(), do)
			}
		case fd.Message() != nil:
			eachExtra(t, v.Message(), do)
		}
		return true
	})
}
