// Package latency measures how far a backend is: time to connect and to the first answer of its protocol.
package latency

// Target is what to measure: a network address and the protocol whose first answer counts.
type Target struct {
	Address  string // host:port
	Protocol string // "tcp", "postgresql", "nats", "redis"…
}
