package state_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/state"
	"github.com/rainbow-gateway/rainbow-gateway/internal/state/storetest"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

const benchUsers = 25_000 // 100,001 records

// BenchmarkRecord measures a refresh of 100,000 records by how much of the recorded state it changes.
func BenchmarkRecord(b *testing.B) {
	records := storetest.Populate(benchUsers)
	cases := []struct {
		name   string
		before bool
		change int // every how many-th record changes, 0 for none
	}{
		{"first", false, 0}, {"unchanged", true, 0}, {"1 in 100 changed", true, 100}, {"all changed", true, 1},
	}
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			s := openNew(b)
			for n := 0; b.Loop(); n++ {
				b.StopTimer()
				if !c.before {
					s = openNew(b)
				} else if n == 0 {
					storetest.Refresh(b, s, storetest.NewCompany(""), records)
				}
				now := altered(records, c.change, n)
				b.StartTimer()
				storetest.Refresh(b, s, storetest.NewCompany(""), now)
			}
			b.ReportMetric(float64(len(records))*float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// altered gives the records with every so many-th user, extension, device or DDI made different in round n.
func altered(records []bulksync.Record, every, n int) []bulksync.Record {
	if every == 0 {
		return records
	}
	now := make([]bulksync.Record, len(records))
	for i, r := range records {
		now[i] = r
		if i%every != 0 {
			continue
		}
		switch r := r.(type) {
		case *bulksync.User:
			u := *r
			u.ID += string(rune('a' + n%26))
			now[i] = &u
		case *bulksync.Extension:
			e := *r
			e.ID += string(rune('a' + n%26))
			now[i] = &e
		case *bulksync.Device:
			d := *r
			d.Holder = storetest.Login((i + n) % benchUsers)
			now[i] = &d
		case *bulksync.DDI:
			d := *r
			d.Holder = storetest.Login((i + n) % benchUsers)
			now[i] = &d
		}
	}
	return now
}

func recorded(b *testing.B) (*state.Store, bulksync.Snapshot) {
	b.Helper()
	s := openNew(b)
	storetest.Refresh(b, s, storetest.NewCompany(""), storetest.Populate(benchUsers))
	view, err := s.Observed(context.Background(), storetest.Company)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := view.Close(); err != nil {
			b.Error(err)
		}
	})
	return s, view
}

func BenchmarkSnapshotRecord(b *testing.B) {
	_, view := recorded(b)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if view.Record(storetest.Login(n*7919%benchUsers).Key()) == nil {
			b.Fatal("a user is missing")
		}
	}
}

func BenchmarkSnapshotHeld(b *testing.B) {
	_, view := recorded(b)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if len(view.Held(storetest.Login(n*7919%benchUsers))) != 3 {
			b.Fatal("a thing is missing")
		}
	}
}

func BenchmarkSnapshotRecords(b *testing.B) {
	_, view := recorded(b)
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for range view.Records(bulksync.KindUser) {
			n++
		}
		if n != benchUsers {
			b.Fatalf("walk gave %d users", n)
		}
	}
	b.ReportMetric(float64(benchUsers)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkCalls measures calls begun and ended by parallel workers, each waiting for the disk twice.
func BenchmarkCalls(b *testing.B) {
	for _, c := range []struct {
		name    string
		workers int
	}{{"1 worker", 1}, {"8 workers", 8}} {
		b.Run(c.name, func(b *testing.B) {
			s, _ := recorded(b)
			ctx := context.Background()
			if err := s.CreateRun(ctx, storetest.NewRun("r1", 0)); err != nil {
				b.Fatal(err)
			}
			var number atomic.Int64
			var wg sync.WaitGroup
			b.ResetTimer()
			for range c.workers {
				wg.Go(func() {
					for n := int(number.Add(1)); n <= b.N; n = int(number.Add(1)) {
						call(b, s, n, benchUsers)
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
		})
	}
}

// call begins and ends a call that gives one of the users' numbers to another of them.
func call(tb testing.TB, s *state.Store, n, users int) {
	ctx := context.Background()
	e := bulksync.JournalEntry{Company: storetest.Company, Run: "r1", Number: n, Operations: []int{n}, Began: time.Now()}
	if err := s.Begin(ctx, e); err != nil {
		tb.Errorf("Begin: %v", err)
	}
	e.Ended, e.Outcomes = time.Now(), []bulksync.Outcome{{Operation: n, Status: bulksync.Done}}
	d := storetest.DDI(n * 7919 % users)
	d.Holder = storetest.Login(n % users)
	if err := s.End(ctx, storetest.Company, []bulksync.RecordChange{{Key: d.Key(), Record: d}}, e); err != nil {
		tb.Errorf("End: %v", err)
	}
}
