package sync

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// The Markdown form, for a merge request or a ticket: the counts, what to look at twice, and the operations, folded away
// when they are many. A comment on GitHub holds 65,536 characters; what does not fit is left out, and said.

const (
	// markdownRoom is how many bytes the operations may take.
	markdownRoom = 48 << 10
	// markdownNames is how much of the lists of people, and how many remarks, are shown.
	markdownNames = 50
	// unfolded is the number of operations up to which they are shown at once.
	unfolded = 20
)

func (p *Plan) renderMarkdown(out *errWriter, o RenderOptions) {
	out.print("### ", strings.TrimSuffix(p.Summary(), "."), "\n")
	if len(p.Operations) > 0 {
		p.markdownTally(out)
		p.markdownRisks(out)
	}
	p.markdownRemarks(out)
	for i, figure := range p.figures() {
		out.print(map[bool]string{true: "\n", false: ""}[i == 0], "- ", cell(clipped(figure)), "\n")
	}
	if len(p.Operations) > 0 {
		p.markdownOperations(out)
	}
	if o.Name != "" {
		out.printf("\nPlan %s, hash `%s`, manifest %s.\n", code(o.Name), p.Hash(), code(p.Manifest))
	}
}

func (p *Plan) markdownTally(out *errWriter) {
	out.print("\n| |")
	for _, a := range p.actions() {
		out.print(" ", string(a), " |")
	}
	out.print("\n|---|", strings.Repeat("---:|", len(p.actions())), "\n")
	t := p.Tally()
	for _, kind := range Kinds() {
		if len(t[kind]) == 0 {
			continue
		}
		out.print("| ", kind.title(), " |")
		for _, a := range p.actions() {
			n := ""
			if t[kind][a] > 0 {
				n = strconv.Itoa(t[kind][a])
			}
			out.print(" ", n, " |")
		}
		out.print("\n")
	}
}

func (p *Plan) markdownRisks(out *errWriter) {
	risks := p.Risks()
	if len(risks) == 0 {
		return
	}
	out.print("\n**Look twice:**\n\n")
	for _, r := range risks {
		who := r.Who[:min(len(r.Who), markdownNames)]
		out.print("- ", cell(r.What))
		if len(who) > 0 {
			out.print(": ", joined(who, ", ", func(s string) string { return code(clipped(s)) }))
		}
		if more := len(r.Who) - len(who); more > 0 {
			out.printf(", and %d more", more)
		}
		out.print("\n")
	}
}

func (p *Plan) markdownRemarks(out *errWriter) {
	remarks := p.toldRemarks()
	for _, r := range remarks[:min(len(remarks), markdownNames)] {
		out.print("\n> Note: ", cell(clipped(remark(r))), "\n")
	}
	if more := len(remarks) - markdownNames; more > 0 {
		out.printf("\n> and %s more\n", counted(more, "remark"))
	}
}

func (p *Plan) markdownOperations(out *errWriter) {
	folded := len(p.Operations) > unfolded
	if folded {
		out.printf("\n<details>\n<summary>%s</summary>\n", counted(len(p.Operations), "operation"))
	}
	out.print("\n| # | action | what | changes | why | manifest | waits for |\n|---:|---|---|---|---|---|---|\n")
	left := markdownRoom
	shown := 0
	for i := range p.Operations {
		row := markdownRow(&p.Operations[i])
		if left -= len(row); left < 0 {
			break
		}
		out.print(row)
		shown++
	}
	if folded {
		out.print("\n</details>\n")
	}
	if more := len(p.Operations) - shown; more > 0 {
		out.printf("\n**%s not shown here**, of %d: a comment has no room for more. The text, HTML, CSV and JSON forms have them all.\n",
			be(more, "operation", "is", "are"), len(p.Operations))
	}
}

func markdownRow(op *Operation) string {
	var changes []string
	for c := range op.details() {
		changes = append(changes, code(clipped(c.words())))
	}
	if op.Secret != nil {
		changes = append(changes, code(clipped(op.Secret.words())))
	}
	what := code(clipped(op.shown()))
	if op.Login != "" {
		what += " " + code(clipped(string(op.Login)))
	}
	why := cell(clipped(op.Reason))
	if op.Held != "" {
		why = "**held back:** " + cell(clipped(op.Held)) + "<br>" + why
	}
	return fmt.Sprintf("| %d | %s | %s | %s | %s | %s | %s |\n", op.ID, op.Action, what, strings.Join(changes, "<br>"),
		why, cell(clipped(op.places(", "))), op.needed(", "))
}

// clipped keeps a value that is longer than any that people use from taking all the room.
func clipped(s string) string {
	const most = 400
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// code shows text as a code span, in which nothing is a mention, a link or a mark; a bar would still end a table's cell.
func code(s string) string {
	s = strings.ReplaceAll(visible(s), "|", `\|`)
	if strings.TrimSpace(s) == "" {
		return ""
	}
	ticks := "`"
	for strings.Contains(s, ticks) {
		ticks += "`"
	}
	if s[0] == '`' || s[len(s)-1] == '`' {
		s = " " + s + " "
	}
	return ticks + s + ticks
}

var (
	// marks are the signs that mean something in Markdown, wherever they stand.
	marks = regexp.MustCompile("[\\\\`*_{}\\[\\]<>|~&$!^=]")
	// calls are what GitHub and GitLab make a mention or a reference of: an empty comment behind the sign keeps them from it.
	callOut = regexp.MustCompile(`(^|[^\pL\pN])([@#!%~&])(\w)`)
	// bare links begin with a scheme or www.
	bareLink = regexp.MustCompile(`(?i)(https?|ftp)://|www\.`)
)

// cell makes a sentence safe in Markdown, inside of a table and out: no mark, link, mention or HTML comes of it.
func cell(s string) string {
	s = bareLink.ReplaceAllStringFunc(visible(s), func(link string) string {
		at := strings.LastIndexAny(link, ":.")
		return link[:at] + "\x00" + link[at:]
	})
	s = callOut.ReplaceAllString(s, "$1$2\x00\x00$3")
	s = marks.ReplaceAllString(s, `\$0`)
	return breakers.Replace(s)
}

var breakers = strings.NewReplacer("\x00\x00", "<!-- -->", "\x00", `\`)
