package sync

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
	"golang.org/x/net/html"
)

// fullPlan is a plan that has everything, with words for what a manifest or upstream may hold.
func fullPlan(word func(string) string) *Plan {
	at := func(line int) []Position { return []Position{{word("team.csv"), line, 1}} }
	login := func(s string) Login { return Login(word(s)) }
	ann, bob, cleo := login("ann@demo.example"), login("bob@demo.example"), login("cleo@demo.example")
	ops := []Operation{
		{Action: ActionDelete, Key: Key{KindUser, string(bob)}, Login: bob, Reason: word("the manifest deletes the user; frees extension 2002"), Positions: at(3)},
		{Action: ActionCreate, Key: Key{KindUser, string(ann)}, Login: ann, Reason: word("there is no such user"), Positions: at(2), Changes: []Change{
			{Name: "firstName", After: word("Ann")}, {Name: word("userInfo1"), After: word("ward 4")}, {Name: "licence l1", After: word("Voice Enterprise")},
		}, Secret: &SecretPlace{Position: at(2)[0], Field: "password"}},
		{Action: ActionCreate, Key: Key{KindExtension, word("PBX0000-cloud") + "/" + word("2002")}, Login: ann, Reason: word("no extension yet"), Positions: at(2), Needs: []int{1, 2}},
		{Action: ActionAttach, Key: Key{KindDDI, word("+33298300513")}, Login: ann, Reason: word("moves from bob@demo.example"), Positions: at(2), Needs: []int{1, 3},
			Changes: []Change{{Name: "holder", Before: string(bob), After: string(ann)}}},
		{Action: ActionAttach, Key: Key{KindDevice, word("aabbccddee02")}, Login: ann, Reason: word("the manifest names it"), Positions: at(2), Needs: []int{3}},
		{Action: ActionUpdate, Key: Key{KindUser, string(cleo)}, Login: cleo, Reason: word("values differ"), Positions: []Position{{word("team.csv"), 4, 1}, {word("moves.csv"), 2, 1}}, Changes: []Change{
			{Name: "jobTitle", Before: word("Nurse"), After: word("Head nurse")}, {Name: "tags0", Before: word("night")},
		}, Secret: &SecretPlace{Position: at(4)[0], Field: "password"}},
		{Action: ActionAttach, Key: Key{KindLicence, word("5b7d0c0ffee0000000000301")}, Login: cleo, Reason: word("the manifest adds it"), Positions: at(4),
			Changes: []Change{{Name: "offer", After: word("Voice Attendant")}}},
		{Action: ActionDetach, Key: Key{KindDDI, word("+33298300514")}, Login: cleo, Reason: word("the extension goes"), Positions: at(4)},
		{Action: ActionDelete, Key: Key{KindExtension, word("PBX0000-cloud") + "/" + word("2003")}, Login: cleo, Reason: word("the manifest detaches the extension"), Positions: at(4), Needs: []int{8}},
		{Action: ActionDetach, Key: Key{KindExtension, word("PBX0000-oxe") + "/" + word("3000")}, Login: cleo, Reason: word("the manifest names another, or none"), Positions: at(4)},
		{Action: ActionCreate, Key: Key{KindDevice, word("aabbccddee03")}, Reason: word("the company owns it"), Positions: at(9), Changes: []Change{{Name: "model", After: word("M5")}}},
	}
	for i := range ops {
		ops[i].ID, ops[i].Cost = i+1, Cost{Calls: 1}
	}
	ops[7].Held, ops[8].Held = word("2 of 3 extensions would be deleted"), word("needs operation 8, which is held back")
	return &Plan{
		Format: PlanFormat, Company: word("c1"), Manifest: word("d16e57"), Mode: "rainbowvoice", Operations: ops, Undoes: word("run-20261121-090000-aa11bb"),
		Unchanged: UnchangedOf(Unchanged{login("dora@demo.example"), at(5)[0], word("is as the manifest wants it")}),
		Remarks:   []Fault{{Position: at(2)[0], Code: "remark", Message: word("two users swap their numbers")}},
		Doubtful:  []Doubt{{Login: login("eve@demo.example"), Position: at(6)[0], Why: word("the same DDI"), Candidates: []Candidate{{login("eva@demo.example"), []string{word("DDI")}, nil}}}},
		Seats:     []Seats{{word("5b7d"), Offer(word("Voice Enterprise")), 3, 5, 4, 10}},
		Outages:   []Outage{{ann, 3, 4, 1}, {cleo, 8, 10, 2}, {login("dora@demo.example"), 5, 6, 0}},
		Touched:   []Touch{{Key{KindUser, string(bob)}, "aa"}},
	}
}

func plainly(s string) string { return s }

func TestFormsOfAPlanReadAsGoldens(t *testing.T) {
	for _, f := range Formats() {
		t.Run(string(f), func(t *testing.T) {
			golden(t, "plan."+string(f), rendered(t, fullPlan(plainly), f))
		})
	}
}

func rendered(t interface{ Fatal(...any) }, p *Plan, f Format) []byte {
	var out bytes.Buffer
	if err := p.Render(&out, f, RenderOptions{Name: "companies/c1/plans/plan-20261122-101500-ab12cd", Width: 100_000}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestAnUnknownFormIsRefused(t *testing.T) {
	if err := fullPlan(plainly).Render(&bytes.Buffer{}, "pdf", RenderOptions{}); err == nil || !strings.Contains(err.Error(), `format "pdf": want text`) {
		t.Errorf("got %v, want the list of formats", err)
	}
}

// TestFormsAreEqualInEveryProcess renders in two processes, whose maps are walked in different orders.
func TestFormsAreEqualInEveryProcess(t *testing.T) {
	first, second := inAnotherProcess(t), inAnotherProcess(t)
	if !bytes.Equal(first, second) || len(first) < 10_000 {
		t.Errorf("two processes give %d and %d bytes, want the same, and many", len(first), len(second))
	}
}

const renderVariable = "SYNC_TEST_RENDERS"

func inAnotherProcess(t *testing.T) []byte {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(self)
	child.Env = append(os.Environ(), renderVariable+"=1")
	out, err := child.Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// renderEverything is what the other process does: it plans every case and writes it in all forms.
func renderEverything() error {
	for _, c := range planCases {
		plan, err := MakePlan(&Desired{Mode: "rainbowvoice", Digest: "d16e57", Users: EntriesOf(c.users...)}, demoWorld(), Policy{})
		if err != nil {
			return err
		}
		for _, p := range []*Plan{plan, fullPlan(plainly)} {
			for _, f := range Formats() {
				if err := p.Render(os.Stdout, f, RenderOptions{Name: "plan-1", Color: true}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// TestTheJSONFormIsThePlan: written piece by piece, it is what encoding/json makes of the whole.
func TestTheJSONFormIsThePlan(t *testing.T) {
	for _, p := range []*Plan{fullPlan(plainly), fullPlan(func(s string) string { return s + "<&>\u2028\x00\"" }), {Format: PlanFormat}, {Operations: []Operation{}}} {
		var want bytes.Buffer
		enc := json.NewEncoder(&want)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		if err := enc.Encode(p); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.String(), string(rendered(t, p, FormatJSON))); diff != "" {
			t.Errorf("the JSON form differs from the plan (-want +got):\n%s", diff)
		}
	}
}

// TestTheTextFormFitsItsWidth breaks lines at blanks; only what has none is longer, and the line that scripts look for.
func TestTheTextFormFitsItsWidth(t *testing.T) {
	for _, width := range []int{0, 1, 40, 60, 80, 133} {
		var out bytes.Buffer
		if err := fullPlan(plainly).Render(&out, FormatText, RenderOptions{Width: width, Name: "plan-1"}); err != nil {
			t.Fatal(err)
		}
		limit := max(width, leastWidth)
		if width == 0 {
			limit = usualWidth
		}
		for line := range strings.Lines(out.String()) {
			line = strings.TrimRight(line, "\n")
			if len([]rune(line)) > limit && strings.Contains(strings.TrimSpace(line), " ") && !strings.HasPrefix(line, "Plan:") && !tallyLine.MatchString(line) {
				t.Errorf("width %d: %d columns in %q", width, len([]rune(line)), line)
			}
		}
	}
}

var tallyLine = regexp.MustCompile(`^(user|extension|device|DDI|licence| {10})( +(\d+|\.|[a-z]+))+$`)

// TestColoursAreOnlyWhereAskedFor: without them there is no escape sequence at all.
func TestColoursAreOnlyWhereAskedFor(t *testing.T) {
	for _, colours := range []bool{false, true} {
		var out bytes.Buffer
		if err := fullPlan(plainly).Render(&out, FormatText, RenderOptions{Color: colours}); err != nil {
			t.Fatal(err)
		}
		if got := bytes.ContainsRune(out.Bytes(), '\x1b'); got != colours {
			t.Errorf("colours asked for: %v, escape sequences: %v", colours, got)
		}
	}
}

func TestRisksNameThoseWhoLose(t *testing.T) {
	var got []string
	for _, r := range fullPlan(plainly).Risks() {
		got = append(got, r.words())
	}
	want := []string{
		"1 user is deleted: bob@demo.example",
		"1 user gives up an extension and gets no other: cleo@demo.example",
		"2 users are without a number for a while: cleo@demo.example (2 calls, operations 8 to 10), ann@demo.example (1 call, operations 3 to 4)",
		"1 user gets a new password: cleo@demo.example",
		"2 operations are held back: cleo@demo.example",
		"1 entry may be a user under another login, and is held back: eve@demo.example",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("risks differ (-want +got):\n%s", diff)
	}
}

// TestALargePlanFitsIntoAComment: GitHub refuses comments of more than 65,536 characters.
func TestALargePlanFitsIntoAComment(t *testing.T) {
	p := largePlan(5000)
	got := rendered(t, p, FormatMarkdown)
	if len(got) > 65_000 {
		t.Errorf("%d bytes, want at most 65,000", len(got))
	}
	for _, want := range []string{"<details>\n<summary>5000 operations</summary>\n", "operations are not shown here**, of 5000", "and 4950 more\n"} {
		if !bytes.Contains(got, []byte(want)) {
			t.Errorf("the document lacks %q", want)
		}
	}
}

// largePlan deletes n users.
func largePlan(n int) *Plan {
	p := &Plan{Format: PlanFormat, Company: "c1", Operations: make([]Operation, n)}
	for i := range p.Operations {
		l := benchLogin(i)
		p.Operations[i] = Operation{ID: i + 1, Action: ActionDelete, Key: l.Key(), Login: l, Reason: "the manifest deletes the user; frees extension 2001, device aa:bb:cc:dd:ee:00",
			Positions: []Position{{"team.csv", i + 2, 1}}}
	}
	return p
}

// first is a writer that takes one write.
type firstWrite struct{ done bool }

func (w *firstWrite) Write(b []byte) (int, error) {
	if w.done {
		return 0, errors.New("enough")
	}
	w.done = true
	return len(b), nil
}

func BenchmarkRender(b *testing.B) {
	p := largePlan(100_000)
	for _, f := range Formats() {
		b.Run(string(f), func(b *testing.B) {
			for b.Loop() {
				if err := p.Render(discard{}, f, RenderOptions{Name: "plan-1"}); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(string(f)+"/first", func(b *testing.B) {
			for b.Loop() {
				if err := p.Render(&firstWrite{}, f, RenderOptions{Name: "plan-1"}); err == nil {
					b.Fatal("the writer's error is lost")
				}
			}
		})
	}
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

// nasty is what people with time on their hands write into manifests.
var nasty = []string{
	"=HYPERLINK(\"http://evil.example\";\"x\")", "+1", "-1", "@SUM(A1)", "＝1+1", " =1", "\t=1", "\r=1", "\n=1", "'=1",
	"<script>alert(1)</script>", "</table></details><img src=x onerror=alert(1)>", "\" onmouseover=\"alert(1)", "' x='", "&lt;b&gt;", "&#60;b>", "<!--", "-->", "]]>",
	"`code`", "``", "`", "|", "a|b", "\\|", "\\", "a\\", "[x](http://evil.example)", "![x](http://evil.example/x.png)", "**bold**", "_it_", "~~gone~~",
	"https://evil.example/", "www.evil.example", "HTTP://evil.example", "ftp://x.example", "@octocat", "#12", "!12", "$x$", "$$x$$", ":tada:", "# title", "> quote", "- [ ] task", "1. one", "---", "====",
	"<https://evil.example>", "mailto:x@evil.example", "</summary>", "[^1]", "[x]: http://evil.example", "a\n\nb", "a\n| b |", "a\r\nb",
	"\"]; evil [label=\"", "\"", "\\\"", "\\n", "\\N", "}", "subgraph {", "\"; o1 -> o2; \"", "<b>label</b>",
	"\x1b[2J\x1b[1;1Hno changes", "\x1b]0;title\x07", "\a\b\x7f", "a\rb", "\u202egnp.exe", "\u2066x\u2069", "\u200b", "\ufeff", "\u0085", "\u2028", "\x9b2J", "\xff\xfe", "é日本", "🎉",
	" ", "  ", "a  b", " a ", strings.Repeat("x", 3000), strings.Repeat("` ", 50), "", "\x00", "%s%d%!", "${x}",
}

// FuzzHostileText puts a text everywhere into a plan. Whatever it is, every form has the structure that it has with a
// harmless one.
func FuzzHostileText(f *testing.F) {
	for _, s := range nasty {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if s == "" {
			return // an absent value is another structure
		}
		hostile, harmless := fullPlan(func(string) string { return s }), fullPlan(func(string) string { return "x" })
		for _, form := range Formats() {
			if form == FormatMarkdown && len(s) > 200 {
				continue // it leaves out what does not fit
			}
			got, want := skeletons[form](t, rendered(t, hostile, form)), skeletons[form](t, rendered(t, harmless, form))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%q changes the structure of %s (-harmless +hostile):\n%s\n%s", s, form, diff, rendered(t, hostile, form))
			}
		}
		if b := rendered(t, hostile, FormatText); bytes.ContainsFunc(b, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) {
			t.Errorf("%q leaves signs in the text form that can't be seen: %q", s, b)
		}
	})
}

// skeletons give what a form's reader makes of it, without its words.
var skeletons = map[Format]func(*testing.T, []byte) []string{
	FormatText: func(_ *testing.T, b []byte) []string {
		return []string{fmt.Sprintf("%d lines", bytes.Count(b, []byte("\n")))}
	},
	FormatJSON: func(t *testing.T, b []byte) []string {
		var p Plan
		if err := json.Unmarshal(b, &p); err != nil && !strings.Contains(err.Error(), "key") {
			t.Fatalf("the JSON form does not decode: %v", err)
		}
		return []string{fmt.Sprintf("valid: %v", json.Valid(b)), fmt.Sprintf("%d lines", bytes.Count(b, []byte("\n")))}
	},
	FormatMarkdown: markdownSkeleton,
	FormatHTML:     htmlSkeleton,
	FormatCSV:      csvSkeleton,
	FormatDot:      dotSkeleton,
}

func markdownSkeleton(t *testing.T, b []byte) []string {
	t.Helper()
	var all []string
	root := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(b))
	err := ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Text, *ast.String, *ast.CodeSpan:
			return ast.WalkSkipChildren, nil
		case *ast.RawHTML:
			if raw := string(n.Segments.Value(b)); entering && raw != "<!-- -->" {
				all = append(all, raw)
			}
			return ast.WalkContinue, nil
		case *ast.AutoLink:
			if n.AutoLinkType == ast.AutoLinkEmail {
				return ast.WalkContinue, nil
			}
		}
		if entering {
			all = append(all, n.Kind().String())
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func htmlSkeleton(t *testing.T, b []byte) []string {
	t.Helper()
	var all []string
	z := html.NewTokenizer(bytes.NewReader(b))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return all
		case html.TextToken:
		default:
			all = append(all, z.Token().String())
		}
	}
}

func csvSkeleton(t *testing.T, b []byte) []string {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if bare := strings.TrimSpace(cell); bare != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(bare)[0]) {
				t.Errorf("a spreadsheet runs the cell %q", cell)
			}
		}
	}
	return []string{fmt.Sprintf("%d rows of %d", len(rows), len(rows[0]))}
}

// dotString is a quoted string of the DOT language: a quote ends it unless a backslash stands before it.
var dotString = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

func dotSkeleton(t *testing.T, b []byte) []string {
	t.Helper()
	bare := dotString.ReplaceAllString(string(b), "S")
	if strings.Contains(bare, `"`) {
		t.Errorf("a string of the graph does not end:\n%s", b)
	}
	return strings.Split(bare, "\n")
}

// TestTheGraphIsThePlan: as many nodes as operations, in one cluster for each user, and an edge for each need.
func TestTheGraphIsThePlan(t *testing.T) {
	p := fullPlan(plainly)
	graph := string(rendered(t, p, FormatDot))
	users, needs := map[Login]bool{}, 0
	for i := range p.Operations {
		op := &p.Operations[i]
		users[op.Login] = true
		needs += len(op.Needs)
		for _, n := range op.Needs {
			if edge := fmt.Sprintf("  o%d -> o%d;\n", n, op.ID); !strings.Contains(graph, edge) {
				t.Errorf("the graph lacks %q", edge)
			}
		}
	}
	got := []int{len(regexp.MustCompile(`(?m)^    o\d+ \[`).FindAllString(graph, -1)), strings.Count(graph, "subgraph cluster_"), strings.Count(graph, " -> ")}
	if want := []int{len(p.Operations), len(users), needs}; !slices.Equal(got, want) {
		t.Errorf("nodes, clusters and edges are %v, want %v", got, want)
	}
	if strings.Count(graph, "{") != strings.Count(graph, "}") {
		t.Error("the graph's braces do not match")
	}
}

// TestThePageLoadsNothing: no address, no style or script but those that its policy names, nothing in attributes.
func TestThePageLoadsNothing(t *testing.T) {
	page := rendered(t, fullPlan(plainly), FormatHTML)
	z := html.NewTokenizer(bytes.NewReader(page))
	for z.Next() != html.ErrorToken {
		for _, a := range z.Token().Attr {
			switch {
			case strings.HasPrefix(a.Key, "on") || a.Key == "src" || a.Key == "style" || a.Key == "action",
				a.Key == "href" && !strings.HasPrefix(a.Val, "#o"):
				t.Errorf("the page has the attribute %s=%q", a.Key, a.Val)
			}
		}
	}
	for _, source := range []string{"default-src 'none'", "style-src " + digestOf(planStyle), "script-src " + digestOf(planScript)} {
		if !bytes.Contains(page, []byte(source)) {
			t.Errorf("the page's policy lacks %s", source)
		}
	}
	if bytes.Count(page, []byte("<style>"+planStyle+"</style>")) != 1 || bytes.Count(page, []byte("<script>"+planScript+"</script>")) != 1 {
		t.Error("the page does not have just the style and the script that its policy names")
	}
	if regexp.MustCompile(`(?i)url\(|@import|fetch\(|http`).MatchString(planStyle + planScript) {
		t.Error("the style or the script has an address")
	}
}

// TestEveryFormHasAllOfAnOperation: reason, before and after, places, needs.
func TestEveryFormHasAllOfAnOperation(t *testing.T) {
	marks := map[string]string{}
	p := fullPlan(plainly)
	op := &p.Operations[5]
	op.Reason, op.Positions[1].File, op.Needs = "why7531", "file7532", []int{4}
	op.Changes[0] = Change{"name7533", "before7534", "after7535"}
	for _, mark := range []string{"why7531", "file7532", "name7533", "before7534", "after7535"} {
		marks[mark] = mark
	}
	for _, f := range []Format{FormatText, FormatJSON, FormatMarkdown, FormatHTML, FormatCSV} {
		b := rendered(t, p, f)
		for mark := range marks {
			if !bytes.Contains(b, []byte(mark)) {
				t.Errorf("%s lacks %s", f, mark)
			}
		}
	}
}

// TestNoFieldOfAnOperationIsForgotten: whoever adds one says here that the forms show it.
func TestNoFieldOfAnOperationIsForgotten(t *testing.T) {
	shown := []string{"ID", "Action", "Key", "Login", "Changes", "Reason", "Positions", "Needs", "Secret", "Cost", "Held"}
	for i := range reflect.TypeFor[Operation]().NumField() {
		if name := reflect.TypeFor[Operation]().Field(i).Name; !slices.Contains(shown, name) {
			t.Errorf("Operation.%s is shown by no form but JSON: render it, then name it here", name)
		}
	}
}
