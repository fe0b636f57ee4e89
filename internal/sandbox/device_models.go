package sandbox

import (
	"slices"
	"strconv"
	"strings"
)

// Model ids the guide names.
const (
	genericSIP = 999999
	dectModel  = 999998
)

// deviceModel is a phone a Cloud PBX supports.
type deviceModel struct {
	ID               int               `json:"id"`
	Vendor           string            `json:"vendor"`
	Model            string            `json:"model"`
	Category         string            `json:"category"`
	Range            string            `json:"range,omitempty"`
	ProgrammableKeys int               `json:"programmableKeys"`
	CanSpeedDial     bool              `json:"can_speeddial"`
	CanMonitor       bool              `json:"can_monitor"`
	CanForward       bool              `json:"can_forward"`
	HasHeadset       bool              `json:"has_headset"`
	HasAudioHub      bool              `json:"has_audioHub"`
	HasKeyHG         bool              `json:"has_progKeyHG"`
	HasKeyDND        bool              `json:"has_progKeyDND"`
	SoftKeyPages     int               `json:"nbOfSoftKeyPages,omitempty"`
	Modules          []supportedModule `json:"supportedModules,omitempty"`
	Keys             []any             `json:"keys,omitempty"`
}

type supportedModule struct {
	Type             string `json:"type"`
	ProgrammableKeys int    `json:"programmableKeys"`
	SoftKeyPages     int    `json:"nbOfSoftKeyPages"`
}

// deviceModels lists the models of the guide's sample, and the other Myriad
// phones that take modules (M3, M7, M8), whose ids are ours.
func deviceModels() []deviceModel {
	modules := []supportedModule{{"EM_20", 20, 1}, {"EM_200", 200, 10}}
	desk := func(id int, model string) deviceModel {
		return deviceModel{
			ID: id, Vendor: "ALE", Model: model, Category: "deskphone", Range: "cloud_edition", ProgrammableKeys: 6,
			CanSpeedDial: true, CanMonitor: true, SoftKeyPages: 1,
		}
	}
	myriad := func(id int, model string) deviceModel {
		return deviceModel{
			ID: id, Vendor: "ALE", Model: model, Category: "deskphone", Range: "myriad", ProgrammableKeys: 28,
			CanSpeedDial: true, CanMonitor: true, CanForward: true, HasHeadset: true, HasAudioHub: true, HasKeyHG: true,
			SoftKeyPages: 4, Modules: modules,
		}
	}
	return []deviceModel{
		desk(12, "8008"), desk(13, "8018"), myriad(22, "M3"), myriad(23, "M5"), myriad(24, "M7"), myriad(25, "M8"),
		{ID: genericSIP, Vendor: "ALE", Model: "Generic SIP", Category: "uncategorized"},
		{ID: dectModel, Vendor: "ALE", Model: "8214 DECT Handset", Category: "dectmobile"},
	}
}

func (m deviceModel) supports(moduleType string) bool {
	return slices.ContainsFunc(m.Modules, func(s supportedModule) bool { return s.Type == moduleType })
}

// categories answers the asked model categories; without any the default that
// hides DECT handsets, kept for old clients.
func categories(q query) []string {
	if asked := q.words("category"); len(asked) > 0 {
		return asked
	}
	return []string{"deskphone", "uncategorized"}
}

// model answers a device model by id.
func (w *world) model(id int) (deviceModel, bool) {
	i := slices.IndexFunc(w.models, func(m deviceModel) bool { return m.ID == id })
	if i < 0 {
		return deviceModel{}, false
	}
	return w.models[i], true
}

func listDeviceModels(w *world, c *call) (any, error) {
	if _, err := c.cloudPbx(w); err != nil {
		return nil, err
	}
	wanted, line := categories(c.query), c.query.text("range")
	list := []deviceModel{}
	for _, m := range w.models {
		if slices.Contains(wanted, m.Category) && (line == "" || strings.EqualFold(m.Range, line)) {
			list = append(list, m)
		}
	}
	return data(list), nil
}

// getDeviceModel answers an array that holds one model.
func getDeviceModel(w *world, c *call) (any, error) {
	if _, err := c.cloudPbx(w); err != nil {
		return nil, err
	}
	id, _ := strconv.Atoi(c.path["deviceModelId"])
	m, ok := w.model(id)
	if !ok {
		return nil, notFound("Device model with id %s does not exist.", c.path["deviceModelId"])
	}
	return data([]deviceModel{m}), nil
}
