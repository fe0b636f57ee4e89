package main

import (
	"regexp"
	"strings"
	"unicode"
)

// sentenceEnd is a full stop before a new sentence, or at the end.
var sentenceEnd = regexp.MustCompile(`[.!?](\s+|$)`)

// describe gives an operation or tag a summary of one sentence, and the rest as its description. The name with which a
// Go comment begins is not repeated: the reader sees it already.
func describe(text, name string) (summary, description string) {
	text = strings.TrimSpace(text)
	if rest, ok := strings.CutPrefix(text, name+" "); ok && name != "" {
		text = capital(rest)
	}
	summary = text
	for _, at := range sentenceEnd.FindAllStringIndex(text, -1) {
		if !abbreviated(text[:at[0]]) {
			summary, description = text[:at[0]], text[at[1]:]
			break
		}
	}
	summary = strings.Join(strings.Fields(summary), " ")
	if short := shorten(summary); short != summary {
		return short, text
	}
	return summary, capital(strings.TrimSpace(description))
}

// longest is how many bytes a summary may have: it is one line of a list.
const longest = 100

// shorten cuts a summary that is too long where a part of the sentence ends.
func shorten(summary string) string {
	if len(summary) <= longest {
		return summary
	}
	end := strings.LastIndex(summary[:longest], " ")
	for _, mark := range []string{", ", ": ", "; ", " ("} {
		if at := strings.Index(summary[:longest], mark); at > longest/4 && at < end {
			end = at
		}
	}
	return strings.TrimRight(summary[:end], " ,:;(")
}

// abbreviated tells whether a text ends in an abbreviation, so that the full stop behind it ends no sentence.
func abbreviated(text string) bool {
	for _, short := range []string{"e.g", "i.e", "etc", "vs", "no"} {
		if text == short || strings.HasSuffix(text, " "+short) || strings.HasSuffix(text, "("+short) {
			return true
		}
	}
	return false
}

func capital(text string) string {
	for i, r := range text {
		if i == 0 {
			return string(unicode.ToUpper(r)) + text[len(string(r)):]
		}
	}
	return text
}
