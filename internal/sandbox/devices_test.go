package sandbox_test

import (
	"testing"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

const devices = cloud + "/devices"

func TestDeviceLists(t *testing.T) {
	r := start(t, sandbox.Options{})
	r.get(devices).ok().want("total", "53", "data.0.macAddress", "", "data.0.deviceType.id", "999999", "data.1.macAddress", "020000000001",
		"data.1.shortNumber", "80001", "data.1.userLoginEmail", seeded(1))
	free := r.get(devices+"?assigned=false&limit=2").ok().want("total", "33")
	for _, member := range []string{"phoneNumberId", "shortNumber", "userId", "userDisplayName", "userLoginEmail", "bannedDevice"} {
		if _, there := free.at("data.1").(map[string]any)[member]; there {
			t.Errorf("a free device shows %s", member)
		}
	}
	for query, total := range map[string]string{
		"category=dectmobile": "1", "category=deskphone,uncategorized,dectmobile": "54", "category=deskphone": "52", "assigned=true": "20",
		"banned=true": "0", "banned=false": "53", "macAddress=02:00:00:00:00:03": "1", "macAddress=03807e7898&category=dectmobile": "1",
		"description=spare": "32", "userId=" + r.userID(seeded(4)): "1", "shortNumber=80005": "1", "deviceTypeId=12": "20",
		"phoneNumberId=" + r.subscriberID("80001") + "%20" + r.subscriberID("80002"): "2", "userDisplayName=ADAM": "1",
	} {
		r.get(devices+"?"+query).ok().want("total", total)
	}
	r.get(devices+"?description=ab").fails(400, 400000)
	r.get(devices+"?userDisplayName=a").fails(400, 400000)
	r.get(devices+"?sortField=description&limit=1").ok().want("data.0.description", "Desk phone of Alice Adam")
	r.get(devices+"?sortOrder=-1&limit=1").ok().want("data.0.macAddress", "aabbccddee1f")
	if r.get(devices+"?limit=1").ok().text("data.0.password") != "" {
		t.Error("a list shows a SIP password unasked")
	}
	if r.get(devices+"?limit=1&sipGenericPasswordRequested=true").ok().text("data.0.password") == "" {
		t.Error("a list does not show the SIP password of a generic device")
	}
}

func TestDeviceLifecycle(t *testing.T) {
	r := start(t, sandbox.Options{})
	a := r.post(devices, map[string]any{"description": "New phone", "deviceTypeId": "23", "macAddress": "AA:BB:CC:00:00:01"}).ok()
	a.want("data.macAddress", "aabbcc000001", "data.deviceType.model", "M5", "data.mediaTransportProtocol", "rtp_savp", "data.currentDevice", "false",
		"data.password", "")
	one := devices + "/" + a.text("data.id")
	r.put(one, map[string]any{"description": "Renamed", "macAddress": "aabbcc000002", "transferMode": "new_call", "deskphoneFailoverMode": "disabled",
		"mediaTransportProtocol": "rtp_avp"}).ok().want("data.description", "Renamed", "data.macAddress", "aabbcc000002", "data.mediaTransportProtocol", "rtp_avp")
	r.put(one, map[string]any{"macAddress": "aabbccddee00"}).fails(409, 409000)
	r.put(one, map[string]any{"transferMode": "never"}).fails(400, 400000)
	r.get(devices+"?macAddress=aabbcc000001").ok().want("total", "0")
	r.post(one+"/reboot", map[string]any{}).ok().want("status", "Rebooting device "+a.text("data.id"), "data", "[]")
	r.post(one+"/reset", map[string]any{}).ok().want("status", "Resetting device "+a.text("data.id"))
	r.get(one+"/registrations").ok().want("data", "[]")
	r.post(subscribers+"/"+r.subscriberID("80001")+"/devices", map[string]any{"deviceId": a.text("data.id")}).ok()
	r.delete(one).fails(409, 409000) // assigned
	r.delete(subscribers + "/" + r.subscriberID("80001") + "/devices/" + a.text("data.id")).ok()
	r.delete(one).ok().want("status", "SIP device "+a.text("data.id")+" successfully deleted")
	r.get(one).fails(404, 404000)
}

func TestDeviceRules(t *testing.T) {
	r := start(t, sandbox.Options{})
	for _, test := range []struct {
		name         string
		body         map[string]any
		status, code int
	}{
		{"nothing given", map[string]any{}, 400, 400000},
		{"unknown model", map[string]any{"description": "x", "deviceTypeId": 4}, 400, 400000},
		{"desk phone without MAC address", map[string]any{"description": "x", "deviceTypeId": 12}, 400, 400000},
		{"MAC address with 11 digits", map[string]any{"description": "x", "deviceTypeId": 12, "macAddress": "aabbccddeef"}, 400, 400000},
		{"DECT handset without IPEI", map[string]any{"description": "x", "deviceTypeId": 999998}, 400, 400000},
		{"desk phone with IPEI", map[string]any{"description": "x", "deviceTypeId": 12, "macAddress": "aabbcc000009", "ipei": "03807e7899"}, 400, 400000},
		{"generic SIP with a bad password", map[string]any{"description": "x", "deviceTypeId": 999999, "password": "NO"}, 400, 400000},
		{"MAC address of a phone", map[string]any{"description": "x", "deviceTypeId": 12, "macAddress": "AABBCCDDEE00"}, 409, 409000},
		{"MAC address of another company", map[string]any{"description": "x", "deviceTypeId": 12, "macAddress": "0200ff000001"}, 409, 409000},
		{"IPEI of a handset", map[string]any{"description": "x", "deviceTypeId": 999998, "ipei": "03:80:7E:78:98"}, 409, 409000},
	} {
		t.Run(test.name, func(t *testing.T) { r.post(devices, test.body).fails(test.status, test.code) })
	}
	r.post(devices, map[string]any{"description": "Intercom", "deviceTypeId": 999999, "password": "abcd1234"}).ok().want("data.password", "abcd1234")
	r.post(devices, map[string]any{"description": "Handset", "deviceTypeId": 999998, "ipei": "0380 7e7899"}).ok().want("data.ipei", "03807e7899")
}

func TestDeviceModules(t *testing.T) {
	r := start(t, sandbox.Options{})
	m5 := devices + "/" + r.get(devices+"?macAddress=aabbccddee00").ok().text("data.0.id")
	small := devices + "/" + r.get(devices+"?macAddress=020000000001").ok().text("data.0.id")
	r.post(m5+"/modules", map[string]any{"moduleId": 2, "type": "EM_200", "name": "left"}).ok().want("data.modules.0.name", "left")
	r.post(m5+"/modules", map[string]any{"moduleId": 1, "type": "EM_20"}).ok().want("data.modules.0.moduleId", "1")
	r.post(m5+"/modules", map[string]any{"moduleId": 2, "type": "EM_20"}).fails(409, 409000)
	r.post(m5+"/modules", map[string]any{"moduleId": 4, "type": "EM_20"}).fails(400, 400000)
	r.post(m5+"/modules", map[string]any{"moduleId": 3, "type": "EM_7"}).fails(400, 400000)
	r.post(small+"/modules", map[string]any{"moduleId": 1, "type": "EM_20"}).fails(400, 400000)
	r.delete(m5 + "/modules/2").ok()
	r.delete(m5+"/modules/2").fails(404, 404000)
	r.get(m5).ok().want("data.modules.0.type", "EM_20")
}

func TestDebugSessions(t *testing.T) {
	clk := newClock()
	r := start(t, sandbox.Options{Clock: clk.time, TokenLifetime: 10 * time.Hour})
	one := devices + "/" + r.get(devices+"?macAddress=020000000001").ok().text("data.0.id")
	r.post(one+"/debug", map[string]any{"duration": "60"}).fails(403, 403000)
	r.post(one+"/debug", map[string]any{"duration": "1800"}).ok()
	first := r.get(one).ok().text("data.adminPassword")
	r.delete(one + "/debug").ok()
	r.get(one).ok().want("data.adminPassword", "", "data.adminUrl", "")
	r.post(one+"/debug", map[string]any{}).ok()
	if second := r.get(one).ok().text("data.adminPassword"); first == "" || second == "" || first == second {
		t.Errorf("admin passwords %q and %q", first, second)
	}
	clk.move(31 * time.Minute)
	r.get(one).ok().want("data.adminPassword", "")
}
