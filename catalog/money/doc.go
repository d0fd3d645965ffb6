// Package money holds exact quantities and amounts: decimals, ratios, minor units, the one rounding and fair splits.
//
// A Decimal is what people write (a price, a quantity). A Ratio is what is carried while computing (proration, tax, shares), never rounded
// on the way. An Amount is what is billed and posted: whole minor units of one currency. Round is the only way from a Ratio to an Amount.
// It does not know rates, invoices or exchange sources. No float enters or leaves.
package money
