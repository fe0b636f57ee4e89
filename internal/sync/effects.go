package sync

import (
	"slices"
	"strings"
)

// Effects gives what an operation, once done, changes in the observed state. id is the upstream id of what it created.
// The planner's promise rests on it: a plan whose effects are all applied to the state it was made from leaves a state
// for which the same manifest plans nothing.
func Effects(op *Operation, obs Observed, id string) []RecordChange {
	switch {
	case op.Key.Kind == KindOptions || op.Key.Kind == KindSettings:
		return valueEffects(op, obs)
	case op.Key.Kind == KindKeys:
		return keyEffects(op, obs)
	case op.provisions():
		changes := provisionEffects(op, obs, id)
		if keys := KeysOf(DeviceKey(op.Key.ID)); op.Key.Kind == KindDevice && op.Action == ActionDelete && obs.Record(keys) != nil {
			changes = append(changes, gone(keys))
		}
		return changes
	}
	return append(userAndThingEffects(op, obs, id), forgotten(op, obs)...)
}

// userAndThingEffects are those of operations on users and on what they hold.
func userAndThingEffects(op *Operation, obs Observed, id string) []RecordChange {
	switch op.Key.Kind {
	case KindUser:
		return userEffects(op, obs, id)
	case KindExtension:
		return extensionEffects(op, obs, id)
	case KindDevice:
		if d := find[Device](obs, op.Key); d != nil {
			return []RecordChange{change(assignDevice(d, op, obs))}
		}
	case KindDDI:
		if d := find[DDI](obs, op.Key); d != nil {
			next := *d
			next.Holder, next.HolderID = holderAfter(op, obs)
			return []RecordChange{change(&next)}
		}
	case KindLicence:
		return licenceEffects(op, obs)
	}
	return nil
}

func change(r Record) RecordChange { return RecordChange{Key: r.Key(), Record: r} }

func gone(k Key) RecordChange { return RecordChange{Key: k} }

// holderAfter is who holds the thing once the attach or detach is done.
func holderAfter(op *Operation, obs Observed) (Login, string) {
	if op.Action != ActionAttach {
		return "", ""
	}
	if u := find[User](obs, op.Login.Key()); u != nil {
		return op.Login, u.ID
	}
	return op.Login, ""
}

func assignDevice(d *Device, op *Operation, obs Observed) *Device {
	next := *d
	next.Holder, next.HolderID = holderAfter(op, obs)
	next.SubscriberID = ""
	if next.Holder != "" {
		if s := SubscriberOf(obs, next.Holder); s != nil {
			next.SubscriberID = s.ID
		}
	}
	return &next
}

// SubscriberOf is the Cloud PBX extension of a user, or nil.
func SubscriberOf(obs Observed, l Login) *Extension {
	for _, k := range obs.Held(l) {
		if e := find[Extension](obs, k); e != nil && e.Role == RoleSubscriber {
			return e
		}
	}
	return nil
}

func userEffects(op *Operation, obs Observed, id string) []RecordChange {
	switch op.Action {
	case ActionDelete:
		return deleteEffects(op.Login, obs)
	case ActionCreate:
		u := &User{ID: id, Login: op.Login}
		setAttributes(u, op.Changes)
		changes := []RecordChange{}
		known := find[User](obs, op.Key) // a refresh may have seen what the run did not learn
		for _, l := range licencesOfNewUser(op, obs) {
			u.Licences = append(u.Licences, l.ID)
			if known == nil || !slices.Contains(known.Licences, l.ID) {
				changes = append(changes, change(seats(l, +1)))
			}
		}
		slices.Sort(u.Licences)
		return append(changes, change(u))
	}
	if op.renames() {
		return renameEffects(op, obs)
	}
	if u := find[User](obs, op.Key); u != nil {
		next := *u
		next.Attributes = slices.Clone(u.Attributes)
		setAttributes(&next, op.Changes)
		return []RecordChange{change(&next)}
	}
	return nil
}

// licencesOfNewUser are those that the creation names, and the default one that every user gets (admin guide, CreateUser).
func licencesOfNewUser(op *Operation, obs Observed) []*Licence {
	var all []*Licence
	for r := range obs.Records(KindLicence) {
		l := r.(*Licence)
		if _, named := op.After(licenceChange(l.ID)); named || l.Default && l.Status == "active" {
			all = append(all, l)
		}
	}
	return all
}

// licenceChange is the name under which a user's creation lists a licence among its changes.
func licenceChange(subscriptionID string) string { return "licence " + subscriptionID }

func setAttributes(u *User, changes []Change) {
	for _, c := range changes {
		if strings.Contains(c.Name, " ") || c.Name == passwordField || c.Name == loginAttribute || writeOnly(c.Name) {
			continue
		}
		at, found := slices.BinarySearchFunc(u.Attributes, c.Name, func(a Attribute, name string) int { return strings.Compare(a.Name, name) })
		switch {
		case c.After == "" && found:
			u.Attributes = slices.Delete(u.Attributes, at, at+1)
		case c.After == "":
		case found:
			u.Attributes[at].Value = c.After
		default:
			u.Attributes = slices.Insert(u.Attributes, at, Attribute{c.Name, c.After})
		}
	}
}

func deleteEffects(l Login, obs Observed) []RecordChange {
	changes := []RecordChange{}
	if u := find[User](obs, l.Key()); u != nil {
		for _, id := range u.Licences {
			if lic := find[Licence](obs, Key{KindLicence, id}); lic != nil {
				changes = append(changes, change(seats(lic, -1)))
			}
		}
	}
	for _, k := range obs.Held(l) {
		changes = append(changes, release(k, obs))
	}
	return append(changes, gone(l.Key()))
}

// release is what becomes of a thing when its holder is deleted: a subscriber goes with him, all else is free.
func release(k Key, obs Observed) RecordChange {
	switch r := obs.Record(k).(type) {
	case *Extension:
		if r.Role == RoleSubscriber {
			return gone(k)
		}
		next := *r
		next.Holder, next.HolderID = "", ""
		return change(&next)
	case *Device:
		next := *r
		next.Holder, next.HolderID, next.SubscriberID = "", "", ""
		return change(&next)
	case *DDI:
		next := *r
		next.Holder, next.HolderID = "", ""
		return change(&next)
	}
	return gone(k)
}

func extensionEffects(op *Operation, obs Observed, id string) []RecordChange {
	switch op.Action {
	case ActionSave, ActionRestore: // what they read and write is not recorded
		return nil
	case ActionCreate:
		company := obs.Company()
		_, number, _ := strings.Cut(op.Key.ID, "/")
		e := &Extension{ID: id, Number: Number(number), Role: RoleSubscriber, Holder: op.Login}
		if company.CloudPbx != nil {
			e.SystemID, e.PbxID = company.CloudPbx.ID, company.CloudPbx.PbxID
		}
		if u := find[User](obs, op.Login.Key()); u != nil {
			e.HolderID = u.ID
		}
		return []RecordChange{change(e)}
	case ActionDelete:
		changes := []RecordChange{gone(op.Key)}
		for _, k := range obs.Held(op.Login) {
			if k.Kind == KindDevice || k.Kind == KindDDI {
				changes = append(changes, release(k, obs))
			}
		}
		return changes
	}
	e := find[Extension](obs, op.Key)
	if e == nil {
		return nil
	}
	next := *e
	if op.Action != ActionUpdate {
		next.Holder, next.HolderID = holderAfter(op, obs)
	}
	if v, ok := op.After("internalNumber"); ok {
		next.InternalNumber = v
	}
	if v, ok := op.After("number"); ok {
		next.PublicNumber = v
	}
	return []RecordChange{change(&next)}
}

func licenceEffects(op *Operation, obs Observed) []RecordChange {
	l, u := find[Licence](obs, op.Key), find[User](obs, op.Login.Key())
	if l == nil || u == nil {
		return nil
	}
	next := *u
	at, has := slices.BinarySearch(u.Licences, l.ID)
	switch {
	case op.Action == ActionAttach && !has:
		next.Licences = slices.Insert(slices.Clone(u.Licences), at, l.ID)
		return []RecordChange{change(&next), change(seats(l, +1))}
	case op.Action == ActionDetach && has:
		next.Licences = slices.Delete(slices.Clone(u.Licences), at, at+1)
		return []RecordChange{change(&next), change(seats(l, -1))}
	}
	return nil
}

func seats(l *Licence, by int) *Licence {
	next := *l
	next.Assigned += by
	return &next
}
