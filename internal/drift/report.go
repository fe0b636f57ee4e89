package drift

import (
	"cmp"
	"slices"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// Report is what the radar has found. It holds names and counts, no values.
type Report struct {
	Since time.Time `json:"since"` // the start, or the last reset
	Now   time.Time `json:"now"`

	// Rate, First and Enough are the radar's options.
	Rate   float64 `json:"rate"`
	First  int     `json:"first"`
	Enough int     `json:"enough"`

	Answers    Answers     `json:"answers"`
	Operations []Operation `json:"operations"` // those that have been answered: with drift first, then by name
}

// Answers counts answers by what became of them.
type Answers struct {
	Answered   uint64 `json:"answered"`
	Inspected  uint64 `json:"inspected"`
	Skipped    uint64 `json:"skipped"`    // beyond the rate
	Dropped    uint64 `json:"dropped"`    // too many waited
	Large      uint64 `json:"large"`      // larger than what is inspected
	Unreadable uint64 `json:"unreadable"` // in an encoding that can't be undone
}

// Operation is what was found in the answers of one operation.
type Operation struct {
	RPC    string `json:"rpc"`
	Method string `json:"method"`
	Path   string `json:"path"`
	Answers

	// Findings are unknown members, changes of kind and documents that are no JSON; Other counts those for which there
	// was no room.
	Findings []Finding `json:"findings"`
	Other    uint64    `json:"other"`

	// Missing are documented members that never came, in at least Enough objects. Sometimes are those that some objects
	// have, and such that have not been looked for often enough.
	Missing   []Presence `json:"missing"`
	Sometimes []Presence `json:"sometimes"`
}

// Finding is one way in which documents leave what is documented.
type Finding struct {
	Path     string    `json:"path"` // of the member: "data[].jid_x"; "$" is the document
	Class    Class     `json:"class"`
	Expected string    `json:"expected,omitempty"` // kind; nothing for unknown members
	Got      string    `json:"got"`                // kind; of an unknown member the last
	Count    uint64    `json:"count"`              // objects that show it
	Of       uint64    `json:"of"`                 // objects that were looked at
	Share    float64   `json:"share"`              // Count of Of
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
}

// Presence is how often a documented member came.
type Presence struct {
	Path  string  `json:"path"`
	Count uint64  `json:"count"` // objects that had it
	Of    uint64  `json:"of"`    // objects that were looked at
	Share float64 `json:"share"`
}

// Report returns what was found so far.
func (r *Radar) Report() Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	report := Report{
		Since: r.since, Now: r.opts.now(), Rate: r.opts.Rate, First: r.opts.First, Enough: r.opts.Enough, Operations: []Operation{},
	}
	r.tallies.Range(func(key, value any) bool {
		b, answers := key.(*upstream.Binding), value.(*tally).answers()
		op := Operation{
			RPC: b.FullMethod[1:], Method: b.Method, Path: b.Path.Template, Answers: answers,
			Findings: []Finding{}, Missing: []Presence{}, Sometimes: []Presence{},
		}
		if k := r.books[b]; k != nil {
			k.report(&op, uint64(r.opts.Enough))
		}
		report.Operations = append(report.Operations, op)
		report.Answers.add(answers)
		return true
	})
	slices.SortFunc(report.Operations, func(a, b Operation) int {
		return cmp.Or(cmp.Compare(b.rank(), a.rank()), cmp.Compare(a.RPC, b.RPC))
	})
	return report
}

// rank is higher for what is worth looking at.
func (op *Operation) rank() int {
	switch {
	case len(op.Findings) > 0:
		return 2
	case len(op.Missing) > 0:
		return 1
	}
	return 0
}

func (t *tally) answers() Answers {
	return Answers{
		Answered: t.answered.Load(), Inspected: t.inspected.Load(), Skipped: t.skipped.Load(), Dropped: t.dropped.Load(),
		Large: t.large.Load(), Unreadable: t.unreadable.Load(),
	}
}

func (a *Answers) add(b Answers) {
	a.Answered += b.Answered
	a.Inspected += b.Inspected
	a.Skipped += b.Skipped
	a.Dropped += b.Dropped
	a.Large += b.Large
	a.Unreadable += b.Unreadable
}

// report fills in what was found.
func (k *book) report(op *Operation, enough uint64) {
	op.Other = k.other
	k.root.report(op, enough)
	slices.SortFunc(op.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Class, b.Class), cmp.Compare(a.Expected, b.Expected), cmp.Compare(a.Got, b.Got))
	})
	byPath := func(a, b Presence) int { return cmp.Compare(a.Path, b.Path) }
	slices.SortFunc(op.Missing, byPath)
	slices.SortFunc(op.Sometimes, byPath)
}

func (p *place) report(op *Operation, enough uint64) {
	for key, f := range p.findings {
		op.Findings = append(op.Findings, Finding{
			Path: shown(join(p.path, key.name)), Class: key.class, Expected: string(key.expected), Got: string(f.got),
			Count: f.count, Of: p.objects, Share: share(f.count, p.objects), First: f.first, Last: f.last,
		})
	}
	for i := range p.shape.members {
		m := &p.shape.members[i]
		if presence := (Presence{join(p.path, m.name), p.present[i], p.objects, share(p.present[i], p.objects)}); m.name == "" || p.present[i] == p.objects {
			// the document itself, or a member of every object
		} else if p.present[i] == 0 && p.objects >= enough {
			op.Missing = append(op.Missing, presence)
		} else {
			op.Sometimes = append(op.Sometimes, presence)
		}
		if child := p.children[i]; child != nil {
			child.report(op, enough)
		}
	}
}

func share(count, of uint64) float64 {
	if of == 0 {
		return 0
	}
	return float64(count) / float64(of)
}
