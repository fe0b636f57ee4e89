package rest

import (
	"fmt"
	"strings"
)

// template is a path template of google.api.http, taken apart: "/v1/{name=companies/*/plans/*}:apply" has the
// segments v1, companies, *, plans, *, the variable name over the last four, and the verb apply.
type template struct {
	text      string
	segments  []string // a literal, "*" or, only as the last, "**"
	variables []variable
	verb      string
}

// variable is a named part of a path: the segments from..to, to excluded; to is -1 for "all the rest".
type variable struct {
	name     string
	from, to int
}

// parseTemplate reads a template; only what Google's grammar allows passes.
func parseTemplate(text string) (template, error) {
	t := template{text: text}
	rest, ok := strings.CutPrefix(text, "/")
	if !ok {
		return t, fmt.Errorf("template %q: no leading slash", text)
	}
	for rest != "" {
		var err error
		if rest, err = t.parseSegment(rest); err != nil {
			return t, fmt.Errorf("template %q: %w", text, err)
		}
	}
	for i, segment := range t.segments {
		if segment == "**" && i != len(t.segments)-1 {
			return t, fmt.Errorf("template %q: ** is not the last segment", text)
		}
	}
	if len(t.segments) == 0 || len(t.segments) > maxSegments {
		return t, fmt.Errorf("template %q: %d segments", text, len(t.segments))
	}
	return t, nil
}

// parseSegment takes one segment or variable, and the verb behind the last one, off the front of rest.
func (t *template) parseSegment(rest string) (string, error) {
	if rest[0] == '{' {
		end := strings.IndexByte(rest, '}')
		if end < 0 {
			return "", fmt.Errorf("unclosed variable")
		}
		if err := t.addVariable(rest[1:end]); err != nil {
			return "", err
		}
		return t.parseTail(rest[end+1:])
	}
	end := strings.IndexAny(rest, "/:")
	if end < 0 {
		end = len(rest)
	}
	if err := t.addSegment(rest[:end]); err != nil {
		return "", err
	}
	return t.parseTail(rest[end:])
}

// parseTail handles what follows a segment: nothing, a slash, or the verb.
func (t *template) parseTail(rest string) (string, error) {
	switch {
	case rest == "":
		return "", nil
	case rest[0] == '/' && len(rest) > 1:
		return rest[1:], nil
	case rest[0] == ':' && len(rest) > 1 && !strings.ContainsAny(rest[1:], "/:{}"):
		t.verb = rest[1:]
		return "", nil
	}
	return "", fmt.Errorf("unexpected %q", rest)
}

func (t *template) addVariable(text string) error {
	name, pattern, given := strings.Cut(text, "=")
	if !given {
		pattern = "*"
	}
	if name == "" || strings.ContainsAny(pattern, "{}") {
		return fmt.Errorf("variable %q", text)
	}
	from := len(t.segments)
	for segment := range strings.SplitSeq(pattern, "/") {
		if err := t.addSegment(segment); err != nil {
			return err
		}
	}
	to := len(t.segments)
	if t.segments[to-1] == "**" {
		to = -1
	}
	t.variables = append(t.variables, variable{name: name, from: from, to: to})
	return nil
}

func (t *template) addSegment(segment string) error {
	if segment == "" || segment != "*" && segment != "**" && strings.ContainsAny(segment, "*{}%") {
		return fmt.Errorf("segment %q", segment)
	}
	t.segments = append(t.segments, segment)
	return nil
}
