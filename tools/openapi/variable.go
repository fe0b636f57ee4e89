package main

import (
	"fmt"
	"regexp"
	"strings"
)

// pluginVariable is what the plugin makes of companies/*: it cuts the last letter of the collection's name.
const (
	pluginVariable = "companie"
	variable       = "company"
)

// renameVariables spells the path variable of a company as it is written, and names the variable that takes the rest of
// a path, which the plugin leaves as **.
func renameVariables(paths *object) {
	for i, path := range paths.names {
		renamed := strings.ReplaceAll(path, "{"+pluginVariable+"}", "{"+variable+"}")
		if head, rest := strings.CutSuffix(renamed, "/**"); rest {
			renamed = head + "/{" + restVariable(paths.object(path), head) + "}"
		}
		if renamed == path {
			continue
		}
		item := paths.object(path)
		delete(paths.members, path)
		paths.names[i], paths.members[renamed] = renamed, item
		for _, verb := range item.names {
			parameters, _ := item.object(verb).get("parameters").([]any)
			for _, parameter := range parameters {
				if p, _ := parameter.(*object); p.get("name") == pluginVariable {
					p.set("name", variable)
				}
			}
		}
	}
}

// restVariable is the path parameter of an item that its path does not name.
func restVariable(item *object, path string) string {
	for _, verb := range item.names {
		parameters, _ := item.object(verb).get("parameters").([]any)
		for _, parameter := range parameters {
			p, _ := parameter.(*object)
			if name, _ := p.get("name").(string); p.get("in") == "path" && !strings.Contains(path, "{"+name+"}") {
				return name
			}
		}
	}
	return "**"
}

// pathVariable finds the variables of a path.
var pathVariable = regexp.MustCompile(`\{[^}]*\}`)

// mergePaths puts the operations of paths that differ only in the names of their variables into one path, as OpenAPI
// demands. The names of the first path win; the description keeps the other.
func mergePaths(paths *object) error {
	first := map[string]string{}
	for _, path := range append([]string(nil), paths.names...) {
		shape := pathVariable.ReplaceAllString(path, "{}")
		kept, ok := first[shape]
		if !ok {
			first[shape] = path
			continue
		}
		into, from := paths.object(kept), paths.object(path)
		for _, verb := range from.names {
			if into.get(verb) != nil {
				return fmt.Errorf("%s %s: there is a %s, too", strings.ToUpper(verb), path, kept)
			}
			renameParameters(from.object(verb), pathVariable.FindAllString(path, -1), pathVariable.FindAllString(kept, -1))
			into.set(verb, from.object(verb))
		}
		paths.remove(path)
	}
	return nil
}

func renameParameters(operation *object, old, names []string) {
	for i := range old {
		if old[i] == names[i] {
			continue
		}
		for _, p := range pathParameters(operation) {
			if name, _ := p.get("name").(string); "{"+name+"}" == old[i] {
				description, _ := p.get("description").(string)
				p.set("name", strings.Trim(names[i], "{}"))
				p.set("description", name+": "+description)
			}
		}
	}
}

// describePathParameters describes the variables that are pieces of a resource's name, which no field describes.
func describePathParameters(paths *object) {
	_ = eachOperation(paths, func(_, _ string, operation *object) error {
		for _, p := range pathParameters(operation) {
			if p.get("description") == nil {
				p.set("description", fmt.Sprintf("Id of the %s.", p.get("name")))
			}
		}
		return nil
	})
}

func pathParameters(operation *object) []*object {
	var list []*object
	parameters, _ := operation.get("parameters").([]any)
	for _, parameter := range parameters {
		if p, _ := parameter.(*object); p.get("in") == "path" {
			list = append(list, p)
		}
	}
	return list
}
