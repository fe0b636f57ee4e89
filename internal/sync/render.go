package sync

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Format is a form in which a plan can be shown.
type Format string

// The formats of a plan.
const (
	FormatText     Format = "text"
	FormatJSON     Format = "json"
	FormatMarkdown Format = "markdown"
	FormatHTML     Format = "html"
	FormatCSV      Format = "csv"
	FormatDot      Format = "dot"
)

// Formats lists every format.
func Formats() []Format {
	return []Format{FormatText, FormatJSON, FormatMarkdown, FormatHTML, FormatCSV, FormatDot}
}

// RenderOptions is what a reader may choose about a rendering.
type RenderOptions struct {
	// Color marks the text form with ANSI colours.
	Color bool
	// Width is how many columns the text form may take; 0 means 80, and it is never less than 40.
	Width int
	// Name of the stored plan, shown in the forms for people.
	Name string
}

// short is the last segment of the plan's name.
func (o RenderOptions) short() string { return visible(o.Name[strings.LastIndexByte(o.Name, '/')+1:]) }

// Render writes the plan in one of the formats, operation by operation as it goes. Equal plans give equal bytes. The JSON
// form is the plan itself, as its hash covers it; docs/plan.schema.json describes it.
//
// Whatever a manifest or upstream holds is shown as text: what a terminal, a browser, a spreadsheet, a merge request or
// Graphviz would take for more than that is escaped.
func (p *Plan) Render(w io.Writer, f Format, o RenderOptions) error {
	buffer := bufio.NewWriterSize(w, 16<<10)
	out := &errWriter{w: buffer}
	switch f {
	case FormatText:
		p.renderText(out, o)
	case FormatJSON:
		p.renderJSON(out)
	case FormatMarkdown:
		p.renderMarkdown(out, o)
	case FormatHTML:
		p.renderHTML(out, o)
	case FormatCSV:
		p.renderCSV(out)
	case FormatDot:
		p.renderDot(out, o)
	default:
		return fmt.Errorf("format %q: want text, json, markdown, html, csv or dot", f)
	}
	if out.err == nil {
		out.err = buffer.Flush()
	}
	return out.err
}

// actions are those that plans are counted by: the usual ones, and what else comes in this plan.
func (p *Plan) actions() []Action {
	all := []Action{ActionCreate, ActionUpdate, ActionDelete, ActionAttach, ActionDetach}
	for i := range p.Operations {
		if a := p.Operations[i].Action; !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	return all
}

// symbol marks an action, as terraform and diff do.
func (a Action) symbol() string {
	switch a {
	case ActionCreate:
		return "+"
	case ActionUpdate:
		return "~"
	case ActionDelete:
		return "-"
	case ActionAttach:
		return ">"
	case ActionDetach:
		return "<"
	case "save":
		return "^"
	case "restore":
		return "v"
	}
	return "*"
}

// shown is what the operation does to its user, for places that name the user already: "attach DDI +33298300513".
func (o *Operation) shown() string {
	title, login := o.Title(), string(o.Login)
	for _, link := range []string{" of ", " to ", " from "} {
		if rest, ok := strings.CutSuffix(title, link+login); ok {
			return visible(rest)
		}
	}
	if title == string(o.Action)+" user "+login {
		return string(o.Action) + " user"
	}
	return visible(title)
}

// details are the changes that the title does not tell.
func (o *Operation) details() iter.Seq[Change] {
	return func(yield func(Change) bool) {
		for _, c := range o.Changes {
			if c.Name != "holder" && c.Name != "offer" && c.Name != loginAttribute && !yield(c) {
				return
			}
		}
	}
}

func (c Change) words() string {
	name := visible(c.Name)
	if c.Name == patternsAttribute {
		c.Before, c.After = patternWords(c.Before), patternWords(c.After)
	}
	if strings.HasPrefix(name, "licence ") {
		return fmt.Sprintf("licence: %q", c.After)
	}
	switch {
	case c.Before == "":
		return fmt.Sprintf("%s: %q", name, c.After)
	case c.After == "":
		return fmt.Sprintf("%s: %q is cleared", name, c.Before)
	}
	return fmt.Sprintf("%s: %q -> %q", name, c.Before, c.After)
}

// words tells that a password is sent, and where it comes from; never what it is.
func (s *SecretPlace) words() string {
	if s.Drawn {
		return visible(s.Field + ": drawn anew, nobody learns it")
	}
	return visible(s.Field + ": from the manifest, " + s.Position.String())
}

// why is the reason, after what holds the operation back.
func (o *Operation) why() string {
	if o.Held == "" {
		return o.Reason
	}
	return "held back: " + o.Held + "; " + o.Reason
}

// joined lists values with a separator.
func joined[T any](values []T, separator string, show func(T) string) string {
	return strings.Join(joinedEach(values, show), separator)
}

func (o *Operation) needed(separator string) string { return joined(o.Needs, separator, strconv.Itoa) }

func (o *Operation) places(separator string) string {
	return visible(joined(o.Positions, separator, Position.String))
}

// stretches cuts a plan's operations into runs that follow one another and concern the same user.
func (p *Plan) stretches() iter.Seq[[]Operation] {
	return func(yield func([]Operation) bool) {
		for rest := p.Operations; len(rest) > 0; {
			n := 1
			for n < len(rest) && rest[n].Login == rest[0].Login {
				n++
			}
			if !yield(rest[:n]) {
				return
			}
			rest = rest[n:]
		}
	}
}

// holder names the user of a stretch; what is nobody's is the company's.
func holder(ops []Operation) string {
	if ops[0].Login == "" {
		return "the company"
	}
	return visible(string(ops[0].Login))
}

// Summary counts the plan's operations in one line.
func (p *Plan) Summary() string {
	counts, going := map[Action]int{}, 0
	for i := range p.Operations {
		if p.Operations[i].Held == "" {
			counts[p.Operations[i].Action]++
			going++
		}
	}
	unchanged, sure := fmt.Sprintf("%d unchanged", p.Unchanged.Len()), "upstream"
	if n := len(p.Doubtful); n > 0 {
		unchanged += fmt.Sprintf(", %d in doubt", n)
		sure = "what is not in doubt"
	}
	if len(p.Operations) == 0 {
		wanted := "the manifest wants it"
		if p.Undoes != "" {
			wanted = "it was before " + visible(p.Undoes)
		}
		return "No changes: " + sure + " is as " + wanted + " (" + unchanged + ")."
	}
	var parts []string
	for _, a := range p.actions() {
		if counts[a] > 0 {
			parts = append(parts, fmt.Sprintf("%d to %s", counts[a], a))
		}
	}
	if held := len(p.Operations) - going; held > 0 {
		parts = append(parts, fmt.Sprintf("%d held back", held))
	}
	return fmt.Sprintf("Plan: %s; %s.", strings.Join(parts, ", "), unchanged)
}

// visible is text as it can be shown anywhere: signs that can't be seen, or change the direction or place of others, are
// written as their escapes. A manifest could else rewrite the lines above it on a reviewer's terminal.
func visible(s string) string {
	if strings.IndexFunc(s, hidden) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if hidden(r) {
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func hidden(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError } // bytes that are no UTF-8 come as one

// counted is a number with its noun, in the plural where it is one.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if stem, ok := strings.CutSuffix(noun, "ry"); ok {
		return strconv.Itoa(n) + " " + stem + "ries"
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// errWriter keeps the first error of many writes.
type errWriter struct {
	w   io.Writer
	err error
}

func (e *errWriter) printf(format string, args ...any) {
	if e.err == nil {
		_, e.err = fmt.Fprintf(e.w, format, args...)
	}
}

func (e *errWriter) print(parts ...string) {
	for _, s := range parts {
		if e.err == nil {
			_, e.err = io.WriteString(e.w, s)
		}
	}
}

// Write writes b unless a write before failed.
func (e *errWriter) Write(b []byte) (int, error) {
	if e.err != nil {
		return 0, e.err
	}
	n, err := e.w.Write(b)
	e.err = err
	return n, err
}
