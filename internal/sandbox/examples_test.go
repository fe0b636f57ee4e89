package sandbox_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

const examples = "../../testdata/spec/examples"

// shape maps every member of a document, by its path, to its JSON kinds; the
// elements of an array are looked at together.
func shape(v any, path string, into map[string]map[string]bool) {
	kind := "null"
	switch node := v.(type) {
	case map[string]any:
		kind = "object"
		for name, member := range node {
			shape(member, path+"."+name, into)
		}
	case []any:
		kind = "array"
		for _, element := range node {
			shape(element, path+"[]", into)
		}
	case string:
		kind = "string"
	case float64:
		kind = "number"
	case bool:
		kind = "boolean"
	}
	if into[path] == nil {
		into[path] = map[string]bool{}
	}
	into[path][kind] = true
}

func shapeOf(t *testing.T, raw []byte) map[string]map[string]bool {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	s := map[string]map[string]bool{}
	shape(v, "", s)
	return s
}

// absent are members of documented samples that the sandbox never answers,
// with the reason; a trailing * stands for the rest of a path.
func absent() map[string]string {
	return map[string]string{
		// Users.
		".calendars*": "no calendars here", ".isADSearchAvailable": "no directory here", ".invitedBy*": "nobody is invited",
		".lastAvatarUpdateDate": "no avatars here", ".sponsoring*": "sample of 2016", ".visibleBy": "sample of 2016",
		".profile": "sample of 2016, now profiles", ".profile.*": "sample of 2016, now profiles", ".failedLoginAttempts": "not shown",
		".initializationDate": "of initialised users only", ".firstLoginDate": "of users who logged in", ".lastLoginDate": "of users who logged in",
		".loggedSince": "of users who logged in", ".phoneNumbers[]*": "depends on the user",
		".nickName": "optional", ".title": "optional", ".jobTitle": "optional",
		".language": "optional", ".timezone": "optional", ".createdByAdmin*": "of users made by an administrator",
		".provisioningNeeded[]*": "no component to provision", ".offerTechnicalDescription": "optional",
		".hasConference": "undocumented member of the login sample", ".isBundle": "undocumented member of the login sample",
		".businessSpecific*": "undocumented member of the login sample",
		// Systems.
		".allocatedNumbers.devices[].userId": "the door phone belongs to nobody",
		".jid_pbxagent_password_activating":  "while activating", ".activatingTransactionId": "while activating",
		".pbxNumberingTranslator[]*": "no translations", ".searchResultOrder*": "undocumented member", ".usePbxMainBundlePrefix": "undocumented member",
		".jid_pbxpcg": "of Cloud PBXs", ".jid_pbxpcg_password": "of Cloud PBXs", ".statusUpdatedDate": "undocumented member",
		// Devices.
		".bannedDevice*": "no device is banned here", ".cert_sip": "no certificates here",
		".modules[]*": "depends on the device", ".ipei": "of DECT handsets",
		".dectVersion": "of DECT handsets", ".phoneNumberId": "of assigned devices", ".shortNumber": "of assigned devices",
		".userId": "of assigned devices", ".userDisplayName": "of assigned devices", ".password": "of generic SIP devices",
		".systemKeys*": "empty in the sample", ".keys*": "of one model",
		// Welcomes and trunks.
		".welcomeServicesManualMode*": "a new welcome has no services, a service none of its own", ".hybrid_specific_data*": "of hybrid trunks",
		".peeringGroupId": "of other trunks", ".routeInternalCallsToPeerAllowed": "of other trunks", ".cloudPbxs[]*": "no Cloud PBX uses a hybrid trunk here",
		// Offers and subscriptions.
		".latin_name": "of one sample", ".zuora*": "billing ids", ".technicalDescription": "optional",
	}
}

// excused answers the exception that covers a missing member, "" when none does.
func excused(path string) string {
	path = strings.TrimPrefix(strings.TrimPrefix(path, ".data"), "[]")
	for _, prefix := range []string{".loggedInUser", ".profiles[]", ".report"} {
		if rest, ok := strings.CutPrefix(path, prefix); ok && strings.HasPrefix(rest, ".") {
			path = rest
		}
	}
	for pattern := range absent() {
		head, open := strings.CutSuffix(pattern, "*")
		if path == pattern || (open && strings.HasPrefix(path, head)) {
			return pattern
		}
	}
	return ""
}

// TestAnswersHaveTheDocumentedShape calls the operations and compares their
// answers with the documented samples: the same members of the same kinds.
func TestAnswersHaveTheDocumentedShape(t *testing.T) {
	r := start(t, sandbox.Options{})
	user, second := r.userID(seeded(1)), r.userID(seeded(2))
	profiles := admin + "/users/" + user + "/profiles/subscriptions/" + r.subscriptionID("Enterprise Demo")
	extension := subscribers + "/" + r.subscriberID("80001")
	phone := r.get(devices + "?macAddress=020000000001").ok().text("data.0.id")
	generic := r.get(devices + "?deviceTypeId=999999").ok().text("data.0.id")
	m5 := r.get(devices + "?macAddress=aabbccddee05").ok().text("data.0.id")
	root := r.as("superadmin@rainbow.example")
	keys, box, prompt, service := devices+"/"+m5+"/programmable-keys", reception+"/voicemail-greetings/", greetings+"/", ivrs+"/"
	number := pbxNumbers + "/" + r.get(pbxNumbers+"?limit=1").ok().text("data.0.id")
	ddi := ddis + "/" + r.ddiID("33298300513")
	deviceSheet := "__action__;loginEmail;pbxId;pbxShortNumber;pbxInternalNumber;number\nattach;user000001@sandbox.example;;3001;;\ndetach;user000002@sandbox.example;;;;\n"
	var sync, bought string
	calls := []struct {
		example string
		call    func() answer
	}{
		{"authentication/Login", func() answer { return r.signIn(sandbox.AdminLogin, sandbox.AdminPassword, sandbox.AppSecret) }},
		{"authentication/Renew", func() answer { return r.get(authent + "/renew") }},
		{"authentication/Validate", func() answer { return r.get(authent + "/validator") }},
		{"authentication/GetAbout", func() answer { return r.get(authent + "/about") }},
		{"admin/ListUsers", func() answer { return r.get(admin + "/users") }},
		{"admin/GetUser", func() answer { return r.get(admin + "/users/" + user) }},
		{"admin/CreateUser", func() answer {
			return r.post(admin+"/users", map[string]any{"loginEmail": "shape@sandbox.example", "firstName": "A", "lastName": "B"})
		}},
		{"admin/UpdateUser", func() answer { return r.put(admin+"/users/"+user, map[string]any{"title": "Mrs"}) }},
		{"admin/ListSystems", func() answer { return r.get(admin + "/systems") }},
		{"admin/GetSystem", func() answer { return r.get(admin + "/systems/" + sandbox.EquippedPbxID) }},
		{"admin/UpdateSystemPhoneNumber", func() answer {
			return r.put(number, map[string]any{"userId": r.userID(sandbox.AdminLogin), "number": "0199000977"})
		}},
		{"admin/GetSystemPhoneNumber", func() answer { return r.get(number) }},
		{"admin/ListSystemPhoneNumbers", func() answer { return r.get(pbxNumbers + "?format=full") }},
		{"admin/AssignUserSubscription", func() answer { return r.post(profiles, map[string]any{}) }},
		{"admin/ListUserProfiles", func() answer { return r.get(admin + "/users/" + user + "/profiles") }},
		{"admin/UnassignUserSubscription", func() answer { return r.delete(profiles) }},
		{"subscription/ListOffers", func() answer {
			return r.get(licence + "/companies/" + sandbox.CompanyID + "/offers?format=full")
		}},
		{"subscription/ListSubscriptions", func() answer { return r.get(subscriptions) }},
		{"subscription/ListSubscriptions.full", func() answer { return r.get(subscriptions + "?format=full") }},
		{"subscription/GetSubscription", func() answer { return r.get(subscriptions + "/" + r.subscriptionID("Enterprise Demo")) }},
		{"subscription/ListSubscriptionUsers", func() answer {
			return r.get(subscriptions + "/" + r.subscriptionID("Essential") + "/users")
		}},
		{"rvcpprovisioning/ListCloudPbxs", func() answer { return r.get(voice + "/cloudpbxs") }},
		{"rvcpprovisioning/GetCloudPbx", func() answer { return r.get(cloud) }},
		{"rvcpprovisioning/UpdateCloudPbx", func() answer { return r.put(cloud, map[string]any{"name": "n"}) }},
		{"rvcpprovisioning/GetCloudPbxCliOptions", func() answer { return r.get(cloud + "/cli-options") }},
		{"rvcpprovisioning/UpdateCloudPbxCliOptions", func() answer { return r.put(cloud+"/cli-options", map[string]any{}) }},
		{"rvcpprovisioning/UpdateCloudPbxOverflow", func() answer { return r.put(cloud+"/overflow", map[string]any{}) }},
		{"rvcpprovisioning/GetCloudPbxBarringOptions", func() answer { return r.get(cloud + "/barring-options") }},
		{"rvcpprovisioning/UpdateCloudPbxCustomNumbersRestriction", func() answer {
			return r.put(cloud+"/barring-options/custom-numbers-restriction", map[string]any{"patterns": []any{map[string]any{"pattern": "^1", "description": "d"}}})
		}},
		{"rvcpprovisioning/GetCloudPbxCustomNumbersRestriction", func() answer { return r.get(cloud + "/barring-options/custom-numbers-restriction") }},
		{"rvcpprovisioning/GetCloudPbxDeviceModel", func() answer { return r.get(cloud + "/devicemodels/999999") }},
		{"rvcpprovisioning/ListCloudPbxDeviceModels", func() answer { return r.get(cloud + "/devicemodels") }},
		{"rvcpprovisioning/GetCloudPbxEmergencyNumbers", func() answer { return r.get(cloud + "/emergency-numbers") }},
		{"rvcpprovisioning/GetCloudPbxNumberingPlan", func() answer { return r.get(cloud + "/numbering-plan") }},
		{"rvcpprovisioning/ListCloudPbxLanguages", func() answer { return r.get(cloud + "/languages") }},
		{"rvcpprovisioning/GetCloudPbxPeerAuthenticationOptions", func() answer { return r.get(cloud + "/peer-authentication-options") }},
		{"rvcpprovisioning/UpdateCloudPbxPeerAuthenticationOptions", func() answer {
			return r.put(cloud+"/peer-authentication-options", map[string]any{"username": "u", "password": "p"})
		}},
		{"rvcpprovisioning/ListFreePhoneNumbers", func() answer { return r.get(cloud + "/phone-numbers/free") }},
		{"rvcpprovisioning/CreateDdi", func() answer { return r.post(ddis, map[string]string{"number": "0298300777"}) }},
		{"rvcpprovisioning/AssignDdiToUser", func() answer { return r.post(ddi+"/users/"+user, nil) }},
		{"rvcpprovisioning/ListDdis", func() answer { return r.get(ddis) }},
		{"rvcpprovisioning/SetDefaultDdi", func() answer { return r.post(ddi+"/default", nil) }},
		{"rvcpprovisioning/UnassignDdiFromUser", func() answer { return r.delete(ddi + "/users/" + user) }},
		{"rvcpprovisioning/DeleteDdi", func() answer { return r.delete(ddis + "/" + r.ddiID("33298300777")) }},
		{"rvcpprovisioning/GetSubscriber", func() answer { return r.get(extension) }},
		{"rvcpprovisioning/CreateSubscriber", func() answer {
			r.delete(extension).ok()
			a := r.post(subscribers, map[string]any{"userId": user, "shortNumber": "80001"})
			extension = subscribers + "/" + a.text("data.id")
			return a
		}},
		{"rvcpprovisioning/AssignDeviceToSubscriber", func() answer { return r.post(extension+"/devices", map[string]any{"deviceId": phone}) }},
		{"rvcpprovisioning/ListSubscriberDevices", func() answer { return r.get(extension + "/devices") }},
		{"rvcpprovisioning/GetSubscriberDevice", func() answer { return r.get(extension + "/devices/" + phone) }},
		{"rvcpprovisioning/ListSubscriberRegistrations", func() answer { return r.get(extension + "/registrations") }},
		{"rvcpprovisioning/ListSipDeviceRegistrations", func() answer { return r.get(devices + "/" + phone + "/registrations") }},
		{"rvcpprovisioning/UnassignDeviceFromSubscriber", func() answer { return r.delete(extension + "/devices/" + phone) }},
		{"rvcpprovisioning/GetSubscriberCliOptions", func() answer { return r.get(extension + "/cli-options") }},
		{"rvcpprovisioning/UpdateSubscriberPstnDeviceOptions", func() answer {
			return r.put(extension+"/pstn-device-options", map[string]any{"policy": "custom_ddi_number", "numberE164": "+33199000933"})
		}},
		{"rvcpprovisioning/GetSubscriberPstnDeviceOptions", func() answer { return r.get(extension + "/pstn-device-options") }},
		{"rvcpprovisioning/UpdateSubscriberSipHeaders", func() answer {
			return r.put(extension+"/sip-headers", map[string]any{"customSipHeader_1": "1", "customSipHeader_2": "2"})
		}},
		{"rvcpprovisioning/GetSubscriberSipHeaders", func() answer { return r.get(extension + "/sip-headers") }},
		{"rvcpprovisioning/UpdateSubscriberBarringOptions", func() answer { return r.put(extension+"/barring-options", map[string]any{"permissions": "local"}) }},
		{"rvcpprovisioning/UpdateSubscriberExternalCallForward", func() answer {
			return r.put(extension+"/callforwardoptions/externalcallforward", map[string]any{"externalCallForward": "authorized"})
		}},
		{"rvcpprovisioning/UpdateSubscriberOverflow", func() answer {
			return r.put(extension+"/overflow", map[string]any{"value": "disabled", "unavailableOverflow": "default"})
		}},
		{"rvcpprovisioning/GetSubscriberOverflow", func() answer { return r.get(extension + "/overflow/status") }},
		{"rvcpprovisioning/DeleteSubscriber", func() answer { return r.delete(subscribers + "/" + r.subscriberID("80002")) }},
		{"rvcpprovisioning/CreateSipDevice", func() answer {
			return r.post(devices, map[string]any{"description": "d", "deviceTypeId": 999998, "ipei": "0380700000"})
		}},
		{"rvcpprovisioning/ListSipDevices", func() answer { return r.get(devices) }},
		{"rvcpprovisioning/GetSipDevice", func() answer { return r.get(devices + "/" + generic) }},
		{"rvcpprovisioning/UpdateSipDevice", func() answer { return r.put(devices+"/"+generic, map[string]any{"description": "e"}) }},
		{"rvcpprovisioning/CreateDeviceModule", func() answer {
			return r.post(devices+"/"+m5+"/modules", map[string]any{"moduleId": 1, "type": "EM_20"})
		}},
		{"rvcpprovisioning/ResetSipDevice", func() answer { return r.post(devices+"/"+m5+"/reset", nil) }},
		{"rvcpprovisioning/RebootSipDevice", func() answer { return r.post(devices+"/"+m5+"/reboot", nil) }},
		{"rvcpprovisioning/GrantSipDeviceDebugSession", func() answer { return r.post(devices+"/"+m5+"/debug", nil) }},
		{"rvcpprovisioning/RevokeSipDeviceDebugSession", func() answer { return r.delete(devices + "/" + m5 + "/debug") }},
		{"rvcpprovisioning/CreateProgrammableKey", func() answer {
			return r.post(keys, map[string]any{"keyNum": 4, "keyType": "speeddial", "displayName": "Alice Mob", "number": "+33699887002"})
		}},
		{"rvcpprovisioning/ListProgrammableKeys", func() answer {
			r.post(keys, map[string]any{"keyNum": 5, "keyType": "monitor", "phoneNumberId": r.subscriberID("80003")}).ok()
			return r.get(keys)
		}},
		{"rvcpprovisioning/DeleteProgrammableKey", func() answer { return r.delete(keys + "/4") }},
		{"rvcpprovisioning/GetGroupForwards", func() answer { return r.get(reception + "/forwards") }},
		{"rvcpprovisioning/UpdateGroupForward", func() answer {
			return r.put(queue+"/forwards/overflow", map[string]any{"activate": true, "enable": true, "destinationType": "externalnumber", "number": "+33530097219"})
		}},
		{"rvcpprovisioning/CreateGroupVoicemailGreeting", func() answer {
			a := r.upload("POST", reception+"/voicemail-greetings", audioOf(1))
			box += a.text("data.id")
			return a
		}},
		{"rvcpprovisioning/ListGroupVoicemailGreetings", func() answer { return r.get(reception + "/voicemail-greetings") }},
		{"rvcpprovisioning/UpdateGroupVoicemailGreeting", func() answer { return r.upload("PUT", box, audioOf(1)) }},
		{"rvcpprovisioning/DeleteGroupVoicemailGreeting", func() answer { return r.delete(box) }},
		{"rvcpprovisioning/UploadGreeting", func() answer {
			a := r.upload("PUT", greetings+"/afterhours?ivrId="+serviceID, audioOf(1))
			prompt += a.text("data.fileId")
			return a
		}},
		{"rvcpprovisioning/ListGreetings", func() answer { return r.get(greetings + "?userId=" + user) }},
		{"rvcpprovisioning/GetGreeting", func() answer { return r.get(prompt) }},
		{"rvcpprovisioning/UpdateGreetingSettings", func() answer { return r.put(prompt+"/settings", map[string]any{"loopPlay": true}) }},
		{"rvcpprovisioning/RestoreGreeting", func() answer { return r.post(greetings+"/afterhours/restore?ivrId="+serviceID, nil) }},
		{"rvcpprovisioning/ActivateGreeting", func() answer { return r.post(prompt+"/activate", nil) }},
		{"rvcpprovisioning/DeleteGreeting", func() answer {
			r.post(greetings+"/afterhours/restore?ivrId="+serviceID, nil).ok()
			return r.delete(prompt)
		}},
		{"rvcpprovisioning/DeleteAllGreetings", func() answer { return r.delete(greetings) }},
		{"rvcpprovisioning/ListRecordings", func() answer { return r.get(recordings) }},
		{"rvcpprovisioning/GetRecording", func() answer { return r.get(recordings + "/" + r.get(recordings).ok().text("data.8.id")) }},
		{"rvcpprovisioning/DeleteRecording", func() answer { return r.delete(recordings + "/" + r.get(recordings).ok().text("data.0.id")) }},
		{"rvcpprovisioning/DeleteRecordings", func() answer {
			return r.delete(recordings + "?recordIds=" + r.get(recordings).ok().text("data.0.id"))
		}},
		{"rvcpprovisioning/UpdateRecordingSettings", func() answer {
			return r.put(cloud+"/recording-settings", map[string]any{"announcementProfile": "all"})
		}},
		{"rvcpprovisioning/UpdateSubscriberRecording", func() answer {
			return r.put(recordings+"/"+r.subscriberID("80003"), map[string]any{"recordingProfile": "all"})
		}},
		{"rvcpprovisioning/ListWelcomes", func() answer { return r.get(welcomes) }},
		{"rvcpprovisioning/CreateWelcome", func() answer { return r.post(welcomes, map[string]any{"name": "w"}) }},
		{"rvcpprovisioning/GetWelcome", func() answer { return r.get(welcomes + "/" + welcomeID) }},
		{"rvcpprovisioning/UpdateWelcomeOfficeHours", func() answer {
			return r.put(welcomes+"/officehours/"+welcomeID, map[string]any{"officehours": map[string]any{"exceptions": []any{
				map[string]any{"year": 2021, "month": 3, "mday": 9, "periods": []any{[]any{"00:00", "23:59"}}, "open": false},
			}}})
		}},
		{"rvcpprovisioning/GetWelcomeOfficeHours", func() answer { return r.get(welcomes + "/officehours/" + welcomeID) }},
		{"rvcpprovisioning/ListWelcomeServices", func() answer { return r.get(services) }},
		{"rvcpprovisioning/CreateWelcomeService", func() answer {
			a := r.post(services, map[string]any{"name": "s", "externalNumberId": r.ddiID("33298300514"), "welcomeId": welcomeID, "companyCalendarId": calendarID,
				"openHoursOverflow": map[string]any{"type": "user", "destinationId": r.userID(seeded(3))}})
			service += a.text("data.id")
			return a
		}},
		{"rvcpprovisioning/UpdateIvr", func() answer {
			return r.put(service, map[string]any{"closedHoursOverflow": map[string]any{"type": "user", "destinationId": r.userID(seeded(3))}})
		}},
		{"rvcpprovisioning/DeleteIvr", func() answer { return r.delete(service) }},
		{"rvcpprovisioning/ListExternalTrunks", func() answer { return root.get(voice + "/external-trunks") }},
		{"rvcpprovisioning/ListExternalTrunks", func() answer { return root.get(voice + "/external-trunks?trunkType=hybrid_trunk") }},
		{"rvcpprovisioning/GetExternalTrunk", func() answer { return root.get(voice + "/external-trunks/5b7d0c0ffeeb000000000037") }},
		{"rvcpprovisioning/ListAllRecordings", func() answer { return root.get(voice + "/recordings?companyIds=" + sandbox.CompanyID) }},
		{"rvcpprovisioning/DeleteSipDevice", func() answer { return r.delete(devices + "/" + m5) }},
		{"massprovisioning/CheckUsersImport", func() answer { return r.post(imports+"/check", deviceSheet+"force_attach;a@b.example;;3002;;\n") }},
		{"massprovisioning/ImportUsers", func() answer { return r.post(imports, deviceSheet) }},
		{"massprovisioning/GetUsersImportReport", func() answer { return r.importSheet(imports, deviceSheet+"attach;admin@sandbox.example;;3009;;") }},
		{"massprovisioning/GetUsersImportReport.small", func() answer {
			reqID := r.importSheet(imports, deviceSheet+"% once more").text("data.reqId")
			return r.get(imports + "/" + reqID + "/details?format=small")
		}},
		{"massprovisioning/ListUsersImports", func() answer { return r.get(imports) }},
		{"massprovisioning/DeleteUsersImportReport", func() answer {
			return r.delete(imports + "/" + r.importSheet(imports, deviceSheet+"% gone").text("data.reqId") + "/details")
		}},
		{"massprovisioning/CheckUsersSynchronize", func() answer {
			return r.post(imports+"/synchronize/check?commandId=c", "__action__;loginEmail;service0\nsync;a@b.example;Enterprise Demo\nupsert;b@b.example;\ndelete;c@b.example;\ndetach;d@b.example;\n")
		}},
		{"massprovisioning/GetUsersSynchronizeCheckReport", func() answer { return r.get(imports + "/synchronize/check/c/report") }},
		{"massprovisioning/SynchronizeUsers", func() answer {
			a := r.post(imports+"/synchronize?commandId=c", "__action__;loginEmail\nupsert;sync@sandbox.example\ndetach;sync@sandbox.example\n")
			sync = a.text("data.reqId")
			return a
		}},
		{"massprovisioning/GetUsersSynchronizeReport", func() answer {
			r.report(sync)
			return r.get(imports + "/synchronize/c/report")
		}},
		{"massprovisioning/CreateUsersSynchronizeReport", func() answer {
			return r.post(imports+"/synchronize/d/report", map[string]any{"status": "success", "details": "none"})
		}},
		{"admin/DeleteUser", func() answer { return r.delete(admin + "/users/" + second) }},
		{"rvcpprovisioning/DeleteCloudPbx", func() answer { return r.delete(cloud + "?forceDelete=true") }},
		{"rvcpprovisioning/CreateCloudPbx", func() answer {
			return r.post(voice+"/cloudpbxs", map[string]any{"companyId": sandbox.CompanyID, "numberingDigits": 3, "outgoingPrefix": 0,
				"numberingPlan": []any{map[string]any{"prefix": "2", "description": "d"}}, "customSipHeader_1": "a", "customSipHeader_2": "b", "externalTrunkId": "5b7d0c0ffee70000000000aa"})
		}},
		{"subscription/GetOffer", func() answer {
			return r.get(licence + "/companies/" + sandbox.CompanyID + "/offers/" + r.offerID("Enterprise"))
		}},
		{"subscription/CreateSubscription", func() answer {
			a := r.as("bpfinance@dr.example").post(subscriptions, order(r.offerID("Voice Enterprise"), 50))
			bought = subscriptions + "/" + a.text("data.id")
			return a
		}},
		{"subscription/UpdateSubscription", func() answer { return r.put(bought, map[string]any{"maxNumberUsers": 60}) }},
		{"subscription/DeleteSubscription", func() answer { return r.as("bpfinance@dr.example").delete(bought) }},
		{"subscription/GetDefaultSubscription", func() answer { return r.get(subscriptions + "/default") }},
		{"subscription/ListPrepaidSubscriptions", func() answer { return r.get(subscriptions + "/prepaid?days=2000") }},
		{"subscription/ListSubscriptionFeatures", func() answer { return r.get(subscriptions + "/features") }},
		{"subscription/ListSubscriptionCounters", func() answer {
			return r.as("bpadmin@vad.example").get(subscriptionsOf(sandbox.DistributorID) + "/counters")
		}},
		{"subscription/CreateSubscriptionsFromFile", func() answer {
			return r.as("bpadmin@dr.example").post(subscriptionsOf(sandbox.ResellerID)+"/files", actis("", "3EY95101ABx1"))
		}},
		{"subscription/ListCompanyInvoices", func() answer {
			return r.as("bpfinance@dr.example").get(licence + "/companies/" + sandbox.ResellerID + "/invoices")
		}},
		{"invoicing/ListInvoices", func() answer { return r.get(invoicing + "/invoices") }},
		{"authentication/OAuthToken", func() answer {
			code := r.authorize("response_type=code&client_id="+sandbox.AppID, basic(sandbox.AdminLogin, sandbox.AdminPassword)).Query().Get("code")
			return r.oauthToken(sandbox.AppSecret, "grant_type", "authorization_code", "code", code)
		}},
		{"authentication/Logout", func() answer { return r.get(authent + "/logout") }},
	}
	used := map[string]bool{}
	for _, c := range calls {
		t.Run(c.example, func(t *testing.T) {
			documented := documentedExample(t, c.example)
			got := c.call().ok()
			compareShapes(t, shapeOf(t, documented), shapeOf(t, got.body), used)
		})
	}
	if t.Failed() {
		return
	}
	for pattern := range absent() {
		if !used[pattern] {
			t.Errorf("the exception %s is not needed", pattern)
		}
	}
}

func documentedExample(t *testing.T, name string) []byte {
	t.Helper()
	file := filepath.FromSlash(examples + "/" + name + ".response.json")
	if operation, variant, ok := strings.Cut(filepath.Base(name), "."); ok {
		file = filepath.FromSlash(examples + "/" + filepath.Dir(name) + "/" + operation + "." + variant + ".response.json")
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func compareShapes(t *testing.T, documented, got map[string]map[string]bool, used map[string]bool) {
	t.Helper()
	for _, path := range slices.Sorted(maps.Keys(documented)) {
		if got[path] == nil {
			exception := excused(path)
			if exception == "" {
				t.Errorf("%s is missing", path)
			}
			used[exception] = true
			continue
		}
		for kind := range got[path] {
			if kind != "null" && !documented[path]["null"] && !documented[path][kind] {
				t.Errorf("%s is %s, documented as %s", path, kind, fmt.Sprint(slices.Sorted(maps.Keys(documented[path]))))
			}
		}
	}
}
