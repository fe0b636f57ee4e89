package sandbox

import (
	"net/http"
	"slices"
)

// The states of a subscription.
const (
	statusCreating            = "creating"
	statusActive              = "active"
	statusTerminatedInBilling = "terminated"
)

func orderRoutes() []route {
	const base = "/subscription/v1.0"
	const subscriptions = base + "/companies/{companyId}/subscriptions"
	return []route{
		{http.MethodPost, subscriptions, adminOnly, true, createSubscription},
		{http.MethodPut, subscriptions + "/{subscriptionId}", adminOnly, true, updateSubscription},
		{http.MethodDelete, subscriptions + "/{subscriptionId}", adminOnly, true, deleteSubscription},
		{http.MethodGet, subscriptions + "/default", adminOnly, false, getDefaultSubscription},
		{http.MethodGet, subscriptions + "/prepaid", adminOnly, false, listPrepaidSubscriptions},
		{http.MethodGet, subscriptions + "/counters", adminOnly, false, listSubscriptionCounters},
		{http.MethodPost, subscriptions + "/files", adminOnly, true, createSubscriptionsFromFile},
		{http.MethodPost, base + "/companies/{companyId}/quotations", adminOnly, false, createQuotation},
		{http.MethodGet, base + "/companies/check-applicant-number/{bpApplicantNumber}", anyUser, false, checkApplicantNumber},
		{http.MethodGet, base + "/developers/{userId}/subscriptions", anyUser, false, listDeveloperSubscriptions},
		{http.MethodGet, base + "/developers/{userId}/invoices", anyUser, false, listDeveloperInvoices},
	}
}

// sellerOf answers the BP company whose catalogue a company buys from: its BP,
// or itself when it is one that has none.
func (w *world) sellerOf(company *company) *company {
	if bp := w.companies.get(company.BpID); bp != nil {
		return bp
	}
	return company
}

// payerOf answers the BP company that is invoiced: an IR buys through its VAD.
// It is nil for a company without a BP.
func (w *world) payerOf(company *company) *company {
	for company != nil && (!company.IsBP || company.BpType == bpIR) {
		company = w.companies.get(company.BpID)
	}
	return company
}

// mayBuy holds the rules that CreateSubscription and CreateQuotation share:
// resell BPs with an applicant number, catalogues, demo offers.
func (c *call) mayBuy(w *world, company *company, o *offer) error {
	if payer := w.payerOf(company); payer != nil && !applicantKnown(payer.BpApplicantNumber) {
		return forbidden(codeAccessDenied, "Access denied: bpApplicantNumber of BP company %s does not exist in Business Store", payer.ID)
	}
	if c.actsAs("superadmin") {
		return nil
	}
	if !slices.Contains(w.offersFor(w.sellerOf(company)), o) {
		return forbidden(codeAccessDenied, "Access denied: offer %s is not in the catalog of the BP company of company %s", o.ID, company.ID)
	}
	return c.demoOnly(o)
}

// demoOnly holds a business_admin to demo offers: 400 for others.
func (c *call) demoOnly(o *offer) error {
	if c.actsOnlyAs("business_admin") && !o.isDemo() {
		return badRequest("Offer %s is not a demo offer", o.Name)
	}
	return nil
}

// mayOrder holds the rules of a bp_finance: he buys for customers, and an IR
// buys prepaid offers only, for its customers and itself, if its VAD allows it.
func (c *call) mayOrder(company *company, o *offer) error {
	if c.actsAs("superadmin", "business_admin") {
		return nil
	}
	own := c.world.companies.get(c.caller.CompanyID)
	switch {
	case own.BpType == bpIR && !o.IsPrepaid:
		return forbidden(codeAccessDenied, "Access denied: a BP IR can only subscribe to prepaid offers")
	case own.BpType == bpIR && !own.UpdatesAllowed:
		return forbidden(codeAccessDenied, "Access denied: adminHasRightToUpdateSubscriptions of company %s is not true", own.ID)
	case own.ID == company.ID && own.BpType != bpIR:
		return forbidden(codeNotInCharge, "Access denied: user %s can only subscribe for customers of company %s", c.caller.LoginEmail, own.ID)
	case !o.isSellable():
		return forbidden(codeAccessDenied, "Access denied: offer %s cannot be sold", o.ID)
	}
	return nil
}

// offerInBody answers the offer of a member of the body.
func (w *world) offerInBody(o *object) (*offer, error) {
	var id string
	o.require("offerId")
	o.text("offerId", &id)
	if err := o.fault(); err != nil {
		return nil, err
	}
	if !validID(id) {
		return nil, badParam("offerId", "identifier must be alpha-numeric and have a length of 24 chars", id)
	}
	of := w.offers.get(id)
	if of == nil {
		return nil, notFound("Offer with id %s does not exist.", id)
	}
	return of, nil
}

// createSubscription answers CreateSubscription: creating and synchronising
// first, active when Business Store and Zuora are done. Offers that are not
// sold are unknown there and active at once.
func createSubscription(w *world, c *call) (any, error) {
	company, err := c.companyInPath(w)
	if err != nil {
		return nil, err
	}
	o := c.object()
	of, err := w.offerInBody(o)
	if err != nil {
		return nil, err
	}
	if err := c.mayBuy(w, company, of); err != nil {
		return nil, err
	}
	if err := c.mayOrder(company, of); err != nil {
		return nil, err
	}
	if of.Name == "Dial In custom" && c.actsAs("superadmin", "business_admin") && !o.has("expirationDate") {
		return nil, &apiError{Status: http.StatusBadRequest, Code: codeExpirationMissing, Details: "expirationDate is mandatory for a Dial In custom offer"}
	}
	p := &subscription{CompanyID: company.ID, OfferID: of.ID, CreationDate: timestamp(c.now)}
	p.AutoRenew = of.IsPrepaid // the SDK's default
	if err := c.readTerms(o, of, p); err != nil {
		return nil, err
	}
	if err := w.readLicences(c, o, of, p, nil); err != nil {
		return nil, err
	}
	if other := w.activeSubscriptionOf(company.ID, of); other != nil && !of.IsPrepaid {
		return nil, conflict(codeConflict, "Company %s has already subscription %s to offer %s", company.ID, other.ID, of.Name)
	}
	w.order(c, p, of)
	return data(w.subscriptionDocument(p, "full")), nil
}

// order puts a new subscription.
func (w *world) order(c *call, p *subscription, of *offer) {
	p.ID = w.newID(idSubscription)
	p.Status = statusActive
	if of.isSellable() {
		p.Status = statusCreating
		p.synchronise(c)
	}
	w.subscriptions.put(p)
}

// synchronise marks p as being told to Business Store and Zuora.
func (p *subscription) synchronise(c *call) {
	p.SyncOngoing = true
	p.SyncUntil = timestamp(c.now.Add(c.sandbox.options.OrderDelay))
}

// activeSubscriptionOf finds a subscription of an offer that is not
// terminated.
func (w *world) activeSubscriptionOf(companyID string, of *offer) *subscription {
	for _, p := range w.companySubscriptions(companyID) {
		if p.OfferID == of.ID && p.Status != statusTerminatedInBilling {
			return p
		}
	}
	return nil
}

// updateSubscription answers UpdateSubscription.
func updateSubscription(w *world, c *call) (any, error) {
	company, p, of, err := c.orderedSubscription(w)
	if err != nil {
		return nil, err
	}
	if p.SyncOngoing {
		return nil, conflict(codeConflict, "Subscription %s is synchronizing with Business Store and Zuora", p.ID)
	}
	if payer := w.payerOf(company); payer != nil && !applicantKnown(payer.BpApplicantNumber) {
		return nil, forbidden(codeAccessDenied, "Access denied: bpApplicantNumber of BP company %s does not exist in Business Store", payer.ID)
	}
	if err := c.customerMayUpdate(w, company); err != nil {
		return nil, err
	}
	o := c.object()
	next := *p
	if err := c.readTerms(o, of, &next); err != nil {
		return nil, err
	}
	if err := w.readLicences(c, o, of, &next, p); err != nil {
		return nil, err
	}
	if company.IncreaseOnly && c.actsOnlyAs("company_admin") && next.MaxNumberUsers < p.MaxNumberUsers {
		return nil, forbidden(codeAccessDenied, "Access denied: company %s may only increase its subscriptions", company.ID)
	}
	if of.isSellable() && len(o.members) > 0 {
		next.synchronise(c)
	}
	w.subscriptions.put(&next)
	return data(w.subscriptionDocument(&next, "full")), nil
}

// customerMayUpdate holds the rules of a company_admin: not below a BP IR, and
// not when his BP forbids it.
func (c *call) customerMayUpdate(w *world, company *company) error {
	if !c.actsOnlyAs("company_admin") {
		return nil
	}
	if bp := w.companies.get(company.BpID); bp != nil && bp.BpType == bpIR {
		return forbidden(codeAccessDenied, "Access denied: company %s is linked to a BP IR company", company.ID)
	}
	if company.UpdatesForbidden {
		return forbidden(codeAccessDenied, "Access denied: adminHasRightToUpdateSubscriptions of company %s is false", company.ID)
	}
	return nil
}

// orderedSubscription answers the subscription of the path that is to be
// changed.
func (c *call) orderedSubscription(w *world) (*company, *subscription, *offer, error) {
	company, err := c.companyInPath(w)
	if err != nil {
		return nil, nil, nil, err
	}
	p, err := c.subscription(w, company.ID)
	if err != nil {
		return nil, nil, nil, err
	}
	of := w.offers.get(p.OfferID)
	if err := c.demoOnly(of); err != nil {
		return nil, nil, nil, err
	}
	if p.Status == statusTerminatedInBilling {
		return nil, nil, nil, conflict(codeConflict, "Subscription %s is already terminated", p.ID)
	}
	return company, p, of, nil
}

// deleteSubscription answers DeleteSubscription: what is not sold is removed,
// the rest is kept as terminated.
func deleteSubscription(w *world, c *call) (any, error) {
	_, p, of, err := c.orderedSubscription(w)
	switch {
	case err != nil:
		return nil, err
	case of.IsDefault:
		return nil, forbidden(codeAccessDenied, "Access denied: the default subscription %s cannot be deleted", p.ID)
	case of.IsPrepaid && !sameMonth(p.CreationDate, timestamp(c.now)):
		return nil, forbidden(codeAccessDenied, "Access denied: prepaid subscription %s can only be cancelled during the month of its creation", p.ID)
	}
	w.endSubscription(p, c.now)
	if !of.isSellable() {
		w.subscriptions.remove(p.ID)
		return statusData("Subscription %s successfully deleted", p.ID), nil
	}
	return statusData("Subscription %s successfully terminated", p.ID), nil
}

func getDefaultSubscription(w *world, c *call) (any, error) {
	company, err := c.companyInPath(w)
	if err != nil {
		return nil, err
	}
	p := w.defaultSubscription(company.ID)
	if p == nil {
		return nil, notFound("Company %s has no default subscription.", company.ID)
	}
	return data(w.subscriptionDocument(p, "full")), nil
}

// listPrepaidSubscriptions answers those that expire within the next days.
func listPrepaidSubscriptions(w *world, c *call) (any, error) {
	company, err := c.companyInPath(w)
	if err != nil {
		return nil, err
	}
	now, until := timestamp(c.now), timestamp(c.now.AddDate(0, 0, c.query.number("days", 45)))
	list := []any{}
	for _, p := range w.companySubscriptions(company.ID) {
		if w.offers.get(p.OfferID).IsPrepaid && p.Status == statusActive && p.ExpirationDate >= now && p.ExpirationDate <= until {
			list = append(list, w.subscriptionDocument(p, "full"))
		}
	}
	return data(list), nil
}

// checkApplicantNumber answers CheckApplicantNumber; the guides quote it, the
// shape of its answer is ours.
func checkApplicantNumber(_ *world, c *call) (any, error) {
	return map[string]bool{"result": applicantKnown(c.path["bpApplicantNumber"])}, nil
}

// developerInPath answers the {userId}: the caller himself, or a user he is in
// charge of.
func (c *call) developerInPath(w *world) (*user, error) {
	id, err := c.id("userId")
	if err != nil {
		return nil, err
	}
	if id == c.caller.ID {
		return c.caller, nil
	}
	if !c.caller.isAdmin() {
		return nil, forbidden(codeAccessDenied,
			"Access denied: this API can only be called by user himself (tried to access resource with userId %s, while id of logged in user is %s)", id, c.caller.ID)
	}
	return c.companyUser(w, "userId")
}

// listDeveloperSubscriptions answers the subscriptions linked to the
// application of its owner (rainbow-cli; the shape is ours).
func listDeveloperSubscriptions(w *world, c *call) (any, error) {
	u, err := c.developerInPath(w)
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, p := range w.subscriptions.all() {
		if p.ApplicationID == AppID && u.ID == seedID(idUser, 0) {
			list = append(list, w.subscriptionDocument(p, "full"))
		}
	}
	return data(list), nil
}

// listDeveloperInvoices answers no invoice: usage of applications is not
// counted here.
func listDeveloperInvoices(w *world, c *call) (any, error) {
	if _, err := c.developerInPath(w); err != nil {
		return nil, err
	}
	return data([]any{}), nil
}
