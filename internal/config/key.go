package config

import (
	"fmt"
	"log/slog"
	"reflect"
	"strings"
)

// Key is one thing that can be configured.
type Key struct {
	Name    string // as flag and in the file; empty for what only the environment may hold
	Env     string
	Default string
	Help    string
	Secret  bool

	kind    reflect.Type
	choices []string // all values that it may have; nil: any
	whole   bool     // a value may hold commas
}

// Keys lists everything that can be configured, in the order of the struct.
func Keys() []Key {
	var keys []Key
	walk(reflect.ValueOf(Config{}), func(field reflect.StructField, _ reflect.Value) {
		key := Key{
			Name: field.Tag.Get("name"), Env: field.Tag.Get("env"), Default: field.Tag.Get("default"),
			Help: field.Tag.Get("help"), Secret: field.Type == reflect.TypeFor[Secret](), kind: field.Type,
			whole: field.Tag.Get("sep") == "none",
		}
		if choices := field.Tag.Get("enum"); choices != "" {
			key.choices = strings.Split(choices, ",")
		}
		keys = append(keys, key)
	})
	return keys
}

// knownKeys are the keys that the file may hold, by name: all flags but the one that names the file.
func knownKeys() map[string]Key {
	known := map[string]Key{}
	for _, key := range Keys() {
		if key.Name != "" && key.Name != "config" {
			known[key.Name] = key
		}
	}
	return known
}

// LogValue dumps the whole configuration for a log line, secrets as marks.
func (c Config) LogValue() slog.Value {
	var attrs []slog.Attr
	walk(reflect.ValueOf(c), func(field reflect.StructField, value reflect.Value) {
		name := field.Tag.Get("name")
		if name == "" {
			name = field.Tag.Get("env")
		}
		attrs = append(attrs, slog.String(name, fmt.Sprint(value.Interface())))
	})
	return slog.GroupValue(attrs...)
}

func walk(v reflect.Value, visit func(reflect.StructField, reflect.Value)) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if field.Anonymous {
			walk(v.Field(i), visit)
			continue
		}
		visit(field, v.Field(i))
	}
}
