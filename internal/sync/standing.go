package sync

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// Standing plans: a plan that found nothing to do is found again when the same manifest is planned, under the same policy,
// over a recorded state that has not changed since. Then nothing need be read or compared: that is what happens in most
// nights of a company that plans every night. A plan that is made from more than these is always made anew (Repeatable).

// revised is implemented by a snapshot that tells when what is recorded has changed.
type revised interface {
	// Revision changes with every change of what is recorded of the company; the time of a refresh is none.
	Revision() string
}

// Fingerprint names what a plan is made from: a manifest, by a digest over all that is read of it, a policy, and the recorded
// state. It is empty where that can't be told: with a lineage, since whom the manifest owns is written elsewhere, and with
// a store that knows no revisions.
func (e *Engine) Fingerprint(ctx context.Context, company, manifest string, policy Policy) (string, error) {
	if policy.Lineage != "" || manifest == "" {
		return "", nil
	}
	view, err := e.Store.Observed(ctx, company)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	state, known := view.(revised)
	if !known {
		return "", view.Close()
	}
	said, err := json.Marshal(policy)
	if err := errors.Join(err, view.Close()); err != nil {
		return "", err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "plan %d\n%s\n%s\n%s\n", PlanFormat, manifest, state.Revision(), said))
	return hex.EncodeToString(sum[:]), nil
}

// Repeatable tells whether what was just planned would be planned the same over the same recorded state: pools look at the
// calendar, rules at what earlier runs did, and options, keys and settings that are not recorded are read upstream each time.
func (e *Engine) Repeatable(ctx context.Context, company string, desired *Desired, policy Policy) (bool, error) {
	if len(desired.Pools)+len(desired.policy(policy).Renumber) > 0 {
		return false, nil
	}
	view, err := e.Store.Observed(ctx, company)
	if err != nil {
		return false, err
	}
	missing := desired.details(view)
	return len(missing) == 0, view.Close()
}

// Standing gives the name of the newest stored plan with a fingerprint, which found nothing to do; empty when there is none.
func (e *Engine) Standing(ctx context.Context, company, fingerprint string) (string, error) {
	if fingerprint == "" {
		return "", nil
	}
	plans, err := e.Store.Plans(ctx, company)
	if err != nil {
		return "", err
	}
	for _, p := range plans {
		if p.Fingerprint == fingerprint {
			return p.Name, nil
		}
	}
	return "", nil
}

// Stands tells whether a plan may be found again: nothing is to be done, and nothing is in doubt.
func (p *Plan) Stands() bool {
	return len(p.Operations)+len(p.Doubtful) == 0 && p.Undoes == "" && p.Policy.Lineage == ""
}
