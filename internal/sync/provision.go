package sync

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Provisioning: the SIP devices and public numbers that a company has, whoever holds them. A manifest that lists them
// creates what is missing and changes what differs. What it does not list is left alone, unless it says that its list is
// complete and prunes by deletion: then what nobody holds any more is deleted.

// DesiredDevice is a SIP device that the company shall have.
type DesiredDevice struct {
	Address DeviceKey
	// Absent: it shall not exist. Nobody may hold it then.
	Absent bool
	// Model is needed to create it; it can't be changed (UpdateSipDevice has no field for it).
	Model string
	// Description is left alone when empty: upstream wants one.
	Description string
	// Modules are the expansion modules to have.
	Modules Wish[DeviceModule]
	// Keys are the programmable keys to have, of the device and its modules, as far as administrators may make them.
	Keys     Wish[DesiredKey]
	Position Position
}

// DesiredDDI is a public number that the company shall have.
type DesiredDDI struct {
	Number E164
	// Absent: it shall not exist. Nobody may hold it then.
	Absent   bool
	Position Position
}

// DeviceModel is a model of SIP devices that a Cloud PBX supports (ListCloudPbxDeviceModels).
type DeviceModel struct {
	ID       int    `json:"id"`
	Model    string `json:"model"`
	Category string `json:"category,omitempty"`
	// Modules are the types of expansion modules that it takes.
	Modules []string `json:"modules,omitempty"`
	// Keys tells what its programmable keys can be; nil when upstream does not say.
	Keys *ModelKeys `json:"keys,omitempty"`
}

// ModelKeys is what the programmable keys of a model can be.
type ModelKeys struct {
	// Number is how many there are on the phone itself, OnModules on each of its modules, in the order of DeviceModel.Modules; nil
	// when upstream does not say.
	Number    int   `json:"number,omitempty"`
	OnModules []int `json:"onModules,omitempty"`
	// Types are the types of keys that it knows, or of which upstream does not say that it does not.
	Types []string `json:"types,omitempty"`
}

// DeviceModule is an expansion module of a device.
type DeviceModule struct {
	ID   int    `json:"moduleId"`
	Type string `json:"type"`
	Name string `json:"name,omitempty"`
}

func (m DeviceModule) String() string { return strings.TrimSpace(m.Type + " " + m.Name) }

// The names of a device's changes.
const (
	changeModel       = "model"
	changeDescription = "description"
	changeModule      = "module " // and its position
)

// ModuleOf tells which module a change of a device concerns.
func (c Change) ModuleOf() (position int, ok bool) {
	digits, ok := strings.CutPrefix(c.Name, changeModule)
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil
}

// ParseModule reads a module as a change names it: its type, and its name if it has one.
func ParseModule(position int, s string) DeviceModule {
	kind, name, _ := strings.Cut(s, " ")
	return DeviceModule{position, kind, name}
}

// FindModel finds a model of devices by its name, without case.
func (c Company) FindModel(name string) (DeviceModel, bool) {
	i := slices.IndexFunc(c.DeviceModels, func(m DeviceModel) bool { return strings.EqualFold(m.Model, strings.TrimSpace(name)) })
	if i < 0 {
		return DeviceModel{}, false
	}
	return c.DeviceModels[i], true
}

// provisionOrder is the place of the first device or DDI in the order: behind all users. The places of what is deleted begin
// at twice that.
const provisionOrder = 1 << 40

// provision is a device or DDI that the manifest lists.
type provision struct {
	*stance
	device *DesiredDevice
	absent bool
	// creation creates it, modules gives a new device its modules.
	creation, modules *draft
}

// provide takes the manifest's lists of devices and DDIs. It comes before the users, who may ask for what it creates.
func (p *planner) provide() {
	p.provided = map[Key]*provision{}
	if len(p.desired.Devices)+len(p.desired.DDIs) > 0 && p.company.CloudPbx == nil {
		s := &stance{at: p.firstProvided()}
		p.fault(s, "", "no-cloud-pbx", "create the Cloud PBX first", "company %s has no Cloud PBX to have devices and DDIs of", p.company.ID)
		return
	}
	for i := range p.desired.Devices {
		d := &p.desired.Devices[i]
		if v := p.newProvision(d.Address.Key(), d.Position); v != nil {
			if v.device, v.absent = d, d.Absent; !v.absent {
				p.checkDevice(v)
			}
		}
	}
	for i := range p.desired.DDIs {
		if v := p.newProvision(p.desired.DDIs[i].Number.Key(), p.desired.DDIs[i].Position); v != nil {
			v.absent = p.desired.DDIs[i].Absent
		}
	}
}

func (p *planner) firstProvided() Position {
	if len(p.desired.Devices) > 0 {
		return p.desired.Devices[0].Position
	}
	return p.desired.DDIs[0].Position
}

func (p *planner) newProvision(k Key, at Position) *provision {
	v := &provision{stance: &stance{at: at, order: provisionOrder + len(p.provided)}}
	if first := p.provided[k]; first != nil {
		p.fault(v.stance, "", "provided-twice", "keep one of the two", "%s %s is listed twice, first at %s", k.Kind, thingName(k), first.at)
		return nil
	}
	if _, ignored := matching(p.policy.Ignore, k); ignored {
		p.checkIgnored(v.stance, "", k)
	}
	p.provided[k] = v
	return v
}

// checkDevice holds a listed device against what upstream has and can have.
func (p *planner) checkDevice(v *provision) {
	d, want := find[Device](p.obs, v.device.Address.Key()), v.device
	model := want.Model
	switch {
	case d == nil && want.Model == "":
		p.fault(v.stance, "model", "device-model", "add its model: "+p.modelNames(), "there is no device %s yet, and a device is not created without a model", want.Address)
		return
	case d != nil && want.Model != "" && d.Model != "" && !strings.EqualFold(d.Model, want.Model):
		p.fault(v.stance, "model", "device-model", "correct the model, or delete the device first", "device %s is of model %s and can't become %s", want.Address, d.Model, want.Model)
		return
	case d != nil:
		model = d.Model
	case want.Description == "":
		p.fault(v.stance, "description", "device-description", "add a description", "there is no device %s yet, and a device is not created without a description", want.Address)
	}
	m, known := p.company.FindModel(model)
	if model == "" {
		return // not recorded
	}
	if known {
		p.checkKeys(v, m, d)
	}
	if d == nil && !known && len(p.company.DeviceModels) > 0 {
		p.fault(v.stance, "model", "device-model", "use one of: "+p.modelNames(), "the Cloud PBX supports no devices of model %q", model)
		return
	}
	for _, module := range want.Modules.Keys {
		if known && !slices.Contains(m.Modules, module.Type) {
			p.fault(v.stance, "modules", "device-module", "leave it out, or use a model that takes it", "devices of model %s take no module %s", m.Model, module.Type)
		}
	}
}

func (p *planner) modelNames() string {
	names := make([]string, len(p.company.DeviceModels))
	for i, m := range p.company.DeviceModels {
		names[i] = m.Model
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}

// provides gives the draft that creates a thing; whether the plan provides for it at all is ok.
func (p *planner) provides(k Key) (creation *draft, ok bool) {
	v := p.provided[k]
	if v == nil || v.absent {
		return nil, false
	}
	return v.creation, true
}

// draftProvisions drafts what lists of devices and DDIs ask for, in their order.
func (p *planner) draftProvisions() {
	for i := range p.desired.Devices {
		if v := p.provided[p.desired.Devices[i].Address.Key()]; v != nil && !v.absent {
			p.draftDevice(v)
		}
	}
	noted := map[Position]bool{}
	for i := range p.desired.DDIs {
		n := p.desired.DDIs[i].Number
		v := p.provided[n.Key()]
		switch {
		case v == nil || v.absent:
		case p.obs.Record(n.Key()) == nil:
			v.creation = p.add(v.stance, Operation{Action: ActionCreate, Key: n.Key(), Reason: "no such DDI yet"}, p.firstDDI)
			if p.firstDDI == nil && !p.hasDDIs() {
				p.firstDDI = v.creation // it becomes the default one, so the others wait for it
			}
		case !noted[v.at]:
			noted[v.at] = true
			p.note(v.stance, "the DDIs are there")
		}
	}
	p.draftDefault()
}

func (p *planner) draftDevice(v *provision) {
	want := v.device
	key := want.Address.Key()
	d := find[Device](p.obs, key)
	if d == nil {
		changes := []Change{{Name: changeModel, After: want.Model}, {Name: changeDescription, After: want.Description}}
		v.creation = p.add(v.stance, Operation{Action: ActionCreate, Key: key, Changes: changes, Reason: "no such device yet"})
		if modules := moduleChanges(nil, want.Modules); len(modules) > 0 { // calls of their own: the device is there if one is refused
			v.modules = p.add(v.stance, Operation{Action: ActionUpdate, Key: key, Changes: modules, Reason: "the new device gets its modules"}, v.creation)
		}
		return
	}
	var changes []Change
	if want.Description != "" && want.Description != d.Description {
		changes = append(changes, Change{changeDescription, d.Description, want.Description})
	}
	changes = append(changes, moduleChanges(d.Modules, want.Modules)...)
	if len(changes) == 0 {
		p.note(v.stance, "device "+want.Address.String()+" is as the manifest wants it")
		return
	}
	v.modules = p.add(v.stance, Operation{Action: ActionUpdate, Key: key, Changes: changes, Reason: "differs in " + names(changes)}, p.frees[key])
}

// moduleChanges lists what differs between the modules of a device and the complete list of those that it shall have.
func moduleChanges(now []DeviceModule, want Wish[DeviceModule]) []Change {
	if want.Mood != Exactly {
		return nil
	}
	var changes []Change
	at := func(all []DeviceModule, position int) string {
		for _, m := range all {
			if m.ID == position {
				return m.String()
			}
		}
		return ""
	}
	for position := 1; position <= mostModules; position++ {
		if before, after := at(now, position), at(want.Keys, position); before != after {
			changes = append(changes, Change{changeModule + strconv.Itoa(position), before, after})
		}
	}
	return changes
}

// mostModules is how many modules a device takes (CreateDeviceModule).
const mostModules = 3

// complete tells whether the manifest's list of a kind is all that the company shall have, and the rest is to go; an empty
// list deletes nothing.
func (p *planner) complete(k Kind) bool {
	if p.policy.Prune != PruneDelete || !slices.Contains(p.desired.Complete, k) {
		return false
	}
	for listed := range p.provided {
		if listed.Kind == k {
			return true
		}
	}
	p.remark(&stance{at: p.desired.CompletePosition}, "empty-list", "no %s is deleted: the complete list names none", k)
	return false
}

func (p *planner) hasDDIs() bool {
	for range p.obs.Records(KindDDI) {
		return true
	}
	return false
}

// draftDisposals drafts the deletion of devices and DDIs that are listed as absent, or that a complete list leaves out, as far
// as nobody holds them.
func (p *planner) draftDisposals() {
	p.draftAbsences()
	p.draftUnlisted()
	p.draftDefaultAbsence()
}

// draftUnlisted drafts the deletion of what a complete list does not have.
func (p *planner) draftUnlisted() {
	at := &stance{at: p.desired.CompletePosition}
	if p.complete(KindDevice) {
		for r := range p.obs.Records(KindDevice) {
			if d := r.(*Device); !strings.HasPrefix(string(d.Address), "id:") {
				p.dispose(at, d.Key(), d.HeldBy() != "" || d.HolderID != "", "", nil)
			}
		}
		p.remarkStaying(at, KindDevice)
	}
	if !p.complete(KindDDI) {
		return
	}
	for r := range p.obs.Records(KindDDI) {
		d := r.(*DDI)
		why := d.Label
		var after *draft
		switch {
		case p.standard != nil && *p.standard == d.Key():
			why = "it is to be the default DDI"
		case d.Default && p.defaultChange != nil:
			after = p.defaultChange
		case d.Default:
			why = "it is the default DDI"
		}
		p.dispose(at, d.Key(), d.HeldBy() != "" || d.HolderID != "", why, after)
	}
	p.remarkStaying(at, KindDDI)
}

// stayingNamed is how many things that stay though a complete list does not have them are named with their holders.
const stayingNamed = 5

// remarkStaying says what of a kind stays though the complete list does not have it, since somebody holds it: in one remark,
// for it may be all that a company's users have.
func (p *planner) remarkStaying(s *stance, k Kind) {
	n := len(p.staying)
	if n == 0 {
		return
	}
	var all []string
	for _, key := range p.staying[:min(n, stayingNamed)] {
		all = append(all, thingName(key)+" ("+orWords(string(p.obs.Record(key).HeldBy()), "an unknown user")+")")
	}
	words := strings.Join(all, ", ")
	if n > stayingNamed {
		words += fmt.Sprintf(", and %d more", n-stayingNamed)
	}
	p.remark(s, "not-listed", "not in the complete list and kept, being held: %s: %s", counted(n, k.title()), words)
	p.staying = p.staying[:0]
}

// holds tells whether a device or DDI is among what a user holds.
func (h holding) holds(k Key) bool {
	return k.Kind == KindDevice && slices.Contains(h.devices, DeviceKey(k.ID)) || k.Kind == KindDDI && slices.Contains(h.ddis, E164(k.ID))
}

// dispose drafts the deletion of a thing that is not listed, behind what has to come before.
func (p *planner) dispose(s *stance, k Key, held bool, kept string, after *draft) {
	if p.provided[k] != nil || p.claimant(k) != nil || p.ignores(k) {
		return
	}
	freed := p.frees[k]
	if held && (freed == nil || p.comesBack(k)) {
		p.staying = append(p.staying, k)
		return
	}
	if kept != "" {
		p.remark(s, "not-listed", "%s %s is not in the complete list and stays: %s", k.Kind, thingName(k), kept)
		return
	}
	own := &stance{at: s.at, order: 2*provisionOrder + len(p.drafts)}
	p.add(own, Operation{Action: ActionDelete, Key: k, Reason: "the complete list does not have it"}, freed, after)
}

// comesBack tells whether a thing that is freed is given to its holder again. It is asked when all that attaches is drafted.
func (p *planner) comesBack(k Key) bool {
	if p.attached == nil {
		p.attached = map[Key]bool{}
		for _, d := range p.drafts {
			if d.op.Action == ActionAttach {
				p.attached[d.op.Key] = true
			}
		}
	}
	return p.attached[k]
}

// provisionEffects are what creating, changing and deleting devices and DDIs leave behind.
func provisionEffects(op *Operation, obs Observed, id string) []RecordChange {
	if op.Action == ActionDelete {
		return []RecordChange{gone(op.Key)}
	}
	if op.setsDefault() {
		return defaultEffects(op, obs)
	}
	if op.Key.Kind == KindDDI {
		first := true
		for r := range obs.Records(KindDDI) {
			if r.Key() != op.Key { // a refresh may have seen it already
				first = false
				break
			}
		}
		return []RecordChange{change(&DDI{ID: id, Number: E164(op.Key.ID), Default: first})} // the first one becomes the default (vendor's support)
	}
	next := Device{ID: id, Address: DeviceKey(op.Key.ID)}
	if d := find[Device](obs, op.Key); d != nil {
		next = *d
	}
	for _, c := range op.Changes {
		switch position, isModule := c.ModuleOf(); {
		case isModule:
			next.Modules = slices.DeleteFunc(slices.Clone(next.Modules), func(m DeviceModule) bool { return m.ID == position })
			if c.After != "" {
				next.Modules = append(next.Modules, ParseModule(position, c.After))
			}
			slices.SortFunc(next.Modules, func(a, b DeviceModule) int { return cmp.Compare(a.ID, b.ID) })
		case c.Name == changeModel:
			next.Model = c.After
		case c.Name == changeDescription:
			next.Description = c.After
		}
	}
	if len(next.Modules) == 0 {
		next.Modules = nil
	}
	return []RecordChange{change(&next)}
}

// deviceValues are those of a device's values that a plan changes, as it relies on them.
func deviceValues(d *Device, changed []string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(slices.Values(changed)) {
		switch position, isModule := (Change{Name: name}).ModuleOf(); {
		case isModule:
			for _, m := range d.Modules {
				if m.ID == position {
					fmt.Fprintf(&b, "\n%s=%q", name, m)
				}
			}
		case name == changeDescription:
			fmt.Fprintf(&b, "\n%s=%q", name, d.Description)
		}
	}
	return b.String()
}

// provisions tells whether an operation creates, changes or deletes a device or DDI.
func (o *Operation) provisions() bool {
	return (o.Key.Kind == KindDevice || o.Key.Kind == KindDDI) && o.Action != ActionAttach && o.Action != ActionDetach
}

// DesiredKey is a programmable key as a manifest names it.
type DesiredKey struct {
	Module, Number int
	Type           string
	DisplayName    string
	// Destination is the number that it dials; Extension the short number of the Cloud PBX that it points to instead.
	Destination string
	Extension   Number
	GroupID     string
}
