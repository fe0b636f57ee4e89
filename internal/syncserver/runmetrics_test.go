package syncserver_test

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/syncserver"
)

// TestRunsAreShownAsMetrics watches a run that is paused, goes on, and ends, and then one that fails.
func TestRunsAreShownAsMetrics(t *testing.T) {
	reg := prometheus.NewRegistry()
	g := tunedGateway(t, 3, func(o *syncserver.Options) { o.Registry = reg })
	release := g.upstream.hold()
	run := g.apply(g.plan(newUsers(1, 40)), newUsers(1, 40))
	g.upstream.waitBegun(t)
	if _, err := g.runs.PauseRun(g.ctx(), &syncv1.PauseRunRequest{Name: run.GetName()}); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return metric(t, reg, "gateway_run_hold", "company", companyID, "reason", "paused") == 1 })
	if limit, left := metric(t, reg, "gateway_run_limit"), metric(t, reg, "gateway_run_operations", "status", "left"); limit < 1 || left != 80 {
		t.Errorf("paused at its first call, the limit is %v and %v operations are left; want at least 1, and 80", limit, left)
	}
	if n := metric(t, reg, "gateway_run_circuit"); n != 0 {
		t.Errorf("the circuit is %v, want 0", n)
	}
	if _, err := g.runs.ResumeRun(g.ctx(), &syncv1.ResumeRunRequest{Name: run.GetName()}); err != nil {
		t.Fatal(err)
	}
	release()
	g.rest(run)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		switch f.GetName() {
		case "gateway_run_limit", "gateway_run_circuit", "gateway_run_hold", "gateway_run_operations":
			t.Errorf("no run goes on, and %s is shown: %v", f.GetName(), f.GetMetric())
		}
	}
	if n := metric(t, reg, "gateway_runs_total", "state", "succeeded"); n != 1 {
		t.Errorf("%v runs have succeeded, want 1", n)
	}
}
