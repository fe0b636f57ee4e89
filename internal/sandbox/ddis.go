package sandbox

import (
	"cmp"
	"slices"
	"strconv"
)

// ddi is a public number of a Cloud PBX. At most one of its holders is set.
type ddi struct {
	ID              string `json:"id"`
	CompanyID       string `json:"companyId"`
	SystemID        string `json:"systemId"`
	Number          string `json:"number"` // national form
	NumberE164      string `json:"numberE164"`
	Country         string `json:"country"`
	UserID          string `json:"userId,omitempty"`
	GroupID         string `json:"rvcpGroupId,omitempty"`
	IVRID           string `json:"rvcpIVRId,omitempty"`
	AutoAttendantID string `json:"rvcpAutoAttendantId,omitempty"`
	WelcomeName     string `json:"welcomeName,omitempty"`
	IsDefault       bool   `json:"isCloudPbxDefault"`
	CreationDate    string `json:"creationDate"`
}

func (w *world) wireDDIs() {
	w.ddiOfNumber = map[string]string{}
	w.ddisOfUser = map[string][]string{}
	w.ddisByNumber = &order[ddi]{compare: func(a, b *ddi) int {
		return cmp.Or(cmp.Compare(a.SystemID, b.SystemID), cmp.Compare(a.Number, b.Number), cmp.Compare(a.ID, b.ID))
	}}
	w.ddis.orders = []*order[ddi]{w.ddisByNumber}
	w.ddis.changed = func(prior, next *ddi) {
		if prior != nil {
			delete(w.ddiOfNumber, prior.NumberE164)
			unlink(w.ddisOfUser, prior.UserID, prior.ID)
		}
		if next != nil {
			w.ddiOfNumber[next.NumberE164] = next.ID
			link(w.ddisOfUser, next.UserID, next.ID)
		}
	}
}

// held tells whether a group, an IVR or an auto attendant has the DDI.
func (n *ddi) heldByService() bool {
	return n.GroupID != "" || n.IVRID != "" || n.AutoAttendantID != ""
}

func (w *world) assignDDI(n *ddi, userID string) *ddi {
	next := *n
	next.UserID = userID
	w.ddis.put(&next)
	return &next
}

func (w *world) freeDDIs(userID string) {
	for _, id := range slices.Clone(w.ddisOfUser[userID]) {
		w.assignDDI(w.ddis.get(id), "")
	}
}

// ddisOf lists the DDIs of a Cloud PBX by number.
func (w *world) ddisOf(systemID string) []*ddi {
	return systemPart(w.ddisByNumber, systemID, func(n *ddi) string { return n.SystemID })
}

// systemPart cuts the documents of one system out of an order that starts with
// the system's id.
func systemPart[T any](o *order[T], systemID string, of func(*T) string) []*T {
	at := func(target string) int {
		i, _ := slices.BinarySearchFunc(o.items, target, func(d *T, t string) int { return cmp.Compare(of(d), t) })
		return i
	}
	return o.items[at(systemID):at(systemID+"\x00")]
}

// ddiView is a DDI as it is answered. Members that upstream leaves out of some
// answers are nil there.
type ddiView struct {
	FirstName         string  `json:"firstName"`
	LastName          string  `json:"lastName"`
	DeviceName        string  `json:"deviceName"`
	Names             []any   `json:"names"`
	Type              string  `json:"type"`
	DeviceType        string  `json:"deviceType"`
	IsFromSystem      bool    `json:"isFromSystem"`
	IsVisibleByOthers bool    `json:"isVisibleByOthers"`
	IsMonitored       bool    `json:"isMonitored"`
	UserID            *string `json:"userId"`
	Number            string  `json:"number"`
	SystemID          string  `json:"systemId"`
	PbxID             string  `json:"pbxId"`
	ExternalTrunkID   string  `json:"externalTrunkId"`
	Country           string  `json:"country"`
	NumberE164        string  `json:"numberE164"`
	IsCloudPbxDefault bool    `json:"isCloudPbxDefault"`
	IsCloudPbxDDI     bool    `json:"isCloudPbxDDI"`
	CreationDate      string  `json:"creationDate"`
	ID                string  `json:"id"`
	*ddiHolder
	UserDisplayName string `json:"userDisplayName,omitempty"`
	WelcomeName     string `json:"welcomeName,omitempty"`
}

// ddiHolder carries the jid of the user and the ids of the services; the
// answers about a free DDI hold them as null in lists and leave the jid out
// elsewhere (the guide's samples).
type ddiHolder struct {
	JidIM           *string `json:"jid_im,omitempty"`
	JidPassword     *string `json:"jid_password,omitempty"`
	JidTel          *string `json:"jid_tel,omitempty"`
	GroupID         *string `json:"rvcpGroupId"`
	IVRID           *string `json:"rvcpIVRId"`
	AutoAttendantID *string `json:"rvcpAutoAttendantId"`
}

func (w *world) ddiDocument(n *ddi) ddiView {
	y := w.systems.get(n.SystemID)
	v := ddiView{
		DeviceName: ddiDeviceName, Names: []any{}, Type: "work", DeviceType: "landline", IsVisibleByOthers: true,
		UserID: orNull(n.UserID), Number: n.Number, SystemID: n.SystemID, PbxID: y.PbxID,
		ExternalTrunkID: asText(y.Cloud["externalTrunkId"]), Country: n.Country, NumberE164: n.NumberE164,
		IsCloudPbxDefault: n.IsDefault, IsCloudPbxDDI: true, CreationDate: n.CreationDate, ID: n.ID,
		ddiHolder: &ddiHolder{
			GroupID: orNull(n.GroupID), IVRID: orNull(n.IVRID), AutoAttendantID: orNull(n.AutoAttendantID),
		},
		WelcomeName: n.WelcomeName,
	}
	if u := w.users.get(n.UserID); u != nil {
		jid, tel, password := jidOf(u.ID), "tel_"+jidOf(u.ID), jidPassword(u.ID)
		v.JidIM, v.JidTel, v.JidPassword = &jid, &tel, &password
		v.UserDisplayName = u.DisplayName
	}
	return v
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// listDdis answers ListDdis. An absent filter differs from false, which keeps
// the unassigned ones.
func listDdis(w *world, c *call) (any, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, err
	}
	keep := []func(*ddi) bool{
		flagFilter(c.query, "isAssignedToUser", func(n *ddi) bool { return n.UserID != "" }),
		flagFilter(c.query, "isAssignedToGroup", func(n *ddi) bool { return n.GroupID != "" }),
		flagFilter(c.query, "isAssignedToIVR", func(n *ddi) bool { return n.IVRID != "" }),
		flagFilter(c.query, "isAssignedToAutoAttendant", func(n *ddi) bool { return n.AutoAttendantID != "" }),
		flagFilter(c.query, "isAssigned", func(n *ddi) bool { return n.UserID != "" || n.heldByService() }),
	}
	if start := c.query.text("numberE164StartWith"); start != "" {
		keep = append(keep, func(n *ddi) bool { return hasPrefixPlus(n.NumberE164, start) })
	}
	list := filter(w.ddisOf(y.ID), keep)
	list = sortBy(c.query, list, map[string]func(*ddi) string{
		"numberE164":      func(n *ddi) string { return n.NumberE164 },
		"creationDate":    func(n *ddi) string { return n.CreationDate },
		"userId":          func(n *ddi) string { return n.UserID },
		"userDisplayName": func(n *ddi) string { return w.displayNameOf(n.UserID) },
		"id":              func(n *ddi) string { return n.ID },
	})
	return paged(list, c.query, w.ddiDocument), nil
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
