package conformance_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// plain reads JSON with numbers as text.
func plain(t testing.TB, text []byte) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%.300q: %v", text, err)
	}
	return v
}

// tally counts what was shown of each operation.
type tally map[string]map[string]int

func (n tally) add(op operation, door string) {
	if n[op.name()] == nil {
		n[op.name()] = map[string]int{}
	}
	n[op.name()][door]++
}

// require fails for each operation that a door was not shown to answer, and logs the table.
func (n tally) require(t *testing.T, all []operation, doors ...string) {
	t.Helper()
	var table strings.Builder
	for _, op := range all {
		counts := n[op.name()]
		for _, door := range doors {
			if counts[door] == 0 {
				t.Errorf("%s: %s: not one answer over %s", op.name(), op.binding.FullMethod, door)
			}
		}
		table.WriteString(op.name())
		for _, door := range slices.Sorted(maps.Keys(counts)) {
			table.WriteString("  " + door)
		}
		table.WriteByte('\n')
	}
	t.Logf("%d operations:\n%s", len(all), table.String())
}

// TestEveryOperationPassesRESTByteByByte sends each documented request and compares what arrives on either side.
func TestEveryOperationPassesRESTByteByByte(t *testing.T) {
	stub := startReplay(t)
	d := restDoor{startGateway(t, stub.URL)}
	all, shown := catalogue(t), tally{}
	common := commonErrors(t)
	for _, op := range all {
		t.Run(op.name(), func(t *testing.T) {
			successes := op.successes(t)
			for _, s := range successes {
				d.exchange(t, stub, s.name, op.sent(t).accepting(s.accept), s.answer)
				shown.add(op, "REST")
			}
			odd := op.sent(t)
			for i := range odd.values {
				odd.values[i] = "a%20b%2Fc%C3%A9+%2B~;=:@%7e"
			}
			odd.query += "&limit=100&offset=undefined&limit=false&unknown=%5B%5d&&x"
			d.exchange(t, stub, "odd values", odd, successes[0].answer)
			for _, e := range append(op.answers(t), common...) {
				if e.status >= 400 {
					header := http.Header{"Retry-After": {"7"}, "X-Rainbow-Request-Id": {"r-1"}}
					d.exchange(t, stub, e.file, op.sent(t), reply{e.status, header, "application/json", e.text})
				}
			}
		})
	}
	shown.require(t, all, "REST")
}

// exchange makes one call; whatever was sent and answered must come through as it was.
func (d restDoor) exchange(t *testing.T, stub *replay, name string, r request, answer reply) {
	t.Helper()
	id := stub.expect(answer)
	r.header.Set(correlationID, id)
	got := d.call(t, r)
	target := r.op.path(r.values...)
	if r.query != "" {
		target += "?" + r.query
	}
	was := stub.one(t, id)
	if was.method != r.op.Method || was.target != target || was.media != r.media || !bytes.Equal(was.body, r.body) {
		t.Errorf("%s: upstream got %s %s, %q, %.200q\nsent was %s %s, %q, %.200q", name, was.method, was.target, was.media, was.body,
			r.op.Method, target, r.media, r.body)
	}
	if got.status != answer.status || got.media != answer.media || !bytes.Equal(got.body, answer.body) {
		t.Errorf("%s: the caller got %d %q %.200q\nanswered was %d %q %.200q", name, got.status, got.media, got.body, answer.status, answer.media, answer.body)
	}
	for header, values := range answer.header {
		if !slices.Equal(got.header[header], values) {
			t.Errorf("%s: %s is %q, want %q", name, header, got.header[header], values)
		}
	}
	origin := ""
	if answer.status >= 400 {
		origin = "upstream"
	}
	if got.header.Get("X-Error-Origin") != origin {
		t.Errorf("%s: X-Error-Origin is %q, want %q", name, got.header.Get("X-Error-Origin"), origin)
	}
}

// TestEveryOperationPassesGRPCWithoutLoss makes the same calls with messages, and compares documents.
func TestEveryOperationPassesGRPCWithoutLoss(t *testing.T) {
	stub := startReplay(t)
	d := newGRPCDoor(startGateway(t, stub.URL))
	all, shown := catalogue(t), tally{}
	common := commonErrors(t)
	for _, op := range all {
		t.Run(op.name(), func(t *testing.T) {
			doors := map[string]grpcDoor{"gRPC": d}
			if op.twin != nil {
				doors["gRPC stream"] = d.streaming()
			}
			for door, d := range doors {
				for _, s := range op.successes(t) {
					r := op.sent(t).accepting(s.accept)
					if op.binding.File != "" && r.byTwin(true) != d.stream {
						continue
					}
					d.exchange(t, stub, door+": "+s.name, r, s.answer)
					shown.add(op, door)
				}
				for _, e := range append(op.answers(t), common...) {
					repeated := e.status >= 500 && op.binding.Repeatable() // takes seconds; see upstream's TestWhatIsRepeated
					if e.status >= 400 && !repeated {
						d.exchange(t, stub, door+": "+e.file, op.sent(t), reply{e.status, nil, "application/json", e.text})
					}
				}
			}
		})
	}
	shown.require(t, all, "gRPC")
	for _, op := range all {
		if op.twin != nil && shown[op.name()]["gRPC stream"] == 0 {
			t.Errorf("%s: not one answer over its streaming twin", op.name())
		}
	}
}

// exchange makes one call; upstream must get the documented document, and the caller rebuild the answered one.
func (d grpcDoor) exchange(t *testing.T, stub *replay, name string, r request, answer reply) {
	t.Helper()
	id := stub.expect(answer)
	r.header.Set(correlationID, id)
	got := d.call(t, r)
	was := stub.one(t, id)
	path, query, _ := strings.Cut(was.target, "?")
	want := r.op.path(r.values...)
	if was.method != r.op.Method || path != want {
		t.Errorf("%s: upstream got %s %s, want %s %s", name, was.method, path, r.op.Method, want)
	}
	if diff := cmp.Diff(parsedQuery(t, r.query), parsedQuery(t, query)); diff != "" {
		t.Errorf("%s: query (-sent +upstream)\n%s", name, diff)
	}
	mediaOK := was.media == r.media
	if r.op.binding.RequestMedia == "" {
		if len(r.body) > 0 || len(was.body) > 0 {
			if diff := cmp.Diff(plain(t, r.body), plain(t, was.body)); diff != "" {
				t.Errorf("%s: body (-sent +upstream)\n%s", name, diff)
			}
		}
	} else if mediaOK = mediaOK || d.stream && was.media == r.op.binding.RequestMedia; !bytes.Equal(was.body, r.body) {
		t.Errorf("%s: upstream got %.200q, sent was %.200q", name, was.body, r.body)
	}
	if !mediaOK {
		t.Errorf("%s: upstream got content type %q, sent was %q", name, was.media, r.media)
	}
	d.compare(t, name, r.op, got, answer)
}

// compare compares answers: files by bytes, documents by value. A success is no more than that over gRPC.
func (d grpcDoor) compare(t *testing.T, name string, op operation, got, answer reply) {
	t.Helper()
	if answer.status >= 400 {
		if got.status != answer.status {
			t.Errorf("%s: status %d, want %d", name, got.status, answer.status)
		}
	} else if !strings.HasPrefix(answer.media, "application/json") {
		if got.media != answer.media || !bytes.Equal(got.body, answer.body) {
			t.Errorf("%s: the caller got %q %.200q\nanswered was %q %.200q", name, got.media, got.body, answer.media, answer.body)
		}
		for _, header := range []string{"Location", "Content-Disposition"} {
			if got.header.Get(header) != answer.header.Get(header) {
				t.Errorf("%s: %s is %q, want %q", name, header, got.header.Get(header), answer.header.Get(header))
			}
		}
		return
	}
	if diff := cmp.Diff(plain(t, answer.body), plain(t, got.body)); diff != "" {
		t.Errorf("%s (-answered +caller)\n%s", name, diff)
	}
}

func parsedQuery(t testing.TB, query string) url.Values {
	t.Helper()
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	return values
}
