package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Schema is the JSON Schema (draft 2020-12) of YAML manifests, made from the tables that the reader works by. Editors
// complete and check by it; it takes a little more than the reader does.
func Schema() []byte {
	f := newForms()
	s := &schema{definitions: map[string]any{}}
	root := s.object(f.manifest)
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$id"] = "https://github.com/rainbow-gateway/rainbow-gateway/docs/manifest.schema.json"
	root["title"] = "Manifest of Rainbow Gateway"
	root["$defs"] = s.definitions
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(root); err != nil {
		panic(fmt.Sprintf("schema does not encode: %v", err)) // it is plain data
	}
	return b.Bytes()
}

type schema struct {
	definitions map[string]any
}

// object is the schema of a form.
func (s *schema) object(f *form) map[string]any {
	properties := map[string]any{}
	var required []string
	for i := range f.fields {
		field := &f.fields[i]
		of := s.shape(&field.shape)
		of["description"] = field.doc
		if field.required && field.shape.kind == shapeList {
			of["minItems"] = 1
		}
		properties[field.name] = of
		if field.required {
			required = append(required, field.name)
		}
	}
	o := map[string]any{"type": "object", "description": f.doc, "properties": properties, "additionalProperties": false}
	if f.exactly != nil {
		var one []any
		for _, name := range f.exactly {
			one = append(one, map[string]any{"required": []string{name}})
		}
		o["oneOf"] = one
	}
	if required != nil {
		o["required"] = required
	}
	return o
}

// shape is the schema of a shape. Single values may be written in any of YAML's types: they are taken by their text.
func (s *schema) shape(of *shape) map[string]any {
	switch of.kind {
	case shapeList:
		return s.nullable(of, map[string]any{"type": "array", "items": s.shape(of.item)})
	case shapeObject:
		if s.definitions[of.form.name] == nil {
			s.definitions[of.form.name] = true // a form may hold itself
			s.definitions[of.form.name] = s.object(of.form)
		}
		return s.nullable(of, map[string]any{"$ref": "#/$defs/" + of.form.name})
	case shapeNames:
		return s.nullable(of, map[string]any{"type": "object", "additionalProperties": s.shape(of.item)})
	case shapeEither:
		all := make([]any, 0, len(of.either))
		for i := range of.either {
			all = append(all, s.shape(&of.either[i]))
		}
		return s.nullable(of, map[string]any{"anyOf": all})
	case shapeBoolean:
		return s.nullable(of, map[string]any{"anyOf": []any{map[string]any{"type": "boolean"}, expansion()}})
	case shapeWhole:
		return s.nullable(of, map[string]any{"anyOf": []any{map[string]any{"type": "integer", "minimum": of.least, "maximum": of.most}, expansion()}})
	}
	if of.choices != nil {
		return s.nullable(of, map[string]any{"anyOf": []any{map[string]any{"enum": choices(of.choices)}, expansion()}})
	}
	types := []any{"string", "number", "boolean"}
	if of.null {
		types = append(types, "null")
	}
	text := map[string]any{"type": types}
	switch {
	case of.pattern != "":
		text["pattern"] = of.pattern
	case !of.null:
		text["pattern"] = `\S`
	}
	return text
}

// choices lists the allowed texts, a number also as a number.
func choices(texts []string) []any {
	var all []any
	for _, t := range texts {
		all = append(all, t)
		if allDigits(t) {
			all = append(all, json.Number(t))
		}
	}
	return all
}

// expansion is a text that takes its value from a variable.
func expansion() map[string]any { return map[string]any{"type": "string", "pattern": `\$\{`} }

func (s *schema) nullable(of *shape, schema map[string]any) map[string]any {
	if !of.null && !of.blank {
		return schema
	}
	return map[string]any{"anyOf": []any{schema, map[string]any{"type": "null"}}}
}
