package sandbox

import (
	"context"
	"time"
)

// importWorker runs the imports one after the other, row by row; each row is
// one write of the store, so calls get in between and a kill loses no row that
// was done. Pending imports of a kept world are resumed.
type importWorker struct {
	sandbox *Sandbox
	wake    chan struct{}
	cancel  context.CancelFunc
	ended   chan struct{}
}

func startImports(s *Sandbox) *importWorker {
	ctx, cancel := context.WithCancel(context.Background())
	i := &importWorker{sandbox: s, wake: make(chan struct{}, 1), cancel: cancel, ended: make(chan struct{})}
	go i.run(ctx)
	return i
}

// poke tells the worker that there is something to do.
func (i *importWorker) poke() {
	select {
	case i.wake <- struct{}{}:
	default:
	}
}

func (i *importWorker) stop() {
	i.cancel()
	<-i.ended
}

func (i *importWorker) run(ctx context.Context) {
	defer close(i.ended)
	for ctx.Err() == nil {
		job := i.next()
		if job == nil {
			select {
			case <-i.wake:
			case <-ctx.Done():
			}
			continue
		}
		i.sandbox.faults.holdImport(ctx, i.sandbox.options.Clock())
		wait(ctx, i.sandbox.options.ImportDelay)
		if err := i.process(ctx, job); err != nil && ctx.Err() == nil {
			i.sandbox.options.Logger.Error("import stopped", "reqId", job.ReqID, "error", err.Error())
			return
		}
	}
}

// next answers the oldest pending import.
func (i *importWorker) next() *importJob {
	i.sandbox.store.mu.RLock()
	defer i.sandbox.store.mu.RUnlock()
	var oldest *importJob
	for _, j := range i.sandbox.store.world.imports.rows {
		if j.Status == statusPending && (oldest == nil || j.Seq < oldest.Seq) {
			oldest = j
		}
	}
	return oldest
}

// process runs the rows of an import that are not done yet.
func (i *importWorker) process(ctx context.Context, job *importJob) error {
	s, err := parseSheet(job.Body, job.Delimiter, job.Comment)
	if err != nil {
		return err
	}
	for ended := false; !ended && ctx.Err() == nil; {
		_, err := i.sandbox.store.write(func(w *world) ([]byte, error) {
			ended = w.step(i.sandbox, job, s, i.sandbox.options.Clock())
			return nil, nil
		})
		if err != nil {
			return err
		}
		wait(ctx, i.sandbox.options.ImportRowDelay)
	}
	return nil
}

// step does the next row of an import, or ends it; ended is true when nothing
// is left to do, also because a reset took the import away.
func (w *world) step(s *Sandbox, job *importJob, sh *sheet, now time.Time) (ended bool) {
	w.settle(now)
	current := w.imports.get(job.ReqID)
	if current == nil || current.Status != statusPending || current.Seq != job.Seq {
		return true
	}
	done := len(w.rowsOfImport[job.ReqID])
	if done >= len(sh.rows) {
		w.endImport(current, now)
		return true
	}
	source := sh.rows[done]
	r := &rowRun{w: w, job: current, sheet: sh, now: now, by: w.users.get(job.UserID)}
	r.result = importRow{ReqID: job.ReqID, Index: done, Status: rowSucceeded}
	if source.fault != "" {
		r.fail("%s", source.fault)
	} else {
		r.cells = sh.byName(source)
		r.forced = s.faults.row(r.cells["loginEmail"], now)
		r.run()
	}
	if r.result.Status == rowFailed {
		r.result.Line = source.raw
	}
	w.importRows.put(&r.result)
	return false
}

func (w *world) endImport(job *importJob, now time.Time) {
	next := *job
	next.Status = statusTerminated
	next.EndTime = timestamp(now)
	next.Body = ""
	next.Profiles = w.usedLicences(job)
	w.imports.put(&next)
}
