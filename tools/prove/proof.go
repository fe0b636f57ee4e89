package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// proof is one test that is run at full size.
type proof struct {
	name, folder, binary string

	drawn, met, processes int
	seed                  uint64
	took                  time.Duration
	failures              []string
}

// slice is the part of a proof that one process does.
type slice struct {
	args []string
	seed uint64
}

// The cases of one process, which begins with a seed of its own: rapid counts it up by one more for each case, so that
// the seeds of a process stay far below those of the next. Fewer than the least may be too few to meet all that a property
// wants to have met.
const (
	least, most = 1_000, 5_000
	stormCases  = 50
	seedStep    = 1 << 32
)

// prove runs the proof in slices until enough cases had something to show, or one failed.
func (p *proof) prove(ctx context.Context, opts options) error {
	began := time.Now()
	defer func() { p.took = time.Since(began) }()
	p.seed = opts.seed
	switch p.name {
	case killProof:
		return p.all(ctx, p.shards(opts.jobs), opts.jobs, math.MaxInt)
	case stormProof:
		return p.draw(ctx, opts.storms, 4*opts.jobs, stormCases, stormCases)
	}
	return p.draw(ctx, opts.cases, opts.jobs, least, most)
}

// shards divide the kills.
func (p *proof) shards(of int) []slice {
	var all []slice
	for i := range of {
		all = append(all, slice{args: []string{"-kills", "0", "-shard", fmt.Sprintf("%d/%d", i, of)}})
	}
	return all
}

// draw runs slices of cases, so many at once and each of so many cases, until as many as wanted had something to show.
func (p *proof) draw(ctx context.Context, want, jobs, least, most int) error {
	next := p.seed
	for p.met < want && len(p.failures) == 0 {
		missing := want - p.met
		if p.met > 0 { // most cases of a round may have nothing to show
			missing = missing*p.drawn/p.met + 1
		}
		size := max(least, min(most, (missing+jobs-1)/jobs))
		var slices []slice
		for n := missing; n > 0; n -= size {
			slices = append(slices, slice{seed: next, args: []string{
				"-rapid.checks=" + strconv.Itoa(max(least, min(n, size))), "-rapid.seed=" + strconv.FormatUint(next, 10), "-rapid.nofailfile",
			}})
			next += seedStep
		}
		before := p.met
		if err := p.all(ctx, slices, jobs, want); err != nil {
			return err
		}
		if p.met == before && len(p.failures) == 0 {
			p.failures = append(p.failures, "no case had anything to show")
		}
	}
	return nil
}

// all runs slices, so many at once, and takes in what they print, until as many cases as wanted had something to show: a case
// of some properties shows several.
func (p *proof) all(ctx context.Context, slices []slice, jobs, want int) error {
	var mu sync.Mutex
	var group sync.WaitGroup
	room := make(chan struct{}, jobs)
	for _, s := range slices {
		room <- struct{}{}
		mu.Lock()
		over := len(p.failures) > 0 || p.met >= want
		mu.Unlock()
		if over || ctx.Err() != nil {
			break
		}
		group.Go(func() {
			defer func() { <-room }()
			out, err := p.process(ctx, s)
			mu.Lock()
			defer mu.Unlock()
			p.take(s, out, err)
		})
	}
	group.Wait()
	return ctx.Err()
}

func (p *proof) process(ctx context.Context, s slice) ([]byte, error) {
	args := append([]string{"-test.run", "^" + p.name + "$", "-test.v", "-test.timeout", "0"}, s.args...)
	process := exec.CommandContext(ctx, p.binary, args...)
	process.Dir = p.folder                         // as go test does
	process.Env = append(os.Environ(), "GOGC=400") // cases leave little behind, and much of it at once
	return process.CombinedOutput()
}

var (
	passedCases = regexp.MustCompile(`\[rapid\] OK, passed (\d+) tests`)
	metCases    = regexp.MustCompile(`cases met: (\d+)`)
	killedRuns  = regexp.MustCompile(`positions, killed at (\d+) of them`)
	drawLine    = regexp.MustCompile(`(?m)^.*\[rapid\] draw .*\n`)
)

// take adds up what a process printed.
func (p *proof) take(s slice, out []byte, err error) {
	p.processes++
	var exit *exec.ExitError
	switch {
	case err != nil && !errors.As(err, &exit):
		p.failures = append(p.failures, err.Error())
		return
	case err != nil:
		p.failures = append(p.failures, fmt.Sprintf("seed %d:\n%s", s.seed, bytes.TrimSpace(drawLine.ReplaceAll(out, nil))))
	}
	drawn, met := sum(passedCases, out), sum(metCases, out)
	if n := sum(killedRuns, out); n > 0 {
		drawn, met = n, n
	}
	if !metCases.Match(out) {
		met = drawn // each has something to show
	}
	p.drawn += drawn
	p.met += met
}

func sum(number *regexp.Regexp, in []byte) (total int) {
	for _, found := range number.FindAllSubmatch(in, -1) {
		n, _ := strconv.Atoi(string(found[1]))
		total += n
	}
	return total
}

// report prints a line a proof, and why those failed that did.
func report(to *os.File, proofs []*proof) error {
	failed := 0
	for _, p := range proofs {
		for _, why := range p.failures {
			fmt.Fprintf(to, "%s in %s failed, %s\n\n", p.name, p.folder, why)
		}
	}
	fmt.Fprintln(to, heading)
	for _, p := range proofs {
		fmt.Fprintln(to, p)
		if len(p.failures) > 0 {
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d proofs failed", failed, len(proofs))
	}
	return nil
}

const heading = "result         met     drawn  processes                 seed     time  proof"

// String is the line of the proof in the report.
func (p *proof) String() string {
	result := "proved"
	if len(p.failures) > 0 {
		result = "FAILED"
	}
	return fmt.Sprintf("%-8s %9d %9d %10d %20d %8s  %s %s", result, p.met, p.drawn, p.processes, p.seed, p.took.Round(time.Second), strings.TrimPrefix(filepath.ToSlash(p.folder), "internal/"), p.name)
}
