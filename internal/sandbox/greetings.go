package sandbox

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The scopes of greetings; each is selected by a query parameter of its own,
// the company's announcements by none.
const (
	companyScope   = "company"
	attendantScope = "console attendant"
	userScope      = "user"
	groupScope     = "hunting group"
	queueScope     = "call queue"
	serviceScope   = "welcome service"
	menuScope      = "auto-attendant menu"
)

// greetingKind is a greeting that can be set. The guide's lists per scope are
// lost; the names are those of its examples (keys 1 to 9 of a menu by analogy),
// the scopes follow its example URLs.
type greetingKind struct {
	ID          string
	Scope       string
	Description string
	Seconds     float64 // of the default prompt; 0: the default is empty
	Loop        bool    // of the default prompt
	MayLoop     bool    // loopPlay can be changed (UpdateGreetingSettings)
}

// greetingKinds has a fixed order: the position is part of the ids of default
// files.
func greetingKinds() []greetingKind {
	kinds := []greetingKind{
		{ID: "music_on_hold", Scope: companyScope, Description: "Voice prompt played when the call is placed on hold", Seconds: 12, Loop: true},
		{ID: "callee_busy", Scope: companyScope, Description: "Voice prompt played when the called party is busy", Seconds: 2.5, MayLoop: true},
		{ID: "callee_unavailable", Scope: companyScope, Description: "Voice prompt played when the called party is unavailable", Seconds: 2.75, MayLoop: true},
		{ID: "custom_announcement_welcome", Scope: companyScope, Description: "Voice prompt played before the call is presented", MayLoop: true},
		{ID: "attendant_on_hold", Scope: attendantScope, Description: "Music played when the attendant places the call on hold", Seconds: 10, Loop: true},
		{ID: "officehours", Scope: serviceScope, Description: "Voice prompt played when the welcome service is open", Seconds: 3.5},
		{ID: "afterhours", Scope: serviceScope, Description: "Voice prompt played when the welcome service is closed", Seconds: 3.01, MayLoop: true},
		{ID: "hg_unavailable", Scope: groupScope, Description: "Voice prompt played when the hunting group is unavailable", Seconds: 2.28, MayLoop: true},
		{ID: "cq_unavailable", Scope: queueScope, Description: "Voice prompt played when the call queue is unavailable", Seconds: 2.28, MayLoop: true},
		{ID: "waiting_music", Scope: queueScope, Description: "Music played while the call waits in the queue", Seconds: 10, Loop: true},
		{ID: "user_busy", Scope: userScope, Description: "Voice prompt played when the destination is busy", Seconds: 4.1, MayLoop: true},
		{ID: "user_unavailable", Scope: userScope, Description: "Voice prompt played when the destination is unavailable", Seconds: 1.36, MayLoop: true},
	}
	for key := range 10 {
		kinds = append(kinds, greetingKind{
			ID: fmt.Sprintf("menu_key_action_%d", key), Scope: menuScope, Description: fmt.Sprintf("Voice prompt of the menu's key %d", key),
		})
	}
	return kinds
}

func greetingKindOf(id string) (kind greetingKind, at int, ok bool) {
	kinds := greetingKinds()
	at = slices.IndexFunc(kinds, func(k greetingKind) bool { return k.ID == id })
	if at < 0 {
		return greetingKind{}, 0, false
	}
	return kinds[at], at, true
}

// greeting is a stored file of a greeting. A default prompt has a document
// only once its settings were changed (IsDefault); its id is computed, so that
// 100,000 users cost nothing.
type greeting struct {
	ID          string  `json:"id"` // fileId
	SystemID    string  `json:"systemId"`
	OwnerID     string  `json:"ownerId"` // user, group, IVR, menu, or the system
	Kind        string  `json:"greetingId"`
	FileName    string  `json:"fileName"`
	Description string  `json:"description"`
	Size        int     `json:"size"`     // bytes
	Duration    float64 `json:"duration"` // seconds
	IsDefault   bool    `json:"isDefault"`
	IsActive    bool    `json:"isActive"`
	LoopPlay    bool    `json:"loopPlay"`
}

func (w *world) wireGreetings() {
	w.greetingsOfOwner = map[string][]string{}
	w.greetings.changed = func(prior, next *greeting) {
		if prior != nil {
			unlink(w.greetingsOfOwner, prior.OwnerID, prior.ID)
		}
		if next != nil {
			link(w.greetingsOfOwner, next.OwnerID, next.ID)
		}
	}
}

// dropGreetings deletes the files of an owner that is gone.
func (w *world) dropGreetings(ownerID string) {
	for _, id := range slices.Clone(w.greetingsOfOwner[ownerID]) {
		w.greetings.remove(id)
		w.audio.remove(id)
	}
}

// uploads lists the uploaded files of an owner's greeting, oldest first.
func (w *world) uploads(ownerID, kind string) []*greeting {
	var list []*greeting
	for _, id := range w.greetingsOfOwner[ownerID] {
		if g := w.greetings.get(id); g.Kind == kind && !g.IsDefault {
			list = append(list, g)
		}
	}
	slices.SortFunc(list, func(a, b *greeting) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// promptID is the file id of an owner's default prompt. It holds the kind of
// the greeting and the kind and number of the owner, so that promptOwner can
// take it apart.
func promptID(ownerID string, kindAt int) string {
	return fmt.Sprintf("%s%c%c%02x%s", idPrefix, idPrompt, ownerID[len(idPrefix)], kindAt, ownerID[len(ownerID)-9:])
}

func promptOwner(fileID string) (ownerID string, kind greetingKind, ok bool) {
	rest, ok := strings.CutPrefix(fileID, idPrefix+string(idPrompt))
	if !ok || len(rest) != 12 {
		return "", greetingKind{}, false
	}
	at, err := strconv.ParseUint(rest[1:3], 16, 8)
	kinds := greetingKinds()
	if err != nil || at >= uint64(len(kinds)) {
		return "", greetingKind{}, false
	}
	return idPrefix + rest[:1] + "000" + rest[3:], kinds[at], true
}

// prompt answers the default file of an owner's greeting, nil when the default
// is empty. It is active while no upload is.
func (w *world) prompt(systemID, ownerID string, kind greetingKind, at int) *greeting {
	if kind.Seconds == 0 {
		return nil
	}
	g := &greeting{
		ID: promptID(ownerID, at), SystemID: systemID, OwnerID: ownerID, Kind: kind.ID, FileName: kind.ID + ".wav", IsDefault: true,
		Description: kind.Description, Size: toneSize(kind.Seconds), Duration: kind.Seconds, LoopPlay: kind.Loop,
	}
	if changed := w.greetings.get(g.ID); changed != nil {
		g.LoopPlay = changed.LoopPlay
	}
	g.IsActive = !slices.ContainsFunc(w.uploads(ownerID, kind.ID), func(u *greeting) bool { return u.IsActive })
	return g
}

// greetingFile answers a file of a system by id, nil for none.
func (w *world) greetingFile(systemID, fileID string) *greeting {
	if g := w.greetings.get(fileID); g != nil && !g.IsDefault {
		if g.SystemID != systemID {
			return nil
		}
		return g
	}
	ownerID, kind, ok := promptOwner(fileID)
	if !ok {
		return nil
	}
	scope := w.greetingScope(systemID, ownerID)
	if scope != kind.Scope && scope != companyScope {
		return nil
	}
	_, at, _ := greetingKindOf(kind.ID)
	return w.prompt(systemID, ownerID, kind, at)
}

// greetingScope tells what the id of an owner stands for on a system, "" for
// nothing.
func (w *world) greetingScope(systemID, id string) string {
	if id == systemID {
		return companyScope
	}
	if g := w.group(id); g != nil && g.SystemID == systemID {
		if g.queue() {
			return queueScope
		}
		return groupScope
	}
	if i := w.ivrs.get(id); i != nil && i.SystemID == systemID {
		return serviceScope
	}
	if b := w.subscriberOf(id); b != nil && b.SystemID == systemID {
		return userScope
	}
	for _, a := range w.attendants.rows {
		if a.MenuID == id && a.SystemID == systemID {
			return menuScope
		}
	}
	return ""
}

// activate makes a file the one that is played: an upload, or the default by
// ending every upload.
func (w *world) activate(g *greeting) {
	for _, u := range w.uploads(g.OwnerID, g.Kind) {
		if active := u.ID == g.ID; u.IsActive != active {
			next := *u
			next.IsActive = active
			w.greetings.put(&next)
		}
	}
}

// greetingView is a file as it is answered.
type greetingView struct {
	Kind        string  `json:"greetingId"`
	FileID      string  `json:"fileId,omitempty"`
	FileName    string  `json:"fileName,omitempty"`
	Description string  `json:"description"`
	Size        int     `json:"size"`
	Duration    float64 `json:"duration"`
	IsDefault   bool    `json:"isDefault"`
	IsActive    bool    `json:"isActive"`
	LoopPlay    bool    `json:"loopPlay"`
}

func greetingDocument(g *greeting) greetingView {
	return greetingView{
		Kind: g.Kind, FileID: g.ID, FileName: g.FileName, Description: g.Description, Size: g.Size, Duration: g.Duration,
		IsDefault: g.IsDefault, IsActive: g.IsActive, LoopPlay: g.LoopPlay,
	}
}
