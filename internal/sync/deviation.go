package sync

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// deviations tells what differs from what a plan would do about it: an operation's before is what was found, its after what
// the manifest wants. Steps that only make way for others (a phone that is put back after its user's extension was
// replaced) come out even and are no difference.
func deviations(obs Observed, plan *Plan) []Difference {
	v := &deviation{obs: obs, called: map[Login]Login{}, gained: map[Login]*net{}, lost: map[Login]*net{}}
	v.collect(plan)
	var all []Difference
	for _, n := range v.nets {
		if d, ok := v.of(n); ok {
			d.Operations, d.Position, d.Held = n.ids(), n.position(), n.last().Held
			all = append(all, d)
		}
	}
	return all
}

// deviation is the comparison at work.
type deviation struct {
	obs  Observed
	nets []*net
	// called gives the login that a user has once his renaming is repaired.
	called map[Login]Login
	// gained and lost are the subscribers that users get and lose by the repair.
	gained, lost map[Login]*net
}

// net is what a plan does to one thing in all.
type net struct {
	key    Key
	login  Login // who has it in the end, or the user concerned
	ops    []*Operation
	before Login
	after  Login
}

type netKey struct {
	key   Key
	login Login // of a licence, which has many holders
}

func (v *deviation) collect(plan *Plan) {
	index := map[netKey]*net{}
	for i := range plan.Operations {
		op := &plan.Operations[i]
		if op.Key.Kind == KindUser && op.Action == ActionUpdate && op.Key.ID != string(op.Login) {
			v.called[Login(op.Key.ID)] = op.Login
		}
		switch op.Action {
		case ActionCreate, ActionUpdate, ActionDelete, ActionAttach, ActionDetach:
		default:
			continue // reading something and putting it back
		}
		k := netKey{key: op.Key}
		if op.Key.Kind == KindLicence {
			k.login = op.Login
		}
		n := index[k]
		if n == nil {
			n = &net{key: op.Key}
			index[k] = n
			v.nets = append(v.nets, n)
		}
		n.ops = append(n.ops, op)
	}
	for _, n := range v.nets {
		v.settle(n)
	}
}

// settle works out who has a thing before and after.
func (v *deviation) settle(n *net) {
	last := n.last()
	n.login = last.Login
	if r := v.obs.Record(n.key); r != nil {
		n.before = v.now(r.HeldBy())
	}
	if last.Action != ActionDelete && last.Action != ActionDetach {
		n.after = last.Login
	}
	if n.key.Kind != KindExtension || last.Action != ActionCreate && last.Action != ActionDelete || n.before == n.after {
		return
	}
	if n.after != "" {
		v.gained[n.after] = n
	}
	if n.before != "" {
		v.lost[n.before] = n
	}
}

// now is the login that a recorded user has in the end.
func (v *deviation) now(l Login) Login {
	for range len(v.called) {
		next, ok := v.called[l]
		if !ok {
			break
		}
		l = next
	}
	return l
}

func (n *net) last() *Operation { return n.ops[len(n.ops)-1] }

func (n *net) ids() []int {
	ids := make([]int, len(n.ops))
	for i, op := range n.ops {
		ids[i] = op.ID
	}
	return ids
}

func (n *net) position() Position {
	for _, op := range slices.Backward(n.ops) {
		if len(op.Positions) > 0 {
			return op.Positions[0]
		}
	}
	return Position{}
}

// of tells the difference that a thing makes, if it makes one.
func (v *deviation) of(n *net) (Difference, bool) {
	d := Difference{Login: n.login, Kind: n.key.Kind, Key: n.key}
	op := n.last()
	switch {
	case n.key.Kind == KindUser:
		return v.user(d, n)
	case n.key.Kind == KindLicence:
		d.What, d.Words = Missing, fmt.Sprintf("%s was taken from %s", op.thing(), op.Login)
		if op.Action == ActionDetach {
			d.What, d.Words = Extra, fmt.Sprintf("%s was given to %s", op.thing(), op.Login)
		}
		return d, true
	case n.key.Kind == KindExtension && (op.Action == ActionCreate || op.Action == ActionDelete):
		return v.subscriber(d, n)
	case op.Action == ActionAttach || op.Action == ActionDetach || op.Action == ActionUpdate && n.key.Kind == KindExtension:
		return v.held(d, n)
	}
	return v.other(d, n)
}

func (v *deviation) user(d Difference, n *net) (Difference, bool) {
	op := n.last()
	switch {
	case op.Action == ActionCreate:
		d.What, d.Words = Missing, fmt.Sprintf("user %s is gone", op.Login)
		return d, true
	case op.Action == ActionDelete:
		d.What, d.Words = Extra, fmt.Sprintf("user %s is there (%s)", op.Login, op.Reason)
		return d, true
	case v.obs.Record(n.key) == nil: // the second half of a renaming over a third login
		return d, false
	}
	was := Login(n.key.ID)
	d.Changes = changed(op)
	if to := v.now(was); to != was {
		d.Login, d.What, d.Words = to, Changed, fmt.Sprintf("the login %s was changed to %s", to, was)
		d.Changes = slices.DeleteFunc(d.Changes, func(c Deviation) bool { return c.Name == "loginEmail" })
		if len(d.Changes) > 0 {
			d.Words += "; " + wordsOf(d.Changes)
		}
		return d, true
	}
	d.What, d.Words = Changed, wordsOf(d.Changes)
	return d, len(d.Changes) > 0
}

// changed lists the values that an update sets back, without those that upstream never shows.
func changed(op *Operation) []Deviation {
	var all []Deviation
	for _, c := range op.Changes {
		if c.Name != "holder" && c.Name != "offer" && c.Name != passwordField && !writeOnly(c.Name) {
			all = append(all, Deviation{c.Name, c.Before, c.After})
		}
	}
	return all
}

func wordsOf(changes []Deviation) string {
	words := make([]string, len(changes))
	for i, c := range changes {
		if c.Name == patternsAttribute {
			c.Found, c.Wanted = patternWords(c.Found), patternWords(c.Wanted)
		}
		switch {
		case c.Found == "":
			words[i] = fmt.Sprintf("%s is not set, the manifest wants %q", c.Name, c.Wanted)
		case c.Wanted == "":
			words[i] = fmt.Sprintf("%s is %q, the manifest wants none", c.Name, c.Found)
		default:
			words[i] = fmt.Sprintf("%s is %q, the manifest wants %q", c.Name, c.Found, c.Wanted)
		}
	}
	return strings.Join(words, "; ")
}

// subscriber tells what became of a user's extension. The one that he has instead of his own is told with his own.
func (v *deviation) subscriber(d Difference, n *net) (Difference, bool) {
	if n.before == n.after { // replaced to get there
		return d, false
	}
	number := thingNumber(n.key)
	if n.after == "" || v.gained[n.after] != n {
		instead := v.gained[n.before]
		if instead != nil || n.after != "" {
			return d, false
		}
		d.Login, d.What, d.Words = n.before, Extra, fmt.Sprintf("%s was given the extension %s", n.before, number)
		return d, true
	}
	d.Login, d.What = n.after, Missing
	d.Words = fmt.Sprintf("extension %s of %s is gone", number, n.after)
	if n.before != "" {
		d.What, d.Words = Moved, fmt.Sprintf("extension %s was moved from %s to %s", number, n.after, n.before)
	}
	if has := v.lost[n.after]; has != nil {
		found := thingNumber(has.key)
		d.What = Changed
		d.Changes = []Deviation{{"extension", found, number}}
		d.Words = fmt.Sprintf("the extension of %s was changed from %s to %s", n.after, number, found)
	}
	return d, true
}

// thingNumber is the short number in an extension's key.
func thingNumber(k Key) string {
	_, number, _ := strings.Cut(k.ID, "/")
	return number
}

// held tells who has a device, a DDI or a number of an equipped PBX instead of whom.
func (v *deviation) held(d Difference, n *net) (Difference, bool) {
	op := n.last()
	thing := op.thing()
	if op.Action == ActionUpdate {
		n.after = n.before
	}
	switch {
	case n.before == n.after:
		d.Changes = changed(op)
		d.What, d.Words = Changed, fmt.Sprintf("%s of %s: %s", thing, op.Login, wordsOf(d.Changes))
		return d, len(d.Changes) > 0
	case n.after == "":
		d.Login, d.What, d.Words = n.before, Extra, fmt.Sprintf("%s was attached to %s", thing, n.before)
	case n.before == "":
		d.Login, d.What, d.Words = n.after, Missing, fmt.Sprintf("%s was detached from %s", thing, n.after)
	default:
		d.Login, d.What, d.Words = n.after, Moved, fmt.Sprintf("%s was moved from %s to %s", thing, n.after, n.before)
	}
	return d, true
}

// other tells of whatever else a manifest may manage.
func (v *deviation) other(d Difference, n *net) (Difference, bool) {
	op := n.last()
	d.Changes = changed(op)
	switch op.Action {
	case ActionCreate:
		d.What, d.Words = Missing, op.thing()+" is gone"
	case ActionDelete:
		d.What, d.Words = Extra, fmt.Sprintf("%s is there (%s)", op.thing(), op.Reason)
	default:
		d.What, d.Words = Changed, op.thing()+": "+cmp.Or(wordsOf(d.Changes), "is not as the manifest wants it")
	}
	return d, true
}
