package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// turn is one contender's part of one round.
type turn struct {
	took    time.Duration
	cpu     time.Duration
	mallocs int64
	p50     time.Duration
}

// caller makes one call after the other.
type caller interface {
	call() error
	close()
}

// load lets callers make requests against p until all are done, and reads what they cost it.
func load(ctx context.Context, p *process, callers []caller, requests int) (turn, error) {
	mallocs, err := p.mallocs(ctx)
	if err != nil {
		return turn{}, err
	}
	cpu, err := p.cpu()
	if err != nil {
		return turn{}, err
	}
	start := time.Now()
	times, err := together(callers, requests)
	t := turn{took: time.Since(start)}
	if err != nil {
		return t, fmt.Errorf("%s: %w", p.name, err)
	}
	after, err1 := p.cpu()
	allocated, err2 := p.mallocs(ctx)
	slices.Sort(times)
	t.cpu, t.mallocs, t.p50 = after-cpu, allocated-mallocs, times[len(times)/2]
	return t, errors.Join(err1, err2)
}

// together shares requests out among callers and returns how long each took.
func together(callers []caller, requests int) ([]time.Duration, error) {
	var next atomic.Int64
	times := make([][]time.Duration, len(callers))
	errs := make([]error, len(callers))
	var wg sync.WaitGroup
	for i, c := range callers {
		wg.Go(func() {
			times[i] = make([]time.Duration, 0, requests/len(callers)+1)
			for next.Add(1) <= int64(requests) && errs[i] == nil {
				start := time.Now()
				errs[i] = c.call()
				times[i] = append(times[i], time.Since(start))
			}
		})
	}
	wg.Wait()
	return slices.Concat(times...), errors.Join(errs...)
}

// httpCaller is one connection of keep-alive HTTP/1.1 that costs the machine next to nothing, so that what is measured
// is the contender.
type httpCaller struct {
	conn    net.Conn
	reader  *bufio.Reader
	request []byte
	want    []byte
}

// newHTTPCaller connects to addr for GETs of target whose answer is want.
func newHTTPCaller(ctx context.Context, addr, target string, want []byte) (*httpCaller, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &httpCaller{conn: conn, reader: bufio.NewReaderSize(conn, 16<<10), want: want, request: []byte("GET " + target + " HTTP/1.1\r\nHost: " + addr +
		"\r\nAuthorization: Bearer 5b7d0c0ffee\r\nAccept: application/json\r\nAccept-Encoding: gzip\r\nUser-Agent: doorbench\r\n\r\n")}, nil
}

func (c *httpCaller) close() { _ = c.conn.Close() }

func (c *httpCaller) call() error {
	if _, err := c.conn.Write(c.request); err != nil {
		return err
	}
	line, err := c.reader.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("answered %q", line)
	}
	length := -1
	for {
		if line, err = c.reader.ReadSlice('\n'); err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		if name, value, _ := strings.Cut(string(line), ":"); strings.EqualFold(name, "content-length") {
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return err
			}
		}
	}
	if length != len(c.want) {
		return fmt.Errorf("answer of %d bytes, want %d", length, len(c.want))
	}
	body, err := c.reader.Peek(length)
	if err != nil {
		return err
	}
	if !bytes.Equal(body, c.want) {
		return errors.New("answer is not the stub's")
	}
	_, err = c.reader.Discard(length)
	return err
}

// discard reads a stream to its end and returns its size.
func discard(r io.Reader) (int64, error) {
	return io.CopyBuffer(io.Discard, struct{ io.Reader }{r}, make([]byte, 64<<10))
}
