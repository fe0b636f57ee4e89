package rainbow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	massprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/massprovisioning/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// errStillRunning: an import did not end in time.
var errStillRunning = errors.New("the import is still running")

// pending is the status of an import that has not ended (Rainbow Node SDK); the one of an ended import is not documented
// as the only other, so that anything else counts as an end.
const pending = "Pending"

// lateReports is how often a report that is not there yet is waited for.
const lateReports = 5

// report waits for the end of an import and reads its report.
func (t *Target) report(ctx context.Context, reqID string) (*massprovisioningv1.ImportReport, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, t.opts.PollTimeout, errStillRunning)
	defer cancel()
	small, wait, late := "small", t.opts.PollInterval, 0
	for {
		resp, err := t.imports.GetUsersImportReport(ctx, &massprovisioningv1.GetUsersImportReportRequest{ReqId: reqID, Format: &small})
		if late++; err != nil && !(missing(err) && late <= lateReports) {
			return nil, errors.Join(err, context.Cause(ctx))
		}
		if err == nil && !strings.EqualFold(resp.GetData().GetStatus(), pending) {
			break
		}
		if pause(ctx, wait) != nil {
			return nil, context.Cause(ctx)
		}
		wait = min(wait*3/2, max(5*time.Second, t.opts.PollInterval))
	}
	format := full
	resp, err := t.imports.GetUsersImportReport(ctx, &massprovisioningv1.GetUsersImportReportRequest{ReqId: reqID, Format: &format})
	return resp.GetData(), err
}

// verdict is what a report says of one row.
type verdict struct {
	status  bulksync.Status // Done or Failed; empty when the report does not say
	userID  string
	code    int
	message string
}

// verdicts maps a report to the rows of the import. Its rows come in the order of the file; when they do not fit that, by
// number, action, user or line, they are told by what they name, and what can't be told stays open.
func (s sheet) verdicts(report *massprovisioningv1.ImportReport, steps []bulksync.Step) []verdict {
	all := make([]verdict, len(steps))
	rows := report.GetReport()
	if s.inOrder(rows, steps) {
		for i, row := range rows {
			all[i] = judgeRow(row)
		}
		return all
	}
	if c := report.GetCounters(); c.GetFailed() == 0 && int(c.GetTotal()) == len(steps) {
		for i := range all {
			all[i].status = bulksync.Done
		}
		return all
	}
	said := make([]int, len(steps))
	for _, row := range rows {
		i := s.only(steps, func(i int) bool { return s.names(row, i, steps[i]) })
		if i < 0 {
			continue
		}
		v := judgeRow(row)
		if said[i]++; said[i] > 1 && v.status != all[i].status {
			v = verdict{} // the report contradicts itself: upstream is asked
		}
		all[i] = v
	}
	for _, line := range report.GetFailingLines() {
		cells := s.cells(line)
		if i := s.only(steps, func(i int) bool { return cells != nil && s.sameRow(cells, i) }); i >= 0 && all[i].status == "" {
			all[i] = verdict{status: bulksync.Failed, message: rowFailed}
		}
	}
	return all
}

// only gives the one step that fits, or -1.
func (s sheet) only(steps []bulksync.Step, fits func(int) bool) int {
	found := -1
	for i := range steps {
		if fits(i) {
			if found >= 0 {
				return -1
			}
			found = i
		}
	}
	return found
}

// inOrder tells whether the rows of a report can be those of the file, one by one.
func (s sheet) inOrder(rows []*massprovisioningv1.ImportReportRow, steps []bulksync.Step) bool {
	if len(rows) != len(steps) {
		return false
	}
	for i, row := range rows {
		if a := row.GetAction(); a != "" && !strings.EqualFold(a, s.rows[i][columnAction]) {
			return false
		}
		if id, want := row.GetUserId(), steps[i].Refs.UserID; id != "" && want != "" && id != want {
			return false
		}
		if cells := s.cells(row.GetLine()); cells != nil && !s.sameRow(cells, i) {
			return false
		}
	}
	return true
}

// names tells whether a row of a report names a step: by its line, else by action and user.
func (s sheet) names(row *massprovisioningv1.ImportReportRow, i int, step bulksync.Step) bool {
	if cells := s.cells(row.GetLine()); cells != nil {
		return s.sameRow(cells, i)
	}
	return row.GetUserId() != "" && row.GetUserId() == step.Refs.UserID && strings.EqualFold(row.GetAction(), s.rows[i][columnAction])
}

// sameRow compares a line's cells with a row by what tells rows apart.
func (s sheet) sameRow(cells map[string]string, i int) bool {
	for _, c := range []string{columnAction, columnLogin, "pbxId", "pbxShortNumber"} {
		if !strings.EqualFold(cells[c], s.rows[i][c]) {
			return false
		}
	}
	return true
}

// rowFailed is all that can be said of a row whose report gives no reason.
const rowFailed = "the report of the import says that the row failed, and not why"

func judgeRow(row *massprovisioningv1.ImportReportRow) verdict {
	v := verdict{userID: row.GetUserId()}
	switch status := strings.ToLower(row.GetStatus()); {
	case strings.HasPrefix(status, "succe"), strings.HasPrefix(status, "warn"):
		v.status = bulksync.Done
		return v
	case !strings.HasPrefix(status, "fail") && !strings.HasPrefix(status, "err"):
		return v
	}
	v.status, v.message = bulksync.Failed, rowFailed
	for _, part := range [][]byte{row.GetExtraJson(), row.GetSubscriberReport().GetExtraJson(), row.GetSipDeviceReport().GetExtraJson(), row.GetDdiReport().GetExtraJson()} {
		if code, message := rowError(part); code != 0 || message != "" {
			v.code, v.message = code, message
			if v.message == "" {
				v.message = fmt.Sprintf("row error %d", code)
			}
			break
		}
	}
	return v
}

// rowError finds code and message of a row's error. Where a report carries them, and under which names, is not
// documented: those are taken that Rainbow uses for errors elsewhere.
func rowError(document []byte) (code int, message string) {
	var members map[string]json.RawMessage
	if json.Unmarshal(document, &members) != nil {
		return 0, ""
	}
	var status string
	if json.Unmarshal(members["status"], &status) == nil && strings.HasPrefix(strings.ToLower(status), "succe") {
		return 0, ""
	}
	for _, name := range []string{"code", "errorCode", "errorDetailsCode"} {
		if n, err := strconv.Atoi(strings.Trim(string(members[name]), `"`)); err == nil {
			code = n
			break
		}
	}
	for _, name := range []string{"message", "errorMsg", "errorDetails", "error", "reason"} {
		if text := sentence(members[name]); text != "" {
			message = text
			break
		}
	}
	return code, message
}
