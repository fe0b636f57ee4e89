// Package rest is the REST door: it mirrors Rainbow's own paths, and serves the gateway's services below /v1/.
//
// Handler routes a request with its own router, whose cost does not grow with the number of routes, and hands it on in
// one of three ways. A JSON operation of Rainbow passes its generated grpc-gateway handler, one route each, while the
// raw request and the raw answer travel beside the messages in the upstream.Exchange: what the caller wrote goes
// upstream byte by byte, and what upstream answered comes back so. What can't pass a generated handler byte-exact
// (CSV, forms, redirects, paths that no RPC models, what may be a file) goes from the router to the dispatcher as a
// stream. A service of the gateway itself passes its generated handler with protojson.
//
// A Handler is safe for concurrent use. Policies, credentials and the choice between local and upstream are the
// dispatcher's; listeners and time-outs are the server's.
package rest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"

	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// Service is one service with HTTP rules: its full name, and its generated registration over a connection.
type Service struct {
	Name     protoreflect.FullName
	Register func(ctx context.Context, mux *runtime.ServeMux, conn grpc.ClientConnInterface) error
}

// Options are what a Handler is made of.
type Options struct {
	Dispatcher *facade.Dispatcher
	Listener   facade.Listener

	// Services are all services that have routes; whether one is local is the dispatcher's knowledge.
	Services []Service

	// RawBodies let routes of local services take other media types than JSON.
	RawBodies []RawBody

	// CatchAll passes /api/rainbow/ paths that no RPC models upstream as they come.
	CatchAll bool

	// Reference serves what describes the door to anybody; nil for nothing.
	Reference Reference

	// MaxBody bounds a JSON body for Rainbow in bytes, MaxUpload every other body. Defaults: 8 MiB and 256 MiB.
	MaxBody, MaxUpload int64

	// BodyPause is how long a caller may pause within a body. Default: a minute.
	BodyPause time.Duration

	// Log gets what callers are not told. Default: slog.Default().
	Log *slog.Logger
}

// Reference serves pages about the door, at paths that no route has.
type Reference interface {
	http.Handler

	// Serves tells whether a path is one of its pages.
	Serves(path string) bool
}

// Handler is the REST door.
type Handler struct {
	opts   Options
	router router
	routes []*route
}

// New builds the routes of all services. An error names the service, RPC or path that is wrong.
func New(opts Options) (*Handler, error) {
	if opts.MaxBody == 0 {
		opts.MaxBody = 8 << 20
	}
	if opts.MaxUpload == 0 {
		opts.MaxUpload = 256 << 20
	}
	if opts.BodyPause == 0 {
		opts.BodyPause = time.Minute
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	h := &Handler{opts: opts}
	for _, service := range opts.Services {
		if err := h.addService(service); err != nil {
			return nil, fmt.Errorf("service %s: %w", service.Name, err)
		}
	}
	return h, h.addRawBodies()
}

// rainbowPrefix is where Rainbow's portals are.
const rainbowPrefix = "/api/rainbow/"

// ServeHTTP routes one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer h.recover(w, r)
	if !h.cors(w, r) {
		h.serve(w, r)
	}
}

// recover turns a panic into an internal error; text and stack go to the log. Breaking off is left to net/http.
func (h *Handler) recover(w http.ResponseWriter, r *http.Request) {
	v := recover()
	if v == nil {
		return
	}
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v)
	}
	h.opts.Log.Error("panic", "method", r.Method, "error", facade.Scrub(fmt.Sprint(v)), "stack", string(debug.Stack()))
	writeFault(w, r, errors.New("panic"))
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) {
	h.limitPause(w, r)
	escaped := escapedPath(r.URL)
	var p path
	ok, err := p.split(escaped)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	if !ok {
		h.unmatched(w, r, &p, nil)
		return
	}
	rt, allowed := h.router.match(lookupMethod(r.Method), &p)
	if rt == nil && len(allowed) == 0 {
		if fixed := splitAmpersand(r, escaped); fixed != nil {
			h.serve(w, fixed)
			return
		}
	}
	switch {
	case r.Method == http.MethodOptions && len(allowed) > 0:
		setAllow(w, allowed)
		w.WriteHeader(http.StatusNoContent)
	case rt == nil:
		h.unmatched(w, r, &p, allowed)
	default:
		rt.serve(facade.WithArrival(r.Context(), h.arrival(w, r)), w, r, &p)
	}
}

// lookupMethod finds HEAD's route: it is answered as GET, and net/http leaves the body out.
func lookupMethod(method string) string {
	if method == http.MethodHead {
		return http.MethodGet
	}
	return method
}

// splitAmpersand repairs a path such as /users/imports&companyId=ID, which rainbow-cli builds with "&" where "?"
// belongs. It returns nil when that is not the fault.
func splitAmpersand(r *http.Request, escaped string) *http.Request {
	i := strings.IndexByte(escaped, '&')
	if i < 0 || r.URL.RawQuery != "" || strings.IndexByte(escaped[i:], '/') >= 0 || !strings.HasPrefix(escaped, rainbowPrefix) {
		return nil
	}
	decoded, err := url.PathUnescape(escaped[:i])
	if err != nil {
		return nil
	}
	fixed := r.WithContext(r.Context())
	fixed.URL = &url.URL{Path: decoded, RawPath: escaped[:i], RawQuery: escaped[i+1:]}
	return fixed
}

// unmatched answers what no route serves: the catch-all, the reference, 405 or 404.
func (h *Handler) unmatched(w http.ResponseWriter, r *http.Request, p *path, allowed []string) {
	below := strings.HasPrefix(r.URL.Path, rainbowPrefix)
	switch {
	case !facade.PassesMethod(r.Method):
		h.refuse(w, r, facade.ErrMethod)
	case below && h.opts.CatchAll:
		op := facade.Unmodelled(r.Method, escapedPath(r.URL))
		h.stream(facade.WithArrival(r.Context(), h.arrival(w, r)), w, r, op, r.Method)
	case h.opts.Reference != nil && h.opts.Reference.Serves(r.URL.Path):
		h.opts.Reference.ServeHTTP(w, r)
	case len(allowed) > 0:
		setAllow(w, allowed)
		h.refuse(w, r, facade.ErrMethod)
	default:
		h.refuse(w, r, facade.ErrNoRoute)
	}
}

// setAllow lists the methods of a path, with those that every path has.
func setAllow(w http.ResponseWriter, allowed []string) {
	var methods []string
	for _, method := range allowed {
		methods = append(methods, method)
		if method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
	}
	w.Header().Set("Allow", strings.Join(append(methods, http.MethodOptions), ", "))
}

// requestIDHeader is facade.RequestIDKey in canonical form, upstreamIDHeader facade.UpstreamIDKey.
const (
	requestIDHeader  = "X-Request-Id"
	upstreamIDHeader = "X-Upstream-Request-Id"
)

// arrival reads the caller from the request, and tells him the id of his call.
func (h *Handler) arrival(w http.ResponseWriter, r *http.Request) *facade.Arrival {
	var a struct { // one piece of memory
		facade.Arrival
		id [1]string
	}
	a.Arrival = facade.Arrival{
		Door:      facade.DoorREST,
		Peer:      r.RemoteAddr,
		RequestID: facade.RequestID(r.Header.Get(requestIDHeader)),
		Answer:    w.Header(),
	}
	a.Caller, a.Credentials = upstream.Caller{Header: r.Header}, upstream.PassesThrough(r.Header)
	h.opts.Listener.Meet(&a.Arrival, r.Host, r.Header, r.TLS)
	a.id[0] = a.RequestID
	a.Answer[requestIDHeader] = a.id[:]
	return &a.Arrival
}

// target is the request line's path and query, as the caller escaped them.
func target(r *http.Request) string {
	escaped := escapedPath(r.URL)
	if uri := r.RequestURI; strings.HasPrefix(uri, escaped) && strings.HasPrefix(uri[len(escaped):], "?") && uri[len(escaped)+1:] == r.URL.RawQuery {
		return uri // nothing to put together
	}
	if r.URL.RawQuery == "" && !r.URL.ForceQuery {
		return escaped
	}
	return escaped + "?" + r.URL.RawQuery
}
