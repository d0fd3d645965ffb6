// Package tasks is the durable queue, the lease, the fence and the schedule, in one table row on either store.
//
// It owns when a handler runs and that nobody else runs it at the same time: Enqueue wakes a key in the caller's transaction, a claim is one
// UPDATE that raises the row's fence, a lease lasts 6 s and is renewed every 2 s for the whole process, a failure is retried with growing pauses.
// A process that dies loses nothing: its leases run out, or are voided when it starts again under its name, and the handlers run once more.
// The Calendar does the same by market time.
//
// It does not own what the work is: a row holds a key and ids, state belongs to the room whose handler runs. Handlers are idempotent, begin
// every transaction with Hold and ask Alive right before each call to the outside.
package tasks
