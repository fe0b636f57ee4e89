package syncserver

import (
	"context"
	"errors"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// pruneEvery is how often a server that lives long removes what is older than is to be kept.
const pruneEvery = 24 * time.Hour

// prunes removes old plans and runs of all companies now, and then every day, until the server's life ends.
func (s *Server) prunes() {
	ticker := time.NewTicker(pruneEvery)
	defer ticker.Stop()
	for {
		s.Prune(s.life)
		select {
		case <-ticker.C:
		case <-s.life.Done():
			return
		}
	}
}

// Prune removes, in every company in which nothing goes on, what is older than is to be kept. What goes wrong is logged:
// it is tried again the next day.
func (s *Server) Prune(ctx context.Context) {
	companies, err := s.opts.Engine.Store.Companies(ctx)
	if err != nil && ctx.Err() == nil {
		s.opts.Log.Error("history can't be pruned", "error", err.Error())
	}
	for _, company := range companies {
		pruned, err := s.pruneCompany(ctx, company)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.opts.Log.Error("history can't be pruned", "company", company, "error", err.Error())
		case pruned != bulksync.Pruned{}:
			s.opts.Log.Info("history pruned", "company", company, "runs", pruned.Runs, "plans", pruned.Plans)
		}
	}
}

func (s *Server) pruneCompany(ctx context.Context, company string) (bulksync.Pruned, error) {
	l, err := s.lane(ctx, company)
	if err != nil {
		return bulksync.Pruned{}, err
	}
	l.mu.Lock() // no run begins meanwhile
	defer l.mu.Unlock()
	if l.run != nil {
		return bulksync.Pruned{}, nil
	}
	pruned, err := s.opts.Engine.Prune(ctx, company, s.opts.Retention)
	if pruned != (bulksync.Pruned{}) {
		s.shelf.clear()
	}
	if errors.Is(err, bulksync.ErrNotFound) { // somebody was faster
		err = nil
	}
	return pruned, err
}

// clear takes everything off the shelf.
func (h *shelf) clear() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drops++
	h.plans = recent[shelfKey, *bulksync.StoredPlan]{most: h.plans.most}
	h.figures = recent[shelfKey, figures]{most: h.figures.most}
	h.runs = recent[shelfKey, *bulksync.Run]{most: h.runs.most}
}

// span checks the two ends of a filter by time.
func (v *violations) span(since, until *timestamppb.Timestamp) (from, to time.Time) {
	for _, end := range []struct {
		field string
		given *timestamppb.Timestamp
		time  *time.Time
	}{{"since", since, &from}, {"until", until, &to}} {
		if end.given == nil {
			continue
		}
		if err := end.given.CheckValid(); err != nil {
			v.add(end.field, "%v", err)
			continue
		}
		*end.time = end.given.AsTime()
	}
	if !from.IsZero() && !to.IsZero() && !from.Before(to) {
		v.add("until", "want a time after since")
	}
	return from, to
}
