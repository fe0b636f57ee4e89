package main

import (
	"context"
	"errors"
	"fmt"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

type approveCmd struct {
	engineFlags
	outputFlag
	Name     string `arg:"" name:"plan" help:"Name of the plan."`
	Comment  string `short:"m" placeholder:"TEXT" help:"What you say to it."`
	Hash     string `placeholder:"HASH" help:"The hash of the plan that you looked at; another plan is refused."`
	Withdraw bool   `help:"Take your approval back instead; the plan's history keeps that, too."`
	Of       string `placeholder:"NAME" help:"With --withdraw: somebody else's approval, by his name."`
}

// Help is shown below the usage of the verb.
func (approveCmd) Help() string {
	return `Says that you looked at a plan and want it applied. The plan's history keeps who you are, when, and your comment. With
--approval different (docs/config.md) that has to be somebody else than the plan's creator, so the gateway must know who both
are: by a Rainbow token in GATEWAY_APPROVER_TOKEN (or in the variable of --token-env), by --as EMAIL, which asks for the Rainbow
password, by the client certificate of --cert, or by what stands before the gateway's listener. A token only tells who you are: nothing is done with it, and it is
not kept.

An approval that was a mistake is taken back by --withdraw, as long as the plan is not applied: it no longer counts. Everybody may
take back everybody's (--of NAME), since that only ever stops a plan, and the history keeps who did.

Examples:
  gateway approve plan-20261122-101500-ab12cd --as bob@corp.example -m "as agreed on Tuesday"
  gateway plans approve plan-20261122-101500-ab12cd --hash 913c5231ac991ce5f83438e5263c4ae3
  gateway approve plan-20261122-101500-ab12cd --withdraw -m "wrong week"`
}

// Run approves a plan.
func (c *approveCmd) Run(ctx context.Context, t *terminal) (err error) {
	if c.Of != "" && !c.Withdraw {
		return errors.New("--of names whose approval is taken back: add --withdraw")
	}
	c.tokenFirst = "GATEWAY_APPROVER_TOKEN"
	s, err := c.open(ctx, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if c.Withdraw {
		return c.withdraw(ctx, t, s)
	}
	plan, err := s.plans.ApprovePlan(ctx, &syncv1.ApprovePlanRequest{Name: s.resource("plans", c.Name), Etag: c.Hash, Comment: c.Comment})
	if err != nil {
		return err
	}
	if c.Output == "json" {
		return writeJSON(t.stdout, plan)
	}
	approvals := plan.GetApprovals()
	_, err = fmt.Fprintf(t.stdout, "Plan %s is approved by %s.\n", lastPart(plan.GetName()), voucherWords(approvals[len(approvals)-1].GetBy(), ""))
	return err
}

// withdraw takes approvals back, and says what that does not stop.
func (c *approveCmd) withdraw(ctx context.Context, t *terminal, s *session) error {
	plan, err := s.plans.WithdrawApproval(ctx, &syncv1.WithdrawApprovalRequest{Name: s.resource("plans", c.Name), Etag: c.Hash, Of: c.Of, Comment: c.Comment})
	if err != nil {
		return err
	}
	if c.Output == "json" {
		return writeJSON(t.stdout, plan)
	}
	gone := plan.GetWithdrawals()
	fmt.Fprintf(t.stdout, "The approval of plan %s by %s no longer counts.\n", lastPart(plan.GetName()), voucherWords(gone[len(gone)-1].GetApproval().GetBy(), ""))
	if why := plan.GetAwaitingApproval(); why != "" {
		fmt.Fprintf(t.stdout, "It waits for approval: %s.\n", why)
	}
	runs, err := s.runs.ListRuns(ctx, &syncv1.ListRunsRequest{Parent: s.company, Plan: plan.GetName(), PageSize: 10})
	if err != nil {
		return err
	}
	for _, r := range runs.GetRuns() {
		switch {
		case r.GetState() == syncv1.Run_STATE_RUNNING:
			fmt.Fprintf(t.stderr, "gateway: a run of it goes on\nhint: gateway runs cancel %s\n", lastPart(r.GetName()))
		case r.GetState() == syncv1.Run_STATE_SUCCEEDED:
			fmt.Fprintf(t.stderr, "gateway: it has been applied\nhint: gateway undo %s\n", lastPart(r.GetName()))
		}
	}
	return nil
}

// awaitsApproval says that a plan waits for an approval, and whose; nil when it waits for none.
func awaitsApproval(t *terminal, plan *syncv1.Plan) error {
	if plan.GetAwaitingApproval() == "" {
		return nil
	}
	fmt.Fprintf(t.stderr, "gateway: waiting: unapproved: %s\nhint: gateway approve %s\n", plan.GetAwaitingApproval(), lastPart(plan.GetName()))
	return exitWaiting
}
