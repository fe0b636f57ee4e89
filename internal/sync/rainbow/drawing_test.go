package rainbow

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// Drawn manifests for the company of a sandbox with five seeded users: what they ask for is there, or free, or somebody
// else's, or to be created.

// draw draws one of some values.
func draw[V any](t *rapid.T, label string, values ...V) V {
	return rapid.SampledFrom(values).Draw(t, label)
}

// drawDesired draws a manifest; some of its entries may be ones that can't be planned.
func drawDesired(t *rapid.T) *bulksync.Desired {
	d := &bulksync.Desired{Mode: "yaml", Digest: "digest"}
	if rapid.Bool().Draw(t, "by staff number") {
		d.Match = []string{"userInfo1"}
	}
	d.MatchNumbers = draw(t, "by numbers", bulksync.MatchNever, bulksync.MatchNames, bulksync.MatchAlways)
	rules := draw(t, "rules", "", "", "", "8000x=8050x", "8050x=8000x", "80001=80002 80002=80001", "80003=80004 80004=80005", "8000x=8050x@jobTitle=Chef")
	for _, text := range strings.Fields(rules) {
		rule, err := bulksync.ParseRenumbering(text)
		if err != nil {
			t.Fatal(err)
		}
		d.Renumber = append(d.Renumber, rule)
	}
	drawLists(t, d)
	who := rapid.SliceOfNDistinct(rapid.IntRange(0, 9), 1, 7, rapid.ID).Draw(t, "users")
	lots := &lots{
		numbers:  rapid.Permutation([]bulksync.Number{"80001", "80002", "80003", "80004", "80005", "80501", "80502", "2120"}).Draw(t, "numbers"),
		devices:  rapid.Permutation([]bulksync.DeviceKey{deskPhone(1), deskPhone(2), deskPhone(3), deskPhone(4), mac(0), mac(1), mac(2), unknownPhone(0), unknownPhone(1)}).Draw(t, "devices"),
		ddis:     rapid.Permutation([]bulksync.E164{ddi(21), ddi(22), ddi(23), ddi(24), ddi(40), ddi(41), unknownDDI(0), unknownDDI(1)}).Draw(t, "DDIs"),
		pairings: rapid.Permutation([]int{3000, 3001, 3002, 3003, 3004, 3005, 3006}).Draw(t, "pairings"),
		staff:    rapid.Permutation([]int{1, 2, 3, 4, 5, 6, 7, 8, 9}).Draw(t, "staff numbers"),
	}
	var users []bulksync.DesiredUser
	for row, n := range who {
		users = append(users, drawUser(t, n, row, lots))
	}
	d.Users = bulksync.EntriesOf(users...)
	return d
}

// lots are the things that the users of a manifest may ask for, each for one of them.
type lots struct {
	numbers  []bulksync.Number
	devices  []bulksync.DeviceKey
	ddis     []bulksync.E164
	pairings []int
	staff    []int
}

// deskPhone is the phone of a seeded user, unknownPhone and unknownDDI are what the company does not have.
func deskPhone(n int) bulksync.DeviceKey    { return bulksync.DeviceKey(fmt.Sprintf("020000%06x", n)) }
func unknownPhone(n int) bulksync.DeviceKey { return bulksync.DeviceKey(fmt.Sprintf("0200aa%06x", n)) }
func unknownDDI(n int) bulksync.E164        { return bulksync.E164(fmt.Sprintf("+3329830065%d", n)) }

func drawUser(t *rapid.T, n, row int, lots *lots) bulksync.DesiredUser {
	login := seeded(n + 1)
	if n > 4 {
		login = bulksync.Login(fmt.Sprintf("fresh%d@sandbox.example", n))
	}
	u := bulksync.DesiredUser{Login: login, Action: "upsert", Position: bulksync.Position{File: "drawn.yaml", Line: row + 2, Column: 1}, Password: &bulksync.SecretPlace{Field: "password"}}
	switch draw(t, "action", "upsert", "upsert", "upsert", "upsert", "delete", "detach") {
	case "delete":
		u.Presence, u.Action = bulksync.Absent, "delete"
		return u
	case "detach":
		u.Presence, u.Action, u.Password = bulksync.Existing, "detach", nil
		u.Subscriber = drawWish[bulksync.Number](t, "taken extension", nil, bulksync.Keep, bulksync.Exclude)
		u.Devices = drawWish(t, "taken devices", []bulksync.DeviceKey{lots.devices[row]}, bulksync.Keep, bulksync.Exclude)
		u.DDIs = drawWish(t, "taken DDIs", []bulksync.E164{lots.ddis[row]}, bulksync.Keep, bulksync.Exclude)
		return u
	}
	u.Attributes = drawAttributes(t, lots.staff[row])
	if rapid.IntRange(0, 5).Draw(t, "from a pool") == 0 {
		u.Subscriber, u.Pools = bulksync.Having[bulksync.Number](), []bulksync.PoolWish{{Kind: bulksync.KindExtension, Pool: "spare"}}
	} else {
		u.Subscriber = drawWish(t, "extension", []bulksync.Number{lots.numbers[row]}, bulksync.Keep, bulksync.Exactly, bulksync.Exactly)
	}
	u.Devices = drawWish(t, "devices", []bulksync.DeviceKey{lots.devices[row]}, bulksync.Keep, bulksync.Exactly, bulksync.Include)
	u.DDIs = drawWish(t, "DDIs", []bulksync.E164{lots.ddis[row]}, bulksync.Keep, bulksync.Exactly, bulksync.Include)
	pairing := bulksync.Pairing{PbxID: draw(t, "PBX", "", oxePbxID), Number: bulksync.Number(fmt.Sprint(lots.pairings[row]))}
	u.Pairings = drawWish(t, "pairings", []bulksync.Pairing{pairing}, bulksync.Keep, bulksync.Keep, bulksync.Keep, bulksync.Exactly, bulksync.Include)
	offers := rapid.SliceOfNDistinct(rapid.SampledFrom([]bulksync.Offer{"Enterprise Demo", "Voice Attendant", "Voice Enterprise 3-Year prepaid"}), 1, 2, rapid.ID).Draw(t, "offers")
	u.Licences = drawWish(t, "licences", offers, bulksync.Keep, bulksync.Keep, bulksync.Include, bulksync.Exactly, bulksync.Exclude)
	if len(u.Subscriber.Keys) > 0 && rapid.IntRange(0, 2).Draw(t, "options") == 0 {
		u.Options = drawOptions(t, u.Position)
	}
	return u
}

func drawWish[K any](t *rapid.T, label string, keys []K, moods ...bulksync.Mood) bulksync.Wish[K] {
	w := bulksync.Wish[K]{Mood: draw(t, label, moods...)}
	if w.Mood != bulksync.Keep && rapid.IntRange(0, 4).Draw(t, label+": none") > 0 {
		w.Keys = keys
	}
	return w
}

// drawAttributes draws values that a user is to have, sorted by name.
func drawAttributes(t *rapid.T, staff int) []bulksync.Attribute {
	all := attrs("firstName", draw(t, "first name", "Alice", "Bruno", "Pat"))
	for _, a := range []struct {
		name   string
		values []string
	}{
		{"lastName", []string{"keep", "Adam", "Bernard", "Post"}}, {"jobTitle", []string{"keep", "keep", "Chef", "Nurse, night", ""}}, {"department", []string{"keep", "keep", "Bar", ""}},
		{"tags0", []string{"keep", "a", "b", ""}}, {"tags1", []string{"keep", "keep", "c", ""}}, {"mobilePhone0", []string{"keep", "keep", "+33612345678", "33612345679", ""}},
		{"businessPhone0", []string{"keep", "keep", "+33298300590", ""}}, {"email0", []string{"keep", "keep", "home@home.example", ""}}, {"userInfo1", []string{"keep", fmt.Sprintf("S%d", staff)}},
	} {
		if v := draw(t, a.name, a.values...); v != "keep" {
			all = append(all, bulksync.Attribute{Name: a.name, Value: v})
		}
	}
	slices.SortFunc(all, func(a, b bulksync.Attribute) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

func drawOptions(t *rapid.T, at bulksync.Position) []bulksync.DesiredGroup {
	all := []bulksync.DesiredGroup{
		{Group: bulksync.GroupBarring, Values: attrs("permissions", draw(t, "permissions", "", "local", "nat_local"))},
		{Group: bulksync.GroupExternalForward, Values: attrs("externalCallForward", draw(t, "forward", "", "authorized", "not_authorized"))},
		{Group: bulksync.GroupOverflow, Values: attrs("unavailableOverflow", draw(t, "unavailable", "", "disabled"), "value", draw(t, "overflow", "", "disabled"))},
		{Group: bulksync.GroupPSTNDevice, Values: attrs("policy", draw(t, "PSTN device", "", "none", "subscriber_ddi"))},
		{Group: bulksync.GroupSIPHeaders, Values: attrs("customSipHeader_1", draw(t, "header", "", "Brest"))},
	}
	for i := range all {
		all[i].Position = at
	}
	first := rapid.IntRange(0, len(all)-1).Draw(t, "groups from")
	return all[first:min(len(all), first+2)]
}

// drawLists draws what is not a user's: devices and DDIs that the company is to have, keys, settings, and a pool.
func drawLists(t *rapid.T, d *bulksync.Desired) {
	line := 100
	at := func() bulksync.Position { line++; return bulksync.Position{File: "drawn.yaml", Line: line, Column: 1} }
	d.Pools, d.Today = []bulksync.Pool{{Name: "spare", Kind: bulksync.KindExtension, Ranges: []bulksync.KeyRange{{First: "80601", Last: "80603"}}, Quarantine: 1, Position: at()}}, "2026-11-22"
	for i := range 2 {
		v := bulksync.DesiredDevice{Address: unknownPhone(i), Model: "M5", Description: draw(t, "description", "Hall", "Lift"), Position: at()}
		v.Modules = drawWish(t, "modules", []bulksync.DeviceModule{{ID: 1, Type: draw(t, "module", "EM_20", "EM_200")}}, bulksync.Keep, bulksync.Exactly)
		switch draw(t, "new device", "no", "yes", "yes", "gone") {
		case "yes":
			d.Devices = append(d.Devices, v)
		case "gone":
			d.Devices = append(d.Devices, bulksync.DesiredDevice{Address: v.Address, Absent: true, Position: v.Position})
		}
		switch n := (bulksync.DesiredDDI{Number: unknownDDI(i), Position: at()}); draw(t, "new DDI", "no", "yes", "yes", "gone") {
		case "yes":
			d.DDIs = append(d.DDIs, n)
		case "gone":
			n.Absent = true
			d.DDIs = append(d.DDIs, n)
		}
	}
	if rapid.IntRange(0, 3).Draw(t, "keys") == 0 {
		keys := []bulksync.DesiredKey{{Number: 3, Type: "speeddial", Destination: "+33612345678", DisplayName: "Pat"}, {Number: 4, Type: "headset"}, {Number: 5, Type: "speeddial", Destination: "+33298300590", DisplayName: "Desk"}}
		d.Devices = append(d.Devices, bulksync.DesiredDevice{Address: mac(2), Description: "Workshop", Position: at(), Keys: bulksync.Having(keys[:rapid.IntRange(0, len(keys)).Draw(t, "number of keys")]...)})
	}
	if rapid.IntRange(0, 2).Draw(t, "default DDI") == 0 {
		d.DefaultDDI = &bulksync.DesiredDDI{Number: unknownDDI(rapid.IntRange(0, 1).Draw(t, "which")), Position: at()}
		if rapid.Bool().Draw(t, "one that there is") {
			d.DefaultDDI.Number = ddi(rapid.IntRange(0, 3).Draw(t, "default"))
		}
	}
	if rapid.IntRange(0, 3).Draw(t, "settings") == 0 {
		d.Settings = []bulksync.DesiredGroup{{Group: bulksync.GroupCLI, Values: attrs("policy", draw(t, "policy", "user_ddi_number", "installation_ddi_number")), Position: at()}}
	}
}

// planDrawn plans a drawn manifest without the entries that can't be planned.
func (s *stage) planDrawn(t *rapid.T, company string, d *bulksync.Desired) *bulksync.Plan {
	for {
		plan, err := s.engine.Plan(s.Context(), company, d, bulksync.Policy{})
		if err == nil {
			return plan
		}
		var faults bulksync.Faults
		if !errors.As(err, &faults) || len(faults) == 0 {
			t.Fatalf("plan refused with %T %v, want faults", err, err)
		}
		if !dropFaulty(d, faults) {
			t.Fatalf("plan refused for faults that are at no entry: %v", err)
		}
	}
}

// dropFaulty takes the entries out of a manifest that have faults, else its rules; false when nothing is left to take.
func dropFaulty(d *bulksync.Desired, faults bulksync.Faults) bool {
	faulty := func(at bulksync.Position) bool {
		return slices.ContainsFunc(faults, func(f bulksync.Fault) bool { return f.Position.Line == at.Line })
	}
	before := d.Users.Len() + len(d.Devices) + len(d.DDIs) + len(d.Settings)
	var users []bulksync.DesiredUser
	for _, u := range d.Users.All() {
		if !faulty(u.Position) {
			users = append(users, *u)
		}
	}
	d.Users = bulksync.EntriesOf(users...)
	d.Devices = slices.DeleteFunc(d.Devices, func(v bulksync.DesiredDevice) bool { return faulty(v.Position) })
	d.DDIs = slices.DeleteFunc(d.DDIs, func(n bulksync.DesiredDDI) bool { return faulty(n.Position) })
	d.Settings = slices.DeleteFunc(d.Settings, func(g bulksync.DesiredGroup) bool { return faulty(g.Position) })
	if d.Users.Len()+len(d.Devices)+len(d.DDIs)+len(d.Settings) < before {
		return true
	}
	if d.DefaultDDI != nil && faulty(d.DefaultDDI.Position) {
		d.DefaultDDI = nil
		return true
	}
	rules := len(d.Match) + len(d.Renumber)
	d.Match, d.Renumber = nil, nil
	return rules > 0
}
