package rainbow

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	adminv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

func phone(number, kind, deviceType string, system bool) *adminv1.UserPhoneNumber {
	return &adminv1.UserPhoneNumber{Number: &number, NumberE164: &number, Type: &kind, DeviceType: &deviceType, IsFromSystem: &system}
}

func sampleUser() *adminv1.User {
	return &adminv1.User{
		LoginEmail: proto.String("ann@demo.example"), FirstName: proto.String("Ann"), Title: proto.String(""), IsInitialized: proto.Bool(false),
		Tags: []string{"a", "b", "c"},
		Emails: []*adminv1.UserEmail{
			{Email: proto.String("ann@demo.example"), Type: proto.String("work")}, {Email: proto.String("ann@home.example"), Type: proto.String("home")},
			{Email: proto.String("ann2@home.example"), Type: proto.String("home")},
		},
		PhoneNumbers: []*adminv1.UserPhoneNumber{
			phone("+331", "work", "landline", true), phone("+332", "work", "landline", false), phone("+333", "home", "landline", false),
			phone("+334", "work", "mobile", false), phone("+335", "work", "landline", false),
		},
	}
}

func TestAttributesOfAUser(t *testing.T) {
	want := attrs("businessPhone0", "+332", "businessPhone1", "+335", "email0", "ann@home.example", "email1", "ann2@home.example", "firstName", "Ann",
		"isInitialized", "false", "mobilePhone0", "+334", "tags0", "a", "tags1", "b", "tags2", "c")
	if diff := cmp.Diff(want, attributesOf(sampleUser())); diff != "" {
		t.Errorf("attributes differ (-want +got):\n%s", diff)
	}
}

// TestEveryAttributeIsReadAsItIsWritten sets each attribute of the table and looks whether its member, and no other, has
// the value.
func TestEveryAttributeIsReadAsItIsWritten(t *testing.T) {
	for _, a := range attributes {
		value := "true"
		if a.name != "isInitialized" {
			value = "value of " + a.name
		}
		b := &adminv1.UpdateUserBody{}
		a.set(b, value)
		sent := b.ProtoReflect()
		u := &adminv1.User{}
		for i := range sent.Descriptor().Fields().Len() {
			f := sent.Descriptor().Fields().Get(i)
			if sent.Has(f) {
				if got := f.JSONName(); got != a.name {
					t.Errorf("%s is sent as %s", a.name, got)
				}
				u.ProtoReflect().Set(u.ProtoReflect().Descriptor().Fields().ByName(f.Name()), sent.Get(f))
			}
		}
		if got := a.get(u); got != value {
			t.Errorf("%s is read as %q, want %q", a.name, got, value)
		}
	}
}

func TestUpdateBody(t *testing.T) {
	for _, c := range []struct {
		name    string
		changes []bulksync.Change
		want    *adminv1.UpdateUserBody
	}{
		{"plain values and resets", []bulksync.Change{after("firstName", "Anna"), {Name: "jobTitle", Before: "Cook"}, {Name: "isInitialized", Before: "true"}, {Name: "visibility", Before: "public"}, after("photoUrl", "x")},
			&adminv1.UpdateUserBody{FirstName: proto.String("Anna"), JobTitle: proto.String(""), IsInitialized: proto.Bool(false), Visibility: proto.String("same_than_company")}},
		{"tags", []bulksync.Change{{Name: "tags0", Before: "a"}, after("tags1", "B"), after("tags7", "d")}, &adminv1.UpdateUserBody{Tags: []string{"B", "c", "d"}}},
		{"all tags gone", []bulksync.Change{{Name: "tags0"}, {Name: "tags1"}, {Name: "tags2"}}, &adminv1.UpdateUserBody{Tags: []string{}, ExtraJson: []byte(`{"tags":[]}`)}},
		{"e-mails keep the login", []bulksync.Change{{Name: "email0"}, after("email1", "new@home.example")}, &adminv1.UpdateUserBody{Emails: []*adminv1.UserEmail{
			{Email: proto.String("ann@demo.example"), Type: proto.String("work")}, {Email: proto.String("new@home.example"), Type: proto.String("home")},
		}}},
		{"phones keep the others and leave the PBX's out", []bulksync.Change{after("businessPhone1", "+339"), {Name: "mobilePhone0"}}, &adminv1.UpdateUserBody{PhoneNumbers: []*adminv1.UpdateUserPhoneNumber{
			{Number: proto.String("+333"), Type: proto.String("home"), DeviceType: proto.String("landline")},
			{Number: proto.String("+332"), Type: proto.String("work"), DeviceType: proto.String("landline")},
			{Number: proto.String("+339"), Type: proto.String("work"), DeviceType: proto.String("landline")},
		}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := updateBody(sampleUser(), c.changes); !proto.Equal(c.want, got) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestWhatGoesByImport(t *testing.T) {
	for _, c := range []struct {
		op   bulksync.Operation
		want string
	}{
		{bulksync.Operation{Action: bulksync.ActionCreate, Key: bulksync.Login("a@b.example").Key(), Changes: []bulksync.Change{after("tags0", "x")}}, groupUsers},
		{bulksync.Operation{Action: bulksync.ActionDelete, Key: bulksync.Login("a@b.example").Key()}, groupUsers},
		{bulksync.Operation{Action: bulksync.ActionUpdate, Key: bulksync.Login("a@b.example").Key(), Changes: []bulksync.Change{after("title", "Dr")}}, groupUsers},
		{bulksync.Operation{Action: bulksync.ActionUpdate, Key: bulksync.Login("a@b.example").Key(), Changes: []bulksync.Change{{Name: "title", Before: "Dr"}}}, ""},
		{bulksync.Operation{Action: bulksync.ActionUpdate, Key: bulksync.Login("a@b.example").Key(), Changes: []bulksync.Change{after("tags0", "x")}}, ""},
		{bulksync.Operation{Action: bulksync.ActionAttach, Key: bulksync.ExtensionKey("PBX1", "3000")}, groupPairings},
		{bulksync.Operation{Action: bulksync.ActionAttach, Key: bulksync.ExtensionKey("PBX1", "3000"), Changes: []bulksync.Change{after("number", "1")}}, ""},
		{bulksync.Operation{Action: bulksync.ActionUpdate, Key: bulksync.ExtensionKey("PBX1", "3000")}, ""},
		{bulksync.Operation{Action: bulksync.ActionCreate, Key: bulksync.ExtensionKey("PBX1", "3000")}, ""},
		{bulksync.Operation{Action: bulksync.ActionAttach, Key: bulksync.E164("+331234567").Key()}, ""},
	} {
		if got := new(Target).groupOf(&c.op, ""); got != c.want {
			t.Errorf("%s of %s %v: group %q, want %q", c.op.Action, c.op.Key, c.op.Changes, got, c.want)
		}
	}
}

func TestAdministratorsAreKnown(t *testing.T) {
	for _, c := range []struct {
		roles []string
		kind  string
		want  bool
	}{
		{[]string{"user"}, "", false}, {[]string{"user"}, "undefined", false}, {[]string{"user", "admin"}, "", true},
		{[]string{"bp_admin"}, "", true}, {[]string{"superadmin"}, "", true}, {[]string{"user"}, "site_admin", true}, {[]string{"guest", "support"}, "", false},
	} {
		if got := isAdmin(&adminv1.User{Roles: c.roles, AdminType: &c.kind}); got != c.want {
			t.Errorf("roles %v, kind %q: %t", c.roles, c.kind, got)
		}
	}
}

func TestLoginsAreCutToFitAURL(t *testing.T) {
	var logins, got []bulksync.Login
	for i := range 500 {
		logins = append(logins, seeded(i))
	}
	for chunk := range loginChunks(logins) {
		length := 0
		for _, l := range chunk {
			length += len(l) + 5
		}
		if length > maxLoginsLength {
			t.Errorf("a part has %d bytes", length)
		}
		got = append(got, chunk...)
	}
	if !slices.Equal(logins, got) {
		t.Error("logins are lost")
	}
}
