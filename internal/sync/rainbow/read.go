package rainbow

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	adminv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	rvcpprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// reading is one Read: the records asked for, as upstream shows them now.
type reading struct {
	*Target
	company  bulksync.Company
	observed bulksync.Observed

	mu     sync.Mutex // guards what is below
	found  map[bulksync.Key]bulksync.Record
	logins map[string]bulksync.Login // by user id
	// listed: logins has the users of the company, as upstream lists them or as they are recorded.
	listed bool
}

// Read reads the records with the given keys afresh. Few of a kind are read one by one, those that are not recorded by
// their natural key; many by the lists that Observe reads. What stands for the default DDI gives the DDI that is it.
func (t *Target) Read(ctx context.Context, company bulksync.Company, observed bulksync.Observed, keys []bulksync.Key) (map[bulksync.Key]bulksync.Record, error) {
	r := &reading{Target: t, company: company, observed: observed, found: map[bulksync.Key]bulksync.Record{}, logins: map[string]bulksync.Login{}}
	byKind := map[bulksync.Kind][]bulksync.Key{}
	for _, k := range keys {
		byKind[k.Kind] = append(byKind[k.Kind], k)
	}
	for _, kind := range []struct {
		kind bulksync.Kind
		read func(context.Context, []bulksync.Key) error
	}{
		{bulksync.KindUser, r.readUsers}, // first: the others name users
		{bulksync.KindExtension, r.readExtensions},
		{bulksync.KindDevice, r.readDevices},
		{bulksync.KindDDI, r.readDDIs},
		{bulksync.KindLicence, r.readLicences},
		{bulksync.KindOptions, r.readDetails},
		{bulksync.KindKeys, r.readDetails},
		{bulksync.KindSettings, r.readDetails},
	} {
		if wanted := byKind[kind.kind]; len(wanted) > 0 {
			if err := kind.read(ctx, wanted); err != nil {
				return nil, passing(err)
			}
		}
	}
	return r.found, nil
}

// many tells whether a list is cheaper than single reads; a page of a thousand things costs about thirty of those.
func (r *reading) many(kind bulksync.Kind, wanted int) bool {
	if wanted <= few {
		return false
	}
	return wanted > r.recorded(kind)*30/maxPage
}

// recorded counts the records of a kind.
func (r *reading) recorded(kind bulksync.Kind) int {
	if c, ok := r.observed.(interface{ Count(bulksync.Kind) int }); ok {
		return c.Count(kind)
	}
	n := 0
	for range r.observed.Records(kind) {
		n++
	}
	return n
}

// keep notes a record if it was asked for.
func (r *reading) keep(record bulksync.Record, wanted map[bulksync.Key]bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if k := record.Key(); wanted[k] {
		r.found[k] = record
	}
	if d, ok := record.(*bulksync.DDI); ok && d.Default && wanted[bulksync.DefaultDDIKey()] {
		r.found[bulksync.DefaultDDIKey()] = record
	}
}

func setOf(keys []bulksync.Key) map[bulksync.Key]bool {
	set := make(map[bulksync.Key]bool, len(keys))
	for _, k := range keys {
		set[k] = true
	}
	return set
}

func (r *reading) readUsers(ctx context.Context, keys []bulksync.Key) error {
	wanted := setOf(keys)
	var plain []*bulksync.User // whose documents show no licences
	take := func(u *adminv1.User) error {
		record := r.userRecord(r.company.ID, u)
		if record == nil {
			return nil
		}
		r.mu.Lock()
		r.logins[record.ID] = record.Login
		if len(record.Licences) == 0 && wanted[record.Key()] {
			plain = append(plain, record)
		}
		r.mu.Unlock()
		r.keep(record, wanted)
		return nil
	}
	var err error
	if r.many(bulksync.KindUser, len(keys)) {
		err = r.eachUser(ctx, r.company.ID, take)
		r.listed = err == nil // who holds a thing and is not listed is asked for by his id
	} else {
		err = each(ctx, r.opts.Parallel, keys, func(ctx context.Context, k bulksync.Key) error { return r.readUser(ctx, k, take) })
	}
	if err != nil || len(plain) == 0 {
		return err
	}
	var licences []*bulksync.Licence
	if len(plain) > few {
		if licences, err = r.licences(ctx, r.company.ID); err != nil {
			return err
		}
	}
	return r.addLicences(ctx, r.company.ID, plain, licences)
}

// readUser reads one user: by the recorded id if that still is his, else by his login.
func (r *reading) readUser(ctx context.Context, k bulksync.Key, take func(*adminv1.User) error) error {
	if old, ok := r.observed.Record(k).(*bulksync.User); ok && old.ID != "" {
		u, err := r.userByID(ctx, old.ID)
		if err != nil {
			return err
		}
		if now := r.userRecord(r.company.ID, u); now != nil && now.Key() == k {
			return take(u)
		}
	}
	login := bulksync.Login(k.ID)
	found, err := r.usersByLogin(ctx, r.company.ID, []bulksync.Login{login})
	if u := found[login]; err == nil && u != nil {
		return take(u)
	}
	return err
}

// holder finds the login of a user of the company: among those just read, those recorded, and at last upstream.
func (r *reading) holder(ctx context.Context, failed *error) holders {
	return func(userID string) bulksync.Login {
		if userID == "" {
			return ""
		}
		r.mu.Lock()
		login, known := r.logins[userID]
		r.mu.Unlock()
		if known {
			return login
		}
		u, err := r.userByID(ctx, userID)
		if err != nil {
			*failed = err
			return ""
		}
		if record := r.userRecord(r.company.ID, u); record != nil {
			login = record.Login
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.logins[userID] = login
		return login
	}
}

// recall fills in the logins of recorded holders, so that these need no requests: of all users when the records are read by
// lists, which it tells, else of those who hold the records asked for.
func (r *reading) recall(kind bulksync.Kind, keys []bulksync.Key) (many bool) {
	if r.many(kind, len(keys)) {
		if r.listed {
			return true
		}
		for record := range r.observed.Records(bulksync.KindUser) {
			u := record.(*bulksync.User)
			r.remember(u.ID, u.Login)
		}
		r.listed = true
		return true
	}
	for _, k := range keys {
		switch old := r.observed.Record(k).(type) {
		case *bulksync.Extension:
			r.remember(old.HolderID, old.Holder)
		case *bulksync.Device:
			r.remember(old.HolderID, old.Holder)
		case *bulksync.DDI:
			r.remember(old.HolderID, old.Holder)
		}
	}
	return false
}

// remember notes the login of a user unless a fresher one is known.
func (r *reading) remember(userID string, login bulksync.Login) {
	if _, known := r.logins[userID]; !known && userID != "" {
		r.logins[userID] = login
	}
}

func (r *reading) readExtensions(ctx context.Context, keys []bulksync.Key) error {
	bulk := r.recall(bulksync.KindExtension, keys)
	for _, p := range pbxs(r.company) {
		own := slices.DeleteFunc(slices.Clone(keys), func(k bulksync.Key) bool { return !strings.HasPrefix(k.ID, p.pbxID+"/") })
		if len(own) == 0 {
			continue
		}
		read := r.readNumbers
		if bulk {
			read = r.readAllNumbers
		}
		if err := read(ctx, p, own); err != nil {
			return err
		}
		if p.cloud {
			if err := r.readAllocated(ctx, p, own); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *reading) readAllNumbers(ctx context.Context, p pbx, keys []bulksync.Key) (err error) {
	wanted := setOf(keys)
	listed := r.eachNumber(ctx, p.id, "", func(n *adminv1.SystemPhoneNumber) error {
		if e := extension(p, n, nobody); e != nil && wanted[e.Key()] {
			e.Holder = r.holder(ctx, &err)(e.HolderID)
			r.keep(e, wanted)
		}
		return err
	})
	return listed
}

// nobody names no holder.
func nobody(string) bulksync.Login { return "" }

func (r *reading) readNumbers(ctx context.Context, p pbx, keys []bulksync.Key) error {
	wanted := setOf(keys)
	return each(ctx, r.opts.Parallel, keys, func(ctx context.Context, k bulksync.Key) (err error) {
		number := bulksync.Number(strings.TrimPrefix(k.ID, p.pbxID+"/"))
		if old, ok := r.observed.Record(k).(*bulksync.Extension); ok && old.ID != "" {
			n, err := r.numberByID(ctx, p.id, old.ID)
			if err != nil {
				return err
			}
			if n != nil && n.GetShortNumber() == string(number) {
				r.keep(extension(p, n, r.holder(ctx, &err)), wanted)
				return err
			}
		}
		n, err := r.numberByName(ctx, p.id, number)
		if err == nil && n != nil {
			r.keep(extension(p, n, r.holder(ctx, &err)), wanted)
		}
		return err
	})
}

// readAllocated finds the keys that are numbers of groups and devices.
func (r *reading) readAllocated(ctx context.Context, p pbx, keys []bulksync.Key) error {
	left := setOf(keys)
	maps.DeleteFunc(left, func(k bulksync.Key, _ bool) bool { return r.found[k] != nil })
	if len(left) == 0 {
		return nil
	}
	plan, err := r.numberingPlan(ctx, p.id)
	if err != nil {
		return err
	}
	for _, e := range allocated(p, plan) {
		r.keep(e, left)
	}
	return nil
}

// numberByID reads a number of a system; nil when there is none.
func (t *Target) numberByID(ctx context.Context, systemID, id string) (*adminv1.SystemPhoneNumber, error) {
	resp, err := t.numbers.GetSystemPhoneNumber(ctx, &adminv1.GetSystemPhoneNumberRequest{SystemId: systemID, PhoneNumberId: id})
	if missing(err) {
		return nil, nil
	}
	return resp.GetData(), err
}

// numberByName finds a number of a system by its extension; nil when there is none.
func (t *Target) numberByName(ctx context.Context, systemID string, number bulksync.Number) (found *adminv1.SystemPhoneNumber, err error) {
	err = t.eachNumber(ctx, systemID, string(number), func(n *adminv1.SystemPhoneNumber) error {
		if n.GetShortNumber() == string(number) {
			found = n
		}
		return nil
	})
	return found, err
}

func (r *reading) readDevices(ctx context.Context, keys []bulksync.Key) error {
	cloud := r.company.CloudPbx
	if cloud == nil {
		return nil
	}
	wanted := setOf(keys)
	if r.recall(bulksync.KindDevice, keys) {
		var err error
		return r.eachDevice(ctx, cloud.ID, "", func(d *rvcpprovisioningv1.SipDevice) error {
			if record := deviceRecord(d, nobody); wanted[record.Key()] {
				record.Holder = r.holder(ctx, &err)(record.HolderID)
				r.keep(record, wanted)
			}
			return err
		})
	}
	return each(ctx, r.opts.Parallel, keys, func(ctx context.Context, k bulksync.Key) error {
		id := strings.TrimPrefix(k.ID, "id:")
		if old, ok := r.observed.Record(k).(*bulksync.Device); ok && old.ID != "" {
			id = old.ID
		}
		d, err := r.device(ctx, cloud.ID, id, bulksync.DeviceKey(k.ID))
		if err == nil && d != nil {
			r.keep(deviceRecord(d, r.holder(ctx, &err)), wanted)
		}
		return err
	})
}

// device reads a SIP device by its id if that still is the device of the key, else by the key; nil when there is none.
func (t *Target) device(ctx context.Context, systemID, id string, key bulksync.DeviceKey) (found *rvcpprovisioningv1.SipDevice, err error) {
	if id != "" && id != string(key) {
		resp, err := t.devices.GetSipDevice(ctx, &rvcpprovisioningv1.GetSipDeviceRequest{SystemId: systemID, DeviceId: id})
		if err != nil && !missing(err) {
			return nil, err
		}
		if d := resp.GetData(); err == nil && deviceKey(d.GetMacAddress(), d.GetIpei(), d.GetId()) == key {
			return d, nil
		}
	}
	if strings.HasPrefix(string(key), "id:") {
		return nil, nil
	}
	err = t.eachDevice(ctx, systemID, strings.TrimPrefix(string(key), "ipei:"), func(d *rvcpprovisioningv1.SipDevice) error {
		if deviceKey(d.GetMacAddress(), d.GetIpei(), d.GetId()) == key {
			found = d
		}
		return nil
	})
	return found, err
}

func (r *reading) readLicences(ctx context.Context, keys []bulksync.Key) error {
	all, err := r.licences(ctx, r.company.ID)
	for _, l := range all {
		r.keep(l, setOf(keys))
	}
	return err
}
