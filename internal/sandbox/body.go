package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// object reads the JSON object of a request. Every fault is collected, so that
// the answer lists them all as {param, msg, value}; members that no reader
// asks for are ignored, as upstream does.
type object struct {
	members map[string]any
	faults  []paramError
	broken  error
}

// parseObject reads a body; an empty one is an empty object (the SDK posts {}
// where others post nothing).
func parseObject(body []byte) *object {
	o := &object{members: map[string]any{}}
	if len(bytes.TrimSpace(body)) == 0 {
		return o
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&o.members); err != nil {
		o.broken = badRequest("Request body is not a JSON object: %s", err)
	}
	return o
}

// fault answers all faults found so far, nil when there is none.
func (o *object) fault() error {
	if o.broken != nil {
		return o.broken
	}
	if len(o.faults) > 0 {
		return badParams(o.faults)
	}
	return nil
}

func (o *object) bad(param, msg string, value any) {
	o.faults = append(o.faults, paramError{Param: param, Msg: msg, Value: value})
}

// has tells whether a member is there, null included.
func (o *object) has(name string) bool {
	_, ok := o.members[name]
	return ok
}

// require faults members that are missing, null or empty.
func (o *object) require(names ...string) {
	for _, name := range names {
		if v := o.members[name]; v == nil || v == "" {
			o.bad(name, name+" is required", v)
		}
	}
}

// text sets dst when the member is there; null clears it.
func (o *object) text(name string, dst *string) bool {
	v, ok := o.members[name]
	if !ok {
		return false
	}
	switch t := v.(type) {
	case nil:
		*dst = ""
	case string:
		*dst = t
	default:
		o.bad(name, name+" must be a string", v)
		return false
	}
	return true
}

// enum is text with a closed set of values.
func (o *object) enum(name string, dst *string, allowed ...string) {
	var v string
	if !o.text(name, &v) {
		return
	}
	if !slices.Contains(allowed, v) {
		o.bad(name, fmt.Sprintf("%s must be one of %s", name, strings.Join(allowed, ", ")), v)
		return
	}
	*dst = v
}

func (o *object) boolean(name string, dst *bool) {
	v, ok := o.members[name]
	if !ok {
		return
	}
	b, ok := v.(bool)
	if !ok {
		o.bad(name, name+" must be a boolean", v)
		return
	}
	*dst = b
}

// integer accepts a number, and the text of one: clients send deviceTypeId and
// duration either way.
func (o *object) integer(name string, dst *int) bool {
	v, ok := o.members[name]
	if !ok {
		return false
	}
	n := json.Number(asText(v))
	i, err := n.Int64()
	if err != nil {
		o.bad(name, name+" must be a number", v)
		return false
	}
	*dst = int(i)
	return true
}

// between is integer within bounds.
func (o *object) between(name string, dst *int, low, high int) {
	var n int
	if !o.integer(name, &n) {
		return
	}
	if n < low || n > high {
		o.bad(name, fmt.Sprintf("%s must be between %d and %d", name, low, high), n)
		return
	}
	*dst = n
}

// decode reads a structured member into dst, a list or a map; ok is false when it is absent. What dst held before stays as it
// is: a document in a table, and its pictures, may share it.
func (o *object) decode(name string, dst any) (ok bool) {
	v, there := o.members[name]
	if !there {
		return false
	}
	raw, err := json.Marshal(v)
	if err == nil {
		unshare(reflect.ValueOf(dst).Elem())
		err = json.Unmarshal(raw, dst)
	}
	if err != nil {
		o.bad(name, name+" has a wrong type", v)
		return false
	}
	return true
}

// unshare gives a list or map that json.Unmarshal may write into: a list from nothing, a map with what it had.
func unshare(v reflect.Value) {
	switch v.Kind() {
	case reflect.Slice:
		v.SetZero()
	case reflect.Map:
		next := reflect.MakeMapWithSize(v.Type(), v.Len())
		for at := v.MapRange(); at.Next(); {
			next.SetMapIndex(at.Key(), at.Value())
		}
		v.Set(next)
	}
}

// dataEnvelope and statusEnvelope are the two common shapes of an answer.
type dataEnvelope struct {
	Data any `json:"data"`
}

type statusEnvelope struct {
	Status string `json:"status"`
	Data   any    `json:"data,omitempty"`
}

func data(document any) any { return dataEnvelope{document} }

func status(format string, args ...any) any {
	return statusEnvelope{Status: fmt.Sprintf(format, args...)}
}

// statusData is status with the empty array that most deletes carry as data.
func statusData(format string, args ...any) any {
	return statusEnvelope{Status: fmt.Sprintf(format, args...), Data: []any{}}
}
