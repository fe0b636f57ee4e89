package sandbox_test

import (
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

const ddis = cloud + "/phone-numbers/ddi"

// ddiID finds a DDI by its E.164 number without the plus sign.
func (r *rainbow) ddiID(number string) string {
	r.t.Helper()
	return r.get(ddis + "?numberE164StartWith=%2B" + number).ok().text("data.0.id")
}

func TestDdiLists(t *testing.T) {
	r := start(t, sandbox.Options{})
	r.get(ddis).ok().want("total", "100", "data.0.numberE164", "+33298300500", "data.0.isCloudPbxDefault", "true", "data.0.userId", "",
		"data.0.number", "0298300500", "data.21.userDisplayName", "Alice Adam")
	for query, total := range map[string]string{
		"isAssignedToUser=true": "20", "isAssignedToUser=false": "80", "isAssignedToGroup=true": "1", "isAssignedToIVR=true": "1",
		"isAssignedToAutoAttendant=true": "0", "isAssigned=true": "22", "isAssigned=false": "78", "numberE164StartWith=%2B3329830059": "10",
		"numberE164StartWith=+3329830059": "10", "isAssigned=undefined": "100",
	} {
		r.get(ddis+"?"+query).ok().want("total", total)
	}
	r.get(ddis+"?sortOrder=-1&limit=1").ok().want("data.0.numberE164", "+33298300599", "data.0.welcomeName", "Welcome")
}

func TestDdiLifecycle(t *testing.T) {
	r := start(t, sandbox.Options{})
	a := r.post(ddis, map[string]string{"number": "+33298300999"}).ok().want("data.number", "0298300999", "data.userId", "", "data.isCloudPbxDDI", "true")
	id, user := a.text("data.id"), r.userID(seeded(1))
	r.post(ddis, map[string]string{"number": "0298300999"}).fails(409, 409000)
	r.post(ddis, map[string]string{"number": "12"}).fails(400, 400000).want("errorDetails.0.param", "number")
	r.post(ddis, map[string]string{}).fails(400, 400000)

	r.post(ddis+"/"+id+"/users/"+user, map[string]any{}).ok().want("data.userId", user)
	if r.get(ddis+"?numberE164StartWith=%2B33298300999").ok().text("data.0.jid_im") == "" {
		t.Error("an assigned DDI has no jid")
	}
	r.post(ddis+"/"+id+"/users/"+user, nil).ok().want("data.userId", user) // again: no change
	r.post(ddis+"/"+id+"/users/"+r.userID(seeded(2)), nil).fails(409, 409000)
	r.post(ddis+"/"+r.ddiID("33298300598")+"/users/"+user, nil).fails(409, 409000) // a group's
	r.post(ddis+"/"+id+"/users/5b7d0c0ffee1ffffffffffff", nil).fails(404, 404000)
	r.delete(ddis+"/"+id+"/users/"+r.userID(seeded(2))).fails(404, 404000)
	r.delete(ddis+"/"+id+"/users/"+user).ok().want("data.userId", "")
	r.delete(ddis+"/"+id+"/users/"+user).fails(404, 404000)
	r.delete(ddis+"/"+id).ok().want("status", "DDI number "+id+" successfully deleted")
	r.delete(ddis+"/"+id).fails(404, 404000)
}

func TestOnlySubscribersGetDdis(t *testing.T) {
	r := start(t, sandbox.Options{})
	admin := r.userID(sandbox.AdminLogin)
	r.post(ddis+"/"+r.ddiID("33298300513")+"/users/"+admin, nil).fails(400, 400000)
	user := r.userID(seeded(1)) // has one
	for _, number := range []string{"33298300501", "33298300502", "33298300503", "33298300504"} {
		r.post(ddis+"/"+r.ddiID(number)+"/users/"+user, nil).ok()
	}
	r.post(ddis+"/"+r.ddiID("33298300505")+"/users/"+user, nil).fails(400, 400000) // five at most
}

func TestTheDefaultDdiGoesLast(t *testing.T) {
	r := start(t, sandbox.Options{SeedUsers: -1})
	first, second := r.ddiID("33298300500"), r.ddiID("33298300501")
	r.delete(ddis+"/"+first).fails(409, 409000)
	r.post(ddis+"/"+second+"/default", map[string]any{}).ok().want("data.isCloudPbxDefault", "true")
	r.get(cloud).ok().want("data.cloudpbx.installationNumber", "+33298300501")
	r.delete(ddis + "/" + first).ok()
	for {
		a := r.get(ddis + "?sortOrder=-1&limit=1").ok()
		if a.text("total") == "1" {
			break
		}
		r.delete(ddis + "/" + a.text("data.0.id")).ok()
	}
	r.delete(ddis + "/" + second).ok()
	r.get(cloud).ok().want("data.cloudpbx.installationNumber", "")
}
