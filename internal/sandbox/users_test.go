package sandbox_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

func TestUserLifecycle(t *testing.T) {
	r := start(t, sandbox.Options{})
	a := r.post(admin+"/users", map[string]any{
		"loginEmail": "ana@sandbox.example", "password": "Passw0rd!", "firstName": "Ana", "lastName": "Lima", "country": "FRA",
		"phoneNumbers": []any{map[string]any{"number": "0199000901", "type": "work", "deviceType": "landline"}},
		"emails":       []any{map[string]any{"email": "ana@home.example", "type": "home"}},
		"tags":         []string{"north"}, "customData": map[string]any{"badge": "17"},
	}).ok()
	id := a.text("data.id")
	a.want("data.displayName", "Ana Lima", "data.isInitialized", "false", "data.accountType", "free", "data.companyName", "Sandbox Company",
		"data.phoneNumbers.0.numberE164", "+33199000901", "data.profiles.0.offerName", "Essential", "data.createdByAdmin.loginEmail", sandbox.AdminLogin,
		"data.customData.badge", "17", "data.emails.0.type", "work")
	kept := a.text("data.phoneNumbers.0.phoneNumberId")

	a = r.put(admin+"/users/"+id, map[string]any{
		"jobTitle": "Buyer", "lastName": "Costa", "tags": []string{},
		"phoneNumbers": []any{
			map[string]any{"number": "+33639980901", "type": "work", "deviceType": "mobile"},
			map[string]any{"number": "0199000901", "type": "work", "deviceType": "landline"},
		},
	}).ok()
	a.want("data.displayName", "Ana Costa", "data.jobTitle", "Buyer", "data.phoneNumbers.0.numberE164", "+33639980901",
		"data.phoneNumbers.1.phoneNumberId", kept, "data.tags", "", "data.emails.1.email", "ana@home.example")
	r.put(admin+"/users/"+id, map[string]any{"phoneNumbers": []any{}}).ok().want("data.phoneNumbers", "[]")

	// Never initialised, never logged in: really deleted.
	r.delete(admin+"/users/"+id).ok().want("status", "User "+id+" successfully deleted")
	r.delete(admin+"/users/"+id).fails(404, 404000)
	r.get(admin+"/users/"+id).fails(404, 404000)
}

func TestDeletingAnInitialisedUserTerminatesHim(t *testing.T) {
	r := start(t, sandbox.Options{})
	id := r.userID(seeded(2))
	a := r.delete(admin + "/users/" + id).ok()
	a.want("data.isTerminated", "true", "data.companyName", "Terminated", "data.phoneNumbers", "[]")
	if login := a.text("data.loginEmail"); !strings.HasPrefix(login, "ter_") || !strings.HasSuffix(login, "_"+seeded(2)) {
		t.Errorf("loginEmail is %q", login)
	}
	r.delete(admin+"/users/"+id).fails(409, 409000)
	r.get(admin+"/users/"+id).ok().want("data.isTerminated", "true")
	r.get(admin+"/users?loginEmail="+seeded(2)).ok().want("total", "0")
	r.get(admin+"/users?isTerminated=true").ok().want("total", "1", "data.0.id", id)
	r.get(admin+"/systems/"+sandbox.CloudPbxID+"/phone-numbers?shortNumber=80002").ok().want("total", "0")
	r.get(cloud+"/devices?macAddress=020000000002&assigned=false").ok().want("total", "1")
	r.get(cloud+"/phone-numbers/ddi?numberE164StartWith=%2B33298300522&isAssigned=false").ok().want("total", "1")
	r.get(licence+"/companies/"+sandbox.CompanyID+"/subscriptions?format=full").ok().want("data.2.numberAssignedUsers", "19")
	r.post(admin+"/users", map[string]any{"loginEmail": seeded(2)}).ok() // the login is free again
}

func TestUserRulesAnswerEveryFault(t *testing.T) {
	r := start(t, sandbox.Options{})
	a := r.post(admin+"/users", map[string]any{
		"loginEmail": "no mail", "password": "short", "visibility": "sometimes", "tags": []string{"1", "2", "3", "4", "5", "6"},
		"phoneNumbers": []any{map[string]any{"number": "12", "type": "work", "deviceType": "landline"}}, "isActive": "yes",
	}).fails(400, 400000)
	if n := a.size("errorDetails"); n != 6 {
		t.Errorf("%d faults, want 6: %s", n, a.body)
	}
	if strings.Contains(string(a.body), "short") {
		t.Error("the answer repeats the password")
	}
	r.post(admin+"/users", map[string]any{}).fails(400, 400000).want("errorDetails.0.param", "loginEmail")
	r.post(admin+"/users", map[string]any{"loginEmail": strings.ToUpper(seeded(1))}).fails(409, 409000)
	r.post(admin+"/users", map[string]any{"loginEmail": "a@b.example", "roles": []string{"superadmin"}}).fails(400, 400000)
	r.post(admin+"/users", map[string]any{"loginEmail": "a@b.example", "roles": []string{"user", "admin"}}).fails(400, 400000)
	r.post(admin+"/users", "{broken").fails(400, 400000)
	r.put(admin+"/users/"+r.userID(seeded(1)), map[string]any{"loginEmail": seeded(2)}).fails(409, 409000)
	r.put(admin+"/users/"+r.userID(sandbox.AdminLogin), map[string]any{"loginEmail": "x@sandbox.example"}).fails(403, 403100)
	r.delete(admin+"/users/"+r.userID(sandbox.AdminLogin)).fails(403, 403100)
	r.get(admin+"/users/1").fails(400, 400000).want("errorDetails.0.value", "1")
	r.get(admin+"/users/5b7d0c0ffee1ffffffffffff").fails(404, 404000)
}

func TestUserLists(t *testing.T) {
	t.Parallel()
	r := start(t, sandbox.Options{SeedUsers: 45})
	full := r.get(admin+"/users?format=full&limit=1000").ok().want("total", "46", "limit", "1000")
	for i := range full.size("data") - 1 {
		a, b := full.text(fmt.Sprintf("data.%d.displayName", i)), full.text(fmt.Sprintf("data.%d.displayName", i+1))
		if strings.ToLower(a) > strings.ToLower(b) {
			t.Errorf("%q stands before %q", a, b)
		}
	}
	if len(full.at("data.3").(map[string]any)) < 30 {
		t.Error("format full shows few members")
	}
	if got := len(r.get(admin + "/users").ok().at("data.0").(map[string]any)); got != 8 {
		t.Errorf("format small shows %d members, want 8", got)
	}
	if got := len(r.get(admin + "/users?format=medium").ok().at("data.0").(map[string]any)); got != 12 {
		t.Errorf("format medium shows %d members, want 12", got)
	}
	for query, total := range map[string]string{
		"":                         "46",
		"?loginEmail=" + seeded(1): "1",
		"?loginEmail=" + seeded(1) + "%20" + seeded(2): "2",
		"?loginEmail=" + strings.ToUpper(seeded(1)):    "1",
		"?searchEmail=user00004":                       "6",
		"?displayName=alice":                           "2",
		"?displayName=user000017&useEmails=true":       "1",
		"?phoneNumbers=80007":                          "1",
		"?phoneNumbers=%2B33298300530":                 "1",
		"?phoneNumber=8000":                            "9",
		"?email=" + seeded(3):                          "1",
		"?roles=admin":                                 "1",
		"?excludeRoles=admin":                          "45",
		"?isActivated=true":                            "1",
		"?siteId=5b7d0c0ffee0000000000009":             "0",
		"?visibility=public":                           "0",
		"?companyName=sandbox":                         "46",
		"?companyName=other":                           "0",
		"?tags=north":                                  "0",
	} {
		if got := r.get(admin + "/users" + query).ok().text("total"); got != total {
			t.Errorf("%s: total %s, want %s", query, got, total)
		}
	}
	r.get(admin+"/users?sortField=loginEmail&sortOrder=-1&limit=1").ok().want("data.0.loginEmail", seeded(45))
	r.get(admin+"/users?sortField=loginEmail&limit=1").ok().want("data.0.loginEmail", sandbox.AdminLogin)
	r.get(admin+"/users?sortField=lastName&sortOrder=1&limit=1").ok().want("data.0.lastName", "Adam")
	r.get(admin+"/users?sortField=lastName&sortOrder=-1&limit=1").ok().want("data.0.lastName", "Zimmer")
}

func TestPagingSurvivesWhatClientsSend(t *testing.T) {
	r := start(t, sandbox.Options{SeedUsers: 30})
	for query, want := range map[string][3]string{
		"":                                {"100", "0", "31"},
		"limit=10&offset=undefined":       {"10", "0", "10"},
		"limit=10&limit=undefined":        {"10", "0", "10"},
		"limit=undefined&limit=7":         {"7", "0", "7"},
		"limit=10&limit=20&offset=25":     {"10", "25", "6"},
		"limit=false&offset=-4":           {"100", "0", "31"},
		"limit=999999&offset=30":          {"1000", "30", "1"},
		"offset=31":                       {"100", "31", "0"},
		"offset=99999&sortOrder=nonsense": {"100", "99999", "0"},
		"limit=0":                         {"100", "0", "31"},
	} {
		a := r.get(admin+"/users?"+query).ok().want("limit", want[0], "offset", want[1], "total", "31")
		if got := fmt.Sprint(a.size("data")); got != want[2] {
			t.Errorf("%s: %s users, want %s", query, got, want[2])
		}
	}
	r.get(cloud+"/devices?limit=100&offset=undefined&sortOrder=1&assigned=undefined").ok().want("limit", "100", "total", "63")
	r.get(cloud+"/phone-numbers/ddi?limit=100&offset=0&limit=false&isAssignedToUser=undefined").ok().want("total", "100")
	r.get(mass+"/users/imports&companyId="+sandbox.CompanyID).ok().want("data", "[]")
}
