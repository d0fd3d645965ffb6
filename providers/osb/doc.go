// Package osb sells what any Open Service Broker 2.x sells: an upstream's plans become plans of ours, and each verb of the socket becomes
// a request to it.
//
// It owns the platform's side of the protocol: the upstream's catalog with its ETag, the protocol's version, polling, and the clean-up of
// what a broken request may have left (a mark in State, so that the next call deletes before it tries anew). Ids sent upstream are ours,
// owners and apps too; one that an upstream might refuse is sent as an id derived from it.
//
// It does not own prices (catalog, billing), instances and credentials (broker), nor where a call may go (internal/outbound).
package osb
