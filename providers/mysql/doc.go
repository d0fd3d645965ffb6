// Package mysql sells databases on a shared MariaDB server (10.11): a database per instance, an account per binding.
//
// It owns the recipe that keeps tenants apart and really takes access away:
//
//   - Names are derived, of letters and digits alone: "_" and "%" in a grant stand for other tenants' names. They are escaped all the same.
//   - An account has the rights of its own database and no other; never FILE, PROCESS, SUPER or GRANT OPTION.
//   - Statements carry what the server keeps of a password, never the password.
//   - Unbind locks the account, waits out logins that were on their way, ends the sessions, and drops the account. One that still
//     defines views, triggers, routines or events stays, locked, with a password that nobody has: they would break without it. It goes
//     when it defines nothing any more, at the latest with the instance.
//   - What is known of instances and accounts (whose they are, suspended, held, counted so far) is in tables of the database "sutler" on the same
//     server, which no tenant can see.
//
// It does not promise what the server cannot hold: an instance's connections are held for each account, their sum over all accounts is
// looked at every minute; its size is looked at every minute, and the right to write taken away when it is passed. Temporary tables,
// processor and disk time are shared with the neighbours.
package mysql
