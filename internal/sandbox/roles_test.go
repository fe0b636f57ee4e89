package sandbox_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

// as logs another account in.
func (r *rainbow) as(login string) *rainbow {
	r.t.Helper()
	other := *r
	password := sandbox.AdminPassword
	if strings.HasPrefix(login, "user0") {
		password = sandbox.UserPassword
	}
	other.token = r.login(login, password)
	return &other
}

// account is a seeded account and the roles it has, as the guides name them.
type account struct {
	login string
	roles []string
}

func accounts() []account {
	return []account{
		{"superadmin@rainbow.example", []string{"superadmin"}},
		{"support@rainbow.example", []string{"support"}},
		{"business@rainbow.example", []string{"business_admin"}},
		{"bpadmin@vad.example", []string{"bp_admin", "company_admin"}},
		{"bpfinance@vad.example", []string{"bp_finance"}},
		{"channel@vad.example", []string{"bp_finance", "organization_admin"}},
		{"orgadmin@subsidiary.example", []string{"organization_admin"}},
		{sandbox.AdminLogin, []string{"company_admin"}},
		{"siteadmin@subsidiary.example", []string{"site_admin"}},
		{seeded(1), []string{"user"}},
	}
}

// mayCall is the reading of a list of roles of the catalogue: no roles, every
// administrator; admin, every kind of it and superadmin.
func (a account) mayCall(o operation) bool {
	if slices.Contains(o.Roles, "user") {
		return true // every account has that role, too
	}
	if len(o.Roles) == 0 {
		return !slices.Equal(a.roles, []string{"user"})
	}
	return slices.ContainsFunc(a.roles, func(role string) bool {
		isAdmin := slices.Contains([]string{"company_admin", "organization_admin", "site_admin", "superadmin"}, role)
		return slices.Contains(o.Roles, role) || (isAdmin && slices.Contains(o.Roles, "admin"))
	})
}

// TestEveryOperationAnswersOrRefusesByRole asks each operation of the
// administrators as each account, for documents that do not exist: 403000
// stands for the roles that the catalogue does not list, and for nothing else.
func TestEveryOperationAnswersOrRefusesByRole(t *testing.T) {
	t.Parallel()
	r := start(t, sandbox.Options{})
	var everyone []*rainbow
	for _, a := range accounts() {
		everyone = append(everyone, r.as(a.login))
	}
	// The guide gives these to users being both bp_finance and
	// organization_admin; the catalogue's list cannot say "both".
	both := []string{"ListCompanyInvoices", "GetInvoiceFile"}
	// Not of administrators: anybody may ask.
	anybody := []string{"GetAbout", "CheckApplicantNumber", "ListDeveloperSubscriptions", "ListDeveloperInvoices"}
	refused, passed := 0, 0
	for _, module := range modules() {
		if module == "authentication" {
			continue
		}
		c := readCatalogue(t, module)
		for _, o := range c.all() {
			if slices.Contains(anybody, o.ID) {
				continue
			}
			path := c.BasePath + variable().ReplaceAllString(o.Path, "5b7d0c0ffee00000000000ff")
			for i, a := range accounts() {
				want := !a.mayCall(o) || (slices.Contains(both, o.ID) && slices.Equal(a.roles, []string{"organization_admin"}))
				answer := everyone[i].do(o.Method, path, nil)
				if got := answer.status == 403 && answer.text("errorDetailsCode") == "403000"; got != want {
					t.Errorf("%s as %s (%v): status %d, refused %t, want %t", o.ID, a.login, a.roles, answer.status, got, want)
				}
				if want {
					refused++
				} else {
					passed++
				}
			}
		}
	}
	if refused < 200 || passed < 800 {
		t.Errorf("the matrix is one-sided: %d refused, %d passed", refused, passed)
	}
}

// TestRolesReachTheirCompanies asks for a Cloud PBX, a user list and the
// subscriptions of each company as each role.
func TestRolesReachTheirCompanies(t *testing.T) {
	r := start(t, sandbox.Options{})
	pbxs := map[string]string{
		"contract": sandbox.CloudPbxID, "subsidiary": sandbox.SubsidiaryPbxID, "vineyard": sandbox.VineyardPbxID, "island": sandbox.IslandPbxID,
	}
	companies := map[string]string{
		"contract": sandbox.CompanyID, "subsidiary": sandbox.SubsidiaryCompanyID, "vineyard": sandbox.VineyardCompanyID,
		"island": sandbox.IslandCompanyID, "vad": sandbox.DistributorID, "dr": sandbox.ResellerID, "ir": sandbox.IndirectResellerID,
		"neighbour": sandbox.NeighbourCompanyID,
	}
	all := "contract dr ir island neighbour subsidiary vad vineyard"
	for _, c := range []struct{ login, pbx, users, subscriptions string }{
		{"superadmin@rainbow.example", "contract island subsidiary vineyard", all, all},
		{"support@rainbow.example", "contract island subsidiary vineyard", all, all},
		{"bpadmin@vad.example", "vineyard", "ir vad vineyard", "vad vineyard"},
		{"bpfinance@vad.example", "", "ir vad vineyard", "vineyard"},
		{"channel@vad.example", "", "contract dr ir subsidiary vad vineyard", "contract dr subsidiary vad vineyard"},
		{"bpadmin@dr.example", "contract subsidiary", "contract dr subsidiary", "contract dr subsidiary"},
		{"bpadmin@ir.example", "island", "ir island", "ir island"},
		{"orgadmin@subsidiary.example", "contract subsidiary", "contract subsidiary", "contract subsidiary"},
		{"admin@subsidiary.example", "subsidiary", "subsidiary", "subsidiary"},
		{"siteadmin@subsidiary.example", "subsidiary", "subsidiary", ""},
		{"branchadmin@subsidiary.example", "", "subsidiary", ""},
		{sandbox.AdminLogin, "contract", "contract", "contract"},
	} {
		t.Run(c.login, func(t *testing.T) {
			as := r.as(c.login)
			reached := func(targets map[string]string, path func(string) string) string {
				var list []string
				for name, id := range targets {
					switch a := as.get(path(id)); {
					case a.status == 200:
						list = append(list, name)
					case a.status != 403:
						t.Errorf("%s: %d %s", a.what, a.status, a.body)
					}
				}
				slices.Sort(list)
				return strings.Join(list, " ")
			}
			if got := words(reached(pbxs, func(id string) string { return voice + "/cloudpbxs/" + id })); got != words(c.pbx) {
				t.Errorf("Cloud PBXs of %q, want %q", got, c.pbx)
			}
			if got := reached(companies, func(id string) string { return admin + "/users?companyId=" + id }); got != words(c.users) {
				t.Errorf("users of %q, want %q", got, c.users)
			}
			if got := reached(companies, func(id string) string { return licence + "/companies/" + id + "/subscriptions" }); got != c.subscriptions {
				t.Errorf("subscriptions of %q, want %q", got, c.subscriptions)
			}
		})
	}
}

// words sorts a list of words.
func words(s string) string {
	list := strings.Fields(s)
	slices.Sort(list)
	return strings.Join(list, " ")
}

func TestAListWithoutACompanyHoldsWhatTheCallerIsInChargeOf(t *testing.T) {
	r := start(t, sandbox.Options{})
	r.get(admin+"/users?limit=1").ok().want("total", "21")
	r.as("orgadmin@subsidiary.example").get(admin+"/users?limit=1").ok().want("total", "26")
	r.as("bpadmin@vad.example").get(voice+"/cloudpbxs").ok().want("total", "1", "data.0.id", sandbox.VineyardPbxID)
	r.as("superadmin@rainbow.example").get(voice+"/cloudpbxs").ok().want("total", "5")
	r.as("superadmin@rainbow.example").get(admin+"/users?limit=1&isTerminated=false").ok().want("total", "42")
}

func TestASiteAdminStaysOnHisSite(t *testing.T) {
	r := start(t, sandbox.Options{})
	head, branch := r.as("siteadmin@subsidiary.example"), r.as("branchadmin@subsidiary.example")
	head.get(admin+"/systems").ok().want("total", "1", "data.0.id", sandbox.SubsidiaryPbxID)
	branch.get(admin+"/systems").ok().want("total", "1", "data.0.id", sandbox.BranchPbxID)
	branch.get(voice+"/cloudpbxs").ok().want("total", "0")
	branch.get(voice+"/cloudpbxs/"+sandbox.SubsidiaryPbxID).fails(403, 403301)
	branch.get(admin + "/systems/" + sandbox.BranchPbxID + "/phone-numbers").ok()
	branch.get(admin+"/users").ok().want("total", "2")
	other := head.get(admin+"/users?limit=1").ok().want("total", "3").text("data.0.id")
	branch.get(admin+"/users/"+other).fails(403, 403301)
	branch.get(admin + "/users/" + r.as("user@subsidiary.example").get(enduser+"/users/me").ok().text("data.id")).ok()
}

func TestWhatSingleRolesMayDo(t *testing.T) {
	r := start(t, sandbox.Options{})
	root, support, partner := r.as("superadmin@rainbow.example"), r.as("support@rainbow.example"), r.as("bpadmin@dr.example")
	user := admin + "/users/" + r.userID(seeded(4))
	support.put(user, map[string]any{"title": "Dr"}).fails(403, 403100)
	support.put(user, map[string]any{"password": "Fresh-Pass-9"}).ok()
	support.delete(user).fails(403, 403000)
	phone := devices + "/" + r.get(devices+"?limit=1").ok().text("data.0.id")
	r.post(phone+"/debug", map[string]any{"duration": 60}).fails(403, 403000)
	root.post(phone+"/debug", map[string]any{"duration": 60}).ok()
	partner.post(admin+"/users", map[string]any{"loginEmail": "made@sandbox.example", "companyId": sandbox.CompanyID}).ok()
	partner.put(cloud, map[string]any{"name": "By the partner"}).ok().want("data.name", "By the partner")
	partner.get(voice+"/cloudpbxs/"+sandbox.VineyardPbxID).fails(403, 403301)
	promoted := map[string]any{"roles": []string{"user", "admin"}, "adminType": "organization_admin"}
	r.put(user, promoted).fails(403, 403000)
	root.put(user, promoted).ok().want("data.adminType", "organization_admin")
}

func TestEveryAccountShowsItsRoles(t *testing.T) {
	r := start(t, sandbox.Options{})
	for _, a := range accounts() {
		me := r.as(a.login).get(enduser + "/users/me").ok()
		raw, _ := json.Marshal(me.at("data.roles"))
		for _, role := range a.roles {
			if !strings.Contains(string(raw), role) && me.text("data.adminType") != role {
				t.Errorf("%s: roles %s, adminType %s, want %s", a.login, raw, me.text("data.adminType"), role)
			}
		}
	}
}

func jsonText(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}
