package manifest

import (
	"fmt"
	"log/slog"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// Secrets holds the passwords of one manifest, in memory only: it prints, logs and encodes as their count. It implements
// the engine's Secrets.
type Secrets struct {
	passwords map[bulksync.Login]string
}

var _ bulksync.Secrets = (*Secrets)(nil)

// Secret gives the user's password when field is "password" and the manifest holds one. A nil Secrets has none.
func (s *Secrets) Secret(login bulksync.Login, field string) (string, bool) {
	if s == nil || field != fieldPassword {
		return "", false
	}
	secret, ok := s.passwords[login]
	return secret, ok
}

// Len is the number of secrets.
func (s *Secrets) Len() int {
	if s == nil {
		return 0
	}
	return len(s.passwords)
}

func (s *Secrets) String() string { return plural(s.Len(), "secret", "secrets") }

// Format writes the count under every verb.
func (s *Secrets) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// LogValue logs the count.
func (s *Secrets) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText encodes the count.
func (s *Secrets) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// fieldPassword is the one secret column.
const fieldPassword = "password"
