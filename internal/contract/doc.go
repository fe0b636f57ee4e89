// Package contract holds the suite that compares a Rainbow with its
// documentation: each documented request is replayed, and the shape of each
// answer (members and their JSON kinds) is compared with the documented one.
//
// Without further ado the Rainbow is the sandbox, and the suite is part of the
// tests. With GATEWAY_CONTRACT_UPSTREAM and the credentials of a service
// account it is that Rainbow, which is only read unless GATEWAY_CONTRACT_WRITE
// is 1. docs/contract.md tells how, and what the suite never does. The suite
// speaks plain HTTP and knows neither the gateway nor the sandbox's code.
package contract
