package manifest

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// Secrets holds the passwords of one manifest, in memory only: it prints, logs and encodes as their count. It implements
// the engine's Secrets.
type Secrets struct {
	entries []secretEntry
	// sorted: entries are in the order of logins, which they are put in when the first one is asked for.
	sorted sync.Once
}

// secretEntry is the password of one user. A list of them takes a third of what a map does.
type secretEntry struct {
	login    bulksync.Login
	password string
}

var _ bulksync.Secrets = (*Secrets)(nil)

// Secret gives the user's password when field is "password" and the manifest holds one. A nil Secrets has none.
func (s *Secrets) Secret(login bulksync.Login, field string) (string, bool) {
	if s == nil || field != fieldPassword {
		return "", false
	}
	order := func(e secretEntry, l bulksync.Login) int { return cmp.Compare(e.login, l) }
	s.sorted.Do(func() {
		slices.SortStableFunc(s.entries, func(a, b secretEntry) int { return order(a, b.login) })
	})
	i, ok := slices.BinarySearchFunc(s.entries, login, order)
	if !ok {
		return "", false
	}
	return s.entries[i].password, true
}

// Len is the number of secrets.
func (s *Secrets) Len() int {
	if s == nil {
		return 0
	}
	return len(s.entries)
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
