package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// access is who may call a route.
type access int

const (
	adminOnly access = iota // a bearer token of an administrator
	anyUser                 // a bearer token
	open                    // no token
)

// route is one operation. Handlers that change the world say so; the others
// run beside each other.
type route struct {
	method string
	path   string // with {variables}, below /api/rainbow
	access access
	writes bool
	handle func(w *world, c *call) (any, error)
}

// rawAnswer is an answer that is not JSON (the CSV template).
type rawAnswer struct {
	contentType string
	disposition string
	body        []byte
	location    string // of a redirect, which is a 302
}

// routeNode is a tree over path segments. A literal segment wins over a
// variable one, as the catalogue asks (check, synchronize, pbxid, ...).
// net/http's mux refuses such neighbours ("/systems/pbxid/{pbxId}" and
// "/systems/{systemId}/phone-numbers" match the same path).
type routeNode struct {
	literals map[string]*routeNode
	variable *routeNode
	name     string                 // of the variable that leads here
	rest     *routeNode             // a variable that takes several segments, {name=**}
	methods  map[string]*boundRoute // at the end of a path
}

// boundRoute is a route with the roles it asks for; nil where none are named.
type boundRoute struct {
	route
	permission *permission
	operation  operation
}

func routeTree() *routeNode {
	root, permissions, named := &routeNode{}, newPermissionTable(), operationsByShape()
	for _, group := range [][]route{
		authRoutes(), endUserRoutes(), userRoutes(), systemRoutes(), licenceRoutes(),
		keyRoutes(), groupRoutes(), greetingRoutes(), recordingRoutes(), welcomeRoutes(), trunkRoutes(),
		cloudPbxRoutes(), ddiRoutes(), subscriberRoutes(), deviceRoutes(), importRoutes(),
		partnerRoutes(),
	} {
		for _, r := range group {
			root.add(&boundRoute{r, permissions.of(r), named[shape(r.method, r.path)]})
		}
	}
	return root
}

func (n *routeNode) add(r *boundRoute) {
	for _, segment := range strings.Split(strings.TrimPrefix(r.path, "/"), "/") {
		n = n.child(segment)
	}
	if n.methods == nil {
		n.methods = map[string]*boundRoute{}
	}
	n.methods[r.method] = r
}

func (n *routeNode) child(segment string) *routeNode {
	if name, isRest := strings.CutSuffix(segment, "=**}"); isRest {
		if n.rest == nil {
			n.rest = &routeNode{name: strings.TrimPrefix(name, "{")}
		}
		return n.rest
	}
	if name, isVariable := strings.CutPrefix(segment, "{"); isVariable {
		if n.variable == nil {
			n.variable = &routeNode{name: strings.TrimSuffix(name, "}")}
		}
		return n.variable
	}
	if n.literals == nil {
		n.literals = map[string]*routeNode{}
	}
	if n.literals[segment] == nil {
		n.literals[segment] = &routeNode{}
	}
	return n.literals[segment]
}

// find answers the route of a path, and the values of its variables.
func (n *routeNode) find(method string, segments []string, values map[string]string) *boundRoute {
	if len(segments) == 0 {
		return n.methods[method]
	}
	if next := n.literals[segments[0]]; next != nil {
		if r := next.find(method, segments[1:], values); r != nil {
			return r
		}
	}
	if n.variable != nil && segments[0] != "" {
		if r := n.variable.find(method, segments[1:], values); r != nil {
			values[n.variable.name] = segments[0]
			return r
		}
	}
	if n.rest == nil {
		return nil
	}
	values[n.rest.name] = strings.Join(segments, "/")
	return n.rest.methods[method]
}

const (
	basePath = "/api/rainbow"
	maxBody  = 64 << 20 // bytes
)

// serve handles one request: journal, faults, then the control paths or
// Rainbow.
func (s *Sandbox) serve(w http.ResponseWriter, r *http.Request) {
	entry := JournalEntry{Time: s.options.Clock(), Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery}
	control := strings.HasPrefix(r.URL.Path, "/sandbox/")
	var h *hits
	var slowly *Pace
	if !control && !s.faults.none() {
		h = s.faults.meet(s.factsOf(r), entry.Time)
	}
	if h != nil {
		entry.Fault, entry.Faults, slowly = true, h.names, h.slowRequest
		if h.end != nil && h.end.Cut == CutBeforeRead {
			s.misbehave(w, r, nil, h, entry)
			return
		}
	}
	body, err := readBody(w, r, slowly)
	if err != nil {
		writeJSON(w, http.StatusRequestEntityTooLarge, &apiError{Status: 413, Code: codeFileTooLarge, Details: "request body is too large"})
		return
	}
	if control {
		s.control(w, r, body)
		return
	}
	entry.Digest, entry.Bytes = digest(body), len(body)
	if h == nil {
		answer := &statusRecorder{ResponseWriter: w}
		s.rainbow(answer, r, body, nil)
		entry.Status = answer.status
		s.journal.add(entry)
		return
	}
	wait(r.Context(), h.latency)
	s.misbehave(w, r, body, h, entry)
}

// wait sleeps unless the caller goes away first.
func wait(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// statusRecorder remembers the status for the journal.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (a *statusRecorder) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// rainbow answers a request of the portals; h is what fault rules do to it.
func (s *Sandbox) rainbow(w http.ResponseWriter, r *http.Request, body []byte, h *hits) {
	w.Header().Set("x-rainbow-request-id", s.journal.nextID())
	answer, err := s.dispatch(r, body, h)
	if err != nil {
		var fault *apiError
		if !errors.As(err, &fault) {
			s.options.Logger.Error("sandbox answer failed", "method", r.Method, "path", r.URL.Path, "error", err.Error())
			fault = &apiError{Status: http.StatusInternalServerError, Details: ""}
		}
		if fault.Challenge != "" {
			w.Header().Set("WWW-Authenticate", fault.Challenge)
		}
		writeJSON(w, fault.Status, fault)
		return
	}
	if answer.disposition != "" {
		w.Header().Set("Content-Disposition", answer.disposition)
	}
	w.Header().Set("Content-Type", answer.contentType)
	status := http.StatusOK
	if answer.location != "" {
		w.Header().Set("Location", answer.location)
		status = http.StatusFound
	}
	w.WriteHeader(status)
	w.Write(answer.body)
}

// dispatch finds the route, checks the token and runs the handler inside the
// store. Every answer has a body and a content type, deletes too: a client
// trips over an empty one (the Rainbow Node SDK).
func (s *Sandbox) dispatch(r *http.Request, body []byte, h *hits) (*rawAnswer, error) {
	path, values := splitTarget(r.URL)
	variables := map[string]string{}
	rt := s.route(r.Method, path, variables)
	if rt == nil {
		return nil, unknownResource(r.Method, path)
	}
	if err := checkAppToken(r); err != nil {
		return nil, err
	}
	if err := s.settle(); err != nil {
		return nil, err
	}
	c := &call{
		request: r, path: variables, query: query{values}, body: body,
		now: s.options.Clock(), sandbox: s, writes: rt.writes, permission: rt.permission,
	}
	var late *world // where a fault rule says so, the replica that is read
	if h != nil {
		c.expire = h.expire()
		late = s.store.replicaFor(h, rt)
	}
	raw := &rawAnswer{contentType: "application/json; charset=utf-8"}
	run := s.store.read
	if rt.writes {
		run = s.store.write
	}
	encoded, err := run(func(w *world) ([]byte, error) {
		c.world = w
		if err := s.admit(w, c, rt.access); err != nil {
			return nil, err
		}
		if late != nil {
			w, c.world = late, late
		}
		answer, err := rt.handle(w, c)
		if err != nil {
			return nil, err
		}
		if file, ok := answer.(*rawAnswer); ok {
			raw = file
			return file.body, nil
		}
		return json.Marshal(answer)
	})
	raw.body = encoded
	return raw, err
}

func unknownResource(method, path string) error {
	return notFound("The requested resource %s %s does not exist.", method, path)
}

// splitTarget separates path and query. rainbow-cli asks for
// /users/imports&companyId=ID with no question mark; upstream lives with it.
func splitTarget(u *url.URL) (string, url.Values) {
	path, odd, found := strings.Cut(u.EscapedPath(), "&")
	values := u.Query()
	if found {
		more, _ := url.ParseQuery(odd)
		for name, list := range more {
			values[name] = append(values[name], list...)
		}
	}
	return path, values
}

func (s *Sandbox) route(method, path string, variables map[string]string) *boundRoute {
	rest, ok := strings.CutPrefix(path, basePath+"/")
	if !ok {
		return nil
	}
	rt := s.routes.find(method, strings.Split(rest, "/"), variables)
	for name, escaped := range variables {
		plain, err := url.PathUnescape(escaped)
		if err != nil {
			return nil
		}
		variables[name] = plain
	}
	return rt
}
