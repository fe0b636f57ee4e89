package jsoncodec

import (
	"fmt"
	"slices"
	"strings"
)

// Part is m for a reader who looks at some fields alone. Its Unmarshal and Wire pass over the members of all other names, known
// or not; of the named ones, those that no field can hold are in extra_json as ever. Where a document is no object, or no JSON,
// it makes no difference.
//
// Fields are named as in JSON, those of a message within behind a dot: "data.id". A message that is named itself is read as a
// whole. A name that is no field's is an error.
func (m *Message) Part(names ...string) (*Message, error) {
	whole, within := map[string]bool{}, map[string][]string{}
	for _, name := range names {
		first, rest, nested := strings.Cut(name, ".")
		i, known := m.byName[first]
		switch {
		case !known:
			return nil, fmt.Errorf("message %s: no field %q", m.name, first)
		case nested && m.fields[i].kind != kindMessage:
			return nil, fmt.Errorf("message %s: field %q is no message, and has no %q", m.name, first, rest)
		case nested:
			within[first] = append(within[first], rest)
		default:
			whole[first] = true
		}
	}
	part := *m
	part.fields = slices.Clone(m.fields)
	part.part = true
	for i := range part.fields {
		f := &part.fields[i]
		wanted, named := within[f.name]
		f.passed = !named && !whole[f.name]
		if !named || whole[f.name] {
			continue
		}
		var err error
		if f.message, err = f.message.Part(wanted...); err != nil {
			return nil, err
		}
	}
	return &part, nil
}
