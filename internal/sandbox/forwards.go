package sandbox

import (
	"slices"
)

// The types of forwards of groups.
const (
	immediateForward = "immediate"
	overflowForward  = "overflow"
)

// groupForward is a forward of a group or call queue. On a hunting group it is
// that of the group's dedicated subscriber.
type groupForward struct {
	Type             string `json:"type"`
	Activate         bool   `json:"activate"`
	DestinationType  string `json:"destinationType,omitempty"`
	Number           string `json:"number,omitempty"`
	AutoAttendantID  string `json:"rvcpAutoAttendantId,omitempty"`
	WelcomeServiceID string `json:"welcomeServiceId,omitempty"`
	NoReplyDelay     int    `json:"noReplyDelay,omitempty"` // seconds
	Enable           *bool  `json:"enable,omitempty"`       // of call queues
	WhenEmpty        *bool  `json:"immediateOverflowWhenEmpty,omitempty"`
}

// forwardView is a forward as GetGroupForwards lists it. Name is null when the
// destination is gone: the forward should be removed then (guide).
type forwardView struct {
	groupForward
	Name any `json:"name,omitempty"`
}

// missing is a name that is answered as null.
type missing struct{}

// MarshalJSON writes null, where a nil name would be left out.
func (missing) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

func nameOrNull(name string, ok bool) any {
	if !ok {
		return missing{}
	}
	return name
}

func (w *world) forwardDocument(g *numberHolder, f groupForward) forwardView {
	view := forwardView{groupForward: f}
	if !f.Activate {
		return view
	}
	switch f.DestinationType {
	case "internalnumber":
		view.Name = nameOrNull(w.holderName(g.SystemID, f.Number))
	case "autoattendant":
		a := w.attendant(g.SystemID, f.AutoAttendantID)
		view.Name = nameOrNull(attendantName(a), a != nil)
	case "welcomeservice":
		i := w.welcomeService(g.SystemID, f.WelcomeServiceID)
		view.Name = nameOrNull(ivrName(i), i != nil)
	}
	return view
}

// getGroupForwards answers GetGroupForwards: one entry of each type.
func getGroupForwards(w *world, c *call) (any, error) {
	_, g, err := c.group(w)
	if err != nil {
		return nil, err
	}
	forwards := []forwardView{}
	for _, kind := range []string{immediateForward, overflowForward} {
		f := groupForward{Type: kind}
		if i := slices.IndexFunc(g.Forwards, func(f groupForward) bool { return f.Type == kind }); i >= 0 {
			f = g.Forwards[i]
		}
		forwards = append(forwards, w.forwardDocument(g, f))
	}
	return data(map[string]any{"name": g.Name, "groupForwards": forwards}), nil
}

// updateGroupForward answers UpdateGroupForward: it sets or cancels one
// forward. A cancelled one loses its destination.
func updateGroupForward(w *world, c *call) (any, error) {
	y, g, err := c.group(w)
	if err != nil {
		return nil, err
	}
	f := groupForward{Type: c.path["callForwardType"]}
	o := c.object()
	switch {
	case f.Type != immediateForward && f.Type != overflowForward:
		o.bad("callForwardType", "callForwardType must be one of immediate, overflow", f.Type)
	case f.Type == immediateForward && g.queue():
		o.bad("callForwardType", "callForwardType immediate is not available for a call queue", f.Type)
	}
	if !o.has("activate") {
		o.bad("activate", "activate is required", nil)
	}
	o.boolean("activate", &f.Activate)
	f.readQueue(o, g)
	if f.Activate {
		f.readDestination(o, y.Country)
	}
	f.readDelay(o, g)
	if err := o.fault(); err != nil {
		return nil, err
	}
	if err := w.forwardTarget(g, f); err != nil {
		return nil, err
	}
	w.holders.put(g.withForward(f))
	return statusEnvelope{Status: "Call Forward successfully updated", Data: f}, nil
}

// readQueue reads the members that only the overflow of a call queue has.
// What enable and activate do together is lost in the guide: both are kept as
// they are sent.
func (f *groupForward) readQueue(o *object, g *numberHolder) {
	if g.queue() && f.Type == overflowForward {
		if !o.has("enable") {
			o.bad("enable", "enable is mandatory for the overflow of a call queue", nil)
		}
		f.Enable = o.flag("enable")
		f.WhenEmpty = o.flag("immediateOverflowWhenEmpty")
		return
	}
	for _, name := range []string{"enable", "immediateOverflowWhenEmpty"} {
		if o.has(name) {
			o.bad(name, name+" is only for the overflow of a call queue", o.members[name])
		}
	}
}

// flag answers a boolean member, nil when it is absent or wrong.
func (o *object) flag(name string) *bool {
	var v bool
	before := len(o.faults)
	o.boolean(name, &v)
	if !o.has(name) || len(o.faults) > before {
		return nil
	}
	return &v
}

func (f *groupForward) readDestination(o *object, country string) {
	o.require("destinationType")
	o.enum("destinationType", &f.DestinationType, "internalnumber", "externalnumber", "autoattendant", "voicemail", "welcomeservice")
	switch f.DestinationType {
	case "internalnumber":
		o.require("number")
		o.text("number", &f.Number)
	case "externalnumber":
		o.require("number")
		o.text("number", &f.Number)
		if _, ok := toE164(f.Number, country); f.Number != "" && !ok {
			o.bad("number", "number is not a valid phone number of country "+country, f.Number)
		}
	case "autoattendant":
		o.require("rvcpAutoAttendantId")
		o.text("rvcpAutoAttendantId", &f.AutoAttendantID)
	case "welcomeservice":
		o.require("welcomeServiceId")
		o.text("welcomeServiceId", &f.WelcomeServiceID)
	}
}

// readDelay reads noReplyDelay, which the overflow of a parallel hunting group
// and that of any call queue have; elsewhere it is ignored (ours).
func (f *groupForward) readDelay(o *object, g *numberHolder) {
	delay := 60
	o.between("noReplyDelay", &delay, 5, 180)
	if f.Activate && f.Type == overflowForward && (g.queue() || g.Policy == parallelPolicy) {
		f.NoReplyDelay = delay
	}
}

// forwardTarget refuses a destination that does not exist, or the group
// itself.
func (w *world) forwardTarget(g *numberHolder, f groupForward) error {
	switch f.DestinationType {
	case "internalnumber":
		if _, ok := w.holderName(g.SystemID, f.Number); !ok {
			return badParam("number", "number is not an internal number of the Cloud PBX", f.Number)
		}
		if f.Number == g.ShortNumber {
			return badParam("number", "number is that of the group itself", f.Number)
		}
	case "autoattendant":
		if w.attendant(g.SystemID, f.AutoAttendantID) == nil {
			return notFound("Auto attendant with id %s does not exist.", f.AutoAttendantID)
		}
	case "welcomeservice":
		if w.welcomeService(g.SystemID, f.WelcomeServiceID) == nil {
			return notFound("Welcome Service with id %s does not exist.", f.WelcomeServiceID)
		}
	}
	return nil
}

func attendantName(a *autoAttendant) string {
	if a == nil {
		return ""
	}
	return a.Name
}

func ivrName(i *ivr) string {
	if i == nil {
		return ""
	}
	return i.Name
}
