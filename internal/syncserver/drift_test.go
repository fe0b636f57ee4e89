package syncserver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
	"github.com/rainbow-gateway/rainbow-gateway/internal/syncserver"
)

const driftName = parent + "/drift"

// driftManifest names two users of whom much can be changed behind its back.
const driftManifest = header + "upsert;user0000@demo.example;Ann;;;33298300510;\nupsert;user0001@demo.example;Ben;;;33298300511;\n"

// newDriftGateway gives a gateway in which driftManifest is in force.
func newDriftGateway(t *testing.T, o syncserver.DriftOptions) *gateway {
	t.Helper()
	g := &gateway{t: t, upstream: newUpstream(3), path: filepath.Join(t.TempDir(), "state.db"), drift: o}
	g.start(true)
	g.refresh()
	g.putInForce(driftManifest)
	return g
}

func (g *gateway) putInForce(manifest string) *syncv1.Run {
	g.t.Helper()
	run := g.rest(g.apply(g.plan(manifest), manifest))
	if run.GetState() != syncv1.Run_STATE_SUCCEEDED {
		g.t.Fatalf("run is %s: %s", run.GetState(), run.GetMessage())
	}
	return run
}

// meddle changes upstream as somebody would who does not know of the manifest.
func (g *gateway) meddle(name string, user int) {
	g.upstream.mu.Lock()
	defer g.upstream.mu.Unlock()
	old := g.upstream.world.Record(userLogin(user).Key()).(*bulksync.User)
	next := *old
	next.Attributes = []bulksync.Attribute{{Name: "firstName", Value: name}, {Name: "lastName", Value: "X"}}
	g.upstream.world.Apply([]bulksync.RecordChange{{Key: next.Key(), Record: &next}})
}

// takeDDI frees a DDI upstream.
func (g *gateway) takeDDI(number bulksync.E164) {
	g.upstream.mu.Lock()
	defer g.upstream.mu.Unlock()
	next := *g.upstream.world.Record(number.Key()).(*bulksync.DDI)
	next.Holder, next.HolderID = "", ""
	g.upstream.world.Apply([]bulksync.RecordChange{{Key: next.Key(), Record: &next}})
}

func (g *gateway) checkDrift(req *syncv1.CheckDriftRequest) *syncv1.Drift {
	g.t.Helper()
	req.Name = driftName
	d, err := g.drifts.CheckDrift(g.ctx(), req)
	if err != nil {
		g.t.Fatal(err)
	}
	return d
}

func TestDriftIsFoundShownAndRepaired(t *testing.T) {
	g := newDriftGateway(t, syncserver.DriftOptions{})
	if d := g.checkDrift(&syncv1.CheckDriftRequest{Refresh: true, SavePlan: true}); d.GetDifferenceCount() != 0 || d.GetHash() != "" || d.GetPlan() != "" {
		t.Fatalf("drift right after the run: %v", d)
	}
	g.meddle("Zoe", 0)
	g.takeDDI("+33298300511")
	g.meddle("Somebody", 2) // of whom the manifest says nothing
	if d := g.checkDrift(&syncv1.CheckDriftRequest{}); d.GetDifferenceCount() != 0 {
		t.Errorf("the recorded state was compared, and drift is %v", d)
	}
	d := g.checkDrift(&syncv1.CheckDriftRequest{Refresh: true, SavePlan: true})
	if d.GetDifferenceCount() != 2 || d.GetUserCount() != 2 || d.GetOperationCount() != 2 || len(d.GetCounts()) != 2 || d.GetHash() == "" ||
		d.GetSources()[0] != "users.csv" || d.GetName() != driftName || d.GetSummary() != "Drift: 2 differences (1 user, 1 DDI)." {
		t.Errorf("drift is %v", d)
	}
	again := g.checkDrift(&syncv1.CheckDriftRequest{Refresh: true})
	if again.GetHash() != d.GetHash() || !again.GetSinceTime().AsTime().Equal(d.GetSinceTime().AsTime()) {
		t.Errorf("the same drift has hash %s since %s, then %s since %s", d.GetHash(), d.GetSinceTime().AsTime(), again.GetHash(), again.GetSinceTime().AsTime())
	}
	got, err := g.drifts.GetDrift(g.ctx(), &syncv1.GetDriftRequest{Name: "companies/-/drift"})
	if err != nil || got.GetHash() != d.GetHash() {
		t.Errorf("GetDrift = %v, %v", got, err)
	}
	var words []string
	list := &syncv1.ListDriftDifferencesRequest{Parent: driftName, PageSize: 1}
	for {
		page, err := g.drifts.ListDriftDifferences(g.ctx(), list)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range page.GetDifferences() {
			words = append(words, x.GetLogin()+" "+x.GetKind().String()+" "+x.GetWhat().String()+" "+x.GetWords())
		}
		if list.PageToken = page.GetNextPageToken(); list.PageToken == "" {
			break
		}
	}
	want := []string{
		`user0000@demo.example KIND_USER WHAT_CHANGED firstName is "Zoe", the manifest wants "Ann"`,
		"user0001@demo.example KIND_DDI WHAT_MISSING DDI +33298300511 was detached from user0001@demo.example",
	}
	if strings.Join(words, "\n") != strings.Join(want, "\n") {
		t.Errorf("differences are\n%s\nwant\n%s", strings.Join(words, "\n"), strings.Join(want, "\n"))
	}
	plan, err := g.plans.GetPlan(g.ctx(), &syncv1.GetPlanRequest{Name: d.GetPlan()})
	if err != nil || plan.GetOperationCount() != 2 || plan.GetSources()[0] != "users.csv" || plan.GetCreator() == "" {
		t.Fatalf("the repair is %v, %v", plan, err)
	}
	if run := g.rest(g.apply(plan, driftManifest)); run.GetState() != syncv1.Run_STATE_SUCCEEDED {
		t.Fatalf("the repair %s: %s", run.GetState(), run.GetMessage())
	}
	if d := g.checkDrift(&syncv1.CheckDriftRequest{Refresh: true}); d.GetDifferenceCount() != 0 {
		t.Errorf("after the repair drift is %v", d)
	}
}

func TestDriftNeedsSomethingToCompareWith(t *testing.T) {
	g := newGateway(t, 1)
	for _, refresh := range []bool{false, true} {
		_, err := g.drifts.CheckDrift(g.ctx(), &syncv1.CheckDriftRequest{Name: driftName, Refresh: refresh})
		if reason := wantCode(t, err, codes.FailedPrecondition); reason != "NO_MANIFEST_IN_FORCE" {
			t.Errorf("reason %s", reason)
		}
	}
	_, err := g.drifts.GetDrift(g.ctx(), &syncv1.GetDriftRequest{Name: driftName})
	wantCode(t, err, codes.NotFound)
	for _, name := range []string{"", "companies/1", "companies/a/state", "companies/../drift"} {
		_, err := g.drifts.CheckDrift(g.ctx(), &syncv1.CheckDriftRequest{Name: name})
		wantCode(t, err, codes.InvalidArgument)
	}
	_, err = g.drifts.RenderDrift(g.ctx(), &syncv1.RenderDriftRequest{Name: driftName, Format: 9})
	wantCode(t, err, codes.InvalidArgument)
}

func TestAPageOfAnOlderLookIsRefused(t *testing.T) {
	g := newDriftGateway(t, syncserver.DriftOptions{})
	g.meddle("Zoe", 0)
	g.meddle("Zoe", 1)
	g.checkDrift(&syncv1.CheckDriftRequest{Refresh: true})
	page, err := g.drifts.ListDriftDifferences(g.ctx(), &syncv1.ListDriftDifferencesRequest{Parent: driftName, PageSize: 1})
	if err != nil || page.GetNextPageToken() == "" {
		t.Fatalf("page %v, %v", page, err)
	}
	g.checkDrift(&syncv1.CheckDriftRequest{Refresh: true})
	_, err = g.drifts.ListDriftDifferences(g.ctx(), &syncv1.ListDriftDifferencesRequest{Parent: driftName, PageSize: 1, PageToken: page.GetNextPageToken()})
	wantCode(t, err, codes.InvalidArgument)
	only, err := g.drifts.ListDriftDifferences(g.ctx(), &syncv1.ListDriftDifferencesRequest{Parent: driftName, Kind: syncv1.Kind_KIND_DDI})
	if err != nil || len(only.GetDifferences()) != 0 {
		t.Errorf("differences of DDIs: %v, %v", only, err)
	}
}

func TestNobodyLooksForDriftWhileARunGoesOn(t *testing.T) {
	g := newDriftGateway(t, syncserver.DriftOptions{})
	release := g.upstream.hold()
	defer release()
	run := g.apply(g.plan(newUsers(0, 1)), newUsers(0, 1))
	g.upstream.waitBegun(t)
	_, err := g.drifts.CheckDrift(g.ctx(), &syncv1.CheckDriftRequest{Name: driftName})
	if reason := wantCode(t, err, codes.FailedPrecondition); reason != "RUN_GOING_ON" {
		t.Errorf("reason %s", reason)
	}
	release()
	g.rest(run)
	g.checkDrift(&syncv1.CheckDriftRequest{})
}

func TestDriftOverREST(t *testing.T) {
	g := newDriftGateway(t, syncserver.DriftOptions{})
	g.meddle("Zoe|<b>", 0)
	base := door(t, g) + driftName
	code, answer := call(t, http.MethodPost, base+":check", `{"refresh":true}`)
	if code != http.StatusOK || answer["differenceCount"] != float64(1) {
		t.Fatalf("%d %v", code, answer)
	}
	if code, answer = call(t, http.MethodGet, base, ""); code != http.StatusOK || answer["summary"] != "Drift: 1 difference (1 user)." {
		t.Errorf("%d %v", code, answer)
	}
	if code, answer = call(t, http.MethodGet, base+"/differences", ""); code != http.StatusOK || len(answer["differences"].([]any)) != 1 {
		t.Errorf("%d %v", code, answer)
	}
	for format, want := range map[string]string{
		"FORMAT_TEXT": `firstName is "Zoe|<b>", the manifest wants "Ann"`, "FORMAT_JSON": `"found": "Zoe|<b>"`, "FORMAT_MARKDOWN": `Zoe\|\<b\>`,
	} {
		if code, text := send(t, http.MethodGet, base+":render?format="+format, ""); code != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s", format, code, text)
		}
	}
	stream, err := g.drifts.DownloadDrift(g.ctx(), &syncv1.RenderDriftRequest{Name: driftName})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	for {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text.Write(part.GetData())
	}
	if !strings.Contains(text.String(), "Drift: 1 difference") {
		t.Errorf("downloaded %s", text.String())
	}
}

// confidant takes messages about drift, and fails as often as it is told to.
type confidant struct {
	mu    sync.Mutex
	fails int
	ids   []string
	got   chan map[string]any
}

func newConfidant(fails int) *confidant {
	return &confidant{fails: fails, got: make(chan map[string]any, 100)}
}

func (c *confidant) tell(_ context.Context, id string, body []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ids = append(c.ids, id)
	if c.fails--; c.fails >= 0 {
		return errors.New("out of reach")
	}
	var news map[string]any
	if err := json.Unmarshal(body, &news); err != nil {
		return err
	}
	c.got <- news
	return nil
}

func (c *confidant) said() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ids
}

func TestDriftIsToldWhenItChanges(t *testing.T) {
	c := newConfidant(1)
	g := newDriftGateway(t, syncserver.DriftOptions{Tell: c.tell})
	check := func() { g.checkDrift(&syncv1.CheckDriftRequest{Refresh: true}) }
	check() // none, which is no news
	g.meddle("Zoe", 0)
	check() // fails
	waitFor(t, func() bool { return len(c.said()) == 1 })
	check() // the same news
	first := receive(t, c.got)
	data := first["data"].(map[string]any)
	if first["type"] != "drift.found" || data["differences"] != float64(1) || data["details"] != nil || data["name"] != driftName || data["operations"] != float64(1) {
		t.Errorf("told %v", first)
	}
	if text, _ := json.Marshal(first); bytes.Contains(text, []byte("user0000")) || bytes.Contains(text, []byte("Zoe")) {
		t.Errorf("told of people: %s", text)
	}
	if ids := c.said(); ids[0] != ids[1] {
		t.Errorf("the same news came as %s and %s", ids[0], ids[1])
	}
	waitFor(t, func() bool {
		d, err := g.store.Drift(context.Background(), companyID)
		return err == nil && d.Told == d.Hash
	})
	check() // no news
	g.meddle("Zoe", 1)
	check()
	if second := receive(t, c.got); second["data"].(map[string]any)["differences"] != float64(2) {
		t.Errorf("told %v", second)
	}
	waitFor(t, func() bool {
		d, err := g.store.Drift(context.Background(), companyID)
		return err == nil && d.Told == d.Hash
	})
	g.close(5 * time.Second) // who restarts does not tell again
	g.start(true)
	g.checkDrift(&syncv1.CheckDriftRequest{Refresh: true})
	g.meddle("Ann", 0)
	g.meddle("Ben", 1)
	check()
	if last := receive(t, c.got); last["type"] != "drift.gone" {
		t.Errorf("told %v", last)
	}
	if n := len(c.said()); n != 4 {
		t.Errorf("%d messages, want 4: %v", n, c.said())
	}
}

func TestDetailsAreToldWhenAskedFor(t *testing.T) {
	c := newConfidant(0)
	g := newDriftGateway(t, syncserver.DriftOptions{Tell: c.tell, Details: true})
	g.meddle("Zoe", 0)
	g.checkDrift(&syncv1.CheckDriftRequest{Refresh: true})
	details := receive(t, c.got)["data"].(map[string]any)["details"].([]any)
	if len(details) != 1 || details[0].(map[string]any)["login"] != "user0000@demo.example" || details[0].(map[string]any)["kind"] != "user" {
		t.Errorf("details %v", details)
	}
}

// waitFor waits until something holds.
func waitFor(t *testing.T, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not come to hold within 10 s")
		}
	}
}

// metric gives the value of a metric by its name and labels, as Prometheus shows them.
func metric(t *testing.T, reg *prometheus.Registry, name string, labels ...string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
	next:
		for _, m := range f.GetMetric() {
			for i := 0; i < len(labels); i += 2 {
				found := false
				for _, l := range m.GetLabel() {
					found = found || l.GetName() == labels[i] && l.GetValue() == labels[i+1]
				}
				if !found {
					continue next
				}
			}
			return m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return 0
}

func TestDriftIsLookedForOnSchedule(t *testing.T) {
	c, reg := newConfidant(0), prometheus.NewRegistry()
	g := newDriftGateway(t, syncserver.DriftOptions{Every: 50 * time.Millisecond, Tell: c.tell, Registry: reg})
	checks := func(result string) float64 {
		return metric(t, reg, "gateway_drift_checks_total", "company", companyID, "result", result)
	}
	waitFor(t, func() bool { return checks("none") > 1 })
	g.meddle("Zoe", 0)
	if news := receive(t, c.got); news["type"] != "drift.found" {
		t.Errorf("told %v", news)
	}
	waitFor(t, func() bool {
		return metric(t, reg, "gateway_drift_operations", "company", companyID, "kind", "user") == 1 &&
			metric(t, reg, "gateway_drift_differences", "company", companyID, "kind", "user") == 1 && checks("drift") > 0
	})
	if at := metric(t, reg, "gateway_drift_check_timestamp_seconds", "company", companyID); time.Since(time.UnixMilli(int64(at*1000))) > time.Minute {
		t.Errorf("compared at %v", at)
	}

	release := g.upstream.hold() // a run goes on
	run := g.apply(g.plan(newUsers(0, 1)), newUsers(0, 1))
	g.upstream.waitBegun(t)
	before := checks("skipped")
	waitFor(t, func() bool { return checks("skipped") > before })
	release()
	if g.rest(run).GetState() != syncv1.Run_STATE_SUCCEEDED { // and another manifest is in force
		t.Error("the run did not succeed beside the schedule")
	}

	g.upstream.mu.Lock()
	g.upstream.failing = status.Error(codes.Unavailable, "out of reach")
	g.upstream.mu.Unlock()
	before = checks("skipped") + checks("failed")
	waitFor(t, func() bool { return checks("skipped")+checks("failed") > before+1 })
	if metric(t, reg, "gateway_drift_messages_total", "company", companyID, "result", "delivered") == 0 {
		t.Error("no message is counted")
	}
}

func TestACloseEndsLooksAndMessages(t *testing.T) {
	told := make(chan struct{}, 10)
	tell := func(ctx context.Context, _ string, _ []byte) error {
		told <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}
	g := newDriftGateway(t, syncserver.DriftOptions{Every: 20 * time.Millisecond, Tell: tell})
	g.meddle("Zoe", 0)
	receive(t, told)
	g.upstream.mu.Lock()
	g.upstream.reading = make(chan struct{}) // upstream hangs
	g.upstream.mu.Unlock()
	time.Sleep(50 * time.Millisecond)
	began := time.Now()
	g.close(5 * time.Second)
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("closing took %s", took)
	}
	g.start(true)
	d, err := g.store.Drift(context.Background(), companyID)
	if err != nil || d.Hash == "" || d.Told != "" {
		t.Errorf("kept %+v, %v; want drift that nobody was told of", d, err)
	}
}

// TestAManifestThatHoldsAlreadyIsPutIntoForce: whoever exports a company and applies the export means that to stay.
func TestAManifestThatHoldsAlreadyIsPutIntoForce(t *testing.T) {
	g := newGateway(t, 2)
	manifest := header + "upsert;user0000@demo.example;Ann;;;;\n"
	plan := g.plan(manifest)
	if plan.GetOperationCount() != 0 || plan.GetInForce() {
		t.Fatalf("plan %v", plan)
	}
	if run := g.rest(g.apply(plan, manifest)); run.GetState() != syncv1.Run_STATE_SUCCEEDED {
		t.Fatalf("run %v", run)
	}
	if again := g.plan(manifest); !again.GetInForce() {
		t.Error("the manifest was applied and is not in force")
	}
	if got, err := g.plans.GetPlan(g.ctx(), &syncv1.GetPlanRequest{Name: plan.GetName()}); err != nil || !got.GetInForce() {
		t.Errorf("the applied plan: %v, %v", got, err)
	}
	if other := g.plan(header + "upsert;user0001@demo.example;Ann;;;;\n"); other.GetInForce() {
		t.Error("another manifest is in force")
	}
	g.meddle("Zoe", 0)
	if d := g.checkDrift(&syncv1.CheckDriftRequest{Refresh: true}); d.GetDifferenceCount() != 1 {
		t.Errorf("drift %v", d)
	}
}
