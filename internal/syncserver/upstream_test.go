package syncserver_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

const companyID = "5b7d0c0ffee0000000000001"

// upstream is a Target in memory: it does what it is asked, refuses what refuse names, and can be held.
type upstream struct {
	mu      sync.Mutex
	world   *bulksync.World
	refuse  map[bulksync.Key]bool
	gate    chan struct{} // when set, every call takes one from it first
	begun   chan struct{} // gets one for every call that waits at the gate
	applied map[string]int
	secrets map[bulksync.Login]string
	failing error // what Observe fails with
	reading chan struct{}
}

func newUpstream(users int) *upstream {
	company := bulksync.Company{
		ID: companyID, Name: "Demo", Account: "admin@demo.example",
		CloudPbx: &bulksync.CloudPbx{ID: "pbx-1", PbxID: "PBX712e", Name: "cloud", Ranges: []bulksync.Range{{First: "81000", Last: "89999"}}},
	}
	var records []bulksync.Record
	for i := range users {
		login := userLogin(i)
		records = append(records,
			&bulksync.User{ID: fmt.Sprintf("u-%d", i), Login: login, Attributes: []bulksync.Attribute{
				{Name: "firstName", Value: "Ann"}, {Name: "lastName", Value: fmt.Sprintf("No %d", i)}}},
			&bulksync.Extension{ID: fmt.Sprintf("s-%d", i), SystemID: "pbx-1", PbxID: "PBX712e",
				Number: bulksync.Number(fmt.Sprint(81000 + i)), Role: bulksync.RoleSubscriber, Holder: login, HolderID: fmt.Sprintf("u-%d", i)})
	}
	for i := range 5 {
		records = append(records, &bulksync.DDI{ID: fmt.Sprintf("d-%d", i), Number: bulksync.E164(fmt.Sprintf("+3329830051%d", i))})
	}
	records = append(records, &bulksync.Licence{ID: "l-1", OfferID: "o-1", Offer: "Voice", Max: -1, Status: "active"})
	return &upstream{
		world: bulksync.NewWorld(company, records...), refuse: map[bulksync.Key]bool{},
		applied: map[string]int{}, secrets: map[bulksync.Login]string{},
	}
}

func userLogin(i int) bulksync.Login {
	return bulksync.Login(fmt.Sprintf("user%04d@demo.example", i))
}

// hold makes every call wait until release.
func (u *upstream) hold() (release func()) {
	gate := make(chan struct{})
	u.mu.Lock()
	defer u.mu.Unlock()
	u.gate, u.begun = gate, make(chan struct{}, 1000)
	return sync.OnceFunc(func() { close(gate) })
}

// waitBegun waits until a call stands at the gate.
func (u *upstream) waitBegun(t *testing.T) {
	t.Helper()
	u.mu.Lock()
	begun := u.begun
	u.mu.Unlock()
	receive(t, begun)
}

func (u *upstream) Observe(ctx context.Context, company string, put func(bulksync.Record) error) (bulksync.Company, error) {
	u.mu.Lock()
	reading, failing := u.reading, u.failing
	var all []bulksync.Record
	for _, kind := range bulksync.Kinds() {
		for r := range u.world.Records(kind) {
			all = append(all, r)
		}
	}
	u.mu.Unlock()
	for _, r := range all {
		if err := put(r); err != nil {
			return bulksync.Company{}, err
		}
	}
	if reading != nil {
		select {
		case <-reading:
		case <-ctx.Done():
			return bulksync.Company{}, ctx.Err()
		}
	}
	return u.world.Company(), failing
}

func (u *upstream) Read(_ context.Context, _ bulksync.Company, _ bulksync.Observed, keys []bulksync.Key) (map[bulksync.Key]bulksync.Record, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	found := map[bulksync.Key]bulksync.Record{}
	for _, k := range keys {
		if r := u.world.Record(k); r != nil {
			found[k] = r
		}
	}
	return found, nil
}

func (u *upstream) Apply(ctx context.Context, call bulksync.Call) ([]bulksync.Outcome, error) {
	u.mu.Lock()
	gate, begun := u.gate, u.begun
	u.mu.Unlock()
	if gate != nil {
		select {
		case begun <- struct{}{}:
		default: // nobody counts that many
		}
		select {
		case <-gate:
		case <-ctx.Done():
			return unknown(call), nil
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	var outcomes []bulksync.Outcome
	for _, step := range call.Steps {
		op := step.Operation
		if u.refuse[op.Key] {
			outcomes = append(outcomes, bulksync.Outcome{Operation: op.ID, Status: bulksync.Failed, Code: 2003, Message: "already assigned to someone else", Attempts: 1})
			continue
		}
		if step.Password != "" {
			u.secrets[op.Login] = step.Password
		}
		u.applied[op.Title()]++
		id := fmt.Sprintf("made-%d", op.ID)
		u.world.Apply(bulksync.Effects(&op, u.world, id))
		outcomes = append(outcomes, bulksync.Outcome{Operation: op.ID, Status: bulksync.Done, ID: id, Attempts: 1})
	}
	return outcomes, nil
}

func unknown(call bulksync.Call) []bulksync.Outcome {
	var outcomes []bulksync.Outcome
	for _, step := range call.Steps {
		outcomes = append(outcomes, bulksync.Outcome{Operation: step.Operation.ID, Status: bulksync.Unknown, Message: "cut off"})
	}
	return outcomes
}

func (u *upstream) Confirm(ctx context.Context, call bulksync.Call) ([]bulksync.Outcome, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	var outcomes []bulksync.Outcome
	for _, step := range call.Steps {
		o := bulksync.Outcome{Operation: step.Operation.ID, Status: bulksync.NotDone}
		if op := step.Operation; u.applied[op.Title()] > 0 {
			o.Status, o.ID = bulksync.Done, fmt.Sprintf("made-%d", op.ID)
		}
		outcomes = append(outcomes, o)
	}
	return outcomes, nil
}
