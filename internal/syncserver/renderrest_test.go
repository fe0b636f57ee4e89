package syncserver_test

import (
	sheets "encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/html"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

// hostileName is what somebody may give as his name: a script, a formula, and what ends a table, a code span or a label.
const hostileName = "=cmd|' /C calc'!A0 <script>alert(1)</script> </td></table> `| x` \"]; evil [label=\""

// TestHostileNamesStayTextOverREST renders a plan and drift, and looks at what a browser and a spreadsheet get. That no text
// changes the structure of any form is fuzzed where they are rendered.
func TestHostileNamesStayTextOverREST(t *testing.T) {
	g := newGateway(t, 2)
	url := door(t, g)
	sheet := csv(header + "upsert;user0001@demo.example;\"" + strings.ReplaceAll(hostileName, `"`, `""`) + "\";\"=1+1\";;;\n")
	sheet[0].Name = "=a<b>.csv"
	plan, err := g.plans.CreatePlan(g.ctx(), &syncv1.CreatePlanRequest{Parent: parent, Manifest: sheet})
	if err != nil {
		t.Fatal(err)
	}
	id := plan.GetName()[strings.LastIndexByte(plan.GetName(), '/')+1:]
	for _, c := range []struct {
		form, media, disposition, policy string
		check                            func(t *testing.T, body string)
	}{
		{"HTML", "text/html; charset=utf-8", "inline; filename=" + id + ".html", "sandbox allow-scripts; default-src 'none';", onePage},
		{"TEXT", "text/plain; charset=utf-8", "inline; filename=" + id + ".txt", "", nil},
		{"JSON", "application/json", "inline; filename=" + id + ".json", "", func(t *testing.T, body string) {
			if !json.Valid([]byte(body)) {
				t.Errorf("it is no JSON: %s", body)
			}
		}},
		{"MARKDOWN", "text/markdown; charset=utf-8", "attachment; filename=" + id + ".md", "", nil},
		{"CSV", "text/csv; charset=utf-8", "attachment; filename=" + id + ".csv", "", noFormula},
		{"DOT", "text/vnd.graphviz; charset=utf-8", "attachment; filename=" + id + ".dot", "", nil},
	} {
		t.Run(c.form, func(t *testing.T) {
			resp, body := fetch(t, url+plan.GetName()+":render?format=FORMAT_"+c.form)
			for name, want := range map[string]string{
				"Content-Type": c.media, "Content-Disposition": c.disposition, "X-Content-Type-Options": "nosniff",
			} {
				if got := resp.Header.Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			if got := resp.Header.Get("Content-Security-Policy"); !strings.HasPrefix(got, c.policy) || (got == "") != (c.policy == "") {
				t.Errorf("policy is %q, want %q", got, c.policy)
			}
			if c.form != "DOT" && !strings.Contains(body, "cmd|") && !strings.Contains(body, `cmd\|`) { // a graph names no values
				t.Errorf("the name is not in it: %s", body)
			}
			if c.check != nil {
				c.check(t, body)
			}
		})
	}

	g.applied(&syncv1.ApplyPlanRequest{Name: plan.GetName(), Manifest: sheet})
	if _, err := g.drifts.CheckDrift(g.ctx(), &syncv1.CheckDriftRequest{Name: parent + "/drift"}); err != nil {
		t.Fatal(err)
	}
	resp, _ := fetch(t, url+parent+"/drift:render?format=FORMAT_MARKDOWN")
	if got := resp.Header.Get("Content-Disposition"); got != "attachment; filename=drift.md" {
		t.Errorf("drift: Content-Disposition is %q", got)
	}
}

// onePage finds no script but the page's own, and the name as text.
func onePage(t *testing.T, body string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	scripts, shown := 0, false
	for n := range doc.Descendants() {
		switch {
		case n.Type == html.ElementNode && n.Data == "script":
			scripts++
			if n.FirstChild == nil || strings.Contains(n.FirstChild.Data, "alert(") {
				t.Errorf("a script that is not the page's: %v", n.FirstChild)
			}
		case n.Type == html.TextNode:
			shown = shown || strings.Contains(n.Data, "<script>alert(1)</script>")
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") {
				t.Errorf("an attribute that runs: %s=%q", a.Key, a.Val)
			}
		}
	}
	if scripts != 1 || !shown {
		t.Errorf("%d scripts, want the page's own; the name is shown as text: %v", scripts, shown)
	}
}

// noFormula reads the rows as a spreadsheet does.
func noFormula(t *testing.T, body string) {
	t.Helper()
	rows, err := sheets.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil || len(rows) != 2 {
		t.Fatalf("rows are %q, %v", rows, err)
	}
	for i, cell := range rows[1] {
		if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") {
			t.Errorf("column %s is %q, which a spreadsheet would run", rows[0][i], cell)
		}
	}
}

// fetch asks as a browser does.
func fetch(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s, %v: %s", url, resp.Status, err, b)
	}
	return resp, string(b)
}
