package sandbox

import (
	"maps"
	"slices"
	"testing"
)

// TestReadingAMemberLeavesTheOldValueAlone: a document shares lists and maps with the one that it replaces, and with the
// pictures that were taken of that.
func TestReadingAMemberLeavesTheOldValueAlone(t *testing.T) {
	tags, data := []string{"a", "b"}, map[string]any{"x": "old"}
	next := user{userDocument: userDocument{Tags: tags, CustomData: data}}
	o := &object{members: map[string]any{"tags": []any{"c"}, "customData": map[string]any{"x": "new", "y": "z"}}}
	if !o.decode("tags", &next.Tags) || !o.decode("customData", &next.CustomData) {
		t.Fatalf("not read: %v", o.fault())
	}
	if !slices.Equal(next.Tags, []string{"c"}) || len(next.CustomData) != 2 {
		t.Errorf("read %v and %v", next.Tags, next.CustomData)
	}
	if !slices.Equal(tags, []string{"a", "b"}) || !maps.Equal(data, map[string]any{"x": "old"}) {
		t.Errorf("the document of before now has %v and %v", tags, data)
	}
}
