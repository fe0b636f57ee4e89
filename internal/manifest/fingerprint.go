package manifest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"runtime/debug"
	"slices"
)

// Fingerprint is a digest over all that [Read] makes of a manifest: names and bytes of its files, those included among them,
// the options with the values of variables, and the program that reads it. Unlike a manifest's digest it takes no reading. It
// is empty for a source whose content is not at hand, and for YAML that has passwords, as told by the word.
//
// It covers passwords too: whoever keeps it must see to it that there are none. Of a password that YAML names by reference
// (env:, file:) it does not tell whether it changed.
func Fingerprint(sources []Source, opts Options) string {
	if len(sources) == 0 || slices.ContainsFunc(sources, func(s Source) bool { return s.Reader != nil }) {
		return ""
	}
	if slices.ContainsFunc(sources, InYAML) && slices.ContainsFunc(sources, maybeSecret) {
		return ""
	}
	build, _ := debug.ReadBuildInfo()
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n%q %q %q %v\n%q\n", build, opts.Mode, opts.Delimiter, opts.Comment, opts.Strict, opts.Variables)
	for _, s := range sources {
		fmt.Fprintf(sum, "%q %q %q %d\n", s.Name, s.ContentType, s.Encoding, len(s.Content))
		sum.Write(s.Content)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// maybeSecret tells whether a source of a YAML manifest may hold or name a password, be it in a comment; in another encoding than
// UTF-8 the word is not looked for.
func maybeSecret(s Source) bool {
	return s.Encoding != "" && s.Encoding != UTF8 || bytes.Contains(s.Content, []byte(fieldPassword))
}
