package drift

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	adminv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

const listUsers = "rainbow.admin.v1.UsersService/ListUsers"

// binding finds a modelled operation.
func binding(t testing.TB, rpc string) *upstream.Binding {
	t.Helper()
	b := bindings(t).ByMethod("/" + rpc)
	if b == nil {
		t.Fatalf("no operation %s", rpc)
	}
	return b
}

// lines are the findings of a report, one a line.
func lines(r Report) []string {
	var all []string
	for _, op := range r.Operations {
		for _, f := range op.Findings {
			line := fmt.Sprintf("%s %s %d/%d", f.Path, f.Class, f.Count, f.Of)
			if f.Expected != "" {
				line += " expected " + f.Expected
			}
			all = append(all, line+" got "+f.Got)
		}
	}
	return all
}

func TestWhatIsFound(t *testing.T) {
	tests := []struct {
		name, contentType string
		documents         []string
		want              []string
	}{
		{"nothing in what is documented", "application/json; charset=utf-8",
			[]string{`{"data":[{"id":"1","isActive":true,"phoneNumbers":[{"shortNumber":"8"}]}],"total":1,"limit":100,"offset":0}`, `{}`}, nil},
		{"null is a value of every kind", "application/json", []string{`{"data":null,"total":null}`, `{"data":[{"id":null,"phoneNumbers":null}]}`}, nil},
		{"unknown members, at every depth", "application/json", []string{`{"data":[{"jid_x":"a@b","phoneNumbers":[{"foo":{"bar":1}},{"foo":[]}]},{"id":"1"}],"next":null}`},
			[]string{"data[].jid_x unknown 1/2 got string", "data[].phoneNumbers[].foo unknown 2/2 got array", "next unknown 1/1 got null"}},
		{"values of another kind", "application/json",
			[]string{`{"data":[{"id":1,"isActive":"true","phoneNumbers":{}},4,null],"total":"1","limit":1.5,"offset":3000000000}`},
			[]string{
				"data[] kind 1/1 expected object got integer", "data[] kind 1/1 expected object got null",
				"data[].id kind 1/1 expected string got integer", "data[].isActive kind 1/1 expected boolean got string",
				"data[].phoneNumbers kind 1/1 expected array got object",
				"limit kind 1/1 expected integer got number", "offset kind 1/1 expected integer got integer beyond 32 bits", "total kind 1/1 expected integer got string",
			}},
		{"an object counts once, whatever it repeats", "application/json", []string{`{"data":[1,2,3],"x":1,"x":2}`},
			[]string{"data[] kind 1/1 expected object got integer", "x unknown 1/1 got integer"}},
		{"another root", "application/json", []string{`[]`, `"x"`, `null`}, []string{"$ kind 1/3 expected object got array", "$ kind 1/3 expected object got string"}},
		{"nothing at all", "application/json", []string{"", " \n"}, []string{"$ kind 2/2 expected object got nothing"}},
		{"what is no JSON", "application/json", []string{`{"data":[{"jid_x":1}`, `{}{}`}, []string{"$ malformed 2/2 expected JSON got no JSON"}},
		{"what does not call itself JSON", "text/html; charset=x", []string{`<html>`, `{}`},
			[]string{"$ malformed 1/2 expected JSON got no JSON", "$ media 2/2 expected JSON got text/html"}},
		{"a media type of the server's own making", "x-secret/user-4711", []string{`{}`}, []string{"$ media 1/1 expected JSON got another media type"}},
		{"names that may be data", "application/json", []string{`{"data":[{"john.doe@corp.example":1,"5b7d0c0ffee0000000000001":2,"33298300513":3,"":4}]}`},
			[]string{"data[].{} unknown 1/1 got integer"}},
		{"an object used as a map of names", "application/json", []string{`{"data":[{` + manyNames(40) + `}]}`}, []string{"data[].{} unknown 1/1 got integer"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, b := quiet(t), binding(t, listUsers)
			r.tally(b)
			for _, document := range tt.documents {
				r.inspect(b, tt.contentType, []byte(document))
			}
			if diff := cmp.Diff(tt.want, lines(r.Report())); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func manyNames(n int) string {
	var members []string
	for i := range n {
		members = append(members, fmt.Sprintf(`"x%c%c":1`, 'a'+i/26, 'a'+i%26))
	}
	return strings.Join(members, ",")
}

func TestBareListsAreOfTheElementsKind(t *testing.T) {
	r, b := quiet(t), binding(t, "rainbow.invoicing.v1.InvoicesService/ListInvoices")
	r.tally(b)
	r.inspect(b, "application/json", []byte(`[{"odd":1},{"odd":2},"x"]`))
	r.inspect(b, "application/json", []byte(`{}`))
	want := []string{"$ kind 1/2 expected array got object", "[] kind 1/2 expected object got string", "[].odd unknown 2/2 got integer"}
	if diff := cmp.Diff(want, lines(r.Report())); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestMissingMembers(t *testing.T) {
	r, b := quiet(t), binding(t, listUsers)
	r.tally(b)
	for i := range 20 {
		body := `{"data":[{"id":"1"}],"total":1}`
		if i < 5 {
			body = `{"data":[{"id":"1","loginEmail":null}],"total":1}`
		}
		r.inspect(b, "", []byte(body))
	}
	op := r.Report().Operations[0]
	presence := map[string]string{}
	for _, m := range op.Missing {
		presence[m.Path] = fmt.Sprint("missing ", m.Count, "/", m.Of)
	}
	for _, m := range op.Sometimes {
		presence[m.Path] = fmt.Sprint("sometimes ", m.Count, "/", m.Of, " ", m.Share)
	}
	for path, want := range map[string]string{
		"limit": "missing 0/20", "data[].companyId": "missing 0/20", "data[].loginEmail": "sometimes 5/20 0.25", "data[].id": "", "total": "", "data": "", "": "",
	} {
		if presence[path] != want {
			t.Errorf("%s is %q, want %q", path, presence[path], want)
		}
	}
	if len(op.Findings) > 0 {
		t.Errorf("findings %v", op.Findings)
	}
}

func TestPublicNames(t *testing.T) {
	for name, want := range map[string]string{
		"jid_x": "jid_x", "isOffice365": "isOffice365", "sha256": "sha256", "Content-Type": "Content-Type", "$ref": "$ref", "h264Mp4": "h264Mp4",
		"":                                     anyName,
		"john.doe":                             anyName,
		"john@corp.example":                    anyName,
		"John Doe":                             anyName,
		"Zoë":                                  anyName,
		"a\x00b":                               anyName,
		"\xff":                                 anyName,
		"2026-11-22":                           anyName,
		"+33298300513":                         anyName,
		"5b7d0c0ffee0000000000001":             anyName,
		"b7d0c0ffee":                           anyName,
		"PBX712e-bd96-0c27":                    anyName,
		"user000001":                           anyName,
		"f47ac10b-58cc-4372-a567-0e02b2c3d479": anyName,
		strings.Repeat("a", 41):                anyName,
	} {
		if got := publicName(name); got != want {
			t.Errorf("%q is shown as %q, want %q", name, got, want)
		}
	}
}

// TestFindingsAreBounded gives every operation more unknown names than there is room for.
func TestFindingsAreBounded(t *testing.T) {
	r, name := quiet(t), 0
	for _, b := range bindings(t).All() {
		if b.VariantOf != nil || b.ResponseMedia != "" {
			continue
		}
		r.tally(b)
		for range 2 * maxOperationFind {
			name++
			r.inspect(b, "", []byte(fmt.Sprintf(`{"x%s":1}`, strings.Map(func(c rune) rune { return 'a' + c - '0' }, fmt.Sprint(name)))))
		}
	}
	found, other := 0, uint64(0)
	for _, op := range r.Report().Operations {
		if len(op.Findings) > maxOperationFind {
			t.Errorf("%s: %d findings", op.RPC, len(op.Findings))
		}
		found, other = found+len(op.Findings), other+op.Other
	}
	if found > maxFindings || other == 0 {
		t.Errorf("%d findings, %d without room", found, other)
	}
	metrics := gathered(t, r)
	if n := strings.Count(metrics, "\ngateway_drift_total{"); n > maxFindings+200 || !strings.Contains(metrics, `class="other",path="other"`) {
		t.Errorf("%d series", n)
	}
}

// gathered are a radar's metrics as text.
func gathered(t testing.TB, r *Radar) string {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(r)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, family := range families {
		for _, m := range family.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			fmt.Fprintf(&b, "\n%s{%s} %v", family.GetName(), strings.Join(labels, ","), m.GetCounter().GetValue()+m.GetGauge().GetValue())
		}
	}
	return b.String()
}

// clock is a time that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func TestAfterTheFirstOnesTheRateCounts(t *testing.T) {
	c := &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	r := New(Options{First: 3, Rate: 2, now: c.read})
	defer r.Close()
	b := binding(t, listUsers)
	for range 10 {
		r.Answered(b, "application/json", "", []byte(`{}`))
	}
	for range 4 {
		c.forward(250 * time.Millisecond)
		r.Answered(b, "application/json", "", []byte(`{}`))
	}
	settled(t, r)
	want := Answers{Answered: 14, Inspected: 3 + 1 + 2, Skipped: 8}
	if got := r.Report().Answers; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// settled returns when nothing waits.
func settled(t testing.TB, r *Radar) {
	t.Helper()
	for range 1000 {
		if a := r.Report().Answers; a.Answered == a.Inspected+a.Skipped+a.Dropped+a.Large+a.Unreadable {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("answers wait: %+v", r.Report().Answers)
}

func TestWhatCannotBeInspectedIsCounted(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(bytes.Repeat([]byte(" "), 2000))
	_ = z.Close()
	r := New(Options{MaxDocument: 1000})
	defer r.Close()
	b := binding(t, listUsers)
	r.Answered(b, "", "", make([]byte, 1001))
	r.Answered(b, "", "gzip", packed.Bytes())
	r.Answered(b, "", "gzip", []byte("no gzip"))
	r.Answered(b, "", "br", []byte("{}"))
	settled(t, r)
	if got, want := r.Report().Answers, (Answers{Answered: 4, Large: 2, Unreadable: 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestAFullQueueDropsAndNeverBlocks with a worker that is gone.
func TestAFullQueueDropsAndNeverBlocks(t *testing.T) {
	r, b := New(Options{First: 1 << 20}), binding(t, listUsers)
	r.Close()
	for range maxQueued + 10 {
		r.Answered(b, "", "", []byte("{}"))
	}
	if got, want := r.Report().Answers, (Answers{Answered: maxQueued + 10, Dropped: 10}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	big := New(Options{First: 1 << 20})
	big.Close()
	for range 20 {
		big.Answered(b, "", "", make([]byte, 1<<20))
	}
	if got := big.Report().Answers.Dropped; got != 20-maxPending>>20 {
		t.Errorf("%d MiB dropped of 20", got)
	}
}

// TestAnswersOfARealClient drift while many call, over a client that asks for gzip.
func TestAnswersOfARealClient(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Query().Get("companyId") {
		case "refused":
			w.WriteHeader(http.StatusConflict)
			_, _ = w.Write([]byte(`{"errorCode":409,"odd":1}`))
			return
		case "packed":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write([]byte(`{"data":[{"id":"1","shiny":true}],"total":"1"}`))
			_ = z.Close()
			return
		}
		_, _ = w.Write([]byte(`{"data":[{"id":"1","shiny":true},{"id":"2"}]}`))
	}))
	defer server.Close()
	radar := New(Options{First: 50, Rate: 1000, Enough: 5})
	defer radar.Close()
	client, err := upstream.New(upstream.Options{BaseURL: server.URL, Bindings: bindings(t), Radar: radar})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	users := adminv1.NewUsersServiceClient(client)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for j := range 25 {
				ctx := upstream.WithCaller(t.Context(), upstream.Caller{})
				company := []string{"plain", "packed", "refused"}[(i+j)%3]
				if company == "plain" { // as the REST door calls
					ctx = upstream.WithExchange(ctx, &upstream.Exchange{WantRaw: true})
				}
				_, err := users.ListUsers(ctx, &adminv1.ListUsersRequest{CompanyId: proto.String(company)}, grpc.EmptyCallOption{})
				if (err != nil) != (company == "refused") {
					t.Errorf("%s: %v", company, err)
				}
				if j%10 == 0 {
					_ = radar.Report()
				}
			}
		})
	}
	group.Wait()
	settled(t, radar)
	report := radar.Report()
	got := map[string]bool{}
	for _, f := range report.Operations[0].Findings {
		got[f.Path] = f.Count > 0 && f.Share > 0 && f.Share <= 1 && !f.Last.Before(f.First)
	}
	if !got["data[].shiny"] || !got["total"] || len(got) != 2 || report.Operations[0].RPC != listUsers || len(report.Operations[0].Missing) == 0 {
		t.Errorf("findings %+v", report.Operations[0].Findings)
	}
	if a := report.Answers; a.Answered < 100 || a.Answered > 140 || a.Inspected < 50 {
		t.Errorf("answers %+v of 200 calls, a third of them refused", a)
	}
	metrics := gathered(t, radar)
	for _, want := range []string{
		`gateway_drift_total{class="unknown",path="data[].shiny",rpc="` + listUsers + `"} `,
		`gateway_drift_total{class="kind",path="total",rpc="` + listUsers + `"} `,
		`gateway_drift_missing_objects{path="data[].companyId",rpc="` + listUsers + `"} `,
		`gateway_drift_answers_total{outcome="inspected",rpc="` + listUsers + `"} `,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("metrics lack %s", want)
		}
	}
	radar.Reset()
	if after := radar.Report(); len(after.Operations) > 0 || after.Answers != (Answers{}) {
		t.Errorf("after the reset: %+v", after)
	}
}
