package manifest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"runtime/debug"
	"slices"
)

// Fingerprint is a digest over all that [Read] makes of a manifest: names and bytes of its files, the options, and the
// program that reads it. Unlike a manifest's digest it takes no reading. It is empty for YAML, which may name other files,
// variables and secrets, and for a source whose content is not at hand.
//
// It covers passwords too: whoever keeps it must see to it that there are none.
func Fingerprint(sources []Source, opts Options) string {
	if len(sources) == 0 || slices.ContainsFunc(sources, func(s Source) bool { return s.Reader != nil || yamlSource(s, s.Content[:min(len(s.Content), 4096)]) }) {
		return ""
	}
	build, _ := debug.ReadBuildInfo()
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n%q %q %q %v\n", build, opts.Mode, opts.Delimiter, opts.Comment, opts.Strict)
	for _, s := range sources {
		fmt.Fprintf(sum, "%q %q %q %d\n", s.Name, s.ContentType, s.Encoding, len(s.Content))
		sum.Write(s.Content)
	}
	return hex.EncodeToString(sum.Sum(nil))
}
