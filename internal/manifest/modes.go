package manifest

import (
	"strings"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// modeSet is a set of modes.
type modeSet uint8

const (
	voiceMode modeSet = 1 << iota
	pairingMode
	anyMode = voiceMode | pairingMode
)

// mode is one of the forms of Rainbow's CSV: its columns are those of its set, its actions what a row may ask for.
type mode struct {
	name    string
	set     modeSet
	actions []action
}

// action is one word of __action__ and what it makes of a row.
type action struct {
	name     string
	presence bulksync.Presence
	read     func(*row, *bulksync.DesiredUser)
}

// modes are the ones that can be read. The first is what Export writes, too.
var modes = []mode{
	{name: "rainbowvoice", set: voiceMode, actions: []action{
		{"upsert", bulksync.Present, (*row).upsertVoice},
		{"detach", bulksync.Existing, (*row).detachVoice},
		{"delete", bulksync.Absent, (*row).nothing},
	}},
	{name: "useranddevice", set: pairingMode, actions: []action{
		{"upsert", bulksync.Present, (*row).upsertPaired},
		{"sync", bulksync.Present, (*row).syncPaired},
		{"detach", bulksync.Existing, (*row).detachPaired},
		{"delete", bulksync.Absent, (*row).nothing},
	}},
}

// elsewhere says what to write instead of an action that only another mode has.
var elsewhere = map[string]struct{ mode, instead string }{
	"create":       {"user", "write upsert: it creates the user when missing"},
	"update":       {"user", "write upsert: it updates the user with the cells that are filled"},
	"attach":       {"device", "write upsert with the extension's column filled"},
	"force_attach": {"device", "write upsert with the extension's column filled: it takes the extension from whoever has it"},
	"sync":         {"useranddevice", "write upsert, or use the columns of mode useranddevice"},
}

func findMode(name string) *mode {
	for i := range modes {
		if modes[i].name == name {
			return &modes[i]
		}
	}
	return nil
}

// Modes lists the modes that can be read and written.
func Modes() []string {
	names := make([]string, len(modes))
	for i := range modes {
		names[i] = modes[i].name
	}
	return names
}

// action finds an action by its exact name.
func (m *mode) action(name string) *action {
	for i := range m.actions {
		if m.actions[i].name == name {
			return &m.actions[i]
		}
	}
	return nil
}

// allowed lists the mode's actions in words: "upsert, detach or delete".
func (m *mode) allowed() string {
	names := make([]string, len(m.actions))
	for i := range m.actions {
		names[i] = m.actions[i].name
	}
	return orList(names)
}

// refuse says what is wrong with an action that the mode does not have.
func (m *mode) refuse(name string) *problem {
	message := "unknown action " + quote(name)
	if m.action(strings.ToLower(name)) != nil {
		return &problem{codeUnknownAction, message, "actions are in lower case: write " + strings.ToLower(name)}
	}
	if e, ok := elsewhere[name]; ok {
		return &problem{codeActionMode, "action " + quote(name) + " belongs to mode " + e.mode + ", this manifest is in mode " + m.name,
			e.instead}
	}
	hint := "mode " + m.name + " has " + m.allowed()
	names := make([]string, 0, len(m.actions))
	for i := range m.actions {
		names = append(names, m.actions[i].name)
	}
	if near := nearest(strings.ToLower(name), names); near != "" {
		hint = "did you mean " + near + "? " + hint
	}
	return &problem{codeUnknownAction, message, hint}
}

// name of the one mode in the set.
func (s modeSet) name() string {
	for i := range modes {
		if modes[i].set == s {
			return modes[i].name
		}
	}
	return "any"
}

// orList writes "a, b or c".
func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
