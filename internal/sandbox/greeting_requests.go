package sandbox

import (
	"cmp"
	"net/http"
)

func greetingRoutes() []route {
	const base = "/rvcpprovisioning/v1.0/cloudpbxs/{systemId}/greetings"
	const one = base + "/{fileId}" // the name of a greeting where it is uploaded or restored
	return []route{
		{http.MethodGet, base, adminOnly, false, listGreetings},
		{http.MethodDelete, base, adminOnly, true, deleteAllGreetings},
		{http.MethodGet, one, adminOnly, false, getGreeting},
		{http.MethodPut, one, adminOnly, true, uploadGreeting},
		{http.MethodDelete, one, adminOnly, true, deleteGreeting},
		{http.MethodPost, one + "/activate", adminOnly, true, activateGreeting},
		{http.MethodPost, one + "/restore", adminOnly, true, restoreGreeting},
		{http.MethodPut, one + "/settings", adminOnly, true, updateGreetingSettings},
	}
}

// greetingOwner is whose greetings a call is about.
type greetingOwner struct {
	system *system
	scope  string
	id     string
}

// greetingOwner reads the scope of the query: at most one.
func (c *call) greetingOwner(w *world) (greetingOwner, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return greetingOwner{}, err
	}
	owner := greetingOwner{system: y, scope: companyScope, id: y.ID}
	if attendant := c.query.flag("attendant"); attendant != nil && *attendant {
		owner.scope = attendantScope
	}
	for _, scope := range []struct{ parameter, scope string }{
		{"autoAttendantMenuId", menuScope},
		{"ivrId", serviceScope},
		{"groupId", groupScope},
		{"callQueueId", queueScope},
		{"userId", userScope},
	} {
		id := c.query.text(scope.parameter)
		if id == "" {
			continue
		}
		if owner.scope != companyScope {
			return owner, badParam(scope.parameter, "only one scope of greetings can be given", id)
		}
		if w.greetingScope(y.ID, id) != scope.scope {
			return owner, notFound("No %s with id %s exists on Cloud PBX %s.", scope.scope, id, y.ID)
		}
		owner.scope, owner.id = scope.scope, id
	}
	return owner, nil
}

// has tells whether a greeting can be set in the scope. Without a scope every
// greeting can: the guide's examples upload hg_unavailable and restore
// officehours so, which then holds for the whole company (ours).
func (owner greetingOwner) has(kind greetingKind) bool {
	return kind.Scope == owner.scope || owner.scope == companyScope
}

// greetingInPath answers the greeting whose name is in the path.
func (c *call) greetingInPath(w *world) (owner greetingOwner, kind greetingKind, at int, err error) {
	owner, err = c.greetingOwner(w)
	if err != nil {
		return owner, kind, 0, err
	}
	name := c.path["fileId"]
	kind, at, ok := greetingKindOf(name)
	if !ok || !owner.has(kind) {
		return owner, kind, 0, notFound("Greeting %s does not exist in the scope %s.", name, owner.scope)
	}
	return owner, kind, at, nil
}

// greetingFile answers the {fileId} of the path.
func (c *call) greetingFile(w *world) (*greeting, greetingKind, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, greetingKind{}, err
	}
	g := w.greetingFile(y.ID, c.path["fileId"])
	if g == nil {
		return nil, greetingKind{}, notFound("Greeting with fileId %s does not exist.", c.path["fileId"])
	}
	kind, _, _ := greetingKindOf(g.Kind)
	return g, kind, nil
}

// listGreetings answers ListGreetings: the default of each greeting of the
// scope, if it has one, and every upload, active or not. Greetings of other
// scopes that were set for the whole company are listed with the company's.
func listGreetings(w *world, c *call) (any, error) {
	owner, err := c.greetingOwner(w)
	if err != nil {
		return nil, err
	}
	list := []greetingView{}
	for at, kind := range greetingKinds() {
		uploads := w.uploads(owner.id, kind.ID)
		if kind.Scope != owner.scope && (!owner.has(kind) || kind.Scope == attendantScope || len(uploads) == 0) {
			continue
		}
		if prompt := w.prompt(owner.system.ID, owner.id, kind, at); prompt != nil {
			list = append(list, greetingDocument(prompt))
		}
		for _, g := range uploads {
			list = append(list, greetingDocument(g))
		}
	}
	return data(map[string]any{"greetings": list}), nil
}

// deleteAllGreetings answers DeleteAllGreetings: the defaults again, and the
// uploads of the scope gone.
func deleteAllGreetings(w *world, c *call) (any, error) {
	owner, err := c.greetingOwner(w)
	if err != nil {
		return nil, err
	}
	for _, kind := range greetingKinds() {
		if !owner.has(kind) || (kind.Scope == attendantScope && owner.scope != attendantScope) {
			continue
		}
		for _, g := range w.uploads(owner.id, kind.ID) {
			w.greetings.remove(g.ID)
			w.audio.remove(g.ID)
		}
	}
	return status("Greetings successfully cleaned"), nil
}

// getGreeting answers the descriptor, or the audio when Accept prefers it.
func getGreeting(w *world, c *call) (any, error) {
	g, kind, err := c.greetingFile(w)
	if err != nil {
		return nil, err
	}
	if !wantsAudio(c.request.Header.Get("Accept")) {
		return data(greetingDocument(g)), nil
	}
	if g.IsDefault {
		return audioAnswer("audio/wav", g.FileName, tone(g.ID, kind.Seconds)), nil
	}
	return audioAnswer("audio/wav", g.FileName, w.audio.get(g.ID).Content), nil
}

// uploadGreeting answers UploadGreeting: the body, a WAV file, becomes the
// active file of the greeting.
func uploadGreeting(w *world, c *call) (any, error) {
	owner, kind, _, err := c.greetingInPath(w)
	if err != nil {
		return nil, err
	}
	seconds, err := c.audioBody()
	if err != nil {
		return nil, err
	}
	g := &greeting{
		ID: w.newID(idGreeting), SystemID: owner.system.ID, OwnerID: owner.id, Kind: kind.ID, Size: len(c.body), Duration: hundredths(seconds),
		FileName: cmp.Or(c.query.text("fileName"), kind.ID+".wav"), Description: cmp.Or(c.query.text("description"), kind.Description),
		IsActive: true, LoopPlay: kind.Loop,
	}
	w.greetings.put(g)
	w.audio.put(&audioFile{ID: g.ID, Content: c.body})
	w.activate(g)
	return statusEnvelope{Status: "Greeting " + kind.ID + " successfully uploaded", Data: greetingDocument(g)}, nil
}

// deleteGreeting answers DeleteGreeting: neither an active nor a default file.
func deleteGreeting(w *world, c *call) (any, error) {
	g, _, err := c.greetingFile(w)
	if err != nil {
		return nil, err
	}
	switch {
	case g.IsDefault:
		return nil, conflict(codeConflict, "Greeting '%s' with fileId %s is the default one and cannot be deleted", g.Kind, g.ID)
	case g.IsActive:
		return nil, conflict(codeConflict, "Greeting '%s' with fileId %s is active and cannot be deleted", g.Kind, g.ID)
	}
	w.greetings.remove(g.ID)
	w.audio.remove(g.ID)
	return status("Greeting '%s' with fileId %s successfully deleted", g.Kind, g.ID), nil
}

func activateGreeting(w *world, c *call) (any, error) {
	g, _, err := c.greetingFile(w)
	if err != nil {
		return nil, err
	}
	w.activate(g)
	g = w.greetingFile(g.SystemID, g.ID)
	return statusEnvelope{Status: "Greeting " + g.ID + " / " + g.Kind + " successfully activated", Data: greetingDocument(g)}, nil
}

// restoreGreeting answers RestoreGreeting: the default prompt plays again, the
// uploads stay stored. A greeting whose default is empty is cleared; the
// answer holds no file then (ours).
func restoreGreeting(w *world, c *call) (any, error) {
	owner, kind, at, err := c.greetingInPath(w)
	if err != nil {
		return nil, err
	}
	w.activate(&greeting{OwnerID: owner.id, Kind: kind.ID})
	view := greetingView{Kind: kind.ID, Description: kind.Description, IsDefault: true, LoopPlay: kind.Loop}
	if prompt := w.prompt(owner.system.ID, owner.id, kind, at); prompt != nil {
		view = greetingDocument(prompt)
	}
	return statusEnvelope{Status: "Greeting " + kind.ID + " successfully restored", Data: view}, nil
}

// updateGreetingSettings answers UpdateGreetingSettings: only some greetings
// may be played in a loop or once.
func updateGreetingSettings(w *world, c *call) (any, error) {
	g, kind, err := c.greetingFile(w)
	if err != nil {
		return nil, err
	}
	o := c.object()
	loop := o.flag("loopPlay")
	if loop != nil && !kind.MayLoop {
		o.bad("loopPlay", "loopPlay of greeting "+kind.ID+" cannot be modified", *loop)
	}
	if err := o.fault(); err != nil {
		return nil, err
	}
	next := *g
	if loop != nil {
		next.LoopPlay = *loop
		w.greetings.put(&next)
	}
	return statusEnvelope{
		Status: "Settings of greeting " + next.ID + " / " + next.Kind + " successfully modified", Data: greetingDocument(&next),
	}, nil
}
