package manifest

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// readPolicies reads what the manifest says of users and things beside those that it names. Single values may come once;
// lists of several files add up.
func (r *yamlReader) readPolicies() {
	d := r.desired
	for _, part := range r.parts {
		r.once(part, "name", d.Lineage != "", func(v string) error { d.Lineage = v; return nil })
		r.once(part, "prune", d.Prune != bulksync.PruneOff, func(v string) error {
			if v != "off" {
				d.Prune = bulksync.Prune(v)
			}
			return nil
		})
		r.once(part, "matchNumbers", d.MatchNumbers != bulksync.MatchNames, func(v string) (err error) {
			d.MatchNumbers, err = bulksync.ParseMatchNumbers(v)
			return err
		})
		r.each(part, "scope", func(v string, _ bulksync.Position) error {
			s, err := bulksync.ParseSelector(v)
			d.Scope = append(d.Scope, s)
			return err
		})
		r.each(part, "ignore", func(v string, _ bulksync.Position) error {
			p, err := bulksync.ParsePattern(v)
			d.Ignore = append(d.Ignore, p)
			return err
		})
		r.each(part, "match", func(v string, _ bulksync.Position) error {
			column, err := bulksync.ParseMatch(v)
			d.Match = append(d.Match, column)
			return err
		})
		r.each(part, "renumber", func(v string, _ bulksync.Position) error {
			rule, err := bulksync.ParseRenumbering(v)
			d.Renumber = append(d.Renumber, rule)
			return err
		})
		r.each(part, "complete", func(v string, at bulksync.Position) error {
			d.Complete = append(d.Complete, map[string]bulksync.Kind{"devices": bulksync.KindDevice, "ddis": bulksync.KindDDI}[v])
			d.CompletePosition = at
			return nil
		})
	}
	d.Scope, d.Ignore, d.Match = unordered(d.Scope), unordered(d.Ignore), unordered(d.Match)
	d.Renumber, d.Complete = unordered(d.Renumber), unordered(d.Complete)
}

// unordered sorts what has no order, and drops what comes again.
func unordered[S ~[]E, E comparable](all S) S {
	slices.SortStableFunc(all, func(a, b E) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return slices.Compact(all)
}

// once reads a single value that the manifest may say once.
func (r *yamlReader) once(part *object, name string, said bool, take func(string) error) {
	v, ok := part.text(name)
	switch {
	case !ok:
	case said:
		part.fault(name, &problem{codeNameTwice, name + " is said twice", "say it in one file"})
	default:
		if err := take(v); err != nil {
			part.fault(name, &problem{codeBadPolicy, err.Error(), part.field(name).doc})
		}
	}
}

// maxRules is how many entries a list of rules has at most: each is held against every user or thing.
const maxRules = 10_000

// each reads a list, or a single value, of texts that have a form of their own.
func (r *yamlReader) each(part *object, name string, take func(string, bulksync.Position) error) {
	e, ok := part.get(name)
	if !ok {
		return
	}
	if n := len(e.value.Content); n > maxRules {
		part.fault(name, &problem{codeYAMLLimit, name + " has " + plural(n, "entry", "entries"), "write at most " + plural(maxRules, "entry", "entries")})
		return
	}
	s := &part.field(name).shape
	if s.kind == shapeEither {
		s = &s.either[len(s.either)-1]
	}
	texts := []placed{}
	if e.value.Kind == yaml.ScalarNode && !isNull(e.value) {
		if v, ok := r.value(e, name, s.item); ok {
			texts = append(texts, placed{v, e.position()})
		}
	} else {
		texts, _ = r.textsOf(e, name, s.item)
	}
	for _, t := range texts {
		if err := take(t.text, t.at); err != nil {
			r.report(t.at, name, &problem{codeBadPolicy, err.Error(), part.field(name).doc})
		}
	}
}
