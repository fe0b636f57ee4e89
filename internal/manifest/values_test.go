package manifest

import (
	"testing"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// TestDirectFormsAgree: the forms that are read without detour give what the engine's own parsers give.
func TestDirectFormsAgree(t *testing.T) {
	for _, s := range []string{"aa:bb:cc:dd:ee:02", "AA:BB:CC:DD:EE:02", "aa:bb:cc:dd:ee:0g", "aa-bb-cc-dd-ee-02", "aabbccddee02", "aa:bb:cc:dd:ee-02", "aabb.ccdd.ee02", "a:abb:cc:dd:ee:02", ""} {
		want, err := bulksync.ParseMAC(s)
		if got, p := parseMAC(s); got != want || (p == nil) != (err == nil) {
			t.Errorf("MAC %q: got %q, %v; want %q, %v", s, got, p, want, err)
		}
	}
	for _, s := range []string{"33298300513", "+33298300513", "+33 298 300 513", "033298300513", "123456", "1234567", "123456789012345", "1234567890123456", "33x98300513", ""} {
		want, err := bulksync.ParseE164(s)
		if got, p := parseE164("DDI", s); got != want || (p == nil) != (err == nil) {
			t.Errorf("DDI %q: got %q, %v; want %q, %v", s, got, p, want, err)
		}
	}
}
