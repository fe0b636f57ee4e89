package syncserver

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/prometheus/client_golang/prometheus"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// DriftOptions say how a server looks for drift beside being asked.
type DriftOptions struct {
	// Every is how often each company that has a manifest in force is compared with upstream; 0 is never.
	Every time.Duration

	// Tell delivers a message about drift that has changed since the last one that was delivered; nil tells nobody. It may
	// take minutes; its error is logged, and the message tried again after the next look.
	Tell func(ctx context.Context, id string, body []byte) error

	// Details puts the first differences into the message, with logins and values.
	Details bool

	// Registry gets the metrics; nil keeps none.
	Registry prometheus.Registerer
}

// driftWatch is what a server knows of drift beside its store.
type driftWatch struct {
	DriftOptions
	shelf   driftShelf
	metrics *driftMetrics
	// life ends when the server closes: looks of the schedule and messages under way break off.
	life context.Context
	stop context.CancelFunc
}

func newDriftWatch(o DriftOptions) *driftWatch {
	w := &driftWatch{DriftOptions: o, metrics: newDriftMetrics(o.Registry)}
	w.shelf.recent.most = 4
	w.life, w.stop = context.WithCancel(context.Background())
	return w
}

// wakeEvery is how often the schedule looks for companies that it does not know yet.
const wakeEvery = time.Minute

// watchDrift looks for drift on schedule until the server closes. A look that could not be made is made at the next turn:
// what keeps it from being made (a run, upstream out of reach) seldom goes away by asking again soon.
func (s *Server) watchDrift() {
	next := map[string]time.Time{}
	for {
		wait := min(wakeEvery, s.drift.Every)
		companies, err := s.opts.Engine.Store.Companies(s.drift.life)
		if err != nil && s.drift.life.Err() == nil {
			s.opts.Log.Error("drift: companies", "error", err.Error())
		}
		for _, company := range companies {
			due, known := next[company]
			if !known {
				due = s.firstLook(company)
			}
			if !time.Now().Before(due) {
				s.lookOnSchedule(company)
				due = time.Now().Add(jittered(s.drift.Every))
			}
			next[company] = due
			wait = min(wait, time.Until(due))
		}
		select {
		case <-time.After(max(wait, 10*time.Millisecond)):
		case <-s.drift.life.Done():
			return
		}
	}
}

// jittered keeps gateways that were started together from asking upstream together: a tenth more or less.
func jittered(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.9 + 0.2*rand.Float64())) //nolint:gosec // a schedule is no secret
}

// firstLook is when a company is to be compared first: when it is due, as the books know, but not all at once after a start.
func (s *Server) firstLook(company string) time.Time {
	soon := time.Now().Add(jittered(min(s.drift.Every/10, wakeEvery)))
	last, err := s.lastDrift(s.drift.life, company)
	if err != nil {
		return soon
	}
	s.drift.observe(last)
	if due := last.CheckTime.Add(jittered(s.drift.Every)); due.After(soon) {
		return due
	}
	return soon
}

// lookOnSchedule makes one look, and counts and logs how it went.
func (s *Server) lookOnSchedule(company string) {
	began := time.Now()
	found, err := s.checkDrift(s.drift.life, company, driftOrder{refresh: true})
	log := s.opts.Log.With("company", company)
	switch result := driftResult(found, err); {
	case result == driftUnmanaged || s.drift.life.Err() != nil:
	case err != nil:
		s.drift.metrics.count(company, result)
		log.Warn("drift: not compared", "result", result, "error", err.Error())
	default:
		s.drift.metrics.count(company, result)
		s.drift.metrics.time(company, time.Since(began))
		log.Info("drift: compared", "differences", len(found.Differences), "operations", found.Operations(), "hash", found.Hash, "took", time.Since(began).Round(time.Millisecond).String())
	}
}

// The results of a look on schedule.
const (
	driftNone      = "none"
	driftFound     = "drift"
	driftSkipped   = "skipped"   // a run or refresh was going on, or upstream is out of reach
	driftFailed    = "failed"    // anything else
	driftUnmanaged = "unmanaged" // no manifest is in force
)

func driftResult(found *bulksync.Drift, err error) string {
	var refused refusal
	switch {
	case err == nil && len(found.Differences) == 0:
		return driftNone
	case err == nil:
		return driftFound
	case errors.Is(err, bulksync.ErrNotApplied):
		return driftUnmanaged
	case errors.As(err, &refused), errors.Is(err, context.Canceled):
		return driftSkipped
	}
	switch status.Code(err) { // what a refresh ran into comes as a status
	case codes.Unavailable, codes.DeadlineExceeded, codes.ResourceExhausted, codes.FailedPrecondition, codes.Canceled:
		return driftSkipped
	}
	return driftFailed
}

// observe shows a report in the metrics.
func (w *driftWatch) observe(d *bulksync.Drift) { w.metrics.observe(d) }
