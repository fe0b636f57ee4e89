package manifest

import (
	"iter"
	"maps"
	"regexp"
	"slices"
	"strings"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// Variables: ${name} in any value is replaced by what the command line gives the name, else by its default. $${ is ${.

var (
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,63}$`)
	variableUse  = regexp.MustCompile(`\$?\$\{([^}]*)\}?`)
)

// variable is one that the manifest declares.
type variable struct {
	value string
	// given tells whether it has a value: a default, or one from the command line.
	given bool
	// broken: what is wrong with its default was reported.
	broken bool
	at     bulksync.Position
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
				v.value, v.given = r.plain(pair, name)
				if v.broken = !v.given || strings.Contains(v.value, "${"); v.given && v.broken {
					r.report(pair.position(), "variables", &problem{codeBadVariable, "default of variable " + quote(name) + " names a variable", "write the default out: variables are not made of others"})
				}
			}
			r.variables[name] = v
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.opts.Variables)) {
		v, declared := r.variables[name]
		if !declared {
			p := &problem{codeUnknownVariable, "variable " + quote(name) + " is given and not declared", "declare it under variables, or leave it out"}
			if near := r.nearest(name, maps.Keys(r.variables)); near != "" {
				p.hint = "did you mean " + near + "?"
			}
			r.report(bulksync.Position{}, name, p)
			continue
		}
		v.value, v.given, v.broken = r.opts.Variables[name], true, false
		r.variables[name] = v
	}
}

// nearest gives the name that a wrong one probably means. There is none for a fault that will not be listed any more.
func (r *yamlReader) nearest(name string, known iter.Seq[string]) string {
	if len(r.findings.faults) >= r.opts.MaxFaults {
		return ""
	}
	names := slices.Sorted(known)
	return nearest(strings.ToLower(name), names[:min(len(names), 1000)])
}

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
		if declared && found.given && !found.broken {
			return found.value
		}
		if ok = false; found.broken {
			return use
		}
		p := &problem{codeUnknownVariable, "variable " + quote(known) + " is not declared", "declare it under variables: " + known + ": its default"}
		if near := r.nearest(known, maps.Keys(r.variables)); near != "" && !declared {
			p.hint = "did you mean ${" + near + "}?"
		}
		if declared {
			p.message, p.hint = "variable "+quote(known)+" has no value", "give it one: --var "+known+"=…"
		}
		r.report(e.position(), name, p)
		return use
	})
	return full, ok
}
