package rainbow

import (
	"flag"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
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

func drawTarget(t *rapid.T) Options {
	return Options{
		Account: sandbox.AdminLogin, PollInterval: time.Millisecond, Settle: 100 * time.Millisecond, ImportBatch: rapid.IntRange(1, 4).Draw(t, "rows of an import"),
		UsersBy: draw(t, "users by", bulksync.UsersByImport, bulksync.UsersByImport, bulksync.UsersByAdmin),
	}
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
