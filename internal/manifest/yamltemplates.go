package manifest

import (
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// Templates and defaults: an entry takes over what it does not say itself, first from its templates, of which a later one
// goes before an earlier one, then from the defaults. Objects in it are taken over key by key, lists as a whole.

// inherited are the templates and defaults of one kind of entries.
type inherited struct {
	templates map[string]*object
	defaults  *object
}

// readTemplates collects templates and defaults of all parts.
func (r *yamlReader) readTemplates() {
	for kind, f := range r.forms.inheriting {
		in := &inherited{templates: map[string]*object{}}
		r.inherited[kind] = in
		for _, part := range r.parts {
			if templates := part.child("templates", r.forms.templates); templates != nil {
				for _, pair := range templates.pairs(kind) {
					name := pair.key.Value
					if first := in.templates[name]; first != nil {
						r.report(pair.keyPosition(), name, &problem{codeNameTwice, "template " + quote(name) + " comes twice, first at " + first.self.keyPosition().String(), "rename one of the two"})
						continue
					}
					if o := r.object(pair, f, nil); o != nil {
						o.self.key = pair.key
						in.templates[name] = o
					}
				}
			}
			defaults := part.child("defaults", r.forms.defaults)
			if defaults == nil || !defaults.has(kind) {
				continue
			}
			e, _ := defaults.get(kind)
			if in.defaults != nil {
				r.report(e.keyPosition(), kind, &problem{codeNameTwice, "defaults of " + kind + " come twice, first at " + in.defaults.self.position().String(), "put them into one place"})
				continue
			}
			in.defaults = r.object(e, f, nil)
		}
	}
}

// takeOver gives an entry what it falls back to.
func (r *yamlReader) takeOver(o *object, kind string) {
	in := r.inherited[kind]
	if o.has("template") {
		names := r.templateNames(o)
		slices.Reverse(names)
		for _, t := range names {
			template := in.templates[t.text]
			if template == nil {
				known := maps.Keys(in.templates)
				hint := "declare it under templates, " + kind
				if near := r.nearest(t.text, known); near != "" {
					hint = "did you mean " + near + "?"
				}
				r.report(t.at, "template", &problem{codeUnknownTemplate, "there is no template " + quote(t.text) + " for " + kind, hint})
				continue
			}
			o.over = append(o.over, template)
		}
	}
	if in.defaults != nil {
		o.over = append(o.over, in.defaults)
	}
}

// templateNames reads the key template: a name or a list of names.
func (r *yamlReader) templateNames(o *object) []placed {
	e, _ := o.get("template")
	if e.value.Kind == yaml.SequenceNode || isNull(e.value) {
		texts, _ := r.textsOf(e, "template", &shape{})
		return texts
	}
	if v, ok := r.value(e, "template", &shape{}); ok {
		return []placed{{v, e.position()}}
	}
	return nil
}

// child is the object behind a key, which falls back to those behind the same key of what o falls back to; nil when there
// is none, or when it is cleared.
func (o *object) child(name string, f *form) *object {
	if c, known := o.children[name]; known {
		return c
	}
	c := o.makeChild(name, f)
	if o.children == nil {
		o.children = map[string]*object{}
	}
	o.children[name] = c
	return c
}

func (o *object) makeChild(name string, f *form) *object {
	var over []*object
	for _, other := range o.over {
		if other.form.index(name) < 0 {
			continue
		}
		if e := other.own[other.form.index(name)]; e.value != nil && isNull(e.value) {
			break // cleared there: what lies behind does not count
		}
		if c := other.child(name, f); c != nil {
			over = append(over, c)
		}
	}
	own := o.own[o.form.index(name)]
	if own.value == nil {
		if over == nil {
			return nil
		}
		return &object{r: o.r, form: f, self: over[0].self, own: make([]entry, len(f.fields)), over: over}
	}
	if isNull(own.value) {
		return nil
	}
	return o.r.object(own, f, over)
}

// shared gives what a list says that many objects take over, from a template or by an alias: it is read once for all.
func shared[T any](known map[*yaml.Node]T, o *object, name string, read func() T) T {
	e, ok := o.get(name)
	if !ok || !e.aliased && o.own[o.form.index(name)].value != nil {
		return read()
	}
	v, found := known[e.value]
	if !found {
		v = read()
		known[e.value] = v
	}
	return v
}

// cleared tells whether the key stands there and is empty.
func (o *object) cleared(name string) bool {
	e, ok := o.get(name)
	return ok && isNull(e.value)
}

// reportOnce drops what was reported of a place already: a template is read for every user who has it.
func (r *yamlReader) reportOnce(f bulksync.Fault) bool {
	if r.reported[f] {
		return false
	}
	if len(r.reported) < 2*r.opts.MaxFaults { // behind these they are only counted
		r.reported[f] = true
	}
	return true
}
