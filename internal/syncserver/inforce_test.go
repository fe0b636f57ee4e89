package syncserver_test

import (
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// TestManifestsAreInForceSideBySide: a list of moves does not take the place of the company's manifest, repairs leave what is in
// force as it is, and one is forgotten over REST.
func TestManifestsAreInForceSideBySide(t *testing.T) {
	g := newGateway(t, 4)
	url := door(t, g)
	applyAs := func(name, manifest string) {
		t.Helper()
		file := []*syncv1.ManifestFile{{Name: name, Content: []byte(manifest)}}
		plan, err := g.plans.CreatePlan(g.ctx(), &syncv1.CreatePlanRequest{Parent: parent, Manifest: file})
		if err != nil {
			t.Fatal(err)
		}
		if plan.GetInForce() {
			t.Fatalf("%s is in force before it is applied", name)
		}
		g.applied(&syncv1.ApplyPlanRequest{Name: plan.GetName(), Manifest: file})
	}
	look := func() *syncv1.Drift {
		t.Helper()
		d, err := g.drifts.CheckDrift(g.ctx(), &syncv1.CheckDriftRequest{Name: parent + "/drift", Refresh: true, SavePlan: true})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	company := header + "upsert;user0001@demo.example;Ann;;;;\nupsert;user0002@demo.example;Bea;;;;\n"
	applyAs("company.csv", company)
	applyAs("moves.csv", header+"upsert;user0002@demo.example;Bob;;;;\n")
	if d := look(); d.GetDifferenceCount() != 0 {
		t.Fatalf("both were just applied, and drift is %v", d)
	}

	rename := func(login bulksync.Login, name string) {
		g.upstream.mu.Lock()
		defer g.upstream.mu.Unlock()
		u := *g.upstream.world.Record(login.Key()).(*bulksync.User)
		u.Attributes = []bulksync.Attribute{{Name: "firstName", Value: name}}
		g.upstream.world.Apply([]bulksync.RecordChange{{Key: u.Key(), Record: &u}})
	}
	rename("user0001@demo.example", "Spy")
	rename("user0002@demo.example", "Spy")
	d := look()
	if m := d.GetManifests(); d.GetDifferenceCount() != 2 || len(m) != 2 || m[0].GetTitle() != "moves.csv" || m[1].GetTitle() != "company.csv" ||
		m[0].GetDifferenceCount() != 1 || m[1].GetDifferenceCount() != 1 || m[0].GetPlan() == "" || m[1].GetPlan() == "" || d.GetPlan() != m[0].GetPlan() {
		t.Fatalf("drift is %v", d)
	}
	list, err := g.drifts.ListDriftDifferences(g.ctx(), &syncv1.ListDriftDifferencesRequest{Parent: parent + "/drift"})
	if err != nil || len(list.GetDifferences()) != 2 || list.GetDifferences()[0].GetManifest() != "company.csv" || list.GetDifferences()[1].GetManifest() != "moves.csv" {
		t.Errorf("differences are %v, %v", list, err)
	}
	for _, m := range d.GetManifests() {
		g.applied(&syncv1.ApplyPlanRequest{Name: m.GetPlan()})
	}
	if d = look(); d.GetDifferenceCount() != 0 || len(d.GetManifests()) != 2 || d.GetManifests()[0].GetTitle() != "moves.csv" {
		t.Errorf("repaired, and drift is %v", d)
	}

	status, _ := send(t, http.MethodPost, url+parent+"/drift:forget", `{"title":"moves.csv"}`)
	if status != http.StatusOK {
		t.Fatalf("forgetting gives %d", status)
	}
	if d = look(); d.GetDifferenceCount() != 1 || len(d.GetManifests()) != 0 || d.GetSources()[0] != "company.csv" || !strings.Contains(d.GetSummary(), "1 user") {
		t.Errorf("the moves are forgotten, so that Bob should be Bea: %v", d)
	}
	_, err = g.drifts.ForgetManifest(g.ctx(), &syncv1.ForgetManifestRequest{Name: parent + "/drift", Title: "moves.csv"})
	wantCode(t, err, codes.NotFound)
	_, err = g.drifts.ForgetManifest(g.ctx(), &syncv1.ForgetManifestRequest{Name: parent + "/drift"})
	wantCode(t, err, codes.InvalidArgument)
}
