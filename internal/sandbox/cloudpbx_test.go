package sandbox_test

import (
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

func TestACompanyHasOneCloudPbx(t *testing.T) {
	r := start(t, sandbox.Options{})
	create := map[string]any{
		"companyId": sandbox.CompanyID, "numberingDigits": 4, "numberingPrefixes": []string{"7"}, "language": "fr", "noReplyDelay": 30,
	}
	r.post(voice+"/cloudpbxs", create).fails(409, 409000)
	r.delete(cloud).fails(409, 409000) // objects are attached
	r.delete(cloud+"?forceDelete=true").ok().want("status", "Cloud PBX with Id="+sandbox.CloudPbxID+" successfully deleted", "data", "[]")
	r.get(voice+"/cloudpbxs").ok().want("total", "0")
	r.get(cloud).fails(404, 404000)
	r.get(admin+"/users?phoneNumbers=80001").ok().want("total", "0")
	a := r.post(voice+"/cloudpbxs", create).ok()
	a.want("data.name", "cloud_pbx_Sandbox Company", "data.country", "FRA", "data.cloudpbx.numberingPrefix", "7",
		"data.cloudpbx.overflowSubscribersToVoicemail.noReplyDelay", "30", "data.cloudpbx.numberingDigitsLength", "fixed")
	made := voice + "/cloudpbxs/" + a.text("data.id")
	r.get(made+"/numbering-plan").ok().want("data.ranges.0.first", "7000", "data.ranges.0.last", "7999")
	first := r.post(made+"/phone-numbers/ddi", map[string]string{"number": "0199000910"}).ok().want("data.isCloudPbxDefault", "true")
	r.get(made).ok().want("data.cloudpbx.installationNumber", "+33199000910", "data.cloudpbx.installationNumberId", first.text("data.id"))
	r.delete(made + "/phone-numbers/ddi/" + first.text("data.id")).ok()
	r.delete(made).ok() // nothing attached
}

func TestNumberingRules(t *testing.T) {
	r := start(t, sandbox.Options{})
	for name, body := range map[string]map[string]any{
		"prefixes need digits":             {"numberingPrefixes": []string{"7"}},
		"fixed needs digits per Cloud PBX": {"numberingDigitsLength": "fixed", "numberingDigits": 0},
		"digits of an entry need variable": {"numberingDigitsLength": "fixed", "numberingDigits": 4, "numberingPlan": []any{map[string]any{"prefix": "7", "digits": 3}}},
		"a prefix is digits":               {"numberingPlan": []any{map[string]any{"prefix": "x", "digits": 3}}},
		"a number holds its prefix":        {"numberingPlan": []any{map[string]any{"prefix": "777", "digits": 2}}},
		"language is a known code":         {"language": "tlh"},
		"short codes have 2 to 6 digits":   {"shortCodeDigits": 9},
	} {
		t.Run(name, func(t *testing.T) {
			r.put(cloud, body).fails(400, 400000)
		})
	}
	r.put(cloud, map[string]any{"externalTrunkId": "x"}).fails(403, 403000)
	r.put(cloud, map[string]any{"numberingPlan": []any{
		map[string]any{"prefix": "8", "digits": 5}, map[string]any{"prefix": "41", "digits": 4, "description": "Shops"},
	}}).ok().want("data.cloudpbx.numberingPrefixes", "[8 41]")
	r.get(cloud+"/numbering-plan").ok().want("data.ranges.1.first", "4100", "data.ranges.1.last", "4199")
	r.put(cloud, map[string]any{"numberingPrefix": 6, "numberingDigits": 3, "numberingDigitsLength": "fixed"}).ok()
	r.get(cloud+"/numbering-plan").ok().want("data.ranges.0.first", "600", "data.ranges.0.last", "699")
	r.put(cloud, map[string]any{"name": "Voice", "barringOptions": map[string]any{"permissions": "local"}, "telephonyLinePolicy": "mono_line"}).ok().
		want("data.name", "Voice", "data.cloudpbx.barringOptions.permissions", "local", "data.cloudpbx.barringOptions.restrictions", "no_restriction",
			"data.cloudpbx.telephonyLinePolicy", "mono_line", "data.cloudpbx.language", "en")
}

func TestNumberingPlanShowsEveryHolder(t *testing.T) {
	r := start(t, sandbox.Options{SeedUsers: 3})
	r.get(cloud+"/numbering-plan").ok().want(
		"data.ranges.0.first", "2000", "data.ranges.0.last", "2999", "data.ranges.1.first", "80000", "data.ranges.1.last", "89999",
		"data.allocatedNumbers.subscribers.0.shortNumber", "80001", "data.allocatedNumbers.subscribers.0.userId", r.userID(seeded(1)),
		"data.allocatedNumbers.groups.0.shortNumber", "2990", "data.allocatedNumbers.devices.0.shortNumber", "2991")
	a := r.get(cloud+"/phone-numbers/free?startingWith=299").ok().want("data.0", "2992")
	if a.size("data") != 8 {
		t.Errorf("free: %s", a.body)
	}
	r.get(cloud+"/phone-numbers/free?startingWith=80&limit=2").ok().want("data", "[80000 80004]")
	if r.get(cloud+"/phone-numbers/free").ok().size("data") != 100 {
		t.Error("free numbers are not limited to 100")
	}
}

func TestCloudPbxOptions(t *testing.T) {
	r := start(t, sandbox.Options{})
	r.get(cloud+"/languages").ok().want("data.4.code", "fr")
	r.get(cloud+"/barring-options").ok().want("data.permissions.1.id", "nat_local", "data.restrictions.2.id", "custom_numbers")
	r.get(cloud+"/emergency-numbers").ok().want("data.emergencyNumbers.0.number", "112", "data.outgoingPrefix", "0")
	r.get(cloud+"/cli-options").ok().want("data.policy", "user_ddi_number", "data.numberE164", "+33298300500")
	r.put(cloud+"/cli-options", map[string]any{"policy": "installation_ddi_number", "userCanManageItsCli": true}).ok().
		want("data.id", sandbox.CloudPbxID, "data.cloudpbx.cliOptions.policy", "installation_ddi_number", "data.cloudpbx.cliOptions.userCanManageItsCli", "true")
	r.put(cloud+"/cli-options", map[string]any{"policy": "none"}).fails(400, 400000)

	restriction := cloud + "/barring-options/custom-numbers-restriction"
	r.get(restriction).ok().want("data.patterns", "[]")
	r.put(restriction, map[string]any{"patterns": []any{map[string]any{"pattern": "^08", "description": "surcharged"}}}).ok()
	r.get(restriction).ok().want("data.patterns.0.pattern", "^08")
	r.put(restriction, map[string]any{"patterns": []any{map[string]any{"pattern": "("}}}).fails(400, 400000)
	r.put(restriction, map[string]any{}).fails(400, 400000)

	peer := cloud + "/peer-authentication-options"
	realm := r.get(peer).ok().text("data.realm")
	r.put(peer, map[string]any{"username": "gw", "password": "secret-1", "realm": "x"}).ok().want("data.username", "gw", "data.realm", realm)
	r.put(peer, map[string]any{"username": "gw"}).fails(400, 400000)

	r.put(cloud+"/overflow", map[string]any{"activate": false, "noReplyDelay": 45}).ok().
		want("data.cloudpbx.overflowSubscribersToVoicemail.noReplyDelay", "45", "data.cloudpbx.overflowSubscribersToVoicemail.activate", "false",
			"data.cloudpbx.overflowSubscribersToVoicemail.activateUnavailableOverflow", "true")
	r.put(cloud+"/overflow", map[string]any{"noReplyDelay": 61}).fails(400, 400000)
}

func TestDeviceModels(t *testing.T) {
	r := start(t, sandbox.Options{})
	if n := r.get(cloud + "/devicemodels").ok().size("data"); n != 7 {
		t.Errorf("%d models without a category, want 7: DECT is hidden", n)
	}
	r.get(cloud+"/devicemodels?category=dectmobile").ok().want("data.0.id", "999998")
	if n := r.get(cloud + "/devicemodels?range=myriad").ok().size("data"); n != 4 {
		t.Errorf("%d Myriad models, want 4", n)
	}
	r.get(cloud+"/devicemodels/999999").ok().want("data.0.model", "Generic SIP")
	r.get(cloud+"/devicemodels/1").fails(404, 404000)
}
