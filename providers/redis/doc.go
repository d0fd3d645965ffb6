// Package redis sells Redis 7: a server process for each instance, or, for development only, a prefix of the keys on a shared server. A
// binding is an ACL user.
//
// It owns the rules that keep tenants off the server's own commands and off each other, and the recipe that takes access away. What keeps the
// processes running is providers/local's Fleet. README.md says what the server holds and what nobody does.
package redis
