package main

import (
	"testing"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

func TestTheHintToResumeNamesTheManifest(t *testing.T) {
	const run = "companies/c1/runs/run-1"
	for _, c := range []struct {
		name  string
		files []string
		want  string
	}{
		{"without a manifest", nil, "gateway runs resume run-1"},
		{"with two files", []string{"team.csv", "moves.csv"}, "gateway runs resume run-1 -f team.csv -f moves.csv"},
		{"a name that a shell would cut", []string{"the team's.csv"}, `gateway runs resume run-1 -f 'the team'\''s.csv'`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &session{files: c.files}
			if got := s.resume(run); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestARunThatLacksItsManifestIsNoticed(t *testing.T) {
	e := &ending{trouble: []*syncv1.RunOutcome{{Message: "needs operation 1, which was skipped"}}}
	if e.needsManifest() {
		t.Error("a run is said to need its manifest though no operation does")
	}
	e.trouble = append(e.trouble, &syncv1.RunOutcome{Message: "needs the manifest: its password stands at team.csv:2:5"})
	if !e.needsManifest() {
		t.Error("a run that needs its manifest is not noticed")
	}
}

func TestWordsAroundAnErrorAreLeftOut(t *testing.T) {
	for _, c := range []struct {
		message string
		faults  int
		want    string
	}{
		{`connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:1: connect: connection refused"`, 0,
			"no connection to the gateway: dial tcp 127.0.0.1:1: connect: connection refused"},
		{"manifest: 2 faults; the first is a.csv:1:1: unknown column", 2, "manifest: 2 faults"},
		{"manifest: a.csv:1:1: unknown column", 1, "manifest: 1 fault"},
		{`run "x": not found`, 0, `run "x": not found`},
	} {
		if got := plainMessage(c.message, c.faults); got != c.want {
			t.Errorf("plainMessage(%q, %d) = %q, want %q", c.message, c.faults, got, c.want)
		}
	}
}
