package rainbow

import (
	"context"
	"slices"

	rvcpprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

func (r *reading) readDDIs(ctx context.Context, keys []bulksync.Key) error {
	cloud := r.company.CloudPbx
	if cloud == nil {
		return nil
	}
	wanted := setOf(keys)
	standard := bulksync.DefaultDDIKey()
	if wanted[standard] {
		keys = r.withDefault(keys)
	}
	if r.recall(bulksync.KindDDI, keys) {
		return r.readAllDDIs(ctx, cloud.ID, wanted)
	}
	err := each(ctx, r.opts.Parallel, keys, func(ctx context.Context, k bulksync.Key) error {
		d, err := r.ddi(ctx, cloud.ID, bulksync.E164(k.ID))
		if err == nil && d != nil {
			r.keep(ddiRecord(d, r.holder(ctx, &err)), wanted)
		}
		return err
	})
	if err != nil || !wanted[standard] || r.found[standard] != nil {
		return err
	}
	return r.readAllDDIs(ctx, cloud.ID, map[bulksync.Key]bool{standard: true})
}

// readAllDDIs takes what is wanted from the list of all public numbers.
func (r *reading) readAllDDIs(ctx context.Context, systemID string, wanted map[bulksync.Key]bool) error {
	var err error
	return r.eachDDI(ctx, systemID, "", func(d *rvcpprovisioningv1.Ddi) error {
		record := ddiRecord(d, nobody)
		if record == nil || !wanted[record.Key()] && !(record.Default && wanted[bulksync.DefaultDDIKey()]) {
			return nil
		}
		record.Holder = r.holder(ctx, &err)(record.HolderID)
		r.keep(record, wanted)
		return err
	})
}

// withDefault puts the DDI that is recorded as the default one in the place of the key that stands for it: in most cases it
// still is, and no list of all need be read.
func (r *reading) withDefault(keys []bulksync.Key) []bulksync.Key {
	keys = slices.DeleteFunc(slices.Clone(keys), func(k bulksync.Key) bool { return k == bulksync.DefaultDDIKey() })
	for record := range r.observed.Records(bulksync.KindDDI) {
		if k := record.Key(); record.(*bulksync.DDI).Default && !slices.Contains(keys, k) {
			return append(keys, k)
		}
	}
	return keys
}

// ddi finds a public number; nil when there is none.
func (t *Target) ddi(ctx context.Context, systemID string, number bulksync.E164) (found *rvcpprovisioningv1.Ddi, err error) {
	err = t.eachDDI(ctx, systemID, string(number), func(d *rvcpprovisioningv1.Ddi) error {
		if n, err := bulksync.ParseE164(d.GetNumberE164()); err == nil && n == number {
			found = d
		}
		return nil
	})
	return found, err
}
