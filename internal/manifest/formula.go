package manifest

import "strings"

// A spreadsheet runs a cell that begins with one of these signs as a formula (OWASP, "CSV Injection"). Export writes an
// apostrophe before such a value, which spreadsheets take for "this is text"; Read drops it again. A value that itself
// begins with apostrophes before such a sign gets one more, so that every value comes back as it was.
const formulaSigns = "=+-@\t\r\n"

// protect makes a value harmless to spreadsheets.
func protect(s string) string {
	if isProtectable(s) {
		return "'" + s
	}
	return s
}

// unprotect is the inverse of protect.
func unprotect(s string) string {
	if len(s) > 1 && s[0] == '\'' && isProtectable(s[1:]) {
		return s[1:]
	}
	return s
}

func isProtectable(s string) bool {
	bare := strings.TrimLeft(s, "'")
	return bare != "" && strings.IndexByte(formulaSigns, bare[0]) >= 0
}
