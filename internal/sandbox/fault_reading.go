package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// ReadFaults reads a file of rules, in YAML or JSON: a list, or one alone.
func ReadFaults(file string) ([]Fault, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("faults: %w", err)
	}
	rules, err := ParseFaults(text)
	if err != nil {
		return nil, eachLine("faults "+file, err)
	}
	return rules, nil
}

// CollectFaults reads the rules of flags and those of a file, which come
// behind them; an empty file is none.
func CollectFaults(flags []string, file string) ([]Fault, error) {
	var rules []Fault
	var problems []error
	for _, flag := range flags {
		rule, err := ParseFault(flag)
		rules, problems = append(rules, rule), append(problems, err)
	}
	if file != "" {
		more, err := ReadFaults(file)
		rules, problems = append(rules, more...), append(problems, err)
	}
	return rules, errors.Join(problems...)
}

// ParseFault reads one rule as a flag gives it, which is a YAML mapping whose
// braces may be left out: "operation: Login, status: 503, times: 2".
func ParseFault(text string) (Fault, error) {
	braced := strings.TrimSpace(text)
	if !strings.HasPrefix(braced, "{") {
		braced = "{" + braced + "}"
	}
	rules, err := ParseFaults([]byte(braced))
	if err != nil {
		return Fault{}, eachLine(fmt.Sprintf("fault %q", text), err)
	}
	return rules[0], nil
}

// eachLine puts a place before each of the errors that were joined.
func eachLine(place string, err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return fmt.Errorf("%s: %w", place, err)
	}
	var list []error
	for _, one := range joined.Unwrap() {
		list = append(list, eachLine(place, one))
	}
	return errors.Join(list...)
}

// ParseFaults reads rules in YAML or JSON: a list, or one alone. The error
// lists everything that is wrong, one a line: the rule, the field, its value
// and what would be right. Rules that were read are checked, too. A text that says
// nothing, or comments only, is nil; a list without rules is not.
func ParseFaults(text []byte) ([]Fault, error) {
	document, err := parseDocument(text)
	if err != nil || document == nil {
		return nil, err
	}
	list, isList := document.([]any)
	if !isList {
		list = []any{document}
	}
	rules := make([]Fault, len(list))
	var problems []error
	for i, raw := range list {
		c := &complaints{}
		c.decode("", raw, reflect.ValueOf(&rules[i]).Elem())
		c.partly = len(c.list) > 0
		rules[i].check(c)
		if isList {
			problems = append(problems, c.of(i, &rules[i]))
		} else {
			problems = append(problems, c.list...)
		}
	}
	return rules, errors.Join(problems...)
}

// parseDocument reads JSON, and anything else as YAML.
func parseDocument(text []byte) (document any, err error) {
	if json.Valid(text) {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		err = d.Decode(&document)
		return document, err
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&document); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("neither JSON nor YAML: %w", err)
	}
	if document == nil {
		return nil, nil
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one document")
	}
	return document, nil
}

// decode fills a struct from a mapping, field by field, and notes what does not
// fit.
func (c *complaints) decode(at string, raw any, into reflect.Value) {
	fields, ok := raw.(map[string]any)
	if !ok {
		c.add(strings.TrimSuffix(at, "."), "%s is not a mapping of fields to values", shown(raw))
		return
	}
	known := map[string]reflect.Value{}
	for i := range into.NumField() {
		name, _, _ := strings.Cut(into.Type().Field(i).Tag.Get("json"), ",")
		known[name] = into.Field(i)
	}
	for _, name := range sortedNames(fields) {
		field, ok := known[name]
		if !ok {
			c.add(at+name, "unknown field; did you mean %s?", nearest(name, sortedNames(known)))
			continue
		}
		c.decodeField(at+name, fields[name], field)
	}
}

func (c *complaints) decodeField(at string, raw any, field reflect.Value) {
	if field.Kind() == reflect.Pointer {
		field.Set(reflect.New(field.Type().Elem()))
		latency, isLatency := field.Interface().(*Latency)
		if _, isMapping := raw.(map[string]any); isLatency && !isMapping {
			c.decodeField(at, raw, reflect.ValueOf(&latency.Value).Elem())
			return
		}
		c.decode(at+".", raw, field.Elem())
		return
	}
	if field.Type() == reflect.TypeFor[Duration]() {
		text, _ := raw.(string)
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			c.add(at, "%s is not a duration such as 250ms or 10s", shown(raw))
		}
		field.SetInt(int64(d))
		return
	}
	number, isNumber := numberOf(raw)
	switch field.Kind() {
	case reflect.String:
		c.decodeText(at, raw, field)
	case reflect.Bool:
		flag, ok := raw.(bool)
		if !ok {
			c.add(at, "%s is neither true nor false", shown(raw))
		}
		field.SetBool(flag)
	case reflect.Int:
		if !isNumber || number != math.Trunc(number) || math.Abs(number) > 1e9 {
			c.add(at, "%s is not a whole number", shown(raw))
			return
		}
		field.SetInt(int64(number))
	case reflect.Float64:
		if !isNumber {
			c.add(at, "%s is not a number", shown(raw))
		}
		field.SetFloat(number)
	}
}

// decodeText takes a text, a number as its digits (lost: 502), and null as the
// word (to: null).
func (c *complaints) decodeText(at string, raw any, field reflect.Value) {
	switch v := raw.(type) {
	case string:
		field.SetString(v)
	case nil:
		field.SetString("null")
	case int, json.Number:
		field.SetString(fmt.Sprint(v))
	default:
		c.add(at, "%s is not a text", shown(raw))
	}
}

func numberOf(raw any) (float64, bool) {
	switch v := raw.(type) {
	case int:
		return float64(v), true
	case float64:
		return v, true
	case json.Number:
		n, err := v.Float64()
		return n, err == nil
	}
	return 0, false
}

// shown prints a value as the reader may have written it, and not much of it.
func shown(raw any) string {
	text, err := json.Marshal(raw)
	if err != nil {
		text = fmt.Append(nil, raw)
	}
	if len(text) > 60 {
		text = append(text[:57:57], "..."...)
	}
	return string(text)
}
