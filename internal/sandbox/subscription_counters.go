package sandbox

import "slices"

// resellerCounters are the counters of a nb_users subscription that a BP IR
// owns: it serves the IR's own users and those of its customers.
type resellerCounters struct {
	NbBPLicences            int `json:"nbBPLicences"`
	NbAssignedBPUsers       int `json:"nbAssignedBPUsers"`
	NbLicencesAssignedToECs int `json:"nbLicencesAssignedToECs"`
	NbLicencesUsed          int `json:"nbLicencesUsed"`
	NbFreeLicences          int `json:"nbFreeLicences"`
}

// resellerCounters answers nil unless the owner is a BP IR. The subscriptions
// of its customers to the same offer count as bought from it.
func (w *world) resellerCounters(p *subscription) *resellerCounters {
	owner := w.companies.get(p.CompanyID)
	if owner == nil || owner.BpType != bpIR || w.offers.get(p.OfferID).BusinessModel != "nb_users" {
		return nil
	}
	_, users := w.countLicences(w.customersOf(owner.ID), p.OfferID)
	n := &resellerCounters{NbBPLicences: p.MaxNumberUsers, NbAssignedBPUsers: w.assigned(p), NbLicencesAssignedToECs: users}
	n.NbLicencesUsed = n.NbAssignedBPUsers + n.NbLicencesAssignedToECs
	n.NbFreeLicences = n.NbBPLicences - n.NbLicencesUsed
	return n
}

// countLicences sums what companies have bought of an offer, and how many of
// their users have it.
func (w *world) countLicences(companies []*company, offerID string) (licences, users int) {
	for _, company := range companies {
		for _, p := range w.companySubscriptions(company.ID) {
			if p.OfferID == offerID && p.Status != statusTerminatedInBilling {
				licences += p.MaxNumberUsers
				users += w.assigned(p)
			}
		}
	}
	return licences, users
}

// offerCounters is an element of ListSubscriptionCounters; the resellers are
// those of a VAD.
type offerCounters struct {
	OfferID                        string `json:"offerId"`
	OfferName                      string `json:"offerName"`
	MyCompanyNbLicences            int    `json:"myCompanyNbLicences"`
	MyCustomersNbLicences          int    `json:"myCustomersNbLicences"`
	MyResellersNbLicences          *int   `json:"myResellersNbLicences,omitempty"`
	MyCompanyNumberAssignedUsers   int    `json:"myCompanyNumberAssignedUsers"`
	MyCustomersNumberAssignedUsers int    `json:"myCustomersNumberAssignedUsers"`
	MyResellersNumberAssignedUsers *int   `json:"myResellersNumberAssignedUsers,omitempty"`
}

// listSubscriptionCounters answers for a BP company, its customers and, for a
// VAD, its resellers with their customers. Prepaid licences of BP IR companies
// are not counted (guide).
func listSubscriptionCounters(w *world, c *call) (any, error) {
	owner, err := c.companyInPath(w)
	if err != nil {
		return nil, err
	}
	if !owner.IsBP {
		return nil, forbidden(codeAccessDenied, "Access denied: company %s is not a BP company", owner.ID)
	}
	customers, irs := splitPartners(w.customersOf(owner.ID))
	below := slices.Clone(irs)
	for _, ir := range irs {
		customers, _ := splitPartners(w.customersOf(ir.ID))
		below = append(below, customers...)
	}
	everybody := slices.Concat([]*company{owner}, customers, below)
	list := []offerCounters{}
	for _, o := range w.offers.all() {
		if !w.isBought(everybody, o) {
			continue
		}
		n := offerCounters{OfferID: o.ID, OfferName: o.Name}
		n.MyCompanyNbLicences, n.MyCompanyNumberAssignedUsers = w.countLicences([]*company{owner}, o.ID)
		n.MyCustomersNbLicences, n.MyCustomersNumberAssignedUsers = w.countLicences(customers, o.ID)
		if owner.BpType == bpVAD {
			licences, users := w.countLicences(below, o.ID)
			if o.IsPrepaid {
				own, _ := w.countLicences(irs, o.ID)
				licences -= own
			}
			n.MyResellersNbLicences, n.MyResellersNumberAssignedUsers = &licences, &users
		}
		list = append(list, n)
	}
	return data(list), nil
}

func splitPartners(companies []*company) (customers, partners []*company) {
	for _, c := range companies {
		if c.IsBP {
			partners = append(partners, c)
		} else {
			customers = append(customers, c)
		}
	}
	return customers, partners
}

func (w *world) isBought(companies []*company, o *offer) bool {
	return slices.ContainsFunc(companies, func(c *company) bool { return w.activeSubscriptionOf(c.ID, o) != nil })
}
