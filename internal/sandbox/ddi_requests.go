package sandbox

import (
	"net/http"
	"slices"
	"strconv"
)

func ddiRoutes() []route {
	const base = "/rvcpprovisioning/v1.0/cloudpbxs/{systemId}/phone-numbers/ddi"
	const one = base + "/{phoneNumberId}"
	return []route{
		{http.MethodGet, base, adminOnly, false, listDdis},
		{http.MethodPost, base, adminOnly, true, createDdi},
		{http.MethodDelete, one, adminOnly, true, deleteDdi},
		{http.MethodPost, one + "/default", adminOnly, true, setDefaultDdi},
		{http.MethodPost, one + "/users/{userId}", adminOnly, true, assignDdiToUser},
		{http.MethodDelete, one + "/users/{userId}", adminOnly, true, unassignDdiFromUser},
	}
}

// listDdis answers ListDdis. An absent filter differs from false, which keeps
// the unassigned ones.
func listDdis(w *world, c *call) (any, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, err
	}
	list := listOnce(w, c, func() []*ddi { return sortBy(c.query, filter(w.ddisOf(y.ID), ddiConditions(c.query)), w.ddiSortKeys()) })
	return paged(list, c.query, w.ddiDocument), nil
}

// ddiConditions are the filters of ListDdis.
func ddiConditions(q query) []func(*ddi) bool {
	keep := []func(*ddi) bool{
		flagFilter(q, "isAssignedToUser", func(n *ddi) bool { return n.UserID != "" }),
		flagFilter(q, "isAssignedToGroup", func(n *ddi) bool { return n.GroupID != "" }),
		flagFilter(q, "isAssignedToIVR", func(n *ddi) bool { return n.IVRID != "" }),
		flagFilter(q, "isAssignedToAutoAttendant", func(n *ddi) bool { return n.AutoAttendantID != "" }),
		flagFilter(q, "isAssigned", func(n *ddi) bool { return n.UserID != "" || n.heldByService() }),
	}
	if start := q.text("numberE164StartWith"); start != "" {
		keep = append(keep, func(n *ddi) bool { return hasPrefixPlus(n.NumberE164, start) })
	}
	return keep
}

func (w *world) ddiSortKeys() map[string]func(*ddi) string {
	return map[string]func(*ddi) string{
		"numberE164":      func(n *ddi) string { return n.NumberE164 },
		"creationDate":    func(n *ddi) string { return n.CreationDate },
		"userId":          func(n *ddi) string { return n.UserID },
		"userDisplayName": func(n *ddi) string { return w.displayNameOf(n.UserID) },
		"id":              func(n *ddi) string { return n.ID },
	}
}

// hasPrefixPlus compares prefixes of E.164 numbers; a plus sign that a client
// did not escape arrives as a blank.
func hasPrefixPlus(number, start string) bool {
	for len(start) > 0 && (start[0] == '+' || start[0] == ' ') {
		start = start[1:]
	}
	return len(number) > len(start) && number[1:1+len(start)] == start
}

func (w *world) displayNameOf(userID string) string {
	if u := w.users.get(userID); u != nil {
		return u.DisplayName
	}
	return ""
}

// createDdi answers CreateDdi. The first DDI of a Cloud PBX becomes its
// default and its installation number (vendor support article on DDIs).
func createDdi(w *world, c *call) (any, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, err
	}
	var number string
	b := c.object()
	b.require("number")
	b.text("number", &number)
	if err := b.fault(); err != nil {
		return nil, err
	}
	e164, ok := toE164(number, y.Country)
	if !ok {
		return nil, badParam("number", "number is not a valid phone number of country "+y.Country, number)
	}
	if w.ddiOfNumber[e164] != "" {
		return nil, conflict(codeConflict, "DDI number %s already exists", e164)
	}
	n := &ddi{
		ID: w.newID(idDDI), CompanyID: y.CompanyID, SystemID: y.ID, NumberE164: e164, Country: y.Country,
		Number: toNational(e164, y.Country), CreationDate: timestamp(c.now),
	}
	if len(w.ddisOf(y.ID)) == 0 {
		w.makeDefault(y, n)
	}
	w.ddis.put(n)
	return data(w.ddiDocument(n)), nil
}

// makeDefault marks n, not yet put, as the default of its Cloud PBX.
func (w *world) makeDefault(y *system, n *ddi) {
	n.IsDefault = true
	w.setCloud(y, map[string]any{"installationNumber": n.NumberE164, "installationNumberId": n.ID})
}

// deleteDdi answers DeleteDdi; the default DDI goes last.
func deleteDdi(w *world, c *call) (any, error) {
	y, n, err := c.ddi(w)
	if err != nil {
		return nil, err
	}
	if count := len(w.ddisOf(y.ID)); n.IsDefault && count > 1 {
		return nil, conflict(codeConflict,
			"DDI number %s is the default one and cannot be deleted while the Cloud PBX has %s other DDI", n.ID, strconv.Itoa(count-1))
	}
	w.ddis.remove(n.ID)
	if n.IsDefault {
		w.setCloud(y, map[string]any{"installationNumber": nil, "installationNumberId": nil})
	}
	return status("DDI number %s successfully deleted", n.ID), nil
}

// setDefaultDdi answers SetDefaultDdi; the flag leaves the former default.
func setDefaultDdi(w *world, c *call) (any, error) {
	y, n, err := c.ddi(w)
	if err != nil {
		return nil, err
	}
	for _, other := range slices.Clone(w.ddisOf(y.ID)) {
		if other.IsDefault && other.ID != n.ID {
			next := *other
			next.IsDefault = false
			w.ddis.put(&next)
		}
	}
	next := *n
	w.makeDefault(y, &next)
	w.ddis.put(&next)
	return data(w.ddiDocument(&next)), nil
}

// assignDdiToUser answers AssignDdiToUser. Assigning what the user already has
// changes nothing.
func assignDdiToUser(w *world, c *call) (any, error) {
	_, n, err := c.ddi(w)
	if err != nil {
		return nil, err
	}
	u, err := c.companyUser(w, "userId")
	if err != nil {
		return nil, err
	}
	switch {
	case n.UserID == u.ID:
		return data(w.ddiDocument(n)), nil
	case n.UserID != "":
		return nil, conflict(codeConflict, "DDI number %s is already assigned to user %s", n.ID, n.UserID)
	case n.heldByService():
		return nil, conflict(codeConflict, "DDI number %s is already assigned to a group or an IVR", n.ID)
	case w.subscriberOf(u.ID) == nil:
		return nil, badRequest("User %s is not a subscriber of the Cloud PBX %s", u.ID, n.SystemID)
	case len(w.ddisOfUser[u.ID]) >= maxDDIsOfUser:
		return nil, badRequest("User %s has already %d DDI numbers", u.ID, maxDDIsOfUser)
	}
	return data(w.ddiDocument(w.assignDDI(n, u.ID))), nil
}

// maxDDIsOfUser is the limit of a destination (vendor support article on DDIs).
const maxDDIsOfUser = 5

func unassignDdiFromUser(w *world, c *call) (any, error) {
	_, n, err := c.ddi(w)
	if err != nil {
		return nil, err
	}
	if userID := c.path["userId"]; n.UserID == "" || n.UserID != userID {
		return nil, notFound("DDI number %s is not assigned to user %s.", n.ID, userID)
	}
	return data(w.ddiDocument(w.assignDDI(n, ""))), nil
}
