// Package sync is the declarative engine: it compares a desired state with the recorded upstream state, makes an
// ordered plan, and applies it.
//
// Data flows one way. A manifest becomes a [Desired]; the recorded upstream state is read through [Observed];
// [MakePlan] turns the two into a [Plan] or into [Faults], as a pure function: no clock, no network, no database.
// An [Engine] carries a plan out through a [Target] (the upstream) and keeps books in a [Store] (the state file).
//
// Words: desired is what the manifest asks for, observed is what upstream was last seen to hold, a plan is the
// ordered list of operations that turns one into the other, a run is one application of a plan.
//
// The package knows nothing of HTTP, gRPC, generated messages or bbolt; a test holds this. Where the standard
// package sync is needed too, this one is imported as bulksync.
package sync
