package rainbow

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	gosync "sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox/sandboxtest"
	"github.com/rainbow-gateway/rainbow-gateway/internal/state"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// stage is a sandbox, a target that works on it over the gateway's upstream client, and an engine with its books.
type stage struct {
	tester
	sandbox *sandboxtest.Server
	client  *counted
	target  *Target
	engine  *bulksync.Engine
	secrets passwords
}

// tester is the test, or the drawn case of a property, that a stage belongs to.
type tester interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	Error(args ...any)
	Fatalf(format string, args ...any)
	Fatal(args ...any)
}

// counted counts the calls that pass, by method.
type counted struct {
	grpc.ClientConnInterface
	mu    gosync.Mutex
	calls map[string]int
}

func (c *counted) Invoke(ctx context.Context, method string, req, reply any, opts ...grpc.CallOption) error {
	c.mu.Lock()
	c.calls[method[strings.LastIndexByte(method, '/')+1:]]++
	c.mu.Unlock()
	return c.ClientConnInterface.Invoke(ctx, method, req, reply, opts...)
}

// reset empties the counts and gives those of before.
func (c *counted) reset() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := maps.Clone(c.calls)
	clear(c.calls)
	return before
}

func bindings(t *testing.T) *upstream.Bindings {
	t.Helper()
	b, err := upstream.CompileBindings(upstream.RainbowServices())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func client(t *testing.T, url, password string) *upstream.Client {
	t.Helper()
	c, err := newClient(url, password, bindings(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func newClient(url, password string, bindings *upstream.Bindings) (*upstream.Client, error) {
	return upstream.New(upstream.Options{
		BaseURL: url, Bindings: bindings,
		Account: &upstream.Account{Login: sandbox.AdminLogin, Password: password, AppID: sandbox.AppID, AppSecret: sandbox.AppSecret},
		Retry:   upstream.Retry{Attempts: 2, First: time.Millisecond, Longest: 2 * time.Millisecond, Elapsed: 5 * time.Second},
	})
}

func newStage(t *testing.T, seedUsers int, opts Options) *stage {
	t.Helper()
	s := &stage{tester: t, sandbox: sandboxtest.Start(t, sandbox.Options{SeedUsers: seedUsers}), secrets: passwords{}}
	s.client = &counted{ClientConnInterface: client(t, s.sandbox.URL, sandbox.AdminPassword), calls: map[string]int{}}
	opts.Account, opts.PollInterval = sandbox.AdminLogin, 2*time.Millisecond
	opts.Settle = cmp.Or(opts.Settle, 100*time.Millisecond)
	s.target = New(s.client, opts)
	store, err := state.Open(filepath.Join(t.TempDir(), "state.db"), state.Options{UpstreamURL: s.sandbox.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	s.engine = &bulksync.Engine{Store: store, Target: s.target, Pause: time.Millisecond}
	s.refresh()
	return s
}

func (s *stage) refresh() {
	s.Helper()
	if _, err := s.engine.Refresh(s.Context(), sandbox.CompanyID, nil); err != nil {
		s.Fatal(err)
	}
}

// faults sets the sandbox's faults.
func (s *stage) faults(rules ...sandbox.Fault) {
	s.Helper()
	if err := s.sandbox.Sandbox.SetFaults(rules); err != nil {
		s.Fatal(err)
	}
}

// world reads the whole company afresh.
func (s *stage) world() *bulksync.World {
	s.Helper()
	return observe(s, s.target)
}

func observe(t tester, target *Target) *bulksync.World {
	t.Helper()
	var records []bulksync.Record
	company, err := target.Observe(t.Context(), sandbox.CompanyID, func(r bulksync.Record) error {
		records = append(records, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return bulksync.NewWorld(company, records...)
}

// dump lists all records of a view as JSON, by key.
func dump(t tester, obs bulksync.Observed) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, kind := range bulksync.Kinds() {
		switch kind {
		case bulksync.KindRelease: // the books alone keep these
			continue
		case bulksync.KindOptions, bulksync.KindKeys, bulksync.KindSettings: // a refresh does not read these
			continue
		}
		for r := range obs.Records(kind) {
			b, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			all[r.Key().String()] = string(b)
		}
	}
	return all
}

// recordedIsReal compares what the engine has recorded with what upstream holds.
func (s *stage) recordedIsReal() {
	s.Helper()
	if diff := gocmp.Diff(dump(s, s.world()), s.recorded()); diff != "" {
		s.Errorf("the recorded state is not what upstream holds (-upstream +recorded):\n%s", diff)
	}
}

// plan makes the plan of a manifest against the recorded state.
func (s *stage) plan(policy bulksync.Policy, users ...bulksync.DesiredUser) *bulksync.Plan {
	s.Helper()
	for i := range users {
		users[i].Position = bulksync.Position{File: "test.csv", Line: i + 2, Column: 1}
		if users[i].Action == "" {
			users[i].Action = "upsert"
		}
	}
	plan, err := s.engine.Plan(s.Context(), sandbox.CompanyID, &bulksync.Desired{Mode: "rainbowvoice", Users: bulksync.EntriesOf(users...)}, policy)
	if err != nil {
		s.Fatal(err)
	}
	return plan
}

// execute carries a plan out.
func (s *stage) execute(plan *bulksync.Plan) *bulksync.Run {
	s.Helper()
	run := &bulksync.Run{Name: s.engine.NewName("run"), Company: sandbox.CompanyID, Plan: "plan-1", Hash: plan.Hash(), State: bulksync.RunRunning}
	if err := s.engine.Store.CreateRun(s.Context(), run); err != nil {
		s.Fatal(err)
	}
	if err := s.engine.Execute(s.Context(), bulksync.Execution{Run: run, Plan: plan, Secrets: s.secrets}); err != nil {
		s.Fatal(err)
	}
	return run
}

// succeed carries a plan out and wants it all done.
func (s *stage) succeed(plan *bulksync.Plan) {
	s.Helper()
	if run := s.execute(plan); run.State != bulksync.RunSucceeded {
		var trouble []string
		for _, o := range run.Outcomes {
			if o.Status != bulksync.Done && o.Status != bulksync.Skipped {
				trouble = append(trouble, fmt.Sprintf("%d %s: %s: %s", o.Operation, plan.Operations[o.Operation-1].Title(), o.Status, o.Message))
			}
		}
		s.Fatalf("run is %s: %s\n%s", run.State, run.Message, strings.Join(trouble, "\n"))
	}
}

// passwords are the secrets of a manifest, by login; who is not among them gets a good one.
type passwords map[bulksync.Login]string

func (p passwords) Secret(login bulksync.Login, _ string) (string, bool) {
	if password, ok := p[login]; ok {
		return password, true
	}
	return goodPassword, true
}

const goodPassword = "Sample%Pass;1"

// user is a manifest entry for a seeded user or a new one.
func user(login bulksync.Login, change func(*bulksync.DesiredUser)) bulksync.DesiredUser {
	u := bulksync.DesiredUser{Login: login, Password: &bulksync.SecretPlace{Field: "password"}}
	if change != nil {
		change(&u)
	}
	return u
}

func attrs(pairs ...string) []bulksync.Attribute {
	var all []bulksync.Attribute
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, bulksync.Attribute{Name: pairs[i], Value: pairs[i+1]})
	}
	return all
}
