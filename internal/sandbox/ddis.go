package sandbox

import (
	"cmp"
	"slices"
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
