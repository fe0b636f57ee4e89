package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

type undoCmd struct {
	engineFlags
	Name         string `arg:"" name:"run" help:"Name of the run."`
	Stale        string `default:"refuse" enum:"refuse,drop,replan" help:"What was changed again since the run: refuse to plan, drop (leave it alone), replan (put back what was there before the run)."`
	Refresh      bool   `help:"Record what Rainbow holds now before planning."`
	ceilingFlags `group:"Guards"`
	Output       string `short:"o" default:"text" enum:"text,json,markdown,html,csv,dot" help:"text, json (docs/plan.schema.json), markdown, html, csv or dot (Graphviz)."`
}

// Help is shown below the usage of the verb.
func (undoCmd) Help() string {
	return `Plans the inverse of a run: what it created is deleted, what it deleted is created again, what it gave is taken back, what it
changed gets the values from before. Of a run that failed in part, the part that was done. The plan is saved and shown, and
says what it does not bring back (ids, passwords and messages of deleted users, say); "gateway apply NAME" applies it, and its
run can be undone in turn. What is above its ceiling is held back, as in every plan: --max says what an undoing may delete.

Exit code 0: nothing to undo, 2: the plan has changes, 1: an error.

Examples:
  gateway undo run-20261122-101500-ab12cd
  gateway undo run-20261122-101500-ab12cd --refresh --stale drop
  gateway undo run-20261122-101500-ab12cd --protect ann@corp.example --max delete-user=5`
}

// Run plans the inverse of a run and shows it.
func (c *undoCmd) Run(ctx context.Context, t *terminal) (err error) {
	s, err := c.open(ctx, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	plan, err := s.plans.CreateUndoPlan(ctx, &syncv1.CreateUndoPlanRequest{
		Name: s.resource("runs", c.Name), Stale: stalePolicy(c.Stale), Refresh: c.Refresh,
		Ignore: c.Ignore, Protect: c.Protect, Max: c.Max, Min: c.Min, OutageBudget: c.OutageBudget,
	})
	if err != nil {
		return err
	}
	if err := s.showPlan(ctx, t.stdout, plan.GetName(), c.Output); err != nil {
		return err
	}
	if plan.GetOperationCount() > 0 {
		return exitChanges
	}
	if c.Output == "text" {
		fmt.Fprintln(t.stdout, "Nothing is left to undo.")
	}
	return nil
}

func stalePolicy(word string) syncv1.StalePolicy {
	return syncv1.StalePolicy(syncv1.StalePolicy_value["STALE_POLICY_"+strings.ToUpper(word)])
}
