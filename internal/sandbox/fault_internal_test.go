package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestLatenciesHaveTheirPercentiles(t *testing.T) {
	const ms = Duration(time.Millisecond)
	for _, c := range []struct {
		name        string
		latency     Latency
		median, p99 time.Duration // within a tenth
		least, most Duration
	}{
		{name: "fixed", latency: Latency{Value: 70 * ms}, median: 70 * time.Millisecond, p99: 70 * time.Millisecond, least: 70 * ms, most: 70 * ms},
		{name: "uniform", latency: Latency{Distribution: "uniform", Min: 100 * ms, Max: 300 * ms}, median: 200 * time.Millisecond, p99: 298 * time.Millisecond, least: 100 * ms, most: 300 * ms},
		{name: "normal", latency: Latency{Distribution: "normal", Median: 200 * ms, P99: 300 * ms, Min: 150 * ms}, median: 200 * time.Millisecond, p99: 300 * time.Millisecond, least: 150 * ms, most: 600 * ms},
		{name: "lognormal", latency: Latency{Distribution: "lognormal", Median: 80 * ms, P99: 900 * ms}, median: 80 * time.Millisecond, p99: 900 * time.Millisecond, least: 1, most: 1800 * ms},
		{name: "lognormal cut", latency: Latency{Distribution: "lognormal", Median: 80 * ms, P99: 900 * ms, Max: 900 * ms}, median: 80 * time.Millisecond, p99: 900 * time.Millisecond, least: 1, most: 900 * ms},
	} {
		t.Run(c.name, func(t *testing.T) {
			draws := func(seed uint64) []time.Duration {
				dice := rand.New(rand.NewPCG(seed, 1))
				var list []time.Duration
				for range 20_000 {
					list = append(list, c.latency.draw(dice))
				}
				return list
			}
			list := draws(1)
			if !slices.Equal(list, draws(1)) {
				t.Error("the same seed gives other waits")
			}
			slices.Sort(list)
			near := func(what string, got, want time.Duration) {
				if got < want*9/10 || got > want*11/10 {
					t.Errorf("%s is %s, want about %s", what, got, want)
				}
			}
			near("median", list[len(list)/2], c.median)
			near("99th percentile", list[len(list)*99/100], c.p99)
			if list[0] < time.Duration(c.least) || list[len(list)-1] > time.Duration(c.most) {
				t.Errorf("waits from %s to %s, want %s to %s", list[0], list[len(list)-1], time.Duration(c.least), time.Duration(c.most))
			}
		})
	}
}

func TestABucketFillsAtItsRate(t *testing.T) {
	b := buckets{limit: Limit{Rate: 2, Burst: 3, Per: perToken}}
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	ana, bob := &requestFacts{token: "a"}, &requestFacts{token: "b"}
	passed := 0
	for range 1000 { // ten seconds, a request each 10 ms
		ok, retry := b.take(ana, now)
		if ok {
			passed++
		} else if retry <= 0 || retry > 500*time.Millisecond {
			t.Fatalf("retry after %s", retry)
		}
		now = now.Add(10 * time.Millisecond)
	}
	if passed != 3+19 && passed != 3+20 { // the burst, then two a second
		t.Errorf("%d requests passed in ten seconds", passed)
	}
	ok, retry := b.take(ana, now)
	for ok {
		ok, retry = b.take(ana, now)
	}
	if ok, _ := b.take(ana, now.Add(retry+time.Microsecond)); !ok {
		t.Errorf("there is no token after %s", retry)
	}
	if ok, _ := b.take(bob, now); !ok {
		t.Error("who calls with another token waits, too")
	}
	for i := range maxBuckets + 10 {
		b.take(&requestFacts{token: fmt.Sprint(i)}, now)
	}
	if len(b.of) > maxBuckets {
		t.Errorf("%d buckets are kept", len(b.of))
	}
}

// TestBentAnswersStayJSON: whatever drifts or is added, the answer parses, and
// taking the additions away gives the document as it was.
func TestBentAnswersStayJSON(t *testing.T) {
	scalars := []string{`"a"`, `"+0331"`, `"<\u0000é"`, `1`, `-0.50`, `1e400`, `true`, `null`}
	var document func(t *rapid.T, depth int) string
	document = func(t *rapid.T, depth int) string {
		kind := rapid.IntRange(0, 3).Draw(t, "kind")
		if depth == 0 || kind > 1 {
			return rapid.SampledFrom(scalars).Draw(t, "scalar")
		}
		var parts []string
		for i := range rapid.IntRange(0, 4).Draw(t, "size") {
			part := document(t, depth-1)
			if kind == 0 {
				part = fmt.Sprintf("%q:%s", fmt.Sprint("m", i), part)
			}
			parts = append(parts, part)
		}
		return []string{"{", "["}[kind] + strings.Join(parts, ",") + []string{"}", "]"}[kind]
	}
	rapid.Check(t, func(t *rapid.T) {
		text := document(t, 4)
		bend := func(b bending) []byte {
			a := &capturedAnswer{header: http.Header{"Content-Type": {jsonType}}}
			a.body.WriteString(text)
			b.dice = rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
			b.apply(a)
			return a.body.Bytes()
		}
		drift := &Drift{
			Member: rapid.SampledFrom([]string{"", "m0", "m2"}).Draw(t, "member"),
			To:     rapid.SampledFrom([]string{"", "string", "number", "bool", "null", "list"}).Draw(t, "to"),
		}
		if got := bend(bending{extraMembers: 3, drift: drift}); !json.Valid(got) {
			t.Fatalf("%s became %s", text, got)
		}
		d := json.NewDecoder(bytes.NewReader(bend(bending{extraMembers: 3})))
		d.UseNumber()
		root, err := readNode(d)
		if err != nil {
			t.Fatal(err)
		}
		root.walk(func(n *jsonNode, _ string) {
			for i := len(n.names) - 1; i >= 0; i-- {
				if strings.HasPrefix(n.names[i], "undocumented") {
					n.names, n.items = slices.Delete(n.names, i, i+1), slices.Delete(n.items, i, i+1)
				}
			}
		})
		if got, want := compacted(t, root.json()), compacted(t, text); got != want {
			t.Fatalf("%s became %s", want, got)
		}
	})
}

func compacted(t *rapid.T, text string) string {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	raw, _ := json.Marshal(v)
	return string(raw)
}

func FuzzParseFaults(f *testing.F) {
	for _, seed := range []string{
		`[{"status":503}]`, "- operation: List*\n  latency: 20ms\n", `{latency: {distribution: lognormal, median: 1ms, p99: 2ms}}`, "", "[", "- []", "{a: &x [*x]}",
		`{"status":1e99}`, `{"latency":null}`, `{drift: {to: null}}`, "lost: 502", "--- 1\n--- 2", `{"probability":".NaN"}`, "probability: .nan",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		rules, err := ParseFaults(text)
		if err != nil {
			return
		}
		again, err := json.Marshal(rules)
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseFaults(again)
		if err != nil {
			t.Fatalf("%s is refused when it comes back: %v", again, err)
		}
		if twice, _ := json.Marshal(back); !bytes.Equal(twice, again) {
			t.Fatalf("%s came back as %s", again, twice)
		}
	})
}

func TestCollectionsNameReadsOfTheCatalogue(t *testing.T) {
	reads := map[string]bool{}
	for _, o := range operations() {
		reads[o.id] = o.method == http.MethodGet
	}
	for name, ids := range collections() {
		for _, id := range ids {
			if !reads[id] {
				t.Errorf("collection %s: %s reads nothing", name, id)
			}
		}
	}
}
