package facade

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/anypb"

	rawv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/raw/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// Raw configures RawService of a gRPC door.
type Raw struct {
	// On says that raw calls are passed. When off they are refused, with the name of the setting.
	On bool

	// MaxBody bounds a JSON body in bytes, MaxUpload every other body, MaxAnswer the answer of a unary call.
	MaxBody, MaxUpload, MaxAnswer int64
}

// RegisterRaw makes s answer RawService, the gRPC door's counterpart of the REST door's catch-all. It is no operation of
// the dispatcher, neither local nor modelled: each call becomes an exchange, which passes the policies once, as the
// operation that its path makes it.
func RegisterRaw(s grpc.ServiceRegistrar, d *Dispatcher, l Listener, opts Raw) {
	rawv1.RegisterRawServiceServer(s, &rawDoor{grpcDoor: grpcDoor{dispatcher: d, listener: l}, opts: opts})
}

type rawDoor struct {
	rawv1.UnimplementedRawServiceServer
	grpcDoor
	opts Raw
}

// Call answers with the whole document.
func (f *rawDoor) Call(ctx context.Context, req *rawv1.CallRequest) (*rawv1.CallResponse, error) {
	var resp *rawv1.CallResponse
	err := f.exchange(ctx, "Call", req, func(ctx context.Context, answer *upstream.RawAnswer) error {
		resp = rawHead(answer)
		var err error
		resp.Body, err = readAnswer(ctx, answer, max(f.opts.MaxAnswer-headRoom, f.opts.MaxAnswer/2))
		return err
	})
	return resp, err
}

// Download answers in pieces.
func (f *rawDoor) Download(req *rawv1.CallRequest, server grpc.ServerStreamingServer[httpbody.HttpBody]) error {
	return f.exchange(server.Context(), "Download", req, func(ctx context.Context, answer *upstream.RawAnswer) error {
		head, err := anypb.New(rawHead(answer))
		if err != nil {
			return err
		}
		piece := &httpbody.HttpBody{ContentType: answer.Header.Get("Content-Type"), Extensions: []*anypb.Any{head}}
		for first := true; ; first = false {
			data := make([]byte, rawPiece) // of its own: grpc may still hold the last one
			n, err := io.ReadFull(answer.Stream, data)
			end := errors.Is(err, io.EOF)
			if n == 0 && err != nil && !end { // after a piece that is not full, the next read tells whether it was the last
				return brokenOff(ctx, err)
			}
			if n > 0 || first {
				piece.Data = data[:n]
				if err := server.Send(piece); err != nil {
					return err
				}
			}
			if end {
				return nil
			}
			piece = &httpbody.HttpBody{ContentType: piece.GetContentType()}
		}
	})
}

// rawPiece is the most that one piece of a download holds, headRoom what an answer's headers may take of a message,
// both in bytes.
const (
	rawPiece = 64 << 10
	headRoom = 64 << 10
)

// exchange checks a request, sends it, and gives the answer to consume while it is open.
func (f *rawDoor) exchange(ctx context.Context, rpc string, req *rawv1.CallRequest, consume func(context.Context, *upstream.RawAnswer) error) error {
	arrival := f.arrival(ctx)
	ctx = WithArrival(ctx, arrival)
	op := rawOperation(rpc, req)
	x, err := f.opts.request(req, arrival.Caller)
	if err != nil {
		return Status(f.dispatcher.Refused(ctx, op, err)).Err()
	}
	err = f.dispatcher.Exchange(ctx, op, x, func(answer *upstream.RawAnswer) error { return consume(ctx, answer) })
	return Status(err).Err()
}

// rawOperation is Unmodelled under the name of the RPC; logs show the HTTP method beside it. A method that is not
// passed is not shown: it is the caller's text.
func rawOperation(rpc string, req *rawv1.CallRequest) *Operation {
	method := req.GetMethod()
	if !PassesMethod(method) {
		method = ""
	}
	path, _, _ := strings.Cut(req.GetTarget(), "?")
	op := Unmodelled(method, path)
	op.Name = rawv1.RawService_ServiceDesc.ServiceName + "/" + rpc
	return op
}

// rawHead is an answer without its body.
func rawHead(answer *upstream.RawAnswer) *rawv1.CallResponse {
	resp := &rawv1.CallResponse{Status: int32(answer.Status), ContentType: answer.Header.Get("Content-Type")}
	for name, values := range answer.Header {
		if name == "Content-Type" {
			continue
		}
		for _, value := range values {
			resp.Headers = append(resp.Headers, &rawv1.Header{Name: name, Value: strings.ToValidUTF8(value, "�")})
		}
	}
	if answer.ContentLength >= 0 {
		resp.Headers = append(resp.Headers, &rawv1.Header{Name: "Content-Length", Value: strconv.FormatInt(answer.ContentLength, 10)})
	}
	slices.SortStableFunc(resp.Headers, func(a, b *rawv1.Header) int { return strings.Compare(a.GetName(), b.GetName()) })
	resp.ContentType = strings.ToValidUTF8(resp.GetContentType(), "�")
	return resp
}

// readAnswer reads the body of an answer, at most limit bytes.
func readAnswer(ctx context.Context, answer *upstream.RawAnswer, limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(answer.Stream, limit+1))
	switch {
	case err != nil:
		return nil, brokenOff(ctx, err)
	case int64(len(body)) > limit:
		return nil, fmt.Errorf("%w: more than %d bytes", upstream.ErrTooLarge, limit)
	}
	return body, nil
}

// brokenOff says that an answer has ended before its end.
func brokenOff(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("%w: the answer broke off: %s", upstream.ErrUnreachable, upstream.Cause(err))
}
