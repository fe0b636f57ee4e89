package manifest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFiles is how many files make one manifest at most.
const maxFiles = 1000

// Included gives the sources with the files that they include, and those that these include. open reads a file by its
// name: the including file's folder and what include says. A file that it can't read is left out, and is then a fault of
// [Read]. The sources are read to their ends; CSV includes nothing.
//
// Reading files is the caller's, so that nothing here, or in a server that is handed a manifest, opens what a manifest
// names.
func Included(sources []Source, open func(name string) ([]byte, error)) ([]Source, error) {
	known := map[string]bool{}
	for _, src := range sources {
		known[path.Clean(src.Name)] = true
	}
	all := slices.Clone(sources)
	for i := 0; i < len(all) && i < maxFiles; i++ { // all grows
		content, err := contentOf(all[i])
		if err != nil {
			return nil, fmt.Errorf("manifest %s: %w", all[i].Name, err)
		}
		all[i].Reader, all[i].Content = nil, content
		for _, name := range includesOf(all[i]) {
			if known[name] {
				continue
			}
			known[name] = true
			if found, err := open(name); err == nil {
				all = append(all, Source{Name: name, Content: found, Encoding: all[i].Encoding})
			}
		}
	}
	return all, nil
}

// includesOf lists the files that a source includes, by the names that they have as sources. What is wrong is for Read.
func includesOf(src Source) []string {
	if !yamlSource(src, src.Content) || !bytes.Contains(src.Content, []byte("include")) && (src.Encoding == "" || src.Encoding == UTF8) {
		return nil
	}
	t, fault, err := readText(context.Background(), src)
	if fault != nil || err != nil || t.parse(false, maxYAMLHeld) != nil {
		return nil
	}
	var names []string
	for _, document := range t.head.documents {
		if len(document.Content) == 0 || document.Content[0].Kind != yaml.MappingNode {
			continue
		}
		pairs := document.Content[0].Content
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i].Value != "include" {
				continue
			}
			for _, n := range pairs[i+1].Content {
				if name, p := includeName(src.Name, n.Value); p == nil {
					names = append(names, name)
				}
			}
		}
	}
	return names
}

// includeName is the name of an included file as a source. It may lie beside the including file or below, never elsewhere.
func includeName(from, include string) (string, *problem) {
	const hint = "name a file in the same folder or below, with slashes: users/brest.yaml"
	clean := path.Clean(include)
	switch {
	case strings.Contains(include, "${"):
		return "", &problem{codeBadInclude, "include " + quote(include) + " names a variable", "files are read before variables are known: write the name out"}
	case include == "" || path.IsAbs(include) || strings.ContainsAny(include, "\\:\x00") || clean == "." || clean == ".." || strings.HasPrefix(clean, "../") || strings.Contains(include, ".."):
		return "", &problem{codeBadInclude, "include " + quote(include) + " leads out of the manifest's folder", hint}
	case !isYAML(Source{Name: clean}):
		return "", &problem{codeBadInclude, "include " + quote(include) + " is not a YAML file by its name", hint}
	}
	if dir := path.Dir(strings.ReplaceAll(from, "\\", "/")); dir != "." {
		return path.Join(dir, clean), nil
	}
	return clean, nil
}

// includes lists the files that a part includes, as they are written.
func (o *object) includes() []placed {
	items, _ := o.list("include")
	var all []placed
	for _, item := range items {
		if v, ok := o.r.plain(item, "include"); ok {
			all = append(all, placed{v, item.position()})
		}
	}
	return all
}

// checkIncludes wants every included file among the sources, and no file to include itself over others.
func (r *yamlReader) checkIncludes() {
	graph := map[string][]string{}
	first := map[string]placed{}
	for _, part := range r.parts {
		for _, t := range part.includes() {
			name, p := includeName(t.at.File, t.text)
			if p == nil && !r.files[path.Clean(name)] {
				p = &problem{codeBadInclude, "included file " + quote(name) + " is not at hand", "is its name right, and can it be read? Who sends a manifest over the network sends the included files along"}
			}
			if p != nil {
				r.report(t.at, "include", p)
				continue
			}
			from := path.Clean(t.at.File)
			graph[from] = append(graph[from], path.Clean(name))
			if first[from].text == "" {
				first[from] = t
			}
		}
	}
	for _, file := range slices.Sorted(maps.Keys(graph)) {
		if way := wayBack(graph, file); way != nil {
			t := first[file]
			r.report(t.at, "include", &problem{codeBadInclude, "file includes itself: " + strings.Join(way, " -> "), "take one of the includes away"})
			return
		}
	}
}

// wayBack is a way from a file over what it includes back to it; nil when there is none.
func wayBack(graph map[string][]string, file string) []string {
	seen := map[string]bool{}
	var walk func(at string, way []string) []string
	walk = func(at string, way []string) []string {
		for _, next := range graph[at] {
			if next == file {
				return append(way, next)
			}
			if !seen[next] {
				seen[next] = true
				if found := walk(next, append(slices.Clone(way), next)); found != nil {
					return found
				}
			}
		}
		return nil
	}
	return walk(file, []string{file})
}
