package sandbox_test

import (
	"bytes"
	"encoding/binary"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

const greetings = cloud + "/greetings"

// audioOf is a WAV file of so many seconds: 8 kHz, 8 bit, silence.
func audioOf(seconds int) string {
	n := uint32(8000 * seconds)
	b := []byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00data")
	b = binary.LittleEndian.AppendUint32(b, n)
	return string(append(b, bytes.Repeat([]byte{0x80}, int(n))...))
}

// upload sends an audio file.
func (r *rainbow) upload(method, path, file string) answer {
	r.t.Helper()
	return r.send(method, path, file, http.Header{"Authorization": {"Bearer " + r.token}, "Content-Type": {"audio/wav"}})
}

// audio asks for a file with an Accept header.
func (r *rainbow) audio(path, accept string) answer {
	r.t.Helper()
	header := http.Header{"Authorization": {"Bearer " + r.token}}
	if accept != "" {
		header.Set("Accept", accept)
	}
	return r.send("GET", path, "", header)
}

// holds fails the test unless the answer is that audio file.
func (a answer) holds(file string) {
	a.t.Helper()
	if a.status != 200 || !strings.HasPrefix(a.contentType, "audio/") || string(a.body) != file {
		a.t.Errorf("%s: got %d %q, %d bytes, want audio of %d bytes", a.what, a.status, a.contentType, len(a.body), len(file))
	}
}

func TestGreetingLifecycle(t *testing.T) {
	t.Parallel()
	r := start(t, sandbox.Options{})
	list := r.get(greetings).ok().want("data.greetings.0.greetingId", "music_on_hold", "data.greetings.0.isDefault", "true", "data.greetings.0.isActive", "true",
		"data.greetings.0.duration", "12", "data.greetings.0.size", "192044", "data.greetings.0.loopPlay", "true")
	prompt := greetings + "/" + list.text("data.greetings.0.fileId")
	if n := len(r.audio(prompt, "audio/*").body); n != 192044 {
		t.Errorf("the default prompt has %d bytes, announced are 192044", n)
	}

	first := r.upload("PUT", greetings+"/music_on_hold?fileName=land_of_my_father.wav&description=a+song", audioOf(2)).ok()
	first.want("status", "Greeting music_on_hold successfully uploaded", "data.duration", "2", "data.size", "16044", "data.isActive", "true", "data.isDefault", "false",
		"data.fileName", "land_of_my_father.wav", "data.description", "a song", "data.loopPlay", "true")
	r.get(prompt).ok().want("data.isActive", "false", "data.greetingId", "music_on_hold")
	second := r.upload("PUT", greetings+"/music_on_hold", audioOf(3)).ok().want("data.fileName", "music_on_hold.wav")
	one, two := greetings+"/"+first.text("data.fileId"), greetings+"/"+second.text("data.fileId")
	r.get(one).ok().want("data.isActive", "false")
	r.audio(one, "audio/wav").holds(audioOf(2))
	if name := r.audio(one, "audio/wav").header.Get("Content-Disposition"); name != "attachment; filename=land_of_my_father.wav" {
		t.Errorf("Content-Disposition is %q", name)
	}
	r.audio(one, "application/json, audio/wav").ok().want("data.fileName", "land_of_my_father.wav")

	r.delete(two).fails(409, 409000)    // active
	r.delete(prompt).fails(409, 409000) // default
	r.post(one+"/activate", nil).ok().want("status", "Greeting "+first.text("data.fileId")+" / music_on_hold successfully activated", "data.isActive", "true")
	r.get(two).ok().want("data.isActive", "false")
	r.delete(two).ok().want("status", "Greeting 'music_on_hold' with fileId "+second.text("data.fileId")+" successfully deleted")
	r.get(two).fails(404, 404000)
	r.post(greetings+"/music_on_hold/restore", nil).ok().want("status", "Greeting music_on_hold successfully restored", "data.isDefault", "true", "data.isActive", "true")
	r.get(one).ok().want("data.isActive", "false")
	r.post(one+"/activate", nil).ok()
	r.post(prompt+"/activate", nil).ok().want("data.isDefault", "true", "data.isActive", "true") // as good as restore
	r.get(one).ok().want("data.isActive", "false")

	r.upload("PUT", greetings+"/custom_announcement_welcome", audioOf(1)).ok()
	if n := r.get(greetings).ok().size("data.greetings"); n != 5 {
		t.Errorf("%d greetings, want three defaults and two uploads", n)
	}
	cleared := r.post(greetings+"/custom_announcement_welcome/restore", nil).ok().want("data.isDefault", "true", "data.isActive", "false", "data.fileId", "")
	if cleared.text("data.greetingId") != "custom_announcement_welcome" {
		t.Errorf("restored: %s", cleared.body)
	}
	r.delete(greetings).ok().want("status", "Greetings successfully cleaned")
	r.get(one).fails(404, 404000)
	r.get(greetings).ok().want("data.greetings.0.isActive", "true")

	r.upload("PUT", greetings+"/music_on_hold", "MP3?").fails(400, 400000)
	r.upload("PUT", greetings+"/music_on_hold", "").fails(400, 400000)
	r.upload("PUT", greetings+"/music_on_hold", audioOf(1400)).fails(413, 413000)
	r.upload("PUT", greetings+"/jingle_bells", audioOf(1)).fails(404, 404000)
	r.get(greetings+"/music_on_hold").fails(404, 404000) // a name is not a file
	r.get(greetings+"/5b7d0c0ffeee0ff000000101").fails(404, 404000)
}

func TestGreetingScopes(t *testing.T) {
	r := start(t, sandbox.Options{})
	user := r.userID(seeded(1))
	for scope, want := range map[string][]string{
		"userId=" + user: {"user_busy", "user_unavailable"}, "groupId=" + receptionID: {"hg_unavailable"},
		"callQueueId=" + queueID: {"cq_unavailable", "waiting_music"}, "ivrId=" + serviceID: {"officehours", "afterhours"},
		"ivrId=" + welcomeID: {"officehours", "afterhours"}, "attendant=true": {"attendant_on_hold"},
		"attendant=false": {"music_on_hold", "callee_busy", "callee_unavailable"}, "autoAttendantMenuId=" + menuID: {},
	} {
		a := r.get(greetings + "?" + scope).ok()
		if n := a.size("data.greetings"); n != len(want) {
			t.Errorf("%s: %d greetings, want %v", scope, n, want)
			continue
		}
		for i, name := range want {
			item := "data.greetings." + string(rune('0'+i))
			a.want(item+".greetingId", name)
			r.get(greetings+"/"+a.text(item+".fileId")).ok().want("data.greetingId", name, "data.description", a.text(item+".description"))
		}
	}
	r.get(greetings+"?userId="+user).ok().want("data.greetings.0.duration", "4.1", "data.greetings.0.size", "65644")

	// An upload is seen in its scope only.
	mine := r.upload("PUT", greetings+"/user_unavailable?userId="+user+"&fileName=i_am_not_avail.wav", audioOf(1)).ok()
	r.get(greetings+"?userId="+user).ok().want("data.greetings.1.isActive", "false", "data.greetings.2.fileId", mine.text("data.fileId"))
	r.get(greetings+"?userId="+r.userID(seeded(2))).ok().want("data.greetings.1.isActive", "true")
	r.upload("PUT", greetings+"/menu_key_action_0?autoAttendantMenuId="+menuID+"&fileName=support_service.wav", audioOf(1)).ok()
	r.get(greetings+"?autoAttendantMenuId="+menuID).ok().want("data.greetings.0.fileName", "support_service.wav")
	r.post(greetings+"/hg_unavailable/restore?groupId="+receptionID, nil).ok()
	r.post(greetings+"/cq_unavailable/restore?callQueueId="+queueID, nil).ok()

	// The guide's examples without a scope hold for the company.
	r.upload("PUT", greetings+"/hg_unavailable?fileName=group_not_opened.wav", audioOf(1)).ok()
	r.post(greetings+"/attendant_on_hold/restore", nil).ok().want("data.isDefault", "true")
	r.upload("PUT", greetings+"/attendant_on_hold?fileName=seaside.wav", audioOf(1)).ok()
	r.get(greetings+"?attendant=true").ok().want("data.greetings.1.fileName", "seaside.wav")
	if n := r.get(greetings).ok().size("data.greetings"); n != 5 {
		t.Errorf("%d greetings of the company, want its three, and default and upload of hg_unavailable", n)
	}
	r.delete(greetings).ok()
	r.get(greetings+"?attendant=true").ok().want("data.greetings.1.fileName", "seaside.wav") // another scope
	r.delete(greetings + "?attendant=true").ok()
	r.get(greetings+"?userId="+user).ok().want("data.greetings.2.fileId", mine.text("data.fileId"))

	for name, path := range map[string]string{
		"two scopes": "?userId=" + user + "&groupId=" + receptionID,
	} {
		if a := r.get(greetings + path); a.status != 400 {
			t.Errorf("%s: %d", name, a.status)
		}
	}
	for _, path := range []string{
		"?userId=" + r.userID(sandbox.AdminLogin), "?groupId=" + queueID, "?callQueueId=" + receptionID, "?ivrId=" + user, "?autoAttendantMenuId=" + mainMenuID,
	} {
		r.get(greetings+path).fails(404, 404000)
	}
	r.upload("PUT", greetings+"/music_on_hold?userId="+user, audioOf(1)).fails(404, 404000)
	r.upload("PUT", greetings+"/user_busy?groupId="+receptionID, audioOf(1)).fails(404, 404000)

	// The extension goes, and its greetings with it.
	r.delete(subscribers + "/" + r.subscriberID("80001")).ok()
	r.get(greetings+"/"+mine.text("data.fileId")).fails(404, 404000)
	r.get(greetings+"?userId="+user).fails(404, 404000)
}

func TestGreetingSettings(t *testing.T) {
	r := start(t, sandbox.Options{})
	file := func(scope string, at string) string {
		return greetings + "/" + r.get(greetings+"?"+scope).ok().text("data.greetings."+at+".fileId")
	}
	afterhours, officehours := file("ivrId="+serviceID, "1"), file("ivrId="+serviceID, "0")
	r.put(afterhours+"/settings", map[string]any{"loopPlay": true}).ok().
		want("status", "Settings of greeting "+strings.TrimPrefix(afterhours, greetings+"/")+" / afterhours successfully modified", "data.loopPlay", "true")
	r.get(afterhours).ok().want("data.loopPlay", "true", "data.isDefault", "true", "data.isActive", "true")
	r.get(greetings+"?ivrId="+serviceID).ok().want("data.greetings.1.loopPlay", "true")
	r.put(officehours+"/settings", map[string]any{"loopPlay": true}).fails(400, 400000)
	r.put(file("x=1", "0")+"/settings", map[string]any{"loopPlay": false}).fails(400, 400000) // music on hold
	r.put(afterhours+"/settings", map[string]any{"loopPlay": "yes"}).fails(400, 400000)
	r.put(afterhours+"/settings", map[string]any{}).ok().want("data.loopPlay", "true")
	own := greetings + "/" + r.upload("PUT", greetings+"/afterhours?"+url.Values{"ivrId": {serviceID}}.Encode(), audioOf(1)).ok().text("data.fileId")
	r.put(own+"/settings", map[string]any{"loopPlay": true}).ok().want("data.isActive", "true")
	r.get(own).ok().want("data.loopPlay", "true")
	r.audio(own, "audio/x-wav").holds(audioOf(1))
}
