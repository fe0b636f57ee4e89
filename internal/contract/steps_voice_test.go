package contract_test

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/rainbow-gateway/rainbow-gateway/sandboxtest"
)

// voiceReads read what the Cloud PBX of the company has.
func voiceReads() []step {
	below := func(example, path string) step {
		return step{"rvcpprovisioning/" + example, reads, func(s *session) reply { return s.get(s.cloud() + path) }}
	}
	subscriber := func(s *session) string {
		pbx := s.cloud()
		numbers := admin + "/systems/" + s.fact("a Cloud PBX of the company") + "/phone-numbers"
		return pbx + "/subscribers/" + s.find("an extension", numbers+"?limit=1&isAssignedToUser=true", "data.0.id")
	}
	device := func(s *session) string {
		return s.cloud() + "/devices/" + s.find("a device in use", s.cloud()+"/devices?limit=1&assigned=true", "data.0.id")
	}
	ofSubscriber := func(example, path string) step {
		return step{"rvcpprovisioning/" + example, reads, func(s *session) reply { return s.get(subscriber(s) + path) }}
	}
	return []step{
		{"rvcpprovisioning/ListCloudPbxs", reads, func(s *session) reply { return s.get(voice + "/cloudpbxs?companyId=" + s.fact("company")) }},
		below("GetCloudPbx", ""),
		below("GetCloudPbxCliOptions", "/cli-options"),
		below("GetCloudPbxBarringOptions", "/barring-options"),
		{"rvcpprovisioning/GetCloudPbxDeviceModel", reads, func(s *session) reply {
			return s.get(s.cloud() + "/devicemodels/" + s.find("a device model", s.cloud()+"/devicemodels", "data.0.id"))
		}},
		below("ListCloudPbxDeviceModels", "/devicemodels"),
		below("GetCloudPbxEmergencyNumbers", "/emergency-numbers"),
		below("GetCloudPbxNumberingPlan", "/numbering-plan"),
		below("ListCloudPbxLanguages", "/languages"),
		below("ListFreePhoneNumbers", "/phone-numbers/free?limit=5"),
		below("ListDdis", "/phone-numbers/ddi"),
		ofSubscriber("GetSubscriber", ""),
		ofSubscriber("ListSubscriberDevices", "/devices"),
		{"rvcpprovisioning/GetSubscriberDevice", reads, func(s *session) reply {
			list := subscriber(s) + "/devices"
			return s.get(list + "/" + s.find("a device of the extension", list, "data.0.id"))
		}},
		ofSubscriber("ListSubscriberRegistrations", "/registrations"),
		ofSubscriber("GetSubscriberCliOptions", "/cli-options"),
		ofSubscriber("GetSubscriberPstnDeviceOptions", "/pstn-device-options"),
		ofSubscriber("GetSubscriberOverflow", "/overflow/status"),
		below("ListSipDevices", "/devices"),
		{"rvcpprovisioning/GetSipDevice", reads, func(s *session) reply { return s.get(device(s)) }},
		{"rvcpprovisioning/ListSipDeviceRegistrations", reads, func(s *session) reply { return s.get(device(s) + "/registrations") }},
		below("ListGreetings", "/greetings"),
		{"rvcpprovisioning/GetGreeting", reads, func(s *session) reply {
			return s.get(s.cloud() + "/greetings/" + s.find("a greeting", s.cloud()+"/greetings", "data.greetings.0.fileId"))
		}},
		below("ListRecordings", "/recordings"),
		{"rvcpprovisioning/GetRecording", reads, func(s *session) reply {
			return s.get(s.cloud() + "/recordings/" + s.find("a recording", s.cloud()+"/recordings?sortOrder=1&limit=1", "data.0.id"))
		}},
		below("ListWelcomes", "/ivrs/welcomes"),
		{"rvcpprovisioning/GetWelcome", reads, func(s *session) reply {
			return s.get(s.cloud() + "/ivrs/welcomes/" + s.find("a welcome", s.cloud()+"/ivrs/welcomes", "data.0.id"))
		}},
		below("ListWelcomeServices", "/ivrs/welcomeservices"),
	}
}

// extensionSteps give the suite's user an extension and change its options.
func extensionSteps() []step {
	extension := func(s *session) string { return s.cloud() + "/subscribers/" + s.fact("the suite's extension") }
	options := func(operation, path string, change members) step {
		return step{"rvcpprovisioning/" + operation, owns, func(s *session) reply {
			return s.put(extension(s)+path, s.documented("rvcpprovisioning/"+operation, change))
		}}
	}
	return []step{
		{"rvcpprovisioning/CreateSubscriber", owns, func(s *session) reply {
			number := s.find("a free number", s.cloud()+"/phone-numbers/free?limit=1", "data.0")
			body := s.documented("rvcpprovisioning/CreateSubscriber", members{
				"userId": s.fact("the suite's user"), "shortNumber": number, "login": number, "password": "contract9",
			})
			return s.keep("the suite's extension", s.post(s.cloud()+"/subscribers", body), "data.id")
		}},
		options("UpdateSubscriberPstnDeviceOptions", "/pstn-device-options", members{"numberE164": nil}), // of other policies
		options("UpdateSubscriberSipHeaders", "/sip-headers", nil),
		{"rvcpprovisioning/GetSubscriberSipHeaders", reads, func(s *session) reply {
			return s.get(s.cloud() + "/subscribers/" + s.either("the suite's extension", "an extension") + "/sip-headers")
		}},
		options("UpdateSubscriberBarringOptions", "/barring-options", members{"permissions": "local", "restrictions": nil}),
		options("UpdateSubscriberExternalCallForward", "/callforwardoptions/externalcallforward", nil),
		options("UpdateSubscriberOverflow", "/overflow", members{"value": "disabled", "unavailableOverflow": "default"}),
		{"rvcpprovisioning/UpdateSubscriberRecording", owns, func(s *session) reply {
			return s.put(s.cloud()+"/recordings/"+s.fact("the suite's extension"), s.documented("rvcpprovisioning/UpdateSubscriberRecording", nil))
		}},
	}
}

// phoneSteps make a phone of the suite's own, with a MAC address that no
// vendor has (locally administered), and give it to the suite's extension.
func phoneSteps() []step {
	device := func(s *session) string { return s.cloud() + "/devices/" + s.fact("the suite's phone") }
	devices := func(s *session) string {
		return s.cloud() + "/subscribers/" + s.fact("the suite's extension") + "/devices"
	}
	at := func(example, method, path string) step {
		return step{"rvcpprovisioning/" + example, owns, func(s *session) reply { return s.send(request{method: method, path: device(s) + path}) }}
	}
	return []step{
		{"rvcpprovisioning/CreateSipDevice", owns, func(s *session) reply {
			body := s.documented("rvcpprovisioning/CreateSipDevice", members{
				"description": s.label, "deviceTypeId": s.phoneModel(), "macAddress": freshMAC(), "ipei": nil, "password": nil, // of handsets and generic devices
			})
			return s.keep("the suite's phone", s.post(s.cloud()+"/devices", body), "data.id")
		}},
		{"rvcpprovisioning/UpdateSipDevice", owns, func(s *session) reply {
			return s.put(device(s), s.documented("rvcpprovisioning/UpdateSipDevice", members{"description": s.label, "macAddress": nil, "password": nil}))
		}},
		{"rvcpprovisioning/AssignDeviceToSubscriber", owns, func(s *session) reply {
			return s.post(devices(s), s.documented("rvcpprovisioning/AssignDeviceToSubscriber", members{"deviceId": s.fact("the suite's phone"), "macAddress": nil}))
		}},
		{"rvcpprovisioning/CreateDeviceModule", owns, func(s *session) reply {
			return s.post(device(s)+"/modules", s.documented("rvcpprovisioning/CreateDeviceModule", nil))
		}},
		{"rvcpprovisioning/CreateProgrammableKey", owns, func(s *session) reply {
			body := s.documented("rvcpprovisioning/CreateProgrammableKey", members{
				"keyNum": 4, "number": "+33199000001", "displayName": "Contract", "moduleId": nil, "groupId": nil, "phoneNumberId": nil, // of other types
			})
			return s.post(device(s)+"/programmable-keys", body)
		}},
		{"rvcpprovisioning/ListProgrammableKeys", owns, func(s *session) reply {
			s.post(device(s)+"/programmable-keys", map[string]any{"keyNum": 5, "keyType": "monitor", "phoneNumberId": s.fact("an extension")})
			return s.get(device(s) + "/programmable-keys")
		}},
		{"rvcpprovisioning/UpdateProgrammableKeys", owns, func(s *session) reply {
			body := s.documented("rvcpprovisioning/UpdateProgrammableKeys", nil)
			key := body["keys"].([]any)[0].(map[string]any)
			key["keyNum"], key["keyType"], key["number"] = 3, "speeddial", "+33199000002" // the sample's speedial is a slip
			delete(key, "phoneNumberId")                                                  // of monitor keys
			return s.put(device(s)+"/programmable-keys", body)
		}},
		at("DeleteProgrammableKey", "DELETE", "/programmable-keys/3"),
		at("ResetSipDevice", "POST", "/reset"),
		at("RebootSipDevice", "POST", "/reboot"),
		{"rvcpprovisioning/GrantSipDeviceDebugSession", owns, func(s *session) reply {
			return s.post(device(s)+"/debug", s.documented("rvcpprovisioning/GrantSipDeviceDebugSession", members{"duration": "1800"}))
		}},
		at("RevokeSipDeviceDebugSession", "DELETE", "/debug"),
		{"rvcpprovisioning/UnassignDeviceFromSubscriber", owns, func(s *session) reply {
			return s.delete(devices(s) + "/" + s.fact("the suite's phone"))
		}},
		at("DeleteSipDevice", "DELETE", ""),
	}
}

// phoneModel is the id of a desk phone with keys and modules.
func (s *session) phoneModel() int {
	models := s.get(s.cloud() + "/devicemodels")
	for i := range 200 {
		if models.text(fmt.Sprintf("data.%d.model", i)) != "M5" {
			continue
		}
		if id, err := strconv.Atoi(models.text(fmt.Sprintf("data.%d.id", i))); err == nil {
			return id
		}
	}
	panic(missing{"the phone model M5, which has keys and modules"})
}

func freshMAC() string {
	digits := make([]byte, 5)
	rand.Read(digits)
	return "02" + hex.EncodeToString(digits)
}

// companySteps change what the whole company shares. They are for the sandbox
// only, and end with the Cloud PBX itself.
func companySteps() []step {
	ddi := func(s *session, path string) string {
		return s.cloud() + "/phone-numbers/ddi/" + s.fact("a new DDI") + path
	}
	group := func(s *session) string { return s.cloud() + "/groups/5b7d0c0ffeeb00000000000b" }
	mailbox := func(s *session) string {
		return group(s) + "/voicemail-greetings/" + s.fact("a voicemail greeting")
	}
	change := func(operation, path string, change members) step {
		return step{"rvcpprovisioning/" + operation, company, func(s *session) reply {
			return s.put(s.cloud()+path, s.documented("rvcpprovisioning/"+operation, change))
		}}
	}
	upload := func(s *session, method, path string) reply {
		return s.send(request{method: method, path: path, body: silence(1), contentType: "audio/wav"})
	}
	root := func(example, path string) step {
		return step{"rvcpprovisioning/" + example, company, func(s *session) reply {
			return s.send(request{method: "GET", path: voice + path, as: "superadmin@rainbow.example"})
		}}
	}
	return []step{
		{"rvcpprovisioning/CreateDdi", company, func(s *session) reply {
			return s.keep("a new DDI", s.post(s.cloud()+"/phone-numbers/ddi", s.documented("rvcpprovisioning/CreateDdi", members{"number": "0298300777"})), "data.id")
		}},
		{"rvcpprovisioning/AssignDdiToUser", company, func(s *session) reply { return s.post(ddi(s, "/users/"+s.fact("the suite's user")), nil) }},
		{"rvcpprovisioning/SetDefaultDdi", company, func(s *session) reply {
			r := s.post(ddi(s, "/default"), nil)
			s.post(s.cloud()+"/phone-numbers/ddi/5b7d0c0ffee4000000000001/default", nil)
			return r
		}},
		{"rvcpprovisioning/UnassignDdiFromUser", company, func(s *session) reply { return s.delete(ddi(s, "/users/"+s.fact("the suite's user"))) }},
		{"rvcpprovisioning/DeleteDdi", company, func(s *session) reply { return s.delete(ddi(s, "")) }},
		change("UpdateCloudPbxCliOptions", "/cli-options", nil),
		change("UpdateCloudPbxOverflow", "/overflow", nil),
		change("UpdateCloudPbxCustomNumbersRestriction", "/barring-options/custom-numbers-restriction", members{
			"patterns": []any{map[string]any{"pattern": "^1", "description": "d"}}, // the placeholder is not a pattern
		}),
		{"rvcpprovisioning/GetCloudPbxCustomNumbersRestriction", company, func(s *session) reply {
			return s.get(s.cloud() + "/barring-options/custom-numbers-restriction")
		}},
		change("UpdateCloudPbxPeerAuthenticationOptions", "/peer-authentication-options", nil),
		{"rvcpprovisioning/GetCloudPbxPeerAuthenticationOptions", company, func(s *session) reply {
			return s.get(s.cloud() + "/peer-authentication-options")
		}},
		change("UpdateRecordingSettings", "/recording-settings", nil),
		change("UpdateCloudPbx", "", members{
			"barringOptions": nil, "callForwardOptions": nil, "numberingDigits": nil, "numberingDigitsLength": nil, "numberingPlan": nil,
			"numberingPrefix": nil, "numberingPrefixes": nil, "externalTrunkId": nil, "callForkingToPstnNumber": nil, "routeInternalCallsToPeer": nil, // placeholders, of the plan and of the trunk
			"outgoingPrefix": 0, "serviceCodesDialPlan": nil,
		}),
		{"rvcpprovisioning/GetGroupForwards", company, func(s *session) reply { return s.get(group(s) + "/forwards") }},
		{"rvcpprovisioning/UpdateGroupForward", company, func(s *session) reply {
			body := s.documented("rvcpprovisioning/UpdateGroupForward", members{
				"destinationType": "externalnumber", "number": "+33530097219", "rvcpAutoAttendantId": nil, "welcomeServiceId": nil, "immediateOverflowWhenEmpty": nil, "noReplyDelay": nil, // of other destinations and groups
			})
			return s.put(s.cloud()+"/groups/5b7d0c0ffeeb000000000015/forwards/overflow", body)
		}},
		{"rvcpprovisioning/CreateGroupVoicemailGreeting", company, func(s *session) reply {
			return s.keep("a voicemail greeting", upload(s, "POST", group(s)+"/voicemail-greetings"), "data.id")
		}},
		{"rvcpprovisioning/ListGroupVoicemailGreetings", company, func(s *session) reply { return s.get(group(s) + "/voicemail-greetings") }},
		{"rvcpprovisioning/UpdateGroupVoicemailGreeting", company, func(s *session) reply { return upload(s, "PUT", mailbox(s)) }},
		{"rvcpprovisioning/DeleteGroupVoicemailGreeting", company, func(s *session) reply { return s.delete(mailbox(s)) }},
		{"rvcpprovisioning/DeleteAllGreetings", company, func(s *session) reply { return s.delete(s.cloud() + "/greetings") }},
		{"rvcpprovisioning/DeleteRecordings", company, func(s *session) reply {
			return s.delete(s.cloud() + "/recordings?recordIds=" + s.get(s.cloud()+"/recordings").text("data.0.id"))
		}},
		{"rvcpprovisioning/DeleteRecording", company, func(s *session) reply {
			return s.delete(s.cloud() + "/recordings/" + s.get(s.cloud()+"/recordings").text("data.0.id"))
		}},
		root("ListAllRecordings", "/recordings?companyIds="+sandboxtest.CompanyID),
		root("ListExternalTrunks", "/external-trunks"),
		root("ListExternalTrunks", "/external-trunks?trunkType=hybrid_trunk"),
		root("GetExternalTrunk", "/external-trunks/5b7d0c0ffeeb000000000037"),
		{"rvcpprovisioning/DeleteCloudPbx", company, func(s *session) reply {
			spare := s.send(request{method: "GET", path: voice + "/cloudpbxs", as: "admin@vineyard.example"}).text("data.0.id")
			return s.send(request{method: "DELETE", path: voice + "/cloudpbxs/" + spare + "?forceDelete=true", as: "admin@vineyard.example"})
		}},
		{"rvcpprovisioning/CreateCloudPbx", company, func(s *session) reply {
			body := s.documented("rvcpprovisioning/CreateCloudPbx", members{
				"companyId": sandboxtest.VineyardCompanyID, "country": "FRA", "numberingDigits": 3, "outgoingPrefix": 0,
				"numberingPlan":   []any{map[string]any{"prefix": "2", "description": "d"}},
				"externalTrunkId": s.send(request{method: "GET", path: voice + "/external-trunks", as: "superadmin@rainbow.example"}).text("data.0.id"),
				"bpId":            nil, "siteId": nil, "numberingPrefix": nil, "numberingPrefixes": nil, // placeholders
				"callForkingToPstnNumber": nil, "optimizedDialing": nil, "routeInternalCallsToPeer": nil, "serviceCodesDialPlan": nil, // of a trunk
			})
			return s.send(request{method: "POST", path: voice + "/cloudpbxs", body: body, as: "superadmin@rainbow.example"})
		}},
	}
}
