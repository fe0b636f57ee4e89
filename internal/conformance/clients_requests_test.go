package conformance_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

func requestQuirks() []quirk {
	return []quirk{
		{"`undefined` as a literal: device list sends `limit=100&offset=undefined&sortOrder=1&assigned=undefined`", func(t *testing.T, w *world) {
			if a := w.get(cloudPBX + "/devices?limit=100&offset=undefined&sortOrder=1&assigned=undefined").ok(t); a.json["limit"] != 100.0 || len(a.list()) == 0 {
				t.Errorf("%.200s", a.body)
			}
		}},
		{"DDI list sends `limit` TWICE", func(t *testing.T, w *world) {
			for _, query := range []string{
				"limit=100&offset=0&limit=undefined", "limit=100&offset=0&limit=false",
				"limit=100&limit=undefined&isAssignedToUser=undefined&isAssignedToGroup=undefined&isAssignedToIVR=undefined&isAssignedToAutoAttendant=undefined",
			} {
				target := cloudPBX + "/phone-numbers/ddi?" + query
				if a := w.get(target).ok(t); a.json["limit"] != 100.0 || len(a.list()) == 0 {
					t.Errorf("%s: %.200s", query, a.body)
				}
				if was, _ := w.script(reply{200, nil, "application/json", []byte("{}")}, "GET", target, "", ""); was.target != target {
					t.Errorf("upstream got %s, sent was %s", was.target, target)
				}
			}
		}},
		{"Emergency-numbers method asks `/barring-options`", func(t *testing.T, w *world) {
			w.get(cloudPBX + "/barring-options").ok(t)
			w.get(cloudPBX + "/emergency-numbers").ok(t)
		}},
		{"`deviceTypeId` is declared a string in the SDK, a number in the spec: accept both", func(t *testing.T, w *world) {
			for i, id := range []string{`"999998"`, `999998`} {
				w.post(cloudPBX+"/devices", fmt.Sprintf(`{"description":"d","deviceTypeId":%s,"ipei":"038070000%d"}`, id, i)).ok(t)
				body := `{"deviceTypeId":` + id + `}`
				if was, _ := w.script(reply{200, nil, "application/json", []byte("{}")}, "POST", cloudPBX+"/devices", "application/json", body); string(was.body) != body {
					t.Errorf("upstream got %s, sent was %s", was.body, body)
				}
			}
		}},
		{"`duration` (debug) likewise", func(t *testing.T, w *world) {
			for _, body := range []string{`{"duration":"60"}`, `{"duration":60}`} {
				if was, _ := w.script(reply{200, nil, "application/json", []byte("{}")}, "POST", cloudPBX+"/devices/1/debug", "application/json", body); string(was.body) != body {
					t.Errorf("upstream got %s, sent was %s", was.body, body)
				}
			}
		}},
		{"DELETE import report carries a JSON body `{}`", func(t *testing.T, w *world) {
			target := mass + "/users/imports/0123/details"
			was, got := w.script(reply{200, nil, "application/json", []byte(`{"data":{"status":"deleted"}}`)}, "DELETE", target, "application/json", "{}")
			if got.ok(t); string(was.body) != "{}" || was.media != "application/json" {
				t.Errorf("upstream got %q %q", was.media, was.body)
			}
			w.remove(target).refused(t, 404, "")
		}},
		{"CSV posts: `text/csv; charset=utf-8` and `comment=%25`; rainbow-cli sends `text/csv`", func(t *testing.T, w *world) {
			for _, media := range []string{"text/csv; charset=utf-8", "text/csv"} {
				target := mass + "/users/imports/check?comment=%25&delimiter=%3B"
				sheet := "\ufeffloginEmail;firstName\r\n% a comment\r\na@sandbox.example;\"é;\"\r\n"
				if was, _ := w.script(reply{200, nil, "application/json", []byte("{}")}, "POST", target, media, sheet); was.target != target || was.media != media || string(was.body) != sheet {
					t.Errorf("upstream got %s %q %q", was.target, was.media, was.body)
				}
				w.send("POST", target, media, sheet).ok(t)
			}
		}},
		{"`label=none`, `noemails=true`, `nostrict=false` are sent as strings by default", func(t *testing.T, w *world) {
			target := mass + "/users/imports?label=none&noemails=true&nostrict=false&delimiter=undefined"
			if was, _ := w.script(reply{200, nil, "application/json", []byte("{}")}, "POST", target, "text/csv", "x"); was.target != target {
				t.Errorf("upstream got %s", was.target)
			}
			w.send("POST", mass+"/users/imports?label=none&noemails=true&nostrict=false", "text/csv", "loginEmail\na@sandbox.example\n").ok(t)
		}},
		{"rainbow-cli's company status builds `/users/imports&companyId=ID` ('&' with no '?')", func(t *testing.T, w *world) {
			if a := w.get(mass + "/users/imports&companyId=" + sandbox.CompanyID).ok(t); a.list() == nil {
				t.Errorf("%s", a.body)
			}
		}},
		{"They go through `sdk.rest.get/post/put/delete (url, token, data, contentType)`", func(t *testing.T, w *world) {
			for _, target := range []string{enduser + "/anything?x=%5B%5d&&", "/api/rainbow/channels/v1.0/channels/a%2Fb/c;d"} {
				for _, method := range []string{"GET", "POST", "PUT", "DELETE"} {
					was, got := w.script(reply{200, nil, "application/json", []byte(` {"data" : 1.10}`)}, method, target, "application/json", ` {"a" : 1e400}`)
					if was.method != method || was.target != target || string(was.body) != ` {"a" : 1e400}` || string(got.body) != ` {"data" : 1.10}` {
						t.Errorf("%s: upstream got %s %s %s, the caller %s", method, was.method, was.target, was.body, got.body)
					}
				}
			}
		}},
	}
}

func importQuirks() []quirk {
	const sheet = "__action__;loginEmail;firstName\ncreate;cli@sandbox.example;Cli\ndelete;nobody@sandbox.example;\n"
	run := func(t *testing.T, w *world) (id string) {
		t.Helper()
		data := w.send("POST", mass+"/users/imports?label=cli", "text/csv", sheet).ok(t).data()
		for _, name := range []string{"reqId", "mode", "status", "userId", "displayName", "label", "startTime"} {
			if data[name] == nil {
				t.Errorf("the started import has no %s", name)
			}
		}
		return fmt.Sprint(data["reqId"])
	}
	report := func(t *testing.T, w *world, id string) map[string]any {
		t.Helper()
		for range 500 {
			if data := w.get(mass + "/users/imports/" + id + "/details").ok(t).data(); data["status"] == "Terminated" {
				return data
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatal("the import does not end")
		return nil
	}
	return []quirk{
		{"The import is asynchronous: POST answers `{data:{reqId, mode, status:\"Pending\", userId, displayName, label, startTime}}`", func(t *testing.T, w *world) {
			data := report(t, w, run(t, w))
			for _, name := range []string{"report", "failingLines", "counters", "startTime", "endTime"} {
				if data[name] == nil {
					t.Errorf("the report has no %s", name)
				}
			}
		}},
		{"any of these missing crashes the CLI", func(t *testing.T, w *world) {
			report(t, w, run(t, w))
			rows := w.get(mass + "/users/imports&companyId=" + sandbox.CompanyID).ok(t).list()
			if len(rows) != 1 {
				t.Fatalf("%d imports, want 1", len(rows))
			}
			row := rows[0].(map[string]any)
			counters, _ := row["counters"].(map[string]any)
			for name, value := range map[string]any{"reqId": row["reqId"], "startTime": row["startTime"], "succeeded": counters["succeeded"],
				"failed": counters["failed"], "warnings": counters["warnings"]} {
				if value == nil {
					t.Errorf("no %s", name)
				}
			}
		}},
		{"`check` prints `data.actions` (number per action)", func(t *testing.T, w *world) {
			actions, _ := w.send("POST", mass+"/users/imports/check", "text/csv", sheet).ok(t).data()["actions"].(map[string]any)
			if actions["add"] != 1.0 || actions["remove"] != 1.0 {
				t.Errorf("actions %v", actions)
			}
		}},
		{"reqId is a hash of the CSV: the same file is refused until its report is deleted", func(t *testing.T, w *world) {
			id := run(t, w)
			report(t, w, id)
			if again := run(t, w); again != id {
				t.Errorf("the same bytes are import %s, then %s", id, again)
			}
			w.remove(mass + "/users/imports/" + id + "/details").ok(t)
			if n := len(w.get(mass + "/users/imports?companyId=" + sandbox.CompanyID).ok(t).list()); n != 0 {
				t.Errorf("%d imports after the report was deleted", n)
			}
		}},
	}
}
