package main

import (
	"context"
	"errors"
	"fmt"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

type runsWatchCmd struct {
	engineFlags
	Name string `arg:"" name:"run" help:"Name of the run."`
}

// Help is shown below the usage of the verb.
func (runsWatchCmd) Help() string {
	return `Shows the progress of a run of a gateway until it comes to rest, and then what it did, as "gateway apply" does. Ctrl-C ends the
watching, not the run. Exit codes are those of "gateway apply".

Example:
  gateway runs watch run-20261122-101500-ab12cd --server 127.0.0.1:9090`
}

// Run watches a run.
func (c *runsWatchCmd) Run(ctx context.Context, t *terminal) (err error) {
	s, err := c.open(ctx, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	run, err := s.runs.GetRun(ctx, &syncv1.GetRunRequest{Name: s.resource("runs", c.Name)})
	if err != nil {
		return err
	}
	bar := newProgress(t.stderr, int(run.GetCounts().GetTotal()))
	last, err := s.watch(ctx, run.GetName(), bar)
	bar.close()
	if ctx.Err() != nil {
		fmt.Fprintf(t.stderr, "Watched no longer; the run goes on. To stop it: gateway runs cancel %s\n", lastPart(run.GetName()))
		return exitInterrupted
	}
	if err != nil {
		return err
	}
	if err := s.tell(ctx, t, last); err != nil {
		return err
	}
	return s.conclude(t, last)
}
