// Command gateway serves Rainbow's provisioning portals over gRPC and REST, and keeps companies in step with manifests.
//
// main.go parses and exits; each verb has a file of its own. The engine's verbs are clients of rainbow.sync.v1, either of
// a running gateway (--server) or of the same services inside this process (session.go).
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

	"github.com/alecthomas/kong"

	"github.com/rainbow-gateway/rainbow-gateway/internal/config"
)

// version is set when a release is built.
var version = "dev"

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// commandLine is every verb.
type commandLine struct {
	Serve    serveCmd    `cmd:"" help:"Serve Rainbow over gRPC and REST, and the sync engine."`
	Sandbox  sandboxCmd  `cmd:"" help:"Run the embedded Rainbow alone."`
	Validate validateCmd `cmd:"" help:"Check a manifest; no network, no state."`
	Plan     planCmd     `cmd:"" help:"Show what applying a manifest would do."`
	Apply    applyCmd    `cmd:"" help:"Apply a manifest or a saved plan."`
	Export   exportCmd   `cmd:"" help:"Write the recorded state as a manifest."`
	Refresh  refreshCmd  `cmd:"" help:"Record what Rainbow holds now."`
	Drift    driftCmd    `cmd:"" help:"Tell what others have changed since a manifest was applied."`
	Undo     undoCmd     `cmd:"" help:"Plan the inverse of a run."`
	Approve  approveCmd  `cmd:"" help:"Say that you looked at a plan and want it applied."`
	Plans    plansCmd    `cmd:"" help:"List, show, approve and delete saved plans."`
	Runs     runsCmd     `cmd:"" help:"List, show, resume and cancel runs."`
	Version  versionCmd  `cmd:"" help:"Say which version this is."`
}

const about = `Rainbow Gateway: Rainbow's provisioning portals over gRPC and REST, and telephony as a manifest.

Unless told otherwise, every verb talks to the embedded sandbox, so that a first look needs no account:

  gateway refresh
  gateway plan -f samples/rainbowvoice.csv
  gateway apply -f samples/rainbowvoice.csv

Exit codes: 0 done or nothing to do; 2 a plan has changes, or there is drift; 1 an error; 3 a run waits; 130 interrupted.`

// terminal is what a verb may read and write.
type terminal struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
}

// exit is an exit code as an error: the verb has said what there was to say.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// The exit codes of the contract.
const (
	exitError       exit = 1
	exitChanges     exit = 2
	exitWaiting     exit = 3
	exitInterrupted exit = 130
)

// run parses the command line and runs its verb; it returns the exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var cli commandLine
	code := -1
	options := append(config.Options(),
		kong.Name("gateway"), kong.Description(about), kong.Writers(stdout, stderr),
		kong.Exit(func(c int) { code = c }), kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 120}))
	parser, err := kong.New(&cli, options...)
	if err != nil {
		fmt.Fprintf(stderr, "gateway: %v\n", err)
		return int(exitError)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	kctx, err := parser.Parse(args)
	if code >= 0 { // --help was asked for and shown
		return code
	}
	if err != nil {
		fmt.Fprintf(stderr, "gateway: %v\nhint: gateway %s\n", err, usageHint(parser.Model.Children, args, err))
		return int(exitError)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	kctx.BindTo(ctx, (*context.Context)(nil))
	err = kctx.Run(&terminal{stdin: stdin, stdout: stdout, stderr: stderr, getenv: os.Getenv})
	var e exit
	switch {
	case err == nil:
		return 0
	case errors.As(err, &e):
		return int(e)
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "gateway: interrupted")
		return int(exitInterrupted)
	}
	complain(stderr, err)
	return int(exitError)
}

// usageHint is what to type instead of a command line that can't be read: the help of its verb, and -f where a manifest stands without.
func usageHint(verbs []*kong.Node, args []string, err error) string {
	stray, found := strings.CutPrefix(err.Error(), "unexpected argument ")
	if i := slices.Index(args, stray); found && i > 0 && slices.Contains([]string{"plan", "validate"}, args[0]) {
		return strings.Join(slices.Insert(slices.Clone(args), i, "-f"), " ") + "; manifests are named with -f"
	}
	return helpFor(verbs, args)
}

// helpFor gives the arguments that show the help of the verb that was meant; of the whole program when there is none.
func helpFor(verbs []*kong.Node, args []string) string {
	if len(args) > 0 {
		for _, v := range verbs {
			if v.Name == args[0] {
				return strings.TrimSpace(v.Name + " " + helpFor(v.Children, args[1:]))
			}
		}
	}
	return "--help"
}
