package rest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// router finds the route of a method and path in time that does not grow with the number of routes: a tree by
// segment, in which a literal wins over a variable and one segment over the rest. What is chosen does not depend on
// the order in which routes were added; two routes for one path are refused.
type router struct {
	root node
}

// node is one place in the tree. byMethod is nil where no route ends.
type node struct {
	literal  map[string]*node
	variable *node
	ends     map[string]*end // by verb, "" for none
	rest     map[string]*end // routes whose last segment is **, by verb
}

// end is where routes of one path end, by HTTP method.
type end struct {
	byMethod map[string]*route
}

// add enters a route.
func (r *router) add(rt *route) error {
	n := &r.root
	segments, ends := rt.template.segments, func() *map[string]*end { return &n.ends }
	for _, segment := range segments {
		switch segment {
		case "**":
			ends = func() *map[string]*end { return &n.rest }
		case "*":
			if n.variable == nil {
				n.variable = &node{}
			}
			n = n.variable
		default:
			n = n.child(segment)
		}
	}
	return addEnd(ends(), rt)
}

func (n *node) child(segment string) *node {
	if n.literal == nil {
		n.literal = map[string]*node{}
	}
	if n.literal[segment] == nil {
		n.literal[segment] = &node{}
	}
	return n.literal[segment]
}

func addEnd(ends *map[string]*end, rt *route) error {
	if *ends == nil {
		*ends = map[string]*end{}
	}
	e := (*ends)[rt.template.verb]
	if e == nil {
		e = &end{byMethod: map[string]*route{}}
		(*ends)[rt.template.verb] = e
	}
	if other := e.byMethod[rt.method]; other != nil {
		return fmt.Errorf("route %s %s: taken by %s", rt.method, rt.template.text, other.template.text)
	}
	e.byMethod[rt.method] = rt
	return nil
}

// match finds the route of a request. When the path is served but not with this method, the route is nil and allowed
// lists the methods.
func (r *router) match(method string, p *path) (rt *route, allowed []string) {
	s := search{method: method, path: p}
	if p.colon {
		last := p.segments[p.n-1]
		if i := strings.LastIndexByte(last, ':'); i > 0 {
			p.segments[p.n-1], s.verb = last[:i], last[i+1:]
			if rt = s.find(&r.root, 0); rt != nil {
				return rt, nil
			}
			p.segments[p.n-1], s.verb = last, ""
		}
	}
	if rt = s.find(&r.root, 0); rt != nil {
		return rt, nil
	}
	return nil, slices.Sorted(maps.Keys(s.allowed))
}

// search is one walk through the tree.
type search struct {
	method, verb string
	path         *path
	allowed      map[string]bool // methods of the ends that were passed over
}

func (s *search) find(n *node, i int) *route {
	if i == s.path.n {
		return s.end(n.ends)
	}
	segment := s.path.segments[i]
	if next := n.literal[segment]; next != nil {
		if rt := s.find(next, i+1); rt != nil {
			return rt
		}
	}
	if n.variable != nil && segment != "" {
		if rt := s.find(n.variable, i+1); rt != nil {
			return rt
		}
	}
	return s.end(n.rest)
}

func (s *search) end(ends map[string]*end) *route {
	e := ends[s.verb]
	if e == nil {
		return nil
	}
	if rt := e.byMethod[s.method]; rt != nil {
		return rt
	}
	for method := range e.byMethod {
		if s.allowed == nil {
			s.allowed = map[string]bool{}
		}
		s.allowed[method] = true
	}
	return nil
}
