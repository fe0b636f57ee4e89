package sync

import "testing"

// cases counts what a property met: how many drawn cases had something to show, such as a plan that does something.
// tools/prove adds up what it logs, and draws until there are enough of them.
type cases struct{ met int }

func (c *cases) log(t *testing.T) {
	t.Helper()
	t.Logf("cases met: %d", c.met)
}
