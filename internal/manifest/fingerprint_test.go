package manifest

import (
	"strings"
	"testing"
)

// TestWhatAFingerprintCovers: of what Read makes something of, nothing may change without another fingerprint, and what may
// hold or name a password has none.
func TestWhatAFingerprintCovers(t *testing.T) {
	const users = "version: 1\nvariables: {site: Brest}\nusers:\n- login: ann@demo.example\n  jobTitle: Nurse ${site}\n"
	manifest := func() ([]Source, Options) {
		return []Source{{Name: "a.yaml", Content: []byte("version: 1\ninclude: [b.yaml]\n")}, {Name: "b.yaml", Content: []byte(users)}},
			Options{Variables: map[string]string{"site": "Rennes"}}
	}
	sources, opts := manifest()
	base := Fingerprint(sources, opts)
	if sources, opts = manifest(); base == "" || Fingerprint(sources, opts) != base {
		t.Fatalf("fingerprint %q, then %q", base, Fingerprint(sources, opts))
	}
	for name, change := range map[string]func(s []Source, o *Options){
		"a value":                  func(s []Source, _ *Options) { s[1].Content = []byte(strings.Replace(users, "Nurse", "Cook", 1)) },
		"an included file's name":  func(s []Source, _ *Options) { s[1].Name = "c.yaml" },
		"a file less":              func(s []Source, _ *Options) { s[1] = s[0] },
		"a variable's value":       func(_ []Source, o *Options) { o.Variables["site"] = "Brest" },
		"no value for a variable":  func(_ []Source, o *Options) { o.Variables = nil },
		"strictness":               func(_ []Source, o *Options) { o.Strict = true },
		"where one file ends":      func(s []Source, _ *Options) { s[0].Content, s[1].Content = append(s[0].Content, '#'), s[1].Content[1:] },
		"what kind the text is of": func(s []Source, _ *Options) { s[1].ContentType = "application/yaml" },
	} {
		sources, opts := manifest()
		change(sources, &opts)
		if got := Fingerprint(sources, opts); got == base || got == "" {
			t.Errorf("%s is another, and the fingerprint is %q", name, got)
		}
	}
	for name, text := range map[string]string{
		"a password by reference":                    users + "  password: env:ANN\n",
		"a password by value":                        users + "  password: Passw0rd!-1\n",
		"a password in a comment":                    users + "# her password is Passw0rd!-1\n",
		"YAML that is told by how it begins, as CSV": users + "# password\n",
	} {
		sources, opts := manifest()
		sources[1].Content = []byte(text)
		if strings.HasSuffix(name, "CSV") {
			sources = []Source{{Name: "manifest", Content: []byte(text)}}
		}
		if got := Fingerprint(sources, opts); got != "" {
			t.Errorf("%s: fingerprint %s", name, got)
		}
	}
	sources, opts = manifest()
	sources[1].Encoding = UTF16
	if got := Fingerprint(sources, opts); got != "" {
		t.Errorf("text that is not UTF-8: fingerprint %s", got)
	}
	sources[1] = Source{Name: "b.yaml", Reader: strings.NewReader(users)}
	if got := Fingerprint(sources, opts); got != "" {
		t.Errorf("content that is not at hand: fingerprint %s", got)
	}
	if got := Fingerprint([]Source{{Name: "a.csv", Content: []byte("loginEmail;password\n")}}, Options{}); got == "" {
		t.Error("a CSV file with a column for passwords has no fingerprint; whether there are any, reading it tells")
	}
}
