package sandbox

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Time passes for subscriptions between calls: a synchronisation ends, a
// prepaid term is renewed or runs out. Nothing runs in the background: each
// request first settles what has become due, so that a test that moves its
// clock sees the change at once, and a kept world catches up when it is read.

// settle brings the world up to date before a request.
func (s *Sandbox) settle() error {
	now, due := s.options.Clock(), false
	if _, err := s.store.read(func(w *world) ([]byte, error) {
		due = w.hasDue(timestamp(now))
		return nil, nil
	}); err != nil || !due {
		return err
	}
	_, err := s.store.write(func(w *world) ([]byte, error) {
		w.settle(now)
		return nil, nil
	})
	return err
}

func (w *world) hasDue(now string) bool {
	for _, p := range w.subscriptions.rows {
		if p.synchronised(now) || p.expired(now) {
			return true
		}
	}
	return false
}

func (p *subscription) synchronised(now string) bool { return p.SyncOngoing && p.SyncUntil <= now }

func (p *subscription) expired(now string) bool {
	return p.Status == statusActive && p.ExpirationDate != "" && p.ExpirationDate <= now
}

// settle ends the synchronisations and terms that are over.
func (w *world) settle(now time.Time) {
	for _, p := range w.subscriptions.all() {
		if p.synchronised(timestamp(now)) {
			next := *p
			next.Status, next.SyncOngoing, next.SyncUntil = statusActive, false, ""
			w.subscriptions.put(&next)
			p = &next
		}
		for p.expired(timestamp(now)) {
			p = w.renew(p, now)
		}
	}
}

// renew starts the next term of an expired subscription, or terminates it, and
// answers what is left of it. The renewal options are those of
// UpdateSubscription.
func (w *world) renew(p *subscription, now time.Time) *subscription {
	o := w.offers.get(p.OfferID)
	ended, err := time.Parse(time.RFC3339, p.ExpirationDate)
	if err != nil || !o.IsPrepaid || (!p.AutoRenew && !p.AutoRenewOneTime && !p.AutoRenewToMonthly) {
		return w.endSubscription(p, now)
	}
	if p.AutoRenewToMonthly {
		return w.renewMonthly(p, now)
	}
	next := *p
	if p.AutoRenewOneTime {
		next.AutoRenew, next.AutoRenewOneTime = false, false
	}
	switch p.PrepaidRenewalOption {
	case "allocated":
		next.MaxNumberUsers = max(w.assigned(p), 1)
	case "volume":
		next.MaxNumberUsers = max(p.RenewalVolume, w.assigned(p))
	}
	term := cmp.Or(p.RenewalTerm, p.PrepaidDuration, o.PrepaidDuration)
	switch p.RenewalTermOption {
	case "1_year":
		term = 12
	case "initial":
		term = cmp.Or(p.PrepaidDuration, o.PrepaidDuration)
	}
	next.ExpirationDate = timestamp(ended.AddDate(0, term, 0))
	next.Addons = nil
	w.subscriptions.put(&next)
	return &next
}

// renewMonthly replaces a prepaid subscription by one to the monthly offer with
// the longest name that begins its own ("Voice Enterprise" for "Voice
// Enterprise 3-Year prepaid"), which takes over its users.
func (w *world) renewMonthly(p *subscription, now time.Time) *subscription {
	var next *offer
	for _, o := range w.offers.all() {
		fits := !o.IsPrepaid && o.isSellable() && strings.HasPrefix(w.offers.get(p.OfferID).Name, o.Name+" ")
		if fits && w.activeSubscriptionOf(p.CompanyID, o) == nil && (next == nil || len(o.Name) > len(next.Name)) {
			next = o
		}
	}
	if next == nil {
		return w.endSubscription(p, now)
	}
	monthly := &subscription{
		ID: w.newID(idSubscription), CompanyID: p.CompanyID, OfferID: next.ID, MaxNumberUsers: p.MaxNumberUsers,
		Status: statusActive, CreationDate: timestamp(now),
	}
	w.subscriptions.put(monthly)
	w.replaceLicences(p.ID, monthly.ID, now)
	return w.endSubscription(p, now)
}

// endSubscription terminates a subscription: its users lose it.
func (w *world) endSubscription(p *subscription, now time.Time) *subscription {
	w.replaceLicences(p.ID, "", now)
	next := *p
	next.Status, next.SyncOngoing, next.SyncUntil = statusTerminatedInBilling, false, ""
	w.subscriptions.put(&next)
	return &next
}

// replaceLicences gives the holders of one subscription another one, or none.
func (w *world) replaceLicences(from, to string, now time.Time) {
	if w.licenceCount[from] == 0 {
		return
	}
	for _, u := range w.users.all() {
		if !u.holds(from) {
			continue
		}
		next := *u
		next.Licences = slices.DeleteFunc(slices.Clone(u.Licences), func(l licence) bool { return l.SubscriptionID == from })
		if to != "" && !u.holds(to) {
			next.Licences = append(next.Licences, licence{SubscriptionID: to, AssignationDate: timestamp(now)})
		}
		w.putUser(&next, now)
	}
}
