package sandbox

// voiceTables are the documents of the telephony services of a Cloud PBX,
// beside its extensions, devices and numbers.
type voiceTables struct {
	greetings  *table[greeting]
	audio      *table[audioFile]
	ivrs       *table[ivr]
	attendants *table[autoAttendant]
	recordings *table[recording]
	trunks     *table[trunk]
}

func (w *world) wireVoice(d *changes) {
	w.voiceTables = voiceTables{
		greetings:  newTable(d, "greeting", func(g *greeting) string { return g.ID }),
		audio:      newTable(d, "audio", func(a *audioFile) string { return a.ID }),
		ivrs:       newTable(d, "ivr", func(i *ivr) string { return i.ID }),
		attendants: newTable(d, "autoAttendant", func(a *autoAttendant) string { return a.ID }),
		recordings: newTable(d, "recording", func(r *recording) string { return r.ID }),
		trunks:     newTable(d, "trunk", func(t *trunk) string { return t.ID }),
	}
	w.wireGreetings()
}

// seedVoice makes the seeded trunks and services. A world kept by an older
// sandbox gets them when it is read, the services while its Cloud PBX is there.
func (w *world) seedVoice(users int) {
	w.seedTrunks()
	if w.systems.get(CloudPbxID) != nil {
		w.seedServices(users)
		w.seedRecordings(users)
	}
}

// seedKeys are the keys of the first user's phone: one that the phone reserves
// and one that a service made, which monitors the second user.
func seedKeys() []programmableKey {
	return []programmableKey{
		{Number: 1, Type: "reserved", Owner: keyOfSystem},
		{Number: 2, Type: "monitor", Owner: keyOfService, PhoneNumberID: seedID(idSubscriber, 2)},
	}
}

// removeServices deletes what a deleted Cloud PBX served beside extensions,
// devices and DDIs.
func (w *world) removeServices(systemID string) {
	for _, h := range w.holders.all() {
		if h.SystemID == systemID {
			w.dropGreetings(h.ID)
			for _, g := range h.Voicemail {
				w.audio.remove(g.audioID())
			}
			w.holders.remove(h.ID)
		}
	}
	for _, i := range w.ivrs.all() {
		if i.SystemID == systemID {
			w.dropGreetings(i.ID)
			w.ivrs.remove(i.ID)
		}
	}
	for _, a := range w.attendants.all() {
		if a.SystemID == systemID {
			w.dropGreetings(a.MenuID)
			w.attendants.remove(a.ID)
		}
	}
	for _, r := range w.recordings.all() {
		if r.SystemID == systemID {
			w.recordings.remove(r.ID)
		}
	}
	w.dropGreetings(systemID)
}

// seedServices makes the groups, the auto attendant, the welcome and its two
// services. The second service goes to a user when the world has three.
func (w *world) seedServices(users int) {
	w.holders.load([]*numberHolder{
		{
			ID: seedID(idOther, 11), SystemID: CloudPbxID, Kind: "group", Name: "Reception", Type: huntingGroup, ShortNumber: "2990",
			PhoneNumberID: seedID(idOther, 14), Policy: parallelPolicy,
			Forwards: []groupForward{{
				Type: overflowForward, Activate: true, NoReplyDelay: 15, DestinationType: "welcomeservice", WelcomeServiceID: seedID(idOther, 13),
			}},
		},
		{ID: seedID(idOther, 12), SystemID: CloudPbxID, Kind: "device", Name: "Door phone", ShortNumber: "2991", MacAddress: "aabbccddeeff"},
		{
			ID: seedID(idOther, 21), SystemID: CloudPbxID, Kind: "group", Name: "Support queue", Type: callQueue, ShortNumber: "2900",
			PhoneNumberID: seedID(idOther, 22), Policy: parallelPolicy,
		},
		{
			ID: seedID(idOther, 23), SystemID: CloudPbxID, Kind: "group", Name: "Night watch", Type: huntingGroup, ShortNumber: "2901",
			PhoneNumberID: seedID(idOther, 24), Policy: serialPolicy,
		},
	})
	w.attendants.load([]*autoAttendant{{ID: seedID(idOther, 17), SystemID: CloudPbxID, Name: "Main menu", MenuID: seedID(idOther, 18)}})
	behind := destination{Type: "group", DestinationID: seedID(idOther, 21)}
	if users >= 3 {
		behind = destination{Type: "user", DestinationID: seedID(idUser, 3)}
	}
	w.ivrs.load([]*ivr{
		{
			ID: seedID(idOther, 15), SystemID: CloudPbxID, Name: "Welcome_Sandbox", IsWelcome: true, IsDefault: true, Timezone: "Europe/Paris",
			Hours: defaultHours(),
		},
		{
			ID: seedID(idOther, 13), SystemID: CloudPbxID, Name: "Welcome", Timezone: "Europe/Paris", WelcomeID: seedID(idOther, 15),
			DDI: seedID(idDDI, 100), Open: &destination{Type: "auto_attendant", DestinationID: seedID(idOther, 17)}, Closed: &destination{Type: "closed_hours"},
		},
		{
			ID: seedID(idOther, 16), SystemID: CloudPbxID, Name: "After sales", Timezone: "Europe/Paris", WelcomeID: seedID(idOther, 15),
			CalendarID: seedID(idOther, 19), Open: &behind, Closed: &behind,
			Manual: &manualMode{Mode: "open", StartDate: "2022-10-20 13:13:00.000Z", EndDate: "2022-10-20 13:30:00.000Z"},
		},
	})
}
