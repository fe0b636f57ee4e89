// Command doorbench measures what the gateway's doors cost against the least that could stand in their place: for REST
// a tuned httputil.ReverseProxy, for gRPC a server that makes the same call with net/http and protojson. Every
// contender is a process of its own, with the same stub of Rainbow behind it; rounds are interleaved, and what is
// printed are ratios of one run, each the median of its rounds.
//
//	doorbench -gateway bin/gateway [-rounds 7] [-requests 20000] [-only rest,grpc,connections,streams]
//
// CPU is read from /proc, so it runs on Linux only. Everything is on loopback and ends by itself.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "doorbench:", err)
		os.Exit(1)
	}
}

// options say what is measured, and how long.
type options struct {
	gateway  string
	rounds   int
	requests int
	only     string
}

func run(ctx context.Context, args []string) error {
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		return serveContender(ctx, args[0], args[1:])
	}
	var opts options
	flags := flag.NewFlagSet("doorbench", flag.ContinueOnError)
	flags.StringVar(&opts.gateway, "gateway", "bin/gateway", "the gateway to measure")
	flags.IntVar(&opts.rounds, "rounds", 7, "rounds; each contender has one turn in each")
	flags.IntVar(&opts.requests, "requests", 20000, "requests of one turn")
	flags.StringVar(&opts.only, "only", "rest,grpc,connections,streams", "what to measure")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if opts.rounds < 1 || opts.requests < 1 {
		return errors.New("-rounds and -requests: want at least 1")
	}
	fmt.Printf("%s, %d cores, %s, %d rounds of %d requests\n\n", cpuModel(), runtime.NumCPU(), runtime.Version(), opts.rounds, opts.requests)
	for _, part := range []struct {
		name    string
		measure func(context.Context, options) error
	}{
		{"rest", measureREST},
		{"grpc", measureGRPC},
		{"connections", measureConnections},
		{"streams", measureStreams},
	} {
		if !strings.Contains(opts.only, part.name) {
			continue
		}
		if err := part.measure(ctx, opts); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}
