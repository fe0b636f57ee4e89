package sync

import (
	"bytes"
	"strings"
	"testing"
)

// told renders a plan as text, in one line a paragraph.
func told(t *testing.T, p *Plan) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Render(&b, FormatText, RenderOptions{Width: 1000}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestEntriesThatNeedNothingForAReasonAreNamed, the first of them: "no changes" alone would be read as done.
func TestEntriesThatNeedNothingForAReasonAreNamed(t *testing.T) {
	var all []Unchanged
	for i := range 8 {
		u := Unchanged{Login: "ann@demo.example", Position: Position{"team.csv", i + 2, 1}, Note: asWanted}
		if i > 0 {
			u.Note = "the user exists already and differs in firstName"
		}
		all = append(all, u)
	}
	all[7].Note = "user ann@demo.example has no extension to detach"
	p := &Plan{Unchanged: UnchangedOf(all...)}
	got := told(t, p)
	for _, want := range []string{
		"note: ann@demo.example: the user exists already and differs in firstName (team.csv:3:1)\n",
		"note: nothing is to be done for 2 more entries, for reasons like these; -o json has them all\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("text lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "team.csv:2:1") || strings.Count(got, "note: ") != asidesNamed+1 {
		t.Errorf("an entry that is as it should be is named, or too many are:\n%s", got)
	}
}

func TestWhatIsTakenAwayIsNamed(t *testing.T) {
	p := &Plan{Operations: []Operation{
		{ID: 1, Action: ActionDelete, Key: E164("+33298300599").Key(), Held: "too many"},
		{ID: 2, Action: ActionDelete, Key: E164("+33298300501").Key()},
		{ID: 3, Action: ActionDelete, Key: DeviceKey("aabbccddee02").Key()},
		{ID: 4, Action: ActionUpdate, Key: SettingsKey(GroupBarringPatterns, cloudID), Changes: []Change{
			{Name: "patterns", Before: PatternsText([]BarringPattern{{Pattern: "^089"}}), After: PatternsText([]BarringPattern{{"^089", ""}, {"^0899", "premium"}})},
		}},
	}}
	got := told(t, p)
	for _, want := range []string{
		"! 1 public number is deleted: +33298300501.\n", "! 1 device is deleted: aa:bb:cc:dd:ee:02.\n",
		"! 1 operation is held back: DDI +33298300599.\n", `patterns: "^089" -> "^089, ^0899 (premium)"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("text lacks %q:\n%s", want, got)
		}
	}
}
