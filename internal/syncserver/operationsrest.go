package syncserver

import (
	"context"
	"net/http"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/grpc-ecosystem/grpc-gateway/v2/utilities"
)

// RegisterOperationsHandlerClient registers REST handlers for google.longrunning.Operations, in the shape of the
// functions that protoc-gen-grpc-gateway writes: one handler for each HTTP rule, in their order. The published Go module
// of that service has none.
func RegisterOperationsHandlerClient(_ context.Context, mux *runtime.ServeMux, client longrunningpb.OperationsClient) error {
	for _, r := range operationRoutes(client) {
		if err := mux.HandlePath(r.method, r.path, r.handler(mux)); err != nil {
			return err
		}
	}
	return nil
}

// operationRoute is an HTTP rule of google/longrunning/operations.proto.
type operationRoute struct {
	method, path string
	request      func() proto.Message
	call         func(context.Context, proto.Message) (proto.Message, error)
}

func operationRoutes(client longrunningpb.OperationsClient) []operationRoute {
	return []operationRoute{
		route(http.MethodGet, "/v1/{name=operations}", client.ListOperations),
		route(http.MethodGet, "/v1/{name=operations/**}", client.GetOperation),
		route(http.MethodDelete, "/v1/{name=operations/**}", client.DeleteOperation),
		route(http.MethodPost, "/v1/{name=operations/**}:cancel", client.CancelOperation),
	}
}

// message is a pointer to a generated message.
type message[T any] interface {
	*T
	proto.Message
}

func route[T any, Q message[T], A proto.Message](method, path string, call func(context.Context, Q, ...grpc.CallOption) (A, error)) operationRoute {
	return operationRoute{
		method: method, path: path,
		request: func() proto.Message { return Q(new(T)) },
		call:    func(ctx context.Context, req proto.Message) (proto.Message, error) { return call(ctx, req.(Q)) },
	}
}

func (o operationRoute) handler(mux *runtime.ServeMux) runtime.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request, path map[string]string) {
		_, out := runtime.MarshalerForRequest(mux, r)
		ctx, err := runtime.AnnotateContext(r.Context(), mux, r, "/google.longrunning.Operations/", runtime.WithHTTPPathPattern(o.path))
		if err != nil {
			runtime.HTTPError(r.Context(), mux, out, w, r, err)
			return
		}
		answer, err := o.serve(ctx, r, path)
		if err != nil {
			runtime.HTTPError(ctx, mux, out, w, r, err)
			return
		}
		runtime.ForwardResponseMessage(ctx, mux, out, w, r, answer)
	}
}

// serve makes the request of the query and the name in the path; a body says nothing that the path does not.
func (o operationRoute) serve(ctx context.Context, r *http.Request, path map[string]string) (proto.Message, error) {
	req := o.request()
	if err := runtime.PopulateQueryParameters(req, r.URL.Query(), utilities.NewDoubleArray([][]string{{"name"}})); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	if err := runtime.PopulateFieldFromPath(req, "name", path["name"]); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return o.call(ctx, req)
}
