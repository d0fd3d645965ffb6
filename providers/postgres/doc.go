// Package postgres sells databases on a shared PostgreSQL server (15 or newer): a database per instance, a role per binding.
//
// It owns the recipe that keeps tenants apart and really takes access away:
//
//   - A database belongs to the market's own role, never to a tenant, so nobody can raise its connection limit or let others in.
//     PUBLIC may enter no database. Tenants get their rights through a group role without login.
//   - A binding's role enters as the group (SET role), so that what one app makes another app bound to the same instance may change.
//   - Names and passwords are derived from ids and Seeds; the server sees a SCRAM verifier, never a password.
//   - Unbind shuts the login, ends the sessions, hands over what the role owns, drops the role, in this order; each step may have
//     been done before.
//
// The administrator may be a superuser, or a role with CREATEDB and CREATEROLE. On PostgreSQL 15 CREATEROLE is nearly as much as
// superuser: guard that role's password, or use 16. What the server cannot hold is not promised: the size of a database, its share of
// disk and processor, and the names of other databases in pg_database.
package postgres
