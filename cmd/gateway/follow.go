package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

// follow watches a run to its end, shows its progress and what failed, and gives the exit code. When ctx ends, which the
// first Ctrl-C does, the run is asked to stop; a second one ends the program.
func (s *session) follow(ctx context.Context, t *terminal, operation *longrunningpb.Operation, total int32) error {
	var run syncv1.Run
	if err := operation.GetMetadata().UnmarshalTo(&run); err != nil {
		return fmt.Errorf("answer to apply: %w", err)
	}
	bar := newProgress(t.stderr, int(total))
	done := make(chan struct{})
	defer close(done)
	go s.stopOnInterrupt(ctx, bar, run.GetName(), done)

	last, err := s.watch(context.WithoutCancel(ctx), run.GetName(), bar)
	bar.close()
	if err != nil {
		complain(t.stderr, err)
		fmt.Fprintf(t.stderr, "hint: the run goes on, or can be resumed: gateway runs show %[1]s; %[2]s\n", lastPart(run.GetName()), s.resume(run.GetName()))
		return exitError
	}
	if err := s.tell(context.WithoutCancel(ctx), t, last); err != nil {
		complain(t.stderr, err)
	}
	return s.conclude(t, last)
}

// tell shows how a run ended, with the report of its entries.
func (s *session) tell(ctx context.Context, t *terminal, e *ending) error {
	rows, err := s.rows(ctx, e.run.GetName())
	if s.json {
		err = errors.Join(err, writeRun(t.stdout, e.run, rows))
	} else {
		entries(t.stdout, rows)
		figures(t.stdout, e.run, rows, false)
		report(t.stdout, e)
	}
	if err == nil && s.report != nil {
		err = s.report(rows)
	}
	return err
}

// stopOnInterrupt asks the run to stop when ctx ends, and ends the program on the next signal.
func (s *session) stopOnInterrupt(ctx context.Context, bar *progress, name string, done <-chan struct{}) {
	select {
	case <-done:
		return
	case <-ctx.Done():
	}
	again := make(chan os.Signal, 1)
	signal.Notify(again, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(again)
	bar.say("Stopping: calls in flight are finished. Ctrl-C again ends at once; then: " + s.resume(name))
	if _, err := s.runs.CancelRun(context.WithoutCancel(ctx), &syncv1.CancelRunRequest{Name: name}); err != nil && status.Code(err) != codes.FailedPrecondition {
		bar.say(fmt.Sprintf("gateway: run %s could not be asked to stop: %s", lastPart(name), status.Convert(err).Message()))
	}
	select {
	case <-done:
	case <-again:
		fmt.Fprintf(bar.w, "\nEnded at once. To go on: %s\n", s.resume(name)) // not above the bar: it would never be drawn
		os.Exit(int(exitInterrupted))
	}
}

// ending is how a run ended, with the outcomes worth showing.
type ending struct {
	run     *syncv1.Run
	trouble []*syncv1.RunOutcome
}

// watch follows the run's events to its end. A stream that breaks off is taken up again: it shows the present state first.
func (s *session) watch(ctx context.Context, name string, bar *progress) (*ending, error) {
	const patience = 5
	for broken := 0; ; broken++ {
		stream, err := s.runs.WatchRun(ctx, &syncv1.WatchRunRequest{Name: name})
		if err != nil {
			return nil, err
		}
		for {
			event, err := stream.Recv()
			if err == nil {
				broken = 0
				bar.set(event.GetRun().GetCounts())
				bar.hold(event.GetRun().GetHold())
				continue
			}
			if !errors.Is(err, io.EOF) && (status.Code(err) != codes.Unavailable || broken == patience) {
				return nil, err
			}
			break
		}
		run, err := s.runs.GetRun(ctx, &syncv1.GetRunRequest{Name: name})
		if err != nil && broken == patience {
			return nil, err
		}
		if err == nil && run.GetState() != syncv1.Run_STATE_RUNNING {
			trouble, err := s.trouble(ctx, name)
			return &ending{run, trouble}, err
		}
		time.Sleep(time.Duration(broken) * 200 * time.Millisecond)
	}
}

// trouble lists a run's outcomes that are not done.
func (s *session) trouble(ctx context.Context, name string) ([]*syncv1.RunOutcome, error) {
	var all []*syncv1.RunOutcome
	request := &syncv1.ListRunOutcomesRequest{Parent: name, PageSize: 1000, Statuses: []syncv1.RunOutcome_Status{
		syncv1.RunOutcome_STATUS_FAILED, syncv1.RunOutcome_STATUS_SKIPPED, syncv1.RunOutcome_STATUS_UNKNOWN,
	}}
	for {
		page, err := s.runs.ListRunOutcomes(ctx, request)
		if err != nil {
			return nil, err
		}
		all = append(all, page.GetOutcomes()...)
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
			return all, nil
		}
	}
}

// report writes what a run did and what it did not.
func report(w io.Writer, e *ending) {
	writeTrouble(w, e)
	counts := e.run.GetCounts()
	var parts []string
	for _, p := range []struct {
		n    int32
		word string
	}{{counts.GetDone(), "done"}, {counts.GetFailed(), "failed"}, {counts.GetSkipped(), "skipped"}, {counts.GetHeld(), "held back"}, {counts.GetNotDone(), "not started"}, {counts.GetUnknown(), "of unknown outcome"}} {
		if p.n > 0 || p.word == "done" {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.word))
		}
	}
	stranded(w, e.run)
	fmt.Fprintf(w, "Run %s: %s, of %d, %s.\n", lastPart(e.run.GetName()), strings.Join(parts, ", "), counts.GetTotal(), runTime(e.run))
}

// runTime says how long a run took, or when one began that goes on.
func runTime(run *syncv1.Run) string {
	start := run.GetStartTime().AsTime()
	if run.GetEndTime() == nil {
		return "since " + start.Local().Format(startedFormat)
	}
	return "in " + run.GetEndTime().AsTime().Sub(start).Round(10*time.Millisecond).String()
}

// strandedShown is how many users without a number are named.
const strandedShown = 10

// stranded names the users whom a run left without a number.
func stranded(w io.Writer, run *syncv1.Run) {
	n := int(run.GetStrandedCount())
	if n == 0 {
		return
	}
	shown := run.GetStranded()[:min(len(run.GetStranded()), strandedShown)]
	more := ""
	if n > len(shown) {
		more = fmt.Sprintf(" and %d more", n-len(shown))
	}
	fmt.Fprintf(w, "! %s left without a number, until the run goes on or is undone: %s%s.\n", isAre(n, "user"), strings.Join(shown, ", "), more)
}

// isAre counts things in front of a participle: "1 user is", "2 users are".
func isAre(n int, thing string) string {
	if n == 1 {
		return "1 " + thing + " is"
	}
	return fmt.Sprintf("%d %ss are", n, thing)
}

func at(op *syncv1.PlanOperation) string {
	if len(op.GetPositions()) == 0 {
		return ""
	}
	p := op.GetPositions()[0]
	return fmt.Sprintf(" (%s:%d)", p.GetFile(), p.GetLine())
}

// conclude turns the end of a run into an exit code, with a hint at what to do.
func (s *session) conclude(t *terminal, e *ending) error {
	if len(s.files) == 0 && e.needsManifest() {
		s.files = []string{"FILE"}
	}
	resume := "hint: " + s.resume(e.run.GetName())
	switch e.run.GetState() {
	case syncv1.Run_STATE_SUCCEEDED:
		return nil
	case syncv1.Run_STATE_CANCELLED, syncv1.Run_STATE_INTERRUPTED:
		fmt.Fprintf(t.stderr, "gateway: stopped; what was begun is finished, the rest is not started\n%s\n", resume)
		return exitInterrupted
	case syncv1.Run_STATE_WAITING:
		fmt.Fprintf(t.stderr, "gateway: the run waits: %s\n", e.run.GetMessage())
		if strings.Contains(e.run.GetMessage(), "stale") {
			resume = fmt.Sprintf("hint: gateway apply %s --stale replan makes a new plan and shows how it differs; --stale drop leaves out what relies on what changed", lastPart(e.run.GetPlan()))
		}
		fmt.Fprintln(t.stderr, resume)
		return exitWaiting
	}
	fmt.Fprintf(t.stderr, "gateway: not everything could be done; to try the rest again:\n%s\n", resume)
	return exitError
}

// resume is the command that takes the run up again, with the manifest whose passwords it may need.
func (s *session) resume(name string) string {
	command := "gateway runs resume " + lastPart(name)
	for _, file := range s.files {
		if strings.ContainsAny(file, " \t'\"$&();|<>*?\\") {
			file = "'" + strings.ReplaceAll(file, "'", `'\''`) + "'"
		}
		command += " -f " + file
	}
	return command
}

// needsManifest tells whether operations were left out because their passwords stand in a manifest that was not given.
func (e *ending) needsManifest() bool {
	return slices.ContainsFunc(e.trouble, func(o *syncv1.RunOutcome) bool {
		return strings.HasPrefix(o.GetMessage(), "needs the manifest")
	})
}

func lastPart(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
