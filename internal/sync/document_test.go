package sync

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// sameDocument holds what is written in pieces against json.Marshal, which stored hashes come from.
func sameDocument(t interface {
	Helper()
	Fatalf(string, ...any)
}, plan *Plan) {
	t.Helper()
	short := *plan
	short.Unchanged = nil
	want, err := json.Marshal(&short)
	if err != nil {
		t.Fatalf("%v", err)
	}
	var got bytes.Buffer
	if err := plan.WriteDocument(&got); err != nil || !bytes.Equal(got.Bytes(), want) {
		t.Fatalf("WriteDocument: %v\n%s\nwant\n%s", err, got.Bytes(), want)
	}
}

func TestAPlanInPiecesIsTheWholeDocument(t *testing.T) {
	full := fullPlan(plainly)
	for range 3 * itemsAtOnce { // more than are written at once
		full.Operations = append(full.Operations, full.Operations[0])
		full.Touched = append(full.Touched, Touch{Key: login(len(full.Touched)).Key(), Hash: "<&>"})
	}
	full.Undoes, full.Remarks, full.Doubtful, full.Seats = "run-1", Faults{{Message: "<"}}, []Doubt{{Why: `"operations":[]`}}, []Seats{{}}
	full.Outages, full.Owned, full.Policy.Lineage = []Outage{{}}, []Owner{{}}, `,"operations":[]}`
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Plan]()) {
		if reflect.ValueOf(*full).FieldByIndex(f.Index).IsZero() {
			t.Errorf("%s is not set: this test would not notice that it is left out", f.Name)
		}
	}
	sameDocument(t, full)
	sameDocument(t, &Plan{})
	sameDocument(t, &Plan{Operations: []Operation{}, Touched: []Touch{{}}})
	rapid.Check(t, func(t *rapid.T) {
		_, desired, plan := drawPlan(t)
		sameDocument(t, plan)
		var got bytes.Buffer
		want, err := json.Marshal(desired)
		if err := errors.Join(err, desired.writeDocument(&got)); err != nil || !bytes.Equal(got.Bytes(), want) {
			t.Fatalf("writeDocument: %v\n%s\nwant\n%s", err, got.Bytes(), want)
		}
	})
}

// TestADocumentThatCannotBeWritten tells why, and wants no more.
func TestADocumentThatCannotBeWritten(t *testing.T) {
	for room := range 3 {
		w := &fullDisk{room: room}
		if err := fullPlan(plainly).WriteDocument(w); !errors.Is(err, errFull) || w.refused != 1 {
			t.Errorf("after %d writes: %v, and %d more were tried; want one", room, err, w.refused)
		}
	}
}

var errFull = fmt.Errorf("no room is left")

type fullDisk struct{ room, refused int }

func (d *fullDisk) Write(b []byte) (int, error) {
	if d.room--; d.room < 0 {
		d.refused++
		return 0, errFull
	}
	return len(b), nil
}
