package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// bending changes the JSON document of an answer, which stays JSON.
type bending struct {
	extraMembers int
	drift        *Drift
	dice         *rand.Rand
}

// apply bends a JSON answer; others stay as they are.
func (b bending) apply(a *capturedAnswer) {
	if !strings.HasPrefix(a.header.Get("Content-Type"), "application/json") {
		return
	}
	d := json.NewDecoder(bytes.NewReader(a.body.Bytes()))
	d.UseNumber()
	root, err := readNode(d)
	if err != nil {
		return
	}
	if b.drift != nil {
		b.drift.apply(root, b.dice)
	}
	b.extend(root)
	a.body.Reset()
	root.write(&a.body)
}

// extend adds members to objects at random depth, of any type.
func (b bending) extend(root *jsonNode) {
	var objects []*jsonNode
	root.walk(func(n *jsonNode, _ string) {
		if n.open == '{' {
			objects = append(objects, n)
		}
	})
	if len(objects) == 0 {
		return
	}
	values := []string{`"later"`, `17`, `0.5`, `true`, `null`, `[]`, `["a",1,null]`, `{}`, `{"id":"5b7d0c0ffee0000000000fff","nested":{"level":2}}`}
	for range b.extraMembers {
		object := objects[b.dice.IntN(len(objects))]
		object.names = append(object.names, fmt.Sprintf("undocumented%08x", b.dice.Uint32()))
		object.items = append(object.items, &jsonNode{text: values[b.dice.IntN(len(values))]})
	}
}

// apply changes the type of every member of the name, or of one at random.
func (f *Drift) apply(root *jsonNode, dice *rand.Rand) {
	var found []*jsonNode
	root.walk(func(n *jsonNode, name string) {
		if name != "" && (f.Member == name || f.Member == "" && n.open != '{') {
			found = append(found, n)
		}
	})
	if f.Member == "" && len(found) > 0 {
		found = found[dice.IntN(len(found)):][:1]
	}
	for _, n := range found {
		n.turnInto(f.To, dice)
	}
}

// jsonNode is a JSON value whose members keep their order and whose numbers
// keep their spelling.
type jsonNode struct {
	open  byte   // { or [; 0 is a scalar
	text  string // of a scalar, as JSON
	names []string
	items []*jsonNode
}

func readNode(d *json.Decoder) (*jsonNode, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	delimiter, opens := token.(json.Delim)
	if !opens {
		text, err := json.Marshal(token)
		return &jsonNode{text: string(text)}, err
	}
	n := &jsonNode{open: byte(delimiter)}
	for d.More() {
		if n.open == '{' {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			n.names = append(n.names, fmt.Sprint(name))
		}
		item, err := readNode(d)
		if err != nil {
			return nil, err
		}
		n.items = append(n.items, item)
	}
	_, err = d.Token()
	return n, err
}

// walk visits a value and all below it; name is that of a member, else empty.
func (n *jsonNode) walk(visit func(n *jsonNode, name string)) {
	n.walkAs("", visit)
}

func (n *jsonNode) walkAs(name string, visit func(n *jsonNode, name string)) {
	visit(n, name)
	for i, item := range n.items {
		if n.open == '{' {
			item.walkAs(n.names[i], visit)
		} else {
			item.walkAs("", visit)
		}
	}
}

func (n *jsonNode) write(b *bytes.Buffer) {
	if n.open == 0 {
		b.WriteString(n.text)
		return
	}
	b.WriteByte(n.open)
	for i, item := range n.items {
		if i > 0 {
			b.WriteByte(',')
		}
		if n.open == '{' {
			name, _ := json.Marshal(n.names[i])
			b.Write(name)
			b.WriteByte(':')
		}
		item.write(b)
	}
	b.WriteByte(n.open + 2) // } is two behind {, ] two behind [
}

// turnInto gives a value another type, or leaves it when it has that one.
func (n *jsonNode) turnInto(kind string, dice *rand.Rand) {
	if kind == "" {
		others := []string{}
		for _, k := range []string{"string", "number", "bool", "null", "list"} {
			if k != n.kind() {
				others = append(others, k)
			}
		}
		kind = others[dice.IntN(len(others))]
	}
	if kind == n.kind() {
		return
	}
	switch kind {
	case "string":
		text, _ := json.Marshal(n.json())
		*n = jsonNode{text: string(text)}
	case "number":
		*n = jsonNode{text: n.number()}
	case "bool":
		*n = jsonNode{text: "true"}
	case "null":
		*n = jsonNode{text: "null"}
	case "list":
		item := *n
		*n = jsonNode{open: '[', items: []*jsonNode{&item}}
	}
}

func (n *jsonNode) json() string {
	var b bytes.Buffer
	n.write(&b)
	return b.String()
}

func (n *jsonNode) kind() string {
	if n.open == '[' {
		return "list"
	}
	if n.open == '{' {
		return "object"
	}
	switch n.text[0] {
	case '"':
		return "string"
	case 't', 'f':
		return "bool"
	case 'n':
		return "null"
	}
	return "number"
}

// number is the value as a number: digits as they are, but for leading zeros
// and a plus sign, which JSON has not; else what there is to count.
func (n *jsonNode) number() string {
	switch n.kind() {
	case "bool":
		return map[string]string{"true": "1", "false": "0"}[n.text]
	case "null":
		return "0"
	case "string":
		var text string
		_ = json.Unmarshal([]byte(n.text), &text) // it was read from JSON
		if digits := strings.TrimLeft(text, "+0"); digits != "" && strings.Trim(digits, "0123456789") == "" {
			return digits
		}
		return strconv.Itoa(len(text))
	}
	return strconv.Itoa(len(n.items))
}
