package manifest

import (
	"strings"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// What a row says of extensions of equipped PBXs: modes device and useranddevice.

// sync: the user exists with the values of the row, the empty ones cleared, and is paired with the filled extension or
// with none (mass provisioning guide, "synchronize with CSV data"). A column that the header does not have is left alone:
// what is not said of it is not guessed.
func (w *row) sync(u *bulksync.DesiredUser) {
	w.attributes(true)
	w.password()
	w.services()
	if p, ok := w.pairing(); ok {
		u.Pairings = bulksync.Having(p)
	} else if i := w.s.at[rolePbxShortNumber]; i >= 0 && w.s.t.cells[i].text == "" {
		u.Pairings = bulksync.Having[bulksync.Pairing]()
	}
}

// attach: the user, who exists, is paired with the extension of the row. Whether it is free (attach), or is taken from
// whoever has it (force_attach), is the planner's to know.
func (w *row) attach(u *bulksync.DesiredUser) {
	if p, ok := w.pairing(); ok {
		u.Pairings = bulksync.Having(p)
		return
	}
	i := w.s.at[rolePbxShortNumber]
	if i < 0 || w.s.t.cells[i].text == "" && !w.filled(rolePbxID) && !w.filled(rolePbxInternalNumber) && !w.filled(rolePbxNumber) {
		w.fault(max(i, 0), &problem{codeHalfPairing, u.Action + " names no extension: pbxShortNumber is empty", "fill pbxShortNumber with the extension to pair"})
	}
}

// filled tells whether the row has a value of a single column.
func (w *row) filled(as role) bool {
	i := w.s.at[as]
	return i >= 0 && w.s.t.cells[i].text != ""
}

// detach gives up what the row names. Without a column that tells the mode, nothing is named and the two meanings part:
// then something else of the manifest must tell it.
func (w *row) detach(u *bulksync.DesiredUser) {
	switch modes := *w.s.modes; {
	case modes&voiceMode == 0:
		w.detachPaired(u)
	case modes == voiceMode:
		w.detachVoice(u)
	default:
		if w.r.unclear == nil {
			at := w.s.t.position(w.s.t.cells[max(0, w.s.at[roleAction])].start)
			w.r.unclear = &at
		}
		w.detachPaired(u)
	}
}

// detachPaired: the user gives up the extension of the row, or every one when the row names none.
func (w *row) detachPaired(u *bulksync.DesiredUser) {
	number, ok := w.shortNumber(rolePbxShortNumber)
	if !ok {
		u.Pairings = bulksync.Without[bulksync.Pairing]()
		return
	}
	pbx, _ := w.free(rolePbxID)
	u.Pairings = bulksync.Without(bulksync.Pairing{PbxID: pbx, Number: number})
}

// pairing reads the four columns of an extension of an equipped PBX.
func (w *row) pairing() (bulksync.Pairing, bool) {
	number, ok := w.shortNumber(rolePbxShortNumber)
	pbx, hasPBX := w.free(rolePbxID)
	internal, hasInternal := w.free(rolePbxInternalNumber)
	public, hasPublic := w.free(rolePbxNumber)
	if ok {
		return bulksync.Pairing{PbxID: pbx, Number: number, InternalNumber: internal, PublicNumber: public}, true
	}
	if i := w.s.at[rolePbxShortNumber]; i >= 0 && w.s.t.cells[i].text != "" {
		return bulksync.Pairing{}, false // reported
	}
	for _, c := range []struct {
		filled bool
		as     role
	}{{hasPBX, rolePbxID}, {hasInternal, rolePbxInternalNumber}, {hasPublic, rolePbxNumber}} {
		if c.filled {
			i := w.s.at[c.as]
			w.fault(i, &problem{codeHalfPairing, "row fills " + w.s.columns[i].name + " and not pbxShortNumber",
				"fill pbxShortNumber with the extension to pair, or empty the columns of the PBX"})
			break
		}
	}
	return bulksync.Pairing{}, false
}

// free reads a cell of a pairing whose form is not documented.
func (w *row) free(as role) (string, bool) {
	text, i, ok := w.cell(as)
	if !ok {
		return "", false
	}
	what := w.s.columns[i].name
	check := (*values).id
	if as != rolePbxID {
		check = func(_ *values, s string) (string, *problem) { return strings.TrimSpace(s), damage(what, s) }
	}
	if text, ok = w.checked(i, text, check); ok {
		w.keep(i)
	}
	return text, ok
}
