package sync

import (
	"crypto/sha256"
	_ "embed" // the page's style and script
	"encoding/base64"
	"html"
	"strconv"
	"strings"
)

// The HTML form: one file that loads nothing. It is read without its script, which only searches. Operations come in
// pages of a few hundred, each folded but the first: a browser lays out only what is open, so that a plan of 100,000
// operations opens as one of ten does. The content security policy allows just the style and the script below, by hash.

//go:embed plan.css
var planStyle string

//go:embed plan.js
var planScript string

// pageLength is how many operations are folded away together.
const pageLength = 500

func (p *Plan) renderHTML(out *errWriter, o RenderOptions) {
	title := "Plan"
	if o.Name != "" {
		title = o.short()
	}
	out.print("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
		`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src `, digestOf(planStyle), "; script-src ", digestOf(planScript),
		`; base-uri 'none'; form-action 'none'">`, "\n",
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n",
		"<meta name=\"referrer\" content=\"no-referrer\">\n<title>", html.EscapeString(title), "</title>\n<style>", planStyle, "</style>\n</head>\n<body>\n")
	p.htmlHead(out, title, o)
	p.htmlRisks(out)
	if len(p.Operations) > 0 {
		p.htmlOperations(out)
	}
	out.print("<script>", planScript, "</script>\n</body>\n</html>\n")
}

// digestOf is a source of the content security policy: what has this hash.
func digestOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// esc is text inside of HTML, also in a quoted attribute.
func esc(s string) string { return html.EscapeString(visible(s)) }

func (p *Plan) htmlHead(out *errWriter, title string, o RenderOptions) {
	out.print("<header>\n<h1>", esc(title), "</h1>\n<p class=\"summary\">", esc(p.Summary()), "</p>\n<dl>\n")
	row := func(name, value string) {
		if value != "" {
			out.print("<dt>", name, "</dt><dd>", esc(value), "</dd>\n")
		}
	}
	row("Plan", o.Name)
	row("Hash", p.Hash())
	row("Company", p.Company)
	row("Manifest", p.Manifest)
	var figures []string
	for _, figure := range p.figures() {
		figures = append(figures, esc(figure))
	}
	if len(figures) > 0 {
		out.print("<dt>Figures</dt><dd>", strings.Join(figures, "<br>"), "</dd>\n")
	}
	out.print("</dl>\n")
	if len(p.Operations) > 0 {
		p.htmlTally(out)
	}
	out.print("</header>\n")
}

func (p *Plan) htmlTally(out *errWriter) {
	out.print("<table class=\"tally\">\n<thead><tr><th></th>")
	for _, a := range p.actions() {
		out.print("<th scope=\"col\">", string(a), "</th>")
	}
	out.print("</tr></thead>\n<tbody>\n")
	t := p.Tally()
	for _, kind := range Kinds() {
		if len(t[kind]) == 0 {
			continue
		}
		out.print("<tr><th scope=\"row\">", kind.title(), "</th>")
		for _, a := range p.actions() {
			n := ""
			if t[kind][a] > 0 {
				n = strconv.Itoa(t[kind][a])
			}
			out.print("<td>", n, "</td>")
		}
		out.print("</tr>\n")
	}
	out.print("</tbody>\n</table>\n")
}

// htmlRisks lists what to look at twice, and the remarks; long lists are folded.
func (p *Plan) htmlRisks(out *errWriter) {
	risks, remarks := p.Risks(), p.toldRemarks()
	if len(risks)+len(remarks) == 0 {
		return
	}
	out.print("<section class=\"risks\">\n<h2>Look twice</h2>\n<ul>\n")
	for _, r := range risks {
		switch {
		case len(r.Who) > risksNamed:
			out.print("<li class=\"risk\"><details><summary>", esc(r.What), "</summary><p>")
			for i, who := range r.Who {
				if i > 0 {
					out.print(", ")
				}
				out.print(esc(who))
			}
			out.print("</p></details></li>\n")
		default:
			out.print("<li class=\"risk\">", esc(r.words()), "</li>\n")
		}
	}
	out.print("</ul>\n")
	if n := len(remarks); n > 0 {
		open := " open"
		if n > risksNamed {
			open = ""
		}
		out.print("<details", open, "><summary>", counted(n, "remark"), "</summary>\n<ul>\n")
		for _, r := range remarks {
			out.print("<li>", esc(remark(r)), "</li>\n")
		}
		out.print("</ul></details>\n")
	}
	out.print("</section>\n")
}

func (p *Plan) htmlOperations(out *errWriter) {
	out.print("<main>\n<h2>", counted(len(p.Operations), "operation"), " in the order in which they are carried out</h2>\n",
		"<search hidden><label>Search <input type=\"search\" id=\"search\" placeholder=\"login, number, word\"></label>\n<span class=\"actions\">")
	for _, a := range p.actions() {
		out.print("<label><input type=\"checkbox\" checked value=\"", string(a), "\"> ", string(a), "</label> ")
	}
	out.print("</span> <output id=\"found\"></output></search>\n")
	for from := 0; from < len(p.Operations) && out.err == nil; from += pageLength {
		page := Plan{Operations: p.Operations[from:min(from+pageLength, len(p.Operations))]}
		page.htmlPage(out, from == 0)
	}
	out.print("</main>\n")
}

// htmlPage writes some of the operations, folded unless they are the first.
func (p *Plan) htmlPage(out *errWriter, open bool) {
	first, last := p.Operations[0].ID, p.Operations[len(p.Operations)-1].ID
	out.print("<details class=\"page\"", map[bool]string{true: " open", false: ""}[open], "><summary>", strconv.Itoa(first), "–", strconv.Itoa(last),
		" <span class=\"who\">", html.EscapeString(holder(p.Operations)), " … ", html.EscapeString(holder(p.Operations[len(p.Operations)-1:])), "</span></summary>\n<table>\n",
		"<thead><tr><th scope=\"col\">#</th><th scope=\"col\">operation</th><th scope=\"col\">before → after</th><th scope=\"col\">why</th><th scope=\"col\">manifest</th><th scope=\"col\">waits for</th><th scope=\"col\">calls</th></tr></thead>\n")
	for ops := range p.stretches() {
		out.print("<tbody><tr class=\"user\"><th colspan=\"7\" scope=\"rowgroup\">", html.EscapeString(holder(ops)), "</th></tr>\n")
		for i := range ops {
			ops[i].htmlRow(out)
		}
		out.print("</tbody>\n")
	}
	out.print("</table></details>\n")
}

func (o *Operation) htmlRow(out *errWriter) {
	id := strconv.Itoa(o.ID)
	class := string(o.Action)
	if o.Held != "" {
		class += " held"
	}
	out.print("<tr class=\"", class, "\" id=\"o", id, "\"><td>", id, "</td><td>", o.Action.symbol(), " ", esc(o.shown()), "</td><td>")
	for c := range o.details() {
		c.html(out)
	}
	if o.Secret != nil {
		out.print("<div>", esc(o.Secret.words()), "</div>")
	}
	out.print("</td><td>")
	if o.Held != "" {
		out.print("<div class=\"why\">held back: ", esc(o.Held), "</div>")
	}
	out.print(esc(o.Reason), "</td><td>", esc(o.places(" ")), "</td><td>")
	for i, n := range o.Needs {
		if i > 0 {
			out.print(" ")
		}
		need := strconv.Itoa(n)
		out.print("<a href=\"#o", need, "\">", need, "</a>")
	}
	out.print("</td><td>", strconv.Itoa(o.Cost.Calls), "</td></tr>\n")
}

// html shows one value before and after.
func (c Change) html(out *errWriter) {
	name := c.Name
	if strings.HasPrefix(name, "licence ") {
		name = "licence"
	}
	out.print("<div>", esc(name), ": ")
	if c.Before != "" {
		out.print("<del>", esc(c.Before), "</del>")
	}
	if c.Before != "" && c.After != "" {
		out.print(" → ")
	}
	if c.After != "" {
		out.print("<ins>", esc(c.After), "</ins>")
	}
	out.print("</div>")
}
