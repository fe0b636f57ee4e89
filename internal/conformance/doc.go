// Package conformance proves the façade as a whole: a running gateway with both doors, called as its users call it.
//
// It holds tests only. Every operation of the catalogue (testdata/spec) is called over REST, by a client that knows
// nothing but HTTP, and over gRPC, by messages made from the descriptors: over a stub that replays the documented
// examples (replay_test.go), over the embedded Rainbow (walk_test.go), and with drawn documents (lossfree_test.go).
// clients_test.go does on the wire what Rainbow's Node SDK and command line do.
package conformance
