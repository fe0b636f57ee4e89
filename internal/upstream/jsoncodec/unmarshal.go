package jsoncodec

import (
	"bytes"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Unmarshal replaces the content of msg, which must be of the compiled type, by the JSON document src: an object by its
// members, any other value by extra_json alone, which then holds that value as it is spelt. It fails only if src is not
// JSON, with a *SyntaxError.
func (m *Message) Unmarshal(src []byte, msg proto.Message) error {
	return m.decode(src, func(wire []byte) error { return proto.Unmarshal(wire, msg) })
}

// Wire is Unmarshal into wire format: what proto.Unmarshal of it gives is what Unmarshal gives.
func (m *Message) Wire(src []byte) (wire []byte, err error) {
	err = m.decode(src, func(b []byte) error {
		wire = bytes.Clone(b)
		return nil
	})
	return wire, err
}

// decode hands the document in wire format to take, which must not keep it.
func (m *Message) decode(src []byte, take func(wire []byte) error) error {
	b := m.tables.get()
	defer m.tables.put(b)
	d := decoder{src: src, wire: b.wire[:0], extra: b.extra[:0]}
	pos := skipSpace(src, 0)
	if pos >= len(src) {
		return syntax(pos, reasonEnd)
	}
	var err error
	if src[pos] == '{' {
		pos, err = d.object(pos, m, 0)
	} else {
		pos, err = d.whole(pos, m.extraTag)
	}
	if err == nil {
		err = d.end(pos)
	}
	if err == nil {
		err = take(d.wire)
	}
	b.wire, b.extra = d.wire, d.extra
	return err
}

// UnmarshalField replaces the content of msg by its field fd (compiled as m when that is a message), given the value
// src of the whole document: the rule's response_body. A value that the field can't hold, an empty list too, is in
// extra_json of msg instead, as it is spelt; RequireExtra tells at start whether msg has it. It fails only if src is not
// JSON, with a *SyntaxError.
func (m *Message) UnmarshalField(src []byte, fd protoreflect.FieldDescriptor, msg proto.Message) error {
	wire, err := m.FieldWire(src, fd)
	if err != nil {
		return err
	}
	return proto.Unmarshal(wire, msg)
}

// FieldWire is UnmarshalField into wire format.
func (m *Message) FieldWire(src []byte, fd protoreflect.FieldDescriptor) (wire []byte, err error) {
	f := field{name: fd.JSONName(), kind: kindMessage, message: m, repeated: fd.IsList(), wire: protowire.BytesType,
		tag: protowire.AppendTag(nil, fd.Number(), protowire.BytesType)}
	d := decoder{src: src}
	pos := skipSpace(src, 0)
	if pos >= len(src) {
		return nil, syntax(pos, reasonEnd)
	}
	end, typed, err := d.value(pos, &f, 0)
	if err == nil && !typed {
		d.wire, d.extra = nil, nil
		end, err = d.whole(pos, protowire.AppendTag(nil, ExtraNumber, protowire.BytesType))
	}
	if err == nil {
		err = d.end(end)
	}
	return d.wire, err
}

// decoder turns JSON into wire format.
type decoder struct {
	src  []byte
	wire []byte
	// extra is a stack: each open object's members for extra_json, each member behind a comma.
	extra []byte
}

// whole keeps the value that begins at pos, which is the whole document, as text.
func (d *decoder) whole(pos int, extraTag []byte) (int, error) {
	end, err := skipValue(d.src, pos)
	if err != nil {
		return end, err
	}
	d.wire = protowire.AppendVarint(append(d.wire, extraTag...), uint64(end-pos))
	d.wire = append(d.wire, d.src[pos:end]...)
	return end, nil
}

func (d *decoder) end(pos int) error {
	if pos = skipSpace(d.src, pos); pos < len(d.src) {
		return syntax(pos, reasonTrailer)
	}
	return nil
}

// object decodes the object that begins at pos into the fields of m and returns the position behind it.
func (d *decoder) object(pos int, m *Message, depth int) (int, error) {
	o := object{message: m, start: pos, wire: len(d.wire), extra: len(d.extra), depth: depth}
	if pos = skipSpace(d.src, pos+1); pos < len(d.src) && d.src[pos] == '}' {
		return pos + 1, nil
	}
	for {
		end, err := d.member(pos, &o)
		if err != nil {
			return end, err
		}
		if pos = skipSpace(d.src, end); pos >= len(d.src) {
			return pos, syntax(pos, reasonEnd)
		}
		switch d.src[pos] {
		case ',':
			pos = skipSpace(d.src, pos+1)
		case '}':
			d.flush(&o)
			return pos + 1, nil
		default:
			return pos, syntax(pos, reasonComma)
		}
	}
}

// object is an open object.
type object struct {
	message     *Message
	depth       int
	start       int // of its text
	wire, extra int // where its own part of the two buffers begins

	met   seen // fields whose name came
	text  seen // those of them whose members are kept as text
	guess int  // the field that comes next if the document has the order of the message
}

// member decodes one member and returns the position behind it.
func (d *decoder) member(pos int, o *object) (int, error) {
	index, value, err := d.name(pos, o)
	if err != nil {
		return value, err
	}
	if value = skipSpace(d.src, value); value >= len(d.src) {
		return value, syntax(value, reasonEnd)
	}
	if o.message.part && (index < 0 || o.message.fields[index].passed) {
		return skipValue(d.src, value)
	}
	if index >= 0 && !o.text.has(index) {
		if o.met.has(index) {
			d.untype(o, index, pos)
		} else {
			o.met.add(index)
			wire, extra := len(d.wire), len(d.extra)
			end, typed, err := d.value(value, &o.message.fields[index], o.depth)
			if typed || err != nil {
				return end, err
			}
			d.wire, d.extra = d.wire[:wire], d.extra[:extra]
		}
		o.text.add(index)
	}
	end, err := skipValue(d.src, value)
	if err != nil {
		return end, err
	}
	d.keep(pos, end)
	return end, nil
}

// name reads the name that begins at pos and its colon; index is the field's, -1 if it is no field's.
func (d *decoder) name(pos int, o *object) (index, next int, err error) {
	if pos < len(d.src) && d.src[pos] != '"' {
		return 0, pos, syntax(pos, reasonName)
	}
	end, what, err := scanString(d.src, pos)
	if err != nil {
		return 0, end, err
	}
	index = o.message.lookup(d.src[pos+1:end-1], what, o.guess)
	o.guess = index + 1
	next, err = skipColon(d.src, end)
	return index, next, err
}

// lookup finds the field of a name, given the body of its string; -1 when there is none.
func (m *Message) lookup(body []byte, what text, guess int) int {
	if what&hasEscape != 0 {
		var room [64]byte
		var ok bool
		if body, ok = appendUnquoted(room[:0], body, what); !ok {
			return -1
		}
	}
	if guess < len(m.fields) && m.fields[guess].name == string(body) {
		return guess
	}
	if i, ok := m.byName[string(body)]; ok {
		return i
	}
	return -1
}

// keep puts the member between start and end among the members for extra_json.
func (d *decoder) keep(start, end int) {
	d.extra = append(append(d.extra, ','), d.src[start:end]...)
}

// flush writes the members for extra_json of an object that ends.
func (d *decoder) flush(o *object) {
	members := d.extra[o.extra:]
	if len(members) == 0 {
		return
	}
	d.wire = append(d.wire, o.message.extraTag...)
	d.wire = protowire.AppendVarint(d.wire, uint64(len(members)+1))
	d.wire = append(append(append(d.wire, '{'), members[1:]...), '}')
	d.extra = d.extra[:o.extra]
}

// untype takes a field whose name came before back out of the wire format and keeps its first member as text. This
// is rare (the name repeats), so it looks at the object again from its beginning, up to the member at upto.
func (d *decoder) untype(o *object, index, upto int) {
	for pos := skipSpace(d.src, o.start+1); pos < upto; {
		probe := object{message: o.message}
		i, value, err := d.name(pos, &probe)
		if err != nil {
			return // can't be: it was read before
		}
		end, err := skipValue(d.src, value)
		if err != nil {
			return // can't be
		}
		if i == index {
			d.keep(pos, end)
			break
		}
		pos = skipSpace(d.src, skipSpace(d.src, end)+1) // behind the comma
	}
	d.wire = cut(d.wire, o.wire, o.message.fields[index].tag)
}

// cut removes the records with the given tag from the message that is wire[from:].
func cut(wire []byte, from int, tag []byte) []byte {
	number, _, _ := protowire.ConsumeTag(tag)
	out := wire[:from]
	for rest := wire[from:]; len(rest) > 0; {
		n, _, size := protowire.ConsumeField(rest)
		if size < 0 {
			break // can't be: we wrote it
		}
		if n != number {
			out = append(out, rest[:size]...)
		}
		rest = rest[size:]
	}
	return out
}

// value decodes the value that begins at pos into f. It is not typed when f can't hold it; what is then in the
// buffers, and the position, are not to be used.
func (d *decoder) value(pos int, f *field, depth int) (end int, typed bool, err error) {
	if !f.repeated {
		return d.single(pos, f, depth)
	}
	if d.src[pos] != '[' {
		return pos, false, nil
	}
	if pos = skipSpace(d.src, pos+1); pos < len(d.src) && d.src[pos] == ']' {
		return pos, false, nil // wire format has no empty list
	}
	for {
		if pos >= len(d.src) {
			return pos, false, syntax(pos, reasonEnd)
		}
		if pos, typed, err = d.single(pos, f, depth); !typed || err != nil {
			return pos, false, err
		}
		if pos = skipSpace(d.src, pos); pos >= len(d.src) {
			return pos, false, syntax(pos, reasonEnd)
		}
		switch d.src[pos] {
		case ',':
			pos = skipSpace(d.src, pos+1)
		case ']':
			return pos + 1, true, nil
		default:
			return pos, false, syntax(pos, reasonComma)
		}
	}
}

// single decodes a value that is not a list.
func (d *decoder) single(pos int, f *field, depth int) (end int, typed bool, err error) {
	switch f.kind {
	case kindMessage:
		if d.src[pos] != '{' || depth >= maxTyped {
			return pos, false, nil
		}
		d.wire = append(d.wire, f.tag...)
		mark := d.begin()
		end, err = d.object(pos, f.message, depth+1)
		d.finish(mark)
		return end, true, err
	case kindString:
		return d.text(pos, f)
	case kindBool:
		return d.bool(pos, f)
	default:
		return d.number(pos, f)
	}
}

// A length is written with a fixed size, as a varint with padding, so that it can be filled in at the end without
// moving what follows.
const lengthSize = 5

func (d *decoder) begin() (mark int) {
	d.wire = append(d.wire, 0, 0, 0, 0, 0)
	return len(d.wire)
}

func (d *decoder) finish(mark int) {
	n := uint64(len(d.wire) - mark)
	for i := mark - lengthSize; i < mark-1; i++ {
		d.wire[i] = byte(n) | 0x80
		n >>= 7
	}
	d.wire[mark-1] = byte(n)
}

func (d *decoder) text(pos int, f *field) (end int, typed bool, err error) {
	if d.src[pos] != '"' {
		return pos, false, nil
	}
	end, what, err := scanString(d.src, pos)
	if err != nil {
		return end, false, err
	}
	body := d.src[pos+1 : end-1]
	if f.implicit && len(body) == 0 {
		return end, false, nil
	}
	d.wire = append(d.wire, f.tag...)
	if what == 0 {
		d.wire = protowire.AppendVarint(d.wire, uint64(len(body)))
		d.wire = append(d.wire, body...)
		return end, true, nil
	}
	mark := d.begin()
	d.wire, typed = appendUnquoted(d.wire, body, what)
	d.finish(mark)
	return end, typed, nil
}

func (d *decoder) bool(pos int, f *field) (end int, typed bool, err error) {
	switch d.src[pos] {
	case 't':
		end, err = skipLiteral(d.src, pos, "true")
		d.wire = append(append(d.wire, f.tag...), 1)
		return end, true, err
	case 'f':
		end, err = skipLiteral(d.src, pos, "false")
		d.wire = append(append(d.wire, f.tag...), 0)
		return end, !f.implicit, err
	}
	return pos, false, nil
}

func (d *decoder) number(pos int, f *field) (end int, typed bool, err error) {
	if c := d.src[pos]; c != '-' && (c < '0' || c > '9') {
		return pos, false, nil
	}
	if end, err = scanNumber(d.src, pos); err != nil {
		return end, false, err
	}
	number := d.src[pos:end]
	d.wire = append(d.wire, f.tag...)
	switch f.kind {
	case kindDouble:
		v, ok := parseFloat(number, 64)
		d.wire = protowire.AppendFixed64(d.wire, math.Float64bits(v))
		return end, ok && !(f.implicit && v == 0), nil
	case kindFloat:
		v, ok := parseFloat(number, 32)
		d.wire = protowire.AppendFixed32(d.wire, math.Float32bits(float32(v)))
		return end, ok && !(f.implicit && v == 0), nil
	case kindUint32:
		v, ok := parseInteger(number, 0, math.MaxUint32)
		d.wire = protowire.AppendVarint(d.wire, uint64(v))
		return end, ok && !(f.implicit && v == 0), nil
	default:
		v, ok := parseInteger(number, math.MinInt32, math.MaxInt32)
		d.wire = protowire.AppendVarint(d.wire, uint64(v))
		return end, ok && !(f.implicit && v == 0), nil
	}
}
