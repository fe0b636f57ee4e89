package sync

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// What a run changed, merged with what is recorded now (undo.go).

// compare merges each trace with what is recorded now.
func (b *undoer) compare() {
	b.compareUsers()
	var details []Trace // after all that they belong to
	for _, t := range b.Traces {
		switch {
		case t.Before == nil && t.After == nil:
		case t.Key.Kind == KindUser:
		case t.Key.Kind == KindExtension:
			b.compareHolder(t)
		case t.Key.Kind == KindDevice, t.Key.Kind == KindDDI:
			b.compareProvision(t)
		case t.Key.Kind == KindRelease:
		case t.Key.Kind == KindOptions, t.Key.Kind == KindSettings, t.Key.Kind == KindKeys:
			details = append(details, t)
		default:
			b.lost("", "what the run did to %s stays", t.Key)
		}
	}
	b.compareDefault()
	for _, t := range details {
		if t.After != nil { // what was forgotten is read again when it is needed
			b.compareDetails(t)
		}
	}
	done := map[int]bool{}
	for _, o := range b.Run.Outcomes {
		done[o.Operation] = o.Status == Done
	}
	for i := range b.Operations {
		if op := &b.Operations[i]; done[op.ID] && op.Key.Kind == KindUser {
			b.remarkUntraced(op)
		}
	}
	b.tellLosses()
}

// userTrace is what a run did to one user, who may have got another login.
type userTrace struct{ before, after *User }

// userTraces pairs the users before and after by their ids, in the order of the traces.
func (b *undoer) userTraces() []*userTrace {
	byID := map[string]*userTrace{}
	var all []*userTrace
	of := func(u *User) *userTrace {
		id := cmp.Or(u.ID, string(u.Login))
		if byID[id] == nil {
			byID[id] = &userTrace{}
			all = append(all, byID[id])
		}
		return byID[id]
	}
	for _, t := range b.Traces {
		if u, ok := t.Before.(*User); ok {
			of(u).before = u
		}
		if u, ok := t.After.(*User); ok {
			of(u).after = u
		}
	}
	return all
}

// findRenames finds the users to whom the run gave another login.
func (b *undoer) findRenames() {
	for _, t := range b.userTraces() {
		if t.before != nil {
			b.persons[t.before.ID] = t.before.Login
		}
		if t.before != nil && t.after != nil && t.before.Login != t.after.Login {
			b.before[t.after.Login], b.after[t.before.Login] = t.before.Login, t.after.Login
		}
	}
}

// compareUsers merges the traces of users.
func (b *undoer) compareUsers() {
	for _, t := range b.userTraces() {
		var u *undoUser
		if t.before != nil {
			u = b.user(t.before.Login)
		} else {
			u = b.user(t.after.Login)
		}
		renamed := t.before != nil && t.after != nil && t.before.Login != t.after.Login
		same := func(x *User) bool { return u.now != nil && (u.now.ID == x.ID || x.ID == "") }
		switch {
		case u.skip:
		case t.before == nil && u.called != t.after.Login:
			b.lost(t.after.Login, "user %s, whom the run created, stays: his login was that of %s", t.after.Login, u.called)
		case t.before == nil:
			b.compareCreated(u, t.after)
		case t.after == nil && same(t.before): // as before
		case t.after == nil:
			b.compareDeleted(u, t.before)
		case renamed && b.userWith(u.login, t.before.ID):
			u.called, u.now = u.login, find[User](b.obs, u.login.Key()) // he has his old login again
			b.compareKept(u, t)
		case !same(t.after):
			b.since(u.login, "user %s was deleted", u.called)
			u.skip = true
		default:
			b.compareKept(u, t)
		}
	}
}

// userWith tells whether the user with a login is the one with an id.
func (b *undoer) userWith(l Login, id string) bool {
	u := find[User](b.obs, l.Key())
	return u != nil && u.ID == id
}

// compareKept merges the trace of a user who was there before the run and after it.
func (b *undoer) compareKept(u *undoUser, t *userTrace) {
	b.compareAttributes(u, t.before, t.after)
	b.compareSeats(u, t.before, t.after)
}

// compareCreated: the run created the user, so he is to go, unless more became of him.
func (b *undoer) compareCreated(u *undoUser, after *User) {
	if u.now == nil { // he is gone already
		return
	}
	var differs []string
	if u.now.ID != after.ID && after.ID != "" {
		differs = append(differs, "he is another one")
	}
	for _, name := range attributeNames(after, u.now) {
		if !SameAttribute(name, after.Attribute(name), u.now.Attribute(name)) {
			differs = append(differs, fmt.Sprintf("%s is %q", name, u.now.Attribute(name)))
		}
	}
	if len(differs) > 0 && !b.since(u.login, "user %s, whom the run created, was changed: %s", u.login, strings.Join(differs, ", ")) {
		u.skip = true
		return
	}
	u.deletion = true
	u.now = &User{ID: u.now.ID, Login: u.now.Login} // no more is asked of him
}

// compareDeleted: the run deleted the user, so he is to be created again.
func (b *undoer) compareDeleted(u *undoUser, before *User) {
	if u.now != nil {
		if slices.ContainsFunc(attributeNames(before, u.now), func(name string) bool { return !SameAttribute(name, before.Attribute(name), u.now.Attribute(name)) }) {
			b.since(u.login, "user %s was created again, and is not as he was", u.login)
		}
		u.skip = true
		return
	}
	u.creation = before
	u.attributes = slices.Clone(before.Attributes)
	u.getsSeats = before.Licences
	b.lostOf(u.login, lostHistory)
	if before.Admin {
		b.lostOf(u.login, lostRole)
	}
}

func (b *undoer) compareAttributes(u *undoUser, before, after *User) {
	for _, name := range attributeNames(before, after) {
		was, left, is := before.Attribute(name), after.Attribute(name), u.now.Attribute(name)
		switch {
		case SameAttribute(name, was, left), SameAttribute(name, was, is):
		case SameAttribute(name, left, is), b.since(u.login, "%s of user %s became %q", name, u.called, is):
			u.attributes = append(u.attributes, Attribute{name, was})
		}
	}
}

// attributeNames lists the names of the attributes of two users, sorted.
func attributeNames(a, b *User) []string {
	var names []string
	for _, x := range append(slices.Clone(a.Attributes), b.Attributes...) {
		names = append(names, x.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (b *undoer) compareSeats(u *undoUser, before, after *User) {
	for _, id := range gains(before.Licences, after.Licences) {
		if slices.Contains(u.now.Licences, id) {
			u.losesSeats = append(u.losesSeats, id)
		}
	}
	for _, id := range gains(after.Licences, before.Licences) {
		if !slices.Contains(u.now.Licences, id) {
			u.getsSeats = append(u.getsSeats, id)
		}
	}
}

// compareHolder merges the trace of a thing that has a holder.
func (b *undoer) compareHolder(t Trace) {
	now := b.obs.Record(t.Key)
	was, left, is := handsOf(t.Before), handsOf(t.After), handsOf(now)
	left.login, is.login = b.loginBefore(left.login), b.personNow(is.login)
	who := cmp.Or(left.login, was.login)
	if e, ok := t.Before.(*Extension); ok && e.Role == RolePairing {
		b.compareNumbers(t, now)
	}
	switch {
	case was == left, is == was:
		return
	case now == nil && t.After != nil && t.Before != nil:
		b.since(who, "%s is gone", thingOf(t.Key))
		return
	case is != left && !b.since(who, "%s %s", thingOf(t.Key), is.words()):
		return
	case is.login != "" && b.user(is.login).skip, was.login != "" && (b.user(was.login).skip || b.user(was.login).deletion):
		return
	case was.login != "" && b.user(was.login).now == nil && b.user(was.login).creation == nil:
		b.since(was.login, "user %s, who held %s, was deleted", was.login, thingOf(t.Key))
		return
	}
	if was.login == "" && was.id != "" {
		b.lost(who, "%s was held by a user of whom nothing is recorded (id %s), and is left free", thingOf(t.Key), was.id)
	}
	if is.login != "" {
		b.user(is.login).lose(t.Key)
	}
	if was.login == "" {
		return
	}
	b.user(was.login).get(t.Key)
}

// compareNumbers merges what a number of an equipped PBX says beyond who has it.
func (b *undoer) compareNumbers(t Trace, now Record) {
	was, _ := t.Before.(*Extension)
	left, _ := t.After.(*Extension)
	is, _ := now.(*Extension)
	if left == nil || is == nil {
		return
	}
	restore := func(what, before, after, present string, wishes *map[Key]string) {
		switch {
		case before == after || before == present:
		case present != after && !b.since(was.Holder, "%s of %s became %q", what, thingOf(t.Key), present):
		case before == "" || was.Holder == "" || wishes == nil:
			b.lost(cmp.Or(was.Holder, left.Holder), "%s of %s stays %q: it was %q, which can't be set", what, thingOf(t.Key), present, before)
		default:
			note(wishes, t.Key, before)
		}
	}
	var internal, public *map[Key]string
	if was.Holder != "" {
		u := b.user(was.Holder)
		internal, public = &u.internal, &u.publicNumbers
	}
	restore("the internal number", was.InternalNumber, left.InternalNumber, is.InternalNumber, internal)
	if !SamePhone(was.PublicNumber, left.PublicNumber) {
		restore("the public number", was.PublicNumber, left.PublicNumber, is.PublicNumber, public)
	}
}

// hands are who has a thing: a login, or the id of a user of whom nothing is recorded.
type hands struct {
	login Login
	id    string
	label string
}

func handsOf(r Record) hands {
	var h hands
	switch r := r.(type) {
	case *Extension:
		h = hands{r.Holder, r.HolderID, r.Label}
	case *Device:
		h = hands{r.Holder, r.HolderID, ""}
	case *DDI:
		h = hands{r.Holder, r.HolderID, r.Label}
	}
	if h.login != "" {
		h.id = "" // a user who was created again has another
	}
	return h
}

func (h hands) words() string {
	switch {
	case h.login != "":
		return "went to " + string(h.login)
	case h.label != "":
		return "went to " + h.label
	case h.id != "":
		return "went to a user of whom nothing is recorded (id " + h.id + ")"
	}
	return "became free"
}

// thingOf names a thing as operations do.
func thingOf(k Key) string {
	op := Operation{Key: k, Action: ActionAttach}
	return op.thing()
}

// What goes with users, or does not come back with them.
var (
	lostHistory = loss{
		"user %s is created anew: under another id, with a password that nobody knows (he sets one by \"forgot password\", or a manifest resets it), " +
			"and without his messages, call log, contacts and settings that the state does not record",
		"%d users are created anew: under other ids, with passwords that nobody knows (each sets one by \"forgot password\", or a manifest resets it), " +
			"and without their messages, call logs, contacts and settings that the state does not record",
	}
	lostRole     = loss{"user %s was an administrator and is created as an ordinary user", "%d users were administrators and are created as ordinary ones"}
	lostPassword = loss{"the password of user %s stays as the run set it: the old one is not known", "the passwords of %d users stay as the run set them, the old ones not being known"}
	lostDoings   = loss{"what user %s did and was sent since he was created goes with him", "what %d users did and were sent since they were created goes with them"}
)

// remarkUntraced names what an operation on a user did that leaves no trace in the state.
func (b *undoer) remarkUntraced(op *Operation) {
	if op.Secret != nil && op.Action == ActionUpdate {
		b.lostOf(op.Login, lostPassword)
	}
	if op.Action == ActionUpdate {
		for _, c := range op.Changes {
			if writeOnly(c.Name) {
				const why = " as the run set it: upstream does not show it, so what it was is not known"
				b.lostOf(op.Login, loss{c.Name + " of user %s stays" + why, c.Name + " of %d users stays" + why})
			}
		}
	}
	if op.Action == ActionCreate && b.user(b.loginBefore(op.Login)).deletion {
		b.lostOf(op.Login, lostDoings)
	}
}
