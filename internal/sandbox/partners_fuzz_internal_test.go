package sandbox

import (
	"errors"
	"net/netip"
	"net/url"
	"testing"
)

// FuzzActis: a file that is no ACTIS file is Rainbow's 400 (or 413), one that
// is has offers.
func FuzzActis(f *testing.F) {
	for _, seed := range []string{
		"", "PK\x03\x04", "<a/>", "<ACTIS><OFFERS><OFFER><QUANTITY>x</QUANTITY></OFFER></OFFERS></ACTIS>",
		"<ACTIS><OFFERS><OFFER><SAPREFERENCE>3EY95101AB</SAPREFERENCE><QUANTITY>2</QUANTITY></OFFER></OFFERS></ACTIS>",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		file, err := readActis(body)
		var fault *apiError
		switch {
		case err == nil && len(file.Offers) == 0:
			t.Error("a file without offers was accepted")
		case err != nil && (!errors.As(err, &fault) || (fault.Status != 400 && fault.Status != 413)):
			t.Errorf("fault is %v", err)
		}
	})
}

// FuzzRegisteredRedirect: nothing but a loopback address gets a code.
func FuzzRegisteredRedirect(f *testing.F) {
	for seed, want := range map[string]bool{
		OAuthRedirectURI: true, "http://localhost:1/callback": true, "http://[::1]/callback": true, "http://127.0.0.1.evil.example/callback": false,
		"http://127.0.0.1@evil.example/callback": false, "http://127.0.0.1/callback?x": false, "https://127.0.0.1/callback": false, "//127.0.0.1/callback": false,
	} {
		if got := registeredRedirect(seed); got != want {
			f.Errorf("%s: registered %t, want %t", seed, got, want)
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, asked string) {
		if !registeredRedirect(asked) {
			return
		}
		u, err := url.Parse(asked)
		if err != nil {
			t.Fatal(err)
		}
		if ip, err := netip.ParseAddr(u.Hostname()); u.Hostname() != "localhost" && (err != nil || !ip.IsLoopback()) {
			t.Errorf("%q is taken as registered", asked)
		}
	})
}
