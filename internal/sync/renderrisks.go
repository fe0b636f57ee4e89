package sync

import (
	"fmt"
	"strings"
)

// Risk is something about a plan that a reader must not miss.
type Risk struct {
	// What it is: "1 user is deleted".
	What string
	// Who it concerns, in plan order.
	Who []string
}

// risksNamed is how many of those concerned the text form names.
const risksNamed = 10

// Words is the risk as a sentence that names the first of those whom it concerns.
func (r Risk) words() string {
	if len(r.Who) == 0 {
		return r.What
	}
	who := r.Who[:min(len(r.Who), risksNamed)]
	s := r.What + ": " + strings.Join(who, ", ")
	if more := len(r.Who) - len(who); more > 0 {
		s += fmt.Sprintf(", and %d more", more)
	}
	return s
}

// Risks are what a plan takes away from people, worst first.
func (p *Plan) Risks() []Risk {
	deleted, stranded, resets := p.losses()
	var risks []Risk
	add := func(what func(n int) string, who []string) {
		if len(who) > 0 {
			risks = append(risks, Risk{What: what(len(who)), Who: who})
		}
	}
	add(func(n int) string { return be(n, "user", "is deleted", "are deleted") }, deleted)
	add(func(n int) string {
		return be(n, "user", "gives up an extension and gets no other", "give up an extension and get no other")
	}, stranded)
	add(func(n int) string { return be(n, "user", "gets a new password", "get new passwords") }, resets)
	return risks
}

// losses lists who is deleted, who is left with an extension less, and who gets a password though he exists.
func (p *Plan) losses() (deleted, stranded, resets []string) {
	balance, order := map[Login]int{}, []Login{}
	for i := range p.Operations {
		op := &p.Operations[i]
		switch {
		case op.Key.Kind == KindUser && op.Action == ActionDelete:
			deleted = append(deleted, visible(string(op.Login)))
		case op.Key.Kind == KindUser && op.Action == ActionUpdate && op.Secret != nil:
			resets = append(resets, visible(string(op.Login)))
		case op.Key.Kind == KindExtension && op.Action != ActionUpdate:
			if _, known := balance[op.Login]; !known {
				order = append(order, op.Login)
			}
			if op.Action == ActionCreate || op.Action == ActionAttach {
				balance[op.Login]++
			} else {
				balance[op.Login]--
			}
		}
	}
	for _, l := range order {
		if balance[l] < 0 {
			stranded = append(stranded, visible(string(l)))
		}
	}
	return deleted, stranded, resets
}

// be says a number of things with the verb that fits it.
func be(n int, noun, one, many string) string {
	if n == 1 {
		return counted(n, noun) + " " + one
	}
	return counted(n, noun) + " " + many
}
