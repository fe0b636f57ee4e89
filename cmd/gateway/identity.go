package main

import syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"

// identityFlags say who is who, and which extensions change by rules.
type identityFlags struct {
	Match        []string `sep:"none" placeholder:"COLUMN" help:"Column whose value identifies a user whatever his login, such as userInfo1: a new login is then a rename; may be given several times."`
	MatchNumbers string   `default:"names" enum:"names,always,never" help:"What the same extension or DDI proves of a new login: names (the same user when first and last name agree, another when both differ, else a doubt), always (the same unless both differ), never."`
	Renumber     []string `sep:"none" placeholder:"FROM=TO" help:"Rule by which extensions change, x being a digit that stays: 23xx=43xx, or 23xx=43xx@department=Brest for some users; needs no manifest; may be given several times."`
}

// put writes the flags into a request.
func (f *identityFlags) put(req *syncv1.CreatePlanRequest) *syncv1.CreatePlanRequest {
	req.Match, req.MatchNumbers, req.Renumber = f.Match, f.MatchNumbers, f.Renumber
	return req
}
