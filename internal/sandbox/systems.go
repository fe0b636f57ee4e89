package sandbox

import (
	"cmp"
	"slices"
)

// system is a PBX: a Cloud PBX (type cloud_pbx, with the settings document
// that the guide shows as cloudpbx) or an equipped one (type oxe).
type system struct {
	ID                  string         `json:"id"`
	Type                string         `json:"type"`
	Name                string         `json:"name"`
	CompanyID           string         `json:"companyId"`
	SiteID              []string       `json:"siteId"`
	BpID                *string        `json:"bpId"`
	Status              string         `json:"status"`
	Country             string         `json:"country"`
	PbxID               string         `json:"pbxId"`
	Version             string         `json:"version,omitempty"`
	SerialNumber        string         `json:"serialNumber,omitempty"`
	Cloud               map[string]any `json:"cloudpbx,omitempty"`
	BarringPatterns     []any          `json:"sandboxBarringPatterns,omitempty"`
	AnnouncementProfile string         `json:"sandboxAnnouncementProfile,omitempty"` // of recordings
	CreationDate        string         `json:"creationDate"`
	StatusUpdatedDate   string         `json:"statusUpdatedDate,omitempty"`
}

const (
	typeCloudPBX    = "cloud_pbx"
	typeEquippedPBX = "oxe"
)

// cloudPbxOf finds the Cloud PBX of a company; it has at most one.
func (w *world) cloudPbxOf(companyID string) *system {
	for _, y := range w.systems.rows {
		if y.CompanyID == companyID && y.Type == typeCloudPBX {
			return y
		}
	}
	return nil
}

// companySystems lists the systems of a company by id.
func (w *world) companySystems(companyID string) []*system {
	return slices.DeleteFunc(w.systems.all(), func(y *system) bool { return y.CompanyID != companyID })
}

// pbxNumber is an existing number of an equipped PBX, which users are paired
// with; UserID is empty while it is free.
type pbxNumber struct {
	ID              string `json:"id"`
	ShortNumber     string `json:"shortNumber"`
	InternalNumber  string `json:"internalNumber,omitempty"`
	VoiceMailNumber string `json:"voiceMailNumber,omitempty"`
	Number          string `json:"number,omitempty"`
	NumberE164      string `json:"numberE164,omitempty"`
	PbxUserID       string `json:"pbxUserId"`
	UserID          string `json:"userId,omitempty"`
	Country         string `json:"country"`
	Type            string `json:"type"`
	DeviceType      string `json:"deviceType"`
	IsFromSystem    bool   `json:"isFromSystem"`
	PbxID           string `json:"pbxId"`
	SystemID        string `json:"systemId"`
	FirstName       string `json:"firstName"`
	LastName        string `json:"lastName"`
	DeviceName      string `json:"deviceName"`
	IsMonitored     bool   `json:"isMonitored"`
	IsNomadic       bool   `json:"isNomadic"`
}

func (w *world) wirePBXNumbers() {
	w.numbersOfUser = map[string][]string{}
	w.numberOfExtension = map[string]string{}
	w.numbersByExt = &order[pbxNumber]{compare: func(a, b *pbxNumber) int {
		return cmp.Or(cmp.Compare(a.SystemID, b.SystemID), cmp.Compare(a.ShortNumber, b.ShortNumber), cmp.Compare(a.ID, b.ID))
	}}
	w.pbxNumbers.orders = []*order[pbxNumber]{w.numbersByExt}
	w.pbxNumbers.changed = func(prior, next *pbxNumber) {
		if prior != nil {
			delete(w.numberOfExtension, prior.SystemID+"/"+prior.ShortNumber)
			unlink(w.numbersOfUser, prior.UserID, prior.ID)
		}
		if next != nil {
			w.numberOfExtension[next.SystemID+"/"+next.ShortNumber] = next.ID
			link(w.numbersOfUser, next.UserID, next.ID)
		}
	}
}

// linkNumber pairs a number with a user, or frees it when userID is empty.
func (w *world) linkNumber(n *pbxNumber, userID string) {
	next := *n
	next.UserID = userID
	next.IsMonitored = userID != ""
	w.pbxNumbers.put(&next)
}

// link and unlink keep a lookup of several ids under one key, in the order in
// which they came; an empty key is no key.
func link(m map[string][]string, key, id string) {
	if key != "" {
		m[key] = append(m[key], id)
	}
}

func unlink(m map[string][]string, key, id string) {
	if key == "" {
		return
	}
	m[key] = slices.DeleteFunc(slices.Clone(m[key]), func(other string) bool { return other == id })
	if len(m[key]) == 0 {
		delete(m, key)
	}
}
