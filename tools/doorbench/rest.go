package main

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// measureREST reads the same page verbatim through the gateway and through the proxy.
func measureREST(ctx context.Context, opts options) error {
	stub, proxy, gateway, err := restContenders(ctx, opts)
	if err != nil {
		return err
	}
	defer func() { _, _, _ = gateway.stop(), proxy.stop(), stub.stop() }()
	head("REST, verbatim read of 2 KB, gateway against reverse proxy")
	for _, callers := range []int{16, 64} {
		speed, cpu, allocs, baseAllocs, err := raceREST(ctx, opts, callers, proxy, gateway)
		if err != nil {
			return err
		}
		at := strconv.Itoa(callers) + " callers: "
		speed.print(at+"requests a second", "≥ 0.85")
		cpu.print(at+"CPU per request of the process", "≤ 1.35")
		allocs.print(at+"allocations per request (count)", "≤ 120")
		baseAllocs.print(at+"allocations of the proxy (count)", "")
	}
	return latency(ctx, opts, stub, proxy, gateway)
}

func restContenders(ctx context.Context, opts options) (stub, proxy, gateway *process, err error) {
	if stub, err = startContender(ctx, "stub", ""); err != nil {
		return nil, nil, nil, err
	}
	if proxy, err = startContender(ctx, "proxy", "http://"+stub.addr); err != nil {
		return nil, nil, nil, err
	}
	gateway, err = startGateway(ctx, opts.gateway, "http://"+stub.addr)
	return stub, proxy, gateway, err
}

func raceREST(ctx context.Context, opts options, callers int, base, gateway *process) (speed, cpu, allocs, baseAllocs ratios, err error) {
	connect := func(p *process) ([]caller, error) { return httpCallers(ctx, p.addr, callers) }
	rounds, err := interleave(ctx, opts, connect, base, gateway)
	for _, round := range rounds {
		b, g := round[0], round[1]
		speed = append(speed, b.took.Seconds()/g.took.Seconds())
		cpu = append(cpu, g.cpu.Seconds()/b.cpu.Seconds())
		allocs = append(allocs, float64(g.mallocs)/float64(opts.requests))
		baseAllocs = append(baseAllocs, float64(b.mallocs)/float64(opts.requests))
	}
	return speed, cpu, allocs, baseAllocs, err
}

// interleave gives every process a turn in each round, after one turn each to warm up. Who begins alternates.
func interleave(ctx context.Context, opts options, connect func(*process) ([]caller, error), processes ...*process) ([][]turn, error) {
	callers := make([][]caller, len(processes))
	for i, p := range processes {
		var err error
		if callers[i], err = connect(p); err != nil {
			return nil, err
		}
		if _, err := load(ctx, p, callers[i], opts.requests/4+1); err != nil {
			return nil, err
		}
	}
	var rounds [][]turn
	for n := range opts.rounds {
		round := make([]turn, len(processes))
		for k := range processes {
			i := (k + n) % len(processes)
			var err error
			if round[i], err = load(ctx, processes[i], callers[i], opts.requests); err != nil {
				return nil, err
			}
		}
		rounds = append(rounds, round)
	}
	for _, group := range callers {
		for _, c := range group {
			c.close()
		}
	}
	return rounds, nil
}

func httpCallers(ctx context.Context, addr string, n int) ([]caller, error) {
	var callers []caller
	page := ddiPage()
	for range n {
		c, err := newHTTPCaller(ctx, addr, ddiPath+"?limit=100", page)
		if err != nil {
			return nil, err
		}
		callers = append(callers, c)
	}
	return callers, nil
}

// latency compares what proxy and gateway add for a caller alone.
func latency(ctx context.Context, opts options, stub, proxy, gateway *process) error {
	opts.requests = max(opts.requests/4, 1)
	connect := func(p *process) ([]caller, error) { return httpCallers(ctx, p.addr, 1) }
	rounds, err := interleave(ctx, opts, connect, stub, proxy, gateway)
	if err != nil {
		return err
	}
	var over, byProxy ratios
	for _, round := range rounds {
		over = append(over, micros(round[2].p50-round[1].p50))
		byProxy = append(byProxy, micros(round[1].p50-round[0].p50))
	}
	over.print("one caller: p50 beyond the proxy's, µs", "≤ 40")
	byProxy.print("one caller: p50 of the proxy beyond none, µs", "")
	fmt.Println()
	return nil
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
