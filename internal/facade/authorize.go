package facade

import "context"

// Authorize lets permit refuse a call after Authenticate has decided as whom it goes on. permit returns nil or a
// gRPC status; it is not asked for the engine's own calls nor for public services.
func Authorize(permit func(ctx context.Context, call *Call) error) Policy {
	return func(ctx context.Context, call *Call, next Next) error {
		if call.Arrival != nil && !call.Operation.Public {
			if err := permit(ctx, call); err != nil {
				return err
			}
		}
		return next(ctx)
	}
}
