package sandbox_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

// TestPagesCostTheSameAtEveryOffset compares the first and the last pages of a
// large company. The bound is generous: a page that walks from the start would
// exceed it many times.
func TestPagesCostTheSameAtEveryOffset(t *testing.T) {
	const users = 30_000
	began := time.Now()
	r := start(t, sandbox.Options{SeedUsers: users})
	t.Logf("started in %s", time.Since(began))
	for _, list := range []string{
		admin + "/users?format=full&sortField=loginEmail", admin + "/users?format=small",
		admin + "/systems/" + sandbox.CloudPbxID + "/phone-numbers?format=full", cloud + "/phone-numbers/ddi?x=1",
	} {
		cost := func(offset int) time.Duration {
			best := time.Hour
			for range 5 {
				began := time.Now()
				if got := r.get(fmt.Sprintf("%s&limit=1000&offset=%d", list, offset)).ok().size("data"); got != 1000 {
					t.Fatalf("%s at %d: %d documents", list, offset, got)
				}
				best = min(best, time.Since(began))
			}
			return best
		}
		first, last := cost(0), cost(users-1000)
		t.Logf("%s: first page %s, last page %s", list, first, last)
		if last > 4*first+20*time.Millisecond {
			t.Errorf("%s: the last page takes %s, the first %s", list, last, first)
		}
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	perUser := m.HeapAlloc / users
	t.Logf("heap %d MiB, %d bytes a user", m.HeapAlloc>>20, perUser)
	if perUser > 6000 {
		t.Errorf("a user with extension, device and DDI takes %d bytes, want at most 6000", perUser)
	}
}
