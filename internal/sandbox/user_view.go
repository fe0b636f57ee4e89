package sandbox

import (
	"encoding/json"
	"strconv"
	"time"
)

// smallUser, mediumUser and userView are the three formats of a user document
// (admin API, query format).
type smallUser struct {
	ID           string `json:"id"`
	LoginEmail   string `json:"loginEmail"`
	FirstName    string `json:"firstName"`
	LastName     string `json:"lastName"`
	DisplayName  string `json:"displayName"`
	CompanyID    string `json:"companyId"`
	CompanyName  string `json:"companyName"`
	IsTerminated bool   `json:"isTerminated"`
}

type mediumUser struct {
	smallUser
	JidIM          string `json:"jid_im"`
	JidTel         string `json:"jid_tel"`
	LastUpdateDate string `json:"lastUpdateDate,omitempty"`
	GuestMode      bool   `json:"guestMode"`
}

type userView struct {
	*userDocument
	PhoneNumbers       []any         `json:"phoneNumbers"`
	CompanyName        string        `json:"companyName"`
	IsInDefaultCompany bool          `json:"isInDefaultCompany"`
	JidIM              string        `json:"jid_im"`
	JidTel             string        `json:"jid_tel"`
	JidPassword        string        `json:"jid_password"`
	OrganisationID     *string       `json:"organisationId"`
	SiteID             *string       `json:"siteId"`
	Profiles           []profileView `json:"profiles"`
}

// systemNumberView is a number of a PBX as it stands in a user's phoneNumbers.
type systemNumberView struct {
	PhoneNumberID  string `json:"phoneNumberId"`
	ShortNumber    string `json:"shortNumber"`
	InternalNumber string `json:"internalNumber,omitempty"`
	Number         string `json:"number,omitempty"`
	NumberE164     string `json:"numberE164,omitempty"`
	Country        string `json:"country,omitempty"`
	SystemID       string `json:"systemId"`
	PbxID          string `json:"pbxId"`
	IsFromSystem   bool   `json:"isFromSystem"`
	IsMonitored    bool   `json:"isMonitored"`
	DeviceName     string `json:"deviceName,omitempty"`
	Type           string `json:"type"`
	DeviceType     string `json:"deviceType"`
}

// view renders a user in one of the formats small, medium, full.
func (w *world) view(u *user, format string) any {
	small := smallUser{
		ID: u.ID, LoginEmail: u.LoginEmail, FirstName: u.FirstName, LastName: u.LastName,
		DisplayName: u.DisplayName, CompanyID: u.CompanyID, CompanyName: w.companyName(u.CompanyID),
		IsTerminated: u.IsTerminated,
	}
	switch format {
	case "full":
		return w.fullUser(u)
	case "medium":
		jid := jidOf(u.ID)
		return mediumUser{smallUser: small, JidIM: jid, JidTel: "tel_" + jid,
			LastUpdateDate: u.LastUpdateDate, GuestMode: u.GuestMode}
	}
	return small
}

func (w *world) fullUser(u *user) userView {
	jid := jidOf(u.ID)
	return userView{
		userDocument: &u.userDocument,
		PhoneNumbers: w.phoneNumbersOf(u),
		CompanyName:  w.companyName(u.CompanyID),
		JidIM:        jid,
		JidTel:       "tel_" + jid,
		JidPassword:  jidPassword(u.ID),
		Profiles:     w.profilesOf(u),
		SiteID:       orNull(u.SiteID),
	}
}

// phoneNumbersOf lists the extension, the paired numbers and the personal
// numbers of a user, in this order. The subscriber "becomes a new entry of
// phoneNumbers of the user" (rvcpprovisioning guide); nothing says so of DDIs,
// which are left out.
func (w *world) phoneNumbersOf(u *user) []any {
	list := make([]any, 0, len(u.Numbers)+2)
	if b := w.subscriberOf(u.ID); b != nil {
		list = append(list, w.subscriberNumber(b))
	}
	for _, id := range w.numbersOfUser[u.ID] {
		list = append(list, systemNumber(w.pbxNumbers.get(id)))
	}
	for _, n := range u.Numbers {
		list = append(list, n)
	}
	return list
}

func (w *world) subscriberNumber(b *subscriber) systemNumberView {
	y := w.systems.get(b.SystemID)
	return systemNumberView{
		PhoneNumberID: b.ID, ShortNumber: b.ShortNumber, InternalNumber: b.ShortNumber, Country: y.Country,
		SystemID: b.SystemID, PbxID: y.PbxID, IsFromSystem: true, IsMonitored: true,
		DeviceName: subscriberDeviceName, Type: "work", DeviceType: "landline",
	}
}

func systemNumber(n *pbxNumber) systemNumberView {
	return systemNumberView{
		PhoneNumberID: n.ID, ShortNumber: n.ShortNumber, InternalNumber: n.InternalNumber, Number: n.Number,
		NumberE164: n.NumberE164, Country: n.Country, SystemID: n.SystemID, PbxID: n.PbxID,
		IsFromSystem: true, IsMonitored: n.IsMonitored, DeviceName: n.DeviceName, Type: n.Type, DeviceType: n.DeviceType,
	}
}

func (w *world) companyName(id string) string {
	if c := w.companies.get(id); c != nil {
		return c.Name
	}
	return ""
}

func formatMillis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// encode renders an answer; every document of the sandbox can be encoded, so
// an error is a defect of the sandbox.
func encode(answer any) ([]byte, error) { return json.Marshal(answer) }
