package syncserver

import (
	"context"
	"fmt"
	"time"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// Starting and carrying out runs.

// start begins a new run of a plan.
func (s *Server) start(ctx context.Context, plan *bulksync.StoredPlan, options bulksync.RunOption, secrets bulksync.Secrets) (*bulksync.Run, error) {
	run := &bulksync.Run{
		Name: s.opts.Engine.NewName("run"), Company: plan.Plan.Company, Plan: plan.Name, Hash: plan.Hash,
		State: bulksync.RunRunning, Actor: s.opts.Caller(ctx), StartTime: s.now(),
		Options: options, Counts: bulksync.RunCounts{Total: len(plan.Plan.Operations)},
	}
	return s.launch(ctx, run, plan, nil, secrets, s.opts.Engine.Store.CreateRun)
}

// resume takes up a run that has come to rest.
func (s *Server) resume(ctx context.Context, rested *bulksync.Run, plan *bulksync.StoredPlan, options bulksync.RunOption, secrets bulksync.Secrets) (*bulksync.Run, error) {
	run := *rested
	run.State, run.EndTime, run.Message, run.Outcomes = bulksync.RunRunning, time.Time{}, "", nil
	run.Stranded, run.StrandedCount = nil, 0
	run.Counts = bulksync.RunCounts{Total: rested.Counts.Total}
	run.Options = renewed(run.Options, options)
	var done []bulksync.Outcome
	for _, o := range rested.Outcomes {
		if o.Status == bulksync.Done {
			done = append(done, o)
		}
	}
	run.Counts.Done = len(done)
	return s.launch(ctx, &run, plan, done, secrets, s.opts.Engine.Store.UpdateRun)
}

// launch writes the run down by put and lets it go, as the only thing that goes on in its company.
func (s *Server) launch(ctx context.Context, run *bulksync.Run, plan *bulksync.StoredPlan, done []bulksync.Outcome, secrets bulksync.Secrets,
	put func(context.Context, *bulksync.Run) error) (*bulksync.Run, error) {
	l, err := s.lane(ctx, run.Company)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.busy(); err != nil {
		return nil, err
	}
	if plan, err = s.storedPlan(ctx, run.Company, plan.Name); err != nil { // it may have been deleted, or its approval taken back, while the run waited
		return nil, err
	}
	if err := s.enter(); err != nil {
		return nil, err
	}
	if err := s.checkApproval(plan); err != nil {
		s.running.Done()
		return nil, err
	}
	if err := put(ctx, run); err != nil {
		s.running.Done()
		return nil, err
	}
	s.shelf.dropRun(run.Company, run.Name)
	live := newLiveRun(run, plan, done)
	l.run = live
	l.runs++
	first := live.run
	go func() {
		defer s.running.Done()
		s.execute(l, live, run, secrets)
	}()
	return &first, nil
}

// execute carries a run out and leaves its lane free. The secrets are let go with it.
func (s *Server) execute(l *lane, live *liveRun, run *bulksync.Run, secrets bulksync.Secrets) {
	err := s.opts.Engine.Execute(s.life, bulksync.Execution{
		Run: run, Plan: live.plan.Plan, Secrets: secrets, Stop: live.stopped, Pause: live.pauses,
		Watch: func(e bulksync.Event) {
			live.note(e)
			s.metrics.note(e)
		},
	})
	s.conclude(live, run, err)
	s.metrics.rest(run)
	s.shelf.dropRun(run.Company, run.Name)
	l.mu.Lock()
	l.run = nil
	l.release()
	l.mu.Unlock()
	live.finish(run)
}

// conclude mends the record of a run that did not come to rest by itself.
func (s *Server) conclude(live *liveRun, run *bulksync.Run, err error) {
	switch {
	case err != nil:
		s.opts.Log.Error("run", "run", runName(run.Company, run.Name), "error", err.Error())
		if run.State.Ended() {
			return
		}
		run.State, run.EndTime = bulksync.RunInterrupted, s.now()
		run.Message = fmt.Sprintf("its books could not be kept: %v; resume it to go on where it stopped", err)
	case run.State == bulksync.RunCancelled && live.stopReason() == stopShutdown:
		run.State = bulksync.RunInterrupted
		run.Message = "the gateway was stopped while the run was going on; resume it to go on where it stopped"
	default:
		return
	}
	if err := s.opts.Engine.Store.UpdateRun(context.WithoutCancel(s.life), run); err != nil {
		s.opts.Log.Error("run", "run", runName(run.Company, run.Name), "error", err.Error())
	}
}
