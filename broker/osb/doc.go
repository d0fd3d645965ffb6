// Package osb lets platforms in: it speaks the Open Service Broker API 2.17 on one side and broker on the other.
//
// It owns the protocol: who a platform is, versions, strict bodies, the words service and service_instance, status codes, what waits and
// what is answered later. It does not own instances or bindings (broker), nor credentials of platforms (identity/directory).
// Requests are routed and decoded by brokerapi behind one outer door (door.go), which mends what that library gets wrong or cannot say:
// whatever it has no field for travels in the request's box (box.go).
package osb
