package rest

import (
	"context"
	"fmt"
	"net/http"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"

	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// route is one HTTP rule of one RPC.
type route struct {
	method    string
	template  template
	op        *facade.Operation
	generated runtime.HandlerFunc
	rawBodies []RawBody
	serve     serveFunc
}

// serveFunc serves a request of a route. ctx is the request's with the arrival in it.
type serveFunc func(ctx context.Context, w http.ResponseWriter, r *http.Request, p *path)

// params are the path variables as generated handlers take them.
func (rt *route) params(p *path) map[string]string {
	if len(rt.template.variables) == 0 {
		return nil
	}
	params := make(map[string]string, len(rt.template.variables))
	for _, v := range rt.template.variables {
		params[v.name] = p.value(v)
	}
	return params
}

// addService registers the generated handlers of a service and takes them out again, one per HTTP rule: grpc-gateway
// calls a middleware once for each handler, in the order of the rules in the descriptor. Its own mux, which would
// try route after route, is not used to serve.
func (h *Handler) addService(service Service) error {
	rules, local, err := h.serviceRules(service.Name)
	if err != nil {
		return err
	}
	var generated []runtime.HandlerFunc
	capture := func(next runtime.HandlerFunc) runtime.HandlerFunc {
		generated = append(generated, next)
		return next
	}
	options := append(mirrorOptions(), runtime.WithMiddlewares(capture))
	conn := mirrorConn{h.opts.Dispatcher}
	if local {
		options = append(localOptions(), runtime.WithMiddlewares(capture))
	}
	if err := service.Register(context.Background(), runtime.NewServeMux(options...), conn); err != nil {
		return err
	}
	if len(generated) != len(rules) {
		return fmt.Errorf("%d HTTP rules in the descriptor, %d generated handlers", len(rules), len(generated))
	}
	for i, rt := range rules {
		rt.generated = generated[i]
		rt.serve = h.way(rt)
		if err := h.router.add(rt); err != nil {
			return err
		}
	}
	h.routes = append(h.routes, rules...)
	return nil
}

// way chooses how requests of a route are served.
func (h *Handler) way(rt *route) serveFunc {
	switch {
	case rt.op.Local:
		return func(ctx context.Context, w http.ResponseWriter, r *http.Request, p *path) { h.local(ctx, w, r, rt, p) }
	case rt.op.Binding.RequestMedia != "" || rt.op.Binding.ResponseMedia != "":
		return func(ctx context.Context, w http.ResponseWriter, r *http.Request, _ *path) {
			h.stream(ctx, w, r, rt.op, rt.method)
		}
	case rt.op.Binding.File != "":
		return h.document(rt, rt.op.Binding.File)
	}
	return func(ctx context.Context, w http.ResponseWriter, r *http.Request, p *path) { h.mirror(ctx, w, r, rt, p) }
}

// serviceRules lists the HTTP rules of a service in the order in which the generator writes their handlers, and tells
// whether the service is local.
func (h *Handler) serviceRules(name protoreflect.FullName) (rules []*route, local bool, err error) {
	desc, err := protoregistry.GlobalFiles.FindDescriptorByName(name)
	if err != nil {
		return nil, false, err
	}
	service, ok := desc.(protoreflect.ServiceDescriptor)
	if !ok {
		return nil, false, fmt.Errorf("not a service")
	}
	for i := range service.Methods().Len() {
		method := service.Methods().Get(i)
		op := h.opts.Dispatcher.Operation(fmt.Sprintf("/%s/%s", name, method.Name()))
		if op == nil {
			return nil, false, fmt.Errorf("method %s: the dispatcher does not serve it", method.Name())
		}
		local = op.Local
		more, err := methodRules(method, op)
		if err != nil {
			return nil, false, fmt.Errorf("method %s: %w", method.Name(), err)
		}
		rules = append(rules, more...)
	}
	return rules, local, nil
}

func methodRules(method protoreflect.MethodDescriptor, op *facade.Operation) ([]*route, error) {
	rule, ok := proto.GetExtension(method.Options(), annotations.E_Http).(*annotations.HttpRule)
	if !ok || rule == nil {
		return nil, nil
	}
	var routes []*route
	for _, r := range append([]*annotations.HttpRule{rule}, rule.GetAdditionalBindings()...) {
		httpMethod, text := upstream.RuleTarget(r)
		t, err := parseTemplate(text)
		if err != nil {
			return nil, err
		}
		routes = append(routes, &route{method: httpMethod, template: t, op: op})
	}
	return routes, nil
}
