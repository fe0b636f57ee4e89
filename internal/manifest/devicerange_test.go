package manifest

import (
	"strings"
	"testing"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// TestRangesOfDevices: an entry with a count stands for devices whose addresses follow one another, and a pool takes spans of
// them, dashes within the addresses or not.
func TestRangesOfDevices(t *testing.T) {
	d, _, err := Read(t.Context(), []Source{{Name: "f.yaml", Reader: strings.NewReader(`version: 1
devices:
  - {macAddress: "02:00:00:aa:00:0e", count: 4, model: M5, description: Desk}
pools:
  devices:
    desk: {devices: [02-00-00-aa-00-0e - 02-00-00-aa-00-10, "02:00:00:aa:00:11"]}
`)}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, device := range d.Devices {
		if device.Model != "M5" || device.Description != "Desk" {
			t.Errorf("device %+v", device)
		}
		got = append(got, string(device.Address))
	}
	if want := "020000aa000e 020000aa000f 020000aa0010 020000aa0011"; strings.Join(got, " ") != want {
		t.Errorf("devices %q, want %s", got, want)
	}
	want := []bulksync.KeyRange{{First: "020000aa000e", Last: "020000aa0010"}, {First: "020000aa0011", Last: "020000aa0011"}}
	if len(d.Pools) != 1 || len(d.Pools[0].Ranges) != 2 || d.Pools[0].Ranges[0] != want[0] || d.Pools[0].Ranges[1] != want[1] {
		t.Errorf("pools %+v, want the ranges %v", d.Pools, want)
	}
}
