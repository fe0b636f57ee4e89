package sandbox

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

func recordingRoutes() []route {
	const pbx = "/rvcpprovisioning/v1.0/cloudpbxs/{systemId}"
	const one = pbx + "/recordings/{recordId}" // the id of a subscriber where recording is switched
	return []route{
		{http.MethodGet, pbx + "/recordings", adminOnly, false, listRecordings},
		{http.MethodDelete, pbx + "/recordings", adminOnly, true, deleteRecordings},
		{http.MethodGet, one, adminOnly, false, getRecording},
		{http.MethodDelete, one, adminOnly, true, deleteRecording},
		{http.MethodPut, one, adminOnly, true, updateSubscriberRecording},
		{http.MethodPut, pbx + "/recording-settings", adminOnly, true, updateRecordingSettings},
		{http.MethodGet, "/rvcpprovisioning/v1.0/recordings", adminOnly, false, listAllRecordings},
	}
}

// recordingProfiles are the values of a recording and of an announcement
// profile.
func recordingProfiles() []string { return []string{"all", "external_only", "internal_only", "none"} }

// recording is a recorded call. Its audio is generated when it is asked for.
type recording struct {
	ID        string `json:"id"`
	SystemID  string `json:"systemId"`
	CompanyID string `json:"companyId"`
	CallID    string `json:"callId"`
	Date      string `json:"date"`
	Duration  int    `json:"duration"` // seconds
	Direction string `json:"direction"`
	Other     party  `json:"otherParty"`
	Recorded  party  `json:"recordedParty"`
}

// party is one side of a recorded call; which members it has depends.
type party struct {
	GroupID       string `json:"groupId,omitempty"`
	UserID        string `json:"userId,omitempty"`
	PhoneNumberID string `json:"phoneNumberId,omitempty"`
	Name          string `json:"name,omitempty"`
	Number        string `json:"number,omitempty"`
}

// recordingView is a recording as it is answered; callId and companyId stand
// only in the list over all companies.
type recordingView struct {
	ID        string `json:"id"`
	FileName  string `json:"fileName"`
	Mime      string `json:"mime"`
	Size      int    `json:"size"` // bytes
	Date      string `json:"date"`
	Duration  int    `json:"duration"`
	Other     party  `json:"otherParty"`
	Recorded  party  `json:"recordedParty"`
	Direction string `json:"direction"`
	CallID    string `json:"callId,omitempty"`
	CompanyID string `json:"companyId,omitempty"`
}

const recordingMime = "audio/x-wav"

func recordingDocument(r *recording) recordingView {
	when, _ := time.Parse(time.RFC3339, r.Date)
	return recordingView{
		ID: r.ID, FileName: fmt.Sprintf("%s_%s_record.wav", when.Format("2006-01-02_15:04:05"), r.Recorded.Number), Mime: recordingMime,
		Size: toneSize(float64(r.Duration)), Date: r.Date, Duration: r.Duration, Other: r.Other, Recorded: r.Recorded, Direction: r.Direction,
	}
}

func recordingOfAll(r *recording) recordingView {
	v := recordingDocument(r)
	v.CallID, v.CompanyID = r.CallID, r.CompanyID
	return v
}

// recordedPbx answers the Cloud PBX of the path for a call that consults
// recordings: only an administrator of the end customer may (guide), so not
// its partner.
func (c *call) recordedPbx(w *world) (*system, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, err
	}
	if y.CompanyID != c.caller.CompanyID && !c.actsAs("superadmin", "organization_admin") {
		return nil, forbidden(codeNotInCharge, "Access denied: user %s is not administrator of company %s", c.caller.LoginEmail, y.CompanyID)
	}
	return y, nil
}

// recording answers the {recordId} of the path.
func (c *call) recording(w *world) (*recording, error) {
	y, err := c.recordedPbx(w)
	if err != nil {
		return nil, err
	}
	return w.recordingOf(y.ID, c.path["recordId"])
}

func (w *world) recordingOf(systemID, id string) (*recording, error) {
	r := w.recordings.get(id)
	if r == nil || r.SystemID != systemID {
		return nil, notFound("Record with id %s does not exist.", id)
	}
	return r, nil
}

// recordingConditions are the filters of both lists. The default order is the
// youngest first.
func recordingConditions(q query) ([]func(*recording) bool, error) {
	part := func(name string, property func(*recording) string) func(*recording) bool {
		word := strings.ToLower(q.text(name))
		if word == "" {
			return nil
		}
		return func(r *recording) bool { return strings.Contains(strings.ToLower(property(r)), word) }
	}
	conditions := []func(*recording) bool{
		equals(q, "phoneNumberId", func(r *recording) string { return r.Recorded.PhoneNumberID }),
		part("recordedName", func(r *recording) string { return r.Recorded.Name }),
		part("recordedNumber", func(r *recording) string { return r.Recorded.Number }),
		part("otherNumber", func(r *recording) string { return r.Other.Number }),
	}
	for name, keep := range map[string]func(date, bound string) bool{
		"fromDate": func(date, bound string) bool { return date > bound },
		"toDate":   func(date, bound string) bool { return date < bound },
	} {
		text := q.text(name)
		if text == "" {
			continue
		}
		when, err := parseDate(text)
		if err != nil {
			return nil, badParam(name, name+" must be a date and time of ISO 8601", text)
		}
		bound := timestamp(when)
		conditions = append(conditions, func(r *recording) bool { return keep(r.Date, bound) })
	}
	return conditions, nil
}

// parseDate reads a date with or without a time.
func parseDate(text string) (time.Time, error) {
	if when, err := time.Parse(time.RFC3339, text); err == nil {
		return when, nil
	}
	return time.Parse(time.DateOnly, text)
}

// recordingPage sorts and cuts a list; without sortOrder it is descending.
func recordingPage(q query, list []*recording, view func(*recording) recordingView) page {
	keys := map[string]func(*recording) string{
		"date":           func(r *recording) string { return r.Date },
		"duration":       func(r *recording) string { return fmt.Sprintf("%09d", r.Duration) },
		"size":           func(r *recording) string { return fmt.Sprintf("%09d", r.Duration) },
		"fileName":       func(r *recording) string { return recordingDocument(r).FileName },
		"direction":      func(r *recording) string { return r.Direction },
		"recordedName":   func(r *recording) string { return strings.ToLower(r.Recorded.Name) },
		"recordedNumber": func(r *recording) string { return r.Recorded.Number },
		"otherNumber":    func(r *recording) string { return r.Other.Number },
	}
	key := keys[cmp.Or(q.text("sortField"), "date")]
	if key == nil {
		key = keys["date"]
	}
	sign := q.number("sortOrder", -1)
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b *recording) int {
		order := cmp.Or(cmp.Compare(key(a), key(b)), cmp.Compare(a.ID, b.ID))
		if sign != 1 {
			return -order
		}
		return order
	})
	return paged(list, q, view)
}

func listRecordings(w *world, c *call) (any, error) {
	y, err := c.recordedPbx(w)
	if err != nil {
		return nil, err
	}
	conditions, err := recordingConditions(c.query)
	if err != nil {
		return nil, err
	}
	conditions = append(conditions, func(r *recording) bool { return r.SystemID == y.ID })
	return recordingPage(c.query, filter(w.recordings.all(), conditions), recordingDocument), nil
}

// listAllRecordings answers ListAllRecordings. The three lists of ids add up;
// blanks and commas separate (the guide does not say what does).
func listAllRecordings(w *world, c *call) (any, error) {
	if !c.actsAs("superadmin", "organization_admin") {
		return nil, forbidden(codeRoleMissing, "Access denied: user %s does not have required role(s) superadmin,organization_admin", c.caller.LoginEmail)
	}
	conditions, err := recordingConditions(c.query)
	if err != nil {
		return nil, err
	}
	systems, sites, companies := c.query.words("systemIds"), c.query.words("siteIds"), c.query.words("companyIds")
	scoped := len(systems)+len(sites)+len(companies) > 0
	filtered := slices.ContainsFunc(conditions, func(f func(*recording) bool) bool { return f != nil })
	if c.actsAs("superadmin") && !scoped && !filtered {
		return nil, badRequest("At least one filter is needed")
	}
	conditions = append(conditions, func(r *recording) bool {
		return c.actsAs("superadmin") || c.inCharge(r.CompanyID) == nil
	})
	if scoped {
		conditions = append(conditions, func(r *recording) bool {
			y := w.systems.get(r.SystemID)
			return slices.Contains(systems, r.SystemID) || slices.Contains(companies, r.CompanyID) ||
				slices.ContainsFunc(y.SiteID, func(site string) bool { return slices.Contains(sites, site) })
		})
	}
	return recordingPage(c.query, filter(w.recordings.all(), conditions), recordingOfAll), nil
}

// getRecording answers the descriptor, or the audio when Accept prefers it.
func getRecording(w *world, c *call) (any, error) {
	r, err := c.recording(w)
	if err != nil {
		return nil, err
	}
	if !wantsAudio(c.request.Header.Get("Accept")) {
		return data(recordingDocument(r)), nil
	}
	return audioAnswer(recordingMime, recordingDocument(r).FileName, tone(r.ID, float64(r.Duration))), nil
}

func deleteRecording(w *world, c *call) (any, error) {
	r, err := c.recording(w)
	if err != nil {
		return nil, err
	}
	w.recordings.remove(r.ID)
	return status("Record id %s successfully deleted", r.ID), nil
}

// deleteRecordings answers DeleteRecordings: all that are named, or none when
// one does not exist (ours).
func deleteRecordings(w *world, c *call) (any, error) {
	y, err := c.recordedPbx(w)
	if err != nil {
		return nil, err
	}
	ids := c.query.words("recordIds")
	if len(ids) == 0 {
		return nil, badParam("recordIds", "recordIds is required", nil)
	}
	for _, id := range ids {
		if _, err := w.recordingOf(y.ID, id); err != nil {
			return nil, err
		}
	}
	for _, id := range ids {
		w.recordings.remove(id)
	}
	return status("Records successfully deleted"), nil
}

// readProfile reads a mandatory profile of recording or announcement.
func (c *call) readProfile(name string) (string, error) {
	o := c.object()
	var profile string
	o.require(name)
	if o.members[name] != nil {
		o.enum(name, &profile, recordingProfiles()...)
	}
	return profile, o.fault()
}

// updateRecordingSettings answers UpdateRecordingSettings. The profile is kept
// with the Cloud PBX; no operation of the guide shows it.
func updateRecordingSettings(w *world, c *call) (any, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, err
	}
	profile, err := c.readProfile("announcementProfile")
	if err != nil {
		return nil, err
	}
	next := *y
	next.AnnouncementProfile = profile
	w.systems.put(&next)
	return status("Recording announcement profile successfully updated"), nil
}

// updateSubscriberRecording answers UpdateSubscriberRecording; GetSubscriber
// shows the profile.
func updateSubscriberRecording(w *world, c *call) (any, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, err
	}
	b := w.subscribers.get(c.path["recordId"])
	if b == nil || b.SystemID != y.ID {
		return nil, notFound("Cloud PBX Subscriber with id %s does not exist.", c.path["recordId"])
	}
	profile, err := c.readProfile("recordingProfile")
	if err != nil {
		return nil, err
	}
	var options subscriberOptions
	if b.Options != nil {
		options = *b.Options
	}
	options.RecordingProfile = profile
	w.setOptions(b, options)
	return data(map[string]string{"recordingProfile": profile}), nil
}

// seedRecordings makes nine recordings, as the guide's sample counts, of the
// group and of the first users, and one of the neighbour. They do not age.
func (w *world) seedRecordings(users int) {
	var list []*recording
	add := func(system, company string, recorded party, other string) {
		n := len(list)
		list = append(list, &recording{
			ID: seedID(idOther, 31+n), SystemID: system, CompanyID: company, CallID: token("call", fmt.Sprint(n), 8),
			Date:     timestamp(time.Date(2024, time.January, 15, 9, 10*n, 7*n, 0, time.UTC)),
			Duration: 3 + 2*n, Direction: []string{"in", "out"}[n/3%2], Recorded: recorded, Other: party{Number: other},
		})
	}
	for n := range 9 {
		user := (n-1)%max(min(users, 3), 1) + 1
		if n%3 == 0 || users < 1 {
			add(CloudPbxID, CompanyID, party{GroupID: seedID(idOther, 11), PhoneNumberID: seedID(idOther, 14), Name: "Reception", Number: "2990"},
				fmt.Sprintf("+331990009%02d", 80+n))
			continue
		}
		first, last := seedNames(user)
		add(CloudPbxID, CompanyID, party{
			UserID: seedID(idUser, user), PhoneNumberID: seedID(idSubscriber, user), Name: first + " " + last, Number: seedExtension(user),
		}, "2990")
	}
	add(neighbourPbxID, NeighbourCompanyID, party{Name: "Neighbour desk", Number: "5000"}, "+33199000999")
	w.recordings.load(list)
}
