package manifest

import (
	"bytes"
	"fmt"
)

// delimiters are the ones that are recognised, the likeliest first. Rainbow detects it from the content, too (Rainbow
// Node SDK, importCSVData).
const delimiters = ";,\t|"

// detectDelimiter chooses the delimiter that cuts the header into the most known column names, then into the most
// cells. It consumes nothing.
func (t *tokenizer) detectDelimiter(comment byte) byte {
	line := t.peekLine(comment)
	best, bestScore := byte(';'), 0
	for _, d := range []byte(delimiters) {
		if d == comment {
			continue
		}
		score := 0
		for _, name := range bytes.Split(line, []byte{d}) {
			if _, _, known := lookupColumn(string(bytes.Trim(name, " \t\""))); known {
				score += maxRecord
			}
			score++
		}
		if score > bestScore {
			best, bestScore = d, score
		}
	}
	return best
}

// peekLine is the first line that is neither blank nor a comment, at most maxRecord bytes of it.
func (t *tokenizer) peekLine(comment byte) []byte {
	for {
		rest := t.window
		for len(rest) > 0 {
			i := bytes.IndexAny(rest, "\r\n")
			if i < 0 {
				break
			}
			line := rest[:i]
			rest = rest[i+1:]
			if len(bytes.TrimSpace(line)) > 0 && line[0] != comment {
				return line
			}
		}
		if len(t.window) > maxRecord || !t.fill() {
			if len(rest) > 0 && rest[0] != comment {
				return rest
			}
			return nil
		}
	}
}

// checkSyntax refuses delimiters and comment characters that cannot do their job.
func checkSyntax(delimiter, comment rune) error {
	usable := func(r rune) bool {
		return r > ' ' && r < 0x7f && !('0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z') &&
			r != '"' && r != '_' && r != '@' && r != '\''
	}
	if delimiter != 0 && delimiter != '\t' && !usable(delimiter) {
		return fmt.Errorf("delimiter %q: want one of ; , | or a tab", delimiter)
	}
	if !usable(comment) {
		return fmt.Errorf("comment character %q: want a sign such as %% or #", comment)
	}
	if delimiter == comment {
		return fmt.Errorf("delimiter and comment character are both %q", delimiter)
	}
	return nil
}
