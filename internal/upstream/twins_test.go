package upstream_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// TestEveryTwinCarriesBytes sends, or gets, a file of 300 kB that is no text by every streaming twin there is.
func TestEveryTwinCarriesBytes(t *testing.T) {
	file := make([]byte, 300_000)
	_, _ = rand.NewChaCha8([32]byte{}).Read(file)
	p := newPortal(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		if r.Method != http.MethodGet {
			answerJSON(w, 200, `{"unknown":1.10}`)
			return
		}
		w.Header().Set("Content-Type", "application/x-file")
		_, _ = w.Write(file)
	})
	c, twins := p.client(), 0
	for _, b := range bindings(t).All() {
		if b.VariantOf == nil {
			continue
		}
		twins++
		ctx, cancel := context.WithCancel(upstream.WithCaller(context.Background(), upstream.Caller{}))
		got, err := throughTwin(ctx, c, b, file)
		cancel()
		sent := p.requests()[twins-1]
		switch {
		case err != nil:
			t.Errorf("%s: %v", b.FullMethod, err)
		case b.Descriptor.IsStreamingServer() && !bytes.Equal(got, file):
			t.Errorf("%s: got %d other bytes", b.FullMethod, len(got))
		case b.Descriptor.IsStreamingClient() && (sha256.Sum256([]byte(sent.body)) != sha256.Sum256(file) || sent.header.Get("Content-Type") != b.RequestMedia):
			t.Errorf("%s: upstream got %d bytes as %s", b.FullMethod, len(sent.body), sent.header.Get("Content-Type"))
		case sent.method != b.Method || sent.header.Get("Accept") != b.Accept || b.Accept == "":
			t.Errorf("%s: upstream got %s, Accept %q", b.FullMethod, sent.method, sent.header.Get("Accept"))
		}
	}
	if twins < 25 {
		t.Errorf("%d twins, want more", twins)
	}
}

// throughTwin calls a twin, with the file for an upload, and returns what a download gives.
func throughTwin(ctx context.Context, c *upstream.Client, b *upstream.Binding, file []byte) ([]byte, error) {
	desc := &grpc.StreamDesc{ClientStreams: b.Descriptor.IsStreamingClient(), ServerStreams: b.Descriptor.IsStreamingServer()}
	s, err := c.NewStream(ctx, desc, b.FullMethod)
	if err != nil {
		return nil, err
	}
	for _, m := range twinRequests(b, file) {
		if err := s.SendMsg(m.Interface()); err != nil {
			return nil, err
		}
	}
	if err := s.CloseSend(); err != nil {
		return nil, err
	}
	var got []byte
	for {
		reply := b.Output.New()
		if err := s.RecvMsg(reply.Interface()); errors.Is(err, io.EOF) {
			return got, nil
		} else if err != nil {
			return nil, err
		}
		if data := reply.Descriptor().Fields().ByName("data"); desc.ServerStreams {
			got = append(got, reply.Get(data).Bytes()...)
		}
	}
}

// twinRequests are the messages of a call: the parameters, and for an upload the pieces of the file.
func twinRequests(b *upstream.Binding, file []byte) []protoreflect.Message {
	first := b.Input.New()
	if !b.Descriptor.IsStreamingClient() {
		fillPath(b, first)
		return []protoreflect.Message{first}
	}
	fields := first.Descriptor().Fields()
	fillPath(b, first.Mutable(fields.ByName("request")).Message())
	all := []protoreflect.Message{first}
	for len(file) > 0 {
		n := min(len(file), 70_000)
		part := b.Input.New()
		part.Set(fields.ByName("chunk"), protoreflect.ValueOfBytes(file[:n]))
		all, file = append(all, part), file[n:]
	}
	return all
}

// fillPath gives every variable of the path a value.
func fillPath(b *upstream.Binding, m protoreflect.Message) {
	for _, s := range b.Path.Segments {
		if s.Variable != "" && !strings.Contains(s.Variable, ".") {
			m.Set(m.Descriptor().Fields().ByName(protoreflect.Name(s.Variable)), protoreflect.ValueOfString("1"))
		}
	}
}

// TestAStreamWithoutARequestIsInvalid, whoever asks for its answer first.
func TestAStreamWithoutARequestIsInvalid(t *testing.T) {
	p := newPortal(t, ok(`{}`))
	c := p.client()
	for _, b := range bindings(t).All() {
		if b.VariantOf == nil {
			continue
		}
		s, err := c.NewStream(t.Context(), &grpc.StreamDesc{}, b.FullMethod)
		if err != nil {
			t.Fatal(err)
		}
		received := make(chan error, 1)
		go func() { received <- s.RecvMsg(b.Output.New().Interface()) }()
		if err := s.CloseSend(); err != nil {
			t.Fatal(err)
		}
		if err := <-received; !errors.Is(err, upstream.ErrInvalid) {
			t.Errorf("%s: got %v", b.FullMethod, err)
		}
		if err := s.SendMsg(twinRequests(b, nil)[0].Interface()); !errors.Is(err, upstream.ErrInvalid) {
			t.Errorf("%s: a request after the end: got %v", b.FullMethod, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	s, err := c.NewStream(ctx, &grpc.StreamDesc{}, "/rainbow.massprovisioning.v1.UsersAndDevicesService/UploadImportUsers")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := s.Header(); !errors.Is(err, context.Canceled) || upstream.Unknown(err) {
		t.Errorf("given up before it began: got %v", err)
	}
	if n := len(p.requests()); n != 0 {
		t.Errorf("upstream was asked %d times", n)
	}
}
