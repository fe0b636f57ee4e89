package rest

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// listener is an upstream that only notes which RPC is invoked, with which message.
type listener struct {
	method string
	req    proto.Message
}

func (l *listener) Invoke(ctx context.Context, method string, req, _ any, _ ...grpc.CallOption) error {
	l.method, l.req = method, req.(proto.Message)
	upstream.ExchangeFrom(ctx).Answer = upstream.RawAnswer{Status: 200, Body: []byte("{}")}
	return nil
}

func (l *listener) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, context.Canceled
}

func (l *listener) Do(context.Context, *upstream.Exchange) error { return context.Canceled }

func mapped(t *testing.T) (*Handler, *listener) {
	t.Helper()
	bindings, err := upstream.CompileBindings(upstream.RainbowServices())
	if err != nil {
		t.Fatal(err)
	}
	up := &listener{}
	h, err := New(Options{
		Dispatcher: facade.NewDispatcher(bindings, up, slog.Default(), facade.Authenticate(false)),
		Services:   RainbowServices(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return h, up
}

// TestEachGeneratedHandlerInvokesItsOwnRPC calls every captured handler with the variables of its own route: since
// the handlers are told apart by order alone, a shift by one must not go unnoticed.
func TestEachGeneratedHandlerInvokesItsOwnRPC(t *testing.T) {
	h, up := mapped(t)
	if len(h.routes) < 80 {
		t.Errorf("only %d routes", len(h.routes))
	}
	for _, rt := range h.routes {
		path, values := sample(rt.template)
		x := &upstream.Exchange{WantRaw: true, Request: &upstream.RawRequest{Method: rt.method, Target: path}}
		req := httptest.NewRequest(rt.method, path, nil)
		up.method, up.req = "", nil
		w := httptest.NewRecorder()
		rt.generated(w, bare(upstream.WithExchange(req.Context(), x), req), values)
		if up.method != rt.op.FullMethod {
			t.Errorf("%s %s: invoked %q, want %s (%d %s)", rt.method, rt.template.text, up.method, rt.op.FullMethod, w.Code, w.Body)
			continue
		}
		for name, want := range values {
			field := up.req.ProtoReflect().Descriptor().Fields().ByName(protoreflect.Name(name))
			if got := up.req.ProtoReflect().Get(field).String(); got != want {
				t.Errorf("%s: %s is %q, want %q", rt.op.Name, name, got, want)
			}
		}
		if found, _ := matchOf(h, rt.method, path); found != rt {
			t.Errorf("%s %s: the router finds %s", rt.method, path, textOf(found))
		}
	}
}

// sample fills a template with the number of each variable; integers fit every kind of field.
func sample(tmpl template) (string, map[string]string) {
	segments := slices.Clone(tmpl.segments)
	values := map[string]string{}
	for i, v := range tmpl.variables {
		values[v.name] = string(rune('1' + i))
		segments[v.from] = values[v.name]
	}
	return "/" + strings.Join(segments, "/"), values
}

func matchOf(h *Handler, method, escaped string) (*route, []string) {
	var p path
	if ok, err := p.split(escaped); err != nil || !ok {
		return nil, nil
	}
	return h.router.match(method, &p)
}

// TestEveryServiceOfRainbowHasRoutes compares the list of services, and their routes, with the descriptors.
func TestEveryServiceOfRainbowHasRoutes(t *testing.T) {
	var listed, linked []string
	for _, s := range RainbowServices() {
		listed = append(listed, string(s.Name))
	}
	for _, s := range upstream.RainbowServices() {
		linked = append(linked, string(s.FullName()))
	}
	slices.Sort(listed)
	if !slices.Equal(listed, linked) {
		t.Errorf("listed %v\nlinked %v", listed, linked)
	}
	h, _ := mapped(t)
	routed := map[string]bool{}
	for _, rt := range h.routes {
		routed[rt.op.FullMethod] = true
	}
	bindings, err := upstream.CompileBindings(upstream.RainbowServices())
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bindings.All() {
		if routed[b.FullMethod] != (b.VariantOf == nil) {
			t.Errorf("%s: route %v, twin %v", b.FullMethod, routed[b.FullMethod], b.VariantOf != nil)
		}
	}
}

// TestAWrongServiceIsNamedAtStart registers a service's handlers under another's name.
func TestAWrongServiceIsNamedAtStart(t *testing.T) {
	h, _ := mapped(t)
	services := RainbowServices()
	wrong := Service{Name: services[1].Name, Register: services[0].Register}
	_, err := New(Options{Dispatcher: h.opts.Dispatcher, Services: []Service{wrong}})
	if err == nil || !strings.Contains(err.Error(), string(wrong.Name)) {
		t.Errorf("got %v", err)
	}
	_, err = New(Options{Dispatcher: h.opts.Dispatcher, Services: []Service{services[0], services[0]}})
	if err == nil || !strings.Contains(err.Error(), "taken by") {
		t.Errorf("a service twice: got %v", err)
	}
}

func TestQueryReachesThePoliciesAsFarAsItFits(t *testing.T) {
	h, up := mapped(t)
	req := httptest.NewRequest("GET", users+"?companyId=a%20b&limit=100&limit=false&offset=undefined&unknown=1&format=full", nil)
	h.ServeHTTP(httptest.NewRecorder(), req)
	got := map[string]string{}
	up.req.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		got[f.JSONName()] = v.String()
		return true
	})
	if len(got) != 3 || got["companyId"] != "a b" || got["limit"] != "100" || got["format"] != "full" {
		t.Errorf("got %v", got)
	}
}

func BenchmarkMirror(b *testing.B) {
	bindings, err := upstream.CompileBindings(upstream.RainbowServices())
	if err != nil {
		b.Fatal(err)
	}
	h, err := New(Options{
		Dispatcher: facade.NewDispatcher(bindings, &listener{}, slog.New(slog.DiscardHandler), facade.Authenticate(false)),
		Services:   RainbowServices(),
	})
	if err != nil {
		b.Fatal(err)
	}
	req := httptest.NewRequest("GET", users+"?companyId=5b7d&format=full&limit=100", nil)
	req.Header.Set("Authorization", "Bearer x")
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(discard{http.Header{}}, req)
	}
}

type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}
