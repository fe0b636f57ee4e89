package conformance_test

import "github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"

func walkUsers(w *walk) {
	w.do("authentication/GetAbout")
	w.do("Validate")
	user := w.do("CreateUser", body(object{"loginEmail": "walk@sandbox.example", "firstName": "A", "lastName": "B"})).text("data.id")
	w.do("GetUser", at(user))
	w.do("UpdateUser", at(user), body(object{"jobTitle": "Buyer"}))
	demo := w.offered("Enterprise Demo")
	w.do("AssignUserSubscription", at(user, demo), body(object{}))
	w.do("ListUserProfiles", at(user))
	w.do("UnassignUserSubscription", at(user, demo))
	w.do("DeleteUser", at(user))
}

// offered is the subscription of the company to an offer.
func (w *walk) offered(offer string) string {
	w.t.Helper()
	list := w.do("ListSubscriptions", at(sandbox.CompanyID), query("format=full"))
	for _, s := range plain(w.t, list.body).(object)["data"].([]any) {
		if s.(object)["offerName"] == offer {
			return s.(object)["id"].(string)
		}
	}
	w.t.Fatalf("no subscription %q in %s", offer, list.body)
	return ""
}

func walkSystems(w *walk) {
	w.do("ListSystems")
	w.do("GetSystem", at(sandbox.EquippedPbxID))
	w.do("GetSystemByPbxId", at(sandbox.EquippedPbxPbxID))
	number := w.do("ListSystemPhoneNumbers", at(sandbox.EquippedPbxID), query("format=full&limit=2&offset=0")).text("data.0.id")
	w.do("GetSystemPhoneNumber", at(sandbox.EquippedPbxID, number))
	w.do("UpdateSystemPhoneNumber", at(sandbox.EquippedPbxID, number), body(object{"userId": w.user(sandbox.AdminLogin)}))
}

func walkSubscriptions(w *walk) {
	w.do("subscription/GetAbout")
	root, finance := w.as("superadmin@rainbow.example"), w.as("bpfinance@dr.example")
	offer := func(name string) string {
		list := root.do("ListOffers", at(sandbox.DistributorID), query("limit=50"))
		for _, o := range plain(w.t, list.body).(object)["data"].([]any) {
			if o.(object)["name"] == name {
				return o.(object)["id"].(string)
			}
		}
		w.t.Fatalf("no offer %q", name)
		return ""
	}
	w.do("GetOffer", at(sandbox.CompanyID, offer("Enterprise")))
	order := object{"offerId": offer("Voice Enterprise"), "maxNumberUsers": 5}
	finance.do("CreateQuotation", at(sandbox.CompanyID), body(order))
	bought := finance.do("CreateSubscription", at(sandbox.CompanyID), body(order)).text("data.id")
	w.do("GetSubscription", at(sandbox.CompanyID, bought))
	w.do("UpdateSubscription", at(sandbox.CompanyID, bought), body(object{"maxNumberUsers": 6}))
	w.do("ListSubscriptionUsers", at(sandbox.CompanyID, w.offered("Essential")))
	finance.do("DeleteSubscription", at(sandbox.CompanyID, bought))
	w.do("ListSubscriptionFeatures", at(sandbox.CompanyID))
	w.do("GetDefaultSubscription", at(sandbox.CompanyID))
	w.do("ListPrepaidSubscriptions", at(sandbox.CompanyID), query("days=2000"))
	w.as("bpadmin@vad.example").do("ListSubscriptionCounters", at(sandbox.DistributorID))
	w.as("bpadmin@dr.example").do("CreateSubscriptionsFromFile", at(sandbox.ResellerID), query("preview=true"), file("application/xml",
		"<ACTIS><PURCHASEORDER>PO-1</PURCHASEORDER><IRCOMPANY><NAME/></IRCOMPANY><OFFERS><OFFER><SAPREFERENCE>3EY95101AB</SAPREFERENCE><QUANTITY>1</QUANTITY></OFFER></OFFERS></ACTIS>")).text("status")
	w.do("CheckApplicantNumber", at("0001000101"))
	developer := w.user(sandbox.AdminLogin)
	w.do("ListDeveloperSubscriptions", at(developer))
	w.do("ListDeveloperInvoices", at(developer))
}

func walkInvoices(w *walk) {
	w.do("invoicing/GetAbout")
	finance := w.as("bpfinance@vad.example")
	bill := finance.do("ListCompanyInvoices", at(sandbox.DistributorID)).text("data.0.invoiceFiles.0.id")
	finance.do("GetInvoiceFile", at(sandbox.DistributorID, bill)).isFile("application/pdf", "%PDF-1.4\n")
	path := w.do("ListInvoices", query("invoiceType=services&fileType=CDR")).text("0.filepath")
	w.do("DownloadInvoice", at(path)).isFile("text/csv", "")
	w.do("ListServicesInvoice", query("year=2024&month=1")).isFile("text/csv", "")
	w.do("ListConferenceInvoice", query("year=2024&month=1")).isFile("text/csv", "")
}

func walkCredentials(w *walk) {
	created := w.do("CreateApiKey", body(object{"scope": []string{"all"}, "description": "walk", "isActive": true}))
	key, id := created.text("data.apiKey"), created.text("data.id")
	w.do("ListApiKeys")
	w.do("GetApiKey", at(id))
	w.do("UpdateApiKey", at(id), body(object{"description": "walked"}))
	const challenge = "abcdefghijklmnopqrstuv"
	w.do("GetCurrentApiKey", header("X-Rainbow-Api-Key", key), header("X-Rainbow-Challenge", challenge),
		header("X-Rainbow-App-Auth", basic(sandbox.AppID, hashed(sandbox.AppSecret+challenge))))
	w.do("DeleteApiKey", at(id))
	to := w.do("OAuthAuthorize", query("response_type=code&state=s+1&client_id="+sandbox.AppID), header("Authorization", basic(sandbox.AdminLogin, sandbox.AdminPassword)))
	code := parsedURL(w.t, to.header.Get("Location")).Query().Get("code")
	tokens := w.do("OAuthToken", header("Authorization", basic(sandbox.AppID, sandbox.AppSecret)),
		file("application/x-www-form-urlencoded", "grant_type=authorization_code&code="+code))
	w.do("ListUsers", header("Authorization", "Bearer "+tokens.text("access_token")))
	w.tokens[w.login] = w.do("Renew").text("token")
}

// walkEnds takes away what all else needs.
func walkEnds(w *walk) {
	w.do("DeleteCloudPbx", at(sandbox.CloudPbxID), query("forceDelete=true"))
	w.do("CreateCloudPbx", body(object{"companyId": sandbox.CompanyID, "numberingDigits": 3, "outgoingPrefix": 0,
		"numberingPlan": []any{object{"prefix": "2", "description": "d"}}, "externalTrunkId": "5b7d0c0ffee70000000000aa"}))
	w.do("Logout")
}
