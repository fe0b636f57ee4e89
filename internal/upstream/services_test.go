package upstream_test

import (
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"

	// The services under test register themselves.
	_ "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	_ "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/authentication/v1"
	_ "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/invoicing/v1"
	_ "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/massprovisioning/v1"
	_ "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	_ "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/subscription/v1"
)

// bindings compiles every operation of the program.
func bindings(t testing.TB) *upstream.Bindings {
	t.Helper()
	b, err := upstream.CompileBindings(upstream.RainbowServices())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAllRainbowServicesCompile(t *testing.T) {
	b := bindings(t)
	if len(b.All()) < 50 {
		t.Fatalf("got %d bindings, want at least 50", len(b.All()))
	}
	previous := ""
	for _, one := range b.All() {
		if one.FullMethod <= previous {
			t.Errorf("%s comes after %s", one.FullMethod, previous)
		}
		if previous = one.FullMethod; b.ByMethod(one.FullMethod) != one {
			t.Errorf("%s is not found by its name", one.FullMethod)
		}
	}
}
