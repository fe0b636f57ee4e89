package main

import (
	"fmt"
	"io"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"google.golang.org/protobuf/types/known/timestamppb"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

// progress shows how far long work is: a bar on a terminal, a plain line now and then elsewhere.
type progress struct {
	w     io.Writer
	total int64
	// bars is nil where there is no terminal.
	bars *mpb.Progress
	bar  *mpb.Bar
	said time.Time
	held syncv1.RunHold_Reason
}

// sayEvery is how often a plain line is written.
const sayEvery = 2 * time.Second

// newProgress starts to show work of a known size.
func newProgress(w io.Writer, total int) *progress {
	p := &progress{w: w, total: int64(total), said: time.Now()}
	if isTerminal(w) {
		p.bars = mpb.New(mpb.WithOutput(w), mpb.WithWidth(40))
		p.bar = p.bars.AddBar(p.total,
			mpb.PrependDecorators(decor.Name("applying "), decor.CountersNoUnit("%d/%d")),
			mpb.AppendDecorators(decor.Percentage(), decor.Name(" "), decor.Elapsed(decor.ET_STYLE_GO)))
	}
	return p
}

// set shows the counts of a run.
func (p *progress) set(counts *syncv1.RunCounts) {
	ended := int64(counts.GetDone() + counts.GetFailed() + counts.GetSkipped())
	if p.bar != nil {
		p.bar.SetCurrent(ended)
		return
	}
	if time.Since(p.said) >= sayEvery {
		p.said = time.Now()
		fmt.Fprintf(p.w, "%d of %d operations ended, %d failed\n", ended, p.total, counts.GetFailed())
	}
}

// hold tells when the run begins to stand still, and when it goes on.
func (p *progress) hold(h *syncv1.RunHold) {
	if h.GetReason() == p.held {
		return
	}
	p.held = h.GetReason()
	local := func(t *timestamppb.Timestamp) string { return t.AsTime().Local().Format("15:04:05") }
	switch p.held {
	case syncv1.RunHold_REASON_UPSTREAM:
		p.say(fmt.Sprintf("Waiting for Rainbow since %s (%s); it is tried again from %s on, until %s.", local(h.GetSince()), h.GetMessage(), local(h.GetNext()), local(h.GetUntil())))
	case syncv1.RunHold_REASON_THROTTLED:
		p.say("Rainbow wants no calls before " + local(h.GetNext()) + "; the run waits.")
	case syncv1.RunHold_REASON_PAUSED:
		p.say("Paused; \"gateway runs resume\" makes it go on.")
	default:
		p.say("The run goes on.")
	}
}

// say writes a line above the bar, over what the terminal echoed of Ctrl-C.
func (p *progress) say(line string) {
	if p.bars != nil {
		fmt.Fprintf(p.bars, "\r%s\n", line)
		return
	}
	fmt.Fprintln(p.w, line)
}

// close leaves the terminal as it was.
func (p *progress) close() {
	if p.bar == nil {
		return
	}
	if !p.bar.Completed() {
		p.bar.Abort(false)
	}
	p.bars.Wait()
}
