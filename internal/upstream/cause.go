package upstream

import (
	"errors"
	"net"
)

// Cause says why a connection failed, for callers: without addresses and ports of this machine, of a resolver or of a proxy,
// which are no business of theirs and differ with every call. The name that was looked up stays.
func Cause(err error) string {
	var (
		ours   *callError
		lookup *net.DNSError
		op     *net.OpError
	)
	switch {
	case errors.As(err, &ours): // says it so already
		return err.Error()
	case errors.As(err, &lookup):
		return "lookup " + lookup.Name + ": " + lookup.Err
	case errors.As(err, &op) && op.Err != nil:
		return op.Op + ": " + Cause(op.Err)
	}
	return err.Error()
}
