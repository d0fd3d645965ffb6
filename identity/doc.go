// Package identity says who asks and what they may do: principals, roles, scopes and the one question Can.
//
// It owns the vocabulary and the rule. It does not own where people, orgs and tokens are kept (directory), how people come in (signin),
// nor our own OpenID provider (issuer). Everything here is a value or a function of values.
package identity
