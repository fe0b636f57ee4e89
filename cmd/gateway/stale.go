package main

import (
	"context"
	"fmt"
	"io"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

// shownStale is how many differences are shown.
const shownStale = 50

// freshen looks whether a saved plan still fits what Rainbow holds, shows what does not, and does as --stale says: with
// replan it gives a new plan. Nothing goes on before somebody has seen it.
func (c *applyCmd) freshen(ctx context.Context, t *terminal, s *session, plan *syncv1.Plan) (*syncv1.Plan, error) {
	if c.Plan == "" || c.Stale == "refuse" {
		return plan, nil
	}
	check, err := s.plans.CheckPlan(ctx, &syncv1.CheckPlanRequest{Name: plan.GetName()})
	if err != nil || check.GetStaleCount() == 0 {
		return plan, err
	}
	out := t.stdout
	if c.Output == "json" {
		out = t.stderr
	}
	c.stale = true
	fmt.Fprintln(out, "Since the plan was made:")
	for i, r := range check.GetStale() {
		if i == shownStale {
			break
		}
		fmt.Fprintf(out, "  %s\n", r.GetDifference())
	}
	if more := int(check.GetStaleCount()) - shownStale; more > 0 {
		fmt.Fprintf(out, "  … and %d more\n", more)
	}
	if c.Stale == "drop" {
		titles := make([]string, len(check.GetDropped()))
		for i, op := range check.GetDropped() {
			titles[i] = fmt.Sprintf("%d %s", op.GetId(), op.GetTitle())
		}
		listTitles(out, "Left out, with what hangs together with it:", titles, int(check.GetDroppedCount()))
		fmt.Fprintln(out)
		return plan, nil
	}
	again, err := s.plans.Replan(ctx, &syncv1.ReplanRequest{Name: plan.GetName()})
	if err != nil {
		return nil, err
	}
	listTitles(out, "No longer in the plan:", again.GetGone(), len(again.GetGone()))
	listTitles(out, "New in the plan:", again.GetAdded(), len(again.GetAdded()))
	fmt.Fprintf(out, "The new plan is %s.\n\n", lastPart(again.GetPlan().GetName()))
	return again.GetPlan(), nil
}

// listTitles writes operations below a heading; nothing without any.
func listTitles(w io.Writer, heading string, titles []string, count int) {
	if count == 0 {
		return
	}
	fmt.Fprintln(w, heading)
	shown := titles[:min(len(titles), shownStale)]
	for _, title := range shown {
		fmt.Fprintf(w, "  %s\n", title)
	}
	if more := count - len(shown); more > 0 {
		fmt.Fprintf(w, "  … and %d more\n", more)
	}
}
