package conformance_test

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"pgregory.net/rapid"

	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream/jsoncodec"
)

// drawn writes a JSON text of values that are drawn.
type drawn struct {
	t *rapid.T
	b strings.Builder
}

// document draws a text for a message: some of its members, fitting or not, others that it does not have, spaced
// somehow; sometimes no object at all. No name repeats.
func document(t *rapid.T, md protoreflect.MessageDescriptor) []byte {
	d := &drawn{t: t}
	d.space()
	if d.chance(12) {
		d.any(0)
	} else {
		d.object(md, 0)
	}
	d.space()
	return []byte(d.b.String())
}

// listDocument draws a text for an answer that is a list of messages.
func listDocument(t *rapid.T, md protoreflect.MessageDescriptor) []byte {
	d := &drawn{t: t}
	if d.chance(6) {
		return document(t, md)
	}
	d.array(rapid.IntRange(0, 3).Draw(t, "elements"), func() {
		if d.chance(8) {
			d.any(1)
		} else {
			d.object(md, 1)
		}
	})
	return []byte(d.b.String())
}

// chance is true once in n.
func (d *drawn) chance(n int) bool { return rapid.IntRange(1, n).Draw(d.t, "chance") == n }

// spaces are what may stand between tokens; nothing is the most frequent.
func spaces() []string { return []string{"", "", "", "", " ", "\n\t", "\r\n  "} }

func (d *drawn) space() { d.b.WriteString(rapid.SampledFrom(spaces()).Draw(d.t, "space")) }

func (d *drawn) write(text string) {
	d.b.WriteString(text)
	d.space()
}

func (d *drawn) array(n int, element func()) {
	d.write("[")
	for i := range n {
		if i > 0 {
			d.write(",")
		}
		element()
	}
	d.write("]")
}

// object draws an object of a message.
func (d *drawn) object(md protoreflect.MessageDescriptor, depth int) {
	var fields []protoreflect.FieldDescriptor
	for i := range md.Fields().Len() {
		if fd := md.Fields().Get(i); fd.Name() != jsoncodec.ExtraName && !d.chance(2) {
			fields = append(fields, fd)
		}
	}
	used := map[string]bool{}
	members := make([]func(), 0, len(fields)+3)
	for _, fd := range fields {
		used[fd.JSONName()] = true
		members = append(members, func() {
			d.name(fd.JSONName())
			d.field(fd, depth+1)
		})
	}
	members = append(members, d.unknown(md, used, depth)...)
	if len(members) > 1 {
		members = rapid.Permutation(members).Draw(d.t, "order")
	}
	d.write("{")
	for i, member := range members {
		if i > 0 {
			d.write(",")
		}
		member()
	}
	d.write("}")
}

// unknownNames are members that no message has, as their strings are written.
func unknownNames() []string {
	return []string{`""`, `"x"`, `"extra_json"`, `"a\/b~0"`, `"\u0069\u0064x"`, `"é\u00e9\n"`, `"😀"`, `"\ud83d\ude00 "`, `"\ud800"`, `"a.b[0]"`, `"__proto__"`, `"\"\\"`}
}

func (d *drawn) unknown(md protoreflect.MessageDescriptor, used map[string]bool, depth int) []func() {
	var members []func()
	for _, quoted := range rapid.SliceOfNDistinct(rapid.SampledFrom(unknownNames()), 0, 3, rapid.ID).Draw(d.t, "unknown") {
		if name := strings.Trim(quoted, `"`); used[name] || md.Fields().ByJSONName(name) != nil {
			continue
		}
		members = append(members, func() {
			d.write(quoted)
			d.write(":")
			d.any(depth + 1)
		})
	}
	return members
}

// name writes a member's name, sometimes with an escape.
func (d *drawn) name(name string) {
	if d.chance(10) {
		name = fmt.Sprintf(`\u%04x`, name[0]) + name[1:]
	}
	d.write(`"` + name + `"`)
	d.write(":")
}

// field draws a value for a field, which one time in six does not care for its type.
func (d *drawn) field(fd protoreflect.FieldDescriptor, depth int) {
	switch {
	case d.chance(6):
		d.any(depth)
	case fd.IsList():
		d.array(rapid.IntRange(0, 3).Draw(d.t, "elements"), func() {
			if d.chance(12) {
				d.any(depth + 1)
			} else {
				d.single(fd, depth+1)
			}
		})
	default:
		d.single(fd, depth)
	}
}

func (d *drawn) single(fd protoreflect.FieldDescriptor, depth int) {
	switch fd.Kind() {
	case protoreflect.MessageKind:
		if depth > 5 {
			d.write("{}")
			return
		}
		d.object(fd.Message(), depth)
	case protoreflect.BoolKind:
		d.write(rapid.SampledFrom([]string{"true", "false"}).Draw(d.t, "bool"))
	case protoreflect.StringKind:
		d.string()
	default:
		d.number()
	}
}

// odd numbers: beyond a double's precision and range, and spelled otherwise than a program would.
func oddNumbers() []string {
	return []string{"9007199254740993", "1.10", "1e400", "-0", "1E5", "0", "-1", "0.1", "1e-7", "2147483648", "-2147483648", "100", "1.0", "4.35", "-0.0", "1e+21", "123456789012345678901234567890"}
}

func (d *drawn) number() {
	if d.chance(2) {
		d.write(rapid.SampledFrom(oddNumbers()).Draw(d.t, "number"))
		return
	}
	d.write(fmt.Sprint(rapid.Int32().Draw(d.t, "number")))
}

// strings, as they are written: escapes that need not be, controls, pairs and lone halves of surrogates.
func oddStrings() []string {
	return []string{`""`, `"a"`, `"\u00e9\/\b\f\n\r\t\u0000"`, `"😀 \ud83d\ude00"`, `"\ud800"`, `"x\udc00\ud800"`, `"<>&'` + "\u2028\u2029" + `"`, `"\\u0041"`, `"\u0041"`, `"\"{}[],:"`, `"4"`, `"null"`}
}

func (d *drawn) string() {
	if d.chance(2) {
		d.write(rapid.SampledFrom(oddStrings()).Draw(d.t, "string"))
		return
	}
	text := rapid.StringOfN(rapid.RuneFrom([]rune("abc ÄßЖ漢😀\u007f")), 0, 12, -1).Draw(d.t, "text")
	d.write(`"` + text + `"`)
}

// any draws a value of any type.
func (d *drawn) any(depth int) {
	kind := rapid.IntRange(0, 7).Draw(d.t, "kind")
	if depth > 5 {
		kind %= 4
	}
	switch kind {
	case 0:
		d.write("null")
	case 1:
		d.write(rapid.SampledFrom([]string{"true", "false"}).Draw(d.t, "bool"))
	case 2:
		d.number()
	case 3:
		d.string()
	case 4:
		d.array(rapid.IntRange(0, 3).Draw(d.t, "elements"), func() { d.any(depth + 1) })
	case 5: // office hours are lists within lists within lists
		d.array(1, func() { d.array(2, func() { d.array(2, d.string) }) })
	case 6:
		d.write("{}")
	default:
		d.write("{")
		d.name("y")
		d.any(depth + 1)
		d.write(",")
		d.write(`"z\u0000"`)
		d.write(":")
		d.any(depth + 1)
		d.write("}")
	}
}
