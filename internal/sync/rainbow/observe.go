package rainbow

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	adminv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	rvcpprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// few is how many things are read one by one rather than by reading the whole list.
const few = 50

// observation is one reading of a whole company.
type observation struct {
	*Target
	company bulksync.Company
	plan    *rvcpprovisioningv1.NumberingPlan

	mu     sync.Mutex // held while keep runs
	keep   func(bulksync.Record) error
	logins map[string]bulksync.Login // by user id; complete before anything but users and licences is read
}

// Observe reads the whole state of a company and hands every record to put, from one goroutine at a time. Upstream has
// no snapshots: what changes meanwhile is seen before or after its change.
func (t *Target) Observe(ctx context.Context, company string, put func(bulksync.Record) error) (bulksync.Company, error) {
	o := &observation{Target: t, keep: put, logins: map[string]bulksync.Login{}}
	var err error
	if o.company, o.plan, err = t.company(ctx, company); err != nil {
		return bulksync.Company{}, fmt.Errorf("company %s: %w", company, err)
	}
	if err := o.readUsers(ctx); err != nil {
		return bulksync.Company{}, fmt.Errorf("company %s: %w", company, err)
	}
	if err := o.readThings(ctx); err != nil {
		return bulksync.Company{}, fmt.Errorf("company %s: %w", company, err)
	}
	return o.company, nil
}

func (o *observation) put(r bulksync.Record) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.keep(r)
}

func (o *observation) holder(userID string) bulksync.Login { return o.logins[userID] }

// readUsers reads users and licences.
func (o *observation) readUsers(ctx context.Context) error {
	var licences []*bulksync.Licence
	var plain []*bulksync.User // whose documents show no licences
	g, both := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		licences, err = o.licences(both, o.company.ID)
		return err
	})
	g.Go(func() error {
		return o.eachUser(both, o.company.ID, func(u *adminv1.User) error {
			r := o.userRecord(o.company.ID, u)
			if r == nil {
				return nil
			}
			o.company.Name = u.GetCompanyName()
			o.logins[r.ID] = r.Login
			if len(r.Licences) == 0 {
				plain = append(plain, r)
				return nil
			}
			return o.put(r)
		})
	})
	if err := g.Wait(); err != nil {
		return err
	}
	for _, l := range licences {
		if err := o.put(l); err != nil {
			return err
		}
	}
	if err := o.addLicences(ctx, o.company.ID, plain, licences); err != nil {
		return err
	}
	for _, u := range plain {
		if err := o.put(u); err != nil {
			return err
		}
	}
	return nil
}

// readThings reads what users hold, all lists side by side.
func (o *observation) readThings(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, p := range pbxs(o.company) {
		g.Go(func() error { return o.readNumbers(ctx, p) })
	}
	if cloud := o.company.CloudPbx; cloud != nil {
		g.Go(func() error {
			return o.eachDevice(ctx, cloud.ID, "", func(d *rvcpprovisioningv1.SipDevice) error {
				if r := deviceRecord(d, o.holder); r.Address != "" {
					return o.put(r)
				}
				return nil
			})
		})
		g.Go(func() error {
			return o.eachDDI(ctx, cloud.ID, "", func(d *rvcpprovisioningv1.Ddi) error {
				if r := ddiRecord(d, o.holder); r != nil {
					return o.put(r)
				}
				o.opts.Logger.Warn("public number left out: no E.164 form", "ddi", d.GetId())
				return nil
			})
		})
	}
	return g.Wait()
}

// readNumbers reads the numbers of a system; of a Cloud PBX also those that groups and devices hold.
func (o *observation) readNumbers(ctx context.Context, p pbx) error {
	taken := map[bulksync.Number]bool{}
	err := o.eachNumber(ctx, p.id, "", func(n *adminv1.SystemPhoneNumber) error {
		e := extension(p, n, o.holder)
		if e == nil || taken[e.Number] {
			return nil
		}
		taken[e.Number] = true
		return o.put(e)
	})
	if err != nil || !p.cloud {
		return err
	}
	for _, e := range allocated(p, o.plan) {
		if !taken[e.Number] {
			taken[e.Number] = true
			if err := o.put(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// each runs f for every item, some at the same time, and gives the first error.
func each[T any](ctx context.Context, parallel int, items []T, f func(context.Context, T) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for _, item := range items {
		g.Go(func() error { return f(ctx, item) })
	}
	return g.Wait()
}
