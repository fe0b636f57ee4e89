package state_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/state/storetest"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// TestOpenSnapshotDoesNotMakeTheFileGrow: under an open bbolt transaction these calls made it grow a hundredfold.
func TestOpenSnapshotDoesNotMakeTheFileGrow(t *testing.T) {
	s := openNew(t)
	storetest.Refresh(t, s, storetest.NewCompany(""), storetest.Populate(2_500))
	storetest.Observe(t, s, storetest.Company)
	if err := s.CreateRun(context.Background(), storetest.NewRun("r1", 0)); err != nil {
		t.Fatal(err)
	}
	size := func() int64 {
		info, err := os.Stat(s.Path())
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	before := size()
	for n := range 400 {
		call(t, s, n, 2_500)
	}
	if after := size(); after > before+before/2+4<<20 {
		t.Errorf("the file grew from %d to %d bytes", before, after)
	}
}

// TestReadsWhileTheFileGrows: bbolt maps a file that outgrew its map anew, and waits for every open transaction then. A
// snapshot that is read meanwhile must not keep one open.
func TestReadsWhileTheFileGrows(t *testing.T) {
	s := openNew(t)
	storetest.Refresh(t, s, storetest.NewCompany("before"), storetest.Populate(10))
	view := storetest.Observe(t, s, storetest.Company)
	done := make(chan error, 1)
	go func() {
		done <- s.Record(context.Background(), func(put func(bulksync.Record) error) (bulksync.Company, error) {
			for _, r := range storetest.Populate(4_000) {
				if err := put(r); err != nil {
					return bulksync.Company{}, err
				}
			}
			return storetest.NewCompany("after"), nil
		})
	}()
	deadline := time.After(time.Minute)
	for n := 0; ; n++ {
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Record: %v", err)
			}
			return
		case <-deadline:
			t.Fatal("the writer waits for the reader for ever")
		default:
		}
		if view.Record(storetest.Login(n%10).Key()) == nil {
			t.Fatal("a record is missing")
		}
	}
}
