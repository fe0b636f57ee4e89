package sandbox

import (
	"cmp"
	"slices"
)

// device is a SIP device of a Cloud PBX: a desk phone (macAddress), a generic
// SIP device, or a DECT handset (ipei). SubscriberID is empty while it is free.
type device struct {
	ID                     string            `json:"id"`
	CompanyID              string            `json:"companyId"`
	SystemID               string            `json:"systemId"`
	MacAddress             string            `json:"macAddress,omitempty"`
	IPEI                   string            `json:"ipei,omitempty"`
	Description            string            `json:"description"`
	ModelID                int               `json:"deviceTypeId"`
	MediaTransportProtocol string            `json:"mediaTransportProtocol"`
	TransferMode           string            `json:"transferMode,omitempty"`
	FailoverMode           string            `json:"deskphoneFailoverMode,omitempty"`
	Password               string            `json:"password,omitempty"` // generic SIP only
	Modules                []deviceModule    `json:"modules,omitempty"`
	Keys                   []programmableKey `json:"keys,omitempty"`
	SubscriberID           string            `json:"phoneNumberId,omitempty"`
	DebugUntil             string            `json:"debugUntil,omitempty"` // end of the debug session
	DebugSessions          int               `json:"debugSessions,omitempty"`
	Data                   map[string]any    `json:"data,omitempty"`
}

// deviceModule is an expansion module; module 0 would be the phone itself.
type deviceModule struct {
	ModuleID int    `json:"moduleId"`
	Type     string `json:"type"`
	Name     string `json:"name,omitempty"`
}

func (w *world) wireDevices() {
	w.devicesOfSubscriber = map[string][]string{}
	w.deviceOfMAC = map[string]string{}
	w.deviceOfIPEI = map[string]string{}
	w.devicesByMAC = &order[device]{compare: func(a, b *device) int {
		return cmp.Or(cmp.Compare(a.SystemID, b.SystemID), cmp.Compare(a.MacAddress, b.MacAddress),
			cmp.Compare(a.IPEI, b.IPEI), cmp.Compare(a.ID, b.ID))
	}}
	w.devices.orders = []*order[device]{w.devicesByMAC}
	w.devices.changed = func(prior, next *device) {
		if prior != nil {
			delete(w.deviceOfMAC, prior.MacAddress)
			delete(w.deviceOfIPEI, prior.IPEI)
			unlink(w.devicesOfSubscriber, prior.SubscriberID, prior.ID)
		}
		if next != nil {
			if next.MacAddress != "" {
				w.deviceOfMAC[next.MacAddress] = next.ID
			}
			if next.IPEI != "" {
				w.deviceOfIPEI[next.IPEI] = next.ID
			}
			link(w.devicesOfSubscriber, next.SubscriberID, next.ID)
		}
	}
}

// assignDevice gives a device to a subscriber, or frees it when the id is empty.
func (w *world) assignDevice(v *device, subscriberID string) *device {
	next := *v
	next.SubscriberID = subscriberID
	w.devices.put(&next)
	return &next
}

// deviceByMAC finds a device by the twelve digits of its MAC address.
func (w *world) deviceByMAC(mac string) *device { return w.devices.get(w.deviceOfMAC[mac]) }

func (w *world) devicesOf(systemID string) []*device {
	return systemPart(w.devicesByMAC, systemID, func(v *device) string { return v.SystemID })
}

// deviceOwner answers the subscriber of a device, nil while it is free.
func (w *world) deviceOwner(v *device) *subscriber { return w.subscribers.get(v.SubscriberID) }

// deviceTypeView is the model as device documents show it.
type deviceTypeView struct {
	ID     int    `json:"id"`
	Vendor string `json:"vendor"`
	Model  string `json:"model"`
}

// deviceView is a device as it is answered. A free device lacks the members of
// its user (ListSipDevices).
type deviceView struct {
	MacAddress             string         `json:"macAddress,omitempty"`
	IPEI                   string         `json:"ipei,omitempty"`
	Description            string         `json:"description"`
	TransferMode           string         `json:"transferMode,omitempty"`
	FailoverMode           string         `json:"deskphoneFailoverMode,omitempty"`
	CompanyID              string         `json:"companyId"`
	SystemID               string         `json:"systemId"`
	PhoneNumberID          string         `json:"phoneNumberId,omitempty"`
	ShortNumber            string         `json:"shortNumber,omitempty"`
	UserID                 string         `json:"userId,omitempty"`
	UserDisplayName        string         `json:"userDisplayName,omitempty"`
	UserLoginEmail         string         `json:"userLoginEmail,omitempty"`
	CurrentDevice          *bool          `json:"currentDevice,omitempty"`
	DeviceType             deviceTypeView `json:"deviceType"`
	MediaTransportProtocol string         `json:"mediaTransportProtocol"`
	Modules                []deviceModule `json:"modules"`
	Password               string         `json:"password,omitempty"`
	*deviceDetails
	Data map[string]any `json:"data,omitempty"`
	ID   string         `json:"id"`
}

// deviceDetails are the members that only the answers about one device have.
type deviceDetails struct {
	DeviceIDs           []any  `json:"deviceIds"`
	Codecs              []any  `json:"codecs"`
	TelephonyLinePolicy string `json:"telephonyLinePolicy"`
	MaxCalls            int    `json:"maxCalls"`
	OutboundProxy       string `json:"outBoundProxyAddress"`
	AdminURL            string `json:"adminUrl,omitempty"`
	AdminPassword       string `json:"adminPassword,omitempty"`
}

// listedDevice renders a device as lists show it.
func (w *world) listedDevice(v *device) deviceView {
	model, _ := w.model(v.ModelID)
	view := deviceView{
		MacAddress: v.MacAddress, IPEI: v.IPEI, Description: v.Description, TransferMode: v.TransferMode,
		FailoverMode: v.FailoverMode, CompanyID: v.CompanyID, SystemID: v.SystemID,
		DeviceType:             deviceTypeView{ID: model.ID, Vendor: model.Vendor, Model: model.Model},
		MediaTransportProtocol: v.MediaTransportProtocol, Modules: slices.Clone(v.Modules), Data: v.Data, ID: v.ID,
	}
	if view.Modules == nil {
		view.Modules = []deviceModule{}
	}
	if b := w.deviceOwner(v); b != nil {
		view.PhoneNumberID, view.ShortNumber, view.UserID = b.ID, b.ShortNumber, b.UserID
		if u := w.users.get(b.UserID); u != nil {
			view.UserDisplayName, view.UserLoginEmail = u.DisplayName, u.LoginEmail
		}
	}
	return view
}

// ownedDevice renders a device as the answers below a subscriber show it.
func (w *world) ownedDevice(v *device) deviceView {
	view := w.listedDevice(v)
	current := v.SubscriberID != "" && w.devicesOfSubscriber[v.SubscriberID][0] == v.ID
	view.CurrentDevice = &current
	return view
}

// deviceDocument renders a device as the answers about one device show it.
func (w *world) deviceDocument(v *device, now string) deviceView {
	view := w.ownedDevice(v)
	view.deviceDetails = &deviceDetails{
		DeviceIDs: []any{}, Codecs: []any{}, TelephonyLinePolicy: "multi_lines_plus", MaxCalls: 4,
		OutboundProxy: "sip.sandbox.example",
	}
	if v.ModelID == genericSIP {
		view.Password = v.Password
	}
	if v.DebugUntil > now {
		view.AdminURL = "https://" + cmp.Or(v.MacAddress, v.IPEI, v.ID) + ".phones.sandbox.example/"
		view.AdminPassword = debugPassword(v)
	}
	return view
}
