package drift

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"

	_ "github.com/rainbow-gateway/rainbow-gateway/internal/rest" // links all services
)

func bindings(t testing.TB) *upstream.Bindings {
	t.Helper()
	b, err := upstream.CompileBindings(upstream.RainbowServices())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// quiet is a radar without a worker: documents are inspected when they are given.
func quiet(t testing.TB) *Radar {
	t.Helper()
	r := New(Options{})
	r.Close()
	return r
}

// answers are the documented answers of JSON operations, by operation.
func answers(t testing.TB) map[*upstream.Binding][]string {
	t.Helper()
	found, n := map[*upstream.Binding][]string{}, 0
	for _, b := range bindings(t).All() {
		if b.VariantOf != nil || b.ResponseMedia != "" {
			continue
		}
		module := strings.Split(b.FullMethod, ".")[1]
		files, err := filepath.Glob(filepath.Join("../../testdata/spec/examples", module, string(b.Descriptor.Name())+"*.response.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if name := filepath.Base(file); !strings.HasPrefix(name, string(b.Descriptor.Name())+".") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			found[b] = append(found[b], string(text))
			n++
		}
	}
	if n < 60 {
		t.Fatalf("%d documented answers, want at least 60", n)
	}
	return found
}

// inconsistent are findings in the documented samples themselves, each with the reason.
var inconsistent = map[string]string{
	"rainbow.rvcpprovisioning.v1.CloudPbxDeviceKeyService/ListProgrammableKeys data.keys[].keyNum kind: expected integer, got string": "the sample writes 10 and \"4\" for keys of the same list",
}

func TestDocumentedAnswersShowNoDrift(t *testing.T) {
	r := quiet(t)
	for b, documents := range answers(t) {
		for _, document := range documents {
			r.inspect(b, "application/json", []byte(document))
			r.tally(b)
		}
	}
	var got []string
	for _, op := range r.Report().Operations {
		if op.Other > 0 {
			t.Errorf("%s: %d findings had no room", op.RPC, op.Other)
		}
		for _, f := range op.Findings {
			got = append(got, fmt.Sprintf("%s %s %s: expected %s, got %s", op.RPC, f.Path, f.Class, f.Expected, f.Got))
		}
	}
	for _, line := range got {
		if inconsistent[line] == "" {
			t.Error(line)
		}
	}
	for line := range inconsistent {
		if !slices.Contains(got, line) {
			t.Errorf("listed as an exception, but not met: %s", line)
		}
	}
}
