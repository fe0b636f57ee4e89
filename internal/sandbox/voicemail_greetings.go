package sandbox

import (
	"slices"
	"strconv"
)

// voicemailGreeting is a custom greeting of a group's voice mailbox. Its id is
// a decimal number, as a string (ListGroupVoicemailGreetings).
type voicemailGreeting struct {
	ID   string `json:"id"`
	Type string `json:"type"` // unavailable or busy
}

// audioID is the id of the greeting's content.
func (g voicemailGreeting) audioID() string { return "voicemail-" + g.ID }

func listVoicemailGreetings(w *world, c *call) (any, error) {
	_, g, err := c.group(w)
	if err != nil {
		return nil, err
	}
	return data(append([]voicemailGreeting{}, g.Voicemail...)), nil
}

// createVoicemailGreeting answers CreateGroupVoicemailGreeting; the body is
// the audio. How the type is chosen is not documented: here by the query's
// type, else the first that the group lacks, and a group has one of each.
func createVoicemailGreeting(w *world, c *call) (any, error) {
	_, g, err := c.group(w)
	if err != nil {
		return nil, err
	}
	if _, err := c.audioBody(); err != nil {
		return nil, err
	}
	has := func(kind string) bool {
		return slices.ContainsFunc(g.Voicemail, func(v voicemailGreeting) bool { return v.Type == kind })
	}
	kind := c.query.text("type")
	switch {
	case kind == "" && has("unavailable"):
		kind = "busy"
	case kind == "":
		kind = "unavailable"
	case kind != "unavailable" && kind != "busy":
		return nil, badParam("type", "type must be one of unavailable, busy", kind)
	}
	if has(kind) {
		return nil, conflict(codeConflict, "Voicemail greeting %s already exists for group %s", kind, g.ID)
	}
	made := voicemailGreeting{ID: strconv.Itoa(50_000 + w.nextOf("voicemail")), Type: kind}
	next := *g
	next.Voicemail = append(slices.Clone(g.Voicemail), made)
	w.holders.put(&next)
	w.audio.put(&audioFile{ID: made.audioID(), Content: c.body})
	return data(made), nil
}

// voicemailGreeting answers the {greetingId} of the path.
func (c *call) voicemailGreeting(w *world) (*numberHolder, voicemailGreeting, error) {
	_, g, err := c.group(w)
	if err != nil {
		return nil, voicemailGreeting{}, err
	}
	id := c.path["greetingId"]
	for _, v := range g.Voicemail {
		if v.ID == id {
			return g, v, nil
		}
	}
	return nil, voicemailGreeting{}, notFound("Voicemail greeting with id %s does not exist.", id)
}

// getVoicemailGreeting answers the audio, whatever the Accept header says: the
// JSON sample of the guide is an empty shell.
func getVoicemailGreeting(w *world, c *call) (any, error) {
	_, v, err := c.voicemailGreeting(w)
	if err != nil {
		return nil, err
	}
	return audioAnswer("audio/wav", "voicemail_"+v.Type+".wav", w.audio.get(v.audioID()).Content), nil
}

func updateVoicemailGreeting(w *world, c *call) (any, error) {
	_, v, err := c.voicemailGreeting(w)
	if err != nil {
		return nil, err
	}
	if _, err := c.audioBody(); err != nil {
		return nil, err
	}
	w.audio.put(&audioFile{ID: v.audioID(), Content: c.body})
	return status("Voicemail greeting has been updated"), nil
}

func deleteVoicemailGreeting(w *world, c *call) (any, error) {
	g, v, err := c.voicemailGreeting(w)
	if err != nil {
		return nil, err
	}
	next := *g
	next.Voicemail = slices.DeleteFunc(slices.Clone(g.Voicemail), func(other voicemailGreeting) bool { return other.ID == v.ID })
	w.holders.put(&next)
	w.audio.remove(v.audioID())
	return status("Voicemail greeting has been deleted"), nil
}
