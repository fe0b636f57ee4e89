package sandbox

import (
	"net/http"
	"strings"
)

// tenant is an Office 365 tenant that is linked to a company, with the
// accounts that the directory of Microsoft holds.
type tenant struct {
	ID          string          `json:"id"`
	CompanyID   string          `json:"companyId"`
	Accounts    []tenantAccount `json:"accounts"`
	TaskReadyAt string          `json:"taskReadyAt,omitempty"` // of the task that was started last
}

type tenantAccount struct {
	LoginEmail string `json:"loginEmail"`
	FirstName  string `json:"firstName"`
	LastName   string `json:"lastName"`
	JobTitle   string `json:"jobTitle"`
	Deleted    bool   `json:"deleted,omitempty"`
}

// TenantID is the Office 365 tenant of the contract company.
const TenantID = "sandbox.onmicrosoft.example"

func tenantRoutes() []route {
	const base = "/massprovisioning/v1.0/users"
	return []route{
		{http.MethodGet, base + "/synchronize/{tenant}", adminOnly, false, synchronizeTenant},
		{http.MethodPost, base + "/synchronizeTask/{tenant}", adminOnly, true, startTenantTask},
		{http.MethodGet, base + "/synchronizeTask/{tenant}", adminOnly, false, getTenantTask},
	}
}

// seedTenants makes a tenant that differs from the contract company in each
// way: someone new, someone with another job title, someone deleted.
func (w *world) seedTenants() {
	first, last := seedNames(2)
	w.tenants.put(&tenant{ID: TenantID, CompanyID: CompanyID, Accounts: []tenantAccount{
		{LoginEmail: "new.hire@sandbox.example", FirstName: "New", LastName: "Hire", JobTitle: "Trainee"},
		{LoginEmail: "user000002@sandbox.example", FirstName: first, LastName: last, JobTitle: "Head of sales"},
		{LoginEmail: "user000003@sandbox.example", Deleted: true},
	}})
}

func (c *call) tenantInPath(w *world) (*tenant, error) {
	t := w.tenants.get(c.path["tenant"])
	if t == nil {
		return nil, notFound("Office 365 tenant %s does not exist.", c.path["tenant"])
	}
	return t, c.inCharge(t.CompanyID)
}

// operations lists what would align the company with the tenant, as rows of a
// user sheet; an account that is equal needs none.
func (w *world) operations(t *tenant) []tenantOperation {
	list := []tenantOperation{}
	for _, a := range t.Accounts {
		u := w.userByLogin(a.LoginEmail)
		o := tenantOperation{LoginEmail: a.LoginEmail, FirstName: a.FirstName, LastName: a.LastName, JobTitle: a.JobTitle}
		switch {
		case a.Deleted && u != nil && u.CompanyID == t.CompanyID:
			o.Action = "delete"
		case a.Deleted:
			continue
		case u == nil:
			o.Action = "create"
		case u.FirstName != a.FirstName || u.LastName != a.LastName || u.JobTitle != a.JobTitle:
			o.Action = "update"
		default:
			continue
		}
		list = append(list, o)
	}
	return list
}

type tenantOperation struct {
	Action     string `json:"__action__"`
	LoginEmail string `json:"loginEmail"`
	FirstName  string `json:"firstName,omitempty"`
	LastName   string `json:"lastName,omitempty"`
	JobTitle   string `json:"jobTitle,omitempty"`
}

func (c *call) tenantOperations(w *world, t *tenant) dataEnvelope {
	lines := []string{"__action__;loginEmail;firstName;lastName;jobTitle"}
	objects := map[string]tenantOperation{}
	for _, o := range w.operations(t) {
		lines = append(lines, strings.Join([]string{o.Action, o.LoginEmail, quoteCell(o.FirstName), quoteCell(o.LastName), quoteCell(o.JobTitle)}, ";"))
		objects[o.LoginEmail] = o
	}
	return c.exported(objects, lines)
}

func synchronizeTenant(w *world, c *call) (any, error) {
	t, err := c.tenantInPath(w)
	if err != nil {
		return nil, err
	}
	return c.tenantOperations(w, t), nil
}

// startTenantTask answers StartSynchronizeTenantTask; the result is ready
// after ImportDelay.
func startTenantTask(w *world, c *call) (any, error) {
	t, err := c.tenantInPath(w)
	if err != nil {
		return nil, err
	}
	next := *t
	next.TaskReadyAt = timestamp(c.now.Add(c.sandbox.options.ImportDelay))
	w.tenants.put(&next)
	return map[string]string{"status": "pending"}, nil
}

// getTenantTask answers GetSynchronizeTenantTask: pending, then the data.
func getTenantTask(w *world, c *call) (any, error) {
	t, err := c.tenantInPath(w)
	switch {
	case err != nil:
		return nil, err
	case t.TaskReadyAt == "":
		return nil, notFound("No synchronisation task was started for tenant %s.", t.ID)
	case timestamp(c.now) < t.TaskReadyAt:
		return map[string]string{"status": "pending"}, nil
	}
	return statusEnvelope{Status: "success", Data: c.tenantOperations(w, t).Data}, nil
}
