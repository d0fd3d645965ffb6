// Package rating computes charges: prices, intervals and usage in, lines out.
//
// It is pure: no store, no clock, no map order, no float. The same input gives the same lines in the same order on every machine, however the
// usage was batched or ordered, so an invoice can be computed again years later and compared.
//
// How it charges, where the field disagrees:
//
//   - Hours are the hours of the UTC clock. A fixed rate with hours charges each hour in which the instance ran for any moment, at amount/hours,
//     until the month has come to the amount. One hour belongs to one plan: to the one under which it began to be used. A new plan is charged from
//     the next full hour on.
//   - A fixed rate without hours is prorated to the microsecond: time in the interval over the length of that calendar month. With proration "none"
//     it is charged in full as soon as the plan ran at all.
//   - Time while suspended is not charged by fixed rates; usage reported is charged whenever it was.
//   - A price version counts from its own moment on; what ran before keeps the older one. Each version of each plan makes its own lines, with its
//     own cap and its own included units. Intervals of the same plan and version are taken together, so cutting one in two changes nothing.
//   - Usage belongs to the interval its time falls in; what falls in none belongs to the one before it, or to the first.
//   - A plan without a price, and time before a plan's first price, are free: what was used then is charged by nobody else's rates, and an hour that
//     began so is free.
//   - A metric is added up over the whole period by its aggregation; max, min, avg and latest of a level are charged once per period, however short the
//     interval. (A level weighted by time is not built.)
//   - Nothing is rounded before the net line.
//
// It does not own where prices and usage come from (billing), nor what makes a rate valid (catalog).
package rating
