package sync

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/fatih/color"
)

// Format is a form in which a plan can be shown.
type Format string

// The formats of a plan.
const (
	FormatText     Format = "text"
	FormatJSON     Format = "json"
	FormatMarkdown Format = "markdown"
	FormatCSV      Format = "csv"
)

// RenderOptions is what a reader may choose about a rendering.
type RenderOptions struct {
	// Color marks the text form with ANSI colours.
	Color bool
	// Name of the stored plan, shown in the text and Markdown forms.
	Name string
}

// Render writes the plan in one of the formats. The JSON form is the plan itself, as its hash covers it.
func (p *Plan) Render(w io.Writer, f Format, o RenderOptions) error {
	switch f {
	case FormatText:
		return p.renderText(w, o)
	case FormatJSON:
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(p)
	case FormatMarkdown:
		return p.renderMarkdown(w, o)
	case FormatCSV:
		return p.renderCSV(w)
	}
	return fmt.Errorf("format %q: want text, json, markdown or csv", f)
}

// symbols mark the actions in the text form, as terraform and diff do.
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
	}
	return "<"
}

func (a Action) colors() []color.Attribute {
	switch a {
	case ActionCreate:
		return []color.Attribute{color.FgGreen}
	case ActionUpdate:
		return []color.Attribute{color.FgYellow}
	case ActionDelete:
		return []color.Attribute{color.FgRed}
	case ActionAttach:
		return []color.Attribute{color.FgCyan}
	}
	return []color.Attribute{color.FgMagenta}
}

// painter colours words, or leaves them as they are.
type painter bool

func (p painter) paint(s string, attrs ...color.Attribute) string {
	if !p {
		return s
	}
	c := color.New(attrs...)
	c.EnableColor()
	return c.Sprint(s)
}

func (p *Plan) renderText(w io.Writer, o RenderOptions) error {
	out := &errWriter{w: w}
	paint := painter(o.Color)
	if len(p.Operations) > 0 {
		p.renderOperations(out, paint)
	}
	for _, r := range p.Remarks {
		out.printf("%s %s\n", paint.paint("note:", color.FgYellow), r.Message)
	}
	out.printf("%s\n", paint.paint(p.Summary(), color.Bold))
	if o.Name != "" && len(p.Operations) > 0 {
		out.printf("Saved as %s, hash %s.\n", o.Name[strings.LastIndexByte(o.Name, '/')+1:], p.Hash())
	}
	return out.err
}

func (p *Plan) renderOperations(out *errWriter, paint painter) {
	out.printf("The plan, in the order in which it is carried out:\n\n")
	digits := len(strconv.Itoa(len(p.Operations)))
	indent := strings.Repeat(" ", digits+5)
	for i := range p.Operations {
		op := &p.Operations[i]
		out.printf("%*d %s %s\n", digits+2, op.ID, paint.paint(op.Action.symbol()+" "+op.Title(), op.Action.colors()...), paint.paint(where(op), color.Faint))
		for _, c := range op.Changes {
			if c.Name != "holder" && c.Name != "offer" {
				out.printf("%s%s\n", indent, c.words())
			}
		}
		out.printf("%s%s\n", indent, paint.paint(op.Reason, color.Faint))
	}
	out.printf("\n")
}

// where tells the manifest position and what the operation waits for.
func where(op *Operation) string {
	var parts []string
	for _, pos := range op.Positions {
		parts = append(parts, pos.String())
	}
	if len(op.Needs) > 0 {
		needs := make([]string, len(op.Needs))
		for i, n := range op.Needs {
			needs[i] = strconv.Itoa(n)
		}
		parts = append(parts, "after "+strings.Join(needs, ", "))
	}
	return "(" + strings.Join(parts, "; ") + ")"
}

func (c Change) words() string {
	name := c.Name
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

// Summary counts the plan's operations in one line.
func (p *Plan) Summary() string {
	counts := map[Action]int{}
	for _, op := range p.Operations {
		counts[op.Action]++
	}
	unchanged := fmt.Sprintf("%d unchanged", len(p.Unchanged))
	if len(p.Operations) == 0 {
		return "No changes: upstream is as the manifest wants it (" + unchanged + ")."
	}
	var parts []string
	for _, a := range []Action{ActionCreate, ActionUpdate, ActionDelete, ActionAttach, ActionDetach} {
		if counts[a] > 0 {
			parts = append(parts, fmt.Sprintf("%d to %s", counts[a], a))
		}
	}
	return fmt.Sprintf("Plan: %s; %s.", strings.Join(parts, ", "), unchanged)
}

func (p *Plan) renderMarkdown(w io.Writer, o RenderOptions) error {
	out := &errWriter{w: w}
	out.printf("### %s\n\n", strings.TrimSuffix(p.Summary(), "."))
	if len(p.Operations) > 0 {
		out.printf("| # | action | what | changes | why | manifest |\n|---:|---|---|---|---|---|\n")
	}
	for i := range p.Operations {
		op := &p.Operations[i]
		var changes []string
		for _, c := range op.Changes {
			if c.Name != "holder" && c.Name != "offer" {
				changes = append(changes, c.words())
			}
		}
		var at []string
		for _, pos := range op.Positions {
			at = append(at, pos.String())
		}
		out.printf("| %d | %s | %s | %s | %s | %s |\n", op.ID, op.Action, cell(op.Title()), cell(strings.Join(changes, "; ")), cell(op.Reason), cell(strings.Join(at, ", ")))
	}
	for _, r := range p.Remarks {
		out.printf("\n> %s\n", cell(r.Message))
	}
	if o.Name != "" {
		out.printf("\nPlan `%s`, hash `%s`, manifest `%s`.\n", o.Name, p.Hash(), p.Manifest)
	}
	return out.err
}

// cell makes text safe inside a Markdown table.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", "`", "'", "*", `\*`, "_", `\_`).Replace(s)
}

func (p *Plan) renderCSV(w io.Writer) error {
	out := csv.NewWriter(w) // it keeps the first error of its writes for Error
	_ = out.Write([]string{"operation", "action", "kind", "key", "login", "changes", "reason", "needs", "position"})
	for i := range p.Operations {
		op := &p.Operations[i]
		var changes, needs, at []string
		for _, c := range op.Changes {
			changes = append(changes, c.words())
		}
		for _, n := range op.Needs {
			needs = append(needs, strconv.Itoa(n))
		}
		for _, pos := range op.Positions {
			at = append(at, pos.String())
		}
		_ = out.Write([]string{strconv.Itoa(op.ID), string(op.Action), string(op.Key.Kind), Neutral(op.Key.ID), string(op.Login),
			Neutral(strings.Join(changes, "; ")), Neutral(op.Reason), strings.Join(needs, " "), Neutral(strings.Join(at, " "))})
	}
	out.Flush()
	return out.Error()
}

// Neutral keeps a spreadsheet from running a cell as a formula: one that starts with =, +, -, @, a tab or a carriage
// return gets an apostrophe in front.
func Neutral(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
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
