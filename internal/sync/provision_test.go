package sync

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// drawProvisions adds lists of devices and DDIs to a drawn manifest: some that are there and some that are not, and users
// who ask for what is to be created. The lists may be complete.
func drawProvisions(t *rapid.T, d *Desired, users []DesiredUser) {
	if rapid.IntRange(0, 2).Draw(t, "lists") > 0 {
		return
	}
	at := func(n int) Position { return Position{File: "lists.yaml", Line: n + 2} }
	for i := range 7 {
		if i > 4 || rapid.Bool().Draw(t, "listed device") {
			want := DesiredDevice{Address: device(i), Model: "M5", Description: rapid.SampledFrom([]string{"one", "two"}).Draw(t, "description"), Position: at(i)}
			modules := []DeviceModule{{1, "EM_20", "left"}, {2, "EM_200", ""}}
			want.Modules = drawWish(t, "modules", []Mood{Keep, Exactly}, modules[rapid.IntRange(0, 1).Draw(t, "first module"):])
			d.Devices = append(d.Devices, want)
		}
		if i > 4 || rapid.Bool().Draw(t, "listed DDI") {
			d.DDIs = append(d.DDIs, DesiredDDI{Number: ddi(i), Absent: rapid.IntRange(0, 4).Draw(t, "absent DDI") == 0, Position: at(10 + i)})
		}
	}
	for i := range users {
		u := &users[i]
		if u.Presence == Present && len(u.Subscriber.Keys) > 0 && i < 2 {
			if rapid.Bool().Draw(t, "a new device") {
				u.Devices = Having(device(5 + i))
			}
			if rapid.Bool().Draw(t, "a new DDI") {
				u.DDIs = Having(ddi(5 + i))
			}
		}
	}
	for i := range d.Devices {
		if rapid.Bool().Draw(t, "keys") {
			keys := []DesiredKey{{Number: 1, Type: "headset"}, {Number: 2, Type: "speeddial", Destination: "+33612345678", DisplayName: "Pat"}, {Module: 1, Number: 3, Type: "audio_hub"}}
			d.Devices[i].Keys = Having(keys[:rapid.IntRange(0, 3).Draw(t, "number of keys")]...)
		}
	}
	if rapid.IntRange(0, 2).Draw(t, "default DDI wished") == 0 {
		d.DefaultDDI = &DesiredDDI{Number: ddi(rapid.IntRange(0, 6).Draw(t, "wished default")), Position: at(30)}
	}
	drawOptions(t, d, users)
	if rapid.Bool().Draw(t, "complete lists") {
		d.Complete, d.Prune = []Kind{KindDevice, KindDDI}, PruneDelete
	}
}

// drawOptions adds options of those who are to have an extension, and settings.
func drawOptions(t *rapid.T, d *Desired, users []DesiredUser) {
	for i := range users {
		u := &users[i]
		if u.Presence != Present || len(u.Subscriber.Keys) == 0 || rapid.Bool().Draw(t, "no options") {
			continue
		}
		u.Options = []DesiredGroup{
			{Group: GroupBarring, Values: []Attribute{{"permissions", rapid.SampledFrom([]string{"", "local"}).Draw(t, "permissions")}}, Position: u.Position},
			{Group: GroupExternalForward, Values: []Attribute{{"externalCallForward", rapid.SampledFrom([]string{"", "authorized"}).Draw(t, "forward")}}, Position: u.Position},
		}
	}
	if rapid.Bool().Draw(t, "settings") {
		d.Settings = []DesiredGroup{{Group: GroupCLI, Values: []Attribute{{"policy", rapid.SampledFrom([]string{"user_ddi_number", "installation_ddi_number"}).Draw(t, "policy")}}, Position: Position{File: "lists.yaml", Line: 99}}}
	}
}

// models is a company with two models of devices.
func models(w *World) *World {
	w.company.DeviceModels = []DeviceModel{
		{ID: 12, Model: "8008", Keys: &ModelKeys{Number: 6, Types: []string{"speeddial", "monitor"}}},
		{ID: 23, Model: "M5", Modules: []string{"EM_20", "EM_200"}, Keys: &ModelKeys{Number: 28, OnModules: []int{20, 200}, Types: []string{"speeddial", "monitor", "headset"}}},
	}
	w.put(&DeviceKeys{Device: device(1), Others: []ProgrammableKey{{Number: 1, Type: "reserved"}}})
	if w.company.CloudPbx != nil {
		w.company.CloudPbx.Groups = []string{"g1"}
		w.company.CloudPbx.Barring = &BarringChoices{Permissions: []string{"local", "nat_local"}, Restrictions: []string{"no_restriction"}}
	}
	return w
}

func TestProvisioning(t *testing.T) {
	const mac = DeviceKey("020000aa0001")
	tests := []struct {
		name    string
		desired Desired
		want    string // operations, or a fault's code
	}{
		{"a device and a DDI are created before who gets them",
			Desired{
				Devices: []DesiredDevice{{Address: mac, Model: "m5", Description: "Desk", Modules: Having(DeviceModule{1, "EM_20", ""})}},
				DDIs:    []DesiredDDI{{Number: "+33298300999"}},
				Users: EntriesOf([]DesiredUser{with(entry(2, "ann@demo.example", "upsert"), func(u *DesiredUser) {
					u.Devices, u.DDIs = Adding(mac), Adding[E164]("+33298300999")
				})}...),
			},
			"create ddi/+33298300999, create device/020000aa0001, update device/020000aa0001, attach ddi/+33298300999, attach device/020000aa0001"},
		{"a description changes", Desired{Devices: []DesiredDevice{{Address: device(1), Description: "Desk"}}}, "update device/" + string(device(1))},
		{"what is there is left alone", Desired{Devices: []DesiredDevice{{Address: device(1)}}}, ""},
		{"a device without model", Desired{Devices: []DesiredDevice{{Address: mac, Description: "Desk"}}}, "device-model"},
		{"a device without description", Desired{Devices: []DesiredDevice{{Address: mac, Model: "M5"}}}, "device-description"},
		{"a model that is not supported", Desired{Devices: []DesiredDevice{{Address: mac, Model: "M9", Description: "Desk"}}}, "device-model"},
		{"a module that the model does not take", Desired{Devices: []DesiredDevice{{Address: mac, Model: "8008", Description: "Desk", Modules: Having(DeviceModule{1, "EM_20", ""})}}}, "device-module"},
		{"keys that the model has", Desired{Devices: []DesiredDevice{{Address: mac, Model: "M5", Description: "Desk", Modules: Having(DeviceModule{1, "EM_20", ""}),
			Keys: Having(DesiredKey{Number: 28, Type: "headset"}, DesiredKey{Module: 1, Number: 20, Type: "headset"})}}},
			"create device/020000aa0001, update device/020000aa0001, update keys/020000aa0001"},
		{"a key of a type that the model does not know", Desired{Devices: []DesiredDevice{{Address: mac, Model: "8008", Description: "Desk", Keys: Having(DesiredKey{Number: 1, Type: "headset"})}}}, "device-key"},
		{"a key that the phone does not have", Desired{Devices: []DesiredDevice{{Address: mac, Model: "M5", Description: "Desk", Keys: Having(DesiredKey{Number: 29, Type: "headset"})}}}, "device-key"},
		{"a key that the module does not have", Desired{Devices: []DesiredDevice{{Address: mac, Model: "M5", Description: "Desk", Modules: Having(DeviceModule{1, "EM_20", ""}),
			Keys: Having(DesiredKey{Module: 1, Number: 21, Type: "headset"})}}}, "device-key"},
		{"a key on a module that is not there", Desired{Devices: []DesiredDevice{{Address: mac, Model: "M5", Description: "Desk", Keys: Having(DesiredKey{Module: 2, Number: 1, Type: "headset"})}}}, "device-key"},
		{"a key that the phone has itself", Desired{Devices: []DesiredDevice{{Address: device(1), Keys: Having(DesiredKey{Number: 1, Type: "headset"})}}}, "device-key"},
		{"a key beside it", Desired{Devices: []DesiredDevice{{Address: device(1), Keys: Having(DesiredKey{Number: 2, Type: "headset"})}}}, "update keys/" + string(device(1))},
		{"a key to a group that is not there", Desired{Devices: []DesiredDevice{{Address: device(1), Keys: Having(DesiredKey{Number: 2, Type: "huntgroup", GroupID: "g2"})}}}, "key-target"},
		{"a key to a group", Desired{Devices: []DesiredDevice{{Address: device(1), Keys: Having(DesiredKey{Number: 2, Type: "huntgroup", GroupID: "g1"})}}}, "update keys/" + string(device(1))},
		{"barring that the Cloud PBX does not offer", Desired{Settings: []DesiredGroup{{Group: GroupBarring, Values: []Attribute{{"permissions", "everything"}}}}}, "barring-choice"},
		{"barring of the Cloud PBX as the Cloud PBX has it", Desired{Settings: []DesiredGroup{{Group: GroupBarring, Values: []Attribute{{"restrictions", "default"}}}}}, "barring-choice"},
		{"barring that it offers", Desired{Settings: []DesiredGroup{{Group: GroupBarring, Values: []Attribute{{"permissions", "nat_local"}}}}}, "update settings/barring/" + cloudID},
		{"a device twice", Desired{Devices: []DesiredDevice{{Address: device(1)}, {Address: device(1)}}}, "provided-twice"},
		{"a device that is to be left alone", Desired{Devices: []DesiredDevice{{Address: device(1)}}, Ignore: []Pattern{{KindDevice, "*"}}}, "ignored"},
		{"another company", Desired{Company: "c2"}, "other-company"},
		{"a device that is to be absent", Desired{Devices: []DesiredDevice{{Address: device(1), Absent: true}}}, "delete device/" + string(device(1))},
		{"a device that is to be absent and is held", Desired{Devices: []DesiredDevice{{Address: device(0), Absent: true}}}, "absent-held"},
		{"complete lists without prune delete nothing", Desired{Complete: []Kind{KindDevice, KindDDI}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := plannedWords(t, &tt.desired, models(demoWorld()))
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestWhatIsThereAlreadyIsNotJudged: what upstream has is proof that it can have it, whatever it says of models, groups and
// barring; what it does not say denies nothing.
func TestWhatIsThereAlreadyIsNotJudged(t *testing.T) {
	w := models(demoWorld())
	group := ProgrammableKey{Number: 7, Type: "huntgroup", GroupID: "g9"}
	w.put(&Device{ID: "d1", Address: device(1), Model: "8008"})
	w.put(&DeviceKeys{Device: device(1), Keys: []ProgrammableKey{group}})
	w.put(&Settings{PbxID: cloudID, Group: GroupBarring, Values: []Attribute{{"permissions", "abroad"}, {"restrictions", "no_restriction"}}})
	sub := SubscriberOf(w, "ann@demo.example")
	w.put(&Options{Login: "ann@demo.example", Group: GroupBarring, SubscriberID: sub.ID, Values: []Attribute{{"restrictions", "surcharged_numbers"}}})
	there := DesiredKey{Number: 7, Type: "huntgroup", GroupID: "g9"}
	barring := func(values ...Attribute) []DesiredGroup { return []DesiredGroup{{Group: GroupBarring, Values: values}} }
	ann := func(values ...Attribute) *Entries {
		return EntriesOf(with(entry(2, "ann@demo.example", "upsert"), func(u *DesiredUser) { u.Options = barring(values...) }))
	}
	for _, tt := range []struct {
		name    string
		desired Desired
		silent  bool // upstream says little
		want    string
	}{
		{name: "all as it is", desired: Desired{Devices: []DesiredDevice{{Address: device(1), Keys: Having(there)}},
			Settings: barring(Attribute{"permissions", "abroad"}), Users: ann(Attribute{"restrictions", "surcharged_numbers"})}},
		{name: "a key beside one that is as it is", desired: Desired{Devices: []DesiredDevice{{Address: device(1), Keys: Having(DesiredKey{Number: 1, Type: "monitor", Extension: sub.Number}, there)}}},
			want: "update keys/" + string(device(1))},
		{name: "another restriction beside a permission as it is",
			desired: Desired{Settings: barring(Attribute{"permissions", "abroad"}, Attribute{"restrictions", "nothing"})}, want: "barring-choice"},
		{name: "a user's restriction that is not offered", desired: Desired{Users: ann(Attribute{"restrictions", "custom_numbers"})}, want: "barring-choice"},
		{name: "restrictions when only permissions are listed", silent: true,
			desired: Desired{Settings: barring(Attribute{"restrictions", "nothing"})}, want: "update settings/barring/" + cloudID},
		{name: "the group of a key when groups are not listed", silent: true,
			desired: Desired{Devices: []DesiredDevice{{Address: device(2), Keys: Having(DesiredKey{Number: 1, Type: "huntgroup", GroupID: "g2"})}}},
			want:    "update keys/" + string(device(2))},
		{name: "a key of a module when upstream does not count them", silent: true,
			desired: Desired{Devices: []DesiredDevice{{Address: device(2), Modules: Having(DeviceModule{1, "EM_20", ""}), Keys: Having(DesiredKey{Module: 1, Number: 21, Type: "monitor", Extension: sub.Number})}}},
			want:    "update device/" + string(device(2)) + ", update keys/" + string(device(2))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			obs := Overlay(w)
			if tt.silent {
				pbx := *w.company.CloudPbx
				pbx.Groups, pbx.Barring = nil, &BarringChoices{Permissions: []string{"local"}}
				obs.company.CloudPbx = &pbx
				obs.company.DeviceModels = []DeviceModel{{ID: 23, Model: "M5", Modules: []string{"EM_20"}, Keys: &ModelKeys{Number: 28, Types: []string{"monitor", "huntgroup"}}}}
				obs.put(&Device{ID: "d2", Address: device(2), Model: "M5"})
			}
			if got := plannedWords(t, &tt.desired, obs); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// plannedWords gives the operations of a plan, or the code of the first fault.
func plannedWords(t *testing.T, d *Desired, obs Observed) string {
	t.Helper()
	plan, err := MakePlan(d, obs, Policy{})
	if faults, ok := err.(Faults); ok {
		return faults[0].Code
	}
	if err != nil {
		t.Fatal(err)
	}
	var ops []string
	for _, op := range plan.Operations {
		ops = append(ops, fmt.Sprintf("%s %s", op.Action, op.Key))
	}
	return strings.Join(ops, ", ")
}

// TestCompleteListsDeleteWhatNobodyHolds: what a complete list leaves out goes, but not what is held, or the default DDI.
func TestCompleteListsDeleteWhatNobodyHolds(t *testing.T) {
	w := NewWorld(Company{ID: "c1", CloudPbx: &CloudPbx{ID: "s1", PbxID: cloudID}},
		&User{ID: "u1", Login: "ann@demo.example"},
		&Extension{ID: "e1", SystemID: "s1", PbxID: cloudID, Number: "2001", Role: RoleSubscriber, Holder: "ann@demo.example", HolderID: "u1"},
		&Device{ID: "d0", Address: device(0), Holder: "ann@demo.example", HolderID: "u1", SubscriberID: "e1"}, &Device{ID: "d1", Address: device(1)}, &Device{ID: "d2", Address: device(2)},
		&Device{ID: "d9", Address: "id:d9"},
		&DDI{ID: "n0", Number: ddi(0), Default: true}, &DDI{ID: "n1", Number: ddi(1), Label: "group 1"}, &DDI{ID: "n2", Number: ddi(2)}, &DDI{ID: "n3", Number: ddi(3)})
	plan, err := MakePlan(&Desired{Complete: []Kind{KindDevice, KindDDI}, Prune: PruneDelete, Devices: []DesiredDevice{{Address: device(2)}}, DDIs: []DesiredDDI{{Number: ddi(3)}}}, w, Policy{})
	if err != nil {
		t.Fatal(err)
	}
	var got, kept []string
	for _, op := range plan.Operations {
		got = append(got, op.Title())
	}
	for _, r := range plan.Remarks {
		if r.Code == "not-listed" {
			kept = append(kept, r.Message)
		}
	}
	slices.Sort(got)
	if want := []string{"delete DDI " + string(ddi(2)), "delete device " + device(1).String()}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	held := "not in the complete list and kept, being held: 1 device: " + device(0).String() + " (ann@demo.example)"
	if len(kept) != 3 || !slices.Contains(kept, held) {
		t.Errorf("kept %q, want the held device, the default DDI and that of a group", kept)
	}
}

// TestHeldThingsOutsideOfACompleteListAreToldTogether, however many they are.
func TestHeldThingsOutsideOfACompleteListAreToldTogether(t *testing.T) {
	records := []Record{&User{ID: "u1", Login: "ann@demo.example"}, &Device{ID: "x", Address: device(99)}}
	for i := range 8 {
		records = append(records, &Device{ID: fmt.Sprint("d", i), Address: device(i), Holder: "ann@demo.example", HolderID: "u1"})
	}
	plan, err := MakePlan(&Desired{Complete: []Kind{KindDevice}, Prune: PruneDelete, Devices: []DesiredDevice{{Address: device(99)}}},
		NewWorld(Company{ID: "c1", CloudPbx: &CloudPbx{ID: "s1", PbxID: cloudID}}, records...), Policy{})
	if err != nil || len(plan.Operations) > 0 || len(plan.Remarks) != 1 {
		t.Fatalf("plan %+v, error %v; want one remark", plan, err)
	}
	if got := plan.Remarks[0].Message; !strings.Contains(got, "8 devices: ") || !strings.HasSuffix(got, ", and 3 more") {
		t.Errorf("remark %q", got)
	}
}

// TestTheDefaultDDI makes another DDI the default one: once it is there, and before the old one goes.
func TestTheDefaultDDI(t *testing.T) {
	company := Company{ID: "c1", CloudPbx: &CloudPbx{ID: "s1", PbxID: cloudID}}
	two := []Record{&DDI{ID: "n0", Number: ddi(0), Default: true}, &DDI{ID: "n1", Number: ddi(1)}}
	standard := func(n int) *DesiredDDI {
		return &DesiredDDI{Number: ddi(n), Position: Position{File: "m.yaml", Line: 3}}
	}
	makes := func(n int) string { return "make DDI " + string(ddi(n)) + " the default one" }
	for _, tt := range []struct {
		name    string
		records []Record
		desired Desired
		want    []string
		fault   string
	}{
		{"another", two, Desired{DefaultDDI: standard(1)}, []string{makes(1)}, ""},
		{"the one that is", two, Desired{DefaultDDI: standard(0)}, nil, ""},
		{"a new one, the old one goes", two, Desired{DefaultDDI: standard(2), DDIs: []DesiredDDI{{Number: ddi(0), Absent: true}, {Number: ddi(2)}}},
			[]string{"create DDI " + string(ddi(2)), makes(2), "delete DDI " + string(ddi(0))}, ""},
		{"a complete list without the old one", two, Desired{DefaultDDI: standard(1), DDIs: []DesiredDDI{{Number: ddi(1)}}, Complete: []Kind{KindDDI}, Prune: PruneDelete},
			[]string{makes(1), "delete DDI " + string(ddi(0))}, ""},
		{"a complete list without the new one", two, Desired{DefaultDDI: standard(1), DDIs: []DesiredDDI{{Number: ddi(0)}}, Complete: []Kind{KindDDI}, Prune: PruneDelete}, []string{makes(1)}, ""},
		{"the first one", nil, Desired{DefaultDDI: standard(2), DDIs: []DesiredDDI{{Number: ddi(2)}, {Number: ddi(3)}}}, []string{"create DDI " + string(ddi(2)), "create DDI " + string(ddi(3))}, ""},
		{"the second one", nil, Desired{DefaultDDI: standard(3), DDIs: []DesiredDDI{{Number: ddi(2)}, {Number: ddi(3)}}}, []string{"create DDI " + string(ddi(2)), "create DDI " + string(ddi(3)), makes(3)}, ""},
		{"one that is not there", two, Desired{DefaultDDI: standard(5)}, nil, "default-ddi"},
		{"one that is to go", two, Desired{DefaultDDI: standard(1), DDIs: []DesiredDDI{{Number: ddi(1), Absent: true}}}, nil, "default-ddi"},
		{"one that is ignored", two, Desired{DefaultDDI: standard(1), Ignore: []Pattern{{Kind: KindDDI, Glob: string(ddi(1))}}}, nil, "ignored"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := NewWorld(company, tt.records...)
			plan, err := MakePlan(&tt.desired, w, Policy{})
			if tt.fault != "" {
				faults, _ := err.(Faults)
				if len(faults) != 1 || faults[0].Code != tt.fault || faults[0].Position.Line != 3 {
					t.Fatalf("got %v, want %s at line 3", err, tt.fault)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i := range plan.Operations {
				op := &plan.Operations[i]
				got = append(got, op.Title())
				w.Apply(Effects(op, w, fmt.Sprintf("new%d", i)))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			defaults := 0
			for r := range w.Records(KindDDI) {
				if isDefault(r) {
					defaults++
				}
			}
			again, err := MakePlan(&tt.desired, w, Policy{})
			if err != nil || len(again.Operations) > 0 || defaults != 1 {
				t.Errorf("%d are the default; the next plan: %v, %v", defaults, again, err)
			}
		})
	}
}
