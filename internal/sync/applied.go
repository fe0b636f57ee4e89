package sync

import (
	"context"
	"path"
	"slices"
	"strings"
	"time"
)

// Applied is a manifest that a run has put into force: what the company is to be, until one of the same title is applied or the
// run is undone. What upstream has become since is compared with it.
type Applied struct {
	Company string `json:"company"`
	// Run applied it, Plan is the plan's name and Hash its hash. Both may have been pruned since.
	Run  string `json:"run"`
	Plan string `json:"plan"`
	Hash string `json:"hash"`
	// Manifest is the manifest's digest (secrets blanked), Mode its form, Sources its files.
	Manifest string   `json:"manifest"`
	Mode     string   `json:"mode"`
	Sources  []string `json:"sources,omitempty"`
	// Policy is the one that it was planned with.
	Policy Policy    `json:"policy"`
	Actor  string    `json:"actor,omitempty"`
	Time   time.Time `json:"time"`
	// UndoneBy is the run that undid Run; empty while the manifest is in force.
	UndoneBy string `json:"undoneBy,omitempty"`
}

// Title is the manifest's name, by which it is known that another one takes its place: its lineage, or else its files.
func (a *Applied) Title() string {
	if a.Policy.Lineage != "" {
		return a.Policy.Lineage
	}
	names := make([]string, len(a.Sources))
	for i, name := range a.Sources {
		names[i] = path.Clean(name)
	}
	return strings.Join(names, ", ")
}

// InForce tells whether a run has put a manifest into force that is still so.
func (e *Engine) InForce(ctx context.Context, company, run string) (bool, error) {
	applied, err := e.Store.Applied(ctx, company)
	return slices.ContainsFunc(applied, func(a *Applied) bool { return a.Run == run }), err
}

// putIntoForce notes that the run has done all that its plan asks for. It comes before the run is stored as succeeded, so
// that a crash between the two leaves a run that is resumed.
func (c *coordinator) putIntoForce(ctx context.Context) error {
	ctx, r := context.WithoutCancel(ctx), c.Run
	if c.Plan.Undoes != "" {
		return c.engine.Store.UndoApplied(ctx, r.Company, c.Plan.Undoes, r.Name)
	}
	if c.Plan.Mode == ModeRules { // rules move numbers and say nothing that could hold from now on
		return nil
	}
	return c.engine.Store.SetApplied(ctx, Applied{
		Company: r.Company, Run: r.Name, Plan: r.Plan, Hash: r.Hash, Manifest: c.Plan.Manifest, Mode: c.Plan.Mode,
		Policy: c.Plan.Policy, Actor: r.Actor, Time: c.engine.now(),
	})
}
