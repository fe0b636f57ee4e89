package sandbox

import (
	"net/http"
	"slices"
	"strings"
)

func systemRoutes() []route {
	const base = "/admin/v1.0/systems"
	return []route{
		{http.MethodGet, base, adminOnly, false, listSystems},
		{http.MethodGet, base + "/{systemId}", adminOnly, false, getSystem},
		{http.MethodGet, base + "/pbxid/{pbxId}", adminOnly, false, getSystemByPbxID},
		{http.MethodGet, base + "/{systemId}/phone-numbers", adminOnly, false, listSystemPhoneNumbers},
		{http.MethodGet, base + "/{systemId}/phone-numbers/{phoneNumberId}", adminOnly, false, getSystemPhoneNumber},
		{http.MethodPut, base + "/{systemId}/phone-numbers/{phoneNumberId}", adminOnly, true, updateSystemPhoneNumber},
	}
}

// adminSystem is a PBX as the admin portal shows it.
type adminSystem struct {
	ID                string         `json:"id"`
	Name              string         `json:"name"`
	PbxID             string         `json:"pbxId"`
	Type              string         `json:"type"`
	Country           string         `json:"country"`
	Version           string         `json:"version"`
	Status            string         `json:"status"`
	SiteID            []string       `json:"siteId"`
	IsShared          bool           `json:"isShared"`
	IsCentrex         bool           `json:"isCentrex"`
	BpID              *string        `json:"bpId"`
	MainBundlePrefix  []string       `json:"pbxMainBundlePrefix"`
	NationalPrefix    string         `json:"pbxNationalPrefix"`
	InternationalPfx  string         `json:"pbxInternationalPrefix"`
	Translator        []any          `json:"pbxNumberingTranslator"`
	ServerPingTimeout int            `json:"serverPingTimeout"`
	SerialNumber      string         `json:"serialNumber,omitempty"`
	JidAgent          string         `json:"jid_pbxagent"`
	JidAgentPassword  string         `json:"jid_pbxagent_password"`
	CloudPbx          map[string]any `json:"cloudpbx,omitempty"`
	CreationDate      string         `json:"creationDate"`
}

func systemDocument(y *system, format string) any {
	switch format {
	case "full":
		return adminSystem{
			ID: y.ID, Name: y.Name, PbxID: y.PbxID, Type: y.Type, Country: y.Country, Version: y.Version, Status: y.Status,
			SiteID: y.SiteID, BpID: y.BpID, MainBundlePrefix: []string{"0"}, NationalPrefix: "0", InternationalPfx: "00",
			Translator: []any{}, ServerPingTimeout: 120, SerialNumber: y.SerialNumber,
			JidAgent: y.PbxID + "@sandbox.example", JidAgentPassword: jidPassword(y.ID), CloudPbx: y.cloudDocument(),
			CreationDate: y.CreationDate,
		}
	case "medium":
		return map[string]string{
			"id": y.ID, "pbxId": y.PbxID, "version": y.Version, "name": y.Name, "serialNumber": y.SerialNumber, "status": y.Status,
		}
	}
	return map[string]string{"id": y.ID, "pbxId": y.PbxID, "version": y.Version}
}

func listSystems(w *world, c *call) (any, error) {
	systems, err := c.systemsAsked(w)
	if err != nil {
		return nil, err
	}
	types, statuses := c.query.words("type"), c.query.words("status")
	list := filter(systems, []func(*system) bool{
		func(y *system) bool { return len(types) == 0 || slices.Contains(types, y.Type) },
		func(y *system) bool { return len(statuses) == 0 || slices.Contains(statuses, y.Status) },
		func(y *system) bool {
			return strings.Contains(strings.ToLower(y.Name), strings.ToLower(c.query.text("name")))
		},
		flagFilter(c.query, "isShared", func(*system) bool { return false }),
		flagFilter(c.query, "isCentrex", func(*system) bool { return false }),
		flagFilter(c.query, "isSharedOrCentrex", func(*system) bool { return false }),
	})
	list = sortBy(c.query, list, map[string]func(*system) string{
		"name": func(y *system) string { return y.Name }, "pbxId": func(y *system) string { return y.PbxID },
		"creationDate": func(y *system) string { return y.CreationDate },
	})
	return paged(list, c.query, func(y *system) any { return systemDocument(y, c.query.text("format")) }), nil
}

func getSystem(w *world, c *call) (any, error) {
	y, err := c.system(w)
	if err != nil {
		return nil, err
	}
	return data(systemDocument(y, "full")), nil
}

func getSystemByPbxID(w *world, c *call) (any, error) {
	pbxID := c.path["pbxId"]
	for _, y := range w.systems.all() {
		if y.PbxID == pbxID && c.inChargeOfSystem(y) == nil {
			return data(systemDocument(y, "full")), nil
		}
	}
	return nil, notFound("System with pbxId %s does not exist.", pbxID)
}

// systemNumberDocument is a number of a system as the admin portal shows it:
// a subscriber of a Cloud PBX is one too (CreateSubscriber says so).
type systemNumberDocument struct {
	pbxNumber
	UserID      *string `json:"userId,omitempty"`
	JidIM       string  `json:"jid_im,omitempty"`
	JidTel      string  `json:"jid_tel,omitempty"`
	JidPassword string  `json:"jid_password,omitempty"`
}

func asSystemNumber(w *world, b *subscriber) *pbxNumber {
	y := w.systems.get(b.SystemID)
	return &pbxNumber{
		ID: b.ID, ShortNumber: b.ShortNumber, InternalNumber: b.ShortNumber, VoiceMailNumber: b.VoiceMailNumber,
		PbxUserID: b.Login, UserID: b.UserID, Country: y.Country, Type: "work", DeviceType: "landline",
		IsFromSystem: true, PbxID: y.PbxID, SystemID: y.ID, DeviceName: subscriberDeviceName, IsMonitored: true,
	}
}

// numberView renders a number in one of the formats small, medium, full; only
// full shows the user, and a free number has no userId at all.
func numberView(n *pbxNumber, format string) any {
	switch format {
	case "full":
		v := systemNumberDocument{pbxNumber: *n, UserID: orNull(n.UserID)}
		if n.UserID != "" {
			v.JidIM, v.JidTel, v.JidPassword = jidOf(n.UserID), "tel_"+jidOf(n.UserID), jidPassword(n.UserID)
		}
		return v
	case "medium":
		return map[string]any{
			"id": n.ID, "shortNumber": n.ShortNumber, "internalNumber": n.InternalNumber, "numberE164": n.NumberE164,
			"voiceMailNumber": n.VoiceMailNumber, "number": n.Number, "isFromSystem": true, "pbxId": n.PbxID, "systemId": n.SystemID,
		}
	}
	return map[string]string{
		"id": n.ID, "shortNumber": n.ShortNumber, "internalNumber": n.InternalNumber, "numberE164": n.NumberE164,
	}
}

func listSystemPhoneNumbers(w *world, c *call) (any, error) {
	y, err := c.system(w)
	if err != nil {
		return nil, err
	}
	q, format := c.query, c.query.text("format")
	conditions, sortKeys := systemNumberConditions(q), systemNumberSortKeys()
	if y.Type != typeCloudPBX {
		list := listOnce(w, c, func() []*pbxNumber {
			own := systemPart(w.numbersByExt, y.ID, func(n *pbxNumber) string { return n.SystemID })
			return sortBy(q, filter(own, conditions), sortKeys)
		})
		return paged(list, q, func(n *pbxNumber) any { return numberView(n, format) }), nil
	}
	list := listOnce(w, c, func() []*subscriber {
		own := prefixPart(systemPart(w.extensions, y.ID, func(b *subscriber) string { return b.SystemID }), q.text("shortNumber"))
		keep := func(b *subscriber) bool {
			n := asSystemNumber(w, b)
			return !slices.ContainsFunc(conditions, func(f func(*pbxNumber) bool) bool { return f != nil && !f(n) })
		}
		keys := map[string]func(*subscriber) string{}
		for field, key := range sortKeys {
			keys[field] = func(b *subscriber) string { return key(asSystemNumber(w, b)) }
		}
		return sortBy(q, filter(own, []func(*subscriber) bool{keep}), keys)
	})
	return paged(list, q, func(b *subscriber) any { return numberView(asSystemNumber(w, b), format) }), nil
}

// systemNumberConditions are the filters of ListSystemPhoneNumbers.
func systemNumberConditions(q query) []func(*pbxNumber) bool {
	name := strings.ToLower(q.text("name"))
	return []func(*pbxNumber) bool{
		startsWith(q, "shortNumber", func(n *pbxNumber) string { return n.ShortNumber }),
		startsWith(q, "internalNumber", func(n *pbxNumber) string { return n.InternalNumber }),
		equals(q, "pbxUserId", func(n *pbxNumber) string { return n.PbxUserID }),
		equals(q, "deviceName", func(n *pbxNumber) string { return n.DeviceName }),
		equals(q, "companyPrefix", func(*pbxNumber) string { return "" }),
		flagFilter(q, "isMonitored", func(n *pbxNumber) bool { return n.IsMonitored }),
		flagFilter(q, "isAssignedToUser", func(n *pbxNumber) bool { return n.UserID != "" }),
		func(n *pbxNumber) bool {
			return strings.HasPrefix(strings.ToLower(n.FirstName), name) || strings.HasPrefix(strings.ToLower(n.LastName), name)
		},
	}
}

func systemNumberSortKeys() map[string]func(*pbxNumber) string {
	return map[string]func(*pbxNumber) string{
		"internalNumber": func(n *pbxNumber) string { return n.InternalNumber }, "id": func(n *pbxNumber) string { return n.ID },
		"numberE164": func(n *pbxNumber) string { return n.NumberE164 },
	}
}

// prefixPart cuts the extensions that start with some digits out of those of a
// system, which are in the order of their numbers.
func prefixPart(list []*subscriber, start string) []*subscriber {
	at := func(target string) int {
		i, _ := slices.BinarySearchFunc(list, target, func(b *subscriber, t string) int { return strings.Compare(b.ShortNumber, t) })
		return i
	}
	return list[at(start):at(start+"\xff")]
}

func startsWith[T any](q query, name string, property func(*T) string) func(*T) bool {
	start := q.text(name)
	if start == "" {
		return nil
	}
	return func(d *T) bool { return strings.HasPrefix(property(d), start) }
}

// systemNumber answers the {phoneNumberId} of the path: a number of an
// equipped PBX, or a subscriber of a Cloud PBX with b set.
func (c *call) systemNumber(w *world) (n *pbxNumber, b *subscriber, err error) {
	y, err := c.system(w)
	if err != nil {
		return nil, nil, err
	}
	id, err := c.id("phoneNumberId")
	if err != nil {
		return nil, nil, err
	}
	if b := w.subscribers.get(id); b != nil && b.SystemID == y.ID {
		return asSystemNumber(w, b), b, nil
	}
	if n := w.pbxNumbers.get(id); n != nil && n.SystemID == y.ID {
		return n, nil, nil
	}
	return nil, nil, notFound("Phone number with id %s does not exist in system %s.", id, y.ID)
}

func getSystemPhoneNumber(w *world, c *call) (any, error) {
	n, _, err := c.systemNumber(w)
	if err != nil {
		return nil, err
	}
	return data(numberView(n, "full")), nil
}

// updateSystemPhoneNumber answers UpdateSystemPhoneNumber: userId pairs the
// number with a user, null frees it (assumed; the portal does not say how).
// pbxId, systemId, shortNumber and pbxUserId cannot change.
func updateSystemPhoneNumber(w *world, c *call) (any, error) {
	n, b, err := c.systemNumber(w)
	if err != nil {
		return nil, err
	}
	o := c.object()
	next := *n
	wasFree := n.UserID == ""
	o.text("userId", &next.UserID)
	o.boolean("isMonitored", &next.IsMonitored)
	o.text("internalNumber", &next.InternalNumber)
	o.text("number", &next.Number)
	o.text("country", &next.Country)
	o.enum("type", &next.Type, "home", "work", "other")
	o.enum("deviceType", &next.DeviceType, "landline", "mobile", "fax", "other")
	o.text("firstName", &next.FirstName)
	o.text("lastName", &next.LastName)
	o.text("deviceName", &next.DeviceName)
	if o.has("number") && next.Number == "" {
		next.NumberE164 = ""
	} else if o.has("number") {
		e164, ok := toE164(next.Number, next.Country)
		if !ok {
			o.bad("number", "number and country do not give an E.164 number", next.Number)
		}
		next.NumberE164 = e164
	}
	if err := o.fault(); err != nil {
		return nil, err
	}
	if b != nil && next.UserID != n.UserID {
		return nil, conflict(codeConflict, "phoneNumber %s is a Cloud PBX subscriber and cannot change its user", n.ID)
	}
	if err := w.checkPairing(c, n, &next); err != nil {
		return nil, err
	}
	if b != nil {
		return data(numberView(&next, "full")), nil
	}
	if next.UserID != "" && wasFree && !o.has("isMonitored") {
		next.IsMonitored = true
	}
	if next.UserID == "" {
		next.IsMonitored = false
	}
	w.pbxNumbers.put(&next)
	return data(numberView(&next, "full")), nil
}

// checkPairing refuses an unknown user, a number that another user has, and an
// internal number used twice in the system group (the company's systems).
func (w *world) checkPairing(c *call, prior, next *pbxNumber) error {
	if next.UserID != "" && next.UserID != prior.UserID {
		u := w.users.get(next.UserID)
		if u == nil || u.IsTerminated {
			return notFound("User with id %s does not exist.", next.UserID)
		}
		if err := c.inChargeOfUser(u); err != nil {
			return err
		}
		if prior.UserID != "" {
			return conflict(codeConflict, "phoneNumber %s is already associated to user %s", prior.ID, prior.UserID)
		}
	}
	if next.InternalNumber == prior.InternalNumber || next.InternalNumber == "" {
		return nil
	}
	for _, other := range w.pbxNumbers.all() {
		if other.ID != prior.ID && other.InternalNumber == next.InternalNumber && w.systems.get(other.SystemID).CompanyID == w.systems.get(prior.SystemID).CompanyID {
			return internalNumberConflict(next.InternalNumber, prior.SystemID, other)
		}
	}
	return nil
}

func internalNumberConflict(number, systemID string, other *pbxNumber) error {
	return &apiError{
		Status: http.StatusConflict, Code: codeInternalNumberUsed,
		Details: []paramError{{
			Param: "phoneNumbers.internalNumber",
			Msg:   "internalNumber " + number + " is already associated to another phoneNumber within the system group to which belongs system " + systemID,
			Value: number,
		}},
		Data: map[string]any{"conflictWith": map[string]string{
			"id": other.ID, "internalNumber": other.InternalNumber, "shortNumber": other.ShortNumber, "pbxId": other.PbxID,
			"systemId": other.SystemID, "deviceName": other.DeviceName, "firstName": other.FirstName, "lastName": other.LastName,
		}},
	}
}
