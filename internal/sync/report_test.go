package sync

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestRowsTellHowEachEntryFared: the worst of its operations counts, what was skipped says what failed in the first place,
// and those whom no entry names come last.
func TestRowsTellHowEachEntryFared(t *testing.T) {
	at := func(line int) []Position { return []Position{{"a.csv", line, 1}} }
	ann, bob, cleo := Login("ann@demo.example"), Login("bob@demo.example"), Login("cleo@demo.example")
	number := func(n Number) Key { return ExtensionKey(cloudID, n) }
	plan := &Plan{
		Operations: []Operation{
			{ID: 1, Action: ActionCreate, Key: ann.Key(), Login: ann, Positions: at(3)},
			{ID: 2, Action: ActionCreate, Key: number("2001"), Login: ann, Positions: at(3), Needs: []int{1}},
			{ID: 3, Action: ActionDetach, Key: E164("+33298300501").Key(), Login: bob},
			{ID: 4, Action: ActionAttach, Key: E164("+33298300501").Key(), Login: ann, Positions: at(3), Needs: []int{2, 3}},
			{ID: 5, Action: ActionUpdate, Key: cleo.Key(), Login: cleo, Positions: at(2)},
			{ID: 6, Action: ActionDelete, Key: bob.Key(), Login: bob, Positions: at(4), Held: "too many"},
			{ID: 7, Action: ActionUpdate, Key: Login("dora@demo.example").Key(), Login: "dora@demo.example", Positions: at(6)},
		},
		Doubtful:  []Doubt{{Login: "fay@demo.example", Position: Position{"a.csv", 7, 1}, Why: "it may be fae@demo.example"}},
		Unchanged: UnchangedOf(Unchanged{Login: "eve@demo.example", Position: Position{"a.csv", 5, 1}, Note: "is so"}),
	}
	outcomes := map[int]Outcome{
		1: {Operation: 1, Status: Failed, Code: 2003, Message: "no seat left", Millis: 1500},
		2: {Operation: 2, Status: Skipped, Message: "needs operation 1"}, 3: {Operation: 3, Status: Done, Millis: 20},
		4: {Operation: 4, Status: Skipped, Message: "needs operation 2"}, 5: {Operation: 5, Status: Done, Millis: 30},
		6: {Operation: 6, Status: Held, Message: "too many"},
	}
	var got []string
	for _, r := range Rows(plan, &Run{}, outcomes) {
		got = append(got, fmt.Sprintf("%d %s %v %s %d %q %s", r.Position.Line, r.Login, r.Operations, r.Result, r.Code, r.Message, r.Took.Round(time.Millisecond)))
	}
	want := []string{
		`2 cleo@demo.example [5] done 0 "" 30ms`,
		`3 ann@demo.example [1 2 4] failed 2003 "no seat left" 1.5s`,
		`4 bob@demo.example [6] held 0 "too many" 0s`,
		`5 eve@demo.example [] unchanged 0 "is so" 0s`,
		`6 dora@demo.example [7] not-done 0 "not started" 0s`,
		`7 fay@demo.example [] held 0 "in doubt: it may be fae@demo.example" 0s`,
		`0 bob@demo.example [3] done 0 "" 20ms`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows differ (-want +got):\n%s", diff)
	}

	began := map[int]Outcome{1: {Operation: 1, Status: Done}, 2: {Operation: 2, Status: Done}}
	for _, r := range Rows(plan, &Run{}, began) {
		if want := "2 of 3 steps are done, the rest is not"; r.Position.Line == 3 && (r.Message != want || r.Result != ResultNotDone) {
			t.Errorf("half done, it is %s and says %q, want %q", r.Result, r.Message, want)
		}
	}
	outcomes[1] = Outcome{Operation: 1, Status: Done}
	outcomes[2] = Outcome{Operation: 2, Status: Skipped, Message: "needs the manifest: its password stands at a.csv:3:9"}
	plan.Operations[0].Positions = nil
	for _, r := range Rows(plan, &Run{}, outcomes) {
		if r.Position.Line == 3 && r.Message != "needs the manifest: its password stands at a.csv:3:9" { // operation 1 is nobody's now
			t.Errorf("skipped for a reason of its own, it says %q", r.Message)
		}
	}
	outcomes[2] = Outcome{Operation: 2, Status: Failed, Message: "409 taken"}
	plan.Operations[1].Positions = nil
	for _, r := range Rows(plan, &Run{}, outcomes) {
		if want := `skipped, because "create extension 2001 of ann@demo.example" failed: 409 taken`; r.Position.Line == 3 && r.Message != want {
			t.Errorf("skipped for another's failure, it says %q, want %q", r.Message, want)
		}
	}
	run := &Run{RetryOf: "run-1", Only: []int{4}}
	if rows := Rows(plan, run, map[int]Outcome{4: {Operation: 4, Status: Done}}); len(rows) != 1 || rows[0].Result != ResultDone {
		t.Errorf("a retry of operation 4 reports %+v", rows)
	}
}
