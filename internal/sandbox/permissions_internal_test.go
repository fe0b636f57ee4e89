package sandbox

import (
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestThePermissionsAreThoseOfTheCatalogue compares the table with the roles
// that the catalogue lists, both ways.
func TestThePermissionsAreThoseOfTheCatalogue(t *testing.T) {
	table := newPermissionTable()
	if len(table) != len(permissions()) {
		t.Errorf("%d rows for %d operations", len(permissions()), len(table))
	}
	for _, module := range []string{"admin", "rvcpprovisioning", "massprovisioning", "subscription", "invoicing"} {
		raw, err := os.ReadFile("../../testdata/spec/" + module + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		var c struct {
			BasePath   string `yaml:"base_path"`
			Operations []struct {
				ID, Method, Path string
				Roles            []string
			}
		}
		if err := yaml.Unmarshal(raw, &c); err != nil {
			t.Fatal(err)
		}
		for _, o := range c.Operations {
			key := operationKey(o.Method, strings.TrimPrefix(c.BasePath, basePath)+o.Path)
			p := table[key]
			delete(table, key)
			var listed []string
			if p != nil {
				listed = strings.Fields(p.roles)
			}
			slices.Sort(listed)
			slices.Sort(o.Roles)
			if !slices.Equal(listed, o.Roles) {
				t.Errorf("%s: roles %v, the catalogue has %v", o.ID, listed, o.Roles)
			}
		}
	}
	for key := range table {
		t.Errorf("%s is no operation of the catalogue", key)
	}
}
