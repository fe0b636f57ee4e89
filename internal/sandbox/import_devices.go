package sandbox

import (
	"slices"
	"strconv"
)

// findNumber looks up the number of an equipped PBX that a row names: pbxId
// and pbxShortNumber designate one; without pbxId the company is searched.
// pbxInternalNumber stands in for an empty pbxShortNumber. It fails the row
// and answers nil when there is not exactly one.
func (r *rowRun) findNumber() *pbxNumber {
	w, pbxID := r.w, r.cells["pbxId"]
	wanted, of := r.cells["pbxShortNumber"], func(n *pbxNumber) string { return n.ShortNumber }
	if wanted == "" {
		wanted, of = r.cells["pbxInternalNumber"], func(n *pbxNumber) string { return n.InternalNumber }
	}
	var pbxs []*system
	for _, y := range w.companySystems(r.job.CompanyID) {
		if y.Type == typeEquippedPBX && (pbxID == "" || y.PbxID == pbxID) {
			pbxs = append(pbxs, y)
		}
	}
	pairs := []string{"pbxId", pbxID, "shortNumber", wanted, "companyId", r.job.CompanyID}
	if len(pbxs) == 0 {
		code := 1004
		if pbxID == "" {
			code = 1006
		}
		r.failCode(code, pairs...)
		return nil
	}
	var found []*pbxNumber
	for _, y := range pbxs {
		for _, n := range systemPart(w.numbersByExt, y.ID, func(n *pbxNumber) string { return n.SystemID }) {
			if wanted != "" && of(n) == wanted {
				found = append(found, n)
			}
		}
	}
	switch {
	case len(found) == 1:
		return found[0]
	case pbxID != "":
		r.failCode(1003, pairs...)
	default:
		r.failCode(1005, append(pairs, "count", strconv.Itoa(len(found)))...)
	}
	return nil
}

// forcedPairing fails the row with the code of a fault rule, if it has one.
func (r *rowRun) forcedPairing(u *user) bool {
	if r.forced < 1001 || r.forced > 1012 {
		return false
	}
	r.failCode(r.forced, "pbxId", r.cells["pbxId"], "shortNumber", r.cells["pbxShortNumber"],
		"companyId", r.job.CompanyID, "userId", u.ID, "count", "0")
	return true
}

// pair links the row's number to the user. Forced, the number is taken from
// whoever has it, and another number of the user is given up (our reading:
// a synchronisation could not change an extension otherwise); else both are
// errors. A Cloud PBX subscriber cannot be paired.
func (r *rowRun) pair(u *user, force bool) {
	if r.forcedPairing(u) {
		return
	}
	n := r.findNumber()
	if n == nil {
		return
	}
	pairs := []string{"pbxId", n.PbxID, "shortNumber", n.ShortNumber, "userId", n.UserID}
	own := slices.Clone(r.w.numbersOfUser[u.ID])
	switch {
	case r.w.subscriberOf(u.ID) != nil:
		r.failCode(1009, pairs...)
	case force:
		for _, id := range own {
			if id != n.ID {
				r.w.linkNumber(r.w.pbxNumbers.get(id), "")
			}
		}
		r.link(n, u)
	case n.UserID != "" && n.UserID != u.ID:
		r.failCode(1008, pairs...)
	case len(own) > 0:
		other := r.w.pbxNumbers.get(own[0])
		r.failCode(1007, "pbxId", other.PbxID, "shortNumber", other.ShortNumber)
	default:
		r.link(n, u)
	}
}

// link pairs number and user; a filled cell number becomes the public number.
func (r *rowRun) link(n *pbxNumber, u *user) {
	next := *n
	next.UserID, next.IsMonitored = u.ID, true
	if number := r.cells["number"]; number != "" {
		e164, ok := toE164(number, n.Country)
		if !ok {
			r.failCode(1009, "pbxId", n.PbxID, "shortNumber", n.ShortNumber)
			return
		}
		next.Number, next.NumberE164 = number, e164
	}
	r.w.pbxNumbers.put(&next)
}

// unpair takes the user's number away: the one the row names, else his only
// one.
func (r *rowRun) unpair(u *user) {
	if r.forcedPairing(u) {
		return
	}
	own := slices.Clone(r.w.numbersOfUser[u.ID])
	short := r.cells["pbxShortNumber"]
	if short != "" && len(own) > 0 {
		for _, id := range own {
			if n := r.w.pbxNumbers.get(id); n.ShortNumber == short && (r.cells["pbxId"] == "" || r.cells["pbxId"] == n.PbxID) {
				r.w.linkNumber(n, "")
				return
			}
		}
		r.failCode(1012, "pbxId", r.cells["pbxId"], "shortNumber", short)
		return
	}
	switch len(own) {
	case 0:
		r.failCode(1010, "userId", u.ID)
	case 1:
		r.w.linkNumber(r.w.pbxNumbers.get(own[0]), "")
	default:
		r.failCode(1011, "userId", u.ID)
	}
}
