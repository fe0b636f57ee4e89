package sync

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/fatih/color"
)

// DriftFormats lists the forms in which drift can be shown.
func DriftFormats() []Format { return []Format{FormatText, FormatJSON, FormatMarkdown} }

// Render writes the report in one of the formats. Equal reports give equal bytes; whatever upstream holds is shown as text,
// as with plans.
func (d *Drift) Render(w io.Writer, f Format, o RenderOptions) error {
	out := &errWriter{w: w}
	switch f {
	case FormatText:
		d.renderText(out, o)
	case FormatJSON:
		d.renderJSON(out)
	case FormatMarkdown:
		d.renderMarkdown(out)
	default:
		return fmt.Errorf("format %q: want text, json or markdown", f)
	}
	return out.err
}

// Summary counts the differences in one line.
func (d *Drift) Summary() string {
	if len(d.Differences) == 0 {
		return "No drift: upstream is as the manifest wants it."
	}
	counts := d.ByKind()
	var parts []string
	for _, k := range Kinds() {
		if counts[k] > 0 {
			parts = append(parts, counted(counts[k], k.Noun()))
		}
	}
	return fmt.Sprintf("Drift: %s (%s).", counted(len(d.Differences), "difference"), strings.Join(parts, ", "))
}

// source names the manifest in force.
func (d *Drift) source() string {
	if len(d.Sources) == 0 {
		return "the manifest"
	}
	return visible(strings.Join(d.Sources, ", "))
}

// title is that of a manifest, as text.
func (m *DriftManifest) title() string {
	if m.Title == "" {
		return "the manifest"
	}
	return visible(m.Title)
}

// stampLayout is how the report shows times.
const stampLayout = "2006-01-02 15:04:05 UTC"

func stamp(t time.Time) string { return t.UTC().Format(stampLayout) }

func (d *Drift) renderText(out *errWriter, o RenderOptions) {
	bold, faint := inked(o.Color, color.Bold), inked(o.Color, color.Faint)
	inks := map[DifferenceKind]paint{
		Missing: inked(o.Color, color.FgRed), Extra: inked(o.Color, color.FgGreen), Moved: inked(o.Color, color.FgCyan),
		Changed: inked(o.Color, color.FgYellow), Blocked: inked(o.Color, color.FgMagenta),
	}
	if len(d.Differences) > 0 {
		switch {
		case len(d.Manifests) > 0:
			out.printf("What differs from %d manifests, as of %s:\n", len(d.Manifests), stamp(d.RecordTime))
			same := 0
			for _, m := range d.Manifests {
				if m.Differences == 0 {
					same++
					continue
				}
				out.printf("  %s (applied %s by %s): %s\n", m.title(), stamp(m.AppliedTime), m.Run, counted(m.Differences, "difference"))
			}
			if same > 0 {
				out.printf("  %s more: no difference\n", counted(same, "manifest"))
			}
		default:
			out.printf("What differs from %s (applied %s by %s), as of %s:\n", d.source(), stamp(d.AppliedTime), d.Run, stamp(d.RecordTime))
		}
	}
	for i := range d.Differences {
		x := &d.Differences[i]
		if i == 0 || x.Login != d.Differences[i-1].Login {
			out.print("\n", bold(orWords(visible(string(x.Login)), "the company")), "\n")
		}
		out.printf("  %-9s  %s", x.Kind, inks[x.What](visible(x.Words)))
		if at := x.Position.String(); at != "" {
			out.print(" ", faint("("+visible(at)+")"))
		}
		out.print("\n")
		if x.Held != "" && !d.heldAlike(i, i+1) { // once for those that follow one another
			first := i
			for first > 0 && d.heldAlike(first-1, i) {
				first--
			}
			out.printf("  %-9s  %s\n", "", faint(visible(heldRepair(i-first+1)+x.Held)))
		}
		if x.Code != "" {
			out.printf("  %-9s  %s\n", "", faint(visible("no plan repairs it ["+x.Code+"]: "+x.Hint)))
		}
	}
	if len(d.Differences) > 0 {
		out.print("\n")
	}
	out.print(bold(d.Summary()), "\n")
	if d.Plan != "" && len(d.Manifests) > 0 {
		for _, m := range d.Manifests {
			if m.Plan != "" {
				out.printf("Saved as %s: %s would repair what differs from %s.\n", visible(m.Plan), counted(m.Operations, "operation"), m.title())
			}
		}
	}
	switch n := d.Operations(); {
	case d.Obstacle != "":
		out.print("No plan is offered that would repair it: ", visible(d.Obstacle), "\n")
	case d.Plan != "" && len(d.Manifests) > 0:
	case d.Plan != "":
		out.printf("Saved as %s: %s would repair it.\n", visible(d.Plan), counted(n, "operation"))
	case n > 0:
		out.printf("%s would repair it; \"gateway drift --save\" saves the plan that does.\n", counted(n, "operation"))
	}
	if n := d.held(); n > 0 && d.Obstacle == "" {
		out.print(heldSummary(n), "\n")
	}
}

// heldSummary ends a report of which n differences' repair is held back.
func heldSummary(n int) string {
	return fmt.Sprintf("Of %s the repair is held back: if it is meant, add --override to \"gateway apply\".", counted(n, "difference"))
}

// heldAlike tells whether two differences are of one user, or both of the company, and their repairs are held back for one reason.
func (d *Drift) heldAlike(i, j int) bool {
	return j < len(d.Differences) && d.Differences[i].Held == d.Differences[j].Held && d.Differences[i].Code == d.Differences[j].Code &&
		d.Differences[i].Login == d.Differences[j].Login
}

// heldRepair begins the line that says why the repairs of n differences are held back.
func heldRepair(n int) string {
	if n == 1 {
		return "its repair is held back: "
	}
	return fmt.Sprintf("the repairs of these %d are held back: ", n)
}

// held counts the differences whose repair is held back.
func (d *Drift) held() int {
	n := 0
	for i := range d.Differences {
		if d.Differences[i].Held != "" {
			n++
		}
	}
	return n
}

// inked paints text, or leaves it as it is.
func inked(on bool, attrs ...color.Attribute) paint {
	if !on {
		return func(s string) string { return s }
	}
	c := color.New(attrs...)
	c.EnableColor()
	return func(s string) string { return c.Sprint(s) }
}

// renderJSON writes the report difference by difference.
func (d *Drift) renderJSON(out *errWriter) {
	head := *d
	head.Told, head.Differences = "", []Difference{}
	before, after, _ := strings.Cut(jsonText(head, ""), `"differences": []`)
	out.print(before, `"differences": [`)
	separator := "\n"
	for i := range d.Differences {
		out.print(separator, "    ", jsonText(&d.Differences[i], "    "))
		separator = ",\n"
	}
	if len(d.Differences) > 0 {
		out.print("\n  ")
	}
	out.print("]", after, "\n")
}

func (d *Drift) renderMarkdown(out *errWriter) {
	out.print("### ", strings.TrimSuffix(d.Summary(), "."), "\n")
	if len(d.Manifests) == 0 {
		out.printf("\nManifest %s, applied %s by %s; upstream as of %s.\n", code(d.source()), stamp(d.AppliedTime), code(d.Run), stamp(d.RecordTime))
	} else {
		out.printf("\nUpstream as of %s, and the manifests:\n\n", stamp(d.RecordTime))
	}
	for _, m := range d.Manifests {
		repair := ""
		if m.Plan != "" {
			repair = fmt.Sprintf("; plan %s would repair that: %s", code(m.Plan), counted(m.Operations, "operation"))
		}
		out.printf("- %s, applied %s by %s: %s%s\n", code(m.title()), stamp(m.AppliedTime), code(m.Run), counted(m.Differences, "difference"), repair)
	}
	room := markdownRoom
	for i := range d.Differences {
		if i == 0 {
			out.print("\n| user | kind | what differs | manifest |\n|---|---|---|---|\n")
		}
		x := &d.Differences[i]
		words := cell(clipped(x.Words))
		if x.Held != "" {
			words += "<br>" + cell(clipped("its repair is held back: "+x.Held))
		}
		if x.Code != "" {
			words += "<br>" + cell(clipped("no plan repairs it ("+x.Code+"): "+x.Hint))
		}
		row := fmt.Sprintf("| %s | %s | %s | %s |\n", code(clipped(string(x.Login))), x.Kind, words, code(x.Position.String()))
		if room -= len(row); room < 0 {
			out.printf("\n… and %d more.\n", len(d.Differences)-i)
			break
		}
		out.print(row)
	}
	switch n := d.Operations(); {
	case d.Obstacle != "":
		out.print("\nNo plan is offered that would repair it: ", cell(clipped(d.Obstacle)), "\n")
	case d.Plan != "" && len(d.Manifests) > 0:
	case d.Plan != "":
		out.printf("\nPlan %s would repair it: %s.\n", code(d.Plan), counted(n, "operation"))
	case n > 0:
		out.printf("\n%s would repair it.\n", counted(n, "operation"))
	}
	if n := d.held(); n > 0 && d.Obstacle == "" {
		out.print("\n", heldSummary(n), "\n")
	}
}
