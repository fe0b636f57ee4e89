package rainbow

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// records makes the answer of Read comparable.
func records(found map[bulksync.Key]bulksync.Record) map[string]string {
	all := map[string]string{}
	for k, r := range found {
		all[k.String()] = bulksync.Hash(r)
	}
	return all
}

func wanted(obs bulksync.Observed, keys []bulksync.Key) map[string]string {
	all := map[string]string{}
	for _, k := range keys {
		if r := obs.Record(k); r != nil {
			all[k.String()] = bulksync.Hash(r)
		}
	}
	return all
}

func allKeys(obs bulksync.Observed) []bulksync.Key {
	var keys []bulksync.Key
	for _, kind := range bulksync.Kinds() {
		for r := range obs.Records(kind) {
			keys = append(keys, r.Key())
		}
	}
	return keys
}

func TestReadGivesWhatObserveGives(t *testing.T) {
	s := newStage(t, 60, Options{PageSize: 40})
	w := s.world()
	nothing := bulksync.NewWorld(w.Company())
	few := []bulksync.Key{
		seeded(1).Key(), seeded(2).Key(), bulksync.Login("nobody@sandbox.example").Key(),
		bulksync.ExtensionKey(cloudPbxID, "80001"), bulksync.ExtensionKey(cloudPbxID, "80777"), bulksync.ExtensionKey(cloudPbxID, "2990"), bulksync.ExtensionKey(oxePbxID, "3000"),
		bulksync.DeviceKey("020000000001").Key(), bulksync.DeviceKey("ipei:03807e7898").Key(), bulksync.DeviceKey("aabbccddeeaa").Key(), mac(1).Key(),
		ddi(0).Key(), ddi(21).Key(), ddi(98).Key(), bulksync.E164("+33298309999").Key(),
	}
	for r := range w.Records(bulksync.KindDevice) {
		if k := r.Key(); len(k.ID) > 12 {
			few = append(few, k) // also the generic device, known by its id only
		}
	}
	for r := range w.Records(bulksync.KindLicence) {
		few = append(few, r.Key())
	}
	for _, c := range []struct {
		name     string
		observed bulksync.Observed
		keys     []bulksync.Key
		lists    bool
	}{
		{"few that are recorded", w, few, false},
		{"few that are not recorded", nothing, few, false},
		{"many", w, allKeys(w), true},
		{"many that are not recorded", nothing, allKeys(w), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.client.reset()
			found, err := s.target.Read(t.Context(), w.Company(), c.observed, c.keys)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(wanted(w, c.keys), records(found)); diff != "" {
				t.Errorf("records differ (-want +got):\n%s", diff)
			}
			calls := s.client.reset()
			if single := calls["GetUser"] + calls["GetSystemPhoneNumber"] + calls["GetSipDevice"]; c.lists && single > 0 {
				t.Errorf("many records are read one by one: %v", calls)
			}
		})
	}
}

func TestReadSeesWhatChanged(t *testing.T) {
	s := newStage(t, 3, Options{})
	before := s.world()
	s.succeed(s.plan(bulksync.Policy{},
		user(seeded(1), func(u *bulksync.DesiredUser) { u.Action, u.Presence = "delete", bulksync.Absent }),
		user("new@sandbox.example", func(u *bulksync.DesiredUser) {
			u.Attributes, u.Subscriber = attrs("firstName", "New", "lastName", "Comer"), bulksync.Having[bulksync.Number]("80001")
		}),
		user(seeded(2), func(u *bulksync.DesiredUser) { u.DDIs = bulksync.Having(ddi(21)) }),
	))
	now := s.world()
	keys := []bulksync.Key{
		seeded(1).Key(), bulksync.Login("new@sandbox.example").Key(), bulksync.ExtensionKey(cloudPbxID, "80001"),
		bulksync.DeviceKey("020000000001").Key(), ddi(21).Key(),
	}
	found, err := s.target.Read(t.Context(), before.Company(), before, keys)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wanted(now, keys), records(found)); diff != "" {
		t.Errorf("records differ (-want +got):\n%s", diff)
	}
	if found[seeded(1).Key()] != nil {
		t.Error("the terminated user is still there")
	}
	if e := found[bulksync.ExtensionKey(cloudPbxID, "80001")]; e == nil || e.HeldBy() != "new@sandbox.example" {
		t.Errorf("extension is %+v, want it held by the new user", e)
	}
}

func TestReadIsAnErrorWhenUpstreamIsDown(t *testing.T) {
	s := newStage(t, 2, Options{})
	w := s.world()
	for _, k := range slices.SortedFunc(maps.Keys(map[bulksync.Key]bool{
		seeded(1).Key(): true, bulksync.ExtensionKey(oxePbxID, "3000"): true, mac(1).Key(): true, ddi(1).Key(): true,
	}), bulksync.Key.Compare) {
		s.faults(sandbox.Fault{Path: "/api/rainbow/**", Status: 500})
		if found, err := s.target.Read(t.Context(), w.Company(), w, []bulksync.Key{k}); err == nil {
			t.Errorf("%s: got %v and no error", k, found)
		}
	}
}
