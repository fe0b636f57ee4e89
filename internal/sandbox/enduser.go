package sandbox

import "net/http"

// endUserRoutes are the calls of the enduser portal that the Rainbow Node SDK
// makes while it signs in.
func endUserRoutes() []route {
	const base = "/enduser/v1.0"
	return []route{
		{http.MethodGet, base + "/companies/{companyId}", anyUser, false, getCompany},
		{http.MethodGet, base + "/settings/apis", anyUser, false, getAPISettings},
		{http.MethodGet, base + "/users/me", anyUser, false, getMyself},
		{http.MethodGet, base + "/about", open, false, about("1.239.2", "Rainbow Enduser Portal (sandbox)")},
	}
}

func getCompany(w *world, c *call) (any, error) {
	company, err := c.companyInPath(w)
	if err != nil {
		return nil, err
	}
	return data(map[string]any{
		"id": company.ID, "name": company.Name, "country": company.Country, "status": company.Status,
		"visibility": "private", "organisationId": orNull(company.OrganisationID), "isBP": company.IsBP, "bpType": orNull(company.BpType), "bpId": orNull(company.BpID), "forceHandshake": false, "companyContactId": nil,
		"creationDate": seedTime, "offerType": "premium", "timezone": "Europe/Paris",
	}), nil
}

// getAPISettings answers that no header is to be added to any call.
func getAPISettings(*world, *call) (any, error) {
	return data(map[string]any{"ttl": 86400, "additionalHeaders": []any{}}), nil
}

func getMyself(w *world, c *call) (any, error) { return data(w.fullUser(c.caller)), nil }
