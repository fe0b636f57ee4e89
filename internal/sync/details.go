package sync

import (
	"context"
	"fmt"
	"slices"
)

// Details are records that a refresh does not read: options of subscribers, keys of devices, settings of the Cloud PBX.
// Before a manifest that names some is planned, those that are not recorded yet are read from upstream and recorded. A
// refresh forgets them, so that they are read again.

// details lists the keys of what a manifest relies on and is not recorded, in key order.
func (d *Desired) details(obs Observed) []Key {
	var keys []Key
	want := func(k Key) {
		if obs.Record(k) == nil {
			keys = append(keys, k)
		}
	}
	var u DesiredUser
	for i := range d.Users.Len() {
		if !d.Users.uncommon() {
			break
		}
		d.Users.Read(i, &u)
		if len(u.Options) == 0 || SubscriberOf(obs, u.Login) == nil {
			continue
		}
		for _, g := range u.Options {
			if g.Group.Shown() {
				want(OptionsKey(g.Group, u.Login))
			}
		}
	}
	for i := range d.Devices {
		if v := &d.Devices[i]; v.Keys.Mood == Exactly && obs.Record(v.Address.Key()) != nil {
			want(KeysOf(v.Address))
		}
	}
	if pbx := obs.Company().CloudPbx; pbx != nil {
		for _, s := range d.Settings {
			want(SettingsKey(s.Group, pbx.PbxID))
		}
	}
	slices.SortFunc(keys, Key.Compare)
	return slices.Compact(keys)
}

// changedDetails lists the keys of what a run changed and is not recorded any more, in key order.
func changedDetails(traces []Trace, obs Observed) []Key {
	var keys []Key
	for _, t := range traces {
		if group, _ := GroupOf(t.Key); t.After == nil || obs.Record(t.Key) != nil || t.Key.Kind == KindOptions && !group.Shown() {
			continue
		}
		if t.Key.Kind == KindOptions || t.Key.Kind == KindKeys || t.Key.Kind == KindSettings {
			keys = append(keys, t.Key)
		}
	}
	slices.SortFunc(keys, Key.Compare)
	return keys
}

// withDetails gives the recorded state with details beyond it, read and recorded.
func (e *Engine) withDetails(ctx context.Context, company string, keys []Key, view Observed) (Observed, error) {
	if len(keys) == 0 || e.Target == nil {
		return view, nil
	}
	fresh, err := e.Target.Read(ctx, view.Company(), view, keys)
	if err != nil {
		return nil, fmt.Errorf("options, keys and settings: %w", err)
	}
	var changes []RecordChange
	for _, k := range keys {
		if r := fresh[k]; r != nil {
			changes = append(changes, change(r))
		}
	}
	if len(changes) == 0 {
		return view, nil
	}
	if err := e.Store.End(ctx, company, changes); err != nil {
		return nil, err
	}
	world := Overlay(view)
	world.Apply(changes)
	return world, nil
}

// carriedOver are the records that a refresh keeps though upstream does not show them: what was applied of options that it
// does not show, as long as the subscriber is the same, and what rests after its release.
func (e *Engine) carriedOver(ctx context.Context, company string) (map[string][]Record, []Record) {
	view, err := e.Store.Observed(ctx, company)
	if err != nil {
		return nil, nil // nothing was recorded
	}
	bySubscriber := map[string][]Record{}
	for r := range view.Records(KindOptions) {
		if o := r.(*Options); o.Applied != "" {
			bySubscriber[o.SubscriberID] = append(bySubscriber[o.SubscriberID], o)
		}
	}
	var resting []Record
	for r := range view.Records(KindRelease) {
		resting = append(resting, r)
	}
	if view.Close() != nil {
		return nil, nil
	}
	return bySubscriber, resting
}

// detail tells whether an operation changes a record that a refresh does not read.
func (o *Operation) detail() bool {
	return o.Key.Kind == KindOptions || o.Key.Kind == KindKeys || o.Key.Kind == KindSettings
}
