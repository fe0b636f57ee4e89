package conformance_test

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// tree is a JSON value as its text has it: a number with its spelling, a string with its lone surrogates, an object
// with the order of its members. encoding/json keeps none of the three.
type tree struct {
	kind    byte   // '{' '[' '"' '0' (a number) 't' (a literal)
	text    string // of a number or a literal; of a string its UTF-16 code units
	names   []string
	members []tree // of an object, beside names; of an array
}

// readTree reads a whole text.
func readTree(text []byte) (tree, error) {
	r := treeReader{rest: string(text)}
	v, err := r.value()
	if err == nil && r.skip() != 0 {
		err = fmt.Errorf("something behind the value: %.40q", r.rest)
	}
	return v, err
}

type treeReader struct{ rest string }

// skip passes white space and returns the byte that comes next, 0 at the end.
func (r *treeReader) skip() byte {
	r.rest = strings.TrimLeft(r.rest, " \t\r\n")
	if r.rest == "" {
		return 0
	}
	return r.rest[0]
}

func (r *treeReader) value() (tree, error) {
	switch c := r.skip(); {
	case c == '{' || c == '[':
		return r.nested(c)
	case c == '"':
		text, err := r.string()
		return tree{kind: '"', text: text}, err
	default:
		n := strings.IndexAny(r.rest+" ", " \t\r\n,]}")
		v := tree{kind: 't', text: r.rest[:n]}
		r.rest = r.rest[n:]
		switch v.text {
		case "true", "false", "null":
			return v, nil
		}
		v.kind = '0'
		if !strings.ContainsAny(v.text, "0123456789") {
			return v, fmt.Errorf("no value: %.40q", v.text)
		}
		return v, nil
	}
}

func (r *treeReader) nested(begin byte) (tree, error) {
	v, end := tree{kind: begin}, begin+2
	r.rest = r.rest[1:]
	for first := true; ; first = false {
		switch c := r.skip(); {
		case c == end:
			r.rest = r.rest[1:]
			return v, nil
		case first:
		case c != ',':
			return v, fmt.Errorf("no comma: %.40q", r.rest)
		default:
			r.rest = r.rest[1:]
		}
		if begin == '{' {
			if r.skip() != '"' {
				return v, fmt.Errorf("no name: %.40q", r.rest)
			}
			name, err := r.string()
			if err != nil || r.skip() != ':' {
				return v, fmt.Errorf("no name: %.40q, %v", r.rest, err)
			}
			r.rest = r.rest[1:]
			v.names = append(v.names, name)
		}
		member, err := r.value()
		if err != nil {
			return v, err
		}
		v.members = append(v.members, member)
	}
}

// string reads a string as the code units of UTF-16, each as three bytes, so that lone surrogates are kept apart.
func (r *treeReader) string() (string, error) {
	r.rest = r.rest[1:]
	var units []uint16
	for {
		if r.rest == "" {
			return "", fmt.Errorf("string without end")
		}
		c, size := utf8.DecodeRuneInString(r.rest)
		r.rest = r.rest[size:]
		switch {
		case c == '"':
			return fmt.Sprintf("%x", units), nil
		case c != '\\':
			units = utf16.AppendRune(units, c)
			continue
		}
		if r.rest == "" {
			return "", fmt.Errorf("string without end")
		}
		escape := r.rest[0]
		r.rest = r.rest[1:]
		if i := strings.IndexByte(`"\/bfnrt`, escape); i >= 0 {
			units = append(units, uint16("\"\\/\b\f\n\r\t"[i]))
			continue
		}
		if escape != 'u' || len(r.rest) < 4 {
			return "", fmt.Errorf("no escape: %c", escape)
		}
		unit, err := strconv.ParseUint(r.rest[:4], 16, 16)
		if err != nil {
			return "", err
		}
		units, r.rest = append(units, uint16(unit)), r.rest[4:]
	}
}

// differs says where two values are not the same, "" when they are: numbers by spelling, strings decoded, members in
// any order.
func differs(a, b tree, place string) string {
	if a.kind != b.kind || a.text != b.text || len(a.members) != len(b.members) {
		return fmt.Sprintf("%s: %c %s with %d members, then %c %s with %d", place, a.kind, a.text, len(a.members), b.kind, b.text, len(b.members))
	}
	if a.kind == '[' {
		for i := range a.members {
			if d := differs(a.members[i], b.members[i], fmt.Sprintf("%s/%d", place, i)); d != "" {
				return d
			}
		}
		return ""
	}
	other := map[string]tree{}
	for i, name := range b.names {
		other[name] = b.members[i]
	}
	for i, name := range a.names {
		if _, there := other[name]; !there {
			return fmt.Sprintf("%s: member %s is gone", place, name)
		}
		if d := differs(a.members[i], other[name], place+"/"+name); d != "" {
			return d
		}
	}
	return ""
}
