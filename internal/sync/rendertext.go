package sync

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fatih/color"
)

// The text form, for a terminal: the operations by user in the order in which they are carried out, so that the first
// line is there at once, and at the end, where the eye is when all has scrolled by, what to look at twice and the counts.

// The width of the text form when none is asked for, and the least.
const (
	usualWidth = 80
	leastWidth = 40
)

// paint is how the text form's parts are coloured.
type paint func(string) string

// palette holds the colours of the text form.
type palette struct {
	user, faint, warn, note, bold paint
	actions                       map[Action]paint
}

func newPalette(on bool) palette {
	ink := func(attrs ...color.Attribute) paint {
		if !on {
			return func(s string) string { return s }
		}
		c := color.New(attrs...)
		c.EnableColor()
		return func(s string) string { return c.Sprint(s) }
	}
	return palette{
		user: ink(color.Bold), faint: ink(color.Faint), warn: ink(color.FgRed, color.Bold), note: ink(color.FgYellow), bold: ink(color.Bold),
		actions: map[Action]paint{
			ActionCreate: ink(color.FgGreen), ActionUpdate: ink(color.FgYellow), ActionDelete: ink(color.FgRed),
			ActionAttach: ink(color.FgCyan), ActionDetach: ink(color.FgMagenta),
			"save": ink(color.Faint), "restore": ink(color.Faint),
		},
	}
}

// textSheet is where the text form is written.
type textSheet struct {
	*errWriter
	palette
	width int
	// digits is the width of the highest operation number.
	digits int
}

func (p *Plan) renderText(out *errWriter, o RenderOptions) {
	s := textSheet{errWriter: out, palette: newPalette(o.Color), width: usualWidth, digits: len(strconv.Itoa(len(p.Operations)))}
	if o.Width > 0 {
		s.width = max(o.Width, leastWidth)
	}
	if len(p.Operations) > 0 {
		s.operations(p)
	}
	s.ending(p)
	s.print(s.bold(p.Summary()), "\n") // in one line, since scripts look for it
	if o.Name != "" && len(p.Operations) > 0 {
		s.line(nil, "", "", "Saved as "+o.short()+", hash "+p.Hash()+".")
	}
}

func (s textSheet) operations(p *Plan) {
	s.line(nil, "", "", counted(len(p.Operations), "operation")+", in the order in which "+map[bool]string{true: "it is", false: "they are"}[len(p.Operations) == 1]+" carried out:")
	for ops := range p.stretches() {
		if s.err != nil {
			return
		}
		s.print("\n")
		s.line(s.user, "", "  ", holder(ops)+" "+placesOf(ops))
		for i := range ops {
			s.operation(&ops[i])
		}
	}
	s.print("\n")
}

// placesOf lists where the manifest asks for a stretch, in brackets.
func placesOf(ops []Operation) string {
	var all []string
	seen := map[Position]bool{}
	for i := range ops {
		for _, at := range ops[i].Positions {
			if !seen[at] {
				seen[at] = true
				all = append(all, visible(at.String()))
			}
		}
	}
	if len(all) == 0 {
		return ""
	}
	return "(" + strings.Join(all, ", ") + ")"
}

func (s textSheet) operation(op *Operation) {
	number := strconv.Itoa(op.ID)
	head := strings.Repeat(" ", 2+s.digits-len(number)) + number + " "
	indent := strings.Repeat(" ", s.digits+5)
	text, ink := op.Action.symbol()+" "+op.shown(), s.actions[op.Action]
	if len(op.Needs) > 0 {
		text += " (after " + op.needed(", ") + ")"
	}
	if op.Held != "" {
		ink = s.faint
	}
	s.line(ink, head, indent, text)
	if op.Held != "" {
		s.line(s.warn, indent, indent, "! held back: "+visible(op.Held))
	}
	for c := range op.details() {
		s.line(nil, indent, indent+"  ", c.words())
	}
	if op.Secret != nil {
		s.line(nil, indent, indent+"  ", op.Secret.words())
	}
	s.line(s.faint, indent, indent, visible(op.Reason))
}

// ending writes what a reader should look at twice, and the counts.
func (s textSheet) ending(p *Plan) {
	risks := p.Risks()
	for _, r := range risks {
		s.line(s.warn, "", "  ", "! "+r.words()+".")
	}
	remarks := p.toldRemarks()
	for _, r := range remarks {
		s.line(s.note, "", "  ", "note: "+remark(r))
	}
	if len(risks)+len(remarks) > 0 {
		s.print("\n")
	}
	for _, figure := range p.figures() {
		s.line(s.faint, "", "  ", figure)
	}
	if len(p.Operations) > 0 {
		s.print("\n")
	}
	if len(p.Operations) > tallied {
		s.tally(p)
	}
}

// remark is a remark in one line, with its place and what can be done.
func remark(f Fault) string {
	words := f.Message
	if at := f.Position.String(); at != "" {
		words += " (" + at + ")"
	}
	if f.Hint != "" {
		words += "; " + f.Hint
	}
	return visible(words)
}

// tallied is the number of operations above which the text form counts them by kind.
const tallied = 10

func (s textSheet) tally(p *Plan) {
	t := p.Tally()
	s.printf("%10s", "")
	for _, a := range p.actions() {
		s.printf("%8s", a)
	}
	s.print("\n")
	for _, kind := range Kinds() {
		if len(t[kind]) == 0 {
			continue
		}
		s.printf("%-10s", kind.title())
		for _, a := range p.actions() {
			n := "."
			if t[kind][a] > 0 {
				n = strconv.Itoa(t[kind][a])
			}
			s.printf("%8s", n)
		}
		s.print("\n")
	}
	s.print("\n")
}

// title names a kind at the head of a line.
func (k Kind) title() string {
	if k == KindDDI {
		return "DDI"
	}
	return string(k)
}

// Noun is what one record of a kind is called.
func (k Kind) Noun() string {
	switch k {
	case KindOptions:
		return "options group"
	case KindSettings:
		return "settings group"
	case KindKeys:
		return "key list"
	}
	return k.title()
}

// line writes text behind a head, broken at blanks where it is wider than the sheet; what follows is indented.
func (s textSheet) line(p paint, head, indent, text string) {
	if p == nil {
		p = func(s string) string { return s }
	}
	room := s.width - utf8.RuneCountInString(head)
	for {
		at := breakAt(text, room)
		s.print(head, p(text[:at]), "\n")
		if text = strings.TrimLeft(text[at:], " "); text == "" {
			return
		}
		head, room = indent, s.width-utf8.RuneCountInString(indent)
	}
}

// breakAt is where text is to be broken to fit room: at the last blank that leaves it short enough, or else the first.
func breakAt(text string, room int) int {
	if len(text) <= room {
		return len(text)
	}
	n, last := 0, -1
	for i, r := range text {
		if r == ' ' {
			last = i
		}
		if n++; n > room && last > 0 {
			return last
		}
	}
	return len(text)
}
