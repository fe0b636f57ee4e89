package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// FileFlag is the path of the YAML file that holds configuration, one key per flag.
type FileFlag string

// Options makes kong read the YAML file that a FileFlag names; every program that embeds Config or Engine parses with it.
func Options() []kong.Option {
	return []kong.Option{kong.Resolvers(&file{})}
}

// file resolves flags from the YAML file. It is used by one Parse at a time, as kong is.
type file struct {
	path string
	keys map[string]any
	err  error
}

// Validate says what is wrong with the file. Kong calls it when all flags are resolved, and shows an error of Resolve
// as one of the flag at hand, which has nothing to do with it.
func (f *file) Validate(*kong.Application) error { return f.err }

// Resolve returns a flag's value from the file, or nil when the flag is set otherwise or absent there.
func (f *file) Resolve(ctx *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	path := configPath(ctx)
	if path == "" || flag.Name == "config" || fromEnv(flag) {
		return nil, nil
	}
	if path != f.path {
		f.path = path
		f.keys, f.err = readKeys(path, knownKeys())
	}
	if value, ok := f.keys[flag.Name]; ok && f.err == nil {
		return value, nil
	}
	return nil, nil
}

func configPath(ctx *kong.Context) string {
	for _, flag := range ctx.Flags() {
		if path, ok := ctx.FlagValue(flag).(FileFlag); ok {
			return string(path)
		}
	}
	return ""
}

// fromEnv tells whether the environment sets the flag; it wins over the file.
func fromEnv(flag *kong.Flag) bool {
	return slices.ContainsFunc(flag.Envs, func(name string) bool {
		_, ok := os.LookupEnv(name)
		return ok
	})
}

// readKeys reads a flat YAML mapping and refuses keys that no flag knows and values that no flag takes, naming the line
// of each.
func readKeys(path string, known map[string]Key) (map[string]any, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("configuration file: %w", err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(b, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if doc.Kind == 0 || len(doc.Content) == 0 {
		return nil, nil
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s:%d: not a mapping of keys to values", path, root.Line)
	}
	keys := make(map[string]any, len(root.Content)/2)
	var problems []error
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		v, err := keyValue(key, value, keys, known)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s:%d: %w", path, key.Line, err))
			continue
		}
		keys[key.Value] = v
	}
	return keys, errors.Join(problems...)
}

func keyValue(key, value *yaml.Node, seen map[string]any, known map[string]Key) (any, error) {
	flag, found := known[key.Value]
	switch _, twice := seen[key.Value]; {
	case key.Value == "password" || key.Value == "app-secret" || key.Value == "drift-webhook-secret":
		return nil, fmt.Errorf("key %q: secrets are not kept in this file; use %s-file or the environment", key.Value, key.Value)
	case !found:
		return nil, fmt.Errorf("key %q: unknown", key.Value)
	case twice:
		return nil, fmt.Errorf("key %q: given twice", key.Value)
	}
	switch value.Kind {
	case yaml.ScalarNode:
		if err := flag.takes(value); err != nil {
			return nil, fmt.Errorf("key %q: %w", key.Value, err)
		}
		return value.Value, nil
	case yaml.SequenceNode:
		if flag.whole {
			return wholeValues(key, value)
		}
		items := make([]string, len(value.Content))
		for i, item := range value.Content {
			items[i] = kong.JoinEscaped([]string{item.Value}, ',')
		}
		return strings.Join(items, ","), nil
	}
	return nil, fmt.Errorf("key %q: a value or a list of values is expected", key.Value)
}

// wholeValues returns the items of a list as kong takes them without looking for commas.
func wholeValues(key, value *yaml.Node) (any, error) {
	items := make([]any, len(value.Content))
	for i, item := range value.Content {
		if item.Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("key %q: a value or a list of values is expected; quote what holds colons", key.Value)
		}
		items[i] = item.Value
	}
	return items, nil
}

// takes checks a value as kong will, which would stop at the first bad one and not name its line.
func (k Key) takes(value *yaml.Node) error {
	if value.Tag == "!!null" {
		return errors.New("has no value")
	}
	text, err := value.Value, error(nil)
	want := ""
	switch k.kind {
	case reflect.TypeFor[bool]():
		want = "true or false"
		_, err = strconv.ParseBool(text)
	case reflect.TypeFor[int](), reflect.TypeFor[int64]():
		want = "a whole number"
		_, err = strconv.ParseInt(text, 10, k.kind.Bits())
	case reflect.TypeFor[float64]():
		want = "a number"
		_, err = strconv.ParseFloat(text, 64)
	case reflect.TypeFor[time.Duration]():
		want = "a duration such as 15s"
		_, err = time.ParseDuration(text)
	}
	if len(k.choices) > 0 && !slices.Contains(k.choices, text) {
		want, err = "one of "+strings.Join(k.choices, ", "), strconv.ErrSyntax
	}
	if err != nil {
		return fmt.Errorf("%q is not %s", text, want)
	}
	return nil
}
