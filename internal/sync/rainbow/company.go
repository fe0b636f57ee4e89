package rainbow

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	adminv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	rvcpprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// cloudType is the type of a system that is a Cloud PBX.
const cloudType = "cloud_pbx"

// company reads what belongs to the company as such: its PBXs, and the numbering plan of its Cloud PBX, nil without one.
func (t *Target) company(ctx context.Context, id string) (bulksync.Company, *rvcpprovisioningv1.NumberingPlan, error) {
	c := bulksync.Company{ID: id}
	if account, err := bulksync.ParseLogin(t.opts.Account); err == nil {
		c.Account = account
	}
	cloud, err := t.cloudPbx(ctx, id)
	if err != nil {
		return bulksync.Company{}, nil, err
	}
	if c.Systems, err = t.equippedPbxs(ctx, id, cloud); err != nil || cloud == nil {
		return c, nil, err
	}
	c.CloudPbx = &bulksync.CloudPbx{ID: cloud.GetId(), PbxID: cloud.GetPbxId(), Name: cloud.GetName()}
	plan, err := t.numberingPlan(ctx, cloud.GetId())
	if err != nil {
		return bulksync.Company{}, nil, err
	}
	for _, r := range plan.GetRanges() {
		c.CloudPbx.Ranges = append(c.CloudPbx.Ranges, bulksync.Range{First: bulksync.Number(r.GetFirst()), Last: bulksync.Number(r.GetLast())})
	}
	c.CloudPbx.Groups = groupIDs(plan)
	if c.CloudPbx.Barring, err = t.barringChoices(ctx, cloud.GetId()); err != nil {
		return bulksync.Company{}, nil, err
	}
	if c.DeviceModels, err = t.deviceModels(ctx, cloud.GetId()); err != nil {
		return bulksync.Company{}, nil, err
	}
	return c, plan, nil
}

// cloudPbx finds the company's Cloud PBX, or nil.
func (t *Target) cloudPbx(ctx context.Context, company string) (*rvcpprovisioningv1.CloudPbx, error) {
	var found *rvcpprovisioningv1.CloudPbx
	err := newList(t, "Cloud PBXs", (*rvcpprovisioningv1.CloudPbx).GetId, func(ctx context.Context, offset, limit int32) ([]*rvcpprovisioningv1.CloudPbx, int32, error) {
		resp, err := t.cloudPbxs.ListCloudPbxs(ctx, &rvcpprovisioningv1.ListCloudPbxsRequest{CompanyId: &company, Limit: &limit, Offset: &offset})
		return resp.GetData(), resp.GetTotal(), err
	}, func(pbx *rvcpprovisioningv1.CloudPbx) error {
		if owner := pbx.GetCompanyId(); found == nil && (owner == "" || owner == company) {
			found = pbx
		}
		return nil
	}).read(ctx)
	return found, err
}

// equippedPbxs lists the company's systems but the Cloud PBX, which the admin portal lists too, ordered by pbxId.
func (t *Target) equippedPbxs(ctx context.Context, company string, cloud *rvcpprovisioningv1.CloudPbx) ([]bulksync.System, error) {
	format := full
	var systems []bulksync.System
	err := newList(t, "systems", (*adminv1.System).GetId, func(ctx context.Context, offset, limit int32) ([]*adminv1.System, int32, error) {
		resp, err := t.systems.ListSystems(ctx, &adminv1.ListSystemsRequest{CompanyId: &company, Format: &format, Limit: &limit, Offset: &offset})
		return resp.GetData(), resp.GetTotal(), err
	}, func(s *adminv1.System) error {
		if s.GetType() != cloudType && s.GetId() != cloud.GetId() {
			systems = append(systems, bulksync.System{ID: s.GetId(), PbxID: s.GetPbxId(), Name: s.GetName()})
		}
		return nil
	}).read(ctx)
	slices.SortFunc(systems, func(a, b bulksync.System) int {
		return cmp.Or(strings.Compare(a.PbxID, b.PbxID), strings.Compare(a.ID, b.ID))
	})
	return systems, err
}

func (t *Target) numberingPlan(ctx context.Context, systemID string) (*rvcpprovisioningv1.NumberingPlan, error) {
	resp, err := t.cloudPbxs.GetCloudPbxNumberingPlan(ctx, &rvcpprovisioningv1.GetCloudPbxNumberingPlanRequest{SystemId: systemID})
	return resp.GetData(), err
}

// groupIDs lists the groups that have numbers, which are all that upstream lists; nil when it says nothing of numbers.
func groupIDs(plan *rvcpprovisioningv1.NumberingPlan) []string {
	if plan.GetAllocatedNumbers() == nil {
		return nil
	}
	all := []string{}
	for _, g := range plan.GetAllocatedNumbers().GetGroups() {
		if id := g.GetRvcpGroupId(); id != "" {
			all = append(all, id)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// barringChoices reads what traffic barring can be set to; nil when the account may not read it, or upstream lists nothing.
func (t *Target) barringChoices(ctx context.Context, systemID string) (*bulksync.BarringChoices, error) {
	resp, err := t.cloudPbxs.GetCloudPbxBarringOptions(ctx, &rvcpprovisioningv1.GetCloudPbxBarringOptionsRequest{SystemId: systemID})
	if status := judge(err).status; err != nil && (status == http.StatusNotFound || status == http.StatusForbidden) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all bulksync.BarringChoices
	for _, c := range resp.GetData().GetPermissions() {
		all.Permissions = append(all.Permissions, c.GetId())
	}
	for _, c := range resp.GetData().GetRestrictions() {
		all.Restrictions = append(all.Restrictions, c.GetId())
	}
	if len(all.Permissions)+len(all.Restrictions) == 0 {
		return nil, nil
	}
	return &all, nil
}

// newList makes a list with the target's page size and parallelism.
func newList[T any](t *Target, what string, id func(T) string, fetch func(context.Context, int32, int32) ([]T, int32, error), take func(T) error) list[T] {
	return list[T]{what: what, id: id, fetch: fetch, take: take, page: t.opts.PageSize, parallel: t.opts.Parallel, log: t.opts.Logger}
}
