package sync

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestASpanIsReadAsPeopleWriteIt(t *testing.T) {
	for text, want := range map[string]Span{
		"": {}, "all": {}, "90d": {Age: 90 * 24 * time.Hour}, "36h": {Age: 36 * time.Hour}, "500": {Last: 500}, " 1d ": {Age: 24 * time.Hour},
	} {
		if got, err := ParseSpan(text); err != nil || got != want {
			t.Errorf("ParseSpan(%q) = %+v, %v; want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"0", "-3", "0d", "-1d", "d", "90 d", "soon", "1.5d", "99999999d"} {
		if got, err := ParseSpan(text); err == nil {
			t.Errorf("ParseSpan(%q) = %+v, want an error", text, got)
		}
	}
}

// archive is a store of heads only.
type archive struct {
	Store
	runs    []*Run
	plans   []*StoredPlan
	applied []*Applied
}

func (a *archive) Runs(context.Context, string) ([]*Run, error) { return slices.Clone(a.runs), nil }
func (a *archive) Plans(context.Context, string) ([]*StoredPlan, error) {
	return slices.Clone(a.plans), nil
}

func (a *archive) Applied(context.Context, string) ([]*Applied, error) { return a.applied, nil }

func (a *archive) DeleteRun(_ context.Context, _, name string) error {
	a.runs = slices.DeleteFunc(a.runs, func(r *Run) bool { return r.Name == name })
	return nil
}

func (a *archive) DeletePlan(_ context.Context, _, name string) error {
	a.plans = slices.DeleteFunc(a.plans, func(p *StoredPlan) bool { return p.Name == name })
	return nil
}

func TestPruningKeepsWhatIsNeeded(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	day := func(n int) time.Time { return now.AddDate(0, 0, -n) }
	full := func() *archive {
		a := &archive{}
		for n, state := range []RunState{RunSucceeded, RunInterrupted, RunFailed, RunWaiting, RunSucceeded, RunSucceeded} {
			name := string(rune('a' + n))
			a.runs = append(a.runs, &Run{Name: "r-" + name, Plan: "p-" + name, State: state, StartTime: day(n * 10), EndTime: day(n * 5)})
			a.plans = append(a.plans, &StoredPlan{Name: "p-" + name, Plan: &Plan{}, CreateTime: day(n * 10)})
		}
		a.plans = append(a.plans, &StoredPlan{Name: "p-unused", Plan: &Plan{}, CreateTime: day(60)})
		return a
	}
	for _, c := range []struct {
		name        string
		keep        Retention
		inForce     string
		runs, plans string
	}{
		{"nothing is removed unless asked for", Retention{}, "", "r-a r-b r-c r-d r-e r-f", "p-a p-b p-c p-d p-e p-f p-unused"},
		{"by age, the failed and the waiting too", Retention{Runs: Span{Age: 15 * 24 * time.Hour}}, "", "r-a r-b", "p-a p-b p-c p-d p-e p-f p-unused"},
		{"by number, but not what failed this week", Retention{Runs: Span{Last: 1}}, "", "r-a r-b", "p-a p-b p-c p-d p-e p-f p-unused"},
		{"not the run that is in force", Retention{Runs: Span{Last: 1}, Plans: Span{Last: 1}}, "e", "r-a r-b r-e", "p-a p-b p-e"},
		{"plans of runs that stay", Retention{Plans: Span{Age: time.Hour}}, "", "r-a r-b r-c r-d r-e r-f", "p-a p-b p-c p-d p-e p-f"},
		{"plans of runs that go", Retention{Runs: Span{Last: 3}, Plans: Span{Last: 2}}, "", "r-a r-b r-c", "p-a p-b p-c"},
		{"not a run that goes on, however old", Retention{Runs: Span{Last: 1}, Plans: Span{Last: 1}}, "running", "r-a r-b r-f", "p-a p-b p-f"},
		{"not the last of each name", Retention{Runs: Span{Last: 1}, Plans: Span{Last: 1}}, "named", "r-a r-b r-e", "p-a p-b p-e"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := full()
			switch c.inForce {
			case "":
			case "running":
				a.runs[5].State, a.runs[5].EndTime = RunRunning, time.Time{}
			case "named": // applied by e and, before it, by f
				for _, i := range []int{4, 5} {
					a.plans[i].Plan.Policy.Lineage, a.runs[i].Counts.Done = "brest", 1
				}
			default:
				a.applied = []*Applied{{Run: "r-none", Plan: "p-none"}, {Run: "r-" + c.inForce, Plan: "p-" + c.inForce}}
			}
			before := len(a.runs) + len(a.plans)
			pruned, err := (&Engine{Store: a, Clock: func() time.Time { return now }}).Prune(context.Background(), "c1", c.keep)
			if err != nil {
				t.Fatal(err)
			}
			var runs, plans []string
			for _, r := range a.runs {
				runs = append(runs, r.Name)
			}
			for _, p := range a.plans {
				plans = append(plans, p.Name)
			}
			if got := strings.Join(runs, " "); got != c.runs {
				t.Errorf("runs left are %s, want %s", got, c.runs)
			}
			if got := strings.Join(plans, " "); got != c.plans {
				t.Errorf("plans left are %s, want %s", got, c.plans)
			}
			if pruned.Runs+pruned.Plans != before-len(runs)-len(plans) {
				t.Errorf("it says that it removed %+v", pruned)
			}
		})
	}
}
