package main

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"testing"
)

// TestPathsNameTheirParameters holds every path of the committed document against its parameters.
func TestPathsNameTheirParameters(t *testing.T) {
	text, err := os.ReadFile("../../gen/openapi/rainbow.swagger.json")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Paths map[string]map[string]struct {
			Parameters []struct{ Name, In string }
		}
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	variable := regexp.MustCompile(`\{([A-Za-z0-9_.]+)\}`)
	operations := 0
	for path, item := range document.Paths {
		var named []string
		for _, m := range variable.FindAllStringSubmatch(path, -1) {
			named = append(named, m[1])
		}
		slices.Sort(named)
		for verb, operation := range item {
			operations++
			var parameters []string
			for _, p := range operation.Parameters {
				if p.In == "path" {
					parameters = append(parameters, p.Name)
				}
			}
			slices.Sort(parameters)
			if !slices.Equal(named, parameters) {
				t.Errorf("%s %s: path parameters are %q, the path names %q", verb, path, parameters, named)
			}
		}
	}
	if operations < 168 {
		t.Errorf("%d operations in the document, want at least the 168 of the catalogue", operations)
	}
}
