package config_test

import (
	"strings"
	"testing"
)

func TestTLSOfTheListeners(t *testing.T) {
	file := write(t, "x.pem", "x")
	for _, c := range []struct {
		name, want string // want is empty for what is fine
		args       []string
	}{
		{"a certificate and its key", "", []string{"--tls-cert", file, "--tls-key", file}},
		{"clients' certificates, too", "", []string{"--tls-cert", file, "--tls-key", file, "--tls-client-ca", file, "--tls-client-auth", "optional", "--tls-client-allow", "ann@corp.example,spiffe://corp/*"}},
		{"no key", "tls-key: missing", []string{"--tls-cert", file}},
		{"no certificate", "tls-cert: missing", []string{"--tls-key", file}},
		{"authorities without TLS", "tls-client-ca: client certificates come over TLS only", []string{"--tls-client-ca", file}},
		{"names without authorities", "tls-client-allow: names are believed of certificates only", []string{"--tls-cert", file, "--tls-key", file, "--tls-client-allow", "ann"}},
		{"an empty name", "tls-client-allow: an empty name", []string{"--tls-cert", file, "--tls-key", file, "--tls-client-ca", file, "--tls-client-allow", "ann,,bob"}},
		{"no such file", "tls-cert: stat nowhere.pem", []string{"--tls-cert", "nowhere.pem", "--tls-key", file}},
	} {
		t.Run(c.name, func(t *testing.T) {
			parsed, err := parse(t, c.args...)
			if err != nil {
				t.Fatal(err)
			}
			err = parsed.Complete(env("HOME", "/home/u"))
			switch {
			case c.want == "" && (err != nil || !parsed.UsesTLS()):
				t.Errorf("%v, TLS %v; want it to be fine", err, parsed.UsesTLS())
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
	if _, err := parse(t, "--tls-client-auth", "perhaps"); err == nil {
		t.Error("--tls-client-auth takes anything")
	}
}
