package upstream_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// modelled is what the protos model so far, by portal and catalogue group: the one place that says so. A group is
// modelled as a whole, unless operations are named.
var modelled = map[string]map[string][]string{
	"rvcpprovisioning": {
		"CloudPbx":                       nil,
		"CloudPbxDevice":                 nil,
		"CloudPbxDeviceKey":              nil,
		"CloudPbxGreeting":               nil,
		"CloudPbxGroupForward":           nil,
		"CloudPbxGroupVoicemailGreeting": nil,
		"CloudPbxPhoneNumber":            nil,
		"CloudPbxRecording":              nil,
		"CloudPbxSubscriber":             nil,
		"CloudPbxWelcome":                nil,
		"ExternalTrunk":                  nil,
	},
	"massprovisioning": {
		"About":           nil,
		"Directories":     nil,
		"Office365":       nil,
		"UsersAndDevices": nil,
	},
	"subscription": {
		"About":                 nil,
		"Companies":             nil,
		"Developers":            nil,
		"Invoices":              nil,
		"Offers":                nil,
		"Quotations":            nil,
		"Subscriptions":         nil,
		"SubscriptionsFromFile": nil,
	},
	"invoicing": {
		"About":    nil,
		"Invoices": nil,
	},
	"authentication": {
		"About":          nil,
		"ApiKeys":        nil,
		"Authentication": nil,
		"OAuth":          nil,
	},
	"admin": {
		"SystemPhoneNumbers": nil,
		"Systems":            nil,
		"UserProfiles":       nil,
		"Users":              nil,
	},
}

// specRoot is the catalogue: every operation of the portals, with the documented samples.
const specRoot = "../../testdata/spec"

// operation is one of the catalogue.
type operation struct {
	ID     string `yaml:"id"`
	Group  string `yaml:"group"`
	Method string `yaml:"method"`
	Path   string `yaml:"path"`
	Source string `yaml:"path_source"`
	module string

	Query    []parameter `yaml:"query"`
	Response struct {
		Alternatives []string `yaml:"alt_content_types"`
	} `yaml:"response"`
}

// parameter is one of the query.
type parameter struct {
	Name string   `yaml:"name"`
	Enum []string `yaml:"enum"`
}

// catalogue reads the modelled operations, by the name of their RPC.
func catalogue(t testing.TB) map[string]operation {
	t.Helper()
	all := map[string]operation{}
	for module, groups := range modelled {
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
			only, is := groups[op.Group]
			if !is || (only != nil && !slices.Contains(only, op.ID)) {
				continue
			}
			op.Path, op.module = doc.Base+op.Path, module
			all[fmt.Sprintf("/rainbow.%s.v1.%sService/%s", module, op.Group, op.ID)] = op
		}
	}
	return all
}

// anonymous is a path without the names of its variables.
func anonymous(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, "{") {
			parts[i] = "{}"
		}
	}
	return strings.Join(parts, "/")
}

func TestCatalogueProtosAndBindingsAgree(t *testing.T) {
	want, all := catalogue(t), bindings(t)
	for name, op := range want {
		b := all.ByMethod(name)
		if b == nil {
			t.Errorf("%s: missing; the catalogue has %s %s", name, op.Method, op.Path)
			continue
		}
		if b.Method != op.Method || anonymous(b.Path.Template) != anonymous(op.Path) {
			t.Errorf("%s: is %s %s, the catalogue has %s %s", name, b.Method, b.Path.Template, op.Method, op.Path)
		}
		source := map[string]string{"seed": "SOURCE_GUIDE", "sdk": "SOURCE_SDK", "docs": "SOURCE_DOCS", "inferred": "SOURCE_INFERRED"}[op.Source]
		if got := b.Operation.GetSource().String(); got != source {
			t.Errorf("%s: source is %s, the catalogue has %s", name, got, source)
		}
	}
	for _, b := range all.All() {
		name := b.FullMethod
		if b.VariantOf != nil {
			name = b.VariantOf.FullMethod
		}
		if _, ok := want[name]; !ok {
			t.Errorf("%s: extra; not in the catalogue's modelled groups", b.FullMethod)
		}
	}
}

// hasFile tells whether the operation answers a file instead of its JSON document when it is asked to.
func (op operation) hasFile() bool {
	return len(op.Response.Alternatives) > 0 || slices.ContainsFunc(op.Query, func(q parameter) bool { return q.Name == "format" && slices.Contains(q.Enum, "csv") })
}

func TestBodiesThatAreNotJSONHaveATwin(t *testing.T) {
	all, documented, twins := bindings(t), catalogue(t), map[*upstream.Binding]int{}
	for _, b := range all.All() {
		if b.VariantOf != nil {
			twins[b.VariantOf]++
		}
	}
	files := 0
	for _, b := range all.All() {
		if b.VariantOf != nil {
			continue
		}
		file := documented[b.FullMethod].hasFile()
		if wants := b.RequestMedia != "" || b.ResponseMedia != "" || file; wants != (twins[b] > 0) || file != (b.File != "") {
			t.Errorf("%s: request %q, answer %q, file %q (documented: %v), %d twins", b.FullMethod, b.RequestMedia, b.ResponseMedia, b.File, file, twins[b])
		}
		if file {
			files++
		}
	}
	if files != 6 {
		t.Errorf("%d operations answer JSON or a file, want the 6 of the catalogue", files)
	}
}
