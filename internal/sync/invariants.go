package sync

import (
	"errors"
	"fmt"
	"iter"
	"slices"
)

// Invariants walks a plan over the state that it was made from, one operation after another, and says what would be wrong
// after any of them: a number, device or user with two holders, or given to somebody who can't have it; more licence seats
// taken than were bought; a protected user deleted or without a number; a default DDI deleted before the others (rvcp
// provisioning guide, DeleteDdi); something carried out that needs what is held back. It walks what goes on, and then, if
// anything is held back, the whole plan as an override carries it out. Every plan that is made is checked; nil says that
// all holds.
func Invariants(plan *Plan, obs Observed) error {
	for i := range plan.Operations {
		op := &plan.Operations[i]
		for _, need := range op.Needs {
			if need < 1 || need >= op.ID || need > len(plan.Operations) {
				return fmt.Errorf("operation %d (%s) needs operation %d, which does not come before it", op.ID, op.Title(), need)
			}
			if op.Held == "" && plan.Operations[need-1].Held != "" {
				return fmt.Errorf("operation %d (%s) goes on and needs operation %d, which is held back", op.ID, op.Title(), need)
			}
		}
	}
	obs = fewLicences(obs)
	parts := [][]Operation{going(plan.Operations)}
	if len(parts[0]) < len(plan.Operations) {
		parts = append(parts, plan.Operations)
	}
	for _, ops := range parts {
		w := walk{world: Overlay(obs), protect: plan.Policy.Protect}
		for i := range ops {
			if err := w.step(&ops[i]); err != nil {
				return fmt.Errorf("operation %d (%s): %w", ops[i].ID, ops[i].Title(), err)
			}
		}
	}
	return nil
}

// walk is where a walk over a plan has come to.
type walk struct {
	world   *World
	protect []Pattern
}

func (w *walk) step(op *Operation) error {
	if err := w.possible(op); err != nil {
		return err
	}
	before := w.protected(op)
	var l lines
	if before {
		l = linesOf(holdingOf(w.world, op.Login))
	}
	changes := Effects(op, w.world, fmt.Sprintf("operation-%d", op.ID))
	taken := map[Key]int{}
	for _, c := range changes {
		if c.Key.Kind == KindLicence {
			taken[c.Key] = find[Licence](w.world, c.Key).Assigned
		}
	}
	w.world.Apply(changes)
	for k, was := range taken {
		if l := find[Licence](w.world, k); l.Max >= 0 && l.Assigned > l.Max && l.Assigned > was {
			return fmt.Errorf("%d seats of %q would be taken, and %d were bought", l.Assigned, l.Offer, l.Max)
		}
	}
	if !before {
		return nil
	}
	switch next := linesOf(holdingOf(w.world, op.Login)); {
	case w.world.Record(op.Login.Key()) == nil:
		return errors.New("a protected user would be deleted")
	case l.extensions > 0 && next.extensions == 0 || l.ddis > 0 && next.ddis == 0:
		return errors.New("a protected user would be without a number")
	}
	return nil
}

// protected tells whether an operation may take something from a protected user who exists.
func (w *walk) protected(op *Operation) bool {
	if op.renames() || op.Action == ActionCreate || op.Action == ActionAttach || len(w.protect) == 0 || w.world.Record(op.Login.Key()) == nil {
		return false
	}
	_, ok := matching(w.protect, op.Login.Key())
	return ok
}

// possible says why an operation can't be carried out on what there is now.
func (w *walk) possible(op *Operation) error {
	r := w.world.Record(op.Key)
	switch {
	case op.Action == ActionSave && op.Login == "": // of all that points to extensions
		return nil
	case op.detail():
		return nil
	case op.Action == ActionCreate && r != nil:
		return fmt.Errorf("%s exists already", op.Key)
	case op.Action != ActionCreate && r == nil:
		return fmt.Errorf("%s does not exist", op.Key)
	case op.renames() && w.world.Record(op.Login.Key()) != nil:
		return fmt.Errorf("user %s exists already", op.Login)
	case op.Key.Kind == KindUser:
		return nil
	case op.Login != "" && w.world.Record(op.Login.Key()) == nil:
		return fmt.Errorf("user %s does not exist", op.Login)
	case op.provisions() && op.Action == ActionDelete && r.HeldBy() != "":
		return fmt.Errorf("%s is held by %s", op.Key, r.HeldBy())
	case op.Key.Kind == KindDDI && op.Action == ActionDelete:
		return w.deletableDDI(r.(*DDI))
	case op.Action == ActionAttach && op.Key.Kind != KindLicence && r.HeldBy() != "":
		return fmt.Errorf("%s is held by %s", op.Key, r.HeldBy())
	case op.Action == ActionDetach && op.Key.Kind != KindLicence && r.HeldBy() != op.Login:
		return fmt.Errorf("%s is held by %s", op.Key, orWords(string(r.HeldBy()), "nobody"))
	}
	needsOne := op.Action == ActionAttach && (op.Key.Kind == KindDevice || op.Key.Kind == KindDDI)
	creates := op.Key.Kind == KindExtension && op.Action == ActionCreate
	if !needsOne && !creates {
		return nil
	}
	switch has := SubscriberOf(w.world, op.Login) != nil; {
	case creates && has:
		return fmt.Errorf("user %s has an extension already", op.Login)
	case needsOne && !has:
		return fmt.Errorf("user %s has no extension", op.Login)
	}
	return nil
}

// deletableDDI holds that the default DDI goes last.
func (w *walk) deletableDDI(d *DDI) error {
	if !d.Default {
		return nil
	}
	for r := range w.world.Records(KindDDI) {
		if other := r.(*DDI); other.Number != d.Number {
			return fmt.Errorf("the default DDI is deleted last, and %s is left", other.Number)
		}
	}
	return nil
}

// licensed is an Observed that has read its licences once.
type licensed struct {
	Observed
	licences []Record
}

// fewLicences reads the licences, of which there are few and which are looked at again and again.
func fewLicences(obs Observed) Observed {
	return licensed{obs, slices.Collect(obs.Records(KindLicence))}
}

// Records implements Observed.
func (l licensed) Records(kind Kind) iter.Seq[Record] {
	if kind == KindLicence {
		return slices.Values(l.licences)
	}
	return l.Observed.Records(kind)
}

// Record implements Observed.
func (l licensed) Record(k Key) Record {
	if k.Kind != KindLicence {
		return l.Observed.Record(k)
	}
	for _, r := range l.licences {
		if r.Key() == k {
			return r
		}
	}
	return nil
}
