package conformance_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

const specRoot = "../../testdata/spec"

// operation is one of the catalogue, as a reader of Rainbow's guides knows it.
type operation struct {
	ID      string `yaml:"id"`
	Group   string `yaml:"group"`
	Method  string `yaml:"method"`
	Path    string `yaml:"path"` // in full, with {variables}
	Query   []parameter
	Request struct {
		ContentType string `yaml:"content_type"`
	} `yaml:"request_body"`
	Response struct {
		ContentType string `yaml:"content_type"`
		Status      int
	}

	module  string
	binding *upstream.Binding // what a gRPC client has by reflection
	twin    *upstream.Binding // its streaming twin, nil when it has none
}

// parameter is one of the query.
type parameter struct {
	Name    string
	Type    string
	Default any
	Enum    []any
}

// name is "module/ID"; ids repeat between modules.
func (o operation) name() string { return o.module + "/" + o.ID }

// modules are the portals of the catalogue.
func modules() []string {
	return []string{"admin", "authentication", "invoicing", "massprovisioning", "rvcpprovisioning", "subscription"}
}

// catalogue reads every operation. It fails when one has no RPC: that could not be called over gRPC.
func catalogue(t testing.TB) []operation {
	t.Helper()
	bindings, err := upstream.CompileBindings(upstream.RainbowServices())
	if err != nil {
		t.Fatal(err)
	}
	var all []operation
	for _, module := range modules() {
		text, err := os.ReadFile(filepath.Join(specRoot, module+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Base       string      `yaml:"base_path"`
			Operations []operation `yaml:"operations"`
			Referenced []operation `yaml:"referenced_operations"`
			SDK        []operation `yaml:"sdk_operations"`
			Keys       []operation `yaml:"api_key_operations"`
		}
		if err := yaml.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		for _, op := range slices.Concat(doc.Operations, doc.Referenced, doc.SDK, doc.Keys) {
			op.module, op.Path = module, doc.Base+op.Path
			method := fmt.Sprintf("/rainbow.%s.v1.%sService/%s", module, op.Group, op.ID)
			if op.binding = bindings.ByMethod(method); op.binding == nil {
				t.Fatalf("%s: no RPC %s", op.name(), method)
			}
			for _, b := range bindings.All() {
				if b.VariantOf == op.binding {
					op.twin = b
				}
			}
			all = append(all, op)
		}
	}
	if len(all) < 168 {
		t.Fatalf("%d operations, want at least 168: is %s whole?", len(all), specRoot)
	}
	return all
}

// find returns an operation by its id, or by module/id where the id alone does not tell.
func find(t testing.TB, all []operation, id string) operation {
	t.Helper()
	var found []operation
	for _, op := range all {
		if op.ID == id || op.name() == id {
			found = append(found, op)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d operations are called %s, want one", len(found), id)
	}
	return found[0]
}

// example is a documented text: what an operation is sent, or answers.
type example struct {
	file   string
	status int // of an answer
	text   []byte
}

// statusOf finds the HTTP status in the name or the text of an error's file.
var statusOf = regexp.MustCompile(`\.error\.?(\d{3})|"errorCode":\s*(\d{3})`)

func readExample(t testing.TB, file string) example {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := example{file: strings.TrimPrefix(filepath.ToSlash(file), specRoot+"/examples/"), status: 200, text: text}
	if strings.Contains(filepath.Base(file), "error") {
		m := statusOf.FindStringSubmatch(filepath.Base(file) + string(text))
		if m == nil {
			t.Fatalf("%s: no status", d.file)
		}
		d.status, _ = strconv.Atoi(m[1] + m[2])
	}
	return d
}

// answers are the documented answers of an operation: successes, then errors.
func (o operation) answers(t testing.TB) []example {
	t.Helper()
	var found []example
	for _, pattern := range []string{".response.json", ".*.response.json", ".error*.json"} {
		files, err := filepath.Glob(filepath.Join(specRoot, "examples", o.module, o.ID+pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			found = append(found, readExample(t, file))
		}
	}
	return found
}

// commonErrors are the documented errors that any operation may answer.
func commonErrors(t testing.TB) []example {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(specRoot, "examples", "authentication", "error.*.json"))
	if err != nil || len(files) < 8 {
		t.Fatalf("%d common errors (%v), want at least 8", len(files), err)
	}
	var found []example
	for _, file := range files {
		found = append(found, readExample(t, file))
	}
	return found
}

// body is the documented request body, nil when there is none.
func (o operation) body(t testing.TB) []byte {
	t.Helper()
	file := filepath.Join(specRoot, "examples", o.module, o.ID+".request.json")
	if _, err := os.Stat(file); err != nil {
		return nil
	}
	return readExample(t, file).text
}

// variables are the names of the path's variables, in order.
func (o operation) variables() []string {
	var names []string
	for _, m := range regexp.MustCompile(`\{([^}]*)\}`).FindAllStringSubmatch(o.Path, -1) {
		names = append(names, m[1])
	}
	return names
}

// path is the path with its variables replaced by values, which are escaped already.
func (o operation) path(values ...string) string {
	path := o.Path
	for i, name := range o.variables() {
		path = strings.Replace(path, "{"+name+"}", values[i], 1)
	}
	return path
}
