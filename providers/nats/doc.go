// Package nats sells accounts on a NATS server that runs inside this process, for `sutler dev`: an account per instance, a login per
// binding; messaging, JetStream and key-value within the plan's limits.
//
// It owns the server, its keys and its folder:
//
//   - The server runs in operator mode: every account is a JWT signed by our operator, kept as a file in the folder (accounts/), so
//     accounts and their limits outlive the process. All keys are derived from one random file (master.key, 0600).
//   - Apps log in with a user name and a password in an ordinary address, nats://user:password@host:port, so that one environment
//     variable is enough. The server asks our callout service (NATS auth callout) about every login; that one looks the name up
//     (logins/, a hash per binding) and answers with a user JWT for the one connection, signed by the binding's account.
//   - Unbind removes the login, waits until every answer given before has become a connection, and closes all connections of that name.
//
// It does not own a server elsewhere: a cluster would be told of accounts over its system account.
package nats
