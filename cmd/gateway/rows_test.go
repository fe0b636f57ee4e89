package main

import (
	"encoding/csv"
	"strings"
	"testing"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

// TestAReportRunsNoFormula: what a manifest or Rainbow wrote stays text in a spreadsheet.
func TestAReportRunsNoFormula(t *testing.T) {
	var out strings.Builder
	rows := []*syncv1.RunRow{{
		File: "=1+1.csv", Line: 2, Login: "@sum(a1)@demo.example", Actions: []string{"create user"},
		Result: syncv1.RunRow_RESULT_FAILED, Code: 2003, Message: "=HYPERLINK(\"http://evil.example\")",
	}}
	if err := writeRows(&out, rows); err != nil {
		t.Fatal(err)
	}
	got, err := csv.NewReader(strings.NewReader(out.String())).ReadAll()
	if err != nil || len(got) != 2 {
		t.Fatalf("report is %q, %v", got, err)
	}
	for i, cell := range got[1] {
		if strings.ContainsAny(cell[:min(1, len(cell))], "=+-@\t\r\n") {
			t.Errorf("%s is %q, which a spreadsheet would run", got[0][i], cell)
		}
	}
	if want := "'=HYPERLINK(\"http://evil.example\")"; got[1][5] != want {
		t.Errorf("message is %q, want %q", got[1][5], want)
	}
}
