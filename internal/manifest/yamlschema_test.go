package manifest

import (
	"bytes"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/rainbow-gateway/rainbow-gateway/samples"
)

const schemaFile = "../../docs/manifest.schema.json"

// TestTheSchemaIsCurrent holds the published schema against the tables that it is made from.
func TestTheSchemaIsCurrent(t *testing.T) {
	got := Schema()
	if *update {
		if err := os.WriteFile(schemaFile, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("docs/manifest.schema.json is stale, -update renews it (-file +made):\n%s", diff)
	}
}

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("manifest.schema.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("manifest.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// instance is a YAML text as an editor sees it.
func instance(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestEverySampleKeepsTheSchema(t *testing.T) {
	schema := compiledSchema(t)
	files, err := fs.Glob(samples.Files, "*.yaml")
	parts, ill := fs.Glob(samples.Files, "site/*.yaml")
	if files = append(files, parts...); err != nil || ill != nil || len(parts) == 0 {
		t.Fatal(files, err, ill)
	}
	for _, name := range files {
		text, err := fs.ReadFile(samples.Files, name)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(instance(t, text)); err != nil {
			t.Errorf("%s: %v", path.Base(name), err)
		}
	}
}

// TestTheSchemaRefusesWhatTheReaderRefuses holds the schema against faults that an editor can know.
func TestTheSchemaRefusesWhatTheReaderRefuses(t *testing.T) {
	schema := compiledSchema(t)
	for _, tt := range yamlFaultCases {
		switch tt.code {
		case codeUnknownKey, codeMissingKey, codeWrongShape, codeBadVersion, codeBadWhole, codeBadMAC, codeBadLogin:
		default:
			continue
		}
		var v any
		if strings.Contains(tt.text, "${") {
			continue // an editor knows no variables
		}
		if err := yaml.Unmarshal([]byte(tt.text), &v); err != nil {
			continue // more than one document, or more than an editor reads
		}
		if err := schema.Validate(v); err == nil {
			t.Errorf("%s: the schema takes it:\n%s", tt.name, tt.text)
		}
	}
	if err := schema.Validate(instance(t, []byte("version: 1\nusers:\n- {login: a@demo.example, extension: 2301, absent: false, title: \"${a}\", firstName: }\n"))); err != nil {
		t.Errorf("the schema refuses a good manifest: %v", err)
	}
}
