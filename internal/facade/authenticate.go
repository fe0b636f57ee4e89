package facade

import (
	"context"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// doorPatience is how long a caller at a door is kept waiting because Rainbow asked the service account to slow down;
// the engine waits longer. Rainbow's own clients wait 10 s after a 429 that says nothing (Rainbow Node SDK).
const doorPatience = 10 * time.Second

// Authenticate decides as whom a call goes on (the rules of docs/design.md, "Callers, credentials"):
//
//	call brings                        goes on as
//	------------------------------------------------------------------------------------------
//	any Rainbow credentials            the caller: its headers go upstream untouched
//	none, trusted, account configured  the service account, but never below /authentication/
//	none, otherwise                    nobody; upstream says what it thinks of that
//
// A local service acts as the service account, so it answers trusted callers without credentials only, unless it is
// public; one that wants to know its callers takes a token, which tells who they are and does nothing else (Identify). account tells whether a service account is configured.
func Authenticate(account bool) Policy {
	return func(ctx context.Context, call *Call, next Next) error {
		a := call.Arrival
		switch {
		case a == nil:
			call.Access = AccessSelf
			return next(ctx)
		case call.Operation.Local:
			return authenticateLocal(ctx, call, next)
		case a.Credentials:
			call.Access = AccessPassThrough
			return next(upstream.WithCaller(ctx, a.Caller))
		case account && a.Trusted && !call.Operation.NoAccount:
			call.Access = AccessAccount
			return next(upstream.WithPatience(ctx, doorPatience))
		}
		call.Access = AccessAnonymous
		return next(upstream.WithCaller(ctx, a.Caller))
	}
}

func authenticateLocal(ctx context.Context, call *Call, next Next) error {
	if err := localRefusal(call.Operation, call.Arrival); err != nil {
		return err
	}
	call.Access = AccessAccount
	if call.Operation.Public {
		call.Access = AccessAnonymous
	}
	return next(ctx)
}

// localRefusal is why a caller may not use a local service; nil when he may.
func localRefusal(op *Operation, a *Arrival) error {
	switch {
	case op.Public:
		return nil
	case a.Credentials && !(op.Identified && a.bearer()):
		return ErrOwnCredentials
	case a.Holder != nil && a.Holder.Lapsed:
		return a.Holder.lapsed()
	case !a.Trusted:
		return ErrNotTrusted
	}
	return nil
}
