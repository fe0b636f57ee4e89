package contract_test

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/rainbow-gateway/rainbow-gateway/sandboxtest"
)

// commerceSteps read offers and subscriptions.
func commerceSteps() []step {
	subscription := func(s *session) string {
		return s.subscriptions() + "/" + s.find("a subscription", s.subscriptions(), "data.0.id")
	}
	offers := func(s *session) string { return licence + "/companies/" + s.fact("company") + "/offers" }
	return []step{
		{"subscription/ListOffers", reads, func(s *session) reply { return s.get(offers(s) + "?format=full") }},
		{"subscription/GetOffer", reads, func(s *session) reply {
			return s.get(offers(s) + "/" + s.find("an offer", offers(s)+"?limit=1", "data.0.id"))
		}},
		{"subscription/ListSubscriptions", reads, func(s *session) reply { return s.get(s.subscriptions()) }},
		{"subscription/ListSubscriptions.full", reads, func(s *session) reply {
			r := s.get(s.subscriptions() + "?format=full")
			for i := range 100 {
				if r.text(fmt.Sprintf("data.%d.isDefault", i)) == "false" {
					return s.keep("a subscription that is not everybody's", r, fmt.Sprintf("data.%d.id", i))
				}
			}
			return r
		}},
		{"subscription/GetSubscription", reads, func(s *session) reply {
			return s.get(s.subscriptions() + "/" + s.fact("a subscription that is not everybody's"))
		}},
		{"subscription/GetDefaultSubscription", reads, func(s *session) reply { return s.get(s.subscriptions() + "/default") }},
		{"subscription/ListSubscriptionUsers", reads, func(s *session) reply { return s.get(subscription(s) + "/users") }},
		{"subscription/ListPrepaidSubscriptions", reads, func(s *session) reply { return s.get(s.subscriptions() + "/prepaid?days=2000") }},
		{"subscription/ListSubscriptionFeatures", reads, func(s *session) reply { return s.get(s.subscriptions() + "/features") }},
		{"invoicing/ListInvoices", reads, func(s *session) reply { return s.get(billing + "/invoices") }},
	}
}

// partnerSteps act as partners, whose accounts only the sandbox has: they buy
// and are billed.
func partnerSteps() []step {
	const buyer, seller = "bpfinance@dr.example", "bpadmin@dr.example"
	offer := func(s *session, name string) string {
		list := s.send(request{method: "GET", path: licence + "/companies/" + sandboxtest.ResellerID + "/offers?name=" + url.QueryEscape(name), as: buyer})
		for i := range 20 {
			if list.text(fmt.Sprintf("data.%d.name", i)) == name {
				return list.text(fmt.Sprintf("data.%d.id", i))
			}
		}
		panic(missing{"the offer " + name})
	}
	bought := func(s *session) string { return s.subscriptions() + "/" + s.fact("a bought subscription") }
	return []step{
		{"subscription/CreateSubscription", company, func(s *session) reply {
			body := s.documented("subscription/CreateSubscription", members{
				"offerId": offer(s, "Voice Enterprise"), "maxNumberUsers": 50,
				"applicationId": nil, "expirationDate": nil, "businessAdminComment": nil, // of other offers and roles
				"autoRenew": nil, "autoRenewOneTime": nil, "autoRenewToMonthly": nil, "prepaidDuration": nil, "renewalTerm": nil, "renewalTermOption": nil, // of prepaid offers
			})
			return s.keep("a bought subscription", s.send(request{method: "POST", path: s.subscriptions(), body: body, as: buyer}), "data.id")
		}},
		{"subscription/UpdateSubscription", company, func(s *session) reply {
			return s.send(request{method: "PUT", path: bought(s), as: buyer, body: s.documented("subscription/UpdateSubscription", members{
				"maxNumberUsers": 60, "applicationId": nil, "expirationDate": nil, "businessAdminComment": nil,
				"autoRenew": nil, "autoRenewOneTime": nil, "autoRenewToMonthly": nil, "prepaidDuration": nil, "prepaidRenewalOption": nil,
				"renewalTerm": nil, "renewalTermOption": nil, "renewalVolume": nil,
			})})
		}},
		{"subscription/DeleteSubscription", company, func(s *session) reply {
			return s.send(request{method: "DELETE", path: bought(s), as: buyer})
		}},
		{"subscription/CreateQuotation", company, func(s *session) reply {
			return s.send(request{method: "POST", path: licence + "/companies/" + sandboxtest.CompanyID + "/quotations", as: buyer,
				body: s.documented("subscription/CreateQuotation", members{"offerId": offer(s, "Business 1Year"), "maxNumberUsers": 10, "subscriptionId": nil, "renewalVolume": 10})})
		}},
		{"subscription/ListSubscriptionCounters", company, func(s *session) reply {
			return s.send(request{method: "GET", path: licence + "/companies/" + sandboxtest.DistributorID + "/subscriptions/counters", as: "bpadmin@vad.example"})
		}},
		{"subscription/CreateSubscriptionsFromFile", company, func(s *session) reply {
			return s.send(request{method: "POST", path: licence + "/companies/" + sandboxtest.ResellerID + "/subscriptions/files", body: actis, contentType: "application/xml", as: seller})
		}},
		{"subscription/ListCompanyInvoices", company, func(s *session) reply {
			return s.send(request{method: "GET", path: licence + "/companies/" + sandboxtest.ResellerID + "/invoices", as: buyer})
		}},
		{"authentication/OAuthToken", company, oauthToken},
	}
}

// actis is an order of one line, as Actis writes it.
const actis = "<ACTIS><OFFERS><OFFER><SAPREFERENCE>3EY95101AB</SAPREFERENCE><QUANTITY>1</QUANTITY></OFFER></OFFERS></ACTIS>"

// oauthToken changes a code for a token.
func oauthToken(s *session) reply {
	code := ""
	browser := *s.client
	browser.CheckRedirect = func(req *http.Request, _ []*http.Request) error {
		code = req.URL.Query().Get("code")
		return http.ErrUseLastResponse
	}
	visitor := *s
	visitor.client = &browser
	query := url.Values{"response_type": {"code"}, "client_id": {s.account.appID}, "redirect_uri": {"http://127.0.0.1/callback"}}
	visitor.get(authent + "/oauth/authorize?" + query.Encode())
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {"http://127.0.0.1/callback"}}
	return s.send(request{method: "POST", path: authent + "/oauth/token", body: form.Encode(), contentType: "application/x-www-form-urlencoded",
		header: http.Header{"Authorization": {basic(s.account.appID, s.account.appSecret)}}})
}
