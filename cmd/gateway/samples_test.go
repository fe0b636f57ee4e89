package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox/sandboxtest"
)

// TestEverySampleAppliesAndLeavesNothingToDo plans and applies every sample against a sandbox as its README says, and
// finds the next plan empty.
func TestEverySampleAppliesAndLeavesNothingToDo(t *testing.T) {
	samples, err := filepath.Glob("../../samples/*.[cy][sa][vm]*")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SITE_PASSWORD", "Site-Pass-1") // of site.yaml
	applied := 0
	for _, sample := range samples {
		name := filepath.Base(sample)
		if strings.HasPrefix(name, "broken") { // it shows faults
			continue
		}
		applied++
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options := sandbox.Options{}
			if strings.HasPrefix(name, "company-1000") {
				options.SeedUsers = 1000
			}
			r := &rehearsal{rainbow: sandboxtest.Start(t, options), state: filepath.Join(t.TempDir(), "state.db")}
			r.must(t, 0, "refresh")
			if name == "device.csv" { // it is about users whom user.csv creates
				r.must(t, 0, "apply", "-f", filepath.Join(filepath.Dir(sample), "user.csv"), "--yes")
			}
			r.must(t, 0, "validate", "-f", sample)
			r.must(t, 2, "plan", "-f", sample)
			r.must(t, 0, "apply", "-f", sample, "--yes")
			r.must(t, 0, "plan", "-f", sample)
			r.must(t, 0, "plan", "--refresh", "-f", sample)
			export := filepath.Join(t.TempDir(), "company.yaml")
			r.must(t, 0, "export", "-o", "yaml", "--to", export)
			r.must(t, 0, "plan", "-f", export)
		})
	}
	if applied < 14 {
		t.Errorf("%d samples were applied, want at least 14", applied)
	}
}
