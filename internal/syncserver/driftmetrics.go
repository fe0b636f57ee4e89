package syncserver

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// driftMetrics show drift to whoever watches the gateway. Their companies are those that have a manifest in force.
type driftMetrics struct {
	operations, differences, checked, took *prometheus.GaugeVec
	checks, messages                       *prometheus.CounterVec
}

func newDriftMetrics(reg prometheus.Registerer) *driftMetrics {
	m := &driftMetrics{
		operations: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "gateway_drift_operations",
			Help: "Operations that would bring upstream back to the manifest in force, as of the last comparison."}, []string{"company", "kind"}),
		differences: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "gateway_drift_differences",
			Help: "Things that are not as the manifest in force wants them, as of the last comparison; those that no plan repairs are among them."}, []string{"company", "kind"}),
		checked: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "gateway_drift_check_timestamp_seconds",
			Help: "When upstream was last compared with the manifest in force, in seconds since 1970."}, []string{"company"}),
		took: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "gateway_drift_check_duration_seconds",
			Help: "How long the last comparison on schedule took, with reading upstream."}, []string{"company"}),
		checks: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gateway_drift_checks_total",
			Help: "Comparisons on schedule by result: none, drift, skipped (a run was going on, or upstream out of reach), failed."}, []string{"company", "result"}),
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gateway_drift_messages_total",
			Help: "Messages about drift that has changed, by result: delivered, failed."}, []string{"company", "result"}),
	}
	if reg != nil {
		reg.MustRegister(m.operations, m.differences, m.checked, m.took, m.checks, m.messages)
	}
	return m
}

func (m *driftMetrics) observe(d *bulksync.Drift) {
	counts := d.ByKind()
	for _, kind := range bulksync.Kinds() {
		m.operations.WithLabelValues(d.Company, string(kind)).Set(float64(d.Repairs[kind]))
		m.differences.WithLabelValues(d.Company, string(kind)).Set(float64(counts[kind]))
	}
	m.checked.WithLabelValues(d.Company).Set(float64(d.CheckTime.UnixMilli()) / 1000)
}

func (m *driftMetrics) count(company, result string) { m.checks.WithLabelValues(company, result).Inc() }

func (m *driftMetrics) time(company string, took time.Duration) {
	m.took.WithLabelValues(company).Set(took.Seconds())
}

func (m *driftMetrics) told(company string, err error) {
	result := "delivered"
	if err != nil {
		result = "failed"
	}
	m.messages.WithLabelValues(company, result).Inc()
}
