package sync

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Drift: what upstream holds otherwise than the manifest in force wants it. It is found by planning that manifest again: a
// plan that would change something says what differs, and is what repairs it. So nothing is drift that the manifest does
// not manage, and secrets, which a plan compares with nothing, are none.
//
// Where a plan can't be made, because a device is gone that the manifest names, say, that is drift too. What stands in the
// way is told, and the entry is planned again without it, so that one fault does not hide a hundred differences.
//
// Several manifests may be in force, each under a title of its own; what a newer one speaks of, the older ones don't
// (overlay.go).
//
// A comparison of two recorded states (as it was after the run, as it is now) was rejected: it tells of every change in the
// company, and not which of them matter, nor what to do about them.

// DriftFormat is the version of the report.
const DriftFormat = 1

// ErrNotApplied: no manifest is in force, so that there is nothing to compare with.
var ErrNotApplied = errors.New("no manifest is in force")

// Drift reports how upstream differs from the manifest in force.
type Drift struct {
	Format  int    `json:"format"`
	Company string `json:"company"`
	// Manifest is the digest of the manifest in force (secrets blanked), Sources its files; Run applied it at AppliedTime.
	Manifest    string    `json:"manifest"`
	Sources     []string  `json:"sources,omitempty"`
	Run         string    `json:"run"`
	AppliedTime time.Time `json:"appliedTime"`
	// RecordTime is when upstream was read, CheckTime when it was compared.
	RecordTime time.Time `json:"recordTime,omitzero"`
	CheckTime  time.Time `json:"checkTime"`
	// Hash names the drift: equal differences have equal hashes. Empty without any. SinceTime is when a look first found
	// things as they are.
	Hash        string       `json:"hash,omitempty"`
	SinceTime   time.Time    `json:"sinceTime,omitzero"`
	Differences []Difference `json:"differences"`
	// Repairs counts the operations that would repair it, by kind.
	Repairs map[Kind]int `json:"repairs,omitempty"`
	// Manifests are those in force, the one applied last first, when there are several: what is above is of the first then, and
	// the plans that repair it are one for each.
	Manifests []DriftManifest `json:"manifests,omitempty"`
	// Obstacle says why no plan is offered that would repair it, though one could be made.
	Obstacle string `json:"obstacle,omitempty"`
	// Plan is the name under which the plan that repairs it was saved, if it was.
	Plan string `json:"plan,omitempty"`
	// Told is the hash of the drift that was told last to whoever wants to be told; the books carry it on.
	Told string `json:"told,omitempty"`
}

// DriftStore keeps what the last look for drift found.
type DriftStore interface {
	// SetDrift keeps a report in place of the company's one before.
	SetDrift(ctx context.Context, d *Drift) error
	// Drift gives it, or ErrNotFound.
	Drift(ctx context.Context, company string) (*Drift, error)
}

// DifferenceKind is what happened to a thing.
type DifferenceKind string

// The kinds of differences.
const (
	// Missing: it is gone, or its user has it no more.
	Missing DifferenceKind = "missing"
	// Extra: it is there, or its user has it, against the manifest.
	Extra DifferenceKind = "extra"
	// Moved: another user has it.
	Moved DifferenceKind = "moved"
	// Changed: it has other values.
	Changed DifferenceKind = "changed"
	// Blocked: the manifest can't be planned any more as it stands; Code says why.
	Blocked DifferenceKind = "blocked"
)

// Difference is one thing that is not as the manifest wants it.
type Difference struct {
	// Login is the user concerned: the one who shall have the thing, or who has it and shall not.
	Login Login          `json:"login"`
	Kind  Kind           `json:"kind"`
	What  DifferenceKind `json:"what"`
	// Key names the thing, or the user whose entry can't be planned.
	Key Key `json:"key,omitzero"`
	// Words say it as a telephony administrator would.
	Words string `json:"words"`
	// Changes are the values that differ: as found, and as the manifest wants them.
	Changes []Deviation `json:"changes,omitempty"`
	// Position is where the manifest asks for it.
	Position Position `json:"position,omitzero"`
	// Operations are the ids of the operations of the plan that repair it.
	Operations []int `json:"operations,omitempty"`
	// Manifest is the title of the manifest that wants it otherwise, when several are in force.
	Manifest string `json:"manifest,omitempty"`
	// Held says why that plan holds its repair back, as a plan over its ceilings does; empty when it does not.
	Held string `json:"held,omitempty"`
	// Code and Hint say why no plan repairs it, and what would help.
	Code string `json:"code,omitempty"`
	Hint string `json:"hint,omitempty"`
}

// Deviation is one value as found and as wanted; empty means absent.
type Deviation struct {
	Name   string `json:"name"`
	Found  string `json:"found,omitempty"`
	Wanted string `json:"wanted,omitempty"`
}

// DriftManifest is one of the manifests in force, when there are several, and what would repair what differs from it.
type DriftManifest struct {
	// Title is its lineage or its files; Manifest its digest; Run applied it at AppliedTime.
	Title       string    `json:"title"`
	Manifest    string    `json:"manifest"`
	Run         string    `json:"run"`
	AppliedTime time.Time `json:"appliedTime"`
	// Differences and Operations count what differs from it, and what would repair that.
	Differences int `json:"differences"`
	Operations  int `json:"operations"`
	// Plan and Obstacle are as in Drift.
	Plan     string `json:"plan,omitempty"`
	Obstacle string `json:"obstacle,omitempty"`
}

// Drift compares the recorded state with the manifests in force. It changes nothing; repairs are the plans that would, one for
// each manifest that something differs from, not stored and without names. The error is ErrNotApplied, or one of Plan's.
func (e *Engine) Drift(ctx context.Context, company string) (found *Drift, repairs []*StoredPlan, err error) {
	applied, err := e.Store.Applied(ctx, company)
	if err != nil {
		return nil, nil, err
	}
	if len(applied) == 0 {
		return nil, nil, fmt.Errorf("company %s: %w", company, ErrNotApplied)
	}
	newest := applied[0]
	found = &Drift{
		Format: DriftFormat, Company: company, Manifest: newest.Manifest, Sources: newest.Sources, Run: newest.Run,
		AppliedTime: newest.Time, CheckTime: e.now(), Differences: []Difference{},
	}
	view, err := e.Store.Observed(ctx, company)
	if errors.Is(err, ErrNotFound) {
		return nil, nil, fmt.Errorf("company %s: %w", company, ErrNotRecorded)
	}
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, view.Close()) }()
	found.RecordTime, _ = time.Parse(time.RFC3339, view.Company().RecordedAt)
	exists := func(l Login) bool { return view.Record(l.Key()) != nil }
	newer, kept := newSpoken(), 0
	for i, a := range applied {
		desired, err := e.Store.AppliedDesired(ctx, company, a.Run)
		if errors.Is(err, ErrNotFound) { // it was applied by a gateway that did not keep it
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		kept++
		left, policy := desired, a.Policy
		if kept > 1 {
			left, policy = newer.rest(desired, a.Policy, exists)
		}
		if i < len(applied)-1 {
			newer.add(desired)
		}
		repair, err := e.driftFrom(ctx, found, forced{a, left, policy}, view)
		if err != nil {
			return nil, nil, err
		}
		if repair != nil {
			repairs = append(repairs, repair)
		}
	}
	if kept == 0 {
		return nil, nil, fmt.Errorf("company %s: %w: the one that run %s applied was not kept", company, ErrNotApplied, newest.Run)
	}
	found.settle(kept)
	return found, repairs, nil
}

// forced is a manifest in force, with what no newer one speaks of, and the policy for that.
type forced struct {
	*Applied
	left   *Desired
	policy Policy
}

// driftFrom adds what differs from one manifest.
func (e *Engine) driftFrom(ctx context.Context, found *Drift, a forced, view Observed) (*StoredPlan, error) {
	plan := func(d *Desired, p Policy) (*Plan, error) { return e.Plan(ctx, found.Company, d, p) }
	manifest := newRelaxation(a.left, a.policy)
	fix, err := manifest.plan(plan)
	if err != nil {
		return nil, err
	}
	of := DriftManifest{Title: a.Title(), Manifest: a.Manifest, Run: a.Run, AppliedTime: a.Time}
	of.Differences = found.fill(view, fix, manifest.blocked, of.Title)
	if fix != nil {
		of.Operations = len(fix.Operations)
	}
	if of.Operations > 0 {
		if of.Obstacle, err = manifest.obstacle(plan, a.policy.OutageBudget); err != nil {
			return nil, err
		}
	}
	found.Manifests = append(found.Manifests, of)
	if of.Operations == 0 || of.Obstacle != "" {
		return nil, nil
	}
	return &StoredPlan{
		Plan: fix, Hash: fix.Hash(), CreateTime: found.CheckTime, RecordTime: found.RecordTime, Sources: a.Sources, Desired: a.left, Repairs: a.Run,
	}, nil
}

// settle puts the differences in order, and leaves out what is told by several manifests alike.
func (d *Drift) settle(manifests int) {
	slices.SortStableFunc(d.Differences, func(a, b Difference) int {
		return cmp.Or(strings.Compare(string(a.Login), string(b.Login)), kindRank(a.Kind)-kindRank(b.Kind), a.Key.Compare(b.Key), strings.Compare(a.Words, b.Words))
	})
	d.Differences = slices.CompactFunc(d.Differences, func(a, b Difference) bool {
		return a.Manifest != b.Manifest && a.Login == b.Login && a.Kind == b.Kind && a.Key == b.Key && a.Words == b.Words
	})
	for _, m := range d.Manifests {
		d.Obstacle = cmp.Or(d.Obstacle, m.Obstacle)
	}
	if manifests == 1 {
		d.Manifests = nil
		for i := range d.Differences {
			d.Differences[i].Manifest = ""
		}
	}
	d.Hash = d.hash()
}

// Saved notes under which name the plan was stored that repairs what differs from the manifest that a run applied.
func (d *Drift) Saved(run, plan string) {
	d.Plan = cmp.Or(d.Plan, plan)
	for i := range d.Manifests {
		if d.Manifests[i].Run == run {
			d.Manifests[i].Plan = plan
		}
	}
}

// fill takes over what a plan of the manifest of that title would change, and what kept it from being a whole one; it tells
// how many differences that are.
func (d *Drift) fill(obs Observed, plan *Plan, faults []blocked, title string) int {
	before := len(d.Differences)
	for _, b := range faults {
		d.Differences = append(d.Differences, b.difference())
	}
	if plan != nil {
		d.doubt(plan.Doubtful)
	}
	if plan != nil && len(plan.Operations) > 0 {
		d.Differences = append(d.Differences, deviations(obs, plan)...)
		if d.Repairs == nil {
			d.Repairs = map[Kind]int{}
		}
		for i := range plan.Operations {
			d.Repairs[plan.Operations[i].Key.Kind]++
		}
	}
	for i := before; i < len(d.Differences); i++ {
		d.Differences[i].Manifest = title
	}
	return len(d.Differences) - before
}

// doubt takes over the entries of which nobody can tell any more whom they mean: their users' logins, say, were changed.
func (d *Drift) doubt(doubts []Doubt) {
	for _, x := range doubts {
		difference := Difference{
			Login: x.Login, Kind: KindUser, What: Blocked, Key: x.Login.Key(), Words: x.Why, Position: x.Position,
			Code: "match-doubtful", Hint: "say in the manifest whom the entry means",
		}
		for _, c := range x.Candidates {
			difference.Changes = append(difference.Changes, Deviation{Name: "login", Found: string(c.Login), Wanted: string(x.Login)})
		}
		d.Differences = append(d.Differences, difference)
	}
}

// hash is over what differs, and not over what would repair it.
func (d *Drift) hash() string {
	if len(d.Differences) == 0 {
		return ""
	}
	sum := sha256.New()
	for _, x := range d.Differences {
		fmt.Fprintf(sum, "%q %q %q %q %q\n", x.Login, x.Kind, x.What, x.Key, x.Words)
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// Follows takes over what the report before knew: since when things are as they are, and what was told of them.
func (d *Drift) Follows(before *Drift) {
	d.SinceTime = d.CheckTime
	if before == nil {
		return
	}
	d.Told = before.Told
	if before.Hash == d.Hash && !before.SinceTime.IsZero() {
		d.SinceTime = before.SinceTime
	}
}

// Users counts the users concerned.
func (d *Drift) Users() int {
	seen := map[Login]bool{}
	for i := range d.Differences {
		seen[d.Differences[i].Login] = true
	}
	return len(seen)
}

// ByKind counts the differences.
func (d *Drift) ByKind() map[Kind]int {
	counts := map[Kind]int{}
	for i := range d.Differences {
		counts[d.Differences[i].Kind]++
	}
	return counts
}

// Operations counts the operations that would repair it.
func (d *Drift) Operations() int {
	n := 0
	for _, count := range d.Repairs {
		n += count
	}
	return n
}
