package manifest

import (
	"math/bits"
	"slices"
	"strings"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// modeSet is a set of modes: the forms of Rainbow's CSV.
type modeSet uint8

const (
	voiceMode modeSet = 1 << iota
	pairingMode
	userMode
	deviceMode
	anyMode     = voiceMode | pairingMode | userMode | deviceMode
	peopleModes = voiceMode | pairingMode | userMode
)

// modeNames are Rainbow's words, in the order of the bits. The first is what Export writes unless told otherwise.
var modeNames = [...]string{"rainbowvoice", "useranddevice", "user", "device"}

// action is one word of __action__, the modes that have it and what it makes of a row.
type action struct {
	name     string
	modes    modeSet
	presence bulksync.Presence
	read     func(*row, *bulksync.DesiredUser)
	// instead says what to write in the modes that do not have it.
	instead string
}

// actions are those of all modes (mass provisioning guide, "Import CSV data" and "synchronize with CSV data"; Rainbow Node
// SDK, importRainbowVoiceUsersWithCSVdata).
var actions = []action{
	{"upsert", voiceMode | pairingMode, bulksync.Present, (*row).upsert, "write update, or create for a user who is missing"},
	{"sync", pairingMode, bulksync.Present, (*row).sync, "write upsert, or use the columns of mode useranddevice"},
	{"create", userMode, bulksync.Present, (*row).person, "write upsert: it creates the user when missing"},
	{"update", userMode, bulksync.Present, (*row).person, "write upsert: it updates the user with the cells that are filled"},
	{"attach", deviceMode, bulksync.Existing, (*row).attach, "write upsert with the extension's column filled"},
	{"force_attach", deviceMode, bulksync.Existing, (*row).attach, "write upsert with the extension's column filled: it takes the extension from whoever has it"},
	{"detach", voiceMode | pairingMode | deviceMode, bulksync.Existing, (*row).detach, "mode user knows no extensions: use the columns of another mode"},
	{"delete", voiceMode | pairingMode | userMode, bulksync.Absent, (*row).nothing, "mode device deletes no users: plan deletions as a manifest of mode user"},
}

// defaultAction is what mode user makes of a row without action ("create (by default)"); no other mode has a default.
const defaultAction = "create"

// findMode gives the mode of that name, or none.
func findMode(name string) modeSet {
	if i := slices.Index(modeNames[:], name); i >= 0 {
		return 1 << i
	}
	return 0
}

// Modes lists the modes of CSV that can be read and written.
func Modes() []string { return slices.Clone(modeNames[:]) }

// names lists the modes of the set.
func (s modeSet) names() []string {
	var names []string
	for i, name := range modeNames {
		if s&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// String names the modes in words: "useranddevice or rainbowvoice".
func (s modeSet) String() string { return orList(s.names()) }

// single tells whether one mode is left.
func (s modeSet) single() bool { return bits.OnesCount8(uint8(s)) == 1 }

// settled is the mode that a manifest is read in. What leaves several open means the same in all of them; then it is said
// to be of mode useranddevice.
func (s modeSet) settled() string {
	if !s.single() && s&pairingMode != 0 {
		s = pairingMode
	}
	return s.names()[0]
}

// findAction finds an action by its exact name.
func findAction(name string) *action {
	for i := range actions {
		if actions[i].name == name {
			return &actions[i]
		}
	}
	return nil
}

// actions lists the words that some mode of the set has.
func (s modeSet) actions() []string {
	var names []string
	for i := range actions {
		if actions[i].modes&s != 0 {
			names = append(names, actions[i].name)
		}
	}
	return names
}

// refuse says what is wrong with an action that none of the modes has.
func (s modeSet) refuse(name string) *problem {
	message := "unknown action " + quote(name)
	lower := strings.ToLower(name)
	if act := findAction(lower); act != nil && lower != name && act.modes&s != 0 {
		return &problem{codeUnknownAction, message, "actions are in lower case: write " + lower}
	}
	if act := findAction(name); act != nil {
		return &problem{codeActionMode, "action " + quote(name) + " belongs to mode " + act.modes.String() + ", this manifest is in mode " + s.String(),
			act.instead}
	}
	hint := "mode " + s.String() + " has " + orList(s.actions())
	if near := nearest(lower, s.actions()); near != "" {
		hint = "did you mean " + near + "? " + hint
	}
	return &problem{codeUnknownAction, message, hint}
}

// orList writes "a, b or c".
func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
