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
)

// finish returns the document as the gateway serves it.
func finish(text []byte, rpcs map[string]rpc) ([]byte, error) {
	root, err := parse(text)
	if err != nil {
		return nil, err
	}
	root.set("info", information())
	root.remove("tags")
	root.set("securityDefinitions", securityDefinitions())
	root.set("security", []any{
		pairs("authorization", []any{}), pairs("apiKey", []any{}), pairs(),
	})
	definitions := root.object("definitions")
	if definitions == nil {
		return nil, fmt.Errorf("definitions: missing")
	}
	definitions.set(rainbowError, errorDefinition())
	for _, name := range definitions.names {
		openDefinition(definitions.object(name))
	}
	paths := root.object("paths")
	if paths == nil {
		return nil, fmt.Errorf("paths: missing")
	}
	for _, path := range paths.names {
		for _, verb := range paths.object(path).names {
			if err := finishOperation(path, paths.object(path).object(verb), rpcs); err != nil {
				return nil, fmt.Errorf("%s %s: %w", strings.ToUpper(verb), path, err)
			}
		}
	}
	renameVariables(paths)
	prune(root)
	return print(root)
}

func information() *object {
	return pairs(
		"title", "Rainbow Gateway",
		"description", "Rainbow's provisioning portals as the gateway mirrors them, byte for byte, and its own "+
			"services below /v1/. An operation whose x-rainbow-source is not \"guide\" stands in none of the portals' "+
			"guides: sdk is the vendor's public clients, docs its published path list, inferred a sibling operation.",
		"license", pairs("name", "Apache-2.0"),
		"version", "v1",
	)
}

func securityDefinitions() *object {
	header := func(name, description string) *object {
		return pairs("type", "apiKey", "name", name, "in", "header", "description", description)
	}
	return pairs(
		"authorization", header("Authorization", "Bearer and the token that Login answers; Login itself takes Basic."),
		"apiKey", header("x-rainbow-api-key", "An API key of a user instead of a token."),
	)
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

// openDefinition says of a message with extra_json that its JSON may have members the message does not name.
func openDefinition(definition *object) {
	if definition == nil {
		return
	}
	properties := definition.object("properties")
	if properties == nil || properties.get("extraJson") == nil {
		return
	}
	properties.remove("extraJson")
	definition.set("additionalProperties", true)
}

func finishOperation(path string, operation *object, rpcs map[string]rpc) error {
	r, err := rpcOf(operation, rpcs)
	if err != nil {
		return err
	}
	operation.set("operationId", r.portal+"_"+r.name)
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
	if err := rawRequest(operation, r); err != nil {
		return err
	}
	return rawAnswer(operation, r)
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
		fallback.set("description", "Refused.")
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

// pluginVariable is what the plugin makes of companies/*: it cuts the last letter of the collection's name.
const (
	pluginVariable = "companie"
	variable       = "company"
)

// renameVariables spells the path variable of a company as it is written, and names the variable that takes the rest of
// a path, which the plugin leaves as **.
func renameVariables(paths *object) {
	for i, path := range paths.names {
		renamed := strings.ReplaceAll(path, "{"+pluginVariable+"}", "{"+variable+"}")
		if head, rest := strings.CutSuffix(renamed, "/**"); rest {
			renamed = head + "/{" + restVariable(paths.object(path), head) + "}"
		}
		if renamed == path {
			continue
		}
		item := paths.object(path)
		delete(paths.members, path)
		paths.names[i], paths.members[renamed] = renamed, item
		for _, verb := range item.names {
			parameters, _ := item.object(verb).get("parameters").([]any)
			for _, parameter := range parameters {
				if p, _ := parameter.(*object); p.get("name") == pluginVariable {
					p.set("name", variable)
				}
			}
		}
	}
}

// restVariable is the path parameter of an item that its path does not name.
func restVariable(item *object, path string) string {
	for _, verb := range item.names {
		parameters, _ := item.object(verb).get("parameters").([]any)
		for _, parameter := range parameters {
			p, _ := parameter.(*object)
			if name, _ := p.get("name").(string); p.get("in") == "path" && !strings.Contains(path, "{"+name+"}") {
				return name
			}
		}
	}
	return "**"
}

// prune removes definitions that nothing refers to any more.
func prune(root *object) {
	definitions := root.object("definitions")
	used := map[string]bool{}
	var mark func(value any)
	mark = func(value any) {
		switch v := value.(type) {
		case []any:
			for _, element := range v {
				mark(element)
			}
		case *object:
			for _, name := range v.names {
				mark(v.members[name])
			}
			ref, _ := v.get("$ref").(string)
			if name, ok := strings.CutPrefix(ref, refPrefix); ok && !used[name] {
				used[name] = true
				mark(definitions.get(name))
			}
		}
	}
	mark(root.get("paths"))
	for _, name := range append([]string(nil), definitions.names...) {
		if !used[name] {
			definitions.remove(name)
		}
	}
}
