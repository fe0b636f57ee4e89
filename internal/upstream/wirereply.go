package upstream

import (
	"bytes"
	"fmt"

	"google.golang.org/protobuf/proto"
)

// WireReply can stand in for the reply message of Client.Invoke: the answer goes into it in wire format, for a door that
// only passes it on. That saves building a message and taking it apart again.
type WireReply struct {
	// Message is the reply in protobuf's wire format. Lengths may be spelt longer than they need to be.
	Message []byte

	// Limit bounds Message in bytes; a longer one is ErrTooLarge. 0 is no limit.
	Limit int
}

// decodeWire is decode for a WireReply.
func (b *Binding) decodeWire(a *answer, reply *WireReply, limit int64) (document []byte, err error) {
	body, err := decompress(a.header, a.body, limit)
	if err != nil {
		return nil, err
	}
	switch {
	case b.codec == nil:
		msg := b.Output.New()
		setHTTPBody(msg, a.header.Get("Content-Type"), body)
		if reply.Message, err = proto.Marshal(msg.Interface()); err != nil {
			err = fmt.Errorf("reply: %w", err)
		}
	case len(bytes.TrimSpace(body)) == 0:
		reply.Message = nil
	case b.ResponseBody != nil:
		reply.Message, err = b.codec.FieldWire(body, b.ResponseBody)
		err = b.notJSON(err, a.header)
	default:
		reply.Message, err = b.codec.Wire(body)
		err = b.notJSON(err, a.header)
	}
	if err == nil && reply.Limit > 0 && len(reply.Message) > reply.Limit {
		err = ErrTooLarge
	}
	return body, err
}
