package syncserver

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/reflect/protoreflect"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// guarded is a request that says what a plan may do.
type guarded interface {
	GetIgnore() []string
	GetProtect() []string
	GetMax() []string
	GetMin() []string
	GetOutageBudget() int32
	ProtoReflect() protoreflect.Message
}

// planned is a request that says how a plan is made of a manifest.
type planned interface {
	guarded
	GetStrict() bool
	GetResetPasswords() bool
	GetPrune() string
	GetScope() []string
	GetLineage() string
	GetMatch() []string
	GetMatchNumbers() string
	GetRenumber() []string
}

// policy reads what a request says about how a plan is made.
func (v *violations) policy(req planned) bulksync.Policy {
	p := v.guards(req)
	p.Strict, p.ResetPasswords, p.Lineage = req.GetStrict(), req.GetResetPasswords(), req.GetLineage()
	if len(p.Lineage) > 128 {
		v.add("lineage", "%s: want at most 128 bytes", quoted(p.Lineage))
	}
	var err error
	if p.Prune, err = bulksync.ParsePrune(req.GetPrune()); err != nil {
		v.add("prune", "%v", err)
	}
	p.Scope = parsed(v, "scope", req.GetScope(), bulksync.ParseSelector)
	p.Match = parsed(v, "match", req.GetMatch(), bulksync.ParseMatch)
	if p.MatchNumbers, err = bulksync.ParseMatchNumbers(req.GetMatchNumbers()); err != nil {
		v.add("match_numbers", "%v", err)
	}
	p.Renumber = parsed(v, "renumber", req.GetRenumber(), bulksync.ParseRenumbering)
	return p
}

// guards reads what a request says about what a plan may do, and to whom.
func (v *violations) guards(req guarded) (p bulksync.Policy) {
	p.Ignore = parsed(v, "ignore", req.GetIgnore(), bulksync.ParsePattern)
	p.Protect = parsed(v, "protect", req.GetProtect(), bulksync.ParsePattern)
	for i, pattern := range p.Protect {
		if pattern.Kind != bulksync.KindUser {
			v.add(fmt.Sprintf("protect[%d]", i), "%s: users are protected; want a login, or a pattern of logins", quoted(pattern.String()))
		}
	}
	p.Ceilings = parsed(v, "max", req.GetMax(), bulksync.ParseCeiling)
	seen := map[string]bool{}
	for i, c := range p.Ceilings {
		if seen[c.Class()] {
			v.add(fmt.Sprintf("max[%d]", i), "%s comes twice", c.Class())
		}
		seen[c.Class()] = true
	}
	for _, n := range parsed(v, "min", req.GetMin(), bulksync.ParseMinimum) {
		p.MinUsers = max(p.MinUsers, n)
	}
	if m := req.ProtoReflect(); m.Has(m.Descriptor().Fields().ByName("outage_budget")) {
		v.within("outage_budget", req.GetOutageBudget(), 0, math.MaxInt32)
		budget := int(req.GetOutageBudget())
		p.OutageBudget = &budget
	}
	return p
}

// parsed reads each of several words.
func parsed[T any](v *violations, field string, words []string, parse func(string) (T, error)) []T {
	var all []T
	for i, w := range words {
		t, err := parse(w)
		if err != nil {
			v.add(fmt.Sprintf("%s[%d]", field, i), "%v", err)
			continue
		}
		all = append(all, t)
	}
	return all
}

// guardsProto shows what a plan was held against; nil when nobody said anything.
func guardsProto(p bulksync.Policy) *syncv1.PlanGuards {
	g := &syncv1.PlanGuards{
		Prune: string(p.Prune), Lineage: p.Lineage,
		Scope: spelled(p.Scope), Ignore: spelled(p.Ignore), Protect: spelled(p.Protect), Max: spelled(p.Ceilings),
	}
	if p.MinUsers > 0 {
		g.Min = []string{fmt.Sprintf("user=%d", p.MinUsers)}
	}
	if p.OutageBudget != nil {
		budget := int32(min(*p.OutageBudget, math.MaxInt32))
		g.OutageBudget = &budget
	}
	if g.Prune == "" && g.Lineage == "" && len(g.Scope)+len(g.Ignore)+len(g.Protect)+len(g.Max)+len(g.Min) == 0 && g.OutageBudget == nil {
		return nil
	}
	return g
}

func spelled[T fmt.Stringer](values []T) []string {
	var all []string
	for _, v := range values {
		all = append(all, v.String())
	}
	return all
}

// outagesShown is how many of a plan's outages an answer carries.
const outagesShown = 100

// addSafety tells what a plan does with licence seats, and who is without a number for how long.
func addSafety(view *syncv1.Plan, p *bulksync.Plan) {
	for _, s := range p.Seats {
		view.Seats = append(view.Seats, &syncv1.PlanSeats{
			Licence: s.Licence, Offer: string(s.Offer), Now: int32(s.Now), Peak: int32(s.Peak), After: int32(s.After), Max: int32(s.Max),
		})
	}
	if len(p.Outages) == 0 {
		return
	}
	reach := p.Reach()
	view.Reach = &syncv1.PlanReach{Users: int32(reach.Users), Sum: int32(reach.Sum), Max: int32(reach.Max)}
	for _, o := range p.Outages[:min(len(p.Outages), outagesShown)] {
		view.Outages = append(view.Outages, &syncv1.PlanOutage{Login: string(o.Login), From: int32(o.From), To: int32(o.To), Calls: int32(o.Calls)})
	}
}

// checkOverride tells whether a run may carry out what its plan holds back: the caller names the plan's hash.
func checkOverride(plan *bulksync.StoredPlan, override string) (bool, error) {
	switch override {
	case "":
		return false, nil
	case plan.Hash:
		return true, nil
	}
	return false, invalid("override", "%s is not the hash of plan %s: look at the plan, and name its hash", quoted(override), plan.Name)
}
