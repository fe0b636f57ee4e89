package main

import "strings"

// componentSchema converts a definition, and says which members are deprecated.
func (f *finisher) componentSchema(name string, definition *object) (*object, error) {
	schema := convertSchema(definition)
	message := f.message(name)
	properties := schema.object("properties")
	if properties == nil || message == nil {
		return schema, nil
	}
	for _, property := range properties.names {
		descriptor := fieldOf(message, property)
		if descriptor == nil {
			continue
		}
		field, err := f.field(descriptor)
		if err != nil {
			return nil, err
		}
		if field.deprecated {
			properties.object(property).set("deprecated", true)
		}
	}
	return schema, nil
}

// convertSchema copies a schema with its references moved, and says in the words of JSON Schema 2020-12 what 2.0 says in
// its own.
func convertSchema(from *object) *object {
	to := pairs()
	for _, name := range from.names {
		to.set(name, convertMember(from.get(name)))
	}
	if ref, ok := to.get("$ref").(string); ok {
		to.set("$ref", schemaPrefix+strings.TrimPrefix(ref, refPrefix))
	}
	if to.get("format") == "byte" {
		to.remove("format")
		to.set("contentEncoding", "base64")
	}
	for bound, exclusive := range map[string]string{"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"} {
		if to.get(exclusive) == true {
			to.set(exclusive, to.get(bound))
			to.remove(bound)
		}
	}
	return to
}

// convertMember converts what is a schema or holds schemas. Properties are taken for a schema, too: a property named
// format or $ref is an object, never a string.
func convertMember(value any) any {
	switch v := value.(type) {
	case *object:
		return convertSchema(v)
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = convertMember(v[i])
		}
		return list
	}
	return value
}

// markWriteOnly marks credentials of messages that only requests have: no answer shows them.
func markWriteOnly(document *object) *object {
	answered := reachable(document)
	schemas := document.object("components").object("schemas")
	for _, name := range schemas.names {
		properties := schemas.object(name).object("properties")
		if answered[name] || properties == nil {
			continue
		}
		for _, property := range properties.names {
			if p := properties.object(property); p.get("format") == "password" {
				p.set("writeOnly", true)
			}
		}
	}
	return document
}

// reachable lists the schemas that answers refer to, themselves or through others.
func reachable(document *object) map[string]bool {
	schemas := document.object("components").object("schemas")
	seen := map[string]bool{}
	var walk func(value any)
	walk = func(value any) {
		switch v := value.(type) {
		case []any:
			for _, element := range v {
				walk(element)
			}
		case *object:
			if ref, _ := v.get("$ref").(string); strings.HasPrefix(ref, schemaPrefix) {
				if name := strings.TrimPrefix(ref, schemaPrefix); !seen[name] {
					seen[name] = true
					walk(schemas.get(name))
				}
			}
			for _, name := range v.names {
				walk(v.get(name))
			}
		}
	}
	_ = eachOperation(document.object("paths"), func(_, _ string, operation *object) error {
		walk(operation.get("responses"))
		return nil
	})
	return seen
}
