package sandbox_test

import (
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

const subscribers = cloud + "/subscribers"

// subscriberID answers the phone number id of a short number.
func (r *rainbow) subscriberID(shortNumber string) string {
	r.t.Helper()
	return r.get(admin + "/systems/" + sandbox.CloudPbxID + "/phone-numbers?shortNumber=" + shortNumber).ok().text("data.0.id")
}

func TestSubscriberLifecycle(t *testing.T) {
	r := start(t, sandbox.Options{})
	user := r.userID(sandbox.AdminLogin)
	a := r.post(subscribers, map[string]any{"userId": user, "shortNumber": "81011", "password": "abc123*#"}).ok()
	a.want("data.userId", user, "data.shortNumber", "81011", "data.pbxUserId", "81011", "data.password", "abc123*#", "data.status", "activated")
	one := subscribers + "/" + a.text("data.id")
	r.get(one).ok().want("data.overflowToVoicemail.value", "default", "data.overflowToVoicemail.noReplyDelay", "20", "data.cliOptions.policy", "company_policy")
	r.get(admin+"/users/"+user).ok().want("data.phoneNumbers.0.shortNumber", "81011", "data.phoneNumbers.0.phoneNumberId", a.text("data.id"))
	r.post(subscribers, map[string]any{"userId": user, "shortNumber": "81012"}).fails(409, 409000) // he has one

	spare := r.get(cloud + "/devices?macAddress=aabbccddee02").ok().text("data.0.id")
	r.post(one+"/devices", map[string]any{"deviceId": spare}).ok()
	r.post(ddis+"/"+r.ddiID("33298300513")+"/users/"+user, nil).ok()
	r.delete(one).ok().want("status", "Cloud PBX Subscriber "+a.text("data.id")+" successfully deleted", "data", "[]")
	r.delete(one).fails(404, 404000)
	r.get(cloud+"/devices?macAddress=aabbccddee02&assigned=false").ok().want("total", "1", "data.0.userId", "")
	r.get(ddis+"?numberE164StartWith=%2B33298300513").ok().want("data.0.userId", "")
	r.get(admin+"/users/"+user).ok().want("data.phoneNumbers", "[]")
}

func TestSubscriberRules(t *testing.T) {
	r := start(t, sandbox.Options{})
	user := r.userID(sandbox.AdminLogin)
	for _, test := range []struct {
		name         string
		body         map[string]any
		status, code int
	}{
		{"nothing given", map[string]any{}, 400, 400000},
		{"outside the plan", map[string]any{"userId": user, "shortNumber": "71011"}, 400, 400000},
		{"too short for its prefix", map[string]any{"userId": user, "shortNumber": "8101"}, 400, 400000},
		{"not digits", map[string]any{"userId": user, "shortNumber": "8101x"}, 400, 400000},
		{"password of other characters", map[string]any{"userId": user, "shortNumber": "81011", "password": "Capital-1"}, 400, 400000},
		{"a user id that is none", map[string]any{"userId": "7", "shortNumber": "81011"}, 400, 400000},
		{"an unknown user", map[string]any{"userId": "5b7d0c0ffee1ffffffffffff", "shortNumber": "81011"}, 404, 404000},
		{"a subscriber's number", map[string]any{"userId": user, "shortNumber": "80001"}, 409, 409550},
		{"a group's number", map[string]any{"userId": user, "shortNumber": "2990"}, 409, 409550},
		{"a device's number", map[string]any{"userId": user, "shortNumber": "2991"}, 409, 409550},
	} {
		t.Run(test.name, func(t *testing.T) { r.post(subscribers, test.body).fails(test.status, test.code) })
	}
}

func TestSubscriberDevices(t *testing.T) {
	r := start(t, sandbox.Options{})
	one, other := subscribers+"/"+r.subscriberID("80001"), subscribers+"/"+r.subscriberID("80002")
	a := r.get(one+"/devices").ok().want("total", "1", "data.0.macAddress", "020000000001", "data.0.currentDevice", "true")
	phone := a.text("data.0.id")
	r.get(one+"/devices/"+phone).ok().want("data.userId", r.userID(seeded(1)))
	r.get(other+"/devices/"+phone).fails(404, 404000)
	r.post(other+"/devices", map[string]any{"deviceId": phone}).fails(409, 409000)
	r.post(one+"/devices", map[string]any{"deviceId": phone}).ok() // again: no change
	r.post(one+"/devices", map[string]any{"macAddress": "AA-BB-CC-DD-EE-07"}).ok().want("data.macAddress", "aabbccddee07", "data.currentDevice", "false")
	r.get(one+"/devices").ok().want("total", "2")
	r.post(one+"/devices", map[string]any{}).fails(400, 400000)
	r.post(one+"/devices", map[string]any{"macAddress": "zz"}).fails(400, 400000)
	r.post(one+"/devices", map[string]any{"macAddress": "aabbccddeeaa"}).fails(404, 404000)
	r.post(one+"/devices", map[string]any{"macAddress": "0200ff000001"}).fails(404, 404000) // the neighbour's
	r.delete(other+"/devices/"+phone).fails(404, 404000)
	r.delete(one+"/devices/"+phone).ok().want("status", "SIP device association for "+phone+" successfully deleted", "data", "[]")
	r.delete(one+"/devices/"+phone).fails(404, 404000)
	r.post(other+"/devices", map[string]any{"deviceId": phone}).ok()
	r.get(other+"/registrations").ok().want("data.0.user_agent", "ALE-8008/1.0.0")
}

func TestSubscriberOptions(t *testing.T) {
	r := start(t, sandbox.Options{})
	one := subscribers + "/" + r.subscriberID("80001")
	r.get(one+"/cli-options").ok().want("data.policy", "company_policy", "data.companyPolicy", "user_ddi_number", "data.numberE164", "+33298300521",
		"data.userCanManageItsCli", "company_policy")

	r.get(one+"/pstn-device-options").ok().want("data.policy", "company_policy", "data.numberE164", "")
	r.put(one+"/pstn-device-options", map[string]any{"policy": "custom_ddi_number"}).fails(400, 400000)
	r.put(one+"/pstn-device-options", map[string]any{"policy": "custom_ddi_number", "numberE164": "+33199000920"}).ok().want("data.numberE164", "+33199000920")
	r.put(one+"/pstn-device-options", map[string]any{"policy": "none", "numberE164": "+33199000920"}).ok().want("data.numberE164", "")
	r.put(one+"/pstn-device-options", map[string]any{}).fails(400, 400000)

	r.put(one+"/sip-headers", map[string]any{"customSipHeader_2": "two"}).ok()
	a := r.get(one+"/sip-headers").ok().want("data.customSipHeader_2", "two")
	if _, there := a.at("data").(map[string]any)["customSipHeader_1"]; there {
		t.Error("a header without a value is answered")
	}

	r.put(one+"/barring-options", map[string]any{"permissions": "local"}).ok().want("data.permissions", "local", "data.restrictions", "default")
	r.put(one+"/barring-options", map[string]any{"restrictions": "all"}).fails(400, 400000)
	r.put(one+"/callforwardoptions/externalcallforward", map[string]any{"externalCallForward": "authorized"}).ok().want("data.externalCallForward", "authorized")
	r.put(one+"/callforwardoptions/externalcallforward", map[string]any{"externalCallForward": "maybe"}).fails(400, 400000)

	r.get(one+"/overflow/status").ok().want("data.value", "default", "data.activate", "true", "data.unavailableOverflow", "")
	r.put(cloud+"/overflow", map[string]any{"activate": false}).ok()
	r.get(one+"/overflow/status").ok().want("data.activate", "false") // follows the company
	r.put(one+"/overflow", map[string]any{"value": "custom", "unavailableOverflow": "default", "noReplyDelay": 30}).ok().
		want("data.value", "custom", "data.activate", "true", "data.unavailableOverflow", "default")
	r.get(one).ok().want("data.overflowToVoicemail.value", "custom", "data.overflowToVoicemail.noReplyDelay", "30")
	r.put(one+"/overflow", map[string]any{"value": "custom"}).fails(400, 400000)
	r.put(one+"/overflow", map[string]any{"value": "custom", "unavailableOverflow": "default", "noReplyDelay": 5}).fails(400, 400000)
}
