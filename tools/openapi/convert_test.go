package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// converted is the sample document in OpenAPI 3.1.
func converted(t *testing.T, change func(*finisher)) *object {
	t.Helper()
	f := sampleFinisher()
	if change != nil {
		change(f)
	}
	swagger, err := f.finish([]byte(sampleDocument))
	if err != nil {
		t.Fatal(err)
	}
	root, err := f.convert(swagger)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func TestBodiesAndAnswersHaveTheirMediaTypes(t *testing.T) {
	const get, post = "/api/rainbow/admin/v1.0/users/{userId}", "/api/rainbow/admin/v1.0/users"
	root := converted(t, func(f *finisher) {
		r := f.rpcs["rainbow.admin.v1.UsersService.GetUser"]
		r.otherAnswer = "audio/*"
		f.rpcs["rainbow.admin.v1.UsersService.GetUser"] = r
	})
	content := operation(root, get, "get").object("responses").object("200").object("content")
	if got := strings.Join(content.names, " "); got != "application/json audio/*" {
		t.Errorf("a JSON operation whose twin answers audio answers %q", got)
	}
	if got := content.object("application/json").object("schema").get("$ref"); got != "#/components/schemas/User" {
		t.Errorf("schema is %v", got)
	}
	sent := operation(root, post, "post").object("requestBody").object("content")
	if got := sent.object("text/csv").object("schema").get("type"); got != "string" {
		t.Errorf("a CSV body has type %v, want string", got)
	}
}

func TestSamplesOfTheCatalogueStandBesideTheirSchema(t *testing.T) {
	responses := operation(converted(t, nil), "/api/rainbow/admin/v1.0/users/{userId}", "get").object("responses")
	examples := responses.object("200").object("content").object(jsonType).object("examples")
	if examples.object("GetUser.response").object("value") == nil {
		t.Error("the answer has no sample")
	}
	conflict := responses.object("409")
	if conflict.get("description") != "Conflict" || conflict.object("content").object(jsonType).object("examples") == nil {
		t.Errorf("the documented refusal is %v", conflict)
	}
}

func TestRefusalsAreSharedAndHaveTheShapeOfTheirPath(t *testing.T) {
	root := converted(t, nil)
	for path, want := range map[string]string{
		"/api/rainbow/admin/v1.0/users/{userId}": "200 401 409 4XX 5XX",
		"/v1/companies/{company}/plans":          "403 4XX 5XX",
	} {
		if got := strings.Join(operation(root, path, "get").object("responses").names, " "); got != want {
			t.Errorf("%s answers %q, want %q", path, got, want)
		}
	}
	refused := root.object("components").object("responses").object("RainbowRefused")
	if got := refused.object("content").object(jsonType).object("schema").get("$ref"); got != "#/components/schemas/rainbow.Error" {
		t.Errorf("Rainbow's refusal has the schema %v", got)
	}
}

func TestCallersAreTheOnesThatTheGatewayTakes(t *testing.T) {
	login := rpc{portal: "authentication", service: "Authentication", name: "Login", source: "sdk", noCredentials: true}
	f := sampleFinisher()
	f.entries["authentication.Login"] = entry{headers: []documented{
		{Name: "Authorization", Value: "Basic base64(login:password)"}, {Name: "x-rainbow-app-auth", Value: "Basic …"},
	}}
	anyone := `[{"bearer":[]},{"apiKey":[],"challenge":[],"appAuth":[]},{}]`
	cases := []struct {
		name, path string
		rpc        rpc
		want       string
	}{
		{"a portal's operation may be called as the service account", "/api/rainbow/admin/v1.0/users", sampleRPCs()["rainbow.admin.v1.UsersService.GetUser"], anyone},
		{"the authentication portal never is", "/api/rainbow/authentication/v1.0/renew", rpc{source: "sdk", service: "Authentication"}, `[{"bearer":[]},{"apiKey":[],"challenge":[],"appAuth":[]}]`},
		{"login takes what its headers say", "/api/rainbow/authentication/v1.0/login", login, `[{"basic":[],"appAuth":[]}]`},
		{"the gateway's own take nobody's credentials", "/v1/companies/{company}/plans", rpc{}, `[]`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := json.Marshal(f.security(c.path, c.rpc))
			if err != nil || string(got) != c.want {
				t.Errorf("got %s (%v), want %s", got, err, c.want)
			}
		})
	}
}

func TestPathsThatDifferInNamesOnlyBecomeOne(t *testing.T) {
	item := func(verb, name string) *object {
		return pairs(verb, pairs("parameters", []any{pairs("name", name, "in", "path", "description", "Id.")}))
	}
	paths := pairs("/greetings/{fileId}", item("delete", "fileId"), "/greetings/{greetingId}", item("get", "greetingId"))
	if err := mergePaths(paths); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(paths.names, " "); got != "/greetings/{fileId}" {
		t.Fatalf("paths are %q", got)
	}
	p := pathParameters(paths.object("/greetings/{fileId}").object("get"))[0]
	if p.get("name") != "fileId" || p.get("description") != "greetingId: Id." {
		t.Errorf("the parameter is %v: %v", p.get("name"), p.get("description"))
	}
	twice := pairs("/a/{b}", item("get", "b"), "/a/{c}", item("get", "c"))
	if err := mergePaths(twice); err == nil || !strings.Contains(err.Error(), "GET /a/{c}") {
		t.Errorf("two operations in one place: %v", err)
	}
}

func TestSchemasSpeakOf2020(t *testing.T) {
	schema := convertSchema(pairs("properties", pairs(
		"file", pairs("type", "string", "format", "byte"),
		"size", pairs("type", "integer", "minimum", json.Number("0"), "exclusiveMinimum", true),
		"part", pairs("$ref", "#/definitions/Part"),
	)))
	got, err := json.Marshal(schema)
	want := `{"properties":{"file":{"type":"string","contentEncoding":"base64"},` +
		`"size":{"type":"integer","exclusiveMinimum":0},"part":{"$ref":"#/components/schemas/Part"}}}`
	if err != nil || strings.ReplaceAll(string(got), "\n", "") != want {
		t.Errorf("got  %s (%v)\nwant %s", got, err, want)
	}
}

func TestSamplesHoldNoCredentialsAndNobodysAddress(t *testing.T) {
	value, err := parse([]byte(`{"data":[{"password":"7i695y8i","login":"user@ale-international.com","sip":"81001@10.1.2.3"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(mask(value, map[string]bool{"password": true}))
	want := `{"data":[{"password":"********","login":"user@company.example","sip":"81001@10.1.2.3"}]}`
	if err != nil || strings.ReplaceAll(string(got), "\n", "") != want {
		t.Errorf("got  %s (%v)\nwant %s", got, err, want)
	}
}

func TestSummariesAreOneSentence(t *testing.T) {
	cases := []struct{ name, text, summary, description string }{
		{"the name in front goes", "GetUser reads a user.", "Reads a user", ""},
		{"the rest is the description", "GetUser reads a user. Ids are\n24 characters.", "Reads a user", "Ids are\n24 characters."},
		{"an abbreviation ends nothing", "Codes e.g. 409 are Rainbow's. More.", "Codes e.g. 409 are Rainbow's", "More."},
		{"a decimal ends nothing", "Lasts 1.5 s.", "Lasts 1.5 s", ""},
		{"a long sentence is cut and kept",
			"Buys an offer for a company: a partner for one of its end customers, or a distributor for one of its resellers, and so on.",
			"Buys an offer for a company",
			"Buys an offer for a company: a partner for one of its end customers, or a distributor for one of its resellers, and so on."},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if summary, description := describe(c.text, "GetUser"); summary != c.summary || description != c.description {
				t.Errorf("got %q and %q", summary, description)
			}
		})
	}
}
