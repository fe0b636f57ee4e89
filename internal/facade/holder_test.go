package facade

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"net/url"
	"strings"
	"testing"
)

func TestNamesOfCertificates(t *testing.T) {
	uri := &url.URL{Scheme: "spiffe", Host: "corp.example", Path: "/ops/ann"}
	subject := pkix.Name{CommonName: " Ann "}
	for _, c := range []struct {
		name, want string
		cert       x509.Certificate
	}{
		{"a URI comes first", "spiffe://corp.example/ops/ann", x509.Certificate{URIs: []*url.URL{uri}, EmailAddresses: []string{"ann@corp.example"}, Subject: subject}},
		{"then an e-mail address", "ann@corp.example", x509.Certificate{EmailAddresses: []string{"Ann@Corp.example", "b@corp.example"}, DNSNames: []string{"ann.corp.example"}, Subject: subject}},
		{"then a DNS name", "ann.corp.example", x509.Certificate{DNSNames: []string{"ANN.corp.example"}, Subject: subject}},
		{"then the common name", "Ann", x509.Certificate{Subject: subject}},
		{"and there may be none", "", x509.Certificate{Subject: pkix.Name{Organization: []string{"corp"}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := CertificateName(&c.cert); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
	for _, bad := range []string{strings.Repeat("a", 257), "ann\nbob", "ann\u0085bob", "ann\x00"} {
		if p, err := (&Holder{Name: bad}).principal(); err == nil {
			t.Errorf("holder %q is %+v, want a refusal", bad, p)
		}
	}
}

func TestListsOfHolders(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"ann@corp.example", "ann@corp.example", true},
		{"ann@corp.example", "ann@corp.example.evil", false},
		{"ann@corp.example", "joann@corp.example", false},
		{"*@corp.example", "ann@corp.example", true},
		{"*@corp.example", "ann@corp.example.evil", false},
		{"spiffe://corp/*", "spiffe://corp/ops/ann", true},
		{"spiffe://corp/*/ann", "spiffe://corp/ops/ann", true},
		{"spiffe://corp/*/ann", "spiffe://corp/ann", false},
		{"a*b*a", "aba", true},
		{"a*b*a", "ab", false},
		{"a*a", "a", false},
		{"*", "anybody", true},
		{"*", "", false},
		{"", "", false},
	} {
		if got := (Holders{c.pattern}).has(&Holder{Name: c.name}); got != c.want {
			t.Errorf("%q lets %q in: %v, want %v", c.pattern, c.name, got, c.want)
		}
	}
	if (Holders{"*"}).has(&Holder{Name: "ann", Lapsed: true}) {
		t.Error("a certificate that has run out lets its holder in")
	}
}
