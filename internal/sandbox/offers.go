package sandbox

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
)

func offerRoutes() []route {
	const company = "/subscription/v1.0/companies/{companyId}"
	return []route{
		{http.MethodGet, company + "/offers", adminOnly, false, listOffers},
		{http.MethodGet, company + "/offers/{offerId}", adminOnly, false, getOffer},
		{http.MethodGet, company + "/subscriptions/features", adminOnly, false, listFeatures},
	}
}

// isDemo tells the demo offers, the only ones a business_admin deals in.
func (o *offer) isDemo() bool { return strings.Contains(o.Name, "Demo") }

// isCustom tells the custom offers, whose expiration date is set by hand.
func (o *offer) isCustom() bool { return strings.HasSuffix(o.Name, " custom") }

// isSellable tells what a customer can buy: the guide names Essential, Beta
// and Enterprise Demo as offers that only a superadmin assigns.
func (o *offer) isSellable() bool { return o.CanBeSold && !o.isDemo() }

// isCounted tells the offers sold by the number of licences.
func (o *offer) isCounted() bool {
	return o.BusinessModel == "nb_users" || o.BusinessModel == "nb_services"
}

func listOffers(w *world, c *call) (any, error) {
	company, err := c.companyInPath(w)
	if err != nil {
		return nil, err
	}
	list := filter(w.offersFor(company), []func(*offer) bool{
		func(o *offer) bool { return !c.actsOnlyAs("business_admin") || o.isDemo() },
		flagFilter(c.query, "canBeSold", func(o *offer) bool { return o.CanBeSold }),
		flagFilter(c.query, "autoSubscribe", func(o *offer) bool { return o.AutoSubscribe }),
		flagFilter(c.query, "isExclusive", func(o *offer) bool { return o.IsExclusive }),
		flagFilter(c.query, "isPrepaid", func(o *offer) bool { return o.IsPrepaid }),
		equals(c.query, "name", func(o *offer) string { return o.Name }),
		equals(c.query, "profileId", func(o *offer) string { return o.ProfileID }),
		equals(c.query, "offerReference", func(o *offer) string { return o.OfferReference }),
		equals(c.query, "sapReference", func(o *offer) string { return o.SapReference }),
	})
	slices.SortStableFunc(list, func(a, b *offer) int { return strings.Compare(a.Name, b.Name) })
	list = sortBy(c.query, list, map[string]func(*offer) string{"_id": func(o *offer) string { return o.ID }})
	format := c.query.text("format")
	return paged(list, c.query, func(o *offer) any {
		switch format {
		case "full":
			return o
		case "medium":
			return map[string]string{"id": o.ID, "name": o.Name, "description": o.Description}
		}
		return map[string]string{"id": o.ID, "name": o.Name}
	}), nil
}

// getOffer answers GetOffer; an offer outside the company's catalogue is a 403.
func getOffer(w *world, c *call) (any, error) {
	company, err := c.companyInPath(w)
	if err != nil {
		return nil, err
	}
	id, err := c.id("offerId")
	if err != nil {
		return nil, err
	}
	o := w.offers.get(id)
	if o == nil {
		return nil, notFound("Offer with id %s does not exist.", id)
	}
	if !slices.Contains(w.offersFor(company), o) {
		return nil, forbidden(codeAccessDenied, "Access denied: offer %s is not in the catalog of company %s", id, company.ID)
	}
	return data(o), nil
}

// feature is what a profile brings: switched on, or a limit.
type feature struct {
	ID             string `json:"featureId"`
	Ref            string `json:"featureUniqueRef"`
	Name           string `json:"featureName"`
	Type           string `json:"featureType"`
	IsEnabled      *bool  `json:"isEnabled,omitempty"`
	LimitMin       *int   `json:"limitMin,omitempty"`
	LimitMax       *int   `json:"limitMax,omitempty"`
	AddedDate      string `json:"addedDate"`
	LastUpdateDate string `json:"lastUpdateDate"`
}

// features lists what the profile of an offer brings; the names are those of
// the vendor's samples and of ours.
func (o *offer) features() []feature {
	voice := strings.Contains(o.Name, "Voice")
	paid := !o.IsDefault
	limit := func(n int, ref, name string, most int) feature {
		return feature{ID: seedID(idPartner, 500+n), Ref: ref, Name: name, Type: "number", LimitMax: &most, AddedDate: seedTime, LastUpdateDate: seedTime}
	}
	enabled := func(n int, ref, name string, on bool) feature {
		return feature{ID: seedID(idPartner, 500+n), Ref: ref, Name: name, Type: "boolean", IsEnabled: &on, AddedDate: seedTime, LastUpdateDate: seedTime}
	}
	admins, storage := 2, 1
	if paid {
		admins, storage = 10, 20
	}
	return []feature{
		limit(1, "COMPANY_ADMIN_ALLOWED_NB", "Company admin", admins),
		limit(2, "FILE_SHARING_QUOTA_GB", "File storage", storage),
		enabled(3, "WEBRTC_FOR_MOBILE", "WebRTC for mobile", true),
		enabled(4, "PBX_TRANSFER_ENABLED", "PBX Transfer", paid),
		enabled(5, "CLOUD_PBX_ALLOWED", "Cloud PBX", voice),
		enabled(6, "CONFERENCE_DIAL_IN", "Conference dial in", o.Name == "Conference" || o.Name == "Dial In custom"),
	}
}

// listFeatures merges the features of the company's subscriptions: one entry
// each, switched on by any of them, with the highest of the limits.
func listFeatures(w *world, c *call) (any, error) {
	company, err := c.companyInPath(w)
	if err != nil {
		return nil, err
	}
	merged := map[string]feature{}
	for _, p := range w.companySubscriptions(company.ID) {
		if p.Status != statusActive {
			continue
		}
		for _, f := range w.offers.get(p.OfferID).features() {
			known, seen := merged[f.ID]
			switch {
			case !seen:
				merged[f.ID] = f
			case f.IsEnabled != nil && *f.IsEnabled, f.LimitMax != nil && *f.LimitMax > *known.LimitMax:
				merged[f.ID] = f
			}
		}
	}
	list := []feature{}
	for _, f := range merged {
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b feature) int { return cmp.Compare(a.ID, b.ID) })
	return data(list), nil
}
