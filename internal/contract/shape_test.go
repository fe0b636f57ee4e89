package contract_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// shape maps the path of each member of a document to its JSON kinds; the
// elements of an array are looked at together.
type shape map[string]map[string]bool

func shapeOf(raw []byte) (shape, error) {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, fmt.Errorf("the answer is not JSON")
	}
	s := shape{}
	s.add("", v)
	return s, nil
}

func (s shape) add(path string, v any) {
	kind := "null"
	switch node := v.(type) {
	case map[string]any:
		kind = "object"
		for name, member := range node {
			s.add(path+"."+name, member)
		}
	case []any:
		kind = "array"
		for _, element := range node {
			s.add(path+"[]", element)
		}
	case string:
		kind = "string"
	case float64:
		kind = "number"
	case bool:
		kind = "boolean"
	}
	if s[path] == nil {
		s[path] = map[string]bool{}
	}
	s[path][kind] = true
}

// differences lists, by path, which documented members are absent and which
// members have another kind. Members that are not documented are no difference:
// upstream adds some every month. excused is asked about what is absent; lenient
// looks over what would stand inside an empty list, which a real account has.
func differences(documented, got shape, excused func(path string) bool, lenient bool) []string {
	var list []string
	for _, path := range slices.Sorted(maps.Keys(documented)) {
		if got[path] == nil {
			if !excused(path) && !(lenient && inEmpty(path, got)) {
				list = append(list, path+": absent, documented as "+kinds(documented[path]))
			}
			continue
		}
		for kind := range got[path] {
			if kind != "null" && !documented[path]["null"] && !documented[path][kind] {
				list = append(list, path+": "+kind+", documented as "+kinds(documented[path]))
			}
		}
	}
	return list
}

// inEmpty tells whether a member would stand inside an array that is empty, or
// an object that is null: there is nothing to compare then.
func inEmpty(path string, got shape) bool {
	for i := len(path) - 1; i > 0; i-- {
		parent := path[:i]
		if strings.HasPrefix(path[i:], "[]") && got[parent]["array"] && got[parent+"[]"] == nil {
			return true
		}
		if path[i] == '.' && got[parent]["null"] && !got[parent]["object"] {
			return true
		}
	}
	return false
}

func kinds(k map[string]bool) string { return strings.Join(slices.Sorted(maps.Keys(k)), " or ") }
