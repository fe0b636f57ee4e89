package sandbox_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

const directories = mass + "/directories"

func TestDirectoryImports(t *testing.T) {
	clk := newClock()
	r := start(t, sandbox.Options{Clock: clk.time, ImportDelay: 30 * time.Second})
	r.get(directories+"/imports/"+sandbox.CompanyID).fails(404, 404000)
	a := r.post(directories+"/imports?label=contacts&companyId="+sandbox.CompanyID, "firstName;lastName;companyName;workPhoneNumber0;workPhoneNumber1;tags0\n"+
		"Ana;Bell;;+33199009901;+33199009902;vip\n;;Supplies Ltd;+33199009903;;\n;;;+33199009904;;\nNo;Number;;;;\n").ok()
	a.want("data.state", "Initializing", "data.label", "contacts", "data.companyId", sandbox.CompanyID)
	status := directories + "/imports/" + sandbox.CompanyID
	r.get(status).ok().want("data.state", "Creating")
	clk.move(31 * time.Second)
	r.get(status).ok().want("data.state", "Completed with failure", "data.created", "2", "data.failed", "2", "data.displayName", "Sandbox Administrator")
	r.get(directories+"/synchronize?ldap_id=false&format=csv").ok().want("data.1", "Ana;Bell;;;;;;;;;;+33199009901;;;vip;;;", "data.2", ";;Supplies Ltd;;;;;;;;;+33199009903;;;;;;")
	r.get(directories+"/synchronize").ok().want("data", "map[]") // entries with ldap_id only
	r.post(directories+"/imports", "surname\nx\n").fails(400, 400000)
	r.as("admin@vineyard.example").get(status).fails(403, 403301)
	r.as("admin@vineyard.example").post(directories+"/imports?companyId="+sandbox.CompanyID, "lastName\nx\n").fails(403, 403301)
}

func TestDirectorySynchronisation(t *testing.T) {
	r := start(t, sandbox.Options{})
	sheet := "__action__;ldap_id;lastName;mobilePhoneNumber0\nupsert;a1;Adams;+33199009911\n;a2;Baker;+33199009912\ndelete;a3;;\n"
	r.post(directories+"/imports/synchronize/check?delimiter=%3B&comment=%25&commandId=try", sheet).ok().want("data.mode", "directory",
		"data.actions.upsert", "2", "data.actions.delete", "1", "data.columns", "4", "data.delimiter", ";")
	r.get(directories+"/imports/synchronize/try/report").ok().want("status", "success", "report.actions.upsert", "2")
	r.get(directories+"/synchronize").ok().want("data", "map[]") // a check changes nothing
	r.post(directories+"/imports/synchronize?commandId=one", sheet).ok().want("data.created", "2", "data.failed", "1")
	r.get(directories+"/imports/synchronize/one/report").ok().want("status", "failure", "report.created", "2", "report.csvHeaders", "__action__;ldap_id;lastName;mobilePhoneNumber0")
	r.post(directories+"/imports/synchronize?commandId=two", "__action__;ldap_id;lastName\nupsert;a1;Adamson\ndelete;a2;\n").ok().want("data.updated", "1", "data.deleted", "1", "data.failed", "0")
	r.get(directories+"/imports/synchronize/two/report").ok().want("status", "success")
	r.get(directories+"/synchronize?format=all").ok().want("data.jsonContent.a1.lastName", "Adamson", "data.jsonContent.a1.mobilePhoneNumber0", "+33199009911", "data.jsonContent.a2", "")
	r.post(directories+"/imports/synchronize", "lastName\nx\n").fails(400, 400000) // no ldap_id
	r.get(directories+"/imports/synchronize/none/report").fails(404, 404000)
	r.post(directories+"/imports/synchronize/three/report", map[string]any{"status": "failure", "details": "no connection"}).ok().want("status", "failure", "report.details", "no connection")
	r.get(directories+"/imports/synchronize/three/report").ok().want("report.details", "no connection")
	r.post(directories+"/imports/synchronize/three/report", map[string]any{"status": "perhaps"}).fails(400, 400000)
}

func TestOffice365Tenants(t *testing.T) {
	clk := newClock()
	r := start(t, sandbox.Options{Clock: clk.time, ImportDelay: time.Minute})
	tenant, task := mass+"/users/synchronize/"+sandbox.TenantID, mass+"/users/synchronizeTask/"+sandbox.TenantID
	a := r.get(tenant + "?format=csv").ok()
	want := []string{"__action__;loginEmail;firstName;lastName;jobTitle", "create;new.hire@sandbox.example;New;Hire;Trainee",
		"update;user000002@sandbox.example;Bruno;Bernard;Head of sales", "delete;user000003@sandbox.example;;;"}
	if a.size("data") != len(want) {
		t.Fatalf("operations: %s", a.body)
	}
	for i, line := range want {
		if got := a.at("data").([]any)[i]; got != line {
			t.Errorf("line %d is %q, want %q", i, got, line)
		}
	}
	r.get(task).fails(404, 404000)
	r.post(task, map[string]any{}).ok().want("status", "pending")
	r.get(task).ok().want("status", "pending")
	r.delete(admin + "/users/" + r.userID(seeded(3))).ok()
	clk.move(time.Minute)
	if done := r.get(task+"?format=all").ok().want("status", "success"); done.size("data.csvContent") != 3 || strings.Contains(string(done.body), "user000003") {
		t.Errorf("operations after the delete: %s", done.body)
	}
	r.get(mass+"/users/synchronize/other.example").fails(404, 404000)
	r.as("admin@vineyard.example").get(tenant).fails(403, 403301)
}
