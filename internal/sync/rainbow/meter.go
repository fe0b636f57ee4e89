package rainbow

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// metered is a connection that tells the engine of every request of a call. The requests of a call are also not repeated
// below, but for short: the engine knows better how long to wait, and learns from each refusal how many calls may be in
// flight.
type metered struct{ grpc.ClientConnInterface }

// readPatience is how long a reading request of a call is held back and repeated below.
const readPatience = 2 * time.Second

type meterKey struct{}

// meter belongs to one call.
type meter struct {
	tell func(bulksync.Request)
	// unsure counts requests that may have been carried out although they failed.
	unsure atomic.Int32
}

// withMeter makes the requests under a context those of a call.
func withMeter(ctx context.Context, call bulksync.Call) context.Context {
	return context.WithValue(ctx, meterKey{}, &meter{tell: call.Tell})
}

// unsure tells whether a request under the context failed that may have been carried out.
func unsure(ctx context.Context) bool {
	m, ok := ctx.Value(meterKey{}).(*meter)
	return ok && m.unsure.Load() > 0
}

// Invoke sends a request and tells of it.
func (c metered) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	m, ok := ctx.Value(meterKey{}).(*meter)
	if !ok {
		return c.ClientConnInterface.Invoke(ctx, method, args, reply, opts...)
	}
	name := method[strings.LastIndexByte(method, '/')+1:]
	reads := strings.HasPrefix(name, "List") || strings.HasPrefix(name, "Get")
	if reads {
		ctx = upstream.WithPatience(ctx, readPatience)
	} else {
		ctx = upstream.WithPatience(ctx, 0)
	}
	began := time.Now()
	err := c.ClientConnInterface.Invoke(ctx, method, args, reply, opts...)
	r := bulksync.Request{Name: name, Took: time.Since(began)}
	// How long lists and imports take depends on how much is in them.
	if reads || strings.HasPrefix(name, "Import") || strings.HasPrefix(name, "Synchronize") {
		r.Name = ""
	}
	if t := trouble(err); t != nil {
		r.Throttled, r.Failed = t.Kind != bulksync.Down, t.Kind == bulksync.Down
	}
	if err != nil && !reads && upstream.Unknown(err) {
		m.unsure.Add(1)
	}
	if m.tell != nil {
		m.tell(r)
	}
	return err
}
