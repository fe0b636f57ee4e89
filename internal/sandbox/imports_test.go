package sandbox_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

const imports = mass + "/users/imports"

func TestAnImportIsPendingThenTerminated(t *testing.T) {
	t.Parallel()
	r := start(t, sandbox.Options{ImportDelay: 150 * time.Millisecond})
	sheet := "__action__;loginEmail;firstName\ncreate;ana@sandbox.example;Ana\ndelete;nobody@sandbox.example;\n"
	a := r.post(imports+"?label=run-1", sheet).ok()
	sum := sha256.Sum256([]byte(sheet))
	reqID := hex.EncodeToString(sum[:])
	a.want("data.reqId", reqID, "data.mode", "user", "data.status", "Pending", "data.label", "run-1", "data.displayName", "Sandbox Administrator",
		"data.userId", r.userID(sandbox.AdminLogin), "data.endTime", "")
	r.get(imports+"?companyId="+sandbox.CompanyID).ok().want("data.0.status", "Pending", "data.0.counters.total", "0")
	r.delete(imports+"/"+reqID+"/details").fails(409, 409000) // still running

	full := r.report(reqID)
	full.want("data.counters.succeeded", "1", "data.counters.failed", "1", "data.counters.warnings", "0", "data.counters.total", "2",
		"data.report.0.status", "succeeded", "data.report.0.action", "create", "data.report.0.userId", r.userID("ana@sandbox.example"),
		"data.report.0.line", "", "data.report.1.status", "failed", "data.report.1.line", "delete;nobody@sandbox.example;",
		"data.failingLines.0", "delete;nobody@sandbox.example;", "data.companyId", sandbox.CompanyID)
	if full.text("data.endTime") == "" {
		t.Error("no endTime")
	}
	small := r.get(imports+"/"+reqID+"/details?format=small").ok().want("data.failingLines.0", "delete;nobody@sandbox.example;")
	if _, there := small.at("data").(map[string]any)["report"]; there {
		t.Error("the small report has rows")
	}
	r.get(imports+"?companyId="+sandbox.CompanyID).ok().want("data.0.counters.failed", "1", "data.0.label", "run-1")
	r.get(imports+"/0000/details").fails(404, 404000)
}

func TestTheSameBytesAreNotRunAgain(t *testing.T) {
	r := start(t, sandbox.Options{})
	sheet := "loginEmail\nana@sandbox.example\n"
	reqID := r.post(imports, sheet).ok().text("data.reqId")
	r.report(reqID).want("data.counters.succeeded", "1")
	r.delete(admin + "/users/" + r.userID("ana@sandbox.example")).ok()
	r.post(imports, sheet).ok().want("data.reqId", reqID, "data.status", "Terminated")
	r.get(admin+"/users?loginEmail=ana@sandbox.example").ok().want("total", "0")
	r.delete(imports+"/"+reqID+"/details").ok().want("data.reqId", reqID, "data.status", "deleted")
	r.delete(imports+"/"+reqID+"/details").fails(404, 404000)
	r.post(imports, sheet).ok().want("data.status", "Pending")
	r.report(reqID).want("data.counters.succeeded", "1")
	r.get(admin+"/users?loginEmail=ana@sandbox.example").ok().want("total", "1")
	if other := r.post(imports, sheet+"% another byte\n").ok().text("data.reqId"); other == reqID {
		t.Error("another byte gave the same reqId")
	}
}

func TestUserMode(t *testing.T) {
	r := start(t, sandbox.Options{})
	header := "__action__;loginEmail;password;firstName;businessPhone0;mobilePhone1;email0;tags0;tags1;isInitialized;visibility;service0"
	r.importSheet(imports, header,
		`;ana@sandbox.example;Passw0rd!;Ana;0199000901;+33639980901;ana@home.example;north;"50% time";true;private;Enterprise Demo`,
		"update;user000001@sandbox.example;;;;;;;;;;",
	).want("data.counters.succeeded", "2", "data.profiles.name", "Enterprise Demo", "data.profiles.assignedAfter", "1")
	ana := admin + "/users/" + r.userID("ana@sandbox.example")
	r.get(ana).ok().want("data.phoneNumbers.0.numberE164", "+33199000901", "data.phoneNumbers.1.numberE164", "+33639980901",
		"data.emails.1.email", "ana@home.example", "data.tags", "[north 50% time]", "data.isInitialized", "true", "data.visibility", "private",
		"data.profiles.1.offerName", "Enterprise Demo")
	r.login("ana@sandbox.example", "Passw0rd!")
	r.get(admin+"/users/"+r.userID(seeded(1))).ok().want("data.firstName", "Alice", "data.visibility", "same_than_company")
	r.importSheet(imports, header,
		"create;ana@sandbox.example;;;;;;;;;;", "update;nobody@sandbox.example;;;;;;;;;;", "delete;nobody@sandbox.example;;;;;;;;;;",
		"update;ana@sandbox.example;weak;;;;;;;;;", "update;ana@sandbox.example;;;12;;;;;;;", "update;ana@sandbox.example;;;;;;;;;sometimes;",
		"update;ana@sandbox.example;;;;;;;;;;No Such Offer", "update;not-a-mail;;;;;;;;;;", "rename;ana@sandbox.example;;;;;;;;;;",
		"update;ana@sandbox.example", `update;ana@sandbox.example;"x" y;;;;;;;;;`,
		"delete;admin@sandbox.example;;;;;;;;;;",
	).want("data.counters.failed", "12", "data.counters.succeeded", "0")
	r.importSheet(imports+"?nostrict=true", header, "create;ana@sandbox.example;;Other;;;;;;;;", "delete;nobody@sandbox.example;;;;;;;;;;").
		want("data.counters.succeeded", "2", "data.counters.warnings", "2")
	r.get(ana).ok().want("data.firstName", "Ana")
	r.importSheet(imports, header, "delete;ana@sandbox.example;;;;;;;;;;").want("data.counters.succeeded", "1")
	r.get(ana).ok().want("data.isTerminated", "true")
}

func TestSyncClearsAndUpsertKeeps(t *testing.T) {
	r := start(t, sandbox.Options{SeedUsers: -1})
	header := "__action__;loginEmail;firstName;lastName;jobTitle;businessPhone1;businessPhone2;tags0;pbxId;pbxShortNumber"
	first := "upsert;ana@sandbox.example;Ana;Lima;Buyer;0199000901;0199000902;north;" + sandbox.EquippedPbxPbxID + ";3001"
	r.importSheet(imports+"/synchronize", header, first).want("data.mode", "useranddevice", "data.counters.succeeded", "1")
	ana := admin + "/users/" + r.userID("ana@sandbox.example")
	r.get(ana).ok().want("data.phoneNumbers.0.shortNumber", "3001", "data.phoneNumbers.1.numberE164", "+33199000901")

	r.importSheet(imports+"/synchronize", header, "upsert;ana@sandbox.example;;;;;0199000903;;;").want("data.counters.succeeded", "1")
	r.get(ana).ok().want("data.jobTitle", "Buyer", "data.phoneNumbers.0.shortNumber", "3001", "data.phoneNumbers.1.numberE164", "+33199000901",
		"data.phoneNumbers.2.numberE164", "+33199000903", "data.tags.0", "north")

	r.importSheet(imports+"/synchronize", header, "sync;ana@sandbox.example;Ana;Costa;;;0199000904;;;").want("data.counters.succeeded", "1")
	a := r.get(ana).ok().want("data.displayName", "Ana Costa", "data.jobTitle", "", "data.tags", "", "data.phoneNumbers.0.numberE164", "+33199000904")
	if a.size("data.phoneNumbers") != 1 {
		t.Errorf("numbers: %v", a.at("data.phoneNumbers"))
	}
	r.get(pbxNumbers+"?isAssignedToUser=true").ok().want("total", "0")

	// Without the columns of the extension a sync leaves it alone.
	r.importSheet(imports+"/synchronize", header, strings.Replace(first, "upsert", "sync", 1)).want("data.counters.succeeded", "1")
	r.importSheet(imports+"/synchronize", "__action__;loginEmail;firstName", "sync;ana@sandbox.example;Anna").want("data.counters.succeeded", "1")
	r.get(ana).ok().want("data.firstName", "Anna", "data.lastName", "Lima", "data.phoneNumbers.0.shortNumber", "3001")
	r.importSheet(imports+"/synchronize", header, "delete;ana@sandbox.example;;;;;;;;").want("data.counters.succeeded", "1")
	r.get(ana).fails(404, 404000)
}

func TestUpsertForcesTheExtension(t *testing.T) {
	r := start(t, sandbox.Options{SeedUsers: -1})
	header := "__action__;loginEmail;pbxShortNumber"
	r.importSheet(imports+"/synchronize", header, "upsert;ana@sandbox.example;3001", "upsert;bob@sandbox.example;3002").want("data.counters.succeeded", "2")
	r.importSheet(imports+"/synchronize", header, "upsert;ana@sandbox.example;3002").want("data.counters.succeeded", "1")
	r.get(pbxNumbers+"?format=full&isAssignedToUser=true").ok().want("total", "1", "data.0.shortNumber", "3002", "data.0.userId", r.userID("ana@sandbox.example"))
	r.importSheet(imports+"/synchronize", header, "detach;ana@sandbox.example;").want("data.counters.succeeded", "1")
	r.get(pbxNumbers+"?isAssignedToUser=true").ok().want("total", "0")
}

func TestCommands(t *testing.T) {
	r := start(t, sandbox.Options{})
	base := imports + "/synchronize"
	sheet := "__action__;loginEmail;firstName\nsync;ana@sandbox.example;Ana\n"
	r.get(base+"/cmd1/report").fails(404, 404000)
	r.get(base+"/check/cmd1/report").fails(404, 404000)
	r.post(base+"/check?commandId=cmd1", sheet).ok().want("data.actions.sync", "1")
	r.get(base+"/check/cmd1/report").ok().want("status", "success", "report.actions.sync", "1", "report.mode", "useranddevice")
	reqID := r.post(base+"?commandId=cmd1", sheet).ok().text("data.reqId")
	r.report(reqID)
	r.get(base+"/cmd1/report").ok().want("status", "success", "report.reqId", reqID, "report.counters.succeeded", "1")
	r.importSheet(base+"?commandId=cmd1", "__action__;loginEmail", "detach;nobody@sandbox.example")
	r.get(base+"/cmd1/report").ok().want("status", "failure", "report.counters.failed", "1") // the last one
	r.post(base+"/cmd2/report", map[string]any{"status": "failure", "details": "directory out of reach"}).ok().
		want("status", "failure", "report.details", "directory out of reach")
	r.get(base+"/cmd2/report").ok().want("report.details", "directory out of reach")
	r.post(base+"/cmd2/report", map[string]any{"status": "maybe"}).fails(400, 400000)
}

func TestChecksCountAndChangeNothing(t *testing.T) {
	r := start(t, sandbox.Options{})
	voiceCheck := r.post(imports+"/rainbowvoice/check", strings.Join([]string{
		"__action__,loginEmail,shortNumber,service0,service1",
		"upsert,a@sandbox.example,81001,Voice Attendant,Enterprise Demo", "upsert,b@sandbox.example,81002,Voice Attendant,",
		"upsert,user000001@sandbox.example,,Voice Enterprise 3-Year prepaid,", "delete,user000002@sandbox.example,,,", "detach,user000003@sandbox.example,80003,,",
		"upsert,c@sandbox.example,,No Such Offer,",
	}, "\n")).ok()
	voiceCheck.want("data.mode", "rainbowvoice", "data.actions.upsert", "4", "data.actions.delete", "1", "data.actions.detach", "1",
		"data.columns", "5", "data.delimiter", ",", "data.profiles.0.name", "Voice Attendant", "data.profiles.0.assignedAfter", "2",
		"data.profiles.0.max", "5", "data.profiles.0.valid", "true", "data.profiles.2.assignedBefore", "20", "data.profiles.2.assignedAfter", "19",
		"data.profiles.3.valid", "false")
	device := r.post(imports+"/check", "__action__;loginEmail;pbxShortNumber\nattach;a@sandbox.example;3001\nforce_attach;b@sandbox.example;3002\n").ok()
	device.want("data.mode", "device", "data.actions.attach", "1", "data.actions.force_attach", "1", "data.profiles", "map[]")
	user := r.post(imports+"/check", "__action__;loginEmail\n;a@sandbox.example\ncreate;b@sandbox.example\ndelete;c@sandbox.example\n").ok()
	user.want("data.mode", "user", "data.actions.add", "2", "data.actions.remove", "1", "data.actions.update", "")
	var many []string
	for i := range 7 {
		many = append(many, fmt.Sprintf("x%d@sandbox.example;Voice Attendant", i))
	}
	r.post(imports+"/check", "loginEmail;service0\n"+strings.Join(many, "\n")).ok().want("data.profiles.assignedAfter", "7", "data.profiles.valid", "false")
	r.get(admin+"/users").ok().want("total", "21")
	r.get(imports+"?companyId="+sandbox.CompanyID).ok().want("data", "[]")
	// Past the maximum the import fails row by row.
	r.importSheet(imports, append([]string{"loginEmail;service0"}, many...)...).want("data.counters.succeeded", "5", "data.counters.failed", "2",
		"data.profiles.assignedAfter", "5")
}

func TestSheetsThatCannotBeRead(t *testing.T) {
	r := start(t, sandbox.Options{})
	for name, sheet := range map[string]string{
		"empty": "", "only comments": "% nothing\n", "no login": "firstName;lastName\nA;B\n", "unknown column": "loginEmail;loginMail\na@b.example;\n",
		"column of another mode": "loginEmail;macAddress\na@b.example;\n", "column twice": "loginEmail;title;title\na@b.example;;\n", "not UTF-8": "loginEmail\n\xff\xfe\n",
	} {
		t.Run(name, func(t *testing.T) { r.post(imports, sheet).fails(400, 400000) })
	}
	r.post(imports+"?delimiter=%3B%3B", "loginEmail\n").fails(400, 400000)
	r.post(imports+"?companyId="+sandbox.NeighbourCompanyID, "loginEmail\n").fails(403, 403301)
}

func TestTemplates(t *testing.T) {
	r := start(t, sandbox.Options{})
	for mode, want := range map[string]string{
		"": "mobilePhone0", "?mode=device": "pbxShortNumber", "?mode=useranddevice": "pbxInternalNumber", "?mode=rainbowvoice": "ddiE164Number",
	} {
		a := r.get(mass + "/users/template" + mode)
		if a.status != 200 || !strings.HasPrefix(a.contentType, "text/csv") || !strings.Contains(string(a.body), want) {
			t.Errorf("template%s: %d %s %s", mode, a.status, a.contentType, a.body)
		}
		path := map[string]string{"?mode=useranddevice": "/synchronize", "?mode=rainbowvoice": "/rainbowvoice"}[mode]
		check := r.post(imports+path+"/check", string(a.body)).ok()
		rows := 0
		for _, n := range check.at("data.actions").(map[string]any) {
			var count int
			fmt.Sscan(fmt.Sprint(n), &count)
			rows += count
		}
		if rows != 3 {
			t.Errorf("template%s has %d sample rows, want 3: %s", mode, rows, a.body)
		}
	}
	if only := string(r.get(mass + "/users/template?comment=true").body); !strings.HasPrefix(only, "%") {
		t.Errorf("comment part: %s", only)
	}
	r.get(mass+"/users/template?mode=other").fails(400, 400000)
}

func TestExport(t *testing.T) {
	r := start(t, sandbox.Options{SeedUsers: 2})
	if n := len(r.get(mass + "/users/synchronize").ok().at("data").(map[string]any)); n != 0 {
		t.Errorf("%d users without an ldap_id are exported", n)
	}
	r.importSheet(imports+"/synchronize", "__action__;loginEmail;ldap_id;jobTitle", `upsert;ana@sandbox.example;guid-1;"Head; ""east"""`)
	a := r.get(mass + "/users/synchronize?format=csv").ok()
	if a.size("data") != 2 || !strings.Contains(a.text("data.1"), `"Head; ""east"""`) {
		t.Errorf("csv: %s", a.body)
	}
	all := r.get(mass + "/users/synchronize?format=all&ldap_id=false").ok()
	if all.size("data.csvContent") != 5 || len(all.at("data.jsonContent").(map[string]any)) != 4 {
		t.Errorf("all: %s", all.body)
	}
}
