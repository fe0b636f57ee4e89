// Command prove runs the proofs of the sync engine at full size, each in several processes: the properties, of which go
// test draws a few hundred cases, the storms, and a run that is killed at every position of its journal.
//
//	prove [-cases 100000] [-storms 2000] [-kills=true] [-only REGEXP] [-seed N] [-jobs N]
//
// A property is a test of the packages below that calls rapid.Check. A case counts when it had something to show: a
// property says how many did ("cases met: N"), and is drawn from until there are enough. What is printed last is a line a
// property: cases met and drawn, processes, the seed of the first, and whether one failed; the same seed draws the same
// cases. It exits with 1 when one did.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "prove:", err)
		os.Exit(1)
	}
}

// options say what is proved.
type options struct {
	cases, storms int
	kills         bool
	only          *regexp.Regexp
	seed          uint64
	jobs          int
	folder        string
}

func run(ctx context.Context, args []string) error {
	var opts options
	only := ""
	flags := flag.NewFlagSet("prove", flag.ContinueOnError)
	flags.IntVar(&opts.cases, "cases", 100_000, "cases of each property that have something to show")
	flags.IntVar(&opts.storms, "storms", 2_000, "cases of the storms, which wait for most of their time")
	flags.BoolVar(&opts.kills, "kills", true, "kill a run at every position of its journal")
	flags.StringVar(&only, "only", "", "prove only what matches")
	flags.Uint64Var(&opts.seed, "seed", 0, "seed of the first case; 0: by the clock")
	flags.IntVar(&opts.jobs, "jobs", runtime.GOMAXPROCS(0), "processes at once; storms take four times as many")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var err error
	if opts.only, err = regexp.Compile(only); err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	if opts.cases < 1 || opts.storms < 1 || opts.jobs < 1 {
		return fmt.Errorf("-cases %d, -storms %d, -jobs %d: want 1 or more of each", opts.cases, opts.storms, opts.jobs)
	}
	if opts.seed == 0 {
		opts.seed = uint64(time.Now().UnixNano()) >> 20 << 20 // the seeds of processes and cases are counted up from it
	}
	if opts.folder, err = os.MkdirTemp("", "prove-"); err != nil {
		return err
	}
	defer os.RemoveAll(opts.folder)
	proofs, err := findProofs(ctx, opts)
	if err != nil {
		return err
	}
	for _, p := range proofs {
		if err := p.prove(ctx, opts); err != nil {
			return err
		}
		fmt.Fprintln(os.Stderr, p)
	}
	return report(os.Stdout, proofs)
}
