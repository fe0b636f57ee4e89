package rainbow

import (
	"cmp"
	"log/slog"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	adminv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream/jsoncodec"
)

// TestARecordIsMadeOfTheMembersShown reads users who have every member there is, once whole and once as lists of users are
// read: the records are the same. Without any one of the members shown, some would not be.
func TestARecordIsMadeOfTheMembersShown(t *testing.T) {
	users := []*adminv1.User{
		sampleUser(), fullUser(work, landline, false), fullUser(work, mobile, false), fullUser(work, landline, true), fullUser(home, landline, false),
		fullUser(home, mobile, false), fullUser(work, landline, false), fullUser(work, landline, false), fullUser(work, landline, false),
	}
	for _, u := range users {
		u.LoginEmail, u.CompanyId, u.IsTerminated, u.AdminType = proto.String("ann@demo.example"), proto.String("company"), nil, proto.String("undefined")
		u.Id = cmp.Or(u.Id, proto.String("id"))
	}
	users[1].AdminType = proto.String("company_admin")
	users[2].PhoneNumbers[0].NumberE164 = nil
	users[6].Roles = []string{"user", "company_admin"}
	users[7].IsTerminated = proto.Bool(true)
	users[8].CompanyId = proto.String("another")

	if diff := differences(t, users, userMembers()); diff != "" {
		t.Errorf("records differ (-whole +shown):\n%s", diff)
	}
	for i, member := range userMembers() {
		if differences(t, users, slices.Delete(userMembers(), i, i+1)) == "" {
			t.Errorf("without %s the records are the same", member)
		}
	}
}

// differences compares the records and company names of whole users with those of what is shown of them.
func differences(t *testing.T, users []*adminv1.User, members []string) string {
	t.Helper()
	var tables jsoncodec.Tables
	codec, err := tables.Message((&adminv1.User{}).ProtoReflect().Descriptor())
	if err != nil {
		t.Fatal(err)
	}
	part, err := codec.Part(members...)
	if err != nil {
		t.Fatal(err)
	}
	target := New(nil, Options{Account: "admin@demo.example", Logger: slog.New(slog.DiscardHandler)})
	all := ""
	for _, u := range users {
		doc, err := codec.Append(nil, u)
		if err != nil {
			t.Fatal(err)
		}
		shown := &adminv1.User{}
		if err := part.Unmarshal(doc, shown); err != nil {
			t.Fatal(err)
		}
		all += gocmp.Diff(target.userRecord("company", u), target.userRecord("company", shown)) + gocmp.Diff(u.GetCompanyName(), shown.GetCompanyName())
	}
	return all
}

// fullUser is a user who has every member there is, and one of each list.
func fullUser(kind, deviceType string, system bool) *adminv1.User {
	u := &adminv1.User{}
	fill(u.ProtoReflect(), 0)
	u.PhoneNumbers[0].Type, u.PhoneNumbers[0].DeviceType, u.PhoneNumbers[0].IsFromSystem = &kind, &deviceType, &system
	u.Emails[0].Type = &kind
	return u
}

// fill sets every field of a message, and one element of each list, but for extra_json.
func fill(m protoreflect.Message, depth int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if f.Number() == jsoncodec.ExtraNumber || f.Message() != nil && depth > 3 {
			continue
		}
		var v protoreflect.Value
		switch {
		case f.Message() != nil:
			inner := m.NewField(f)
			if f.IsList() {
				element := inner.List().AppendMutable()
				fill(element.Message(), depth+1)
			} else {
				fill(inner.Message(), depth+1)
			}
			m.Set(f, inner)
			continue
		case f.Kind() == protoreflect.StringKind:
			v = protoreflect.ValueOfString("value of " + string(f.Name()))
		case f.Kind() == protoreflect.BoolKind:
			v = protoreflect.ValueOfBool(true)
		case f.Kind() == protoreflect.Int32Kind:
			v = protoreflect.ValueOfInt32(7)
		case f.Kind() == protoreflect.Uint32Kind:
			v = protoreflect.ValueOfUint32(7)
		case f.Kind() == protoreflect.FloatKind:
			v = protoreflect.ValueOfFloat32(7)
		default:
			v = protoreflect.ValueOfFloat64(7)
		}
		if f.IsList() {
			list := m.NewField(f)
			list.List().Append(v)
			v = list
		}
		m.Set(f, v)
	}
}
