package sync

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Ownership: which users a manifest speaks for because it named them before. Upstream has no place for a mark that nobody
// else uses, so the books tell it: a plan of a manifest with a name (its lineage) lists the users whom it names and those
// whom earlier ones named and who are still there. The users of the plan of that name that was applied last are owned. A
// plan that found nothing to do counts as applied: all that it asks for held.
//
// A user who was deleted and made anew by somebody else has another upstream id, and is not owned any more; one whom the
// last applied plan of another name names is not owned either. Where the books are lost, nobody is owned and nobody is
// pruned.

// Owner is a user whom a manifest owns.
type Owner struct {
	Login Login `json:"login"`
	// ID is his upstream id; empty when the plan creates him.
	ID string `json:"id,omitempty"`
	// Left: the manifest named him once and does not any more.
	Left bool `json:"left,omitempty"`
}

// owners lists whom the plan's manifest owns once it is applied.
func (p *planner) owners() []Owner {
	if p.policy.Lineage == "" {
		return nil
	}
	var all []Owner
	for _, s := range p.queue {
		if s.want == nil || s.want.Action == pruneAction || s.want.Presence == Absent && s.user == nil {
			continue
		}
		o := Owner{Login: s.login}
		if s.user != nil {
			o.ID = s.user.ID
		}
		all = append(all, o)
	}
	for _, o := range p.settled.owners {
		if p.settled.has(o.entry) {
			all = append(all, o.Owner)
		}
	}
	for l, id := range p.desired.Owned { // those that this manifest does not name
		if s := p.stances[l]; s != nil && s.want != nil && s.want.Action != pruneAction || s == nil && p.names(l) {
			continue
		}
		if u := find[User](p.obs, l.Key()); u != nil && (id == "" || id == u.ID) {
			all = append(all, Owner{Login: l, ID: u.ID, Left: true})
		}
	}
	slices.SortFunc(all, func(a, b Owner) int { return strings.Compare(string(a.Login), string(b.Login)) })
	return all
}

// owned finds whom a manifest of that name owns, with the upstream ids.
func (e *Engine) owned(ctx context.Context, company, lineage string) (map[Login]string, error) {
	last, err := e.lastApplied(ctx, company)
	if err != nil {
		return nil, fmt.Errorf("users of the manifest %q: %w", lineage, err)
	}
	own := map[Login]string{}
	for _, name := range slices.SortedFunc(maps.Keys(last), func(a, b string) int { // its own first
		return cmp.Or(cmp.Compare(foreign(a, lineage), foreign(b, lineage)), strings.Compare(a, b))
	}) {
		if name != lineage && len(own) == 0 {
			break
		}
		stored, err := e.Store.Plan(ctx, company, last[name].plan)
		if err != nil {
			return nil, fmt.Errorf("users of the manifest %q: %w", name, err)
		}
		for _, o := range stored.Plan.Owned {
			switch {
			case name == lineage:
				own[o.Login] = o.ID
			case !o.Left:
				delete(own, o.Login)
			}
		}
	}
	return own, nil
}

func foreign(name, lineage string) int {
	if name == lineage {
		return 0
	}
	return 1
}

// appliedPlan is the plan of a lineage that was applied last.
type appliedPlan struct {
	plan string
	at   time.Time
}

// lastApplied finds, by lineage, the plan that was applied last.
func (e *Engine) lastApplied(ctx context.Context, company string) (map[string]appliedPlan, error) {
	plans, err := e.Store.Plans(ctx, company)
	if err != nil {
		return nil, err
	}
	runs, err := e.Store.Runs(ctx, company)
	if err != nil {
		return nil, err
	}
	started := map[string]time.Time{}
	for _, r := range runs {
		if r.Counts.Done > 0 && r.StartTime.After(started[r.Plan]) {
			started[r.Plan] = r.StartTime
		}
	}
	last := map[string]appliedPlan{}
	for _, s := range plans {
		lineage, at := s.Plan.Policy.Lineage, started[s.Name]
		if at.IsZero() && s.Empty {
			at = s.CreateTime
		}
		if lineage == "" || at.IsZero() {
			continue
		}
		if was, ok := last[lineage]; !ok || cmp.Or(was.at.Compare(at), strings.Compare(was.plan, s.Name)) < 0 {
			last[lineage] = appliedPlan{s.Name, at}
		}
	}
	return last, nil
}
