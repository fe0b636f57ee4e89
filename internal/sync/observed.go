package sync

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
)

// Observed is a consistent view of the recorded upstream state of one company. It is safe for concurrent reads. The
// planner sees upstream through nothing else.
type Observed interface {
	Company() Company
	// Record gives the thing with that key, or nil. The caller must not change it.
	Record(Key) Record
	// Held lists what the user with that login holds (extensions, devices, DDIs), in key order; licences are in User.
	Held(Login) []Key
	// Records walks all records of one kind in key order.
	Records(Kind) iter.Seq[Record]
}

// Record is one recorded thing: *User, *Extension, *Device, *DDI, *Licence, *Options, *DeviceKeys,
// *Settings or *Release. A record never holds a secret.
type Record interface {
	Key() Key
	// HeldBy is the login of the user who holds the thing; empty when nobody, or something else than a known user, does.
	HeldBy() Login
}

// Company is what the engine must know of a company beyond its records.
type Company struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	// CloudPbx is nil for a company without one (2001).
	CloudPbx *CloudPbx `json:"cloudPbx,omitempty"`
	// Systems are the equipped PBXs, ordered by pbxId.
	Systems []System `json:"systems,omitempty"`
	// DeviceModels are those that the Cloud PBX supports, ordered by id.
	DeviceModels []DeviceModel `json:"deviceModels,omitempty"`
	// Account is the login that the engine works under: always protected.
	Account Login `json:"account,omitempty"`
	// RecordedAt is when the state was last refreshed, RFC 3339 in UTC; empty before the first refresh.
	RecordedAt string `json:"recordedAt,omitempty"`
}

// CloudPbx is a company's Cloud PBX.
type CloudPbx struct {
	ID     string  `json:"id"`
	PbxID  string  `json:"pbxId"`
	Name   string  `json:"name,omitempty"`
	Ranges []Range `json:"ranges,omitempty"`
	// Groups are the ids of its groups, sorted; nil when they were not read.
	Groups []string `json:"groups"`
	// Barring is what its traffic barring can be set to; nil when that was not read.
	Barring *BarringChoices `json:"barring,omitempty"`
}

// BarringChoices are the ids that traffic barring can be set to (GetCloudPbxBarringOptions).
type BarringChoices struct {
	Permissions  []string `json:"permissions,omitempty"`
	Restrictions []string `json:"restrictions,omitempty"`
}

// Range is a span of short numbers of equal length, both ends included (GetCloudPbxNumberingPlan).
type Range struct {
	First Number `json:"first"`
	Last  Number `json:"last"`
}

// Contains tells whether n lies in the range.
func (r Range) Contains(n Number) bool {
	return len(n) == len(r.First) && r.First <= n && n <= r.Last
}

// System is an equipped PBX.
type System struct {
	ID    string `json:"id"`
	PbxID string `json:"pbxId"`
	Name  string `json:"name,omitempty"`
}

// User is a recorded user.
type User struct {
	ID    string `json:"id"`
	Login Login  `json:"login"`
	// Attributes as in DesiredUser, without empty values, sorted by name.
	Attributes []Attribute `json:"attributes,omitempty"`
	// Licences are the ids of the company subscriptions assigned to him, sorted.
	Licences []string `json:"licences,omitempty"`
	// Admin is true for a user with an administrator role: protected from deletion.
	Admin bool `json:"admin,omitempty"`
}

// Key names the user.
func (u *User) Key() Key { return u.Login.Key() }

// HeldBy is empty: nobody holds a user.
func (u *User) HeldBy() Login { return "" }

// Attribute gives the value of one attribute, empty when absent.
func (u *User) Attribute(name string) string {
	for _, a := range u.Attributes {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}

// ExtensionRole tells what a short number serves.
type ExtensionRole string

// The roles of a short number.
const (
	// RoleSubscriber: a Cloud PBX subscriber; it exists only while a user has it.
	RoleSubscriber ExtensionRole = "subscriber"
	// RolePairing: a number of an equipped PBX, free or paired with a user.
	RolePairing ExtensionRole = "pairing"
	// RoleGroup and RoleDevice: held by a Cloud PBX group or device, not by a user; never touched.
	RoleGroup  ExtensionRole = "group"
	RoleDevice ExtensionRole = "device"
)

// Extension is a recorded short number.
type Extension struct {
	// ID is the phone number id (also the subscriber id); empty for groups and devices.
	ID             string        `json:"id,omitempty"`
	SystemID       string        `json:"systemId"`
	PbxID          string        `json:"pbxId"`
	Number         Number        `json:"number"`
	Role           ExtensionRole `json:"role"`
	Holder         Login         `json:"holder,omitempty"`
	HolderID       string        `json:"holderId,omitempty"`
	InternalNumber string        `json:"internalNumber,omitempty"`
	PublicNumber   string        `json:"publicNumber,omitempty"`
	// Label says who has it in words when no user does, e.g. "hunting group grp_01".
	Label string `json:"label,omitempty"`
}

// Key names the extension.
func (e *Extension) Key() Key { return ExtensionKey(e.PbxID, e.Number) }

// HeldBy is the user who has the extension.
func (e *Extension) HeldBy() Login { return e.Holder }

// Device is a recorded SIP device.
type Device struct {
	ID          string    `json:"id"`
	Address     DeviceKey `json:"address"`
	Model       string    `json:"model,omitempty"`
	Description string    `json:"description,omitempty"`
	Holder      Login     `json:"holder,omitempty"`
	HolderID    string    `json:"holderId,omitempty"`
	// SubscriberID is the phone number id of the subscriber that it is assigned to.
	SubscriberID string `json:"subscriberId,omitempty"`
	// Modules are its expansion modules, ordered by position.
	Modules []DeviceModule `json:"modules,omitempty"`
}

// Key names the device.
func (d *Device) Key() Key { return d.Address.Key() }

// HeldBy is the user whose subscriber has the device.
func (d *Device) HeldBy() Login { return d.Holder }

// DDI is a recorded public number.
type DDI struct {
	ID       string `json:"id"`
	Number   E164   `json:"number"`
	Holder   Login  `json:"holder,omitempty"`
	HolderID string `json:"holderId,omitempty"`
	// Label says what has it when no user does: "group", "ivr" or "auto attendant", with its id; never touched then.
	Label   string `json:"label,omitempty"`
	Default bool   `json:"default,omitempty"`
}

// Key names the DDI.
func (d *DDI) Key() Key { return d.Number.Key() }

// HeldBy is the user who has the DDI.
func (d *DDI) HeldBy() Login { return d.Holder }

// Licence is a recorded subscription of the company to an offer.
type Licence struct {
	ID      string `json:"id"`
	OfferID string `json:"offerId"`
	Offer   Offer  `json:"offer"`
	// Max is the number of licences bought; -1 when unlimited.
	Max      int    `json:"max"`
	Assigned int    `json:"assigned"`
	Status   string `json:"status"`
	// Syncing is true while the subscription is being synchronised with the shop: not assignable then.
	Syncing   bool `json:"syncing,omitempty"`
	Default   bool `json:"default,omitempty"`
	Exclusive bool `json:"exclusive,omitempty"`
}

// Key names the licence.
func (l *Licence) Key() Key { return Key{KindLicence, l.ID} }

// HeldBy is empty: a subscription has no single holder.
func (l *Licence) HeldBy() Login { return "" }

// Assignable tells whether users can be given the licence now (admin guide, AssignUserSubscription).
func (l *Licence) Assignable() bool { return l.Status == "active" && !l.Syncing }

// Hash is the SHA-256 over the record's content, first 16 bytes in hex: equal records have equal hashes.
func Hash(r Record) string {
	b, err := json.Marshal(r)
	if err != nil {
		panic(fmt.Sprintf("record %s does not encode: %v", r.Key(), err)) // records are plain data
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

// NewRecord gives an empty record of the kind, to decode into.
func NewRecord(k Kind) Record {
	switch k {
	case KindUser:
		return new(User)
	case KindExtension:
		return new(Extension)
	case KindDevice:
		return new(Device)
	case KindDDI:
		return new(DDI)
	case KindLicence:
		return new(Licence)
	case KindOptions:
		return new(Options)
	case KindKeys:
		return new(DeviceKeys)
	case KindSettings:
		return new(Settings)
	case KindRelease:
		return new(Release)
	}
	return nil
}
