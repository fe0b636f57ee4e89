package sandboxtest

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

// TestFaultsAreThoseOfTheSandbox: the public fault and its parts have the
// members of the sandbox's, under the same JSON names and of the same kinds.
func TestFaultsAreThoseOfTheSandbox(t *testing.T) {
	sameMembers(t, reflect.TypeFor[Fault](), reflect.TypeFor[sandbox.Fault]())
}

func sameMembers(t *testing.T, outer, inner reflect.Type) {
	t.Helper()
	if outer.Kind() != inner.Kind() {
		t.Errorf("%s is a %s, %s a %s", outer, outer.Kind(), inner, inner.Kind())
		return
	}
	if outer.Kind() == reflect.Pointer {
		sameMembers(t, outer.Elem(), inner.Elem())
		return
	}
	if outer.Kind() != reflect.Struct {
		return
	}
	for i := range inner.NumField() {
		want := inner.Field(i)
		got, known := outer.FieldByName(want.Name)
		if !known || got.Tag != want.Tag {
			t.Errorf("%s.%s: known %t, tag %s, want %s", outer, want.Name, known, got.Tag, want.Tag)
			continue
		}
		sameMembers(t, got.Type, want.Type)
	}
	for i := range outer.NumField() {
		if _, known := inner.FieldByName(outer.Field(i).Name); !known {
			t.Errorf("%s.%s is not of the sandbox", outer, outer.Field(i).Name)
		}
	}
}

// TestFaultsAreHandedOn writes faults of both kinds as JSON.
func TestFaultsAreHandedOn(t *testing.T) {
	faults := []Fault{
		{Operation: "List*", Stale: &Stale{Reads: 2, ByID: true}, Latency: Fixed(3 * time.Millisecond)},
		{Latency: &Latency{Distribution: "uniform", Min: Duration(time.Second), Max: Duration(2 * time.Second)}, Probability: 0.5},
		{Method: "POST", Limit: &Limit{Rate: 2, Burst: 5, Per: "token"}, RetryAfterForm: "date"},
		{Path: "/api/rainbow/**", Lost: LostReset, Times: 3, Skip: 1, After: Duration(time.Minute), For: Duration(time.Hour)},
		{RowCode: 2003, Login: "a@b.example"},
		{Drift: &Drift{Member: "total", To: "string"}, ExtraMembers: 2},
	}
	list, err := translate(faults)
	if err != nil {
		t.Fatal(err)
	}
	for i := range faults {
		want, err := json.Marshal(faults[i])
		if err != nil {
			t.Fatal(err)
		}
		if got, err := json.Marshal(list[i]); err != nil || string(got) != string(want) {
			t.Errorf("fault %d: %s, %v, want %s", i, got, err, want)
		}
	}
	if list, err := translate([]Fault{{Cut: "somehow"}}); err == nil {
		t.Errorf("a cut that is none became %+v", list)
	}
}
