// Package providers is the socket between the market and backends: the Driver contract, its optional capabilities, and the
// Provider that wraps a driver with deadlines, classed errors, a breaker and logging.
//
// It owns how a driver is called. It does not own what is kept about instances (broker), which drivers exist (cmd lists them), or
// what they sell for (catalog, billing).
package providers
