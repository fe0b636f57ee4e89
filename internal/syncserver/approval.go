package syncserver

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// longestComment is how long an approver's comment may be, in characters.
const longestComment = 1000

// ApprovePlan notes an approval.
func (s planService) ApprovePlan(ctx context.Context, req *syncv1.ApprovePlanRequest) (*syncv1.Plan, error) {
	var v violations
	if n := utf8.RuneCountInString(req.GetComment()); n > longestComment {
		v.add("comment", "%d characters: want at most %d", n, longestComment)
	}
	stored, err := s.namedPlan(ctx, "name", req.GetName(), v)
	if err != nil {
		return nil, s.status(err)
	}
	view, err := s.approve(ctx, stored, req)
	return view, s.status(err)
}

func (s *Server) approve(ctx context.Context, stored *bulksync.StoredPlan, req *syncv1.ApprovePlanRequest) (*syncv1.Plan, error) {
	if err := checkEtag(stored, req.GetEtag()); err != nil {
		return nil, err
	}
	company, by := stored.Plan.Company, s.opts.Principal(ctx)
	subject := planName(company, stored.Name)
	if by.Company != "" && by.Company != company {
		return nil, refusal{
			reason: "APPROVAL_REFUSED", subject: subject,
			text: fmt.Sprintf("%s belongs to company %s, and plan %s is of company %s", by.Name, by.Company, stored.Name, company),
		}
	}
	if why := s.opts.Approval.Approves(stored, by); why != "" {
		reason := "APPROVAL_REFUSED"
		if !by.Known() {
			reason = "IDENTITY_REQUIRED"
		}
		return nil, refusal{reason: reason, subject: subject, text: fmt.Sprintf("plan %s: %s", stored.Name, why)}
	}
	approval := bulksync.Approval{Hash: stored.Hash, By: by, Time: s.now(), Comment: req.GetComment()}
	if err := s.opts.Engine.Store.ApprovePlan(ctx, company, stored.Name, approval); err != nil {
		return nil, err
	}
	s.shelf.dropPlan(company, stored.Name)
	stored, err := s.storedPlan(ctx, company, stored.Name)
	if err != nil {
		return nil, err
	}
	return s.planProto(stored), nil
}

// WithdrawApproval takes approvals back.
func (s planService) WithdrawApproval(ctx context.Context, req *syncv1.WithdrawApprovalRequest) (*syncv1.Plan, error) {
	var v violations
	if n := utf8.RuneCountInString(req.GetComment()); n > longestComment {
		v.add("comment", "%d characters: want at most %d", n, longestComment)
	}
	stored, err := s.namedPlan(ctx, "name", req.GetName(), v)
	if err != nil {
		return nil, s.status(err)
	}
	view, err := s.withdraw(ctx, stored, req)
	return view, s.status(err)
}

func (s *Server) withdraw(ctx context.Context, stored *bulksync.StoredPlan, req *syncv1.WithdrawApprovalRequest) (*syncv1.Plan, error) {
	if err := checkEtag(stored, req.GetEtag()); err != nil {
		return nil, err
	}
	company, by := stored.Plan.Company, s.opts.Principal(ctx)
	which := func(a bulksync.Approval) bool { return a.By.Same(by) }
	if of := req.GetOf(); of != "" {
		which = func(a bulksync.Approval) bool { return strings.EqualFold(a.By.Name, of) }
	}
	w := bulksync.Withdrawal{By: by, Time: s.now(), Comment: req.GetComment()}
	l, err := s.lane(ctx, company)
	if err != nil {
		return nil, err
	}
	l.mu.Lock() // no run of the plan begins meanwhile
	n, err := s.opts.Engine.Store.WithdrawApprovals(ctx, company, stored.Name, which, w)
	s.shelf.dropPlan(company, stored.Name)
	l.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, refusal{
			reason: "NOT_APPROVED", subject: planName(company, stored.Name),
			text: fmt.Sprintf("plan %s has no approval of %s that could be taken back%s", stored.Name, cmp.Or(req.GetOf(), by.Name), approvers(stored)),
		}
	}
	if stored, err = s.storedPlan(ctx, company, stored.Name); err != nil {
		return nil, err
	}
	return s.planProto(stored), nil
}

// approvers says who has approved a plan, as the end of a sentence.
func approvers(stored *bulksync.StoredPlan) string {
	if len(stored.Approvals) == 0 {
		return ""
	}
	var names []string
	for _, a := range stored.Approvals {
		names = append(names, a.By.Name)
	}
	slices.Sort(names)
	return "; it has those of " + strings.Join(slices.Compact(names), ", ")
}

// checkApproval refuses a plan that waits for an approval. One that does nothing needs none.
func (s *Server) checkApproval(stored *bulksync.StoredPlan) error {
	why := s.opts.Approval.Unapproved(stored)
	if why == "" || len(stored.Plan.Operations) == 0 {
		return nil
	}
	return refusal{
		reason: "PLAN_NOT_APPROVED", subject: planName(stored.Plan.Company, stored.Name),
		text: fmt.Sprintf("plan %s is not approved: %s", stored.Name, why),
	}
}

// addHistory shows who made a plan and who approved it.
func (s *Server) addHistory(view *syncv1.Plan, stored *bulksync.StoredPlan) {
	company := stored.Plan.Company
	if stored.CreatedBy.Name != "" {
		view.CreatedBy = principalProto(stored.CreatedBy)
	}
	for _, a := range stored.Approvals {
		view.Approvals = append(view.Approvals, approvalProto(a))
	}
	for _, w := range stored.Withdrawals {
		view.Withdrawals = append(view.Withdrawals, &syncv1.Withdrawal{Approval: approvalProto(w.Approval), By: principalProto(w.By), Time: timestamp(w.Time), Comment: w.Comment})
	}
	if view.GetOperationCount() > 0 {
		view.AwaitingApproval = s.opts.Approval.Unapproved(stored)
	}
	if stored.Plan.Undoes != "" {
		view.Undoes = runName(company, stored.Plan.Undoes)
	}
	if stored.Replaces != "" {
		view.Replaces = planName(company, stored.Replaces)
	}
}

var voucherProtos = map[bulksync.Voucher]syncv1.Principal_Voucher{
	bulksync.VouchedByToken:       syncv1.Principal_VOUCHER_RAINBOW_TOKEN,
	bulksync.VouchedByListener:    syncv1.Principal_VOUCHER_LISTENER,
	bulksync.VouchedByCertificate: syncv1.Principal_VOUCHER_CERTIFICATE,
}

func approvalProto(a bulksync.Approval) *syncv1.Approval {
	return &syncv1.Approval{By: principalProto(a.By), Time: timestamp(a.Time), Hash: a.Hash, Comment: a.Comment}
}

func principalProto(p bulksync.Principal) *syncv1.Principal {
	return &syncv1.Principal{Name: p.Name, UserId: p.ID, CompanyId: p.Company, Voucher: voucherProtos[p.By]}
}
