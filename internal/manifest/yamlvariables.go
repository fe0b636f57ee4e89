package manifest

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// Variables: ${name} in any value is replaced by what the command line gives the name, else by its default. $${ is ${.

// maxExpanded is the longest that a value may become by its variables, in bytes.
const maxExpanded = 64 << 10

var (
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,63}$`)
	variableUse  = regexp.MustCompile(`\$?\$\{([^}]*)\}?`)
)

// variable is one that the manifest declares.
type variable struct {
	value string
	// given tells whether it has a value at all; secretless ones have a default or come from the command line.
	given bool
	at    bulksync.Position
}

// readVariables collects the variables of all parts, and what the command line says of them.
func (r *yamlReader) readVariables() {
	r.variables = map[string]variable{}
	for _, part := range r.parts {
		for _, pair := range part.pairs("variables") {
			name := pair.key.Value
			if !variableName.MatchString(name) {
				r.report(pair.keyPosition(), "variables", &problem{codeBadVariable, "variable " + quote(name) + " has no name that can be used", "write letters, digits, dashes and underscores"})
				continue
			}
			if first, twice := r.variables[name]; twice {
				r.report(pair.keyPosition(), "variables", &problem{codeNameTwice, "variable " + quote(name) + " is declared twice, first at " + first.at.String(), "keep one of the two"})
				continue
			}
			v := variable{at: pair.keyPosition()}
			if !isNull(pair.value) {
				v.value, v.given = r.scalar(pair, name) // a default takes no variables: none is known yet
			}
			r.variables[name] = v
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.opts.Variables)) {
		v, declared := r.variables[name]
		if !declared {
			p := &problem{codeUnknownVariable, "variable " + quote(name) + " is given and not declared", "declare it under variables, or leave it out"}
			if near := nearest(strings.ToLower(name), r.variableNames()); near != "" {
				p.hint = "did you mean " + near + "?"
			}
			r.report(bulksync.Position{}, name, p)
			continue
		}
		v.value, v.given = r.opts.Variables[name], true
		r.variables[name] = v
	}
}

func (r *yamlReader) variableNames() []string { return slices.Sorted(maps.Keys(r.variables)) }

// expand fills the variables into a value; false when one has no value, which is reported.
func (r *yamlReader) expand(e entry, name, v string) (string, bool) {
	if !strings.Contains(v, "${") {
		return v, true
	}
	ok := true
	full := variableUse.ReplaceAllStringFunc(v, func(use string) string {
		if strings.HasPrefix(use, "$$") {
			return use[1:]
		}
		if !strings.HasSuffix(use, "}") {
			ok = false
			r.report(e.position(), name, &problem{codeBadVariable, "${ in " + name + " is not closed", "write ${name}, or $${ for ${ itself"})
			return use
		}
		known := use[2 : len(use)-1]
		found, declared := r.variables[known]
		if declared && found.given {
			return found.value
		}
		ok = false
		p := &problem{codeUnknownVariable, "variable " + quote(known) + " is not declared", "declare it under variables: " + known + ": its default"}
		if near := nearest(strings.ToLower(known), r.variableNames()); near != "" && !declared {
			p.hint = "did you mean ${" + near + "}?"
		}
		if declared {
			p.message, p.hint = "variable "+quote(known)+" has no value", "give it one: --var "+known+"=…"
		}
		r.report(e.position(), name, p)
		return use
	})
	if len(full) > maxExpanded {
		r.report(e.position(), name, &problem{codeYAMLLimit, name + " becomes longer than 64 KiB by its variables", "shorten it"})
		return "", false
	}
	return strings.TrimSpace(full), ok
}
