package sandbox

import (
	"net/http"
	"slices"
)

// Types and distribution policies of groups.
const (
	huntingGroup = "hunting_group"
	callQueue    = "call_queue"

	parallelPolicy = "parallel"
	serialPolicy   = "serial"
)

func groupRoutes() []route {
	const one = "/rvcpprovisioning/v1.0/cloudpbxs/{systemId}/groups/{groupId}"
	const greetings = one + "/voicemail-greetings"
	return []route{
		{http.MethodGet, one + "/forwards", adminOnly, false, getGroupForwards},
		{http.MethodPut, one + "/forwards/{callForwardType}", adminOnly, true, updateGroupForward},
		{http.MethodGet, greetings, adminOnly, false, listVoicemailGreetings},
		{http.MethodPost, greetings, adminOnly, true, createVoicemailGreeting},
		{http.MethodGet, greetings + "/{greetingId}", adminOnly, false, getVoicemailGreeting},
		{http.MethodPut, greetings + "/{greetingId}", adminOnly, true, updateVoicemailGreeting},
		{http.MethodDelete, greetings + "/{greetingId}", adminOnly, true, deleteVoicemailGreeting},
	}
}

// group answers a hunting group or call queue, nil when the id is not one.
func (w *world) group(id string) *numberHolder {
	if h := w.holders.get(id); h != nil && h.Kind == "group" {
		return h
	}
	return nil
}

// groupOfNumber answers the group whose dedicated subscriber has the phone
// number id, nil for none. There are few holders.
func (w *world) groupOfNumber(phoneNumberID string) *numberHolder {
	if phoneNumberID == "" {
		return nil
	}
	for _, h := range w.holders.rows {
		if h.Kind == "group" && h.PhoneNumberID == phoneNumberID {
			return h
		}
	}
	return nil
}

// group answers the {groupId} of the path.
func (c *call) group(w *world) (*system, *numberHolder, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, nil, err
	}
	id, err := c.id("groupId")
	if err != nil {
		return nil, nil, err
	}
	g := w.group(id)
	if g == nil || g.SystemID != y.ID {
		return nil, nil, notFound("Group with id %s does not exist.", id)
	}
	return y, g, nil
}

// holderName answers who has a short number: the user of an extension, a group
// or a device; ok is false when nobody has.
func (w *world) holderName(systemID, shortNumber string) (name string, ok bool) {
	id, ok := w.extensionHolder[systemID+"/"+shortNumber]
	if b := w.subscribers.get(id); b != nil {
		return w.displayNameOf(b.UserID), true
	}
	if h := w.holders.get(id); h != nil {
		return h.Name, true
	}
	return "", ok
}

// autoAttendant answers calls with a menu of keys. No operation makes one; the
// seed has it.
type autoAttendant struct {
	ID       string `json:"id"`
	SystemID string `json:"systemId"`
	Name     string `json:"name"`
	MenuID   string `json:"menuId"`
}

// attendant answers an auto attendant of a system, nil for none.
func (w *world) attendant(systemID, id string) *autoAttendant {
	if a := w.attendants.get(id); a != nil && a.SystemID == systemID {
		return a
	}
	return nil
}

// queue tells whether a group is a call queue.
func (h *numberHolder) queue() bool { return h.Type == callQueue }

// withForward answers a copy of the group with one forward replaced.
func (h *numberHolder) withForward(f groupForward) *numberHolder {
	next := *h
	next.Forwards = slices.DeleteFunc(slices.Clone(h.Forwards), func(other groupForward) bool { return other.Type == f.Type })
	next.Forwards = append(next.Forwards, f)
	return &next
}
