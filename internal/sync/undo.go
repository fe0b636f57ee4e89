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
	b.users, b.before, b.after, b.persons, b.first, b.losses = nil, nil, nil, nil, nil, nil
	b.devices, b.ddis, b.settings = nil, nil, nil
}

// undoPolicy leaves of a policy what guards a plan. What says whom a manifest means has no place: an undoing knows.
func undoPolicy(p Policy) Policy {
	return Policy{Ignore: p.Ignore, Protect: p.Protect, Ceilings: p.Ceilings, MinUsers: p.MinUsers, OutageBudget: p.OutageBudget, MatchNumbers: MatchNever}
}

func newUndoer(u Undoing, obs Observed, alone map[Login][]Fault) *undoer {
	b := &undoer{Undoing: u, obs: obs, users: map[Login]*undoUser{}, first: map[Login]int{}, dropped: map[Login][]Fault{},
		before: map[Login]Login{}, after: map[Login]Login{}, persons: map[string]Login{}, losses: map[loss][]Login{}}
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
	// losses are the remarks on users of which there may be many, lossOrder as they came.
	losses    map[loss][]Login
	lossOrder []loss
	// renewed are the devices that are created anew.
	renewed []DeviceKey
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

// loss is something that the undoing does not bring back of users, in words for one and, with their number in front, for
// several: who undoes the creation of a thousand users is told once that they had messages.
type loss struct{ one, several string }

// lostOf notes a loss of a user.
func (b *undoer) lostOf(l Login, what loss) {
	if _, known := b.losses[what]; !known {
		b.lossOrder = append(b.lossOrder, what)
	}
	b.losses[what] = append(b.losses[what], l)
}

// tellLosses makes remarks of what was noted, each at the first of its users.
func (b *undoer) tellLosses() {
	for _, what := range b.lossOrder {
		who := b.losses[what]
		if len(who) == 1 {
			b.lost(who[0], what.one, who[0])
		} else {
			b.lost(who[0], what.several+": %s", len(who), someOf(who))
		}
	}
	switch n := len(b.renewed); {
	case n == 1:
		b.lost("", "device %s is created anew: under another id, and without its programmable keys", b.renewed[0])
	case n > 1:
		b.lost("", "%d devices are created anew: under other ids, and without their programmable keys: %s", n, someOf(b.renewed))
	}
}
