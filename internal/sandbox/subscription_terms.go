package sandbox

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"
)

// subscriptionTerms are the members of a subscription that an order sets,
// beside the number of licences.
type subscriptionTerms struct {
	PrepaidDuration               int    `json:"prepaidDuration,omitempty"` // months
	AutoRenew                     bool   `json:"autoRenew"`
	AutoRenewOneTime              bool   `json:"autoRenewOneTime,omitempty"`
	AutoRenewToMonthly            bool   `json:"autoRenewToMonthly,omitempty"`
	RenewalTerm                   int    `json:"renewalTerm,omitempty"` // months
	RenewalTermOption             string `json:"renewalTermOption,omitempty"`
	PrepaidRenewalOption          string `json:"prepaidRenewalOption,omitempty"`
	RenewalVolume                 int    `json:"renewalVolume,omitempty"`
	MonthlyDuration               int    `json:"monthlyDuration,omitempty"` // months
	PurchaseOrderNumber           string `json:"purchaseOrderNumber,omitempty"`
	AdditionalPurchaseOrderNumber string `json:"additionalPurchaseOrderNumber,omitempty"`
	ApplicationID                 string `json:"applicationId,omitempty"`
	BusinessAdminComment          string `json:"businessAdminComment,omitempty"`
}

// addon is an increase of a prepaid subscription, which can be taken back
// during its month.
type addon struct {
	Date     string `json:"date"`
	Licences int    `json:"licences"`
}

// prepaidMembers may be sent for prepaid offers only.
func prepaidMembers() []string {
	return []string{
		"autoRenew", "autoRenewOneTime", "autoRenewToMonthly", "prepaidDuration", "renewalTerm", "renewalTermOption",
		"prepaidRenewalOption", "renewalVolume",
	}
}

// readTerms applies the members of an order to p, a subscription that is not
// put yet; its expiration date follows from the durations.
func (c *call) readTerms(o *object, of *offer, p *subscription) error {
	if o.has("expirationDate") && !c.actsAs("superadmin", "business_admin") {
		return c.roleMissing("superadmin", "business_admin")
	}
	for _, name := range prepaidMembers() {
		if o.has(name) && !of.IsPrepaid {
			o.bad(name, name+" is only applicable for subscription to prepaid offers", o.members[name])
		}
	}
	o.boolean("autoRenew", &p.AutoRenew)
	o.boolean("autoRenewOneTime", &p.AutoRenewOneTime)
	o.boolean("autoRenewToMonthly", &p.AutoRenewToMonthly)
	o.enum("renewalTermOption", &p.RenewalTermOption, "1_year", "initial")
	o.enum("prepaidRenewalOption", &p.PrepaidRenewalOption, "billed", "allocated", "volume")
	o.integer("renewalVolume", &p.RenewalVolume)
	if p.PrepaidRenewalOption == "volume" && p.RenewalVolume <= 0 {
		o.bad("renewalVolume", "renewalVolume is required with prepaidRenewalOption volume", p.RenewalVolume)
	}
	o.between("renewalTerm", &p.RenewalTerm, 12, 60)
	c.readDurations(o, of, p)
	if o.text("purchaseOrderNumber", &p.PurchaseOrderNumber) && c.caller.CompanyID != "" && c.world.companies.get(c.caller.CompanyID).BpType == bpIR {
		o.bad("purchaseOrderNumber", "purchaseOrderNumber is not settable by a BP IR", p.PurchaseOrderNumber)
	}
	o.text("additionalPurchaseOrderNumber", &p.AdditionalPurchaseOrderNumber)
	if o.text("applicationId", &p.ApplicationID) && p.ApplicationID != "" && (of.Name != appConnect || p.ApplicationID != AppID) {
		o.bad("applicationId", "applicationId applies to App Connect offers and deployed applications only", p.ApplicationID)
	}
	if o.text("businessAdminComment", &p.BusinessAdminComment) && len(p.BusinessAdminComment) > 256 {
		o.bad("businessAdminComment", "businessAdminComment must have at most 256 characters", len(p.BusinessAdminComment))
	}
	return o.fault()
}

// appConnect is the offer that an application is linked to.
const appConnect = "App Connect"

func (c *call) readDurations(o *object, of *offer, p *subscription) {
	began, err := time.Parse(time.RFC3339, p.CreationDate)
	if err != nil {
		began = c.now
	}
	months := func(n int) string { return timestamp(began.AddDate(0, n, 0)) }
	if of.IsPrepaid {
		least := cmp.Or(p.PrepaidDuration, of.PrepaidDuration)
		duration := least
		o.between("prepaidDuration", &duration, 12, 60)
		if duration < least {
			o.bad("prepaidDuration", "prepaidDuration can only be increased", duration)
		}
		if duration != p.PrepaidDuration {
			p.PrepaidDuration, p.ExpirationDate = duration, months(duration)
		}
	}
	if v, sent := o.members["monthlyDuration"]; sent {
		switch {
		case of.IsPrepaid:
			o.bad("monthlyDuration", "monthlyDuration is only applicable for subscription to monthly offers", v)
		case v == nil || v == json.Number("0"):
			p.MonthlyDuration, p.ExpirationDate = 0, ""
		default:
			o.between("monthlyDuration", &p.MonthlyDuration, 3, 60)
			p.ExpirationDate = months(p.MonthlyDuration)
		}
	}
	var day string
	if o.text("expirationDate", &day) {
		date, err := time.Parse(time.DateOnly, day)
		switch {
		case !of.isCustom():
			o.bad("expirationDate", "expirationDate can only be managed on custom offers", day)
		case err != nil:
			o.bad("expirationDate", "expirationDate must be a date YYYY-MM-DD", day)
		default:
			p.ExpirationDate = timestamp(date)
		}
	}
}

// readLicences applies maxNumberUsers to p; prior is nil for a new one. A new
// subscription needs it where licences are counted, and ignores it elsewhere.
func (w *world) readLicences(c *call, o *object, of *offer, p, prior *subscription) error {
	wanted := p.MaxNumberUsers
	sent := o.integer("maxNumberUsers", &wanted)
	switch {
	case prior == nil && !of.isCounted():
		return o.fault()
	case prior == nil && wanted <= 0:
		o.bad("maxNumberUsers", "maxNumberUsers must be greater than 0 for offers with businessModel nb_users or nb_services", o.members["maxNumberUsers"])
	case sent && !of.isCounted():
		o.bad("maxNumberUsers", "maxNumberUsers is not used for offers with businessModel "+of.BusinessModel, wanted)
	case sent && wanted <= 0:
		o.bad("maxNumberUsers", "maxNumberUsers must be greater than 0", wanted)
	}
	if err := o.fault(); err != nil {
		return err
	}
	if prior != nil && wanted < prior.MaxNumberUsers {
		if err := w.mayDecrease(c, of, p, wanted); err != nil {
			return err
		}
	}
	if prior != nil && of.IsPrepaid && wanted > prior.MaxNumberUsers {
		p.Addons = append(slices.Clone(p.Addons), addon{Date: timestamp(c.now), Licences: wanted - prior.MaxNumberUsers})
	}
	p.MaxNumberUsers = wanted
	return nil
}

// mayDecrease refuses what the guide of UpdateSubscription refuses: a monthly
// subscription never falls below the licences assigned; of a prepaid one only
// the addons of the running month can be taken back. The status is ours.
func (w *world) mayDecrease(c *call, of *offer, p *subscription, wanted int) error {
	if assigned := w.assigned(p); wanted < assigned {
		return conflict(codeConflict, "Subscription %s has %d licences assigned to users, maxNumberUsers cannot be %d", p.ID, assigned, wanted)
	}
	if !of.IsPrepaid {
		return nil
	}
	excess := p.MaxNumberUsers - wanted
	var left []addon
	for _, a := range slices.Backward(p.Addons) {
		if sameMonth(a.Date, timestamp(c.now)) {
			taken := min(a.Licences, excess)
			a.Licences -= taken
			excess -= taken
		}
		if a.Licences > 0 {
			left = append(left, a)
		}
	}
	if excess > 0 {
		return conflict(codeConflict, "Subscription %s is prepaid: only licences added this month can be removed", p.ID)
	}
	slices.Reverse(left)
	p.Addons = left
	return nil
}

// sameMonth compares two timestamps.
func sameMonth(a, b string) bool {
	const month = len("2006-01")
	return len(a) >= month && len(b) >= month && a[:month] == b[:month]
}
