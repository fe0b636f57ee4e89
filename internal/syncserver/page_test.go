package syncserver

import (
	"testing"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

// FuzzPageToken: whatever comes as a token is either one that was given out for the same list, or refused.
func FuzzPageToken(f *testing.F) {
	req := &syncv1.ListPlansRequest{Parent: "companies/c1"}
	var v violations
	given := v.page(req, 50).token("2026-01-02T03:04:05.000000000Z/plan-1")
	for _, seed := range []string{given, given[1:], given + "A", given + "\n", "", "!", "AAAAAAAAAAAAAAAA"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		var v violations
		p := v.page(&syncv1.ListPlansRequest{Parent: "companies/c1", PageToken: token}, 50)
		if token != "" && len(v) == 0 && p.token(p.after) != token {
			t.Errorf("token %q is taken for the place %q", token, p.after)
		}
		var other violations
		other.page(&syncv1.ListPlansRequest{Parent: "companies/c2", PageToken: token}, 50)
		if token != "" && len(v) == 0 && len(other) == 0 {
			t.Errorf("token %q is taken for two lists", token)
		}
	})
}
