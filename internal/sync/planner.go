package sync

import (
	"cmp"
	"fmt"
	"slices"
)

// MakePlan compares the desired with the observed state and gives the operations that turn the one into the other, or
// every fault that stands in the way. It is a pure function: the same input gives the same plan, byte for byte.
//
// It works in four passes over small, separate data:
//
//  1. stances   for every user in whom something may change: what he holds now and what he shall hold (settled.go, compare.go)
//  2. claims    what one user shall get is taken from whoever holds it (claims.go)
//  3. drafts    first what frees a value, then what takes it, each knowing what it needs (drafts.go, licences.go)
//  4. order     drafts become numbered operations (order.go)
func MakePlan(desired *Desired, obs Observed, policy Policy) (*Plan, error) {
	p := newPlanner(desired, obs, policy)
	p.checkCompany()
	p.provide()
	p.takeStances()
	p.prune()
	p.checkScope()
	p.renumber()
	p.settleClaims()
	if len(p.faults) > 0 {
		return nil, p.faults.Err()
	}
	p.draftRenames()
	p.draftSaves()
	p.draftReleases()
	p.draftProvisions()
	p.draftTakes()
	p.draftDisposals()
	p.draftSettings()
	p.draftKeys()
	p.remarkUnverified()
	p.draftLicences()
	p.checkUntouched()
	if len(p.faults) > 0 {
		return nil, p.faults.Err()
	}
	return p.plan()
}

func newPlanner(desired *Desired, obs Observed, policy Policy) *planner {
	p := &planner{
		desired: desired, obs: remember(obs), policy: desired.policy(policy), company: obs.Company(),
		stances: map[Login]*stance{},
		frees:   map[Key]*draft{},
		touched: map[Key]bool{},
		spared:  map[Login]string{},
		offers:  map[Offer][]*Licence{},
	}
	for r := range obs.Records(KindLicence) {
		p.licences = append(p.licences, r.(*Licence))
	}
	return p
}

type planner struct {
	desired *Desired
	obs     Observed
	policy  Policy
	company Company
	// licences are the company's subscriptions, in key order.
	licences []*Licence
	// offers remembers the subscriptions to an offer, by the name that a manifest gives it.
	offers map[Offer][]*Licence

	// settled are the entries without a stance, manages what all entries speak of.
	settled settled
	manages managed
	// queue holds the stances in the order in which their users come up: manifest order, then those who only lose things.
	queue   []*stance
	stances map[Login]*stance
	// acting are the stances of which operations give or take things, by the login that these name.
	acting map[Login]*stance
	// claimed tells which stance asks by name for a thing; nil before that is settled.
	claimed map[Key]*stance

	drafts []*draft
	// frees gives the draft after which a thing has no holder any more.
	frees map[Key]*draft
	// seatFrees lists, by licence, the drafts that give a seat back; seatTakes those that take one.
	seatFrees, seatTakes map[Key][]*draft

	// spared are recorded users who must not be deleted by this plan, each with its reason.
	spared map[Login]string
	// doubtful are the entries that matching held back.
	doubtful []Doubt

	// staying are the things of a kind that stay though a complete list does not have them: somebody holds them.
	staying []Key
	// attached are the things that drafts attach; nil until deletions are drafted.
	attached map[Key]bool
	// unverified counts options that are taken for what was applied last.
	unverified int
	// provided are the devices and DDIs that the manifest lists.
	provided map[Key]*provision
	// firstDDI is the creation of a company's first DDI, standard the DDI that the manifest wants for the default one, and
	// defaultChange what makes it so.
	firstDDI, defaultChange *draft
	standard                *Key

	// ddis gives the company's DDIs by their digits without country code; made when it is first asked.
	ddis map[string]E164

	faults    Faults
	remarks   Faults
	unchanged []Unchanged
	touched   map[Key]bool
}

// stance is what the plan intends for one user.
type stance struct {
	login Login
	// want is nil for a user who is not in the manifest and only loses things.
	want *DesiredUser
	// user is nil when he does not exist. same: nothing in him differs, and he is here without his attributes (meet).
	user *User
	same bool
	// was is his recorded login when it is another (match.go), because says how he is known; held keeps the entry out of
	// the plan.
	was     Login
	because string
	held    bool
	// rule is what gives him another extension, when it is not his entry.
	rule *Renumbering
	now  holding
	then holding
	// paired are the numbers of equipped PBXs that the manifest names for him.
	paired []Key
	// licences are the subscriptions that the manifest names for him.
	licences []*Licence
	// at is where the manifest causes it.
	at    Position
	order int
	// creation, subscription and deletion are the drafts that create the user, create his subscriber, delete him; or nil.
	creation, subscription, deletion *draft
	// restoration puts back what his old subscriber lost.
	restoration *draft
	// rename are the drafts that give him his new login: one, or two when it goes over a third.
	rename []*draft
	// saves are the drafts that read what he loses with his subscriber.
	saves   []*draft
	drafted bool
	faulty  bool
	// why says what of the entry is so already; idle keeps an entry from changing the user.
	why  string
	idle bool
}

// recorded is the login under which the user is observed.
func (s *stance) recorded() Login { return cmp.Or(s.was, s.login) }

// deleted tells whether the user is to go.
func (s *stance) deleted() bool { return s.user != nil && s.want != nil && s.want.Presence == Absent }

// renumbered tells whether the user's present subscriber is to go, the user staying.
func (s *stance) renumbered() bool {
	return !s.deleted() && s.now.subscriber != "" && s.now.subscriber != s.then.subscriber
}

// draft is an operation that has no number yet.
type draft struct {
	op    Operation
	needs []*draft
	owner *stance
	// group is the representative of the drafts that it hangs together with (order.go).
	group *draft
	// placed is set once the draft has its place in the order (arrange.go).
	placed bool
}

// need makes the draft wait for others; nil ones and itself are passed over.
func (d *draft) need(others ...*draft) {
	for _, n := range others {
		if n != nil && n != d && !slices.Contains(d.needs, n) {
			d.needs = append(d.needs, n)
		}
	}
}

func (p *planner) fault(s *stance, column, code, hint, format string, args ...any) {
	at := s.at
	if s.want != nil {
		at = s.want.At(column)
	}
	if s.rule != nil && column == "shortNumber" {
		at = s.rule.position()
	}
	s.faulty = true
	field, hint := p.desired.words(column, hint)
	p.faults = append(p.faults, Fault{Position: at, Code: code, Field: field, Message: fmt.Sprintf(format, args...), Hint: hint})
}

func (p *planner) remark(s *stance, code, format string, args ...any) {
	p.remarks = append(p.remarks, Fault{Position: s.at, Code: code, Message: fmt.Sprintf(format, args...)})
}

// add drafts an operation of a stance. Nil needs are passed over.
func (p *planner) add(s *stance, op Operation, needs ...*draft) *draft {
	op.Login = s.login
	if s.at != (Position{}) {
		op.Positions = []Position{s.at}
	}
	d := &draft{op: op, owner: s}
	d.need(needs...)
	d.need(s.rename...)
	s.drafted = true
	p.drafts = append(p.drafts, d)
	p.touched[op.Key] = true
	if s.login != "" {
		p.touched[s.login.Key()] = true
	}
	return d
}

// nextOrder is the place in the order of a user who comes up behind the manifest's entries, of whom some may be held back.
func (p *planner) nextOrder() int { return p.desired.Users.Len() + len(p.queue) }

// stanceOf gives the stance of a user who is drawn in because he loses something; cause is the stance that takes it.
func (p *planner) stanceOf(l Login, cause *stance) *stance {
	if s := p.known(l); s != nil {
		return s
	}
	s := &stance{login: l, user: find[User](p.obs, l.Key()), now: holdingOf(p.obs, l), at: cause.at, order: p.nextOrder()}
	s.then = s.now
	p.stances[l] = s
	p.queue = append(p.queue, s)
	return s
}

func (p *planner) subscriberKey(n Number) Key { return ExtensionKey(p.company.CloudPbx.PbxID, n) }
