package manifest

import (
	"strings"

	"go.yaml.in/yaml/v3"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// The ways to name a secret that stands elsewhere.
const (
	refEnv  = "env:"
	refFile = "file:"
)

// IsReference tells whether a text names a secret that stands elsewhere.
func IsReference(s string) bool {
	return strings.HasPrefix(s, refEnv) && len(s) > len(refEnv) || strings.HasPrefix(s, refFile) && len(s) > len(refFile)
}

// password reads a user's password: a reference, or the password itself. No message ever shows its text.
func (u *userEntry) password() {
	e, ok := u.get("password")
	if !ok || isNull(e.value) {
		return
	}
	if e.value.Kind != yaml.ScalarNode {
		u.r.wrongShape(e, "env:NAME or file:PATH")
		return
	}
	text := e.value.Value
	if text, ok = u.r.expandSecret(e, text); !ok {
		return
	}
	u.mark(fieldPassword, e.position())
	u.user.Password = &bulksync.SecretPlace{Position: e.position(), Field: fieldPassword}
	switch {
	case IsReference(text):
		if u.r.opts.Secret == nil {
			return // nobody needs it now
		}
		secret, err := u.r.opts.Secret(text)
		if err != nil {
			u.fault("password", &problem{codeSecretMissing, "password " + quote(text) + " can't be looked up: " + err.Error(), "set the variable, or write the file, where the command runs; over the API send it along"})
			return
		}
		u.keepPassword(secret)
	case text == refEnv || text == refFile:
		u.fault("password", &problem{codeSecretMissing, "password names no place behind " + text, "write env:NAME or file:PATH"})
	case strings.Contains(e.value.Value, "${"):
		u.keepPassword(text)
	default:
		u.r.remark(e.position(), "password", &problem{codeSecretByValue, "password of " + string(u.user.Login) + " stands in the manifest", "keep it elsewhere, and write env:NAME or file:PATH"})
		u.keepPassword(text)
	}
}

// expandSecret fills variables into a password. What is wrong with them is told without their names, which may be parts of
// a password that only looks as if it named some.
func (r *yamlReader) expandSecret(e entry, text string) (string, bool) {
	if !strings.Contains(text, "${") {
		return text, true
	}
	if IsReference(text) {
		return r.expand(e, "password", text)
	}
	quiet := *r
	quiet.findings, quiet.reported = findings{}, map[bulksync.Fault]bool{}
	full, ok := quiet.expand(e, "password", text)
	if !ok {
		r.report(e.position(), "password", &problem{codeUnknownVariable, "password names a variable that is not declared or has no value", "declare it and give it one with --var, or write $${ for ${ itself"})
	}
	return full, ok
}

func (u *userEntry) keepPassword(secret string) {
	if p := checkPassword(secret); p != nil {
		u.fault("password", p)
		return
	}
	if u.user.Login != "" {
		u.r.secrets.entries = append(u.r.secrets.entries, secretEntry{u.user.Login, strings.Clone(secret)})
	}
}
