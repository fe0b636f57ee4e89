package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

type plansCmd struct {
	List    plansListCmd   `cmd:"" default:"withargs" help:"List saved plans, newest first."`
	Show    plansShowCmd   `cmd:"" help:"Show a saved plan."`
	Approve approveCmd     `cmd:"" help:"Say that you looked at a plan and want it applied."`
	Delete  plansDeleteCmd `cmd:"" help:"Forget a saved plan."`
}

// Help is shown below the usage of the verb.
func (plansCmd) Help() string {
	return `Every plan is saved when it is made, so that somebody else can look at it, approve it, and apply just that.

Examples:
  gateway plans
  gateway plans show plan-20261122-101500-ab12cd -o markdown`
}

type plansListCmd struct {
	engineFlags
	outputFlag
	Creator string `placeholder:"NAME" help:"Only plans of this creator."`
	Undoes  string `placeholder:"RUN" help:"Only plans that undo this run."`
	Since   moment `placeholder:"TIME" help:"Only plans made since: a day, a time, or how long ago, such as 7d."`
	Until   moment `placeholder:"TIME" help:"Only plans made before."`
}

// Help is shown below the usage of the verb.
func (plansListCmd) Help() string {
	return `Shows each plan with how many operations it has, when and by whom it was made, and who approved it. Old plans are removed after a
while (--keep-plans), but not those of runs that are kept.

Examples:
  gateway plans list --since 7d
  gateway plans list --creator ann@corp.example -o json`
}

// Run lists the plans.
func (c *plansListCmd) Run(ctx context.Context, t *terminal) (err error) {
	s, err := c.open(ctx, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	plans, err := c.list(ctx, s)
	if err != nil {
		return err
	}
	if c.Output == "json" {
		return writeJSON(t.stdout, &syncv1.ListPlansResponse{Plans: plans})
	}
	out := tabwriter.NewWriter(t.stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(out, "PLAN\tOPERATIONS\tMADE\tBY\tAPPROVED BY\tOF")
	for _, p := range plans {
		fmt.Fprintf(out, "%s\t%d\t%s\t%s\t%s\t%s\n", lastPart(p.GetName()), p.GetOperationCount(), p.GetCreateTime().AsTime().Local().Format(startedFormat),
			p.GetCreator(), approvedBy(p), planOrigin(p))
	}
	return out.Flush()
}

// list reads all plans, page by page.
func (c *plansListCmd) list(ctx context.Context, s *session) ([]*syncv1.Plan, error) {
	var all []*syncv1.Plan
	request := &syncv1.ListPlansRequest{
		Parent: s.company, PageSize: 100, Creator: c.Creator, Undoes: c.Undoes, Since: c.Since.timestamp(), Until: c.Until.timestamp(),
	}
	for {
		page, err := s.plans.ListPlans(ctx, request)
		if err != nil {
			return nil, err
		}
		all = append(all, page.GetPlans()...)
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
			return all, nil
		}
	}
}

// approvedBy names who approved a plan, or says that somebody should.
func approvedBy(p *syncv1.Plan) string {
	names := ""
	for i, a := range p.GetApprovals() {
		if i > 0 {
			names += ", "
		}
		names += a.GetBy().GetName()
	}
	if p.GetAwaitingApproval() != "" {
		if names != "" {
			return names + " (does not count)"
		}
		return "(waiting)"
	}
	return names
}

// planOrigin says what a plan was made from.
func planOrigin(p *syncv1.Plan) string {
	if p.GetUndoes() != "" {
		return "undo of " + lastPart(p.GetUndoes())
	}
	of := ""
	for i, name := range p.GetSources() {
		if i > 0 {
			of += ", "
		}
		of += name
	}
	if p.GetReplaces() != "" {
		of += " (in place of " + lastPart(p.GetReplaces()) + ")"
	}
	return of
}

type plansShowCmd struct {
	engineFlags
	Name   string `arg:"" name:"plan" help:"Name of the plan."`
	Output string `short:"o" default:"text" enum:"text,json,markdown,html,csv,dot" help:"text, json (docs/plan.schema.json), markdown, html, csv or dot (Graphviz)."`
}

// Help is shown below the usage of the verb.
func (plansShowCmd) Help() string {
	return `Shows a saved plan as "gateway plan" showed it; as text also who made it and who approved it.

Example:
  gateway plans show plan-20261122-101500-ab12cd`
}

// Run shows one plan.
func (c *plansShowCmd) Run(ctx context.Context, t *terminal) (err error) {
	s, err := c.open(ctx, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	plan, err := s.plans.GetPlan(ctx, &syncv1.GetPlanRequest{Name: s.resource("plans", c.Name)})
	if err != nil {
		return err
	}
	if err := s.showPlan(ctx, t.stdout, plan.GetName(), c.Output); err != nil || c.Output != "text" {
		return err
	}
	showHistory(t.stdout, plan)
	return nil
}

// showHistory tells who made a plan and who approved it.
func showHistory(w io.Writer, plan *syncv1.Plan) {
	fmt.Fprintf(w, "Made by %s on %s", voucherWords(plan.GetCreatedBy(), plan.GetCreator()), plan.GetCreateTime().AsTime().Local().Format(startedFormat))
	if origin := planOrigin(plan); origin != "" {
		fmt.Fprintf(w, " from %s", origin)
	}
	fmt.Fprintln(w, ".")
	for _, a := range plan.GetApprovals() {
		fmt.Fprintf(w, "Approved by %s on %s", voucherWords(a.GetBy(), ""), a.GetTime().AsTime().Local().Format(startedFormat))
		if a.GetComment() != "" {
			fmt.Fprintf(w, ": %q", a.GetComment())
		}
		fmt.Fprintln(w, ".")
	}
	for _, g := range plan.GetWithdrawals() {
		fmt.Fprintf(w, "Approved by %s on %s; taken back by %s on %s", voucherWords(g.GetApproval().GetBy(), ""), g.GetApproval().GetTime().AsTime().Local().Format(startedFormat),
			voucherWords(g.GetBy(), ""), g.GetTime().AsTime().Local().Format(startedFormat))
		if g.GetComment() != "" {
			fmt.Fprintf(w, ": %q", g.GetComment())
		}
		fmt.Fprintln(w, ".")
	}
	if why := plan.GetAwaitingApproval(); why != "" {
		fmt.Fprintf(w, "Waits for approval: %s.\n", why)
	}
}

// voucherWords names somebody with what vouches for him.
func voucherWords(p *syncv1.Principal, name string) string {
	if p.GetName() != "" {
		name = p.GetName()
	}
	switch p.GetVoucher() {
	case syncv1.Principal_VOUCHER_RAINBOW_TOKEN:
		return name + " (by his Rainbow token)"
	case syncv1.Principal_VOUCHER_LISTENER:
		return name + " (the listener says)"
	case syncv1.Principal_VOUCHER_CERTIFICATE:
		return name + " (by his certificate)"
	}
	return name
}

type plansDeleteCmd struct {
	engineFlags
	Name  string `arg:"" name:"plan" help:"Name of the plan."`
	Force bool   `help:"Delete it though a run of it could still be resumed."`
}

// Help is shown below the usage of the verb.
func (plansDeleteCmd) Help() string {
	return `Forgets a saved plan with its approvals. A run of it that has not done everything could then not be resumed, so that needs --force.

Example:
  gateway plans delete plan-20261122-101500-ab12cd`
}

// Run deletes a plan.
func (c *plansDeleteCmd) Run(ctx context.Context, t *terminal) (err error) {
	s, err := c.open(ctx, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if _, err := s.plans.DeletePlan(ctx, &syncv1.DeletePlanRequest{Name: s.resource("plans", c.Name), Force: c.Force}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.stdout, "Plan %s is forgotten.\n", lastPart(c.Name))
	return err
}
