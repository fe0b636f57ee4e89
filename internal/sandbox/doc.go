// Package sandbox is the embedded Rainbow: a stateful HTTP server that speaks
// the REST portals the gateway uses (authentication, admin, subscription, invoicing,
// rvcpprovisioning, massprovisioning) and obeys their documented rules and
// error codes. It is the default upstream of a fresh checkout, the test double
// of the other packages and the demo. It knows nothing of the gateway's protos
// and codec: a request that fits only our own idea of Rainbow fails here.
//
// New makes a sandbox from Options, Handler serves it, Close ends it; tests
// start one in a line with sandboxtest.Start. docs/sandbox.md tells the world
// it is seeded with, its rules and their sources, and what is left out.
//
// All methods of Sandbox may be used from many goroutines. One type, store,
// owns the lock over the world; handlers run inside it.
package sandbox
