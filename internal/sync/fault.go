package sync

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Position is a place in a manifest. Line and Column count from 1; Column is that of the cell or value, in characters.
// Zero Line means the manifest as a whole.
type Position struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

func (p Position) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Compare orders positions by file, line and column.
func (p Position) Compare(o Position) int {
	return cmp.Or(strings.Compare(p.File, o.File), cmp.Compare(p.Line, o.Line), cmp.Compare(p.Column, o.Column))
}

// Fault is one thing wrong with a manifest, or with a manifest in view of the observed state. Its message never holds
// a secret.
type Fault struct {
	Position Position `json:"position"`
	// Code is stable and documented, e.g. "duplicate-login"; the codes are listed in docs/errors.md.
	Code string `json:"code"`
	// Message says what is wrong and quotes the value unless it is secret.
	Message string `json:"message"`
	// Hint says what would be right.
	Hint string `json:"hint,omitempty"`
	// Field is the column or key concerned, if one is.
	Field string `json:"field,omitempty"`
}

func (f Fault) String() string {
	s := fmt.Sprintf("%s: %s [%s]", f.Position, f.Message, f.Code)
	if f.Hint != "" {
		s += "; " + f.Hint
	}
	return s
}

// Faults is every fault of one manifest, sorted by position: an error that lists them all.
type Faults []Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "\n")
}

// Sort orders the faults by position, then code, then message, and drops exact repeats.
func (f Faults) Sort() Faults {
	slices.SortStableFunc(f, func(a, b Fault) int {
		return cmp.Or(a.Position.Compare(b.Position), strings.Compare(a.Code, b.Code), strings.Compare(a.Message, b.Message))
	})
	return slices.Compact(f)
}

// Err is nil when there are no faults, else the sorted faults.
func (f Faults) Err() error {
	if len(f) == 0 {
		return nil
	}
	return f.Sort()
}
