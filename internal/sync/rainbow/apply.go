package rainbow

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// The groups of operations that share a call: each is one import.
const (
	groupUsers    = "users"
	groupPairings = "pairings"
)

// Batch tells which operations go together in an import: users by rows of mode rainbowvoice or useranddevice, pairings
// by rows of mode device. What an import can't say, and all else, goes alone.
func (t *Target) Batch(step *bulksync.Step, by bulksync.UsersBy) bulksync.Batch {
	if group := t.groupOf(&step.Operation, by); group != "" {
		return bulksync.Batch{Group: group, Size: t.opts.ImportBatch, Weight: weight(step), Room: t.opts.ImportBytes}
	}
	return bulksync.Batch{Size: 1}
}

// weight is about the length of a step's row.
func weight(step *bulksync.Step) int {
	n := len(step.Operation.Login) + len(step.Password) + 64
	for _, c := range step.Operation.Changes {
		n += len(c.After) + 3
	}
	return n
}

func (t *Target) groupOf(op *bulksync.Operation, by bulksync.UsersBy) string {
	if op.Key.Kind == bulksync.KindUser && cmp.Or(by, t.opts.UsersBy) == bulksync.UsersByAdmin && byAdmin(op) {
		return ""
	}
	switch {
	case op.Key.Kind == bulksync.KindUser && byImport(op):
		return groupUsers
	case op.Key.Kind == bulksync.KindExtension && op.Action == bulksync.ActionDetach:
		return groupPairings
	case op.Key.Kind == bulksync.KindExtension && op.Action == bulksync.ActionAttach && !changesNumber(op):
		return groupPairings
	}
	return ""
}

// changesNumber tells whether an operation changes what a paired number carries beside its user. Whether an import writes
// the columns pbxInternalNumber and number, or finds a number by them, is not documented.
func changesNumber(op *bulksync.Operation) bool {
	_, internal := op.After("internalNumber")
	_, public := op.After("number")
	return internal || public
}

// byImport tells whether an import can carry a user's operation. An import ignores empty cells, so it clears nothing; how
// it fits a single number or tag into a list that is there already, and whether a cell may have several lines, is not
// documented.
func byImport(op *bulksync.Operation) bool {
	if op.Action != bulksync.ActionUpdate {
		return true
	}
	if _, renamed := op.Renames(); renamed { // an import knows a user by his login
		return false
	}
	for _, c := range op.Changes {
		if _, _, numbered := position(c.Name); numbered || c.After == "" || strings.ContainsAny(c.After, "\r\n") {
			return false
		}
	}
	return true
}

// Apply carries out a call: an import for operations of a group, else one operation by requests of its own.
func (t *Target) Apply(ctx context.Context, call bulksync.Call) ([]bulksync.Outcome, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ctx = withMeter(ctx, call)
	all, err := t.apply(ctx, call)
	return all, passing(err)
}

func (t *Target) apply(ctx context.Context, call bulksync.Call) ([]bulksync.Outcome, error) {
	switch group, err := t.callGroup(call); {
	case err != nil:
		return nil, err
	case group == groupUsers:
		return t.importUsers(ctx, call)
	case group == groupPairings:
		return t.importPairings(ctx, call)
	}
	o, err := t.applyStep(ctx, call.Company, call.Steps[0])
	if err != nil {
		return nil, err
	}
	return []bulksync.Outcome{o}, nil
}

// callGroup is the group of a call's steps; a call without one has a single step.
func (t *Target) callGroup(call bulksync.Call) (string, error) {
	if len(call.Steps) == 0 {
		return "", fmt.Errorf("call %d of run %s has no steps", call.Number, call.Run)
	}
	group := t.groupOf(&call.Steps[0].Operation, call.UsersBy)
	for i := range call.Steps[1:] {
		if other := t.groupOf(&call.Steps[i+1].Operation, call.UsersBy); other != group || group == "" {
			return "", fmt.Errorf("call %d of run %s mixes operations that can't go together", call.Number, call.Run)
		}
	}
	return group, nil
}

// Confirm looks up what became of a call whose answer was lost.
func (t *Target) Confirm(ctx context.Context, call bulksync.Call) ([]bulksync.Outcome, error) {
	ctx = withMeter(ctx, call)
	switch group, err := t.callGroup(call); {
	case err != nil:
		return nil, err
	case group != "":
		all, err := t.confirmImport(ctx, call)
		return all, passing(err)
	}
	o, err := t.confirmStep(ctx, call.Company, call.Steps[0])
	if err != nil {
		return nil, passing(err)
	}
	return []bulksync.Outcome{o}, nil
}
