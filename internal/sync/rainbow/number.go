package rainbow

import (
	"cmp"
	"context"
	"strings"

	adminv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	rvcpprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// holders gives the login of a user of the company by his id, or an empty one.
type holders func(userID string) bulksync.Login

// pbx is a system whose numbers are read.
type pbx struct {
	id, pbxID string
	cloud     bool
}

// pbxs lists the company's systems, the Cloud PBX first.
func pbxs(c bulksync.Company) []pbx {
	var all []pbx
	if c.CloudPbx != nil {
		all = append(all, pbx{c.CloudPbx.ID, c.CloudPbx.PbxID, true})
	}
	for _, s := range c.Systems {
		all = append(all, pbx{s.ID, s.PbxID, false})
	}
	return all
}

// extension makes the record of a number of a system; nil for one without an extension.
func extension(p pbx, n *adminv1.SystemPhoneNumber, holder holders) *bulksync.Extension {
	number, err := bulksync.ParseNumber(n.GetShortNumber())
	if err != nil {
		return nil
	}
	e := &bulksync.Extension{
		ID: n.GetId(), SystemID: p.id, PbxID: p.pbxID, Number: number, Role: bulksync.RolePairing,
		Holder: holder(n.GetUserId()), HolderID: n.GetUserId(),
	}
	switch {
	case !p.cloud:
		e.InternalNumber, e.PublicNumber = n.GetInternalNumber(), cmp.Or(n.GetNumber(), n.GetNumberE164())
	case n.GetUserId() != "":
		e.Role = bulksync.RoleSubscriber
	default:
		e.Role, e.Label = bulksync.RoleDevice, "a number without a user"
	}
	return e
}

// allocated makes records of the Cloud PBX numbers that groups and devices hold.
func allocated(p pbx, plan *rvcpprovisioningv1.NumberingPlan) []*bulksync.Extension {
	var all []*bulksync.Extension
	add := func(shortNumber string, role bulksync.ExtensionRole, label ...string) {
		if n, err := bulksync.ParseNumber(shortNumber); err == nil {
			all = append(all, &bulksync.Extension{SystemID: p.id, PbxID: p.pbxID, Number: n, Role: role, Label: words(label...)})
		}
	}
	for _, g := range plan.GetAllocatedNumbers().GetGroups() {
		kind := strings.ReplaceAll(g.GetType(), "_", " ")
		add(g.GetShortNumber(), bulksync.RoleGroup, cmp.Or(kind, "group"), cmp.Or(g.GetGroupName(), g.GetRvcpGroupId()))
	}
	for _, d := range plan.GetAllocatedNumbers().GetDevices() {
		label := []string{"device", deviceKey(d.GetMacAddress(), "", "").String()}
		if name := d.GetUserDisplayName(); name != "" {
			label = append(label, "of", name)
		}
		add(d.GetShortNumber(), bulksync.RoleDevice, label...)
	}
	return all
}

func words(all ...string) string { return strings.Join(strings.Fields(strings.Join(all, " ")), " ") }

// eachNumber reads the numbers of a system, in full; start, if given, is how the short numbers begin.
func (t *Target) eachNumber(ctx context.Context, systemID, start string, take func(*adminv1.SystemPhoneNumber) error) error {
	format, field, ascending := full, "shortNumber", int32(1)
	return newList(t, "phone numbers of a system", (*adminv1.SystemPhoneNumber).GetId, func(ctx context.Context, offset, limit int32) ([]*adminv1.SystemPhoneNumber, int32, error) {
		req := &adminv1.ListSystemPhoneNumbersRequest{SystemId: systemID, Format: &format, Limit: &limit, Offset: &offset, SortField: &field, SortOrder: &ascending}
		if start != "" {
			req.ShortNumber = &start
		}
		resp, err := t.numbers.ListSystemPhoneNumbers(ctx, req)
		return resp.GetData(), resp.GetTotal(), err
	}, take).read(ctx)
}

// deviceKey names a device by MAC address, else IPEI, else its id.
func deviceKey(mac, ipei, id string) bulksync.DeviceKey {
	if k, err := bulksync.ParseMAC(mac); err == nil {
		return k
	}
	if ipei = strings.ToLower(strings.TrimSpace(ipei)); ipei != "" {
		return bulksync.DeviceKey("ipei:" + ipei)
	}
	if id == "" {
		return ""
	}
	return bulksync.DeviceKey("id:" + id)
}

// deviceRecord makes the record of a SIP device; its credentials are dropped.
func deviceRecord(d *rvcpprovisioningv1.SipDevice, holder holders) *bulksync.Device {
	return &bulksync.Device{
		ID: d.GetId(), Address: deviceKey(d.GetMacAddress(), d.GetIpei(), d.GetId()), Model: d.GetDeviceType().GetModel(),
		Description: d.GetDescription(), Modules: modulesOf(d), Holder: holder(d.GetUserId()), HolderID: d.GetUserId(), SubscriberID: d.GetPhoneNumberId(),
	}
}

// allCategories asks for DECT handsets too, which ListSipDevices hides unless asked.
const allCategories = "deskphone,uncategorized,dectmobile"

// eachDevice reads the SIP devices of a Cloud PBX; address, if given, is a MAC address or IPEI.
func (t *Target) eachDevice(ctx context.Context, systemID, address string, take func(*rvcpprovisioningv1.SipDevice) error) error {
	category := allCategories
	return newList(t, "SIP devices", (*rvcpprovisioningv1.SipDevice).GetId, func(ctx context.Context, offset, limit int32) ([]*rvcpprovisioningv1.SipDevice, int32, error) {
		req := &rvcpprovisioningv1.ListSipDevicesRequest{SystemId: systemID, Category: &category, Limit: &limit, Offset: &offset}
		if address != "" {
			req.MacAddress = &address
		}
		resp, err := t.devices.ListSipDevices(ctx, req)
		return resp.GetData(), resp.GetTotal(), err
	}, take).read(ctx)
}

// ddiRecord makes the record of a public number; nil for one without an E.164 form.
func ddiRecord(d *rvcpprovisioningv1.Ddi, holder holders) *bulksync.DDI {
	number, err := bulksync.ParseE164(d.GetNumberE164())
	if err != nil {
		return nil
	}
	r := &bulksync.DDI{ID: d.GetId(), Number: number, Holder: holder(d.GetUserId()), HolderID: d.GetUserId(), Default: d.GetIsCloudPbxDefault()}
	switch {
	case d.GetRvcpGroupId() != "":
		r.Label = "group " + d.GetRvcpGroupId()
	case d.GetRvcpIvrId() != "":
		r.Label = "ivr " + d.GetRvcpIvrId()
	case d.GetRvcpAutoAttendantId() != "":
		r.Label = "auto attendant " + d.GetRvcpAutoAttendantId()
	}
	return r
}

// eachDDI reads the public numbers of a Cloud PBX; start, if given, is how the E.164 numbers begin.
func (t *Target) eachDDI(ctx context.Context, systemID, start string, take func(*rvcpprovisioningv1.Ddi) error) error {
	return newList(t, "public numbers", (*rvcpprovisioningv1.Ddi).GetId, func(ctx context.Context, offset, limit int32) ([]*rvcpprovisioningv1.Ddi, int32, error) {
		req := &rvcpprovisioningv1.ListDdisRequest{SystemId: systemID, Limit: &limit, Offset: &offset}
		if start != "" {
			req.NumberE164StartWith = &start
		}
		resp, err := t.ddis.ListDdis(ctx, req)
		return resp.GetData(), resp.GetTotal(), err
	}, take).read(ctx)
}
