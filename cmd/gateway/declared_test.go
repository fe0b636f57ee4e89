package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox/sandboxtest"
)

// TestYAMLIsRetriedAndResumed fails the creation of a user whose password stands in a file and whose login is made of a
// variable, and has it tried again in a new run, and within the same run.
func TestYAMLIsRetriedAndResumed(t *testing.T) {
	for _, verb := range []string{"retry", "resume"} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			r := &rehearsal{rainbow: sandboxtest.Start(t, sandbox.Options{}), state: filepath.Join(t.TempDir(), "state.db")}
			manifest := filepath.Join(t.TempDir(), "m.yaml")
			write := func(name, text string) {
				t.Helper()
				if err := os.WriteFile(filepath.Join(filepath.Dir(manifest), name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write("m.yaml", "version: 1\nvariables: {domain: }\nusers:\n- {login: \"new@${domain}\", password: file:pw, firstName: New, lastName: User}\n")
			write("pw", "Sample-Pass-1\n")
			r.must(t, 0, "refresh")
			if err := r.rainbow.Sandbox.SetFaults([]sandbox.Fault{{Method: "POST", Path: "/api/rainbow/massprovisioning/**", Status: 400}}); err != nil {
				t.Fatal(err)
			}
			flags := []string{"-f", manifest, "--var", "domain=demo.example"}
			out := r.must(t, 1, append([]string{"apply", "--yes"}, flags...)...)
			if err := r.rainbow.Sandbox.SetFaults(nil); err != nil {
				t.Fatal(err)
			}
			run := r.onlyRun(t)
			child, _, stderr := r.gateway(t, "runs", verb, run, "-f", manifest)
			_ = child.Run()
			if child.ProcessState.ExitCode() != 1 || !strings.Contains(stderr.String(), `variable "domain" has no value`) {
				t.Errorf("without the variable: %s", stderr)
			}
			out += r.must(t, 0, append([]string{"runs", verb, run}, flags...)...)
			if regexp.MustCompile("Sample-Pass").MatchString(out) {
				t.Errorf("the password is shown:\n%s", out)
			}
			r.must(t, 0, append([]string{"plan", "--refresh"}, flags...)...)
			state, err := os.ReadFile(r.state)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(state), "Sample-Pass") {
				t.Error("the password is in the state file")
			}
		})
	}
}

// TestYAMLByItsBeginning: YAML on standard input is YAML everywhere, also for the report of rows.
func TestYAMLByItsBeginning(t *testing.T) {
	r := &rehearsal{rainbow: sandboxtest.Start(t, sandbox.Options{}), state: filepath.Join(t.TempDir(), "state.db")}
	r.must(t, 0, "refresh")
	rows := filepath.Join(t.TempDir(), "rows.csv")
	child, stdout, stderr := r.gateway(t, "apply", "--yes", "-f", "-", "--report", rows)
	child.Stdin = strings.NewReader("# a comment\nversion: 1\nusers:\n- {login: user000001@sandbox.example, jobTitle: 0123}\n")
	if err := child.Run(); err != nil {
		t.Fatalf("%v\n%s%s", err, stdout, stderr)
	}
	text, err := os.ReadFile(rows)
	if err != nil || !strings.Contains(string(text), "user000001@sandbox.example") {
		t.Errorf("rows are %v\n%s", err, text)
	}
	child, stdout, stderr = r.gateway(t, "validate", "-f", "-")
	child.Stdin = strings.NewReader("version: 1\nusers:\n- {login: user000001@sandbox.example, jobTitle: 0123}\n")
	if err := child.Run(); err != nil || !strings.Contains(stdout.String(), "note: standard input:3:") {
		t.Errorf("%v\n%s%s", err, stdout, stderr)
	}
}
