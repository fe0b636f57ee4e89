package sandbox_test

import (
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

const pbxNumbers = admin + "/systems/" + sandbox.EquippedPbxID + "/phone-numbers"

func TestSystems(t *testing.T) {
	r := start(t, sandbox.Options{})
	r.get(admin+"/systems").ok().want("total", "2", "data.1.pbxId", sandbox.EquippedPbxPbxID)
	r.get(admin+"/systems?type=oxe&format=full").ok().want("total", "1", "data.0.id", sandbox.EquippedPbxID, "data.0.status", "activated")
	r.get(admin+"/systems?name=head&format=medium").ok().want("total", "1", "data.0.name", "Head office OXE")
	r.get(admin+"/systems/"+sandbox.CloudPbxID).ok().want("data.type", "cloud_pbx")
	r.get(admin+"/systems/pbxid/"+sandbox.EquippedPbxPbxID).ok().want("data.id", sandbox.EquippedPbxID)
	r.get(admin+"/systems/pbxid/PBX-unknown").fails(404, 404000)
	r.get(admin+"/systems/5b7d0c0ffee0000000000999").fails(404, 404000)
}

func TestPairingANumber(t *testing.T) {
	r := start(t, sandbox.Options{})
	a := r.get(pbxNumbers+"?format=full&limit=2").ok().want("total", "100", "data.0.shortNumber", "3000", "data.0.userId", "")
	one, user := pbxNumbers+"/"+a.text("data.0.id"), r.userID(seeded(1))
	if _, shown := a.at("data.0").(map[string]any)["userId"]; shown {
		t.Error("a free number shows a userId")
	}
	r.put(one, map[string]any{"userId": user}).ok().want("data.userId", user, "data.isMonitored", "true")
	r.put(one, map[string]any{"userId": user}).ok() // again: no change
	r.put(one, map[string]any{"userId": r.userID(seeded(2))}).fails(409, 409000)
	r.get(one).ok().want("data.userId", user)
	r.get(pbxNumbers+"?isAssignedToUser=true").ok().want("total", "1")
	r.get(pbxNumbers+"?isAssignedToUser=false&shortNumber=309").ok().want("total", "10")
	r.get(admin+"/users/"+user).ok().want("data.phoneNumbers.1.shortNumber", "3000", "data.phoneNumbers.1.isFromSystem", "true")
	r.put(one, map[string]any{"userId": nil}).ok().want("data.userId", "", "data.isMonitored", "false")
	r.put(one, map[string]any{"userId": r.userID(seeded(2))}).ok()
	r.put(one, map[string]any{"userId": "5b7d0c0ffee1ffffffffffff"}).fails(404, 404000)
	r.put(one, map[string]any{"number": "12"}).fails(400, 400000)
	r.put(one, map[string]any{"number": "0199000944"}).ok().want("data.numberE164", "+33199000944")
	r.put(one, map[string]any{"internalNumber": "3001"}).fails(409, 409552).want("errorDetailsData.conflictWith.shortNumber", "3001")
	r.get(pbxNumbers+"/5b7d0c0ffee5ffffffffffff").fails(404, 404000)
	small := r.get(pbxNumbers + "?limit=1").ok().at("data.0").(map[string]any)
	if len(small) != 4 {
		t.Errorf("format small shows %v", small)
	}
}

func TestSubscribersAreSystemNumbers(t *testing.T) {
	r := start(t, sandbox.Options{})
	a := r.get(admin + "/systems/" + sandbox.CloudPbxID + "/phone-numbers?format=full").ok()
	a.want("total", "20", "data.0.shortNumber", "80001", "data.0.userId", r.userID(seeded(1)))
	one := admin + "/systems/" + sandbox.CloudPbxID + "/phone-numbers/" + a.text("data.0.id")
	r.get(one).ok().want("data.pbxUserId", "80001")
	r.put(one, map[string]any{"userId": r.userID(seeded(2))}).fails(409, 409000)
	r.get(admin+"/systems/"+sandbox.CloudPbxID+"/phone-numbers?sortOrder=-1&limit=1").ok().want("data.0.shortNumber", "80020")
}
