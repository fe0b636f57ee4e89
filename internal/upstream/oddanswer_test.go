package upstream_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream/jsoncodec"
)

// TestNoOperationFailsOnAnOddAnswer answers every unary operation with JSON that no message is, and with nothing.
func TestNoOperationFailsOnAnOddAnswer(t *testing.T) {
	var body atomic.Value
	p := newPortal(t, nil)
	p.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, 200, body.Load().(string)) }) // logins, too
	c, ctx := p.client(), upstream.WithCaller(context.Background(), upstream.Caller{})
	for _, answer := range []string{`true`, `[ {"x":1.10}, null ]`, ` null`, `"\ud800"`, `1e400`, ``} {
		body.Store(answer)
		called := 0
		for _, b := range bindings(t).All() {
			extra := b.Output.Descriptor().Fields().ByNumber(jsoncodec.ExtraNumber)
			if b.VariantOf != nil || extra == nil || extra.Name() != jsoncodec.ExtraName {
				continue
			}
			called++
			request, reply := b.Input.New(), b.Output.New()
			fillPath(b, request)
			if err := c.Invoke(ctx, b.FullMethod, request.Interface(), reply.Interface()); err != nil {
				t.Errorf("%s answered %s: %v", b.FullMethod, answer, err)
				continue
			}
			if got, want := string(reply.Get(extra).Bytes()), strings.TrimSpace(answer); got != want {
				t.Errorf("%s answered %s: extra_json is %s", b.FullMethod, want, got)
			}
			wire := new(upstream.WireReply)
			if err := c.Invoke(ctx, b.FullMethod, request.Interface(), wire); err != nil || !strings.Contains(string(wire.Message), strings.TrimSpace(answer)) {
				t.Errorf("%s answered %s: wire format %q (%v)", b.FullMethod, answer, wire.Message, err)
			}
		}
		if called < 140 {
			t.Errorf("%d operations were called, want more", called)
		}
	}
}
