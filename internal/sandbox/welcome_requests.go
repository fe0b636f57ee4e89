package sandbox

import (
	"net/http"
	"slices"
)

func welcomeRoutes() []route {
	const ivrs = "/rvcpprovisioning/v1.0/cloudpbxs/{systemId}/ivrs"
	return []route{
		{http.MethodPut, ivrs + "/{ivrId}", adminOnly, true, updateIvr},
		{http.MethodDelete, ivrs + "/{ivrId}", adminOnly, true, deleteIvr},
		{http.MethodGet, ivrs + "/welcomes", adminOnly, false, listWelcomes},
		{http.MethodPost, ivrs + "/welcomes", adminOnly, true, createWelcome},
		{http.MethodGet, ivrs + "/welcomes/{ivrId}", adminOnly, false, getWelcome},
		{http.MethodGet, ivrs + "/welcomes/officehours/{ivrId}", adminOnly, false, getWelcomeOfficeHours},
		{http.MethodPut, ivrs + "/welcomes/officehours/{ivrId}", adminOnly, true, updateWelcomeOfficeHours},
		{http.MethodGet, ivrs + "/welcomeservices", adminOnly, false, listWelcomeServices},
		{http.MethodPost, ivrs + "/welcomeservices", adminOnly, true, createWelcomeService},
	}
}

// ivr answers the {ivrId} of the path: a welcome or a welcome service. Its
// form is not checked: the guide's example has the id 604.
func (c *call) ivr(w *world) (*system, *ivr, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, nil, err
	}
	i := w.ivrs.get(c.path["ivrId"])
	if i == nil || i.SystemID != y.ID {
		return nil, nil, notFound("Cloud PBX Welcome or Welcome Service with id %s does not exist.", c.path["ivrId"])
	}
	return y, i, nil
}

// welcome answers the {ivrId} of the path, which must be a welcome.
func (c *call) welcome(w *world) (*ivr, error) {
	_, i, err := c.ivr(w)
	if err == nil && !i.IsWelcome {
		err = notFound("Cloud PBX Welcome with id %s does not exist.", i.ID)
	}
	return i, err
}

// ivrsOf lists the welcomes or the services of a Cloud PBX by name.
func (w *world) ivrsOf(y *system, welcomes bool) []*ivr {
	list := filter(w.ivrs.all(), []func(*ivr) bool{
		func(i *ivr) bool { return i.SystemID == y.ID && i.IsWelcome == welcomes },
	})
	slices.SortFunc(list, compareIVRs)
	return list
}

// pagedIfAsked cuts a page only when limit and offset are both given; else the
// answer holds all, without limit, offset and total (guide).
func pagedIfAsked[V any](list []*ivr, q query, view func(*ivr) V) any {
	if q.text("limit") != "" && q.text("offset") != "" {
		return paged(list, q, view)
	}
	all := []V{}
	for _, i := range list {
		all = append(all, view(i))
	}
	return data(all)
}

func listWelcomes(w *world, c *call) (any, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, err
	}
	list := filter(w.ivrsOf(y, true), []func(*ivr) bool{func(i *ivr) bool { return nameContains(c.query.text("name"), i.Name) }})
	return pagedIfAsked(list, c.query, func(i *ivr) listedWelcome { return w.listedWelcome(i, c.now) }), nil
}

func listWelcomeServices(w *world, c *call) (any, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, err
	}
	view := func(i *ivr) listedService { return w.listedService(i, true) }
	number := c.query.text("externalNumber")
	list := filter(w.ivrsOf(y, false), []func(*ivr) bool{
		func(i *ivr) bool { return nameContains(c.query.text("name"), i.Name) },
		func(i *ivr) bool { return nameContains(number, view(i).ExternalNumber) },
	})
	return pagedIfAsked(list, c.query, view), nil
}

func getWelcome(w *world, c *call) (any, error) {
	i, err := c.welcome(w)
	if err != nil {
		return nil, err
	}
	return data(w.welcomeDocument(i, c.now)), nil
}

// createWelcome answers CreateWelcome: the hours are those of a week of
// offices (ours). The first of a Cloud PBX is its default.
func createWelcome(w *world, c *call) (any, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, err
	}
	i := &ivr{SystemID: y.ID, IsWelcome: true, IsDefault: len(w.ivrsOf(y, true)) == 0, Timezone: "Europe/Paris", Hours: defaultHours()}
	o := c.object()
	o.require("name")
	o.text("name", &i.Name)
	if err := o.fault(); err != nil {
		return nil, err
	}
	i.ID = w.newID(idOther)
	w.ivrs.put(i)
	return data(w.welcomeDocument(i, c.now)), nil
}

type hoursEnvelope struct {
	Status string       `json:"status,omitempty"`
	Hours  *officeHours `json:"officehours"`
}

func getWelcomeOfficeHours(w *world, c *call) (any, error) {
	i, err := c.welcome(w)
	if err != nil {
		return nil, err
	}
	return data(hoursEnvelope{Hours: i.Hours}), nil
}

// updateWelcomeOfficeHours answers UpdateWelcomeOfficeHours; the status stands
// inside data here.
func updateWelcomeOfficeHours(w *world, c *call) (any, error) {
	i, err := c.welcome(w)
	if err != nil {
		return nil, err
	}
	next := *i
	o := c.object()
	next.Hours = readHours(o, i.Hours)
	if err := o.fault(); err != nil {
		return nil, err
	}
	w.ivrs.put(&next)
	return data(hoursEnvelope{Status: "Welcome office hours successfully updated.", Hours: next.Hours}), nil
}

// createWelcomeService answers CreateWelcomeService.
func createWelcomeService(w *world, c *call) (any, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, err
	}
	i := &ivr{SystemID: y.ID, Timezone: "Europe/Paris"}
	o := c.object()
	o.require("name", "openHoursOverflow")
	o.text("name", &i.Name)
	o.text("companyCalendarId", &i.CalendarID)
	o.text("welcomeId", &i.WelcomeID)
	i.Open = readDestination(o, "openHoursOverflow")
	i.Closed = readDestination(o, "closedHoursOverflow")
	var number string
	o.text("externalNumberId", &number)
	if err := o.fault(); err != nil {
		return nil, err
	}
	if i.Closed == nil {
		i.Closed = &destination{Type: "closed_hours"}
	}
	if err := w.serviceTargets(y, i, number); err != nil {
		return nil, err
	}
	i.ID = w.newID(idOther)
	w.linkDDI(i, number)
	w.ivrs.put(i)
	return data(w.serviceDocument(i, c.now)), nil
}

// readDestination reads a destination. The guide shows the types user,
// auto_attendant, closed_hours and office_hours; group and external_number are
// ours.
func readDestination(o *object, name string) *destination {
	members, ok := o.members[name].(map[string]any)
	if !ok {
		if o.members[name] != nil {
			o.bad(name, name+" must be an object", o.members[name])
		}
		return nil
	}
	sub := &object{members: members}
	v := &destination{}
	types := []string{"user", "group", "auto_attendant", "external_number"}
	if name == "closedHoursOverflow" {
		types = append(types, "closed_hours", "office_hours")
	}
	sub.require("type")
	if members["type"] != nil {
		sub.enum("type", &v.Type, types...)
	}
	switch v.Type {
	case "user", "group", "auto_attendant":
		sub.require("destinationId")
		sub.text("destinationId", &v.DestinationID)
	case "external_number":
		sub.require("number")
		sub.text("number", &v.Number)
	}
	for _, fault := range sub.faults {
		o.bad(name+"."+fault.Param, fault.Msg, fault.Value)
	}
	return v
}

// serviceTargets refuses what a service cannot point to or follow, and a DDI
// that somebody else has.
func (w *world) serviceTargets(y *system, i *ivr, ddiID string) error {
	for _, o := range []*destination{i.Open, i.Closed} {
		if v := w.destinationDocument(y.ID, o, false); v != nil && v.Name == (missing{}) {
			return notFound("Destination %s of type %s does not exist.", o.DestinationID, o.Type)
		}
	}
	if i.WelcomeID != "" && w.welcome(y.ID, i.WelcomeID) == nil {
		return notFound("Cloud PBX Welcome with id %s does not exist.", i.WelcomeID)
	}
	if _, ok := calendarName(y.CompanyID, i.CalendarID); i.CalendarID != "" && !ok {
		return notFound("Company calendar with id %s does not exist.", i.CalendarID)
	}
	return w.freeForService(y, i, ddiID)
}

func (w *world) freeForService(y *system, i *ivr, ddiID string) error {
	if ddiID == "" {
		return nil
	}
	n := w.ddis.get(ddiID)
	switch {
	case n == nil || n.SystemID != y.ID:
		return notFound("DDI number with id %s does not exist.", ddiID)
	case n.UserID != "":
		return conflict(codeConflict, "DDI number %s is already assigned to user %s", n.ID, n.UserID)
	case n.IVRID == i.ID && i.ID != "":
		return nil
	case n.heldByService():
		return conflict(codeConflict, "DDI number %s is already assigned to a group or an IVR", n.ID)
	}
	return nil
}

// updateIvr answers UpdateIvr. A welcome has only a name to change; a DDI of
// null is taken away, an absent one stays.
func updateIvr(w *world, c *call) (any, error) {
	y, i, err := c.ivr(w)
	if err != nil {
		return nil, err
	}
	next := *i
	o := c.object()
	if o.text("name", &next.Name) && next.Name == "" {
		o.bad("name", "name cannot be empty", nil)
	}
	if i.IsWelcome {
		for _, name := range []string{"closedHoursOverflow", "externalNumberId", "welcomeId"} {
			if o.has(name) {
				o.bad(name, name+" is only for a welcome service", o.members[name])
			}
		}
		if err := o.fault(); err != nil {
			return nil, err
		}
		w.ivrs.put(&next)
		return data(w.welcomeDocument(&next, c.now)), nil
	}
	changed := &ivr{ID: i.ID, Closed: readDestination(o, "closedHoursOverflow")}
	if o.text("welcomeId", &changed.WelcomeID) {
		next.WelcomeID = changed.WelcomeID
	}
	if changed.Closed != nil {
		next.Closed = changed.Closed
	}
	number := i.DDI
	if n := w.ddis.get(number); n == nil || n.IVRID != i.ID {
		number = "" // the DDI was deleted
	}
	o.text("externalNumberId", &number)
	if err := o.fault(); err != nil {
		return nil, err
	}
	if err := w.serviceTargets(y, changed, number); err != nil {
		return nil, err
	}
	w.linkDDI(&next, number)
	w.ivrs.put(&next)
	return data(w.serviceDocument(&next, c.now)), nil
}

// deleteIvr answers DeleteIvr: the DDI goes free, the prompts are deleted. A
// welcome that services follow stays (ours).
func deleteIvr(w *world, c *call) (any, error) {
	_, i, err := c.ivr(w)
	if err != nil {
		return nil, err
	}
	for _, s := range w.ivrs.all() {
		if i.IsWelcome && s.WelcomeID == i.ID {
			return nil, conflict(codeConflict, "Welcome %s is followed by welcome service %s", i.ID, s.ID)
		}
	}
	gone := *i
	w.linkDDI(&gone, "")
	w.dropGreetings(i.ID)
	w.ivrs.remove(i.ID)
	return statusData("Cloud PBX Welcome or Welcome Service successfully deleted"), nil
}
