package rainbow

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	massprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/massprovisioning/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// create is the step that creates a user.
func create(id int, login bulksync.Login, password string, changes ...bulksync.Change) bulksync.Step {
	return bulksync.Step{Password: password, Operation: bulksync.Operation{
		ID: id, Action: bulksync.ActionCreate, Key: login.Key(), Login: login, Changes: changes,
	}}
}

func after(name, value string) bulksync.Change { return bulksync.Change{Name: name, After: value} }

func (s *stage) call(number int, steps ...bulksync.Step) bulksync.Call {
	return bulksync.Call{Run: "run-1", Number: number, Company: s.world().Company(), Steps: steps}
}

// summary is an outcome in short.
func summary(all []bulksync.Outcome) []string {
	var words []string
	for _, o := range all {
		words = append(words, fmt.Sprintf("%d %s %d", o.Operation, o.Status, o.Code))
	}
	return words
}

func TestFailingRowsFailTheirOwnStepsOnly(t *testing.T) {
	s := newStage(t, 3, Options{})
	s.faults(sandbox.Fault{RowCode: 2001, Login: "none@sandbox.example"})
	call := s.call(1,
		create(11, "good@sandbox.example", goodPassword, after("firstName", "Good")),
		create(12, "weak@sandbox.example", "weak;secret", after("firstName", "Weak")),
		create(13, "unlicensed@sandbox.example", goodPassword, after("licence 5b7d0c0ffee0000000000999", "No such offer")),
		create(14, "also@sandbox.example", goodPassword, after("country", "FRA")),
	)
	all, err := s.target.Apply(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"11 done 0", "12 failed 0", "13 failed 0", "14 done 0"}, summary(all)); diff != "" {
		t.Fatalf("outcomes differ (-want +got):\n%s\n%+v", diff, all)
	}
	for _, i := range []int{0, 3} {
		u, ok := all[i].Seen.(*bulksync.User)
		if !ok || u.ID == "" || u.ID != all[i].ID || u.Login != call.Steps[i].Operation.Login || u.Attribute("country") != "FRA" || len(u.Licences) != 1 {
			t.Errorf("outcome %+v shows user %+v", all[i], u)
		}
	}
	if m := all[1].Message; !strings.Contains(m, "password must have at least 8 characters") || strings.Contains(m, "weak;secret") {
		t.Errorf("message of the weak password: %q", m)
	}
	if m := all[2].Message; !strings.Contains(m, "No such offer") || !strings.Contains(m, "the user exists now, in part") {
		t.Errorf("message of the missing offer: %q", m)
	}
}

func TestRowCodesOfPairingsComeThrough(t *testing.T) {
	s := newStage(t, 3, Options{})
	w := s.world()
	step := func(id int, login bulksync.Login, number bulksync.Number) bulksync.Step {
		return bulksync.Step{Operation: bulksync.Operation{ID: id, Action: bulksync.ActionAttach, Key: bulksync.ExtensionKey(oxePbxID, number), Login: login},
			Refs: bulksync.Refs{SystemID: sandbox.EquippedPbxID, UserID: w.Record(login.Key()).(*bulksync.User).ID}}
	}
	all, err := s.target.Apply(t.Context(), s.call(1, step(1, sandbox.AdminLogin, "3000"), step(2, seeded(1), "3001"), step(3, seeded(2), "3777")))
	if err != nil {
		t.Fatal(err)
	}
	// A subscriber of the Cloud PBX can't be paired, and there is no 3777.
	if diff := cmp.Diff([]string{"1 done 0", "2 failed 1009", "3 failed 1009"}, summary(all)); diff != "" && all[2].Code != 1003 {
		t.Errorf("outcomes differ (-want +got):\n%s\n%+v", diff, all)
	}
}

func TestARefusedImportFailsEveryStep(t *testing.T) {
	s := newStage(t, 1, Options{})
	s.faults(sandbox.Fault{Method: http.MethodPost, Path: "/api/rainbow/massprovisioning/**", Status: http.StatusForbidden})
	all, err := s.target.Apply(t.Context(), s.call(1, create(1, "a@sandbox.example", goodPassword), create(2, "b@sandbox.example", goodPassword)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"1 failed 0", "2 failed 0"}, summary(all)); diff != "" || !strings.Contains(all[1].Message, "403") {
		t.Errorf("outcomes differ (-want +got):\n%s\n%+v", diff, all)
	}
}

func TestThrottlingConcernsNoStep(t *testing.T) {
	s := newStage(t, 1, Options{})
	s.faults(sandbox.Fault{Method: http.MethodPost, Path: "/api/rainbow/massprovisioning/**", Status: http.StatusServiceUnavailable, RetryAfter: 1})
	if all, err := s.target.Apply(t.Context(), s.call(1, create(1, "a@sandbox.example", goodPassword))); err == nil {
		t.Errorf("got %+v, want an error: nothing was done and it is not the operation's fault", all)
	}
}

func TestAnImportThatLastsIsUnknownAndConfirmed(t *testing.T) {
	s := newStage(t, 1, Options{PollTimeout: 20 * time.Millisecond})
	call := s.call(7, create(1, "slow@sandbox.example", goodPassword))
	const reports = "/api/rainbow/massprovisioning/v1.0/users/imports/*/details"
	pendingReport := `{"data":{"status":"Pending","reqId":"x"}}`
	s.faults(sandbox.Fault{Method: http.MethodGet, Path: reports, Status: http.StatusOK, Body: pendingReport})
	all, err := s.target.Apply(t.Context(), call)
	if err != nil || len(all) != 1 || all[0].Status != bulksync.Unknown || !strings.Contains(all[0].Message, errStillRunning.Error()) {
		t.Fatalf("got %+v, %v; want an unknown outcome", all, err)
	}
	call.Steps[0].Password = "" // the journal has none
	if all, err = s.target.Confirm(t.Context(), call); err != nil || all[0].Status != bulksync.Unknown {
		t.Fatalf("while it runs: got %+v, %v; want an unknown outcome", all, err)
	}
	s.faults()
	if all, err = s.target.Confirm(t.Context(), call); err != nil || all[0].Status != bulksync.Done || all[0].ID == "" || all[0].Seen == nil {
		t.Errorf("once it ended: got %+v, %v; want it done", all, err)
	}
	call.Number = 8
	if all, err = s.target.Confirm(t.Context(), call); err != nil || all[0].Status != bulksync.NotDone {
		t.Errorf("a call that was never sent: got %+v, %v; want it not done", all, err)
	}
}

func TestTheSameBytesAreNotRunAgain(t *testing.T) {
	s := newStage(t, 1, Options{})
	call := s.call(1, create(1, "a@sandbox.example", goodPassword))
	for range 2 {
		if all, err := s.target.Apply(t.Context(), call); err != nil || all[0].Status != bulksync.Done {
			t.Fatalf("got %+v, %v", all, err)
		}
	}
	if n := s.client.reset()["ImportRainbowVoice"]; n != 2 {
		t.Errorf("%d imports sent, want 2", n)
	}
	if n := count(s.world(), bulksync.KindUser); n != 3 {
		t.Errorf("%d users, want 3", n)
	}
}

func TestACancelledApplySendsNothing(t *testing.T) {
	s := newStage(t, 1, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.client.reset()
	if all, err := s.target.Apply(ctx, bulksync.Call{Run: "r", Number: 1, Steps: []bulksync.Step{create(1, "a@sandbox.example", goodPassword)}}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %+v, %v; want context.Canceled", all, err)
	}
	if calls := s.client.reset(); len(calls) != 0 {
		t.Errorf("requests were made: %v", calls)
	}
}

func TestACompanyWithoutACloudPbxUsesTheOtherImport(t *testing.T) {
	s := newStage(t, 1, Options{})
	call := s.call(1, create(1, "a@sandbox.example", goodPassword, after("ldap_id", "42")))
	if _, err := s.target.Apply(t.Context(), call); err != nil {
		t.Fatal(err)
	}
	call.Company.CloudPbx, call.Number = nil, 2
	call.Steps = []bulksync.Step{{Operation: bulksync.Operation{ID: 1, Action: bulksync.ActionDelete, Key: bulksync.Login("a@sandbox.example").Key(), Login: "a@sandbox.example"}}}
	if all, err := s.target.Apply(t.Context(), call); err != nil || all[0].Status != bulksync.Done {
		t.Errorf("got %+v, %v", all, err)
	}
	if calls := s.client.reset(); calls["SynchronizeUsers"] != 2 || calls["ImportRainbowVoice"] != 0 {
		t.Errorf("requests: %v; want two imports of mode useranddevice", calls)
	}
	if n := count(s.world(), bulksync.KindUser); n != 2 {
		t.Errorf("%d users, want 2", n)
	}
}

func FuzzSheetCells(f *testing.F) {
	for _, cell := range []string{"", "plain", `a;b"c"`, "50%", " padded ", "two\nlines", `"`, "é", "=1+1", "a,b"} {
		f.Add(cell)
	}
	f.Fuzz(func(t *testing.T, cell string) {
		s := sheet{columns: []string{columnAction, columnLogin, "title"}, rows: []map[string]string{{columnAction: "upsert", columnLogin: "a@b.example", "title": cell}}}
		lines := strings.Split(string(s.bytes("x")), "\n")
		if len(lines) != 4 || lines[3] != "" {
			t.Fatalf("cell %q makes %d lines", cell, len(lines))
		}
		want := strings.TrimSpace(strings.NewReplacer("\r\n", " ", "\r", " ", "\n", " ").Replace(cell))
		if got := s.cells(lines[2])["title"]; got != want {
			t.Errorf("cell %q reads back as %q", cell, got)
		}
	})
}

func FuzzRowError(f *testing.F) {
	for _, doc := range []string{"", "{}", `{"code":2003,"message":"taken"}`, `{"errorCode":"1008","errorMsg":"x"}`, `{"status":"succeeded","code":1}`, `{"errorDetails":[{"param":"a","msg":"b"}]}`, `{"code":{}}`, `[]`, `null`} {
		f.Add(doc)
	}
	f.Fuzz(func(t *testing.T, doc string) {
		if code, message := rowError([]byte(doc)); (code != 0 || message != "") && !strings.HasPrefix(strings.TrimSpace(doc), "{") {
			t.Errorf("%q gives %d %q", doc, code, message)
		}
	})
}

func TestTheSheetOfACall(t *testing.T) {
	call := bulksync.Call{Run: "run-20240115", Number: 3, Steps: []bulksync.Step{
		create(1, "ann@demo.example", `Pass%1;"`, after("firstName", "Ann"), after("tags1", "night"), after("licence l1", "Enterprise Demo"), after("licence l2", "Voice, Attendant")),
		{Operation: bulksync.Operation{ID: 2, Action: bulksync.ActionUpdate, Key: bulksync.Login("bob@demo.example").Key(), Login: "bob@demo.example", Changes: []bulksync.Change{{Name: "jobTitle", Before: "x", After: "100% nurse\nand cook"}}}},
		{Operation: bulksync.Operation{ID: 3, Action: bulksync.ActionDelete, Key: bulksync.Login("cleo@demo.example").Key(), Login: "cleo@demo.example"}},
	}}
	const want = `__action__;loginEmail;password;firstName;jobTitle;tags0;tags1;service0;service1
% rainbow-gateway run-20240115/3
upsert;ann@demo.example;"Pass%1;""";Ann;;;night;Enterprise Demo;"Voice, Attendant"
upsert;bob@demo.example;;;"100% nurse and cook";;;;
delete;cleo@demo.example;;;;;;;
`
	s := sheetOf(groupUsers, call)
	if diff := cmp.Diff(want, string(s.bytes(label(call)))); diff != "" {
		t.Errorf("sheet differs (-want +got):\n%s", diff)
	}
	for i, line := range strings.Split(want, "\n")[2:5] {
		if cells := s.cells(line); !s.sameRow(cells, i) {
			t.Errorf("line %q reads as %v, want row %d", line, cells, i)
		}
	}
}

func TestReportsAreMappedToRows(t *testing.T) {
	steps := []bulksync.Step{create(1, "a@demo.example", ""), create(2, "b@demo.example", ""), create(3, "c@demo.example", "")}
	steps[2].Operation.Action, steps[2].Refs.UserID = bulksync.ActionDelete, "u3"
	s := sheetOf(groupUsers, bulksync.Call{Steps: steps})
	row := func(status, action, userID, line, extra string) *massprovisioningv1.ImportReportRow {
		return &massprovisioningv1.ImportReportRow{Status: &status, Action: &action, UserId: &userID, Line: &line, ExtraJson: []byte(extra)}
	}
	ok := func(action, id string) *massprovisioningv1.ImportReportRow {
		return row("succeeded", action, id, "", "")
	}
	failed := row("failed", "upsert", "", "upsert;b@demo.example", `{"errorCode":"2003","errorMsg":"taken"}`)
	for _, c := range []struct {
		name   string
		report *massprovisioningv1.ImportReport
		want   []string
	}{
		{"rows in the order of the file", &massprovisioningv1.ImportReport{Report: []*massprovisioningv1.ImportReportRow{ok("upsert", "u1"), failed, ok("delete", "u3")}}, []string{"done", "failed", "done"}},
		{"rows in another order", &massprovisioningv1.ImportReport{Report: []*massprovisioningv1.ImportReportRow{failed, ok("delete", "u3"), ok("upsert", "u1")}}, []string{"", "failed", "done"}},
		{"a row is missing", &massprovisioningv1.ImportReport{Report: []*massprovisioningv1.ImportReportRow{failed, ok("delete", "u3")}}, []string{"", "failed", "done"}},
		{"no rows, all succeeded", &massprovisioningv1.ImportReport{Counters: &massprovisioningv1.ImportCounters{Succeeded: proto.Int32(3), Total: proto.Int32(3)}}, []string{"done", "done", "done"}},
		{"no rows but failing lines", &massprovisioningv1.ImportReport{FailingLines: []string{"upsert;a@demo.example"}, Counters: &massprovisioningv1.ImportCounters{Succeeded: proto.Int32(2), Failed: proto.Int32(1), Total: proto.Int32(3)}}, []string{"failed", "", ""}},
		{"a status that is not known", &massprovisioningv1.ImportReport{Report: []*massprovisioningv1.ImportReportRow{row("odd", "upsert", "", "", ""), failed, ok("delete", "u3")}}, []string{"", "failed", "done"}},
		{"somebody else's delete", &massprovisioningv1.ImportReport{Report: []*massprovisioningv1.ImportReportRow{ok("upsert", "u1"), failed, ok("delete", "u9")}}, []string{"", "failed", ""}},
		{"a row twice, and alike", &massprovisioningv1.ImportReport{Report: []*massprovisioningv1.ImportReportRow{failed, failed, ok("delete", "u3"), ok("delete", "u3")}}, []string{"", "failed", "done"}},
		{"a row twice, and not alike", &massprovisioningv1.ImportReport{Report: []*massprovisioningv1.ImportReportRow{failed, row("succeeded", "upsert", "", "upsert;b@demo.example", ""), ok("delete", "u3")}}, []string{"", "", "done"}},
		{"nothing", &massprovisioningv1.ImportReport{}, []string{"", "", ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, v := range s.verdicts(c.report, steps) {
				got = append(got, string(v.status))
				if v.status == bulksync.Failed && v.message == "taken" && v.code != 2003 {
					t.Errorf("code %d, want 2003", v.code)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("verdicts differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRowErrorsOfTheParts(t *testing.T) {
	status := "failed"
	v := judgeRow(&massprovisioningv1.ImportReportRow{
		Status:           &status,
		SubscriberReport: &massprovisioningv1.ImportPartReport{ExtraJson: []byte(`{"status":"succeeded","code":1}`)},
		SipDeviceReport:  &massprovisioningv1.ImportPartReport{ExtraJson: []byte(`{"status":"failed","code":2009,"message":"attached to someone else"}`)},
	})
	if v.status != bulksync.Failed || v.code != 2009 || v.message != "attached to someone else" {
		t.Errorf("got %+v, want the device's error", v)
	}
}

func TestWhatAReportLeavesOpenIsReadBack(t *testing.T) {
	s := newStage(t, 2, Options{})
	const reports = "/api/rainbow/massprovisioning/v1.0/users/imports/*/details"
	call := s.call(1, create(1, "there@sandbox.example", goodPassword, after("firstName", "There")), create(2, "gone@sandbox.example", "weak"))
	if _, err := s.target.Apply(t.Context(), call); err != nil {
		t.Fatal(err)
	}
	s.faults(sandbox.Fault{Method: http.MethodGet, Path: reports, Status: http.StatusOK, Body: `{"data":{"status":"Terminated"}}`})
	all, err := s.target.Confirm(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"1 done 0", "2 failed 0"}, summary(all)); diff != "" {
		t.Errorf("outcomes differ (-want +got):\n%s\n%+v", diff, all)
	}
}
