package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// object is a JSON object that keeps the order of its members: the order of fields in a message is worth reading.
type object struct {
	names   []string
	members map[string]any
}

// pairs makes an object of alternating names and values.
func pairs(namesAndValues ...any) *object {
	o := &object{}
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		o.set(namesAndValues[i].(string), namesAndValues[i+1])
	}
	return o
}

// get returns the member, nil when there is none; a nil object has none.
func (o *object) get(name string) any {
	if o == nil {
		return nil
	}
	return o.members[name]
}

// object returns the member when it is an object, else nil.
func (o *object) object(name string) *object {
	member, _ := o.get(name).(*object)
	return member
}

// set changes the member, or appends it.
func (o *object) set(name string, value any) {
	if o.members == nil {
		o.members = map[string]any{}
	}
	if _, ok := o.members[name]; !ok {
		o.names = append(o.names, name)
	}
	o.members[name] = value
}

func (o *object) remove(name string) {
	delete(o.members, name)
	for i, n := range o.names {
		if n == name {
			o.names = append(o.names[:i:i], o.names[i+1:]...)
			return
		}
	}
}

// sort puts the members in alphabetical order, for those that come in none.
func (o *object) sort() { slices.Sort(o.names) }

// MarshalJSON writes the members in their order, without escaping for HTML.
func (o *object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	b.WriteByte('{')
	for i, name := range o.names {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := encoder.Encode(name); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := encoder.Encode(o.members[name]); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// parse reads a document whose root is an object.
func parse(text []byte) (*object, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	value, err := parseValue(decoder)
	if err != nil {
		return nil, err
	}
	root, ok := value.(*object)
	if !ok {
		return nil, errors.New("root: not an object")
	}
	return root, nil
}

func parseValue(decoder *json.Decoder) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return parseObject(decoder)
	case json.Delim('['):
		return parseArray(decoder)
	}
	return token, nil
}

func parseObject(decoder *json.Decoder) (*object, error) {
	o := &object{}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		value, err := parseValue(decoder)
		if err != nil {
			return nil, fmt.Errorf("member %v: %w", name, err)
		}
		o.set(name.(string), value)
	}
	_, err := decoder.Token()
	return o, err
}

func parseArray(decoder *json.Decoder) ([]any, error) {
	list := []any{}
	for decoder.More() {
		value, err := parseValue(decoder)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	_, err := decoder.Token()
	return list, err
}

// print renders the document with two spaces, ending in a newline.
func print(root *object) ([]byte, error) {
	text, err := json.Marshal(root)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}
