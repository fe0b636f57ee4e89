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
	Name    string `arg:"" name:"plan" help:"Name of the plan."`
	Comment string `short:"m" placeholder:"TEXT" help:"What you say to it."`
	Hash    string `placeholder:"HASH" help:"The hash of the plan that you looked at; another plan is refused."`
}

// Help is shown below the usage of the verb.
func (approveCmd) Help() string {
	return `Says that you looked at a plan and want it applied. The plan's history keeps who you are, when, and your comment. With
--approval different (docs/config.md) that has to be somebody else than the plan's creator, so the gateway must know who both
are: by a Rainbow token in GATEWAY_APPROVER_TOKEN (or in the variable of --token-env), by --as EMAIL, which asks for the Rainbow
password, or by what stands before the gateway's listener. A token only tells who you are: nothing is done with it, and it is
not kept.

Examples:
  gateway approve plan-20261122-101500-ab12cd --as bob@corp.example -m "as agreed on Tuesday"
  gateway plans approve plan-20261122-101500-ab12cd --hash 913c5231ac991ce5f83438e5263c4ae3`
}

// Run approves a plan.
func (c *approveCmd) Run(ctx context.Context, t *terminal) (err error) {
	c.tokenFirst = "GATEWAY_APPROVER_TOKEN"
	s, err := c.open(ctx, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
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

// awaitsApproval says that a plan waits for an approval, and whose; nil when it waits for none.
func awaitsApproval(t *terminal, plan *syncv1.Plan) error {
	if plan.GetAwaitingApproval() == "" {
		return nil
	}
	fmt.Fprintf(t.stderr, "gateway: waiting: unapproved: %s\nhint: gateway approve %s\n", plan.GetAwaitingApproval(), lastPart(plan.GetName()))
	return exitWaiting
}
