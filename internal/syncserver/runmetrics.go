package syncserver

import (
	"github.com/prometheus/client_golang/prometheus"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// runMetrics show runs to whoever watches the gateway. The gauges are those of the run that goes on in a company, and absent
// while none does.
type runMetrics struct {
	limit, circuit, hold, operations, stranded *prometheus.GaugeVec
	runs                                       *prometheus.CounterVec
}

// circuits are the values of the gauge of circuits.
var circuits = map[string]float64{"closed": 0, "half-open": 1, "open": 2}

func newRunMetrics(reg prometheus.Registerer) *runMetrics {
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, append([]string{"company"}, labels...))
	}
	m := &runMetrics{
		limit:   gauge("gateway_run_limit", "Calls that the run that goes on may have in flight, as it has learned."),
		circuit: gauge("gateway_run_circuit", "Whether the run that goes on sends calls: 0 it does, 1 one at a time, to try, 2 only probes, since upstream is out of reach."),
		hold:    gauge("gateway_run_hold", "1 while the run stands still for a reason: paused, throttled (upstream wants no calls), upstream (it is out of reach).", "reason"),
		operations: gauge("gateway_run_operations",
			"Operations of the run that goes on, by status: done, failed, skipped, held (by the plan), unknown, left (not ended yet).", "status"),
		stranded: gauge("gateway_run_stranded_users", "Users whom the last run that ended left without a number."),
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gateway_runs_total",
			Help: "Runs that came to rest, by state: succeeded, failed, cancelled, interrupted, waiting. One that is resumed counts anew."}, []string{"company", "state"}),
	}
	if reg != nil {
		reg.MustRegister(m.limit, m.circuit, m.hold, m.operations, m.stranded, m.runs)
	}
	return m
}

// note shows a run as it goes on.
func (m *runMetrics) note(e bulksync.Event) {
	company := e.Run.Company
	m.limit.WithLabelValues(company).Set(float64(e.Run.Figures.Limit))
	m.circuit.WithLabelValues(company).Set(circuits[e.Circuit])
	for _, reason := range []bulksync.HoldReason{bulksync.HoldPaused, bulksync.HoldThrottled, bulksync.HoldUpstream} {
		on := 0.0
		if e.Run.Hold != nil && e.Run.Hold.Reason == reason {
			on = 1
		}
		m.hold.WithLabelValues(company, string(reason)).Set(on)
	}
	c := e.Run.Counts
	for status, n := range map[string]int{
		"done": c.Done, "failed": c.Failed, "skipped": c.Skipped, "held": c.Held, "unknown": c.Unknown,
		"left": c.Total - c.Done - c.Failed - c.Skipped - c.Held - c.Unknown,
	} {
		m.operations.WithLabelValues(company, status).Set(float64(n))
	}
}

// rest counts a run that came to rest, and takes its gauges away.
func (m *runMetrics) rest(run *bulksync.Run) {
	of := prometheus.Labels{"company": run.Company}
	for _, gauges := range []*prometheus.GaugeVec{m.limit, m.circuit, m.hold, m.operations} {
		gauges.DeletePartialMatch(of)
	}
	m.stranded.WithLabelValues(run.Company).Set(float64(run.StrandedCount))
	m.runs.WithLabelValues(run.Company, string(run.State)).Inc()
}
