package sandbox

import (
	"cmp"
	"slices"
)

// voiceParts are the three reports of a rainbowvoice row.
type voicePart int

const (
	partSubscriber voicePart = iota
	partDevice
	partDDI
)

// report writes the outcome of a part: code 0 is success.
func (r *rowRun) report(part voicePart, code int, pairs ...string) {
	p := &partReport{Status: rowSucceeded}
	if code != 0 {
		p = &partReport{Status: rowFailed, Code: code, Message: rowMessage(code, pairs...)}
		r.result.Status = rowFailed
	}
	switch part {
	case partSubscriber:
		r.result.Subscriber = p
	case partDevice:
		r.result.SipDevice = p
	case partDDI:
		r.result.Ddi = p
	}
}

// codesOf lists the codes that belong to a part, for fault rules.
func codesOf(part voicePart) []int {
	switch part {
	case partSubscriber:
		return []int{2001, 2002, 2003, 2004, 2005, 2006, 2018, 2019}
	case partDevice:
		return []int{2007, 2008, 2009, 2010, 2011, 2012, 2022}
	}
	return []int{2013, 2014, 2015, 2016, 2017, 2020, 2021}
}

// forcedPart fails a part with the code of a fault rule, if it has one.
func (r *rowRun) forcedPart(part voicePart, u *user) bool {
	if !slices.Contains(codesOf(part), r.forced) {
		return false
	}
	r.report(part, r.forced, "userId", u.ID, "companyId", r.job.CompanyID, "shortNumber", r.cells["shortNumber"],
		"requestedShortNumber", r.cells["shortNumber"], "realShortNumber", r.cells["shortNumber"],
		"macAddress", r.cells["macAddress"], "ddiE164Number", r.cells["ddiE164Number"], "systemId", CloudPbxID)
	return true
}

// attachVoice gives the user what the row fills, in the order subscriber, SIP
// device, DDI: the latter two need the first (2011, 2013).
func (r *rowRun) attachVoice(u *user) {
	if short := r.cells["shortNumber"]; short != "" && !r.forcedPart(partSubscriber, u) {
		code, pairs := r.attachSubscriber(u, short)
		r.report(partSubscriber, code, pairs...)
	}
	if mac := r.cells["macAddress"]; mac != "" && !r.forcedPart(partDevice, u) {
		code, pairs := r.attachDevice(u, mac)
		r.report(partDevice, code, pairs...)
	}
	if number := r.cells["ddiE164Number"]; number != "" && !r.forcedPart(partDDI, u) {
		code, pairs := r.attachDDI(u, number)
		r.report(partDDI, code, pairs...)
	}
}

// attachSubscriber creates the extension, or renumbers it in place: device and
// DDI stay, as nothing says otherwise.
func (r *rowRun) attachSubscriber(u *user, short string) (int, []string) {
	w, y := r.w, r.w.cloudPbxOf(r.job.CompanyID)
	pairs := []string{"userId", u.ID, "companyId", r.job.CompanyID, "shortNumber", short}
	b := w.subscriberOf(u.ID)
	switch {
	case y == nil:
		return 2001, pairs
	case !y.inPlan(short):
		return 2002, pairs
	case b != nil && b.ShortNumber == short:
		return 0, nil
	case len(w.numbersOfUser[u.ID]) > 0:
		return 2004, pairs
	case w.extensionTaken(y.ID, short):
		return 2003, pairs
	case b == nil:
		w.addSubscriber(y, u.ID, short, "", "", timestamp(r.now))
		return 0, nil
	}
	next := *b
	next.ShortNumber = short
	if b.Login == b.ShortNumber {
		next.Login = short
	}
	w.subscribers.put(&next)
	return 0, nil
}

func (r *rowRun) attachDevice(u *user, mac string) (int, []string) {
	w := r.w
	pairs := []string{"userId", u.ID, "companyId", r.job.CompanyID, "macAddress", mac}
	b := w.subscriberOf(u.ID)
	if b == nil {
		return 2011, pairs
	}
	v, code, pairs := r.findDevice(mac, pairs)
	if code != 0 {
		return code, pairs
	}
	own := w.devicesOfSubscriber[b.ID]
	switch {
	case v.SubscriberID == b.ID:
	case v.SubscriberID != "":
		return 2009, []string{"macAddress", mac, "userId", w.deviceOwner(v).UserID}
	case len(own) > 0:
		other := w.devices.get(own[0])
		return 2010, []string{"macAddress", cmp.Or(other.MacAddress, other.IPEI), "userId", u.ID}
	default:
		w.assignDevice(v, b.ID)
	}
	return 0, nil
}

// findDevice finds the device of a MAC address in the company: 2007 when there
// is none, 2008 when another company has it.
func (r *rowRun) findDevice(mac string, pairs []string) (*device, int, []string) {
	normal, ok := normalMAC(mac)
	v := r.w.deviceByMAC(normal)
	switch {
	case !ok || v == nil:
		return nil, 2007, pairs
	case v.CompanyID != r.job.CompanyID:
		return nil, 2008, pairs
	}
	return v, 0, pairs
}

// findDDI finds a DDI of the company.
func (r *rowRun) findDDI(number string) *ddi {
	e164, ok := toE164(number, r.w.companies.get(r.job.CompanyID).Country)
	n := r.w.ddis.get(r.w.ddiOfNumber[e164])
	if !ok || n == nil || n.CompanyID != r.job.CompanyID {
		return nil
	}
	return n
}

func (r *rowRun) attachDDI(u *user, number string) (int, []string) {
	w := r.w
	pairs := []string{"userId", u.ID, "ddiE164Number", number}
	n, own := r.findDDI(number), w.ddisOfUser[u.ID]
	switch {
	case w.subscriberOf(u.ID) == nil:
		return 2013, pairs
	case n == nil:
		return 2014, pairs
	case n.UserID == u.ID:
	case n.UserID != "" || n.heldByService():
		return 2015, []string{"ddiE164Number", number, "userId", cmp.Or(n.UserID, n.GroupID, n.IVRID, n.AutoAttendantID)}
	case len(own) > 0:
		return 2016, []string{"ddiE164Number", w.ddis.get(own[0]).NumberE164, "userId", u.ID}
	default:
		w.assignDDI(n, u.ID)
	}
	return 0, nil
}

// detachVoice takes from the user what the row fills; a filled shortNumber
// takes device and DDI along, even with their cells empty.
func (r *rowRun) detachVoice(u *user) {
	short, mac, number := r.cells["shortNumber"], r.cells["macAddress"], r.cells["ddiE164Number"]
	if short != "" || (mac == "" && number == "") {
		if !r.forcedPart(partSubscriber, u) {
			r.detachSubscriber(u, short)
		}
		return
	}
	if mac != "" && !r.forcedPart(partDevice, u) {
		code, pairs := r.detachDevice(u, mac)
		r.report(partDevice, code, pairs...)
	}
	if number != "" && !r.forcedPart(partDDI, u) {
		code, pairs := r.detachDDI(u, number)
		r.report(partDDI, code, pairs...)
	}
}

func (r *rowRun) detachSubscriber(u *user, short string) {
	b := r.w.subscriberOf(u.ID)
	switch {
	case short == "":
		r.report(partSubscriber, 2018, "userId", u.ID)
	case b == nil:
		r.report(partSubscriber, 2019, "userId", u.ID, "requestedShortNumber", short, "realShortNumber", "none")
	case b.ShortNumber != short:
		r.report(partSubscriber, 2019, "userId", u.ID, "requestedShortNumber", short, "realShortNumber", b.ShortNumber)
	default:
		hadDevice, hadDDI := len(r.w.devicesOfSubscriber[b.ID]) > 0, len(r.w.ddisOfUser[u.ID]) > 0
		r.w.deleteSubscriber(b)
		r.report(partSubscriber, 0)
		if hadDevice {
			r.report(partDevice, 0)
		}
		if hadDDI {
			r.report(partDDI, 0)
		}
	}
}

func (r *rowRun) detachDevice(u *user, mac string) (int, []string) {
	pairs := []string{"userId", u.ID, "companyId", r.job.CompanyID, "macAddress", mac}
	b := r.w.subscriberOf(u.ID)
	if b == nil {
		return 2011, pairs
	}
	v, code, pairs := r.findDevice(mac, pairs)
	switch {
	case code != 0:
		return code, pairs
	case v.SubscriberID == "":
		return 2022, pairs
	case v.SubscriberID != b.ID:
		return 2009, []string{"macAddress", mac, "userId", r.w.deviceOwner(v).UserID}
	}
	r.w.assignDevice(v, "")
	return 0, nil
}

func (r *rowRun) detachDDI(u *user, number string) (int, []string) {
	pairs := []string{"userId", u.ID, "ddiE164Number", number}
	n := r.findDDI(number)
	switch {
	case r.w.subscriberOf(u.ID) == nil:
		return 2020, pairs
	case n == nil:
		return 2014, pairs
	case n.UserID == "" && !n.heldByService():
		return 2021, pairs
	case n.UserID != u.ID:
		return 2015, []string{"ddiE164Number", number, "userId", cmp.Or(n.UserID, n.GroupID, n.IVRID, n.AutoAttendantID)}
	}
	r.w.assignDDI(n, "")
	return 0, nil
}
