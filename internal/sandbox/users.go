package sandbox

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// company is a customer of Rainbow, or a business partner (BP): a distributor
// (VAD), a direct reseller (DR), or an indirect one (IR) who buys from a VAD.
type company struct {
	ID                string `json:"id"`
	Name              string `json:"name"`
	Country           string `json:"country"`
	Status            string `json:"status"`
	SiteID            string `json:"siteId"`
	OrganisationID    string `json:"organisationId,omitempty"`
	IsBP              bool   `json:"isBP,omitempty"`
	BpType            string `json:"bpType,omitempty"`            // VAD, DR or IR
	BpID              string `json:"bpId,omitempty"`              // the BP company it buys from
	BpApplicantNumber string `json:"bpApplicantNumber,omitempty"` // an IR has none
	CatalogueID       string `json:"catalogId,omitempty"`
	// UpdatesForbidden is adminHasRightToUpdateSubscriptions=false; for a BP IR
	// the opposite default holds, see UpdatesAllowed.
	UpdatesForbidden bool `json:"sandboxUpdatesForbidden,omitempty"`
	UpdatesAllowed   bool `json:"sandboxUpdatesAllowed,omitempty"` // of a BP IR, set by its VAD
	IncreaseOnly     bool `json:"sandboxIncreaseOnly,omitempty"`   // adminAllowedUpdateSubscriptionsOps=increase_only
}

// userDocument holds the members of a user that upstream shows as they are
// stored; userView adds the computed ones.
type userDocument struct {
	ID                        string           `json:"id"`
	LoginEmail                string           `json:"loginEmail"`
	FirstName                 string           `json:"firstName"`
	LastName                  string           `json:"lastName"`
	DisplayName               string           `json:"displayName"`
	NickName                  string           `json:"nickName,omitempty"`
	Title                     string           `json:"title,omitempty"`
	JobTitle                  string           `json:"jobTitle,omitempty"`
	Department                string           `json:"department,omitempty"`
	Tags                      []string         `json:"tags,omitempty"`
	Emails                    []email          `json:"emails"`
	Numbers                   []personalNumber `json:"phoneNumbers"`
	Country                   string           `json:"country,omitempty"`
	State                     string           `json:"state,omitempty"`
	Language                  string           `json:"language,omitempty"`
	Timezone                  string           `json:"timezone,omitempty"`
	Roles                     []string         `json:"roles"`
	AdminType                 string           `json:"adminType"`
	CompanyID                 string           `json:"companyId"`
	IsActive                  bool             `json:"isActive"`
	IsInitialized             bool             `json:"isInitialized"`
	IsTerminated              bool             `json:"isTerminated"`
	GuestMode                 bool             `json:"guestMode"`
	Visibility                string           `json:"visibility"`
	AuthenticationType        string           `json:"authenticationType,omitempty"`
	AuthenticationExternalUID string           `json:"authenticationExternalUid,omitempty"`
	TimeToLive                int              `json:"timeToLive"`
	AccountType               string           `json:"accountType"`
	UserInfo1                 string           `json:"userInfo1,omitempty"`
	UserInfo2                 string           `json:"userInfo2,omitempty"`
	SelectedTheme             string           `json:"selectedTheme,omitempty"`
	AppTemplate               string           `json:"selectedAppCustomisationTemplateName,omitempty"`
	PhotoURL                  string           `json:"photoUrl,omitempty"`
	LdapID                    string           `json:"ldap_id,omitempty"`
	CustomData                map[string]any   `json:"customData,omitempty"`
	CreationDate              string           `json:"creationDate"`
	ActivationDate            string           `json:"activationDate,omitempty"`
	InitializationDate        string           `json:"initializationDate,omitempty"`
	FirstLoginDate            string           `json:"firstLoginDate,omitempty"`
	LastLoginDate             string           `json:"lastLoginDate,omitempty"`
	LoggedSince               string           `json:"loggedSince,omitempty"`
	LastUpdateDate            string           `json:"lastUpdateDate,omitempty"`
	TerminatedDate            string           `json:"terminatedDate,omitempty"`
	CreatedBySelfRegister     bool             `json:"createdBySelfRegister"`
	CreatedByAdmin            *actor           `json:"createdByAdmin,omitempty"`
	TerminatedBy              *actor           `json:"terminatedBy,omitempty"`
}

// user is the stored document: what upstream shows and what it keeps.
type user struct {
	userDocument
	PasswordHash string    `json:"sandboxPasswordHash,omitempty"`
	Licences     []licence `json:"sandboxLicences,omitempty"`
	SiteID       string    `json:"sandboxSiteId,omitempty"` // the site he belongs to, and administers as site_admin

	nameKey string // displayName as it is sorted
}

type email struct {
	Email string `json:"email"`
	Type  string `json:"type"`
}

type actor struct {
	UserID     string `json:"userId"`
	LoginEmail string `json:"loginEmail"`
}

// personalNumber is a number a user typed in himself; the numbers of PBXs are
// documents of their own (subscriber, pbxNumber).
type personalNumber struct {
	PhoneNumberID string `json:"phoneNumberId"`
	Number        string `json:"number"`
	NumberE164    string `json:"numberE164,omitempty"`
	Country       string `json:"country,omitempty"`
	Type          string `json:"type"`
	DeviceType    string `json:"deviceType"`
	IsFromSystem  bool   `json:"isFromSystem"`
	IsMonitored   bool   `json:"isMonitored"`
}

// wireUsers sets up the orders and lookups over users. Terminated users are in
// none of them: every default list hides them.
func (w *world) wireUsers() {
	w.userOfLogin = map[string]string{}
	w.licenceCount = map[string]int{}
	w.userCount = map[string]int{}
	live := func(u *user) bool { return !u.IsTerminated }
	w.usersByName = &order[user]{member: live, compare: func(a, b *user) int {
		return cmp.Or(cmp.Compare(a.nameKey, b.nameKey), cmp.Compare(a.ID, b.ID))
	}}
	w.usersByLogin = &order[user]{member: live, compare: func(a, b *user) int {
		return cmp.Or(cmp.Compare(a.LoginEmail, b.LoginEmail), cmp.Compare(a.ID, b.ID))
	}}
	w.users.prepare = func(u *user) { u.nameKey = strings.ToLower(u.DisplayName) }
	w.users.orders = []*order[user]{w.usersByName, w.usersByLogin}
	w.users.changed = func(prior, next *user) {
		if prior != nil {
			delete(w.userOfLogin, strings.ToLower(prior.LoginEmail))
			w.userCount[prior.CompanyID]--
			for _, l := range prior.Licences {
				w.licenceCount[l.SubscriptionID]--
			}
		}
		if next == nil {
			return
		}
		w.userCount[next.CompanyID]++
		w.userOfLogin[strings.ToLower(next.LoginEmail)] = next.ID
		for _, l := range next.Licences {
			w.licenceCount[l.SubscriptionID]++
		}
	}
}

// putUser stores a changed copy of a user with the members that follow from
// others renewed.
func (w *world) putUser(u *user, now time.Time) {
	u.DisplayName = displayName(u)
	u.LastUpdateDate = timestamp(now)
	w.users.put(u)
}

// displayName is "first last", else the login.
func displayName(u *user) string {
	if name := strings.TrimSpace(u.FirstName + " " + u.LastName); name != "" {
		return name
	}
	return u.LoginEmail
}

// userByLogin finds a user who is not terminated; nil when there is none.
func (w *world) userByLogin(login string) *user {
	u := w.users.get(w.userOfLogin[strings.ToLower(login)])
	if u == nil || u.IsTerminated {
		return nil
	}
	return u
}

// hashPassword hides a password in memory and in the data file.
func hashPassword(userID, password string) string {
	sum := sha256.Sum256([]byte(userID + ":" + password))
	return base64.RawStdEncoding.EncodeToString(sum[:])
}

// goodPassword is the documented rule: at least 8 characters with a capital, a
// digit and a special character (and a small letter, as the CLI says).
func goodPassword(password string) bool {
	var upper, digit, special bool
	for _, r := range password {
		switch {
		case r >= 'A' && r <= 'Z':
			upper = true
		case r >= '0' && r <= '9':
			digit = true
		case r < 'a' || r > 'z':
			special = true
		}
	}
	return len(password) >= 8 && upper && digit && special
}

// jidOf is the messaging name of a user; the domain is reserved (RFC 2606).
func jidOf(userID string) string { return token("jid", userID, 32) + "@sandbox.example" }

// jidPassword is what upstream needlessly shows beside a jid; a client that
// leaks it has a defect worth finding.
func jidPassword(userID string) string { return token("jid-password", userID, 32) }

// token makes n reproducible hexadecimal digits out of a purpose and an id.
func token(purpose, id string, n int) string {
	sum := sha256.Sum256([]byte(purpose + "/" + id))
	return hex.EncodeToString(sum[:])[:n]
}

// removeUser deletes or terminates a user: subscriber deleted, devices and
// DDIs and paired numbers freed, licences given back. A user who was never
// initialised and never logged in, or a guest, is really deleted (admin API,
// DELETE /users); nil is answered then.
func (w *world) removeUser(u *user, by *user, now time.Time) *user {
	w.freeExtensions(u.ID)
	if u.GuestMode || (!u.IsInitialized && u.FirstLoginDate == "") {
		w.users.remove(u.ID)
		return nil
	}
	next := *u
	next.LoginEmail = "ter_" + formatMillis(now) + "_" + u.LoginEmail
	next.IsTerminated = true
	next.CompanyID = terminatedCompanyID
	next.Licences = nil
	next.Numbers = nil
	next.TerminatedDate = timestamp(now)
	next.TerminatedBy = &actor{UserID: by.ID, LoginEmail: by.LoginEmail}
	next.LastUpdateDate = timestamp(now)
	w.users.put(&next)
	return &next
}

// freeExtensions takes everything telephonic from a user.
func (w *world) freeExtensions(userID string) {
	if b := w.subscriberOf(userID); b != nil {
		w.deleteSubscriber(b)
	}
	w.freeDDIs(userID)
	for _, id := range slices.Clone(w.numbersOfUser[userID]) {
		w.linkNumber(w.pbxNumbers.get(id), "")
	}
}
