package facade

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"google.golang.org/grpc"
)

// conversation is one streaming call of the gRPC door: the caller's stream, and the one that answers it.
type conversation struct {
	op     *Operation
	server grpc.ServerStream
	client grpc.ClientStream
	wish   *document
}

// run passes messages until the answer has ended. Where the caller streams, both directions go at once, so that an
// answer that comes early, a refusal above all, reaches a caller who pauses. cancel ends the answering stream.
func (c *conversation) run(cancel func()) error {
	if !c.op.method.IsStreamingClient() {
		if err := c.sendAll(); err != nil {
			return err
		}
		return c.receiveAll()
	}
	sent := make(chan outcome, 1)
	go func() { // ends with the caller's stream, which ends when the handler returns
		o := c.trySendAll()
		sent <- o
		if o.err != nil || o.panicked != nil {
			cancel()
		}
	}()
	err := c.receiveAll()
	if err == nil {
		return nil
	}
	select {
	case o := <-sent: // why the answer broke off
		if o.panicked != nil {
			panic(o.panicked)
		}
		if o.err != nil {
			return o.err
		}
	default:
	}
	return err
}

// outcome is how sending ended.
type outcome struct {
	err      error
	panicked any
}

// trySendAll hands a panic over: the handler's goroutine has who recovers from it.
func (c *conversation) trySendAll() (o outcome) {
	defer func() {
		if v := recover(); v != nil {
			o.panicked = fmt.Sprintf("%v\n%s", v, debug.Stack())
		}
	}()
	return outcome{err: c.sendAll()}
}

// sendAll passes the caller's messages on. That the call has ended early is not its error: the reason comes with the
// next receive.
func (c *conversation) sendAll() error {
	for {
		req := c.op.input.New().Interface()
		err := c.server.RecvMsg(req)
		if errors.Is(err, io.EOF) {
			return c.client.CloseSend()
		}
		if err != nil {
			return err
		}
		switch err := c.client.SendMsg(req); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case !c.op.method.IsStreamingClient():
			return c.client.CloseSend()
		}
	}
}

// receiveAll passes the answers back. The header is asked for first: in-process streams (inprocgrpc v1.1.2) would wait
// for the next message when asked after the first.
func (c *conversation) receiveAll() error {
	if header, err := c.client.Header(); err == nil {
		_ = c.server.SetHeader(safeMetadata(header))
	}
	defer func() { c.server.SetTrailer(c.client.Trailer()) }()
	for {
		reply := c.op.output.New().Interface()
		err := c.client.RecvMsg(reply)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		c.wish.grant(reply)
		if err := c.server.SendMsg(reply); err != nil {
			return err
		}
		if !c.op.method.IsStreamingServer() {
			return nil
		}
	}
}
