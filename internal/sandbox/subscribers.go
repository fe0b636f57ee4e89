package sandbox

import (
	"cmp"
	"slices"
	"strings"
)

const (
	subscriberDeviceName = "RVCP Subscriber"
	ddiDeviceName        = "Cloud PBX DDI number"
)

// subscriber is the extension of a user on a Cloud PBX. Its id is its phone
// number id.
type subscriber struct {
	ID              string             `json:"id"`
	CompanyID       string             `json:"companyId"`
	SystemID        string             `json:"systemId"`
	UserID          string             `json:"userId"`
	ShortNumber     string             `json:"shortNumber"`
	Login           string             `json:"login"`    // SIP user name
	Password        string             `json:"password"` // of its SIP devices
	VoiceMailNumber string             `json:"voiceMailNumber"`
	CreationDate    string             `json:"creationDate"`
	Options         *subscriberOptions `json:"options,omitempty"` // nil: all as the company has it
}

// numberHolder is something other than a subscriber that takes a short number:
// a group or a device (GetCloudPbxNumberingPlan, allocatedNumbers).
type numberHolder struct {
	ID          string `json:"id"`
	SystemID    string `json:"systemId"`
	Kind        string `json:"kind"` // group or device
	Name        string `json:"name"`
	Type        string `json:"type,omitempty"`
	ShortNumber string `json:"shortNumber"`
	MacAddress  string `json:"macAddress,omitempty"`
	UserID      string `json:"userId,omitempty"`

	// Of groups only.
	PhoneNumberID string              `json:"phoneNumberId,omitempty"` // of the dedicated subscriber
	Policy        string              `json:"policy,omitempty"`        // of the distribution of calls
	Forwards      []groupForward      `json:"forwards,omitempty"`
	Voicemail     []voicemailGreeting `json:"voicemail,omitempty"`
}

func (w *world) wireSubscribers() {
	w.subscriberOfUser = map[string]string{}
	w.extensionHolder = map[string]string{}
	w.extensions = &order[subscriber]{compare: func(a, b *subscriber) int {
		return cmp.Or(cmp.Compare(a.SystemID, b.SystemID), cmp.Compare(a.ShortNumber, b.ShortNumber), cmp.Compare(a.ID, b.ID))
	}}
	w.subscribers.orders = []*order[subscriber]{w.extensions}
	w.subscribers.changed = func(prior, next *subscriber) {
		if prior != nil {
			delete(w.subscriberOfUser, prior.UserID)
			delete(w.extensionHolder, prior.SystemID+"/"+prior.ShortNumber)
		}
		if next != nil {
			w.subscriberOfUser[next.UserID] = next.ID
			w.extensionHolder[next.SystemID+"/"+next.ShortNumber] = next.ID
		}
	}
	w.holders.changed = func(prior, next *numberHolder) {
		if prior != nil {
			delete(w.extensionHolder, prior.SystemID+"/"+prior.ShortNumber)
		}
		if next != nil {
			w.extensionHolder[next.SystemID+"/"+next.ShortNumber] = next.ID
		}
	}
}

// subscriberOf answers the extension of a user, nil when he has none.
func (w *world) subscriberOf(userID string) *subscriber {
	return w.subscribers.get(w.subscriberOfUser[userID])
}

// extensionTaken tells whether a subscriber, a group or a device holds the
// short number.
func (w *world) extensionTaken(systemID, shortNumber string) bool {
	_, taken := w.extensionHolder[systemID+"/"+shortNumber]
	return taken
}

// addSubscriber makes the extension of a user; the caller has checked plan and
// uniqueness. An empty password is generated in the documented alphabet.
func (w *world) addSubscriber(y *system, userID, shortNumber, login, password string, created string) *subscriber {
	b := &subscriber{
		ID: w.newID(idSubscriber), CompanyID: y.CompanyID, SystemID: y.ID, UserID: userID, ShortNumber: shortNumber,
		Login: cmp.Or(login, shortNumber), Password: password, VoiceMailNumber: "voicebox", CreationDate: created,
	}
	if b.Password == "" {
		b.Password = token("sip", b.ID, 8)
	}
	w.subscribers.put(b)
	return b
}

// deleteSubscriber removes an extension: its SIP devices are freed, not
// deleted (DeleteSubscriber), the DDIs of its user go free, for a DDI needs a
// subscriber, and the greetings of its user are deleted.
func (w *world) deleteSubscriber(b *subscriber) {
	for _, id := range slices.Clone(w.devicesOfSubscriber[b.ID]) {
		w.assignDevice(w.devices.get(id), "")
	}
	w.freeDDIs(b.UserID)
	w.dropGreetings(b.UserID)
	w.subscribers.remove(b.ID)
}

// goodSipPassword is the SDK's rule: 8 to 12 of lower-case letters, digits, *
// and #.
func goodSipPassword(password string) bool {
	return len(password) >= 8 && len(password) <= 12 &&
		strings.Trim(password, "abcdefghijklmnopqrstuvwxyz0123456789*#") == ""
}
