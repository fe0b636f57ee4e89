package config

import (
	"os"
	"strings"
)

// ListenerTLS says how the listeners prove who they are, and how their callers may.
type ListenerTLS struct {
	TLSCert        string   `name:"tls-cert" env:"GATEWAY_TLS_CERT" placeholder:"FILE" group:"Listeners" help:"PEM file of the certificate, with its chain, that both doors show: they then speak TLS only. Read again when it changes."`
	TLSKey         string   `name:"tls-key" env:"GATEWAY_TLS_KEY" placeholder:"FILE" group:"Listeners" help:"PEM file of that certificate's key."`
	TLSClientCA    string   `name:"tls-client-ca" env:"GATEWAY_TLS_CLIENT_CA" placeholder:"FILE" group:"Listeners" help:"PEM file of the authorities whose client certificates say who calls."`
	TLSClientAuth  string   `name:"tls-client-auth" env:"GATEWAY_TLS_CLIENT_AUTH" default:"required" enum:"required,optional" group:"Listeners" help:"Client certificates under --tls-client-ca: required (nobody connects without), optional."`
	TLSClientAllow []string `name:"tls-client-allow" env:"GATEWAY_TLS_CLIENT_ALLOW" placeholder:"NAME" group:"Listeners" help:"Names of client certificates, * standing for anything, whose holders may use the engine and the service account from wherever they call."`
}

// UsesTLS tells whether the doors speak TLS.
func (l *ListenerTLS) UsesTLS() bool { return l.TLSCert != "" }

func (l *ListenerTLS) check(problems *Problems) {
	switch {
	case l.TLSCert != "" && l.TLSKey == "":
		problems.add("tls-key", "missing: tls-cert needs the key of its certificate")
	case l.TLSKey != "" && l.TLSCert == "":
		problems.add("tls-cert", "missing: tls-key needs its certificate")
	}
	if l.TLSClientCA != "" && l.TLSCert == "" {
		problems.add("tls-client-ca", "client certificates come over TLS only; give tls-cert and tls-key")
	}
	if len(l.TLSClientAllow) > 0 && l.TLSClientCA == "" {
		problems.add("tls-client-allow", "names are believed of certificates only; give tls-client-ca")
	}
	for _, name := range l.TLSClientAllow {
		if strings.TrimSpace(name) == "" {
			problems.add("tls-client-allow", "an empty name; want one such as ops@corp.example, or spiffe://corp.example/*")
		}
	}
	for _, file := range []struct{ key, path string }{
		{"tls-cert", l.TLSCert}, {"tls-key", l.TLSKey}, {"tls-client-ca", l.TLSClientCA},
	} {
		if file.path == "" {
			continue
		}
		if _, err := os.Stat(file.path); err != nil {
			problems.add(file.key, "%v", err)
		}
	}
}
