package rainbow

import (
	"context"
	"fmt"
	"net/http"

	"google.golang.org/genproto/googleapis/api/httpbody"

	adminv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	massprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/massprovisioning/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// label names the import of a call for ever: by it the import is found again.
func label(call bulksync.Call) string { return fmt.Sprintf("%s/%d", call.Run, call.Number) }

// importUsers creates, changes and deletes users by one import: of mode rainbowvoice when the company has a Cloud PBX, else
// of mode useranddevice.
func (t *Target) importUsers(ctx context.Context, call bulksync.Call) ([]bulksync.Outcome, error) {
	s := sheetOf(groupUsers, call)
	body := csvBody(s, call)
	name, quiet, sep, sign := label(call), true, delimiter, commentSign
	var summary *massprovisioningv1.ImportSummary
	var err error
	if call.Company.CloudPbx != nil && s.voice() {
		var resp *massprovisioningv1.ImportRainbowVoiceResponse
		resp, err = t.imports.ImportRainbowVoice(ctx, &massprovisioningv1.ImportRainbowVoiceRequest{
			CompanyId: &call.Company.ID, Label: &name, Noemails: &quiet, Nostrict: &quiet, Delimiter: &sep, Comment: &sign, Body: body,
		})
		summary = resp.GetData()
	} else {
		var resp *massprovisioningv1.SynchronizeUsersResponse
		resp, err = t.imports.SynchronizeUsers(ctx, &massprovisioningv1.SynchronizeUsersRequest{
			CompanyId: &call.Company.ID, Label: &name, Noemails: &quiet, Nostrict: &quiet, Delimiter: &sep, Comment: &sign, Body: body,
		})
		summary = resp.GetData()
	}
	if err != nil {
		return refused(call, err)
	}
	return t.follow(ctx, call, s, summary.GetReqId()), nil
}

// importPairings pairs users with numbers of equipped PBXs, and frees such numbers, by one import of mode device.
func (t *Target) importPairings(ctx context.Context, call bulksync.Call) ([]bulksync.Outcome, error) {
	s := sheetOf(groupPairings, call)
	name, quiet, sep, sign := label(call), true, delimiter, commentSign
	resp, err := t.imports.ImportUsers(ctx, &massprovisioningv1.ImportUsersRequest{
		CompanyId: &call.Company.ID, Label: &name, Noemails: &quiet, Delimiter: &sep, Comment: &sign, Body: csvBody(s, call),
	})
	if err != nil {
		return refused(call, err)
	}
	return t.follow(ctx, call, s, resp.GetData().GetReqId()), nil
}

func csvBody(s sheet, call bulksync.Call) *httpbody.HttpBody {
	return &httpbody.HttpBody{ContentType: "text/csv; charset=utf-8", Data: s.bytes(label(call))}
}

// refused judges an import that was not taken.
func refused(call bulksync.Call, err error) ([]bulksync.Outcome, error) {
	f := judge(err)
	if f.general {
		return nil, hidden(fmt.Errorf("import of %d operations: %w", len(call.Steps), err), call.Steps...)
	}
	f.message = hide(f.message, call.Steps...)
	all := make([]bulksync.Outcome, len(call.Steps))
	for i, step := range call.Steps {
		all[i] = f.outcome(step)
		all[i].Attempts = 1
		if f.lost {
			all[i].Trouble = trouble(err)
		}
		if !f.lost && len(all) > 1 && ofRows(f.status) {
			all[i].Status, all[i].Split = bulksync.NotDone, true
		}
	}
	return all, nil
}

// ofRows tells whether a file may be refused with a status because of one of its rows, or because it is too large.
func ofRows(httpStatus int) bool {
	switch httpStatus {
	case http.StatusBadRequest, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// unknown gives every step the outcome that must be looked up.
func unknown(call bulksync.Call, why string, cause error) []bulksync.Outcome {
	all := make([]bulksync.Outcome, len(call.Steps))
	for i, step := range call.Steps {
		all[i] = bulksync.Outcome{Operation: step.Operation.ID, Status: bulksync.Unknown, Message: hide(why, call.Steps...), Attempts: 1, Trouble: trouble(cause)}
	}
	return all
}

// follow waits for an import that upstream took and gives the outcome of every row. An import of bytes that upstream knows
// already is answered with its old summary; its report is then the result too.
func (t *Target) follow(ctx context.Context, call bulksync.Call, s sheet, reqID string) []bulksync.Outcome {
	if reqID == "" {
		return unknown(call, "upstream took the import and gave no id for it", nil)
	}
	report, err := t.report(ctx, reqID)
	if err != nil {
		return unknown(call, fmt.Sprintf("import %s was taken and its report can't be read: %v", reqID, judge(err).message), err)
	}
	verdicts := s.verdicts(report, call.Steps)
	all := make([]bulksync.Outcome, len(call.Steps))
	for i, v := range verdicts {
		all[i] = bulksync.Outcome{Operation: call.Steps[i].Operation.ID, Status: v.status, Code: v.code, Message: hide(v.message, call.Steps...), Attempts: 1}
		if op := call.Steps[i].Operation; op.Key.Kind == bulksync.KindUser && op.Action == bulksync.ActionCreate && v.status == bulksync.Done {
			all[i].ID = v.userID
		}
	}
	if err := t.readBack(ctx, call, all); err != nil {
		return unknown(call, fmt.Sprintf("import %s has ended and what it did can't be read: %v", reqID, judge(err).message), err)
	}
	return all
}

// readBack completes the outcomes of an import by what upstream shows now: ids and documents of users, and what the
// report left open.
func (t *Target) readBack(ctx context.Context, call bulksync.Call, all []bulksync.Outcome) error {
	if call.Steps[0].Operation.Key.Kind == bulksync.KindUser {
		return t.readBackUsers(ctx, call, all)
	}
	for i := range all {
		if all[i].Status != "" {
			continue
		}
		_, holds, err := t.numberHolds(ctx, call.Steps[i])
		if err != nil {
			return err
		}
		decide(&all[i], holds)
	}
	return nil
}

func decide(o *bulksync.Outcome, holds bool) {
	o.Status = bulksync.Done
	if !holds {
		o.Status, o.Message = bulksync.Failed, rowFailed
	}
}

func (t *Target) readBackUsers(ctx context.Context, call bulksync.Call, all []bulksync.Outcome) error {
	users, err := t.importedUsers(ctx, call, all)
	if err != nil {
		return err
	}
	seen := make([]*bulksync.User, len(all))
	for i := range all {
		op, u := &call.Steps[i].Operation, users[call.Steps[i].Operation.Login]
		switch all[i].Status {
		case "":
			decide(&all[i], userIsAs(u, op))
		case bulksync.Failed:
			if op.Action == bulksync.ActionCreate && u != nil {
				all[i].Message += "; the user exists now, in part: refresh before the next plan"
			}
		}
		if all[i].Status != bulksync.Done || op.Action == bulksync.ActionDelete {
			continue
		}
		if u == nil && all[i].ID == "" && op.Action == bulksync.ActionCreate {
			return fmt.Errorf("user of operation %d is not listed yet", op.ID)
		}
		seen[i] = t.userRecord(call.Company.ID, u)
	}
	return t.addSeen(ctx, call.Company.ID, users, seen, all)
}

// addSeen puts the users as they are now into the outcomes.
func (t *Target) addSeen(ctx context.Context, company string, users map[bulksync.Login]*adminv1.User, seen []*bulksync.User, all []bulksync.Outcome) error {
	var plain []int
	for i, u := range seen {
		switch {
		case u == nil:
		case len(u.Licences) == 0:
			plain = append(plain, i)
		default:
			all[i].ID, all[i].Seen = u.ID, u
		}
	}
	return each(ctx, t.opts.Parallel, plain, func(ctx context.Context, i int) error {
		u, err := t.seenUser(ctx, company, users[seen[i].Login])
		if err == nil {
			all[i].ID, all[i].Seen = u.ID, u
		}
		return err
	})
}

// importedUsers reads the users whose rows succeeded, were left open, or failed to create them. Those that are to be there
// and are not listed yet, or not as they shall be, are looked for as long as lists may lag.
func (t *Target) importedUsers(ctx context.Context, call bulksync.Call, all []bulksync.Outcome) (map[bulksync.Login]*adminv1.User, error) {
	var wanted []bulksync.Login
	due := map[bulksync.Login]*bulksync.Operation{}
	for i, o := range all {
		op := &call.Steps[i].Operation
		created := op.Action == bulksync.ActionCreate
		if o.Status == "" || o.Status == bulksync.Done && op.Action != bulksync.ActionDelete || o.Status == bulksync.Failed && created {
			wanted = append(wanted, op.Login)
			if o.Status == bulksync.Done {
				due[op.Login] = op
			}
		}
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	var users map[bulksync.Login]*adminv1.User
	err := t.patiently(ctx, t.opts.Settle, func() (complete bool, err error) {
		users, err = t.usersByLogin(ctx, call.Company.ID, wanted)
		for l, op := range due {
			if !userIsAs(users[l], op) {
				return false, err
			}
		}
		return true, err
	})
	return users, err
}

// confirmImport looks for the import of a call by its label. When there is none, nothing was done.
func (t *Target) confirmImport(ctx context.Context, call bulksync.Call) ([]bulksync.Outcome, error) {
	reqID := ""
	err := t.patiently(ctx, t.opts.Settle, func() (bool, error) {
		resp, err := t.imports.ListUsersImports(ctx, &massprovisioningv1.ListUsersImportsRequest{CompanyId: &call.Company.ID})
		for _, record := range resp.GetData() {
			if record.GetLabel() == label(call) {
				reqID = record.GetReqId()
			}
		}
		return reqID != "", err
	})
	if err != nil {
		return nil, err
	}
	if reqID == "" {
		all := make([]bulksync.Outcome, len(call.Steps))
		for i, step := range call.Steps {
			all[i] = bulksync.Outcome{Operation: step.Operation.ID, Status: bulksync.NotDone, Message: "no import " + label(call) + " was started"}
		}
		return all, nil
	}
	group, err := t.callGroup(call)
	if err != nil {
		return nil, err
	}
	return t.follow(ctx, call, sheetOf(group, call), reqID), nil
}
