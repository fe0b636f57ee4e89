package main

import (
	"encoding/json"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// constraint is what the rules of buf.validate say about a field, in the words of Swagger 2.0.
type constraint struct {
	required bool
	whole    *object // of the value
	items    *object // of the elements of a list
}

// constraintOf translates the rules of a field; what JSON Schema can't say (CEL) is left out.
func constraintOf(f field) constraint {
	c := constraint{whole: pairs(), items: pairs()}
	if f.rules == nil {
		return c
	}
	f.rules.Range(func(rule protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case rule.Name() == "required":
			c.required = value.Bool()
		case rule.Name() == "repeated":
			c.repeated(value.Message())
		case rule.Message() != nil && !rule.IsList() && !f.IsList() && !f.IsMap():
			scalar(c.whole, value.Message())
		}
		return true
	})
	return c
}

// repeated translates the rules of a list and those of its elements.
func (c *constraint) repeated(rules protoreflect.Message) {
	rules.Range(func(rule protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch rule.Name() {
		case "min_items":
			c.whole.set("minItems", number(value))
		case "max_items":
			c.whole.set("maxItems", number(value))
		case "unique":
			c.whole.set("uniqueItems", value.Bool())
		case "items":
			value.Message().Range(func(kind protoreflect.FieldDescriptor, of protoreflect.Value) bool {
				if kind.Message() != nil && !kind.IsList() {
					scalar(c.items, of.Message())
				}
				return true
			})
		}
		return true
	})
	c.whole.sort()
}

// apply adds the keywords to a schema or parameter.
func (c *constraint) apply(schema *object) {
	for _, name := range c.whole.names {
		schema.set(name, c.whole.get(name))
	}
	if items := schema.object("items"); items != nil {
		for _, name := range c.items.names {
			items.set(name, c.items.get(name))
		}
	}
}

// keyword is the JSON Schema keyword of a rule for strings or numbers, empty for none.
func keyword(rule protoreflect.Name) string {
	switch rule {
	case "min_len":
		return "minLength"
	case "max_len":
		return "maxLength"
	case "pattern":
		return "pattern"
	case "gte", "gt":
		return "minimum"
	case "lte", "lt":
		return "maximum"
	}
	return ""
}

// scalar translates the rules of one string or number.
func scalar(schema *object, rules protoreflect.Message) {
	rules.Range(func(rule protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch name := rule.Name(); {
		case name == "in":
			var values []any
			for i := range value.List().Len() {
				values = append(values, number(value.List().Get(i)))
			}
			schema.set("enum", values)
		case name == "const":
			schema.set("enum", []any{number(value)})
		case name == "len":
			schema.set("minLength", number(value))
			schema.set("maxLength", number(value))
		case name == "email" || name == "hostname" || name == "ipv4" || name == "ipv6" || name == "uri" || name == "uuid":
			schema.set("format", string(name))
		case keyword(name) != "" && !(name == "pattern" && strings.HasPrefix(value.String(), "(?")): // flags are Go's own
			schema.set(keyword(name), number(value))
			if name == "gt" || name == "lt" {
				schema.set("exclusive"+capital(keyword(name)), true)
			}
		}
		return true
	})
	schema.sort() // the rules come in no order
}

// number is a value as JSON has it: strings and booleans as they are.
func number(value protoreflect.Value) any {
	switch v := value.Interface().(type) {
	case string, bool:
		return v
	case float32, float64:
		return json.Number(strconv.FormatFloat(value.Float(), 'g', -1, 64))
	default:
		return json.Number(value.String())
	}
}
