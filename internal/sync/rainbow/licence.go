package rainbow

import (
	"cmp"
	"context"

	subscriptionv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/subscription/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// licences reads the company's subscriptions. Whether an offer is exclusive is only said in the catalogue of offers.
func (t *Target) licences(ctx context.Context, company string) ([]*bulksync.Licence, error) {
	format := full
	offers := map[string]*subscriptionv1.Offer{}
	err := newList(t, "offers", (*subscriptionv1.Offer).GetId, func(ctx context.Context, offset, limit int32) ([]*subscriptionv1.Offer, int32, error) {
		resp, err := t.offers.ListOffers(ctx, &subscriptionv1.ListOffersRequest{CompanyId: company, Format: &format, Limit: &limit, Offset: &offset})
		return resp.GetData(), resp.GetTotal(), err
	}, func(o *subscriptionv1.Offer) error {
		offers[o.GetId()] = o
		return nil
	}).read(ctx)
	if err != nil {
		return nil, err
	}
	resp, err := t.subscriptions.ListSubscriptions(ctx, &subscriptionv1.ListSubscriptionsRequest{CompanyId: company, Format: &format})
	if err != nil {
		return nil, err
	}
	var all []*bulksync.Licence
	for _, s := range resp.GetData() {
		all = append(all, licence(s, offers[s.GetOfferId()]))
	}
	return all, nil
}

// licence makes the record of a subscription; offer may be nil, for one that is no longer in the catalogue.
func licence(s *subscriptionv1.Subscription, offer *subscriptionv1.Offer) *bulksync.Licence {
	l := &bulksync.Licence{
		ID: s.GetId(), OfferID: s.GetOfferId(), Offer: bulksync.Offer(cmp.Or(s.GetOfferName(), offer.GetName())),
		Max: -1, Assigned: int(cmp.Or(s.GetNumberAssignedUsers(), s.GetNbLicencesUsed())),
		Status: s.GetStatus(), Syncing: s.GetSyncOngoing(), Default: s.GetIsDefault(), Exclusive: offer.GetIsExclusive(),
	}
	if s.MaxNumberUsers != nil {
		l.Max = int(s.GetMaxNumberUsers())
	}
	return l
}
