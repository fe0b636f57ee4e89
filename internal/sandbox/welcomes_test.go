package sandbox_test

import (
	"testing"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

// The seeded welcome, the menu of the auto attendant, and what services follow.
const (
	ivrs       = cloud + "/ivrs"
	welcomes   = ivrs + "/welcomes"
	services   = ivrs + "/welcomeservices"
	welcomeID  = "5b7d0c0ffeeb00000000000f"
	menuID     = "5b7d0c0ffeeb000000000012"
	calendarID = "5b7d0c0ffeeb000000000013"
)

func TestWelcomes(t *testing.T) {
	r := start(t, sandbox.Options{})
	r.get(welcomes).ok().want("data.0.id", welcomeID, "data.0.isDefaultIvr", "true", "limit", "")
	r.get(welcomes+"/"+welcomeID).ok().want("data.manualMode.mode", "default", "data.manualMode.startDate", "", "data.welcomeServicesManualMode.0.name", "Welcome",
		"data.welcomeServicesManualMode.1.mode", "open", "data.welcomeServicesManualMode.1.startDate", "2022-10-20 13:13:00.000Z")
	made := r.post(welcomes, map[string]any{"name": "Shop"}).ok().want("data.name", "Shop", "data.isDefaultIvr", "false", "data.welcomeServicesManualMode", "[]")
	shop := made.text("data.id")
	r.post(welcomes, map[string]any{}).fails(400, 400000)
	r.get(welcomes+"?name=SHO").ok().want("data.0.id", shop)
	r.get(welcomes+"?limit=1&offset=1").ok().want("total", "2", "data.0.name", "Welcome_Sandbox", "limit", "1")
	r.get(welcomes+"?limit=1").ok().want("total", "") // needs offset, too
	r.get(welcomes+"/"+serviceID).fails(404, 404000)

	r.put(ivrs+"/"+shop, map[string]any{"name": "Shop 2"}).ok().want("data.name", "Shop 2", "data.manualMode.mode", "default")
	r.put(ivrs+"/"+shop, map[string]any{"externalNumberId": r.ddiID("33298300513")}).fails(400, 400000)
	r.put(ivrs+"/"+shop, map[string]any{"name": ""}).fails(400, 400000)
	r.delete(ivrs+"/"+shop).ok().want("status", "Cloud PBX Welcome or Welcome Service successfully deleted", "data", "[]")
	r.delete(ivrs+"/"+shop).fails(404, 404000)
	r.delete(ivrs+"/604").fails(404, 404000)
	r.delete(ivrs+"/"+welcomeID).fails(409, 409000) // two services follow it
}

func TestWelcomeServices(t *testing.T) {
	r := start(t, sandbox.Options{})
	list := r.get(services).ok().want("data.0.name", "After sales", "data.0.openHoursOverflow.type", "user", "data.0.openHoursOverflow.userDisplayName", "Chloe Colin",
		"data.0.openHoursOverflow.number", "80003", "data.1.name", "Welcome", "data.1.openHoursOverflow.rvcpAutoAttendantName", "Main menu",
		"data.1.externalNumber", "+33298300599", "data.1.closedHoursOverflow.type", "closed_hours")
	if _, there := list.at("data.0").(map[string]any)["externalNumber"]; there {
		t.Errorf("a service without a DDI shows one: %s", list.body)
	}
	r.get(services+"?name=after&limit=10&offset=0").ok().want("total", "1")
	r.get(services+"?externalNumber=0599").ok().want("data.0.id", serviceID)

	ddi, other := r.ddiID("33298300513"), r.ddiID("33298300514")
	made := r.post(services, map[string]any{
		"name": "Hotline", "externalNumberId": ddi, "welcomeId": welcomeID, "companyCalendarId": calendarID,
		"openHoursOverflow":   map[string]any{"type": "user", "destinationId": r.userID(seeded(2))},
		"closedHoursOverflow": map[string]any{"type": "office_hours"},
	}).ok().want("data.externalNumber", "+33298300513", "data.welcomeName", "Welcome_Sandbox", "data.companyCalendarName", "Business hours",
		"data.openHoursOverflow.number", "80002", "data.rvcpAutoAttendantId", "", "data.manualMode.mode", "default")
	hotline := made.text("data.id")
	r.get(ddis+"?limit=1&offset=13").ok().want("data.0.rvcpIVRId", hotline, "data.0.welcomeName", "Hotline")
	r.post(ddis+"/"+ddi+"/users/"+r.userID(seeded(1)), nil).fails(409, 409000)

	// A DDI that is absent stays, another replaces it, null takes it away.
	r.put(ivrs+"/"+hotline, map[string]any{"name": "Help"}).ok().want("data.name", "Help", "data.externalNumberId", ddi)
	r.get(ddis+"?limit=1&offset=13").ok().want("data.0.welcomeName", "Help")
	r.put(ivrs+"/"+hotline, map[string]any{"externalNumberId": other}).ok().want("data.externalNumber", "+33298300514")
	r.get(ddis+"?limit=2&offset=13").ok().want("data.0.rvcpIVRId", "", "data.1.rvcpIVRId", hotline)
	r.put(ivrs+"/"+hotline, map[string]any{"externalNumberId": nil}).ok().want("data.externalNumber", "")
	r.get(ddis+"?limit=1&offset=14").ok().want("data.0.rvcpIVRId", "", "data.0.welcomeName", "")
	r.put(ivrs+"/"+hotline, map[string]any{"externalNumberId": ddi, "closedHoursOverflow": map[string]any{"type": "external_number", "number": "+33199000001"}}).ok().
		want("data.closedHoursOverflow.number", "+33199000001")
	r.upload("PUT", greetings+"/afterhours?ivrId="+hotline, audioOf(1)).ok()
	r.delete(ivrs + "/" + hotline).ok()
	r.post(ddis+"/"+ddi+"/users/"+r.userID(seeded(1)), nil).ok() // free again

	// What a service forwards to may go: its name is null then, and it can still be changed.
	r.delete(admin + "/users/" + r.userID(seeded(3))).ok()
	gone := r.get(services + "?name=after").ok()
	if name, there := gone.at("data.0.openHoursOverflow").(map[string]any)["name"]; !there || name != nil {
		t.Errorf("the name of a destination that is gone: %s", gone.body)
	}
	r.put(ivrs+"/"+gone.text("data.0.id"), map[string]any{"name": "After"}).ok()
	r.delete(ddis + "/" + r.ddiID("33298300599")).ok()
	r.put(ivrs+"/"+serviceID, map[string]any{"name": "Still here"}).ok().want("data.externalNumberId", "")
}

func TestWelcomeServiceFaults(t *testing.T) {
	r := start(t, sandbox.Options{})
	user := map[string]any{"type": "user", "destinationId": r.userID(seeded(1))}
	for name, test := range map[string]struct {
		body         map[string]any
		status, code int
	}{
		"no name":                        {map[string]any{"openHoursOverflow": user}, 400, 400000},
		"no destination":                 {map[string]any{"name": "x"}, 400, 400000},
		"a destination without a type":   {map[string]any{"name": "x", "openHoursOverflow": map[string]any{}}, 400, 400000},
		"a number as type":               {map[string]any{"name": "x", "openHoursOverflow": map[string]any{"type": 5}}, 400, 400000},
		"an unknown type":                {map[string]any{"name": "x", "openHoursOverflow": map[string]any{"type": "moon"}}, 400, 400000},
		"closed hours while open":        {map[string]any{"name": "x", "openHoursOverflow": map[string]any{"type": "closed_hours"}}, 400, 400000},
		"a user without an id":           {map[string]any{"name": "x", "openHoursOverflow": map[string]any{"type": "user"}}, 400, 400000},
		"a user without an extension":    {map[string]any{"name": "x", "openHoursOverflow": map[string]any{"type": "user", "destinationId": r.userID(sandbox.AdminLogin)}}, 404, 404000},
		"a text as destination":          {map[string]any{"name": "x", "openHoursOverflow": "user"}, 400, 400000},
		"a closed destination of nobody": {map[string]any{"name": "x", "openHoursOverflow": user, "closedHoursOverflow": map[string]any{"type": "group", "destinationId": serviceID}}, 404, 404000},
		"an unknown welcome":             {map[string]any{"name": "x", "openHoursOverflow": user, "welcomeId": serviceID}, 404, 404000},
		"an unknown calendar":            {map[string]any{"name": "x", "openHoursOverflow": user, "companyCalendarId": welcomeID}, 404, 404000},
		"an unknown DDI":                 {map[string]any{"name": "x", "openHoursOverflow": user, "externalNumberId": welcomeID}, 404, 404000},
		"a user's DDI":                   {map[string]any{"name": "x", "openHoursOverflow": user, "externalNumberId": r.ddiID("33298300521")}, 409, 409000},
		"a group's DDI":                  {map[string]any{"name": "x", "openHoursOverflow": user, "externalNumberId": r.ddiID("33298300598")}, 409, 409000},
	} {
		t.Run(name, func(t *testing.T) { r.post(services, test.body).fails(test.status, test.code) })
	}
	r.put(ivrs+"/"+serviceID, map[string]any{"welcomeId": serviceID}).fails(404, 404000)
	r.put(ivrs+"/"+serviceID, map[string]any{"externalNumberId": r.ddiID("33298300598")}).fails(409, 409000)
	r.put(ivrs+"/"+serviceID, map[string]any{"externalNumberId": r.ddiID("33298300599")}).ok() // its own
	if n := r.get(services).ok().size("data"); n != 2 {
		t.Errorf("%d services, want the two seeded ones", n)
	}
}

// TestOfficeHours sets the clock, and reads the state of the welcome and of the
// service that follows it. The sandbox counts in Paris; winter is UTC+1.
func TestOfficeHours(t *testing.T) {
	now := time.Date(2021, time.March, 8, 9, 0, 0, 0, time.UTC) // a Monday
	r := start(t, sandbox.Options{Clock: func() time.Time { return now }})
	hours := welcomes + "/officehours/" + welcomeID
	r.get(hours).ok().want("data.officehours.openhours.0", "[]", "data.officehours.openhours.1", "[[08:00 18:00]]", "data.officehours.exceptions", "[]")
	week := []any{[]any{[]any{"0"}}, []any{[]any{"5:30", "12:30"}, []any{"15:30", "18:30"}}, []any{}, []any{[]any{"00:00", "23:59"}}, []any{}, []any{}, []any{[]any{"6:00", "12:30"}}}
	exceptions := []any{
		map[string]any{"year": 2021, "month": 3, "mday": 10, "periods": []any{[]any{"08:00", "12:00"}}, "open": true},
		map[string]any{"year": 2021, "month": 3, "mday": 15, "periods": []any{[]any{"08:00", "10:00"}}, "open": false},
	}
	r.put(hours, map[string]any{"officehours": map[string]any{"openhours": week, "exceptions": exceptions}}).ok().
		want("data.status", "Welcome office hours successfully updated.", "data.officehours.openhours.1.1.0", "15:30", "data.officehours.exceptions.0.mday", "10", "status", "")
	r.get(hours).ok().want("data.officehours.openhours.0", "[[0]]", "data.officehours.exceptions.1.open", "false")
	// A new token: the clock jumps.
	for text, want := range map[string]string{
		"2021-03-07T11:00:00Z": "closed", // Sunday: ["0"]
		"2021-03-08T04:29:00Z": "closed", "2021-03-08T04:30:00Z": "open", "2021-03-08T11:30:59Z": "open", "2021-03-08T11:31:00Z": "closed", "2021-03-08T15:00:00Z": "open",
		"2021-03-09T11:00:00Z": "closed",                                 // Tuesday: no period
		"2021-03-10T06:00:00Z": "closed", "2021-03-10T09:00:00Z": "open", // open only in the exception's period
		"2021-03-15T08:00:00Z": "closed", "2021-03-15T10:00:00Z": "open", // closed in the exception's period
		"2021-03-17T22:00:00Z": "open", "2021-03-16T23:30:00Z": "open", // Wednesday, in Paris
		"2021-03-12T23:30:00Z": "closed", "2021-03-13T05:00:00Z": "open", // Saturday from 6:00
		"2021-06-14T03:30:00Z": "open", "2021-06-14T03:29:00Z": "closed", // summer is UTC+2
	} {
		now, _ = time.Parse(time.RFC3339, text)
		r.token = r.login(sandbox.AdminLogin, sandbox.AdminPassword)
		r.get(welcomes+"/"+welcomeID).ok().want("data.state", want)
		r.put(ivrs+"/"+serviceID, map[string]any{}).ok().want("data.state", want)
	}

	r.put(hours, map[string]any{"officehours": map[string]any{"exceptions": []any{}}}).ok().want("data.officehours.exceptions", "[]", "data.officehours.openhours.0", "[[0]]")
	for name, bad := range map[string]any{
		"nothing": nil, "a text": "always", "six days": map[string]any{"openhours": week[1:]}, "flat days": map[string]any{"openhours": []any{"8:00"}},
		"three times":     map[string]any{"openhours": []any{[]any{[]any{"8:00", "9:00", "10:00"}}, []any{}, []any{}, []any{}, []any{}, []any{}, []any{}}},
		"backwards":       map[string]any{"openhours": []any{[]any{[]any{"9:00", "8:00"}}, []any{}, []any{}, []any{}, []any{}, []any{}, []any{}}},
		"a 25th hour":     map[string]any{"openhours": []any{[]any{[]any{"9:00", "25:00"}}, []any{}, []any{}, []any{}, []any{}, []any{}, []any{}}},
		"no date":         map[string]any{"exceptions": []any{map[string]any{"periods": []any{}}}},
		"month 13":        map[string]any{"exceptions": []any{map[string]any{"year": 2021, "month": 13, "mday": 1, "periods": []any{}}}},
		"the 30 February": map[string]any{"exceptions": []any{map[string]any{"year": 2021, "month": 2, "mday": 30, "periods": []any{}}}},
	} {
		if a := r.put(hours, map[string]any{"officehours": bad}); a.status != 400 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	r.get(welcomes+"/officehours/"+serviceID).fails(404, 404000)
}
