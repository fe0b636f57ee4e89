package sync

import (
	"cmp"
	"fmt"
	"slices"
)

// How long users are without a number. A user is unreachable from the call that takes away his last extension, or his
// last public number, to the one that gives him one of its kind again; devices don't count, since the applications ring
// without them. What counts is the number of calls in between, of whatever user, when the plan is carried out one call
// after another; a parallel run takes less time and not more calls. Who loses a number for good is not listed: that is
// what the manifest asks for.

// Outage is how long one user is without a number that he had before and has again after.
type Outage struct {
	Login Login `json:"login"`
	// From is the operation that takes his number away, To the one after which he has all again.
	From int `json:"from"`
	To   int `json:"to"`
	// Calls is the number of upstream calls between the two; 0: the next call gives him a number again.
	Calls int `json:"calls"`
}

// Reach is how long the users of a plan are unreachable, summed up.
type Reach struct {
	Users int `json:"users"`
	// Sum and Max count calls.
	Sum int `json:"sum"`
	Max int `json:"max"`
}

// Reach sums up the plan's outages.
func (p *Plan) Reach() Reach {
	r := Reach{Users: len(p.Outages)}
	for _, o := range p.Outages {
		r.Sum += o.Calls
		r.Max = max(r.Max, o.Calls)
	}
	return r
}

// lines are how a user can be reached at one moment of a plan.
type lines struct {
	extensions, ddis int
}

func (l lines) plus(o lines) lines { return lines{l.extensions + o.extensions, l.ddis + o.ddis} }

// linesOf counts what a user can be reached by.
func linesOf(h holding) lines {
	l := lines{extensions: len(h.pairings), ddis: len(h.ddis)}
	if h.subscriber != "" {
		l.extensions++
	}
	return l
}

// lineChange is what an operation changes in how its user can be reached.
func lineChange(op *Operation) lines {
	by := 0
	switch op.Action {
	case ActionCreate, ActionAttach:
		by = 1
	case ActionDelete, ActionDetach:
		by = -1
	}
	switch op.Key.Kind {
	case KindExtension:
		return lines{extensions: by}
	case KindDDI:
		return lines{ddis: by}
	}
	return lines{}
}

// without tells whether a user who had before and has in the end lacks now.
func (l lines) without(before, after lines) bool {
	return before.extensions > 0 && after.extensions > 0 && l.extensions <= 0 || before.ddis > 0 && after.ddis > 0 && l.ddis <= 0
}

// outagesOf walks operations one after another; before tells how a user can be reached before the first. Users who are
// deleted have no outage.
func outagesOf(ops []Operation, before func(Login) lines) []Outage {
	after := map[Login]lines{}
	for i := range ops {
		op := &ops[i]
		if by := lineChange(op); by != (lines{}) {
			l, known := after[op.Login]
			if !known {
				l = before(op.Login)
			}
			after[op.Login] = l.plus(by)
		}
	}
	at := calls(ops)
	type watch struct {
		now  lines
		lost int // index of the operation that took the number away, or -1
		*Outage
	}
	watched := map[Login]*watch{}
	var found []*Outage
	for i := range ops {
		op := &ops[i]
		by := lineChange(op)
		if by == (lines{}) {
			continue
		}
		w := watched[op.Login]
		if w == nil {
			w = &watch{now: before(op.Login), lost: -1}
			watched[op.Login] = w
		}
		w.now = w.now.plus(by)
		out := w.now.without(before(op.Login), after[op.Login])
		switch {
		case out && w.lost < 0:
			w.lost = i
			if w.Outage == nil {
				w.Outage = &Outage{Login: op.Login, From: op.ID}
				found = append(found, w.Outage)
			}
		case !out && w.lost >= 0:
			w.Calls += max(0, at[i]-max(1, op.Cost.Calls)-at[w.lost])
			w.To, w.lost = op.ID, -1
		}
	}
	all := make([]Outage, len(found))
	for i, o := range found {
		all[i] = *o
	}
	return all
}

// lines are how a user can be reached before the plan.
func (p *planner) lines(l Login) lines {
	if s := p.acting[l]; s != nil {
		return linesOf(s.now)
	}
	return lines{}
}

// checkOutages refuses a plan that leaves a user unreachable for longer than the policy allows. What is held back counts
// too: an override carries it out.
func (p *planner) checkOutages(ops []Operation) {
	budget := p.policy.OutageBudget
	if budget == nil {
		return
	}
	for _, o := range outagesOf(ops, p.lines) {
		if o.Calls <= *budget {
			continue
		}
		s := p.acting[o.Login]
		p.fault(s, "", "outage-budget", "raise the budget, or first give one of those who exchange numbers a free one, by a manifest of its own",
			"user %s would be unreachable for %s, from operation %d (%s) to operation %d; at most %s allowed",
			o.Login, inCalls(o.Calls), o.From, ops[o.From-1].Title(), o.To, cmp.Or(words(*budget, "call is", "calls are"), "none is"))
	}
}

// inCalls says a number of calls.
func inCalls(n int) string {
	if n == 0 {
		return "no call"
	}
	return words(n, "call", "calls")
}

// words is a number with its noun; empty for none.
func words(n int, one, many string) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// going lists the operations that are not held back.
func going(ops []Operation) []Operation {
	if !slices.ContainsFunc(ops, func(op Operation) bool { return op.Held != "" }) {
		return ops
	}
	return slices.DeleteFunc(slices.Clone(ops), func(op Operation) bool { return op.Held != "" })
}
