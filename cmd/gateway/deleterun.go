package main

import (
	"context"
	"errors"
	"fmt"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

type runsDeleteCmd struct {
	engineFlags
	Name  string `arg:"" name:"run" help:"Name of the run."`
	Force bool   `help:"Delete it though it could still be resumed, or its manifest is in force."`
}

// Help is shown below the usage of the verb.
func (runsDeleteCmd) Help() string {
	return `Forgets a run with its journal and its report; it can't be resumed or undone any more. A run that could still be resumed, and the
one whose manifest is in force, need --force. Its plan stays: "gateway plans delete" forgets that.

Example:
  gateway runs delete run-20261122-101500-ab12cd`
}

// Run deletes a run.
func (c *runsDeleteCmd) Run(ctx context.Context, t *terminal) (err error) {
	s, err := c.open(ctx, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if _, err := s.runs.DeleteRun(ctx, &syncv1.DeleteRunRequest{Name: s.resource("runs", c.Name), Force: c.Force}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.stdout, "Run %s is forgotten.\n", lastPart(c.Name))
	return err
}
