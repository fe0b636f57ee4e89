package sandbox_test

import (
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

const recordings = cloud + "/recordings"

func TestRecordingLists(t *testing.T) {
	r := start(t, sandbox.Options{})
	r.get(recordings).ok().want("total", "9", "limit", "100", "data.0.date", "2024-01-15T10:20:56.000Z", "data.0.duration", "19", "data.8.duration", "3",
		"data.8.recordedParty.name", "Reception", "data.8.fileName", "2024-01-15_09:00:00_2990_record.wav", "data.8.mime", "audio/x-wav", "data.8.size", "48044",
		"data.0.callId", "")
	r.get(recordings+"?limit=2&offset=8").ok().want("total", "9", "data.0.duration", "3")
	r.get(recordings+"?sortOrder=1").ok().want("data.0.duration", "3")
	r.get(recordings+"?sortField=otherNumber&sortOrder=1&limit=1").ok().want("data.0.otherParty.number", "+33199000980")
	for query, total := range map[string]string{
		"fromDate=2024-01-15T10:00:00Z": "3", "toDate=2024-01-15T09:00:00.000Z": "0", "fromDate=2024-01-15T09:00:00.000Z": "8", "toDate=2024-01-16": "9",
		"fromDate=2024-01-15T11:05:00%2B01:00": "2", "recordedName=RECEP": "3", "recordedNumber=8000": "6", "otherNumber=331990009": "3",
		"phoneNumberId=" + r.subscriberID("80001"): "3", "recordedName=nobody": "0", "fromDate=undefined": "9",
	} {
		r.get(recordings+"?"+query).ok().want("total", total)
	}
	r.get(recordings+"?fromDate=yesterday").fails(400, 400000)
}

func TestRecordingFiles(t *testing.T) {
	r := start(t, sandbox.Options{})
	list := r.get(recordings).ok()
	id := list.text("data.8.id")
	one := recordings + "/" + id
	r.get(one).ok().want("data.id", id, "data.direction", "in", "data.otherParty.number", "+33199000980", "data.recordedParty.groupId", receptionID)
	file := r.audio(one, "audio/x-wav")
	if file.contentType != "audio/x-wav" || len(file.body) != 48044 || string(file.body[:4]) != "RIFF" {
		t.Errorf("audio: %s, %d bytes", file.contentType, len(file.body))
	}
	if other := r.audio(recordings+"/"+list.text("data.7.id"), "audio/x-wav"); string(other.body[:5000]) == string(file.body[:5000]) {
		t.Error("two recordings sound the same")
	}
	// A recording sounds as long as it says: what is uploaded is measured.
	r.upload("PUT", greetings+"/music_on_hold", string(file.body)).ok().want("data.duration", "3")

	r.delete(one).ok().want("status", "Record id "+id+" successfully deleted")
	r.get(one).fails(404, 404000)
	r.delete(one).fails(404, 404000)
	r.delete(recordings).fails(400, 400000)
	r.delete(recordings+"?recordIds="+list.text("data.0.id")+","+id).fails(404, 404000)
	r.get(recordings).ok().want("total", "8")
	r.delete(recordings+"?recordIds="+list.text("data.0.id")+","+list.text("data.1.id")).ok().want("status", "Records successfully deleted")
	r.get(recordings).ok().want("total", "6")
	r.get(recordings+"/5b7d0c0ffeeb000000000028").fails(404, 404000) // the neighbour's
}

func TestRecordingProfiles(t *testing.T) {
	r := start(t, sandbox.Options{})
	id := r.subscriberID("80001")
	r.get(subscribers+"/"+id).ok().want("data.recordingProfile", "none", "data.isRecordingActivated", "false")
	r.put(recordings+"/"+id, map[string]any{"recordingProfile": "external_only"}).ok().want("data", "map[recordingProfile:external_only]")
	r.get(subscribers+"/"+id).ok().want("data.recordingProfile", "external_only", "data.isRecordingActivated", "true")
	r.put(recordings+"/"+id, map[string]any{"recordingProfile": "none"}).ok()
	r.get(subscribers+"/"+id).ok().want("data.isRecordingActivated", "false")
	r.put(recordings+"/"+id, map[string]any{"recordingProfile": "some"}).fails(400, 400000)
	r.put(recordings+"/"+id, map[string]any{}).fails(400, 400000)
	r.put(recordings+"/"+receptionID, map[string]any{"recordingProfile": "all"}).fails(404, 404000)
	r.put(cloud+"/recording-settings", map[string]any{"announcementProfile": "internal_only"}).ok().want("status", "Recording announcement profile successfully updated")
	r.put(cloud+"/recording-settings", map[string]any{"announcementProfile": "loud"}).fails(400, 400000)
	r.put(cloud+"/recording-settings", map[string]any{}).fails(400, 400000)
	r.get(voice+"/recordings").fails(403, 403000) // superadmin and organization_admin only
}
