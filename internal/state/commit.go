package state

import (
	"context"
	"errors"
	"sync"

	bolt "go.etcd.io/bbolt"
)

// committer shares one transaction, and so one fsync, among writers that come at the same time: parallel workers begin
// and end calls all the while, and a disk syncs only some hundred times a second.
//
// Whoever gets the lock commits everything that queued up while the previous transaction was being synced. bbolt's own
// Batch does the like with a timer; it makes a lone writer wait for the timer, and has no better number to offer than a
// guess of how long the disk takes.
type committer struct {
	db    *bolt.DB
	views *views

	mu    sync.Mutex // guards queue
	queue []*commit

	writer sync.Mutex // held by the one who commits
}

// commit is one writer's part of a transaction. Its fn may run more than once; only the last run counts.
type commit struct {
	fn   func(*bolt.Tx) error
	done bool
	err  error
}

// do runs fn in a write transaction and returns when that is on disk, or has left no trace. A ctx that ends while fn
// waits in the queue does not take it out: the caller would not know whether it happened.
func (c *committer) do(ctx context.Context, fn func(*bolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	own := &commit{fn: fn}
	c.mu.Lock()
	c.queue = append(c.queue, own)
	c.mu.Unlock()

	c.writer.Lock()
	defer c.writer.Unlock()
	if !own.done {
		c.run(c.take())
	}
	return own.err
}

// between runs fn while no transaction of do is under way.
func (c *committer) between(fn func() error) error {
	c.writer.Lock()
	defer c.writer.Unlock()
	return fn()
}

func (c *committer) take() []*commit {
	c.mu.Lock()
	defer c.mu.Unlock()
	queue := c.queue
	c.queue = nil
	return queue
}

// run commits the parts together. A part that fails is taken out and runs again alone, because it may have failed over
// another part that was then not committed.
func (c *committer) run(parts []*commit) {
	defer settle(parts)
	for len(parts) > 1 {
		failed := -1
		err := c.write(func(tx *bolt.Tx) error {
			for i, part := range parts {
				if err := part.fn(tx); err != nil {
					failed = i
					return err
				}
			}
			return nil
		})
		if failed < 0 {
			for _, part := range parts {
				part.err, part.done = err, true
			}
			return
		}
		parts[0], parts[failed] = parts[failed], parts[0]
		c.alone(parts[0])
		parts = parts[1:]
	}
	c.alone(parts[0])
}

// write runs a transaction while no snapshot keeps one open.
func (c *committer) write(fn func(*bolt.Tx) error) error {
	c.views.pause()
	defer c.views.resume()
	return c.db.Update(fn)
}

func (c *committer) alone(part *commit) {
	part.err = c.write(part.fn)
	part.done = true
}

var errAborted = errors.New("write aborted by a fault in another one")

// settle gives an error to the parts that a panic left without one, so that their writers do not take them for written.
func settle(parts []*commit) {
	for _, part := range parts {
		if !part.done {
			part.err, part.done = errAborted, true
		}
	}
}
