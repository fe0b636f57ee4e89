package sandbox_test

import (
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

// operation is what this test reads of the catalogue of upstream operations.
type operation struct {
	ID, Group, Method, Path string
}

type catalogue struct {
	BasePath      string      `yaml:"base_path"`
	Operations    []operation `yaml:"operations"`
	SDKOperations []operation `yaml:"sdk_operations"`
}

// TestEveryModelledOperationIsServed asks for each operation of the catalogue
// that the sandbox has, without a token: a served one answers 401 (or works),
// an unknown one 404.
func TestEveryModelledOperationIsServed(t *testing.T) {
	served := map[string]func(operation) bool{
		"admin":            func(operation) bool { return true },
		"authentication":   func(o operation) bool { return o.Group == "Authentication" || o.Group == "About" },
		"rvcpprovisioning": func(operation) bool { return true },
		"massprovisioning": func(o operation) bool { return o.Group == "UsersAndDevices" || o.Group == "About" },
		"subscription": func(o operation) bool {
			return strings.Contains(" ListSubscriptions GetSubscription ListSubscriptionUsers ListOffers GetAbout ", " "+o.ID+" ")
		},
	}
	r := start(t, sandbox.Options{})
	variable := regexp.MustCompile(`\{[^}]*\}`)
	count := 0
	for module, has := range served {
		raw, err := os.ReadFile("../../testdata/spec/" + module + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		var c catalogue
		if err := yaml.Unmarshal(raw, &c); err != nil {
			t.Fatal(err)
		}
		for _, o := range append(c.Operations, c.SDKOperations...) {
			path := c.BasePath + variable.ReplaceAllString(o.Path, "5b7d0c0ffee0000000000101")
			got := r.send(o.Method, path, "", nil).status
			if isServed := got != 404; isServed != has(o) {
				t.Errorf("%s %s %s (%s): status %d, want served %t", o.ID, o.Method, path, o.Group, got, has(o))
			}
			if has(o) {
				count++
			}
		}
	}
	if count < 90 {
		t.Errorf("only %d operations were compared", count)
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
