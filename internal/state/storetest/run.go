package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// NewRun is a run that has begun some hours after noon.
func NewRun(name string, hours int) *bulksync.Run {
	return &bulksync.Run{
		Name: name, Company: Company, Plan: "p-a", Hash: "d1ce", State: bulksync.RunRunning, Actor: "ann",
		Options: bulksync.RunOption{Parallel: 4}, StartTime: noon.Add(time.Duration(hours) * time.Hour),
	}
}

func runs(t *testing.T, h harness) {
	ctx := context.Background()
	for i, name := range []string{"r-b", "r-a", "r-c"} {
		if err := h.store.CreateRun(ctx, NewRun(name, i)); err != nil {
			t.Fatalf("CreateRun: %v", err)
		}
	}
	if err := h.store.CreateRun(ctx, NewRun("r-a", 5)); !errors.Is(err, bulksync.ErrConflict) {
		t.Errorf("CreateRun of a name that is taken = %v, want ErrConflict", err)
	}
	ended := NewRun("r-a", 1)
	ended.State, ended.EndTime = bulksync.RunSucceeded, noon.Add(3*time.Hour)
	ended.Counts = bulksync.RunCounts{Total: 2, Done: 2}
	ended.Outcomes = []bulksync.Outcome{{Operation: 1, Status: bulksync.Done, ID: "x"}, {Operation: 2, Status: bulksync.Done}}
	if err := h.store.UpdateRun(ctx, ended); err != nil {
		t.Fatalf("UpdateRun: %v", err)
	}
	h.store = h.reopen(t, h.store)
	got, err := h.store.Run(ctx, Company, "r-a")
	if diff := cmp.Diff(ended, got); err != nil || diff != "" {
		t.Errorf("Run: %v (-want +got):\n%s", err, diff)
	}
	ended.Outcomes = nil // not in lists
	list, err := h.store.Runs(ctx, Company)
	if diff := cmp.Diff([]*bulksync.Run{NewRun("r-c", 2), ended, NewRun("r-b", 0)}, list); err != nil || diff != "" {
		t.Errorf("Runs: %v (-want +got):\n%s", err, diff)
	}
	if list, err := h.store.Runs(ctx, "nobody"); len(list) > 0 || err != nil {
		t.Errorf("Runs of an absent company = %v, %v, want nothing", list, err)
	}
	for what, err := range map[string]error{
		"UpdateRun of an absent run": h.store.UpdateRun(ctx, NewRun("r-x", 0)),
		"Run of an absent run":       second(h.store.Run(ctx, Company, "r-x")),
		"Run of an absent company":   second(h.store.Run(ctx, "nobody", "r-a")),
	} {
		if !errors.Is(err, bulksync.ErrNotFound) {
			t.Errorf("%s = %v, want ErrNotFound", what, err)
		}
	}
}
