package sync

import (
	"fmt"
	"strings"
)

// Swaps and rotations in words: users who exchange extensions, DDIs or devices in a circle, with the steps that it takes
// and how long each is without a number.

// move is a thing that one user gives up and another gets.
type move struct {
	to    *stance
	thing Key
}

// circle is users each of whom gets a thing from the next, and the last from the first.
type circle struct {
	kind  Kind
	users []*stance
	// things are what the users give, in their order.
	things []Key
}

// movesOf lists the moves of one kind by giver.
func (p *planner) movesOf(kind Kind) map[*stance][]move {
	moves := map[*stance][]move{}
	note := func(s *stance, k Key) {
		if f := p.frees[k]; f != nil && f.owner != s && !f.owner.deleted() {
			moves[f.owner] = append(moves[f.owner], move{s, k})
		}
	}
	for _, s := range p.queue {
		switch kind {
		case KindExtension:
			if s.renumbered() && s.then.subscriber != "" {
				note(s, p.subscriberKey(s.then.subscriber))
			}
		case KindDDI:
			for _, n := range gains(s.now.ddis, s.then.ddis) {
				note(s, n.Key())
			}
		case KindDevice:
			for _, k := range gains(s.now.devices, s.then.devices) {
				note(s, k.Key())
			}
		}
	}
	return moves
}

// circles finds the swaps and rotations of one kind. Longer ones than swaps are looked for among users who give one thing
// and get one; what is more entangled is not put into words.
func (p *planner) circles(kind Kind) []circle {
	moves := p.movesOf(kind)
	var found []circle
	giver := map[*stance]*stance{} // of users who get just one thing
	gifts := map[*stance]int{}
	for _, s := range p.queue {
		for _, m := range moves[s] {
			gifts[m.to]++
			giver[m.to] = s
		}
		found = append(found, swaps(kind, s, moves)...)
	}
	seen := map[*stance]bool{}
	for _, s := range p.queue {
		c := circle{kind: kind}
		for u := s; u != nil && !seen[u] && gifts[u] == 1 && len(moves[u]) == 1; u = giver[u] {
			seen[u] = true
			c.users, c.things = append(c.users, u), append(c.things, moves[u][0].thing)
			if giver[u] == s && len(c.users) > 2 {
				found = append(found, c)
			}
		}
	}
	return found
}

// swaps lists what s exchanges with users who come up later, thing for thing.
func swaps(kind Kind, s *stance, moves map[*stance][]move) []circle {
	var found []circle
	used := map[Key]bool{}
	for _, m := range moves[s] {
		if m.to.order < s.order {
			continue
		}
		for _, back := range moves[m.to] {
			if back.to == s && !used[back.thing] {
				used[back.thing] = true
				found = append(found, circle{kind, []*stance{s, m.to}, []Key{m.thing, back.thing}})
				break
			}
		}
	}
	return found
}

// remarkCircles adds a remark for every swap and rotation.
func (p *planner) remarkCircles(ops []Operation, outages []Outage) {
	var found []circle
	for _, kind := range []Kind{KindExtension, KindDDI, KindDevice} {
		found = append(found, p.circles(kind)...)
	}
	if len(found) == 0 {
		return
	}
	steps := map[Login][]*Operation{}
	for i := range ops {
		switch op := &ops[i]; op.Key.Kind {
		case KindExtension, KindDDI, KindDevice:
			steps[op.Login] = append(steps[op.Login], op)
		}
	}
	out := map[Login]int{}
	for _, o := range outages {
		out[o.Login] = o.Calls
	}
	for _, c := range found {
		if s := c.users[0]; len(c.users) == 2 {
			p.remark(s, "swap", "%s", c.words(steps, out))
		} else {
			p.remark(s, "rotation", "%s", c.words(steps, out))
		}
	}
}

// words say what a circle does, in how many steps, and how long its users are without a number.
func (c circle) words(steps map[Login][]*Operation, out map[Login]int) string {
	n, least, most := 0, -1, 0
	for i, s := range c.users {
		for _, op := range steps[s.login] {
			if c.kind == KindExtension || op.Key == c.things[i] || op.Key == c.things[(i+1)%len(c.things)] {
				n++
			}
		}
		calls, unreachable := out[s.login]
		if unreachable {
			most = max(most, calls)
			if least < 0 || calls < least {
				least = calls
			}
		}
	}
	said := fmt.Sprintf("%s: %s: %d steps", c.path(), c.who(), n)
	switch {
	case c.kind == KindDevice || least < 0:
	case least == most:
		said += ", each unreachable for " + inCalls(most)
	default:
		said += ", each unreachable for at most " + inCalls(most)
	}
	return said
}

// circleShown is how many users of a circle are named.
const circleShown = 6

func (c circle) path() string {
	names := make([]string, len(c.things))
	for i, k := range c.things {
		names[i] = thingName(k)
	}
	if len(names) == 2 {
		return names[0] + " <-> " + names[1]
	}
	if len(names) > circleShown {
		names = append(names[:circleShown-1], "…", names[len(names)-1])
	}
	return strings.Join(append(names, names[0]), " -> ")
}

func (c circle) who() string {
	things := map[Kind]string{KindExtension: "extensions", KindDDI: "DDIs", KindDevice: "devices"}[c.kind]
	if len(c.users) == 2 {
		return fmt.Sprintf("%s swapped between %s and %s", things, c.users[0].login, c.users[1].login)
	}
	var names []string
	for _, s := range c.users[:min(len(c.users), circleShown)] {
		names = append(names, string(s.login))
	}
	more := ""
	if n := len(c.users) - len(names); n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("%s rotated among %d users (%s%s)", things, len(c.users), strings.Join(names, ", "), more)
}

// thingName is a key as people say it, without its kind.
func thingName(k Key) string {
	switch k.Kind {
	case KindExtension:
		return k.ID[strings.LastIndexByte(k.ID, '/')+1:]
	case KindDevice:
		return DeviceKey(k.ID).String()
	}
	return k.ID
}
