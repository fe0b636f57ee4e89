package sync

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
)

// renderJSON writes the plan as encoding/json would write it indented, but list by list and entry by entry: the document
// of a large plan is several times the plan, and would otherwise be held twice before its first byte goes out.
func (p *Plan) renderJSON(out *errWriter) {
	plan := reflect.ValueOf(p).Elem()
	separator := "{\n"
	for i := range plan.NumField() {
		name, options, _ := strings.Cut(plan.Type().Field(i).Tag.Get("json"), ",")
		value := plan.Field(i)
		if strings.Contains(options, "omitempty") && isEmpty(value) {
			continue
		}
		out.print(separator, "  \"", name, "\": ")
		separator = ",\n"
		if value.Kind() == reflect.Slice && value.Len() > 0 {
			jsonList(out, value)
			continue
		}
		out.print(jsonText(value.Interface(), "  "))
	}
	out.print("\n}\n")
}

func jsonList(out *errWriter, list reflect.Value) {
	separator := "[\n"
	for i := range list.Len() {
		out.print(separator, "    ", jsonText(list.Index(i).Interface(), "    "))
		separator = ",\n"
		if out.err != nil {
			return
		}
	}
	out.print("\n  ]")
}

// jsonText is a value as indented JSON; signs that are special in HTML stay as they are.
func jsonText(v any, prefix string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent(prefix, "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("plan does not encode: " + err.Error()) // a plan is plain data
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// isEmpty is what omitempty leaves out.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.String, reflect.Array:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}
