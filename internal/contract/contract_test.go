package contract_test

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestContract runs the steps in their order, against the sandbox or the
// Rainbow that the environment names.
func TestContract(t *testing.T) {
	run := runSteps(t, open(t, os.Getenv))
	t.Logf("%d operations compared, %d only answered (no documented answer), %d left out as they would write, %d without what they need",
		run.compared, run.answered, run.writes, run.lacking)
	if run.compared == 0 {
		t.Error("nothing was compared")
	}
}

// outcome counts what became of the steps.
type outcome struct {
	compared, answered, writes, lacking int
	excused                             map[string]bool // exceptions that were needed
	examples                            map[string]bool // documented answers that were compared
}

func runSteps(t *testing.T, s *session) outcome {
	t.Helper()
	run := outcome{excused: map[string]bool{}, examples: map[string]bool{}}
	for _, st := range steps() {
		if (st.effect == owns && !s.mayWrite) || (st.effect == company && s.rainbow == nil) {
			run.writes++
			continue
		}
		passed := t.Run(st.example, func(t *testing.T) {
			outer := s.t
			s.t = t
			defer func() { s.t = outer }()
			run.step(t, s, st)
		})
		if !passed && st.example == "authentication/Login" {
			t.Log("nothing else was tried: no login")
			break
		}
	}
	return run
}

func (run *outcome) step(t *testing.T, s *session, st step) {
	answer, lacks := attempt(s, st)
	if lacks != "" && s.rainbow == nil {
		run.lacking++
		t.Logf("not compared: the account has not got %s", lacks)
		return
	}
	if lacks != "" {
		t.Fatalf("the sandbox has not got %s", lacks)
	}
	if answer.status != 200 {
		t.Fatalf("%s: status %d with errorDetailsCode %q, want 200", answer.what, answer.status, answer.text("errorDetailsCode"))
	}
	documented := documentedAnswer(t, st.example)
	if documented == nil {
		run.answered++
		return
	}
	got, err := shapeOf(answer.body)
	if err != nil {
		t.Fatalf("%s: %v", answer.what, err)
	}
	excuse := func(path string) bool {
		if exception := excused(path, absent()); exception != "" {
			run.excused[exception] = true
			return true
		}
		return s.rainbow == nil && excused(path, dependent()) != ""
	}
	for _, difference := range differences(documented, got, excuse, s.rainbow == nil) {
		t.Errorf("%s: %s", st.operation(), difference)
	}
	run.compared++
	run.examples[st.example] = true
}

// attempt calls a step; lacks says what the account has not got for it.
func attempt(s *session, st step) (r reply, lacks string) {
	defer func() {
		if m, ok := recover().(missing); ok {
			lacks = m.what
		}
	}()
	return st.call(s), ""
}

// TestEveryDocumentedExampleIsReplayed: each documented request is sent and
// each documented answer compared, but for those with a reason; and no
// exception is left over.
func TestEveryDocumentedExampleIsReplayed(t *testing.T) {
	s := open(t, func(string) string { return "" })
	run := runSteps(t, s)
	for _, example := range documentedFiles(t, ".request.json") {
		if !s.replayed[example] {
			t.Errorf("the documented request of %s is not replayed", example)
		}
	}
	for _, example := range documentedFiles(t, ".response.json") {
		_, excepted := unprovoked()[example]
		if run.examples[example] == excepted {
			t.Errorf("%s: compared %t, excepted %t", example, run.examples[example], excepted)
		}
	}
	if t.Failed() {
		return
	}
	for pattern := range absent() {
		if !run.excused[pattern] {
			t.Errorf("the exception %s is not needed", pattern)
		}
	}
}

// TestARealAccountIsOnlyRead points the suite at a sandbox as if that were a
// real Rainbow: what it sends must be reads, and with leave to write its own
// objects, which are gone in the end.
func TestARealAccountIsOnlyRead(t *testing.T) {
	for _, write := range []string{"", "1"} {
		t.Run("write="+write, func(t *testing.T) {
			host := open(t, func(string) string { return "" })
			environment := map[string]string{
				"GATEWAY_CONTRACT_UPSTREAM": host.url, "GATEWAY_CONTRACT_WRITE": write, "GATEWAY_LOGIN": host.account.login,
				"GATEWAY_PASSWORD": host.account.password, "GATEWAY_APP_ID": host.account.appID, "GATEWAY_APP_SECRET": host.account.appSecret,
			}
			s := open(t, func(name string) string { return environment[name] })
			before := host.inventory()
			run := runSteps(t, s)
			if run.compared < 40 || run.writes == 0 {
				t.Errorf("%d operations compared, %d left out", run.compared, run.writes)
			}
			after := host.inventory()
			if write == "" && !slices.Equal(before, after) {
				t.Errorf("the company changed:\n%v\n%v", before, after)
			}
			for _, line := range after {
				if strings.Contains(line, s.label) {
					t.Errorf("the suite left %s behind", line)
				}
			}
			writes := 0
			for _, r := range host.requests() {
				if r.Method != "GET" {
					writes++
				}
			}
			if (writes > 0) != (write == "1") {
				t.Errorf("%d requests that are no reads", writes)
			}
		})
	}
}
