// Package billing turns what was sold and used into one exact invoice per account: accounts, intervals, events, the price book,
// the journal, invoices and their verification.
//
// A month is closed account by account, each in one transaction that holds the account alone: lines, taxes, the gapless number, the canonical
// document with its SHA-256, the link to the invoice before it in the seller's series, the signature, balanced journal entries and the outbox row are there
// together or not at all. Meter and reports share the account, so each of them is either before the close, and on the invoice, or after it: then an
// interval begins or ends no earlier than the closed month's end, and a report is kept and flagged late. Nothing before accounts.closed_to changes.
//
// Use belongs to the month that its time lies in, and is taken only for months in which the instance ran. What corrections leave below zero when a
// month is closed is carried to the next one, at its prices, by two events of the ledger's own; without a next one it is written to the audit trail.
// An account that cannot be closed is noted and tried again alone, oldest month first (see Unclosed).
//
// Verify needs no trust in what it reads: it computes the invoice again from intervals, events and price versions, and compares that with the
// signed document, the stored lines and the journal.
//
// It owns money's facts. It does not own how a price is computed (rating, pure), how an invoice is collected (stripe), or what an
// instance is (broker, which tells it through Meter).
package billing
