package main

import "strings"

// prune removes definitions that nothing refers to any more.
func prune(root *object) {
	definitions := root.object("definitions")
	used := map[string]bool{}
	var mark func(value any)
	mark = func(value any) {
		switch v := value.(type) {
		case []any:
			for _, element := range v {
				mark(element)
			}
		case *object:
			for _, name := range v.names {
				mark(v.members[name])
			}
			ref, _ := v.get("$ref").(string)
			if name, ok := strings.CutPrefix(ref, refPrefix); ok && !used[name] {
				used[name] = true
				mark(definitions.get(name))
			}
		}
	}
	mark(root.get("paths"))
	for _, name := range append([]string(nil), definitions.names...) {
		if !used[name] {
			definitions.remove(name)
		}
	}
}
