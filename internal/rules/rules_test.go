package rules_test

import (
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/rainbow-gateway/rainbow-gateway/internal/rules"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"

	// Their operations are judged here.
	_ "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	_ "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/authentication/v1"
	_ "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/invoicing/v1"
	_ "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/massprovisioning/v1"
	_ "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	_ "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/subscription/v1"
)

// set compiles the rules of every operation.
func set(t testing.TB) *rules.Set {
	t.Helper()
	bindings, err := upstream.CompileBindings(upstream.RainbowServices())
	if err != nil {
		t.Fatal(err)
	}
	s, err := rules.New(bindings)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// filled is the request of an operation with one value in every field, of messages one of each.
func filled(b *upstream.Binding) proto.Message {
	m := b.Input.New()
	fill(m, 0)
	return m.Interface()
}

func fill(m protoreflect.Message, depth int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		switch {
		case fd.Message() != nil && depth == 5 || fd.IsMap():
		case fd.Message() != nil && fd.IsList():
			fill(m.Mutable(fd).List().AppendMutable().Message(), depth+1)
		case fd.Message() != nil:
			fill(m.Mutable(fd).Message(), depth+1)
		case fd.IsList():
			m.Mutable(fd).List().Append(m.Mutable(fd).List().NewElement())
		case fd.HasPresence():
			m.Set(fd, fd.Default())
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		set(b)
	}
}

func BenchmarkCompileBindings(b *testing.B) {
	for b.Loop() {
		if _, err := upstream.CompileBindings(upstream.RainbowServices()); err != nil {
			b.Fatal(err)
		}
	}
}
