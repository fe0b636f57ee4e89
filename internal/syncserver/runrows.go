package syncserver

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

var resultProtos = map[bulksync.Result]syncv1.RunRow_Result{
	bulksync.ResultDone:      syncv1.RunRow_RESULT_DONE,
	bulksync.ResultUnchanged: syncv1.RunRow_RESULT_UNCHANGED,
	bulksync.ResultFailed:    syncv1.RunRow_RESULT_FAILED,
	bulksync.ResultSkipped:   syncv1.RunRow_RESULT_SKIPPED,
	bulksync.ResultHeld:      syncv1.RunRow_RESULT_HELD,
	bulksync.ResultNotDone:   syncv1.RunRow_RESULT_NOT_DONE,
	bulksync.ResultUnknown:   syncv1.RunRow_RESULT_UNKNOWN,
}

// ListRunRows pages through the report of a run.
func (s runService) ListRunRows(ctx context.Context, req *syncv1.ListRunRowsRequest) (*syncv1.ListRunRowsResponse, error) {
	var v violations
	p := v.page(req, 100)
	from := v.index(p)
	for _, result := range req.GetResults() {
		v.enum("results", int32(result), syncv1.RunRow_Result_name)
	}
	at, err := s.runPlace(ctx, "parent", req.GetParent(), v)
	if err != nil {
		return nil, s.status(err)
	}
	rows, err := s.rows(ctx, at)
	if err != nil {
		return nil, s.status(err)
	}
	resp := &syncv1.ListRunRowsResponse{}
	for i := from; i < len(rows); i++ {
		result := resultProtos[rows[i].Result]
		if len(req.GetResults()) > 0 && !slices.Contains(req.GetResults(), result) && !slices.Contains(req.GetResults(), syncv1.RunRow_RESULT_UNSPECIFIED) {
			continue
		}
		if len(resp.Rows) == p.size {
			resp.NextPageToken = p.token(strconv.Itoa(i))
			break
		}
		resp.Rows = append(resp.Rows, rowProto(rows[i]))
	}
	return resp, nil
}

func rowProto(r bulksync.Row) *syncv1.RunRow {
	row := &syncv1.RunRow{
		File: r.Position.File, Line: int32(r.Position.Line), Column: int32(r.Position.Column), Login: string(r.Login), Actions: r.Actions,
		Result: resultProtos[r.Result], Message: r.Message, Code: int32(r.Code),
	}
	for _, id := range r.Operations {
		row.Operations = append(row.Operations, int32(id))
	}
	if r.Took > 0 {
		row.Took = durationpb.New(r.Took)
	}
	return row
}

// rows makes the report of a run, or takes it from the last time: whoever pages through it asks many times.
func (s *Server) rows(ctx context.Context, at runPlace) ([]bulksync.Row, error) {
	if live := at.live(at.id); live != nil {
		run, _ := live.view()
		return bulksync.Rows(live.plan.Plan, &run, live.outcomes()), nil
	}
	run, err := s.storedRun(ctx, at.company, at.id)
	if err != nil {
		return nil, err
	}
	return s.lastRows.get(rowsKey{at.company, run.Name, run.EndTime}, func() ([]bulksync.Row, error) {
		plan, outcomes, err := s.outcomes(ctx, at)
		if err != nil {
			return nil, err
		}
		if plan == nil {
			return nil, refusal{
				reason: "PLAN_GONE", subject: planName(at.company, run.Plan),
				text: fmt.Sprintf("plan %s was deleted, so how the entries of its manifest fared in run %s can't be told; its outcomes can", run.Plan, run.Name),
			}
		}
		return bulksync.Rows(plan, run, outcomes), nil
	})
}

// rowsKey names the report of a run at rest.
type rowsKey struct {
	company, run string
	ended        time.Time
}

// rowsMemory keeps the last report.
type rowsMemory struct {
	mu   sync.Mutex // guards the rest
	key  rowsKey
	rows []bulksync.Row
}

func (m *rowsMemory) get(key rowsKey, fill func() ([]bulksync.Row, error)) ([]bulksync.Row, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rows != nil && m.key == key {
		return m.rows, nil
	}
	rows, err := fill()
	if err != nil {
		return nil, err
	}
	m.key, m.rows = key, rows
	return rows, nil
}
