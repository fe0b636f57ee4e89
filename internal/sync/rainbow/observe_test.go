package rainbow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox/sandboxtest"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

const (
	cloudPbxID = "PBX5b7d-c0ff-ee00-0000-0000-0000-0000-0101"
	oxePbxID   = sandbox.EquippedPbxPbxID
)

func count(obs bulksync.Observed, kind bulksync.Kind) int {
	n := 0
	for range obs.Records(kind) {
		n++
	}
	return n
}

func TestObserveReadsTheWholeCompany(t *testing.T) {
	s := newStage(t, 20, Options{PageSize: 7})
	w := s.world()

	for kind, want := range map[bulksync.Kind]int{
		bulksync.KindUser:      21,
		bulksync.KindExtension: 20 + 4 + 100, // subscribers, those of groups and devices, numbers of the equipped PBX
		bulksync.KindDevice:    20 + 32 + 2,  // of users, spare, generic SIP and DECT
		bulksync.KindDDI:       100,
		bulksync.KindLicence:   4,
	} {
		if got := count(w, kind); got != want {
			t.Errorf("%d records of kind %s, want %d", got, kind, want)
		}
	}
	wantCompany := bulksync.Company{
		ID: sandbox.CompanyID, Name: "Sandbox Company", Account: sandbox.AdminLogin,
		CloudPbx: &bulksync.CloudPbx{
			ID: sandbox.CloudPbxID, PbxID: cloudPbxID, Name: "cloud_pbx_Sandbox Company",
			Ranges: []bulksync.Range{{First: "2000", Last: "2999"}, {First: "80000", Last: "89999"}},
			Groups: []string{"5b7d0c0ffeeb00000000000b", "5b7d0c0ffeeb000000000015", "5b7d0c0ffeeb000000000017"},
			Barring: &bulksync.BarringChoices{
				Permissions: []string{"local", "nat_local", "int_nat_local"}, Restrictions: []string{"no_restriction", "surcharged_numbers", "custom_numbers"},
			},
		},
		Systems: []bulksync.System{{ID: sandbox.EquippedPbxID, PbxID: oxePbxID, Name: "Head office OXE"}},
	}
	company := w.Company()
	if m, ok := company.FindModel("m5"); !ok || m.ID != 23 || len(m.Modules) != 2 || m.Keys == nil || m.Keys.Number != 28 || len(m.Keys.Types) != 6 || len(company.DeviceModels) != 8 {
		t.Errorf("device models %+v", company.DeviceModels)
	}
	company.DeviceModels = nil
	if diff := cmp.Diff(wantCompany, company); diff != "" {
		t.Errorf("company differs (-want +got):\n%s", diff)
	}

	const login = bulksync.Login("user000001@sandbox.example")
	u, ok := w.Record(login.Key()).(*bulksync.User)
	if !ok {
		t.Fatalf("no user %s", login)
	}
	if u.Admin || len(u.Licences) != 2 || u.Attribute("firstName") != "Alice" || u.Attribute("isInitialized") != "true" || u.Attribute("country") != "FRA" {
		t.Errorf("user is %+v", u)
	}
	wantHeld := []bulksync.Key{
		bulksync.ExtensionKey(cloudPbxID, "80001"), bulksync.DeviceKey("020000000001").Key(), bulksync.E164("+33298300521").Key(),
	}
	if diff := cmp.Diff(wantHeld, w.Held(login)); diff != "" {
		t.Errorf("what he holds differs (-want +got):\n%s", diff)
	}
	if admin := w.Record(bulksync.Login(sandbox.AdminLogin).Key()).(*bulksync.User); !admin.Admin {
		t.Error("the administrator is not known as one")
	}
	for _, c := range []struct {
		key   bulksync.Key
		label string
	}{
		{bulksync.ExtensionKey(cloudPbxID, "2990"), "hunting group Reception"},
		{bulksync.ExtensionKey(cloudPbxID, "2991"), "device aa:bb:cc:dd:ee:ff"},
	} {
		if e, ok := w.Record(c.key).(*bulksync.Extension); !ok || !strings.HasPrefix(e.Label, c.label) || e.Holder != "" {
			t.Errorf("%s is %+v, want label %q", c.key, e, c.label)
		}
	}
	if d := w.Record(bulksync.E164("+33298300598").Key()).(*bulksync.DDI); !strings.HasPrefix(d.Label, "group ") {
		t.Errorf("DDI of the group is %+v", d)
	}
	if d := w.Record(bulksync.E164("+33298300500").Key()).(*bulksync.DDI); !d.Default || d.Label != "" {
		t.Errorf("default DDI is %+v", d)
	}
	if d := w.Record(bulksync.DeviceKey("ipei:03807e7898").Key()); d == nil {
		t.Error("the DECT handset is missing")
	}
	wantOffers := map[bulksync.Offer]string{
		"Essential": "-1 21 default", "Enterprise Demo": "1000 0 exclusive", "Voice Enterprise 3-Year prepaid": "1000 20", "Voice Attendant": "5 0",
	}
	gotOffers := map[bulksync.Offer]string{}
	for r := range w.Records(bulksync.KindLicence) {
		l := r.(*bulksync.Licence)
		words := []string{fmt.Sprint(l.Max), fmt.Sprint(l.Assigned)}
		if l.Default {
			words = append(words, "default")
		}
		if l.Exclusive {
			words = append(words, "exclusive")
		}
		if !l.Assignable() {
			words = append(words, "not assignable")
		}
		gotOffers[l.Offer] = strings.Join(words, " ")
	}
	if diff := cmp.Diff(wantOffers, gotOffers); diff != "" {
		t.Errorf("licences differ (-want +got):\n%s", diff)
	}
}

func TestObserveKeepsNoSecrets(t *testing.T) {
	s := newStage(t, 3, Options{})
	w := s.world()
	for key, record := range dump(t, w) {
		for _, word := range []string{"jid", "password", "Password"} {
			if strings.Contains(record, word) {
				t.Errorf("%s holds %q: %s", key, word, record)
			}
		}
	}
	b, err := json.Marshal(w.Company())
	if err != nil || strings.Contains(string(b), "jid") {
		t.Errorf("company holds a jid: %s, %v", b, err)
	}
}

func TestObserveReadsAThousandUsersInFewRequests(t *testing.T) {
	server := sandboxtest.Start(t, sandbox.Options{SeedUsers: 1000})
	conn := &counted{ClientConnInterface: client(t, server.URL, sandbox.AdminPassword), calls: map[string]int{}}
	w := observe(t, New(conn, Options{}))
	if n := count(w, bulksync.KindUser); n != 1001 {
		t.Errorf("%d users, want 1001", n)
	}
	calls := conn.reset()
	total := 0
	for _, n := range calls {
		total += n
	}
	if calls["ListUsers"] != 2 || total > 20 {
		t.Errorf("%d requests: %v; want two pages of users and at most 20 in all", total, calls)
	}
}

func TestWrongCredentialsAreToldAsSuch(t *testing.T) {
	server := sandboxtest.Start(t, sandbox.Options{SeedUsers: 1})
	target := New(client(t, server.URL, "Wrong-Pass-1"), Options{})
	_, err := target.Observe(t.Context(), sandbox.CompanyID, func(bulksync.Record) error { return nil })
	if !errors.Is(err, upstream.ErrCredentials) {
		t.Errorf("observe: got %v, want ErrCredentials", err)
	}
	for _, op := range []bulksync.Operation{
		{ID: 1, Action: bulksync.ActionCreate, Key: bulksync.Login("a@b.example").Key(), Login: "a@b.example"},
		{ID: 1, Action: bulksync.ActionAttach, Key: bulksync.E164("+33298300500").Key(), Login: "a@b.example"},
	} {
		call := bulksync.Call{Run: "run-1", Number: 1, Company: bulksync.Company{ID: sandbox.CompanyID}, Steps: []bulksync.Step{{
			Operation: op, Refs: bulksync.Refs{UserID: "5b7d0c0ffee0000000000001", SystemID: sandbox.CloudPbxID, ThingID: "5b7d0c0ffee0000000000001"},
		}}}
		if outcomes, err := target.Apply(t.Context(), call); !errors.Is(err, upstream.ErrCredentials) {
			t.Errorf("apply of %s: got %v, %v; want ErrCredentials", op.Title(), outcomes, err)
		}
	}
}

func TestObserveFailsWhenPutDoes(t *testing.T) {
	s := newStage(t, 3, Options{})
	full := errors.New("disk full")
	if _, err := s.target.Observe(t.Context(), sandbox.CompanyID, func(bulksync.Record) error { return full }); !errors.Is(err, full) {
		t.Errorf("got %v, want the error of put", err)
	}
}

func TestObserveFailsWhenAListDoes(t *testing.T) {
	s := newStage(t, 3, Options{})
	for _, path := range []string{"/users", "/phone-numbers", "/phone-numbers/ddi", "/devices", "/subscriptions", "/offers", "/cloudpbxs", "/numbering-plan"} {
		pattern := map[string]string{
			"/users":             "/api/rainbow/admin/v1.0/users",
			"/phone-numbers":     "/api/rainbow/admin/v1.0/systems/*/phone-numbers",
			"/phone-numbers/ddi": "/api/rainbow/rvcpprovisioning/v1.0/cloudpbxs/*/phone-numbers/ddi",
			"/devices":           "/api/rainbow/rvcpprovisioning/v1.0/cloudpbxs/*/devices",
			"/subscriptions":     "/api/rainbow/subscription/v1.0/companies/*/subscriptions",
			"/offers":            "/api/rainbow/subscription/v1.0/companies/*/offers",
			"/cloudpbxs":         "/api/rainbow/rvcpprovisioning/v1.0/cloudpbxs",
			"/numbering-plan":    "/api/rainbow/rvcpprovisioning/v1.0/cloudpbxs/*/numbering-plan",
		}[path]
		s.faults(sandbox.Fault{Method: http.MethodGet, Path: pattern, Status: http.StatusForbidden})
		_, err := s.target.Observe(context.Background(), sandbox.CompanyID, func(bulksync.Record) error { return nil })
		var answered *upstream.Error
		if !errors.As(err, &answered) || answered.Status != http.StatusForbidden {
			t.Errorf("%s refused: got %v", path, err)
		}
	}
}
