// Package billing turns what was sold and used into one exact invoice per account: accounts, intervals, events, the price book,
// the journal, invoices and their verification.
//
// It owns money's facts. It does not own how a price is computed (rating, pure), how an invoice is collected (stripe), or what an
// instance is (broker, which tells it through Meter).
package billing
