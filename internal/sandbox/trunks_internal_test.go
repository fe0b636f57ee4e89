package sandbox

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"
)

// asRole calls a handler for a caller who was admitted with one role.
func asRole(w *world, role, companyID, query string, variables map[string]string, handle func(*world, *call) (any, error)) (map[string]any, int) {
	values, _ := url.ParseQuery(query)
	c := &call{
		path: variables, now: time.Date(2024, time.January, 16, 9, 0, 0, 0, time.UTC), world: w, roles: []string{role},
		caller: &user{userDocument: userDocument{LoginEmail: role + "@sandbox.example", CompanyID: companyID, Roles: []string{"user", role}}},
	}
	c.query.values = values
	answer, err := handle(w, c)
	var fault *apiError
	if errors.As(err, &fault) {
		return nil, fault.Status
	}
	raw, err := json.Marshal(answer)
	if err != nil {
		return nil, 500
	}
	var v map[string]any
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, 500
	}
	return v, 200
}

// names joins a member of the listed documents.
func names(list map[string]any, member string) string {
	var all []string
	documents, _ := list["data"].([]any)
	for _, d := range documents {
		text, _ := d.(map[string]any)[member].(string)
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

// TestTrunksByRole: who sees which trunks, and how much of them.
func TestTrunksByRole(t *testing.T) {
	w := seedWorld(20, newSigningKey())
	for name, test := range map[string]struct{ role, company, query, want string }{
		"a superadmin, partners' trunks by default": {"superadmin", "", "", "Coming trunk, Island trunk, Neighbour trunk, Sandbox trunk, Subsidiary trunk, Vineyard trunk"},
		"a superadmin, hybrid ones":                 {"superadmin", "", "trunkType=hybrid_trunk", "OXE trunk"},
		"a superadmin, those of Rainbow":            {"superadmin", "", "trunkType=rb_trunk", "Rainbow trunk"},
		"a superadmin, new ones":                    {"superadmin", "", "status=new", "Coming trunk"},
		"a superadmin, a page":                      {"superadmin", "", "limit=1&offset=1", "Island trunk"},
		"a superadmin, another instance":            {"superadmin", "", "rvcpInstanceId=5de6a488c21aa17bab337345", ""},
		"a superadmin, those of a partner":          {"superadmin", "", "bpId=" + ResellerID, "Coming trunk, Sandbox trunk, Subsidiary trunk"},
		"a superadmin, those for a company":         {"superadmin", "", "targetedCompanyId=" + NeighbourCompanyID, "Neighbour trunk"},
		"a partner":                                 {"bp_admin", ResellerID, "", "Coming trunk, Sandbox trunk, Subsidiary trunk"},
		"a partner, hybrid ones":                    {"bp_admin", ResellerID, "trunkType=hybrid_trunk", "OXE trunk"},
		"another partner":                           {"bp_admin", terminatedCompanyID, "", ""},
		"an organisation":                           {"organization_admin", CompanyID, "", "Coming trunk, Sandbox trunk, Subsidiary trunk"},
		"an organisation, hybrid ones":              {"organization_admin", CompanyID, "trunkType=hybrid_trunk", "OXE trunk"},
		"a company":                                 {"company_admin", CompanyID, "", "Sandbox trunk"},
		"a company, another type":                   {"company_admin", CompanyID, "trunkType=hybrid_trunk", ""},
		"the neighbour":                             {"company_admin", NeighbourCompanyID, "", "Neighbour trunk"},
		"a company without a Cloud PBX":             {"company_admin", terminatedCompanyID, "", ""},
	} {
		got, status := asRole(w, test.role, test.company, test.query, nil, listExternalTrunks)
		if status != 200 || names(got, "name") != test.want {
			t.Errorf("%s: %d %s, want %s", name, status, names(got, "name"), test.want)
		}
	}
	for _, query := range []string{"trunkType=copper", "status=old", "targetedCompanyId=x"} {
		if _, status := asRole(w, "superadmin", "", query, nil, listExternalTrunks); status != 400 {
			t.Errorf("%s: %d, want 400", query, status)
		}
	}
	if _, status := asRole(w, "superadmin", "", "targetedCompanyId=5b7d0c0ffee00000000000ff", nil, listExternalTrunks); status != 404 {
		t.Errorf("an unknown company: %d, want 404", status)
	}
}

func TestTrunkDetailByRole(t *testing.T) {
	w := seedWorld(20, newSigningKey())
	trunkOf := func(n int) map[string]string { return map[string]string{"externalTrunkId": seedID(idOther, n)} }
	got, _ := asRole(w, "superadmin", "", "trunkType=hybrid_trunk", nil, listExternalTrunks)
	hybrid := got["data"].([]any)[0].(map[string]any)
	if h := hybrid["hybrid_specific_data"].(map[string]any); h["sipPassword"] == "" || h["registrationsInfo"] != nil || hybrid["peeringGroupId"] != nil || hybrid["locked"] != false {
		t.Errorf("a listed hybrid trunk: %v", hybrid)
	}
	got, _ = asRole(w, "superadmin", "", "targetedCompanyId="+CompanyID, nil, listExternalTrunks)
	sip := got["data"].([]any)[1].(map[string]any)
	if used := sip["cloudPbxs"].([]any)[0].(map[string]any); used["id"] != CloudPbxID || sip["hybrid_specific_data"] != nil || sip["routeInternalCallsToPeerAllowed"] != false {
		t.Errorf("a listed partner's trunk: %v", sip)
	}

	for name, test := range map[string]struct {
		role, company string
		trunk         int
		want          int
	}{
		"the company's own": {"company_admin", CompanyID, 51, 200}, "the neighbour's": {"company_admin", CompanyID, 52, 403},
		"a partner's": {"bp_admin", ResellerID, 55, 200}, "not the partner's": {"bp_admin", ResellerID, 53, 403},
		"any": {"superadmin", "", 53, 200}, "none": {"superadmin", "", 59, 404},
	} {
		if _, status := asRole(w, test.role, test.company, "", trunkOf(test.trunk), getExternalTrunk); status != test.want {
			t.Errorf("%s: %d, want %d", name, status, test.want)
		}
	}
	got, _ = asRole(w, "company_admin", CompanyID, "", trunkOf(51), getExternalTrunk)
	if summary := got["data"].(map[string]any); len(summary) != 6 || summary["bpIds"] != nil {
		t.Errorf("the summary of a company administrator: %v", summary)
	}
	got, _ = asRole(w, "superadmin", "", "", trunkOf(55), getExternalTrunk)
	detail := got["data"].(map[string]any)
	if h := detail["hybrid_specific_data"].(map[string]any); h["sipPort"] != 5061.0 || len(h["registrationsInfo"].([]any)) != 1 || detail["locked"] != nil {
		t.Errorf("a hybrid trunk in detail: %v", detail)
	}
	if balancer := detail["loadBalancerOptions"].(map[string]any); balancer["loadBalancerHostName"] != "lb1.sip.sandbox.example" || balancer["policy"] != "trunk_policy" {
		t.Errorf("its load balancer: %v", balancer)
	}
	if _, status := asRole(w, "superadmin", "", "", map[string]string{"externalTrunkId": "x"}, getExternalTrunk); status != 400 {
		t.Errorf("an id that is none: %d, want 400", status)
	}
}

// TestRecordingsOverAllCompanies: the scopes of a superadmin and of an
// organisation.
func TestRecordingsOverAllCompanies(t *testing.T) {
	w := seedWorld(20, newSigningKey())
	for name, test := range map[string]struct {
		role, company, query string
		status               int
		total                float64
	}{
		"a superadmin without a filter": {"superadmin", "", "limit=5", 400, 0},
		"by date":                       {"superadmin", "", "fromDate=2024-01-01", 200, 10},
		"by system":                     {"superadmin", "", "systemIds=" + neighbourPbxID, 200, 1},
		"by site":                       {"superadmin", "", "siteIds=" + seedID(idOther, 1), 200, 9},
		"a union":                       {"superadmin", "", "systemIds=" + neighbourPbxID + "&companyIds=" + CompanyID, 200, 10},
		"several companies":             {"superadmin", "", "companyIds=" + CompanyID + "," + NeighbourCompanyID, 200, 10},
		"a filter on top":               {"superadmin", "", "companyIds=" + CompanyID + "&recordedName=reception", 200, 3},
		"an organisation":               {"organization_admin", CompanyID, "", 200, 9},
		"beyond the organisation":       {"organization_admin", CompanyID, "systemIds=" + neighbourPbxID, 200, 0},
		"a company":                     {"company_admin", CompanyID, "fromDate=2024-01-01", 403, 0},
		"a wrong date":                  {"superadmin", "", "fromDate=x", 400, 0},
	} {
		got, status := asRole(w, test.role, test.company, test.query, nil, listAllRecordings)
		if total, _ := got["total"].(float64); status != test.status || total != test.total {
			t.Errorf("%s: %d with %v, want %d with %v", name, status, total, test.status, test.total)
		}
	}
	got, _ := asRole(w, "superadmin", "", "systemIds="+neighbourPbxID, nil, listAllRecordings)
	if d := got["data"].([]any)[0].(map[string]any); d["companyId"] != NeighbourCompanyID || d["callId"] == "" {
		t.Errorf("a recording over all companies: %v", d)
	}
	// Only an administrator of the end customer consults its recordings.
	pbx := map[string]string{"systemId": neighbourPbxID}
	if _, status := asRole(w, "company_admin", NeighbourCompanyID, "", pbx, listRecordings); status != 200 {
		t.Errorf("the end customer: %d, want 200", status)
	}
	pbx = map[string]string{"systemId": CloudPbxID}
	if _, status := asRole(w, "bp_admin", ResellerID, "", pbx, listRecordings); status != 403 {
		t.Errorf("its partner: %d, want 403", status)
	}
	if _, status := asRole(w, "bp_admin", ResellerID, "", pbx, listGreetings); status != 200 {
		t.Errorf("its partner, for greetings: %d, want 200", status)
	}
}
