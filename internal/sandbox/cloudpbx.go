package sandbox

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

func cloudPbxRoutes() []route {
	const base = "/rvcpprovisioning/v1.0/cloudpbxs"
	const one = base + "/{systemId}"
	return []route{
		{http.MethodGet, "/rvcpprovisioning/v1.0/about", open, false, about("1.256.8", "Rainbow Voice Provisioning Portal (sandbox)")},
		{http.MethodGet, base, adminOnly, false, listCloudPbxs},
		{http.MethodPost, base, adminOnly, true, createCloudPbx},
		{http.MethodGet, one, adminOnly, false, getCloudPbx},
		{http.MethodPut, one, adminOnly, true, updateCloudPbx},
		{http.MethodDelete, one, adminOnly, true, deleteCloudPbx},
		{http.MethodGet, one + "/barring-options", adminOnly, false, getBarringOptions},
		{http.MethodGet, one + "/barring-options/custom-numbers-restriction", adminOnly, false, getCustomRestriction},
		{http.MethodPut, one + "/barring-options/custom-numbers-restriction", adminOnly, true, updateCustomRestriction},
		{http.MethodGet, one + "/cli-options", adminOnly, false, getCliOptions},
		{http.MethodPut, one + "/cli-options", adminOnly, true, updateCliOptions},
		{http.MethodGet, one + "/devicemodels", adminOnly, false, listDeviceModels},
		{http.MethodGet, one + "/devicemodels/{deviceModelId}", adminOnly, false, getDeviceModel},
		{http.MethodGet, one + "/emergency-numbers", adminOnly, false, getEmergencyNumbers},
		{http.MethodGet, one + "/numbering-plan", adminOnly, false, getNumberingPlan},
		{http.MethodGet, one + "/languages", adminOnly, false, listLanguages},
		{http.MethodGet, one + "/peer-authentication-options", adminOnly, false, getPeerOptions},
		{http.MethodPut, one + "/peer-authentication-options", adminOnly, true, updatePeerOptions},
		{http.MethodPut, one + "/overflow", adminOnly, true, updateCloudOverflow},
		{http.MethodGet, one + "/phone-numbers/free", adminOnly, false, listFreePhoneNumbers},
	}
}

// defaultCloud is the settings document of a new Cloud PBX.
func defaultCloud(serial, trunk string) map[string]any {
	return map[string]any{
		"domainName": serial + ".sip.sandbox.example", "rvcpNumber": fmt.Sprintf("9991010%05s", serial), "externalTrunkId": trunk,
		"language": "en", "outgoingPrefix": "0", "customSipHeader_1": "sandbox", "customSipHeader_2": "sandbox", "numberingDigitsLength": "fixed",
		"cliOptions":                     map[string]any{"policy": "user_ddi_number", "userCanManageItsCli": false, "companyNumberCanBeSelectedByUserAsCli": false},
		"overflowSubscribersToVoicemail": map[string]any{"activate": true, "noReplyDelay": 20, "activateUnavailableOverflow": true},
		"barringOptions":                 map[string]any{"permissions": "int_nat_local", "restrictions": "no_restriction"},
		"emergencyOptions":               map[string]any{"callAuthorizationWithSoftPhone": true, "emergencyGroupActivated": false},
		"callForwardOptions":             map[string]any{"externalCallForward": "not_authorized"},
		"peerAuthenticationOptions":      map[string]any{"username": "cloud-pbx-" + serial, "password": token("peer", serial, 12), "realm": "sip.sandbox.example"},
		"allowCloudPbxRecording":         false, "routeInternalCallsToPeer": false, "callForkingToPstnNumber": "not_available",
		"optimizedDialing": "not_activated", "monolineIncomingMode": false, "telephonyLinePolicy": "multi_lines",
		"emulatedRingBackTone": true, "shortCodePrefix": "*", "shortCodeDigits": 4,
		"serviceCodesDialPlan": map[string]any{
			"prefix": "#", "digits": 3,
			"serviceCodes": []any{
				map[string]any{"code": "#91", "service": "group_withdraw"}, map[string]any{"code": "#92", "service": "group_login"},
			},
		},
		"sipDeviceTransferMode":       "optional",
		"externalTrunkAdditionalInfo": trunkInfo(trunk),
	}
}

func trunkInfo(id string) map[string]any {
	return map[string]any{
		"id": id, "name": "Sandbox trunk", "status": "active", "description": "Trunk of the sandbox", "trunkType": "bp_trunk", "locked": false,
	}
}

// setCloud stores a changed copy of a Cloud PBX's settings; nil removes one.
func (w *world) setCloud(y *system, changes map[string]any) *system {
	next := *w.systems.get(y.ID)
	next.Cloud = maps.Clone(next.Cloud)
	for name, value := range changes {
		if value == nil {
			delete(next.Cloud, name)
		} else {
			next.Cloud[name] = value
		}
	}
	w.systems.put(&next)
	return &next
}

// cloudDocument is the settings as they are answered: the single prefix and
// the list of prefixes are repeated from the plan, as upstream does.
func (y *system) cloudDocument() map[string]any {
	if y.Type != typeCloudPBX {
		return nil
	}
	c := maps.Clone(y.Cloud)
	prefixes, _ := c["numberingPrefixes"].([]any)
	if plan, ok := c["numberingPlan"].([]any); ok && len(plan) > 0 {
		prefixes = []any{}
		for _, e := range plan {
			if entry, ok := e.(map[string]any); ok {
				prefixes = append(prefixes, asText(entry["prefix"]))
			}
		}
	}
	if len(prefixes) > 0 {
		c["numberingPrefixes"], c["numberingPrefix"] = prefixes, prefixes[0]
	}
	return c
}

// cloudPbxView is a Cloud PBX as the rvcpprovisioning portal answers it.
type cloudPbxView struct {
	Type              string         `json:"type"`
	SiteID            []string       `json:"siteId"`
	Status            string         `json:"status"`
	BpID              *string        `json:"bpId"`
	Cloud             map[string]any `json:"cloudpbx"`
	Name              string         `json:"name"`
	Country           string         `json:"country"`
	PbxID             string         `json:"pbxId"`
	JidAgent          string         `json:"jid_pbxagent"`
	JidAgentPassword  string         `json:"jid_pbxagent_password"`
	JidPcg            string         `json:"jid_pbxpcg"`
	JidPcgPassword    string         `json:"jid_pbxpcg_password"`
	CreationDate      string         `json:"creationDate"`
	StatusUpdatedDate string         `json:"statusUpdatedDate"`
	BlockedDate       *string        `json:"blockedDate"`
	LatinName         string         `json:"latin_name"`
	ID                string         `json:"id"`
	CompanyID         string         `json:"companyId"`
	RvcpInstanceID    string         `json:"rvcpInstanceId"`
}

func cloudPbxDocument(y *system) cloudPbxView {
	return cloudPbxView{
		Type: y.Type, SiteID: y.SiteID, Status: y.Status, BpID: y.BpID, Cloud: y.cloudDocument(), Name: y.Name, Country: y.Country,
		PbxID: y.PbxID, JidAgent: y.PbxID + "@sandbox.example", JidAgentPassword: jidPassword(y.ID),
		JidPcg: "pbxpcg_" + token("pcg", y.ID, 32) + "@sandbox.example", JidPcgPassword: jidPassword("pcg" + y.ID),
		CreationDate: y.CreationDate, StatusUpdatedDate: y.StatusUpdatedDate, LatinName: strings.ToLower(y.Name), ID: y.ID,
		CompanyID: y.CompanyID, RvcpInstanceID: seedID(idOther, 90),
	}
}

func listCloudPbxs(w *world, c *call) (any, error) {
	companyID, err := c.companyID(w)
	if err != nil {
		return nil, err
	}
	sites := c.query.words("siteId")
	list := filter(w.companySystems(companyID), []func(*system) bool{
		func(y *system) bool { return y.Type == typeCloudPBX },
		func(y *system) bool {
			return len(sites) == 0 || slices.ContainsFunc(y.SiteID, func(s string) bool { return slices.Contains(sites, s) })
		},
		equals(c.query, "bpId", func(y *system) string {
			if y.BpID == nil {
				return ""
			}
			return *y.BpID
		}),
	})
	list = sortBy(c.query, list, map[string]func(*system) string{"name": func(y *system) string { return y.Name }})
	return paged(list, c.query, cloudPbxDocument), nil
}

func getCloudPbx(w *world, c *call) (any, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, err
	}
	return data(cloudPbxDocument(y)), nil
}

// createCloudPbx answers CreateCloudPbx; a company has at most one.
func createCloudPbx(w *world, c *call) (any, error) {
	o := c.object()
	o.require("companyId")
	var companyID string
	o.text("companyId", &companyID)
	if err := o.fault(); err != nil {
		return nil, err
	}
	if err := c.knownCompany(w, companyID); err != nil {
		return nil, err
	}
	if other := w.cloudPbxOf(companyID); other != nil {
		return nil, conflict(codeConflict, "Company %s has already a Cloud PBX (%s)", companyID, other.ID)
	}
	owner := w.companies.get(companyID)
	id := w.newID(idSystem)
	y := &system{
		ID: id, Type: typeCloudPBX, Name: "cloud_pbx_" + owner.Name, CompanyID: companyID, SiteID: []string{owner.SiteID},
		Status: "created", Country: owner.Country, PbxID: pbxIDOf(id), CreationDate: timestamp(c.now),
		StatusUpdatedDate: timestamp(c.now), Cloud: defaultCloud(strings.TrimLeft(id[12:], "0"), ""),
	}
	delete(y.Cloud, "externalTrunkId")
	delete(y.Cloud, "externalTrunkAdditionalInfo")
	delete(y.Cloud, "outgoingPrefix")
	delete(y.Cloud, "customSipHeader_1")
	delete(y.Cloud, "customSipHeader_2")
	o.text("name", &y.Name)
	o.text("country", &y.Country)
	if len(y.Country) != 3 {
		o.bad("country", "country must have 3 letters", y.Country)
	}
	var text string
	if o.text("bpId", &text) {
		y.BpID = orNull(text)
	}
	if o.text("siteId", &text) && text != "" {
		y.SiteID = []string{text}
	}
	readCloud(o, y, y.Cloud)
	if trunk := asText(y.Cloud["externalTrunkId"]); trunk != "" {
		y.Cloud["externalTrunkAdditionalInfo"] = trunkInfo(trunk)
	}
	delay := 20
	o.between("noReplyDelay", &delay, 10, 60)
	y.Cloud["overflowSubscribersToVoicemail"] = map[string]any{"activate": true, "noReplyDelay": delay, "activateUnavailableOverflow": true}
	checkNumbering(o, y.Cloud, true)
	if err := o.fault(); err != nil {
		return nil, err
	}
	w.systems.put(y)
	return data(cloudPbxDocument(y)), nil
}

func pbxIDOf(id string) string {
	h := token("pbx", id, 32)
	parts := []string{"PBX" + h[:4]}
	for i := 4; i < 32; i += 4 {
		parts = append(parts, h[i:i+4])
	}
	return strings.Join(parts, "-")
}

// updateCloudPbx answers UpdateCloudPbx: a partial update. Only superadmin and
// bp_admin may change the external trunk.
func updateCloudPbx(w *world, c *call) (any, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, err
	}
	o := c.object()
	if o.has("externalTrunkId") {
		return nil, forbidden(codeRoleMissing, "Access denied: user %s does not have required role(s) superadmin,bp_admin", c.caller.LoginEmail)
	}
	next := *y
	next.Cloud = maps.Clone(y.Cloud)
	o.text("name", &next.Name)
	readCloud(o, &next, next.Cloud)
	for name, document := range map[string]any{"barringOptions": nil, "callForwardOptions": nil, "emergencyOptions": nil} {
		if o.decode(name, &document) && document != nil {
			next.Cloud[name] = merged(y.Cloud[name], document)
		}
	}
	checkNumbering(o, next.Cloud, false)
	if err := o.fault(); err != nil {
		return nil, err
	}
	w.systems.put(&next)
	return data(cloudPbxDocument(&next)), nil
}

// merged lays the members of a sent object over the stored ones.
func merged(stored, sent any) any {
	s, ok := sent.(map[string]any)
	if !ok {
		return stored
	}
	old, _ := stored.(map[string]any)
	result := maps.Clone(old)
	if result == nil {
		result = map[string]any{}
	}
	maps.Copy(result, s)
	return result
}

// readCloud applies the settings that CreateCloudPbx and UpdateCloudPbx share.
func readCloud(o *object, y *system, cloud map[string]any) {
	enum := func(name string, allowed ...string) {
		var v string
		if o.enum(name, &v, allowed...); v != "" {
			cloud[name] = v
		}
	}
	enum("language", languageCodes()...)
	enum("callForkingToPstnNumber", "not_available", "not_activated", "activated")
	enum("optimizedDialing", "not_available", "not_activated", "activated")
	enum("numberingDigitsLength", "fixed", "variable")
	enum("sipDeviceTransferMode", "new_call", "attended_transfer", "blind_transfer", "optional")
	enum("telephonyLinePolicy", "mono_line", "multi_lines", "multi_lines_plus")
	for _, name := range []string{"customSipHeader_1", "customSipHeader_2", "pbxLdapId", "shortCodePrefix", "externalTrunkId"} {
		var v string
		if o.text(name, &v) {
			cloud[name] = v
		}
	}
	for _, name := range []string{"routeInternalCallsToPeer", "monolineIncomingMode"} {
		var v bool
		if o.has(name) {
			o.boolean(name, &v)
			cloud[name] = v
		}
	}
	for _, name := range []string{"numberingDigits", "shortCodeDigits"} {
		var v int
		if o.integer(name, &v) {
			cloud[name] = v
		}
	}
	if v, sent := cloud["shortCodeDigits"].(int); sent && (v < 2 || v > 6) {
		o.bad("shortCodeDigits", "shortCodeDigits must be between 2 and 6", v)
	}
	// Numbers in requests, strings in answers.
	for _, name := range []string{"outgoingPrefix", "numberingPrefix"} {
		if o.has(name) {
			cloud[name] = asText(o.members[name])
		}
	}
	if o.has("numberingPrefix") || o.has("numberingPrefixes") {
		delete(cloud, "numberingPlan")
		delete(cloud, "numberingPrefixes")
	}
	var list []any
	if o.decode("numberingPrefixes", &list) {
		cloud["numberingPrefixes"] = list
	}
	if o.decode("numberingPlan", &list) {
		cloud["numberingPlan"] = list
	}
	var dialPlan map[string]any
	if o.decode("serviceCodesDialPlan", &dialPlan) {
		cloud["serviceCodesDialPlan"] = dialPlan
	}
	if trunk := asText(cloud["externalTrunkId"]); trunk != "" && asText(cloud["outgoingPrefix"]) == "" {
		o.bad("outgoingPrefix", "an external trunk needs an outgoing prefix", nil)
	}
}

// checkNumbering checks the rules of the numbering members: numberingDigits is
// mandatory with numberingPrefixes and with a fixed length; the entries of
// numberingPlan carry digits only when the length is variable.
func checkNumbering(o *object, cloud map[string]any, creating bool) {
	variable := cloud["numberingDigitsLength"] == "variable"
	digits := asInt(cloud["numberingDigits"])
	var prefixes, plan []any
	o.decode("numberingPrefixes", &prefixes)
	o.decode("numberingPlan", &plan)
	numbered := len(prefixes) > 0 || len(plan) > 0 || o.has("numberingPrefix")
	switch {
	case len(prefixes) > 0 && !o.has("numberingDigits"):
		o.bad("numberingDigits", "numberingDigits is mandatory with numberingPrefixes", nil)
	case digits == 0 && !variable && (o.has("numberingDigitsLength") || (creating && numbered)):
		o.bad("numberingDigits", "numberingDigits is mandatory when numberingDigitsLength is fixed", nil)
	}
	for i, e := range plan {
		entry, _ := e.(map[string]any)
		name := "numberingPlan[" + strconv.Itoa(i) + "]"
		prefix := asText(entry["prefix"])
		if prefix == "" || strings.Trim(prefix, "0123456789") != "" {
			o.bad(name+".prefix", "prefix must be digits", entry["prefix"])
		}
		own := asInt(entry["digits"])
		if entry["digits"] != nil && !variable {
			o.bad(name+".digits", "digits is allowed only when numberingDigitsLength is variable", own)
		}
		if variable && entry["digits"] == nil && digits == 0 {
			o.bad(name+".digits", "digits is mandatory when numberingDigitsLength is variable", nil)
		}
		if entry["digits"] != nil && own < len(prefix) {
			o.bad(name+".digits", "digits cannot be fewer than those of the prefix", own)
		}
	}
}

// deleteCloudPbx answers DeleteCloudPbx; without forceDelete it is refused
// while something is attached (inferred from the text about forceDelete).
func deleteCloudPbx(w *world, c *call) (any, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, err
	}
	extensions := slices.Clone(systemPart(w.extensions, y.ID, func(b *subscriber) string { return b.SystemID }))
	devices, ddis := slices.Clone(w.devicesOf(y.ID)), slices.Clone(w.ddisOf(y.ID))
	force := c.query.flag("forceDelete")
	if n := len(extensions) + len(devices) + len(ddis); n > 0 && (force == nil || !*force) {
		return nil, conflict(codeConflict, "Cloud PBX with Id=%s has %d attached objects (subscribers, devices, DDI numbers)", y.ID, n)
	}
	for _, b := range extensions {
		w.deleteSubscriber(b)
	}
	for _, v := range devices {
		w.devices.remove(v.ID)
	}
	for _, n := range ddis {
		w.ddis.remove(n.ID)
	}
	for _, h := range w.holders.all() {
		if h.SystemID == y.ID {
			w.holders.remove(h.ID)
		}
	}
	w.systems.remove(y.ID)
	return statusData("Cloud PBX with Id=%s successfully deleted", y.ID), nil
}

// allocatedNumber is an entry of the numbering plan's allocatedNumbers.
type allocatedNumber struct {
	ShortNumber     string `json:"shortNumber"`
	UserID          string `json:"userId,omitempty"`
	UserDisplayName string `json:"userDisplayName,omitempty"`
	GroupID         string `json:"rvcpGroupId,omitempty"`
	GroupName       string `json:"groupName,omitempty"`
	Type            string `json:"type,omitempty"`
	MacAddress      string `json:"macAddress,omitempty"`
}

func getNumberingPlan(w *world, c *call) (any, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, err
	}
	allocated := map[string][]allocatedNumber{"subscribers": {}, "groups": {}, "devices": {}}
	for _, b := range systemPart(w.extensions, y.ID, func(b *subscriber) string { return b.SystemID }) {
		allocated["subscribers"] = append(allocated["subscribers"], allocatedNumber{
			ShortNumber: b.ShortNumber, UserID: b.UserID, UserDisplayName: w.displayNameOf(b.UserID),
		})
	}
	for _, h := range w.holders.all() {
		switch {
		case h.SystemID != y.ID:
		case h.Kind == "group":
			allocated["groups"] = append(allocated["groups"], allocatedNumber{ShortNumber: h.ShortNumber, GroupID: h.ID, GroupName: h.Name, Type: h.Type})
		default:
			allocated["devices"] = append(allocated["devices"], allocatedNumber{
				ShortNumber: h.ShortNumber, MacAddress: h.MacAddress, UserID: h.UserID, UserDisplayName: h.Name,
			})
		}
	}
	return data(map[string]any{"ranges": y.numberRanges(), "allocatedNumbers": allocated}), nil
}

func listFreePhoneNumbers(w *world, c *call) (any, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, err
	}
	start := c.query.text("startingWith")
	if strings.Trim(start, "0123456789") != "" {
		start = ""
	}
	return data(w.freeNumbers(y, start, c.query.limit())), nil
}

func ddiRoutes() []route {
	const base = "/rvcpprovisioning/v1.0/cloudpbxs/{systemId}/phone-numbers/ddi"
	const one = base + "/{phoneNumberId}"
	return []route{
		{http.MethodGet, base, adminOnly, false, listDdis},
		{http.MethodPost, base, adminOnly, true, createDdi},
		{http.MethodDelete, one, adminOnly, true, deleteDdi},
		{http.MethodPost, one + "/default", adminOnly, true, setDefaultDdi},
		{http.MethodPost, one + "/users/{userId}", adminOnly, true, assignDdiToUser},
		{http.MethodDelete, one + "/users/{userId}", adminOnly, true, unassignDdiFromUser},
	}
}
