package sync

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
)

// Which DDI is the default one is a fact of its own that plans rely on: it moves from one DDI to another without a trace in
// any DDI that a plan names. So it has a key among what a plan touches, under which Target.Read gives the DDI that is it, and
// no record of its own.
//
// To rely on the flag of each DDI that a plan touches was rejected: that the old default lost it does not tell which DDI is to
// be left alone in the next plan, and a company whose first DDI is to be created has none to look at.

// DefaultDDIKey stands for the default DDI, whichever that is, among what a plan relies on.
func DefaultDDIKey() Key { return Key{KindDDI, "default"} }

// defaultOf is the default DDI as it is recorded; nil when there is none.
func defaultOf(obs Observed) Record {
	for r := range obs.Records(KindDDI) {
		if isDefault(r) {
			return r
		}
	}
	return nil
}

// changesDefault names what an operation wants of the default DDI: to become it, or not to be it, being deleted; empty for
// nothing.
func (o *Operation) changesDefault() string {
	switch {
	case o.setsDefault():
		return changeDefault
	case o.Key.Kind == KindDDI && o.Action == ActionDelete:
		return o.Key.ID
	}
	return ""
}

// defaultReliance is a hash over what a plan relies on in the default DDI, given what its operations want of it: which one it
// is, or, if they only delete others, that it is none of these. It is empty when there is none, and that is relied on.
func defaultReliance(r Record, wanted []string) string {
	said := "another"
	switch {
	case r == nil && (len(wanted) == 0 || slices.Contains(wanted, changeDefault)):
		return ""
	case r != nil && (slices.Contains(wanted, changeDefault) || slices.Contains(wanted, r.Key().ID)):
		said = r.Key().ID
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "default ddi %s", said))
	return hex.EncodeToString(sum[:8])
}

// onDefault tells which operations rely on the default DDI that a plan was made with, when it is another now.
func onDefault(relied Touch, now Record) func(*Operation) bool {
	return func(op *Operation) bool {
		switch {
		case op.setsDefault():
			return true
		case op.Key.Kind != KindDDI:
			return false
		case op.Action == ActionCreate: // there was no DDI
			return relied.Hash == ""
		case op.Action == ActionDelete:
			was := defaultReliance(&DDI{Number: E164(op.Key.ID)}, []string{op.Key.ID}) == relied.Hash
			return was || now != nil && now.Key() == op.Key
		}
		return false
	}
}

// mindsDefault tells whether operations that are left rely on which DDI was the default one, and none that is done has made it
// another.
func (c *coordinator) mindsDefault(relied Touch) bool {
	left, moves := false, onDefault(relied, nil)
	for i := range c.Plan.Operations {
		op := &c.Plan.Operations[i]
		switch done := c.outcomes[op.ID].Status == Done || c.before[op.ID]; {
		case done && moves(op):
			return false
		case !done && c.outcomes[op.ID].Status != Held:
			left = left || moves(op) || op.changesDefault() != ""
		}
	}
	return left
}

func defaultWords(now Record) string {
	if now == nil {
		return "there is no default DDI any more"
	}
	return fmt.Sprintf("%s is the default one now", thingOf(now.Key()))
}

// defaultChanges record which DDI is the default one; none if that is nil.
func defaultChanges(now Record, obs Observed) []RecordChange {
	var changes []RecordChange
	for r := range obs.Records(KindDDI) {
		if d := r.(*DDI); d.Default && (now == nil || d.Key() != now.Key()) {
			next := *d
			next.Default = false
			changes = append(changes, change(&next))
		}
	}
	if now != nil {
		changes = append(changes, change(now))
	}
	return changes
}

// sentDefault tells whether a DDI may have become the default one by an operation that was sent and did not come to its end.
func (c *coordinator) sentDefault(now Record) bool {
	for i := range c.Plan.Operations {
		op := &c.Plan.Operations[i]
		makes := op.setsDefault() || op.Action == ActionCreate
		if op.Key == now.Key() && makes && c.sent[op.ID] > 0 && c.outcomes[op.ID].Status != Done {
			return true
		}
	}
	return false
}
