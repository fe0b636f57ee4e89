package state_test

import (
	"path/filepath"
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/state"
	"github.com/rainbow-gateway/rainbow-gateway/internal/state/storetest"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

const upstreamURL = "https://openrainbow.example"

// open opens a state file that the test closes.
func open(t testing.TB, path string) *state.Store {
	t.Helper()
	s, err := state.Open(path, state.Options{UpstreamURL: upstreamURL})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func openNew(t testing.TB) *state.Store {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "state.db"))
}

func TestStore(t *testing.T) {
	storetest.Run(t,
		func(t *testing.T) bulksync.Store { return openNew(t) },
		func(t *testing.T, s bulksync.Store) bulksync.Store {
			old := s.(*state.Store)
			if err := old.Close(); err != nil {
				t.Fatalf("Close: %v", err)
			}
			return open(t, old.Path())
		})
}
