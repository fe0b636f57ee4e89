package sync

import "time"

// Applied is a manifest that a run has put into force: what the company is to be, until another one is applied or the run
// is undone. What upstream has become since is compared with it.
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
	// Desired is what the manifest asks for; it holds no secret. Nil when the plan was made by a gateway that did not keep it.
	Desired *Desired `json:"-"`
}
