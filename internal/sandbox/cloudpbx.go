package sandbox

import (
	"maps"
	"net/http"
	"slices"
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
	systems, err := c.systemsAsked(w)
	if err != nil {
		return nil, err
	}
	sites := c.query.words("siteId")
	list := filter(systems, []func(*system) bool{
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
	if o.has("externalTrunkId") && !c.actsAs("superadmin", "bp_admin") {
		return nil, c.roleMissing("superadmin", "bp_admin")
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
	w.removeServices(y.ID)
	w.systems.remove(y.ID)
	return statusData("Cloud PBX with Id=%s successfully deleted", y.ID), nil
}
