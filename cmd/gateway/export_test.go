package main

import (
	"path/filepath"
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/manifest"
	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox/sandboxtest"
)

// TestExportsOfEveryModeAskForNothing: what is exported is planned to nothing, and a strict plan has no fault to find.
func TestExportsOfEveryModeAskForNothing(t *testing.T) {
	dir := t.TempDir()
	r := &rehearsal{rainbow: sandboxtest.Start(t, sandbox.Options{}), state: filepath.Join(dir, "state.db")}
	for _, sample := range []string{"user.csv", "device.csv", "rainbowvoice.csv"} {
		r.must(t, 0, "apply", "--refresh", "-f", "../../samples/"+sample, "--yes")
	}
	r.must(t, 0, "refresh")
	for _, mode := range manifest.Modes() {
		file := filepath.Join(dir, mode+".csv")
		r.must(t, 0, "export", "--mode", mode, "--to", file)
		r.must(t, 0, "validate", "-f", file)
		r.must(t, 0, "plan", "-f", file)
		r.must(t, 0, "plan", "--strict", "-f", file)
	}
}
