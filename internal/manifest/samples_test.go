package manifest

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
	"github.com/rainbow-gateway/rainbow-gateway/samples"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// sandboxWorld is the recorded state of the sandbox with so many seeded users, as far as the samples speak of it.
func sandboxWorld(users int) sandboxed {
	const cloud, oxe = "PBX5b7d-c0ff-ee00-0000-0000-0000-0000-0101", "PBXa1b2-c3d4-e5f6-4711-8899-aabb-ccdd-eeff"
	w := worldOf(
		&bulksync.Licence{ID: "1", Offer: "Essential", Status: "active", Max: -1, Default: true},
		&bulksync.Licence{ID: "2", Offer: "Enterprise Demo", Status: "active", Max: max(1000, 2*users), Exclusive: true},
		&bulksync.Licence{ID: "3", Offer: "Voice Enterprise 3-Year prepaid", Status: "active", Max: max(1000, 2*users), Assigned: users},
	)
	put := func(r bulksync.Record) { w[r.Key()] = r }
	ddis := func(n int) bulksync.E164 { return bulksync.E164(fmt.Sprintf("+33298300%03d", 500+n)) }
	for i := range 100 {
		put(&bulksync.DDI{ID: "d" + fmt.Sprint(i), Number: ddis(i)})
		put(&bulksync.Extension{ID: "p" + fmt.Sprint(i), SystemID: "5b7d0c0ffee0000000000102", PbxID: oxe, Number: bulksync.Number(fmt.Sprint(3000 + i)), Role: bulksync.RolePairing})
	}
	for i := range 32 {
		put(&bulksync.Device{ID: "s" + fmt.Sprint(i), Address: bulksync.DeviceKey(fmt.Sprintf("aabbccddee%02x", i))})
	}
	put(&bulksync.User{ID: "f", Login: "finn.dahl@demo.example"}) // as user.csv leaves them
	put(&bulksync.User{ID: "g", Login: "gaia.conti@demo.example"})
	for n := 1; n <= users; n++ {
		id := fmt.Sprint(n)
		u := &bulksync.User{
			ID: "u" + id, Login: bulksync.Login(fmt.Sprintf("user%06d@sandbox.example", n)), Licences: []string{"3"},
			Attributes: []bulksync.Attribute{{Name: "country", Value: "FRA"}, {Name: "language", Value: "fr"}, {Name: "timezone", Value: "Europe/Paris"}},
		}
		number := ddis(20 + n)
		if n > 60 {
			number = bulksync.E164(fmt.Sprintf("+33199%06d", n))
		}
		put(u)
		put(&bulksync.Extension{ID: "e" + id, PbxID: cloud, Number: bulksync.Number(fmt.Sprint(80000 + n)), Role: bulksync.RoleSubscriber, Holder: u.Login, HolderID: u.ID})
		put(&bulksync.Device{ID: "v" + id, Address: bulksync.DeviceKey(fmt.Sprintf("020000%06x", n)), Holder: u.Login, HolderID: u.ID, SubscriberID: "e" + id})
		put(&bulksync.DDI{ID: "n" + id, Number: number, Holder: u.Login, HolderID: u.ID})
	}
	return sandboxed{w, bulksync.Company{
		ID: "5b7d0c0ffee0000000000001", Account: "admin@sandbox.example",
		CloudPbx: &bulksync.CloudPbx{ID: "5b7d0c0ffee0000000000101", PbxID: cloud, Ranges: []bulksync.Range{{First: "2000", Last: "2999"}, {First: "80000", Last: "89999"}}},
		Systems:  []bulksync.System{{ID: "5b7d0c0ffee0000000000102", PbxID: oxe}},
	}}
}

// sandboxed is a world with its company.
type sandboxed struct {
	world
	company bulksync.Company
}

func (s sandboxed) Company() bulksync.Company { return s.company }

func readSample(t *testing.T, name string) (*bulksync.Desired, error) {
	t.Helper()
	text, err := fs.ReadFile(samples.Files, name)
	if err != nil {
		t.Fatal(err)
	}
	d, _, err := Read(t.Context(), []Source{{Name: "samples/" + name, Reader: bytes.NewReader(text)}}, Options{})
	return d, err
}

func TestSamplesPlan(t *testing.T) {
	tests := []struct {
		name, mode   string
		seeded, rows int
	}{
		{"rainbowvoice.csv", "rainbowvoice", 20, 10},
		{"user-template.csv", "useranddevice", 20, 3},
		{"useranddevice.csv", "useranddevice", 20, 6},
		{"user.csv", "user", 20, 4},
		{"device.csv", "device", 20, 3},
		{"company-1000.csv", "rainbowvoice", 1000, 1030},
		{"sync.csv", "useranddevice", 20, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := readSample(t, tt.name)
			if err != nil {
				t.Fatal(err)
			}
			if d.Mode != tt.mode || d.Users.Len() != tt.rows {
				t.Errorf("got mode %s with %d rows, want %s with %d", d.Mode, d.Users.Len(), tt.mode, tt.rows)
			}
			plan, err := bulksync.MakePlan(d, sandboxWorld(tt.seeded), bulksync.Policy{})
			if err != nil {
				t.Fatal(err)
			}
			if len(plan.Operations) == 0 {
				t.Error("nothing to do")
			}
			t.Logf("%d operations, %d unchanged, %v", len(plan.Operations), plan.Unchanged.Len(), plan.Remarks)
		})
	}
}

func TestBrokenSample(t *testing.T) {
	_, err := readSample(t, "broken.csv")
	var faults bulksync.Faults
	if !errors.As(err, &faults) {
		t.Fatalf("got %v", err)
	}
	got := faults.Error() + "\n"
	const golden = "testdata/broken.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-want +got), -update rewrites it:\n%s", diff)
	}
	if strings.Contains(got, "Password_") || strings.Contains(got, `"short"`) {
		t.Error("shows a password")
	}
}

func TestGeneratedSampleIsCurrent(t *testing.T) {
	want, err := fs.ReadFile(samples.Files, "company-1000.csv")
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := samples.Company(&got); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got.Bytes()) {
		t.Error("samples/company-1000.csv is stale: go run ./samples/gen > samples/company-1000.csv")
	}
}
