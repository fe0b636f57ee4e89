package sandbox_test

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

// largeLists are the lists of a large company that hold a document per user,
// as they are and filtered and sorted; each takes limit and offset.
func largeLists() []struct{ what, path string } {
	numbers := admin + "/systems/" + sandbox.CloudPbxID + "/phone-numbers?"
	return []struct{ what, path string }{
		{"users", admin + "/users?format=full"},
		{"users by login", admin + "/users?format=small&sortField=loginEmail"},
		{"users by family name, from the end", admin + "/users?sortField=lastName&sortOrder=-1"},
		{"users found by address", admin + "/users?searchEmail=sandbox.example&sortField=firstName"},
		{"holders of a licence", subscriptions + "/5b7d0c0ffeea000000000003/users?format=small"},
		{"numbers", numbers + "format=full"},
		{"numbers of users by id", numbers + "isAssignedToUser=true&sortField=id"},
		{"public numbers", ddis + "?x=1"},
		{"assigned public numbers by user", ddis + "?isAssignedToUser=true&sortField=userDisplayName"},
		{"devices", devices + "?x=1"},
		{"devices in use by user", devices + "?assigned=true&sortField=userDisplayName"},
	}
}

// page asks for 1,000 documents of a list.
func (r *rainbow) page(path string, offset int) time.Duration {
	r.t.Helper()
	began := time.Now()
	if got := r.get(fmt.Sprintf("%s&limit=1000&offset=%d", path, offset)).ok().size("data"); got != 1000 {
		r.t.Fatalf("%s at %d: %d documents", path, offset, got)
	}
	return time.Since(began)
}

// TestPagesCostTheSameAtEveryOffset compares the first and the last page of
// each large list of a company with 40,000 users: the quickest of rounds that
// alternate, since a busy machine can only make a page slower. A list that walks
// to its offset would be slower there each time. BenchmarkPages has 100,000.
func TestPagesCostTheSameAtEveryOffset(t *testing.T) {
	const users, rounds = 40_000, 25 // at most; three do unless the machine is busy
	began := time.Now()
	r := start(t, sandbox.Options{SeedUsers: users})
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("a world of %d users takes %s", users, took)
	}
	t.Logf("started in %s", time.Since(began))
	for _, list := range largeLists() {
		cold := r.page(list.path, 0)
		var first, last []time.Duration
		even := func() bool { return slices.Min(last) <= 2*slices.Min(first)+2*time.Millisecond }
		for n := 0; n < 3 || n < rounds && !even(); n++ {
			first, last = append(first, r.page(list.path, 0)), append(last, r.page(list.path, users-2000))
		}
		atFirst, atLast := slices.Min(first), slices.Min(last)
		t.Logf("%-36s cold %s, first page %s, last page %s, ratio %.2f", list.what, cold, atFirst, atLast, float64(atLast)/float64(atFirst))
		if !even() {
			t.Errorf("%s: the last page takes %s, the first %s: want at most twice as long", list.what, last, first)
		}
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	t.Logf("heap %d MiB, %s", m.HeapAlloc>>20, peakMemory(t))
	if m.HeapAlloc > 200<<20 {
		t.Errorf("%d users take %d MiB of heap, want at most 200", users, m.HeapAlloc>>20)
	}
}

// peakMemory is the line of /proc on the most memory that the process held.
func peakMemory(tb testing.TB) string {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return "peak memory unknown here"
	}
	for line := range bytes.Lines(text) {
		if bytes.HasPrefix(line, []byte("VmHWM")) {
			return string(bytes.Join(bytes.Fields(line), []byte(" ")))
		}
	}
	tb.Error("/proc/self/status has no VmHWM")
	return ""
}

// TestAPageSeesTheLastChange: a list that is remembered between pages must not
// outlive a change, nor serve another caller or another question.
func TestAPageSeesTheLastChange(t *testing.T) {
	r := start(t, sandbox.Options{SeedUsers: 6})
	byName := admin + "/users?sortField=firstName&searchEmail=sandbox.example"
	first := r.get(byName).ok().want("total", "7").text("data.0.firstName")
	r.get(byName+"&limit=1&offset=6").ok().want("total", "7", "limit", "1")
	r.put(admin+"/users/"+r.userID(seeded(3)), map[string]any{"firstName": "Aaron"}).ok()
	if now := r.get(byName).ok().text("data.0.firstName"); now != "Aaron" || first == "Aaron" {
		t.Errorf("first by name: %s, then %s", first, now)
	}
	r.get(byName+"&sortOrder=-1").ok().want("data.6.firstName", "Aaron")
	r.as("admin@neighbour.example").get(byName).ok().want("total", "0")
	r.delete(admin + "/users/" + r.userID(seeded(3))).ok()
	r.get(byName).ok().want("total", "6")
	free := ddis + "?isAssignedToUser=false"
	before := r.get(free).ok().at("total")
	r.post(ddis, map[string]string{"number": "0298300777"}).ok()
	if after := r.get(free).ok().at("total"); after == before {
		t.Errorf("free DDIs: %v before and after one was made", after)
	}
	numbers := admin + "/systems/" + sandbox.CloudPbxID + "/phone-numbers?shortNumber=8000"
	r.get(numbers).ok().want("total", "5", "data.4.shortNumber", "80006")
	r.post(subscribers, map[string]any{"userId": r.userID(sandbox.AdminLogin), "shortNumber": "80009"}).ok()
	r.get(numbers).ok().want("total", "6", "data.5.shortNumber", "80009")
	r.get(numbers+"9").ok().want("total", "1")
}

// BenchmarkPages lists 1,000 documents at the first and at the last offset of a
// company with 100,000 users.
func BenchmarkPages(b *testing.B) {
	const users = 100_000
	r := start(b, sandbox.Options{SeedUsers: users})
	for _, list := range largeLists() {
		for _, at := range []struct {
			what   string
			offset int
		}{{"first", 0}, {"last", users - 2000}} {
			b.Run(list.what+"/"+at.what, func(b *testing.B) {
				r.t = b
				for b.Loop() {
					r.page(list.path, at.offset)
				}
			})
		}
	}
}

// BenchmarkSeed makes a world of 100,000 users.
func BenchmarkSeed(b *testing.B) {
	for b.Loop() {
		s, err := sandbox.New(sandbox.Options{SeedUsers: 100_000})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
