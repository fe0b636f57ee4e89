package sandbox_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

// TestKeptServices: keys, forwards, greetings with their audio, welcomes and
// recordings survive a restart, clean or not, and a reset takes them back.
func TestKeptServices(t *testing.T) {
	for _, clean := range []bool{true, false} {
		t.Run(fmt.Sprintf("clean end %t", clean), func(t *testing.T) {
			options := sandbox.Options{DataFile: filepath.Join(t.TempDir(), "world.jsonl"), SeedUsers: 4}
			r, stop := world(t, options)
			keys := devices + "/" + r.deviceID(m5) + "/programmable-keys"
			r.post(keys, map[string]any{"keyNum": "3", "keyType": "headset"}).ok()
			r.put(reception+"/forwards/overflow", map[string]any{"activate": true, "destinationType": "voicemail"}).ok()
			box := reception + "/voicemail-greetings/" + r.upload("POST", reception+"/voicemail-greetings", audioOf(1)).ok().text("data.id")
			song := greetings + "/" + r.upload("PUT", greetings+"/music_on_hold", audioOf(2)).ok().text("data.fileId")
			busy := r.get(greetings + "?userId=" + r.userID(seeded(1))).ok().text("data.greetings.0.fileId")
			r.put(greetings+"/"+busy+"/settings", map[string]any{"loopPlay": true}).ok()
			shop := r.post(welcomes, map[string]any{"name": "Shop"}).ok().text("data.id")
			r.put(welcomes+"/officehours/"+shop, map[string]any{"officehours": map[string]any{"exceptions": []any{
				map[string]any{"year": 2026, "month": 7, "mday": 14, "periods": []any{[]any{"00:00", "23:59"}}, "open": false},
			}}}).ok()
			r.delete(recordings + "/" + r.get(recordings).ok().text("data.0.id")).ok()
			r.put(recordings+"/"+r.subscriberID("80002"), map[string]any{"recordingProfile": "all"}).ok()
			paths := []string{keys, reception + "/forwards", reception + "/voicemail-greetings", greetings, greetings + "?userId=" + r.userID(seeded(1)),
				welcomes, services, welcomes + "/officehours/" + shop, recordings, subscribers + "/" + r.subscriberID("80002"), voice + "/external-trunks"}
			before := map[string]string{}
			for _, path := range paths {
				before[path] = string(r.get(path).ok().body)
			}
			stop(clean)

			r, stop = world(t, options)
			defer stop(true)
			for _, path := range paths {
				if after := string(r.get(path).ok().body); after != before[path] {
					t.Errorf("%s differs:\n%s\n%s", path, before[path], after)
				}
			}
			r.audio(song, "audio/wav").holds(audioOf(2))
			r.audio(box, "").holds(audioOf(1))
			if next := r.upload("PUT", greetings+"/music_on_hold", audioOf(2)).ok().text("data.fileId"); greetings+"/"+next == song {
				t.Errorf("file id %s was given twice", next)
			}
			if err := r.sandbox.Reset(); err != nil {
				t.Fatal(err)
			}
			r.get(song).fails(404, 404000)
			r.get(recordings).ok().want("total", "9")
			r.get(keys).ok().want("data.keys", "[]")
			r.get(welcomes+"/"+shop).fails(404, 404000)
		})
	}
}

// TestACloudPbxTakesItsServicesAlong: nothing of a deleted Cloud PBX is left,
// and a new one starts with the defaults.
func TestACloudPbxTakesItsServicesAlong(t *testing.T) {
	r := start(t, sandbox.Options{})
	r.upload("PUT", greetings+"/music_on_hold", audioOf(1)).ok()
	r.upload("POST", reception+"/voicemail-greetings", audioOf(1)).ok()
	r.delete(cloud + "?forceDelete=true").ok()
	next := r.post(voice+"/cloudpbxs", map[string]any{"companyId": sandbox.CompanyID, "numberingDigits": 4, "numberingPrefix": 2}).ok().text("data.id")
	pbx := voice + "/cloudpbxs/" + next
	list := r.get(pbx+"/greetings").ok().want("data.greetings.0.isActive", "true", "data.greetings.0.greetingId", "music_on_hold")
	r.get(pbx + "/greetings/" + list.text("data.greetings.0.fileId")).ok()
	r.get(pbx+"/ivrs/welcomeservices").ok().want("data", "[]")
	r.get(pbx+"/recordings").ok().want("total", "0")
	r.post(pbx+"/ivrs/welcomes", map[string]any{"name": "First"}).ok().want("data.isDefaultIvr", "true")
	r.get(pbx+"/groups/"+receptionID+"/forwards").fails(404, 404000)
	r.get(voice+"/external-trunks").ok().want("total", "0")
}

// TestServicesOfTheNeighbour: every operation refuses the systems of others.
func TestServicesOfTheNeighbour(t *testing.T) {
	r := start(t, sandbox.Options{})
	const neighbour = voice + "/cloudpbxs/5b7d0c0ffee0000000000103"
	for _, path := range []string{
		"/groups/" + receptionID + "/forwards", "/groups/" + receptionID + "/voicemail-greetings", "/greetings", "/recordings", "/ivrs/welcomes", "/ivrs/welcomeservices",
		"/devices/" + receptionID + "/programmable-keys",
	} {
		r.get(neighbour+path).fails(403, 403301)
	}
	r.token = r.login(seeded(1), sandbox.UserPassword)
	r.get(greetings).fails(403, 403000)
	r.get(voice+"/external-trunks").fails(403, 403000)
}

// TestTrunksOfTheAccounts asks as the accounts of the world.
func TestTrunksOfTheAccounts(t *testing.T) {
	r := start(t, sandbox.Options{})
	const trunks = voice + "/external-trunks"
	mine := r.get(trunks).ok().want("total", "1", "data.0.name", "Sandbox trunk")
	if n := len(mine.at("data.0").(map[string]any)); n != 6 {
		t.Errorf("a company administrator is shown %d members, want the 6 of the summary: %s", n, mine.body)
	}
	if used := r.get(cloud).ok().text("data.cloudpbx.externalTrunkId"); used != mine.text("data.0.id") {
		t.Errorf("the Cloud PBX uses trunk %s", used)
	}
	r.get(trunks+"/"+mine.text("data.0.id")).ok().want("data.name", "Sandbox trunk", "data.bpIds", "")
	partner := r.as("bpadmin@dr.example")
	partner.get(trunks).ok().want("total", "3", "data.1.cloudPbxs.0.id", sandbox.CloudPbxID, "data.1.bpIds.0", sandbox.ResellerID)
	partner.get(recordings).fails(403, 403301) // of its customer
	r.as("orgadmin@subsidiary.example").get(voice+"/recordings").ok().want("total", "9", "data.0.companyId", sandbox.CompanyID)
	r.as("superadmin@rainbow.example").get(voice+"/recordings").fails(400, 400000)
	r.as("siteadmin@subsidiary.example").get(trunks).fails(403, 403000)
	r.as("bpfinance@dr.example").get(trunks).fails(403, 403000)
}
