package main

import (
	"cmp"
	"fmt"
	"strings"
)

// Names and places of OpenAPI 3.1.
const (
	schemaPrefix   = "#/components/schemas/"
	responsePrefix = "#/components/responses/"
	plainStatus    = "google.rpc.Status"
	eventStream    = "text/event-stream"
)

// convert says in OpenAPI 3.1 what the finished Swagger 2.0 document says, and what 2.0 has no words for: several media
// types of one body, forms, samples, schemes that are more than a header.
func (f *finisher) convert(swagger *object) (*object, error) {
	schemas := pairs()
	for _, name := range swagger.object("definitions").names {
		schema, err := f.componentSchema(name, swagger.object("definitions").object(name))
		if err != nil {
			return nil, fmt.Errorf("definition %s: %w", name, err)
		}
		schemas.set(name, schema)
	}
	paths := pairs()
	for _, path := range swagger.object("paths").names {
		item := pairs()
		for _, verb := range swagger.object("paths").object(path).names {
			operation, err := f.operation(path, swagger.object("paths").object(path).object(verb))
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", strings.ToUpper(verb), path, err)
			}
			item.set(verb, operation)
		}
		paths.set(path, item)
	}
	info := copyOf(swagger.object("info"))
	info.set("license", pairs("name", "Apache-2.0", "identifier", "Apache-2.0"))
	tags, _ := swagger.get("tags").([]any)
	return markWriteOnly(pairs(
		"openapi", "3.1.0",
		"info", info,
		"servers", []any{pairs("url", "/", "description", "This gateway.")},
		"tags", tags,
		"x-tagGroups", tagGroups(tags),
		"paths", paths,
		"components", pairs(
			"schemas", schemas,
			"responses", f.responses(),
			"securitySchemes", securitySchemes(),
		),
	)), nil
}

// copyOf copies an object, but not what it holds.
func copyOf(o *object) *object {
	c := pairs()
	for _, name := range o.names {
		c.set(name, o.get(name))
	}
	return c
}

// tagGroups groups the tags by portal, for viewers that know the extension.
func tagGroups(tags []any) []any {
	groups := pairs()
	for _, tag := range tags {
		name, _ := tag.(*object).get("name").(string)
		portal, _, _ := strings.Cut(name, ".")
		members, _ := groups.get(portal).([]any)
		groups.set(portal, append(members, name))
	}
	var list []any
	for _, portal := range groups.names {
		list = append(list, pairs("name", portal, "tags", groups.get(portal)))
	}
	return list
}

// operation converts one operation.
func (f *finisher) operation(path string, from *object) (*object, error) {
	id, _ := from.get("operationId").(string)
	portal, name, _ := strings.Cut(id, "_")
	r, err := f.named(portal, name)
	if err != nil {
		return nil, err
	}
	e := f.entries[portal+"."+name]
	to := pairs()
	for _, member := range []string{"tags", "summary", "description", "operationId", "deprecated"} {
		if value := from.get(member); value != nil {
			to.set(member, value)
		}
	}
	parameters, body := splitParameters(from)
	if len(parameters) > 0 {
		to.set("parameters", parameters)
	}
	if body != nil {
		to.set("requestBody", f.requestBody(body, from, r, e))
	}
	to.set("responses", operationResponses(path, from, r, e))
	for _, member := range from.names {
		if member == "security" || strings.HasPrefix(member, "x-") {
			to.set(member, from.get(member))
		}
	}
	return to, nil
}

// named finds the RPC of a portal by its name.
func (f *finisher) named(portal, name string) (rpc, error) {
	for _, full := range sortedKeys(f.rpcs) {
		if r := f.rpcs[full]; r.portal == portal && r.name == name {
			return r, nil
		}
	}
	return rpc{}, fmt.Errorf("operation %s_%s: no rpc", portal, name)
}

// splitParameters converts the parameters and takes out the body.
func splitParameters(from *object) (converted []any, body *object) {
	parameters, _ := from.get("parameters").([]any)
	for _, parameter := range parameters {
		p, _ := parameter.(*object)
		if p.get("in") == "body" {
			body = p
			continue
		}
		converted = append(converted, convertParameter(p))
	}
	return converted, body
}

// convertParameter moves what describes the value into a schema.
func convertParameter(from *object) *object {
	to, schema := pairs(), pairs()
	for _, name := range from.names {
		switch name {
		case "name", "in", "description", "required":
			to.set(name, from.get(name))
		case "collectionFormat": // multi, which is what 3.1 takes for granted
		default:
			schema.set(name, from.get(name))
		}
	}
	if to.get("required") == false {
		to.remove("required")
	}
	to.set("schema", convertSchema(schema))
	return to
}

// requestBody describes each media type that a body may have.
func (f *finisher) requestBody(body, from *object, r rpc, e entry) *object {
	content := pairs()
	types, _ := from.get("consumes").([]any)
	if len(types) == 0 {
		content.set(jsonType, withSamples(pairs("schema", convertSchema(body.object("schema"))), e.requests))
	}
	for _, mediaType := range types {
		content.set(mediaType.(string), pairs("schema", rawSchema(mediaType.(string), e.form)))
	}
	if r.otherRequest != "" {
		content.set(r.otherRequest, pairs("schema", rawSchema(r.otherRequest, e.form)))
	}
	if takesManifest(r) {
		for _, mediaType := range []string{"application/yaml", "text/csv"} {
			content.set(mediaType, pairs("schema", rawSchema(mediaType, nil)))
		}
	}
	to := pairs()
	if description, _ := body.get("description").(string); description != "" {
		to.set("description", description)
	}
	to.set("required", true)
	to.set("content", content)
	return to
}

// takesManifest tells whether an operation of the gateway's own takes a manifest as the body itself: the rest of its
// request then is the query.
func takesManifest(r rpc) bool {
	manifest := fieldOf(r.input, "manifest")
	return r.source == "" && manifest != nil && manifest.IsList() && manifest.Message() != nil
}

// rawSchema describes a body that is not JSON.
func rawSchema(mediaType string, form []documented) *object {
	bare, _, _ := strings.Cut(mediaType, ";")
	switch {
	case bare == formType && len(form) > 0:
		return formSchema(form)
	case strings.HasPrefix(bare, "text/") || bare == "application/yaml" || bare == "application/xml":
		return pairs("type", "string")
	}
	return pairs("type", "string", "format", "binary")
}

// formSchema describes the fields of a form.
func formSchema(form []documented) *object {
	properties := pairs()
	var required []any
	for _, field := range form {
		property := pairs("type", cmp.Or(field.Type, "string"))
		if field.Description != "" {
			property.set("description", capital(field.Description)+".")
		}
		if len(field.Enum) > 0 {
			var values []any
			for _, value := range field.Enum {
				values = append(values, value)
			}
			property.set("enum", values)
		}
		if strings.HasSuffix(field.Name, "token") || field.Name == "code" {
			property.set("format", "password")
		}
		properties.set(field.Name, property)
		if field.Required {
			required = append(required, field.Name)
		}
	}
	return pairs("type", "object", "properties", properties, "required", required)
}

// operationResponses describes the success in each media type, and the refusals.
func operationResponses(path string, from *object, r rpc, e entry) *object {
	to := pairs()
	responses := from.object("responses")
	for _, status := range responses.names {
		if status == "default" {
			continue
		}
		answer := responses.object(status)
		converted := pairs("description", answer.get("description"))
		if headers := answer.object("headers"); headers != nil {
			converted.set("headers", convertHeaders(headers))
		}
		if content := answerContent(answer, from, r, e); len(content.names) > 0 {
			converted.set("content", content)
		}
		to.set(status, converted)
	}
	prefix := ""
	if strings.HasPrefix(path, rainbowPrefix) {
		prefix = "Rainbow"
		to.set("401", pairs("$ref", responsePrefix+"RainbowUnauthorized"))
	} else {
		to.set("403", pairs("$ref", responsePrefix+"Forbidden"))
	}
	for _, sample := range e.errors {
		if status := fmt.Sprint(sample.value.get("errorCode")); len(status) == 3 {
			addDocumentedError(to, status, sample)
		}
	}
	to.set("4XX", pairs("$ref", responsePrefix+prefix+"Refused"))
	to.set("5XX", pairs("$ref", responsePrefix+prefix+"Failed"))
	to.sort()
	return to
}

// addDocumentedError adds a refusal for which the guides have a sample.
func addDocumentedError(responses *object, status string, documented sample) {
	text, _ := documented.value.get("errorMsg").(string)
	responses.set(status, pairs(
		"description", cmp.Or(text, "Refused."),
		"content", pairs(jsonType, withSamples(pairs("schema", pairs("$ref", schemaPrefix+rainbowError)), []sample{documented})),
	))
}

func convertHeaders(headers *object) *object {
	to := pairs()
	for _, name := range headers.names {
		h := headers.object(name)
		to.set(name, pairs("description", h.get("description"), "schema", pairs("type", h.get("type"))))
	}
	return to
}

// answerContent describes each media type of a success.
func answerContent(answer, from *object, r rpc, e entry) *object {
	content := pairs()
	schema := answer.object("schema")
	if schema == nil {
		return content
	}
	if schema.get("type") == "file" {
		types, _ := from.get("produces").([]any)
		for _, mediaType := range types {
			content.set(mediaType.(string), pairs("schema", rawSchema(mediaType.(string), nil)))
		}
		return content
	}
	content.set(jsonType, withSamples(pairs("schema", convertSchema(schema)), e.replies))
	if r.otherAnswer != "" {
		content.set(r.otherAnswer, pairs("schema", rawSchema(r.otherAnswer, nil)))
	}
	if r.streams {
		content.set(eventStream, pairs("schema", rawSchema(eventStream, nil)))
	}
	return content
}

// withSamples adds the documented samples to a media type.
func withSamples(media *object, samples []sample) *object {
	if len(samples) == 0 {
		return media
	}
	examples := pairs()
	for _, s := range samples {
		examples.set(s.name, pairs("summary", s.name, "description", "As documented, credentials masked.", "value", s.value))
	}
	media.set("examples", examples)
	return media
}
