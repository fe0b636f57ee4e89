package sync

import (
	"slices"
	"strings"
)

// A spreadsheet that takes an extension for a number drops its leading zeros. The result looks right, so that only who
// knows the company's numbers can tell: where a number does not exist and one with zeros before it does, it was that one.
// It is named, and never put in place of what the manifest says.

// zerosLost is the sentence for a number that was probably longer.
func zerosLost(original string) string {
	return "leading zeros were probably lost, by a spreadsheet: write " + original + ", in a column that is formatted as text"
}

// lostInPlan gives the number of the numbering plan that n is without its leading zeros.
func lostInPlan(n Number, plan []Range) (Number, bool) {
	for longer := "0" + n; len(longer) <= 10; longer = "0" + longer {
		if slices.ContainsFunc(plan, func(r Range) bool { return r.Contains(longer) }) {
			return longer, true
		}
	}
	return "", false
}

// lostOnPBX gives the number of an equipped PBX that a pairing's is without its leading zeros.
func (p *planner) lostOnPBX(pairing Pairing) (Number, bool) {
	for longer := "0" + pairing.Number; len(longer) <= 10; longer = "0" + longer {
		for _, system := range p.company.Systems {
			if pairing.PbxID != "" && pairing.PbxID != system.PbxID {
				continue
			}
			if e := find[Extension](p.obs, ExtensionKey(system.PbxID, longer)); e != nil && e.Role == RolePairing {
				return longer, true
			}
		}
	}
	return "", false
}

// lostDDI gives the DDI that n is without its country code: what remains of a national number whose zero was lost.
func (p *planner) lostDDI(n E164) (E164, bool) {
	if p.ddis == nil {
		p.ddis = map[string]E164{}
		for r := range p.obs.Records(KindDDI) {
			digits := strings.TrimPrefix(r.Key().ID, "+")
			for code := 1; code <= 3 && len(digits)-code >= 7; code++ { // country codes have 1 to 3 digits (E.164)
				p.ddis[digits[code:]] = E164(r.Key().ID)
			}
		}
	}
	full, ok := p.ddis[strings.TrimPrefix(string(n), "+")]
	return full, ok
}
