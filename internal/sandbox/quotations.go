package sandbox

// quotation is the answer of CreateQuotation. The guide leaves its members
// open (a preview of the billing system), so all of them are ours.
type quotation struct {
	CompanyID    string          `json:"companyId"`
	OfferID      string          `json:"offerId"`
	OfferName    string          `json:"offerName"`
	Currency     string          `json:"currency"`
	Amount       float64         `json:"amount"`
	AmountMonth  float64         `json:"amountPerMonth"`
	InvoiceItems []quotationItem `json:"invoiceItems"`
}

type quotationItem struct {
	ChargeName       string  `json:"chargeName"`
	Quantity         int     `json:"quantity"`
	UnitPrice        float64 `json:"unitPrice"` // of one licence, a month
	ChargeAmount     float64 `json:"chargeAmount"`
	ServiceStartDate string  `json:"serviceStartDate"`
	ServiceEndDate   string  `json:"serviceEndDate"`
}

// cents is the invented price of one licence, or of a flat fee, a month.
func (o *offer) cents() int {
	switch {
	case !o.isSellable():
		return 0
	case o.BusinessModel == "flat_fee":
		return 9900
	case o.IsExclusive:
		return 450
	}
	return 625
}

// createQuotation answers CreateQuotation; it changes nothing. A first
// subscription is quoted by offerId, a change by subscriptionId.
func createQuotation(w *world, c *call) (any, error) {
	company, err := c.companyInPath(w)
	if err != nil {
		return nil, err
	}
	if w.payerOf(company) == nil {
		return nil, forbidden(codeAccessDenied, "Access denied: company %s is not a BP company nor linked to one", company.ID)
	}
	o := c.object()
	prior, of, err := w.quoted(o, company)
	if err != nil {
		return nil, err
	}
	if of.BusinessModel == "usage" || of.BusinessModel == "none" {
		return nil, badRequest("Offer %s has businessModel %s, which cannot be quoted", of.Name, of.BusinessModel)
	}
	if err := c.mayBuy(w, company, of); err != nil {
		return nil, err
	}
	next := &subscription{CompanyID: company.ID, OfferID: of.ID, CreationDate: timestamp(c.now)}
	if prior != nil {
		copied := *prior
		next = &copied
	}
	if err := c.readTerms(o, of, next); err != nil {
		return nil, err
	}
	quantity, months := 1, 1
	if of.isCounted() {
		o.require("maxNumberUsers")
		o.integer("maxNumberUsers", &quantity)
		if quantity < 0 {
			o.bad("maxNumberUsers", "maxNumberUsers must not be negative", quantity)
		}
	}
	if err := o.fault(); err != nil {
		return nil, err
	}
	if of.IsPrepaid {
		months = next.PrepaidDuration
	}
	item := quotationItem{
		ChargeName: of.Name, Quantity: quantity, UnitPrice: euros(of.cents()), ChargeAmount: euros(of.cents() * quantity * months),
		ServiceStartDate: timestamp(c.now)[:len("2006-01-02")], ServiceEndDate: timestamp(c.now.AddDate(0, months, 0))[:len("2006-01-02")],
	}
	return data(quotation{
		CompanyID: company.ID, OfferID: of.ID, OfferName: of.Name, Currency: "EUR", Amount: item.ChargeAmount,
		AmountMonth: euros(of.cents() * quantity), InvoiceItems: []quotationItem{item},
	}), nil
}

func euros(cents int) float64 { return float64(cents) / 100 }

// quoted answers what a quotation is about; prior is nil for a first
// subscription.
func (w *world) quoted(o *object, company *company) (prior *subscription, of *offer, err error) {
	var id string
	o.text("subscriptionId", &id)
	if (id == "") == (o.members["offerId"] == nil || o.members["offerId"] == "") {
		o.bad("offerId", "exactly one of offerId and subscriptionId is required", o.members["offerId"])
	}
	if err := o.fault(); err != nil {
		return nil, nil, err
	}
	if id == "" {
		if of, err = w.offerInBody(o); err != nil {
			return nil, nil, err
		}
		if w.activeSubscriptionOf(company.ID, of) != nil && !of.IsPrepaid {
			return nil, nil, badParam("subscriptionId", "subscriptionId is mandatory for a company which already has subscribed to the offer", nil)
		}
		return nil, of, nil
	}
	prior = w.subscriptions.get(id)
	if prior == nil || prior.CompanyID != company.ID {
		return nil, nil, notFound("Subscription with id %s does not exist.", id)
	}
	return prior, w.offers.get(prior.OfferID), nil
}
