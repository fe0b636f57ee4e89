package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// measureConnections counts the connections that 64 callers make the gateway open once it is warm.
func measureConnections(ctx context.Context, opts options) error {
	stub, proxy, gateway, err := restContenders(ctx, opts)
	if err != nil {
		return err
	}
	defer func() { _, _, _ = gateway.stop(), proxy.stop(), stub.stop() }()
	head("Connections to upstream, 64 callers, 10,000 requests after warm-up")
	for _, p := range []*process{gateway, proxy} {
		callers, err := httpCallers(ctx, p.addr, 64)
		if err != nil {
			return err
		}
		if _, err := together(callers, 2000); err != nil {
			return err
		}
		before, err := connections(ctx, stub)
		if err != nil {
			return err
		}
		if _, err := together(callers, 10000); err != nil {
			return err
		}
		after, err := connections(ctx, stub)
		if err != nil {
			return err
		}
		fmt.Printf("| new ones by the %s | %d | ≤ 5 |\n", p.name, after-before)
	}
	fmt.Println()
	return nil
}

func connections(ctx context.Context, stub *process) (int, error) {
	text, err := get(ctx, "http://"+stub.admin+"/connections")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(text)
}

// streamCallers is how many move a file at the same time.
const streamCallers = 8

// measureStreams moves files of 100 MiB both ways.
func measureStreams(ctx context.Context, opts options) error {
	stub, proxy, gateway, err := restContenders(ctx, opts)
	if err != nil {
		return err
	}
	defer func() { _, _, _ = gateway.stop(), proxy.stop(), stub.stop() }()
	head(strconv.Itoa(streamCallers) + " streams of 100 MiB at once, gateway against reverse proxy")
	for _, way := range []struct {
		name string
		move func(ctx context.Context, addr string) error
	}{{"down", download}, {"up", upload}} {
		var speed, memory ratios
		for range opts.rounds {
			base, _, err := moveAll(ctx, proxy, way.move)
			if err != nil {
				return err
			}
			took, grown, err := moveAll(ctx, gateway, way.move)
			if err != nil {
				return err
			}
			speed = append(speed, base.Seconds()/took.Seconds())
			memory = append(memory, float64(grown)/streamCallers/(1<<20))
		}
		speed.print(way.name+": throughput", "≥ 0.8")
		memory.print(way.name+": memory per stream, MiB", "≤ 1")
	}
	fmt.Println()
	return nil
}

// moveAll moves streamCallers files through p and returns by how many bytes its memory was greater at the peak than
// before.
func moveAll(ctx context.Context, p *process, move func(context.Context, string) error) (took time.Duration, grown int64, err error) {
	before, err := p.resident()
	if err != nil {
		return 0, 0, err
	}
	done, peak := make(chan struct{}), make(chan int64)
	go func() {
		greatest := before
		for {
			if now, err := p.resident(); err == nil {
				greatest = max(greatest, now)
			}
			select {
			case <-done:
				peak <- greatest
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	start := time.Now()
	errs := make([]error, streamCallers)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = move(ctx, p.addr) })
	}
	wg.Wait()
	took = time.Since(start)
	close(done)
	return took, <-peak - before, errors.Join(errs...)
}

func download(ctx context.Context, addr string) error {
	return exchange(ctx, http.MethodGet, "http://"+addr+invoicePath, nil, blobSize)
}

func upload(ctx context.Context, addr string) error {
	return exchange(ctx, http.MethodPost, "http://"+addr+importPath, io.LimitReader(zeros{}, blobSize), int64(len(`{"data":{}}`)))
}

func exchange(ctx context.Context, method, url string, body io.Reader, want int64) error {
	r, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return err
	}
	if body != nil {
		r.ContentLength = blobSize
		r.Header.Set("Content-Type", "text/csv; charset=utf-8")
	}
	r.Header.Set("Authorization", "Bearer 5b7d0c0ffee")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	n, err := discard(resp.Body)
	if err == nil && (resp.StatusCode != http.StatusOK || n != want) {
		err = fmt.Errorf("%s %s: %s, %d bytes, want %d", method, url, resp.Status, n, want)
	}
	return err
}
