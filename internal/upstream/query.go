package upstream

import (
	"net/url"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// ReadQuery sets the query parameters of m, a message of Input's type, from a raw query as far as they fit: the first
// value that fits counts, and what is not of a parameter's kind is left out. It is for those who look at a request that
// goes upstream as it came.
func (b *Binding) ReadQuery(query string, m protoreflect.Message) {
	for query != "" && len(b.Query) > 0 {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		name, value, _ := strings.Cut(pair, "=")
		field := b.queryField(unescape(name))
		if field == nil || m.Has(field) && !field.IsList() {
			continue
		}
		if v, ok := queryValue(field, unescape(value)); ok {
			setQuery(m, field, v)
		}
	}
}

// queryField finds a parameter by its name; there are few.
func (b *Binding) queryField(name string) protoreflect.FieldDescriptor {
	for i := range b.Query {
		if b.Query[i].Name == name {
			return b.Query[i].Field
		}
	}
	return nil
}

func setQuery(m protoreflect.Message, field protoreflect.FieldDescriptor, v protoreflect.Value) {
	if field.IsList() {
		m.Mutable(field).List().Append(v)
		return
	}
	m.Set(field, v)
}

// queryValue reads one value; ok is false when it is not of the field's kind.
func queryValue(field protoreflect.FieldDescriptor, text string) (v protoreflect.Value, ok bool) {
	switch field.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(strings.ToValidUTF8(text, "\uFFFD")), true
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(text == "true"), text == "true" || text == "false"
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		n, err := strconv.ParseInt(text, 10, 32)
		return protoreflect.ValueOfInt32(int32(n)), err == nil
	case protoreflect.DoubleKind:
		n, err := strconv.ParseFloat(text, 64)
		return protoreflect.ValueOfFloat64(n), err == nil
	}
	return protoreflect.Value{}, false
}

func unescape(text string) string {
	if strings.IndexByte(text, '%') < 0 && strings.IndexByte(text, '+') < 0 {
		return text
	}
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}
