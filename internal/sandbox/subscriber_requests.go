package sandbox

import (
	"net/http"
	"strings"
)

func subscriberRoutes() []route {
	const base = "/rvcpprovisioning/v1.0/cloudpbxs/{systemId}/subscribers"
	const one = base + "/{phoneNumberId}"
	return []route{
		{http.MethodPost, base, adminOnly, true, createSubscriber},
		{http.MethodGet, one, adminOnly, false, getSubscriber},
		{http.MethodDelete, one, adminOnly, true, deleteSubscriber},
		{http.MethodGet, one + "/devices", adminOnly, false, listSubscriberDevices},
		{http.MethodPost, one + "/devices", adminOnly, true, assignDeviceToSubscriber},
		{http.MethodGet, one + "/devices/{deviceId}", adminOnly, false, getSubscriberDevice},
		{http.MethodDelete, one + "/devices/{deviceId}", adminOnly, true, unassignDeviceFromSubscriber},
		{http.MethodGet, one + "/registrations", adminOnly, false, listSubscriberRegistrations},
		{http.MethodGet, one + "/cli-options", adminOnly, false, getSubscriberCli},
		{http.MethodGet, one + "/pstn-device-options", adminOnly, false, getPstnOptions},
		{http.MethodPut, one + "/pstn-device-options", adminOnly, true, updatePstnOptions},
		{http.MethodGet, one + "/sip-headers", adminOnly, false, getSipHeaders},
		{http.MethodPut, one + "/sip-headers", adminOnly, true, updateSipHeaders},
		{http.MethodPut, one + "/barring-options", adminOnly, true, updateSubscriberBarring},
		{http.MethodPut, one + "/callforwardoptions/externalcallforward", adminOnly, true, updateExternalCallForward},
		{http.MethodPut, one + "/overflow", adminOnly, true, updateSubscriberOverflow},
		{http.MethodGet, one + "/overflow/status", adminOnly, false, getSubscriberOverflow},
	}
}

// subscriberView is a subscriber as it is answered.
type subscriberView struct {
	DeviceName          string            `json:"deviceName"`
	Type                string            `json:"type"`
	DeviceType          string            `json:"deviceType"`
	IsFromSystem        bool              `json:"isFromSystem"`
	IsMonitored         bool              `json:"isMonitored"`
	UserID              string            `json:"userId"`
	ShortNumber         string            `json:"shortNumber"`
	VoiceMailNumber     string            `json:"voiceMailNumber"`
	PbxUserID           string            `json:"pbxUserId"`
	SystemID            string            `json:"systemId"`
	JidIM               string            `json:"jid_im"`
	JidTel              string            `json:"jid_tel"`
	JidPassword         string            `json:"jid_password"`
	PbxID               string            `json:"pbxId"`
	Country             string            `json:"country"`
	CreationDate        string            `json:"creationDate"`
	InternalNumber      string            `json:"internalNumber"`
	ShardKey            map[string]string `json:"shardKey"`
	ID                  string            `json:"id"`
	Password            string            `json:"password"`
	OverflowToVoicemail any               `json:"overflowToVoicemail"`
	BarringOptions      any               `json:"barringOptions"`
	CliOptions          any               `json:"cliOptions"`
	IsRecordingActive   bool              `json:"isRecordingActivated"`
	RecordingProfile    string            `json:"recordingProfile"`
	CloudPbxStatus      string            `json:"cloudPbxStatus"`
	Status              string            `json:"status"`
}

func (w *world) subscriberDocument(b *subscriber) subscriberView {
	y := w.systems.get(b.SystemID)
	options := b.options()
	return subscriberView{
		DeviceName: subscriberDeviceName, Type: "work", DeviceType: "landline", IsFromSystem: true, IsMonitored: true,
		UserID: b.UserID, ShortNumber: b.ShortNumber, VoiceMailNumber: b.VoiceMailNumber, PbxUserID: b.Login, SystemID: y.ID,
		JidIM: jidOf(b.UserID), JidTel: "tel_" + jidOf(b.UserID), JidPassword: jidPassword(b.UserID), PbxID: y.PbxID,
		Country: y.Country, CreationDate: b.CreationDate, InternalNumber: b.ShortNumber,
		ShardKey: map[string]string{"country": y.Country, "phoneNumber": token("shard", b.ID, 32), "owner": token("shard", b.UserID, 32)},
		ID:       b.ID, Password: b.Password,
		OverflowToVoicemail: map[string]any{"value": options.Overflow, "noReplyDelay": w.noReplyDelay(y, options)},
		BarringOptions:      map[string]string{"permissions": options.Permissions, "restrictions": options.Restrictions},
		CliOptions:          w.subscriberCli(y, b),
		IsRecordingActive:   options.RecordingProfile != "none",
		RecordingProfile:    options.RecordingProfile, CloudPbxStatus: "activated", Status: "activated",
	}
}

// createSubscriber answers CreateSubscriber.
func createSubscriber(w *world, c *call) (any, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, err
	}
	o := c.object()
	o.require("userId", "shortNumber")
	var userID, short, login, password string
	o.text("userId", &userID)
	o.text("shortNumber", &short)
	o.text("login", &login)
	o.text("password", &password)
	if userID != "" && !validID(userID) {
		o.bad("userId", "Invalid resource identifiers, expected UUID: identifier must be alpha-numeric and have a length of 24 chars", userID)
	}
	if short != "" && !y.inPlan(short) {
		o.bad("shortNumber", "shortNumber is not in line with the numbering plan of the Cloud PBX", short)
	}
	if password != "" && !goodSipPassword(password) {
		o.bad("password", "password must have 8 to 12 characters out of a-z, 0-9, * and #", nil)
	}
	if err := o.fault(); err != nil {
		return nil, err
	}
	u := w.users.get(userID)
	if u == nil || u.IsTerminated {
		return nil, notFound("User with id %s does not exist.", userID)
	}
	if err := c.inChargeOfUser(u); err != nil {
		return nil, err
	}
	if other := w.subscriberOf(userID); other != nil {
		return nil, conflict(codeConflict, "User %s is already subscriber %s of the Cloud PBX %s", userID, other.ID, other.SystemID)
	}
	if w.extensionTaken(y.ID, short) {
		return nil, conflict(codeShortNumberTaken, "shortNumber %s is already used on system %s", short, y.ID)
	}
	return data(w.subscriberDocument(w.addSubscriber(y, userID, short, login, password, timestamp(c.now)))), nil
}

func getSubscriber(w *world, c *call) (any, error) {
	_, b, err := c.subscriber(w)
	if err != nil {
		return nil, err
	}
	return data(w.subscriberDocument(b)), nil
}

func deleteSubscriber(w *world, c *call) (any, error) {
	_, b, err := c.subscriber(w)
	if err != nil {
		return nil, err
	}
	w.deleteSubscriber(b)
	return statusData("Cloud PBX Subscriber %s successfully deleted", b.ID), nil
}

func listSubscriberDevices(w *world, c *call) (any, error) {
	_, b, err := c.subscriber(w)
	if err != nil {
		return nil, err
	}
	var list []*device
	for _, id := range w.devicesOfSubscriber[b.ID] {
		list = append(list, w.devices.get(id))
	}
	list = sortBy(c.query, list, map[string]func(*device) string{
		"macAddress": func(v *device) string { return v.MacAddress }, "description": func(v *device) string { return strings.ToLower(v.Description) },
	})
	return paged(list, c.query, w.ownedDevice), nil
}

// assignDeviceToSubscriber answers AssignDeviceToSubscriber: the device is
// named by deviceId (preferred) or by macAddress. Assigning what the
// subscriber already has changes nothing.
func assignDeviceToSubscriber(w *world, c *call) (any, error) {
	y, b, err := c.subscriber(w)
	if err != nil {
		return nil, err
	}
	o := c.object()
	var id, mac string
	o.text("deviceId", &id)
	o.text("macAddress", &mac)
	if id == "" && mac == "" {
		o.bad("deviceId", "deviceId or macAddress is required", nil)
	}
	normal, ok := normalMAC(mac)
	if id == "" && mac != "" && !ok {
		o.bad("macAddress", "macAddress must be 12 hexadecimal digits", mac)
	}
	if err := o.fault(); err != nil {
		return nil, err
	}
	v := w.devices.get(id)
	if id == "" {
		v = w.deviceByMAC(normal)
	}
	switch {
	case v == nil || v.SystemID != y.ID:
		return nil, notFound("SIP device %s does not exist.", id+mac)
	case v.SubscriberID == b.ID:
		return data(w.ownedDevice(v)), nil
	case v.SubscriberID != "":
		return nil, conflict(codeConflict, "SIP device %s is already assigned to subscriber %s", v.ID, v.SubscriberID)
	}
	return data(w.ownedDevice(w.assignDevice(v, b.ID))), nil
}

// subscriberDevice answers the {deviceId} of the path as a device of the
// subscriber.
func (c *call) subscriberDevice(w *world) (*device, error) {
	_, b, err := c.subscriber(w)
	if err != nil {
		return nil, err
	}
	_, v, err := c.device(w)
	if err != nil {
		return nil, err
	}
	if v.SubscriberID != b.ID {
		return nil, notFound("SIP device %s is not assigned to subscriber %s.", v.ID, b.ID)
	}
	return v, nil
}

func getSubscriberDevice(w *world, c *call) (any, error) {
	v, err := c.subscriberDevice(w)
	if err != nil {
		return nil, err
	}
	return data(w.ownedDevice(v)), nil
}

func unassignDeviceFromSubscriber(w *world, c *call) (any, error) {
	v, err := c.subscriberDevice(w)
	if err != nil {
		return nil, err
	}
	w.assignDevice(v, "")
	return statusData("SIP device association for %s successfully deleted", v.ID), nil
}

func listSubscriberRegistrations(w *world, c *call) (any, error) {
	_, b, err := c.subscriber(w)
	if err != nil {
		return nil, err
	}
	list := []registration{}
	for _, id := range w.devicesOfSubscriber[b.ID] {
		list = append(list, w.registrationsOf(w.devices.get(id), c.now)...)
	}
	return data(list), nil
}
