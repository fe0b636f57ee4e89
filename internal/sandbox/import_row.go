package sandbox

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// rowRun is one row of an import while it is carried out.
type rowRun struct {
	w      *world
	job    *importJob
	sheet  *sheet
	cells  cellsByName
	by     *user // who asked for the import
	now    time.Time
	forced int // code of a fault rule the row must fail with, 0 for none
	result importRow
}

// fail marks the row as failed with a sentence; the places where upstream
// gives no code.
func (r *rowRun) fail(format string, args ...any) {
	r.result.Status = rowFailed
	r.result.ErrorMsg = fmt.Sprintf(format, args...)
}

// failCode marks the row as failed with a documented code on the row itself:
// device pairing. Where upstream places it is not documented.
func (r *rowRun) failCode(code int, pairs ...string) {
	r.result.Status = rowFailed
	r.result.ErrorCode = code
	r.result.ErrorMsg = rowMessage(code, pairs...)
}

// run carries the row out.
func (r *rowRun) run() {
	action, known := r.cells.action(r.job.Mode)
	r.result.Action = action
	login := r.cells["loginEmail"]
	switch {
	case !known:
		r.fail("__action__ %q is unknown in mode %s", action, r.job.Mode)
		return
	case !validLogin(login):
		r.fail("loginEmail %q is not a valid e-mail address", login)
		return
	}
	u := r.w.userByLogin(login)
	if u != nil {
		r.result.UserID = u.ID
		if u.CompanyID != r.job.CompanyID {
			r.fail("user %s belongs to another company", login)
			return
		}
	}
	switch action {
	case "create":
		r.create(u)
	case "delete":
		r.delete(u)
	case "upsert", "sync":
		r.upsert(u, action == "sync")
	default: // update, attach, force_attach, detach
		if u == nil {
			r.fail("user %s does not exist", login)
			return
		}
		r.change(u, action)
	}
}

func (r *rowRun) change(u *user, action string) {
	switch {
	case action == "update":
		r.saveUser(u, false)
	case action == "attach":
		r.pair(u, false)
	case action == "force_attach":
		r.pair(u, true)
	case r.job.Mode == modeRainbowVoice:
		r.detachVoice(u)
	default:
		r.unpair(u)
	}
}

// create refuses an existing user unless nostrict is set: then nothing is
// changed, and the row has a warning.
func (r *rowRun) create(u *user) {
	switch {
	case u == nil:
		r.saveUser(nil, false)
	case r.job.NoStrict:
		r.result.Warning = "user already exists"
	default:
		r.fail("user %s already exists", u.LoginEmail)
	}
}

func (r *rowRun) delete(u *user) {
	switch {
	case u != nil && u.ID == r.by.ID:
		r.fail("user %s cannot delete himself", u.LoginEmail)
	case u != nil:
		r.w.removeUser(u, r.by, r.now)
	case r.job.NoStrict:
		r.result.Warning = "user does not exist"
	default:
		r.fail("user %s does not exist", r.cells["loginEmail"])
	}
}

// upsert updates or creates the user, then his extension: paired number or
// subscriber, device and DDI. A faulty user part ends the row.
func (r *rowRun) upsert(u *user, sync bool) {
	u = r.saveUser(u, sync)
	if u == nil || r.result.Status == rowFailed {
		return
	}
	if r.job.Mode == modeRainbowVoice {
		r.attachVoice(u)
		return
	}
	filled := r.cells["pbxShortNumber"] != "" || r.cells["pbxInternalNumber"] != ""
	hasColumn := r.sheet.has("pbxShortNumber") || r.sheet.has("pbxInternalNumber")
	switch {
	case filled:
		r.pair(u, true)
	case sync && hasColumn:
		for _, id := range slices.Clone(r.w.numbersOfUser[u.ID]) {
			r.w.linkNumber(r.w.pbxNumbers.get(id), "")
		}
	}
}

// saveUser writes the user part of a row: the cells, then the licences. It
// answers the user as stored, nil when there is none.
func (r *rowRun) saveUser(u *user, sync bool) *user {
	next := &user{}
	if u == nil {
		next = r.w.newUser(r.job.CompanyID, r.cells["loginEmail"], r.by, r.now)
	} else {
		*next = *u
	}
	if err := r.applyCells(next, sync); err != nil {
		r.fail("%s", err)
		return u
	}
	if next.IsInitialized && next.InitializationDate == "" {
		next.InitializationDate = timestamp(r.now)
	}
	licenceErr := r.applyLicences(next)
	r.w.putUser(next, r.now)
	r.result.UserID = next.ID
	if licenceErr != nil {
		r.fail("%s", licenceErr)
	}
	return next
}

// applyLicences adds the company's active subscription of every service{n}
// that is filled; none is ever taken away.
func (r *rowRun) applyLicences(u *user) error {
	for _, c := range r.sheet.columns {
		name := r.cells[c.name]
		if c.family != "service" || name == "" {
			continue
		}
		p := r.w.activeSubscription(r.job.CompanyID, name)
		if p == nil {
			return fmt.Errorf("company %s has no active subscription of offer %q", r.job.CompanyID, name)
		}
		if u.holds(p.ID) || r.w.offers.get(p.OfferID).IsDefault {
			continue
		}
		if err := r.w.grant(u, p, r.now); err != nil {
			var fault *apiError
			if errors.As(err, &fault) {
				return fmt.Errorf("%v", fault.Details)
			}
			return err
		}
	}
	return nil
}
