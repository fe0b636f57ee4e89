package rules_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// spec is the catalogue: every operation of the portals, with the documented samples.
const spec = "../../testdata/spec"

// parameter is one of the catalogue: what its guide says of it.
type parameter struct {
	Name     string      `yaml:"name"`
	Required bool        `yaml:"required"`
	Enum     []string    `yaml:"enum"`
	Format   string      `yaml:"format"`
	Min      *float64    `yaml:"min"`
	Max      *float64    `yaml:"max"`
	MinLen   *uint64     `yaml:"min_length"`
	MaxLen   *uint64     `yaml:"max_length"`
	Fields   []parameter `yaml:"fields"`
}

// documented is an operation of the catalogue.
type documented struct {
	ID    string      `yaml:"id"`
	Group string      `yaml:"group"`
	Path  []parameter `yaml:"path_params"`
	Query []parameter `yaml:"query"`
	Body  struct {
		Fields []parameter `yaml:"fields"`
	} `yaml:"request_body"`
	module string
}

// method is the RPC of the operation.
func (d documented) method() string {
	return fmt.Sprintf("/rainbow.%s.v1.%sService/%s", d.module, d.Group, d.ID)
}

func catalogue(t testing.TB) []documented {
	t.Helper()
	var all []documented
	for _, module := range []string{"rvcpprovisioning", "massprovisioning", "subscription", "invoicing", "authentication", "admin"} {
		text, err := os.ReadFile(filepath.Join(spec, module+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Operations []documented `yaml:"operations"`
			Referenced []documented `yaml:"referenced_operations"`
			SDK        []documented `yaml:"sdk_operations"`
			Keys       []documented `yaml:"api_key_operations"`
		}
		if err := yaml.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		for _, d := range slices.Concat(doc.Operations, doc.Referenced, doc.SDK, doc.Keys) {
			d.module = module
			all = append(all, d)
		}
	}
	return all
}

// unruled are documented constraints without a rule of their words, each with the reason.
var unruled = map[string]string{
	"massprovisioning.ListUsersImports.companyId":                   "required by the guide; the vendor's SDK and CLI leave it out",
	"rvcpprovisioning.ListSipDevices.category":                      "a list of values, of which the default holds one that the guide does not list",
	"rvcpprovisioning.CreateProgrammableKey.keyNum":                 "required; from 1, but 0 in the guide's sample",
	"rvcpprovisioning.UpdateSubscriberOverflow.unavailableOverflow": "required; its values stand in prose, and another in the guide's sample",
	"rvcpprovisioning.UpdateSubscriberOverflow.value":               "required; its values stand in prose, and another in the guide's sample",
	"subscription.CreateSubscription.promoCode":                     "required by the guide, which calls the code optional; the vendor's SDK never sends it",
	"subscription.CreateSubscription.monthlyDuration":               "3 to 60, and by the words beside it 0 too: a rule in CEL",
	"subscription.UpdateSubscription.monthlyDuration":               "3 to 60, and by the words beside it 0 too: a rule in CEL",
	"authentication.OAuthToken.grant_type":                          "in a form, which passes as bytes",
}

// furtherRules are rules that come from words of the documents, not from the catalogue's columns.
var furtherRules = map[string]string{
	"admin.CreateUser.country":              "alpha-3",
	"admin.CreateUser.password":             "at least 8 characters",
	"admin.CreateUser.phoneNumbers.country": "alpha-3",

	"admin.CreateUser.tags":                                    "at most 5 of 64 characters",
	"admin.UpdateUser.country":                                 "alpha-3",
	"admin.UpdateUser.password":                                "at least 8 characters",
	"admin.UpdateUser.phoneNumbers.country":                    "alpha-3",
	"admin.UpdateUser.tags":                                    "at most 5 of 64 characters",
	"invoicing.ListInvoices.billingPeriod":                     "YYYY-MM",
	"massprovisioning.CreateDirectorySynchronizeReport.status": "success or failure",
	"rvcpprovisioning.ListSipDevices.description":              "at least 3 characters",
	"rvcpprovisioning.ListSipDevices.userDisplayName":          "at least 2 characters",
}

// constraint is one parameter's rules as text, in one spelling for both sides.
func (p parameter) constraint() string {
	var parts []string
	if p.Required {
		parts = append(parts, "required")
	}
	if len(p.Enum) > 0 {
		parts = append(parts, "in "+strings.Join(p.Enum, " "))
	}
	for _, bound := range []struct {
		name  string
		value *float64
	}{{"gte", p.Min}, {"lte", p.Max}} {
		if bound.value != nil {
			parts = append(parts, fmt.Sprint(bound.name, " ", *bound.value))
		}
	}
	if p.MinLen != nil {
		parts = append(parts, fmt.Sprint("min_len ", *p.MinLen))
	}
	if p.MaxLen != nil {
		parts = append(parts, fmt.Sprint("max_len ", *p.MaxLen))
	}
	if p.Format == "date" || p.Format == "date-time" {
		parts = append(parts, "pattern")
	}
	return strings.Join(parts, ", ")
}

// ruleOf is the same of a field's rule.
func ruleOf(fd protoreflect.FieldDescriptor) string {
	r, _ := proto.GetExtension(fd.Options(), validate.E_Field).(*validate.FieldRules)
	var parts []string
	if r.GetRequired() {
		parts = append(parts, "required")
	}
	if s := r.GetString(); s != nil {
		if len(s.GetIn()) > 0 {
			parts = append(parts, "in "+strings.Join(s.GetIn(), " "))
		}
		if s.HasLen() {
			parts = append(parts, fmt.Sprint("min_len ", s.GetLen()), fmt.Sprint("max_len ", s.GetLen()))
		}
		if s.HasMinLen() {
			parts = append(parts, fmt.Sprint("min_len ", s.GetMinLen()))
		}
		if s.HasMaxLen() {
			parts = append(parts, fmt.Sprint("max_len ", s.GetMaxLen()))
		}
		if s.HasPattern() {
			parts = append(parts, "pattern")
		}
	}
	if n := r.GetInt32(); n != nil {
		if len(n.GetIn()) > 0 {
			parts = append(parts, "in "+strings.Trim(fmt.Sprint(n.GetIn()), "[]"))
		}
		if n.HasGte() {
			parts = append(parts, fmt.Sprint("gte ", n.GetGte()))
		}
		if n.HasLte() {
			parts = append(parts, fmt.Sprint("lte ", n.GetLte()))
		}
	}
	if r.GetRepeated() != nil || len(r.GetCel()) > 0 {
		parts = append(parts, "further")
	}
	return strings.Join(parts, ", ")
}

// TestRulesAreTheDocumentedConstraints compares catalogue and protos by name, both ways.
func TestRulesAreTheDocumentedConstraints(t *testing.T) {
	bindings, err := upstream.CompileBindings(upstream.RainbowServices())
	if err != nil {
		t.Fatal(err)
	}
	c := comparison{t: t, used: map[string]bool{}, met: map[protoreflect.FullName]bool{}}
	for _, d := range catalogue(t) {
		b := bindings.ByMethod(d.method())
		if b == nil {
			continue // package upstream's tests name it
		}
		at := d.module + "." + d.ID
		c.compare(at, slices.Concat(d.Path, d.Query), b.Input.Descriptor())
		if b.Body != nil {
			c.compare(at, d.Body.Fields, b.Body.Message())
		}
		c.further(at, b.Input.Descriptor(), b.Body)
	}
	for _, listed := range []map[string]string{unruled, furtherRules} {
		for place := range listed {
			if !c.used[place] {
				t.Errorf("%s: listed, but not so", place)
			}
		}
	}
	if c.ruled < 300 {
		t.Errorf("compared %d rules, want at least 300", c.ruled)
	}
}

type comparison struct {
	t     *testing.T
	used  map[string]bool
	met   map[protoreflect.FullName]bool // fields that the catalogue has
	ruled int
}

// compare looks for the rule of every documented constraint.
func (c *comparison) compare(at string, params []parameter, md protoreflect.MessageDescriptor) {
	for _, p := range params {
		place := at + "." + p.Name
		fd := md.Fields().ByJSONName(p.Name)
		if fd == nil {
			if want := p.constraint(); want != "" && !c.listed(unruled, place) {
				c.t.Errorf("%s: %s; no field", place, want)
			}
			continue
		}
		c.met[fd.FullName()] = true
		if want, got := p.constraint(), ruleOf(fd); want != got && !c.listed(unruled, place) && !c.listed(furtherRules, place) {
			c.t.Errorf("%s: the rule of %s is %q, documented is %q", place, fd.FullName(), got, want)
		} else if got != "" {
			c.ruled++
		}
		if len(p.Fields) > 0 && fd.Message() != nil {
			c.compare(place, p.Fields, fd.Message())
		}
	}
}

func (c *comparison) listed(list map[string]string, place string) bool {
	_, is := list[place]
	c.used[place] = c.used[place] || is
	return is
}

// further reports rules of fields that the catalogue does not have.
func (c *comparison) further(at string, md protoreflect.MessageDescriptor, body protoreflect.FieldDescriptor) {
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		if rule := ruleOf(fd); rule != "" && !c.met[fd.FullName()] {
			c.t.Errorf("%s: %s has the rule %q and is not in the catalogue", at, fd.FullName(), rule)
		}
		if body != nil && fd == body {
			c.further(at, body.Message(), nil)
		}
	}
}

// TestAnswersHaveNoRules: upstream may answer what it likes.
func TestAnswersHaveNoRules(t *testing.T) {
	bindings, err := upstream.CompileBindings(upstream.RainbowServices())
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bindings.All() {
		fields := b.Output.Descriptor().Fields()
		for i := range fields.Len() {
			if rule := ruleOf(fields.Get(i)); rule != "" {
				t.Errorf("%s: %s has the rule %q", b.FullMethod, fields.Get(i).FullName(), rule)
			}
		}
	}
}

// TestDocumentedRequestsPass judges every request of the guides, as a REST caller would send it.
func TestDocumentedRequestsPass(t *testing.T) {
	rules, n := set(t), 0
	for _, d := range catalogue(t) {
		text, err := os.ReadFile(filepath.Join(spec, "examples", d.module, d.ID+".request.json"))
		if err != nil {
			continue
		}
		if !json.Valid(text) {
			t.Errorf("%s: the sample is no JSON", d.ID)
		}
		op := rules.Operation(d.method())
		if op == nil {
			t.Errorf("%s: no rules, though it has path variables", d.ID)
			continue
		}
		n++
		if got, err := op.Judge(nil, &upstream.RawRequest{Target: "/", Body: text}); err != nil || len(got) > 0 {
			t.Errorf("%s: %+v, %v", d.ID, got, err)
		}
	}
	if n < 30 {
		t.Errorf("judged %d samples, want at least 30", n)
	}
}
