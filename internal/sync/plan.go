package sync

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// PlanFormat is the version of the plan document; it changes when a reader of the old form would misread the new one.
const PlanFormat = 3

// Plan is an ordered list of operations that turns the observed state into the desired one. It is a value: equal input
// gives an equal plan, byte for byte, and apply carries out the plan and nothing else.
type Plan struct {
	Format  int    `json:"format"`
	Company string `json:"company"`
	// Manifest is the digest of the manifest it was made from (secrets blanked).
	Manifest string `json:"manifest"`
	Mode     string `json:"mode"`
	Policy   Policy `json:"policy"`
	// Undoes is the run that the plan undoes (undo.go); empty for the plan of a manifest.
	Undoes string `json:"undoes,omitempty"`
	// Operations in an order in which they can be carried out one by one.
	Operations []Operation `json:"operations"`
	// Unchanged are the manifest's entries that need nothing, each with a note.
	Unchanged *UnchangedList `json:"unchanged,omitempty"`
	// Remarks are things worth a look that do not stop the plan.
	Remarks []Fault `json:"remarks,omitempty"`
	// Doubtful are the manifest's entries that may be recorded users under other logins: they are held back (match.go).
	Doubtful []Doubt `json:"doubtful,omitempty"`
	// Seats are the licences of which the plan gives or takes any, at the peak and after.
	Seats []Seats `json:"seats,omitempty"`
	// Outages are the users who are without a number for a while, in plan order (outage.go).
	Outages []Outage `json:"outages,omitempty"`
	// Owned are the users whom the manifest owns once the plan is applied; only of a manifest with a name (ownership.go).
	Owned []Owner `json:"owned,omitempty"`
	// Touched are the records that the plan relies on, by key, each with a hash over what it relies on (freshness.go).
	Touched []Touch `json:"touched,omitempty"`
}

// Policy is what a caller may choose about a plan.
type Policy struct {
	// Strict: a row whose effect already holds is the documented row error instead of "no change".
	Strict bool `json:"strict,omitempty"`
	// ResetPasswords sends the manifest's passwords of existing users too; else only those of users to be created.
	ResetPasswords bool `json:"resetPasswords,omitempty"`
	// Lineage is the manifest's name (ownership.go).
	Lineage string `json:"lineage,omitempty"`
	// Scope says which users the manifest speaks for, and Prune what becomes of those in it that it does not name (prune.go).
	Scope Scope `json:"scope,omitempty"`
	Prune Prune `json:"prune,omitempty"`
	// Ignore names what is left alone, Protect users who are neither deleted nor without a number (protection.go).
	Ignore  []Pattern `json:"ignore,omitempty"`
	Protect []Pattern `json:"protect,omitempty"`
	// Ceilings replace the default ones of their classes; MinUsers is how many users must be left (guards.go).
	Ceilings []Ceiling `json:"ceilings,omitempty"`
	MinUsers int       `json:"minUsers,omitempty"`
	// OutageBudget is for how many calls a user may be without a number at most; nil: as long as it takes (outage.go).
	OutageBudget *int `json:"outageBudget,omitempty"`
	// Match names columns whose values identify a user whatever his login (match.go).
	Match []string `json:"match,omitempty"`
	// MatchNumbers says what an extension or DDI proves of a user whose login is new.
	MatchNumbers MatchNumbers `json:"matchNumbers,omitempty"`
	// Renumber are rules by which extensions change (renumber.go).
	Renumber []Renumbering `json:"renumber,omitempty"`
}

// Touch is a record that a plan relies on. An empty hash means that there was no such record.
type Touch struct {
	Key  Key    `json:"key"`
	Hash string `json:"hash,omitempty"`
}

// Action is what an operation does.
type Action string

// The actions. Create, update and delete concern the thing itself; attach and detach who holds it.
const (
	ActionCreate Action = "create"
	ActionUpdate Action = "update"
	ActionDelete Action = "delete"
	ActionAttach Action = "attach"
	ActionDetach Action = "detach"
	// ActionSave reads what a subscriber's deletion would lose, ActionRestore puts it back (renumber.go).
	ActionSave    Action = "save"
	ActionRestore Action = "restore"
)

// Operation is one step of a plan: one effect on one thing.
//
//	user       create update delete    licences given at creation are part of the create; an update whose Login is not
//	                                   that of its Key is a rename to Login
//	extension  create delete           a Cloud PBX subscriber, of Login
//	extension  save restore            its settings and keys; the save whose number is * is of what points to extensions,
//	                                   and of no user
//	extension  attach update detach    a number of an equipped PBX, paired with Login
//	device     create update delete
//	ddi        create delete
//	options    update             of Login's subscriber, of one group
//	keys       update             of a device
//	settings   update             of the Cloud PBX, of one group
//	device     attach detach           to and from Login's subscriber
//	ddi        attach detach           to and from Login
//	licence    attach detach           to and from Login
type Operation struct {
	// ID counts from 1 in plan order.
	ID     int    `json:"id"`
	Action Action `json:"action"`
	Key    Key    `json:"key"`
	// Login is the user concerned: the holder-to-be of an attach, the holder of a detach.
	Login Login `json:"login"`
	// Changes are the values that differ, by name; an attach and a detach change "holder".
	Changes []Change `json:"changes,omitempty"`
	// Reason says why, in words a telephony administrator would use.
	Reason string `json:"reason"`
	// Positions of the manifest's entries that ask for it.
	Positions []Position `json:"positions,omitempty"`
	// Needs are the ids of the operations that must have succeeded before; all are smaller than ID.
	Needs []int `json:"needs,omitempty"`
	// Secret tells where the manifest holds the password that the operation sends.
	Secret *SecretPlace `json:"secret,omitempty"`
	Cost   Cost         `json:"cost"`
	// Held says why the operation is held back: apply leaves it out unless it is overridden (guards.go). Empty: it goes.
	Held string `json:"held,omitempty"`
}

// Change is one value before and after; empty means absent.
type Change struct {
	Name   string `json:"name"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// After gives the value that the operation sets under a name, or false when it does not change it.
func (o *Operation) After(name string) (string, bool) {
	for _, c := range o.Changes {
		if c.Name == name {
			return c.After, true
		}
	}
	return "", false
}

// Title is the operation in one line: "attach device aa:bb:cc:dd:ee:02 to ann@demo.example".
func (o *Operation) Title() string {
	thing := o.thing()
	switch {
	case o.renames():
		return fmt.Sprintf("rename %s -> %s", o.Key.ID, o.Login)
	case o.Action == ActionSave && o.Login == "":
		return "save keys and forwards that point to extensions"
	case o.Action == ActionSave, o.Action == ActionRestore:
		return fmt.Sprintf("%s settings of %s of %s", o.Action, thing, o.Login)
	case o.setsDefault():
		return fmt.Sprintf("make %s the default one", thing)
	case o.Key.Kind == KindUser:
		return fmt.Sprintf("%s user %s", o.Action, o.Login)
	case o.Action == ActionAttach:
		return fmt.Sprintf("attach %s to %s", thing, o.Login)
	case o.Action == ActionDetach:
		return fmt.Sprintf("detach %s from %s", thing, o.Login)
	}
	if o.Login == "" {
		return fmt.Sprintf("%s %s", o.Action, thing)
	}
	return fmt.Sprintf("%s %s of %s", o.Action, thing, o.Login)
}

// thing names what the operation concerns, as people say it.
func (o *Operation) thing() string {
	switch o.Key.Kind {
	case KindDevice:
		return "device " + DeviceKey(o.Key.ID).String()
	case KindDDI:
		return "DDI " + o.Key.ID
	case KindOptions:
		group, _ := GroupOf(o.Key)
		return string(group)
	case KindSettings:
		group, _ := GroupOf(o.Key)
		return string(group) + " of the Cloud PBX"
	case KindKeys:
		return "keys of device " + DeviceKey(o.Key.ID).String()
	case KindExtension:
		pbx, number, _ := strings.Cut(o.Key.ID, "/")
		if o.Action == ActionCreate || o.Action == ActionDelete || o.Action == ActionSave || o.Action == ActionRestore {
			return "extension " + number
		}
		return fmt.Sprintf("number %s (%s)", number, pbx)
	case KindLicence:
		if name := cmp.Or(first(o.After("offer")), o.before("offer")); name != "" {
			return fmt.Sprintf("licence %q", name)
		}
	}
	return string(o.Key.Kind) + " " + o.Key.ID
}

func first(s string, _ bool) string { return s }

func (o *Operation) before(name string) string {
	for _, c := range o.Changes {
		if c.Name == name {
			return c.Before
		}
	}
	return ""
}

// Hash is the plan's name: the first 16 bytes, in hex, of the SHA-256 over its JSON form without the entries that need
// nothing.
func (p *Plan) Hash() string {
	h := sha256.New()
	if err := p.WriteDocument(h); err != nil {
		panic(fmt.Sprintf("plan does not encode: %v", err)) // a plan is plain data
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// HeldBack counts the operations that are held back.
func (p *Plan) HeldBack() int {
	n := 0
	for i := range p.Operations {
		if p.Operations[i].Held != "" {
			n++
		}
	}
	return n
}

// Tally counts a plan's operations by kind and action.
type Tally map[Kind]map[Action]int

// Tally counts the operations, without those that are held back.
func (p *Plan) Tally() Tally {
	t := Tally{}
	for _, op := range p.Operations {
		if op.Held != "" {
			continue
		}
		if t[op.Key.Kind] == nil {
			t[op.Key.Kind] = map[Action]int{}
		}
		t[op.Key.Kind][op.Action]++
	}
	return t
}
