package sync

import (
	"slices"
	"strings"
)

// checkBarring holds the barring that a plan sets against what the Cloud PBX offers. A subscriber's may also be that of the Cloud
// PBX; without a login it is that of the Cloud PBX itself. What is set already is not judged: nothing is sent of it, and what is
// offered depends on the country and may become less.
func (p *planner) checkBarring(of Login, want *DesiredGroup, changes []Change) {
	if want.Group != GroupBarring || p.company.CloudPbx == nil || p.company.CloudPbx.Barring == nil {
		return
	}
	for _, c := range changes {
		offered := p.company.CloudPbx.Barring.Permissions
		if c.Name == "restrictions" {
			offered = p.company.CloudPbx.Barring.Restrictions
		}
		if len(offered) == 0 { // not said
			continue
		}
		if of != "" {
			offered = append(slices.Clone(offered), DefaultOption(GroupBarring, c.Name))
		}
		if slices.Contains(offered, c.After) {
			continue
		}
		s := &stance{at: want.Position}
		p.fault(s, "barring", "barring-choice", "use one of: "+strings.Join(offered, ", "), "the Cloud PBX has no %s %q of traffic barring", strings.TrimSuffix(c.Name, "s"), c.After)
	}
}
