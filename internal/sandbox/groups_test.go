package sandbox_test

import (
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

// The seeded groups and what they forward to.
const (
	reception  = cloud + "/groups/" + receptionID
	queueID    = "5b7d0c0ffeeb000000000015"
	queue      = cloud + "/groups/" + queueID
	nightWatch = cloud + "/groups/5b7d0c0ffeeb000000000017" // serial
	mainMenuID = "5b7d0c0ffeeb000000000011"
	serviceID  = "5b7d0c0ffeeb00000000000d"
)

func TestGroupForwards(t *testing.T) {
	r := start(t, sandbox.Options{})
	r.get(reception+"/forwards").ok().want("data.name", "Reception", "data.groupForwards.0", "map[activate:false type:immediate]",
		"data.groupForwards.1.welcomeServiceId", serviceID, "data.groupForwards.1.name", "Welcome", "data.groupForwards.1.noReplyDelay", "15")

	r.put(reception+"/forwards/immediate", map[string]any{"activate": true, "destinationType": "internalnumber", "number": "80002"}).ok().
		want("status", "Call Forward successfully updated", "data", "map[activate:true destinationType:internalnumber number:80002 type:immediate]")
	r.get(reception+"/forwards").ok().want("data.groupForwards.0.name", "Bruno Bernard")
	r.put(reception+"/forwards/overflow", map[string]any{"activate": true, "destinationType": "externalnumber", "number": "+33530097219"}).ok().
		want("data.noReplyDelay", "60", "data.number", "+33530097219")
	r.put(reception+"/forwards/overflow", map[string]any{"activate": true, "destinationType": "voicemail", "noReplyDelay": 180}).ok().want("data.noReplyDelay", "180", "data.number", "")
	r.put(reception+"/forwards/overflow", map[string]any{"activate": true, "destinationType": "autoattendant", "rvcpAutoAttendantId": mainMenuID}).ok()
	r.get(reception+"/forwards").ok().want("data.groupForwards.1.name", "Main menu")
	r.put(reception+"/forwards/overflow", map[string]any{"activate": false}).ok().want("data", "map[activate:false type:overflow]")
	r.put(nightWatch+"/forwards/overflow", map[string]any{"activate": true, "destinationType": "voicemail", "noReplyDelay": 15}).ok().
		want("data", "map[activate:true destinationType:voicemail type:overflow]") // no delay but in parallel

	// The user of the number goes: the name is null from now on.
	r.delete(subscribers + "/" + r.subscriberID("80002")).ok()
	gone := r.get(reception + "/forwards").ok()
	if name, there := gone.at("data.groupForwards.0").(map[string]any)["name"]; !there || name != nil {
		t.Errorf("the name of a destination that is gone: %s", gone.body)
	}
	r.get(cloud+"/groups/5b7d0c0ffeeb00000000000c/forwards").fails(404, 404000) // the door phone
}

func TestForwardsOfACallQueue(t *testing.T) {
	r := start(t, sandbox.Options{})
	r.put(queue+"/forwards/overflow", map[string]any{"activate": true, "enable": true, "immediateOverflowWhenEmpty": true, "destinationType": "welcomeservice",
		"welcomeServiceId": serviceID, "noReplyDelay": 5}).ok().want("data.enable", "true", "data.immediateOverflowWhenEmpty", "true", "data.noReplyDelay", "5")
	r.put(queue+"/forwards/overflow", map[string]any{"activate": false, "enable": false}).ok().want("data", "map[activate:false enable:false type:overflow]")
	r.get(queue+"/forwards").ok().want("data.groupForwards.1.enable", "false")
	r.put(queue+"/forwards/overflow", map[string]any{"activate": false}).fails(400, 400000)
	r.put(queue+"/forwards/immediate", map[string]any{"activate": false}).fails(400, 400000)
}

func TestForwardFaults(t *testing.T) {
	r := start(t, sandbox.Options{})
	before := r.get(reception + "/forwards").ok().body
	for name, test := range map[string]struct {
		body         map[string]any
		status, code int
	}{
		"no activate":              {map[string]any{"destinationType": "voicemail"}, 400, 400000},
		"no destination":           {map[string]any{"activate": true}, 400, 400000},
		"an unknown destination":   {map[string]any{"activate": true, "destinationType": "fax"}, 400, 400000},
		"no number":                {map[string]any{"activate": true, "destinationType": "internalnumber"}, 400, 400000},
		"a number of nobody":       {map[string]any{"activate": true, "destinationType": "internalnumber", "number": "80099"}, 400, 400000},
		"its own number":           {map[string]any{"activate": true, "destinationType": "internalnumber", "number": "2990"}, 400, 400000},
		"not a phone number":       {map[string]any{"activate": true, "destinationType": "externalnumber", "number": "abc"}, 400, 400000},
		"no service":               {map[string]any{"activate": true, "destinationType": "welcomeservice"}, 400, 400000},
		"a welcome, not a service": {map[string]any{"activate": true, "destinationType": "welcomeservice", "welcomeServiceId": welcomeID}, 404, 404000},
		"an unknown attendant":     {map[string]any{"activate": true, "destinationType": "autoattendant", "rvcpAutoAttendantId": serviceID}, 404, 404000},
		"a short delay":            {map[string]any{"activate": true, "destinationType": "voicemail", "noReplyDelay": 4}, 400, 400000},
		"a long delay":             {map[string]any{"activate": true, "destinationType": "voicemail", "noReplyDelay": 181}, 400, 400000},
		"a member of call queues":  {map[string]any{"activate": true, "destinationType": "voicemail", "enable": true}, 400, 400000},
	} {
		t.Run(name, func(t *testing.T) { r.put(reception+"/forwards/overflow", test.body).fails(test.status, test.code) })
	}
	r.put(reception+"/forwards/busy", map[string]any{"activate": false}).fails(400, 400000)
	if after := r.get(reception + "/forwards").ok().body; string(after) != string(before) {
		t.Errorf("a refused forward changed something: %s", after)
	}
}

func TestVoicemailGreetingsOfAGroup(t *testing.T) {
	r := start(t, sandbox.Options{})
	greetings := reception + "/voicemail-greetings"
	r.get(greetings).ok().want("data", "[]")
	first := r.upload("POST", greetings, audioOf(1)).ok().want("data.type", "unavailable", "data.id", "50001")
	r.upload("POST", greetings, audioOf(2)).ok().want("data.type", "busy")
	r.upload("POST", greetings, audioOf(2)).fails(409, 409000)
	r.upload("POST", greetings, "not a sound").fails(400, 400000)
	r.upload("POST", queue+"/voicemail-greetings?type=busy", audioOf(1)).ok().want("data.type", "busy")
	r.upload("POST", queue+"/voicemail-greetings?type=asleep", audioOf(1)).fails(400, 400000)
	one := greetings + "/" + first.text("data.id")
	r.audio(one, "").holds(audioOf(1))
	r.upload("PUT", one, audioOf(3)).ok().want("status", "Voicemail greeting has been updated")
	r.upload("PUT", one, "").fails(400, 400000)
	r.audio(one, "application/json").holds(audioOf(3)) // there is no descriptor
	r.get(queue+"/voicemail-greetings/50001").fails(404, 404000)
	r.delete(one).ok().want("status", "Voicemail greeting has been deleted")
	r.delete(one).fails(404, 404000)
	r.upload("PUT", one, audioOf(1)).fails(404, 404000)
	if n := r.get(greetings).ok().size("data"); n != 1 {
		t.Errorf("%d greetings are left, want 1", n)
	}
}
