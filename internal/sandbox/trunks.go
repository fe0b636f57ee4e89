package sandbox

import (
	"cmp"
	"net/http"
	"slices"
	"time"
)

func trunkRoutes() []route {
	const base = "/rvcpprovisioning/v1.0/external-trunks"
	return []route{
		{http.MethodGet, base, adminOnly, false, listExternalTrunks},
		{http.MethodGet, base + "/{externalTrunkId}", adminOnly, false, getExternalTrunk},
	}
}

// Types of trunks: of a partner's carrier, of Rainbow, and of an equipped PBX.
const (
	partnerTrunk = "bp_trunk"
	rainbowTrunk = "rb_trunk"
	hybridTrunk  = "hybrid_trunk"
)

// trunk is an external SIP trunk. Which Cloud PBXs use it is said by their
// settings.
type trunk struct {
	ID             string        `json:"id"`
	Name           string        `json:"name"`
	Description    string        `json:"description"`
	Status         string        `json:"status"` // new or active
	Type           string        `json:"trunkType"`
	BpIDs          []string      `json:"bpIds"`
	InstanceID     string        `json:"rvcpInstanceId"`
	PstnForking    bool          `json:"callForkingToPstnNumber"`
	PeeringGroupID int           `json:"peeringGroupId,omitempty"` // not of hybrid trunks
	LoadBalancer   *loadBalancer `json:"loadBalancer,omitempty"`   // nil: peering policy
	Hybrid         *hybridData   `json:"hybrid,omitempty"`
}

type loadBalancer struct {
	ID          string `json:"id"`
	HostName    string `json:"hostName"`
	DisplayName string `json:"displayName"`
	Description string `json:"description"`
}

// hybridData binds a hybrid trunk to the equipped PBX of a company.
type hybridData struct {
	DomainName  string `json:"domainName"`
	CompanyID   string `json:"companyId"`
	SystemID    string `json:"systemId"`
	SipUserName string `json:"sipUserName"`
	SipPassword string `json:"sipPassword"`
}

// trunkSummary is all a company administrator is shown (guide: a sum-up, of
// the trunk of the own Cloud PBX; its members are ours).
type trunkSummary struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Status      string `json:"status"`
	Description string `json:"description"`
	Type        string `json:"trunkType"`
	PstnForking bool   `json:"callForkingToPstnNumber"`
}

// trunkView is a trunk as the other roles are shown it. The members about
// peering are not those of a hybrid trunk.
type trunkView struct {
	trunkSummary
	BpIDs          []string       `json:"bpIds"`
	InstanceID     string         `json:"rvcpInstanceId"`
	PeeringGroupID int            `json:"peeringGroupId,omitempty"`
	RouteToPeer    *bool          `json:"routeInternalCallsToPeerAllowed,omitempty"`
	LoadBalancer   map[string]any `json:"loadBalancerOptions"`
	Hybrid         map[string]any `json:"hybrid_specific_data,omitempty"`
	*trunkUse
}

// trunkUse are the members that only the list has.
type trunkUse struct {
	Locked    bool       `json:"locked"`
	CloudPbxs []namedPbx `json:"cloudPbxs"`
}

type namedPbx struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func trunkSum(t *trunk) trunkSummary {
	return trunkSummary{ID: t.ID, Name: t.Name, Status: t.Status, Description: t.Description, Type: t.Type, PstnForking: t.PstnForking}
}

// trunkDocument renders the members that list and single answer share.
func trunkDocument(t *trunk) trunkView {
	v := trunkView{
		trunkSummary: trunkSum(t), BpIDs: append([]string{}, t.BpIDs...), InstanceID: t.InstanceID, PeeringGroupID: t.PeeringGroupID,
		LoadBalancer: map[string]any{"loadBalancerId": nil, "policy": "peering_policy"},
	}
	if t.Type != hybridTrunk {
		v.RouteToPeer = new(bool)
	}
	if t.LoadBalancer != nil {
		v.LoadBalancer = map[string]any{"loadBalancerId": t.LoadBalancer.ID, "policy": "trunk_policy"}
	}
	if h := t.Hybrid; h != nil {
		v.Hybrid = map[string]any{
			"domainName": h.DomainName, "companyId": h.CompanyID, "systemId": h.SystemID, "sipUserName": h.SipUserName,
			"sipPassword": h.SipPassword, "mediaTransportProtocol": "srtp",
		}
	}
	return v
}

func (w *world) listedTrunk(t *trunk) trunkView {
	v := trunkDocument(t)
	v.trunkUse = &trunkUse{CloudPbxs: []namedPbx{}}
	for _, y := range w.systems.all() {
		if y.usesTrunk(t) {
			v.CloudPbxs = append(v.CloudPbxs, namedPbx{y.ID, y.Name})
		}
	}
	return v
}

// detailedTrunk adds what only GetExternalTrunk tells: the load balancer by
// name, and how the PBX of a hybrid trunk registers.
func detailedTrunk(t *trunk, now time.Time) trunkView {
	v := trunkDocument(t)
	if b := t.LoadBalancer; b != nil {
		v.LoadBalancer["loadBalancerHostName"] = b.HostName
		v.LoadBalancer["loadBalancerDisplayName"] = b.DisplayName
		v.LoadBalancer["loadBalancerDescription"] = b.Description
		if v.Hybrid != nil {
			v.Hybrid["outBoundProxyAddress"] = b.HostName
		}
	}
	if v.Hybrid != nil {
		v.Hybrid["sipPort"], v.Hybrid["transportProtocol"] = 5061, "TLS"
		v.Hybrid["cert_sip"] = "-----BEGIN CERTIFICATE-----\nc2FuZGJveA==\n-----END CERTIFICATE-----\n"
		v.Hybrid["registrationsInfo"] = []registration{{
			ID: "uloc-" + token("uloc", t.ID, 8), FullSipURI: "sip:192.0.2.14:5060;transport=tcp",
			ExpirationDate: now.UTC().Add(time.Hour).Format("2006-01-02 15:04:05"), UserAgent: "OXE/100.1",
			PublicSource: "sip:198.51.100.14:59081;transport=tcp",
		}}
	}
	return v
}

func (y *system) usesTrunk(t *trunk) bool {
	return y.Type == typeCloudPBX && asText(y.Cloud["externalTrunkId"]) == t.ID
}

// mayUseTrunk tells whether a company may use a trunk: its Cloud PBX does, it
// is that of its equipped PBX, or the trunk is open to it or to its partner.
func (w *world) mayUseTrunk(t *trunk, companyID string) bool {
	if slices.Contains(t.BpIDs, companyID) || (t.Hybrid != nil && t.Hybrid.CompanyID == companyID) {
		return true
	}
	if owner := w.companies.get(companyID); owner != nil && slices.Contains(t.BpIDs, owner.BpID) {
		return true
	}
	y := w.cloudPbxOf(companyID)
	return y != nil && y.usesTrunk(t)
}

// seesTrunk is the scope of the roles: a superadmin sees every trunk, bp_admin
// and organization_admin those they may use, a company administrator that of
// the own Cloud PBX.
func (c *call) seesTrunk(w *world, t *trunk) bool {
	switch {
	case c.actsAs("superadmin", "support"):
		return true
	case c.actsAs("bp_admin") && slices.Contains(t.BpIDs, c.caller.CompanyID):
		return true
	case c.actsAs("organization_admin"):
		return slices.ContainsFunc(w.companies.all(), func(y *company) bool { return c.inCharge(y.ID) == nil && w.mayUseTrunk(t, y.ID) })
	}
	y := w.cloudPbxOf(c.caller.CompanyID)
	return y != nil && y.usesTrunk(t)
}

// trunkDetail tells whether the caller is shown more than the summary.
func (c *call) trunkDetail() bool {
	return c.actsAs("superadmin", "support", "bp_admin", "organization_admin")
}

// listExternalTrunks answers ListExternalTrunks, by name and never otherwise.
// Without trunkType only partners' trunks are listed (the documented default);
// a company administrator gets his trunk whatever its type.
func listExternalTrunks(w *world, c *call) (any, error) {
	kind, state, target := c.query.text("trunkType"), c.query.text("status"), c.query.text("targetedCompanyId")
	var faults []paramError
	if kind != "" && !slices.Contains([]string{partnerTrunk, rainbowTrunk, hybridTrunk}, kind) {
		faults = append(faults, paramError{"trunkType", "trunkType must be one of bp_trunk, rb_trunk, hybrid_trunk", kind})
	}
	if state != "" && state != "new" && state != "active" {
		faults = append(faults, paramError{"status", "status must be one of new, active", state})
	}
	if len(faults) > 0 {
		return nil, badParams(faults)
	}
	if target != "" {
		if err := c.knownCompany(w, target); err != nil {
			return nil, err
		}
	}
	if kind == "" && c.trunkDetail() {
		kind = partnerTrunk
	}
	bp := c.query.text("bpId")
	list := filter(w.trunks.all(), []func(*trunk) bool{
		func(t *trunk) bool { return c.seesTrunk(w, t) },
		func(t *trunk) bool { return kind == "" || t.Type == kind },
		equals(c.query, "status", func(t *trunk) string { return t.Status }),
		equals(c.query, "rvcpInstanceId", func(t *trunk) string { return t.InstanceID }),
		func(t *trunk) bool { return bp == "" || slices.Contains(t.BpIDs, bp) },
		func(t *trunk) bool { return target == "" || w.mayUseTrunk(t, target) },
	})
	slices.SortFunc(list, func(a, b *trunk) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	if !c.trunkDetail() {
		return paged(list, c.query, trunkSum), nil
	}
	return paged(list, c.query, w.listedTrunk), nil
}

// getExternalTrunk answers GetExternalTrunk. The guide names no roles; scope
// and detail are those of the list (ours).
func getExternalTrunk(w *world, c *call) (any, error) {
	id, err := c.id("externalTrunkId")
	if err != nil {
		return nil, err
	}
	t := w.trunks.get(id)
	switch {
	case t == nil:
		return nil, notFound("External trunk with id %s does not exist.", id)
	case !c.seesTrunk(w, t):
		return nil, forbidden(codeAccessDenied, "Access denied: user %s may not use external trunk %s", c.caller.LoginEmail, id)
	case !c.trunkDetail():
		return data(trunkSum(t)), nil
	}
	return data(detailedTrunk(t, c.now)), nil
}

// seedTrunks makes the trunks of the Cloud PBXs, one of Rainbow, a new one,
// and the hybrid trunk of the equipped PBX.
func (w *world) seedTrunks() {
	carrier := func(n int, name, description, status, kind string, bps ...string) *trunk {
		return &trunk{
			ID: seedID(idOther, n), Name: name, Description: description, Status: status, Type: kind, BpIDs: bps,
			InstanceID: seedID(idOther, 90), PstnForking: true, PeeringGroupID: n - 50,
		}
	}
	hybrid := &trunk{
		ID: seedID(idOther, 55), Name: "OXE trunk", Description: "Trunk of the head office OXE", Status: "active", Type: hybridTrunk,
		BpIDs:      []string{ResellerID},
		InstanceID: seedID(idOther, 90),
		LoadBalancer: &loadBalancer{
			ID: seedID(idOther, 91), HostName: "lb1.sip.sandbox.example", DisplayName: "Main LB", Description: "SIP load balancer of the sandbox",
		},
		Hybrid: &hybridData{
			DomainName: "102.sip.sandbox.example", CompanyID: CompanyID, SystemID: EquippedPbxID, SipUserName: "TRK_SANDBOX_001",
			SipPassword: token("trunk", EquippedPbxID, 12),
		},
	}
	w.trunks.load([]*trunk{
		carrier(51, "Sandbox trunk", "Trunk of the sandbox", "active", partnerTrunk, ResellerID),
		carrier(52, "Neighbour trunk", "Trunk of the neighbour", "active", partnerTrunk),
		carrier(53, "Rainbow trunk", "Trunk of Rainbow", "active", rainbowTrunk),
		carrier(54, "Coming trunk", "Trunk in preparation", "new", partnerTrunk, ResellerID),
		hybrid,
		carrier(60, "Subsidiary trunk", "Trunk of the subsidiary", "active", partnerTrunk, ResellerID),
		carrier(62, "Vineyard trunk", "Trunk of the vineyard", "active", partnerTrunk, DistributorID),
		carrier(63, "Island trunk", "Trunk of the island", "active", partnerTrunk, IndirectResellerID),
	})
}
