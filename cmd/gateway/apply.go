package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

type applyCmd struct {
	engineFlags
	planFlags
	Plan     string `arg:"" optional:"" help:"Name of a saved plan; without it, the manifest of -f is planned first."`
	Yes      bool   `short:"y" help:"Apply without asking; needed where there is no terminal to ask at."`
	runFlags `group:"Run"`
	outputFlag
	Report   string `placeholder:"FILE" help:"Write the manifest into this file with the columns action, result and message (several files, or YAML: a CSV of all entries)."`
	Override string `placeholder:"HASH" help:"Carry out what the plan holds back too: the plan's hash."`
	Stale    string `default:"refuse" enum:"refuse,drop,replan" help:"A saved plan that no longer fits: refuse (the run waits), drop (leave out what relies on what changed), replan (make a new plan). What differs is shown first."`

	secrets map[string]string
	stale   bool
}

// Help is shown below the usage of the verb.
func (applyCmd) Help() string {
	return `Applies a manifest: plans it, shows the plan, asks, and carries it out. Or applies a saved plan, just as it was shown; a plan
that creates users needs its manifest again (-f) for their passwords, which are stored nowhere.

Ctrl-C stops in an orderly way: calls in flight are finished, nothing is started; the run can be resumed. A second Ctrl-C
ends the program at once; resuming then looks up what became of the calls in flight.

A run that meets a busy or absent Rainbow waits for it (--wait-for-upstream) and goes on by itself.

Exit code 0: all done, 2: all done but what the plan holds back or is in doubt about, 1: something failed, 3: the run waits (stale plan, no approval, Rainbow out of reach), 130: interrupted.

Examples:
  gateway apply -f samples/rainbowvoice.csv
  gateway apply -f samples/rainbowvoice.csv --yes --report applied.csv
  gateway apply plan-20261122-101500-ab12cd -f samples/rainbowvoice.csv --yes`
}

// Run plans if need be, asks, and applies.
func (c *applyCmd) Run(ctx context.Context, t *terminal) (err error) {
	if err := c.check(t); err != nil {
		return err
	}
	var files []*syncv1.ManifestFile
	if len(c.Manifest.File) > 0 {
		if files, err = c.Manifest.read(t.stdin); err != nil {
			return err
		}
	}
	if c.secrets, err = c.Manifest.secrets(ctx, files); err != nil {
		return err
	}
	c.lockWait = c.Wait
	s, err := c.open(ctx, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	s.json = c.Output == "json"
	plan, err := c.plan(ctx, s, files)
	if err != nil {
		return err
	}
	if plan, err = c.freshen(ctx, t, s, plan); err != nil {
		return err
	}
	idle := plan.GetOperationCount() == 0
	if err := c.show(ctx, t, s, plan); err != nil {
		return err
	}
	if idle && c.Report == "" && !s.json {
		if err := c.putInForce(ctx, t, s, plan, files); err != nil || plan.GetDoubtCount() == 0 {
			return err
		}
		return c.left(t, plan, 0)
	}
	held := plan.GetHeldCount()
	if c.Override != "" {
		held = 0
	}
	if held == plan.GetOperationCount() && !idle {
		fmt.Fprintln(t.stderr, "gateway: "+heldHint(held, lastPart(plan.GetName()), plan.GetHash()))
		return exitChanges
	}
	if err := awaitsApproval(t, plan); err != nil {
		return err
	}
	if !c.Yes && !idle {
		if err := ask(t); err != nil {
			return err
		}
	}
	operation, err := c.start(ctx, s, plan, files)
	if err != nil {
		return err
	}
	s.files = c.Manifest.File
	if c.Report != "" {
		s.report = func(rows []*syncv1.RunRow) error { return writeReport(ctx, c.Report, rows, &c.Manifest, files) }
	}
	if err := s.follow(ctx, t, operation, plan.GetOperationCount()-held); err != nil || held+plan.GetDoubtCount() == 0 {
		return err
	}
	return c.left(t, plan, held)
}

// left says what a run that succeeded did not do, because its plan does not.
func (c *applyCmd) left(t *terminal, plan *syncv1.Plan, held int32) error {
	if held > 0 {
		fmt.Fprintln(t.stderr, "gateway: "+heldHint(held, lastPart(plan.GetName()), plan.GetHash()))
	}
	if n := plan.GetDoubtCount(); n > 0 {
		fmt.Fprintf(t.stderr, "gateway: %s in doubt and left alone\nhint: correct the manifest, or say who is who: --match COLUMN, --match-numbers always or never\n", entriesAre(n))
	}
	return exitChanges
}

func entriesAre(n int32) string {
	if n == 1 {
		return "1 entry is"
	}
	return fmt.Sprintf("%d entries are", n)
}

// check refuses what can't be asked about.
func (c *applyCmd) check(t *terminal) error {
	switch {
	case c.Plan == "" && len(c.Manifest.File) == 0 && len(c.Identity.Renumber) == 0:
		return errors.New("nothing to apply: name a saved plan, or a manifest with -f FILE")
	case strings.ContainsAny(c.Plan, "./\\") && !strings.HasPrefix(c.Plan, "companies/"):
		return fmt.Errorf("plan %q: no name of a plan, such as plan-20261122-101500-ab12cd; a manifest is named with -f FILE", c.Plan)
	case !c.Yes && slices.Contains(c.Manifest.File, "-"):
		return errors.New("the manifest comes from standard input, so there is nobody to ask: add --yes")
	case !c.Yes && !isTerminal(t.stdin):
		return errors.New("there is no terminal to ask at: add --yes to apply without asking, or use \"gateway plan\" to look first")
	}
	return c.checkReport()
}

// checkReport refuses to write the report over a manifest: it has no passwords.
func (c *applyCmd) checkReport() error {
	there, err := os.Stat(c.Report)
	if c.Report == "" || err != nil {
		return nil //nolint:nilerr // there is no such file yet
	}
	for _, name := range c.Manifest.File {
		if own, err := os.Stat(name); err == nil && os.SameFile(own, there) {
			return fmt.Errorf("report %s: it is the manifest itself, whose passwords would be lost: name another file", c.Report)
		}
	}
	return nil
}

// show shows the plan; of a saved one that is not asked about, what it comes to is enough.
func (c *applyCmd) show(ctx context.Context, t *terminal, s *session, plan *syncv1.Plan) error {
	out := t.stdout
	if c.Output == "json" { // the run alone is the output
		out = t.stderr
	}
	if c.Plan == "" || !c.Yes || c.stale && c.Stale == "replan" {
		return s.showPlan(ctx, out, plan.GetName(), "text")
	}
	_, err := fmt.Fprintln(out, plan.GetSummary())
	return err
}

// plan gives the saved plan, or makes one.
func (c *applyCmd) plan(ctx context.Context, s *session, files []*syncv1.ManifestFile) (*syncv1.Plan, error) {
	if c.Plan == "" {
		return s.createPlan(ctx, &c.planFlags, files)
	}
	return s.plans.GetPlan(ctx, &syncv1.GetPlanRequest{Name: s.resource("plans", c.Plan)})
}

// start applies the plan that was shown: its etag goes along.
func (c *applyCmd) start(ctx context.Context, s *session, plan *syncv1.Plan, files []*syncv1.ManifestFile) (*longrunningpb.Operation, error) {
	stream, err := s.runs.UploadApply(ctx)
	if err != nil {
		return nil, err
	}
	return upload(stream, files, envelope[syncv1.UploadApplyRequest]{
		request: &syncv1.UploadApplyRequest{Part: &syncv1.UploadApplyRequest_Request{Request: &syncv1.ApplyPlanRequest{
			Name: plan.GetName(), Etag: plan.GetEtag(), Parallel: c.Parallel, WaitForUpstream: c.patience(), UsersBy: c.usersBy(), Wait: c.wait(), Override: c.Override, Stale: c.dropping(), Delimiter: c.Manifest.Delimiter, Comment: c.Manifest.Comment,
			Variables: c.Manifest.Var, Secrets: c.secrets,
		}}},
		file: func(file *syncv1.ManifestFile) *syncv1.UploadApplyRequest {
			return &syncv1.UploadApplyRequest{Part: &syncv1.UploadApplyRequest_File{File: file}}
		},
		chunk: func(b []byte) *syncv1.UploadApplyRequest {
			return &syncv1.UploadApplyRequest{Part: &syncv1.UploadApplyRequest_Chunk{Chunk: b}}
		},
	})
}

// dropping is what the run does with what went stale: with replan, it is a plan made just now that is applied.
func (c *applyCmd) dropping() syncv1.StalePolicy {
	if c.Stale == "drop" {
		return syncv1.StalePolicy_STALE_POLICY_DROP
	}
	return syncv1.StalePolicy_STALE_POLICY_REFUSE
}

// ask asks whether to go on; anything but yes is no.
func ask(t *terminal) error {
	fmt.Fprint(t.stderr, "\nApply this plan? Only \"yes\" applies it: ")
	answer, err := bufio.NewReader(t.stdin).ReadString('\n')
	if strings.TrimSpace(answer) == "yes" {
		return nil
	}
	if err != nil {
		fmt.Fprintln(t.stderr)
	}
	fmt.Fprintln(t.stderr, "Not applied.")
	return exitError
}

// resource is the full name of a plan or run that the user may have given by its last part only.
func (s *session) resource(collection, name string) string {
	if strings.Contains(name, "/") {
		return name
	}
	return s.company + "/" + collection + "/" + name
}
