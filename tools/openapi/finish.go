package main

import (
	"cmp"
	"fmt"
	"strings"
)

const (
	rainbowPrefix = "/api/rainbow/"
	rainbowError  = "rainbow.Error"
	refPrefix     = "#/definitions/"
	jsonType      = "application/json"
	formType      = "application/x-www-form-urlencoded"
)

// finisher holds what a document is finished from.
type finisher struct {
	*contract
	*catalogue
}

// finish returns the Swagger 2.0 document as the gateway serves it.
func (f *finisher) finish(text []byte) (*object, error) {
	root, err := parse(text)
	if err != nil {
		return nil, err
	}
	root.set("info", information())
	root.set("securityDefinitions", securityDefinitions())
	root.remove("security") // each operation says its own
	definitions := root.object("definitions")
	if definitions == nil {
		return nil, fmt.Errorf("definitions: missing")
	}
	definitions.set(rainbowError, errorDefinition())
	for _, name := range definitions.names {
		if err := f.finishDefinition(name, definitions.object(name)); err != nil {
			return nil, fmt.Errorf("definition %s: %w", name, err)
		}
	}
	paths := root.object("paths")
	if paths == nil {
		return nil, fmt.Errorf("paths: missing")
	}
	err = eachOperation(paths, func(path, _ string, operation *object) error { return f.finishOperation(path, operation) })
	if err != nil {
		return nil, err
	}
	root.set("tags", f.tagList(paths))
	renameVariables(paths)
	if err := mergePaths(paths); err != nil {
		return nil, err
	}
	describeForeign(definitions)
	describePathParameters(paths)
	prune(root)
	return root, nil
}

// eachOperation calls do for every operation, and names the one at fault.
func eachOperation(paths *object, do func(path, verb string, operation *object) error) error {
	for _, path := range paths.names {
		for _, verb := range paths.object(path).names {
			if err := do(path, verb, paths.object(path).object(verb)); err != nil {
				return fmt.Errorf("%s %s: %w", strings.ToUpper(verb), path, err)
			}
		}
	}
	return nil
}

func information() *object {
	return pairs(
		"title", "Rainbow Gateway",
		"description", "Rainbow's provisioning portals as the gateway mirrors them, byte for byte, and its own "+
			"services below /v1/. An operation whose x-rainbow-source is not \"guide\" stands in none of the portals' "+
			"guides: sdk is the vendor's public clients, docs its published path list, inferred a sibling operation. "+
			"Rainbow judges what it is sent: the constraints here are those that its guides document.",
		"license", pairs("name", "Apache-2.0"),
		"version", "v1",
	)
}

// tagList describes the services that have operations, in alphabetical order.
func (f *finisher) tagList(paths *object) []any {
	used := map[string]bool{}
	_ = eachOperation(paths, func(_, _ string, operation *object) error {
		tags, _ := operation.get("tags").([]any)
		used[tags[0].(string)] = true
		return nil
	})
	var list []any
	for _, tag := range sortedKeys(used) {
		list = append(list, pairs("name", tag, "description", f.tags[tag]))
	}
	return list
}

// errorDefinition is the envelope of every refusal by upstream, and by the gateway where it mirrors upstream.
func errorDefinition() *object {
	integer := func(description string) *object {
		return pairs("type", "integer", "format", "int32", "description", description)
	}
	return pairs(
		"type", "object",
		"properties", pairs(
			"errorCode", integer("HTTP status."),
			"errorMsg", pairs("type", "string", "description", "HTTP reason."),
			"errorDetails", pairs("description", "A sentence, an object, or a list of {param, msg, value}."),
			"errorDetailsCode", integer("Six digits: the status, then the detail."),
			"errorDetailsData", pairs("type", "object", "description", "Optional, e.g. conflictWith on 409552."),
		),
		"additionalProperties", true,
		"description", "Error is Rainbow's error envelope.",
	)
}

// describeForeign describes the messages whose comments are not in our protos.
func describeForeign(definitions *object) {
	for name, description := range map[string]string{
		plainStatus:                    "Error of the gateway's own services: a code of gRPC, a message, and details.",
		"google.longrunning.Operation": "Work that goes on after the answer; name finds it again.",
	} {
		if definition := definitions.object(name); definition != nil && definition.get("description") == nil {
			definition.set("description", description)
		}
	}
}

// finishDefinition says of a message with extra_json that its JSON may have members the message does not name, which
// members are credentials, and what is documented to be right.
func (f *finisher) finishDefinition(name string, definition *object) error {
	properties := definition.object("properties")
	if properties == nil {
		return nil
	}
	if properties.get("extraJson") != nil {
		properties.remove("extraJson")
		definition.set("additionalProperties", true)
	}
	message := f.message(name)
	var required []any
	for _, property := range properties.names {
		descriptor := fieldOf(message, property)
		if descriptor == nil {
			continue
		}
		field, err := f.field(descriptor)
		if err != nil {
			return err
		}
		if finishValue(properties.object(property), field) {
			required = append(required, property)
		}
	}
	if len(required) > 0 {
		definition.set("required", required)
	}
	return nil
}

// finishValue says of a property or parameter what its field says, and tells whether it has to be given.
func finishValue(value *object, f field) (required bool) {
	if f.secret && value.get("type") == "string" {
		value.set("format", "password")
	}
	c := constraintOf(f)
	c.apply(value)
	return c.required
}

// finishParameters does the same for the parameters of an operation, which are fields of its request.
func (f *finisher) finishParameters(operation *object, r rpc) error {
	parameters, _ := operation.get("parameters").([]any)
	for _, parameter := range parameters {
		p, _ := parameter.(*object)
		name, _ := p.get("name").(string)
		descriptor := fieldOf(r.input, name)
		if descriptor == nil || p.get("in") == "body" {
			continue
		}
		field, err := f.field(descriptor)
		if err != nil {
			return err
		}
		if finishValue(p, field) {
			p.set("required", true)
		}
	}
	return nil
}

func (f *finisher) finishOperation(path string, operation *object) error {
	r, err := rpcOf(operation, f.rpcs)
	if err != nil {
		return err
	}
	operation.set("operationId", r.portal+"_"+r.name)
	operation.set("tags", []any{r.tag()})
	summarise(operation, r)
	operation.set("security", f.security(path, r))
	if r.source != "" {
		operation.set("x-rainbow-source", r.source)
		operation.set("x-rainbow-idempotent", r.idempotent)
	}
	if len(r.roles) > 0 {
		operation.set("x-rainbow-roles", r.roles)
	}
	if strings.HasPrefix(path, rainbowPrefix) {
		mirrorErrors(operation)
	}
	if err := f.finishParameters(operation, r); err != nil {
		return err
	}
	if err := rawRequest(operation, r); err != nil {
		return err
	}
	if err := rawAnswer(operation, r); err != nil {
		return err
	}
	f.redirect(operation, r)
	return nil
}

// summarise splits what the plugin made of the comment anew: one sentence, and the rest.
func summarise(operation *object, r rpc) {
	text, _ := operation.get("summary").(string)
	more, _ := operation.get("description").(string)
	summary, description := describe(text+"\n\n"+more, r.name)
	operation.set("summary", summary)
	operation.remove("description")
	if description != "" {
		operation.set("description", description)
	}
}

// redirect puts an answer under the status that the catalogue gives.
func (f *finisher) redirect(operation *object, r rpc) {
	e := f.entries[r.portal+"."+r.name]
	responses := operation.object("responses")
	if e.status == "" || responses.object("200") == nil {
		return
	}
	answer := pairs("description", "To another page; not followed.")
	headers := pairs()
	for _, header := range e.answers {
		headers.set(header.Name, pairs("type", "string", "description", header.Value))
	}
	answer.set("headers", headers)
	responses.remove("200")
	renamed := pairs(e.status, answer)
	for _, status := range responses.names {
		renamed.set(status, responses.get(status))
	}
	operation.set("responses", renamed)
	operation.remove("produces")
}

// rpcOf finds the RPC of an operation: the tag is the full name of its service, the id ends in the method.
func rpcOf(operation *object, rpcs map[string]rpc) (rpc, error) {
	id, _ := operation.get("operationId").(string)
	tags, _ := operation.get("tags").([]any)
	if len(tags) != 1 {
		return rpc{}, fmt.Errorf("operation %q: want one tag, got %v", id, tags)
	}
	_, method, _ := strings.Cut(id, "_")
	name := fmt.Sprintf("%s.%s", tags[0], method)
	r, ok := rpcs[name]
	if !ok {
		return rpc{}, fmt.Errorf("operation %q: no rpc %s", id, name)
	}
	return r, nil
}

func mirrorErrors(operation *object) {
	if fallback := operation.object("responses").object("default"); fallback != nil {
		fallback.set("description", "Refused, in Rainbow's envelope.")
		fallback.set("schema", pairs("$ref", refPrefix+rainbowError))
	}
}

// rawRequest describes a google.api.HttpBody parameter as what travels: bytes of a media type.
func rawRequest(operation *object, r rpc) error {
	parameters, _ := operation.get("parameters").([]any)
	for _, parameter := range parameters {
		p, _ := parameter.(*object)
		if p.object("schema").get("$ref") != refPrefix+httpBody {
			continue
		}
		mediaType, err := r.mediaType("request_media_type", r.requestType)
		if err != nil {
			return err
		}
		p.set("schema", pairs("type", "string", "format", "binary"))
		operation.set("consumes", []any{mediaType})
	}
	if r.otherAnswer != "" {
		operation.set("produces", []any{jsonType, r.otherAnswer})
	}
	return nil
}

// rawAnswer does the same for an answer.
func rawAnswer(operation *object, r rpc) error {
	answer := operation.object("responses").object("200")
	if answer.object("schema").get("$ref") != refPrefix+httpBody {
		return nil
	}
	mediaType, err := r.mediaType("response_media_type", r.answerType)
	if err != nil {
		return err
	}
	answer.set("schema", pairs("type", "file"))
	operation.set("produces", []any{mediaType})
	return nil
}

// mediaType returns what the option says. Only an RPC of the gateway's own may leave it open: it knows its type when
// it is called.
func (r rpc) mediaType(option, value string) (string, error) {
	if value == "" && r.source != "" {
		return "", fmt.Errorf("rpc %s: %s, but %s is empty", r.name, httpBody, option)
	}
	return cmp.Or(value, "*/*"), nil
}
