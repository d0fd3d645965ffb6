// Package stripe pushes issued invoices to Stripe, which collects them.
//
// It owns the way there: one customer per account, a draft, its items as whole amounts, the finalised invoice, and the proof that Stripe's total is
// ours. It goes on from the progress that the ledger's outbox keeps, after any crash and however long after: it looks at what Stripe has
// rather than trust that an idempotency key is still remembered. It does not own what is charged or taxed (billing computes that; Stripe computes
// nothing), nor hears what was paid.
package stripe
