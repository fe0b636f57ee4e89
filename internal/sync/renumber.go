package sync

import (
	"fmt"
	"slices"
	"strings"
)

// Renumbering by a rule: "23xx=43xx@department=Brest" gives every user of that department whose Cloud PBX extension is
// 23 and two digits the extension 43 and the same two digits. It needs no manifest; where there is one, an entry that says
// anything of a user's extension wins over the rule.
//
// A rule says what becomes of numbers, not what they shall be: carried out a second time it finds nothing of its first
// number block and plans nothing, unless the blocks overlap (23xx=24xx with 24xx=25xx), in which case it would move the
// numbers on. Such a plan says so, a run of it that stopped is resumed, and a second plan is refused (renumbered.go).
//
// That the import renumbers in place (its row error 2006 says "failed to update subscriber number") is not used: what of
// the subscriber survives it is not documented.

// Renumbering is one rule. In From and To, x stands for a digit that stays; both have as many of them.
type Renumbering struct {
	From, To string
	// Attribute and Value choose the users: those whose attribute has the value, without case. Empty: all.
	Attribute, Value string
}

// ParseRenumbering reads FROM=TO or FROM=TO@ATTRIBUTE=VALUE.
func ParseRenumbering(s string) (Renumbering, error) {
	numbers, who, chosen := strings.Cut(s, "@")
	from, to, ok := strings.Cut(numbers, "=")
	r := Renumbering{From: strings.ToLower(strings.TrimSpace(from)), To: strings.ToLower(strings.TrimSpace(to))}
	if !ok {
		return r, fmt.Errorf("renumbering %q: want FROM=TO such as 23xx=43xx", s)
	}
	if chosen {
		attribute, value, ok := strings.Cut(who, "=")
		if r.Attribute, r.Value = strings.TrimSpace(attribute), strings.TrimSpace(value); !ok || r.Attribute == "" || r.Value == "" {
			return r, fmt.Errorf("renumbering %q: want FROM=TO@ATTRIBUTE=VALUE such as 23xx=43xx@department=Brest", s)
		}
	}
	if err := r.check(); err != nil {
		return r, fmt.Errorf("renumbering %q: %w", s, err)
	}
	return r, nil
}

func (r Renumbering) check() error {
	for _, pattern := range []string{r.From, r.To} {
		if len(pattern) < 1 || len(pattern) > 10 || strings.Trim(pattern, "0123456789x") != "" {
			return fmt.Errorf("%q is not a pattern: want 1 to 10 signs, each a digit or x for any digit", pattern)
		}
	}
	a, b := strings.Count(r.From, "x"), strings.Count(r.To, "x")
	switch {
	case a != b:
		return fmt.Errorf("%q has %d x and %q has %d: want as many on both sides", r.From, a, r.To, b)
	case r.From == r.To:
		return fmt.Errorf("both sides are %q: nothing would change", r.From)
	case r.Attribute != "" && !Matching(r.Attribute):
		return fmt.Errorf("users can't be chosen by %q: upstream does not show it, or it is the login", r.Attribute)
	}
	return nil
}

func (r Renumbering) String() string {
	s := r.From + "=" + r.To
	if r.Attribute != "" {
		s += "@" + r.Attribute + "=" + r.Value
	}
	return s
}

// MarshalText writes the rule as ParseRenumbering reads it.
func (r Renumbering) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the rule.
func (r *Renumbering) UnmarshalText(b []byte) error {
	parsed, err := ParseRenumbering(string(b))
	if err == nil {
		*r = parsed
	}
	return err
}

// position is where faults of the rule, and operations that it causes, are said to come from.
func (r Renumbering) position() Position { return Position{File: "--renumber " + r.String()} }

// Target is the number that the rule makes of another; false when it does not concern it.
func (r Renumbering) Target(n Number) (Number, bool) {
	if len(n) != len(r.From) {
		return "", false
	}
	var stay []byte
	for i := range len(n) {
		switch {
		case r.From[i] == 'x':
			stay = append(stay, n[i])
		case r.From[i] != n[i]:
			return "", false
		}
	}
	to := []byte(r.To)
	for i, c := range to {
		if c == 'x' {
			to[i], stay = stay[0], stay[1:]
		}
	}
	return Number(to), true
}

// concerns tells whether a rule concerns a user, as he will be once the plan is done: what an entry says of the attribute
// counts, else what is recorded.
func (p *planner) concerns(r Renumbering, l Login) bool {
	if r.Attribute == "" {
		return true
	}
	value := ""
	if u := find[User](p.obs, l.Key()); u != nil {
		value = u.Attribute(r.Attribute)
	}
	if s := p.stances[l]; s != nil && s.want != nil {
		for _, a := range s.want.Attributes {
			if a.Name == r.Attribute {
				value = a.Value
			}
		}
	}
	return strings.EqualFold(mark(r.Attribute, value).Value, mark(r.Attribute, r.Value).Value)
}

// rules are those of the policy and of the manifest; faulty ones are faults.
func (p *planner) rules() []Renumbering {
	var all []Renumbering
	for _, r := range p.policy.Renumber {
		if err := r.check(); err != nil {
			p.faults = append(p.faults, Fault{Position: r.position(), Code: "renumber-rule", Message: err.Error(), Hint: "write FROM=TO such as 23xx=43xx, or FROM=TO@ATTRIBUTE=VALUE"})
		} else if !slices.Contains(all, r) {
			all = append(all, r)
		}
	}
	return all
}

// renumber applies the rules, after the entries: to the users of whose extension no entry says anything.
func (p *planner) renumber() {
	rules := p.rules()
	if len(rules) == 0 || p.company.CloudPbx == nil {
		p.noRules(rules)
		return
	}
	used := make([]bool, len(rules))
	var moved []*stance
	for r := range p.obs.Records(KindExtension) {
		e := r.(*Extension)
		if e.Role != RoleSubscriber || e.Holder == "" {
			continue
		}
		if s := p.renumberBy(rules, used, e); s != nil {
			moved = append(moved, s)
		}
	}
	for i, r := range rules {
		if !used[i] {
			p.remarks = append(p.remarks, Fault{Position: r.position(), Code: "renumber-nobody", Message: fmt.Sprintf("rule %s concerns no extension", r)})
		}
	}
	p.checkRenumbered(rules, moved)
	for _, s := range moved {
		if slices.ContainsFunc(rules, func(r Renumbering) bool {
			_, ok := r.Target(s.then.subscriber)
			return ok && p.concerns(r, s.recorded())
		}) {
			p.remarks = append(p.remarks, Fault{Position: s.rule.position(), Code: "renumber-again",
				Message: "the rules move into number blocks that they also move out of: carried out again they would move the numbers on; resume a run of this plan that stopped, and make no second plan from the same rules"})
			break
		}
	}
}

// noRules says that rules can't concern anybody.
func (p *planner) noRules(rules []Renumbering) {
	for _, r := range rules {
		p.faults = append(p.faults, Fault{Position: r.position(), Code: "no-cloud-pbx", Message: fmt.Sprintf("company %s has no Cloud PBX (Rainbow: 2001)", p.company.ID), Hint: "create the Cloud PBX first"})
	}
}

// renumberBy applies the rules to one subscriber; nil when none concerns it.
func (p *planner) renumberBy(rules []Renumbering, used []bool, e *Extension) *stance {
	u := find[User](p.obs, e.Holder.Key())
	var by []Renumbering
	var to Number
	for i, r := range rules {
		if n, ok := r.Target(e.Number); ok && p.concerns(r, e.Holder) {
			used[i] = true
			by = append(by, r)
			to = n
		}
	}
	if len(by) == 0 {
		return nil
	}
	if p.spared[e.Holder] != "" {
		p.remarks = append(p.remarks, Fault{Position: by[0].position(), Code: "renumber-left", Message: fmt.Sprintf("extension %s of %s stays: %s", e.Number, e.Holder, p.spared[e.Holder])})
		return nil
	}
	s := p.stances[e.Holder]
	if s != nil && s.want != nil && (s.want.Presence == Absent || s.want.Subscriber.Mood != Keep) {
		return nil // the entry wins
	}
	if len(by) > 1 {
		p.faults = append(p.faults, Fault{Position: by[1].position(), Code: "renumber-overlap", Hint: "write rules of which only one concerns each extension",
			Message: fmt.Sprintf("extension %s of %s is concerned by two rules: %s and %s", e.Number, e.Holder, by[0], by[1])})
		return nil
	}
	if s == nil {
		s = &stance{login: e.Holder, user: u, now: holdingOf(p.obs, e.Holder), at: by[0].position(), order: p.nextOrder()}
		s.then = s.now
		p.stances[e.Holder] = s
		p.queue = append(p.queue, s)
	}
	s.then.subscriber, s.rule = to, &by[0]
	return s
}

// claimByRule holds the number that a rule gives against the numbering plan and the other claims.
func (p *planner) claimByRule(s *stance) {
	n, at := s.then.subscriber, s.rule.position()
	if !slices.ContainsFunc(p.company.CloudPbx.Ranges, func(r Range) bool { return r.Contains(n) }) {
		p.faults = append(p.faults, Fault{Position: at, Code: "number-outside-plan", Hint: "extend the numbering plan first, or move to numbers in " + rangesInWords(p.company.CloudPbx.Ranges),
			Message: fmt.Sprintf("extension %s of %s would become %s, which is outside the numbering plan of the Cloud PBX (Rainbow: 2002)", s.now.subscriber, s.login, n)})
		s.faulty = true
		return
	}
	k := p.subscriberKey(n)
	if other := p.claimed[k]; other != nil && other != s {
		p.faults = append(p.faults, Fault{Position: at, Code: "renumber-collision", Hint: "choose another block of numbers, or give one of the two his number by an entry of its own",
			Message: fmt.Sprintf("extension %s would go to two users: %s and, at %s, %s", n, s.login, other.at, other.login)})
		s.faulty = true
		return
	}
	p.claimed[k] = s
}

// The settings of a subscriber, its programmable keys and the forwards that name it die with it. They are read by an
// operation of their own before the subscriber goes, and put back by another once the next one is there:
//
//	save     extension 2301   reads; its outcome carries what it read, and the journal keeps that
//	delete   extension 2301   needs the save
//	create   extension 4301
//	restore  extension 4301   writes what the save's outcome carries, as far as it is not there
//
// To read at planning time was rejected: a plan may be approved tomorrow, and would put back what was in force yesterday;
// and planning would need the network. To read in the very call that deletes was rejected: a crash behind it would lose
// what was read. As it is, the journal has the settings on disk before the call that destroys them is begun, at whatever
// moment the process dies, and a restore can be repeated.
//
// Keys of other users' phones that point to the subscriber, and forwards of groups to its number, can't be asked for by
// subscriber: all phones and groups have to be read. One save at the beginning of a plan that a rule causes does that for
// all. An entry that moves a single user is not worth it; the plan then says that such keys are left.

// PointedTo is the change under which the save that reads what points to extensions lists them, with a space between two.
const PointedTo = "extensions"

// wholeNumbers is the number in the key of the save that reads what points to extensions.
const wholeNumbers = "*"

// unrestored says what of a subscriber can't be put back: upstream does not show it, or takes it from nobody.
const unrestored = "not put back, because upstream does not show it or lets nobody set it: the SIP password, voicemail messages and greetings, the permission to forward calls outside, the caller identity, the recording profile, memberships of groups, and forwards that the user set himself; welcome services and auto attendants that name the extension are left as they are"

// draftSaves drafts reading what renumbered users would lose, before anything else of theirs.
func (p *planner) draftSaves() {
	var pointers *draft
	var moved []string
	told := false
	for _, s := range p.queue {
		if s.replaced() && s.rule != nil && pointers == nil {
			pointers = &draft{owner: &stance{order: -1}, op: Operation{Action: ActionSave, Key: p.subscriberKey(wholeNumbers),
				Positions: []Position{s.rule.position()}, Reason: "keys of phones and forwards of groups that point to the extensions are to follow them"}}
			p.drafts = append(p.drafts, pointers)
			p.remarks = append(p.remarks, Fault{Position: s.rule.position(), Code: "renumber-loses", Message: unrestored})
		}
		if !s.replaced() {
			continue
		}
		s.saves = []*draft{p.add(s, Operation{Action: ActionSave, Key: p.subscriberKey(s.now.subscriber), Reason: "its settings and keys are put back after the extension is replaced"})}
		if s.rule == nil && !told {
			told = true
			p.remark(s, "renumber-loses", "%s; keys of other phones and forwards of groups that point to the old extension are left as they are", unrestored)
		}
		if s.rule != nil {
			s.saves = append(s.saves, pointers)
			moved = append(moved, string(s.now.subscriber))
		}
	}
	if pointers != nil {
		slices.Sort(moved)
		pointers.op.Changes = []Change{{Name: PointedTo, After: strings.Join(moved, " ")}}
	}
}

// replaced tells whether the user's subscriber is deleted and another one created for him.
func (s *stance) replaced() bool { return s.renumbered() && s.then.subscriber != "" }

// draftRestore drafts putting back what was read.
func (p *planner) draftRestore(s *stance) {
	if s.saves != nil && s.subscription != nil {
		s.restoration = p.add(s, Operation{Action: ActionRestore, Key: p.subscriberKey(s.then.subscriber), Changes: []Change{{Name: "extension", Before: string(s.now.subscriber), After: string(s.then.subscriber)}},
			Reason: "puts back the settings and keys of extension " + string(s.now.subscriber)}, append(s.saves, s.subscription)...)
	}
}
