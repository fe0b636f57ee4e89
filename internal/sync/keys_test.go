package sync

import (
	"testing"

	"pgregory.net/rapid"
)

// TestALoginAtAGlanceIsTheLoginLookedAtClosely parses texts as they are, and with a blank in front, for which they are taken
// apart.
func TestALoginAtAGlanceIsTheLoginLookedAtClosely(t *testing.T) {
	plain, met := rapid.StringOfN(rapid.RuneFrom([]rune("ab1@.-_B+ ,é")), 0, 12, -1), 0
	rapid.Check(t, func(t *rapid.T) {
		s := plain.Draw(t, "text")
		if rapid.Bool().Draw(t, "an address") {
			s = "ann" + s + "@demo" + s
		}
		got, err := ParseLogin(s)
		want, wantErr := ParseLogin(" " + s)
		if got != want || (err == nil) != (wantErr == nil) {
			t.Fatalf("ParseLogin(%q) = %q, %v; with a blank in front %q, %v", s, got, err, want, wantErr)
		}
		if plainLogin(s) {
			met++
		}
	})
	if met == 0 {
		t.Error("no login was in normal form: the drawing is too narrow")
	}
	t.Logf("cases met: %d", met)
}
