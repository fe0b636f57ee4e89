package drift

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// FuzzInspect gives any text to the radar: it must not panic, stay within its bounds, and show no path that was not
// documented or made of harmless names.
func FuzzInspect(f *testing.F) {
	for _, documents := range answers(f) {
		for _, document := range documents {
			f.Add([]byte(document), "application/json")
		}
	}
	for _, seed := range []string{``, `null`, `[[[[`, `{"data":[{"x":1,"x":{"y":[]}},null,[]],"total":1e400}`, `{"\ud800":1,"a@b":2}`, "{\"\xff\":1}",
		strings.Repeat(`{"data":`, 200) + `1` + strings.Repeat(`}`, 200), `{"data":[{"id":9007199254740993,"emails":[{"email":{}}]}]}`} {
		f.Add([]byte(seed), "text/html")
	}
	b := binding(f, listUsers)
	path := regexp.MustCompile(`^(\$|[A-Za-z0-9_$.{}\[\]-]{1,200})$`)
	f.Fuzz(func(t *testing.T, document []byte, contentType string) {
		r := quiet(t)
		r.tally(b)
		for range 2 {
			r.take(sample{binding: b, tally: r.tally(b), contentType: contentType, body: document})
		}
		report := r.Report()
		op := report.Operations[0]
		if op.Inspected+op.Unreadable != 2 || op.Unreadable > 0 {
			t.Errorf("answers %+v", op.Answers)
		}
		for _, finding := range op.Findings {
			if !path.MatchString(finding.Path) || finding.Count == 0 || finding.Count > finding.Of {
				t.Errorf("finding %+v", finding)
			}
		}
		if json.Valid(document) == (len(op.Findings) > 0 && op.Findings[0].Class == Malformed) && len(strings.TrimSpace(string(document))) > 0 {
			t.Errorf("valid JSON and malformed, or neither: %+v", op.Findings)
		}
	})
}
