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
// that of ctx, ends the upstream call. Who receives while another goroutine sends learns of an answer as soon as it is
// there, before the upload has ended.
func (c *Client) NewStream(ctx context.Context, _ *grpc.StreamDesc, fullMethod string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	b := c.opts.Bindings.ByMethod(fullMethod)
	if b == nil || b.VariantOf == nil {
		return nil, status.Errorf(codes.Unimplemented, "method %s is not a stream of Rainbow", fullMethod)
	}
	ctx, cancel := context.WithCancel(ctx)
	s := stream{ctx: ctx, cancel: cancel, client: c, binding: b, opts: opts, opened: new(sync.Once), begun: make(chan struct{}), answered: make(chan struct{})}
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

	begun  chan struct{} // closed when it is settled what call is, or why there is none
	opened *sync.Once
	call   *call
	fault  error // of the request, when there is no call

	answered chan struct{} // closed when answer and err are set
	answer   *answer
	err      error
}

// open settles the call, or the fault of the request. Only the first counts; the error is that one's fault.
func (s *stream) open(k *call, fault error) error {
	s.opened.Do(func() {
		s.call, s.fault = k, fault
		close(s.begun)
	})
	return s.fault
}

// prepare makes the call of the request message.
func (s *stream) prepare(msg proto.Message) (*call, error) {
	b := s.binding
	request, err := b.build(msg)
	if err != nil {
		return nil, b.invalid(err)
	}
	k := &call{method: b.Method, path: b.Path.Template, repeatable: b.Repeatable(), retry: true, request: request,
		noAccount: b.Operation.GetNoCredentials()}
	k.typedHeaders(s.ctx, b, false)
	return k, nil
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
	select {
	case <-s.begun:
	case <-s.ctx.Done():
		return (&call{method: s.binding.Method, path: s.binding.Path.Template}).unsent(s.ctx.Err(), nil)
	}
	if s.fault != nil {
		return s.fault
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
	if u.pipe == nil {
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

// begin makes the call of the first part. After a fault of it the stream is of no more use.
func (u *upload) begin(part protoreflect.Message) error {
	k, err := u.first(part)
	r, w := io.Pipe()
	if err == nil {
		k.reader, k.length, k.buffered = r, -1, true
	}
	if fault := u.open(k, err); fault != nil {
		return fault
	}
	u.pipe = w
	unlink := context.AfterFunc(u.ctx, func() { _ = w.CloseWithError(u.ctx.Err()) })
	go func() {
		u.run()
		_ = r.CloseWithError(io.ErrClosedPipe)
		unlink()
	}()
	return nil
}

// first is the call of the first part, still without a body.
func (u *upload) first(part protoreflect.Message) (*call, error) {
	if !part.Has(u.binding.upload.request) {
		return nil, u.binding.invalid(errors.New("request: the first message must hold the parameters"))
	}
	k, err := u.prepare(part.Get(u.binding.upload.request).Message().Interface())
	if err != nil {
		return nil, err
	}
	if len(k.request.body) > 0 {
		return nil, u.binding.invalid(errors.New("request: the body comes in chunks, not with the parameters"))
	}
	if k.request.header.Get("Content-Type") == "" {
		k.request.header.Set("Content-Type", u.binding.RequestMedia)
	}
	return k, nil
}

// CloseSend ends the body. After the context has ended it breaks the body off, so that upstream never takes a part of
// a file for the whole.
func (u *upload) CloseSend() error {
	if u.pipe == nil {
		_ = u.open(nil, u.binding.invalid(errors.New("request: no message was sent"))) // RecvMsg tells
		return nil
	}
	_ = u.pipe.CloseWithError(u.ctx.Err()) // nil is the regular end
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
	u.client.observe(u.binding.VariantOf, u.answer)
	document, err := u.binding.decode(u.answer, u.binding.codec, m, u.client.opts.MaxAnswer)
	if x := ExchangeFrom(u.ctx); x != nil && err == nil {
		x.Answer.Document = document
	}
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
	if fault := d.open(d.prepare(msg)); fault != nil {
		return fault
	}
	go d.run()
	return nil
}

// CloseSend says, when nothing was sent, that nothing will be.
func (d *download) CloseSend() error {
	_ = d.open(nil, d.binding.invalid(errors.New("request: no message was sent"))) // RecvMsg tells
	return nil
}

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
