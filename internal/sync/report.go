package sync

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Row is how an entry of the manifest fared in a run: the report that goes back to whoever wrote the manifest.
type Row struct {
	// Position of the entry; without a file for what no entry asks for by itself.
	Position Position
	Login    Login
	// Actions are the titles of its operations, in plan order; Operations their ids.
	Actions    []string
	Operations []int
	Result     Result
	// Message says why it is not done, and Code is Rainbow's code for it.
	Message string
	Code    int
	// Took is how long its calls took, one after the other.
	Took time.Duration

	done int // of its operations
}

// Result is how an entry fared: as the worst of its operations.
type Result string

// The results, the worst last.
const (
	ResultUnchanged Result = "unchanged"
	ResultDone      Result = "done"
	ResultHeld      Result = "held"
	ResultNotDone   Result = "not-done"
	ResultSkipped   Result = "skipped"
	ResultFailed    Result = "failed"
	ResultUnknown   Result = "unknown"
)

var resultOf = map[Status]Result{
	Done: ResultDone, Held: ResultHeld, NotDone: ResultNotDone, Skipped: ResultSkipped, Failed: ResultFailed, Unknown: ResultUnknown,
}

var resultRank = map[Result]int{
	ResultUnchanged: 0, ResultDone: 1, ResultHeld: 2, ResultNotDone: 3, ResultSkipped: 4, ResultFailed: 5, ResultUnknown: 6,
}

// Rows reports a run by the entries of its plan's manifest, in the manifest's order; then, user by user, what the plan does
// to those whom no entry names. Operations without an outcome have not come to their end.
func Rows(p *Plan, run *Run, outcomes map[int]Outcome) []Row {
	others := run.others(p)
	r := &report{outcomes: outcomes, ops: make(map[int]*Operation, len(p.Operations)), rows: map[place]*Row{}, why: map[int]string{}}
	for i := range p.Operations {
		op := &p.Operations[i]
		r.ops[op.ID] = op
		if others[op.ID] {
			continue
		}
		if len(op.Positions) == 0 {
			r.add(Position{}, op)
		}
		for _, at := range op.Positions {
			r.add(at, op)
		}
	}
	for u := range p.Unchanged.All() {
		if run.RetryOf != "" {
			break
		}
		row := r.row(u.Position, u.Login)
		if len(row.Operations) == 0 {
			row.Message = u.Note
		}
	}
	for _, d := range p.Doubtful { // no plan touches them before somebody says who they are
		if run.RetryOf != "" || d.Position.Line == 0 {
			break
		}
		if row := r.row(d.Position, d.Login); len(row.Operations) == 0 {
			row.Result, row.Message = ResultHeld, "in doubt: "+d.Why
		}
	}
	all := make([]Row, 0, len(r.rows))
	for _, row := range r.rows {
		row.inPart()
		all = append(all, *row)
	}
	slices.SortFunc(all, func(a, b Row) int {
		return cmp.Or(
			-cmp.Compare(min(a.Position.Line, 1), min(b.Position.Line, 1)), // what has no position comes last
			strings.Compare(a.Position.File, b.Position.File), cmp.Compare(a.Position.Line, b.Position.Line), strings.Compare(string(a.Login), string(b.Login)))
	})
	return all
}

// report is being made.
type report struct {
	outcomes map[int]Outcome
	ops      map[int]*Operation
	rows     map[place]*Row
	why      map[int]string
}

// place tells rows apart: the entries of a manifest by their lines, all else by user.
type place struct {
	file  string
	line  int
	login Login
}

func (r *report) row(at Position, login Login) *Row {
	k := place{at.File, at.Line, ""}
	if at.Line == 0 {
		k.login = login
	}
	row := r.rows[k]
	if row == nil {
		row = &Row{Position: at, Login: login, Result: ResultUnchanged}
		r.rows[k] = row
	}
	return row
}

// add counts an operation to a row.
func (r *report) add(at Position, op *Operation) {
	row := r.row(at, op.Login)
	row.Actions = append(row.Actions, op.Title())
	row.Operations = append(row.Operations, op.ID)
	o, ended := r.outcomes[op.ID]
	result := ResultNotDone
	if o.Status == Done {
		row.done++
	}
	if ended {
		result = resultOf[o.Status]
		row.Took += time.Duration(o.Millis) * time.Millisecond
	}
	if resultRank[result] <= resultRank[row.Result] {
		return
	}
	row.Result, row.Message, row.Code = result, "", o.Code
	if result != ResultDone {
		row.Message = r.because(op.ID)
	}
}

// notStarted is said of what a run did not come to.
const notStarted = "not started"

// inPart says of an entry that came to no good end how far it came: half of it may be worse than nothing.
func (row *Row) inPart() {
	if row.done > 0 && row.done < len(row.Operations) && row.Result != ResultHeld {
		row.Message = strings.TrimSuffix(fmt.Sprintf("%d of %d steps are done, the rest is not; %s", row.done, len(row.Operations), strings.TrimPrefix(row.Message, notStarted)), "; ")
	}
}

// because says why an operation is not done, back to what the reason was in the first place.
func (r *report) because(id int) string {
	if why, ok := r.why[id]; ok {
		return why
	}
	op, o := r.ops[id], r.outcomes[id]
	why := o.Message
	switch o.Status {
	case Skipped:
		if root := r.root(op); root != nil {
			why = fmt.Sprintf("skipped, because %q %s: %s", root.Title(), fate[r.outcomes[root.ID].Status], r.outcomes[root.ID].Message)
		}
	case "":
		why = notStarted
	}
	r.why[id] = why
	return why
}

var fate = map[Status]string{Failed: "failed", Skipped: "was skipped", Held: "is held back", NotDone: "was not done", Unknown: "has no known outcome"}

// root is the operation for which another one was skipped; nil when that has a reason of its own.
func (r *report) root(op *Operation) *Operation {
	for _, id := range op.Needs { // they come before it: the plan is ordered
		o, ended := r.outcomes[id]
		need := r.ops[id]
		if !ended || need == nil || o.Status == Done {
			continue
		}
		if o.Status == Skipped {
			if further := r.root(need); further != nil {
				return further
			}
		}
		return need
	}
	return nil
}
