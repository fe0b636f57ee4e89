package rainbow

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	adminv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// The engine knows a user's values by the names of the import's columns (mass provisioning guide, "Import users"), the
// admin portal by the members of its user document. This file is the one table between the two.

// attribute is a value that a user has once.
type attribute struct {
	name string
	get  func(*adminv1.User) string
	set  func(*adminv1.UpdateUserBody, string)
}

// login is the attribute by which a record is named, and not one of its values.
const login = "loginEmail"

var attributes = []attribute{
	{login, (*adminv1.User).GetLoginEmail, func(b *adminv1.UpdateUserBody, v string) { b.LoginEmail = &v }},
	{"title", (*adminv1.User).GetTitle, func(b *adminv1.UpdateUserBody, v string) { b.Title = &v }},
	{"firstName", (*adminv1.User).GetFirstName, func(b *adminv1.UpdateUserBody, v string) { b.FirstName = &v }},
	{"lastName", (*adminv1.User).GetLastName, func(b *adminv1.UpdateUserBody, v string) { b.LastName = &v }},
	{"nickName", (*adminv1.User).GetNickName, func(b *adminv1.UpdateUserBody, v string) { b.NickName = &v }},
	{"jobTitle", (*adminv1.User).GetJobTitle, func(b *adminv1.UpdateUserBody, v string) { b.JobTitle = &v }},
	{"department", (*adminv1.User).GetDepartment, func(b *adminv1.UpdateUserBody, v string) { b.Department = &v }},
	{"userInfo1", (*adminv1.User).GetUserInfo1, func(b *adminv1.UpdateUserBody, v string) { b.UserInfo1 = &v }},
	{"userInfo2", (*adminv1.User).GetUserInfo2, func(b *adminv1.UpdateUserBody, v string) { b.UserInfo2 = &v }},
	{"country", (*adminv1.User).GetCountry, func(b *adminv1.UpdateUserBody, v string) { b.Country = &v }},
	{"language", (*adminv1.User).GetLanguage, func(b *adminv1.UpdateUserBody, v string) { b.Language = &v }},
	{"timezone", (*adminv1.User).GetTimezone, func(b *adminv1.UpdateUserBody, v string) { b.Timezone = &v }},
	{"visibility", (*adminv1.User).GetVisibility, func(b *adminv1.UpdateUserBody, v string) { b.Visibility = &v }},
	{"isInitialized", isInitialized, func(b *adminv1.UpdateUserBody, v string) { b.IsInitialized = proto.Bool(v == "true") }},
	{"authenticationType", (*adminv1.User).GetAuthenticationType, func(b *adminv1.UpdateUserBody, v string) { b.AuthenticationType = &v }},
	{"accountType", (*adminv1.User).GetAccountType, func(b *adminv1.UpdateUserBody, v string) { b.AccountType = &v }},
}

func isInitialized(u *adminv1.User) string {
	if u.IsInitialized == nil {
		return ""
	}
	return strconv.FormatBool(u.GetIsInitialized())
}

func findAttribute(name string) *attribute {
	if i := slices.IndexFunc(attributes, func(a attribute) bool { return a.name == name }); i >= 0 {
		return &attributes[i]
	}
	return nil
}

// family is a list whose items are attributes with a number: businessPhone0, businessPhone1, ...
type family struct {
	name string
	get  func(*adminv1.User) []string
}

// A businessPhone is a personal number of type work at a landline, a mobilePhone one at a mobile; an email is an address
// of type home, the login itself being one of type work.
var families = []family{
	{"businessPhone", func(u *adminv1.User) []string { return phonesOf(u, landline) }},
	{"mobilePhone", func(u *adminv1.User) []string { return phonesOf(u, mobile) }},
	{"email", homeEmails},
	{"tags", (*adminv1.User).GetTags},
}

const (
	work     = "work"
	home     = "home"
	landline = "landline"
	mobile   = "mobile"
)

// personal tells whether a number is a user's own, of type work at that kind of device.
func personal(n *adminv1.UserPhoneNumber, deviceType string) bool {
	return !n.GetIsFromSystem() && n.GetType() == work && n.GetDeviceType() == deviceType
}

func phonesOf(u *adminv1.User, deviceType string) []string {
	var numbers []string
	for _, n := range u.GetPhoneNumbers() {
		if personal(n, deviceType) {
			numbers = append(numbers, cmp.Or(n.GetNumberE164(), n.GetNumber()))
		}
	}
	return numbers
}

func homeEmails(u *adminv1.User) []string {
	var emails []string
	for _, e := range u.GetEmails() {
		if e.GetType() == home {
			emails = append(emails, e.GetEmail())
		}
	}
	return emails
}

// position splits the name of an item of a family: "tags4" is 4 of tags.
func position(name string) (f *family, n int, ok bool) {
	list, n, ok := bulksync.ListItem(name)
	if i := slices.IndexFunc(families, func(f family) bool { return f.name == list }); ok && i >= 0 {
		return &families[i], n, true
	}
	return nil, 0, false
}

// attributesOf lists a user's attributes as the engine records them: without empty values, sorted by name.
func attributesOf(u *adminv1.User) []bulksync.Attribute {
	var all []bulksync.Attribute
	add := func(name, value string) {
		if value = strings.TrimSpace(value); value != "" {
			all = append(all, bulksync.Attribute{Name: name, Value: value})
		}
	}
	for _, a := range attributes {
		if a.name != login {
			add(a.name, a.get(u))
		}
	}
	for _, f := range families {
		for i, v := range f.get(u) {
			add(f.name+strconv.Itoa(i), v)
		}
	}
	slices.SortFunc(all, func(a, b bulksync.Attribute) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// updateBody makes the body of UpdateUser that changes a user's attributes. user is the document as it is now; it is only
// looked at when a list changes, for a list is replaced as a whole. Values that UpdateUser has no member for (photoUrl and
// other columns that only imports take) are passed over.
func updateBody(user *adminv1.User, changes []bulksync.Change) *adminv1.UpdateUserBody {
	b := &adminv1.UpdateUserBody{}
	lists := map[string]map[int]string{}
	for _, c := range changes {
		if a := findAttribute(c.Name); a != nil {
			a.set(b, cmp.Or(c.After, bulksync.DefaultOf(a.name))) // cleared: its default
		} else if f, n, ok := position(c.Name); ok {
			if lists[f.name] == nil {
				lists[f.name] = map[int]string{}
			}
			lists[f.name][n] = c.After
		}
	}
	var emptied []string
	empty := func(member string, length int) {
		if length == 0 { // an empty list has no typed form
			emptied = append(emptied, fmt.Sprintf("%q:[]", member))
		}
	}
	if changes := lists["tags"]; changes != nil {
		b.Tags = edit(user.GetTags(), changes, func(s string) string { return s })
		empty("tags", len(b.Tags))
	}
	if changes := lists["email"]; changes != nil {
		b.Emails = editEmails(user, changes)
		empty("emails", len(b.Emails))
	}
	if lists["businessPhone"] != nil || lists["mobilePhone"] != nil {
		b.PhoneNumbers = editPhones(user, lists["businessPhone"], lists["mobilePhone"])
		empty("phoneNumbers", len(b.PhoneNumbers))
	}
	if len(emptied) > 0 {
		b.ExtraJson = []byte("{" + strings.Join(emptied, ",") + "}")
	}
	return b
}

// edit changes a list by positions: a value replaces the one at its position or is appended behind the last, an empty
// one removes it. Positions are those of the list as it was.
func edit[E any](items []E, changes map[int]string, item func(string) E) []E {
	next := slices.Clone(items)
	for _, n := range slices.Sorted(maps.Keys(changes)) {
		switch v := changes[n]; {
		case v == "":
		case n < len(items):
			next[n] = item(v)
		default:
			next = append(next, item(v))
		}
	}
	for _, n := range slices.Backward(slices.Sorted(maps.Keys(changes))) {
		if changes[n] == "" && n < len(items) {
			next = slices.Delete(next, n, n+1)
		}
	}
	return next
}

func editEmails(user *adminv1.User, changes map[int]string) []*adminv1.UserEmail {
	var others, own []*adminv1.UserEmail
	for _, e := range user.GetEmails() {
		if e.GetType() == home {
			own = append(own, e)
		} else {
			others = append(others, e)
		}
	}
	return append(others, edit(own, changes, func(address string) *adminv1.UserEmail {
		return &adminv1.UserEmail{Email: &address, Type: proto.String(home)}
	})...)
}

// editPhones gives all personal numbers of a user, for UpdateUser deletes those it is not sent.
func editPhones(user *adminv1.User, business, mobiles map[int]string) []*adminv1.UpdateUserPhoneNumber {
	var others, landlines, cells []*adminv1.UpdateUserPhoneNumber
	for _, n := range user.GetPhoneNumbers() {
		if n.GetIsFromSystem() {
			continue
		}
		sent := &adminv1.UpdateUserPhoneNumber{Number: n.Number, Country: n.Country, Type: n.Type, DeviceType: n.DeviceType}
		switch {
		case personal(n, landline):
			landlines = append(landlines, sent)
		case personal(n, mobile):
			cells = append(cells, sent)
		default:
			others = append(others, sent)
		}
	}
	return slices.Concat(others, edit(landlines, business, newPhone(landline)), edit(cells, mobiles, newPhone(mobile)))
}

func newPhone(deviceType string) func(string) *adminv1.UpdateUserPhoneNumber {
	return func(number string) *adminv1.UpdateUserPhoneNumber {
		return &adminv1.UpdateUserPhoneNumber{Number: &number, Type: proto.String(work), DeviceType: &deviceType}
	}
}
