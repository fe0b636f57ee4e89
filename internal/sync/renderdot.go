package sync

import (
	"strconv"
	"strings"
)

// The Graphviz form: every operation a node, its needs as edges, the operations of a user together in a cluster.

func (p *Plan) renderDot(out *errWriter, o RenderOptions) {
	title := p.Summary()
	if o.Name != "" {
		title = o.short() + "\n" + title
	}
	out.print("digraph plan {\n",
		"  graph [rankdir=LR, labelloc=t, fontname=\"sans-serif\", label=", dotText(title), "];\n",
		"  node [shape=box, style=\"filled,rounded\", fillcolor=white, fontname=\"sans-serif\", fontsize=11];\n",
		"  edge [arrowsize=0.7];\n")
	clusters, order := map[Login][]int{}, []Login{}
	for i := range p.Operations {
		l := p.Operations[i].Login
		if clusters[l] == nil {
			order = append(order, l)
		}
		clusters[l] = append(clusters[l], i)
	}
	for n, l := range order {
		if out.err != nil {
			return
		}
		out.print("  subgraph cluster_", strconv.Itoa(n+1), " {\n    label=", dotText(holder(p.Operations[clusters[l][0]:])), ";\n    style=rounded;\n")
		for _, i := range clusters[l] {
			p.Operations[i].dotNode(out)
		}
		out.print("  }\n")
	}
	for i := range p.Operations {
		for _, need := range p.Operations[i].Needs {
			out.print("  o", strconv.Itoa(need), " -> o", strconv.Itoa(p.Operations[i].ID), ";\n")
		}
	}
	out.print("}\n")
}

func (o *Operation) dotNode(out *errWriter) {
	out.print("    o", strconv.Itoa(o.ID), " [label=", dotText(strconv.Itoa(o.ID)+"  "+o.shown()), ", tooltip=", dotText(visible(o.why())),
		", fillcolor=", o.Action.tint(), o.dashes(), "];\n")
}

// dashes mark what is held back.
func (o *Operation) dashes() string {
	if o.Held == "" {
		return ""
	}
	return ", style=\"filled,rounded,dashed\", fontcolor=gray40"
}

// tint is the colour of an action's nodes.
func (a Action) tint() string {
	switch a {
	case ActionCreate:
		return `"#e3f4e1"`
	case ActionUpdate:
		return `"#fdf3d1"`
	case ActionDelete:
		return `"#fbe0dd"`
	case ActionAttach:
		return `"#ddf0f7"`
	}
	return `"#f1e4f6"`
}

// dotText is a quoted string of the DOT language: a backslash begins an escape within labels, so it is doubled; a real
// line end becomes Graphviz's.
func dotText(s string) string {
	return `"` + dotEscapes.Replace(s) + `"`
}

var dotEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
