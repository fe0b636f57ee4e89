package sync

import "strings"

// Cost is what an operation costs upstream.
type Cost struct {
	// Calls is how many calls upstream it makes; what is asked again because an answer was lost is not counted.
	Calls int `json:"calls"`
	// Shared names the import that the operation may share with others of the same name: then its calls are theirs too.
	// Empty: it goes alone.
	Shared string `json:"shared,omitempty"`
}

// The imports that operations share.
const (
	SharedUsers    = "users"    // rows of a user import
	SharedPairings = "pairings" // rows of a device import
)

// costOf tells what an operation costs. That a target may do more by import, or less, does not change what the plan does:
// the cost is there to compare plans by and to tell how long a user is without a number.
func (p *planner) costOf(op *Operation) Cost {
	switch {
	case op.Action == ActionSave && op.Login == "": // every phone and, not known before, every group
		phones := 0
		for range p.obs.Records(KindDevice) {
			phones++
		}
		return Cost{Calls: phones + 1}
	case op.Action == ActionSave, op.Action == ActionRestore: // its options, one by one
		return Cost{Calls: 5}
	}
	return Cost{Calls: 1, Shared: Import(op)}
}

// Import names the import that can carry an operation as a row, beside others; empty when none can.
//
// An import ignores empty cells, so it clears nothing; how it fits a single number or tag into a list that is there
// already, and whether a cell may have several lines, is not documented. Whether an import of pairings writes the columns
// pbxInternalNumber and number, or finds a number by them, is not documented either.
func Import(op *Operation) string {
	switch {
	case op.Key.Kind == KindUser && userImport(op):
		return SharedUsers
	case op.Key.Kind == KindExtension && op.Action == ActionDetach:
		return SharedPairings
	case op.Key.Kind == KindExtension && op.Action == ActionAttach:
		_, internal := op.After("internalNumber")
		_, public := op.After("number")
		if !internal && !public {
			return SharedPairings
		}
	}
	return ""
}

func userImport(op *Operation) bool {
	if op.Action != ActionUpdate {
		return true
	}
	if op.renames() { // an import knows a user by his login
		return false
	}
	for _, c := range op.Changes {
		if _, _, numbered := ListItem(c.Name); numbered || c.After == "" || strings.ContainsAny(c.After, "\r\n") {
			return false
		}
	}
	return true
}

// calls gives, for each operation, the number of the upstream call that carries it out when the plan is carried out one
// operation after another, from 1; operations that share an import and follow one another are one call. An operation of
// several calls has the number of the last one.
func calls(ops []Operation) []int {
	at, n, shared := make([]int, len(ops)), 0, ""
	for i := range ops {
		if c := ops[i].Cost; c.Shared == "" || c.Shared != shared {
			n += max(1, c.Calls)
		}
		shared = ops[i].Cost.Shared
		at[i] = n
	}
	return at
}
