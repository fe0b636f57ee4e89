// Command syncbench measures what the sync engine takes to plan and to record a large company, against the least that
// could do as much: a plain loop over the same file, encoding/csv merged in key order with a bbolt cursor.
//
//	syncbench [-users 100000] [-rounds 3] [-only plan,unchanged,preview,refresh,apply] [-operations 10000] [-workers 128]
//
// Each piece of work is a process of its own; rounds are interleaved, and what is printed are ratios of one round, the
// median of all of them. Time is processor time, so that a machine that is not idle widens the range a little and no
// more; the seconds of the preview and of the refresh are those of the clock. Memory is anonymous memory at its peak, the
// Go runtime's included and the mapped state file's not. It reads /proc, so it runs on Linux only. What it writes is in a
// temporary folder, about 1.5 KB a user, removed at the end.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "syncbench:", err)
		os.Exit(1)
	}
}

// options say what is measured, and how often.
type options struct {
	users  int
	rounds int
	only   string
	// operations are those of the plan that apply carries out, workers how many calls are in flight at most.
	operations, workers int
}

func run(ctx context.Context, args []string) error {
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		return work(ctx, args[0], args[1:])
	}
	var opts options
	flags := flag.NewFlagSet("syncbench", flag.ContinueOnError)
	flags.IntVar(&opts.users, "users", 100_000, "users of the company")
	flags.IntVar(&opts.rounds, "rounds", 3, "rounds; each piece of work has one turn in each")
	flags.StringVar(&opts.only, "only", "plan,unchanged,preview,refresh,apply", "what to measure")
	flags.IntVar(&opts.operations, "operations", 10_000, "operations that are applied, a call each")
	flags.IntVar(&opts.workers, "workers", 128, "calls in flight at most, of apply and of the bare loop")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if opts.users < 1 || opts.users > maxUsers || opts.rounds < 1 {
		return fmt.Errorf("-users: want 1 to %d; -rounds: want at least 1", maxUsers)
	}
	folder, err := os.MkdirTemp("", "syncbench-")
	if err != nil {
		return err
	}
	if opts.roles() != nil {
		err = measure(ctx, folder, opts)
	}
	if err == nil && strings.Contains(opts.only, "apply") {
		err = measureApply(ctx, folder, opts)
	}
	return errors.Join(err, os.RemoveAll(folder))
}

// measure makes the company and prints the table.
func measure(ctx context.Context, folder string, opts options) error {
	if err := writeManifests(folder, opts.users); err != nil {
		return err
	}
	if _, err := turn(ctx, "record", folder, opts.users); err != nil { // the state that all but refresh start from
		return err
	}
	if strings.Contains(opts.only, "unchanged") {
		if _, err := turn(ctx, "settle", folder, opts.users); err != nil {
			return err
		}
	}
	seen := map[string][]result{}
	for range opts.rounds {
		for _, role := range opts.roles() {
			r, err := turn(ctx, role, folder, opts.users)
			if err != nil {
				return err
			}
			seen[role] = append(seen[role], r)
		}
	}
	fmt.Printf("%s, %d cores, %s, %d users of whom 1 in 100 changes, %d rounds\n\n", cpuModel(), runtime.NumCPU(), runtime.Version(), opts.users, opts.rounds)
	printTable(seen, opts.users)
	return nil
}

// roles are the pieces of work of one round.
func (o options) roles() []string {
	var roles []string
	for _, part := range []struct {
		name  string
		roles []string
	}{
		{"plan", []string{"loop", "plan"}},
		{"unchanged", []string{"loop", "hash", "unchanged", "standing"}},
		{"preview", []string{"preview"}},
		{"refresh", []string{"upstream", "refresh", "upstream-whole", "refresh-whole"}},
	} {
		if strings.Contains(o.only, part.name) {
			roles = append(roles, part.roles...)
		}
	}
	slices.Sort(roles)
	return slices.Compact(roles)
}
