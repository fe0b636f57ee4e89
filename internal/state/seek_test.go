package state_test

import (
	"context"
	"iter"
	"slices"
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/state/storetest"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// TestASnapshotCountsAndSeeksAsItWalks, also when records were changed, made and removed since it was taken.
func TestASnapshotCountsAndSeeksAsItWalks(t *testing.T) {
	s := openNew(t)
	storetest.Refresh(t, s, storetest.NewCompany("then"), storetest.Populate(600))
	view := storetest.Observe(t, s, storetest.Company)
	err := s.End(context.Background(), storetest.Company, []bulksync.RecordChange{
		{Key: storetest.Device(0).Key()}, {Key: storetest.Device(299).Key()}, {Record: storetest.Device(900)}, {Record: storetest.FreeDDI(7)},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]bulksync.Snapshot{"old": view, "new": storetest.Observe(t, s, storetest.Company)} {
		counts := v.(interface{ Count(bulksync.Kind) int })
		seeks := v.(interface {
			RecordsAfter(bulksync.Kind, string) iter.Seq[bulksync.Record]
		})
		for _, kind := range bulksync.Kinds() {
			var ids []string
			for r := range v.Records(kind) {
				ids = append(ids, r.Key().ID)
			}
			if n := counts.Count(kind); n != len(ids) {
				t.Errorf("%s view counts %d of kind %s, and walks %d", name, n, kind, len(ids))
			}
			for _, at := range []int{0, 1, len(ids) / 2, len(ids) - 1} {
				if at < 0 || at >= len(ids) {
					continue
				}
				var after []string
				for r := range seeks.RecordsAfter(kind, ids[at]) {
					after = append(after, r.Key().ID)
				}
				if !slices.Equal(after, ids[at+1:]) {
					t.Errorf("%s view walks %d of kind %s after the first %d, want %d", name, len(after), kind, at+1, len(ids)-at-1)
				}
			}
		}
	}
}
