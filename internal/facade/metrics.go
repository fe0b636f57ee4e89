package facade

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts calls and measures how long they take, by door, RPC and canonical code; and registers with reg.
func Metrics(reg prometheus.Registerer) Policy {
	calls := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "gateway_calls_total", Help: "Calls that have ended, by door, RPC, access and canonical code.",
	}, []string{"door", "rpc", "as", "code"})
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "gateway_call_duration_seconds", Help: "Time from arrival to the end of a call.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 120},
	}, []string{"door", "rpc"})
	active := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "gateway_calls_active", Help: "Calls under way.",
	}, []string{"door"})
	reg.MustRegister(calls, seconds, active)

	return func(ctx context.Context, call *Call, next Next) error {
		door := string(call.Door())
		under := active.WithLabelValues(door)
		under.Inc()
		start := time.Now()
		defer under.Dec()
		err := next(ctx)
		seconds.WithLabelValues(door, call.Operation.Name).Observe(time.Since(start).Seconds())
		calls.WithLabelValues(door, call.Operation.Name, call.Access.String(), call.Code(err).String()).Inc()
		return err
	}
}
