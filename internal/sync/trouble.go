package sync

import (
	"errors"
	"fmt"
	"time"
)

// TroubleKind says what keeps upstream from taking calls.
type TroubleKind string

// The kinds of trouble. All of them pass by themselves; what does not (no account, a refused login) is an ordinary error.
const (
	// Throttled: too many calls (429). Nothing was done.
	Throttled TroubleKind = "throttled"
	// Busy: upstream is away and says for how long (503 with Retry-After). Nothing was done.
	Busy TroubleKind = "busy"
	// Down: no connection, a broken one, or a 5xx. Whether anything was done is told where the trouble is: nothing when it
	// is the error of a call, unknown when it is that of an outcome.
	Down TroubleKind = "down"
)

// Trouble is why upstream did not take a call, when that is no fault of the call and passes. A Target gives it as an error
// of Apply, Confirm, Read or Probe, or as what made the outcome of a step unknown.
type Trouble struct {
	Kind TroubleKind
	// After is how long upstream asks to be left alone; 0 when it does not say.
	After time.Duration
	Cause error
}

func (t *Trouble) Error() string {
	if t.Cause == nil {
		return fmt.Sprintf("upstream is %s", t.Kind)
	}
	return t.Cause.Error()
}

func (t *Trouble) Unwrap() error { return t.Cause }

// troubleOf gives the trouble in an error; nil when waiting would not help.
func troubleOf(err error) *Trouble {
	var t *Trouble
	errors.As(err, &t)
	return t
}
