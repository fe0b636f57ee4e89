package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// served is a gateway with its sandbox, running as a process.
type served struct {
	GRPC string `json:"grpc"`
	HTTP string `json:"http"`
	// Admin is the address of the metrics.
	Admin string `json:"admin"`

	process *os.Process
}

func serve(t *testing.T, flags ...string) served {
	t.Helper()
	child := program(t, append([]string{"serve", "--upstream", "sandbox", "--state", filepath.Join(t.TempDir(), "state.db"),
		"--grpc-addr", "127.0.0.1:0", "--http-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0"}, flags...)...)
	stderr, err := child.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	drained := make(chan struct{})
	t.Cleanup(func() {
		_ = child.Process.Signal(os.Interrupt)
		<-drained
		if err := child.Wait(); err != nil {
			t.Errorf("gateway: %v", err)
		}
	})
	lines, log := bufio.NewScanner(stderr), new(strings.Builder)
	for lines.Scan() {
		log.WriteString(lines.Text() + "\n")
		if !strings.Contains(lines.Text(), `"msg":"listening"`) {
			continue
		}
		go func() { defer close(drained); _, _ = io.Copy(io.Discard, stderr) }()
		g := served{process: child.Process}
		if err := json.Unmarshal(lines.Bytes(), &g); err != nil {
			t.Fatal(err)
		}
		return g
	}
	close(drained)
	t.Fatalf("the gateway ended before it listened:\n%s", log)
	return served{}
}
