package contract_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"
)

// silence is a WAV file of so many seconds: 8 kHz, 8 bit, one channel.
func silence(seconds int) string {
	n := uint32(8000 * seconds)
	b := []byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00data")
	b = binary.LittleEndian.AppendUint32(b, n)
	b = append(b, bytes.Repeat([]byte{0x80}, int(n))...)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	return string(b)
}

// greetingSteps upload a prompt for the suite's own user.
func greetingSteps() []step {
	scope := func(s *session) string { return "?userId=" + s.fact("the suite's user") }
	file := func(s *session) string { return s.cloud() + "/greetings/" + s.fact("the suite's greeting") }
	return []step{
		{"rvcpprovisioning/UploadGreeting", owns, func(s *session) reply {
			r := s.send(request{method: "PUT", path: s.cloud() + "/greetings/user_busy" + scope(s), body: silence(1), contentType: "audio/wav"})
			return s.keep("the suite's greeting", r, "data.fileId")
		}},
		{"rvcpprovisioning/RestoreGreeting", owns, func(s *session) reply {
			return s.post(s.cloud()+"/greetings/user_busy/restore"+scope(s), nil)
		}},
		{"rvcpprovisioning/ActivateGreeting", owns, func(s *session) reply { return s.post(file(s)+"/activate", nil) }},
		{"rvcpprovisioning/DeleteGreeting", owns, func(s *session) reply {
			s.post(s.cloud()+"/greetings/user_busy/restore"+scope(s), nil)
			return s.delete(file(s))
		}},
	}
}

// welcomeSteps make a welcome and a service that follows it.
func welcomeSteps() []step {
	ivrs := func(s *session) string { return s.cloud() + "/ivrs" }
	overflow := func(s *session) map[string]any {
		return map[string]any{"type": "user", "destinationId": s.fact("the suite's user")}
	}
	return []step{
		{"rvcpprovisioning/CreateWelcome", owns, func(s *session) reply {
			return s.keep("the suite's welcome", s.post(ivrs(s)+"/welcomes", s.documented("rvcpprovisioning/CreateWelcome", members{"name": s.label})), "data.id")
		}},
		{"rvcpprovisioning/UpdateWelcomeOfficeHours", owns, func(s *session) reply {
			exception := map[string]any{"year": 2021, "month": 3, "mday": 9, "periods": []any{[]any{"00:00", "23:59"}}, "open": false}
			return s.put(ivrs(s)+"/welcomes/officehours/"+s.fact("the suite's welcome"), map[string]any{"officehours": map[string]any{"exceptions": []any{exception}}})
		}},
		{"rvcpprovisioning/GetWelcomeOfficeHours", reads, func(s *session) reply {
			return s.get(ivrs(s) + "/welcomes/officehours/" + s.either("the suite's welcome", "a welcome"))
		}},
		{"rvcpprovisioning/CreateWelcomeService", owns, func(s *session) reply {
			change := members{
				"name": s.label, "welcomeId": s.fact("the suite's welcome"), "openHoursOverflow": overflow(s), "closedHoursOverflow": nil, "companyCalendarId": nil, "externalNumberId": nil,
			}
			if s.rainbow != nil { // a DDI and a calendar of the company are taken in the sandbox only
				change["externalNumberId"] = s.find("a free DDI", s.cloud()+"/phone-numbers/ddi?isAssigned=false&limit=2", "data.1.id")
				change["companyCalendarId"] = "5b7d0c0ffeeb000000000013"
			}
			return s.keep("the suite's service", s.post(ivrs(s)+"/welcomeservices", s.documented("rvcpprovisioning/CreateWelcomeService", change)), "data.id")
		}},
		{"rvcpprovisioning/UpdateGreetingSettings", owns, func(s *session) reply {
			list := s.get(s.cloud() + "/greetings?ivrId=" + s.fact("the suite's service"))
			for i := range 20 { // only some greetings loop
				if list.text(fmt.Sprintf("data.greetings.%d.greetingId", i)) == "afterhours" {
					file := list.text(fmt.Sprintf("data.greetings.%d.fileId", i))
					return s.put(s.cloud()+"/greetings/"+file+"/settings", s.documented("rvcpprovisioning/UpdateGreetingSettings", nil))
				}
			}
			panic(missing{"a greeting that loops"})
		}},
		{"rvcpprovisioning/UpdateIvr", owns, func(s *session) reply {
			body := s.documented("rvcpprovisioning/UpdateIvr", members{"closedHoursOverflow": overflow(s), "name": s.label, "welcomeId": nil, "externalNumberId": nil})
			return s.put(ivrs(s)+"/"+s.fact("the suite's service"), body)
		}},
		{"rvcpprovisioning/DeleteIvr", owns, func(s *session) reply {
			r := s.delete(ivrs(s) + "/" + s.fact("the suite's service"))
			s.delete(ivrs(s) + "/" + s.fact("the suite's welcome"))
			return r
		}},
	}
}

// sheetSteps check, import and report sheets. Their rows name users of the
// sandbox, so they are for it alone.
func sheetSteps() []step {
	const imports = mass + "/users/imports"
	rows := []string{
		"__action__;loginEmail;pbxId;pbxShortNumber;pbxInternalNumber;number",
		"attach;user000001@sandbox.example;;3001;;", "detach;user000002@sandbox.example;;;;",
	}
	more := func(extra ...string) []string { return append(append([]string{}, rows...), extra...) }
	return []step{
		{"massprovisioning/CheckUsersImport", company, func(s *session) reply {
			return s.sheet(imports+"/check", more("force_attach;a@b.example;;3002;;")...)
		}},
		{"massprovisioning/ImportUsers", company, func(s *session) reply { return s.sheet(imports, rows...) }},
		{"massprovisioning/GetUsersImportReport", company, func(s *session) reply {
			return s.settled(s.sheet(imports, more("attach;admin@sandbox.example;;3009;;")...), "")
		}},
		{"massprovisioning/GetUsersImportReport.small", company, func(s *session) reply {
			return s.settled(s.sheet(imports, more("% once more")...), "?format=small")
		}},
		{"massprovisioning/ListUsersImports", company, func(s *session) reply { return s.get(imports) }},
		{"massprovisioning/DeleteUsersImportReport", company, func(s *session) reply {
			r := s.sheet(imports, more("% gone")...)
			s.settled(r, "")
			return s.delete(imports + "/" + r.text("data.reqId") + "/details")
		}},
		{"massprovisioning/CheckUsersSynchronize", company, func(s *session) reply {
			return s.sheet(imports+"/synchronize/check?commandId=c", "__action__;loginEmail;service0", "sync;a@b.example;Enterprise Demo",
				"upsert;b@b.example;", "delete;c@b.example;", "detach;d@b.example;")
		}},
		{"massprovisioning/GetUsersSynchronizeCheckReport", company, func(s *session) reply {
			return s.get(imports + "/synchronize/check/c/report")
		}},
		{"massprovisioning/SynchronizeUsers", company, func(s *session) reply {
			r := s.sheet(imports+"/synchronize?commandId=c", "__action__;loginEmail", "upsert;sync@sandbox.example", "detach;sync@sandbox.example")
			s.settled(r, "")
			return r
		}},
		{"massprovisioning/GetUsersSynchronizeReport", company, func(s *session) reply { return s.get(imports + "/synchronize/c/report") }},
		{"massprovisioning/CreateUsersSynchronizeReport", company, func(s *session) reply {
			return s.post(imports+"/synchronize/d/report", s.documented("massprovisioning/CreateUsersSynchronizeReport", members{"details": "none"}))
		}},
	}
}

// settled waits for the end of an import and answers its report.
func (s *session) settled(started reply, format string) reply {
	s.t.Helper()
	path := mass + "/users/imports/" + started.text("data.reqId") + "/details"
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		if r := s.get(path + format); r.text("data.status") == "Terminated" {
			return r
		}
		if time.Now().After(deadline) {
			s.t.Fatal("an import does not end")
		}
	}
}
