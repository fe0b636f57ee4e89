package syncserver

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

// refresh is a refresh of a company's recorded state, going on or ended.
type refresh struct {
	company string
	name    string // of its long-running operation
	began   time.Time
	records atomic.Int64
	cancel  context.CancelFunc
	done    chan struct{}

	// Valid when done is closed.
	ended time.Time
	state *syncv1.State
	err   error // a gRPC status
}

// progress is the operation's metadata.
func (r *refresh) progress() *syncv1.RefreshProgress {
	p := &syncv1.RefreshProgress{State: stateName(r.company), Records: int32(r.records.Load()), StartTime: timestamp(r.began)}
	if r.over() {
		p.EndTime = timestamp(r.ended)
	}
	return p
}

func (r *refresh) over() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// beginRefresh starts a refresh, or joins the one that is going on.
func (s *Server) beginRefresh(ctx context.Context, company string) (*refresh, error) {
	l, err := s.lane(ctx, company)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refresh != nil {
		return l.refresh, nil
	}
	if err := l.busy(); err != nil {
		return nil, err
	}
	if err := s.enter(); err != nil {
		return nil, err
	}
	life, cancel := context.WithCancel(s.life)
	r := &refresh{
		company: company, began: s.now(), cancel: cancel, done: make(chan struct{}),
		name: operationName("companies/" + company + "/refreshes/" + s.opts.Engine.NewName("refresh")),
	}
	l.refresh = r
	s.refreshes.add(r)
	go func() {
		defer s.running.Done()
		defer cancel()
		s.runRefresh(life, l, r)
	}()
	return r, nil
}

// runRefresh carries a refresh out and leaves its lane free.
func (s *Server) runRefresh(ctx context.Context, l *lane, r *refresh) {
	_, err := s.opts.Engine.Refresh(ctx, r.company, func(records int) { r.records.Store(int64(records)) })
	if err == nil {
		r.state, err = s.stateOf(context.WithoutCancel(ctx), r.company)
	}
	r.err, r.ended = s.status(err), s.now()
	l.mu.Lock()
	l.refresh = nil
	l.release()
	l.mu.Unlock()
	close(r.done)
}

// renew refreshes a company's recorded state and waits for it. The refresh goes on when the caller does not.
func (s *Server) renew(ctx context.Context, company string) error {
	r, err := s.beginRefresh(ctx, company)
	if err != nil {
		return err
	}
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// refreshBoard remembers refreshes, so that their operations can be asked for a while after they ended.
type refreshBoard struct {
	mu     sync.Mutex
	byName map[string]*refresh
}

// refreshLife is how long an ended refresh is remembered.
const refreshLife = time.Hour

func newRefreshBoard() *refreshBoard { return &refreshBoard{byName: map[string]*refresh{}} }

func (b *refreshBoard) add(r *refresh) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for name, old := range b.byName {
		if old.over() && r.began.Sub(old.ended) > refreshLife {
			delete(b.byName, name)
		}
	}
	b.byName[r.name] = r
}

func (b *refreshBoard) get(name string) *refresh {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.byName[name]
}

func (b *refreshBoard) of(company string) []*refresh {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []*refresh
	for _, r := range b.byName {
		if r.company == company {
			list = append(list, r)
		}
	}
	return list
}
