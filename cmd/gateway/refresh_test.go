package main

import (
	"bytes"
	"testing"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

func TestWhatIsRecordedIsCountedInWords(t *testing.T) {
	state := &syncv1.State{Name: "companies/c1/state"}
	for i, kind := range []syncv1.Kind{syncv1.Kind_KIND_USER, syncv1.Kind_KIND_DDI, syncv1.Kind_KIND_OPTIONS, syncv1.Kind_KIND_KEYS, syncv1.Kind_KIND_SETTINGS, syncv1.Kind_KIND_RELEASE} {
		state.Counts = append(state.Counts, &syncv1.KindCount{Kind: kind, Count: int32(i%2 + 1)})
	}
	var out bytes.Buffer
	showState(&out, state)
	if want := "Recorded 1 user, 2 DDIs, 1 options group, 2 key lists, 1 settings group of company c1.\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
