package rules_test

import (
	"testing"

	"google.golang.org/protobuf/proto"

	rvcpv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/rules"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"

	// Their operations are judged here.
	_ "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	_ "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/authentication/v1"
	_ "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/invoicing/v1"
	_ "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/massprovisioning/v1"
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

func TestRequiredMembersAreNamedAllAtOnce(t *testing.T) {
	op := set(t).Operation("/rainbow.rvcpprovisioning.v1.CloudPbxSubscriberService/CreateSubscriber")
	got, err := op.Judge(&rvcpv1.CreateSubscriberRequest{SystemId: "s", Body: &rvcpv1.CreateSubscriberBody{Login: proto.String("x")}}, nil)
	if err != nil || len(got) != 2 || got[0].Param != "shortNumber" || got[1].Param != "userId" || got[0].Rule != "required" {
		t.Errorf("got %+v, %v", got, err)
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
