package storetest

import (
	"context"
	"fmt"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// Company is the id of the suite's company.
const Company = "5b7d0c0ffee0000000000001"

// NewCompany is the suite's company, with everything set.
func NewCompany(recordedAt string) bulksync.Company {
	return bulksync.Company{
		ID: Company, Name: "Demo", Account: "admin@demo.example", RecordedAt: recordedAt,
		CloudPbx: &bulksync.CloudPbx{
			ID: "5b7d0c0ffee0000000000101", PbxID: "PBX712e", Name: "cloud",
			Ranges: []bulksync.Range{{First: "81000", Last: "81999"}},
		},
		Systems: []bulksync.System{{ID: "5b7d0c0ffee0000000000102", PbxID: "PBX11aa", Name: "old"}},
	}
}

// Login is the login of the suite's user n.
func Login(n int) bulksync.Login { return bulksync.Login(fmt.Sprintf("user%07d@demo.example", n)) }

// User is the suite's user n.
func User(n int) *bulksync.User {
	return &bulksync.User{
		ID: fmt.Sprintf("5b7d0c0ffee1%012d", n), Login: Login(n),
		Attributes: []bulksync.Attribute{
			{Name: "businessPhone0", Value: fmt.Sprintf("+33298%06d", n)}, {Name: "country", Value: "FRA"},
			{Name: "firstName", Value: fmt.Sprintf("Zoé %d", n)}, {Name: "jobTitle", Value: "operator, <night> & \"day\""},
			{Name: "lastName", Value: fmt.Sprintf("Kérouédan %d", n)}, {Name: "language", Value: "fr"},
		},
		Licences: []string{"5b7d0c0ffee0000000000301"},
		Admin:    n == 0,
	}
}

// Extension is the subscriber of user n.
func Extension(n int) *bulksync.Extension {
	return &bulksync.Extension{
		ID: fmt.Sprintf("5b7d0c0ffee2%012d", n), SystemID: "5b7d0c0ffee0000000000101", PbxID: "PBX712e",
		Number: bulksync.Number(fmt.Sprintf("8%07d", n)), Role: bulksync.RoleSubscriber,
		Holder: Login(n), HolderID: fmt.Sprintf("5b7d0c0ffee1%012d", n),
	}
}

// Device is a device of user n.
func Device(n int) *bulksync.Device {
	return &bulksync.Device{
		ID: fmt.Sprintf("5b7d0c0ffee3%012d", n), Address: bulksync.DeviceKey(fmt.Sprintf("aabb%08x", n)), Model: "ALE-300",
		Holder: Login(n), HolderID: fmt.Sprintf("5b7d0c0ffee1%012d", n), SubscriberID: fmt.Sprintf("5b7d0c0ffee2%012d", n),
	}
}

// DDI is a public number that user n has.
func DDI(n int) *bulksync.DDI {
	return &bulksync.DDI{
		ID: fmt.Sprintf("5b7d0c0ffee4%012d", n), Number: bulksync.E164(fmt.Sprintf("+3329%07d", n)), Holder: Login(n),
	}
}

// FreeDDI is a public number that nobody has.
func FreeDDI(n int) *bulksync.DDI {
	d := DDI(n)
	d.Holder = ""
	return d
}

// Licence is a subscription of the company.
func Licence(n int) *bulksync.Licence {
	return &bulksync.Licence{
		ID: fmt.Sprintf("5b7d0c0ffee0%012d", 300+n), OfferID: "5b7d0c0ffee0000000000401", Offer: "Enterprise Demo",
		Max: -1, Assigned: n, Status: "active", Default: true,
	}
}

// Populate is a company of some users: each has an extension, a device and a DDI.
func Populate(users int) []bulksync.Record {
	records := []bulksync.Record{Licence(1)}
	for n := range users {
		records = append(records, User(n), Extension(n), Device(n), DDI(n))
	}
	return records
}

// Refresh records a state.
func Refresh(t testing.TB, s bulksync.Store, c bulksync.Company, records []bulksync.Record) {
	t.Helper()
	err := s.Record(context.Background(), func(put func(bulksync.Record) error) (bulksync.Company, error) {
		for _, r := range records {
			if err := put(r); err != nil {
				return c, err
			}
		}
		return c, nil
	})
	if err != nil {
		t.Fatalf("Record: %v", err)
	}
}

// Observe opens a view that the test closes.
func Observe(t testing.TB, s bulksync.Store, company string) bulksync.Snapshot {
	t.Helper()
	view, err := s.Observed(context.Background(), company)
	if err != nil {
		t.Fatalf("Observed(%q): %v", company, err)
	}
	t.Cleanup(func() {
		if err := view.Close(); err != nil {
			t.Errorf("snapshot: %v", err)
		}
	})
	return view
}

// CheckState compares all that a store shows of a company with what it should hold: records one by one, walks and index.
func CheckState(t testing.TB, s bulksync.Store, want bulksync.Company, records []bulksync.Record) {
	t.Helper()
	view, err := s.Observed(context.Background(), want.ID)
	if err != nil {
		t.Fatalf("Observed(%q): %v", want.ID, err)
	}
	CheckView(t, view, bulksync.NewWorld(want, records...), records)
	if len(records) < 200 {
		checkOverlay(t, view, want, records)
	}
	if err := view.Close(); err != nil {
		t.Errorf("snapshot: %v", err)
	}
}

// checkOverlay lays changes over a view: every other record is removed, or made anew.
func checkOverlay(t testing.TB, view bulksync.Observed, want bulksync.Company, records []bulksync.Record) {
	t.Helper()
	var changes []bulksync.RecordChange
	for i, r := range records {
		if r.Key().Kind != bulksync.KindUser && i%2 == 0 {
			changes = append(changes, bulksync.RecordChange{Key: r.Key()})
		}
	}
	laid, whole := bulksync.Overlay(view), bulksync.NewWorld(want, records...)
	laid.Apply(changes)
	whole.Apply(changes)
	CheckView(t, laid, whole, records)
}

// CheckView compares a view with a world, also for the keys and holders of the given records.
func CheckView(t testing.TB, got, want bulksync.Observed, records []bulksync.Record) {
	t.Helper()
	if diff := cmp.Diff(want.Company(), got.Company()); diff != "" {
		t.Errorf("company (-want +got):\n%s", diff)
	}
	for _, kind := range bulksync.Kinds() {
		w, g := walk(want, kind), walk(got, kind)
		if !reflect.DeepEqual(w, g) { // cmp alone would take seconds
			t.Errorf("records of kind %s (-want +got):\n%s", kind, cmp.Diff(w, g))
		}
	}
	for _, r := range records {
		if w, g := want.Record(r.Key()), got.Record(r.Key()); !reflect.DeepEqual(w, g) {
			t.Errorf("record %s (-want +got):\n%s", r.Key(), cmp.Diff(w, g))
		}
		for _, login := range []bulksync.Login{r.HeldBy(), bulksync.Login(r.Key().ID)} {
			if w, g := want.Held(login), got.Held(login); len(w)+len(g) > 0 && !cmp.Equal(w, g) {
				t.Errorf("Held(%q) = %v, want %v", login, g, w)
			}
			if diff := cmp.Diff(glimpse(want, login), glimpse(got, login)); diff != "" {
				t.Errorf("glimpse of %q (-want +got):\n%s", login, diff)
			}
		}
	}
}

// glimpse is what an Observed shows of a user at a glimpse, or what it tells of him when it knows none; empty without him.
func glimpse(o bulksync.Observed, login bulksync.Login) string {
	words := ""
	look := func(g *bulksync.Glimpse) {
		words = string(g.ID)
		for _, a := range g.Attributes {
			words += fmt.Sprintf(" %s=%q", a.Name, a.Value)
		}
		words += fmt.Sprintf(" %q", g.Licences)
		for _, k := range g.Held {
			words += fmt.Sprintf(" %s/%s", k.Kind, k.ID)
		}
	}
	if g, ok := o.(bulksync.Glimpser); ok {
		g.Glimpse(login, look)
	} else if u, ok := o.Record(login.Key()).(*bulksync.User); ok {
		look(bulksync.NewGlimpse(u, o.Held(login)))
	}
	return words
}

func walk(o bulksync.Observed, kind bulksync.Kind) []bulksync.Record {
	var all []bulksync.Record
	for r := range o.Records(kind) {
		all = append(all, r)
	}
	return all
}
