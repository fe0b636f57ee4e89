package conformance_test

import (
	"net/url"
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

func parsedURL(t testing.TB, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func walkImports(w *walk) {
	w.do("massprovisioning/GetAbout")
	w.do("GetUsersTemplate", query("mode=user")).isFile("text/csv", "__action__;")
	sheet := csv("__action__;loginEmail;firstName;lastName", "create;import@sandbox.example;\"Im;port\";é")
	w.do("CheckUsersImport", sheet)
	id := w.do("ImportUsers", query("label=walk"), sheet).text("data.reqId")
	w.wait("data.status", "Terminated", "GetUsersImportReport", at(id), query("format=full")).text("data.counters.succeeded")
	w.do("ListUsersImports", query("companyId="+sandbox.CompanyID))
	w.do("DeleteUsersImportReport", at(id))
	voice := csv("__action__;loginEmail;shortNumber;macAddress;ddiE164Number;password;firstName;lastName;service0",
		`upsert;user01@company.example;81011;aa:bb:cc:dd:ee:02;33298300513;Password_123;First01;Last;"Voice Enterprise 3-Year prepaid"`)
	w.do("CheckRainbowVoice", voice)
	id = w.do("ImportRainbowVoice", voice).text("data.reqId")
	if n := w.wait("data.status", "Terminated", "GetUsersImportReport", at(id)).text("data.counters.succeeded"); n != "1" {
		w.t.Errorf("%s rows of the sheet succeeded, want 1", n)
	}
}

func walkCommands(w *walk) {
	sheet := csv("__action__;loginEmail;firstName", "sync;command@sandbox.example;Ana")
	w.do("CheckUsersSynchronize", query("commandId=walk"), sheet)
	w.do("GetUsersSynchronizeCheckReport", at("walk"))
	id := w.do("SynchronizeUsers", query("commandId=walk"), sheet).text("data.reqId")
	w.wait("data.status", "Terminated", "GetUsersImportReport", at(id))
	w.do("GetUsersSynchronizeReport", at("walk"))
	w.do("CreateUsersSynchronizeReport", at("walk2"), body(object{"status": "success", "details": "none"}))
	w.do("ExportUsers", query("format=csv"))
}

func walkDirectories(w *walk) {
	w.do("ImportDirectory", query("label=walk&companyId="+sandbox.CompanyID), csv("firstName;lastName;workPhoneNumber0", "Ana;Bell;+33199009901"))
	w.do("GetDirectoryImportStatus", at(sandbox.CompanyID))
	sheet := csv("__action__;ldap_id;lastName;mobilePhoneNumber0", "upsert;a1;Adams;+33199009911")
	w.do("CheckDirectorySynchronize", query("commandId=try&delimiter=%3B"), sheet)
	w.do("SynchronizeDirectory", query("commandId=one"), sheet)
	w.do("GetDirectorySynchronizeReport", at("one"))
	w.do("CreateDirectorySynchronizeReport", at("two"), body(object{"status": "failure", "details": "no connection"}))
	w.do("ExportDirectory", query("format=all"))
}

func walkTenants(w *walk) {
	w.do("SynchronizeTenant", at(sandbox.TenantID), query("format=csv"))
	w.do("StartSynchronizeTenantTask", at(sandbox.TenantID), body(object{}))
	w.do("GetSynchronizeTenantTask", at(sandbox.TenantID))
}
