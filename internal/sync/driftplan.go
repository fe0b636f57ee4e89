package sync

import (
	"errors"
	"slices"
)

// blocked is a fault that kept a manifest in force from being planned again.
type blocked struct {
	login Login
	fault Fault
}

// mostRelaxed is how often a manifest is planned again without what was at fault.
const mostRelaxed = 20

// planning is what plans a manifest under a policy.
type planning func(*Desired, Policy) (*Plan, error)

// plan plans the manifest, leaving out what can't be planned any more; a nil plan comes when that does not help.
func (r *relaxation) plan(make planning) (*Plan, error) {
	for range mostRelaxed {
		made, err := make(&r.desired, r.policy)
		var faults Faults
		if !errors.As(err, &faults) {
			return made, err
		}
		if !r.relax(faults) {
			break
		}
	}
	return nil, nil
}

// obstacle says why the plan that was made must not be carried out under the outage budget of the manifest in force.
func (r *relaxation) obstacle(make planning, budget *int) (string, error) {
	if budget == nil {
		return "", nil
	}
	p := r.policy
	p.OutageBudget = budget
	_, err := make(&r.desired, p)
	var faults Faults
	if !errors.As(err, &faults) {
		return "", err
	}
	return faults[0].Message, nil
}

// relaxation is a manifest of which more and more is left out.
type relaxation struct {
	desired Desired
	policy  Policy
	blocked []blocked
	at      map[Position]int // of the user's entry in desired.Users
	touched map[Login]bool
}

// newRelaxation begins with the whole manifest, under the policy that it was applied with as far as that says what is
// managed: that an effect holds already is no fault, passwords are not sent again, a rule for renumbering is a move that was
// made and no state to hold, and for how long nobody may be reached concerns the repair only.
func newRelaxation(desired *Desired, policy Policy) *relaxation {
	r := &relaxation{desired: *desired, policy: policy, touched: map[Login]bool{}}
	r.policy.Strict, r.policy.ResetPasswords, r.policy.Renumber, r.policy.OutageBudget = false, false, nil, nil
	r.desired.Strict, r.desired.Renumber = false, nil
	r.desired.Users = &Entries{}
	for _, u := range desired.Users.All() {
		u.Cells = nil // so that every fault stands at its user's entry
		r.desired.Users.Append(u)
	}
	return r
}

// relax leaves out what is at fault; false when nothing of it belongs to an entry.
func (r *relaxation) relax(faults Faults) bool {
	if r.at == nil {
		r.index()
	}
	next := map[int]*DesiredUser{} // what becomes of entries; nil: it is dropped
	found := false
	for _, f := range faults {
		i, ok := r.at[f.Position]
		if !ok {
			found = r.relaxWhole(f) || found
			continue
		}
		found = true
		u, met := next[i]
		if !met {
			u = r.desired.Users.At(i)
		}
		if u == nil {
			continue
		}
		r.blocked = append(r.blocked, blocked{u.Login, f})
		if next[i] = u; r.touched[u.Login] || !u.relax(f.Field) {
			next[i] = nil
		}
	}
	for i := range next { // one entry may be at fault in several columns at once
		r.touched[r.desired.Users.Login(i)] = true
	}
	if len(next) > 0 {
		r.replace(next)
	}
	return found
}

// replace puts others in the places of entries.
func (r *relaxation) replace(next map[int]*DesiredUser) {
	users := &Entries{}
	for i, u := range r.desired.Users.All() {
		if other, ok := next[i]; ok {
			u = other
		}
		if u != nil {
			users.Append(u)
		}
	}
	r.desired.Users, r.at = users, nil
}

// relaxWhole deals with a fault that is at no entry. That users can't be recognised by a column any more is the fault of
// entries that were left out before, and is not told again.
func (r *relaxation) relaxWhole(f Fault) bool {
	if f.Code == "match-column" && len(r.touched) > 0 && len(r.desired.Match)+len(r.policy.Match) > 0 {
		r.desired.Match, r.policy.Match = nil, nil
		return true
	}
	r.blocked = append(r.blocked, blocked{"", f})
	return false
}

func (r *relaxation) index() {
	r.at = make(map[Position]int, r.desired.Users.Len())
	for i := range r.desired.Users.Len() {
		r.at[r.desired.Users.Position(i)] = i
	}
}

// relax leaves out what the entry says in a column; false when it can't do without.
func (u *DesiredUser) relax(column string) bool {
	switch kindOfColumn(column) {
	case KindExtension:
		if column == "shortNumber" {
			u.Subscriber = Wish[Number]{}
		} else {
			u.Pairings = Wish[Pairing]{}
		}
	case KindDevice:
		u.Devices = Wish[DeviceKey]{}
	case KindDDI:
		u.DDIs = Wish[E164]{}
	case KindLicence:
		u.Licences = Wish[Offer]{}
	default:
		at := slices.IndexFunc(u.Attributes, func(a Attribute) bool { return a.Name == column })
		if at < 0 {
			return false
		}
		u.Attributes = slices.Delete(slices.Clone(u.Attributes), at, at+1)
	}
	return true
}

// kindOfColumn is the kind of the things that a column speaks of.
func kindOfColumn(column string) Kind {
	switch column {
	case "shortNumber", "pbxShortNumber", "pbxId", "extension":
		return KindExtension
	case "macAddress", "devices":
		return KindDevice
	case "ddiE164Number", "ddis":
		return KindDDI
	case "service", "licences":
		return KindLicence
	}
	return KindUser
}

// difference tells of what is in the way.
func (b blocked) difference() Difference {
	d := Difference{
		Login: b.login, Kind: kindOfColumn(b.fault.Field), What: Blocked, Words: b.fault.Message,
		Position: b.fault.Position, Code: b.fault.Code, Hint: b.fault.Hint,
	}
	if b.login != "" {
		d.Key = b.login.Key()
	}
	if b.fault.Code == "user-missing" || b.fault.Code == "password-required" {
		d.Kind, d.What, d.Words = KindUser, Missing, "user "+string(b.login)+" is gone"
	}
	return d
}
