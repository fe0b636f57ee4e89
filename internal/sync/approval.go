package sync

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// Principal is who did something, in the books.
type Principal struct {
	// Name is how he is shown: a login e-mail, or "local" for a caller of whom nothing is known but that he is on this machine.
	Name string `json:"name"`
	// ID is the Rainbow user id, when a Rainbow token told it.
	ID string `json:"id,omitempty"`
	// Company is the Rainbow company that the user belongs to, when a Rainbow token told him.
	Company string `json:"company,omitempty"`
	// By tells what vouches for him: empty for nothing.
	By Voucher `json:"by,omitempty"`
}

// Voucher is what vouches for a principal.
type Voucher string

// The vouchers.
const (
	// VouchedByToken: Rainbow said that his token is valid.
	VouchedByToken Voucher = "rainbow-token"
	// VouchedByListener: what stands before the listener named him.
	VouchedByListener Voucher = "listener"
	// VouchedByCertificate: the authority of his client certificate did.
	VouchedByCertificate Voucher = "certificate"
)

// Known tells whether something vouches for him.
func (p Principal) Known() bool { return p.By != "" }

// Same tells whether two principals are one person, as far as can be told: by user id when both have one, else by name, whose
// case does not count.
func (p Principal) Same(o Principal) bool {
	if p.ID != "" && o.ID != "" {
		return p.ID == o.ID
	}
	return strings.EqualFold(p.Name, o.Name)
}

// Approval says that somebody looked at a plan and wants it applied.
type Approval struct {
	// Hash is that of the plan as it was looked at; the approval is void for a plan with another one.
	Hash    string    `json:"hash"`
	By      Principal `json:"by"`
	Time    time.Time `json:"time"`
	Comment string    `json:"comment,omitempty"`
}

// Withdrawal says that an approval was taken back, so that it no longer counts. Whoever may call may take back anybody's: it
// only ever stops a plan, and it is written down who did.
type Withdrawal struct {
	Approval Approval  `json:"approval"`
	By       Principal `json:"by"`
	Time     time.Time `json:"time"`
	Comment  string    `json:"comment,omitempty"`
}

// ApprovalPolicy says which approval a plan needs before it is applied.
type ApprovalPolicy string

// The policies of approval.
const (
	// ApprovalNone: none.
	ApprovalNone ApprovalPolicy = "none"
	// ApprovalOne: that of anybody.
	ApprovalOne ApprovalPolicy = "one"
	// ApprovalDifferent: that of somebody else than the plan's creator; something must vouch for both.
	ApprovalDifferent ApprovalPolicy = "different"
)

// Approves tells why an approval by somebody would not count for the plan; empty when it would.
func (a ApprovalPolicy) Approves(p *StoredPlan, by Principal) string {
	if a != ApprovalDifferent {
		return ""
	}
	switch {
	case !by.Known():
		return "the approval has to come from somebody else than the plan's creator, and nothing vouches for who you are"
	case !p.CreatedBy.Known():
		return fmt.Sprintf("the approval has to come from somebody else than the plan's creator, and nothing vouches for who that was (%s)", cmp.Or(p.Creator, "nobody is noted"))
	case p.CreatedBy.Same(by):
		return fmt.Sprintf("the approval has to come from somebody else than the plan's creator, which is %s", by.Name)
	}
	return ""
}

// Unapproved says what approval a plan is waiting for; empty when it may be applied.
func (a ApprovalPolicy) Unapproved(p *StoredPlan) string {
	if a == ApprovalNone || a == "" {
		return ""
	}
	why := "nobody has approved it"
	for _, approval := range p.Approvals {
		if approval.Hash != p.Hash {
			why = "it was approved with another content"
			continue
		}
		words := a.Approves(p, approval.By)
		if words == "" {
			return ""
		}
		why = words
	}
	return why
}
