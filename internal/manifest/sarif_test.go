package manifest

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// sarifSchema is the schema of SARIF 2.1.0 as OASIS publishes it.
func sarifSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	const path = "testdata/sarif-schema-2.1.0.json"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("https://schema.example/sarif.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("https://schema.example/sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func writeSARIF(t *testing.T, faults bulksync.Faults) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteSARIF(&b, faults, nil, "1.2.3"); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestSARIFKeepsItsSchema: every kind of fault, and none.
func TestSARIFKeepsItsSchema(t *testing.T) {
	schema := sarifSchema(t)
	logs := [][]bulksync.Fault{nil, {{Code: codeUnknownMode, Message: "mode"}}, {{Position: bulksync.Position{File: "standard input"}, Code: "number-taken", Message: "taken"}}}
	for _, tt := range faultCases {
		_, _, err := Read(t.Context(), []Source{{Name: "dir/f 1.csv", Reader: strings.NewReader(tt.text), Encoding: tt.encoding}}, tt.opts)
		faults, _ := err.(bulksync.Faults)
		logs = append(logs, faults)
	}
	for _, tt := range yamlFaultCases {
		_, _, faults := readYAMLText(t, tt.text, tt.opts)
		logs = append(logs, faults)
	}
	for _, faults := range logs {
		text := writeSARIF(t, faults)
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
	}
	broken, err := jsonschema.UnmarshalJSON(strings.NewReader(strings.Replace(string(writeSARIF(t, logs[2])), `"error"`, `"fatal"`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if schema.Validate(broken) == nil {
		t.Error("the schema takes a level that does not exist")
	}
}

// TestSARIFHasNotesAndLinks: remarks are notes, and codes of YAML manifests link to the part of the page that has them.
func TestSARIFHasNotesAndLinks(t *testing.T) {
	d, _, faults := readYAMLText(t, yamlUser("  password: Passw0rd!\n"), Options{})
	if faults != nil {
		t.Fatal(faults)
	}
	_, _, faults = readYAMLText(t, "version: 1\ncolour: red\n", Options{})
	var b bytes.Buffer
	if err := WriteSARIF(&b, faults, d.Remarks, ""); err != nil {
		t.Fatal(err)
	}
	var log sarifLog
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range log.Runs[0].Results {
		got = append(got, r.Level+" "+r.RuleID+" "+log.Runs[0].Tool.Driver.Rules[r.RuleIndex].HelpURI)
	}
	want := []string{"error unknown-key " + errorsPage + "#" + yamlFaults, "note secret-in-manifest " + errorsPage + "#" + yamlFaults}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	page, err := os.ReadFile("../../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "\n## Faults of a YAML manifest\n") {
		t.Error("docs/errors.md has no such heading")
	}
}

func TestSARIFReadsAsGolden(t *testing.T) {
	_, err := readSample(t, "broken.csv")
	faults, _ := err.(bulksync.Faults)
	faults = append(faults, bulksync.Fault{Position: bulksync.Position{File: "samples/broken.csv", Line: 9}, Code: "number-taken", Message: "as a plan says", Hint: "choose another", Field: "shortNumber"})
	const golden = "testdata/broken.sarif"
	got := writeSARIF(t, faults)
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("(-want +got), -update rewrites it:\n%s", diff)
	}
	var log sarifLog
	if err := json.Unmarshal(got, &log); err != nil {
		t.Fatal(err)
	}
	for _, r := range log.Runs[0].Results {
		if log.Runs[0].Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID {
			t.Errorf("result of %s points at rule %d", r.RuleID, r.RuleIndex)
		}
	}
}

// TestHelpLeadsToHeadings: every rule's help is a place of docs/errors.md.
func TestHelpLeadsToHeadings(t *testing.T) {
	doc, err := os.ReadFile("../../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	before, _, found := strings.Cut(string(doc), "\n## Faults in view of the company\n")
	if !found {
		t.Errorf("docs/errors.md lacks the section %q", planFaults)
	}
	var headings []string
	for _, m := range regexp.MustCompile("(?m)^### `([a-z0-9-]+)`$").FindAllStringSubmatch(before, -1) {
		headings = append(headings, m[1])
	}
	slices.Sort(headings)
	if diff := cmp.Diff(headings, headed); diff != "" {
		t.Errorf("headings of docs/errors.md and headed (-doc +source):\n%s", diff)
	}
}
