// Package directory keeps who there is: orgs (each names the account that pays), projects, apps, people, memberships, tokens, platforms,
// and the keys that providers report with.
//
// It owns those rows, the hashing of what must never be read back, and the answer to "whose secret is this". It does not own the rule
// (identity.Can), sessions (web), sign-in (signin, issuer) or accounts themselves (billing).
//
// Methods that take a principal ask identity.Can themselves. What a caller may not see is answered exactly like what is not there; what
// they see and may not do is fault.Forbidden. Every change appends its audit row in the same transaction.
package directory
