package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/manifest"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// The report of a run, entry by entry of its manifest.

// rows reads the whole report of a run.
func (s *session) rows(ctx context.Context, run string) ([]*syncv1.RunRow, error) {
	var all []*syncv1.RunRow
	request := &syncv1.ListRunRowsRequest{Parent: run, PageSize: 1000}
	for {
		page, err := s.runs.ListRunRows(ctx, request)
		if err != nil {
			return nil, err
		}
		all = append(all, page.GetRows()...)
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
			return all, nil
		}
	}
}

// resultWord is a result as people and columns say it: "not-done".
func resultWord(r syncv1.RunRow_Result) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(r.String(), "RESULT_")), "_", "-")
}

// rowAction says in short what was done for an entry: "create, attach"; "none" when nothing was to be done.
func rowAction(row *syncv1.RunRow) string {
	var words []string
	for _, title := range row.GetActions() {
		if word, _, _ := strings.Cut(title, " "); !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}

// rowMessage says why an entry is not done, with Rainbow's code.
func rowMessage(row *syncv1.RunRow) string {
	if row.GetCode() != 0 {
		return fmt.Sprintf("Rainbow says %d: %s", row.GetCode(), row.GetMessage())
	}
	return row.GetMessage()
}

// writeRows writes a report as CSV.
func writeRows(w io.Writer, rows []*syncv1.RunRow) error {
	out := csv.NewWriter(w)
	record := []string{"file", "line", "login", "action", "result", "message", "code", "seconds"}
	for i := 0; ; i++ {
		if err := out.Write(record); err != nil {
			return err
		}
		if i == len(rows) {
			break
		}
		row, line, code := rows[i], "", ""
		if row.GetLine() > 0 {
			line = strconv.Itoa(int(row.GetLine()))
		}
		if row.GetCode() != 0 {
			code = strconv.Itoa(int(row.GetCode()))
		}
		record = []string{
			bulksync.Neutral(row.GetFile()), line, bulksync.Neutral(row.GetLogin()), rowAction(row), resultWord(row.GetResult()), bulksync.Neutral(row.GetMessage()), code,
			strconv.FormatFloat(row.GetTook().AsDuration().Seconds(), 'f', 3, 64),
		}
	}
	out.Flush()
	return out.Error()
}

// writeRun writes a run as JSON, with the report of its entries as a further member, "rows".
func writeRun(w io.Writer, run *syncv1.Run, rows []*syncv1.RunRow) error {
	head, err := protojson.Marshal(run)
	if err != nil {
		return err
	}
	list, err := protojson.Marshal(&syncv1.ListRunRowsResponse{Rows: rows})
	if err != nil {
		return err
	}
	tail := bytes.TrimPrefix(bytes.TrimSpace(list), []byte("{"))
	if len(rows) == 0 {
		tail = []byte(`"rows":[]}`)
	}
	whole := append(bytes.TrimSuffix(bytes.TrimSpace(head), []byte("}")), ',')
	var out bytes.Buffer
	if err := json.Indent(&out, append(whole, tail...), "", "  "); err != nil {
		return err
	}
	out.WriteByte('\n')
	_, err = out.WriteTo(w)
	return err
}

// entries says how the entries of the manifest fared.
func entries(w io.Writer, rows []*syncv1.RunRow) {
	counts := map[syncv1.RunRow_Result]int{}
	all := 0
	for _, row := range rows {
		if row.GetLine() > 0 {
			counts[row.GetResult()]++
			all++
		}
	}
	var parts []string
	for _, r := range []syncv1.RunRow_Result{
		syncv1.RunRow_RESULT_DONE, syncv1.RunRow_RESULT_UNCHANGED, syncv1.RunRow_RESULT_FAILED, syncv1.RunRow_RESULT_SKIPPED,
		syncv1.RunRow_RESULT_HELD, syncv1.RunRow_RESULT_NOT_DONE, syncv1.RunRow_RESULT_UNKNOWN,
	} {
		if counts[r] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[r], resultWord(r)))
		}
	}
	if all > 0 {
		fmt.Fprintf(w, "Entries of the manifest: %s.\n", strings.Join(parts, ", "))
	}
}

// figures says what a run took: always, or when it was sent again what had been sent, or stood still.
func figures(w io.Writer, run *syncv1.Run, rows []*syncv1.RunRow, always bool) {
	f := run.GetFigures()
	still := f.GetThrottled().AsDuration() + f.GetWaited().AsDuration() + f.GetPaused().AsDuration()
	if f.GetCalls() == 0 || !always && f.GetRepeats() == 0 && still < 100*time.Millisecond {
		return
	}
	text := fmt.Sprintf("%s, %s, at most %d at a time", plural(int(f.GetCalls()), "call"), plural(int(f.GetRequests()), "request"), f.GetHighestLimit())
	if f.GetRepeats() > 0 {
		text += fmt.Sprintf("; %d sent again", f.GetRepeats())
	}
	for _, still := range []struct {
		d    time.Duration
		what string
	}{
		{f.GetThrottled().AsDuration(), "because Rainbow wanted no calls"}, {f.GetWaited().AsDuration(), "because Rainbow was out of reach"},
		{f.GetPaused().AsDuration(), "paused"},
	} {
		if still.d >= 100*time.Millisecond {
			text += fmt.Sprintf("; stood still for %s %s", still.d.Round(100*time.Millisecond), still.what)
		}
	}
	fmt.Fprintln(w, text+".")
	if slow := slowest(rows); slow != nil {
		fmt.Fprintf(w, "Slowest: %s, %s.\n", slow.GetLogin(), slow.GetTook().AsDuration().Round(100*time.Millisecond))
	}
}

// slowest is the entry whose calls took longest, when that is worth telling.
func slowest(rows []*syncv1.RunRow) *syncv1.RunRow {
	var slow *syncv1.RunRow
	for _, row := range rows {
		if d := row.GetTook().AsDuration(); d >= time.Second && (slow == nil || d > slow.GetTook().AsDuration()) {
			slow = row
		}
	}
	return slow
}

// writeReport writes the report into a file: a manifest of one CSV with three columns more, else the rows as CSV.
func writeReport(ctx context.Context, name string, rows []*syncv1.RunRow, m *manifestFlags, files []*syncv1.ManifestFile) (err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if len(files) != 1 || manifest.InYAML(sourcesOf(files)[0]) {
		return writeRows(f, rows)
	}
	opts, err := m.options(false)
	if err != nil {
		return err
	}
	results := make(map[bulksync.Position]manifest.RowResult, len(rows))
	for _, row := range rows {
		at := bulksync.Position{File: row.GetFile(), Line: int(row.GetLine()), Column: int(row.GetColumn())}
		results[at] = manifest.RowResult{Action: rowAction(row), Result: resultWord(row.GetResult()), Message: rowMessage(row)}
	}
	src := manifest.Source{Name: files[0].GetName(), Reader: bytes.NewReader(files[0].GetContent()), Encoding: manifest.Encoding(files[0].GetEncoding())}
	return manifest.Annotate(ctx, f, src, results, opts)
}
