// Package providertest is the suite that every driver passes: checks as data, run by `go test`, by `sutler provider certify`, and by
// its own tests against drivers broken on purpose.
//
// It owns what a driver must do (DESIGN: the socket). It does not own how to reach a backend: a Harness per driver says that.
package providertest
