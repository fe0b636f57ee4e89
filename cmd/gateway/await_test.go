package main

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/config"
	"github.com/rainbow-gateway/rainbow-gateway/internal/state"
	"github.com/rainbow-gateway/rainbow-gateway/internal/state/storetest"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// TestWaitingForAStateFile: --wait waits for a process that ends by itself, not for a gateway that serves, and Ctrl-C ends it.
func TestWaitingForAStateFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	hold := func() *state.Store {
		t.Helper()
		s, err := state.Open(path, state.Options{UpstreamURL: "sandbox"})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	await := func(ctx context.Context, wait time.Duration, said io.Writer) (time.Duration, error) {
		began := time.Now()
		f := engineFlags{Engine: config.Engine{State: path}, lockWait: wait}
		f.Upstream = "sandbox"
		s, err := f.awaitState(ctx, &terminal{stderr: said})
		if err == nil {
			err = s.Close()
		}
		return time.Since(began), err
	}

	holder := hold()
	run := storetest.NewRun("run-7", 1)
	run.Actor, run.State = "ann@demo.example", bulksync.RunRunning
	if err := holder.CreateRun(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(1500*time.Millisecond, func() { _ = holder.Close() })
	var said strings.Builder
	if _, err := await(t.Context(), time.Minute, &said); err != nil {
		t.Errorf("a process that ends is not waited for: %v", err)
	}
	if strings.Count(said.String(), "\n") != 1 || !strings.Contains(said.String(), "run-7") || !strings.Contains(said.String(), "ann@demo.example") {
		t.Errorf("while waiting it says %q, want one line that names run and actor", said.String())
	}

	holder = hold()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if took, err := await(ctx, time.Minute, io.Discard); !errors.Is(err, context.DeadlineExceeded) || took > 10*time.Second {
		t.Errorf("a wait that is broken off gives %v after %s", err, took)
	}
	if err := holder.Announce("127.0.0.1:9090"); err != nil {
		t.Fatal(err)
	}
	if took, err := await(t.Context(), time.Minute, io.Discard); !errors.Is(err, state.ErrLocked) || took > 10*time.Second || !strings.Contains(err.Error(), "--server 127.0.0.1:9090") {
		t.Errorf("a gateway that serves is waited for: %v after %s", err, took)
	}
	if err := holder.Close(); err != nil {
		t.Fatal(err)
	}
}
