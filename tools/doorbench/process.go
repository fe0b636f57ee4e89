package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of /proc's CPU times: 100 a second on every Linux that Go runs on.
const clockTick = 10 * time.Millisecond

// process is a contender.
type process struct {
	name  string
	cmd   *exec.Cmd
	addr  string // REST, or the only door
	grpc  string // the gRPC door, of the gateway
	admin string
	state string // the folder of its state file, of the gateway
}

// startContender starts this program in another role.
func startContender(ctx context.Context, role, upstream string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{name: role, cmd: exec.CommandContext(ctx, self, role, "-upstream", upstream)}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.cmd.Stderr = os.Stderr
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	if _, err := fmt.Fscan(out, &p.addr, &p.admin); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: no addresses on stdout: %w", role, err), p.stop())
	}
	p.grpc = p.addr
	return p, nil
}

// startGateway starts the gateway as it ships, before the stub, without a service account.
func startGateway(ctx context.Context, binary, upstream string) (*process, error) {
	state, err := os.MkdirTemp("", "doorbench-")
	if err != nil {
		return nil, err
	}
	p := &process{name: "gateway", state: state, cmd: exec.CommandContext(ctx, binary, "serve", "--upstream", upstream, "--state", state+"/state.db",
		"--grpc-addr", "127.0.0.1:0", "--http-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0")}
	logs, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	if err := p.announced(logs); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

// announced waits for the line that says where the gateway listens, then lets its log run dry.
func (p *process) announced(logs io.Reader) error {
	lines := bufio.NewScanner(logs)
	var seen []string
	for lines.Scan() {
		var line struct{ Msg, GRPC, HTTP, Admin string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
			p.addr, p.grpc, p.admin = line.HTTP, line.GRPC, line.Admin
			go func() { _, _ = io.Copy(io.Discard, logs) }()
			return nil
		}
		seen = append(seen, lines.Text())
	}
	return fmt.Errorf("gateway: does not listen: %s", strings.Join(seen, "\n"))
}

func (p *process) stop() error {
	if p.state != "" {
		defer func() { _ = os.RemoveAll(p.state) }()
	}
	_ = p.cmd.Process.Signal(os.Interrupt)
	done := make(chan struct{})
	go func() { _ = p.cmd.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-time.After(20 * time.Second):
		return p.cmd.Process.Kill()
	}
}

// cpu is the processor time that the process has used.
func (p *process) cpu() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	return time.Duration(user+system) * clockTick, errors.Join(err1, err2)
}

// resident is the memory of the process that is in use, without mapped files, in bytes.
func (p *process) resident() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
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

// mallocs is how many objects the process has allocated.
func (p *process) mallocs(ctx context.Context) (int64, error) {
	text, err := get(ctx, "http://"+p.admin+"/debug/pprof/heap?debug=1")
	if err != nil {
		return 0, err
	}
	_, rest, found := strings.Cut(text, "# Mallocs = ")
	if !found {
		return 0, errors.New("heap profile: no Mallocs")
	}
	number, _, _ := strings.Cut(rest, "\n")
	return strconv.ParseInt(number, 10, 64)
}

func get(ctx context.Context, url string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
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
