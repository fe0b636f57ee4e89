package sync

import (
	"encoding/csv"
	"strconv"
	"strings"
)

func (p *Plan) renderCSV(w *errWriter) {
	out := csv.NewWriter(w) // what it fails to write is kept by w
	_ = out.Write([]string{"operation", "action", "kind", "key", "login", "changes", "reason", "needs", "position", "calls", "held"})
	for i := 0; i < len(p.Operations) && w.err == nil; i++ {
		op := &p.Operations[i]
		changes := joined(op.Changes, "; ", Change.words)
		if op.Secret != nil {
			changes = strings.TrimPrefix(changes+"; "+op.Secret.words(), "; ")
		}
		_ = out.Write([]string{strconv.Itoa(op.ID), string(op.Action), string(op.Key.Kind), sheetCell(op.Key.ID), sheetCell(string(op.Login)),
			sheetCell(changes), sheetCell(op.Reason), op.needed(" "), sheetCell(op.places(" ")), strconv.Itoa(op.Cost.Calls), sheetCell(op.Held)})
	}
	out.Flush()
}

// sheetCell is text for a spreadsheet.
func sheetCell(s string) string { return Neutral(visible(s)) }

// Neutral keeps a spreadsheet from running a cell as a formula (OWASP, "CSV Injection"): one that starts with =, +, -, @,
// their full-width twins, a tab or a line end, also behind blanks, gets an apostrophe in front.
func Neutral(s string) string {
	if bare := strings.TrimLeft(s, " \u00a0"); bare != "" && strings.ContainsRune("=+-@＝＋－＠\t\r\n", firstRune(bare)) {
		return "'" + s
	}
	return s
}

func firstRune(s string) rune {
	for _, r := range s {
		return r
	}
	return 0
}
