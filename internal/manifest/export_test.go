package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// world is recorded state in memory.
type world map[bulksync.Key]bulksync.Record

func worldOf(records ...bulksync.Record) world {
	w := world{}
	for _, r := range records {
		w[r.Key()] = r
	}
	return w
}

func (w world) Company() bulksync.Company { return bulksync.Company{ID: "5b7d0c0ffee0000000000001"} }

func (w world) Record(k bulksync.Key) bulksync.Record { return w[k] }

func (w world) sorted(keep func(bulksync.Record) bool) []bulksync.Record {
	var records []bulksync.Record
	for _, r := range w {
		if keep(r) {
			records = append(records, r)
		}
	}
	slices.SortFunc(records, func(a, b bulksync.Record) int { return a.Key().Compare(b.Key()) })
	return records
}

func (w world) Held(l bulksync.Login) []bulksync.Key {
	var keys []bulksync.Key
	for _, r := range w.sorted(func(r bulksync.Record) bool { return r.HeldBy() == l && l != "" }) {
		keys = append(keys, r.Key())
	}
	return keys
}

func (w world) Records(k bulksync.Kind) iter.Seq[bulksync.Record] {
	return slices.Values(w.sorted(func(r bulksync.Record) bool { return r.Key().Kind == k }))
}

func TestExport(t *testing.T) {
	obs := worldOf(
		&bulksync.Licence{ID: "l1", Offer: "Enterprise Demo", Status: "active"},
		&bulksync.Licence{ID: "l2", Offer: "Essential", Status: "active", Default: true},
		&bulksync.Licence{ID: "l3", Offer: "Twice", Status: "active"},
		&bulksync.Licence{ID: "l4", Offer: "twice", Status: "active"},
		&bulksync.User{Login: "admin@demo.example", Admin: true, Licences: []string{"l2"}},
		&bulksync.User{
			Login: "ann@demo.example", Licences: []string{"l1", "l2", "l3"}, Attributes: []bulksync.Attribute{
				{Name: "businessPhone1", Value: "+33298300513"}, {Name: "country", Value: "Narnia"},
				{Name: "jobTitle", Value: `=cmd|"x";100%`}, {Name: "ldap_id", Value: "x"}, {Name: "lastName", Value: "Müller"},
			},
		},
		&bulksync.User{Login: "ben@demo.example"},
		&bulksync.User{Login: "not an address"},
		&bulksync.Extension{PbxID: "cloud", Number: "81011", Role: bulksync.RoleSubscriber, Holder: "ann@demo.example"},
		&bulksync.Extension{PbxID: "oxe", Number: "3001", Role: bulksync.RolePairing, Holder: "ann@demo.example", InternalNumber: "83001"},
		&bulksync.Extension{PbxID: "oxe", Number: "3002", Role: bulksync.RolePairing, Holder: "ben@demo.example"},
		&bulksync.Extension{PbxID: "oxe", Number: "3003", Role: bulksync.RolePairing, Holder: "ben@demo.example"},
		&bulksync.Device{Address: "aabbccddee02", Holder: "ann@demo.example"},
		&bulksync.Device{Address: "aabbccddee03", Holder: "ben@demo.example"},
		&bulksync.Device{Address: "ipei:0123456789012", Holder: "ben@demo.example"},
		&bulksync.DDI{Number: "+33298300513", Holder: "ann@demo.example"},
	)
	tests := []struct {
		opts    ExportOptions
		want    string
		remarks []string
	}{
		{ExportOptions{}, `__action__;loginEmail;shortNumber;macAddress;ddiE164Number;lastName;businessPhone0;businessPhone1;jobTitle;service0
upsert;admin@demo.example;;;;;;;;
upsert;ann@demo.example;81011;aa:bb:cc:dd:ee:02;33298300513;Müller;;'+33298300513;"'=cmd|""x"";100%";Enterprise Demo
upsert;ben@demo.example;;;;;;;;
`, []string{"export-value country", "export-licence service1", "export-several macAddress", "export-login loginEmail", "export-column ldap_id"}},
		{ExportOptions{Mode: "useranddevice", Delimiter: ',', ByteOrderMark: true}, "\ufeff" + `__action__,loginEmail,pbxId,pbxShortNumber,pbxInternalNumber,number,lastName,businessPhone0,businessPhone1,jobTitle,ldap_id,service0
upsert,admin@demo.example,,,,,,,,,,
upsert,ann@demo.example,oxe,3001,83001,,Müller,,'+33298300513,"'=cmd|""x"";100%",x,Enterprise Demo
upsert,ben@demo.example,,,,,,,,,,
`, []string{"export-value country", "export-licence service1", "export-several pbxShortNumber", "export-login loginEmail"}},
	}
	for _, tt := range tests {
		var out bytes.Buffer
		remarks, err := Export(&out, obs, tt.opts)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, out.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.opts.Mode, diff)
		}
		var got []string
		for _, r := range remarks {
			got = append(got, r.Code+" "+r.Field)
		}
		if diff := cmp.Diff(tt.remarks, got); diff != "" {
			t.Errorf("%s remarks (-want +got):\n%s", tt.opts.Mode, diff)
		}
		if _, _, faults := read(t, out.String(), Options{}); faults != nil {
			t.Errorf("%s: does not read:\n%v", tt.opts.Mode, faults)
		}
	}
}

func TestExportErrors(t *testing.T) {
	if _, err := Export(io.Discard, worldOf(), ExportOptions{Mode: "json"}); err == nil || !strings.Contains(err.Error(), `mode "json"`) {
		t.Errorf("got %v", err)
	}
	if _, err := Export(io.Discard, worldOf(), ExportOptions{Delimiter: 'x'}); err == nil {
		t.Error("delimiter x was taken")
	}
	full := errors.New("disk full")
	if _, err := Export(failing{full}, worldOf(), ExportOptions{}); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// TestExportReadsBack: what Export writes of any company, Read takes without fault, and it asks for nothing that is not
// so already.
func TestExportReadsBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		obs := drawWorld(rt)
		opts := ExportOptions{
			Mode:          rapid.SampledFrom(Modes()).Draw(rt, "mode"),
			Delimiter:     rapid.SampledFrom([]rune(delimiters)).Draw(rt, "delimiter"),
			ByteOrderMark: rapid.Bool().Draw(rt, "mark"),
		}
		var out bytes.Buffer
		if _, err := Export(&out, obs, opts); err != nil {
			rt.Fatal(err)
		}
		text := out.String()
		desired, _, err := Read(t.Context(), []Source{{Name: "export.csv", Reader: &out}}, Options{Mode: opts.Mode})
		if err != nil {
			rt.Fatalf("does not read: %v\n%s", err, text)
		}
		for _, u := range desired.Users.All() {
			if wish := unmet(obs, u); wish != "" {
				rt.Fatalf("%s asks for %s\n%s", u.Login, wish, text)
			}
		}
	})
}

// unmet names something that a user asks for and does not have; empty when there is nothing.
func unmet(obs world, u *bulksync.DesiredUser) string {
	now, _ := obs[u.Login.Key()].(*bulksync.User)
	if now == nil || u.Presence == bulksync.Absent {
		return "being another user"
	}
	for _, a := range u.Attributes {
		if now.Attribute(a.Name) != a.Value {
			return fmt.Sprintf("%s = %q, it is %q", a.Name, a.Value, now.Attribute(a.Name))
		}
	}
	held := map[bulksync.Kind][]string{}
	for _, k := range obs.Held(u.Login) {
		if e, ok := obs[k].(*bulksync.Extension); ok {
			held[bulksync.Kind(e.Role)] = append(held[bulksync.Kind(e.Role)], string(e.Number))
			continue
		}
		held[k.Kind] = append(held[k.Kind], k.ID)
	}
	asked := map[bulksync.Kind][]string{}
	for _, k := range u.Subscriber.Keys {
		asked[bulksync.Kind(bulksync.RoleSubscriber)] = append(asked[bulksync.Kind(bulksync.RoleSubscriber)], string(k))
	}
	for _, k := range u.Pairings.Keys {
		asked[bulksync.Kind(bulksync.RolePairing)] = append(asked[bulksync.Kind(bulksync.RolePairing)], string(k.Number))
	}
	for _, k := range u.Devices.Keys {
		asked[bulksync.KindDevice] = append(asked[bulksync.KindDevice], string(k))
	}
	for _, k := range u.DDIs.Keys {
		asked[bulksync.KindDDI] = append(asked[bulksync.KindDDI], string(k))
	}
	for kind, keys := range asked {
		if !slices.Equal(keys, held[kind]) {
			return fmt.Sprintf("%s %v, he has %v", kind, keys, held[kind])
		}
	}
	for _, offer := range u.Licences.Keys {
		if !slices.ContainsFunc(now.Licences, func(id string) bool {
			l, _ := obs[bulksync.Key{Kind: bulksync.KindLicence, ID: id}].(*bulksync.Licence)
			return l != nil && l.Assignable() && l.Offer.Same(offer)
		}) {
			return "licence " + string(offer)
		}
	}
	return ""
}

// drawWorld draws a company with awkward values.
func drawWorld(rt *rapid.T) world {
	text := rapid.OneOf(
		rapid.String(),
		rapid.StringMatching(`['=+@\-% ;,"|\t\r\na-c\x{a0}]{0,6}`),
		rapid.SampledFrom([]string{"", "+33298300513", "FRA", "fr", "Europe/Paris", "public", "true", "TRUE", "#N/A", "a@demo.example", "https://x.example", "33 298 300 513"}),
	)
	names := []string{
		"title", "firstName", "businessPhone0", "businessPhone1", "mobilePhone3", "email0", "email1", "tags0", "tags4", "tags9", "country",
		"language", "timezone", "visibility", "isInitialized", "accountType", "photoUrl", "ldap_id", "selectedAppCustomisationTemplateName", "other",
		"loginEmail", "service0", "password",
	}
	w := world{}
	offers := rapid.SliceOfN(text, 0, 4).Draw(rt, "offers")
	var licences []string
	for i, offer := range offers {
		id := fmt.Sprintf("l%d", i)
		licences = append(licences, id)
		w[bulksync.Key{Kind: bulksync.KindLicence, ID: id}] = &bulksync.Licence{
			ID: id, Offer: bulksync.Offer(offer), Status: rapid.SampledFrom([]string{"active", "hold"}).Draw(rt, "status"), Default: rapid.Bool().Draw(rt, "default"),
		}
	}
	logins := rapid.SliceOfNDistinct(rapid.OneOf(rapid.StringMatching(`[a-c=']{1,2}@[a-c]\.example`), text), 0, 5, rapid.ID).Draw(rt, "logins")
	things := 0
	for _, l := range logins {
		u := &bulksync.User{Login: bulksync.Login(strings.ToLower(l))}
		for _, name := range names {
			if rapid.IntRange(0, 3).Draw(rt, "has") == 0 {
				u.Attributes = append(u.Attributes, bulksync.Attribute{Name: name, Value: text.Draw(rt, name)})
			}
		}
		for _, id := range licences {
			if rapid.Bool().Draw(rt, "licensed") {
				u.Licences = append(u.Licences, id)
			}
		}
		w[u.Key()] = u
		if rapid.Bool().Draw(rt, "subscriber") {
			e := &bulksync.Extension{PbxID: "cloud", Number: bulksync.Number(fmt.Sprint(80000 + things)), Role: bulksync.RoleSubscriber, Holder: u.Login}
			w[e.Key()] = e
		}
		for range rapid.IntRange(0, 2).Draw(rt, "things") {
			things++
			d := &bulksync.Device{Address: bulksync.DeviceKey(fmt.Sprintf("0200000000%02x", things)), Holder: u.Login}
			if rapid.IntRange(0, 3).Draw(rt, "dect") == 0 {
				d.Address = bulksync.DeviceKey(fmt.Sprintf("ipei:%013d", things))
			}
			n := &bulksync.DDI{Number: bulksync.E164(fmt.Sprintf("+332983005%02d", things)), Holder: u.Login}
			p := &bulksync.Extension{
				PbxID: "oxe", Number: bulksync.Number(fmt.Sprint(3000 + things)), Role: bulksync.RolePairing, Holder: u.Login,
				InternalNumber: text.Draw(rt, "internal"),
			}
			w[d.Key()], w[n.Key()], w[p.Key()] = d, n, p
		}
		things++
	}
	return w
}
