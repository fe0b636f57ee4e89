package rainbow

import (
	"slices"
	"testing"

	rvcpprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
)

func yes() *bool { b := true; return &b }
func no() *bool  { b := false; return &b }

// TestWhatAnAnswerLeavesOutDeniesNothing: plans are refused for what upstream says, not for what it leaves out.
func TestWhatAnAnswerLeavesOutDeniesNothing(t *testing.T) {
	twenty := int32(20)
	model := func(change func(*rvcpprovisioningv1.DeviceModel)) *rvcpprovisioningv1.DeviceModel {
		m := &rvcpprovisioningv1.DeviceModel{ProgrammableKeys: &twenty, CanSpeeddial: yes(), CanMonitor: no(), CanForward: yes(), HasHeadset: no(), HasAudioHub: no(), HasProgKeyHg: no(),
			SupportedModules: []*rvcpprovisioningv1.SupportedDeviceModule{{ProgrammableKeys: &twenty}, {ProgrammableKeys: &twenty}}}
		change(m)
		return m
	}
	for _, tt := range []struct {
		name      string
		model     *rvcpprovisioningv1.DeviceModel
		types     []string
		onModules []int
	}{
		{"all is said", model(func(*rvcpprovisioningv1.DeviceModel) {}), []string{"speeddial", "forward"}, []int{20, 20}},
		{"flags are missing", model(func(m *rvcpprovisioningv1.DeviceModel) { m.HasProgKeyHg, m.CanMonitor = nil, nil }), []string{"speeddial", "monitor", "forward", "huntgroup"}, []int{20, 20}},
		{"a module does not say", model(func(m *rvcpprovisioningv1.DeviceModel) { m.SupportedModules[0].ProgrammableKeys = nil }), []string{"speeddial", "forward"}, nil},
	} {
		if keys := modelKeys(tt.model); keys == nil || !slices.Equal(keys.Types, tt.types) || !slices.Equal(keys.OnModules, tt.onModules) {
			t.Errorf("%s: got %+v, want %q and %v", tt.name, keys, tt.types, tt.onModules)
		}
	}
	for _, m := range []*rvcpprovisioningv1.DeviceModel{{}, {CanSpeeddial: no()}, {ProgrammableKeys: &twenty}} {
		if keys := modelKeys(m); keys != nil {
			t.Errorf("of a model that says nothing of keys: %+v", keys)
		}
	}
	if ids := groupIDs(&rvcpprovisioningv1.NumberingPlan{}); ids != nil {
		t.Errorf("without numbers in use: groups %q, want that they are not known", ids)
	}
	if ids := groupIDs(&rvcpprovisioningv1.NumberingPlan{AllocatedNumbers: &rvcpprovisioningv1.AllocatedNumbers{}}); ids == nil {
		t.Error("without groups among the numbers in use: want that there are none")
	}
}
