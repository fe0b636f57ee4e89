package facade

import "math/rand/v2"

// RequestID returns the caller's id of a request when it is fit for logs and headers, else a new one of 16 hex digits.
func RequestID(given string) string {
	if given != "" && len(given) <= 64 && plainID(given) {
		return given
	}
	const digits = "0123456789abcdef"
	var id [16]byte
	n := rand.Uint64()
	for i := range id {
		id[i] = digits[n>>(4*i)&0xf]
	}
	return string(id[:])
}

func plainID(id string) bool {
	for i := range len(id) {
		c := id[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && c != '-' && c != '_' && c != '.' && c != ':' {
			return false
		}
	}
	return true
}
