package internal_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/rainbow-gateway/rainbow-gateway/"

// directions says what a package must not know, itself or through others, and why. Imports point one way:
// cmd -> server -> facade, rest, syncserver -> sync, upstream; manifest, state and sync/rainbow -> sync.
var directions = []struct {
	pkg       string
	forbidden []string
	why       string
}{
	{"internal/sync", []string{module + "gen/", module + "internal/", "google.golang.org/grpc", "google.golang.org/protobuf", "net/http", "go.etcd.io/bbolt"},
		"planning is a pure function and the engine speaks only its own terms"},
	{"internal/manifest", []string{module + "gen/", module + "internal/upstream", module + "internal/state", module + "internal/sandbox", "google.golang.org/grpc", "net/http", "go.etcd.io/bbolt"},
		"a manifest is read without any network or state"},
	{"internal/state", []string{module + "gen/", module + "internal/upstream", module + "internal/manifest", module + "internal/sandbox", "google.golang.org/grpc", "net/http"},
		"the store keeps the engine's terms and knows nobody that speaks to the world"},
	{"internal/sync/rainbow", []string{module + "internal/state", module + "internal/manifest", module + "internal/facade", module + "internal/rest", module + "internal/server", module + "internal/sandbox", "go.etcd.io/bbolt"},
		"the target speaks to upstream over any connection and keeps no books"},
	{"internal/sandbox", []string{module + "gen/", module + "internal/upstream", module + "internal/facade", module + "internal/sync", module + "internal/rest", "google.golang.org/protobuf", "google.golang.org/grpc"},
		"a fault of the gateway's codec must not hide in the embedded Rainbow"},
	{"sandboxtest", []string{module + "gen/", module + "internal/upstream", module + "internal/facade", module + "internal/sync", module + "internal/rest", module + "internal/server", "google.golang.org/protobuf", "google.golang.org/grpc"},
		"the tests of others get the embedded Rainbow, not the gateway"},
	{"internal/upstream", []string{module + "internal/drift", module + "internal/facade", module + "internal/rest", module + "internal/server", module + "internal/sync", module + "internal/state", module + "internal/sandbox", "go.etcd.io/bbolt"},
		"upstream is below everything that uses it"},
	{"internal/facade", []string{module + "internal/rest", module + "internal/server", module + "internal/sync", module + "internal/state", module + "internal/manifest", module + "internal/sandbox", "go.etcd.io/bbolt"},
		"the dispatcher serves any local service without knowing it"},
	{"internal/rules", []string{module + "internal/facade", module + "internal/rest", module + "internal/server", module + "internal/sync", module + "internal/state", module + "internal/sandbox", "go.etcd.io/bbolt"},
		"rules say what is wrong with a request, and know neither doors nor policies"},
	{"internal/rest", []string{module + "internal/server", module + "internal/sync", module + "internal/state", module + "internal/manifest", module + "internal/sandbox", "go.etcd.io/bbolt"},
		"the REST face is a face: no CSV, no state"},
	{"internal/reference", []string{module + "internal/", "google.golang.org/grpc", "google.golang.org/protobuf"},
		"the reference is made of files and calls nothing"},
	{"internal/syncserver", []string{module + "internal/upstream", module + "internal/rest", module + "internal/server", module + "internal/state", module + "internal/sandbox", module + "internal/sync/rainbow", "go.etcd.io/bbolt"},
		"the engine's service works over any Target and Store"},
	{"internal/drift", []string{module + "internal/facade", module + "internal/rest", module + "internal/server", module + "internal/sync", module + "internal/state", module + "internal/manifest", module + "internal/sandbox", module + "internal/config", "go.etcd.io/bbolt"},
		"the radar knows answers and descriptors, and nobody who serves them"},
	{"internal/webhook", []string{module, "google.golang.org/grpc", "go.etcd.io/bbolt"},
		"a sender of messages does not know what they say"},
	{"internal/config", []string{module + "gen/", module + "internal/", "google.golang.org/grpc", "net/http", "go.etcd.io/bbolt"},
		"configuration is plain data"},
}

func TestImportsPointOneWay(t *testing.T) {
	deps := dependencies(t)
	for _, d := range directions {
		imports, known := deps[module+d.pkg]
		if !known {
			t.Errorf("package %s is named here and does not exist", d.pkg)
			continue
		}
		for _, dep := range imports {
			for _, bad := range d.forbidden {
				if dep == strings.TrimSuffix(bad, "/") || strings.HasPrefix(dep, strings.TrimSuffix(bad, "/")+"/") {
					t.Errorf("%s depends on %s, but %s", d.pkg, dep, d.why)
				}
			}
		}
	}
}

// dependencies lists, for every package of the module, all that it imports directly or through others.
func dependencies(t *testing.T) map[string][]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Deps", module+"internal/...", module+"cmd/...", module+"sandboxtest").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	deps := map[string][]string{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Deps       []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return deps
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		deps[p.ImportPath] = p.Deps
	}
}

// TestNobodyImportsTheProgram: cmd is the top of the house.
func TestNobodyImportsTheProgram(t *testing.T) {
	for pkg, deps := range dependencies(t) {
		if i := slices.IndexFunc(deps, func(d string) bool { return strings.HasPrefix(d, module+"cmd/") }); i >= 0 {
			t.Errorf("%s imports %s", pkg, deps[i])
		}
	}
}
