// Package jsoncodec is the loss-free codec between JSON documents of Rainbow and protobuf messages.
//
// A message that is a JSON object has, beside its typed fields, the field `bytes extra_json = 1000`. Unmarshal puts
// every member into exactly one place: its typed field, if encoding that again gives the same value (strings compared
// decoded, numbers as text), else extra_json, verbatim and in order. There go unknown names, null, mistyped values
// ("4" for a number), numbers that would be spelled differently (1.10, 1e400, 9007199254740993), empty arrays, arrays
// with an odd element, strings with a lone surrogate, and both members of a name that repeats. Where the document is no
// object at all, extra_json is that value, and nothing is typed. So Unmarshal takes whatever is JSON. Append writes
// typed fields in the order of their numbers, then the members of extra_json, or the value that extra_json is; a name
// in both places, typed fields beside a value that is no object, and what Check would refuse, is an error that names
// its place.
//
// Tables compiles message descriptors; the compiled Message does the work and is safe for concurrent use. Check is
// the one-time test of a request body that goes upstream as it is. A Part loses on purpose: it is for who reads long lists and
// looks at a few members of each element.
//
// How it works, and why: messages are not touched by reflection. Unmarshal scans the JSON once and writes protobuf
// wire format with a table per message, which the generated fast path of proto.Unmarshal then reads; Append walks the
// wire format that proto.Marshal gives. Rejected: setting fields through protoreflect, which costs an allocation and
// a reflect call a field; tokens of jsontext, which validate and copy what is then looked at again.
package jsoncodec

import (
	"fmt"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// ExtraName and ExtraNumber identify the field that holds what typed fields can't.
const (
	ExtraName   = "extra_json"
	ExtraNumber = 1000
)

// maxTyped is how deep typed messages may nest before the rest stays text; only recursive messages could get there.
const maxTyped = 64

// Tables compiles messages and remembers them. The zero value is ready; it is safe for concurrent use.
type Tables struct {
	mu       sync.Mutex
	messages map[protoreflect.MessageDescriptor]*Message
	buffers  sync.Pool
}

// Message is the compiled table of one message.
type Message struct {
	name   protoreflect.FullName
	tables *Tables
	fields []field
	byName map[string]int
	// byNumber maps field numbers to indices in fields plus one; 0 is no field.
	byNumber []int16
	extraTag []byte
	part     bool // unknown members are passed over
}

// field is one typed member.
type field struct {
	name     string
	quoted   []byte // "name":
	tag      []byte
	wire     protowire.Type
	kind     kind
	repeated bool
	implicit bool // no presence: a zero value can't be told from an absent one
	passed   bool // over, when reading
	message  *Message
}

// kind is a value type as JSON sees it.
type kind uint8

const (
	kindBool kind = iota
	kindString
	kindInt32
	kindUint32
	kindFloat
	kindDouble
	kindMessage
)

// Message returns the table of md, compiling it and what it contains at first use. It refuses messages that JSON
// objects can't be kept in: without extra_json, or with fields that have no place in Rainbow's documents.
func (t *Tables) Message(md protoreflect.MessageDescriptor) (*Message, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if m := t.messages[md]; m != nil {
		return m, nil
	}
	fresh := map[protoreflect.MessageDescriptor]*Message{}
	m, err := t.compile(md, fresh)
	if err != nil {
		return nil, err
	}
	if t.messages == nil {
		t.messages = map[protoreflect.MessageDescriptor]*Message{}
	}
	for md, m := range fresh {
		t.messages[md] = m
	}
	return m, nil
}

func (t *Tables) compile(md protoreflect.MessageDescriptor, fresh map[protoreflect.MessageDescriptor]*Message) (*Message, error) {
	if m := t.messages[md]; m != nil {
		return m, nil
	}
	if m := fresh[md]; m != nil {
		return m, nil
	}
	if err := RequireExtra(md); err != nil {
		return nil, err
	}
	m := &Message{
		name:     md.FullName(),
		tables:   t,
		byName:   make(map[string]int, md.Fields().Len()),
		extraTag: protowire.AppendTag(nil, ExtraNumber, protowire.BytesType),
	}
	fresh[md] = m
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		if fd.Number() == ExtraNumber {
			continue
		}
		f, err := t.field(fd, fresh)
		if err != nil {
			return nil, err
		}
		m.add(f, fd.Number())
	}
	return m, nil
}

// RequireExtra makes sure that md has the field for what typed fields can't hold.
func RequireExtra(md protoreflect.MessageDescriptor) error {
	extra := md.Fields().ByNumber(ExtraNumber)
	if extra == nil || extra.Name() != ExtraName || extra.Kind() != protoreflect.BytesKind || extra.IsList() {
		return fmt.Errorf("message %s: no field \"bytes %s = %d\"", md.FullName(), ExtraName, ExtraNumber)
	}
	return nil
}

func (m *Message) add(f field, number protoreflect.FieldNumber) {
	for int(number) >= len(m.byNumber) {
		m.byNumber = append(m.byNumber, 0)
	}
	m.fields = append(m.fields, f)
	m.byNumber[number] = int16(len(m.fields))
	m.byName[f.name] = len(m.fields) - 1
}

func (t *Tables) field(fd protoreflect.FieldDescriptor, fresh map[protoreflect.MessageDescriptor]*Message) (field, error) {
	f := field{
		name:     fd.JSONName(),
		quoted:   append(appendString(nil, fd.JSONName()), ':'),
		repeated: fd.IsList(),
		implicit: !fd.HasPresence() && !fd.IsList(),
	}
	if fd.IsMap() || fd.Number() > ExtraNumber {
		return f, fmt.Errorf("field %s: a map or a number above %d has no place in a document", fd.FullName(), ExtraNumber)
	}
	switch fd.Kind() {
	case protoreflect.BoolKind:
		f.kind, f.wire = kindBool, protowire.VarintType
	case protoreflect.StringKind:
		f.kind, f.wire = kindString, protowire.BytesType
	case protoreflect.Int32Kind:
		f.kind, f.wire = kindInt32, protowire.VarintType
	case protoreflect.Uint32Kind:
		f.kind, f.wire = kindUint32, protowire.VarintType
	case protoreflect.FloatKind:
		f.kind, f.wire = kindFloat, protowire.Fixed32Type
	case protoreflect.DoubleKind:
		f.kind, f.wire = kindDouble, protowire.Fixed64Type
	case protoreflect.MessageKind:
		sub, err := t.compile(fd.Message(), fresh)
		if err != nil {
			return f, fmt.Errorf("field %s: %w", fd.FullName(), err)
		}
		f.kind, f.wire, f.message = kindMessage, protowire.BytesType, sub
	default:
		return f, fmt.Errorf("field %s: kind %s has no place in a document", fd.FullName(), fd.Kind())
	}
	f.tag = protowire.AppendTag(nil, fd.Number(), f.wire)
	return f, nil
}

// seen is a set of indices of fields.
type seen struct {
	low  uint64
	more []uint64
}

func (s *seen) has(i int) bool {
	if i < 64 {
		return s.low&(1<<i) != 0
	}
	w := i/64 - 1
	return w < len(s.more) && s.more[w]&(1<<(i%64)) != 0
}

func (s *seen) add(i int) {
	if i < 64 {
		s.low |= 1 << i
		return
	}
	for i/64 > len(s.more) {
		s.more = append(s.more, 0)
	}
	s.more[i/64-1] |= 1 << (i % 64)
}

// buffer is scratch space, used again by later calls.
type buffer struct {
	wire  []byte
	extra []byte
}

// maxKept is the size of the largest buffer kept for later calls, in bytes.
const maxKept = 8 << 20

func (t *Tables) get() *buffer {
	if b, ok := t.buffers.Get().(*buffer); ok {
		return b
	}
	return &buffer{}
}

func (t *Tables) put(b *buffer) {
	if cap(b.wire)+cap(b.extra) <= maxKept {
		t.buffers.Put(b)
	}
}
