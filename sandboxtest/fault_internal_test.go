package sandboxtest

import (
	"reflect"
	"testing"
)

// TestFaultsAreThoseOfTheSandbox: the public fault has each member of the
// sandbox's, and hands it on.
func TestFaultsAreThoseOfTheSandbox(t *testing.T) {
	var f Fault
	outer := reflect.ValueOf(&f).Elem()
	for i := range outer.NumField() {
		fill(outer.Field(i))
	}
	list, err := translate([]Fault{f})
	if err != nil {
		t.Fatal(err)
	}
	inner := reflect.ValueOf(list[0])
	for i := range inner.NumField() {
		if inner.Field(i).IsZero() {
			t.Errorf("%s of the sandbox's fault is not handed on", inner.Type().Field(i).Name)
		}
	}
}

// fill sets a value, and what it holds, to something.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString("x")
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	default:
		panic("fill: " + v.Kind().String())
	}
}
