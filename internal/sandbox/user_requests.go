package sandbox

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

func userRoutes() []route {
	const base = "/admin/v1.0"
	return []route{
		{http.MethodGet, base + "/about", open, false, about("1.236.21", "Rainbow Admin Portal (sandbox)")},
		{http.MethodGet, base + "/users", adminOnly, false, listUsers},
		{http.MethodPost, base + "/users", adminOnly, true, createUser},
		{http.MethodGet, base + "/users/{userId}", adminOnly, false, getUser},
		{http.MethodPut, base + "/users/{userId}", adminOnly, true, updateUser},
		{http.MethodDelete, base + "/users/{userId}", adminOnly, true, deleteUser},
	}
}

// getUser answers GetUser, terminated users included; the format is full
// unless the caller asks for less.
func getUser(w *world, c *call) (any, error) {
	id, err := c.id("userId")
	if err != nil {
		return nil, err
	}
	u := w.users.get(id)
	if u == nil {
		return nil, notFound("User with id %s does not exist.", id)
	}
	if !u.IsTerminated {
		if err := c.inChargeOfUser(u); err != nil {
			return nil, err
		}
	}
	format := c.query.text("format")
	if format == "" {
		format = "full"
	}
	return data(w.view(u, format)), nil
}

// newUser makes a user who is not put yet, with the defaults of CreateUser.
func (w *world) newUser(companyID, login string, by *user, now time.Time) *user {
	u := &user{userDocument: userDocument{
		ID: w.newID(idUser), LoginEmail: login, CompanyID: companyID, Roles: []string{"user"}, AdminType: "undefined",
		Emails: []email{{Email: login, Type: "work"}}, Numbers: []personalNumber{},
		IsActive: true, Visibility: "same_than_company", TimeToLive: -1, AccountType: "free",
		CreationDate: timestamp(now), ActivationDate: timestamp(now),
		CreatedByAdmin: &actor{UserID: by.ID, LoginEmail: by.LoginEmail},
	}}
	if c := w.companies.get(companyID); c != nil {
		u.Country = c.Country
	}
	return u
}

func createUser(w *world, c *call) (any, error) {
	o := c.object()
	o.require("loginEmail")
	companyID := c.caller.CompanyID
	o.text("companyId", &companyID)
	var login string
	o.text("loginEmail", &login)
	if err := o.fault(); err != nil {
		return nil, err
	}
	if err := c.knownCompany(w, companyID); err != nil {
		return nil, err
	}
	u := w.newUser(companyID, login, c.caller, c.now)
	u.Emails = nil
	if err := w.readUser(o, u, nil); err != nil {
		return nil, err
	}
	if err := c.mayMakeAdmin(u, nil); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(u.Emails, func(e email) bool { return e.Type == "work" }) {
		u.Emails = append([]email{{Email: u.LoginEmail, Type: "work"}}, u.Emails...)
	}
	if u.IsInitialized {
		u.InitializationDate = timestamp(c.now)
	}
	w.putUser(u, c.now)
	return data(w.fullUser(u)), nil
}

func updateUser(w *world, c *call) (any, error) {
	u, err := c.companyUser(w, "userId")
	if err != nil {
		return nil, err
	}
	o := c.object()
	if u.ID == c.caller.ID && (o.has("loginEmail") || o.has("roles")) {
		return nil, forbidden(codeAccessDenied, "Access denied: nobody can change his own loginEmail or roles")
	}
	if err := c.supportMayOnly("password", o); err != nil {
		return nil, err
	}
	next := *u
	if err := w.readUser(o, &next, u); err != nil {
		return nil, err
	}
	if err := c.mayMakeAdmin(&next, u); err != nil {
		return nil, err
	}
	if next.PasswordHash != u.PasswordHash {
		c.sandbox.sessions.unlock(u.ID)
	}
	if next.IsInitialized && !u.IsInitialized {
		next.InitializationDate = timestamp(c.now)
	}
	w.putUser(&next, c.now)
	return data(w.fullUser(&next)), nil
}

// deleteUser answers DeleteUser: a terminated user cannot be deleted again,
// and nobody deletes himself.
func deleteUser(w *world, c *call) (any, error) {
	id, err := c.id("userId")
	if err != nil {
		return nil, err
	}
	u := w.users.get(id)
	switch {
	case u == nil:
		return nil, notFound("User with id %s does not exist.", id)
	case u.IsTerminated:
		return nil, conflict(codeConflict, "User with id %s is already terminated", id)
	case u.ID == c.caller.ID:
		return nil, forbidden(codeAccessDenied, "Access denied: user %s cannot delete himself", id)
	}
	if err := c.inChargeOfUser(u); err != nil {
		return nil, err
	}
	if left := w.removeUser(u, c.caller, c.now); left != nil {
		return statusEnvelope{Status: "User " + id + " successfully disabled", Data: w.fullUser(left)}, nil
	}
	gone := *u
	return statusEnvelope{Status: "User " + id + " successfully deleted", Data: w.fullUser(&gone)}, nil
}

// readUser applies the body of CreateUser or UpdateUser to u, a copy that is
// not put yet; prior is nil for a new user.
func (w *world) readUser(o *object, u, prior *user) error {
	o.text("loginEmail", &u.LoginEmail)
	if !validLogin(u.LoginEmail) {
		o.bad("loginEmail", "loginEmail is not a valid e-mail address", u.LoginEmail)
	}
	for name, field := range userTexts(u) {
		o.text(name, field)
	}
	o.enum("visibility", &u.Visibility, userVisibilities()...)
	o.enum("authenticationType", &u.AuthenticationType, "DEFAULT", "RAINBOW", "SAML", "OIDC")
	o.enum("accountType", &u.AccountType, "free", "basic", "advanced")
	o.boolean("isActive", &u.IsActive)
	o.boolean("isInitialized", &u.IsInitialized)
	o.integer("timeToLive", &u.TimeToLive)
	readTags(o, u)
	readRoles(o, u)
	o.decode("emails", &u.Emails)
	o.decode("customData", &u.CustomData)
	if len(u.CustomData) > 20 {
		o.bad("customData", "customData has more than 20 keys", len(u.CustomData))
	}
	w.readNumbers(o, u)
	readPassword(o, u)
	if err := o.fault(); err != nil {
		return err
	}
	if id := w.userOfLogin[strings.ToLower(u.LoginEmail)]; id != "" && (prior == nil || id != prior.ID) {
		return conflict(codeConflict, "User with loginEmail %s already exists", u.LoginEmail)
	}
	return nil
}

// userTexts names the plain text members that a client may set.
func userTexts(u *user) map[string]*string {
	return map[string]*string{
		"firstName": &u.FirstName, "lastName": &u.LastName, "nickName": &u.NickName, "title": &u.Title,
		"jobTitle": &u.JobTitle, "department": &u.Department, "country": &u.Country, "state": &u.State,
		"language": &u.Language, "timezone": &u.Timezone, "userInfo1": &u.UserInfo1, "userInfo2": &u.UserInfo2,
		"selectedTheme": &u.SelectedTheme, "authenticationExternalUid": &u.AuthenticationExternalUID,
	}
}

func userVisibilities() []string {
	return []string{"same_than_company", "public", "private", "closed", "isolated", "none"}
}

// validLogin is the part of the e-mail syntax that matters here.
func validLogin(login string) bool {
	local, domain, ok := strings.Cut(login, "@")
	return ok && local != "" && strings.Contains(domain, ".") && !strings.ContainsAny(login, " ;,<>\"") &&
		!strings.Contains(domain, "@") && !strings.HasPrefix(domain, ".") && !strings.HasSuffix(domain, ".")
}

func readTags(o *object, u *user) {
	if !o.decode("tags", &u.Tags) {
		return
	}
	if len(u.Tags) > 5 || slices.ContainsFunc(u.Tags, func(t string) bool { return len(t) > 64 }) {
		o.bad("tags", "tags are at most 5, of 64 characters each", u.Tags)
	}
}

// readRoles lets an administrator set the roles guest, user and admin only;
// admin needs an adminType.
func readRoles(o *object, u *user) {
	o.enum("adminType", &u.AdminType, "organization_admin", "company_admin", "site_admin", "undefined")
	if !o.decode("roles", &u.Roles) {
		return
	}
	for _, r := range u.Roles {
		if !slices.Contains([]string{"guest", "user", "admin"}, r) {
			o.bad("roles", "roles may be guest, user and admin", r)
		}
	}
	if slices.Contains(u.Roles, "admin") && u.AdminType == "undefined" {
		o.bad("adminType", "adminType is mandatory with role admin", u.AdminType)
	}
	u.GuestMode = slices.Contains(u.Roles, "guest")
}

func readPassword(o *object, u *user) {
	var password string
	if !o.text("password", &password) {
		return
	}
	if !goodPassword(password) {
		o.bad("password", "password must have at least 8 characters with 1 capital letter, 1 digit and 1 special character", nil)
		return
	}
	u.PasswordHash = hashPassword(u.ID, password)
}

// sentNumber is an element of phoneNumbers in a request.
type sentNumber struct {
	Number         string  `json:"number"`
	Country        string  `json:"country"`
	Type           string  `json:"type"`
	DeviceType     string  `json:"deviceType"`
	ShortNumber    string  `json:"shortNumber"`
	SystemID       string  `json:"systemId"`
	InternalNumber *string `json:"internalNumber"`
}

// readNumbers replaces the personal numbers: unknown ones are added, changed
// ones updated, missing ones deleted. Elements that name a system's number
// (shortNumber and systemId) are left to UpdateSystemPhoneNumber: system
// numbers are never added or deleted here.
func (w *world) readNumbers(o *object, u *user) {
	var sent []sentNumber
	if !o.decode("phoneNumbers", &sent) {
		return
	}
	numbers := []personalNumber{}
	for _, s := range sent {
		if s.ShortNumber != "" || s.SystemID != "" {
			continue
		}
		n, ok := w.personal(u, s.Number, s.Country, s.Type, s.DeviceType)
		if !ok {
			o.bad("phoneNumbers.number", "number and country do not give an E.164 number", s.Number)
			continue
		}
		if !slices.Contains([]string{"home", "work", "other"}, s.Type) {
			o.bad("phoneNumbers.type", "type must be one of home, work, other", s.Type)
		}
		if !slices.Contains([]string{"landline", "mobile", "fax", "other"}, s.DeviceType) {
			o.bad("phoneNumbers.deviceType", "deviceType must be one of landline, mobile, fax, other", s.DeviceType)
		}
		numbers = append(numbers, n)
	}
	u.Numbers = numbers
}

// personal makes a personal number, with the id of the equal one the user has.
func (w *world) personal(u *user, number, country, kind, deviceType string) (personalNumber, bool) {
	if country == "" {
		country = u.Country
	}
	e164, ok := toE164(number, country)
	if !ok {
		return personalNumber{}, false
	}
	n := personalNumber{Number: number, NumberE164: e164, Country: country, Type: kind, DeviceType: deviceType}
	for _, known := range u.Numbers {
		if known.NumberE164 == e164 && known.Type == kind && known.DeviceType == deviceType {
			n.PhoneNumberID = known.PhoneNumberID
		}
	}
	if n.PhoneNumberID == "" {
		n.PhoneNumberID = w.newID(idPersonal)
	}
	return n, true
}
