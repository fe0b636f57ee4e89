package sandbox_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

// operation is what the tests read of the catalogue of upstream operations.
type operation struct {
	ID, Group, Method, Path string
	Roles                   []string
	PathSource              string                `yaml:"path_source"`
	Seed                    struct{ File string } // lines of a guide
}

type catalogue struct {
	BasePath      string      `yaml:"base_path"`
	Operations    []operation `yaml:"operations"`
	SDKOperations []operation `yaml:"sdk_operations"`
	APIKeys       []operation `yaml:"api_key_operations"`
	Referenced    []operation `yaml:"referenced_operations"`
}

func (c catalogue) all() []operation {
	return slices.Concat(c.Operations, c.SDKOperations, c.APIKeys, c.Referenced)
}

func modules() []string {
	return []string{"admin", "authentication", "rvcpprovisioning", "massprovisioning", "subscription", "invoicing"}
}

func readCatalogue(t *testing.T, module string) catalogue {
	t.Helper()
	raw, err := os.ReadFile("../../testdata/spec/" + module + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	var c catalogue
	if err := yaml.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// variable matches a {variable} of a path.
func variable() *regexp.Regexp { return regexp.MustCompile(`\{[^}]*\}`) }

// TestEveryOperationIsServed asks for each operation of the catalogue without
// a token: a served one answers 401 (or works, or misses a parameter), an
// unknown one 404.
func TestEveryOperationIsServed(t *testing.T) {
	r := start(t, sandbox.Options{})
	count := 0
	for _, module := range modules() {
		c := readCatalogue(t, module)
		for _, o := range c.all() {
			path := c.BasePath + variable().ReplaceAllString(o.Path, "5b7d0c0ffee0000000000101")
			if got := r.send(o.Method, path, "", nil).status; got == 404 {
				t.Errorf("%s %s %s (%s) is not served", o.ID, o.Method, path, o.Group)
			}
			count++
		}
	}
	if count < 168 {
		t.Errorf("only %d operations were asked for", count)
	}
}

func TestWhatIsNotThereIsRainbows404(t *testing.T) {
	r := start(t, sandbox.Options{})
	for _, path := range []string{
		"/", "/api/rainbow", "/api/rainbow/", "/api/rainbow/admin/v1.0/nothing", "/api/rainbow/admin/v1.0/users/", "/API/rainbow/admin/v1.0/users",
		"/api/rainbow/admin/v1.0/Users", "/other", "/api/rainbow/admin/v1.0//users", cloud + "/devices/x/y/z",
	} {
		r.get(path).fails(404, 404000)
	}
	r.do("PATCH", cloud, map[string]any{}).fails(404, 404000)
	r.get(cloud+"/devices/%2e%2e").fails(400, 400000)
	r.get(admin+"/systems/pbxid/a%2Fb").fails(404, 404000).want("errorDetails", "System with pbxId a/b does not exist.")
}

// TestManyClientsAtOnce hammers one sandbox; run with the race detector it
// also looks at the locks.
func TestManyClientsAtOnce(t *testing.T) {
	t.Parallel()
	r := start(t, sandbox.Options{SeedUsers: 40})
	before := r.get(ddis + "?isAssigned=false").ok().text("total")
	reqID := r.post(imports, "__action__;loginEmail;jobTitle\n"+strings.Repeat("update;user000001@sandbox.example;Buyer\n", 50)).ok().text("data.reqId")
	var all sync.WaitGroup
	for n := 1; n <= 8; n++ {
		all.Go(func() {
			ddi, user := ddis+"/"+r.ddiID("33298300513"), r.userID(seeded(n))
			for range 15 {
				if a := r.post(ddi+"/users/"+user, nil); a.status == 200 {
					r.delete(ddi + "/users/" + user)
				} else {
					a.fails(409, 409000)
				}
				r.get(admin + "/users?format=full&limit=20").ok()
				r.sandbox.Journal()
			}
		})
	}
	all.Wait()
	r.report(reqID).want("data.counters.succeeded", "50")
	r.get(ddis+"?isAssigned=false").ok().want("total", before)
}
