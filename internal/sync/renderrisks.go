package sync

import (
	"cmp"
	"fmt"
	"slices"
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

// words is the risk as a sentence that names the first of those whom it concerns.
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
	deleted, stranded, resets, held := p.losses()
	numbers, devices := p.scrapped()
	var risks []Risk
	add := func(what func(n int) string, who []string) {
		if len(who) > 0 {
			risks = append(risks, Risk{What: what(len(who)), Who: who})
		}
	}
	add(func(n int) string { return be(n, "user", "is deleted", "are deleted") }, deleted)
	add(func(n int) string { return be(n, "public number", "is deleted", "are deleted") }, numbers)
	add(func(n int) string { return be(n, "device", "is deleted", "are deleted") }, devices)
	add(func(n int) string {
		return be(n, "user", "gives up an extension and gets no other", "give up an extension and get no other")
	}, stranded)
	add(func(n int) string {
		return be(n, "user", "is without a number for a while", "are without a number for a while")
	}, p.unreachable())
	add(func(n int) string { return be(n, "user", "gets a new password", "get new passwords") }, resets)
	if n := p.HeldBack(); n > 0 {
		risks = append(risks, Risk{What: be(n, "operation", "is held back", "are held back"), Who: held})
	}
	add(func(n int) string {
		return be(n, "entry", "may be a user under another login, and is held back", "may be users under other logins, and are held back")
	}, joinedEach(p.Doubtful, func(d Doubt) string { return visible(string(d.Login)) }))
	return risks
}

// unreachable lists the users who are without a number while other calls are made, those longest without first.
func (p *Plan) unreachable() []string {
	worst := slices.DeleteFunc(slices.Clone(p.Outages), func(o Outage) bool { return o.Calls == 0 })
	slices.SortStableFunc(worst, func(a, b Outage) int { return cmp.Compare(b.Calls, a.Calls) })
	return joinedEach(worst, func(o Outage) string {
		return visible(fmt.Sprintf("%s (%s, operations %d to %d)", o.Login, inCalls(o.Calls), o.From, o.To))
	})
}

func joinedEach[T any](values []T, show func(T) string) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = show(v)
	}
	return all
}

// figures are what a plan comes to besides its operations: what it undoes, calls, seats at the peak.
func (p *Plan) figures() []string {
	var all []string
	if p.Undoes != "" {
		all = append(all, "undoes "+visible(p.Undoes))
	}
	if ops := going(p.Operations); len(ops) > 0 {
		at := calls(ops)
		all = append(all, "about "+counted(at[len(at)-1], "call")+" to Rainbow")
	}
	if n := len(p.Outages) - len(p.unreachable()); n > 0 {
		all = append(all, be(n, "user", "is", "are")+" without a number from one call to the next")
	}
	for _, s := range p.Seats {
		all = append(all, "seats of "+visible(s.String()))
	}
	return all
}

// losses lists who is deleted, who is left with an extension less, who gets a password though he exists, and of whom
// something is held back.
func (p *Plan) losses() (deleted, stranded, resets, held []string) {
	balance, order := map[Login]int{}, []Login{}
	for i := range p.Operations {
		op := &p.Operations[i]
		switch {
		case op.Held != "":
			who := visible(string(op.Login))
			if who == "" { // it is nobody's
				who = visible(op.Key.Kind.title() + " " + thingName(op.Key))
			}
			if len(held) == 0 || held[len(held)-1] != who {
				held = append(held, who)
			}
		case op.Key.Kind == KindUser && op.Action == ActionDelete:
			deleted = append(deleted, visible(string(op.Login)))
		case op.Key.Kind == KindUser && op.Action == ActionUpdate && op.Secret != nil:
			resets = append(resets, visible(string(op.Login)))
		case op.Key.Kind == KindExtension && lineChange(op) != lines{}:
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
	return deleted, stranded, resets, held
}

// scrapped lists the DDIs and devices that are deleted.
func (p *Plan) scrapped() (numbers, devices []string) {
	for i := range p.Operations {
		switch op := &p.Operations[i]; {
		case op.Held != "" || op.Action != ActionDelete:
		case op.Key.Kind == KindDDI:
			numbers = append(numbers, visible(thingName(op.Key)))
		case op.Key.Kind == KindDevice:
			devices = append(devices, visible(thingName(op.Key)))
		}
	}
	return numbers, devices
}

// be says a number of things with the verb that fits it.
func be(n int, noun, one, many string) string {
	if n == 1 {
		return counted(n, noun) + " " + one
	}
	return counted(n, noun) + " " + many
}
