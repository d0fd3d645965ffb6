// Package broker lives the life of instances and bindings: it accepts intents, drives them durably to their end, keeps what providers
// returned, and tells Meter and Gate.
//
// It owns instances, bindings, operations and the last known catalogs. It does not own who may ask (identity), what things cost
// (billing, seen only through Meter and Gate), or how a backend is spoken to (providers).
package broker
