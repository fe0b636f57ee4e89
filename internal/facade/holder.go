package facade

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"
	"time"
)

// Holder is who a client certificate says the caller is. An authority that the configuration names has signed it, and the caller
// has proved that he has its key, when the connection was made.
type Holder struct {
	// Name is what the certificate calls him, see CertificateName.
	Name string

	// Until is when the certificate runs out; Lapsed says that it has, since the connection was made.
	Until  time.Time
	Lapsed bool
}

// holderOf is whom the verified client certificate of a connection names; nil when there is none.
func holderOf(conn *tls.ConnectionState) *Holder {
	if conn == nil || len(conn.VerifiedChains) == 0 {
		return nil
	}
	cert := conn.VerifiedChains[0][0]
	return &Holder{Name: CertificateName(cert), Until: cert.NotAfter, Lapsed: time.Now().After(cert.NotAfter)}
}

// CertificateName is the name of a certificate's holder: the first URI among the subject's alternative names, such as a SPIFFE
// id; without one the first e-mail address, then the first DNS name, then the common name. E-mail addresses and DNS names are
// in lower case, as logins of Rainbow are here. It is empty for a certificate without any name.
func CertificateName(cert *x509.Certificate) string {
	switch {
	case len(cert.URIs) > 0:
		return cert.URIs[0].String()
	case len(cert.EmailAddresses) > 0:
		return strings.ToLower(cert.EmailAddresses[0])
	case len(cert.DNSNames) > 0:
		return strings.ToLower(cert.DNSNames[0])
	}
	return strings.TrimSpace(cert.Subject.CommonName)
}

// principal is the holder as the caller of a local service. A certificate without a name tells nothing of him.
func (h *Holder) principal() (Principal, error) {
	if !goodName(h.Name) {
		return Principal{}, fmt.Errorf("%w: the client certificate holds no name of at most %d bytes", ErrIdentity, longestName)
	}
	return Principal{Name: h.Name, Certificate: h.Name != ""}, nil
}

// lapsed refuses a call on a connection that has outlived its certificate.
func (h *Holder) lapsed() error {
	return fmt.Errorf("%w: the client certificate of %q has run out on %s: connect with a new one", ErrIdentity, h.Name, h.Until.UTC().Format(time.RFC3339))
}

// Holders are names of certificates, each perhaps with stars that stand for any text.
type Holders []string

// has tells whether a holder is among them, with a certificate that is still good.
func (hs Holders) has(h *Holder) bool {
	if h.Lapsed || h.Name == "" {
		return false
	}
	for _, pattern := range hs {
		if matches(pattern, h.Name) {
			return true
		}
	}
	return false
}

// matches compares a name with a pattern, both as they are written.
func matches(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	name, ok := strings.CutPrefix(name, parts[0])
	if !ok {
		return false
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		i := strings.Index(name, part)
		if i < 0 {
			return false
		}
		name = name[i+len(part):]
	}
	return strings.HasSuffix(name, parts[last])
}
