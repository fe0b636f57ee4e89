package rainbow

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// TestInADrawnStormTheEndIsTheSame draws a company, a manifest for it and a storm of the sandbox's faults, and applies the
// manifest twice, each time from the same beginning: undisturbed, and through the storm, by goes of a gateway that is started
// anew for each. The end is the same, each thing took effect once, and the manifest plans nothing more.
func TestInADrawnStormTheEndIsTheSame(t *testing.T) {
	t.Parallel()
	hall := newHall(t, 5, true)
	met, ends := map[string]int{}, map[bulksync.RunState]int{}
	var tally tally
	rapid.Check(t, func(t *rapid.T) {
		if tally.enough(15) {
			return
		}
		opts := drawTarget(t)
		opts.Settle = 500 * time.Millisecond // longer than any list of a storm lags
		s := hall.enter(t, opts)
		first := s.planDrawn(t, sandbox.CompanyID, drawDesired(t))
		s.succeed(first)
		desired := drawDesired(t)
		plan := s.planDrawn(t, sandbox.CompanyID, desired)
		tally.count(plan)
		storm, names := drawStorm(t)

		hall.mark(t, s)
		calm := hall.branch(t, s, opts)
		began := calm.now()
		calm.succeed(plan)
		want, wantEffects := calm.essence(), calm.effects(began, false)

		wild := hall.branch(t, s, opts)
		began = wild.now()
		wild.faults(storm...)
		t.Logf("storm: %s", written(t, storm))
		for state := range hall.goes(t, wild, plan, opts) {
			ends[state]++
		}
		for name, hits := range wild.hits(names) {
			met[name] += hits
		}
		wild.faults()
		if diff := gocmp.Diff(want, wild.essence()); diff != "" {
			t.Fatalf("in %v the company became another (-calm +storm):\n%s\nplan: %v", names, diff, titles(plan))
		}
		if diff := gocmp.Diff(wantEffects, wild.effects(began, slices.Contains(names, "stale"))); diff != "" {
			t.Fatalf("in %v other things took effect (-calm +storm):\n%s\nplan: %v", names, diff, titles(plan))
		}
		if slices.ContainsFunc(names, bends) {
			wild.refresh() // what an answer did not say, or said otherwise, may be recorded so
		}
		wild.agrees(plan, desired)
	})
	tally.check(t)
	t.Logf("faults met: %v; goes ended: %v", met, ends)
	if tally.plans < 1000 { // too few to say
		return
	}
	for _, kind := range storms() {
		if met[kind.name] == 0 {
			t.Errorf("no request met %q", kind.name)
		}
	}
	for _, state := range []bulksync.RunState{bulksync.RunSucceeded, bulksync.RunWaiting, bulksync.RunFailed} {
		if ends[state] == 0 {
			t.Errorf("no go ended as %s: the storms are too tame", state)
		}
	}
}

// kind is a kind of fault that a storm may have.
type kind struct {
	name string
	// rule makes it; scope says which requests may meet it.
	rule  func(t *rapid.T) sandbox.Fault
	scope []sandbox.Fault
}

// bends tells whether a kind of fault garbles, or withholds, what upstream says of its world.
func bends(name string) bool { return name == "drift" || name == "stale" || name == "garbled" }

// Where faults may be met.
var (
	anywhere = []sandbox.Fault{
		{Path: "/api/rainbow/**"}, {Path: "/api/rainbow/rvcpprovisioning/**"}, {Path: "/api/rainbow/admin/**"}, {Path: "/api/rainbow/massprovisioning/**"}, {Path: "/api/rainbow/subscription/**"},
		{Method: http.MethodPost, Path: "/api/rainbow/**"}, {Method: http.MethodDelete}, {Method: http.MethodPut}, {Operation: "Create*"}, {Operation: "Delete*"}, {Operation: "Import*"}, {Operation: "List*"}, {Operation: "Get*"},
	}
	ofImports = []sandbox.Fault{{}}
	signingIn = []sandbox.Fault{{Operation: "Login"}}
)

// storms lists every kind of fault that the sandbox has.
func storms() []kind {
	millis := func(n int) sandbox.Duration { return sandbox.Duration(time.Duration(n) * time.Millisecond) }
	page := func(t *rapid.T, f sandbox.Fault) sandbox.Fault {
		f.Format = draw(t, "format", "", "json", "html", "text", "empty")
		return f
	}
	return []kind{
		{"status", func(t *rapid.T) sandbox.Fault {
			return page(t, sandbox.Fault{Status: draw(t, "status", 400, 401, 403, 404, 409, 500, 502, 503, 504, 429)})
		}, anywhere},
		{"retry later", func(t *rapid.T) sandbox.Fault {
			return page(t, sandbox.Fault{Status: draw(t, "status", 429, 503), RetryAfter: 1, RetryAfterForm: draw(t, "form", "", "date")})
		}, anywhere},
		{"limit", func(t *rapid.T) sandbox.Fault {
			return sandbox.Fault{Limit: &sandbox.Limit{Rate: 200, Burst: rapid.IntRange(1, 20).Draw(t, "burst"), Per: draw(t, "per", "all", "account", "token")}}
		}, anywhere},
		{"garbled", func(t *rapid.T) sandbox.Fault {
			return sandbox.Fault{Status: 200, Body: draw(t, "body", `{"data":`, `[`, "\x00\xff", "Hello")}
		}, []sandbox.Fault{{Operation: "List*"}, {Operation: "Get*"}}}, // a write that is not done says so
		{"garbage", func(t *rapid.T) sandbox.Fault {
			return sandbox.Fault{Status: 502, Body: draw(t, "body", `{"data":`, `[`, `{}`, "\x00\xff", "Bad Gateway")}
		}, anywhere},
		{"cut", func(t *rapid.T) sandbox.Fault {
			return sandbox.Fault{Cut: draw(t, "cut", sandbox.CutBeforeRead, sandbox.CutAfterRead, sandbox.CutMidBody, sandbox.CutShortBody, sandbox.CutOpenChunk)}
		}, anywhere},
		{"silence", func(*rapid.T) sandbox.Fault { return sandbox.Fault{Cut: sandbox.CutSilence, Hold: millis(10)} }, anywhere},
		{"lost", func(t *rapid.T) sandbox.Fault {
			return sandbox.Fault{Lost: draw(t, "lost", sandbox.LostClose, sandbox.LostReset, sandbox.Lost502, sandbox.Lost504)}
		}, anywhere},
		{"lost in time", func(*rapid.T) sandbox.Fault { return sandbox.Fault{Lost: sandbox.LostTimeout, Hold: millis(10)} }, anywhere},
		{"expire", func(t *rapid.T) sandbox.Fault {
			return sandbox.Fault{Expire: draw(t, "expire", sandbox.ExpireOnce, sandbox.ExpireToken, sandbox.ExpireAll)}
		}, anywhere},
		{"lock", func(*rapid.T) sandbox.Fault { return sandbox.Fault{Lock: millis(5), Times: 1} }, signingIn},
		{"latency", func(t *rapid.T) sandbox.Fault {
			return sandbox.Fault{Latency: &sandbox.Latency{Distribution: "uniform", Min: millis(0), Max: millis(5)}}
		}, anywhere},
		{"slow request", func(*rapid.T) sandbox.Fault {
			return sandbox.Fault{SlowRequest: &sandbox.Pace{Bytes: 32, Every: millis(1), Max: millis(5)}}
		}, anywhere},
		{"slow answer", func(*rapid.T) sandbox.Fault {
			return sandbox.Fault{SlowAnswer: &sandbox.Pace{Bytes: 512, Every: millis(1), Max: millis(5)}}
		}, anywhere},
		{"stale", func(t *rapid.T) sandbox.Fault {
			l := sandbox.Stale{ByID: rapid.Bool().Draw(t, "by id"), Collection: draw(t, "collection", "", "", "users", "subscribers", "devices", "ddis", "imports", "licences", "numbers")}
			if l.Reads = rapid.IntRange(0, 2).Draw(t, "reads"); l.Reads == 0 {
				l.For = millis(40)
			}
			return sandbox.Fault{Stale: &l}
		}, []sandbox.Fault{{}}},
		{"extra members", func(t *rapid.T) sandbox.Fault { return sandbox.Fault{ExtraMembers: 5} }, anywhere},
		{"drift", func(t *rapid.T) sandbox.Fault {
			return sandbox.Fault{Drift: &sandbox.Drift{Member: draw(t, "member", "", "", "id", "userId", "total", "status", "shortNumber"), To: draw(t, "to", "", "string", "number", "bool", "null", "list")}}
		}, []sandbox.Fault{{Operation: "Create*"}, {Operation: "Import*"}, {Operation: "GetUser*"}, {Operation: "List*"}, {Method: http.MethodPut}, {Method: http.MethodPost, Path: "/api/rainbow/rvcpprovisioning/**"}}},
		{"row code", func(t *rapid.T) sandbox.Fault {
			return sandbox.Fault{RowCode: draw(t, "row code", 2001, 2003, 2019, 1009)}
		}, ofImports},
		{"pending", func(*rapid.T) sandbox.Fault { return sandbox.Fault{Pending: millis(20)} }, ofImports},
	}
}

// drawStorm draws one to four faults, each of which is over after some requests, or a moment.
func drawStorm(t *rapid.T) (storm []sandbox.Fault, names []string) {
	kinds := storms()
	for i := range rapid.IntRange(1, 4).Draw(t, "faults") {
		k := kinds[rapid.IntRange(0, len(kinds)-1).Draw(t, "kind")]
		f := k.rule(t)
		where := draw(t, "where", k.scope...)
		f.Name, f.Operation, f.Method, f.Path = fmt.Sprintf("%s %d", k.name, i), where.Operation, where.Method, where.Path
		if f.Times == 0 && f.Stale == nil {
			f.Times, f.Skip = rapid.IntRange(1, 6).Draw(t, "times"), rapid.IntRange(0, 5).Draw(t, "skip")
		}
		storm, names = append(storm, f), append(names, k.name)
		if k.name == "lock" { // who need not sign in notices nothing
			storm = append(storm, sandbox.Fault{Name: fmt.Sprintf("expired for lock %d", i), Path: "/api/rainbow/rvcpprovisioning/**", Expire: sandbox.ExpireAll, Times: 1})
		}
	}
	return storm, names
}

func written(t *rapid.T, v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// hits counts the requests, and rows, that met each kind of fault.
func (s *stage) hits(names []string) map[string]int {
	hits := map[string]int{}
	for _, f := range s.sandbox.Sandbox.Faults() {
		for _, name := range names {
			if strings.HasPrefix(f.Rule.Name, name+" ") {
				hits[name] += f.Hits
				break
			}
		}
	}
	return hits
}

// goes makes goes at a run until it succeeds, the last ones in calm weather, and gives the states that they ended in.
func (h *hall) goes(t *rapid.T, s *stage, plan *bulksync.Plan, opts Options) func(func(bulksync.RunState) bool) {
	run := &bulksync.Run{Name: "run-storm", Company: sandbox.CompanyID, Plan: "plan-storm", Hash: plan.Hash(), State: bulksync.RunRunning, Options: bulksync.RunOption{Parallel: rapid.IntRange(1, 4).Draw(t, "parallel")}}
	if err := s.engine.Store.CreateRun(s.Context(), run); err != nil {
		t.Fatal(err)
	}
	var story []string
	return func(yield func(bulksync.RunState) bool) {
		for try := 0; ; try++ {
			switch {
			case try == 6:
				s.faults()
			case try > 12:
				t.Fatalf("run never ends:\n%s\nplan: %v", strings.Join(story, "\n"), titles(plan))
			}
			run.State = bulksync.RunRunning
			if err := s.engine.Execute(s.Context(), bulksync.Execution{Run: run, Plan: plan, Secrets: s.secrets}); err != nil {
				t.Fatalf("execute: %v", err)
			}
			story = append(story, fmt.Sprintf("%s: %s %v", run.State, run.Message, troubles(run)))
			if !yield(run.State) || run.State == bulksync.RunSucceeded {
				return
			}
			h.restart(t, s, opts)
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// troubles lists what became of operations that were not done.
func troubles(run *bulksync.Run) []string {
	var all []string
	for _, o := range run.Outcomes {
		if o.Status != bulksync.Done && o.Message != run.Message {
			all = append(all, fmt.Sprintf("%d %s %s", o.Operation, o.Status, o.Message))
		}
	}
	return all
}
