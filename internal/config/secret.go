package config

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
)

// Secret is text that prints as a mark instead of itself, whichever way it is formatted, logged or encoded.
type Secret string

const secretMark = "[secret]"

// Reveal returns the text, for the one place that sends it upstream.
func (s Secret) Reveal() string { return string(s) }

// String returns a mark, or nothing when the secret is empty.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return secretMark
}

// Format keeps every verb from showing the text.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// LogValue shows the mark in logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText shows the mark in JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// readSecretFile returns the first line's text of a secret file, without the line ending that editors leave.
func readSecretFile(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	text := strings.TrimRight(string(b), "\r\n")
	if text == "" {
		return "", fmt.Errorf("file %q: empty", path)
	}
	if strings.ContainsAny(text, "\r\n") {
		return "", fmt.Errorf("file %q: more than one line", path)
	}
	return text, nil
}
