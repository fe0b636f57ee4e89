package drift

import (
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	optionsv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/options/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream/jsoncodec"
)

// kind is the kind of a JSON value, as reports name it.
type kind string

const (
	kindString  kind = "string"
	kindBoolean kind = "boolean"
	kindInteger kind = "integer" // of 32 bits
	kindNumber  kind = "number"
	kindObject  kind = "object"
	kindArray   kind = "array"
	kindNull    kind = "null"
	kindLarge   kind = "integer beyond 32 bits"
	kindNothing kind = "nothing" // an empty body
	kindJSON    kind = "JSON"
	kindText    kind = "no JSON"
)

// shape is a documented JSON object: the table of one message.
type shape struct {
	members []member
	byName  map[string]int
	untyped []string // documented, without a field
}

// member is a documented member.
type member struct {
	name   string
	kind   kind // of the value, or of its elements
	list   bool
	object *shape // of kindObject
}

// expected is the kind of the whole value.
func (m *member) expected() kind {
	if m.list {
		return kindArray
	}
	return m.kind
}

// shapes compiles messages and remembers them.
type shapes struct {
	known map[protoreflect.MessageDescriptor]*shape
}

// root is the shape of a whole answer: a nameless member of nothing.
func (s *shapes) root(b *upstream.Binding) *shape {
	top := member{kind: kindObject}
	if b.ResponseBody != nil {
		top.list, top.kind = b.ResponseBody.IsList(), expectedKind(b.ResponseBody)
		if top.kind == kindObject {
			top.object = s.message(b.ResponseBody.Message())
		}
	} else {
		top.object = s.message(b.Output.Descriptor())
	}
	return &shape{members: []member{top}}
}

func (s *shapes) message(md protoreflect.MessageDescriptor) *shape {
	if known := s.known[md]; known != nil {
		return known
	}
	if s.known == nil {
		s.known = map[protoreflect.MessageDescriptor]*shape{}
	}
	fresh := &shape{byName: map[string]int{}}
	fresh.untyped, _ = proto.GetExtension(md.Options(), optionsv1.E_Untyped).([]string)
	s.known[md] = fresh
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		if fd.Number() == jsoncodec.ExtraNumber {
			continue
		}
		m := member{name: fd.JSONName(), kind: expectedKind(fd), list: fd.IsList()}
		if m.kind == kindObject {
			m.object = s.message(fd.Message())
		}
		fresh.byName[m.name] = len(fresh.members)
		fresh.members = append(fresh.members, m)
	}
	return fresh
}

func (s *shape) isUntyped(name string) bool { return slices.Contains(s.untyped, name) }
