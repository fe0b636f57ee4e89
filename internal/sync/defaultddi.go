package sync

import "slices"

// The default DDI of a Cloud PBX: the number that calls show which have none of their own, and that upstream deletes last
// (rvcp provisioning guide, SetDefaultDdi and DeleteDdi). There is one as soon as there is a DDI. A manifest can say which;
// making another one the default comes before the old one is deleted.

// changeDefault is the change that makes a DDI the default one.
const changeDefault = "default"

// draftDefault drafts what the manifest says of the default DDI, after the creation of DDIs.
func (p *planner) draftDefault() {
	want := p.desired.DefaultDDI
	if want == nil {
		return
	}
	s := &stance{at: want.Position, order: provisionOrder + len(p.provided) + 1} // behind what is created, before what is deleted
	k := want.Number.Key()
	v := p.provided[k]
	switch r := p.obs.Record(k); {
	case p.company.CloudPbx == nil:
		p.fault(s, "defaultDdi", "no-cloud-pbx", "create the Cloud PBX first", "company %s has no Cloud PBX to have a default DDI", p.company.ID)
	case v != nil && v.absent:
		p.fault(s, "defaultDdi", "default-ddi", "keep it, or make another one the default", "DDI %s shall be the default one and is listed as absent", want.Number)
	case r == nil && (v == nil || v.creation == nil):
		p.fault(s, "defaultDdi", "default-ddi", "list it under ddis", "DDI %s shall be the default one, and there is no such DDI", want.Number)
	case isDefault(r):
		p.standard = &k
		p.note(s, "DDI "+string(want.Number)+" is the default one already")
	case r == nil && v.creation == p.firstDDI:
		p.standard = &k // it becomes the default of itself
	default:
		if _, ignored := matching(p.policy.Ignore, k); ignored {
			p.checkIgnored(s, "defaultDdi", k)
			return
		}
		op := Operation{Action: ActionUpdate, Key: k, Changes: []Change{{Name: changeDefault, After: "true"}}, Reason: "the manifest wants it to be the default DDI"}
		var creation *draft
		if v != nil {
			creation = v.creation
		}
		p.standard, p.defaultChange = &k, p.add(s, op, creation, p.frees[k])
	}
}

// defaultEffects are what making a DDI the default one leaves behind: the former one is none any more.
func defaultEffects(op *Operation, obs Observed) []RecordChange {
	var changes []RecordChange
	for r := range obs.Records(KindDDI) {
		d := r.(*DDI)
		if is := d.Key() == op.Key; is != d.Default {
			next := *d
			next.Default = is
			changes = append(changes, change(&next))
		}
	}
	return changes
}

// setsDefault tells whether an operation makes a DDI the default one.
func (o *Operation) setsDefault() bool { return o.Key.Kind == KindDDI && o.Action == ActionUpdate }

// compareDefault wants the DDI to be the default again that was it before the run, when the run made another one so.
func (b *undoer) compareDefault() {
	var was, left *Trace
	for i := range b.Traces {
		t := &b.Traces[i]
		before, after := isDefault(t.Before), isDefault(t.After)
		switch {
		case t.Key.Kind != KindDDI || before == after:
		case before:
			was = t
		default:
			left = t
		}
	}
	if was == nil || left == nil || isDefault(b.obs.Record(was.Key)) {
		return
	}
	back := slices.ContainsFunc(b.ddis, func(n DesiredDDI) bool { return n.Number.Key() == was.Key && !n.Absent })
	switch is := b.obs.Record(was.Key); {
	case !isDefault(b.obs.Record(left.Key)):
		if !b.since("", "%s is not the default DDI any more", thingOf(left.Key)) {
			return
		}
	case is == nil && !back:
		b.lost("", "%s does not become the default one again: it is gone", thingOf(was.Key))
		return
	case is != nil && (was.After == nil || handsOf(is) != handsOf(was.After)):
		if !b.since("", "%s, which was the default one, %s", thingOf(was.Key), handsOf(is).words()) {
			return
		}
	}
	b.defaultDDI = &DesiredDDI{Number: E164(was.Key.ID), Position: b.at("")}
}
