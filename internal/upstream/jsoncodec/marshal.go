package jsoncodec

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// ContentError is a message that can't be written as a document: its sender's fault.
type ContentError struct {
	// Pointer is the place as a JSON pointer: "/phoneNumbers/3/number"; "" is the document.
	Pointer string
	Reason  string
}

func (e *ContentError) Error() string {
	if e.Pointer == "" {
		return "body: " + e.Reason
	}
	return fmt.Sprintf("body at %s: %s", e.Pointer, e.Reason)
}

func content(reason string) error { return &ContentError{Reason: reason} }

// within says that err happened in the member, or at the index, name.
func within(name string, err error) error {
	if e := (*ContentError)(nil); errors.As(err, &e) {
		return &ContentError{Pointer: "/" + escapePointer(name) + e.Pointer, Reason: e.Reason}
	}
	return err
}

func escapePointer(name string) string {
	if !strings.ContainsAny(name, "~/") {
		return name
	}
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

// Append appends msg, which must be of the compiled type, to dst as a JSON object; or, when no typed field is set and
// extra_json is another value, as that. Its errors are *ContentError.
func (m *Message) Append(dst []byte, msg proto.Message) ([]byte, error) {
	b := m.tables.get()
	defer m.tables.put(b)
	wire, err := proto.MarshalOptions{Deterministic: true}.MarshalAppend(b.wire[:0], msg)
	if err != nil {
		return dst, content("a string is not UTF-8")
	}
	b.wire = wire
	out, err := appendObject(dst, wire, m)
	if err != nil {
		return dst, err
	}
	return out, nil
}

// appendObject appends the message wire, whose records come in the order of proto.Marshal: a repeated field's in one
// run.
func appendObject(dst, wire []byte, m *Message) ([]byte, error) {
	var met seen
	var extra []byte
	dst = append(dst, '{')
	start := len(dst)
	for len(wire) > 0 {
		number, kind, n := protowire.ConsumeTag(wire)
		if n < 0 {
			return dst, content("malformed message")
		}
		if number == ExtraNumber && kind == protowire.BytesType {
			value, size := protowire.ConsumeBytes(wire[n:])
			extra, wire = value, wire[n+size:]
			continue
		}
		index := m.index(number)
		if index < 0 {
			return dst, content("field number " + strconv.Itoa(int(number)) + " is not known here")
		}
		f := &m.fields[index]
		if !f.fits(wire, kind) {
			return dst, within(f.name, content("field has another type here"))
		}
		if met.has(index) {
			return dst, within(f.name, content("field comes twice"))
		}
		met.add(index)
		if len(dst) > start {
			dst = append(dst, ',')
		}
		dst = append(dst, f.quoted...)
		var err error
		if dst, wire, err = appendField(dst, wire, f); err != nil {
			return dst, within(f.name, err)
		}
	}
	if len(extra) == 0 {
		return append(dst, '}'), nil
	}
	pos, err := checkExtra(extra, m, &met)
	switch {
	case err != nil:
		return dst, err
	case extra[pos] == '{':
		return append(appendMembers(dst, extra[pos:], len(dst) > start), '}'), nil
	case len(dst) > start:
		return dst, within(ExtraName, content("not a JSON object, beside fields that are set"))
	}
	return append(dst[:start-1], bytes.TrimSpace(extra)...), nil
}

// fits tells whether the record that wire begins with is one of f's; a record that is not was unknown to the message.
func (f *field) fits(wire []byte, kind protowire.Type) bool {
	packed := f.repeated && f.wire != protowire.BytesType && kind == protowire.BytesType
	return packed || bytes.HasPrefix(wire, f.tag)
}

func (m *Message) index(number protowire.Number) int {
	if int(number) >= len(m.byNumber) {
		return -1
	}
	return int(m.byNumber[number]) - 1
}

// appendField appends the value of f, whose first record wire begins with, and returns what is left of wire.
func appendField(dst, wire []byte, f *field) ([]byte, []byte, error) {
	if !f.repeated {
		return appendSingle(dst, wire[len(f.tag):], f)
	}
	if !bytes.HasPrefix(wire, f.tag) {
		return appendPacked(dst, wire, f)
	}
	dst = append(dst, '[')
	for i := 0; bytes.HasPrefix(wire, f.tag); i++ {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, wire, err = appendSingle(dst, wire[len(f.tag):], f); err != nil {
			return dst, wire, within(strconv.Itoa(i), err)
		}
	}
	return append(dst, ']'), wire, nil
}

// appendPacked appends a packed list of scalars.
func appendPacked(dst, wire []byte, f *field) ([]byte, []byte, error) {
	_, _, n := protowire.ConsumeTag(wire)
	values, size := protowire.ConsumeBytes(wire[n:])
	if size < 0 {
		return dst, wire, content("malformed message")
	}
	dst = append(dst, '[')
	for i := 0; len(values) > 0; i++ {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, values, err = appendSingle(dst, values, f); err != nil {
			return dst, wire, within(strconv.Itoa(i), err)
		}
	}
	return append(dst, ']'), wire[n+size:], nil
}

// appendSingle appends the value that wire begins with and returns what is left of wire.
func appendSingle(dst, wire []byte, f *field) ([]byte, []byte, error) {
	switch f.wire {
	case protowire.BytesType:
		value, n := protowire.ConsumeBytes(wire)
		if n < 0 {
			return dst, wire, content("malformed message")
		}
		if f.kind == kindString {
			return appendString(dst, value), wire[n:], nil
		}
		dst, err := appendObject(dst, value, f.message)
		return dst, wire[n:], err
	case protowire.VarintType:
		value, n := protowire.ConsumeVarint(wire)
		if n < 0 {
			return dst, wire, content("malformed message")
		}
		return appendVarint(dst, value, f.kind), wire[n:], nil
	case protowire.Fixed64Type:
		bits, n := protowire.ConsumeFixed64(wire)
		if n < 0 {
			return dst, wire, content("malformed message")
		}
		dst, err := appendFinite(dst, math.Float64frombits(bits), 64)
		return dst, wire[n:], err
	default:
		bits, n := protowire.ConsumeFixed32(wire)
		if n < 0 {
			return dst, wire, content("malformed message")
		}
		dst, err := appendFinite(dst, float64(math.Float32frombits(bits)), 32)
		return dst, wire[n:], err
	}
}

func appendVarint(dst []byte, value uint64, k kind) []byte {
	switch k {
	case kindBool:
		return strconv.AppendBool(dst, value != 0)
	case kindUint32:
		return strconv.AppendUint(dst, value, 10)
	default:
		return strconv.AppendInt(dst, int64(value), 10)
	}
}

func appendFinite(dst []byte, f float64, bits int) ([]byte, error) {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return dst, content("number is not finite")
	}
	return appendFloat(dst, f, bits), nil
}

// extraLimits bound one extra_json; the size of the whole message is bounded by who reads it.
var extraLimits = Limits{Depth: 100}

// appendMembers appends the members of the object that extra is to an open object.
func appendMembers(dst, extra []byte, comma bool) []byte {
	members := bytes.TrimSpace(extra)
	members = bytes.TrimSpace(members[1 : len(members)-1])
	if len(members) == 0 {
		return dst
	}
	if comma {
		dst = append(dst, ',')
	}
	return append(dst, members...)
}

// checkExtra makes sure that extra may go upstream, and that no member of it is typed as well. pos is where its value
// begins.
func checkExtra(extra []byte, m *Message, met *seen) (pos int, err error) {
	if err := Check(extra, extraLimits); err != nil {
		return 0, within(ExtraName, content(err.Error()))
	}
	begin := skipSpace(extra, 0)
	if extra[begin] != '{' {
		return begin, nil
	}
	pos = skipSpace(extra, begin+1)
	for extra[pos] != '}' {
		end, what, _ := scanString(extra, pos) // Check has seen it all
		if i := m.lookup(extra[pos+1:end-1], what, len(m.fields)); i >= 0 && met.has(i) {
			return begin, within(m.fields[i].name, content("member is both a field and in "+ExtraName))
		}
		pos, _ = skipColon(extra, end)
		pos, _ = skipValue(extra, pos)
		if pos = skipSpace(extra, pos); extra[pos] == ',' {
			pos = skipSpace(extra, pos+1)
		}
	}
	return begin, nil
}
