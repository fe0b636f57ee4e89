package manifest

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// What YAML makes of values without quotes. Here they are taken as they are written; other tools that read or rewrite the
// file may take them for what their type says, so each kind of trap is pointed out once.

// trap is a way in which values may be misread by others.
type trap struct {
	first bulksync.Position
	field string
	words string
	more  int
}

var (
	octalLike  = regexp.MustCompile(`^[-+]?0[0-9]+$`)
	clockLike  = regexp.MustCompile(`^[0-9]+(:[0-5]?[0-9])+$`)
	yesNoWords = []string{"yes", "no", "on", "off", "y", "n"}
)

// watch notes a value without quotes that YAML takes for something else than the text it is.
func (r *yamlReader) watch(e entry, name string) {
	n := e.value
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return
	}
	v := n.Value
	if v == "" || n.Tag == "!!str" && v[0] != '0' && v[0] > '9' && len(v) > 3 {
		return
	}
	kind, words := "", ""
	switch {
	case octalLike.MatchString(v):
		kind, words = "zero", "a number with a leading zero, which others read in base 8 or without the zero"
	case n.Tag == "!!int" && v[0] == '+':
		kind, words = "plus", "a number, which others write without its plus sign"
	case n.Tag == "!!int" && strings.ContainsAny(v, "_xXoObB"):
		kind, words = "radix", "a number in another spelling"
	case n.Tag == "!!float":
		kind, words = "float", "a number with decimals"
	case n.Tag == "!!timestamp":
		kind, words = "date", "a date"
	case clockLike.MatchString(v):
		kind, words = "clock", "a number in base 60, for readers of YAML 1.1"
	case slices.Contains(yesNoWords, strings.ToLower(v)):
		kind, words = "truth", "true or false, for readers of YAML 1.1"
	default:
		return
	}
	if t := r.traps[kind]; t != nil {
		t.more++
		return
	}
	r.traps[kind] = &trap{first: e.position(), field: name, words: name + " " + quote(v) + " stands without quotes, and YAML takes it for " + words + "; here it is taken as it is written"}
}

// watchNull notes a null that may be meant as text: people are called Null.
func (r *yamlReader) watchNull(e entry, name string) {
	v := e.value.Value
	if v == "" || v == "~" || v == "null" {
		return
	}
	if t := r.traps["null"]; t != nil {
		t.more++
		return
	}
	r.traps["null"] = &trap{first: e.position(), field: name, words: name + " " + quote(v) + " stands without quotes, and is empty, as in all YAML: an empty value clears"}
}

// mixedAlphabets tells whether a text has Latin letters and, beside them, Cyrillic or Greek ones, of which many look alike.
func mixedAlphabets(s string) bool {
	latin, other := false, false
	for _, c := range s {
		latin = latin || unicode.Is(unicode.Latin, c)
		other = other || unicode.In(c, unicode.Cyrillic, unicode.Greek)
	}
	return latin && other
}

// remarkTraps says which kinds of traps there are.
func (r *yamlReader) remarkTraps() {
	for _, t := range r.traps {
		words := t.words
		if t.more > 0 {
			words += " (and so at " + plural(t.more, "other place", "other places") + ")"
		}
		r.remark(t.first, t.field, &problem{codeUnquoted, words, "put it into quotes: " + strconv.Quote("…")})
	}
}
