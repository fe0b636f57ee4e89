package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

type runsCmd struct {
	List   runsListCmd   `cmd:"" default:"withargs" help:"List runs, newest first."`
	Show   runsShowCmd   `cmd:"" help:"Show one run and what it could not do."`
	Watch  runsWatchCmd  `cmd:"" help:"Follow a run to its end."`
	Resume runsResumeCmd `cmd:"" help:"Take up a run that was paused or stopped."`
	Retry  runsRetryCmd  `cmd:"" help:"Do what a run did not do, as a new run."`
	Pause  runsPauseCmd  `cmd:"" help:"Make a run stand still; calls in flight are finished."`
	Cancel runsCancelCmd `cmd:"" help:"Stop a run; calls in flight are finished."`
	Delete runsDeleteCmd `cmd:"" help:"Forget a run, with its report and what it could be undone by."`
}

// Help is shown below the usage of the verb.
func (runsCmd) Help() string {
	return `A run is one application of a plan. Its record stays, so that it can be looked at and, when it was stopped, taken up again.

Examples:
  gateway runs
  gateway runs show run-20261122-101500-ab12cd`
}

type runsListCmd struct {
	engineFlags
	outputFlag
	In    []string `placeholder:"STATE" enum:"running,succeeded,failed,cancelled,interrupted,waiting" help:"Only runs in these states: running, succeeded, failed, cancelled, interrupted, waiting."`
	Plan  string   `placeholder:"NAME" help:"Only runs of this plan."`
	Actor string   `placeholder:"NAME" help:"Only runs that this one started."`
	Since moment   `placeholder:"TIME" help:"Only runs started since: a day, a time, or how long ago, such as 7d."`
	Until moment   `placeholder:"TIME" help:"Only runs started before."`
}

// Help is shown below the usage of the verb.
func (runsListCmd) Help() string {
	return `Shows each run with its state, how many of its operations are done, how many failed and how many the plan holds back, when it began,
and the plan it applies. Old runs are removed after a while (--keep-runs), but none of the last week that can be resumed, nor the one whose manifest is in force.

Examples:
  gateway runs list --server 127.0.0.1:9090
  gateway runs list --in failed,waiting --since 7d`
}

// Run lists the runs.
func (c *runsListCmd) Run(ctx context.Context, t *terminal) (err error) {
	s, err := c.open(ctx, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	runs, err := c.list(ctx, s)
	if err != nil {
		return err
	}
	if c.Output == "json" {
		return writeJSON(t.stdout, &syncv1.ListRunsResponse{Runs: runs})
	}
	out := tabwriter.NewWriter(t.stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(out, "RUN\tSTATE\tDONE\tFAILED\tHELD\tSTARTED\tBY\tPLAN")
	for _, r := range runs {
		fmt.Fprintf(out, "%s\t%s\t%d/%d\t%d\t%d\t%s\t%s\t%s\n", lastPart(r.GetName()), stateWord(r), r.GetCounts().GetDone(), r.GetCounts().GetTotal(),
			r.GetCounts().GetFailed(), r.GetCounts().GetHeld(), r.GetStartTime().AsTime().Local().Format(startedFormat), r.GetActor(), lastPart(r.GetPlan()))
	}
	return out.Flush()
}

// list reads all runs, page by page.
func (c *runsListCmd) list(ctx context.Context, s *session) ([]*syncv1.Run, error) {
	var all []*syncv1.Run
	request := &syncv1.ListRunsRequest{
		Parent: s.company, PageSize: 100, Plan: c.Plan, Actor: c.Actor, Since: c.Since.timestamp(), Until: c.Until.timestamp(),
	}
	for _, state := range c.In {
		request.States = append(request.States, syncv1.Run_State(syncv1.Run_State_value["STATE_"+strings.ToUpper(state)]))
	}
	for {
		page, err := s.runs.ListRuns(ctx, request)
		if err != nil {
			return nil, err
		}
		all = append(all, page.GetRuns()...)
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
			return all, nil
		}
	}
}

// startedFormat shows when a run began, in the zone of whoever reads it.
const startedFormat = "2006-01-02 15:04:05 MST"

func stateWord(r *syncv1.Run) string {
	switch r.GetHold().GetReason() {
	case syncv1.RunHold_REASON_PAUSED:
		return "paused"
	case syncv1.RunHold_REASON_THROTTLED:
		return "throttled"
	case syncv1.RunHold_REASON_UPSTREAM:
		return "waiting-for-upstream"
	}
	return strings.ToLower(strings.TrimPrefix(r.GetState().String(), "STATE_"))
}

type runsShowCmd struct {
	engineFlags
	Output string `short:"o" default:"text" enum:"text,json,csv" help:"text, json or csv."`
	Name   string `arg:"" name:"run" help:"Name of the run."`
}

// Help is shown below the usage of the verb.
func (runsShowCmd) Help() string {
	return `Shows how a run stands, and each operation that failed, was skipped, or whose outcome is not known, with the reason; then how
the entries of its manifest fared and what the run took. As csv, a line for every entry: file, line, login, action, result,
message, code, seconds. As json, the run with the entries as "rows".

Examples:
  gateway runs show run-20261122-101500-ab12cd
  gateway runs show run-20261122-101500-ab12cd -o csv > report.csv`
}

// Run shows one run.
func (c *runsShowCmd) Run(ctx context.Context, t *terminal) (err error) {
	s, err := c.open(ctx, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	run, err := s.runs.GetRun(ctx, &syncv1.GetRunRequest{Name: s.resource("runs", c.Name)})
	if err != nil {
		return err
	}
	rows, err := s.rows(ctx, run.GetName())
	if status.Code(err) == codes.FailedPrecondition && c.Output != "csv" { // its plan is gone
		rows, err = nil, nil
	}
	if err != nil {
		return err
	}
	switch c.Output {
	case "json":
		return writeRun(t.stdout, run, rows)
	case "csv":
		return writeRows(t.stdout, rows)
	}
	return s.showRun(ctx, t, run, rows)
}

func (s *session) showRun(ctx context.Context, t *terminal, run *syncv1.Run, rows []*syncv1.RunRow) error {
	trouble, err := s.trouble(ctx, run.GetName())
	if err != nil {
		return err
	}
	fmt.Fprintf(t.stdout, "Run of plan %s by %s: %s.\n", lastPart(run.GetPlan()), run.GetActor(), stateWord(run))
	for _, line := range []string{run.GetMessage(), run.GetHold().GetMessage()} {
		if line != "" {
			fmt.Fprintln(t.stdout, line)
		}
	}
	if run.GetRetryOf() != "" {
		fmt.Fprintf(t.stdout, "It does what run %s did not do.\n", lastPart(run.GetRetryOf()))
	}
	report(t.stdout, &ending{run, trouble})
	entries(t.stdout, rows)
	figures(t.stdout, run, rows, true)
	return nil
}

type runsResumeCmd struct {
	engineFlags
	Manifest manifestFlags `embed:""`
	Name     string        `arg:"" name:"run" help:"Name of the run."`
	runFlags `group:"Run"`
}

// Help is shown below the usage of the verb.
func (runsResumeCmd) Help() string {
	return `Makes a paused run go on. Or goes on where a run stopped: what is done stays done, what was begun is looked up first, what failed is tried again. Operations
that send a password need the manifest again (-f); without it they are reported and the rest goes on. Ctrl-C and exit codes
are those of "gateway apply".

Example:
  gateway runs resume run-20261122-101500-ab12cd -f samples/rainbowvoice.csv`
}

// Run resumes a run and follows it.
func (c *runsResumeCmd) Run(ctx context.Context, t *terminal) (err error) {
	var files []*syncv1.ManifestFile
	if len(c.Manifest.File) > 0 {
		if files, err = c.Manifest.read(t.stdin); err != nil {
			return err
		}
	}
	secrets, err := c.Manifest.secrets(ctx, files)
	if err != nil {
		return err
	}
	c.lockWait = c.Wait
	s, err := c.open(ctx, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	name := s.resource("runs", c.Name)
	run, err := s.runs.GetRun(ctx, &syncv1.GetRunRequest{Name: name})
	if err != nil {
		return err
	}
	if run.GetState() == syncv1.Run_STATE_SUCCEEDED {
		_, err := fmt.Fprintf(t.stdout, "Run %s has nothing left to do: it succeeded.\n", lastPart(run.GetName()))
		return err
	}
	stream, err := s.runs.UploadResume(ctx)
	if err != nil {
		return err
	}
	operation, err := upload(stream, files, envelope[syncv1.UploadResumeRequest]{
		request: &syncv1.UploadResumeRequest{Part: &syncv1.UploadResumeRequest_Request{Request: &syncv1.ResumeRunRequest{
			Name: name, Parallel: c.Parallel, WaitForUpstream: c.patience(), UsersBy: c.usersBy(), Wait: c.wait(), Delimiter: c.Manifest.Delimiter, Comment: c.Manifest.Comment,
			Variables: c.Manifest.Var, Secrets: secrets,
		}}},
		file: func(file *syncv1.ManifestFile) *syncv1.UploadResumeRequest {
			return &syncv1.UploadResumeRequest{Part: &syncv1.UploadResumeRequest_File{File: file}}
		},
		chunk: func(b []byte) *syncv1.UploadResumeRequest {
			return &syncv1.UploadResumeRequest{Part: &syncv1.UploadResumeRequest_Chunk{Chunk: b}}
		},
	})
	if err != nil {
		return err
	}
	s.files = c.Manifest.File
	return s.follow(ctx, t, operation, run.GetCounts().GetTotal())
}

type runsRetryCmd struct {
	engineFlags
	Manifest manifestFlags `embed:""`
	Name     string        `arg:"" name:"run" help:"Name of the run."`
	runFlags `group:"Run"`
}

// Help is shown below the usage of the verb.
func (runsRetryCmd) Help() string {
	return `Starts a new run of what an earlier one did not do: what failed, was skipped or not started. The plan is the same, and what it
relies on is read again first. Operations that send a password need the manifest again (-f). "runs resume" does the like
within the same run, and looks up first what has no known outcome. Ctrl-C and exit codes are those of "gateway apply".

Example:
  gateway runs retry run-20261122-101500-ab12cd -f samples/rainbowvoice.csv`
}

// Run starts the new run and follows it.
func (c *runsRetryCmd) Run(ctx context.Context, t *terminal) (err error) {
	var files []*syncv1.ManifestFile
	if len(c.Manifest.File) > 0 {
		if files, err = c.Manifest.read(t.stdin); err != nil {
			return err
		}
	}
	secrets, err := c.Manifest.secrets(ctx, files)
	if err != nil {
		return err
	}
	c.lockWait = c.Wait
	s, err := c.open(ctx, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	stream, err := s.runs.UploadRetry(ctx)
	if err != nil {
		return err
	}
	operation, err := upload(stream, files, envelope[syncv1.UploadRetryRequest]{
		request: &syncv1.UploadRetryRequest{Part: &syncv1.UploadRetryRequest_Request{Request: &syncv1.RetryRunRequest{
			Name: s.resource("runs", c.Name), Parallel: c.Parallel, WaitForUpstream: c.patience(), UsersBy: c.usersBy(), Wait: c.wait(),
			Delimiter: c.Manifest.Delimiter, Comment: c.Manifest.Comment, Variables: c.Manifest.Var, Secrets: secrets,
		}}},
		file: func(file *syncv1.ManifestFile) *syncv1.UploadRetryRequest {
			return &syncv1.UploadRetryRequest{Part: &syncv1.UploadRetryRequest_File{File: file}}
		},
		chunk: func(b []byte) *syncv1.UploadRetryRequest {
			return &syncv1.UploadRetryRequest{Part: &syncv1.UploadRetryRequest_Chunk{Chunk: b}}
		},
	})
	if err != nil {
		return err
	}
	s.files = c.Manifest.File
	var run syncv1.Run
	if err := operation.GetMetadata().UnmarshalTo(&run); err != nil {
		return fmt.Errorf("answer to retry: %w", err)
	}
	return s.follow(ctx, t, operation, run.GetCounts().GetTotal())
}

type runsPauseCmd struct {
	engineFlags
	Name string `arg:"" name:"run" help:"Name of the run."`
}

// Help is shown below the usage of the verb.
func (runsPauseCmd) Help() string {
	return `Makes a run of a gateway stand still: calls in flight are finished, nothing is started. It keeps its place, and the passwords of
its manifest; "runs resume" makes it go on, "runs cancel" ends it.

Example:
  gateway runs pause run-20261122-101500-ab12cd --server 127.0.0.1:9090`
}

// Run asks a run to stand still.
func (c *runsPauseCmd) Run(ctx context.Context, t *terminal) (err error) {
	s, err := c.open(ctx, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	run, err := s.runs.PauseRun(ctx, &syncv1.PauseRunRequest{Name: s.resource("runs", c.Name)})
	if err == nil {
		fmt.Fprintf(t.stdout, "Run %s stands still once the calls in flight are finished.\n", lastPart(run.GetName()))
	}
	return err
}

type runsCancelCmd struct {
	engineFlags
	Name string `arg:"" name:"run" help:"Name of the run."`
}

// Help is shown below the usage of the verb.
func (runsCancelCmd) Help() string {
	return `Stops a run in an orderly way: calls in flight are finished, nothing is started. It can be taken up again with "runs resume".

Example:
  gateway runs cancel run-20261122-101500-ab12cd --server 127.0.0.1:9090`
}

// Run asks a run to stop.
func (c *runsCancelCmd) Run(ctx context.Context, t *terminal) (err error) {
	s, err := c.open(ctx, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	run, err := s.runs.CancelRun(ctx, &syncv1.CancelRunRequest{Name: s.resource("runs", c.Name)})
	if err == nil {
		fmt.Fprintf(t.stdout, "Run %s stops once the calls in flight are finished.\n", lastPart(run.GetName()))
	}
	return err
}
