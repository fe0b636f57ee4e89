package sandbox_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

func subscriptionsOf(companyID string) string {
	return licence + "/companies/" + companyID + "/subscriptions"
}

// offerID finds an offer in the catalogue of partners.
func (r *rainbow) offerID(name string) string {
	r.t.Helper()
	a := r.as("superadmin@rainbow.example").get(licence + "/companies/" + sandbox.DistributorID + "/offers?limit=50").ok()
	for _, o := range a.at("data").([]any) {
		if o.(map[string]any)["name"] == name {
			return o.(map[string]any)["id"].(string)
		}
	}
	r.t.Fatalf("no offer %s", name)
	return ""
}

func order(offerID string, licences int) map[string]any {
	return map[string]any{"offerId": offerID, "maxNumberUsers": licences}
}

func TestASubscriptionLives(t *testing.T) {
	clk := newClock()
	r := start(t, sandbox.Options{Clock: clk.time, TokenLifetime: 1000 * time.Hour, OrderDelay: 10 * time.Second})
	finance := r.as("bpfinance@dr.example")
	a := finance.post(subscriptions, order(r.offerID("Voice Enterprise"), 3)).ok()
	a.want("data.status", "creating", "data.syncOngoing", "true", "data.maxNumberUsers", "3", "data.companyId", sandbox.CompanyID,
		"data.offerName", "Voice Enterprise", "data.businessModel", "nb_users", "data.isDefault", "false")
	id := a.text("data.id")
	one := subscriptions + "/" + id
	profile := func(n int) string { return admin + "/users/" + r.userID(seeded(n)) + "/profiles/subscriptions/" + id }
	r.post(profile(1), nil).fails(403, 403100) // still creating
	r.put(one, map[string]any{"maxNumberUsers": 4}).fails(409, 409000)
	clk.move(11 * time.Second)
	r.get(one).ok().want("data.status", "active", "data.syncOngoing", "false", "data.numberAssignedUsers", "0")
	r.post(profile(1), nil).ok()
	r.post(profile(2), nil).ok()
	finance.post(subscriptions, order(r.offerID("Voice Enterprise"), 3)).fails(409, 409000)

	r.put(one, map[string]any{"maxNumberUsers": 1}).fails(409, 409000) // below the licences assigned
	r.put(one, map[string]any{"maxNumberUsers": 2, "purchaseOrderNumber": "PO 7"}).ok().want("data.syncOngoing", "true", "data.status", "active", "data.purchaseOrderNumber", "PO 7")
	clk.move(11 * time.Second)
	r.post(profile(3), nil).fails(403, 403100) // all in use
	r.delete(profile(2)).ok()
	r.put(one, map[string]any{"maxNumberUsers": 1}).ok()
	r.delete(one).fails(403, 403000)
	finance.delete(one).ok().want("status", "Subscription "+id+" successfully terminated", "data", "[]")
	if got := r.get(admin + "/users/" + r.userID(seeded(1)) + "/profiles").ok().body; strings.Contains(string(got), id) {
		t.Errorf("user keeps the terminated licence: %s", got)
	}
	r.get(subscriptions).ok()
	if n := r.get(subscriptions).size("data"); n != 4 {
		t.Errorf("%d subscriptions are listed, want 4", n)
	}
	if n := r.get(subscriptions + "?showTerminated=true").size("data"); n != 5 {
		t.Errorf("%d subscriptions with the terminated one, want 5", n)
	}
	finance.delete(one).fails(409, 409000)
}

func TestWhoMayBuyWhat(t *testing.T) {
	r := start(t, sandbox.Options{})
	buy := func(login, companyID, offer string, more ...any) answer {
		body := order(r.offerID(offer), 5)
		for i := 0; i < len(more); i += 2 {
			body[more[i].(string)] = more[i+1]
		}
		return r.as(login).post(subscriptionsOf(companyID), body)
	}
	root, demos, vad, dr, ir := "superadmin@rainbow.example", "business@rainbow.example", "bpfinance@vad.example", "bpfinance@dr.example", "bpfinance@ir.example"
	voice := "Voice Enterprise"
	buy(dr, sandbox.SubsidiaryCompanyID, voice).ok()
	buy(vad, sandbox.IndirectResellerID, voice).ok()
	buy(vad, sandbox.SubsidiaryCompanyID, voice).fails(403, 403301)
	buy(vad, sandbox.DistributorID, "Business 1Year").fails(403, 403301) // not for himself
	buy("channel@vad.example", sandbox.SubsidiaryCompanyID, "HealthCare").ok().want("data.maxNumberUsers", "")
	buy(dr, sandbox.SubsidiaryCompanyID, "Enterprise Demo").fails(403, 403100)
	buy(dr, sandbox.SubsidiaryCompanyID, "Beta").fails(403, 403100)
	buy(root, sandbox.SubsidiaryCompanyID, "Beta").ok().want("data.status", "active") // unknown to billing
	buy(demos, sandbox.VineyardCompanyID, "Enterprise Demo").ok().want("data.status", "active")
	buy(demos, sandbox.VineyardCompanyID, "Business 1Year").fails(400, 400000)
	buy(root, sandbox.NeighbourCompanyID, voice).ok()
	buy(ir, sandbox.IslandCompanyID, voice).fails(403, 403100) // prepaid offers only
	buy(ir, sandbox.IslandCompanyID, "Business 1Year").ok()
	buy(ir, sandbox.IndirectResellerID, "Business 1Year").ok()
	buy(ir, sandbox.IslandCompanyID, "Business 1Year", "purchaseOrderNumber", "P").fails(400, 400000)
	buy("bpfinance@small.example", sandbox.SmallResellerID, "Business 1Year").fails(403, 403100) // his VAD does not let him
	buy(root, sandbox.UnregisteredID, voice).fails(403, 403100)                                  // unknown to Business Store
	buy(root, sandbox.VineyardCompanyID, "Dial In custom").fails(400, 400516)
	buy(root, sandbox.VineyardCompanyID, "Dial In custom", "expirationDate", "2040-01-01").ok().want("data.expirationDate", "2040-01-01T00:00:00.000Z")
	buy(vad, sandbox.VineyardCompanyID, "Conference", "expirationDate", "2040-01-01").fails(403, 403000)
	r.post(subscriptions, order(r.offerID(voice), 1)).fails(403, 403000)
}

func TestOrdersAreChecked(t *testing.T) {
	r := start(t, sandbox.Options{})
	dr, target := r.as("bpfinance@dr.example"), subscriptionsOf(sandbox.SubsidiaryCompanyID)
	voice, prepaid := r.offerID("Voice Enterprise"), r.offerID("Business 1Year")
	with := func(offer string, members ...any) map[string]any {
		body := order(offer, 2)
		for i := 0; i < len(members); i += 2 {
			body[members[i].(string)] = members[i+1]
		}
		return body
	}
	for name, body := range map[string]map[string]any{
		"no offer":                        {"maxNumberUsers": 1},
		"no licences":                     {"offerId": voice},
		"zero licences":                   order(voice, 0),
		"prepaid member of a monthly one": with(voice, "autoRenew", true),
		"a shorter prepaid duration":      with(r.offerID("Voice Enterprise 3-Year prepaid"), "prepaidDuration", 12),
		"a duration beyond 60 months":     with(prepaid, "prepaidDuration", 61),
		"a month of a prepaid one":        with(prepaid, "monthlyDuration", 6),
		"two months":                      with(voice, "monthlyDuration", 2),
		"an unknown renewal option":       with(prepaid, "renewalTermOption", "2_years"),
		"a volume without number":         with(prepaid, "prepaidRenewalOption", "volume"),
		"a long comment":                  with(voice, "businessAdminComment", strings.Repeat("x", 257)),
		"an application of another offer": with(voice, "applicationId", sandbox.AppID),
		"an offer id that is none":        order("x", 1),
	} {
		t.Run(name, func(t *testing.T) { dr.post(target, body).fails(400, 400000) })
	}
	dr.post(target, order("5b7d0c0ffee80000000000ff", 1)).fails(404, 404000)
	dr.post(target, with(voice, "monthlyDuration", 6, "promoCode", "WELCOME")).ok().want("data.monthlyDuration", "6")
	id := dr.post(target, with(prepaid, "prepaidDuration", 24)).ok().want("data.prepaidDuration", "24", "data.autoRenew", "true").text("data.id")
	dr.put(target+"/"+id, map[string]any{"prepaidDuration": 12}).fails(400, 400000)
	conference := dr.post(target, map[string]any{"offerId": r.offerID("Conference")}).ok().want("data.maxNumberUsers", "").text("data.id")
	dr.put(target+"/"+conference, map[string]any{"maxNumberUsers": 3}).fails(400, 400000)
	dr.delete(target+"/"+dr.get(target+"/default").ok().want("data.isDefault", "true").text("data.id")).fails(403, 403100)
	root := r.as("superadmin@rainbow.example")
	app := root.post(target, map[string]any{"offerId": r.offerID("App Connect"), "applicationId": sandbox.AppID}).ok().text("data.id")
	owner := r.userID(sandbox.AdminLogin)
	r.get(licence+"/developers/"+owner+"/subscriptions").ok().want("data.0.id", app)
	r.get(licence+"/developers/"+owner+"/invoices").ok().want("data", "[]")
	r.as(seeded(1)).get(licence+"/developers/"+owner+"/subscriptions").fails(403, 403100)
}

func TestPrepaidLicencesShrinkByTheAddonsOfTheMonth(t *testing.T) {
	clk := newClock()
	r := start(t, sandbox.Options{Clock: clk.time, TokenLifetime: 10000 * time.Hour})
	finance := r.as("bpfinance@dr.example")
	target := subscriptionsOf(sandbox.SubsidiaryCompanyID)
	id := finance.post(target, order(r.offerID("Business 1Year"), 20)).ok().want("data.expirationDate", "2027-03-01T09:00:00.000Z").text("data.id")
	one := target + "/" + id
	set := func(n int) answer { return finance.put(one, map[string]any{"maxNumberUsers": n}) }
	set(19).fails(409, 409000)
	set(30).ok()
	set(24).ok()
	set(19).fails(409, 409000)
	clk.move(31 * 24 * time.Hour)
	set(23).fails(409, 409000) // the addon is of last month
	set(29).ok()
	set(24).ok().want("data.maxNumberUsers", "24")
	finance.delete(one).fails(403, 403100) // only in its month of creation
	second := finance.post(target, order(r.offerID("Business 1Year"), 1)).ok().text("data.id")
	finance.delete(target + "/" + second).ok()
}

func TestPrepaidTermsEnd(t *testing.T) {
	clk := newClock()
	r := start(t, sandbox.Options{Clock: clk.time, TokenLifetime: 100000 * time.Hour})
	finance, target := r.as("bpfinance@dr.example"), subscriptionsOf(sandbox.SubsidiaryCompanyID)
	buy := func(offer string, members map[string]any) string {
		body := order(r.offerID(offer), 5)
		for name, v := range members {
			body[name] = v
		}
		return target + "/" + finance.post(target, body).ok().text("data.id")
	}
	stopped := buy("Business 1Year", map[string]any{"autoRenew": false})
	renewed := buy("Business 1Year", map[string]any{"renewalTerm": 24})
	once := buy("Business 1Year", map[string]any{"autoRenewOneTime": true, "renewalTermOption": "1_year"})
	monthly := buy("Voice Enterprise", map[string]any{"monthlyDuration": 3})
	turned := buy("Voice Enterprise 3-Year prepaid", map[string]any{"autoRenewToMonthly": true, "autoRenew": false})
	volume := buy("Business 1Year", nil)
	finance.put(volume, map[string]any{"prepaidRenewalOption": "volume", "renewalVolume": 8}).ok()
	finance.get(target+"/prepaid").ok().want("data", "[]")
	clk.move(340 * 24 * time.Hour)
	if n := finance.get(target + "/prepaid").ok().size("data"); n != 4 {
		t.Errorf("%d prepaid subscriptions end within 45 days, want 4", n)
	}
	finance.get(target+"/prepaid?days=20").ok().want("data", "[]")
	finance.get(monthly).ok().want("data.status", "terminated")
	clk.move(30 * 24 * time.Hour)
	finance.get(stopped).ok().want("data.status", "terminated")
	finance.get(renewed).ok().want("data.status", "active", "data.expirationDate", "2029-03-01T09:00:00.000Z", "data.autoRenew", "true")
	finance.get(once).ok().want("data.expirationDate", "2028-03-01T09:00:00.000Z", "data.autoRenew", "false")
	finance.get(volume).ok().want("data.maxNumberUsers", "8", "data.status", "active")
	clk.move(2 * 366 * 24 * time.Hour)
	finance.get(turned).ok().want("data.status", "terminated")
	if got := string(finance.get(target + "?format=full").ok().body); strings.Count(got, `"offerName":"Voice Enterprise"`) != 1 {
		t.Errorf("no monthly subscription replaces the prepaid one: %s", got)
	}
	// The contract company's own is renewed, whatever the day.
	r.as(sandbox.AdminLogin).get(subscriptions+"?format=full").ok().want("data.2.status", "active", "data.2.numberAssignedUsers", "20")
}

func TestCustomersAndTheirUpdates(t *testing.T) {
	r := start(t, sandbox.Options{})
	admin := r.as("admin@island.example")
	a := admin.get(subscriptionsOf(sandbox.IslandCompanyID)+"?format=full").ok().want("data.1.offerName", "Business 1Year")
	admin.put(subscriptionsOf(sandbox.IslandCompanyID)+"/"+a.text("data.1.id"), map[string]any{"maxNumberUsers": 20}).fails(403, 403100) // below a BP IR
	vineyard := r.as("admin@vineyard.example")
	one := subscriptionsOf(sandbox.VineyardCompanyID) + "/" + vineyard.get(subscriptionsOf(sandbox.VineyardCompanyID)+"?format=full").ok().text("data.1.id")
	vineyard.put(one, map[string]any{"maxNumberUsers": 25}).ok().want("data.maxNumberUsers", "25")
	vineyard.put(one, map[string]any{}).ok().want("data.syncOngoing", "false")
	vineyard.put(one, map[string]any{"maxNumberUsers": 24}).fails(403, 403100) // increase_only
	r.as("bpfinance@vad.example").put(one, map[string]any{"maxNumberUsers": 24}).ok()
	subsidiary := subscriptionsOf(sandbox.SubsidiaryCompanyID)
	id := r.as("bpfinance@dr.example").post(subsidiary, order(r.offerID("Voice Enterprise"), 1)).ok().text("data.id")
	r.as("admin@subsidiary.example").put(subsidiary+"/"+id, map[string]any{"maxNumberUsers": 2}).fails(403, 403100) // forbidden by his BP
	vineyard.put(one, map[string]any{"maxNumberUsers": 1}).fails(409, 409000)
}

func TestLicencesAreCountedOverPartners(t *testing.T) {
	r := start(t, sandbox.Options{})
	reseller := r.as("bpadmin@ir.example")
	reseller.get(subscriptionsOf(sandbox.IndirectResellerID)+"?format=full").ok().want("data.1.nbBPLicences", "50", "data.1.nbAssignedBPUsers", "1",
		"data.1.nbLicencesAssignedToECs", "1", "data.1.nbLicencesUsed", "2", "data.1.nbFreeLicences", "48", "data.1.numberAssignedUsers", "2")
	a := r.as("bpadmin@vad.example").get(subscriptionsOf(sandbox.DistributorID) + "/counters").ok()
	for _, o := range a.at("data").([]any) {
		o := o.(map[string]any)
		got := [6]string{}
		for i, name := range []string{"myCompanyNbLicences", "myCustomersNbLicences", "myResellersNbLicences", "myCompanyNumberAssignedUsers", "myCustomersNumberAssignedUsers", "myResellersNumberAssignedUsers"} {
			got[i] = strings.TrimSpace(strings.Trim(jsonText(o[name]), `"`))
		}
		want, listed := map[string][6]string{
			"Voice Enterprise": {"5", "20", "0", "1", "2", "0"}, "Business 1Year": {"0", "0", "10", "0", "0", "2"},
			"Essential": {"0", "0", "0", "3", "2", "4"}, "Conference": {"0", "0", "0", "0", "0", "0"},
		}[o["offerName"].(string)]
		if !listed || got != want {
			t.Errorf("%s: %v, want %v", o["offerName"], got, want)
		}
	}
	if a.size("data") != 4 {
		t.Errorf("counters of %d offers, want 4: %s", a.size("data"), a.body)
	}
	r.get(subscriptions+"/counters").fails(403, 403100) // no BP
}

func TestOffersAndFeaturesOfACompany(t *testing.T) {
	r := start(t, sandbox.Options{})
	offers := licence + "/companies/" + sandbox.CompanyID + "/offers/"
	r.get(offers+r.offerID("Enterprise")).ok().want("data.name", "Enterprise", "data.offerReference", "RB-Enterprise")
	r.get(offers+r.offerID("Conference")).fails(403, 403100)
	r.get(offers+"5b7d0c0ffee80000000000ff").fails(404, 404000)
	r.as("business@rainbow.example").get(licence+"/companies/"+sandbox.CompanyID+"/offers").ok().want("total", "1", "data.0.name", "Enterprise Demo")
	r.as(seeded(1)).get(subscriptions+"/features").ok().want("data.0.featureUniqueRef", "COMPANY_ADMIN_ALLOWED_NB", "data.0.limitMax", "10", "data.4.isEnabled", "true", "data.5.isEnabled", "false")
	r.as("user@subsidiary.example").get(subscriptionsOf(sandbox.SubsidiaryCompanyID)+"/features").ok().want("data.0.limitMax", "2", "data.4.isEnabled", "false")
	r.as(seeded(1)).get(subscriptionsOf(sandbox.SubsidiaryCompanyID)+"/features").fails(403, 403301)
	r.get(licence+"/companies/check-applicant-number/0001000101").ok().want("result", "true")
	r.get(licence+"/companies/check-applicant-number/42").ok().want("result", "false")
}

func TestQuotations(t *testing.T) {
	r := start(t, sandbox.Options{})
	quote := func(login, companyID string, body map[string]any) answer {
		return r.as(login).post(licence+"/companies/"+companyID+"/quotations", body)
	}
	dr, demo := "bpfinance@dr.example", r.subscriptionID("Voice Attendant")
	quote(dr, sandbox.CompanyID, order(r.offerID("Voice Enterprise"), 10)).ok().want("data.amount", "62.5", "data.invoiceItems.0.quantity", "10", "data.currency", "EUR")
	quote(dr, sandbox.CompanyID, order(r.offerID("Business 1Year"), 10)).ok().want("data.amount", "540")
	quote(dr, sandbox.ResellerID, order(r.offerID("Business 1Year"), 1)).ok() // his own company
	quote(dr, sandbox.CompanyID, map[string]any{"subscriptionId": demo, "maxNumberUsers": 8}).ok().want("data.offerName", "Voice Attendant", "data.amount", "50")
	quote(dr, sandbox.CompanyID, map[string]any{"offerId": r.offerID("HealthCare")}).ok().want("data.amount", "99")
	quote(dr, sandbox.CompanyID, map[string]any{"offerId": r.offerID("Conference")}).fails(400, 400000)
	quote(dr, sandbox.CompanyID, map[string]any{"offerId": r.offerID("Voice Enterprise")}).fails(400, 400000)
	quote(dr, sandbox.CompanyID, map[string]any{"maxNumberUsers": 1}).fails(400, 400000)
	quote(dr, sandbox.CompanyID, map[string]any{"offerId": r.offerID("Voice Attendant"), "maxNumberUsers": 1}).fails(400, 400000) // bought: by subscriptionId
	quote(dr, sandbox.CompanyID, map[string]any{"subscriptionId": "5b7d0c0ffeea0000000000ff", "maxNumberUsers": 1}).fails(404, 404000)
	quote(dr, sandbox.VineyardCompanyID, order(r.offerID("Voice Enterprise"), 1)).fails(403, 403301)
	quote("superadmin@rainbow.example", sandbox.NeighbourCompanyID, order(r.offerID("Voice Enterprise"), 1)).fails(403, 403100) // no BP
	quote("bpfinance@unregistered.example", sandbox.UnregisteredID, order(r.offerID("Voice Enterprise"), 1)).fails(403, 403100)
	if n := r.get(subscriptions + "?showTerminated=true").ok().size("data"); n != 4 {
		t.Errorf("quotations made subscriptions: %d", n)
	}
}
