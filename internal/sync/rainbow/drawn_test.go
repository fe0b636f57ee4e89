package rainbow

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	"github.com/rainbow-gateway/rainbow-gateway/internal/state"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// TestTheSandboxTakesEveryFreshPlan draws two manifests, applies one after the other through the gateway's own client to
// the sandbox, and holds each to its word: the sandbox refuses no operation, what is recorded is what it then holds, and
// the manifest plans nothing more, neither from what is recorded nor from what is read afresh.
func TestTheSandboxTakesEveryFreshPlan(t *testing.T) {
	t.Parallel()
	hall := newHall(t, 5, true)
	var tally tally
	rapid.Check(t, func(t *rapid.T) {
		if tally.enough(80) {
			return
		}
		s := hall.enter(t, drawTarget(t))
		for range 2 {
			desired := drawDesired(t)
			plan := s.planDrawn(t, sandbox.CompanyID, desired)
			tally.count(plan)
			s.succeed(plan)
			s.settled(plan, desired)
		}
	})
	tally.check(t)
}

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
	folder, err := os.MkdirTemp("/dev/shm", "gateway-test-")
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

func drawTarget(t *rapid.T) Options {
	return Options{
		Account: sandbox.AdminLogin, PollInterval: time.Millisecond, Settle: 100 * time.Millisecond, ImportBatch: rapid.IntRange(1, 4).Draw(t, "rows of an import"),
		UsersBy: draw(t, "users by", bulksync.UsersByImport, bulksync.UsersByImport, bulksync.UsersByAdmin),
	}
}

// settled wants that what is recorded after a run is what upstream holds, and that the manifest plans nothing more, neither
// from what is recorded nor from what is read afresh.
func (s *stage) settled(plan *bulksync.Plan, desired *bulksync.Desired) {
	s.Helper()
	recorded := s.recorded()
	s.plansNothing(plan, desired, "what is recorded")
	s.refresh()
	if diff := gocmp.Diff(s.recorded(), recorded); diff != "" {
		s.Fatalf("the recorded state is not what upstream holds (-upstream +recorded):\n%s\nplan: %v", diff, titles(plan))
	}
	s.plansNothing(plan, desired, "what is read afresh")
}

// recorded dumps what the engine has recorded.
func (s *stage) recorded() map[string]string {
	s.Helper()
	view, err := s.engine.Store.Observed(s.Context(), sandbox.CompanyID)
	if err != nil {
		s.Fatal(err)
	}
	defer view.Close()
	return dump(s, view)
}

// plansNothing wants that a manifest that was applied plans nothing, unless its plan said that it would.
func (s *stage) plansNothing(plan *bulksync.Plan, desired *bulksync.Desired, from string) {
	s.Helper()
	if len(plan.Doubtful) > 0 || slices.ContainsFunc(plan.Remarks, func(f bulksync.Fault) bool { return f.Code == "renumber-again" }) {
		return
	}
	again, err := s.engine.Plan(s.Context(), sandbox.CompanyID, desired, bulksync.Policy{})
	if err != nil {
		s.Fatalf("planning again from %s: %v", from, err)
	}
	if len(again.Operations) > 0 {
		s.Fatalf("planning again from %s is not empty: %+v\nfirst plan: %v", from, again.Operations, titles(plan))
	}
}

func titles(p *bulksync.Plan) []string {
	var all []string
	for i := range p.Operations {
		all = append(all, p.Operations[i].Title())
	}
	return all
}

// tally counts what drawn plans did, to see that the drawing is wide enough.
type tally struct {
	plans, empty, operations int
	kinds                    map[string]int
}

// enough tells whether a test has planned its share; who asks for a number of cases gets them all.
func (c *tally) enough(plans int) bool {
	checks := flag.Lookup("rapid.checks")
	return c.plans >= plans && checks.Value.String() == checks.DefValue
}

func (c *tally) count(p *bulksync.Plan) {
	c.plans++
	if len(p.Operations) == 0 {
		c.empty++
	}
	if c.kinds == nil {
		c.kinds = map[string]int{}
	}
	c.operations += len(p.Operations)
	for _, op := range p.Operations {
		c.kinds[string(op.Action)+"-"+string(op.Key.Kind)]++
	}
}

// check wants every kind of operation that a manifest can ask for, once there were enough plans to see it.
func (c *tally) check(t *testing.T) {
	t.Helper()
	t.Logf("cases met: %d", c.plans-c.empty) // see tools/prove
	t.Logf("%d plans, %d of them empty, %d operations: %v", c.plans, c.empty, c.operations, c.kinds)
	if c.plans < 1000 {
		return
	}
	want := []string{
		"attach-ddi", "attach-device", "attach-extension", "attach-licence", "create-ddi", "create-device", "create-extension", "create-user", "delete-extension", "delete-user",
		"detach-ddi", "detach-device", "detach-licence", "restore-extension", "save-extension", "update-keys", "update-options", "update-user",
	}
	var none []string
	for _, k := range want {
		if c.kinds[k] == 0 {
			none = append(none, k)
		}
	}
	if diff := gocmp.Diff([]string(nil), none); diff != "" || c.empty > c.plans/2 {
		t.Errorf("%d of %d plans were empty, and no operation was one of %v: the drawing is too narrow", c.empty, c.plans, none)
	}
}
