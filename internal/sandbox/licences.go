package sandbox

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"
)

// offer is an entry of the company catalogue.
type offer struct {
	ID                   string `json:"id"`
	Name                 string `json:"name"`
	Description          string `json:"description"`
	TechnicalDescription string `json:"technicalDescription,omitempty"`
	IsDefault            bool   `json:"isDefault"`
	ProfileID            string `json:"profileId"`
	CanBeSold            bool   `json:"canBeSold"`
	BusinessModel        string `json:"businessModel"`
	AutoSubscribe        bool   `json:"autoSubscribe"`
	IsExclusive          bool   `json:"isExclusive"`
	IsPrepaid            bool   `json:"isPrepaid"`
	PrepaidDuration      int    `json:"prepaidDuration,omitempty"` // months
	OfferReference       string `json:"offerReference"`
	SapReference         string `json:"sapReference,omitempty"`
	CreationDate         string `json:"creationDate"`
	Provisioning         []any  `json:"provisioningNeeded"`
}

// subscription is what a company bought of an offer.
type subscription struct {
	ID             string `json:"id"`
	CompanyID      string `json:"companyId"`
	OfferID        string `json:"offerId"`
	MaxNumberUsers int    `json:"maxNumberUsers,omitempty"` // 0: unlimited (the default offer)
	Status         string `json:"status"`
	SyncOngoing    bool   `json:"syncOngoing"`
	ExpirationDate string `json:"expirationDate,omitempty"`
	CreationDate   string `json:"creationDate"`
	subscriptionTerms
	SyncUntil string  `json:"sandboxSyncUntil,omitempty"` // when the synchronisation that is going on ends
	Addons    []addon `json:"sandboxAddons,omitempty"`    // increases of a prepaid one
}

// licence is one subscription in the profile of a user. The default
// subscription is everybody's and is not stored.
type licence struct {
	SubscriptionID  string `json:"subscriptionId"`
	AssignationDate string `json:"assignationDate"`
}

// profileView is a licence of a user as ListUserProfiles answers it.
type profileView struct {
	SubscriptionID            string `json:"subscriptionId"`
	OfferID                   string `json:"offerId"`
	OfferName                 string `json:"offerName"`
	OfferDescription          string `json:"offerDescription,omitempty"`
	OfferTechnicalDescription string `json:"offerTechnicalDescription,omitempty"`
	OfferReference            string `json:"offerReference"`
	ProfileID                 string `json:"profileId"`
	ProfileName               string `json:"profileName"`
	Status                    string `json:"status"`
	IsDefault                 bool   `json:"isDefault"`
	CanBeSold                 bool   `json:"canBeSold"`
	BusinessModel             string `json:"businessModel"`
	IsExclusive               bool   `json:"isExclusive"`
	IsPrepaid                 bool   `json:"isPrepaid"`
	ExpirationDate            string `json:"expirationDate,omitempty"`
	Provisioning              []any  `json:"provisioningNeeded"`
	AssignationDate           string `json:"assignationDate"`
}

// profilesOf lists the licences of a user, the default one first.
func (w *world) profilesOf(u *user) []profileView {
	list := []profileView{}
	if p := w.defaultSubscription(u.CompanyID); p != nil {
		list = append(list, w.profile(p, u.CreationDate))
	}
	for _, l := range u.Licences {
		list = append(list, w.profile(w.subscriptions.get(l.SubscriptionID), l.AssignationDate))
	}
	return list
}

func (w *world) profile(p *subscription, assigned string) profileView {
	o := w.offers.get(p.OfferID)
	return profileView{
		SubscriptionID: p.ID, OfferID: o.ID, OfferName: o.Name, OfferDescription: o.Description,
		OfferTechnicalDescription: o.TechnicalDescription, OfferReference: o.OfferReference, ProfileID: o.ProfileID,
		ProfileName: o.Name, Status: p.Status, IsDefault: o.IsDefault, CanBeSold: o.CanBeSold,
		BusinessModel: o.BusinessModel, IsExclusive: o.IsExclusive, IsPrepaid: o.IsPrepaid,
		ExpirationDate: p.ExpirationDate, Provisioning: o.Provisioning, AssignationDate: assigned,
	}
}

// companySubscriptions lists the subscriptions of a company by id.
func (w *world) companySubscriptions(companyID string) []*subscription {
	return slices.DeleteFunc(w.subscriptions.all(), func(p *subscription) bool { return p.CompanyID != companyID })
}

func (w *world) defaultSubscription(companyID string) *subscription {
	for _, p := range w.subscriptions.rows {
		if p.CompanyID == companyID && w.offers.get(p.OfferID).IsDefault {
			return p
		}
	}
	return nil
}

// assigned counts the users who hold a subscription.
func (w *world) assigned(p *subscription) int {
	if !w.offers.get(p.OfferID).IsDefault {
		return w.licenceCount[p.ID]
	}
	return w.userCount[p.CompanyID]
}

// holds tells whether the user has the subscription in his profile.
func (u *user) holds(subscriptionID string) bool {
	return slices.ContainsFunc(u.Licences, func(l licence) bool { return l.SubscriptionID == subscriptionID })
}

// grant adds a subscription to a copy of a user that is not put yet, by the
// rules of AssignUserSubscription.
func (w *world) grant(u *user, p *subscription, now time.Time) error {
	o := w.offers.get(p.OfferID)
	switch {
	case p.CompanyID != u.CompanyID:
		return forbidden(codeAccessDenied, "Access denied: subscription %s does not belong to the company of user %s", p.ID, u.ID)
	case p.Status != "active" || p.SyncOngoing:
		return forbidden(codeAccessDenied, "Access denied: subscription %s is not active (status=%s, syncOngoing=%t)", p.ID, p.Status, p.SyncOngoing)
	case o.BusinessModel == "flat_fee" || o.BusinessModel == "nb_services":
		return forbidden(codeAccessDenied, "Access denied: subscription %s of business model %s cannot be assigned to users", p.ID, o.BusinessModel)
	case u.holds(p.ID) || o.IsDefault:
		return conflict(codeConflict, "'User %s profile is already assigned to subscription %s", u.ID, p.ID)
	case p.MaxNumberUsers > 0 && w.assigned(p) >= p.MaxNumberUsers:
		return forbidden(codeAccessDenied, "Access denied: the maximum number of users (%d) of subscription %s is reached", p.MaxNumberUsers, p.ID)
	}
	for _, l := range u.Licences {
		if other := w.offers.get(w.subscriptions.get(l.SubscriptionID).OfferID); o.IsExclusive && other.IsExclusive {
			return conflict(codeConflict, "User %s has already the exclusive offer %s", u.ID, other.Name)
		}
	}
	u.Licences = append(slices.Clone(u.Licences), licence{SubscriptionID: p.ID, AssignationDate: timestamp(now)})
	return nil
}

// activeSubscription finds the company's active subscription of an offer name,
// which is how a CSV names a licence; nil when there is none.
func (w *world) activeSubscription(companyID, offerName string) *subscription {
	for _, p := range w.companySubscriptions(companyID) {
		if p.Status == "active" && !p.SyncOngoing && strings.EqualFold(w.offers.get(p.OfferID).Name, offerName) {
			return p
		}
	}
	return nil
}

// The three formats of a subscription (ListSubscriptions).
type smallSubscription struct {
	ID        string `json:"id"`
	OfferID   string `json:"offerId"`
	ProfileID string `json:"profileId"`
	IsDefault bool   `json:"isDefault"`
}

type mediumSubscription struct {
	smallSubscription
	MaxNumberUsers int    `json:"maxNumberUsers,omitempty"`
	Status         string `json:"status"`
}

type subscriptionView struct {
	mediumSubscription
	CompanyID           string `json:"companyId"`
	OfferName           string `json:"offerName"`
	ProfileName         string `json:"profileName"`
	SyncOngoing         bool   `json:"syncOngoing"`
	BusinessModel       string `json:"businessModel"`
	IsPrepaid           bool   `json:"isPrepaid"`
	ExpirationDate      string `json:"expirationDate,omitempty"`
	NumberAssignedUsers int    `json:"numberAssignedUsers"`
	CreationDate        string `json:"creationDate"`
	subscriptionTerms
	*resellerCounters
}

func (w *world) subscriptionDocument(p *subscription, format string) any {
	o := w.offers.get(p.OfferID)
	small := smallSubscription{ID: p.ID, OfferID: p.OfferID, ProfileID: o.ProfileID, IsDefault: o.IsDefault}
	medium := mediumSubscription{small, p.MaxNumberUsers, p.Status}
	switch format {
	case "full":
		view := subscriptionView{
			mediumSubscription: medium, CompanyID: p.CompanyID, OfferName: o.Name, ProfileName: o.Name,
			SyncOngoing: p.SyncOngoing, BusinessModel: o.BusinessModel, IsPrepaid: o.IsPrepaid,
			ExpirationDate: p.ExpirationDate, NumberAssignedUsers: w.assigned(p), CreationDate: p.CreationDate,
			subscriptionTerms: p.subscriptionTerms, resellerCounters: w.resellerCounters(p),
		}
		view.PrepaidDuration = cmp.Or(p.PrepaidDuration, o.PrepaidDuration)
		if view.resellerCounters != nil {
			view.NumberAssignedUsers = view.NbLicencesUsed
		}
		return view
	case "medium":
		return medium
	}
	return small
}

func licenceRoutes() []route {
	const base = "/subscription/v1.0"
	const admin = "/admin/v1.0"
	return []route{
		{http.MethodGet, base + "/about", open, false, about("1.229.4", "Rainbow Subscription Portal (sandbox)")},
		{http.MethodGet, base + "/companies/{companyId}/subscriptions", adminOnly, false, listSubscriptions},
		{http.MethodGet, base + "/companies/{companyId}/subscriptions/{subscriptionId}", adminOnly, false, getSubscription},
		{http.MethodGet, base + "/companies/{companyId}/subscriptions/{subscriptionId}/users", adminOnly, false, listSubscriptionUsers},
		{http.MethodGet, admin + "/users/{userId}/profiles", adminOnly, false, listUserProfiles},
		{http.MethodPost, admin + "/users/{userId}/profiles/subscriptions/{subscriptionId}", adminOnly, true, assignUserSubscription},
		{http.MethodDelete, admin + "/users/{userId}/profiles/subscriptions/{subscriptionId}", adminOnly, true, unassignUserSubscription},
	}
}

// equals keeps the documents whose property is the text of a parameter.
func equals[T any](q query, name string, property func(*T) string) func(*T) bool {
	want := q.text(name)
	if want == "" {
		return nil
	}
	return func(d *T) bool { return property(d) == want }
}

func listSubscriptions(w *world, c *call) (any, error) {
	company, err := c.companyInPath(w)
	if err != nil {
		return nil, err
	}
	show := c.query.flag("showTerminated")
	list := []any{}
	for _, p := range w.companySubscriptions(company.ID) {
		if c.actsOnlyAs("business_admin") && !w.offers.get(p.OfferID).isDemo() {
			continue
		}
		if p.Status != "terminated" || (show != nil && *show) {
			list = append(list, w.subscriptionDocument(p, c.query.text("format")))
		}
	}
	return data(list), nil
}

// subscription answers the {subscriptionId} of the path.
func (c *call) subscription(w *world, companyID string) (*subscription, error) {
	id, err := c.id("subscriptionId")
	if err != nil {
		return nil, err
	}
	p := w.subscriptions.get(id)
	if p == nil || p.CompanyID != companyID {
		return nil, notFound("Subscription with id %s does not exist.", id)
	}
	return p, nil
}

func getSubscription(w *world, c *call) (any, error) {
	company, err := c.companyInPath(w)
	if err != nil {
		return nil, err
	}
	p, err := c.subscription(w, company.ID)
	if err != nil {
		return nil, err
	}
	return data(w.subscriptionDocument(p, "full")), nil
}

func listSubscriptionUsers(w *world, c *call) (any, error) {
	company, err := c.companyInPath(w)
	if err != nil {
		return nil, err
	}
	p, err := c.subscription(w, company.ID)
	if err != nil {
		return nil, err
	}
	isDefault := w.offers.get(p.OfferID).IsDefault
	list := listOnce(w, c, func() []*user {
		holders := filter(w.usersByName.items, []func(*user) bool{
			func(u *user) bool { return u.CompanyID == company.ID && (isDefault || u.holds(p.ID)) },
		})
		return sortBy(c.query, holders, userSortKeys())
	})
	return paged(list, c.query, func(u *user) any { return w.view(u, c.query.text("format")) }), nil
}

func listUserProfiles(w *world, c *call) (any, error) {
	u, err := c.companyUser(w, "userId")
	if err != nil {
		return nil, err
	}
	return data(w.profilesOf(u)), nil
}

func assignUserSubscription(w *world, c *call) (any, error) {
	u, err := c.companyUser(w, "userId")
	if err != nil {
		return nil, err
	}
	p, err := c.subscription(w, u.CompanyID)
	if err != nil {
		return nil, err
	}
	next := *u
	if err := w.grant(&next, p, c.now); err != nil {
		return nil, err
	}
	w.putUser(&next, c.now)
	return data(w.profile(p, timestamp(c.now))), nil
}

// unassignUserSubscription answers what is left of the profile; the default
// subscription stays.
func unassignUserSubscription(w *world, c *call) (any, error) {
	u, err := c.companyUser(w, "userId")
	if err != nil {
		return nil, err
	}
	p, err := c.subscription(w, u.CompanyID)
	if err != nil {
		return nil, err
	}
	if w.offers.get(p.OfferID).IsDefault {
		return nil, forbidden(codeAccessDenied, "Access denied: the default subscription %s cannot be removed from user %s", p.ID, u.ID)
	}
	if !u.holds(p.ID) {
		return nil, notFound("User %s has no subscription %s.", u.ID, p.ID)
	}
	next := *u
	next.Licences = slices.DeleteFunc(slices.Clone(u.Licences), func(l licence) bool { return l.SubscriptionID == p.ID })
	w.putUser(&next, c.now)
	return data(w.profilesOf(&next)), nil
}
