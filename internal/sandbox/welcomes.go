package sandbox

import (
	"cmp"
	"strings"
	"time"
)

// ivr is a welcome (deprecated: hours and prompts) or a welcome service, which
// answers a DDI and follows the hours of a welcome or of a company calendar.
type ivr struct {
	ID         string       `json:"id"`
	SystemID   string       `json:"systemId"`
	Name       string       `json:"name"`
	Timezone   string       `json:"timezone"`
	IsWelcome  bool         `json:"isWelcome,omitempty"`
	IsDefault  bool         `json:"isDefaultIvr"`
	Hours      *officeHours `json:"officehours,omitempty"` // of welcomes
	WelcomeID  string       `json:"welcomeId,omitempty"`
	CalendarID string       `json:"companyCalendarId,omitempty"`
	DDI        string       `json:"externalNumberId,omitempty"`
	Open       *destination `json:"openHoursOverflow,omitempty"`
	Closed     *destination `json:"closedHoursOverflow,omitempty"`
	Manual     *manualMode  `json:"manualMode,omitempty"` // nil: mode default
}

// destination is where the calls of a welcome service go.
type destination struct {
	Type          string `json:"type"`
	DestinationID string `json:"destinationId,omitempty"`
	Number        string `json:"number,omitempty"`
}

// manualMode opens or closes a service by hand, for a time. No operation sets
// it; the seed has one.
type manualMode struct {
	Mode      string `json:"mode"` // default, open or closed
	StartDate string `json:"startDate,omitempty"`
	EndDate   string `json:"endDate,omitempty"`
}

// manualLayout is how the dates of a manual mode are written (GetWelcome).
const manualLayout = "2006-01-02 15:04:05.000Z"

func (m *manualMode) inForce(now time.Time) bool {
	if m == nil || m.Mode == "default" {
		return false
	}
	text := now.UTC().Format(manualLayout)
	return (m.StartDate == "" || m.StartDate <= text) && (m.EndDate == "" || text < m.EndDate)
}

// welcomeService answers a welcome service of a system, nil for none.
func (w *world) welcomeService(systemID, id string) *ivr {
	if i := w.ivrs.get(id); i != nil && i.SystemID == systemID && !i.IsWelcome {
		return i
	}
	return nil
}

// welcome answers a welcome of a system, nil for none.
func (w *world) welcome(systemID, id string) *ivr {
	if i := w.ivrs.get(id); i != nil && i.SystemID == systemID && i.IsWelcome {
		return i
	}
	return nil
}

// calendarName answers the name of a company calendar. Calendars belong to the
// admin portal and are left out, but for one of the sandbox company, which
// welcome services can follow.
func calendarName(companyID, id string) (name string, ok bool) {
	if companyID == CompanyID && id == seedID(idOther, 19) {
		return "Business hours", true
	}
	return "", false
}

// state is open or closed: by hand, else by the calendar or the welcome that
// is followed, else open.
func (w *world) state(i *ivr, now time.Time) string {
	open := true
	switch {
	case i.Manual.inForce(now):
		open = i.Manual.Mode == "open"
	case i.IsWelcome:
		open = i.Hours.open(inZone(now, i.Timezone))
	case i.CalendarID != "":
		open = defaultHours().open(inZone(now, i.Timezone))
	default:
		if followed := w.welcome(i.SystemID, i.WelcomeID); followed != nil {
			open = followed.Hours.open(inZone(now, followed.Timezone))
		}
	}
	if open {
		return "open"
	}
	return "closed"
}

// inZone is the local time; a machine without time zones counts in UTC.
func inZone(now time.Time, zone string) time.Time {
	place, err := time.LoadLocation(zone)
	if err != nil {
		return now.UTC()
	}
	return now.In(place)
}

// manualView is a manual mode as it is answered; dates are null in mode
// default.
type manualView struct {
	Name      string  `json:"name,omitempty"`
	ID        string  `json:"id,omitempty"`
	Mode      string  `json:"mode"`
	StartDate *string `json:"startDate"`
	EndDate   *string `json:"endDate"`
}

func (i *ivr) manualDocument() manualView {
	if i.Manual == nil {
		return manualView{Mode: "default"}
	}
	return manualView{Mode: i.Manual.Mode, StartDate: orNull(i.Manual.StartDate), EndDate: orNull(i.Manual.EndDate)}
}

// listedWelcome is a welcome as ListWelcomes shows it.
type listedWelcome struct {
	ID        string `json:"id"`
	SystemID  string `json:"systemId"`
	IsDefault bool   `json:"isDefaultIvr"`
	Name      string `json:"name"`
	Timezone  string `json:"timezone"`
	State     string `json:"state"`
}

// welcomeView is a welcome as the answers about one show it.
type welcomeView struct {
	listedWelcome
	Manual   manualView   `json:"manualMode"`
	Services []manualView `json:"welcomeServicesManualMode"`
}

func (w *world) listedWelcome(i *ivr, now time.Time) listedWelcome {
	return listedWelcome{ID: i.ID, SystemID: i.SystemID, IsDefault: i.IsDefault, Name: i.Name, Timezone: i.Timezone, State: w.state(i, now)}
}

func (w *world) welcomeDocument(i *ivr, now time.Time) welcomeView {
	v := welcomeView{listedWelcome: w.listedWelcome(i, now), Manual: i.manualDocument(), Services: []manualView{}}
	for _, s := range w.ivrs.all() {
		if s.WelcomeID == i.ID {
			mode := s.manualDocument()
			mode.Name, mode.ID = s.Name, s.ID
			v.Services = append(v.Services, mode)
		}
	}
	return v
}

// destinationView is a destination as it is answered. Name is null when the
// destination is gone; the members with a prefix stand in lists only.
type destinationView struct {
	Type            string `json:"type"`
	DestinationID   string `json:"destinationId,omitempty"`
	Name            any    `json:"name,omitempty"`
	Number          string `json:"number,omitempty"`
	UserDisplayName string `json:"userDisplayName,omitempty"`
	UserID          string `json:"userId,omitempty"`
	AttendantName   string `json:"rvcpAutoAttendantName,omitempty"`
	AttendantID     string `json:"rvcpAutoAttendantId,omitempty"`
	GroupID         string `json:"rvcpGroupId,omitempty"`
}

func (w *world) destinationDocument(systemID string, o *destination, listed bool) *destinationView {
	if o == nil {
		return nil
	}
	v := &destinationView{Type: o.Type, DestinationID: o.DestinationID, Number: o.Number}
	name, ok := "", false
	switch o.Type {
	case "user":
		if b := w.subscriberOf(o.DestinationID); b != nil && b.SystemID == systemID {
			name, ok = w.displayNameOf(o.DestinationID), true
			v.Number = b.ShortNumber
		}
	case "group":
		if g := w.group(o.DestinationID); g != nil && g.SystemID == systemID {
			name, ok = g.Name, true
			v.Number = g.ShortNumber
		}
	case "auto_attendant":
		if a := w.attendant(systemID, o.DestinationID); a != nil {
			name, ok = a.Name, true
		}
	default:
		return v
	}
	v.Name = nameOrNull(name, ok)
	if !listed {
		return v
	}
	switch o.Type {
	case "user":
		v.UserDisplayName, v.UserID = name, o.DestinationID
	case "group":
		v.GroupID = o.DestinationID
	case "auto_attendant":
		v.AttendantName, v.AttendantID = name, o.DestinationID
	}
	return v
}

// listedService is a welcome service as ListWelcomeServices shows it.
type listedService struct {
	ID               string           `json:"id"`
	SystemID         string           `json:"systemId"`
	Name             string           `json:"name"`
	ExternalNumber   string           `json:"externalNumber,omitempty"`
	ExternalNumberID string           `json:"externalNumberId,omitempty"`
	Timezone         string           `json:"timezone"`
	Closed           *destinationView `json:"closedHoursOverflow,omitempty"`
	Open             *destinationView `json:"openHoursOverflow,omitempty"`
}

// serviceView is a welcome service as the answers about one show it.
type serviceView struct {
	listedService
	WelcomeID    string     `json:"welcomeId,omitempty"`
	WelcomeName  string     `json:"welcomeName,omitempty"`
	CalendarID   string     `json:"companyCalendarId,omitempty"`
	CalendarName string     `json:"companyCalendarName,omitempty"`
	AttendantID  *string    `json:"rvcpAutoAttendantId"`
	IsDefault    bool       `json:"isDefaultIvr"`
	State        string     `json:"state"`
	Manual       manualView `json:"manualMode"`
}

func (w *world) listedService(i *ivr, listed bool) listedService {
	v := listedService{
		ID: i.ID, SystemID: i.SystemID, Name: i.Name, Timezone: i.Timezone,
		Closed: w.destinationDocument(i.SystemID, i.Closed, listed), Open: w.destinationDocument(i.SystemID, i.Open, listed),
	}
	if n := w.ddis.get(i.DDI); n != nil {
		v.ExternalNumber, v.ExternalNumberID = n.NumberE164, n.ID
	}
	return v
}

func (w *world) serviceDocument(i *ivr, now time.Time) serviceView {
	v := serviceView{
		listedService: w.listedService(i, false), WelcomeID: i.WelcomeID, CalendarID: i.CalendarID, IsDefault: i.IsDefault,
		State: w.state(i, now), Manual: i.manualDocument(),
	}
	if followed := w.welcome(i.SystemID, i.WelcomeID); followed != nil {
		v.WelcomeName = followed.Name
	}
	v.CalendarName, _ = calendarName(w.systems.get(i.SystemID).CompanyID, i.CalendarID)
	if i.Open != nil && i.Open.Type == "auto_attendant" {
		v.AttendantID = orNull(i.Open.DestinationID)
	}
	return v
}

// linkDDI gives a DDI to a welcome service and takes its former one away; an
// empty id only takes.
func (w *world) linkDDI(i *ivr, ddiID string) {
	if former := w.ddis.get(i.DDI); former != nil && former.ID != ddiID {
		next := *former
		next.IVRID, next.WelcomeName = "", ""
		w.ddis.put(&next)
	}
	i.DDI = ddiID
	if n := w.ddis.get(ddiID); n != nil {
		next := *n
		next.IVRID, next.WelcomeName = i.ID, i.Name
		w.ddis.put(&next)
	}
}

// nameContains is the filter on a part of a name.
func nameContains(word, name string) bool {
	return strings.Contains(strings.ToLower(name), strings.ToLower(word))
}

func compareIVRs(a, b *ivr) int {
	return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.ID, b.ID))
}
