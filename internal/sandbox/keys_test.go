package sandbox_test

import (
	"strings"
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

// m5 is a free desk phone that takes modules; deviceID finds one by MAC.
const m5 = "aabbccddee05"

func (r *rainbow) deviceID(mac string) string {
	r.t.Helper()
	return r.get(devices + "?macAddress=" + mac).ok().text("data.0.id")
}

func TestProgrammableKeys(t *testing.T) {
	r := start(t, sandbox.Options{})
	id := r.deviceID(m5)
	keys := devices + "/" + id + "/programmable-keys"
	alice, group := r.subscriberID("80001"), "5b7d0c0ffeeb00000000000e"
	r.get(keys).ok().want("data.deviceId", id, "data.deviceType.model", "M5", "data.modelInfo.programmableKeys", "28", "data.modelInfo.can_forward", "true",
		"data.modelInfo.supportedModules.1.nbOfSoftKeyPages", "10", "data.availableKeys", "28", "data.keys", "[]")

	r.post(keys, map[string]any{"keyNum": 4, "keyType": "speeddial", "displayName": "Alice Mob", "number": "+33699887002"}).ok().
		want("status", "SIP Device key 4 to external successfully created on device "+id, "data.keyOwner", "admin", "data.page", "1", "data.moduleId", "0",
			"data.number", "+33699887002")
	r.post(keys, map[string]any{"keyNum": 12, "keyType": "monitor", "phoneNumberId": alice}).ok().
		want("data.page", "2", "data.number", "80001", "data.displayName", "Alice Adam", "data.userId", r.userID(seeded(1)))
	r.post(keys, map[string]any{"keyNum": 5, "keyType": "speeddial", "phoneNumberId": group}).ok().
		want("data.number", "2990", "data.displayName", "Reception", "status", "SIP Device key 5 to internal successfully created on device "+id)
	r.post(keys, map[string]any{"keyNum": 6, "keyType": "forward", "number": "+33699887002"}).ok()
	r.post(keys, map[string]any{"keyNum": "7", "keyType": "headset", "number": "1", "phoneNumberId": "x"}).ok().want("data.number", "")
	r.post(keys, map[string]any{"keyNum": 8, "keyType": "audio_hub"}).ok()
	r.post(keys, map[string]any{"keyNum": 28, "keyType": "huntgroup", "groupId": receptionID}).ok().want("data.page", "4", "data.displayName", "Reception")
	list := r.get(keys).ok().want("data.availableKeys", "21", "data.keys.0.keyNum", "4", "data.keys.6.keyNum", "28")
	if _, isText := list.at("data.keys.3.keyNum").(string); !isText {
		t.Errorf("a keyNum that was sent as a string is answered as %T", list.at("data.keys.3.keyNum"))
	}

	r.put(subscribers+"/"+alice+"/sip-headers", map[string]any{}).ok()
	r.delete(keys+"/12").ok().want("status", "SIP Device key 12 successfully deleted on device "+id, "data.keyNum", "12", "data.number", "80001")
	if _, isText := r.delete(keys + "/7").ok().at("data.keyNum").(string); isText {
		t.Error("DeleteProgrammableKey answers keyNum as a string")
	}
	r.delete(keys+"/12").fails(404, 404000)
	r.delete(keys+"/x").fails(400, 400000)
	r.get(keys).ok().want("data.availableKeys", "23")
}

// receptionID is the seeded hunting group.
const receptionID = "5b7d0c0ffeeb00000000000b"

func TestKeyFaults(t *testing.T) {
	r := start(t, sandbox.Options{})
	phone, desk := devices+"/"+r.deviceID(m5)+"/programmable-keys", devices+"/"+r.deviceID("020000000002")
	r.post(phone, map[string]any{"keyNum": 1, "keyType": "headset"}).ok()
	for name, test := range map[string]struct {
		key          map[string]any
		status, code int
	}{
		"no number":                          {map[string]any{"keyType": "headset"}, 400, 400000},
		"no type":                            {map[string]any{"keyNum": 2}, 400, 400000},
		"an unknown type":                    {map[string]any{"keyNum": 2, "keyType": "reserved"}, 400, 400000},
		"number 0":                           {map[string]any{"keyNum": 0, "keyType": "headset"}, 400, 400000},
		"beyond the phone":                   {map[string]any{"keyNum": 29, "keyType": "headset"}, 400, 400000},
		"a number that is taken":             {map[string]any{"keyNum": 1, "keyType": "headset"}, 409, 409000},
		"no such module":                     {map[string]any{"keyNum": 2, "keyType": "headset", "moduleId": 1}, 404, 404000},
		"a speed dial to nothing":            {map[string]any{"keyNum": 2, "keyType": "speeddial", "displayName": "x"}, 400, 400000},
		"an external speed dial, no label":   {map[string]any{"keyNum": 2, "keyType": "speeddial", "number": "+33199000001"}, 400, 400000},
		"a speed dial to nobody":             {map[string]any{"keyNum": 2, "keyType": "speeddial", "phoneNumberId": receptionID}, 404, 404000},
		"a forward to nothing":               {map[string]any{"keyNum": 2, "keyType": "forward"}, 400, 400000},
		"a monitor of nobody":                {map[string]any{"keyNum": 2, "keyType": "monitor", "number": "80001"}, 400, 400000},
		"a monitor of a group":               {map[string]any{"keyNum": 2, "keyType": "monitor", "phoneNumberId": "5b7d0c0ffeeb00000000000e"}, 400, 400000},
		"a group key without a group":        {map[string]any{"keyNum": 2, "keyType": "huntgroup"}, 400, 400000},
		"a group key of what is not a group": {map[string]any{"keyNum": 2, "keyType": "huntgroup", "groupId": "5b7d0c0ffeeb00000000000c"}, 404, 404000},
	} {
		t.Run(name, func(t *testing.T) { r.post(phone, test.key).fails(test.status, test.code) })
	}
	r.get(phone).ok().want("data.availableKeys", "27")
	r.post(desk+"/programmable-keys", map[string]any{"keyNum": 1, "keyType": "forward", "number": "2990"}).fails(400, 400581).
		want("errorDetails", "Key type forward not supported by device "+r.deviceID("020000000002")+" (vendor: ALE/model: 8008) ")
	r.post(desk+"/programmable-keys", map[string]any{"keyNum": 7, "keyType": "monitor", "phoneNumberId": r.subscriberID("80003")}).fails(400, 400000)
	generic := r.get(devices + "?deviceTypeId=999999").ok().text("data.0.id")
	r.post(devices+"/"+generic+"/programmable-keys", map[string]any{"keyNum": 1, "keyType": "speeddial", "number": "1", "displayName": "x"}).fails(400, 400581)
}

func TestKeysOfModules(t *testing.T) {
	r := start(t, sandbox.Options{})
	phone := devices + "/" + r.deviceID(m5)
	keys := phone + "/programmable-keys"
	r.post(phone+"/modules", map[string]any{"moduleId": 1, "type": "EM_200"}).ok()
	r.post(keys, map[string]any{"keyNum": 21, "moduleId": 1, "keyType": "speeddial", "number": "+33199000001", "displayName": "One"}).ok().want("data.page", "2", "data.moduleId", "1")
	r.post(keys, map[string]any{"keyNum": 201, "moduleId": 1, "keyType": "headset"}).fails(400, 400000)
	r.post(keys, map[string]any{"keyNum": 21, "keyType": "headset"}).ok() // the same number on the phone
	r.get(keys).ok().want("data.availableKeys", "226", "data.keys.1.moduleId", "1")
	r.get(keys+"?moduleId=1").ok().want("data.availableKeys", "199", "data.keys.0.displayName", "One")
	r.get(keys+"?moduleId=0").ok().want("data.availableKeys", "27")
	r.get(keys+"?moduleId=2").fails(404, 404000)
	r.get(keys+"?moduleId=x").fails(400, 400000)
	r.delete(keys+"/21?moduleId=1").ok().want("data.moduleId", "1")
	r.put(keys+"?moduleId=1", map[string]any{"keys": []any{map[string]any{"keyNum": 3, "keyType": "audio_hub"}}}).ok()
	r.delete(phone + "/modules/1").ok()
	r.get(keys).ok().want("data.availableKeys", "27")
	r.post(phone+"/modules", map[string]any{"moduleId": 1, "type": "EM_20"}).ok()
	r.get(keys+"?moduleId=1").ok().want("data.keys", "[]", "data.availableKeys", "20")
}

func TestReplacingTheKeysOfAPhone(t *testing.T) {
	r := start(t, sandbox.Options{})
	phone := devices + "/" + r.deviceID("020000000001") + "/programmable-keys"
	before := r.get(phone).ok().want("data.keys.0.keyType", "reserved", "data.keys.0.keyOwner", "system", "data.keys.1.keyOwner", "service",
		"data.keys.1.number", "80002", "data.availableKeys", "5") // what the system reserves is not counted
	r.delete(phone+"/1").fails(409, 409000)
	r.delete(phone+"/2").fails(409, 409000)

	read := before.at("data.keys").([]any)
	external := map[string]any{"keyNum": 3, "keyType": "speedial", "keyOwner": "admin", "displayName": "A", "number": "+33199000001"}
	r.put(phone, map[string]any{"keys": append(read, external)}).ok().want("data.keys.2.keyType", "speeddial", "data.availableKeys", "4")
	r.put(phone, map[string]any{"keys": []any{map[string]any{"keyNum": 6, "keyType": "monitor", "phoneNumberId": r.subscriberID("80003")}}}).ok().
		want("data.keys.2.keyNum", "6", "data.keys.2.number", "80003")
	if n := r.get(phone).ok().size("data.keys"); n != 3 {
		t.Errorf("%d keys, want 3: those of system and service stay, the former one is replaced", n)
	}
	good := map[string]any{"keyNum": 4, "keyType": "speeddial", "displayName": "B", "number": "+33199000002"}
	for name, bad := range map[string]map[string]any{
		"an unsupported type":           {"keyNum": 5, "keyType": "headset"},
		"a number twice":                {"keyNum": 4, "keyType": "speeddial", "displayName": "B", "number": "1"},
		"a number of a service":         {"keyNum": 2, "keyType": "speeddial", "displayName": "B", "number": "1"},
		"another module":                {"keyNum": 5, "moduleId": 1, "keyType": "speeddial", "displayName": "B", "number": "1"},
		"an invented key of a service":  {"keyNum": 5, "keyType": "monitor", "keyOwner": "service"},
		"a number beyond":               {"keyNum": 7, "keyType": "speeddial", "displayName": "B", "number": "1"},
		"no label for an external dial": {"keyNum": 5, "keyType": "speeddial", "number": "1"},
	} {
		a := r.put(phone, map[string]any{"keys": []any{good, bad}})
		if a.status != 400 || (name == "no label for an external dial" && !strings.Contains(string(a.body), "keys[1].displayName")) {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	r.put(phone, map[string]any{"keys": []any{map[string]any{"keyNum": 1, "keyType": "forward", "number": "1"}}}).fails(400, 400581)
	r.put(phone, map[string]any{"keys": "all"}).fails(400, 400000)
	r.put(phone, map[string]any{"keys": []any{nil}}).fails(400, 400000)
	r.put(phone, map[string]any{}).fails(400, 400000)
	r.get(phone).ok().want("data.keys.2.keyNum", "6", "data.availableKeys", "4") // all or nothing
	r.put(phone, map[string]any{"keys": []any{}}).ok().want("data.availableKeys", "5")
}
