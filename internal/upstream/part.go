package upstream

import (
	"fmt"
	"strings"

	"google.golang.org/grpc"

	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream/jsoncodec"
)

// part is the call option that Only makes.
type part struct {
	grpc.EmptyCallOption
	names []string
	key   string
}

// Only is a call option for who looks at some fields of an answer: the others are passed over, which takes a fraction of the
// time where documents are long. Fields are named as in JSON, those of a message within behind a dot: "data.id". An answer of
// another shape than the documented one is in extra_json as ever, and a [WireReply] takes all of it. A name that is no field of the
// answer makes the call fail before it is sent.
func Only(names ...string) grpc.CallOption {
	return part{names: names, key: strings.Join(names, " ")}
}

// codecFor is the codec of an answer, or of the part of it that the options ask for.
func (b *Binding) codecFor(opts []grpc.CallOption) (*jsoncodec.Message, error) {
	for _, opt := range opts {
		p, ok := opt.(part)
		if !ok || b.codec == nil || b.ResponseBody != nil {
			continue
		}
		if known, ok := b.parts.Load(p.key); ok {
			return known.(*jsoncodec.Message), nil
		}
		codec, err := b.codec.Part(p.names...)
		if err != nil {
			return nil, fmt.Errorf("part of the answer of %s: %w", b.Method, err)
		}
		b.parts.Store(p.key, codec)
		return codec, nil
	}
	return b.codec, nil
}
