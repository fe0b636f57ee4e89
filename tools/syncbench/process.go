package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// result is what one piece of work took.
type result struct {
	cpu, clock time.Duration
	// memory is the anonymous memory at its peak, in bytes.
	memory int64
	// extra are figures of the work's own.
	extra []float64
}

// turn does one piece of work in a process of its own.
func turn(ctx context.Context, role, folder string, users int, more ...string) (result, error) {
	self, err := os.Executable()
	if err != nil {
		return result{}, err
	}
	cmd := exec.CommandContext(ctx, self, append([]string{role, "-folder", folder, "-users", strconv.Itoa(users)}, more...)...)
	cmd.Stderr = os.Stderr
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, ctx.Err()); err != nil {
		return result{}, err
	}
	if err := cmd.Start(); err != nil {
		return result{}, err
	}
	r, err := watch(cmd.Process.Pid, out)
	if err := errors.Join(err, in.Close(), cmd.Wait()); err != nil {
		return result{}, fmt.Errorf("%s: %w", role, err)
	}
	return r, nil
}

// watch looks at a process's memory until it says what its work took. It looks once more then: the runtime gives memory
// back so slowly that a peak between two looks is seen behind it.
func watch(pid int, out io.Reader) (result, error) {
	done := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(out).ReadString('\n')
		done <- line
	}()
	var r result
	for tick := time.Tick(2 * time.Millisecond); ; {
		var line string
		select {
		case line = <-done:
		case <-tick:
		}
		now, err := anonymous(pid)
		r.memory = max(r.memory, now)
		if line == "" && err == nil {
			continue
		}
		if r.scan(line) != nil {
			return r, errors.New("the process ended before its work was done")
		}
		return r, err
	}
}

// scan reads what a process printed of its work.
func (r *result) scan(line string) error {
	words := strings.Fields(line)
	values := make([]float64, len(words))
	for i, word := range words {
		var err error
		if values[i], err = strconv.ParseFloat(word, 64); err != nil {
			return err
		}
	}
	if len(values) < 2 {
		return errors.New("too few figures")
	}
	r.cpu, r.clock, r.extra = time.Duration(values[0]), time.Duration(values[1]), values[2:]
	return nil
}

// withSandbox does one piece of work on a sandbox that nobody has used, a process of its own too.
func withSandbox(ctx context.Context, role, folder string, opts options) (r result, err error) {
	self, err := os.Executable()
	if err != nil {
		return result{}, err
	}
	cmd := exec.CommandContext(ctx, self, "sandbox", "-users", strconv.Itoa(opts.operations))
	cmd.Stderr = os.Stderr
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2); err != nil {
		return result{}, err
	}
	if err := cmd.Start(); err != nil {
		return result{}, err
	}
	defer func() { err = errors.Join(err, in.Close(), cmd.Wait()) }()
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return result{}, fmt.Errorf("sandbox: %w", err)
	}
	return turn(ctx, role, folder, opts.operations, "-sandbox", strings.TrimSpace(url), "-workers", strconv.Itoa(opts.workers))
}

// anonymous is the memory of a process that is in use, without mapped files, in bytes.
func anonymous(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, found := strings.Cut(string(status), "RssAnon:")
	if !found {
		return 0, errors.New("/proc/PID/status: no RssAnon")
	}
	kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	return kib << 10, err
}

// cpuModel names the processor.
func cpuModel() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	_, rest, _ := strings.Cut(string(info), "model name")
	line, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(strings.TrimLeft(line, " \t:"))
}
