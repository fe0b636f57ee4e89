package facade

import "regexp"

// secretShapes are texts that may be a credential, each with what stands in its place.
var secretShapes = []struct {
	shape *regexp.Regexp
	mark  string
}{
	{regexp.MustCompile(`(?i)\b(bearer|basic)\s+[A-Za-z0-9+/=._~-]+`), "$1 [secret]"},
	{regexp.MustCompile(`\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*)?`), "[secret]"},
	{regexp.MustCompile(`(?i)("?(?:[a-z_-]*password|token|[a-z_-]*secret|jid_[a-z]+|x-rainbow-[a-z-]*(?:key|auth|challenge)|apikey|authorization)"?\s*[:=]\s*)("(?:[^"\\]|\\.)*"|[^\s,;&}]+)`), "$1[secret]"},
	{regexp.MustCompile(`(https?://)[^/\s@"]+@`), "$1"},
	{regexp.MustCompile(`(https?://[^\s"?]*)\?[^\s"]*`), "$1?[query]"},
}

// Scrub removes what may be a credential from a text that goes to the log: tokens, basic credentials, values of
// members and headers that hold secrets, user information and queries of URLs.
func Scrub(text string) string {
	for _, s := range secretShapes {
		text = s.shape.ReplaceAllString(text, s.mark)
	}
	return text
}
