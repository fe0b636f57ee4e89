package state

import (
	"encoding/json"
	"testing"
	"time"

	jsonv2 "github.com/go-json-experiment/json"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// TestRunsWithDurationsAreReadAsTheyAreWritten: what encoding/json writes of a duration, the other reader must take.
func TestRunsWithDurationsAreReadAsTheyAreWritten(t *testing.T) {
	want := bulksync.Run{Name: "run-1", Options: bulksync.RunOption{Patience: -1}}
	want.Figures = bulksync.Figures{HeldBack: 1, Throttled: bulksync.MillisOf(time.Minute), Waited: bulksync.MillisOf(time.Hour), Paused: 3000, Limit: 4}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got bulksync.Run
	if err := jsonv2.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if got.Figures != want.Figures || got.Options != want.Options {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
