package sync

import "context"

// What a save has read is in the journal of the run that did it. A run that does the rest of another one's plan may have to
// put back what that one saved, or another retry of it.

// recallSaved reads what runs before this one have saved and this one is to put back.
func (c *coordinator) recallSaved(ctx context.Context) error {
	wanted := c.savedBefore()
	if len(wanted) == 0 {
		return nil
	}
	runs, err := c.engine.Store.Runs(ctx, c.Run.Company)
	if err != nil {
		return err
	}
	first := firstRuns(runs)
	for _, r := range runs {
		if r.Plan != c.Run.Plan || r.Name == c.Run.Name || first(r) != first(c.Run) {
			continue
		}
		for entry, err := range c.engine.Store.Journal(ctx, r.Company, r.Name) {
			if err != nil {
				return err
			}
			for _, o := range entry.Outcomes {
				if o.Status == Done && wanted[o.Operation] {
					c.saved[o.Operation] = o.Saved
				}
			}
		}
	}
	return nil
}

// firstRuns tells of a run which one it does the rest of in the end: the one that began with the whole plan. A plan may be
// applied again from its beginning, and what is saved then is something else; runs that do the rest of one another save a thing
// once.
func firstRuns(runs []*Run) func(*Run) string {
	retried := map[string]string{}
	for _, r := range runs {
		retried[r.Name] = r.RetryOf
	}
	return func(r *Run) string {
		name, before := r.Name, r.RetryOf
		for before != "" {
			name, before = before, retried[before]
		}
		return name
	}
}

// savedBefore are the saves of earlier runs that this run's restores need.
func (c *coordinator) savedBefore() map[int]bool {
	wanted := map[int]bool{}
	for _, op := range c.Plan.Operations {
		if op.Action != ActionRestore || c.before[op.ID] {
			continue
		}
		for _, id := range op.Needs {
			if c.before[id] && c.ops[id].Action == ActionSave {
				wanted[id] = true
			}
		}
	}
	return wanted
}
