// Package rules judges requests by Rainbow's documented constraints, which the protos state as protovalidate rules:
// what is required, which values and ranges there are, how long a text may be.
//
// New finds out once which operations have rules at all; Operation.Judge then judges a request, and Operation.Unread
// the numbers of a query that are none. What Rainbow's own clients are known to send instead of nothing is nothing here
// too, and a member whose value no typed field could take (it is in extra_json) is there, but not judged. What a
// violation means for the call is package facade's to decide.
//
// A Set and its Operations are safe for concurrent use.
package rules

import (
	"fmt"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// Set is the rules of a set of operations.
type Set struct {
	operations map[string]*Operation
	validator  protovalidate.Validator
	first      []protovalidate.ValidationOption // stop at the first violation
}

// New compiles the rules of the bindings' requests. It takes some milliseconds; answers have no rules.
func New(bindings *upstream.Bindings) (*Set, error) {
	s := &Set{operations: map[string]*Operation{}, first: []protovalidate.ValidationOption{protovalidate.WithFailFast()}}
	var inputs []protoreflect.MessageDescriptor
	for _, b := range bindings.All() {
		if op := s.compile(b); op != nil {
			s.operations[b.FullMethod] = op
			inputs = append(inputs, op.binding.Input.Descriptor())
		}
	}
	var err error
	s.validator, err = protovalidate.New(protovalidate.WithMessageDescriptors(inputs...), protovalidate.WithDisableLazy())
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	return s, s.check()
}

// check reports a rule that does not compile, such as one for another type than its field's.
func (s *Set) check() error {
	for name, op := range s.operations {
		if err := s.sound(op.binding.Input.New().Interface()); err != nil {
			return fmt.Errorf("rules of %s: %w", name, err)
		}
		if op.body {
			if err := s.sound(op.emptyBody()); err != nil {
				return fmt.Errorf("rules of %s: %w", name, err)
			}
		}
	}
	return nil
}

func (s *Set) sound(msg proto.Message) error {
	_, err := found(s.validator.Validate(msg))
	return err
}

// Operation returns the rules of a full method name ("/package.Service/Method"), nil when it has none.
func (s *Set) Operation(fullMethod string) *Operation { return s.operations[fullMethod] }

// Operation is one operation's rules.
type Operation struct {
	set     *Set
	binding *upstream.Binding // of the unary RPC, also for its streaming twin

	params  bool // rules of query parameters and headers, or of path variables beyond that they are not empty
	body    bool // rules within the JSON body
	numbers []upstream.Param
}

// compile returns nil for an operation without rules.
func (s *Set) compile(b *upstream.Binding) *Operation {
	if b.VariantOf != nil {
		b = b.VariantOf
	}
	op := &Operation{set: s, binding: b}
	fields := b.Input.Descriptor().Fields()
	path := false
	for i := range fields.Len() {
		switch fd := fields.Get(i); {
		case fd == b.Body:
			op.body = b.RequestMedia == "" && hasRules(fd, nil)
		case !ruled(fd):
		case !fd.HasPresence() && !fd.IsList() && onlyRequired(fd):
			path = true
		default:
			op.params = true
		}
	}
	for _, p := range b.Query {
		if k := p.Field.Kind(); k == protoreflect.Int32Kind || k == protoreflect.DoubleKind {
			op.numbers = append(op.numbers, p)
		}
	}
	if !path && !op.params && !op.body && len(op.numbers) == 0 {
		return nil
	}
	return op
}

// ruled tells whether a field has rules of its own.
func ruled(fd protoreflect.FieldDescriptor) bool {
	return proto.HasExtension(fd.Options(), validate.E_Field)
}

// onlyRequired tells whether the only rule of a field is that it must be there.
func onlyRequired(fd protoreflect.FieldDescriptor) bool {
	r, _ := proto.GetExtension(fd.Options(), validate.E_Field).(*validate.FieldRules)
	return r.GetRequired() && r.WhichType() == validate.FieldRules_Type_not_set_case && len(r.GetCel()) == 0
}

// hasRules tells whether fd or anything below it has rules. met stops at messages that contain themselves.
func hasRules(fd protoreflect.FieldDescriptor, met map[protoreflect.FullName]bool) bool {
	if ruled(fd) {
		return true
	}
	md := fd.Message()
	if md == nil || met[md.FullName()] {
		return false
	}
	if proto.HasExtension(md.Options(), validate.E_Message) {
		return true
	}
	if met == nil {
		met = map[protoreflect.FullName]bool{}
	}
	met[md.FullName()] = true
	for i := range md.Fields().Len() {
		if hasRules(md.Fields().Get(i), met) {
			return true
		}
	}
	return false
}

func (o *Operation) emptyBody() proto.Message {
	return o.binding.Input.New().NewField(o.binding.Body).Message().Interface()
}
