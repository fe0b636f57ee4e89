package facade

import "testing"

// TestAuthenticationRoutesNeverUseTheAccount errs on the safe side; upstream.Client judges once more by itself.
func TestAuthenticationRoutesNeverUseTheAccount(t *testing.T) {
	for path, want := range map[string]bool{
		"/api/rainbow/authentication/v1.0/login":    true,
		"/api/rainbow/Authentication/v1.0/urls":     true,
		"/api/rainbow/enduser/v1.0/authentication":  true,
		"/api/rainbow/authentication;a/v1.0/renew":  true,
		"/api/rainbow/enduser/v1.0/authentications": false,
		"/api/rainbow/enduser/v1.0/users/me":        false,
		"/api/rainbow/admin/v1.0/users/{user_id}":   false,
	} {
		if got := Unmodelled("GET", path).NoAccount; got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
}
