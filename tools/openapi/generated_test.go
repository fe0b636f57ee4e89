package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// committed reads a document as it is committed.
func committed(t *testing.T, name string) *object {
	t.Helper()
	text, err := os.ReadFile("../../gen/openapi/" + name)
	if err != nil {
		t.Fatal(err)
	}
	root, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// operationLines lists the operations of a document, each with the parameters that are not in the body.
func operationLines(t *testing.T, root *object) []string {
	t.Helper()
	var lines []string
	err := eachOperation(root.object("paths"), func(path, verb string, operation *object) error {
		var named []string
		parameters, _ := operation.get("parameters").([]any)
		for _, parameter := range parameters {
			if p, _ := parameter.(*object); p.get("in") != "body" {
				named = append(named, fmt.Sprint(p.get("in"), ":", p.get("name"), ":", p.get("required") == true))
			}
		}
		lines = append(lines, fmt.Sprint(verb, " ", path, " ", operation.get("operationId"), " ", operation.get("deprecated"), " ", named))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func TestBothDocumentsHaveTheSameOperations(t *testing.T) {
	swagger, openapi := operationLines(t, committed(t, swaggerName)), operationLines(t, committed(t, openapiName))
	if len(swagger) < 168 {
		t.Errorf("%d operations in the document, want at least the 168 of the catalogue", len(swagger))
	}
	for i, line := range swagger {
		if i >= len(openapi) || openapi[i] != line {
			t.Fatalf("2.0 has %s, and 3.1 at its place %s", line, openapi[min(i, len(openapi)-1)])
		}
	}
	if len(openapi) != len(swagger) {
		t.Errorf("%d operations in 3.1, %d in 2.0", len(openapi), len(swagger))
	}
}

// TestPathsNameTheirParameters holds every path of the committed documents against its parameters.
func TestPathsNameTheirParameters(t *testing.T) {
	variable := regexp.MustCompile(`\{([A-Za-z0-9_.]+)\}`)
	for _, name := range []string{swaggerName, openapiName} {
		_ = eachOperation(committed(t, name).object("paths"), func(path, verb string, operation *object) error {
			var want, got []string
			for _, m := range variable.FindAllStringSubmatch(path, -1) {
				want = append(want, m[1])
			}
			for _, p := range pathParameters(operation) {
				got = append(got, fmt.Sprint(p.get("name")))
			}
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%s: %s %s: path parameters are %q, the path names %q", name, verb, path, got, want)
			}
			return nil
		})
	}
}

func TestReferencesOfTheDocumentsLeadSomewhere(t *testing.T) {
	for _, name := range []string{swaggerName, openapiName} {
		root := committed(t, name)
		references := 0
		var walk func(value any)
		walk = func(value any) {
			switch v := value.(type) {
			case []any:
				for _, element := range v {
					walk(element)
				}
			case *object:
				for _, member := range v.names {
					walk(v.get(member))
				}
				ref, ok := v.get("$ref").(string)
				if !ok {
					return
				}
				references++
				at := root
				for step := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
					at = at.object(step)
				}
				if at == nil {
					t.Errorf("%s: %s leads nowhere", name, ref)
				}
			}
		}
		walk(root)
		if references == 0 {
			t.Errorf("%s: no references", name)
		}
	}
}

func TestSecurityNamesSchemesThatAreDefined(t *testing.T) {
	for name, schemes := range map[string]*object{
		swaggerName: committed(t, swaggerName).object("securityDefinitions"),
		openapiName: committed(t, openapiName).object("components").object("securitySchemes"),
	} {
		_ = eachOperation(committed(t, name).object("paths"), func(path, verb string, operation *object) error {
			ways, given := operation.get("security").([]any)
			if !given {
				t.Errorf("%s: %s %s: no security", name, verb, path)
			}
			for _, way := range ways {
				for _, scheme := range way.(*object).names {
					if schemes.object(scheme) == nil {
						t.Errorf("%s: %s %s: scheme %s is not defined", name, verb, path, scheme)
					}
				}
			}
			return nil
		})
	}
}

// TestDocumentsSayWhatTheProtosSay takes one place of each kind.
func TestDocumentsSayWhatTheProtosSay(t *testing.T) {
	swagger, openapi := committed(t, swaggerName), committed(t, openapiName)
	authorize := operation(openapi, "/api/rainbow/authentication/v1.0/oauth/authorize", "get")
	var grant *object
	for _, parameter := range authorize.get("parameters").([]any) {
		if p := parameter.(*object); p.get("name") == "response_type" {
			grant = p
		}
	}
	password := openapi.object("components").object("schemas").object("rainbow.admin.v1.CreateUserBody").object("properties").object("password")
	answered := openapi.object("components").object("schemas").object("rainbow.authentication.v1.LoginResponse").object("properties").object("token")
	welcome := "/api/rainbow/rvcpprovisioning/v1.0/cloudpbxs/{systemId}/ivrs/welcomes"
	form := operation(openapi, "/api/rainbow/authentication/v1.0/oauth/token", "post").object("requestBody").object("content").object(formType)
	greeting := operation(openapi, "/api/rainbow/rvcpprovisioning/v1.0/cloudpbxs/{systemId}/greetings/{fileId}", "get")
	watch := operation(openapi, "/v1/companies/{company}/runs/{run}:watch", "get")
	cases := []struct {
		name      string
		got, want any
	}{
		{"a rule makes a parameter required", grant.get("required"), true},
		{"a rule lists the documented values", fmt.Sprint(grant.object("schema").get("enum")), "[code token]"},
		{"a redirect is not called 200", authorize.object("responses").names[0], "302"},
		{"a credential is a password", password.get("format"), "password"},
		{"one that no answer shows is only written", password.get("writeOnly"), true},
		{"one that an answer shows is not", answered.get("writeOnly"), nil},
		{"a deprecated operation is one in 2.0", operation(swagger, welcome, "post").get("deprecated"), true},
		{"and in 3.1", operation(openapi, welcome, "post").get("deprecated"), true},
		{"a form has its fields", form.object("schema").object("properties").names[0], "grant_type"},
		{"an answer is JSON or audio", fmt.Sprint(greeting.object("responses").object("200").object("content").names), "[application/json audio/*]"},
		{"a stream is JSON or events", fmt.Sprint(watch.object("responses").object("200").object("content").names), "[application/json text/event-stream]"},
		{"a tag has the comment of its service", openapi.get("tags").([]any)[0].(*object).get("description") != nil, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.got != c.want {
				t.Errorf("got %v, want %v", c.got, c.want)
			}
		})
	}
}

// TestDocumentsHoldNoCredentials looks for what the samples of the guides have and the documents must not.
func TestDocumentsHoldNoCredentials(t *testing.T) {
	text, err := os.ReadFile("../../gen/openapi/" + openapiName)
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{
		`"(password|sipPassword|jid_password|token|access_token|refresh_token)": "[^*"]`,
		`@[a-z0-9.-]+\.(com|fr|org|cloud|net)\b`,
	} {
		if found := regexp.MustCompile(pattern).Find(text); found != nil {
			t.Errorf("the document has %s", found)
		}
	}
}
