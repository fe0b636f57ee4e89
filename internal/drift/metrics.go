package drift

import "github.com/prometheus/client_golang/prometheus"

// The metrics. Their labels are bounded: operations are the protos', paths come from the protos or are bounded in number
// by maxOperationFind and maxFindings.
var (
	answersDesc = prometheus.NewDesc("gateway_drift_answers_total",
		"Answers that the drift radar has seen, by what became of them: inspected, skipped (beyond the rate), dropped (too many waited), large, unreadable.",
		[]string{"rpc", "outcome"}, nil)
	findingsDesc = prometheus.NewDesc("gateway_drift_total",
		"Objects in inspected answers that leave what is documented: unknown members, values of another kind, documents that are no JSON. The path other is what there was no room for.",
		[]string{"rpc", "class", "path"}, nil)
	missingDesc = prometheus.NewDesc("gateway_drift_missing_objects",
		"Objects in inspected answers that were searched for a documented member that none of them has.",
		[]string{"rpc", "path"}, nil)
)

var _ prometheus.Collector = (*Radar)(nil)

// Describe names the metrics.
func (r *Radar) Describe(descs chan<- *prometheus.Desc) {
	descs <- answersDesc
	descs <- findingsDesc
	descs <- missingDesc
}

// Collect reads the metrics from a report.
func (r *Radar) Collect(metrics chan<- prometheus.Metric) {
	report := r.Report()
	missing, rest := 0, uint64(0)
	for i := range report.Operations {
		op := &report.Operations[i]
		collectAnswers(metrics, op)
		collectFindings(metrics, op)
		for _, m := range op.Missing {
			if missing++; missing > maxMissing {
				rest += m.Of
			} else {
				metrics <- prometheus.MustNewConstMetric(missingDesc, prometheus.GaugeValue, float64(m.Of), op.RPC, m.Path)
			}
		}
	}
	if rest > 0 {
		metrics <- prometheus.MustNewConstMetric(missingDesc, prometheus.GaugeValue, float64(rest), "other", "other")
	}
}

func collectAnswers(metrics chan<- prometheus.Metric, op *Operation) {
	for _, a := range []struct {
		outcome string
		n       uint64
	}{
		{"inspected", op.Inspected}, {"skipped", op.Skipped}, {"dropped", op.Dropped}, {"large", op.Large}, {"unreadable", op.Unreadable},
	} {
		metrics <- prometheus.MustNewConstMetric(answersDesc, prometheus.CounterValue, float64(a.n), op.RPC, a.outcome)
	}
}

// collectFindings adds up what differs only in its kinds.
func collectFindings(metrics chan<- prometheus.Metric, op *Operation) {
	type label struct {
		class Class
		path  string
	}
	sums := map[label]uint64{}
	for _, f := range op.Findings {
		sums[label{f.Class, f.Path}] += f.Count
	}
	if op.Other > 0 {
		sums[label{"other", "other"}] = op.Other
	}
	for l, n := range sums {
		metrics <- prometheus.MustNewConstMetric(findingsDesc, prometheus.CounterValue, float64(n), op.RPC, string(l.class), l.path)
	}
}
