package upstream

import (
	"net/url"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

// pathOf compiles a template whose only variable is the string id.
func pathOf(t testing.TB, template string) (Path, func(id string) (string, error)) {
	t.Helper()
	var md protoreflect.MessageDescriptor
	if tt, ok := t.(*testing.T); ok {
		md = testService(tt, rpc{name: "M", in: ".t.Id", out: ".t.Doc"}).Methods().Get(0).Input()
	}
	path, err := parsePath(template, md)
	if err != nil {
		t.Fatal(err)
	}
	return path, func(id string) (string, error) {
		m := dynamicpb.NewMessage(md)
		m.Set(md.Fields().ByName("id"), protoreflect.ValueOfString(id))
		out, err := path.appendPath(nil, m)
		return string(out), err
	}
}

func TestPathValuesAreEscaped(t *testing.T) {
	_, one := pathOf(t, "/api/rainbow/{id}/x")
	_, many := pathOf(t, "/api/rainbow/{id=**}")
	for _, test := range []struct {
		build    func(string) (string, error)
		id, want string // "" is refused
	}{
		{one, "5b7d0c0ffee0000000000001", "/api/rainbow/5b7d0c0ffee0000000000001/x"},
		{one, "a/b", "/api/rainbow/a%2Fb/x"},
		{one, "a%2fb", "/api/rainbow/a%252fb/x"},
		{one, "...", "/api/rainbow/.../x"},
		{one, "user@sandbox.example", "/api/rainbow/user%40sandbox.example/x"},
		{one, "é ?#\n", "/api/rainbow/%C3%A9%20%3F%23%0A/x"},
		{one, "", ""}, {one, ".", ""}, {one, "..", ""}, {one, "a/../b", ""}, {one, "..%2f", ""}, {one, "%2e%2e", ""},
		{one, `a\b`, ""}, {one, "a\x00", ""}, {one, "..;a=b", ""},
		{many, "a/b c/d.csv", "/api/rainbow/a/b%20c/d.csv"},
		{many, "", ""}, {many, "/a", ""}, {many, "a//b", ""}, {many, "a/../b", ""}, {many, "a/", ""},
	} {
		got, err := test.build(test.id)
		if got != test.want && err == nil || (err != nil) != (test.want == "") {
			t.Errorf("%q: got %s, %v; want %s", test.id, got, err, test.want)
		}
	}
}

// FuzzPath: a path value comes back from the path as one segment, or is refused; a built target passes the check
// that raw ones must pass.
func FuzzPath(f *testing.F) {
	for _, seed := range []string{"a", "", ".", "..", "a/b", "%2e%2e", "é\x00 ?#;", "\\..\\", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, id string) {
		_, build := pathOf(t, "/api/rainbow/{id}/x")
		path, err := build(strings.ToValidUTF8(id, ""))
		if err != nil {
			return
		}
		parts := strings.Split(path, "/")
		if len(parts) != 5 {
			t.Fatalf("%q became %s", id, path)
		}
		if back, err := url.PathUnescape(parts[3]); err != nil || back != strings.ToValidUTF8(id, "") {
			t.Fatalf("%q became %s", id, path)
		}
		if err := checkTarget(path); err != nil {
			t.Fatalf("%q became %s: %v", id, path, err)
		}
	})
}

// FuzzTarget: what the check lets pass has no dot segment in any reading, and is sent byte by byte.
func FuzzTarget(f *testing.F) {
	for _, seed := range []string{"/a", "/a/../b", "/%2e%2e/a", "/a?x=/../", "/a%2f..", "/é{}|\"^", "//h", "/a;b?c?d", "/..;x/a", "/%252e%252e/a", "/a%zz", "/[::1]", "/a?"} {
		f.Add(seed)
	}
	c := &Client{base: &url.URL{Scheme: "http", Host: "h"}}
	f.Fuzz(func(t *testing.T, target string) {
		if checkTarget(target) != nil {
			return
		}
		if got := c.url(target).RequestURI(); got != target {
			t.Fatalf("%q goes out as %q", target, got)
		}
		path, _, _ := strings.Cut(target, "?")
		plain, err := url.PathUnescape(path)
		if err != nil {
			t.Fatalf("%q passed: %v", target, err)
		}
		twice, err := url.PathUnescape(plain)
		if err != nil {
			twice = plain
		}
		for _, reading := range []string{plain, twice} {
			if reading += "/"; strings.Contains(reading, "/../") || strings.Contains(reading, "/./") || strings.Contains(reading, "/..;") {
				t.Fatalf("%q passed", target)
			}
		}
	})
}
