package sandbox

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
)

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
