package main

import (
	"fmt"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

// guardFlags say what a plan may do, and to whom.
type guardFlags struct {
	ownerFlags
	ceilingFlags
}

// ownerFlags say whom a manifest speaks for.
type ownerFlags struct {
	Prune   string   `default:"off" enum:"off,delete,detach" help:"What becomes of users in scope whom the manifest does not name: off (nothing), delete, or detach (they lose what the manifest gives and takes)."`
	Scope   []string `sep:"none" placeholder:"SCOPE" help:"Users that the manifest speaks for: all, owned, domain=DOMAIN, tag=TAG, or an attribute such as department=Sales; several must all hold."`
	Lineage string   `placeholder:"NAME" help:"The manifest's name: users that an earlier applied manifest of that name named are owned by it."`
}

// ceilingFlags say what a plan may do, and to whom.
type ceilingFlags struct {
	Ignore       []string `sep:"none" placeholder:"PATTERN" help:"Leave logins, extensions, DDIs or devices alone: \"*@partner.example\", \"23*\", \"+332983*\", \"aa:bb:cc:*\"."`
	Protect      []string `sep:"none" placeholder:"LOGIN" help:"A user, or a pattern of logins, who is neither deleted nor without a number at any moment."`
	Max          []string `sep:"none" placeholder:"CLASS=N" help:"Ceiling of a class, such as delete-user=10, detach-device=5%, delete-user=10,5% (the larger) or delete-user=off; above it the class is held back."`
	Min          []string `sep:"none" placeholder:"user=N" help:"How many users must be left, or deletions of users are held back."`
	OutageBudget *int32   `placeholder:"N" help:"Refuse a plan in which a user is without a number for more than N calls."`
}

// put writes the flags into a request.
func (g *guardFlags) put(req *syncv1.CreatePlanRequest) *syncv1.CreatePlanRequest {
	req.Prune, req.Scope, req.Lineage, req.Ignore, req.Protect, req.Max, req.Min, req.OutageBudget = g.Prune, g.Scope, g.Lineage, g.Ignore, g.Protect, g.Max, g.Min, g.OutageBudget
	return req
}

// heldHint says how to carry out what a plan holds back.
func heldHint(held int32, plan, hash string) string {
	return fmt.Sprintf("%s held back by the plan and not carried out\nhint: if all of it is meant, add --override %s to \"gateway apply %s\"; made anew, the plan has another hash when anything changed",
		operationsAre(held), hash, plan)
}

func operationsAre(n int32) string {
	if n == 1 {
		return "1 operation is"
	}
	return fmt.Sprintf("%d operations are", n)
}
