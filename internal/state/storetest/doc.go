// Package storetest is the test suite of the engine's Store: what every implementation must do. [Run] runs it over an
// implementation that the caller opens.
package storetest
