package sandboxtest

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

// Option changes what Start and New begin with. Without any, a server has 20
// seeded users and keeps nothing.
type Option struct {
	apply func(*sandbox.Options) error
}

// set makes an option that cannot go wrong.
func set(apply func(*sandbox.Options)) Option {
	return Option{func(o *sandbox.Options) error { apply(o); return nil }}
}

// SeedUsers sets the number of seeded users of the contract company, 0 to
// 1,000,000; 100,000 take about two seconds. The same number gives the same
// world on every machine and day.
func SeedUsers(n int) Option {
	return Option{func(o *sandbox.Options) error {
		if n < 0 || n > 1_000_000 {
			return fmt.Errorf("%d seeded users: 0 to 1,000,000 are possible", n)
		}
		o.SeedUsers = n
		if n == 0 {
			o.SeedUsers = -1 // 0 stands for the default there
		}
		return nil
	}}
}

// TokenLifetime sets how long a token lives; 20 minutes without it.
func TokenLifetime(d time.Duration) Option {
	return set(func(o *sandbox.Options) { o.TokenLifetime = d })
}

// TokenRenewals sets how often a token can be renewed; 5 without it.
func TokenRenewals(n int) Option {
	return set(func(o *sandbox.Options) { o.TokenRenewals = n })
}

// ImportDelay sets how long an import stays Pending before its first row; 0
// without it.
func ImportDelay(d time.Duration) Option {
	return set(func(o *sandbox.Options) { o.ImportDelay = d })
}

// ImportRowDelay sets the pause after each row of an import; 0 without it.
func ImportRowDelay(d time.Duration) Option {
	return set(func(o *sandbox.Options) { o.ImportRowDelay = d })
}

// OrderDelay sets how long a bought or changed subscription synchronises;
// without it that ends with the next request.
func OrderDelay(d time.Duration) Option {
	return set(func(o *sandbox.Options) { o.OrderDelay = d })
}

// KeptIn keeps the world in a file, across servers. The file holds secrets of
// the world and belongs to one server at a time.
func KeptIn(file string) Option {
	return set(func(o *sandbox.Options) { o.DataFile = file })
}

// Clock sets the time that the server goes by, for tokens, locks and terms.
func Clock(now func() time.Time) Option {
	return set(func(o *sandbox.Options) { o.Clock = now })
}

// Logger gets the life of the server, never a secret; silence without it.
func Logger(log *slog.Logger) Option {
	return set(func(o *sandbox.Options) { o.Logger = log })
}

// Faults are in force from the start.
func Faults(faults ...Fault) Option {
	return Option{func(o *sandbox.Options) (err error) {
		o.Faults, err = translate(faults)
		return err
	}}
}

// FaultSeed chooses among the reproducible courses that faults with a
// probability take.
func FaultSeed(seed uint64) Option {
	return set(func(o *sandbox.Options) { o.FaultSeed = seed })
}
