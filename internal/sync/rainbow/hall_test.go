package rainbow

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	"github.com/rainbow-gateway/rainbow-gateway/internal/state"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// hall is a sandbox for many cases, each of which begins with the same company and with books of its own.
type hall struct {
	*stage
	folder, books string
	cases         int
	bindings      *upstream.Bindings
}

// newHall makes one with some seeded users; a thin one has little that nobody holds.
func newHall(t *testing.T, users int, thin bool) *hall {
	t.Helper()
	h := &hall{stage: newStage(t, users, Options{}), folder: memory(t), bindings: bindings(t)}
	if thin {
		h.thinOut()
	}
	if _, err := h.sandbox.Sandbox.Snapshot("start"); err != nil {
		t.Fatal(err)
	}
	h.books = filepath.Join(h.folder, "start.db")
	h.copyBooks(t, h.engine.Store.(*state.Store), h.books)
	return h
}

// memory is a folder in memory where there is one, else one on the disk, which takes longer: what the disk is for is tested
// elsewhere.
func memory(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("/dev/shm", "gateway-test-") //nolint:usetesting // t.TempDir is on the disk
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	return folder
}

// thinOut deletes most of what nobody holds, so that reading the company is quick.
func (h *hall) thinOut() {
	h.Helper()
	world := h.world()
	var d bulksync.Desired
	for r := range world.Records(bulksync.KindDDI) {
		if n := r.(*bulksync.DDI); n.HolderID == "" && n.Label == "" && !n.Default && n.Number != ddi(40) && n.Number != ddi(41) {
			d.DDIs = append(d.DDIs, bulksync.DesiredDDI{Number: n.Number, Absent: true})
		}
	}
	for r := range world.Records(bulksync.KindDevice) {
		if v := r.(*bulksync.Device); v.HolderID == "" && strings.HasPrefix(string(v.Address), "aabbccddee") && v.Address > mac(2) {
			d.Devices = append(d.Devices, bulksync.DesiredDevice{Address: v.Address, Absent: true})
		}
	}
	plan, err := h.engine.Plan(h.Context(), sandbox.CompanyID, &d, bulksync.Policy{})
	if err != nil {
		h.Fatal(err)
	}
	h.succeed(plan)
	h.refresh()
}

// copyBooks closes books and copies their file.
func (h *hall) copyBooks(t tester, store *state.Store, to string) {
	t.Helper()
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(store.Path())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// enter sets the company of the beginning up for a case.
func (h *hall) enter(t *rapid.T, opts Options) *stage {
	t.Helper()
	h.faults()
	if err := h.sandbox.Sandbox.Restore("start"); err != nil {
		t.Fatal(err)
	}
	s := *h.stage
	s.tester = t
	s.target = New(s.client, opts)
	s.open(t, h.books, filepath.Join(h.folder, fmt.Sprintf("case%d.db", h.cases)))
	h.cases++
	return &s
}

// open gives the stage books of its own, a copy of others.
func (s *stage) open(t *rapid.T, from, to string) {
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	store, err := state.Open(to, state.Options{UpstreamURL: s.sandbox.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		store.Close()
		os.Remove(to)
	})
	s.engine = &bulksync.Engine{Store: store, Target: s.target, Pause: time.Millisecond}
}

// mark keeps the company and its books as they are, for branches.
func (h *hall) mark(t *rapid.T, s *stage) {
	t.Helper()
	if _, err := h.sandbox.Sandbox.Snapshot("mark"); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(s.engine.Store.(*state.Store).Path())
	if err == nil {
		err = os.WriteFile(filepath.Join(h.folder, "mark.db"), b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// branch gives a stage with the company and the books of the mark, and a client of its own.
func (h *hall) branch(t *rapid.T, from *stage, opts Options) *stage {
	t.Helper()
	if err := h.sandbox.Sandbox.Restore("mark"); err != nil {
		t.Fatal(err)
	}
	h.cases++
	s := *from
	s.open(t, filepath.Join(h.folder, "mark.db"), filepath.Join(h.folder, fmt.Sprintf("case%d.db", h.cases)))
	h.restart(t, &s, opts)
	return &s
}

// restart gives the stage a client and a target of its own, as a gateway that is started anew has.
func (h *hall) restart(t *rapid.T, s *stage, opts Options) {
	t.Helper()
	c, err := newClient(s.sandbox.URL, sandbox.AdminPassword, h.bindings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	s.client = &counted{ClientConnInterface: c, calls: map[string]int{}}
	s.target = New(s.client, opts)
	s.engine.Target, s.engine.Patience = s.target, 300*time.Millisecond
}
