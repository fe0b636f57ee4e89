package sandbox_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

// codeCase provokes one documented code of a failed row: some rows that
// prepare the world, then the row that fails. Codes about troubles inside
// Rainbow have no natural cause here: a fault rule stands in for it.
type codeCase struct {
	code    int
	before  []string
	row     string
	part    string // member of the report row that holds the code; "" for the row itself
	message string
	forced  bool
	without bool // the company has no Cloud PBX
}

const pbx = sandbox.EquippedPbxPbxID

func TestEveryDeviceCode(t *testing.T) {
	const free = "ana@sandbox.example"
	for _, c := range []codeCase{
		{code: 1001, row: "attach;" + free + ";" + pbx + ";3001;;", forced: true, message: "phoneNumber " + pbx + "/3001 has no system id"},
		{code: 1002, row: "attach;" + free + ";" + pbx + ";3001;;", forced: true, message: "phoneNumber " + pbx + "/3001 has no id"},
		{code: 1003, row: "attach;" + free + ";" + pbx + ";3999;;", message: "phoneNumber " + pbx + "/3999 does not exist"},
		{code: 1004, row: "attach;" + free + ";PBX-unknown;3001;;", message: "cannot lookup phoneNumber PBX-unknown/3001"},
		{code: 1005, row: "attach;" + free + ";;3999;;", message: "found 0 phoneNumber(s) for " + sandbox.CompanyID + "/3999"},
		{code: 1006, row: "attach;" + free + ";;3001;;", forced: true, message: "failed to find one single PBX for " + sandbox.CompanyID + "/3001"},
		{code: 1007, before: []string{"attach;" + free + ";;3001;;"}, row: "attach;" + free + ";;3002;;", message: "user has already a phoneNumber " + pbx + "/3001"},
		{code: 1007, before: []string{"attach;" + free + ";;3001;;"}, row: "attach;" + free + ";;3001;;", message: "user has already a phoneNumber " + pbx + "/3001"},
		{code: 1008, before: []string{"attach;bob@sandbox.example;;3001;;"}, row: "attach;" + free + ";;3001;;", message: "phoneNumber " + pbx + "/3001 already associated to user {bob}"},
		{code: 1009, row: "attach;" + seeded(1) + ";;3001;;", message: "failed to attach phoneNumber " + pbx + "/3001"},
		{code: 1010, row: "detach;" + free + ";;;;", message: "user {ana} has no phoneNumber"},
		{code: 1011, row: "detach;carl@sandbox.example;;;;", message: "user {carl} has too many phoneNumbers"},
		{code: 1012, before: []string{"attach;" + free + ";;3001;;"}, row: "detach;" + free + ";;3002;;", message: "failed to detach phoneNumber /3002"},
	} {
		t.Run(fmt.Sprint(c.code), func(t *testing.T) {
			r := start(t, sandbox.Options{SeedUsers: 2})
			r.importSheet(imports, "loginEmail", free, "bob@sandbox.example", "carl@sandbox.example").want("data.counters.succeeded", "3")
			carl := r.userID("carl@sandbox.example")
			for _, n := range []string{"3090", "3091"} {
				id := r.get(pbxNumbers + "?shortNumber=" + n).ok().text("data.0.id")
				r.put(pbxNumbers+"/"+id, map[string]any{"userId": carl}).ok()
			}
			c.run(t, r, imports, "__action__;loginEmail;pbxId;pbxShortNumber;pbxInternalNumber;number", map[string]string{
				"ana": r.userID(free), "bob": r.userID("bob@sandbox.example"), "carl": carl,
			})
		})
	}
}

func TestEveryRainbowVoiceCode(t *testing.T) {
	t.Parallel()
	const ana, company = "ana@sandbox.example", sandbox.CompanyID
	subscriber := []string{"upsert;" + ana + ";81011;;"}
	for _, c := range []codeCase{
		{code: 2001, row: "upsert;" + ana + ";81011;;", part: "subscriberReport", without: true, message: "company " + company + " has no Cloud Pbx"},
		{code: 2002, row: "upsert;" + ana + ";71011;;", part: "subscriberReport", message: "ShortNumber 71011 not in line with Cloud PBX Numbering Plan for company " + company},
		{code: 2003, row: "upsert;" + ana + ";80001;;", part: "subscriberReport", message: "ShortNumber 80001 is already assigned to someone else inside this company " + company},
		{code: 2003, before: subscriber, row: "upsert;" + ana + ";80001;;", part: "subscriberReport"},
		{code: 2003, row: "upsert;" + ana + ";2990;;", part: "subscriberReport"}, // a group's
		{code: 2004, row: "upsert;paired@sandbox.example;81011;;", part: "subscriberReport", message: "user {paired} is already assigned into another PBX of the company " + company},
		{code: 2005, row: "upsert;" + ana + ";81011;;", part: "subscriberReport", forced: true},
		{code: 2006, before: subscriber, row: "upsert;" + ana + ";81012;;", part: "subscriberReport", forced: true},
		{code: 2007, before: subscriber, row: "upsert;" + ana + ";;aa:bb:cc:dd:ff:ff;", part: "sipDeviceReport", message: "there is no existing Sip Device with this macAddress aa:bb:cc:dd:ff:ff"},
		{code: 2008, before: subscriber, row: "upsert;" + ana + ";;02:00:ff:00:00:01;", part: "sipDeviceReport"},
		{code: 2009, before: subscriber, row: "upsert;" + ana + ";;02:00:00:00:00:01;", part: "sipDeviceReport", message: "the existing Sip Device with this macAddress 02:00:00:00:00:01 is attached to someone else: userId={user1}"},
		{code: 2010, before: []string{"upsert;" + ana + ";81011;aa:bb:cc:dd:ee:02;"}, row: "upsert;" + ana + ";;aa:bb:cc:dd:ee:03;", part: "sipDeviceReport", message: "another Sip Device with macAddress aabbccddee02 is attached to user={ana}"},
		{code: 2011, row: "upsert;" + ana + ";;aa:bb:cc:dd:ee:02;", part: "sipDeviceReport", message: "cannot assign/unassign a Sip device to this user {ana} ; he is not yet a subscriber"},
		{code: 2011, row: "detach;" + ana + ";;aa:bb:cc:dd:ee:02;", part: "sipDeviceReport"},
		{code: 2012, before: subscriber, row: "upsert;" + ana + ";;aa:bb:cc:dd:ee:02;", part: "sipDeviceReport", forced: true, message: "failed to attach this Sip Device aa:bb:cc:dd:ee:02 with this user {ana}"},
		{code: 2013, row: "upsert;" + ana + ";;;33298300513", part: "ddiReport"},
		{code: 2014, before: subscriber, row: "upsert;" + ana + ";;;33298300999", part: "ddiReport", message: "there is no existing DDI with this number 33298300999"},
		{code: 2015, before: subscriber, row: "upsert;" + ana + ";;;33298300521", part: "ddiReport", message: "the existing DDI with this number 33298300521 is attached to someone else: userId={user1}"},
		{code: 2015, before: subscriber, row: "upsert;" + ana + ";;;33298300598", part: "ddiReport"}, // a group's
		{code: 2016, before: []string{"upsert;" + ana + ";81011;;33298300513"}, row: "upsert;" + ana + ";;;33298300514", part: "ddiReport", message: "another DDI with number +33298300513 is attached to user={ana}"},
		{code: 2017, before: subscriber, row: "upsert;" + ana + ";;;33298300513", part: "ddiReport", forced: true},
		{code: 2018, before: subscriber, row: "detach;" + ana + ";;;", part: "subscriberReport", message: "failed to detach subscriber for user {ana}, no shortNumber is provided"},
		{code: 2019, before: subscriber, row: "detach;" + ana + ";81012;;", part: "subscriberReport", message: "failed to detach this subscriber 81012 from this user {ana}, user is attached to another subscriber 81011"},
		{code: 2020, row: "detach;" + ana + ";;;33298300513", part: "ddiReport"},
		{code: 2021, before: subscriber, row: "detach;" + ana + ";;;33298300513", part: "ddiReport", message: "failed to detach this DDI 33298300513 with this user {ana}"},
		{code: 2022, before: subscriber, row: "detach;" + ana + ";;aa:bb:cc:dd:ee:02;", part: "sipDeviceReport"},
	} {
		t.Run(fmt.Sprint(c.code), func(t *testing.T) {
			r := start(t, sandbox.Options{SeedUsers: 2})
			r.importSheet(imports, "loginEmail", ana, "paired@sandbox.example").want("data.counters.succeeded", "2")
			paired := r.userID("paired@sandbox.example")
			r.put(pbxNumbers+"/"+r.get(pbxNumbers+"?limit=1").ok().text("data.0.id"), map[string]any{"userId": paired}).ok()
			c.run(t, r, imports+"/rainbowvoice", "__action__;loginEmail;shortNumber;macAddress;ddiE164Number", map[string]string{
				"ana": r.userID(ana), "paired": paired, "user1": r.userID(seeded(1)),
			})
		})
	}
}

func (c codeCase) run(t *testing.T, r *rainbow, path, header string, users map[string]string) {
	t.Helper()
	if len(c.before) > 0 {
		r.importSheet(path, append([]string{header}, c.before...)...).want("data.counters.failed", "0")
	}
	if c.without {
		r.delete(cloud + "?forceDelete=true").ok()
	}
	if c.forced {
		if err := r.sandbox.SetFaults([]sandbox.Fault{{RowCode: c.code, Times: 1}}); err != nil {
			t.Fatal(err)
		}
	}
	a := r.importSheet(path, header, c.row, "% makes the bytes another").want("data.counters.failed", "1", "data.report.0.status", "failed", "data.report.0.line", c.row)
	code, message := "data.report.0.errorCode", "data.report.0.errorMsg"
	if c.part != "" {
		a.want("data.report.0."+c.part+".status", "failed")
		code, message = "data.report.0."+c.part+".code", "data.report.0."+c.part+".message"
	}
	a.want(code, fmt.Sprint(c.code))
	got := a.text(message)
	if strings.Contains(got, "{") || got == "" {
		t.Errorf("message %q has holes", got)
	}
	want := c.message
	for name, id := range users {
		want = strings.ReplaceAll(want, "{"+name+"}", id)
	}
	if want != "" && got != want {
		t.Errorf("message %q, want %q", got, want)
	}
}

func TestForceAttachTakesTheNumber(t *testing.T) {
	r := start(t, sandbox.Options{SeedUsers: -1})
	header := "__action__;loginEmail;pbxShortNumber;number"
	r.importSheet(imports, "loginEmail", "ana@sandbox.example", "bob@sandbox.example")
	r.importSheet(imports, header, "attach;bob@sandbox.example;3001;", "force_attach;ana@sandbox.example;3001;0199000955").want("data.counters.succeeded", "2")
	r.get(pbxNumbers+"?format=full&isAssignedToUser=true").ok().want("total", "1", "data.0.userId", r.userID("ana@sandbox.example"), "data.0.numberE164", "+33199000955")
}

func TestVoiceRowsWorkPartByPart(t *testing.T) {
	r := start(t, sandbox.Options{SeedUsers: 2})
	header := "__action__;loginEmail;shortNumber;macAddress;ddiE164Number"
	path := imports + "/rainbowvoice"
	r.importSheet(path, header, "upsert;ana@sandbox.example;81011;02:00:00:00:00:01;33298300513").want(
		"data.report.0.status", "failed", "data.report.0.subscriberReport.status", "succeeded", "data.report.0.sipDeviceReport.code", "2009",
		"data.report.0.ddiReport.status", "succeeded")
	// Renumbering in place keeps device and DDI.
	r.importSheet(path, header, "upsert;ana@sandbox.example;;AA-BB-CC-DD-EE-02;").want("data.counters.succeeded", "1")
	r.importSheet(path, header, "upsert;ana@sandbox.example;81012;aabbccddee02;+33298300513").want("data.counters.succeeded", "1")
	ana := r.userID("ana@sandbox.example")
	r.get(devices+"?macAddress=aabbccddee02").ok().want("data.0.shortNumber", "81012", "data.0.userId", ana)
	r.get(subscribers+"/"+r.subscriberID("81012")).ok().want("data.pbxUserId", "81012")
	r.get(admin+"/users?phoneNumbers=81011").ok().want("total", "0")
	// Detaching device and DDI alone, then everything with the extension.
	r.importSheet(path, header, "detach;ana@sandbox.example;;aabbccddee02;33298300513").want("data.counters.succeeded", "1")
	r.importSheet(path, header, "upsert;ana@sandbox.example;;aabbccddee02;33298300513", "detach;ana@sandbox.example;81012;;").want("data.counters.succeeded", "2",
		"data.report.1.subscriberReport.status", "succeeded", "data.report.1.sipDeviceReport.status", "succeeded", "data.report.1.ddiReport.status", "succeeded")
	r.get(devices+"?macAddress=aabbccddee02&assigned=false").ok().want("total", "1")
	r.get(ddis+"?numberE164StartWith=%2B33298300513&isAssigned=false").ok().want("total", "1")
	r.importSheet(path, header, "delete;user000001@sandbox.example;;;").want("data.counters.succeeded", "1")
	r.get(devices+"?macAddress=020000000001&assigned=false").ok().want("total", "1")
}
