package sync

import (
	"strings"
	"testing"
)

func TestAnApprovalCountsAsThePolicySays(t *testing.T) {
	ann := Principal{Name: "ann@demo.example", ID: "u1", By: VouchedByToken}
	bob := Principal{Name: "bob@demo.example", ID: "u2", By: VouchedByToken}
	annByProxy := Principal{Name: "ann@demo.example", By: VouchedByListener}
	local := Principal{Name: "local"}
	for _, c := range []struct {
		name    string
		policy  ApprovalPolicy
		creator Principal
		by      []Principal
		hash    string
		waits   string // what it says; empty: it may be applied
	}{
		{"no policy, no approval", "", local, nil, "h", ""},
		{"none asks for none", ApprovalNone, local, nil, "h", ""},
		{"one asks for one", ApprovalOne, ann, nil, "h", "nobody has approved it"},
		{"one takes anybody's", ApprovalOne, ann, []Principal{ann}, "h", ""},
		{"one takes that of a caller of whom nothing is known", ApprovalOne, local, []Principal{local}, "h", ""},
		{"an approval of another content is void", ApprovalOne, ann, []Principal{bob}, "other", "another content"},
		{"different takes somebody else's", ApprovalDifferent, ann, []Principal{bob}, "h", ""},
		{"different does not take the creator's", ApprovalDifferent, ann, []Principal{ann}, "h", "which is ann@demo.example"},
		{"nor when he comes by another way", ApprovalDifferent, ann, []Principal{annByProxy}, "h", "which is ann@demo.example"},
		{"different takes the second of two", ApprovalDifferent, ann, []Principal{ann, bob}, "h", ""},
		{"different wants to know the approver", ApprovalDifferent, ann, []Principal{local}, "h", "nothing vouches for who you are"},
		{"different wants to know the creator", ApprovalDifferent, local, []Principal{bob}, "h", "nothing vouches for who that was"},
		{"different does not take void ones", ApprovalDifferent, ann, []Principal{bob}, "other", "another content"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &StoredPlan{Hash: "h", Creator: c.creator.Name, CreatedBy: c.creator}
			for _, by := range c.by {
				p.Approvals = append(p.Approvals, Approval{Hash: c.hash, By: by})
			}
			got := c.policy.Unapproved(p)
			if (got == "") != (c.waits == "") || !strings.Contains(got, c.waits) {
				t.Errorf("it says %q, want %q", got, c.waits)
			}
		})
	}
}
