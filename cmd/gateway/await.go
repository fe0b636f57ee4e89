package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/state"
)

// awaitState opens the state file, once the process that holds it has ended. A gateway that serves is not waited for: it goes on,
// and can be talked to.
func (f *engineFlags) awaitState(ctx context.Context, t *terminal) (*state.Store, error) {
	over := time.Now().Add(f.lockWait)
	for told := false; ; {
		store, err := openState(f.Engine)
		var locked *state.LockedError
		if !errors.As(err, &locked) || locked.Holder != nil && locked.Holder.Address != "" || !time.Now().Before(over) {
			return store, err
		}
		if !told {
			fmt.Fprintf(t.stderr, "gateway: waiting: %s\n", strings.TrimSuffix(err.Error(), "; try again when it has ended"))
			told = true
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(10 * time.Millisecond): // opening has waited for a second
		}
	}
}
