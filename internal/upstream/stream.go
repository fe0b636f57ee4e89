package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// chunkSize is the most that one message of a download carries, in bytes.
const chunkSize = 64 << 10

// NewStream calls a streaming twin: Upload… (a client stream: first the request, then chunks) or Download… (a server
// stream of google.api.HttpBody, each with the content type and at most 64 KiB; at least one). The stream's end, or
// that of ctx, ends the upstream call.
func (c *Client) NewStream(ctx context.Context, _ *grpc.StreamDesc, fullMethod string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	b := c.opts.Bindings.ByMethod(fullMethod)
	if b == nil || b.VariantOf == nil {
		return nil, status.Errorf(codes.Unimplemented, "method %s is not a stream of Rainbow", fullMethod)
	}
	ctx, cancel := context.WithCancel(ctx)
	s := stream{ctx: ctx, cancel: cancel, client: c, binding: b, opts: opts, answered: make(chan struct{})}
	if b.upload != nil {
		return &upload{stream: s}, nil
	}
	return &download{stream: s}, nil
}

// stream is what both kinds share: a call whose answer comes later.
type stream struct {
	ctx     context.Context
	cancel  context.CancelFunc
	client  *Client
	binding *Binding
	opts    []grpc.CallOption

	call     *call
	answered chan struct{} // closed when answer and err are set
	answer   *answer
	err      error
}

// prepare makes the call of the request message.
func (s *stream) prepare(msg proto.Message) error {
	b := s.binding
	request, err := b.build(msg)
	if err != nil {
		return b.invalid(err)
	}
	s.call = &call{method: b.Method, path: b.Path.Template, repeatable: b.Repeatable(), retry: true, request: request,
		noAccount: b.Operation.GetNoCredentials()}
	s.call.typedHeaders(s.ctx, b, false)
	return nil
}

// run makes the call and publishes its outcome.
func (s *stream) run() {
	defer close(s.answered)
	s.answer, s.err = s.client.send(s.ctx, s.call)
	if s.err != nil {
		return
	}
	setHeaderOption(s.opts, s.answer.header)
	if s.binding.success(s.answer.status) {
		return
	}
	s.err = s.client.refusalOf(s.call, s.answer)
}

// refusalOf reads the body of an open answer that is not a success.
func (c *Client) refusalOf(k *call, a *answer) error {
	if a.stream != nil {
		a.body, _ = readAll(io.LimitReader(a.stream, maxErrorText), -1, maxErrorText)
		a.discard()
	}
	return k.refusal(a, c.opts.MaxAnswer)
}

// wait returns when the answer is there.
func (s *stream) wait() error {
	if s.call == nil {
		return s.binding.invalid(errors.New("request: no message was sent"))
	}
	<-s.answered // send watches the context
	return s.err
}

// Header waits for the answer.
func (s *stream) Header() (metadata.MD, error) {
	if err := s.wait(); err != nil {
		return nil, err
	}
	return answerMetadata(s.answer.header), nil
}

// Trailer is always empty.
func (s *stream) Trailer() metadata.MD { return nil }

// Context is the context of the upstream call.
func (s *stream) Context() context.Context { return s.ctx }

// upload pipes chunks into the body of one HTTP request.
type upload struct {
	stream
	pipe  *io.PipeWriter
	reply bool // the reply was received
}

// SendMsg takes the request first, then chunks. io.EOF says that the call has ended; RecvMsg tells why.
func (u *upload) SendMsg(m any) error {
	msg, ok := m.(proto.Message)
	if !ok || msg.ProtoReflect().Descriptor() != u.binding.Input.Descriptor() {
		return u.binding.invalid(fmt.Errorf("request: %T is not %s", m, u.binding.Input.Descriptor().FullName()))
	}
	part := msg.ProtoReflect()
	if u.call == nil {
		return u.begin(part)
	}
	if part.Has(u.binding.upload.request) {
		err := u.binding.invalid(errors.New("request: only the first message may hold the parameters"))
		_ = u.pipe.CloseWithError(err)
		return err
	}
	data := part.Get(u.binding.upload.chunk).Bytes()
	if len(data) == 0 {
		return nil
	}
	if _, err := u.pipe.Write(data); err != nil {
		return io.EOF
	}
	return nil
}

func (u *upload) begin(part protoreflect.Message) error {
	if !part.Has(u.binding.upload.request) {
		return u.binding.invalid(errors.New("request: the first message must hold the parameters"))
	}
	if err := u.prepare(part.Get(u.binding.upload.request).Message().Interface()); err != nil {
		return err
	}
	if len(u.call.request.body) > 0 {
		u.call = nil
		return u.binding.invalid(errors.New("request: the body comes in chunks, not with the parameters"))
	}
	if u.call.request.header.Get("Content-Type") == "" {
		u.call.request.header.Set("Content-Type", u.binding.RequestMedia)
	}
	r, w := io.Pipe()
	u.pipe = w
	u.call.reader, u.call.length, u.call.buffered = r, -1, true
	unlink := context.AfterFunc(u.ctx, func() { _ = w.CloseWithError(u.ctx.Err()) })
	go func() {
		u.run()
		_ = r.CloseWithError(io.ErrClosedPipe)
		unlink()
	}()
	return nil
}

// CloseSend ends the body. After the context has ended it breaks the body off, so that upstream never takes a part of
// a file for the whole.
func (u *upload) CloseSend() error {
	if u.pipe != nil {
		_ = u.pipe.CloseWithError(u.ctx.Err()) // nil is the regular end
	}
	return nil
}

// RecvMsg waits for the answer, which is one message.
func (u *upload) RecvMsg(m any) error {
	if u.reply {
		return io.EOF
	}
	defer u.cancel()
	if err := u.wait(); err != nil {
		return err
	}
	u.reply = true
	_, err := u.binding.decode(u.answer, m, u.client.opts.MaxAnswer)
	return u.call.failed(err)
}

// download reads the body of one HTTP answer in chunks.
type download struct {
	stream
	once sync.Once
	some bool // a chunk was given
}

// SendMsg takes the request and begins the call.
func (d *download) SendMsg(m any) error {
	msg, ok := m.(proto.Message)
	if !ok {
		return d.binding.invalid(fmt.Errorf("request: %T is not a message", m))
	}
	if d.call != nil {
		return d.binding.invalid(errors.New("request: it is one message"))
	}
	if err := d.prepare(msg); err != nil {
		return err
	}
	go d.run()
	return nil
}

// CloseSend has nothing to do.
func (d *download) CloseSend() error { return nil }

// RecvMsg gives the next chunk.
func (d *download) RecvMsg(m any) error {
	msg, ok := m.(proto.Message)
	if !ok || msg.ProtoReflect().Descriptor().FullName() != httpBodyName {
		return fmt.Errorf("reply is %T, not %s", m, httpBodyName)
	}
	if err := d.wait(); err != nil {
		d.end()
		return err
	}
	chunk := make([]byte, chunkSize)
	n, err := io.ReadFull(d.answer.stream, chunk)
	switch {
	case n > 0 || (err == io.EOF && !d.some):
		d.some = true
		setHTTPBody(msg.ProtoReflect(), d.answer.header.Get("Content-Type"), chunk[:n])
		return nil
	case err == io.EOF:
		d.end()
		return io.EOF
	}
	defer d.end() // after the error has looked at the context
	return d.call.broken(d.ctx, d.client.base.Host, true, err)
}

// end gives the connection back.
func (d *download) end() {
	d.once.Do(func() {
		if d.answer != nil && d.answer.stream != nil {
			_ = d.answer.stream.Close()
		}
		d.cancel()
	})
}
