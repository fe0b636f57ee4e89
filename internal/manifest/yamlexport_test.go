package manifest

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// richWorld is a company with all that a YAML manifest can say, and some that it can't.
func richWorld() sandboxed {
	w := sandboxWorld(5)
	put := func(r bulksync.Record) { w.world[r.Key()] = r }
	pbx := w.company.CloudPbx.PbxID
	w.company.DeviceModels = []bulksync.DeviceModel{{ID: 23, Model: "M5", Modules: []string{"EM_20"}}}
	put(&bulksync.Device{ID: "dx", Address: "aabbccddee00", Model: "M5", Description: "Reception: \"1st\" #2", Modules: []bulksync.DeviceModule{{ID: 1, Type: "EM_20", Name: "left"}}})
	put(&bulksync.Device{ID: "dy", Address: "ipei:03807e7898", Model: "Old one", Description: "yes"})
	put(&bulksync.Device{ID: "dz", Address: "id:5b7d"})
	put(&bulksync.DeviceKeys{Device: "aabbccddee00", Keys: []bulksync.ProgrammableKey{
		{Number: 1, Type: "speeddial", DisplayName: "Pat", Destination: "+33612345678"}, {Number: 2, Type: "monitor", DisplayName: "First2 Last2", Destination: "80002", PhoneNumberID: "e2"}, {Module: 1, Number: 3, Type: "headset"}}})
	put(&bulksync.Settings{PbxID: pbx, Group: bulksync.GroupCLI, Values: []bulksync.Attribute{{Name: "policy", Value: "user_ddi_number"}, {Name: "userCanManageItsCli", Value: "false"}}})
	put(&bulksync.Settings{PbxID: pbx, Group: bulksync.GroupBarringPatterns, Values: []bulksync.Attribute{{Name: "patterns", Value: bulksync.PatternsText([]bulksync.BarringPattern{{Pattern: "^338[129]", Description: "a, b"}})}}})
	put(&bulksync.Options{Login: "user000001@sandbox.example", Group: bulksync.GroupOverflow, SubscriberID: "e1", Values: []bulksync.Attribute{{Name: "noReplyDelay", Value: "20"}, {Name: "value", Value: "custom"}}})
	put(&bulksync.DDI{ID: "d7", Number: "+33298300507", Default: true})
	put(&bulksync.User{ID: "u9", Login: "odd@sandbox.example", Licences: []string{"1", "3"}, Attributes: []bulksync.Attribute{
		{Name: "businessPhone0", Value: "+33298300513"}, {Name: "businessPhone1", Value: "33298300514"}, {Name: "country", Value: "NOR"}, {Name: "department", Value: "no"},
		{Name: "firstName", Value: "0123"}, {Name: "jobTitle", Value: "${boss}: \"a\", 'b' # c"}, {Name: "lastName", Value: "D\u00e9-\u65e5\u672c"}, {Name: "nickName", Value: "2026-01-02"},
		{Name: "tags0", Value: "a, b"}, {Name: "title", Value: "- x"}, {Name: "userInfo1", Value: "12:30"}, {Name: "userInfo2", Value: "~"}}})
	for _, k := range []bulksync.Key{bulksync.ExtensionKey("PBXa1b2-c3d4-e5f6-4711-8899-aabb-ccdd-eeff", "3001")} {
		e := *w.world[k].(*bulksync.Extension)
		e.Holder, e.HolderID, e.InternalNumber = "odd@sandbox.example", "u9", "0042"
		put(&e)
	}
	return w
}

// TestAYAMLExportAsksForNothing reads an export back and plans it: all is so already.
func TestAYAMLExportAsksForNothing(t *testing.T) {
	w := richWorld()
	var out bytes.Buffer
	remarks, err := Export(&out, w, ExportOptions{Mode: ModeYAML})
	if err != nil {
		t.Fatal(err)
	}
	d, _, faults := readYAMLText(t, out.String(), Options{})
	if faults != nil {
		t.Fatalf("the export does not read: %v\n%s", faults, out.String())
	}
	plan, err := bulksync.MakePlan(d, w, bulksync.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range plan.Operations {
		t.Errorf("asks for %s: %v", op.Title(), op.Changes)
	}
	for _, want := range []string{"count: 100}", "ipei: \"03807e7898\"", "- {keyNum: 2, keyType: monitor, extension: \"80002\"}", "department: \"no\"", "jobTitle: \"$${boss}", "licences: [\"Voice Enterprise 3-Year prepaid\"]",
		"barringPatterns:", "defaultDdi: \"+33298300507\"", "overflow: {noReplyDelay: 20, value: custom}", "pairings:"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if len(remarks) != 1 || remarks[0].Field != "devices" {
		t.Errorf("remarks %v", remarks)
	}
	if err := compiledSchema(t).Validate(instance(t, out.Bytes())); err != nil {
		t.Errorf("the export does not keep the schema: %v", err)
	}
}

// TestTextsComeBackFromYAML: whatever text an export writes, Read gives back.
func TestTextsComeBackFromYAML(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ -~\x{e9}\x{1f600}]{0,20}`), rapid.SampledFrom([]string{"null", "NO", "0x1F", "1e3", "- a", "? b", "a: b", "&x", "*x", "!t", "${a}", "$${a}", "%", "@a", "`", "\u2028", "\ufeff"})).Draw(t, "text")
		if !sayable(s) || s == "" {
			return
		}
		for _, text := range []string{
			"version: 1\nusers:\n- login: a@demo.example\n  userInfo1: " + yamlText(s) + "\n",
			"version: 1\nusers:\n- {login: a@demo.example, userInfo1: " + flowText(s) + "}\n",
		} {
			d, _, err := Read(t.Context(), []Source{{Name: "f.yaml", Reader: strings.NewReader(text)}}, Options{})
			if err != nil || d.Users.At(0).Attributes[0].Value != s {
				t.Fatalf("%q is written\n%s\nand read as %v, %v", s, text, d, err)
			}
		}
	})
}

// FuzzReadYAML: no text makes Read panic; it gives a model or faults with places, and the same again.
func FuzzReadYAML(f *testing.F) {
	for _, tt := range yamlFaultCases {
		f.Add([]byte(tt.text))
	}
	var out bytes.Buffer
	if _, err := Export(&out, richWorld(), ExportOptions{Mode: ModeYAML}); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes())
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 16<<10 {
			return
		}
		d, _, faults := readYAMLText(t, string(text), Options{MaxFaults: 50})
		if (d == nil) == (faults == nil) {
			t.Fatalf("got %v and faults %v", d, faults)
		}
		for _, fault := range faults {
			if fault.Code == "" || fault.Message == "" || fault.Hint == "" || fault.Position.Line < 0 {
				t.Fatalf("incomplete fault %+v", fault)
			}
		}
		again, _, twice := readYAMLText(t, string(text), Options{MaxFaults: 50})
		if d != nil && d.Digest != again.Digest || faults.Error() != twice.Error() {
			t.Fatalf("read twice: %v, then %v", faults, twice)
		}
	})
}

// TestAYAMLExportOfAnyCompanyAsksForNothing draws companies, odd ones among them: what is exported reads without fault, and
// its plan is empty.
func TestAYAMLExportOfAnyCompanyAsksForNothing(t *testing.T) {
	planned := 0
	rapid.Check(t, func(rt *rapid.T) {
		w := sandboxed{drawWorld(rt), bulksync.Company{
			ID: "c1", CloudPbx: &bulksync.CloudPbx{ID: "s1", PbxID: "cloud", Ranges: []bulksync.Range{{First: "0", Last: "9999999999"}}}, Systems: []bulksync.System{{ID: "s2", PbxID: "oxe"}},
		}}
		identify(w)
		var out bytes.Buffer
		if _, err := Export(&out, w, ExportOptions{Mode: ModeYAML}); err != nil {
			rt.Fatal(err)
		}
		d, _, err := Read(t.Context(), []Source{{Name: "f.yaml", Content: out.Bytes()}}, Options{})
		if err != nil {
			rt.Fatalf("does not read: %v\n%s", err, &out)
		}
		plan, err := bulksync.MakePlan(d, w, bulksync.Policy{})
		if err != nil {
			rt.Fatalf("does not plan: %v\n%s", err, &out)
		}
		for _, op := range plan.Operations {
			rt.Fatalf("asks for %s: %v\n%s", op.Title(), op.Changes, &out)
		}
		planned += d.Users.Len()
	})
	if planned == 0 {
		t.Error("no company has users")
	}
}

// identify gives drawn records what every recorded one has, and takes devices and DDIs from those who have no extension.
func identify(w sandboxed) {
	for k, r := range w.world {
		holder := r.HeldBy()
		cloud := false
		for _, held := range w.Held(holder) {
			e, ok := w.world[held].(*bulksync.Extension)
			cloud = cloud || ok && e.Role == bulksync.RoleSubscriber
		}
		switch r := r.(type) {
		case *bulksync.User:
			r.ID = "u-" + string(r.Login)
		case *bulksync.Extension:
			if r.Role == bulksync.RolePairing {
				r.SystemID = "s2"
			}
			r.ID, r.HolderID = "e-"+k.ID, "u-"+string(holder)
		case *bulksync.Device:
			r.ID = "d-" + k.ID
			if r.HolderID = "u-" + string(holder); !cloud {
				delete(w.world, k)
			}
		case *bulksync.DDI:
			r.ID = "n-" + k.ID
			if r.HolderID = "u-" + string(holder); !cloud {
				delete(w.world, k)
			}
		}
	}
}
