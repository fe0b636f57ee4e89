package syncserver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// lane is one company: what is going on in it, of which there is one thing at a time.
type lane struct {
	company string
	// looking is held by the one who compares the company with the manifest in force, telling by who tells of it.
	looking, telling chan struct{}

	mu        sync.Mutex // guards the rest
	recovered bool
	run       *liveRun
	runs      int // that began here
	refresh   *refresh
	freed     chan struct{} // closed when what is going on has ended; nil while nobody waits for that
}

// lane gives a company's lane, after putting right what an earlier process left running there.
func (s *Server) lane(ctx context.Context, company string) (*lane, error) {
	s.mu.Lock()
	l := s.lanes[company]
	if l == nil {
		l = &lane{company: company, looking: make(chan struct{}, 1), telling: make(chan struct{}, 1)}
		s.lanes[company] = l
	}
	s.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.recovered {
		return l, nil
	}
	runs, err := s.opts.Engine.Recover(ctx, company)
	if err != nil {
		return nil, err
	}
	for _, run := range runs {
		if err := s.recount(ctx, run); err != nil {
			return nil, err
		}
	}
	l.recovered = true
	return l, nil
}

// recount fills in, from the journal, how far a run came whose process died.
func (s *Server) recount(ctx context.Context, run *bulksync.Run) error {
	ended := map[int]bulksync.Outcome{}
	for entry, err := range s.opts.Engine.Store.Journal(ctx, run.Company, run.Name) {
		if err != nil {
			return err
		}
		if entry.Ended.IsZero() {
			for _, id := range entry.Operations {
				ended[id] = bulksync.Outcome{Operation: id, Status: bulksync.Unknown, Message: "the gateway ended before the answer came"}
			}
		}
		for _, o := range entry.Outcomes {
			ended[o.Operation] = o
		}
	}
	ids := slices.Sorted(maps.Keys(ended))
	stored, err := s.storedPlan(ctx, run.Company, run.Plan)
	switch {
	case err == nil:
		ids = ids[:0]
		for i := range stored.Plan.Operations {
			ids = append(ids, stored.Plan.Operations[i].ID)
		}
	case !errors.Is(err, bulksync.ErrNotFound):
		return err
	}
	if run.RetryOf != "" {
		ids = run.Only
	}
	run.Counts, run.Outcomes = bulksync.RunCounts{Total: len(ids)}, nil
	for _, id := range ids {
		o, ok := ended[id]
		if !ok {
			o = bulksync.Outcome{Operation: id, Status: bulksync.NotDone, Message: "not started"}
		}
		run.Outcomes = append(run.Outcomes, o)
		count(&run.Counts, o.Status, 1)
	}
	if stored != nil {
		run.Strand(stored.Plan, ended)
	}
	return s.opts.Engine.Store.UpdateRun(ctx, run)
}

// count adds n to the count of a status.
func count(c *bulksync.RunCounts, status bulksync.Status, n int) {
	switch status {
	case bulksync.Done:
		c.Done += n
	case bulksync.Failed:
		c.Failed += n
	case bulksync.Skipped:
		c.Skipped += n
	case bulksync.NotDone:
		c.NotDone += n
	case bulksync.Unknown:
		c.Unknown += n
	}
}

// live gives the run of that name if it is going on.
func (l *lane) live(run string) *liveRun {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.run != nil && l.run.name == run {
		return l.run
	}
	return nil
}

// shutDown brings what is going on to an end.
func (l *lane) shutDown() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.run != nil {
		l.run.stop(stopShutdown)
	}
	if l.refresh != nil {
		l.refresh.cancel()
	}
}

// busy says what keeps a run or refresh from starting. The caller holds the lane.
func (l *lane) busy() error {
	switch {
	case l.run != nil:
		name := runName(l.company, l.run.name)
		run, _ := l.run.view()
		return refusal{
			reason: "RUN_GOING_ON", subject: name,
			text: fmt.Sprintf("run %s, begun by %s at %s, is going on, and one run at a time changes a company: wait for it, or cancel it",
				name, run.Actor, run.StartTime.UTC().Format("2006-01-02 15:04:05 UTC")),
		}
	case l.refresh != nil:
		return refusal{
			reason: "REFRESH_GOING_ON", subject: l.refresh.name,
			text: fmt.Sprintf("the recorded state of company %s is being refreshed: wait for %s, or cancel it", l.company, l.refresh.name),
		}
	}
	return nil
}

// release tells those who wait that the lane is free. The caller holds the lane.
func (l *lane) release() {
	if l.freed != nil {
		close(l.freed)
		l.freed = nil
	}
}

// await waits until nothing goes on in a company, so long at most; then it says who is in the way.
func (s *Server) await(ctx context.Context, company string, longest time.Duration) error {
	l, err := s.lane(ctx, company)
	if err != nil {
		return err
	}
	over := time.NewTimer(longest)
	defer over.Stop()
	for {
		l.mu.Lock()
		busy := l.busy()
		if busy == nil || longest == 0 {
			l.mu.Unlock()
			return busy
		}
		if l.freed == nil {
			l.freed = make(chan struct{})
		}
		freed := l.freed
		l.mu.Unlock()
		select {
		case <-freed:
		case <-over.C:
			return busy
		case <-ctx.Done():
			return ctx.Err()
		case <-s.life.Done():
			return errClosing
		}
	}
}

// enter counts one more run or refresh, unless the server is closing.
func (s *Server) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosing
	}
	s.running.Add(1)
	return nil
}
