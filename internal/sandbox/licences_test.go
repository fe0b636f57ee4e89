package sandbox_test

import (
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

const subscriptions = licence + "/companies/" + sandbox.CompanyID + "/subscriptions"

// subscriptionID finds the company's subscription of an offer.
func (r *rainbow) subscriptionID(offer string) string {
	r.t.Helper()
	a := r.get(subscriptions + "?format=full").ok()
	for _, p := range a.at("data").([]any) {
		if p.(map[string]any)["offerName"] == offer {
			return p.(map[string]any)["id"].(string)
		}
	}
	r.t.Fatalf("no subscription of %s", offer)
	return ""
}

func TestSubscriptionsAndOffers(t *testing.T) {
	r := start(t, sandbox.Options{})
	r.get(subscriptions+"?format=full").ok().want("data.0.offerName", "Essential", "data.0.isDefault", "true", "data.0.numberAssignedUsers", "21",
		"data.1.offerName", "Enterprise Demo", "data.1.maxNumberUsers", "1000", "data.1.numberAssignedUsers", "0",
		"data.2.offerName", "Voice Enterprise 3-Year prepaid", "data.2.isPrepaid", "true", "data.2.prepaidDuration", "36",
		"data.2.numberAssignedUsers", "20", "data.3.maxNumberUsers", "5", "data.3.status", "active", "data.3.syncOngoing", "false")
	if got := len(r.get(subscriptions).ok().at("data.1").(map[string]any)); got != 4 {
		t.Errorf("format small shows %d members, want 4", got)
	}
	if got := len(r.get(subscriptions + "?format=medium").ok().at("data.1").(map[string]any)); got != 6 {
		t.Errorf("format medium shows %d members, want 6", got)
	}
	voice := r.subscriptionID("Voice Enterprise 3-Year prepaid")
	r.get(subscriptions+"/"+voice).ok().want("data.numberAssignedUsers", "20")
	r.get(subscriptions+"/"+voice+"/users?limit=3").ok().want("total", "20", "limit", "3")
	r.get(subscriptions+"/5b7d0c0ffeea0000000000ff").fails(404, 404000)
	offers := licence + "/companies/" + sandbox.CompanyID + "/offers"
	r.get(offers).ok().want("total", "5", "data.0.name", "Enterprise")
	r.get(offers+"?canBeSold=false&format=full").ok().want("total", "1", "data.0.isDefault", "true")
	r.get(offers+"?name=Enterprise").ok().want("total", "1")
	r.get(offers+"?isExclusive=true&sortOrder=-1").ok().want("total", "2", "data.0.name", "Enterprise Demo")
}

func TestAssigningLicences(t *testing.T) {
	r := start(t, sandbox.Options{})
	profiles := func(n int) string { return admin + "/users/" + r.userID(seeded(n)) + "/profiles" }
	demo, voice, attendant := r.subscriptionID("Enterprise Demo"), r.subscriptionID("Voice Enterprise 3-Year prepaid"), r.subscriptionID("Voice Attendant")
	r.post(profiles(1)+"/subscriptions/"+demo, map[string]any{}).ok().want("data.offerName", "Enterprise Demo", "data.status", "active")
	r.post(profiles(1)+"/subscriptions/"+demo, map[string]any{}).fails(409, 409000)
	r.get(profiles(1)).ok().want("data.0.isDefault", "true", "data.2.subscriptionId", demo)
	a := r.delete(profiles(1) + "/subscriptions/" + voice).ok()
	if a.size("data") != 2 {
		t.Errorf("profiles left: %s", a.body)
	}
	r.delete(profiles(1)+"/subscriptions/"+voice).fails(404, 404000)
	r.delete(profiles(1)+"/subscriptions/"+r.subscriptionID("Essential")).fails(403, 403100)
	r.post(profiles(1)+"/subscriptions/"+r.subscriptionID("Essential"), nil).fails(409, 409000)
	for n := 1; n <= 5; n++ {
		r.post(profiles(n)+"/subscriptions/"+attendant, nil).ok()
	}
	r.post(profiles(6)+"/subscriptions/"+attendant, nil).fails(403, 403100)
	r.get(subscriptions+"/"+attendant).ok().want("data.numberAssignedUsers", "5")
	r.post(profiles(6)+"/subscriptions/5b7d0c0ffeea0000000000ff", nil).fails(404, 404000)
}
