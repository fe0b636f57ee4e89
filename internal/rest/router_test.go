package rest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
)

// table builds a router of "METHOD template" lines.
func table(t testing.TB, lines ...string) *router {
	t.Helper()
	r := &router{}
	for _, line := range lines {
		method, text, _ := strings.Cut(line, " ")
		parsed, err := parseTemplate(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.add(&route{method: method, template: parsed}); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

var routes = []string{
	"GET /api/rainbow/admin/v1.0/users",
	"GET /api/rainbow/admin/v1.0/users/{user_id}",
	"DELETE /api/rainbow/admin/v1.0/users/{user_id}",
	"GET /api/rainbow/mass/v1.0/users/imports",
	"POST /api/rainbow/mass/v1.0/users/imports/check",
	"GET /api/rainbow/mass/v1.0/users/imports/{req_id}/details",
	"GET /api/rainbow/mass/v1.0/users/imports/check/details",
	"GET /pbx/{system_id}/ddi/{number_id}/users/{user_id}",
	"GET /pbx/{system_id}/ddi/free",
	"PUT /pbx/{system_id}/ddi/{number_id}",
	"GET /invoices/{path=**}",
	"GET /invoices/services",
	"POST /v1/{parent=companies/*}/plans",
	"GET /v1/{name=companies/*/plans/*}",
	"POST /v1/{name=companies/*/plans/*}:apply",
	"GET /v1/{name=companies/*/plans/*}:render",
	"GET /v1/{name=companies/*/runs/*}",
}

func TestRouterFindsTheMostLiteralRoute(t *testing.T) {
	r := table(t, routes...)
	tests := []struct {
		method, path string
		want         string // template and variables; "405 methods", "404"
	}{
		{"GET", "/api/rainbow/admin/v1.0/users", "/api/rainbow/admin/v1.0/users"},
		{"GET", "/api/rainbow/admin/v1.0/users/42", "/api/rainbow/admin/v1.0/users/{user_id} user_id=42"},
		{"GET", "/api/rainbow/admin/v1.0/users/a%2Fb", "/api/rainbow/admin/v1.0/users/{user_id} user_id=a/b"},
		{"GET", "/api/rainbow/admin/v1.0/users/a%20b+c", "/api/rainbow/admin/v1.0/users/{user_id} user_id=a b+c"},
		{"GET", "/api/rainbow/admin/v1.0/users/aa:bb:cc", "/api/rainbow/admin/v1.0/users/{user_id} user_id=aa:bb:cc"},
		{"GET", "/api/rainbow/%61dmin/v1.0/users", "/api/rainbow/admin/v1.0/users"},
		{"PATCH", "/api/rainbow/admin/v1.0/users/42", "405 DELETE GET"},
		{"GET", "/api/rainbow/admin/v1.0/users/", "404"},
		{"GET", "/api/rainbow/admin/v1.0/Users", "404"},
		{"GET", "/api/rainbow/admin/v1.0/users/1/2", "404"},
		{"GET", "/", "404"},
		{"GET", "/api/rainbow/mass/v1.0/users/imports/check/details", "/api/rainbow/mass/v1.0/users/imports/check/details"},
		{"GET", "/api/rainbow/mass/v1.0/users/imports/7/details", "/api/rainbow/mass/v1.0/users/imports/{req_id}/details req_id=7"},
		{"GET", "/pbx/1/ddi/free", "/pbx/{system_id}/ddi/free system_id=1"},
		// The literal "free" has no PUT and nothing below it: the variable serves both.
		{"PUT", "/pbx/1/ddi/free", "/pbx/{system_id}/ddi/{number_id} system_id=1 number_id=free"},
		{"GET", "/pbx/1/ddi/free/users/3", "/pbx/{system_id}/ddi/{number_id}/users/{user_id} system_id=1 number_id=free user_id=3"},
		{"GET", "/pbx//ddi/free", "404"},
		{"GET", "/invoices/services", "/invoices/services"},
		{"GET", "/invoices/2026/01/a%2Fb.pdf", "/invoices/{path=**} path=2026/01/a%2Fb.pdf"},
		{"GET", "/v1/companies/c/plans/p", "/v1/{name=companies/*/plans/*} name=companies/c/plans/p"},
		{"POST", "/v1/companies/c/plans/p:apply", "/v1/{name=companies/*/plans/*}:apply name=companies/c/plans/p"},
		{"GET", "/v1/companies/c/plans/p:render", "/v1/{name=companies/*/plans/*}:render name=companies/c/plans/p"},
		{"GET", "/v1/companies/c/plans/p:other", "/v1/{name=companies/*/plans/*} name=companies/c/plans/p:other"},
		{"POST", "/v1/companies/c/plans", "/v1/{parent=companies/*}/plans parent=companies/c"},
		{"GET", "/v1/companies/c/runs/r", "/v1/{name=companies/*/runs/*} name=companies/c/runs/r"},
		{"DELETE", "/v1/companies/c/plans/p:apply", "405 GET POST"},
		{"GET", "/" + strings.Repeat("a/", maxSegments), "404"},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			if got := find(r, tt.method, tt.path); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func find(r *router, method, escaped string) string {
	var p path
	ok, err := p.split(escaped)
	if err != nil {
		return err.Error()
	}
	if !ok {
		return "404"
	}
	rt, allowed := r.match(method, &p)
	if rt == nil {
		if len(allowed) == 0 {
			return "404"
		}
		return "405 " + strings.Join(allowed, " ")
	}
	found := rt.template.text
	params := rt.params(&p)
	for _, v := range rt.template.variables {
		found += " " + v.name + "=" + params[v.name]
	}
	return found
}

// TestRouteOrderDoesNotMatter adds the routes backwards; grpc-gateway's own mux would let the last one win.
func TestRouteOrderDoesNotMatter(t *testing.T) {
	backwards := slices.Clone(routes)
	slices.Reverse(backwards)
	a, b := table(t, routes...), table(t, backwards...)
	for _, line := range routes {
		method, text, _ := strings.Cut(line, " ")
		path := strings.NewReplacer("{parent=companies/*}", "companies/1", "{name=companies/*/plans/*}", "companies/1/plans/2",
			"{name=companies/*/runs/*}", "companies/1/runs/2", "{path=**}", "x/y").Replace(text)
		for strings.Contains(path, "{") {
			path = path[:strings.Index(path, "{")] + "7" + path[strings.Index(path, "}")+1:]
		}
		got, want := find(a, method, path), find(b, method, path)
		if got != want || !strings.HasPrefix(got, text) {
			t.Errorf("%s %s: %s forwards, %s backwards, want %s", method, path, got, want, text)
		}
	}
}

func TestDotSegmentsAreRefused(t *testing.T) {
	for _, escaped := range []string{
		"/a/../b", "/a/./b", "/a/..", "/a/.", "/a/%2e%2e/b", "/a/%2E%2e", "/a/.%2e", "/a/%2e", "/a/..%2f..%2fb", "/a/x%2f..",
		"/a/..%5cb", "/a/x%5c%2e%2e", "/a/%252e%252e", "/a/..;x=y/b",
	} {
		var p path
		if _, err := p.split(escaped); !errors.Is(err, facade.ErrPath) {
			t.Errorf("%s: got %v", escaped, err)
		}
	}
	for _, escaped := range []string{"/a/...", "/a/.b", "/a/b.", "/v1.0/a..b", "/a/x%2f.y"} {
		var p path
		if _, err := p.split(escaped); err != nil {
			t.Errorf("%s: %v", escaped, err)
		}
	}
}

func TestTemplateFaults(t *testing.T) {
	for _, text := range []string{
		"", "a", "/", "/a//b", "/{}", "/{a", "/a}", "/{a=}", "/{a=b//c}", "/{a=**}/b", "/a/**/b", "/a:", "/a:b/c", "/{a}b",
		"/a{b}", "/{a={b}}", "/a%20b", "/" + strings.Repeat("a/", maxSegments) + "a",
	} {
		if parsed, err := parseTemplate(text); err == nil {
			t.Errorf("%q passes as %+v", text, parsed)
		}
	}
}

func TestTwoRoutesForOnePathAreRefused(t *testing.T) {
	r := table(t, "GET /a/{b}")
	same, _ := parseTemplate("/a/{c}")
	if err := r.add(&route{method: "GET", template: same}); err == nil {
		t.Error("the second route was taken")
	}
	if err := r.add(&route{method: "PUT", template: same}); err != nil {
		t.Error(err)
	}
}

func TestMatchAllocatesNothing(t *testing.T) {
	r := table(t, routes...)
	if n := testing.AllocsPerRun(100, func() {
		var p path
		if ok, err := p.split("/pbx/1/ddi/free/users/3"); !ok || err != nil {
			t.Fatal(err)
		}
		if rt, _ := r.match("GET", &p); rt == nil {
			t.Fatal("no route")
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzRouter compares the tree with the plain rule: of all templates that fit a path, the one that has a literal where
// another has a variable, at the first segment where they differ.
func FuzzRouter(f *testing.F) {
	for _, seed := range []string{"/pbx/1/ddi/free", "/v1/companies/c/plans/p:apply", "/invoices/a/b", "/a%2fb/..", "//", "/%zz", "/users/imports&companyId=7"} {
		f.Add("GET", seed)
		f.Add("POST", seed)
	}
	r := table(f, routes...)
	f.Fuzz(func(t *testing.T, method, escaped string) {
		var p path
		ok, err := p.split(escaped)
		if err != nil || !ok {
			return
		}
		for i := range p.n {
			if p.segments[i] == "." || p.segments[i] == ".." {
				t.Fatalf("%q: dot segment passed", escaped)
			}
		}
		before := p
		rt, _ := r.match(method, &p)
		want := slowest(method, &before)
		if got := textOf(rt); got != want {
			t.Errorf("%s %q: got %s, want %s", method, escaped, got, want)
		}
	})
}

func textOf(rt *route) string {
	if rt == nil {
		return "none"
	}
	return rt.method + " " + rt.template.text
}

// slowest finds a route by trying all; verbs first, as the router does.
func slowest(method string, p *path) string {
	best, bestScore := "none", ""
	for _, withVerb := range []bool{true, false} {
		for _, line := range routes {
			m, text, _ := strings.Cut(line, " ")
			tmpl, _ := parseTemplate(text)
			if m != method || (tmpl.verb != "") != withVerb {
				continue
			}
			if score, ok := fits(tmpl, p); ok && (bestScore == "" || score < bestScore) {
				best, bestScore = line, score
			}
		}
		if bestScore != "" {
			return best
		}
	}
	return best
}

// fits scores a template segment by segment: a literal sorts before a variable, that before the rest.
func fits(tmpl template, p *path) (string, bool) {
	segments := slices.Clone(p.segments[:p.n])
	if tmpl.verb != "" {
		last, found := strings.CutSuffix(segments[p.n-1], ":"+tmpl.verb)
		if !found || last == "" || !p.colon {
			return "", false
		}
		segments[p.n-1] = last
	}
	score := ""
	for i, segment := range tmpl.segments {
		switch {
		case segment == "**":
			return score + "c", i < len(segments)
		case i >= len(segments):
			return "", false
		case segment == "*" && segments[i] != "":
			score += "b"
		case segment == segments[i]:
			score += "a"
		default:
			return "", false
		}
	}
	return score + "a", len(tmpl.segments) == len(segments)
}

func BenchmarkRouter(b *testing.B) {
	for _, n := range []int{10, 300} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var lines []string
			for i := range n {
				lines = append(lines, fmt.Sprintf("GET /api/rainbow/p%d/v1.0/things/{id}/parts/{part}", i))
			}
			r := table(b, lines...)
			b.ReportAllocs()
			for b.Loop() {
				var p path
				_, _ = p.split("/api/rainbow/p7/v1.0/things/42/parts/43")
				if rt, _ := r.match("GET", &p); rt == nil {
					b.Fatal("no route")
				}
			}
		})
	}
}
