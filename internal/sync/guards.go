package sync

import (
	"fmt"
	"slices"
	"strconv"
)

// Guards: how much a plan may take away. A plan that takes more than its ceiling allows is made all the same, and shown;
// but the class that is over its ceiling is held back as a whole, with what can't be done without it, and the rest goes
// on. Held operations are carried out only by who names the plan's hash.
//
// To hold back just what is above the ceiling was rejected: which ten of four hundred deletions are the right ones
// nobody can tell, and a manifest that deletes four hundred by mistake is wrong about the first ten too.
//
// What is held back and what goes on are safe apart from each other:
//
//   - What needs a held operation is held: whoever was to get the number of a user who is not deleted does not get it.
//   - What only made room for a held operation is held: a user whose next number is held keeps the one that he has, with
//     his devices and DDIs; a device stays with its holder when who was to get it does not.
//
// So what goes on needs nothing that is held, and is a beginning of the plan in some order of a parallel run: the
// invariants that hold for every such beginning (licence seats, one holder for each thing) hold for it.

// defaultCeilings are those of classes that the policy has no ceiling for.
func defaultCeilings() []Ceiling {
	return []Ceiling{
		{Kind: KindUser, Action: ActionDelete, Count: 10, Percent: 10},
		{Kind: KindExtension, Action: ActionDelete, Count: 10, Percent: 10},
		{Kind: KindDevice, Action: ActionDelete, Count: 10, Percent: 10},
		{Kind: KindDDI, Action: ActionDelete, Count: 10, Percent: 10},
	}
}

// ceilings are the policy's and the defaults.
func (p Policy) ceilings() []Ceiling {
	all := slices.Clone(p.Ceilings)
	for _, d := range defaultCeilings() {
		if !slices.ContainsFunc(all, func(c Ceiling) bool { return c.Class() == d.Class() }) {
			all = append(all, d)
		}
	}
	return all
}

// judge holds a plan whose operations are known against the policy, and adds what there is to say of it as a whole.
func (p *planner) judge(plan *Plan) error {
	ops := plan.Operations
	p.acting = map[Login]*stance{}
	for _, d := range p.drafts {
		if d.op.Key.Kind != KindUser {
			p.acting[d.op.Login] = d.owner
		}
	}
	p.guard(ops)
	for i, d := range p.drafts {
		d.op.Held = ops[i].Held
	}
	p.checkProtected(ops)
	p.checkOutages(ops)
	if len(p.faults) > 0 {
		return p.faults.Err()
	}
	plan.Outages = outagesOf(going(ops), p.lines)
	plan.Seats = p.seats()
	plan.Owned = p.owners()
	p.remarkCircles(ops, outagesOf(ops, p.lines))
	plan.Remarks = p.remarks.Sort()
	p.queue, p.stances, p.acting, p.drafts, p.frees, p.attached = nil, nil, nil, nil, nil, nil // the walk takes as much room, and needs none of them
	if err := Invariants(plan, p.obs); err != nil {
		return fmt.Errorf("plan: %w; this is a fault of the planner", err)
	}
	return nil
}

// guard holds back the classes that are over their ceilings.
func (p *planner) guard(ops []Operation) {
	h := detention{ops: ops}
	for _, c := range p.policy.ceilings() {
		if !c.Off {
			p.checkCeiling(&h, c)
		}
	}
	p.checkPopulation(&h)
	if len(h.queue) > 0 {
		h.binds = p.bound(ops)
		h.spread()
	}
}

func (p *planner) checkCeiling(h *detention, c Ceiling) {
	class := p.counted(h.ops, c.Kind, c.Action)
	if len(class) <= c.Count {
		return
	}
	recorded := p.recorded(c.Kind, c.Action)
	most := c.allows(recorded)
	if len(class) <= most {
		return
	}
	p.hold(h, class, "ceiling", "raise the ceiling, or apply the plan with an override that names its hash",
		fmt.Sprintf("%d operations of the class %s, of %d recorded; at most %d allowed (%s)", len(class), c.Class(), recorded, most, c))
}

// checkPopulation holds back deletions that would leave fewer users than the policy wants. Users whom the plan creates
// don't count: deletions may come first.
func (p *planner) checkPopulation(h *detention) {
	if p.policy.MinUsers == 0 {
		return
	}
	class := p.counted(h.ops, KindUser, ActionDelete)
	if len(class) == 0 {
		return
	}
	recorded := p.recorded(KindUser, ActionDelete)
	if left := recorded - len(class); left < p.policy.MinUsers {
		p.hold(h, class, "population", "lower the minimum, or apply the plan with an override that names its hash",
			fmt.Sprintf("%d of %d users would be deleted and %d left; at least %d must be", len(class), recorded, left, p.policy.MinUsers))
	}
}

// hold begins to hold back the operations with the given indexes.
func (p *planner) hold(h *detention, class []int, code, hint, why string) {
	at := Position{}
	if first := h.ops[class[0]].Positions; len(first) > 0 {
		at = first[0]
	}
	p.remarks = append(p.remarks, Fault{Position: at, Code: code, Message: "held back: " + why, Hint: hint})
	for _, i := range class {
		h.hold(i, why)
	}
}

// counted gives the indexes of the operations that count against a ceiling. What a user loses and gets back, or gets
// another for, is no loss and does not count.
func (p *planner) counted(ops []Operation, kind Kind, action Action) []int {
	loss := kind != KindUser && (action == ActionDelete || action == ActionDetach)
	var class []int
	takes := map[Login]int{}
	for i := range ops {
		op := &ops[i]
		if op.Key.Kind != kind {
			continue
		}
		if loss && (op.Action == ActionCreate || op.Action == ActionAttach) {
			takes[op.Login]++
		}
		if op.Action == action {
			class = append(class, i)
		}
	}
	if !loss || len(takes) == 0 {
		return class
	}
	frees := map[Login]int{}
	for i := range ops {
		if op := &ops[i]; op.Key.Kind == kind && (op.Action == ActionDelete || op.Action == ActionDetach) {
			frees[op.Login]++
		}
	}
	return slices.DeleteFunc(class, func(i int) bool {
		if ops[i].provisions() {
			return false
		}
		return frees[ops[i].Login] <= takes[ops[i].Login] || p.returns(&ops[i])
	})
}

// returns tells whether the user has the thing now and again at the end.
func (p *planner) returns(op *Operation) bool {
	s := p.acting[op.Login]
	switch op.Key.Kind {
	case KindDDI:
		n := E164(op.Key.ID)
		return slices.Contains(s.now.ddis, n) && slices.Contains(s.then.ddis, n)
	case KindDevice:
		k := DeviceKey(op.Key.ID)
		return slices.Contains(s.now.devices, k) && slices.Contains(s.then.devices, k)
	}
	return false
}

// recorded is how many things a class is measured by: for a subscriber's class the subscribers, for a pairing's the
// numbers of equipped PBXs, else all of the kind.
func (p *planner) recorded(kind Kind, action Action) int {
	if kind != KindExtension {
		return countOf(p.obs, kind)
	}
	n := 0
	role := RolePairing
	if action == ActionCreate || action == ActionDelete {
		role = RoleSubscriber
	}
	for r := range p.obs.Records(kind) {
		if e, ok := r.(*Extension); !ok || e.Role == role {
			n++
		}
	}
	return n
}

// detention spreads what is held back to what hangs on it.
type detention struct {
	ops   []Operation
	queue []int
	// binds lists, by operation, those that are done with it or not at all.
	binds map[int][]int
}

func (h *detention) hold(i int, why string) {
	if h.ops[i].Held == "" {
		h.ops[i].Held = why
		h.queue = append(h.queue, i)
	}
}

func (h *detention) spread() {
	dependants := make(map[int][]int)
	for i := range h.ops {
		for _, need := range h.ops[i].Needs {
			dependants[need-1] = append(dependants[need-1], i)
		}
	}
	for n := 0; n < len(h.queue); n++ {
		i := h.queue[n]
		id := strconv.Itoa(h.ops[i].ID)
		for _, d := range dependants[i] {
			h.hold(d, "needs operation "+id+", which is held back")
		}
		for _, b := range h.binds[i] {
			h.hold(b, "goes together with operation "+id+", which is held back")
		}
	}
}

// bound lists which operations are done together or not at all: a number's replacement, a subscriber's with what is put
// back, and what moves from one user to another.
func (p *planner) bound(ops []Operation) map[int][]int {
	binds := map[int][]int{}
	tie := func(members []int) { // a ring is enough
		for i, m := range members {
			if next := members[(i+1)%len(members)]; next != m {
				binds[m] = append(binds[m], next)
				binds[next] = append(binds[next], m)
			}
		}
	}
	type bundle struct {
		login Login
		kind  Kind // empty: his subscriber and what is put back
	}
	bundles := map[bundle][]int{}
	var order []bundle
	put := func(b bundle, i int) {
		if bundles[b] == nil {
			order = append(order, b)
		}
		bundles[b] = append(bundles[b], i)
	}
	frees := map[Key]int{} // who gives a thing away
	for i := range ops {
		op := &ops[i]
		if op.Key.Kind == KindUser || op.Action == ActionUpdate || op.provisions() {
			continue
		}
		s := p.acting[op.Login]
		free := op.Action == ActionDetach || op.Action == ActionDelete
		returns := p.returns(op)
		with := s.renumbered() && (op.Key.Kind == KindExtension && p.subscriberThing(op.Key) || returns || free && op.Key.Kind == KindDDI)
		if with {
			put(bundle{op.Login, ""}, i)
		}
		lost := op.Key.Kind == KindDDI && !returns || op.Key.Kind == KindExtension && s.then.subscriber == ""
		if !with || free && lost {
			put(bundle{op.Login, op.Key.Kind}, i)
		}
		if free {
			frees[op.Key] = i
			if op.Action == ActionDelete {
				for _, k := range s.now.devices {
					frees[k.Key()] = i
				}
			}
		} else if giver, ok := frees[op.Key]; ok && op.Key.Kind != KindLicence && op.Action == ActionAttach && ops[giver].Login != op.Login {
			tie([]int{giver, i})
		}
	}
	for _, b := range order {
		members := bundles[b]
		if b.kind == "" || p.exchanges(ops, members) {
			tie(members)
		}
	}
	return binds
}

// exchanges tells whether a user's operations of one kind both take and give.
func (p *planner) exchanges(ops []Operation, members []int) bool {
	gives, takes := false, false
	for _, i := range members {
		if ops[i].Action == ActionDetach || ops[i].Action == ActionDelete {
			gives = true
		} else {
			takes = true
		}
	}
	return gives && takes
}

// subscriberThing tells whether a key is a number of the Cloud PBX.
func (p *planner) subscriberThing(k Key) bool {
	return p.company.CloudPbx != nil && k == p.subscriberKey(Number(thingName(k)))
}
