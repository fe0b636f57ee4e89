package sandbox

import (
	"fmt"
	"slices"
	"strconv"
)

// applyCells writes the user columns of a row into u, a copy that is not put
// yet. An empty cell is no change, except in a sync row, where the empty cell
// of a present column clears the value. Password and isInitialized have no
// empty value and stay.
func (r *rowRun) applyCells(u *user, sync bool) error {
	for name, field := range cellTexts(u) {
		if value, present := r.cells[name]; present && (value != "" || sync) {
			*field = value
		}
	}
	if u.Country != "" && len(u.Country) != 3 {
		return fmt.Errorf("country %q is not an ISO 3166-1 alpha-3 code", u.Country)
	}
	if err := r.applyEnums(u, sync); err != nil {
		return err
	}
	if value := r.cells["isInitialized"]; value != "" {
		b, err := strconv.ParseBool(value)
		if err != nil {
			return fmt.Errorf("isInitialized %q is not true or false", value)
		}
		u.IsInitialized = b
	}
	if password := r.cells["password"]; password != "" {
		if !goodPassword(password) {
			return fmt.Errorf("password must have at least 8 characters with 1 capital letter, 1 digit and 1 special character")
		}
		u.PasswordHash = hashPassword(u.ID, password)
	}
	if err := r.applyPhones(u, "businessPhone", "landline", sync); err != nil {
		return err
	}
	if err := r.applyPhones(u, "mobilePhone", "mobile", sync); err != nil {
		return err
	}
	if err := r.applyEmails(u, sync); err != nil {
		return err
	}
	return r.applyTags(u, sync)
}

func cellTexts(u *user) map[string]*string {
	return map[string]*string{
		"title": &u.Title, "firstName": &u.FirstName, "lastName": &u.LastName, "nickName": &u.NickName, "jobTitle": &u.JobTitle,
		"department": &u.Department, "userInfo1": &u.UserInfo1, "userInfo2": &u.UserInfo2, "country": &u.Country, "state": &u.State,
		"language": &u.Language, "timezone": &u.Timezone, "photoUrl": &u.PhotoURL, "ldap_id": &u.LdapID,
		"selectedAppCustomisationTemplateName": &u.AppTemplate,
	}
}

func (r *rowRun) applyEnums(u *user, sync bool) error {
	for _, e := range []struct {
		name    string
		field   *string
		empty   string
		allowed []string
	}{
		{"visibility", &u.Visibility, "same_than_company", userVisibilities()},
		{"authenticationType", &u.AuthenticationType, "", []string{"DEFAULT", "RAINBOW", "SAML", "OIDC"}},
		{"accountType", &u.AccountType, "free", []string{"free", "basic", "advanced"}},
	} {
		value, present := r.cells[e.name]
		switch {
		case !present || (value == "" && !sync):
		case value == "":
			*e.field = e.empty
		case !slices.Contains(e.allowed, value):
			return fmt.Errorf("%s %q is not one of %v", e.name, value, e.allowed)
		default:
			*e.field = value
		}
	}
	return nil
}

// positions writes a family of numbered columns into a list: a filled cell
// sets its position (or appends, when the list is shorter), others stay; in a
// sync row an empty cell removes its position.
func (r *rowRun) positions(family string, sync bool, length int, set func(position int, value string) error, remove func(position int)) error {
	var removed []int
	columns := slices.Clone(r.sheet.columns)
	slices.SortStableFunc(columns, func(a, b column) int { return a.position - b.position })
	for _, c := range columns {
		if c.family != family {
			continue
		}
		switch value := r.cells[c.name]; {
		case value != "":
			if err := set(min(c.position, length), value); err != nil {
				return err
			}
			length = max(length, min(c.position, length)+1)
		case sync && c.position < length:
			removed = append(removed, c.position)
		}
	}
	for _, position := range slices.Backward(removed) {
		remove(position)
	}
	return nil
}

// applyPhones writes businessPhone{n} or mobilePhone{n}: the personal numbers
// of type work and the family's device type, in order.
func (r *rowRun) applyPhones(u *user, family, deviceType string, sync bool) error {
	var own, others []personalNumber
	for _, n := range u.Numbers {
		if n.Type == "work" && n.DeviceType == deviceType {
			own = append(own, n)
		} else {
			others = append(others, n)
		}
	}
	err := r.positions(family, sync, len(own), func(position int, value string) error {
		n, ok := r.w.personal(u, value, "", "work", deviceType)
		if !ok {
			return fmt.Errorf("%s %q is not a phone number of country %s", family, value, u.Country)
		}
		if position == len(own) {
			own = append(own, n)
		} else {
			own[position] = n
		}
		return nil
	}, func(position int) { own = slices.Delete(own, position, position+1) })
	if err != nil {
		return err
	}
	u.Numbers = append(others, own...)
	if u.Numbers == nil {
		u.Numbers = []personalNumber{}
	}
	return nil
}

// applyEmails writes email{n}: the e-mails of type home, in order; the login
// itself is the e-mail of type work.
func (r *rowRun) applyEmails(u *user, sync bool) error {
	var own, others []email
	for _, e := range u.Emails {
		if e.Type == "home" {
			own = append(own, e)
		} else {
			others = append(others, e)
		}
	}
	err := r.positions("email", sync, len(own), func(position int, value string) error {
		if !validLogin(value) {
			return fmt.Errorf("email %q is not a valid e-mail address", value)
		}
		if position == len(own) {
			own = append(own, email{})
		}
		own[position] = email{Email: value, Type: "home"}
		return nil
	}, func(position int) { own = slices.Delete(own, position, position+1) })
	if err != nil {
		return err
	}
	u.Emails = append(others, own...)
	return nil
}

func (r *rowRun) applyTags(u *user, sync bool) error {
	tags := slices.Clone(u.Tags)
	err := r.positions("tags", sync, len(tags), func(position int, value string) error {
		if len(value) > 64 {
			return fmt.Errorf("tag %q is longer than 64 characters", value)
		}
		if position == len(tags) {
			tags = append(tags, "")
		}
		tags[position] = value
		return nil
	}, func(position int) { tags = slices.Delete(tags, position, position+1) })
	if len(tags) > 5 {
		return fmt.Errorf("user has more than 5 tags")
	}
	u.Tags = tags
	return err
}
