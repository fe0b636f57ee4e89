package manifest

import (
	"strings"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// The actions of mode useranddevice (mass provisioning guide, "synchronize with CSV data").

// upsertPaired: the user exists with the filled values and is paired with the filled extension; an empty one leaves the
// pairing alone.
func (w *row) upsertPaired(u *bulksync.DesiredUser) {
	w.attributes(false)
	w.password()
	w.services()
	if p, ok := w.pairing(); ok {
		u.Pairings = bulksync.Having(p)
	}
}

// syncPaired: the user exists with the values of the row, the empty ones cleared, and is paired with the filled
// extension or with none. A column that the header does not have is left alone: what is not said of it is not guessed.
func (w *row) syncPaired(u *bulksync.DesiredUser) {
	w.attributes(true)
	w.password()
	w.services()
	if p, ok := w.pairing(); ok {
		u.Pairings = bulksync.Having(p)
	} else if i := w.s.at[rolePbxShortNumber]; i >= 0 && w.s.t.cells[i].text == "" {
		u.Pairings = bulksync.Having[bulksync.Pairing]()
	}
}

// detachPaired: the user gives up the extension of the row, or every one when the row names none.
func (w *row) detachPaired(u *bulksync.DesiredUser) {
	if w.s.guessed {
		if !w.s.asked {
			w.s.asked = true
			w.fault(w.s.at[roleAction], &problem{codeAmbiguousMode,
				"detach means one thing in mode rainbowvoice and another in useranddevice, and no column tells the mode",
				"give the mode, or add the column shortNumber (rainbowvoice) or pbxShortNumber (useranddevice)"})
		}
		return
	}
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
	p := errorValue(text)
	if p == nil && as != rolePbxID {
		p = scientific(what, text)
	}
	if p != nil {
		w.fault(i, p)
		return "", false
	}
	w.keep(i)
	return strings.TrimSpace(text), true
}
