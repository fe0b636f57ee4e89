package sync

import (
	"slices"
	"strings"
)

// checkBarring holds the barring that a manifest asks for against what the Cloud PBX offers. A subscriber's may also be that
// of the Cloud PBX; without a login it is that of the Cloud PBX itself.
func (p *planner) checkBarring(of Login, want *DesiredGroup) {
	if want.Group != GroupBarring || p.company.CloudPbx == nil || p.company.CloudPbx.Barring == nil {
		return
	}
	for _, v := range want.Values {
		offered := p.company.CloudPbx.Barring.Permissions
		if v.Name == "restrictions" {
			offered = p.company.CloudPbx.Barring.Restrictions
		}
		if of != "" {
			offered = append(slices.Clone(offered), DefaultOption(GroupBarring, v.Name))
		}
		if v.Value == "" && of != "" || slices.Contains(offered, v.Value) {
			continue
		}
		s := &stance{at: want.Position}
		p.fault(s, "barring", "barring-choice", "use one of: "+strings.Join(offered, ", "), "the Cloud PBX has no %s %q of traffic barring", strings.TrimSuffix(v.Name, "s"), v.Value)
	}
}
