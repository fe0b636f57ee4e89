package sandbox

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

func deviceRoutes() []route {
	const base = "/rvcpprovisioning/v1.0/cloudpbxs/{systemId}/devices"
	const one = base + "/{deviceId}"
	return []route{
		{http.MethodGet, base, adminOnly, false, listSipDevices},
		{http.MethodPost, base, adminOnly, true, createSipDevice},
		{http.MethodGet, one, adminOnly, false, getSipDevice},
		{http.MethodPut, one, adminOnly, true, updateSipDevice},
		{http.MethodDelete, one, adminOnly, true, deleteSipDevice},
		{http.MethodPost, one + "/reset", adminOnly, false, restartDevice("Resetting device %s")},
		{http.MethodPost, one + "/reboot", adminOnly, false, restartDevice("Rebooting device %s")},
		{http.MethodGet, one + "/registrations", adminOnly, false, listDeviceRegistrations},
		{http.MethodPost, one + "/debug", adminOnly, true, grantDebug},
		{http.MethodDelete, one + "/debug", adminOnly, true, revokeDebug},
		{http.MethodPost, one + "/modules", adminOnly, true, createDeviceModule},
		{http.MethodDelete, one + "/modules/{moduleId}", adminOnly, true, deleteDeviceModule},
	}
}

// deviceConditions are the filters of ListSipDevices.
func (w *world) deviceConditions(q query) []func(*device) bool {
	wanted := categories(q)
	mac := askedMAC(q)
	owner := func(v *device) subscriber {
		if b := w.deviceOwner(v); b != nil {
			return *b
		}
		return subscriber{}
	}
	conditions := []func(*device) bool{
		func(v *device) bool {
			m, _ := w.model(v.ModelID)
			return slices.Contains(wanted, m.Category)
		},
		flagFilter(q, "assigned", func(v *device) bool { return v.SubscriberID != "" }),
		flagFilter(q, "banned", func(*device) bool { return false }),
		equals(q, "primaryDectBaseId", func(*device) string { return "" }),
		equals(q, "userId", func(v *device) string { return owner(v).UserID }),
		equals(q, "shortNumber", func(v *device) string { return owner(v).ShortNumber }),
		equals(q, "deviceTypeId", func(v *device) string { return strconv.Itoa(v.ModelID) }),
	}
	if mac != "" {
		conditions = append(conditions, func(v *device) bool {
			return (v.MacAddress != "" && strings.Contains(v.MacAddress, mac)) || (v.IPEI != "" && strings.Contains(v.IPEI, mac))
		})
	}
	if ids := q.words("phoneNumberId"); len(ids) > 0 {
		conditions = append(conditions, func(v *device) bool { return slices.Contains(ids, v.SubscriberID) })
	}
	if word := strings.ToLower(q.text("description")); word != "" {
		conditions = append(conditions, func(v *device) bool { return strings.Contains(strings.ToLower(v.Description), word) })
	}
	if word := strings.ToLower(q.text("userDisplayName")); word != "" {
		conditions = append(conditions, func(v *device) bool {
			return strings.Contains(strings.ToLower(w.displayNameOf(owner(v).UserID)), word)
		})
	}
	return conditions
}

func listSipDevices(w *world, c *call) (any, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, err
	}
	var faults []paramError
	for name, least := range map[string]int{"description": 3, "userDisplayName": 2} {
		if v := c.query.text(name); v != "" && len(v) < least {
			faults = append(faults, paramError{name, name + " needs at least " + strconv.Itoa(least) + " characters", v})
		}
	}
	if len(faults) > 0 {
		return nil, badParams(faults)
	}
	list := listOnce(w, c, func() []*device {
		return sortBy(c.query, filter(w.deviceCandidates(y.ID, c.query), w.deviceConditions(c.query)), w.deviceSortKeys())
	})
	passwords := c.query.flag("sipGenericPasswordRequested")
	return paged(list, c.query, func(v *device) deviceView {
		view := w.listedDevice(v)
		if passwords != nil && *passwords && v.ModelID == genericSIP {
			view.Password = v.Password
		}
		return view
	}), nil
}

// deviceCandidates are the devices a list starts from: all of a Cloud PBX, or
// the one with the whole MAC address that is asked for.
func (w *world) deviceCandidates(systemID string, q query) []*device {
	if v := w.deviceByMAC(askedMAC(q)); v != nil && v.SystemID == systemID {
		return []*device{v}
	}
	return w.devicesOf(systemID)
}

// askedMAC is the filter macAddress as devices hold it.
func askedMAC(q query) string {
	return strings.ToLower(strings.NewReplacer(":", "", "-", "").Replace(q.text("macAddress")))
}

func (w *world) deviceSortKeys() map[string]func(*device) string {
	return map[string]func(*device) string{
		"description":  func(v *device) string { return strings.ToLower(v.Description) },
		"deviceTypeId": func(v *device) string { return strconv.Itoa(v.ModelID) },
		"deviceTypeModel": func(v *device) string {
			m, _ := w.model(v.ModelID)
			return m.Model
		},
		"shortNumber": func(v *device) string {
			if b := w.deviceOwner(v); b != nil {
				return b.ShortNumber
			}
			return ""
		},
		"userDisplayName": func(v *device) string {
			if b := w.deviceOwner(v); b != nil {
				return strings.ToLower(w.displayNameOf(b.UserID))
			}
			return ""
		},
	}
}

// createSipDevice answers CreateSipDevice: a desk phone needs a MAC address, a
// DECT handset an IPEI, a generic SIP device neither.
func createSipDevice(w *world, c *call) (any, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, err
	}
	o := c.object()
	v := &device{CompanyID: y.CompanyID, SystemID: y.ID, MediaTransportProtocol: "rtp_savp"}
	o.require("description", "deviceTypeId")
	o.text("description", &v.Description)
	o.integer("deviceTypeId", &v.ModelID)
	model, known := w.model(v.ModelID)
	if v.ModelID != 0 && !known {
		o.bad("deviceTypeId", "deviceTypeId is not a supported device model", v.ModelID)
	}
	readDevice(o, v)
	var ipei string
	if o.text("ipei", &ipei) && ipei != "" {
		normal, ok := normalIPEI(ipei)
		if !ok {
			o.bad("ipei", "ipei must be 10 hexadecimal digits", ipei)
		}
		v.IPEI = normal
	}
	switch {
	case known && model.Category == "deskphone" && v.MacAddress == "":
		o.bad("macAddress", "macAddress is mandatory for a SIP deskphone", nil)
	case known && model.ID == dectModel && v.IPEI == "":
		o.bad("ipei", "ipei is mandatory for a DECT handset", nil)
	case known && model.ID != dectModel && v.IPEI != "":
		o.bad("ipei", "ipei is for a DECT handset only", v.IPEI)
	}
	o.decode("data", &v.Data)
	if err := o.fault(); err != nil {
		return nil, err
	}
	if err := w.uniqueDevice(v); err != nil {
		return nil, err
	}
	v.ID = w.newID(idDevice)
	if v.ModelID == genericSIP {
		v.Password = cmp.Or(v.Password, token("sip", v.ID, 8))
	}
	if model.Category == "deskphone" {
		v.TransferMode = cmp.Or(v.TransferMode, "same_as_company")
	}
	w.devices.put(v)
	return data(w.deviceDocument(v, timestamp(c.now))), nil
}

// readDevice applies the members that creation and update share.
func readDevice(o *object, v *device) {
	var mac, password string
	if o.text("macAddress", &mac) && mac != "" {
		normal, ok := normalMAC(mac)
		if !ok {
			o.bad("macAddress", "macAddress must be 12 hexadecimal digits", mac)
		}
		v.MacAddress = normal
	}
	o.enum("mediaTransportProtocol", &v.MediaTransportProtocol, "rtp_avp", "rtp_savp")
	o.enum("transferMode", &v.TransferMode, "same_as_company", "new_call", "attended_transfer", "blind_transfer", "optional")
	if o.text("password", &password) && v.ModelID == genericSIP { // ignored for every other model
		if password != "" && !goodSipPassword(password) {
			o.bad("password", "password must have 8 to 12 characters out of a-z, 0-9, * and #", nil)
		}
		v.Password = password
	}
}

// uniqueDevice refuses a MAC address or IPEI that another device has, in any
// company.
func (w *world) uniqueDevice(v *device) error {
	if other := w.deviceOfMAC[v.MacAddress]; v.MacAddress != "" && other != "" && other != v.ID {
		return conflict(codeConflict, "SIP device with macAddress %s already exists", v.MacAddress)
	}
	if other := w.deviceOfIPEI[v.IPEI]; v.IPEI != "" && other != "" && other != v.ID {
		return conflict(codeConflict, "SIP device with ipei %s already exists", v.IPEI)
	}
	return nil
}

func getSipDevice(w *world, c *call) (any, error) {
	_, v, err := c.device(w)
	if err != nil {
		return nil, err
	}
	return data(w.deviceDocument(v, timestamp(c.now))), nil
}

// updateSipDevice answers UpdateSipDevice; model and IPEI cannot change.
func updateSipDevice(w *world, c *call) (any, error) {
	_, v, err := c.device(w)
	if err != nil {
		return nil, err
	}
	o := c.object()
	next := *v
	if o.text("description", &next.Description) && next.Description == "" {
		o.bad("description", "description cannot be empty", nil)
	}
	readDevice(o, &next)
	o.enum("deskphoneFailoverMode", &next.FailoverMode, "same_as_company", "disabled")
	if err := o.fault(); err != nil {
		return nil, err
	}
	if err := w.uniqueDevice(&next); err != nil {
		return nil, err
	}
	w.devices.put(&next)
	return data(w.deviceDocument(&next, timestamp(c.now))), nil
}

// deleteSipDevice answers DeleteSipDevice: refused while assigned.
func deleteSipDevice(w *world, c *call) (any, error) {
	_, v, err := c.device(w)
	if err != nil {
		return nil, err
	}
	if v.SubscriberID != "" {
		return nil, conflict(codeConflict, "SIP device %s is assigned to subscriber %s", v.ID, v.SubscriberID)
	}
	w.devices.remove(v.ID)
	return statusData("SIP device %s successfully deleted", v.ID), nil
}

// restartDevice answers reset and reboot: the sandbox's phones are only names.
func restartDevice(sentence string) func(*world, *call) (any, error) {
	return func(w *world, c *call) (any, error) {
		_, v, err := c.device(w)
		if err != nil {
			return nil, err
		}
		return statusData(sentence, v.ID), nil
	}
}

// registration is a SIP registration of a device.
type registration struct {
	ID              string `json:"id"`
	FullSipURI      string `json:"fullSipURI"`
	ExpirationDate  string `json:"expirationDate"` // "YYYY-MM-DD hh:mm:ss", no zone
	Vendor          string `json:"vendor,omitempty"`
	SoftwareVersion string `json:"softwareVersion,omitempty"`
	MacAddress      string `json:"macAddress,omitempty"`
	IPEI            string `json:"ipei,omitempty"`
	UserAgent       string `json:"user_agent"`
	PublicSource    string `json:"publicSourceRegistration"`
	DeviceID        string `json:"deviceId"`
}

// registrationsOf shows every assigned device as registered once, from an
// address of the documentation blocks (RFC 5737).
func (w *world) registrationsOf(v *device, now time.Time) []registration {
	b := w.deviceOwner(v)
	if b == nil {
		return []registration{}
	}
	model, _ := w.model(v.ModelID)
	return []registration{{
		ID: "uloc-" + token("uloc", v.ID, 8), FullSipURI: "sip:" + b.Login + "@192.0.2.17:5061;transport=tls",
		ExpirationDate: now.UTC().Add(time.Hour).Format("2006-01-02 15:04:05"), Vendor: model.Vendor, SoftwareVersion: "1.0.0",
		MacAddress: v.MacAddress, IPEI: v.IPEI, UserAgent: model.Vendor + "-" + model.Model + "/1.0.0",
		PublicSource: "sip:198.51.100.17:5061;transport=tls", DeviceID: v.ID,
	}}
}

func listDeviceRegistrations(w *world, c *call) (any, error) {
	_, v, err := c.device(w)
	if err != nil {
		return nil, err
	}
	return data(w.registrationsOf(v, c.now)), nil
}

// debugTime is the configured length of a debug session; only a superadmin may
// ask for another.
const debugTime = 30 * time.Minute

// debugPassword is shown during a session and changes with the next.
func debugPassword(v *device) string { return token("debug-"+strconv.Itoa(v.DebugSessions), v.ID, 12) }

func grantDebug(w *world, c *call) (any, error) {
	_, v, err := c.device(w)
	if err != nil {
		return nil, err
	}
	o := c.object()
	seconds := int(debugTime.Seconds())
	o.integer("duration", &seconds)
	if err := o.fault(); err != nil {
		return nil, err
	}
	if seconds != int(debugTime.Seconds()) && !c.actsAs("superadmin") {
		return nil, forbidden(codeRoleMissing, "Access denied: only superadmin may choose the duration of a debug session")
	}
	next := *v
	next.DebugUntil = timestamp(c.now.Add(time.Duration(seconds) * time.Second))
	next.DebugSessions++
	w.devices.put(&next)
	return statusData("Debug session successfully granted"), nil
}

func revokeDebug(w *world, c *call) (any, error) {
	_, v, err := c.device(w)
	if err != nil {
		return nil, err
	}
	next := *v
	next.DebugUntil = ""
	w.devices.put(&next)
	return statusData("Debug session successfully revoked"), nil
}

// createDeviceModule answers CreateDeviceModule; only some Myriad phones take
// modules.
func createDeviceModule(w *world, c *call) (any, error) {
	_, v, err := c.device(w)
	if err != nil {
		return nil, err
	}
	o := c.object()
	o.require("moduleId", "type")
	m := deviceModule{}
	o.between("moduleId", &m.ModuleID, 1, 3)
	o.enum("type", &m.Type, "EM_20", "EM_200")
	o.text("name", &m.Name)
	model, _ := w.model(v.ModelID)
	if m.Type != "" && !model.supports(m.Type) {
		o.bad("type", "device model "+model.Model+" does not support module "+m.Type, m.Type)
	}
	if err := o.fault(); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(v.Modules, func(other deviceModule) bool { return other.ModuleID == m.ModuleID }) {
		return nil, conflict(codeConflict, "Module %d already exists on SIP device %s", m.ModuleID, v.ID)
	}
	next := *v
	next.Modules = append(slices.Clone(v.Modules), m)
	slices.SortFunc(next.Modules, func(a, b deviceModule) int { return a.ModuleID - b.ModuleID })
	w.devices.put(&next)
	return data(w.deviceDocument(&next, timestamp(c.now))), nil
}

// deleteDeviceModule takes the keys of the module with it. Its success answer
// is not documented; it is that of the other deletes.
func deleteDeviceModule(w *world, c *call) (any, error) {
	_, v, err := c.device(w)
	if err != nil {
		return nil, err
	}
	id, _ := strconv.Atoi(c.path["moduleId"])
	next := *v
	next.Modules = slices.DeleteFunc(slices.Clone(v.Modules), func(m deviceModule) bool { return m.ModuleID == id })
	if len(next.Modules) == len(v.Modules) {
		return nil, notFound("Module %s does not exist on SIP device %s.", c.path["moduleId"], v.ID)
	}
	next.Keys = slices.DeleteFunc(slices.Clone(v.Keys), func(k programmableKey) bool { return k.ModuleID == id })
	w.devices.put(&next)
	return statusData("Module %d of SIP device %s successfully deleted", id, v.ID), nil
}
