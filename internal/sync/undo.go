package sync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Undoing a run. A run keeps, for each thing that it changed, the record before and after (Trace). Its inverse is no list
// of inverse operations: those would have to be put into an order in which they can be carried out, which is what the
// planner is for, and most of what they start from may be gone. Instead each trace is compared with what is recorded now,
// as a merge of three versions:
//
//	now is as before    nothing to do
//	now is as after     the version before is wished for
//	now is neither      somebody changed it since: refused, left alone or put back all the same, as asked
//
// The wishes become a Desired, and that a plan, which is looked at, approved, applied and undone like any other. What no
// plan can bring back is said as a remark.

// ModeUndo is the mode of a plan that undoes a run.
const ModeUndo = "undo"

// StalePolicy says what becomes of what changed since a plan, or a run, was made.
type StalePolicy string

// The policies.
const (
	// StaleRefuse: nothing is done.
	StaleRefuse StalePolicy = "refuse"
	// StaleDrop: what changed is left alone, with all that hangs together with it.
	StaleDrop StalePolicy = "drop"
	// StaleReplan: a new plan is made from what is there now; undoing puts back what was there before the run.
	StaleReplan StalePolicy = "replan"
)

// StalePolicies lists the policies.
func StalePolicies() []StalePolicy { return []StalePolicy{StaleRefuse, StaleDrop, StaleReplan} }

// ErrNotUndoable: there is nothing by which the run could be undone.
var ErrNotUndoable = errors.New("run can't be undone")

// ChangedSince is the refusal to undo a run because what it changed was changed again since. It lists every such change.
type ChangedSince struct {
	Run   string
	Words []string
}

func (e *ChangedSince) Error() string {
	return fmt.Sprintf("since run %s, %s", e.Run, strings.Join(e.Words, "; "))
}

// Undoing is what MakeUndo needs beside the recorded state.
type Undoing struct {
	Run *Run
	// Operations are those of the run's plan; without them the undo can't say by which operation something came, nor name
	// what left no trace.
	Operations []Operation
	Traces     []Trace
	Stale      StalePolicy
}

// PlanUndo plans the inverse of a run that has come to rest. It changes nothing. ErrNotUndoable when the run kept nothing,
// or has operations of unknown outcome; *ChangedSince when it must not be undone because of what changed since.
func (e *Engine) PlanUndo(ctx context.Context, company, run string, stale StalePolicy, policy Policy) (plan *Plan, err error) {
	u := Undoing{Stale: stale}
	if u.Run, err = e.Store.Run(ctx, company, run); err != nil {
		return nil, err
	}
	if err := undoable(u.Run); err != nil {
		return nil, err
	}
	if u.Operations, err = e.undoneOperations(ctx, u.Run); err != nil { // before the traces: a plan takes more room for a moment
		return nil, err
	}
	for trace, err := range e.Store.Traces(ctx, company, run) {
		if err != nil {
			return nil, err
		}
		u.Traces = append(u.Traces, trace)
	}
	if len(u.Traces) == 0 && u.Run.Counts.Done > 0 {
		return nil, fmt.Errorf("%w: %s kept nothing to undo it by, as runs of older gateways", ErrNotUndoable, run)
	}
	view, err := e.Store.Observed(ctx, company)
	if err != nil {
		return nil, err
	}
	defer func() {
		if closeErr := view.Close(); closeErr != nil {
			plan, err = nil, errors.Join(err, closeErr)
		}
	}()
	obs, err := e.withDetails(ctx, company, changedDetails(u.Traces, view), view)
	if err != nil {
		return nil, err
	}
	return MakeUndo(u, obs, policy)
}

// undoneOperations gives the operations of a run's plan, as far as undoing them asks for more than the traces; none of a plan
// that is gone.
func (e *Engine) undoneOperations(ctx context.Context, run *Run) ([]Operation, error) {
	stored, err := e.Store.Plan(ctx, run.Company, run.Plan)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, nil
	case err != nil || stored.Hash != run.Hash:
		return nil, err
	}
	return traceless(stored.Plan.Operations), nil
}

// traceless leaves of operations what undoing them asks for beside the traces: whom they concern, and what leaves none. The rest
// is most of a plan.
func traceless(ops []Operation) []Operation {
	short := make([]Operation, len(ops))
	for i := range ops {
		op := &ops[i]
		short[i] = Operation{ID: op.ID, Action: op.Action, Key: op.Key, Login: op.Login, Secret: op.Secret}
		for _, c := range op.Changes {
			if writeOnly(c.Name) {
				short[i].Changes = append(short[i].Changes, c)
			}
		}
	}
	return short
}

// undoable tells whether a run is in a state in which it is known what it did.
func undoable(r *Run) error {
	switch {
	case !r.State.Ended():
		return fmt.Errorf("%w: %s is still going on", ErrNotUndoable, r.Name)
	case r.Counts.Unknown > 0:
		return fmt.Errorf("%w yet: of %d operations of %s it is not known what became of them; resume the run, which looks them up", ErrNotUndoable, r.Counts.Unknown, r.Name)
	}
	return nil
}

// MakeUndo plans the inverse of a run, as a pure function.
func MakeUndo(u Undoing, obs Observed, policy Policy) (*Plan, error) {
	policy = undoPolicy(policy)
	alone := map[Login][]Fault{}
	for {
		b := newUndoer(u, obs, alone)
		b.compare()
		b.dropBlocked()
		desired := b.desired()
		b.forget()
		if u.Stale != StaleDrop && len(b.dropped) == 0 { // it is not worked out again
			u = b.Undoing
		}
		if len(b.changed) > 0 && u.Stale != StaleDrop && u.Stale != StaleReplan {
			slices.Sort(b.changed)
			return nil, &ChangedSince{Run: u.Run.Name, Words: slices.Compact(b.changed)}
		}
		var plan *Plan
		var err error
		if len(b.dropped) == 0 {
			plan, err = MakePlan(desired, obs, policy)
			if err != nil && !b.dropFaulty(desired, err) {
				return nil, err
			}
		}
		if len(b.dropped) == 0 {
			b.reword(plan)
			return plan, nil
		}
		for l, why := range b.dropped { // once more, without them
			alone[l] = why
		}
	}
}

// forget lets go of what the wishes were worked out from, before the planner takes its own room.
func (b *undoer) forget() {
	b.Undoing = Undoing{Run: &Run{Name: b.Run.Name}, Stale: b.Stale}
	b.users, b.before, b.after, b.persons, b.first = nil, nil, nil, nil, nil
	b.devices, b.ddis, b.settings = nil, nil, nil
}

// undoPolicy leaves of a policy what guards a plan. What says whom a manifest means has no place: an undoing knows.
func undoPolicy(p Policy) Policy {
	return Policy{Ignore: p.Ignore, Protect: p.Protect, Ceilings: p.Ceilings, MinUsers: p.MinUsers, OutageBudget: p.OutageBudget, MatchNumbers: MatchNever}
}

func newUndoer(u Undoing, obs Observed, alone map[Login][]Fault) *undoer {
	b := &undoer{Undoing: u, obs: obs, users: map[Login]*undoUser{}, first: map[Login]int{}, dropped: map[Login][]Fault{},
		before: map[Login]Login{}, after: map[Login]Login{}, persons: map[string]Login{}}
	b.findRenames()
	for _, op := range u.Operations {
		if l := b.loginBefore(op.Login); b.first[l] == 0 {
			b.first[l] = op.ID
		}
	}
	for l, why := range alone {
		b.user(l).skip = true
		b.remarks = append(b.remarks, why...)
	}
	return b
}

// undoer works a run's traces into what its undoing desires.
type undoer struct {
	Undoing
	obs Observed
	// users by the logins that they are to have.
	users map[Login]*undoUser
	// before gives, by the login that the run gave a user, the one that he had, after the other way round.
	before, after map[Login]Login
	// persons gives the logins before the run, by the ids, of the users whom it changed.
	persons map[string]Login
	// first is the run's first operation on a user.
	first map[Login]int
	// changed says, in words, what changed since; remarks what can't be brought back.
	changed []string
	remarks Faults
	// devices and ddis are those that are to be there again, as they were, or to go.
	devices []DesiredDevice
	ddis    []DesiredDDI
	// settings are those of the Cloud PBX that are to be as they were.
	settings []DesiredGroup
	// defaultDDI is the one that is to be the default again.
	defaultDDI *DesiredDDI
	// dropped are users who are found to be left alone, when others may have been counted on to take from them or to give
	// to them: then all is worked out again.
	dropped map[Login][]Fault
}

// undoUser is what the undoing wishes for one user.
type undoUser struct {
	// login is the one that he is to have, called the one that the run left him with.
	login, called Login
	// now is nil for a user who does not exist.
	now *User
	// creation is the user to be created again, deletion that he is to go.
	creation *User
	deletion bool
	// skip leaves him alone.
	skip       bool
	attributes []Attribute
	// loses and gets are the things that he is to lose and to hold again; licences by their ids.
	loses, gets             map[Key]bool
	losesSeats, getsSeats   []string
	internal, publicNumbers map[Key]string
	options                 []DesiredGroup
}

func (b *undoer) user(l Login) *undoUser {
	u := b.users[l]
	if u == nil {
		u = &undoUser{
			login: l, called: b.loginAfter(l),
		}
		u.now = find[User](b.obs, u.called.Key())
		b.users[l] = u
	}
	return u
}

// lose and get note that he is to lose a thing, or to hold it again.
func (u *undoUser) lose(k Key) { note(&u.loses, k, true) }
func (u *undoUser) get(k Key)  { note(&u.gets, k, true) }

// note puts a value into a map that is made when the first comes: most users of a large run have none.
func note[V any](m *map[Key]V, k Key, v V) {
	if *m == nil {
		*m = map[Key]V{}
	}
	(*m)[k] = v
}

func (b *undoer) loginBefore(l Login) Login { return cmp.Or(b.before[l], l) }

// personNow is the login before the run of whoever has a login now: he may have got his old one back meanwhile, so that
// it is not that of whom the run gave it to.
func (b *undoer) personNow(l Login) Login {
	if u := find[User](b.obs, l.Key()); u != nil && u.ID != "" && b.persons[u.ID] != "" {
		return b.persons[u.ID]
	}
	return b.loginBefore(l)
}

func (b *undoer) loginAfter(l Login) Login { return cmp.Or(b.after[l], l) }

// dropBlocked leaves those alone whose old login another has who is left alone.
func (b *undoer) dropBlocked() {
	for l, u := range b.users {
		if u.skip || u.called == u.login {
			continue
		}
		if other := b.users[b.personNow(l)]; other != nil && other != u && other.skip && find[User](b.obs, l.Key()) != nil {
			b.drop(l, Fault{Position: b.at(l), Code: "not-undoable", Message: fmt.Sprintf("user %s is left alone: his login of before, %s, is that of another user, who is left alone", u.called, l)})
		}
	}
}

// drop leaves a user alone after all.
func (b *undoer) drop(l Login, why ...Fault) { b.dropped[l] = append(b.dropped[l], why...) }

// at is the place of a remark or an operation on a user: the run's first operation on him.
func (b *undoer) at(l Login) Position { return Position{File: b.Run.Name, Line: b.first[l]} }

// since notes that something changed since the run, and tells whether it is put back all the same.
func (b *undoer) since(l Login, format string, args ...any) bool {
	words := fmt.Sprintf(format, args...)
	b.changed = append(b.changed, words)
	switch b.Stale {
	case StaleReplan:
		b.remarks = append(b.remarks, Fault{Position: b.at(l), Code: "changed-since", Message: words + "; put back all the same"})
		return true
	case StaleDrop:
		b.remarks = append(b.remarks, Fault{Position: b.at(l), Code: "changed-since", Message: words + "; left alone"})
	}
	return false
}

// lost notes something that the undoing does not bring back.
func (b *undoer) lost(l Login, format string, args ...any) {
	b.remarks = append(b.remarks, Fault{Position: b.at(l), Code: "not-undoable", Message: fmt.Sprintf(format, args...)})
}

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
	b.lost(u.login, "user %s is created anew: under another id, with a password that nobody knows (he sets one by \"forgot password\", or a manifest resets it), "+
		"and without his messages, call log, contacts and settings that the state does not record", u.login)
	if before.Admin {
		b.lost(u.login, "user %s was an administrator and is created as an ordinary user", u.login)
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

// remarkUntraced names what an operation on a user did that leaves no trace in the state.
func (b *undoer) remarkUntraced(op *Operation) {
	if op.Secret != nil && op.Action == ActionUpdate {
		b.lost(op.Login, "the password of user %s stays as the run set it: the old one is not known", op.Login)
	}
	if op.Action == ActionUpdate {
		for _, c := range op.Changes {
			if writeOnly(c.Name) {
				b.lost(op.Login, "%s of user %s stays as the run set it: upstream does not show it, so what it was is not known", c.Name, op.Login)
			}
		}
	}
	if op.Action == ActionCreate && b.user(b.loginBefore(op.Login)).deletion {
		b.lost(op.Login, "what user %s did and was sent since he was created goes with him", op.Login)
	}
}
