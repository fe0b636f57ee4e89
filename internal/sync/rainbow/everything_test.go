package rainbow

import (
	"cmp"
	"fmt"
	"testing"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// staffed gives the seeded users staff numbers, by which they are known under other logins, and some the mark of a block whose
// extensions move.
func staffed() []bulksync.DesiredUser {
	var users []bulksync.DesiredUser
	for n := 1; n <= 14; n++ {
		users = append(users, user(seeded(n), func(u *bulksync.DesiredUser) {
			u.Attributes = attrs("userInfo1", fmt.Sprintf("S%d", n))
			if n <= 3 || n == 14 {
				u.Attributes = append(u.Attributes, attrs("userInfo2", "block")...)
			}
		}))
	}
	return users
}

// everything is a manifest that asks for operations of every kind: users created, changed, renamed in a circle and deleted,
// extensions renumbered by a rule and swapped, devices and DDIs created, moved and deleted, licences, options, keys, settings.
func everything(t *testing.T) *bulksync.Desired {
	t.Helper()
	rule, err := bulksync.ParseRenumbering("8000x=8070x@userInfo2=block")
	if err != nil {
		t.Fatal(err)
	}
	d := &bulksync.Desired{Mode: "yaml", Digest: "digest", Match: []string{"userInfo1"}, Renumber: []bulksync.Renumbering{rule}}
	var users []bulksync.DesiredUser
	add := func(login bulksync.Login, change func(*bulksync.DesiredUser)) {
		u := user(login, change)
		u.Position, u.Action = bulksync.Position{File: "all.yaml", Line: len(users) + 2, Column: 1}, cmp.Or(u.Action, "upsert")
		users = append(users, u)
	}
	for n := range 22 {
		add(bulksync.Login(fmt.Sprintf("new%02d@sandbox.example", n)), func(u *bulksync.DesiredUser) {
			u.Attributes = attrs("firstName", "New", "lastName", fmt.Sprint(n), "tags0", "a")
			u.Subscriber, u.Devices, u.DDIs = bulksync.Having(bulksync.Number(fmt.Sprint(80500+n))), bulksync.Having(mac(n)), bulksync.Having(ddi(40+n))
			u.Licences = bulksync.Adding[bulksync.Offer]("Enterprise Demo")
			u.Options = []bulksync.DesiredGroup{{Group: bulksync.GroupOverflow, Values: attrs("value", "disabled"), Position: u.Position}}
		})
	}
	staff := func(n int, more ...string) func(*bulksync.DesiredUser) {
		return func(u *bulksync.DesiredUser) {
			u.Attributes = attrs(append(more, "userInfo1", fmt.Sprintf("S%d", n))...)
		}
	}
	add(seeded(2), staff(1)) // two swap logins
	add(seeded(1), staff(2))
	add("fresh@sandbox.example", staff(3, "jobTitle", "Chef"))
	for n := 4; n <= 7; n++ { // extensions go round
		add(seeded(n), func(u *bulksync.DesiredUser) {
			staff(n)(u)
			u.Subscriber = bulksync.Having(bulksync.Number(fmt.Sprint(80004 + (n-3)%4)))
		})
	}
	for n := 8; n <= 10; n++ { // devices and DDIs go round
		add(seeded(n), func(u *bulksync.DesiredUser) {
			staff(n)(u)
			next := 8 + (n-7)%3
			u.Devices, u.DDIs = bulksync.Having(deskPhone(next)), bulksync.Having(ddi(20+next))
			u.Licences = bulksync.Without[bulksync.Offer]("Voice Enterprise 3-Year prepaid")
		})
	}
	for n := 11; n <= 12; n++ {
		add(seeded(n), func(u *bulksync.DesiredUser) { u.Presence, u.Action = bulksync.Absent, "delete" })
	}
	add(seeded(13), func(u *bulksync.DesiredUser) {
		staff(13)(u)
		u.Subscriber = bulksync.Having[bulksync.Number]()
	})
	add(seeded(14), func(u *bulksync.DesiredUser) {
		staff(14)(u)
		u.Options = []bulksync.DesiredGroup{{Group: bulksync.GroupSIPHeaders, Values: attrs("customSipHeader_1", "Brest"), Position: u.Position}}
	})
	d.Users = bulksync.EntriesOf(users...)
	for n := range 6 {
		at := bulksync.Position{File: "all.yaml", Line: 100 + n, Column: 1}
		d.Devices = append(d.Devices, bulksync.DesiredDevice{Address: unknownPhone(n), Model: "M5", Description: "Hall", Modules: bulksync.Having(bulksync.DeviceModule{ID: 1, Type: "EM_20"}), Position: at})
		d.DDIs = append(d.DDIs, bulksync.DesiredDDI{Number: unknownDDI(n), Position: at}, bulksync.DesiredDDI{Number: ddi(70 + n), Absent: true, Position: at})
	}
	d.Devices = append(d.Devices, bulksync.DesiredDevice{Address: mac(25), Position: bulksync.Position{File: "all.yaml", Line: 110, Column: 1}, Keys: bulksync.Having(
		bulksync.DesiredKey{Number: 3, Type: "speeddial", Destination: "+33612345678", DisplayName: "Pat"}, bulksync.DesiredKey{Number: 4, Type: "headset"})})
	d.Settings = []bulksync.DesiredGroup{{Group: bulksync.GroupCLI, Values: attrs("policy", "user_ddi_number"), Position: bulksync.Position{File: "all.yaml", Line: 120, Column: 1}}}
	return d
}
