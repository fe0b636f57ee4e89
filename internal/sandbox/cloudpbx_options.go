package sandbox

import (
	"regexp"
	"slices"
)

func languageCodes() []string {
	return []string{"ro", "es", "it", "de", "fr", "en", "ar", "he", "nl", "pt_br"}
}

func listLanguages(w *world, c *call) (any, error) {
	if _, err := c.cloudPbx(w); err != nil {
		return nil, err
	}
	names := []string{"ROMANIAN", "SPANISH", "ITALIAN", "GERMAN", "FRENCH", "ENGLISH", "ARABIC", "HEBREW", "DUTCH", "PORTUGUESE_BRAZIL"}
	list := []map[string]string{}
	for i, code := range languageCodes() {
		list = append(list, map[string]string{"code": code, "description": names[i]})
	}
	return data(list), nil
}

// barringPermissions and barringRestrictions are the ids the guide shows.
func barringPermissions() []string { return []string{"local", "nat_local", "int_nat_local"} }

func barringRestrictions() []string {
	return []string{"no_restriction", "surcharged_numbers", "custom_numbers"}
}

func getBarringOptions(w *world, c *call) (any, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, err
	}
	entries := func(ids []string, texts ...string) []map[string]string {
		list := []map[string]string{}
		for i, id := range ids {
			list = append(list, map[string]string{"id": id, "description": texts[i]})
		}
		return list
	}
	return data(map[string]any{
		"permissions": entries(barringPermissions(), "Intra PBX Calls Only", "National and Intra PBX Calls", "International, National and Intra PBX Calls"),
		"restrictions": entries(barringRestrictions(), "No Restriction", "Surcharged numbers for country="+y.Country,
			"customized set of prohibited numbers applicable on the CloudPBX"),
	}), nil
}

func customRestriction(y *system) map[string]any {
	patterns := y.BarringPatterns
	if patterns == nil {
		patterns = []any{}
	}
	return map[string]any{"patterns": patterns}
}

func getCustomRestriction(w *world, c *call) (any, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, err
	}
	return data(customRestriction(y)), nil
}

// updateCustomRestriction replaces the whole list of patterns, each a regular
// expression with a free description.
func updateCustomRestriction(w *world, c *call) (any, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, err
	}
	o := c.object()
	o.require("patterns")
	next := *y
	next.BarringPatterns = nil
	if o.decode("patterns", &next.BarringPatterns) {
		for _, p := range next.BarringPatterns {
			entry, _ := p.(map[string]any)
			pattern := asText(entry["pattern"])
			if _, err := regexp.Compile(pattern); pattern == "" || err != nil {
				o.bad("patterns.pattern", "pattern must be a regular expression", entry["pattern"])
			}
		}
	}
	if err := o.fault(); err != nil {
		return nil, err
	}
	w.systems.put(&next)
	return statusEnvelope{
		Status: "CloudPBX set of prohibited numbers successfully updated (Id=" + y.ID + ")", Data: customRestriction(&next),
	}, nil
}

func getCliOptions(w *world, c *call) (any, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, err
	}
	return data(merged(y.Cloud["cliOptions"], map[string]any{"numberE164": y.Cloud["installationNumber"]})), nil
}

// updateCliOptions answers the whole Cloud PBX, not just the options.
func updateCliOptions(w *world, c *call) (any, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, err
	}
	o := c.object()
	changed := map[string]any{}
	var policy string
	if o.enum("policy", &policy, "installation_ddi_number", "user_ddi_number"); policy != "" {
		changed["policy"] = policy
	}
	for _, name := range []string{"userCanManageItsCli", "companyNumberCanBeSelectedByUserAsCli"} {
		if o.has(name) {
			var v bool
			o.boolean(name, &v)
			changed[name] = v
		}
	}
	if err := o.fault(); err != nil {
		return nil, err
	}
	return data(cloudPbxDocument(w.setCloud(y, map[string]any{"cliOptions": merged(y.Cloud["cliOptions"], changed)}))), nil
}

func getEmergencyNumbers(w *world, c *call) (any, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, err
	}
	return data(map[string]any{
		"emergencyOptions": y.Cloud["emergencyOptions"], "outgoingPrefix": y.Cloud["outgoingPrefix"],
		"emergencyNumbers": []map[string]string{
			{"number": "112", "description": "Universal European Emergency Services number - works from all phones including mobiles"},
			{"number": "15", "description": "Medical emergencies"},
			{"number": "17", "description": "Police"},
			{"number": "18", "description": "Fire brigade"},
		},
	}), nil
}

func getPeerOptions(w *world, c *call) (any, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, err
	}
	return data(y.Cloud["peerAuthenticationOptions"]), nil
}

// updatePeerOptions sets user name and password; the realm is read-only.
func updatePeerOptions(w *world, c *call) (any, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, err
	}
	o := c.object()
	o.require("username", "password")
	var name, password string
	o.text("username", &name)
	o.text("password", &password)
	if err := o.fault(); err != nil {
		return nil, err
	}
	options := merged(y.Cloud["peerAuthenticationOptions"], map[string]any{"username": name, "password": password})
	w.setCloud(y, map[string]any{"peerAuthenticationOptions": options})
	return statusEnvelope{
		Status: "Cloud PBX peer authentication options successfully updated (Id=" + y.ID + ")", Data: options,
	}, nil
}

// updateCloudOverflow sets the defaults of the subscribers that follow the
// company; it answers the whole Cloud PBX.
func updateCloudOverflow(w *world, c *call) (any, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, err
	}
	o := c.object()
	changed := map[string]any{}
	for _, name := range []string{"activate", "activateUnavailableOverflow"} {
		if o.has(name) {
			var v bool
			o.boolean(name, &v)
			changed[name] = v
		}
	}
	delay := 0
	if o.between("noReplyDelay", &delay, 10, 60); delay > 0 {
		changed["noReplyDelay"] = delay
	}
	if err := o.fault(); err != nil {
		return nil, err
	}
	const key = "overflowSubscribersToVoicemail"
	return data(cloudPbxDocument(w.setCloud(y, map[string]any{key: merged(y.Cloud[key], changed)}))), nil
}

// validBarring tells whether the ids are on offer; subscribers may also follow
// the company ("default").
func validBarring(id string, onOffer []string) bool {
	return id == "default" || slices.Contains(onOffer, id)
}
