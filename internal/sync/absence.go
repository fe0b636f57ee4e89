package sync

// draftAbsences drafts the deletion of devices and DDIs that are listed as absent.
func (p *planner) draftAbsences() {
	for i := range p.desired.Devices {
		p.draftAbsence(p.desired.Devices[i].Address.Key())
	}
	for i := range p.desired.DDIs {
		if k := p.desired.DDIs[i].Number.Key(); !isDefault(p.obs.Record(k)) {
			p.draftAbsence(k)
		}
	}
}

// draftDefaultAbsence drafts the deletion of the default DDI if it is listed as absent: it goes after all others, and stays as
// long as one of them does (rvcp provisioning guide, DeleteDdi).
func (p *planner) draftDefaultAbsence() {
	for i := range p.desired.DDIs {
		k := p.desired.DDIs[i].Number.Key()
		if v := p.provided[k]; v == nil || !v.absent || !isDefault(p.obs.Record(k)) {
			continue
		}
		if p.defaultChange != nil {
			p.draftAbsence(k, p.defaultChange)
			continue
		}
		others, left := p.otherDDIs(k)
		if left != "" {
			v := p.provided[k]
			p.fault(v.stance, "absent", "absent-default", "make another DDI the default one first, or leave this one out", "DDI %s shall be absent and is the default one, and %s is left", thingName(k), left)
			return
		}
		p.draftAbsence(k, others...)
	}
}

// otherDDIs are the drafts that delete all DDIs but one; left is one that stays, or comes.
func (p *planner) otherDDIs(but Key) (deletions []*draft, left string) {
	goes := map[Key]*draft{}
	for _, d := range p.drafts {
		switch {
		case d.op.Key.Kind != KindDDI || d.op.Key == but:
		case d.op.Action == ActionDelete:
			goes[d.op.Key] = d
			deletions = append(deletions, d)
		case d.op.Action == ActionCreate:
			return nil, thingName(d.op.Key)
		}
	}
	for r := range p.obs.Records(KindDDI) {
		if k := r.Key(); k != but && goes[k] == nil {
			return nil, thingName(k)
		}
	}
	return deletions, ""
}

func isDefault(r Record) bool {
	d, ok := r.(*DDI)
	return ok && d.Default
}

func (p *planner) draftAbsence(k Key, after ...*draft) {
	v, r := p.provided[k], p.obs.Record(k)
	if v == nil || !v.absent || r == nil {
		return
	}
	hands := handsOf(r)
	held := (hands.login != "" || hands.id != "") && (p.frees[k] == nil || p.comesBack(k))
	by := orWords(string(hands.login), "an unknown user")
	if d, ok := r.(*DDI); ok && d.Label != "" {
		held, by = true, d.Label
	}
	if to := p.claimant(k); to != nil && to.then.holds(k) {
		held, by = true, string(to.login)
	}
	if held {
		p.fault(v.stance, "absent", "absent-held", "take it away from its holder in the same manifest", "%s %s shall be absent and is held by %s", k.Kind, thingName(k), by)
		return
	}
	p.add(v.stance, Operation{Action: ActionDelete, Key: k, Reason: "the manifest wants it absent"}, append(after, p.frees[k])...)
}
