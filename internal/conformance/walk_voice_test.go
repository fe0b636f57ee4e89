package conformance_test

import "github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"

// pbx gives the path's variables of an operation of the Cloud PBX.
func pbx(values ...string) arg { return at(append([]string{sandbox.CloudPbxID}, values...)...) }

func walkCloudPBX(w *walk) {
	w.do("ListCloudPbxs")
	w.do("GetCloudPbx", pbx())
	w.do("UpdateCloudPbx", pbx(), body(object{"name": "Walked"}))
	w.do("GetCloudPbxCliOptions", pbx())
	w.do("UpdateCloudPbxCliOptions", pbx(), body(object{}))
	w.do("UpdateCloudPbxOverflow", pbx(), body(object{}))
	w.do("GetCloudPbxBarringOptions", pbx())
	w.do("UpdateCloudPbxCustomNumbersRestriction", pbx(), body(object{"patterns": []any{object{"pattern": "^1", "description": "d"}}}))
	w.do("GetCloudPbxCustomNumbersRestriction", pbx())
	w.do("ListCloudPbxDeviceModels", pbx())
	w.do("GetCloudPbxDeviceModel", pbx("999999"))
	w.do("GetCloudPbxEmergencyNumbers", pbx())
	w.do("GetCloudPbxNumberingPlan", pbx())
	w.do("ListCloudPbxLanguages", pbx())
	w.do("UpdateCloudPbxPeerAuthenticationOptions", pbx(), body(object{"username": "u", "password": "p"}))
	w.do("GetCloudPbxPeerAuthenticationOptions", pbx())
	w.do("ListFreePhoneNumbers", pbx(), query("limit=3"))
	root := w.as("superadmin@rainbow.example")
	trunk := root.do("ListExternalTrunks", query("trunkType=hybrid_trunk")).text("data.0.id")
	root.do("GetExternalTrunk", at(trunk))

	ddi, user := w.do("CreateDdi", pbx(), body(object{"number": "0298300777"})).text("data.id"), w.user(seeded(1))
	w.do("ListDdis", pbx(), query("limit=2&numberE164StartWith=%2B332983007"))
	w.do("AssignDdiToUser", pbx(ddi, user))
	w.do("UnassignDdiFromUser", pbx(ddi, user))
	was := w.do("ListDdis", pbx(), query("limit=1")).text("data.0.id")
	w.do("SetDefaultDdi", pbx(ddi))
	w.do("SetDefaultDdi", pbx(was))
	w.do("DeleteDdi", pbx(ddi))
}

// subscriber is the id of an extension of the Cloud PBX.
func (w *walk) subscriber(number string) string {
	w.t.Helper()
	return w.do("ListSystemPhoneNumbers", at(sandbox.CloudPbxID), query("shortNumber="+number)).text("data.0.id")
}

func (w *walk) device(filter string) string {
	w.t.Helper()
	return w.do("ListSipDevices", pbx(), query(filter)).text("data.0.id")
}

func walkSubscribers(w *walk) {
	phone, user := w.device("macAddress=020000000001"), w.user(seeded(1))
	w.do("DeleteSubscriber", pbx(w.subscriber("80001")))
	id := w.do("CreateSubscriber", pbx(), body(object{"userId": user, "shortNumber": "80001"})).text("data.id")
	w.do("GetSubscriber", pbx(id))
	w.do("AssignDeviceToSubscriber", pbx(id), body(object{"deviceId": phone}))
	w.do("ListSubscriberDevices", pbx(id))
	w.do("GetSubscriberDevice", pbx(id, phone))
	w.do("ListSubscriberRegistrations", pbx(id))
	w.do("ListSipDeviceRegistrations", pbx(phone))
	w.do("UnassignDeviceFromSubscriber", pbx(id, phone))
	w.do("GetSubscriberCliOptions", pbx(id))
	w.do("UpdateSubscriberPstnDeviceOptions", pbx(id), body(object{"policy": "custom_ddi_number", "numberE164": "+33199000933"}))
	w.do("GetSubscriberPstnDeviceOptions", pbx(id))
	w.do("UpdateSubscriberSipHeaders", pbx(id), body(object{"customSipHeader_1": "1", "customSipHeader_2": "2"}))
	w.do("GetSubscriberSipHeaders", pbx(id))
	w.do("UpdateSubscriberBarringOptions", pbx(id), body(object{"permissions": "local"}))
	w.do("UpdateSubscriberExternalCallForward", pbx(id), body(object{"externalCallForward": "authorized"}))
	w.do("UpdateSubscriberOverflow", pbx(id), body(object{"value": "disabled", "unavailableOverflow": "default"}))
	w.do("GetSubscriberOverflow", pbx(id))
}

func walkDevices(w *walk) {
	made := w.do("CreateSipDevice", pbx(), body(object{"description": "d", "deviceTypeId": 999998, "ipei": "0380700000"})).text("data.id")
	w.do("GetSipDevice", pbx(made))
	w.do("UpdateSipDevice", pbx(made), body(object{"description": "e"}))
	w.do("DeleteSipDevice", pbx(made))
	m5 := w.device("macAddress=aabbccddee05")
	w.do("CreateDeviceModule", pbx(m5), body(object{"moduleId": 1, "type": "EM_20"}))
	w.do("DeleteDeviceModule", pbx(m5, "1"))
	w.do("ResetSipDevice", pbx(m5))
	w.do("RebootSipDevice", pbx(m5))
	root := w.as("superadmin@rainbow.example")
	root.do("GrantSipDeviceDebugSession", pbx(m5), body(object{"duration": 60}))
	root.do("RevokeSipDeviceDebugSession", pbx(m5))
	w.do("CreateProgrammableKey", pbx(m5), body(object{"keyNum": 4, "keyType": "speeddial", "displayName": "Alice Mob", "number": "+33699887002"}))
	w.do("ListProgrammableKeys", pbx(m5))
	w.do("DeleteProgrammableKey", pbx(m5, "4"))
	w.do("UpdateProgrammableKeys", pbx(m5), body(object{"keys": []any{object{"keyNum": 6, "keyType": "monitor", "phoneNumberId": w.subscriber("80003")}}}))
}

// Seeded documents that no operation lists.
const (
	receptionID = "5b7d0c0ffeeb00000000000b" // a hunting group
	queueID     = "5b7d0c0ffeeb000000000015" // a call queue
	serviceID   = "5b7d0c0ffeeb00000000000d" // a welcome service
	welcomeID   = "5b7d0c0ffeeb00000000000f"
	calendarID  = "5b7d0c0ffeeb000000000013"
)

func walkGroups(w *walk) {
	w.do("GetGroupForwards", pbx(receptionID))
	w.do("UpdateGroupForward", pbx(queueID, "overflow"), body(object{"activate": true, "enable": true, "destinationType": "externalnumber", "number": "+33530097219"}))
	box := w.do("CreateGroupVoicemailGreeting", pbx(receptionID), audio()).text("data.id")
	w.do("ListGroupVoicemailGreetings", pbx(receptionID))
	w.do("GetGroupVoicemailGreeting", pbx(receptionID, box)).isFile("audio/", string(wav(1)))
	w.do("UpdateGroupVoicemailGreeting", pbx(receptionID, box), audio())
	w.do("DeleteGroupVoicemailGreeting", pbx(receptionID, box))
}

func walkGreetings(w *walk) {
	scope := query("ivrId=" + serviceID)
	id := w.do("UploadGreeting", pbx("afterhours"), scope, audio()).text("data.fileId")
	w.do("ListGreetings", pbx(), scope)
	if got := w.do("GetGreeting", pbx(id), header("Accept", "application/json")).text("data.fileId"); got != id {
		w.t.Errorf("descriptor of %s, want %s", got, id)
	}
	w.do("GetGreeting", pbx(id), header("Accept", "audio/wav")).isFile("audio/", string(wav(1)))
	w.do("UpdateGreetingSettings", pbx(id), body(object{"loopPlay": true}))
	w.do("ActivateGreeting", pbx(id))
	w.do("RestoreGreeting", pbx("afterhours"), scope)
	w.do("DeleteGreeting", pbx(id))
	w.do("DeleteAllGreetings", pbx())
}

func walkRecordings(w *walk) {
	list := w.do("ListRecordings", pbx(), query("limit=100"))
	one := list.text("data.8.id")
	if got := w.do("GetRecording", pbx(one), header("Accept", "application/json")).text("data.id"); got != one {
		w.t.Errorf("descriptor of %s, want %s", got, one)
	}
	w.do("GetRecording", pbx(one), header("Accept", "audio/x-wav")).isFile("audio/", "RIFF")
	w.do("DeleteRecording", pbx(list.text("data.0.id")))
	w.do("DeleteRecordings", pbx(), query("recordIds="+list.text("data.1.id")+","+list.text("data.2.id")))
	w.do("UpdateRecordingSettings", pbx(), body(object{"announcementProfile": "all"}))
	w.do("UpdateSubscriberRecording", pbx(w.subscriber("80003")), body(object{"recordingProfile": "all"}))
	w.as("superadmin@rainbow.example").do("ListAllRecordings", query("companyIds="+sandbox.CompanyID))
}

func walkWelcomes(w *walk) {
	w.do("ListWelcomes", pbx())
	w.do("CreateWelcome", pbx(), body(object{"name": "w"}))
	w.do("GetWelcome", pbx(welcomeID))
	w.do("UpdateWelcomeOfficeHours", pbx(welcomeID), body(object{"officehours": object{"exceptions": []any{
		object{"year": 2021, "month": 3, "mday": 9, "periods": []any{[]any{"00:00", "23:59"}}, "open": false},
	}}}))
	w.do("GetWelcomeOfficeHours", pbx(welcomeID)).text("data.officehours.exceptions.0.periods.0.1")
	w.do("ListWelcomeServices", pbx())
	ddi := w.do("ListDdis", pbx(), query("numberE164StartWith=%2B33298300514")).text("data.0.id")
	id := w.do("CreateWelcomeService", pbx(), body(object{"name": "s", "externalNumberId": ddi, "welcomeId": welcomeID, "companyCalendarId": calendarID,
		"openHoursOverflow": object{"type": "user", "destinationId": w.user(seeded(3))}})).text("data.id")
	w.do("UpdateIvr", pbx(id), body(object{"closedHoursOverflow": object{"type": "user", "destinationId": w.user(seeded(3))}}))
	w.do("DeleteIvr", pbx(id))
}
