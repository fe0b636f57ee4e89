package sync

import (
	"bytes"
	"encoding"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"
)

// The JSON form's schema is made from the Go types and their comments, so that it can't say anything else than they do.
// After a change of Plan or what it holds: go test ./internal/sync -run Schema -update

const planSchemaFile = "../../docs/plan.schema.json"

func TestThePlanSchemaIsThatOfTheTypes(t *testing.T) {
	var want bytes.Buffer
	enc := json.NewEncoder(&want)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(newSchemaMaker(t).document()); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(planSchemaFile, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(planSchemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), string(got)); diff != "" {
		t.Errorf("docs/plan.schema.json is not that of the types (-types +file); renew it with -update:\n%s", diff)
	}
}

func TestPlansAreValidByTheirSchema(t *testing.T) {
	schema := planSchema(t)
	check := func(t interface{ Fatalf(string, ...any) }, p *Plan) {
		var out bytes.Buffer
		if err := p.Render(&out, FormatJSON, RenderOptions{}); err != nil {
			t.Fatalf("%v", err)
		}
		document, err := jsonschema.UnmarshalJSON(&out)
		if err != nil {
			t.Fatalf("%v", err)
		}
		if err := schema.Validate(document); err != nil {
			t.Fatalf("the plan is not valid by docs/plan.schema.json: %v", err)
		}
	}
	check(t, fullPlan(plainly))
	rapid.Check(t, func(t *rapid.T) {
		_, _, plan := drawPlan(t)
		check(t, plan)
	})
}

func TestTheSchemaRefusesWhatIsNoPlan(t *testing.T) {
	schema := planSchema(t)
	for _, c := range []struct{ name, document string }{
		{"another version", `{"format": 0, "company": "c1", "manifest": "", "mode": "", "policy": {}, "operations": []}`},
		{"no operations", `{"format": ` + strconv.Itoa(PlanFormat) + `, "company": "c1", "manifest": "", "mode": "", "policy": {}}`},
		{"an unknown action", strings.Replace(string(rendered(t, fullPlan(plainly), FormatJSON)), `"action": "create"`, `"action": "conjure"`, 1)},
		{"an unknown kind", strings.Replace(string(rendered(t, fullPlan(plainly), FormatJSON)), `"key": "user/`, `"key": "unicorn/`, 1)},
		{"an id that is no number", strings.Replace(string(rendered(t, fullPlan(plainly), FormatJSON)), `"id": 1,`, `"id": "1",`, 1)},
	} {
		t.Run(c.name, func(t *testing.T) {
			document, err := jsonschema.UnmarshalJSON(strings.NewReader(c.document))
			if err != nil {
				t.Fatal(err)
			}
			if schema.Validate(document) == nil {
				t.Error("it is valid by the schema")
			}
		})
	}
}

func planSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(planSchemaFile)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// object is a JSON object whose members keep their order.
type object []member

type member struct {
	name  string
	value any
}

func (o object) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			out.WriteByte(',')
		}
		for j, part := range []any{m.name, m.value} {
			enc := json.NewEncoder(&out)
			enc.SetEscapeHTML(false)
			if err := enc.Encode(part); err != nil {
				return nil, err
			}
			if j == 0 {
				out.WriteByte(':')
			}
		}
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// schemaMaker makes a schema from types.
type schemaMaker struct {
	t *testing.T
	// comments are those of types ("Plan") and fields ("Plan.Company"); values the constants of a type, in order.
	comments map[string]string
	values   map[string][]string
	defs     map[string]object
	order    []string
}

func newSchemaMaker(t *testing.T) *schemaMaker {
	m := &schemaMaker{t: t, comments: map[string]string{}, values: map[string][]string{}, defs: map[string]object{}}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if g, ok := d.(*ast.GenDecl); ok {
				m.read(g)
			}
		}
	}
	return m
}

func (m *schemaMaker) read(g *ast.GenDecl) {
	for _, spec := range g.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			m.comments[s.Name.Name] = sentence(s.Doc, g.Doc)
			if st, ok := s.Type.(*ast.StructType); ok {
				m.readFields(s.Name.Name, st)
			}
		case *ast.ValueSpec:
			kind, ok := s.Type.(*ast.Ident)
			if !ok || g.Tok != token.CONST || len(s.Values) != 1 {
				continue
			}
			if lit, ok := s.Values[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
				word, _ := strconv.Unquote(lit.Value)
				m.values[kind.Name] = append(m.values[kind.Name], word)
			}
		}
	}
}

// readFields notes the fields' comments.
func (m *schemaMaker) readFields(name string, s *ast.StructType) {
	for _, f := range s.Fields.List {
		for _, n := range f.Names {
			m.comments[name+"."+n.Name] = sentence(f.Doc, f.Comment)
		}
	}
}

// sentence is the text of a comment in one line.
func sentence(groups ...*ast.CommentGroup) string {
	for _, g := range groups {
		if g != nil {
			text, _, _ := strings.Cut(g.Text(), "\n\n")
			return strings.Join(strings.Fields(text), " ")
		}
	}
	return ""
}

func (m *schemaMaker) document() object {
	m.define(reflect.TypeFor[Plan]())
	document := object{
		{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		{"$id", "https://github.com/rainbow-gateway/rainbow-gateway/docs/plan.schema.json"},
		{"title", "A plan of Rainbow Gateway, as gateway plan -o json shows it"},
	}
	document = append(document, m.defs["Plan"]...)
	defs := object{}
	for _, name := range m.order {
		if name != "Plan" {
			defs = append(defs, member{name, m.defs[name]})
		}
	}
	slices.SortFunc(defs, func(a, b member) int { return strings.Compare(a.name, b.name) })
	return append(document, member{"$defs", defs})
}

// schema is that of a type; structs are definitions.
func (m *schemaMaker) schema(typ reflect.Type) object {
	if typ == reflect.TypeFor[Key]() {
		return object{{"type", "string"}, {"pattern", "^(" + joined(Kinds(), "|", func(k Kind) string { return string(k) }) + ")/"}}
	}
	if typ == reflect.TypeFor[UnchangedList]() { // it encodes as what it holds
		return m.schema(reflect.TypeFor[[]Unchanged]())
	}
	if typ.Implements(reflect.TypeFor[encoding.TextMarshaler]()) {
		return object{{"type", "string"}}
	}
	switch typ.Kind() {
	case reflect.Pointer:
		return m.schema(typ.Elem())
	case reflect.Slice:
		return object{{"type", "array"}, {"items", m.schema(typ.Elem())}}
	case reflect.Map:
		return object{{"type", "object"}, {"additionalProperties", m.schema(typ.Elem())}}
	case reflect.Struct:
		m.define(typ)
		return object{{"$ref", "#/$defs/" + typ.Name()}}
	case reflect.String:
		if values := m.values[typ.Name()]; len(values) > 0 {
			return object{{"type", "string"}, {"enum", values}}
		}
		return object{{"type", "string"}}
	case reflect.Bool:
		return object{{"type", "boolean"}}
	case reflect.Int, reflect.Int32, reflect.Int64:
		return object{{"type", "integer"}}
	case reflect.Float64:
		return object{{"type", "number"}}
	}
	m.t.Fatalf("type %s: the maker of the schema does not know it", typ)
	return nil
}

func (m *schemaMaker) define(typ reflect.Type) {
	name := typ.Name()
	if _, done := m.defs[name]; done {
		return
	}
	m.defs[name] = nil
	m.order = append(m.order, name)
	properties, required := object{}, []string{}
	for i := range typ.NumField() {
		f := typ.Field(i)
		word, options, tagged := strings.Cut(f.Tag.Get("json"), ",")
		if word == "-" || !f.IsExported() {
			continue
		}
		if word == "" {
			word = f.Name
		}
		schema := m.schema(f.Type)
		if name == "Plan" && word == "format" {
			schema = object{{"const", PlanFormat}}
		}
		if comment := m.comments[name+"."+f.Name]; comment != "" {
			schema = append(object{{"description", comment}}, schema...)
		}
		properties = append(properties, member{word, schema})
		if !tagged || !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero") {
			required = append(required, word)
		}
	}
	m.defs[name] = object{{"description", m.comments[name]}, {"type", "object"}, {"properties", properties}, {"required", required}}
}
