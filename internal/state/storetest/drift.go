package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// newDrift is a report of some differences, of each kind of thing that one can hold.
func newDrift(company string, differences int) *bulksync.Drift {
	d := &bulksync.Drift{
		Format: bulksync.DriftFormat, Company: company, Manifest: "d1ce", Sources: []string{"a.csv"}, Run: "r1", AppliedTime: noon,
		RecordTime: noon, CheckTime: noon, Hash: "cafe", Repairs: map[bulksync.Kind]int{bulksync.KindUser: differences}, Plan: "p1", Told: "beef",
		Differences: []bulksync.Difference{},
	}
	for i := range differences {
		d.Differences = append(d.Differences, bulksync.Difference{
			Login: Login(i), Kind: bulksync.KindUser, What: bulksync.Changed, Key: Login(i).Key(), Words: fmt.Sprintf("jobTitle is <&>\u2028 %d", i),
			Changes:  []bulksync.Deviation{{Name: "jobTitle", Found: "a", Wanted: "b"}},
			Position: bulksync.Position{File: "a.csv", Line: i + 2, Column: 1}, Operations: []int{i + 1}, Code: "c", Hint: "h",
		})
	}
	return d
}

func drifts(t *testing.T, h harness) {
	ctx := context.Background()
	if _, err := h.store.Drift(ctx, Company); !errors.Is(err, bulksync.ErrNotFound) {
		t.Errorf("Drift of a company never looked at = %v, want ErrNotFound", err)
	}
	for _, d := range []*bulksync.Drift{newDrift(Company, 40_000), newDrift("other", 1), newDrift(Company, 2), newDrift(Company, 0)} {
		if err := h.store.SetDrift(ctx, d); err != nil {
			t.Fatalf("SetDrift: %v", err)
		}
		h.store = h.reopen(t, h.store)
		got, err := h.store.Drift(ctx, d.Company)
		if diff := cmp.Diff(d, got); err != nil || diff != "" {
			t.Fatalf("Drift: %v (-want +got):\n%.2000s", err, diff)
		}
	}
	if got, err := h.store.Drift(ctx, "other"); err != nil || len(got.Differences) != 1 {
		t.Errorf("Drift of the other company = %+v, %v", got, err)
	}
	if err := h.store.SetDrift(ctx, newDrift("", 1)); err == nil {
		t.Error("a report of no company is stored")
	}
}
