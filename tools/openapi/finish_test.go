package main

import (
	"encoding/json"
	"strings"
	"testing"
)

const sampleDocument = `{
  "info": {"title": "x.proto"},
  "tags": [{"name": "rainbow.admin.v1.UsersService"}],
  "paths": {
    "/api/rainbow/admin/v1.0/users/{userId}": {"get": {
      "operationId": "UsersService_GetUser",
      "responses": {"200": {"schema": {"$ref": "#/definitions/User"}}, "default": {"schema": {"$ref": "#/definitions/google.rpc.Status"}}},
      "tags": ["rainbow.admin.v1.UsersService"]}},
    "/api/rainbow/admin/v1.0/users": {"post": {
      "operationId": "UsersService_ImportUsers",
      "parameters": [{"name": "body", "in": "body", "schema": {"$ref": "#/definitions/google.api.HttpBody"}}],
      "responses": {"200": {"schema": {"$ref": "#/definitions/google.api.HttpBody"}}},
      "tags": ["rainbow.admin.v1.UsersService"]}},
    "/v1/companies/{companie}/plans": {"get": {
      "operationId": "PlansService_ListPlans",
      "parameters": [{"name": "companie", "in": "path", "required": true, "type": "string"}],
      "responses": {"default": {"schema": {"$ref": "#/definitions/google.rpc.Status"}}},
      "tags": ["rainbow.sync.v1.PlansService"]}}
  },
  "definitions": {
    "User": {"type": "object", "properties": {
      "zeta": {"type": "string"}, "alpha": {"$ref": "#/definitions/Part"}, "extraJson": {"type": "string", "format": "byte"}}},
    "Part": {"type": "object", "properties": {"a": {"type": "string"}}},
    "google.api.HttpBody": {"type": "object", "properties": {"extensions": {"$ref": "#/definitions/google.protobuf.Any"}}},
    "google.protobuf.Any": {"type": "object"},
    "google.rpc.Status": {"type": "object"}
  }
}`

func sampleRPCs() map[string]rpc {
	return map[string]rpc{
		"rainbow.admin.v1.UsersService.GetUser": {
			portal: "admin", service: "Users", name: "GetUser", source: "sdk", idempotent: true, roles: []any{"company_admin"}},
		"rainbow.admin.v1.UsersService.ImportUsers": {
			portal: "admin", service: "Users", name: "ImportUsers", source: "guide", requestType: "text/csv", answerType: "text/plain"},
		"rainbow.sync.v1.PlansService.ListPlans": {portal: "sync", service: "Plans", name: "ListPlans"},
	}
}

// sampleFinisher finishes the sample document; it has no descriptors and a catalogue of one operation.
func sampleFinisher() *finisher {
	reply, refusal := pairs("data", pairs("zeta", "z")), pairs("errorCode", json.Number("409"), "errorMsg", "Conflict")
	return &finisher{
		contract: &contract{rpcs: sampleRPCs(), tags: map[string]string{"admin.Users": "Reads users."}},
		catalogue: &catalogue{entries: map[string]entry{"admin.GetUser": {
			replies: []sample{{"GetUser.response", reply}},
			errors:  []sample{{"GetUser.error409", refusal}},
		}}},
	}
}

func finished(t *testing.T) *object {
	t.Helper()
	root, err := sampleFinisher().finish([]byte(sampleDocument))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func operation(root *object, path, verb string) *object {
	return root.object("paths").object(path).object(verb)
}

func TestExtraJSONBecomesAdditionalProperties(t *testing.T) {
	user := finished(t).object("definitions").object("User")
	if got := strings.Join(user.object("properties").names, " "); got != "zeta alpha" {
		t.Errorf("properties are %q, want them in their order and without extraJson", got)
	}
	if user.get("additionalProperties") != true {
		t.Error("additionalProperties is not true")
	}
	if part := finished(t).object("definitions").object("Part"); part.get("additionalProperties") != nil {
		t.Error("a message without extra_json allows additional properties")
	}
}

func TestOperationsSayWhatTheOptionsSay(t *testing.T) {
	get := operation(finished(t), "/api/rainbow/admin/v1.0/users/{userId}", "get")
	for name, want := range map[string]any{
		"operationId": "admin_GetUser", "x-rainbow-source": "sdk", "x-rainbow-idempotent": true,
	} {
		if got := get.get(name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if roles, _ := get.get("x-rainbow-roles").([]any); len(roles) != 1 || roles[0] != "company_admin" {
		t.Errorf("roles are %v", roles)
	}
}

func TestErrorsHaveTheShapeOfTheirPath(t *testing.T) {
	root := finished(t)
	for path, want := range map[string]string{
		"/api/rainbow/admin/v1.0/users/{userId}": "#/definitions/rainbow.Error",
		"/v1/companies/{company}/plans":          "#/definitions/google.rpc.Status",
	} {
		got := operation(root, path, "get").object("responses").object("default").object("schema").get("$ref")
		if got != want {
			t.Errorf("%s: error schema is %v, want %s", path, got, want)
		}
	}
}

func TestPathVariablesAreSpelledAsWritten(t *testing.T) {
	list := operation(finished(t), "/v1/companies/{company}/plans", "get")
	if list == nil {
		t.Fatal("no path /v1/companies/{company}/plans")
	}
	if got := list.get("parameters").([]any)[0].(*object).get("name"); got != "company" {
		t.Errorf("parameter is %v, want company", got)
	}
}

func TestRawBodiesHaveTheirMediaType(t *testing.T) {
	root := finished(t)
	post := operation(root, "/api/rainbow/admin/v1.0/users", "post")
	if got, _ := post.get("consumes").([]any); len(got) != 1 || got[0] != "text/csv" {
		t.Errorf("consumes %v, want text/csv", got)
	}
	if got, _ := post.get("produces").([]any); len(got) != 1 || got[0] != "text/plain" {
		t.Errorf("produces %v, want text/plain", got)
	}
	body := post.get("parameters").([]any)[0].(*object)
	if got := body.object("schema").get("format"); got != "binary" {
		t.Errorf("body's format is %v, want binary", got)
	}
	for _, name := range []string{"google.api.HttpBody", "google.protobuf.Any"} {
		if root.object("definitions").get(name) != nil {
			t.Errorf("definition %s is still there, though nothing refers to it", name)
		}
	}
}

func TestAFaultNamesItsOperation(t *testing.T) {
	withoutType := sampleRPCs()
	withoutType["rainbow.admin.v1.UsersService.ImportUsers"] = rpc{portal: "admin", name: "ImportUsers", source: "guide"}
	unknown := sampleRPCs()
	delete(unknown, "rainbow.admin.v1.UsersService.GetUser")
	cases := []struct {
		name string
		rpcs map[string]rpc
		want string
	}{
		{"a raw body without a media type", withoutType, "request_media_type is empty"},
		{"an operation of no known rpc", unknown, "no rpc rainbow.admin.v1.UsersService.GetUser"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := sampleFinisher()
			f.rpcs = c.rpcs
			_, err := f.finish([]byte(sampleDocument))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want it to say %q", err, c.want)
			}
		})
	}
}
