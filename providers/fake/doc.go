// Package fake is a driver without a backend: slow, failing, lying, crashing and flaky on demand. It serves tests and
// `sutler dev --with-fake`.
//
// It owns a make-believe backend, in memory or in a folder, that logins can be tried on and whose effects can be counted after the
// process was killed. It is no measure of what a real backend does.
package fake
